//! The way of an own line: cut, queued, sent, confirmed or refused.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use parlor_server::protocol::tag::{LABEL, LINE_ID};
use parlor_server::protocol::text::{pieces, printable};
use parlor_server::protocol::{Capability, LineName, Message};

use super::event::Event;
use super::line::{Delivery, Line, LineId, LineKind, Parts};
use super::multiline::{self, Multiline};
use super::outgoing::{Sent, Waiting};
use super::reactions::reply_tags;
use super::stamp::Stamp;
use super::style;
use super::{Key, Kind, Output, Sentence, Session, UnixMillis};

/// How long a receipt may take before we ask for a sign behind it.
const RECEIPT_WITHIN: Duration = Duration::from_secs(10);
/// How long a line may be under way to a server that has never answered a PING.
const SILENT_WITHIN: Duration = Duration::from_secs(15);
/// The same to one that has: it may delay answers to whoever writes fast.
const PONG_WITHIN: Duration = Duration::from_secs(60);
/// Before the number of a line in a label; those of questions begin otherwise.
const LINE_LABEL: char = 'm';
/// Bytes of text that a line has room for, whatever a server says of itself.
const LEAST_ROOM: usize = 64;
/// Bytes of a host that we do not know yet: the longest that DNS labels and servers use.
const LONGEST_HOST: usize = 63;
/// Bytes of a user name that we do not know yet.
const LONGEST_USER: usize = 12;

impl Session {
    /// Says a text, in as many messages as it needs.
    pub(super) fn say(&mut self, to: &Key, text: &str, kind: LineKind) {
        self.say_to(to, text, kind, None);
    }

    /// The same in answer to a line.
    pub(super) fn answer_line(&mut self, to: &Key, text: &str, id: LineId) {
        let line = self.known(to).and_then(|key| self.conversations.get(&key)?.log.get(id));
        let msgid = line.and_then(Line::msgid).map(Cow::into_owned);
        self.say_to(to, text, LineKind::Said, msgid.as_deref());
    }

    fn say_to(&mut self, to: &Key, text: &str, kind: LineKind, reply: Option<&str>) {
        let Some(key) = self.known(to) else {
            let sentence = Sentence::ConversationGone { name: to.to_string(), text: printable(text) };
            return self.inform(&Key::server(), LineKind::Error, &sentence);
        };
        if key.is_server() {
            return self.unsaid(&key, &Sentence::NobodyReadsHere);
        }
        if key.is_others() {
            return self.unsaid(&key, &Sentence::AnswerOneOfThem);
        }
        self.typed_is_sent(&key);
        let Some(conversation) = self.conversations.get_mut(&key) else { return };
        conversation.known = true;
        let (multiline, room_for) = self.bounds(&key, kind);
        let text = style::typed(&text.replace("\r\n", "\n").replace('\r', "\n"));
        // Only the first of several answers.
        let mut reply = reply;
        for text in messages(&text, multiline, room_for) {
            let name = self.seed.line_name();
            if let Some(waiting) = self.wait(&key, kind, name, &text, reply.take(), self.now.wall) {
                self.outgoing.push(waiting);
            }
        }
        if self.conversations.get(&key).is_some_and(|conversation| conversation.out.is_some()) {
            self.fail_unsent(&key, &Sentence::NotInRoom);
        }
    }

    /// A line of ours that waits at the end of a conversation.
    pub(super) fn wait(
        &mut self,
        key: &Key,
        kind: LineKind,
        name: LineName,
        text: &str,
        reply: Option<&str>,
        at: UnixMillis,
    ) -> Option<Waiting> {
        let (shown, spans) = style::parse(text);
        let (from, state) = (self.me.nick.clone(), Delivery::Pending);
        let (from, text_shown, spans) = (&*from, &*shown, &*spans);
        let parts =
            Parts { kind, from, text: text_shown, at, own: true, state, spans, reply, ..Parts::default() };
        let line = self.add(key, &parts)?;
        Some(Waiting::new(key.clone(), name, text.into(), line))
    }

    /// What one message may hold; before a server has said anything, what our own takes. None: one line.
    fn message_room(&self) -> Option<Multiline> {
        if self.is_ready() { self.caps.multiline() } else { self.multiline }
    }

    /// The same for one conversation, and the bytes of text in one line to it.
    fn bounds(&self, key: &Key, kind: LineKind) -> (Option<Multiline>, usize) {
        let name = self.conversations.get(key).map_or("", |conversation| &conversation.name);
        (self.message_room().filter(|_| kind == LineKind::Said), self.room_for_text(name, kind))
    }

