//! Passwords: who may try one, whose turn it is, and what comes of it.
//!
//! Keys take long to derive, so the hub asks for them ([`Output::Derive`]) and is told
//! ([`Input::Derived`](crate::hub::Input::Derived)): one question at a time, a party after the other. What else its
//! connection says waits meanwhile, as if no time had passed. A new account counts when it is on disk.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use crate::hub::Hub;
use crate::hub::change::{Asker, Change};
use crate::hub::delivery::output::{Output, Password};
use crate::hub::state::ConnectionId;
use crate::hub::state::accounts::{Account, Accounts};
use crate::hub::state::admission::{party, party_size};
use crate::hub::state::circle::Circle;
use crate::hub::state::pace::Pace;
use crate::protocol::Numeric::*;
use crate::protocol::scram::{Keys, MAX_PASSWORD, ROUNDS, same};
use crate::protocol::{Folded, Nick};

/// Questions that wait in all; one a connection. Beyond, one more is refused: this many take six seconds.
const MAX_QUESTIONS: usize = 256;
/// Bytes that a connection may say while its password is looked at; then it is closed.
const MAX_WAITING: usize = 64 * 1024;
/// Characters of a password that a name is claimed with.
const MIN_PASSWORD: usize = 6;
/// The time after which a wrong password of a party is forgotten; it has as many as people.
const PARTY_GUESS: Duration = Duration::from_secs(20);
/// The same of a name, wherever it is tried from.
const NAME_GUESS: Duration = Duration::from_secs(30);
/// Wrong passwords of one name: more than a day's guessing finds out would lock its owner out.
const NAME_GUESSES: u32 = 30;
/// The time after which a claim of a party is forgotten; it has as many a day as people.
const CLAIM: Duration = Duration::from_secs(86_400);

/// How a password came, and so how the answer goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// AUTHENTICATE.
    Sasl,
    /// REGISTER.
    Register,
    /// Asked for at a terminal, with the name.
    Prompt,
    /// A command at a terminal, or said to NickServ.
    Command,
}

/// What is wanted with a password.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    LogIn(ConnectionId, Way),
    Claim(ConnectionId, Way),
    /// The operator gives an account this password, or makes it with that.
    Set(Asker),
}

#[derive(Debug)]
struct Question {
    name: Box<str>,
    purpose: Purpose,
    salt: [u8; 16],
    rounds: u32,
    /// The account that is on its way to the disk.
    made: Option<Account>,
}

