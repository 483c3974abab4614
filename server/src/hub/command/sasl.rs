//! AUTHENTICATE (IRCv3 sasl-3.2), before registration and after it: SCRAM-SHA-256, EXTERNAL, and PLAIN where nobody
//! else can read it.

use crate::hub::Hub;
use crate::hub::change::secrets::{Useless, Way};
use crate::hub::command::{Done, multiline, need};
use crate::hub::state::ConnectionId;
use crate::hub::state::accounts::Accounts;
use crate::hub::state::refusal::Refused;
use crate::hub::state::sasl::{CHUNK, MAX_SASL, Mechanism, Sasl};
use crate::protocol::Numeric::*;
use crate::protocol::scram::Exchange;
use crate::protocol::{Capabilities, Capability, Folded, Message, base64};

pub(super) fn authenticate(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let word = need(message, 0)?;
    if word == "*" {
        // Whether there was anything to abort or not: HexChat 2.16 says so after each 904, and would go on for ever.
        hub.state.member_mut(id).into_iter().for_each(|member| member.sasl = None);
        return Err(aborted());
    }
    if !hub.state.member(id).is_some_and(|member| member.has(Capability::Sasl)) {
        return Err((ERR_SASLFAIL, ":Ask for the capability sasl first".into()));
    }
    if !hub.is_admitted(id) {
        return Err((ERR_SASLFAIL, ":Give the server's password first (PASS)".into()));
    }
    let Some(member) = hub.state.member_mut(id) else { return Ok(()) };
    if let Some(account) = &member.account {
        return Err((ERR_SASLALREADY, format!(":You are logged in as {account} already")));
    }
    let Some(sasl) = &mut member.sasl else { return begin(hub, id, word) };
    // Alone it stands for nothing, or for the end of what filled its last chunk.
    let text = if word == "+" { "" } else { word };
    if word.len() > CHUNK || sasl.text.len() + text.len() > MAX_SASL {
        member.sasl = None;
        return Err((ERR_SASLTOOLONG, ":That AUTHENTICATE is too long".into()));
    }
    sasl.text.push_str(text);
    if word.len() < CHUNK {
        hub.sasl_message(id);
    }
    Ok(())
}

fn begin(hub: &mut Hub, id: ConnectionId, word: &str) -> Done {
    let offered = hub.mechanisms(id);
    let Some(mechanism) = offered.iter().find(|known| known.to_string().eq_ignore_ascii_case(word)) else {
        hub.reply(id, RPL_SASLMECHS, format!("{} :are available SASL mechanisms", list(&offered)));
        let read = word.eq_ignore_ascii_case("PLAIN") && !offered.contains(&Mechanism::Plain);
        let why = if read {
            "This connection is not encrypted: use SCRAM-SHA-256"
        } else {
            "There is no such mechanism"
        };
        return Err((ERR_SASLFAIL, format!(":{why}")));
    };
    if let Some(member) = hub.state.member_mut(id) {
        member.sasl = Some(Box::new(Sasl::new(*mechanism)));
    }
    hub.send_bare(id, "AUTHENTICATE +");
    Ok(())
}

fn list(mechanisms: &[Mechanism]) -> String {
    mechanisms.iter().map(Mechanism::to_string).collect::<Vec<String>>().join(",")
}

fn aborted() -> Refused {
    (ERR_SASLABORTED, ":SASL authentication aborted".into())
}

impl Hub {
    /// The capabilities that this server offers.
    pub(super) fn offered(&self) -> Capabilities {
        let mut offered = Capability::ALL.iter().copied().collect::<Capabilities>();
        if self.state.settings.accounts == Accounts::Off {
            offered.remove(Capability::Sasl);
        }
        if self.state.settings.accounts != Accounts::Open {
            offered.remove(Capability::AccountRegistration);
        }
        offered
    }

    /// The value of a capability for a connection (CAP LS 302).
    pub(super) fn value(&self, id: ConnectionId, capability: Capability) -> Option<String> {
        match capability {
            Capability::Sasl => Some(list(&self.mechanisms(id))),
            Capability::AccountRegistration => Some("before-connect".into()),
            Capability::Multiline => Some(multiline::bounds()),
            _ => None,
        }
    }

    /// What a connection may log in with.
    fn mechanisms(&self, id: ConnectionId) -> Vec<Mechanism> {
        let Some(member) = self.state.member(id) else { return Vec::new() };
        let offered = |mechanism: &Mechanism| match mechanism {
            Mechanism::Scram => true,
            Mechanism::Plain => member.is_private(),
            Mechanism::External => member.certificate.is_some(),
        };
        Mechanism::ALL.into_iter().filter(offered).collect()
    }

