//! What is said about lines, by us and by others: reactions, answers, deletions (IRCv3 client-only tags `reply` and `react`,
//! draft/message-redaction).

use parlor_server::protocol::message::escape;
use parlor_server::protocol::text::printable;
use parlor_server::protocol::{Capability, Message};

use super::line::{Line, LineId, Parts};
use super::marks::{Deleted, Marked, Quote, Reacted};
use super::stamp::Stamp;
use super::{Event, Key, Kind, Sentence, Session};
use crate::limits::{EMOJI, MSGID};

/// The tags, and what they may be called some day or were called.
const REPLY: &[&str] = &["+reply", "+draft/reply"];
const REACT: &[&str] = &["+draft/react", "+react"];
const UNREACT: &[&str] = &["+draft/unreact", "+unreact"];

/// What a line answers, as its tags say: those who know an older name of the tag read it by that.
pub(super) fn reply_tags(msgid: &str) -> String {
    let msgid = escape(msgid);
    format!("+reply={msgid};+draft/reply={msgid}")
}

/// The msgid that a message answers.
pub(super) fn reply_of(message: &Message<'_>) -> Option<String> {
    tag(message, REPLY).filter(|msgid| msgid.len() <= MSGID)
}

fn tag(message: &Message<'_>, names: &[&str]) -> Option<String> {
    let value = names.iter().find_map(|name| message.tags.get(name))?;
    Some(value.into_owned()).filter(|value| !value.is_empty())
}

/// Deletions that are remembered until the server confirms them; beyond, the oldest is the server's alone.
const DELETING: usize = 64;

/// A line that is to be deleted.
#[derive(Debug, Clone)]
pub(super) struct Deleting {
    key: Key,
    msgid: String,
    reason: String,
}

impl Session {
    /// Whether reactions and answers can be sent.
    pub(super) fn takes_reactions(&self) -> bool {
        self.caps.has(Capability::MessageTags) && !self.isupport.denies_reactions
    }

    /// What can be done with lines here.
    pub(super) fn tell_marking(&mut self) {
        let (reacts, deletes) = (self.takes_reactions(), self.caps.has(Capability::MessageRedaction));
        self.tell(Event::Marking { reacts, deletes });
    }

    /// A TAGMSG that reacts to a line. Says whether it was one.
    pub(super) fn on_reaction(&mut self, message: &Message<'_>, stamp: &Stamp<'_>) -> bool {
        let (emoji, on) = match (tag(message, REACT), tag(message, UNREACT)) {
            (Some(emoji), _) => (emoji, true),
            (None, Some(emoji)) => (emoji, false),
            (None, None) => return false,
        };
        self.note_event(stamp);
        let (Some(msgid), Some(target)) = (reply_of(message), message.params.filled(0)) else { return true };
        let emoji = printable(&emoji);
        let Some(sender) = self.sender(message) else { return true };
        if emoji.trim().is_empty() || emoji.len() > EMOJI || self.is_ignored(sender.nick) {
            return true;
        }
        if let Some(place) = self.place_of(target, sender.nick) {
            let (name, at) =
                (self.names.share(sender.nick), (stamp.position(self.isupport.sorted), stamp.at));
            self.reacted(&place, &msgid, &emoji, Reacting { name, on, at });
        }
        true
    }

    fn reacted(&mut self, place: &Key, msgid: &str, emoji: &str, how: Reacting) {
        let Reacting { name, on, at } = how;
        let (who, own) = (self.isupport.key(&name), self.was_me(&name));
        let one = Reacted { who, name, emoji: emoji.into(), own, on, at };
        if self.marks.react(place, msgid, one) {
            self.mark_anew(place, msgid);
        }
    }

