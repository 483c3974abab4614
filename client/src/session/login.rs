//! Showing who we are: SASL before the welcome (IRCv3 sasl-3.2), a claim of our name behind it
//! (draft/account-registration), and what other networks' NickServ is told.

use std::collections::VecDeque;
use std::fmt;

use parlor_server::protocol::scram::Client;
use parlor_server::protocol::text::printable;
use parlor_server::protocol::{Capability, Message, base64};

use super::capabilities::LogsIn;
use super::event::Field;
use super::line::LineKind;
use super::{Key, Output, Sentence, Session};

/// Characters of one AUTHENTICATE; a message that fills the last one is followed by a `+`.
const CHUNK: usize = 400;
/// Characters of a whole message of the server, at most.
const MAX_MESSAGE: usize = 4_096;

/// What shows who we are on one connection.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// Nobody on the way can read what is sent.
    pub private: bool,
    /// What the server itself asks for (PASS); empty: nothing.
    pub server_password: String,
    /// What the person has typed for the name; empty: nothing.
    pub password: String,
    /// Made by us for this server alone, the newest first: with that one a name is claimed that is nobody's. None
    /// where `private` is not.
    pub own: Vec<String>,
    /// The connection shows a certificate (EXTERNAL).
    pub certificate: bool,
}

impl Login {
    /// Where there is anything to log in with.
    pub(super) fn logs_in(&self) -> LogsIn {
        match self.certificate || !self.password.is_empty() {
            true => LogsIn::Always,
            false if !self.own.is_empty() => LogsIn::AtOurs,
            false => LogsIn::Never,
        }
    }
}

/// Without the secrets.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("private", &self.private).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mechanism {
    External,
    Scram,
    Plain,
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Mechanism::External => "EXTERNAL",
            Mechanism::Scram => "SCRAM-SHA-256",
            Mechanism::Plain => "PLAIN",
        }
    }
}

/// What is tried.
#[derive(Clone, PartialEq, Eq)]
enum Proof {
    Certificate,
    /// `own`: it is not the person's.
    Password {
        text: String,
        own: bool,
    },
}

/// How far an exchange has come.
enum Step {
    /// The mechanism was named.
    Named(Mechanism, Proof),
    /// SCRAM: our nonce is out.
    Begun(Client, String),
    /// SCRAM: our proof is out; the server's own is to be this.
    Proved(String),
    /// All is said.
    Over,
}

/// How far showing who we are has come.
#[derive(Default)]
pub(super) struct SigningIn {
    /// As the server lists them; `None`: it does not.
    mechanisms: Option<Vec<String>>,
    /// What was not tried yet.
    proofs: VecDeque<Proof>,
    step: Option<Step>,
    /// What came of a message that is not whole yet.
    text: String,
    /// The server asked for a proof: the name is somebody's.
    owned: bool,
    /// We have shown that it is ours.
    pub(super) done: bool,
    /// What the person typed was refused, in these words.
    refused: Option<String>,
    /// REGISTER is under way.
    claims: bool,
}

/// Without the secrets.
impl fmt::Debug for SigningIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningIn").field("done", &self.done).finish_non_exhaustive()
    }
}

impl SigningIn {
    /// The name belongs to somebody, and we could not show that we are that.
    pub(super) fn is_others(&self) -> bool {
        self.owned && !self.done
    }

    fn offers(&self, mechanism: Mechanism) -> bool {
        let listed = |list: &Vec<String>| list.iter().any(|name| name.eq_ignore_ascii_case(mechanism.name()));
        self.mechanisms.as_ref().is_none_or(listed)
    }

    fn set_mechanisms(&mut self, list: &str) {
        self.mechanisms = Some(list.split(',').map(Into::into).collect());
    }
}

impl Session {
    /// Sends the server's own password, where nobody else reads it; else gives up, and says so.
    pub(super) fn pass(&mut self) -> bool {
        if self.login.server_password.is_empty() {
            return true;
        }
        if !self.login.private {
            return self.not_safe(Field::ServerPassword);
        }
        let password = self.login.server_password.clone();
        self.send(&format!("PASS :{password}"));
        true
    }

    /// The server asks for its own password.
    pub(super) fn password_asked(&self) -> Sentence {
        if self.login.server_password.is_empty() { Sentence::PasswordNeeded } else { Sentence::PasswordWrong }
    }

    pub(super) fn not_safe(&mut self, field: Field) -> bool {
        self.out.push_back(Output::Disconnect);
        let server = self.server();
        self.give_up(field, Sentence::PasswordNotSafe { server }, None);
        false
    }

