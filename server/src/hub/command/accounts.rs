//! Claiming a name and logging in, other than by SASL: REGISTER, and what is said to NickServ.

use crate::hub::Hub;
use crate::hub::change::Change;
use crate::hub::change::secrets::Way;
use crate::hub::command::{Done, need};
use crate::hub::state::ConnectionId;
use crate::hub::state::accounts::Accounts;
use crate::protocol::text::first_word;
use crate::protocol::{Folded, Message};

/// Whom other networks' people ask; here the server answers.
const SERVICE: &str = "nickserv";

/// `REGISTER account email password` (IRCv3 draft/account-registration): for one's own name.
pub(super) fn register(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let (name, password) = (need(message, 0)?, need(message, 1).and(need(message, 2))?);
    let nick = hub.state.member(id).and_then(|member| {
        let wished = member.registration.as_ref().and_then(|registration| registration.wished.as_ref());
        member.nick.as_ref().or(wished).map(ToString::to_string)
    });
    match nick {
        Some(nick) if name != "*" && Folded::new(name) != Folded::new(&nick) => {
            let sentence = "The name that you claim is the one that you have now";
            hub.fail(id, "REGISTER", &format!("ACCOUNT_NAME_MUST_BE_NICK {}", super::shown(name)), sentence);
        }
        _ => hub.claim(id, password, Way::Register),
    }
    Ok(())
}

/// Nothing has to be verified: there is no mail.
pub(super) fn verify(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let name = super::shown(need(message, 0)?);
    hub.fail(id, "VERIFY", &format!("INVALID_CODE {name}"), "Nothing has to be verified here");
    Ok(())
}

/// `NICKSERV words`, `NS words`.
pub(super) fn nickserv(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let words: Vec<&str> = message.params.iter().copied().collect();
    hub.service(id, &words.join(" "));
    Ok(())
}

/// Whether a message is for the service of names.
pub(crate) fn is_service(target: &str) -> bool {
    target.split('@').next().is_some_and(|name| name.eq_ignore_ascii_case(SERVICE))
}

impl Hub {
    /// What is said to NickServ.
    pub(crate) fn service(&mut self, id: ConnectionId, text: &str) {
        let (word, rest) = first_word(text);
        let (first, more) = first_word(rest);
        let own = self.state.nick_of(id).to_owned();
        match word.to_ascii_uppercase().as_str() {
            // A mail address is taken for what it is: nothing that is kept.
            "REGISTER" if !first.is_empty() => self.claim(id, first, Way::Command),
            "IDENTIFY" | "LOGIN" | "AUTH" if !first.is_empty() => {
                let (name, password) =
                    if more.is_empty() { (own.as_str(), first) } else { (first, first_word(more).0) };
                self.try_login(id, name, password);
            }
            "CERT" => {
                let certificate =
                    self.state.member(id).and_then(|m| Some((*m.certificate.clone()?, m.account.clone()?)));
                let Some((print, account)) = certificate else {
                    return self.explain(id, "Log in first, over TLS and with a certificate of your own");
                };
                if !self.state.accounts.get(&account).is_some_and(|known| known.prints.contains(&print)) {
                    if !self.may_keep(id) {
                        return self.explain(id, "That was too much for one day; try again tomorrow");
                    }
                    self.propose(id, Change::AddPrint { print });
                }
                let line = format!("This certificate logs in as {account} from now on (SASL EXTERNAL)");
                self.explain(id, &line);
            }
            _ => {
                let line = match (self.state.settings.accounts, self.state.accounts.has(&Folded::new(&own))) {
                    (Accounts::Off, _) => "Names belong to nobody on this server".into(),
                    (_, true) => format!(
                        "{own} is yours. On another device: /msg NickServ IDENTIFY {own} PASSWORD, or SASL"
                    ),
                    (Accounts::Closed, _) => {
                        "Names are given by the operator. To have yours: /msg NickServ IDENTIFY NAME PASSWORD"
                            .into()
                    }
                    (Accounts::Open, _) => format!(
                        "{own} is nobody's: /msg NickServ REGISTER PASSWORD makes it yours. If you have a name already: /msg NickServ IDENTIFY NAME PASSWORD"
                    ),
                };
                self.explain(id, &line);
            }
        }
    }

    /// Logs in by a name and a password that came as words.
    pub(crate) fn try_login(&mut self, id: ConnectionId, name: &str, password: &str) {
        match self.state.member(id).and_then(|member| member.account.clone()) {
            Some(account) => self.explain(id, &format!("You are logged in as {account} already")),
            None => self.try_password(id, name, password, Way::Command),
        }
    }
}
