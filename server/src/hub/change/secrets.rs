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
use crate::hub::state::accounts::Accounts;
use crate::hub::state::admission::{party, party_size};
use crate::hub::state::circle::Circle;
use crate::hub::state::pace::Pace;
use crate::hub::state::{ConnectionId, State};
use crate::protocol::Numeric::*;
use crate::protocol::scram::{Keys, MAX_PASSWORD, ROUNDS, same};
use crate::protocol::{Folded, Nick};

/// Questions that wait in all; one a connection. Beyond, one more is refused: this many take six seconds.
const MAX_QUESTIONS: usize = 256;
/// Bytes that a connection may say while its password is looked at; then it is closed.
const MAX_WAITING: usize = 64 * 1024;
/// Characters of a password that a name is claimed with.
const MIN_PASSWORD: usize = 6;
/// In so long a party may give as many wrong passwords as it may stand for people.
const PARTY_GUESSES: Duration = Duration::from_secs(16 * 60);
/// The same of one name, wherever it is tried from.
const NAME_GUESSES: Duration = Duration::from_secs(15 * 60);
/// Wrong passwords that a name takes. Fewer, and others would lock its owner out too easily; these are 2,880 a day.
const MOST_OF_NAME: u32 = 30;
/// In so long a party may claim as many names as it may stand for people, and add as many certificates.
const CLAIMS: Duration = Duration::from_secs(86_400);

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
    /// Of the server's own secrets, by party.
    entries: Pace<IpAddr>,
    claims: Pace<IpAddr>,
    /// Who logged in to a name last: not locked out of it by others' guesses. At most one a name.
    owners: HashMap<Folded, IpAddr>,
}