    /// The capability is on: begins to show who we are, if there is a way; then registration waits for it.
    pub(super) fn sign_in(&mut self) -> bool {
        if !self.caps.has(Capability::Sasl) {
            return false;
        }
        // A name elsewhere is not ours by a secret that nobody there has heard of.
        let own = self.login.own.iter().filter(|_| self.caps.is_ours()).map(|text| (text, true));
        let typed = Some((&self.login.password, false)).filter(|(text, _)| !text.is_empty());
        let passwords = typed.into_iter().chain(own);
        let passwords = passwords.map(|(text, own)| Proof::Password { text: text.clone(), own });
        let certificate = self.login.certificate.then_some(Proof::Certificate);
        let signing = &mut self.registration.signing;
        signing.proofs = certificate.into_iter().chain(passwords).collect();
        if let Some(list) = self.caps.sasl.as_deref().filter(|list| !list.is_empty()) {
            signing.set_mechanisms(list);
        }
        self.try_next()
    }

    /// Tries the next thing that shows who we are; whether there was one.
    fn try_next(&mut self) -> bool {
        let (private, signing) = (self.login.private, &mut self.registration.signing);
        (signing.step, signing.text) = (None, String::new());
        while let Some(proof) = signing.proofs.pop_front() {
            let mechanism = match &proof {
                Proof::Certificate => Some(Mechanism::External),
                Proof::Password { .. } if signing.offers(Mechanism::Scram) => Some(Mechanism::Scram),
                // What is our own is never said to a server that could use it elsewhere.
                Proof::Password { own: false, .. } if private => Some(Mechanism::Plain),
                Proof::Password { .. } => None,
            };
            if let Some(mechanism) = mechanism.filter(|mechanism| signing.offers(*mechanism)) {
                signing.step = Some(Step::Named(mechanism, proof));
                self.send(&format!("AUTHENTICATE {}", mechanism.name()));
                return true;
            }
        }
        false
    }

