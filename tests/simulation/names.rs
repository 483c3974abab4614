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
use crate::world::{Happening, World};

/// Devices of each name: two of its owner's, one of somebody else's.
const DEVICES: usize = 3;
/// Between two things that the operator does to names.
pub(crate) const OPERATE: Duration = Duration::from_secs(12);

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// What stands in the file, and what is to be written; what was refused may come into it with the next.
    kept: BTreeMap<Box<str>, Box<[u8]>>,
    waiting: Vec<ToKeep>,
    refused: BTreeMap<Box<str>, Option<Box<[u8]>>>,
    /// The passwords that count.
    count: BTreeMap<Box<str>, String>,
    /// Tickets of those that were forgotten meanwhile.
    forgotten: BTreeSet<u64>,
    /// Passwords by the keys that are kept of them, and keys that were derived.
    texts: BTreeMap<String, String>,
    keys: BTreeMap<(String, [u8; 16]), Keys>,
    /// Whose rank in the room of that name is on disk.
    ranked: BTreeSet<Box<str>>,
}

/// What a connection has shown, and was shown.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// The account that it has proved to have, and by which password.
    proved: Option<(String, String)>,
    /// The password that it gave last.
    pub(crate) given: String,
    /// The one that counted when it came.
    came: Option<String>,
    /// It was shown as operator of its room.
    operator: bool,
}

impl Shown {
    /// The account that it has proved to have.
    pub(crate) fn account(&self) -> Option<&str> {
        self.proved.as_ref().map(|(account, _)| account.as_str())
    }
}

impl Names {
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

