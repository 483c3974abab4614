//! Names that are somebody's: what the server's thread for accounts does, and what must hold.
//!
//! Under a name there is never anybody who has not proved the password that counts; that is on disk before it
//! counts; and in the room of a name its owner has the rank that was kept.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use parlor_server::hub::{Input, Password};
use parlor_server::protocol::base64;
use parlor_server::protocol::scram::Keys;
use parlor_server::testing::ToKeep;
use parlor_tests::Message;

use crate::link::{Caller, Link, Way};
use crate::owner::Owner;
use crate::world::{Happening, Home, Task, World};

/// Devices of each name: two of its owner's, one of somebody else's.
const DEVICES: usize = 3;
/// Between two things that the operator does to names.
pub(crate) const OPERATE: Duration = Duration::from_secs(12);

/// What the file of a server holds, and what counts there.
#[derive(Debug, Default)]
pub(crate) struct AccountsFile {
    /// What stands in the file, and what is to be written; what was refused may come into it with the next.
    kept: BTreeMap<Box<str>, Box<[u8]>>,
    waiting: Vec<ToKeep>,
    refused: BTreeMap<Box<str>, Option<Box<[u8]>>>,
    /// The passwords that count.
    count: BTreeMap<Box<str>, String>,
    /// Tickets of those that were forgotten meanwhile.
    forgotten: BTreeSet<u64>,
    /// Whose rank in the room of that name is on disk.
    ranked: BTreeSet<Box<str>>,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Passwords by the keys that are kept of them, and keys that were derived.
    texts: BTreeMap<String, String>,
    keys: BTreeMap<(String, [u8; 16]), Keys>,
}

/// What a connection has shown, and was shown.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// The account that it has proved to have, and by which password.
    proved: Option<(String, String)>,
    /// The password that it gave last, and all those that it gave.
    given: String,
    gave: BTreeSet<String>,
    /// The one that counted when it came.
    came: Option<String>,
    /// It was shown as operator of its room.
    operator: bool,
}

impl Shown {
    /// It gives a password.
    pub(crate) fn give(&mut self, password: &str) {
        password.clone_into(&mut self.given);
        self.gave.insert(password.to_owned());
    }

    /// The account that it has proved to have.
    pub(crate) fn account(&self) -> Option<&str> {
        self.proved.as_ref().map(|(account, _)| account.as_str())
    }
}

impl AccountsFile {
    /// When an account was made, as it stands in the file.
    pub(crate) fn made(&self, name: &str) -> Option<String> {
        let mut state = &**self.kept.get(name)?;
        let mut words = std::iter::from_fn(|| {
            let (length, rest) = state.split_first_chunk::<2>()?;
            let (word, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            state = rest;
            str::from_utf8(word).ok()
        });
        let made: u64 = words.nth(6)?.parse().ok()?;
        Some(format!("{made:x}"))
    }

    /// What is kept of ranks is in doubt.
    pub(crate) fn forget_ranks(&mut self) {
        self.ranked.clear();
    }

    fn write(&mut self, (_, name, state): ToKeep) {
        for (name, state) in std::mem::take(&mut self.refused).into_iter().chain([(name, state)]) {
            match state {
                Some(state) => drop(self.kept.insert(name, state)),
                None => drop(self.kept.remove(&name)),
            }
        }
    }
}

impl Names {
    fn text(&self, state: &Option<Box<[u8]>>) -> Option<String> {
        let state = String::from_utf8_lossy(state.as_deref()?).into_owned();
        let found = self.texts.iter().find(|(stored, _)| state.contains(*stored));
        Some(found.expect("made of a password").1.clone())
    }
}

impl World {
    pub(crate) fn add_owners(&mut self) {
        for i in 0..self.plan.names * DEVICES {
            let (name, whose) = (i / DEVICES, if i % DEVICES == 0 { "thief" } else { "owner" });
            self.owners.push(Owner::new(format!("own{name}"), format!("{whose}-{name}"), whose == "owner"));
            self.after((100, 5000), Happening::Own(i));
        }
        if self.plan.names > 0 {
            self.again(OPERATE, Happening::Operate);
        }
    }

    /// Somebody who has a name comes, or does something.
    pub(crate) fn act_as_owner(&mut self, i: usize) {
        match self.owners[i].link {
            None => self.owners[i].link = Some(self.call(Caller::Owner(i))),
            Some(link) if self.owners[i].welcome => {
                let alone = self.owners[i].is_logged_in() && self.random.permille(350);
                let line = if alone { self.act_in_private(i) } else { self.owners[i].act(&mut self.random) };
                self.links[link].shown.give(&self.owners[i].given);
                self.send(link, Way::Up, line.as_bytes());
            }
            Some(_) => {}
        }
    }