    /// `REDACT target msgid [:reason]`: a line was taken back, or never was.
    pub(super) fn on_redact(&mut self, message: &Message<'_>, stamp: &Stamp<'_>) {
        self.note_event(stamp);
        let msgid = message.params.filled(1).filter(|msgid| msgid.len() <= MSGID);
        let (Some(target), Some(msgid)) = (message.params.filled(0), msgid) else {
            return;
        };
        let by =
            self.sender(message).map_or_else(|| message.source.unwrap_or_default(), |sender| sender.nick);
        let Some(place) = self.place_of(target, by) else { return };
        let reason = printable(message.params.get(2).copied().unwrap_or_default());
        let deleted = Deleted { by: self.names.share(by), reason: reason.trim().into() };
        self.marks.delete(&place, msgid, deleted);
        self.deleting.retain(|deleting| deleting.msgid != msgid);
        self.mark_anew(&place, msgid);
    }

    /// `FAIL REDACT CODE target msgid :sentence`: it stays.
    pub(super) fn deletion_failed(&mut self, message: &Message<'_>) {
        if let Some(msgid) = message.params.get(3) {
            self.deleting.retain(|deleting| deleting.msgid != *msgid);
        }
    }

    /// What is to be deleted where we came in again, and the server has not confirmed: it deletes a line once,
    /// however often it is told.
    pub(super) fn delete_again(&mut self, key: &Key) {
        for deleting in
            self.deleting.iter().filter(|deleting| deleting.key == *key).cloned().collect::<Vec<_>>()
        {
            self.send_deletion(&deleting);
        }
    }

    /// A conversation has another key.
    pub(super) fn deleting_moved(&mut self, from: &Key, to: &Key) {
        let there = self.deleting.iter_mut().filter(|deleting| deleting.key == *from);
        there.for_each(|deleting| deleting.key = to.clone());
    }

    fn send_deletion(&mut self, Deleting { key, msgid, reason }: &Deleting) {
        let Some(name) = self.conversations.get(key).map(|conversation| conversation.name.clone()) else {
            return;
        };
        let reason = if reason.is_empty() { String::new() } else { format!(" :{reason}") };
        if self.caps.has(Capability::MessageRedaction) {
            self.send(&format!("REDACT {name} {msgid}{reason}"));
        }
    }

    /// The open conversation of what somebody sends to this target.
    fn place_of(&self, target: &str, nick: &str) -> Option<Key> {
        let place = match self.room_of(target) {
            Some(room) => self.room(room)?,
            None if self.is_me(nick) => self.isupport.key(target),
            None => self.private_place(nick),
        };
        Some(place).filter(|place| self.conversations.contains_key(place))
    }

    /// A line with all that is known about it: what people put under it, that it was taken back, what it answers.
    pub(super) fn dress(&self, key: &Key, line: Line) -> Line {
        let line = match self.marked(key, &line) {
            Some(marked) => line.marked(&marked.reactions(), marked.deleted.as_ref()),
            None => line,
        };
        let Some(quote) = line.reply() else { return line };
        let quote = self.quote(key, &quote.msgid);
        line.quoting(quote)
    }

    pub(super) fn marked(&self, key: &Key, line: &Line) -> Option<&Marked> {
        if !self.marks.has(key) || !line.is_talk() {
            return None;
        }
        self.marks.get(key, &line.msgid()?)
    }

    fn quote(&self, key: &Key, msgid: &str) -> Quote {
        let line = self.line_named(key, msgid);
        let mut quote = line.map_or_else(|| Quote::unknown(msgid), |line| Quote::of(msgid, line));
        if self.marks.get(key, msgid).is_some_and(|marked| marked.deleted.is_some()) {
            (quote.text, quote.deleted) = (Box::default(), true);
        }
        quote
    }

    /// The line that is here under this name.
    pub(super) fn line_named(&self, key: &Key, msgid: &str) -> Option<&Line> {
        let log = &self.conversations.get(key)?.log;
        let recent = self.recent.get(msgid).and_then(|id| log.get(id));
        let recent = recent.filter(|line| line.msgid().as_deref() == Some(msgid));
        recent.or_else(|| log.get(log.by_msgid(msgid)?))
    }

    /// Something new is known about a line: it is shown so, if it is here, and so are those that answer it.
    fn mark_anew(&mut self, key: &Key, msgid: &str) {
        if let Some(line) = self.line_named(key, msgid).cloned() {
            self.change(key, line);
        }
        self.quote_anew(key, msgid);
    }

