//! What people say: PRIVMSG, NOTICE, and CTCP inside them.

use parlor_server::protocol::Message;
use parlor_server::protocol::text::{self, printable};

use super::delivery::token_name;
use super::event::Kind;
use super::line::{Delivery, LineKind, Parts};
use super::mention::mentions;
use super::stamp::Stamp;
use super::{Key, Session};

/// Bytes of a CTCP PING that are sent back.
const MOST_CTCP: usize = 200;

impl Session {
    pub(super) fn on_talk(&mut self, message: &Message<'_>, stamp: &Stamp<'_>, kind: LineKind) {
        let (Some(target), Some(raw)) = (message.params.filled(0), message.params.get(1)) else { return };
        let Some(sender) = self.sender(message) else {
            return self.server_says(message, stamp, target, raw);
        };
        let own = self.is_me(sender.nick);
        if own {
            self.know_userhost(sender.user, sender.host);
        } else if self.is_ignored(sender.nick) {
            return;
        }
        let (kind, raw) = match text::action(raw) {
            Some(action) if kind == LineKind::Said => (LineKind::Action, action),
            None if raw.starts_with(text::CTCP) => {
                if !own {
                    self.on_ctcp(sender.nick, target, raw, kind, stamp);
                }
                return;
            }
            _ => (kind, *raw),
        };
        let shown = printable(raw);
        let room = self.isupport.room_of(target).map(str::to_owned);
        let place = match &room {
            Some(room) => self.room(room).unwrap_or_else(Key::server),
            None => self.isupport.key(if own { target } else { sender.nick }),
        };
        if own && self.echoed(&place, stamp.token.as_deref(), &shown, stamp.msgid.as_deref()) {
            if let Some(msgid) = &stamp.msgid {
                self.recent.insert(msgid);
                self.note_msgid(&place, msgid);
            }
            return;
        }
        if self.is_known(stamp, &shown) {
            return;
        }
        if room.is_none() {
            self.open(if own { target } else { sender.nick }, Kind::Person);
        }
        let mention = !own && mentions(&shown, &self.me.nick);
        let state = if own { Delivery::Delivered } else { Delivery::None };
        let (at, msgid, from) = (stamp.at, stamp.msgid.as_deref(), sender.nick);
        let parts = Parts { kind, from, text: &shown, at, msgid, own, mention, state, reason: "" };
        let line = self.add(&place, &parts);
        if !own && !stamp.old {
            self.count_unread(&place, &line);
        }
    }

    /// Whether a line was shown before: by the server's name for it, or by its sender's, who
    /// sent it again because no receipt had come.
    fn is_known(&mut self, stamp: &Stamp<'_>, text: &str) -> bool {
        let by_msgid = stamp.msgid.as_ref().is_some_and(|msgid| !self.recent.insert(msgid));
        let by_token =
            stamp.token.as_ref().is_some_and(|token| !self.recent.insert(&token_name(token, text)));
        by_msgid || by_token
    }

    fn note_msgid(&mut self, key: &Key, msgid: &str) {
        if let Some(conversation) = self.conversations.get_mut(key) {
            conversation.last_msgid = Some(msgid.into());
        }
    }

    /// The server itself speaks: in a room to all, else among its own messages.
    fn server_says(&mut self, message: &Message<'_>, stamp: &Stamp<'_>, target: &str, raw: &str) {
        if stamp.msgid.as_ref().is_some_and(|msgid| !self.recent.insert(msgid)) {
            return;
        }
        let room = self.isupport.room_of(target).and_then(|room| self.room(room));
        let place = room.clone().unwrap_or_else(Key::server);
        let shown = printable(raw);
        let mention = room.is_some() && mentions(&shown, &self.me.nick);
        let (from, at, msgid) = (message.source.unwrap_or_default(), stamp.at, stamp.msgid.as_deref());
        let kind = LineKind::Notice;
        let parts = Parts { kind, from, text: &shown, at, msgid, mention, ..Parts::default() };
        let line = self.add(&place, &parts);
        if !stamp.old {
            self.count_unread(&place, &line);
        }
    }

    pub(super) fn on_wallops(&mut self, message: &Message<'_>, stamp: &Stamp<'_>) {
        let text = message.params.last().copied().unwrap_or_default();
        self.server_says(message, stamp, "*", text);
    }

    /// A program asks ours, or answers it (CTCP). Answered are VERSION and PING, rarely.
    fn on_ctcp(&mut self, nick: &str, target: &str, raw: &str, kind: LineKind, stamp: &Stamp<'_>) {
        let inner = raw.trim_matches(text::CTCP);
        let (verb, rest) = inner.split_once(' ').unwrap_or((inner, ""));
        if kind == LineKind::Notice {
            let answer = format!("{nick} answers {verb}: {}", printable(rest));
            let place = self.asked_at();
            return self.inform(&place, LineKind::Info, &answer);
        }
        if stamp.old || !self.is_me(target) || self.ctcp_throttle.take(self.now.elapsed).is_err() {
            return;
        }
        let answer = match verb.to_ascii_uppercase().as_str() {
            "VERSION" => format!("VERSION Parlor {}", env!("CARGO_PKG_VERSION")),
            "PING" if rest.len() <= MOST_CTCP => format!("PING {rest}"),
            _ => return,
        };
        self.send(&format!("NOTICE {nick} :\u{1}{answer}\u{1}"));
    }

    /// What we look like to others, so that lines are cut to fit.
    pub(super) fn know_userhost(&mut self, user: &str, host: &str) {
        if !user.is_empty() && !host.is_empty() {
            self.me.userhost = Some(format!("{user}@{host}"));
        }
    }

    pub(super) fn is_ignored(&self, nick: &str) -> bool {
        if self.ignored.is_empty() {
            return false;
        }
        let key = self.isupport.key(nick);
        self.ignored.iter().any(|(ignored, _)| *ignored == key)
    }
}