    /// What does not go to this server as it is goes in parts: it was cut for another one, or before any had said what it takes.
    fn part_messages(&mut self) {
        self.multiline = self.caps.multiline();
        let fits = |text: &str, (multiline, room): (Option<Multiline>, usize)| match multiline {
            Some(multiline) => multiline.holds(text, room),
            None => text.len() <= room && !text.contains('\n'),
        };
        let unfit = self.outgoing.iter().filter(|waiting| {
            waiting.sent.is_none() && !fits(&waiting.text, self.bounds(&waiting.to, waiting.line.kind()))
        });
        for id in unfit.map(|waiting| waiting.line.id()).collect::<Vec<_>>() {
            let Some((at, whole)) = self.outgoing.take_at(id) else { continue };
            let (key, kind) = (whole.to.clone(), whole.line.kind());
            let bounds = self.bounds(&key, kind);
            let texts = messages(&whole.text, bounds.0, bounds.1);
            if !texts.iter().all(|text| fits(text, bounds)) {
                // The server takes next to nothing, and says so itself.
                self.outgoing.put_in(at, vec![whole]);
                continue;
            }
            if let Some(conversation) = self.conversations.get_mut(&key) {
                conversation.log.remove(id);
            }
            self.emit(&key, false);
            let reply = whole.line.reply().map(|quote| quote.msgid.clone());
            let mut reply = reply.as_deref();
            let mut parts = Vec::new();
            for text in texts {
                // What has the name of the whole is known by it, should that have arrived.
                let name = if parts.is_empty() { whole.name } else { self.seed.line_name() };
                parts.extend(self.wait(&key, kind, name, &text, reply.take(), whole.line.at()));
            }
            self.outgoing.put_in(at, parts);
        }
    }

    fn unsaid(&mut self, key: &Key, why: &Sentence) {
        if !self.give_back(why) {
            self.inform(key, LineKind::Error, why);
        }
    }

    /// Bytes of text in one line to this target, as the others get it: with our prefix
    /// (RFC 1459 §2.3).
    fn room_for_text(&self, target: &str, kind: LineKind) -> usize {
        let action = if kind == LineKind::Action { "\u{1}ACTION \u{1}".len() } else { 0 };
        text_room(self.line_room(), target, action)
    }

    /// Tells how long a line may be: when our name, our host or the server's own bound is another one.
    pub(super) fn tell_line_room(&mut self) {
        self.tell(Event::LineRoom { bytes: self.line_room(), multiline: self.message_room() });
    }

    /// Bytes of a text with its target.
    fn line_room(&self) -> usize {
        let userhost = match &self.me.userhost {
            Some(userhost) => userhost.len(),
            None => LONGEST_USER + 1 + LONGEST_HOST,
        };
        // While another name may still come, leave room for the longest variant of ours.
        let nick = self.me.nick.len() + if self.is_ready() { 0 } else { 3 };
        self.isupport.linelen.saturating_sub(":! PRIVMSG  :\r\n".len() + nick + userhost)
    }