    /// AUTHENTICATE.
    pub(super) fn on_authenticate(&mut self, message: &Message<'_>) {
        let chunk = message.params.first().copied().unwrap_or_default();
        let signing = &mut self.registration.signing;
        // Nobody has asked, or all is said.
        if matches!(signing.step, None | Some(Step::Over)) {
            return;
        }
        if signing.text.len() + chunk.len() > MAX_MESSAGE {
            signing.step = Some(Step::Over);
            return self.send("AUTHENTICATE *");
        }
        if chunk != "+" {
            signing.text.push_str(chunk);
        }
        if chunk.len() >= CHUNK {
            return;
        }
        let text = base64::decode(&std::mem::take(&mut signing.text)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let nick = self.me.wanted.clone();
        let (say, next) = match signing.step.take() {
            Some(Step::Named(Mechanism::External, _)) => (Some(String::new()), Step::Over),
            Some(Step::Named(Mechanism::Plain, Proof::Password { text, .. })) => {
                (Some(format!("\0{nick}\0{text}")), Step::Over)
            }
            Some(Step::Named(Mechanism::Scram, Proof::Password { text, .. })) => {
                let client = Client::new(&nick, &format!("{:032x}", self.seed.next()));
                (Some(client.first()), Step::Begun(client, text))
            }
            Some(Step::Begun(client, password)) => {
                signing.owned = true;
                match client.finish(&text, &password) {
                    Some((last, expected)) => (Some(last), Step::Proved(expected)),
                    None => (None, Step::Over),
                }
            }
            Some(Step::Proved(expected)) if expected == text => (Some(String::new()), Step::Over),
            // It does not know the password itself: nothing more of it is said here.
            Some(Step::Proved(_)) => {
                signing.proofs.clear();
                (None, Step::Over)
            }
            // Neither comes here: a password is not shown by EXTERNAL, and what is over was left out above.
            Some(Step::Named(..) | Step::Over) | None => (None, Step::Over),
        };
        self.registration.signing.step = Some(next);
        match say {
            Some(message) => self.authenticate(&message),
            None => self.send("AUTHENTICATE *"),
        }
    }

    /// A message of an exchange, in chunks.
    fn authenticate(&mut self, message: &str) {
        let text = base64::encode(message.as_bytes());
        let mut rest = text.as_str();
        while rest.len() >= CHUNK {
            let (chunk, more) = rest.split_at(CHUNK);
            self.send(&format!("AUTHENTICATE {chunk}"));
            rest = more;
        }
        self.send(&format!("AUTHENTICATE {}", if rest.is_empty() { "+" } else { rest }));
    }

    /// RPL_LOGGEDIN to RPL_SASLMECHS (900 to 908). Says whether it was about something that we asked.
    pub(super) fn on_sasl(&mut self, code: u16, message: &Message<'_>) -> bool {
        match code {
            900 => self.registration.logged_in = true,
            901 => self.registration.logged_in = false,
            _ => {}
        }
        let signing = &mut self.registration.signing;
        match code {
            // RPL_LOGGEDIN, RPL_SASLSUCCESS, ERR_SASLALREADY
            900 => {
                signing.done = true;
                if self.is_ready() && self.keeps_private() {
                    self.begin_private_history();
                }
            }
            903 | 907 => {
                signing.done = true;
                signing.step = None;
                self.end_negotiation();
            }
            // RPL_SASLMECHS
            908 => signing.set_mechanisms(message.params.get(1).copied().unwrap_or_default()),
            // ERR_NICKLOCKED, ERR_SASLFAIL, ERR_SASLTOOLONG, ERR_SASLABORTED
            902 | 904..=906 if !self.registration.negotiated => {
                match signing.step.take() {
                    // It does not know SCRAM, and did not say what it knows: there are other ways.
                    Some(Step::Named(Mechanism::Scram, proof)) => {
                        let known = signing.mechanisms.get_or_insert_with(|| vec!["PLAIN".into()]);
                        known.retain(|name| !name.eq_ignore_ascii_case(Mechanism::Scram.name()));
                        signing.proofs.push_front(proof);
                    }
                    None => return true,
                    Some(_) => {
                        let text = printable(message.params.last().copied().unwrap_or_default());
                        signing.refused.get_or_insert(text);
                    }
                }
                if !self.try_next() {
                    self.not_signed_in();
                }
            }
            _ => return code != 901,
        }
        true
    }

    /// Nothing has shown that the name is ours.
    fn not_signed_in(&mut self) {
        let reason = self.registration.signing.refused.take();
        // What the person typed is right or wrong where the name is somebody's; else it is what to claim it with.
        let typed = !self.login.password.is_empty() || self.login.certificate;
        let free = self.claims_names() && !self.registration.signing.owned;
        match reason.filter(|_| typed && !free && !self.welcomed_once) {
            Some(reason) => {
                self.out.push_back(Output::Disconnect);
                self.give_up(Field::Password, Sentence::PasswordRefused { reason }, None);
            }
            None => self.end_negotiation(),
        }
    }

    /// There is a password that nobody may read, and no way to show that we have it.
    pub(super) fn password_is_unsafe(&self) -> bool {
        !self.login.private && !self.login.password.is_empty() && !self.registration.signing.done
    }

    /// Whether names here are claimed in silence: only our own kind of server.
    fn claims_names(&self) -> bool {
        self.caps.has(Capability::AccountRegistration) && self.caps.is_ours()
    }

    /// Talk can begin: makes the name ours, if it is nobody's; other networks have somebody who is told.
    pub(super) fn sign_in_late(&mut self) {
        let Login { private, password, own, .. } = &self.login;
        let named = self.isupport.key(&self.me.nick) == self.isupport.key(&self.me.wanted);
        if self.password_is_unsafe() {
            let sentence = Sentence::PasswordNotSafe { server: self.server() };
            return self.inform(&Key::server(), LineKind::Error, &sentence);
        }
        if self.registration.signing.done || !private || !named {
            return;
        }
        let first = Some(password).filter(|password| !password.is_empty());
        let line = match first.or(own.first()) {
            Some(password) if self.claims_names() => {
                self.registration.signing.claims = true;
                format!("REGISTER * * :{password}")
            }
            _ => match first {
                Some(password) if !self.caps.has(Capability::Sasl) => {
                    format!("PRIVMSG NickServ :IDENTIFY {password}")
                }
                _ => return,
            },
        };
        self.send(&line);
    }

    /// `REGISTER SUCCESS account :sentence`.
    pub(super) fn on_register(&mut self, message: &Message<'_>) {
        if message.params.first().is_some_and(|word| word.eq_ignore_ascii_case("SUCCESS")) {
            self.registration.signing.done = true;
        }
    }

    /// `FAIL REGISTER …`: the name stays nobody's, or is somebody's meanwhile, and nobody has asked.
    pub(super) fn claim_failed(&mut self, verb: &str) -> bool {
        verb.eq_ignore_ascii_case("REGISTER") && std::mem::take(&mut self.registration.signing.claims)
    }
}
