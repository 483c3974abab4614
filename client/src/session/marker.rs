//! How far was read, told between the devices of one account (IRCv3 draft/read-marker).

use std::time::Duration;

use parlor_server::protocol::{Capability, Leniency, Message};

use super::event::{Event, Kind};
use super::line::Delivery;
use super::{Key, Session, UnixMillis};

/// It is told at most so often, of each conversation.
const AGAIN: Duration = Duration::from_secs(3);

/// Of one conversation.
#[derive(Debug, Default)]
pub(super) struct Marker {
    /// The server knows us, and says how far was read here.
    pub(super) told: bool,
    /// As far as the server knows.
    at: Option<UnixMillis>,
    /// When we told it last.
    sent: Option<Duration>,
}

impl Session {
    fn has_markers(&self) -> bool {
        self.caps.has(Capability::ReadMarker)
    }

    /// `MARKREAD target timestamp=…`, or `*`.
    pub(super) fn on_markread(&mut self, message: &Message<'_>) {
        let (Some(target), Some(value)) = (message.params.filled(0), message.params.filled(1)) else {
            return;
        };
        let first = !std::mem::replace(&mut self.marked_once, true);
        let key = self.isupport.key(target);
        let at = value.strip_prefix("timestamp=").and_then(|time| Leniency::Lenient.time(time));
        if let Some(conversation) = self.conversations.get_mut(&key) {
            conversation.marker.told = true;
            if let Some(at) = at.filter(|at| conversation.marker.at < Some(*at)) {
                conversation.marker.at = Some(at);
                self.read_elsewhere(&key, at);
            }
        }
        if first {
            // It knows us: then it can be asked about people.
            let people =
                self.conversations.iter().filter(|(_, open)| open.kind == Kind::Person && !open.marker.told);
            let people: Vec<Key> = people.map(|(key, _)| key.clone()).collect();
            people.iter().for_each(|key| self.ask_marker(key));
        }
    }

    /// Asks how far was read with a person; of rooms the server tells by itself.
    pub(super) fn ask_marker(&mut self, key: &Key) {
        if !self.marked_once || !self.has_markers() || !self.is_ready() {
            return;
        }
        let person = self.conversations.get(key).filter(|open| open.kind == Kind::Person);
        if let Some(name) = person.map(|open| open.name.clone()) {
            self.send(&format!("MARKREAD {name}"));
        }
    }

    /// The server has no marker for us there: it is not asked any more.
    pub(super) fn marker_failed(&mut self, verb: &str, key: Option<&Key>) -> bool {
        if !verb.eq_ignore_ascii_case("MARKREAD") {
            return false;
        }
        match key.and_then(|key| self.conversations.get_mut(key)) {
            Some(conversation) => conversation.marker.told = false,
            None => self.conversations.values_mut().for_each(|open| open.marker.told = false),
        }
        true
    }

    fn read_elsewhere(&mut self, key: &Key, at: UnixMillis) {
        let Some(conversation) = self.conversations.get_mut(key) else { return };
        conversation.read = conversation.read.max(Some(at));
        conversation.read_until(at);
        if self.reading.as_ref() != Some(key) {
            self.tell(Event::ReadElsewhere { key: key.clone(), at });
        }
    }

    /// What is read here, and the server does not know yet: the conversation, and the time of its last line.
    fn to_mark(&self) -> Option<(&Key, UnixMillis, Duration)> {
        let key = self.reading.as_ref().filter(|_| self.has_markers())?;
        let conversation = self.conversations.get(key).filter(|open| open.marker.told)?;
        let named =
            conversation.log.iter().rev().filter(|line| line.is_talk() && line.state() != Delivery::Pending);
        let last = named.filter(|line| line.msgid().is_some()).take(1).map(|line| line.at()).next()?;
        if conversation.marker.at >= Some(last) {
            return None;
        }
        Some((key, last, conversation.marker.sent.map_or(self.now.elapsed, |sent| sent + AGAIN)))
    }

    /// When the server is to be told next.
    pub(super) fn marker_due(&self) -> Option<Duration> {
        self.to_mark().map(|(_, _, due)| due.max(self.blocked_until.unwrap_or_default()))
    }

    /// Tells the server how far was read, if that is due.
    pub(super) fn mark_read(&mut self) {
        let now = self.now.elapsed;
        let Some((key, at, due)) = self.to_mark().map(|(key, at, due)| (key.clone(), at, due)) else {
            return;
        };
        if due > now || self.blocked_until.is_some() {
            return;
        }
        if let Some(conversation) = self.conversations.get_mut(&key) {
            (conversation.marker.at, conversation.marker.sent) = (Some(at), Some(now));
            let line = format!("MARKREAD {} timestamp={at}", conversation.name);
            self.send(&line);
        }
    }

    /// The connection is gone.
    pub(super) fn forget_markers(&mut self) {
        self.marked_once = false;
        self.conversations.values_mut().for_each(|open| open.marker = Marker::default());
    }
}