    /// Sends what may be sent now.
    pub(super) fn pump(&mut self) {
        self.blocked_until = None;
        if !self.is_ready() {
            return;
        }
        self.join_more();
        self.part_messages();
        let (line_room, several) = (self.line_room(), self.multiline.is_some());
        let (now, ping) = (self.now.elapsed, self.pings.last() + 1);
        let tagged = self.caps.has(Capability::MessageTags);
        let receipts = self.caps.has(Capability::EchoMessage);
        let labels = self.labels_lines();
        // Elsewhere than on a server of our kind nobody knows a line by its token: whether it
        // arrived before the connection was lost, the history tells.
        let unsettled = if self.isupport.sorted { Vec::new() } else { self.catching_up() };
        let mut wire = String::new();
        loop {
            let Session { outgoing, conversations, .. } = self;
            let ready = |key: &Key| {
                conversations.get(key).is_some_and(|conversation| conversation.joined)
                    && !unsettled.contains(key)
            };
            let Some(waiting) = outgoing.next(ready) else { break };
            if !self.isupport.saferate
                && let Err(at) = self.throttle.take(now)
            {
                self.blocked_until = Some(at);
                break;
            }
            // `ready` said that it is there.
            let Some(conversation) = conversations.get_mut(&waiting.to) else { break };
            let (id, text, target) = (waiting.line.id(), &waiting.text, &conversation.name);
            let name = if self.isupport.secret_ids { waiting.name } else { waiting.name.public() };
            let reply = waiting.line.reply().map(|quote| format!(";{}", reply_tags(&quote.msgid)));
            let reply = reply.unwrap_or_default();
            let tags = match (labels, tagged) {
                (true, _) => format!("@{LABEL}={LINE_LABEL}{};{LINE_ID}={name}{reply} ", id.0),
                (false, true) => format!("@{LINE_ID}={name}{reply} "),
                (false, false) => String::new(),
            };
            let room_for = text_room(line_room, target, 0);
            if waiting.is_action() {
                wire.push_str(&format!("{tags}PRIVMSG {target} :\u{1}ACTION {text}\u{1}\r\n"));
            } else if several && (waiting.is_long() || text.len() > room_for) {
                let reference = format!("{LINE_LABEL}{}", id.0);
                let lines = multiline::wire(&tags, &reference, target, text, room_for);
                lines.lines().skip(1).for_each(|_| self.throttle.spend(now));
                wire.push_str(&lines);
            } else {
                wire.push_str(&format!("{tags}PRIVMSG {target} :{text}\r\n"));
            }
            let behind = conversation.log.last_position().max(conversation.entered);
            outgoing.sent(id, Sent { at: now, ping }, behind);
            if !receipts {
                // No echo will tell its place: an answer may come before the PONG.
                conversation.log.keep_place(id);
            }
        }
        if !wire.is_empty() {
            self.send_raw(wire.into_bytes());
            // Without receipts a PONG is the sign; while the throttle holds more back, it waits too.
            if !receipts && self.blocked_until.is_none() {
                self.ping();
            }
        }
    }

    /// A PING whose PONG comes after everything that was sent before.
    pub(super) fn ping(&mut self) {
        let number = self.pings.next();
        self.send_raw(format!("PING :parlor-{number}\r\n").into_bytes());
    }

    /// An answer to a PING, whatever it says: a PONG, or that there is no such command.
    pub(super) fn pong(&mut self, message: &Message<'_>) {
        let named = message.params.iter().find_map(|param| param.strip_prefix("parlor-")?.parse().ok());
        if let Some(number) = self.pings.answer(named) {
            self.decided(number);
        }
    }

    /// When what is under way for the longest time is decided without any sign. On our own kind of server
    /// there always is one, however long the disk takes.
    pub(super) fn overdue(&self) -> Option<Duration> {
        if self.isupport.sorted {
            return None;
        }
        let oldest = self.outgoing.oldest_in_flight()?;
        let within = if self.pings.proven() { PONG_WITHIN } else { SILENT_WITHIN };
        (oldest.ping <= self.pings.last()).then(|| oldest.at + within)
    }

    /// No sign comes: time decides what is under way for the longest time.
    pub(super) fn decide_overdue(&mut self) {
        if self.overdue().is_some_and(|at| self.now.elapsed >= at)
            && let Some(oldest) = self.outgoing.oldest_in_flight()
        {
            self.decided(oldest.ping);
        }
    }

    /// What was sent before the PING with this number has arrived, or never will.
    fn decided(&mut self, number: u64) {
        let receipts = self.caps.has(Capability::EchoMessage);
        self.outgoing.given_up_before(number);
        while let Some(mut waiting) = self.outgoing.take(|w| w.sent.is_some_and(|sent| sent.ping <= number)) {
            if let Some(stamp) = waiting.heard.take() {
                // It would have been heard once more.
                self.receipt(waiting, &stamp);
            } else if receipts {
                self.fail(waiting, &Sentence::NotConfirmed);
            } else {
                self.deliver(waiting, None, None);
            }
        }
    }

    /// When to ask for a sign behind a receipt that does not come.
    pub(super) fn receipt_due(&self) -> Option<Duration> {
        let oldest = self.outgoing.oldest_in_flight()?;
        (oldest.ping > self.pings.last()).then(|| oldest.at + RECEIPT_WITHIN)
    }

    /// Whether our lines are told apart by labels: on our own kind of server tokens do that.
    fn labels_lines(&self) -> bool {
        self.caps.has(Capability::LabeledResponse)
            && self.caps.has(Capability::MessageTags)
            && !self.isupport.sorted
    }