    /// The operator gives a name a new password, or to nobody.
    pub(crate) fn operate(&mut self) {
        let name = format!("own{}", self.random.below(self.plan.names));
        let s = self.some_server();
        if self.servers[s].is_blocked() {
            return;
        }
        if self.random.permille(300) {
            let file = &mut self.homes[s].accounts;
            let tickets = file.waiting.iter().filter(|(_, of, _)| **of == *name);
            let tickets: Vec<u64> = tickets.filter_map(|(ticket, ..)| *ticket).collect();
            file.forgotten.extend(tickets);
            if self.plan.several.is_none() {
                file.count.remove(&*name);
            }
            self.give(s, Input::Console(format!("/forget {name}")));
            if self.plan.several.is_none() {
                self.account_ends(s, &name);
            }
        } else {
            self.give(s, Input::Console(format!("/password {name}")));
        }
    }

    /// An account is nobody's on a server.
    fn account_ends(&mut self, s: usize, name: &str) {
        // Echoes of what was said before may still come.
        let own = |link: &&mut Link| {
            link.to == s && matches!(link.caller, Caller::Owner(i) if self.owners[i].name == name)
        };
        for link in self.links.iter_mut().filter(own) {
            // What was proved of it meanwhile was nothing, even if somebody gives it the same password again.
            (link.shown.operator, link.shown.came, link.marked) = (false, None, None);
            link.shown.proved.take_if(|(of, _)| *of == name);
        }
        let Home { accounts, private, .. } = &mut self.homes[s];
        accounts.ranked.remove(name);
        private.forgotten(name);
    }

    /// The thread is given work; it does one thing after the other.
    pub(crate) fn work(&mut self, s: usize, questions: Vec<(u64, Password)>, jobs: Vec<ToKeep>) {
        for (ticket, Password { text, salt, rounds }) in questions {
            let keys = *self
                .names
                .keys
                .entry((text.to_string(), salt))
                .or_insert_with(|| Keys::derive(&text, &salt, rounds));
            self.names.texts.insert(base64::encode(&keys.stored), text.to_string());
            let at = self.servers[s].worked.max(self.now) + self.random.millis((5, 120));
            self.servers[s].worked = at;
            self.at_server(s, at, Task::Derived(ticket, keys));
        }
        for job in jobs {
            self.homes[s].accounts.waiting.push(job);
            let at = self.servers[s].worked.max(self.now) + self.random.millis(self.plan.commit);
            self.servers[s].worked = at;
            self.at_server(s, at, Task::Kept);
        }
    }

    /// With several servers an account counts on each as soon as its entry has its turn there.
    pub(crate) fn account_has_its_turn(&mut self, s: usize, name: &str, state: &Option<Box<[u8]>>) {
        match self.names.text(state) {
            Some(text) if self.homes[s].accounts.count.get(name) != Some(&text) => {
                self.account_counts(s, name, text);
            }
            Some(_) => {}
            None => {
                self.homes[s].accounts.count.remove(name);
                self.account_ends(s, name);
            }
        }
    }

    /// From now on this is the password of a name.
    fn account_counts(&mut self, s: usize, name: &str, text: String) {
        let devices = self.owners.iter_mut().filter(|owner| *owner.name == *name);
        let mut devices: Vec<&mut Owner> = devices.collect();
        if devices.iter().all(|owner| owner.secret != text && owner.given != text) {
            devices.retain(|owner| owner.rightful);
            devices.iter_mut().for_each(|owner| owner.secret.clone_from(&text));
        }
        self.homes[s].accounts.count.insert(name.into(), text);
    }

    /// The thread has written the next account, or could not.
    pub(crate) fn account_is_kept(&mut self, s: usize) {
        let file = &mut self.homes[s].accounts;
        let (ticket, name, state) = file.waiting.remove(0);
        let kept = !(self.plan.pauses && self.now < self.plan.chaos && self.random.permille(150));
        let text = self.names.text(&state);
        if kept {
            file.write((ticket, name.clone(), state));
        } else {
            file.refused.insert(name.clone(), state);
        }
        self.trace.say(self.now, || format!("accounts: {name} {ticket:?} {text:?} kept {kept}"));
        let Some(ticket) = ticket else { return };
        if kept
            && !file.forgotten.remove(&ticket)
            && let Some(text) = text
        {
            self.account_counts(s, &name, text);
        }
        self.give(s, Input::AccountKept { ticket, kept });
    }

