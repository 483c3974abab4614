//! Who is typing (IRCv3 client-only tag `typing`), of others and of us.

use std::time::Duration;

use parlor_server::protocol::{Capability, Message};

use super::stamp::Stamp;
use super::{Event, Key, Kind, Session};
use crate::limits::TYPING;

/// The tag, and what it may be called on older servers.
const TAGS: &[&str] = &["+typing", "+draft/typing"];
/// Whoever typed and says nothing more has gone after this.
const ACTIVE: Duration = Duration::from_secs(6);
/// The same of whoever stopped and has not sent it.
const PAUSED: Duration = Duration::from_secs(30);
/// It is said again at most so often.
const AGAIN: Duration = Duration::from_secs(3);

/// Somebody who is typing.
#[derive(Debug)]
struct Writer {
    place: Key,
    key: Key,
    name: String,
    until: Duration,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Typing {
    /// In the order in which they began.
    writers: Vec<Writer>,
    /// Where we said that we are, and when.
    own: Option<(Key, Duration)>,
}

impl Session {
    /// TAGMSG: a reaction, a hand, or that somebody is typing.
    pub(super) fn on_tagmsg(&mut self, message: &Message<'_>, stamp: &Stamp<'_>) {
        if self.on_reaction(message, stamp) || self.on_hand(message, stamp) {
            return;
        }
        let state = TAGS.iter().find_map(|tag| message.tags.get(tag));
        let (Some(state), Some(target)) = (state.filter(|_| !stamp.old), message.params.filled(0)) else {
            return;
        };
        let Some(sender) = self.sender(message) else { return };
        if self.is_me(sender.nick) || self.is_ignored(sender.nick) {
            return;
        }
        let place = match self.room_of(target) {
            Some(room) => self.room(room),
            None => Some(self.isupport.key(sender.nick)),
        };
        let Some(place) = place.filter(|place| self.conversations.contains_key(place)) else { return };
        let within = match &*state {
            "active" => ACTIVE,
            "paused" => PAUSED,
            _ => return self.types_no_more(&place, sender.nick),
        };
        let (key, until) = (self.isupport.key(sender.nick), self.now.elapsed + within);
        let writers = &mut self.typing.writers;
        if let Some(known) = writers.iter_mut().find(|one| one.place == place && one.key == key) {
            known.until = until;
        } else if writers.len() < TYPING {
            writers.push(Writer { place: place.clone(), key, name: sender.nick.to_owned(), until });
            self.tell_typing(&place);
        }
    }

    /// Somebody has sent it, has left, or has thought better of it.
    pub(super) fn types_no_more(&mut self, place: &Key, name: &str) {
        let key = self.isupport.key(name);
        let before = self.typing.writers.len();
        self.typing.writers.retain(|one| one.place != *place || one.key != key);
        if self.typing.writers.len() < before {
            self.tell_typing(place);
        }
    }

    /// A conversation has another key, as its person has another name.
    pub(super) fn typing_moved(&mut self, from: &Key, to: &Key, name: &str) {
        if let Some((place, _)) = self.typing.own.as_mut().filter(|(place, _)| place == from) {
            *place = to.clone();
        }
        let mut found = false;
        for writer in self.typing.writers.iter_mut().filter(|writer| writer.place == *from) {
            writer.place = to.clone();
            if writer.key == *from {
                (writer.key, writer.name) = (to.clone(), name.to_owned());
            }
            found = true;
        }
        if found {
            self.tell_typing(to);
        }
    }

    fn tell_typing(&mut self, place: &Key) {
        let here = self.typing.writers.iter().filter(|one| one.place == *place);
        let names = here.map(|one| one.name.clone()).collect();
        self.tell(Event::Typing { key: place.clone(), names });
    }

    /// When the next one of them has gone.
    pub(super) fn typing_ends(&self) -> Option<Duration> {
        self.typing.writers.iter().map(|one| one.until).min()
    }

    /// Those who said nothing more.
    pub(super) fn typing_over(&mut self) {
        let now = self.now.elapsed;
        let over: Vec<Writer> = self.typing.writers.extract_if(.., |one| one.until <= now).collect();
        let mut places: Vec<Key> = over.into_iter().map(|one| one.place).collect();
        places.dedup();
        places.iter().for_each(|place| self.tell_typing(place));
    }

    /// The connection is gone: nobody is seen typing.
    pub(super) fn forget_typing(&mut self) {
        let mut places: Vec<Key> = self.typing.writers.drain(..).map(|one| one.place).collect();
        places.dedup();
        places.iter().for_each(|place| self.tell_typing(place));
        self.typing.own = None;
    }

    /// The person types somewhere, or has taken back what was typed.
    pub(super) fn type_in(&mut self, to: &Key, writes: bool) {
        let Some(key) = self.known(to) else { return };
        let own = self.typing.own.take();
        let begun = own.as_ref().is_some_and(|(place, _)| *place == key);
        let now = self.now.elapsed;
        let rests = begun && own.as_ref().is_some_and(|(_, at)| now < *at + AGAIN);
        // What was begun elsewhere is over there by itself.
        let state = match (writes, begun) {
            (true, _) if rests => {
                self.typing.own = own;
                return;
            }
            (true, _) => "active",
            (false, true) => "done",
            (false, false) => return,
        };
        let Some(conversation) = self.conversations.get(&key).filter(|c| c.joined && c.out.is_none()) else {
            return;
        };
        let talks = matches!(conversation.kind, Kind::Room | Kind::Person);
        let takes = self.caps.has(Capability::MessageTags) && !self.isupport.denies_typing;
        if !talks || !takes || !self.is_ready() || self.blocked_until.is_some() {
            return;
        }
        let line = format!("@+typing={state} TAGMSG {}", conversation.name);
        self.send(&line);
        self.typing.own = writes.then_some((key, now));
    }

    /// What was typed is on its way: that says enough.
    pub(super) fn typed_is_sent(&mut self, to: &Key) {
        self.typing.own.take_if(|(place, _)| place == to);
    }
}