    /// The line of ours that a message answers (IRCv3 labeled-response), taken out.
    fn labelled(&mut self, message: &Message<'_>) -> Option<Waiting> {
        let label = self.label_of(message)?;
        let id = LineId(label.strip_prefix(LINE_LABEL)?.parse().ok()?);
        self.outgoing.take(|waiting| waiting.line.id() == id && waiting.sent.is_some())
    }

    /// ACK: a command went well and has no answer, not even an echo.
    pub(super) fn on_ack(&mut self, message: &Message<'_>) {
        if let Some(waiting) = self.labelled(message) {
            self.deliver(waiting, None, None);
        }
    }

    /// Our own line came back. Says whether it was one that waited.
    pub(super) fn echoed(
        &mut self,
        key: &Key,
        message: &Message<'_>,
        stamp: &Stamp<'_>,
        parts: &Parts<'_>,
    ) -> bool {
        let text = parts.text;
        stamp.token.iter().for_each(|token| self.outgoing.given_up_came(token));
        let labelled = self.labelled(message);
        let by_order = self.caps.has(Capability::EchoMessage) && !self.labels_lines() && !stamp.old;
        let found = labelled.or_else(|| match stamp.token.as_deref() {
            Some(token) => self
                .outgoing
                .take(|waiting| *waiting.token == *token)
                // What was refused was something else.
                .or_else(|| self.outgoing.take_failed_token(token)),
            // Servers that swallow client-only tags still echo in order, though some alter what was said.
            None => self
                .outgoing
                .take(|w| w.sent.is_some() && w.to == *key && w.line.text().trim_end() == text.trim_end())
                .or_else(|| self.outgoing.take(|w| by_order && w.sent.is_some() && w.to == *key)),
        });
        let Some(mut waiting) = found else { return false };
        if waiting.line.text().trim_end() != text.trim_end() {
            waiting.line = waiting.line.saying(text, parts.spans);
        }
        self.receipt(waiting, stamp);
        true
    }

    /// A line of ours was said under another of our names. Either that is the receipt of a line that
    /// went under that name, or a connection of ours that the server has not given up yet says it
    /// just now: then it is not on disk. Says whether that is to be found out, or is the second.
    pub(super) fn perhaps_no_receipt(&mut self, key: &Key, stamp: &Stamp<'_>) -> bool {
        let Some(token) = stamp.token.as_deref().filter(|_| self.isupport.sorted && self.is_room(key)) else {
            return false;
        };
        if let Some(waiting) = self.outgoing.with_token(key, token) {
            if waiting.sent.is_none() {
                // It goes yet, and has its own receipt then.
                return true;
            }
            if waiting.heard.is_some() {
                return false;
            }
            waiting.heard = Some(Box::new(stamp.to_owned()));
            self.ping();
            return true;
        }
        // What was refused here waits for no receipt.
        let failed = self.outgoing.take_failed_token(token);
        let found = failed.is_some();
        failed.into_iter().for_each(|waiting| self.said_elsewhere(waiting, stamp));
        found
    }

    /// A line of ours is heard as other people's lines are.
    fn said_elsewhere(&mut self, mut waiting: Waiting, stamp: &Stamp<'_>) {
        waiting.set_state(Delivery::None, None);
        self.known_as(&waiting, stamp);
        self.settle_as(&waiting, stamp.msgid.as_deref(), Some(stamp.at));
    }

    /// A second echo, of a line that went twice, is none of another line.
    fn known_as(&mut self, waiting: &Waiting, stamp: &Stamp<'_>) {
        let id = waiting.line.id();
        self.recent.insert(&token_name(&waiting.token, waiting.line.text()), id);
        if let Some(msgid) = &stamp.msgid {
            self.recent.insert(msgid, id);
        }
    }

    fn receipt(&mut self, waiting: Waiting, stamp: &Stamp<'_>) {
        self.known_as(&waiting, stamp);
        if let Some(position) = stamp.position(self.isupport.sorted)
            && self.is_room(&waiting.to)
            && !stamp.volatile
        {
            // On disk: and so is all that came before it.
            self.durable.note(position);
        }
        let at = Some(stamp.at).filter(|_| self.caps.has(Capability::ServerTime));
        self.deliver(waiting, stamp.msgid.as_deref(), at);
    }

    /// The server has a line, under this name and since then.
    pub(super) fn deliver(&mut self, mut waiting: Waiting, msgid: Option<&str>, at: Option<UnixMillis>) {
        waiting.set_state(Delivery::Delivered, None);
        self.settle_as(&waiting, msgid, at);
    }