    /// A line is here now: what it answers knows it, and those that answer it say so.
    pub(super) fn is_here(&mut self, key: &Key, line: &Line) {
        if let Some(quote) = line.reply() {
            self.marks.answer(key, &quote.msgid, line.id());
        }
        if self.marks.has(key)
            && let Some(msgid) = line.msgid()
        {
            self.quote_anew(key, &msgid);
        }
    }

    /// Something has become of a line: those that answer it say so.
    fn quote_anew(&mut self, key: &Key, msgid: &str) {
        let Some(marked) = self.marks.get(key, msgid).filter(|marked| !marked.answers.is_empty()) else {
            return;
        };
        for id in marked.answers.clone() {
            let line = self.conversations.get(key).and_then(|conversation| conversation.log.get(id));
            if let Some(line) = line.filter(|line| line.reply().is_some_and(|quote| *quote.msgid == *msgid)) {
                let line = line.quoting(self.quote(key, msgid));
                self.put_back(key, line);
            }
        }
    }

    fn change(&mut self, key: &Key, line: Line) {
        let line = self.dress(key, line);
        self.put_back(key, line);
    }

    fn put_back(&mut self, key: &Key, line: Line) {
        if let Some(conversation) = self.conversations.get_mut(key) {
            conversation.log.change(line);
        }
        self.emit(key, false);
    }

    /// Puts an emoji under a line, or takes it back.
    pub(super) fn react(&mut self, key: &Key, id: LineId, emoji: &str, on: bool) {
        let Some((key, name, msgid)) = self.line_of_server(key, id) else { return };
        if !self.takes_reactions() || emoji.is_empty() || emoji.len() > EMOJI {
            return;
        }
        let verb = if on { REACT } else { UNREACT };
        let (verb, value) = (verb.first().copied().unwrap_or_default(), escape(emoji));
        self.send(&format!("@{};{verb}={value} TAGMSG {name}", reply_tags(&msgid)));
        if !self.caps.has(Capability::EchoMessage) {
            let (name, at) = (self.names.share(&self.me.nick.clone()), (None, self.wall()));
            self.reacted(&key, &msgid, emoji, Reacting { name, on, at });
        }
    }

    /// Takes a line back.
    pub(super) fn delete(&mut self, key: &Key, id: LineId, reason: &str) {
        let Some((key, _, msgid)) = self.line_of_server(key, id) else { return };
        self.asked_at = Some(key.clone());
        let deleting = Deleting { key, msgid, reason: reason.trim().to_owned() };
        self.send_deletion(&deleting);
        if self.deleting.len() >= DELETING {
            self.deleting.remove(0);
        }
        self.deleting.push(deleting);
    }

    /// What the server calls a line, and the conversation that it is in.
    fn line_of_server(&mut self, key: &Key, id: LineId) -> Option<(Key, String, String)> {
        let key = self.known(key)?;
        let conversation = self.conversations.get(&key)?;
        let talks = matches!(conversation.kind, Kind::Room | Kind::Person);
        let msgid = conversation.log.get(id)?.msgid()?.into_owned();
        let name = conversation.name.clone();
        if !talks || msgid.contains([' ', '\r', '\n', '\0']) || msgid.starts_with(':') {
            return None;
        }
        if !self.is_ready() {
            self.asked_at = Some(key);
            self.complain(Sentence::NotConnectedYet);
            return None;
        }
        Some((key, name, msgid))
    }

    /// Brings the line that another one answers here.
    pub(super) fn jump_to_answered(&mut self, key: &Key, id: LineId) {
        let Some(key) = self.known(key) else { return };
        let line = self.conversations.get(&key).and_then(|conversation| conversation.log.get(id));
        let Some((quote, at)) = line.and_then(|line| Some((line.reply()?, line.at()))) else { return };
        let parts = Parts { msgid: Some(&quote.msgid), at, ..Parts::default() };
        // No line of a session has this id.
        let to = Line::new(LineId(0), &parts);
        self.jump(&key, &to);
    }
}

/// Who reacted, and when.
struct Reacting {
    name: std::sync::Arc<str>,
    on: bool,
    at: super::marks::Order,
}