    /// The server is gone: some of what waits is on disk all the same, and no less than counts.
    pub(crate) fn accounts_crash(&mut self, s: usize, orderly: bool) {
        let file = &mut self.homes[s].accounts;
        let waiting = std::mem::take(&mut file.waiting);
        let whole = if orderly { waiting.len() } else { self.random.below(waiting.len() + 1) };
        let mut may: Vec<(Box<str>, Option<String>)> = Vec::new();
        may.extend(file.count.iter().map(|(name, text)| (name.clone(), Some(text.clone()))));
        let others = waiting.iter().map(|(_, name, state)| (name, state));
        may.extend(others.chain(&file.refused).map(|(name, state)| (name.clone(), self.names.text(state))));
        waiting.into_iter().take(whole).for_each(|job| file.write(job));
        file.refused.clear();
        file.forgotten.clear();
        let kept: Vec<(Box<str>, Option<String>)> = file
            .kept
            .iter()
            .map(|(name, state)| (name.clone(), self.names.text(&Some(state.clone()))))
            .collect();
        // Several servers have it in their common log.
        for name in file.count.keys().filter(|_| self.plan.several.is_none()) {
            let now = kept.iter().find(|(kept, _)| kept == name).and_then(|(_, text)| text.clone());
            assert!(
                may.contains(&(name.clone(), now.clone())),
                "{name} has the password {now:?}, and none of {may:?}"
            );
        }
        file.count = kept.into_iter().filter_map(|(name, text)| Some((name, text?))).collect();
    }

    pub(crate) fn kept_accounts(&self, s: usize) -> Vec<(Box<str>, Box<[u8]>)> {
        self.homes[s].accounts.kept.iter().map(|(name, state)| (name.clone(), state.clone())).collect()
    }

    /// Somebody who has a name has come.
    pub(crate) fn owner_comes(&mut self, link: usize, i: usize) {
        let count = &self.homes[self.links[link].to].accounts.count;
        self.links[link].shown.came = count.get(&*self.owners[i].name).cloned();
    }

    /// The log says who has logged in; who it is may be told later, behind its echoes.
    pub(crate) fn note_login(&mut self, s: usize, text: &str) {
        let login = text.strip_prefix("logged in: ").and_then(|rest| rest.split_once(" from "));
        let peer = login.and_then(|(name, peer)| Some((name, peer.parse::<SocketAddr>().ok()?)));
        let Some((name, peer)) = peer else { return };
        let count = self.homes[s].accounts.count.get(name).filter(|_| self.plan.several.is_some());
        let link = &mut self.links[usize::from(peer.port() - 1024)];
        if matches!(link.caller, Caller::Owner(_)) {
            // With others it may have given another one since this had its turn.
            let given = count.filter(|count| link.shown.gave.contains(*count)).unwrap_or(&link.shown.given);
            link.shown.proved = Some((name.to_owned(), given.clone()));
        }
    }

    /// What somebody who has a name is told.
    pub(crate) fn look_at_owners(&mut self, link: usize, message: &Message) {
        self.look_at_private(link, message);
        let Caller::Owner(i) = self.links[link].caller else { return };
        let file = &mut self.homes[self.links[link].to].accounts;
        let (owner, shown) = (&self.owners[i], &mut self.links[link].shown);
        let (name, room) = (&*owner.name, format!("#{}", owner.name));
        match message.command.as_str() {
            "904" | "NOTICE" if message.last().contains("Wrong name or password") => {
                let right = shown.came.as_ref() == Some(&owner.given);
                let counts = file.count.get(name) == Some(&owner.given);
                assert!(!(right && counts), "{name} is refused with the right password");
            }
            "353" if message.param(0) == name && message.param(2) == room => {
                let operator = message.last().split(' ').any(|shown| shown.strip_prefix('@') == Some(name));
                assert!(operator || !file.ranked.contains(name), "{name} has lost its rank in {room}");
                shown.operator = operator;
            }
            "PRIVMSG" if message.last() == format!("mark {link}") => {
                let own = shown.operator && shown.proved.as_ref().is_some_and(|(account, _)| account == name);
                // An echo, not a line that nobody keeps.
                if own && message.tag("msgid").is_some() && message.tag("parlor/volatile").is_none() {
                    file.ranked.insert(name.into());
                }
            }
            _ => {}
        }
    }

    /// Nobody has a name that is somebody else's.
    pub(crate) fn look_at_names(&self, s: usize) {
        let mut seen = BTreeSet::new();
        for guest in self.servers[s].guests() {
            assert!(seen.insert(guest.nick.to_lowercase()), "two have the name {}", guest.nick);
            let Some(text) = self.homes[s].accounts.count.get(&*guest.nick) else { continue };
            let link = usize::from(guest.peer.port() - 1024);
            if (self.links[link].to, self.links[link].number) != (s, self.servers[s].number()) {
                // What a member of another server has shown, that one knows.
                continue;
            }
            if self.plan.several.is_some() && self.links[link].server.is_none() {
                // It is closed already; its member goes when that has its turn.
                continue;
            }
            let shown = &self.links[link].shown;
            let proved = shown.proved.as_ref().is_some_and(|(of, by)| *of == guest.nick && by == text);
            assert!(proved, "{} on {link} has shown {shown:?}, not {text}", guest.nick);
        }
    }
}