    fn settle_as(&mut self, waiting: &Waiting, msgid: Option<&str>, at: Option<UnixMillis>) {
        let at = at.unwrap_or(waiting.line.at());
        let line = waiting.line.received(waiting.line.state(), msgid, at);
        self.settle(&waiting.to, line);
    }

    pub(super) fn fail(&mut self, mut waiting: Waiting, sentence: &Sentence) {
        if let Some(stamp) = waiting.heard.take() {
            return self.said_elsewhere(waiting, &stamp);
        }
        if matches!(sentence, Sentence::RoomSlow { .. }) && self.take_back(&waiting, sentence) {
            return;
        }
        if let Some(conversation) = self.conversations.get_mut(&waiting.to) {
            // It may have arrived on a connection that was lost: the history tells, where it begins early enough.
            conversation.incomplete = conversation.incomplete.into_iter().chain(waiting.behind).min();
        }
        waiting.set_state(Delivery::Failed, Some(sentence));
        self.settle(&waiting.to, waiting.line.clone());
        self.outgoing.failed(waiting);
    }

    /// A line that is to be said a little later: whoever typed it has it again, behind what came back just before, as it
    /// would have to be typed now. Says whether that can be: a `/me` stands alone, and so does an answer.
    fn take_back(&mut self, waiting: &Waiting, why: &Sentence) -> bool {
        let to = &waiting.to;
        let text = style::untyped(&waiting.text);
        let answered = waiting.line.reply().map(|quote| self.line_named(to, &quote.msgid).cloned());
        if answered == Some(None) {
            return false;
        }
        let reply = answered.flatten();
        let given_back = self.out.iter_mut().rev().find_map(|output| match output {
            Output::Event(Event::GivenBack { key, text, .. }) if key == to => Some(text),
            _ => None,
        });
        let is_one_line = |text: &str| !text.contains('\n');
        match given_back {
            Some(before) => {
                let bare = match before.strip_prefix('/').filter(|_| is_one_line(before)) {
                    // In a text of several lines a slash begins no command.
                    Some(bare) if bare.starts_with('/') => bare,
                    Some(_) => return false,
                    None => before,
                };
                if waiting.is_action() || reply.is_some() {
                    return false;
                }
                *before = format!("{bare}\n{text}");
            }
            None => {
                let sign = match waiting.is_action() {
                    true => "/me ",
                    false if text.starts_with('/') && is_one_line(&text) => "/",
                    false => "",
                };
                let text = format!("{sign}{text}");
                self.tell(Event::GivenBack { key: to.clone(), text, reply, why: why.clone() });
            }
        }
        if let Some(conversation) = self.conversations.get_mut(to) {
            conversation.log.remove(waiting.line.id());
        }
        self.emit(to, false);
        true
    }

    fn settle(&mut self, key: &Key, line: Line) {
        let line = self.dress(key, line);
        if let Some(conversation) = self.conversations.get_mut(key) {
            conversation.log.settle(line.clone());
        }
        self.emit(key, false);
        self.is_here(key, &line);
    }

    /// `FAIL BATCH MULTILINE_…`: a message of several lines was refused. Says whether one was under way.
    pub(super) fn message_refused(&mut self, message: &Message<'_>, sentence: &Sentence) -> bool {
        let labelled = self.labelled(message);
        let refused = labelled.or_else(|| self.outgoing.take(|w| w.sent.is_some() && w.is_long()));
        let found = refused.is_some();
        refused.into_iter().for_each(|waiting| self.fail(waiting, sentence));
        found
    }

    /// The server refused a line to this conversation. Says whether one was under way.
    pub(super) fn refused_to(
        &mut self,
        key: Option<&Key>,
        message: &Message<'_>,
        sentence: &Sentence,
    ) -> bool {
        if let Some(waiting) = self.labelled(message) {
            self.fail(waiting, sentence);
            return true;
        }
        let fits = |w: &Waiting| w.sent.is_some() && key.is_none_or(|key| w.to == *key);
        // With receipts all earlier ones are decided; without, refusals are for the latest.
        let receipts = self.caps.has(Capability::EchoMessage);
        if receipts && key.is_some_and(|key| self.outgoing.given_up_refused(key)) {
            return true;
        }
        let refused = if receipts { self.outgoing.take(fits) } else { self.outgoing.take_last(fits) };
        let found = refused.is_some();
        if let Some(waiting) = refused {
            self.fail(waiting, sentence);
        }
        found
    }

