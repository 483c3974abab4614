//! Capability negotiation (IRCv3).

use crate::hub::Hub;
use crate::hub::command::{Done, need};
use crate::hub::delivery::form::Form;
use crate::hub::delivery::reply::Packed;
use crate::hub::state::ConnectionId;
use crate::hub::state::refusal::too_long;
use crate::protocol::Numeric::*;
use crate::protocol::line::MAX_BODY;
use crate::protocol::{Capabilities, Capability, Message};

pub(super) fn cap(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let (verb, argument) = (need(message, 0)?.to_ascii_uppercase(), message.params.get(1).copied());
    let Some(member) = hub.state.member_mut(id) else { return Ok(()) };
    if let (Some(registration), "LS" | "REQ") = (&mut member.registration, verb.as_str()) {
        registration.negotiating = true;
    }
    let caps = member.caps;
    let nick = hub.state.nick_of(id).to_owned();
    match verb.as_str() {
        "LS" => {
            let version: u32 = argument.and_then(|version| version.parse().ok()).unwrap_or_default();
            let mut sts = None;
            if version >= 302 {
                let mut caps = caps;
                caps.add(Capability::CapNotify);
                hub.set_caps(id, caps);
                sts = hub.sts(id);
            }
            let with_value =
                |capability: Capability| match hub.value(id, capability).filter(|_| version >= 302) {
                    Some(value) => format!("{capability}={value}"),
                    None => capability.to_string(),
                };
            let all: Vec<String> = hub.offered().iter().map(with_value).chain(sts).collect();
            hub.list(id, &format!("CAP {nick} LS"), &all, version >= 302);
        }
        "LIST" => {
            let on: Vec<String> = caps.iter().map(|capability| capability.to_string()).collect();
            hub.list(id, &format!("CAP {nick} LIST"), &on, caps.has(Capability::CapNotify));
        }
        "REQ" => {
            let wanted = argument.unwrap_or_default();
            if hub.server_line(format_args!("CAP {nick} ACK :{wanted}")).len() > MAX_BODY {
                // It could not be repeated in the answer.
                return Err(too_long());
            }
            match caps.request(wanted).filter(|caps| caps.without(hub.offered()).is_empty()) {
                Some(caps) => {
                    hub.set_caps(id, caps);
                    hub.say_as_server(id, format!("CAP {nick} ACK :{wanted}"));
                }
                None => hub.say_as_server(id, format!("CAP {nick} NAK :{wanted}")),
            }
        }
        "END" => {
            if let Some(registration) = hub.state.member_mut(id).and_then(|m| m.registration.as_mut()) {
                registration.negotiating = false;
                hub.abort_sasl(id);
                hub.try_register(id);
            }
        }
        _ => hub.reply(id, ERR_INVALIDCAPCMD, format!("{verb} :Invalid CAP command")),
    }
    Ok(())
}

impl Hub {
    /// Who encrypts is told for how long to, anybody else where (IRCv3 `sts`). Nobody can ask for it.
    fn sts(&self, id: ConnectionId) -> Option<String> {
        let secure = self.state.member(id).is_some_and(|member| member.secure);
        self.state.settings.sts.map(|sts| match secure {
            true => format!("sts=duration={}", sts.duration.as_secs()),
            false => format!("sts=port={}", sts.port),
        })
    }

    /// In as many lines as it takes; who knows no version 302 gets one, with the first of them.
    fn list(&mut self, id: ConnectionId, start: &str, words: &[String], several: bool) {
        let mut packed = Packed::behind(self.server_line(format_args!("{start} * :")).len(), ' ');
        for word in words {
            let Some(line) = packed.add(word) else { continue };
            if !several {
                return self.say_as_server(id, format!("{start} :{line}"));
            }
            self.say_as_server(id, format!("{start} * :{line}"));
        }
        self.say_as_server(id, format!("{start} :{}", packed.line));
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