impl Secrets {
    /// Nothing is asked yet; tickets come behind `last`.
    pub(crate) fn new(last: u64) -> Secrets {
        Secrets {
            waiting: Circle::default(),
            asked: None,
            questions: HashMap::new(),
            last,
            guesses: Pace::new(PARTY_GUESSES),
            guessed: Pace::new(NAME_GUESSES),
            entries: Pace::new(PARTY_GUESSES),
            claims: Pace::new(CLAIMS),
            owners: HashMap::new(),
        }
    }

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
        self.state.settings.password.is_none() || registration.is_none_or(|newcomer| newcomer.admitted)
    }

    /// Takes what somebody says is the server's password; whether it is. Closes who guesses too much.
    pub(crate) fn admit_by(&mut self, id: ConnectionId, given: &str) -> bool {
        let Some(own) = self.state.settings.password.clone() else { return true };
        let right = self.knows(id, &own, given);
        let Some(member) = self.state.member_mut(id) else { return false };
        let peer = member.peer;
        member.registration.iter_mut().for_each(|registration| registration.admitted = right == Some(true));
        if right != Some(true) {
            self.log_about(peer, format!("refused: {peer} (wrong password of the server)"));
        }
        if right.is_none() {
            self.lost(id, &too_many().1);
        }
        right == Some(true)
    }

    /// Whether what a connection gives is a secret of the server's. `None`: its party was wrong too often, and this is
    /// not looked at.
    pub(crate) fn knows(&mut self, id: ConnectionId, own: &str, given: &str) -> Option<bool> {
        let (party, most) = self.party_of(id)?;
        self.secrets.entries.take(party, most, self.state.now.elapsed).then(|| {
            let right = same(own.as_bytes(), given.as_bytes());
            if right {
                self.secrets.entries.give_back(&party, most);
            }
            right
        })
    }

    /// The party of a connection, and the people that it may stand for.
    fn party_of(&self, id: ConnectionId) -> Option<(IpAddr, u32)> {
        let ip = self.state.member(id)?.peer.ip();
        Some((party(ip), party_size(ip) as u32))
    }

    /// Counts something new that a party has kept, if there may be one more today.
    pub(crate) fn may_keep(&mut self, id: ConnectionId) -> bool {
        let now = self.state.now.elapsed;
        self.party_of(id).is_some_and(|(party, most)| self.secrets.claims.take(party, most, now))
    }

    /// Makes the name of a connection its account, with this password.
    pub(crate) fn claim(&mut self, id: ConnectionId, password: &str, way: Way) {
        let Some(name) = self.state.member(id).map(|member| member.name().to_owned()) else { return };
        let claimed = self.may_claim(id, &name, password).and_then(|()| {
            if !self.may_keep(id) {
                return Err(later("Too many names are claimed from your address; try again tomorrow"));
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
        if !self.is_admitted(id) {
            return Err(later("Give the server's password first (PASS)"));
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

    /// Whether somebody waits for an account of this name, or for a new password of it.
    fn is_being_made(&self, name: &str) -> bool {
        let folded = Folded::new(name);
        let makes = |question: &&Question| !matches!(question.purpose, Purpose::LogIn(..));
        self.secrets.questions.values().filter(makes).any(|question| Folded::new(&question.name) == folded)
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
        let Some((party, most)) = self.party_of(id) else { return Ok(()) };
        let (now, name) = (self.state.now.elapsed, Folded::new(name));
        let secrets = &mut self.secrets;
        let own = secrets.owners.get(&name) == Some(&party);
        if secrets.guesses.take(party, most, now) {
            if own || secrets.guessed.take(name, MOST_OF_NAME, now) {
                return Ok(());
            }
            secrets.guesses.give_back(&party, most);
        }
        Err(too_many())
    }

    /// A try that was counted was right.
    pub(crate) fn guessed(&mut self, id: ConnectionId, name: &str) {
        let Some((party, most)) = self.party_of(id) else { return };
        let name = Folded::new(name);
        self.secrets.guesses.give_back(&party, most);
        // From its owner's own address it was not counted for the name.
        if self.secrets.owners.get(&name) != Some(&party) {
            self.secrets.guessed.give_back(&name, MOST_OF_NAME);
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
        let party = by.and_then(|id| self.party_of(id)).map(|(party, _)| party);
        self.secrets.last += 1;
        let ticket = self.secrets.last;
        if let Some(id) = by {
            self.state.wait(id, ticket);
        }
        let question = Question { name: name.into(), purpose, salt, rounds };
        self.secrets.questions.insert(ticket, question);
        let derive = Password { text: password.into(), salt, rounds };
        // The operator's own are a party, too.
        let party = party.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        self.secrets.waiting.queue(party).push_back((ticket, derive));
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
        let Some(question) = self.secrets.questions.remove(&ticket) else { return };
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
                self.end_wait(id, ticket);
            }
            Purpose::Claim(id, way) if self.state.accounts.has(&Folded::new(&name)) => {
                self.not_proved(id, way, &name, taken(&name));
                self.end_wait(id, ticket);
            }
            Purpose::Claim(..) | Purpose::Set(_) => {
                let state = self.state.draft_account(&name, question.salt, question.rounds, keys);
                let by = if let Purpose::Claim(id, _) = question.purpose { Some(id) } else { None };
                self.secrets.questions.insert(ticket, question);
                if !self.state.decides() {
                    by.into_iter().for_each(|id| self.state.end_wait(id, ticket));
                    return self.propose_account((by, by.is_some()), ticket, &state);
                }
                let name = Folded::new(&name).as_str().into();
                self.delivery.output(Output::Account { ticket: Some(ticket), name, state: Some(state) });
            }
        }
    }

    /// An account is on disk, or cannot be.
    pub(crate) fn account_kept(&mut self, ticket: u64, kept: bool) {
        let Some(Question { name, purpose, .. }) = self.secrets.questions.remove(&ticket) else { return };
        let kept = self.state.accounts.settle(&name, kept);
        if kept {
            self.has_new_keys(&name);
        }
        let failed = || later("The server's disk does not take it; try again later");
        match purpose {
            Purpose::Claim(id, way) => {
                if self.state.waits_for(id, ticket) {
                    if kept { self.proved(id, way, &name) } else { self.not_proved(id, way, &name, failed()) }
                }
                self.end_wait(id, ticket);
            }
            Purpose::Set(asker) if kept => self.answer(asker, &format!("{name} has that password now")),
            Purpose::Set(asker) => self.answer(asker, &failed().1),
            Purpose::LogIn(..) => {}
        }
        if kept {
            self.displace(&name);
        }
    }

    /// An account has other keys from now on. Whoever is logged in knows the old password, if anything.
    fn has_new_keys(&mut self, name: &str) {
        self.log(format!("account: {name} is somebody's now"));
        let folded = Folded::new(name);
        self.forget_owner(&folded);
        for id in self.state.of_account(&folded) {
            self.expel(id, "This account has a new password");
        }
    }

    /// An account stands in the log that several servers share; whether it counts from now on. `claimed`: only if the
    /// name is nobody's. `by` is its owner.
    pub(super) fn account_changes(&mut self, by: Option<ConnectionId>, claimed: bool, state: &[u8]) -> bool {
        let name = State::name_of_account(state);
        let taken = |name: &str| {
            let had = self.state.find(name).is_some_and(|other| Some(other) != by);
            had || self.state.accounts.has(&Folded::new(name)) || self.state.accounts.is_full()
        };
        let free = |name: &str| !claimed || !taken(name);
        let Some(name) = name.filter(|name| free(name)).and_then(|_| self.state.put_account(state)) else {
            return false;
        };
        self.has_new_keys(&name);
        if let Some(id) = by {
            // Logging in is refused to nobody whose name this is.
            let _ = self.log_in(id, &name);
        }
        self.displace(&name);
        true
    }

    /// The same, where it was asked for.
    pub(super) fn account_settled(&mut self, ticket: u64, kept: bool) {
        let Some(Question { name, purpose, .. }) = self.secrets.questions.remove(&ticket) else { return };
        match purpose {
            Purpose::Claim(id, way) if kept => {
                self.is_owner(id, way, &name);
                self.has_proved(id, way);
            }
            Purpose::Claim(id, way) => self.not_proved(id, way, &name, taken(&name)),
            Purpose::Set(asker) => self.answer(asker, &format!("{name} has that password now")),
            Purpose::LogIn(..) => {}
        }
    }

    /// A password was looked at.
    fn end_wait(&mut self, id: ConnectionId, ticket: u64) {
        self.state.end_wait(id, ticket);
        self.go_on_waiting(id);
    }

    /// What a connection said meanwhile is done now, if it waits for nothing else.
    pub(super) fn go_on_waiting(&mut self, id: ConnectionId) {
        let Some(waiting) = self.state.go_on_from(id) else { return };
        self.block(id, &waiting.lines);
        waiting.ended.into_iter().for_each(|end| self.ended(id, end));
    }

    /// A line comes while a password is looked at.
    pub(crate) fn waits(&mut self, id: ConnectionId, line: &[u8]) {
        let waiting = self.state.member_mut(id).and_then(|member| member.waiting.as_mut());
        let Some(waiting) = waiting else { return };
        waiting.lines.extend_from_slice(line);
        waiting.lines.push(b'\n');
        let (bytes, proposing) = (waiting.lines.len(), waiting.is_proposing());
        if proposing && bytes > MAX_WAITING / 4 {
            self.delivery.park(id, true);
        }
        if bytes > MAX_WAITING {
            let why = if proposing {
                "Too many lines while the servers cannot reach each other"
            } else {
                "Too many lines before a password was looked at"
            };
            self.lost(id, why);
        }
    }

    /// Somebody has shown to be whose account this is.
    pub(crate) fn proved(&mut self, id: ConnectionId, way: Way, name: &str) {
        self.is_owner(id, way, name);
        let proof = self.state.proof_of(name);
        self.propose(id, Change::LogIn { name, proof: &proof });
        self.has_proved(id, way);
    }

    fn is_owner(&mut self, id: ConnectionId, way: Way, name: &str) {
        if let Some((party, _)) = self.party_of(id) {
            self.secrets.owners.insert(Folded::new(name), party);
        }
        if way == Way::Register {
            let sentence = "The name is yours now; keep its password";
            self.say_as_server(id, format!("REGISTER SUCCESS {name} :{sentence}"));
        }
    }

    fn has_proved(&mut self, id: ConnectionId, way: Way) {
        match way {
            // Where others can read it, no password is sent.
            Way::Sasl => return self.reply(id, RPL_SASLSUCCESS, ":You are logged in"),
            Way::Prompt => self.plain_proved(id),
            Way::Command | Way::Register => {}
        }
        if self.state.member(id).is_some_and(|member| !member.is_private()) {
            self.explain(
                id,
                "Others on the network could read that password: this connection is not encrypted",
            );
        }
    }

    /// The same has failed.
    pub(crate) fn not_proved(&mut self, id: ConnectionId, way: Way, name: &str, (code, why): Useless) {
        if let Some(peer) = self.state.member(id).map(|member| member.peer) {
            // What else stands where a name should may be anything, a password among it.
            let known = self.state.accounts.get(name).map_or("no account", |account| &account.name);
            self.log_about(peer, format!("refused: {known} from {peer} ({code})"));
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
}

fn later(sentence: impl Into<String>) -> Useless {
    ("TEMPORARILY_UNAVAILABLE", sentence.into())
}

fn too_many() -> Useless {
    later("Too many wrong passwords; try again in a minute")
}

fn taken(name: &str) -> Useless {
    ("ACCOUNT_EXISTS", format!("{name} is somebody's name already"))
}

fn wrong() -> Useless {
    ("INVALID_CREDENTIALS", "Wrong name or password".into())
}
