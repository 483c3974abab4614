//! Capability negotiation (IRCv3).

use crate::hub::Hub;
use crate::hub::command::{Access, Command, need};
use crate::hub::delivery::form::Form;
use crate::hub::state::ConnectionId;
use crate::hub::state::refusal::too_long;
use crate::protocol::Numeric::*;
use crate::protocol::line::MAX_BODY;
use crate::protocol::{Capabilities, Capability};

pub(super) const CAP: Command = Command {
    verb: "CAP",
    access: Access::Anybody,
    help: "",
    run: |hub, id, message| {
        hub.cap(id, need(message, 0)?, message.params.get(1).copied());
        Ok(())
    },
};

impl Hub {
    pub(crate) fn cap(&mut self, id: ConnectionId, verb: &str, argument: Option<&str>) {
        let Some(member) = self.state.member_mut(id) else { return };
        let verb = verb.to_ascii_uppercase();
        if let (Some(registration), "LS" | "REQ") = (&mut member.registration, verb.as_str()) {
            registration.negotiating = true;
        }
        let caps = member.caps;
        let nick = self.state.nick_of(id).to_owned();
        match verb.as_str() {
            "LS" => {
                let version: u32 = argument.and_then(|version| version.parse().ok()).unwrap_or_default();
                if version >= 302 {
                    let mut caps = caps;
                    caps.add(Capability::CapNotify);
                    self.set_caps(id, caps);
                }
                let all = Capability::ALL.iter().copied().collect::<Capabilities>();
                self.say_as_server(id, format!("CAP {nick} LS :{all}"));
            }
            "LIST" => self.say_as_server(id, format!("CAP {nick} LIST :{caps}")),
            "REQ" => {
                let wanted = argument.unwrap_or_default();
                if wanted.len() > MAX_BODY - 112 {
                    // It could not be repeated in the answer.
                    return self.refuse(id, too_long());
                }
                match caps.request(wanted) {
                    Some(caps) => {
                        self.set_caps(id, caps);
                        self.say_as_server(id, format!("CAP {nick} ACK :{wanted}"));
                    }
                    None => self.say_as_server(id, format!("CAP {nick} NAK :{wanted}")),
                }
            }
            "END" => {
                if let Some(registration) = self.state.member_mut(id).and_then(|m| m.registration.as_mut()) {
                    registration.negotiating = false;
                    self.try_register(id);
                }
            }
            _ => self.reply(id, ERR_INVALIDCAPCMD, format!("{verb} :Invalid CAP command")),
        }
    }

    fn set_caps(&mut self, id: ConnectionId, caps: Capabilities) {
        if let Some(member) = self.state.member_mut(id) {
            member.caps = caps;
            self.update_form(id);
        }
    }

    /// What fan-out looks at must agree with the member.
    pub(crate) fn update_form(&mut self, id: ConnectionId) {
        let Some((speaker, caps)) = self.state.member(id).map(|member| (member.speaker, member.caps)) else {
            return;
        };
        self.delivery.set_form(id, caps, Form::of(speaker, caps));
    }
}