    fn text(&self, state: &Option<Box<[u8]>>) -> Option<String> {
        let state = String::from_utf8_lossy(state.as_deref()?).into_owned();
        let found = self.texts.iter().find(|(stored, _)| state.contains(*stored));
        Some(found.expect("made of a password").1.clone())
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
                self.links[link].shown.given.clone_from(&self.owners[i].given);
                self.send(link, Way::Up, line.as_bytes());
            }
            Some(_) => {}
        }
    }

    /// The operator gives a name a new password, or to nobody.
    pub(crate) fn operate(&mut self) {
        let name = format!("own{}", self.random.below(self.plan.names));
        if self.random.permille(300) {
            let tickets = self.names.waiting.iter().filter(|(_, of, _)| **of == *name);
            let tickets: Vec<u64> = tickets.filter_map(|(ticket, ..)| *ticket).collect();
            self.names.forgotten.extend(tickets);
            self.names.count.remove(&*name);
            self.give(Input::Console(format!("/forget {name}")));
            // Echoes of what was said before may still come.
            let own =
                |link: &&mut Link| matches!(link.caller, Caller::Owner(i) if self.owners[i].name == name);
            for link in self.links.iter_mut().filter(own) {
                (link.shown.operator, link.marked) = (false, None);
                link.shown.proved.take_if(|(of, _)| *of == name);
            }
            self.names.ranked.remove(&*name);
            self.private.forgotten(&name);
        } else {
            self.give(Input::Console(format!("/password {name}")));
        }
    }

    /// The thread is given work; it does one thing after the other.
    pub(crate) fn work(&mut self, questions: Vec<(u64, Password)>, jobs: Vec<ToKeep>) {
        for (ticket, Password { text, salt, rounds }) in questions {
            let keys = *self
                .names
                .keys
                .entry((text.to_string(), salt))
                .or_insert_with(|| Keys::derive(&text, &salt, rounds));
            self.names.texts.insert(base64::encode(&keys.stored), text.to_string());
            let at = self.server.worked.max(self.now) + self.random.millis((5, 120));
            self.server.worked = at;
            self.at(at, Happening::Derived(self.disk.boot, ticket, keys));
        }
        for job in jobs {
            self.names.waiting.push(job);
            let at = self.server.worked.max(self.now) + self.random.millis(self.plan.commit);
            self.server.worked = at;
            self.at(at, Happening::Kept(self.disk.boot));
        }
    }

    /// The thread has written the next account, or could not.
    pub(crate) fn account_is_kept(&mut self) {
        let (ticket, name, state) = self.names.waiting.remove(0);
        let kept = !(self.plan.pauses && self.now < self.plan.chaos && self.random.permille(150));
        let text = self.names.text(&state);
        if kept {
            self.names.write((ticket, name.clone(), state));
        } else {
            self.names.refused.insert(name.clone(), state);
        }
        self.trace.say(self.now, || format!("accounts: {name} {ticket:?} {text:?} kept {kept}"));
        let Some(ticket) = ticket else { return };
        if kept
            && !self.names.forgotten.remove(&ticket)
            && let Some(text) = text
        {
            let devices = self.owners.iter_mut().filter(|owner| *owner.name == *name);
            let mut devices: Vec<&mut Owner> = devices.collect();
            if devices.iter().all(|owner| owner.secret != text && owner.given != text) {
                devices.retain(|owner| owner.rightful);
                devices.iter_mut().for_each(|owner| owner.secret.clone_from(&text));
            }
            self.names.count.insert(name, text);
        }
        self.give(Input::AccountKept { ticket, kept });
    }

    /// The server is gone: some of what waits is on disk all the same, and no less than counts.
    pub(crate) fn accounts_crash(&mut self, orderly: bool) {
        let waiting = std::mem::take(&mut self.names.waiting);
        let whole = if orderly { waiting.len() } else { self.random.below(waiting.len() + 1) };
        let mut may: Vec<(Box<str>, Option<String>)> = Vec::new();
        may.extend(self.names.count.iter().map(|(name, text)| (name.clone(), Some(text.clone()))));
        let others = waiting.iter().map(|(_, name, state)| (name, state));
        may.extend(
            others.chain(&self.names.refused).map(|(name, state)| (name.clone(), self.names.text(state))),
        );
        waiting.into_iter().take(whole).for_each(|job| self.names.write(job));
        self.names.refused.clear();
        self.names.forgotten.clear();
        let kept: Vec<(Box<str>, Option<String>)> = self
            .names
            .kept
            .iter()
            .map(|(name, state)| (name.clone(), self.names.text(&Some(state.clone()))))
            .collect();
        for name in self.names.count.keys() {
            let now = kept.iter().find(|(kept, _)| kept == name).and_then(|(_, text)| text.clone());
            assert!(
                may.contains(&(name.clone(), now.clone())),
                "{name} has the password {now:?}, and none of {may:?}"
            );
        }
        self.names.count = kept.into_iter().filter_map(|(name, text)| Some((name, text?))).collect();
    }

    pub(crate) fn kept_accounts(&self) -> Vec<(Box<str>, Box<[u8]>)> {
        self.names.kept.iter().map(|(name, state)| (name.clone(), state.clone())).collect()
    }

    /// Somebody who has a name has come.
    pub(crate) fn owner_comes(&mut self, link: usize, i: usize) {
        self.links[link].shown.came = self.names.count.get(&*self.owners[i].name).cloned();
    }

    /// The log says who has logged in; who it is may be told later, behind its echoes.
    pub(crate) fn note_login(&mut self, text: &str) {
        let login = text.strip_prefix("logged in: ").and_then(|rest| rest.split_once(" from "));
        let peer = login.and_then(|(name, peer)| Some((name, peer.parse::<SocketAddr>().ok()?)));
        let Some((name, peer)) = peer else { return };
        let link = &mut self.links[usize::from(peer.port() - 1024)];
        if matches!(link.caller, Caller::Owner(_)) {
            link.shown.proved = Some((name.to_owned(), link.shown.given.clone()));
        }
    }

    /// What somebody who has a name is told.
    pub(crate) fn look_at_owners(&mut self, link: usize, message: &Message) {
        self.look_at_private(link, message);
        let Caller::Owner(i) = self.links[link].caller else { return };
        let (owner, shown) = (&self.owners[i], &mut self.links[link].shown);
        let (name, room) = (&*owner.name, format!("#{}", owner.name));
        match message.command.as_str() {
            "904" | "NOTICE" if message.last().contains("Wrong name or password") => {
                let right = shown.came.as_ref() == Some(&owner.given);
                let counts = self.names.count.get(name) == Some(&owner.given);
                assert!(!(right && counts), "{name} is refused with the right password");
            }
            "353" if message.param(0) == name && message.param(2) == room => {
                let operator = message.last().split(' ').any(|shown| shown.strip_prefix('@') == Some(name));
                assert!(operator || !self.names.ranked.contains(name), "{name} has lost its rank in {room}");
                shown.operator = operator;
            }
            "PRIVMSG" if message.last() == format!("mark {link}") => {
                let own = shown.operator && shown.proved.as_ref().is_some_and(|(account, _)| account == name);
                // An echo, not a line that nobody keeps.
                if own && message.tag("msgid").is_some() && message.tag("parlor/volatile").is_none() {
                    self.names.ranked.insert(name.into());
                }
            }
            _ => {}
        }
    }

    /// Nobody has a name that is somebody else's.
    pub(crate) fn look_at_names(&self) {
        let mut seen = BTreeSet::new();
        for guest in self.server.guests() {
            assert!(seen.insert(guest.nick.to_lowercase()), "two have the name {}", guest.nick);
            let Some(text) = self.names.count.get(&*guest.nick) else { continue };
            let link = usize::from(guest.peer.port() - 1024);
            let shown = &self.links[link].shown;
            let proved = shown.proved.as_ref().is_some_and(|(of, by)| *of == guest.nick && by == text);
            assert!(proved, "{} on {link} has shown {shown:?}, not {text}", guest.nick);
        }
    }
}