/// Why a password is of no use: the code of a FAIL (IRCv3 draft/account-registration), and a sentence.
pub(crate) type Useless = (&'static str, String);

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Secrets {
    waiting: Circle<IpAddr, VecDeque<(u64, Password)>>,
    /// A question is asked.
    asked: Option<u64>,
    questions: HashMap<u64, Question>,
    last: u64,
    guesses: Pace<IpAddr>,
    guessed: Pace<Folded>,
    claims: Pace<IpAddr>,
    /// Who logged in to a name last: not locked out of it by others' guesses. At most one a name.
    owners: HashMap<Folded, IpAddr>,
}

impl Default for Secrets {
    fn default() -> Secrets {
        Secrets {
            waiting: Circle::default(),
            asked: None,
            questions: HashMap::new(),
            last: 0,
            guesses: Pace::new(PARTY_GUESS),
            guessed: Pace::new(NAME_GUESS),
            claims: Pace::new(CLAIM),
            owners: HashMap::new(),
        }
    }
}

impl Secrets {
    fn next(&mut self) -> Option<(u64, Password)> {
        if self.asked.is_some() {
            return None;
        }
        let question = self.waiting.next(|questions| Some((questions.pop_front()?, questions.is_empty())))?;
        self.asked = Some(question.0);
        Some(question)
    }
}

impl Hub {
    /// Looks whether this is the password of an account, and logs in.
    pub(crate) fn try_password(&mut self, id: ConnectionId, name: &str, password: &str, way: Way) {
        let tried = match self.state.accounts.get(name).map(|known| (known.salt, known.rounds)) {
            None => Err(wrong()),
            Some((salt, rounds)) => self
                .guess(id, name)
                .and_then(|()| self.ask_keys(Purpose::LogIn(id, way), name, password, (salt, rounds))),
        };
        if let Err(useless) = tried {
            self.not_proved(id, way, name, useless);
        }
    }

    /// Whether a connection may register, as far as the server's own password goes.
    pub(crate) fn is_admitted(&self, id: ConnectionId) -> bool {
        let registration = self.state.member(id).and_then(|member| member.registration.as_ref());
        self.state.settings.password.is_none()
            || registration.is_some_and(|registration| registration.admitted)
    }

    /// Takes what somebody says is the server's password; whether it is. Closes who guesses too much.
    pub(crate) fn admit_by(&mut self, id: ConnectionId, given: &str) -> bool {
        let right =
            self.state.settings.password.as_ref().is_none_or(|own| same(own.as_bytes(), given.as_bytes()));
        let Some(member) = self.state.member_mut(id) else { return false };
        let peer = member.peer;
        member.registration.iter_mut().for_each(|registration| registration.admitted = right);
        if !right {
            self.log_about(peer, format!("refused: {peer} (wrong password of the server)"));
            let (ip, now) = (peer.ip(), self.state.now.elapsed);
            if !self.secrets.guesses.take(party(ip), party_size(ip) as u32, now) {
                self.lost(id, "Too many wrong passwords; try again in a minute");
            }
        }
        right
    }

    /// Makes the name of a connection its account, with this password.
    pub(crate) fn claim(&mut self, id: ConnectionId, password: &str, way: Way) {
        let Some(member) = self.state.member(id) else { return };
        let (name, ip) = (member.nick.clone(), member.peer.ip());
        let name = name.as_ref().map_or("*", Nick::as_str).to_owned();
        let claimed = self.may_claim(id, &name, password).and_then(|()| {
            let most = party_size(ip) as u32;
            let now = self.state.now.elapsed;
            // A day has as many as there are people.
            if !self.secrets.claims.take(party(ip), most, now) {
                let sentence = format!("{most} names a day are claimed from one address; try again tomorrow");
                return Err(later(sentence));
            }
            let salt = self.new_salt();
            self.ask_keys(Purpose::Claim(id, way), &name, password, (salt, ROUNDS))
        });
        if let Err(useless) = claimed {
            self.not_proved(id, way, &name, useless);
        }
    }

    fn may_claim(&self, id: ConnectionId, name: &str, password: &str) -> Result<(), Useless> {
        let why = |code, sentence: String| Err((code, sentence));
        let Some(member) = self.state.member(id) else { return Ok(()) };
        if self.state.settings.accounts != Accounts::Open {
            return Err(later("Names are given by the operator of this server; ask there"));
        }
        if member.nick.is_none() {
            return why("NEED_NICK", "Choose a name first (NICK)".into());
        }
        if let Some(account) = &member.account {
            return why("ALREADY_AUTHENTICATED", format!("You are logged in as {account} already"));
        }
        if self.state.accounts.has(&Folded::new(name)) || self.is_being_made(name) {
            return Err(taken(name));
        }
        if self.state.accounts.is_full() {
            return Err(later("This server keeps no more names; tell its operator"));
        }
        if password.chars().count() < MIN_PASSWORD {
            return why("WEAK_PASSWORD", format!("A password has at least {MIN_PASSWORD} characters"));
        }
        if password.len() > MAX_PASSWORD {
            return why("UNACCEPTABLE_PASSWORD", format!("A password has at most {MAX_PASSWORD} bytes"));
        }
        Ok(())
    }

    fn is_being_made(&self, name: &str) -> bool {
        let folded = Folded::new(name);
        let made = |question: &Question| question.made.is_some() && Folded::new(&question.name) == folded;
        self.secrets.questions.values().any(made)
    }

    /// Gives an account a new password, or makes one; the password.
    pub(crate) fn set_password(&mut self, name: &str, asker: Asker) -> Result<String, String> {
        if self.state.settings.accounts == Accounts::Off {
            return Err("This server has no accounts (--accounts off)".into());
        }
        let nick = Nick::parse(name).map_err(|error| error.to_string())?;
        if self.state.accounts.is_full() && !self.state.accounts.has(&nick.fold()) || self.is_being_made(name)
        {
            return Err("There is no place for it now".into());
        }
        // Letters that nobody mistakes for others; 80 bits.
        let letters = b"abcdefghjkmnpqrstuvwxyz23456789x";
        let secret = self.state.secret();
        let letter = |byte: &u8| char::from(letters[usize::from(byte & 31)]);
        let groups: Vec<String> =
            secret[..16].chunks(4).map(|four| four.iter().map(letter).collect()).collect();
        let password = groups.join("-");
        let salt = self.new_salt();
        let asked = self.ask_keys(Purpose::Set(asker), nick.as_str(), &password, (salt, ROUNDS));
        asked.map(|()| password).map_err(|(_, why)| why)
    }

    fn new_salt(&mut self) -> [u8; 16] {
        let mut salt = [0; 16];
        salt.copy_from_slice(&self.state.secret()[..16]);
        salt
    }

    /// Counts a try of a password of this name, if one more may be made.
    pub(crate) fn guess(&mut self, id: ConnectionId, name: &str) -> Result<(), Useless> {
        let Some(ip) = self.state.member(id).map(|member| member.peer.ip()) else { return Ok(()) };
        let (now, name) = (self.state.now.elapsed, Folded::new(name));
        let secrets = &mut self.secrets;
        let own = secrets.owners.get(&name) == Some(&party(ip));
        if secrets.guesses.take(party(ip), party_size(ip) as u32, now) {
            if own || secrets.guessed.take(name, NAME_GUESSES, now) {
                return Ok(());
            }
            secrets.guesses.give_back(&party(ip));
        }
        Err(later("Too many wrong passwords; try again in a minute"))
    }

    /// A try that was counted was right.
    pub(crate) fn guessed(&mut self, id: ConnectionId, name: &str) {
        let Some(ip) = self.state.member(id).map(|member| party(member.peer.ip())) else { return };
        let name = Folded::new(name);
        self.secrets.guesses.give_back(&ip);
        // From its owner's own address it was not counted for the name.
        if self.secrets.owners.get(&name) != Some(&ip) {
            self.secrets.guessed.give_back(&name);
            self.secrets.owners.insert(name, ip);
        }
    }

    fn ask_keys(
        &mut self,
        purpose: Purpose,
        name: &str,
        password: &str,
        (salt, rounds): ([u8; 16], u32),
    ) -> Result<(), Useless> {
        if self.secrets.questions.len() >= MAX_QUESTIONS || password.len() > MAX_PASSWORD {
            return Err(later("Too many passwords wait to be looked at; try again soon"));
        }
        let by = match purpose {
            Purpose::LogIn(id, _) | Purpose::Claim(id, _) => Some(id),
            Purpose::Set(_) => None,
        };
        let ip = by.and_then(|id| self.state.member(id)).map(|member| party(member.peer.ip()));
        self.secrets.last += 1;
        let ticket = self.secrets.last;
        if let Some(id) = by {
            self.state.wait(id, ticket);
        }
        let question = Question { name: name.into(), purpose, salt, rounds, made: None };
        self.secrets.questions.insert(ticket, question);
        let derive = Password { text: password.into(), salt, rounds };
        // The operator's own are a party, too.
        let ip = ip.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        self.secrets.waiting.queue(ip).push_back((ticket, derive));
        self.ask_next_keys();
        Ok(())
    }

    fn ask_next_keys(&mut self) {
        if let Some((ticket, password)) = self.secrets.next() {
            self.delivery.output(Output::Derive { ticket, password });
        }
    }

    /// The keys of a password that was asked for.
    pub(crate) fn derived(&mut self, ticket: u64, keys: Keys) {
        self.secrets.asked.take_if(|asked| *asked == ticket);
        self.ask_next_keys();
        let Some(mut question) = self.secrets.questions.remove(&ticket) else { return };
        let name = question.name.clone();
        match question.purpose {
            // Its connection is gone.
            Purpose::LogIn(id, _) | Purpose::Claim(id, _) if !self.state.waits_for(id, ticket) => {}
            Purpose::LogIn(id, way) => {
                let known = self.state.accounts.get(&name).map(|known| known.keys.stored);
                if known.is_some_and(|known| same(&known, &keys.stored)) {
                    self.guessed(id, &name);
                    self.proved(id, way, &name);
                } else {
                    self.not_proved(id, way, &name, wrong());
                }
                self.go_on_waiting(id, ticket);
            }
            Purpose::Claim(id, way) if self.state.accounts.has(&Folded::new(&name)) => {
                self.not_proved(id, way, &name, taken(&name));
                self.go_on_waiting(id, ticket);
            }
            Purpose::Claim(..) | Purpose::Set(_) => {
                let (account, state) = self.state.draft_account(&name, question.salt, question.rounds, keys);
                question.made = Some(account);
                self.secrets.questions.insert(ticket, question);
                let name = Folded::new(&name).as_str().into();
                self.delivery.output(Output::Account { ticket: Some(ticket), name, state: Some(state) });
            }
        }
    }

    /// An account is on disk, or cannot be.
    pub(crate) fn account_kept(&mut self, ticket: u64, kept: bool) {
        let Some(question) = self.secrets.questions.remove(&ticket) else { return };
        let name = question.name;
        if let Some(account) = question.made.filter(|_| kept) {
            self.log(format!("account: {name} is somebody's now"));
            self.state.accounts.insert(account);
        }
        let failed =
            || ("TEMPORARILY_UNAVAILABLE", "The server's disk does not take it; try again later".into());
        match question.purpose {
            Purpose::LogIn(..) => {}
            Purpose::Claim(id, way) => {
                if self.state.waits_for(id, ticket) {
                    if kept { self.proved(id, way, &name) } else { self.not_proved(id, way, &name, failed()) }
                }
                self.go_on_waiting(id, ticket);
            }
            Purpose::Set(asker) if kept => {
                self.displace(&name);
                self.answer(asker, &format!("{name} has that password now"));
            }
            Purpose::Set(asker) => self.answer(asker, &failed().1),
        }
    }

    /// What a connection said meanwhile is done now.
    fn go_on_waiting(&mut self, id: ConnectionId, ticket: u64) {
        let Some(waiting) = self.state.go_on_from(id, ticket) else { return };
        self.block(id, &waiting.lines);
        if waiting.ended && !self.state.ends_later(id) {
            self.hung_up(id);
        }
    }

    /// A line comes while a password is looked at.
    pub(crate) fn waits(&mut self, id: ConnectionId, line: &[u8]) {
        let waiting = self.state.member_mut(id).and_then(|member| member.waiting.as_mut());
        let Some(waiting) = waiting else { return };
        waiting.lines.extend_from_slice(line);
        waiting.lines.push(b'\n');
        if waiting.lines.len() > MAX_WAITING {
            self.lost(id, "Too many lines before a password was looked at");
        }
    }

    /// Somebody has shown to be whose account this is.
    pub(crate) fn proved(&mut self, id: ConnectionId, way: Way, name: &str) {
        if way == Way::Register {
            let sentence = "The name is yours now; keep its password";
            self.say_as_server(id, format!("REGISTER SUCCESS {name} :{sentence}"));
        }
        self.propose(id, Change::LogIn { name });
        match way {
            Way::Sasl => self.reply(id, RPL_SASLSUCCESS, ":You are logged in"),
            Way::Prompt => self.plain_proved(id),
            Way::Command => self.warn_if_read(id),
            Way::Register => {}
        }
    }

    /// The same has failed.
    pub(crate) fn not_proved(&mut self, id: ConnectionId, way: Way, name: &str, (code, why): Useless) {
        if let Some(peer) = self.state.member(id).map(|member| member.peer) {
            self.log_about(peer, format!("refused: {name} from {peer} ({code})"));
        }
        match way {
            Way::Sasl => self.reply(id, ERR_SASLFAIL, format!(":{why}")),
            Way::Register => self.fail(id, "REGISTER", &format!("{code} {name}"), &why),
            Way::Prompt => self.plain_not_proved(id, &why),
            Way::Command => self.explain(id, &why),
        }
    }

    /// An account is nobody's any more.
    pub(super) fn forget_owner(&mut self, name: &Folded) {
        self.secrets.owners.remove(name);
    }

    fn warn_if_read(&mut self, id: ConnectionId) {
        if self.state.member(id).is_some_and(|member| !member.is_private()) {
            self.explain(
                id,
                "Others on the network could read that password: this connection is not encrypted",
            );
        }
    }
}

fn later(sentence: impl Into<String>) -> Useless {
    ("TEMPORARILY_UNAVAILABLE", sentence.into())
}

fn taken(name: &str) -> Useless {
    ("ACCOUNT_EXISTS", format!("{name} is somebody's name already"))
}

fn wrong() -> Useless {
    ("INVALID_CREDENTIALS", "Wrong name or password".into())
}