    /// Nothing goes to this conversation: what is not under way has failed.
    pub(super) fn fail_unsent(&mut self, key: &Key, sentence: &Sentence) {
        while let Some(waiting) = self.outgoing.take(|waiting| waiting.to == *key && waiting.sent.is_none()) {
            self.fail(waiting, sentence);
        }
    }

    /// Nothing comes from this conversation any more either: what waits for it has failed.
    pub(super) fn fail_waiting(&mut self, key: &Key, sentence: &Sentence) {
        while let Some(waiting) = self.outgoing.take(|waiting| waiting.to == *key) {
            self.outgoing.give_up(&waiting);
            self.fail(waiting, sentence);
        }
    }

    pub(super) fn forget_failed(&mut self, key: &Key) {
        self.outgoing.forget_failed(key);
    }

    pub(super) fn retry(&mut self, id: LineId) {
        let Some(mut waiting) = self.outgoing.take_failed(id) else { return };
        if waiting.sent.take().is_some() && !self.isupport.secret_ids {
            // Somebody else's line may have this name there. Where names are secret nobody else's has: another
            // server may have taken the line before this one refused it, and knows it again.
            waiting.rename(self.seed.line_name());
        }
        waiting.set_state(Delivery::Pending, None);
        self.settle(&waiting.to, waiting.line.clone());
        self.outgoing.push(waiting);
    }

    /// What is not under way is not wanted any more.
    pub(super) fn cancel(&mut self, to: &Key) {
        let Some(key) = self.known(to) else { return };
        while let Some(waiting) = self.outgoing.take(|waiting| waiting.to == key && waiting.sent.is_none()) {
            if let Some(conversation) = self.conversations.get_mut(&key) {
                conversation.log.remove(waiting.line.id());
            }
            self.emit(&key, false);
        }
    }

    /// A failed line is not wanted any more.
    pub(super) fn discard(&mut self, id: LineId) {
        if let Some(waiting) = self.outgoing.take_failed(id) {
            if let Some(conversation) = self.conversations.get_mut(&waiting.to) {
                conversation.log.remove(id);
            }
            self.emit(&waiting.to, false);
        }
    }

    /// Whether text can go to this conversation at once.
    pub(super) fn is_room(&self, key: &Key) -> bool {
        self.conversations.get(key).is_some_and(|conversation| conversation.kind == Kind::Room)
    }
}

/// The name of a line in [`Recent`](super::recent::Recent) by its token; no msgid has a space.
///
/// With the text: should two senders ever have the same token, nobody loses a line. Without
/// the sender: who comes back under another name sends the same line.
pub(super) fn token_name(token: &str, text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.trim_end().hash(&mut hasher);
    format!("{token} {:x}", hasher.finish())
}

/// How many messages a text is sent as, to a room or person of this name; see [`Event::LineRoom`] for the others.
pub fn count_messages(text: &str, line_room: usize, multiline: Option<Multiline>, target: &str) -> usize {
    messages(text, multiline, text_room(line_room, target, 0)).len()
}

/// A text as it is sent: by lines, or by as few messages of several as can be.
fn messages(text: &str, multiline: Option<Multiline>, room: usize) -> Vec<String> {
    match multiline {
        Some(multiline) => multiline.messages(lines(text), room),
        // IRC has no empty line (RFC 1459 §2.3.1: a trailing parameter of none is ERR_NOTEXTTOSEND), so a blank one inside is
        // a space, which every program shows as a blank line.
        None => {
            let lines = lines(text).map(|line| if line.trim().is_empty() { " ".to_owned() } else { line });
            lines
                .flat_map(|line| pieces(&line, room).into_iter().map(str::to_owned).collect::<Vec<_>>())
                .collect()
        }
    }
}

fn text_room(line_room: usize, target: &str, around: usize) -> usize {
    line_room.saturating_sub(target.len() + around).max(LEAST_ROOM)
}

/// The lines of a text, without blank ones around it.
fn lines(text: &str) -> impl Iterator<Item = String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<String> = text.split('\n').map(sendable).collect();
    let is_blank = |line: &String| line.trim().is_empty();
    let first = lines.iter().position(|line| !is_blank(line)).unwrap_or(lines.len());
    let behind = lines.iter().rposition(|line| !is_blank(line)).map_or(first, |last| last + 1);
    lines.into_iter().take(behind).skip(first)
}

/// Text without what no line may hold: control characters but the tab and formatting codes.
fn sendable(text: &str) -> String {
    text.chars().filter(|c| *c == '\t' || style::is_code(*c) || !c.is_control()).collect()
}