    /// Registration goes on without the exchange that is under way.
    pub(super) fn abort_sasl(&mut self, id: ConnectionId) {
        if self.state.member_mut(id).and_then(|member| member.sasl.take()).is_some() {
            self.refuse(id, aborted());
        }
    }

    /// A message of an exchange is whole.
    fn sasl_message(&mut self, id: ConnectionId) {
        let Some(mut sasl) = self.state.member_mut(id).and_then(|member| member.sasl.take()) else { return };
        let text = std::mem::take(&mut sasl.text);
        let message = base64::decode(&text).and_then(|bytes| String::from_utf8(bytes).ok());
        let unread = || ("INVALID", "That AUTHENTICATE makes no sense".to_owned());
        let done = match (message, sasl.mechanism) {
            (None, _) => Err(unread()),
            (Some(message), Mechanism::Plain) => match message.split('\0').collect::<Vec<&str>>()[..] {
                [acting, name, password] if !name.is_empty() && is(acting, name) => {
                    self.try_password(id, name, password, Way::Sasl);
                    Ok(None)
                }
                _ => Err(unread()),
            },
            (Some(message), Mechanism::External) => self.by_certificate(id, &message).map(|name| {
                self.proved(id, Way::Sasl, &name);
                None
            }),
            (Some(message), Mechanism::Scram) => self.scram(id, *sasl, &message),
        };
        match done {
            Ok(None) => {}
            Ok(Some((next, text))) => {
                if let Some(member) = self.state.member_mut(id) {
                    member.sasl = Some(Box::new(next));
                }
                self.send_sasl(id, &text);
            }
            Err(useless) => self.not_proved(id, Way::Sasl, "*", useless),
        }
    }

    /// A step of SCRAM-SHA-256; what follows, and what is sent.
    fn scram(
        &mut self,
        id: ConnectionId,
        mut sasl: Sasl,
        message: &str,
    ) -> Result<Option<(Sasl, String)>, Useless> {
        let wrong = || ("INVALID_CREDENTIALS", "Wrong name or password".to_owned());
        if let Some((name, stored)) = sasl.proved {
            // The account may be another one's since, or have another password.
            self.state.accounts.get(&name).filter(|known| known.keys.stored == stored).ok_or_else(wrong)?;
            self.proved(id, Way::Sasl, &name);
            return Ok(None);
        }
        let Some(exchange) = sasl.challenged.take() else {
            let mut exchange = Exchange::begin(message).ok_or_else(wrong)?;
            // Never the same: what was said once is of no use again.
            let nonce = base64::encode(&self.state.secret()[..18]);
            let known = self.state.accounts.get(&exchange.user).ok_or_else(wrong)?;
            let challenge = exchange.challenge(&nonce, &known.salt, known.rounds).to_owned();
            sasl.challenged = Some(exchange);
            return Ok(Some((sasl, challenge)));
        };
        self.guess(id, &exchange.user)?;
        let known = self.state.accounts.get(&exchange.user).ok_or_else(wrong)?;
        let (proof, stored) = (exchange.finish(message, &known.keys).ok_or_else(wrong)?, known.keys.stored);
        self.guessed(id, &exchange.user);
        sasl.proved = Some((exchange.user, stored));
        Ok(Some((sasl, proof)))
    }

    fn by_certificate(&self, id: ConnectionId, acting: &str) -> Result<String, Useless> {
        let print = self.state.member(id).and_then(|member| member.certificate.as_deref());
        let account = print.and_then(|print| self.state.accounts.with_print(print, |name| is(acting, name)));
        let unknown = || ("INVALID_CREDENTIALS", "That certificate is nobody's here".to_owned());
        account.map(|account| account.name.to_string()).ok_or_else(unknown)
    }

    /// A message of an exchange, in chunks.
    fn send_sasl(&mut self, id: ConnectionId, message: &str) {
        let text = base64::encode(message.as_bytes());
        let mut rest = text.as_str();
        while rest.len() >= CHUNK {
            let (chunk, more) = rest.split_at(CHUNK);
            self.send_bare(id, &format!("AUTHENTICATE {chunk}"));
            rest = more;
        }
        self.send_bare(id, &format!("AUTHENTICATE {}", if rest.is_empty() { "+" } else { rest }));
    }

    /// Without a prefix, as every program expects it.
    fn send_bare(&mut self, id: ConnectionId, line: &str) {
        self.send_reply(id, format!("{line}\r\n").into_bytes().into());
    }
}

/// Whether to act for `acting` is to act for oneself.
fn is(acting: &str, name: &str) -> bool {
    acting.is_empty() || Folded::new(acting) == Folded::new(name)
}
