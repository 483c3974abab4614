//! What people say: PRIVMSG, NOTICE, and CTCP inside them.

use parlor_server::protocol::Message;
use parlor_server::protocol::text::{self, legible, printable};

use super::delivery::token_name;
use super::line::{Delivery, LineId, LineKind, Parts};
use super::mention::mentions;
use super::reactions::reply_of;
use super::stamp::Stamp;
use super::style;
use super::{Key, Sentence, Session};

/// Bytes of a CTCP PING that are sent back.
const MAX_CTCP: usize = 200;

impl Session {
    pub(super) fn on_talk(&mut self, message: &Message<'_>, stamp: &Stamp<'_>, kind: LineKind) {
        let (Some(target), Some(raw)) = (message.params.filled(0), message.params.get(1)) else { return };
        let Some(sender) = self.sender(message).filter(|_| !self.is_the_servers(message, target)) else {
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
        let (shown, spans) = style::parse(raw);
        let reply = reply_of(message);
        let room = self.room_of(target).map(str::to_owned);
        let place = match &room {
            Some(room) => self.room(room).unwrap_or_else(Key::server),
            None => self.private_place(if own { target } else { sender.nick }),
        };
        let mention = !own && mentions(&shown, &self.me.nick);
        let state = if own { Delivery::Delivered } else { Delivery::None };
        let (at, msgid, from) = (stamp.at, stamp.msgid.as_deref(), sender.nick);
        let (text, spans, reply) = (&*shown, &*spans, reply.as_deref());
        let parts =
            Parts { kind, from, text, at, msgid, own, mention, state, spans, reply, ..Parts::default() };
        if self.collect(stamp, &parts) {
            return;
        }
        // The receipt of a line that went under an earlier name bears that.
        let waits = |token: &str| self.outgoing.waits(&place, token, &shown);
        let ours =
            own || stamp.token.as_deref().is_some_and(|token| self.was_me(sender.nick) || waits(token));
        if ours && !own && self.perhaps_no_receipt(&place, stamp) {
            return;
        }
        if ours && self.echoed(&place, message, stamp, &parts) {
            return;
        }
        if self.is_known(&place, stamp, &shown) {
            return;
        }
        if !own && !stamp.old {
            self.types_no_more(&place, sender.nick);
        }
        if room.is_none() {
            self.open_private(&place, if own { target } else { sender.nick });
            if !own {
                self.spell(&place, sender.nick);
            }
        }
        let Some(line) = self.add_of(&place, &parts, stamp) else { return };
        self.remember(stamp, &shown, line.id());
        if !own && !stamp.old {
            if let Some(position) = stamp.position(self.isupport.sorted)
                && let Some(conversation) = self.conversations.get_mut(&place)
            {
                conversation.log.heard(position);
            }
            self.count_unread(&place, &line);
        }
    }

    /// Whether what seems to be a person's is the server's: anything before the welcome, and a notice
    /// to us from a name without a host with whom nothing is open (`:services NOTICE me :…`).
    fn is_the_servers(&self, message: &Message<'_>, target: &str) -> bool {
        let bare = message.source.is_some_and(|source| !source.contains(['!', '@']));
        let from = self.isupport.key(message.source.unwrap_or_default());
        let notice = message.command.eq_ignore_ascii_case("NOTICE") && self.room_of(target).is_none();
        !self.registration.is_welcomed() || (bare && notice && !self.conversations.contains_key(&from))
    }

    /// The room a message is for, perhaps behind the rank that is to hear it (`@#room`).
    pub(super) fn room_of<'a>(&self, target: &'a str) -> Option<&'a str> {
        let names = std::iter::successors(Some(target), |name| self.isupport.behind_rank(name));
        let open = names.clone().find(|name| self.room(name).is_some());
        open.or_else(|| names.filter(|name| self.isupport.is_room(name)).last())
    }

    /// Whether a line was shown before: by the server's name for it, or by its sender's, who
    /// sent it again because no receipt had come.
    fn is_known(&mut self, key: &Key, stamp: &Stamp<'_>, text: &str) -> bool {
        if stamp.msgid.as_ref().is_some_and(|msgid| self.recent.get(msgid).is_some()) {
            return true;
        }
        let Some(name) = stamp.token.as_ref().map(|token| token_name(token, text)) else { return false };
        self.replace_taken_back(key, &name, stamp.position(self.isupport.sorted));
        // It may have been withdrawn meanwhile: then it is back now.
        let known = self.recent.get(&name);
        known.is_some_and(|id| self.conversations.get(key).is_some_and(|c| c.log.get(id).is_some()))
    }

    fn remember(&mut self, stamp: &Stamp<'_>, text: &str, line: LineId) {
        if let Some(msgid) = &stamp.msgid {
            self.recent.insert(msgid, line);
        }
        if let Some(token) = &stamp.token {
            self.recent.insert(&token_name(token, text), line);
        }
    }

    /// The server itself speaks: in a room to all, else among its own messages.
    fn server_says(&mut self, message: &Message<'_>, stamp: &Stamp<'_>, target: &str, raw: &str) {
        let room = self.room_of(target).and_then(|room| self.room(room));
        let place = room.clone().unwrap_or_else(Key::server);
        let shown = legible(raw);
        let mention = room.is_some() && mentions(&shown, &self.me.nick);
        let (from, at, msgid) = (message.source.unwrap_or_default(), stamp.at, stamp.msgid.as_deref());
        let kind = LineKind::Notice;
        let parts = Parts { kind, from, text: &shown, at, msgid, mention, ..Parts::default() };
        if self.collect(stamp, &parts) || self.is_known(&place, stamp, &shown) {
            return;
        }
        let Some(line) = self.add_of(&place, &parts, stamp) else { return };
        self.remember(stamp, &shown, line.id());
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
        if verb.eq_ignore_ascii_case("DCC") && (kind != LineKind::Notice || rest.starts_with("REJECT SEND "))
        {
            return self.on_dcc(nick, target, rest, stamp);
        }
        if stamp.old || !self.is_me(target) || self.ctcp_throttle.take(self.now.elapsed).is_err() {
            return;
        }
        if kind == LineKind::Notice {
            let (name, verb, text) = (nick.to_owned(), printable(verb), printable(rest));
            return self.answer(Sentence::CtcpAnswer { name, verb, text });
        }
        let answer = match verb.to_ascii_uppercase().as_str() {
            "VERSION" => format!("VERSION Parlor {}", env!("CARGO_PKG_VERSION")),
            "PING" if rest.len() <= MAX_CTCP => format!("PING {rest}"),
            _ => return,
        };
        self.send(&format!("NOTICE {nick} :\u{1}{answer}\u{1}"));
    }

    /// What we look like to others, so that lines are cut to fit.
    pub(super) fn know_userhost(&mut self, user: &str, host: &str) {
        if !user.is_empty() && !host.is_empty() {
            let userhost = Some(format!("{user}@{host}"));
            if self.me.userhost != userhost {
                self.me.userhost = userhost;
                self.tell_line_room();
            }
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
