//! Raw clients: a tutorial's chat program that knows no line ends. The connection finds the
//! chunks and what kind of client it is; here a chunk becomes a message.

use crate::hub::{ConnectionId, Hub, RawKind};
use crate::protocol::Nick;
use crate::protocol::html;
use crate::protocol::name::{MAX_BYTES, MAX_CHARS};

/// Name of who tells none; numbered.
const ANONYMOUS: &str = "guest";

impl Hub {
    /// A raw client has told its name, or never will.
    pub(crate) fn raw_enters(&mut self, id: ConnectionId, name: &str) {
        let nick = self.free_name(name);
        self.enter_simply(id, nick, name);
    }

    /// The nearest free name: what cannot stand in a name becomes `_`, a taken one gets a
    /// number.
    pub(crate) fn free_name(&self, wanted: &str) -> Nick {
        let mut base = String::new();
        for c in wanted.trim().chars() {
            let longer =
                [format!("{base}{c}"), format!("{base}_")].into_iter().find(|n| Nick::parse(n).is_ok());
            let Some(longer) = longer else { break };
            base = longer;
        }
        if base.is_empty() {
            base.push_str(ANONYMOUS);
        }
        let first = if base == ANONYMOUS { Some(1) } else { None };
        let mut number = first;
        loop {
            let suffix = number.map_or(String::new(), |number: u32| number.to_string());
            let kept: String = base.chars().take(MAX_CHARS - suffix.len()).collect();
            let kept = &kept[..kept.floor_char_boundary(MAX_BYTES - suffix.len())];
            if let Ok(nick) = Nick::parse(&format!("{kept}{suffix}"))
                && !self.is_taken(&nick)
            {
                return nick;
            }
            // Ends: there are fewer members than numbers.
            number = Some(number.map_or(2, |number| number + 1));
        }
    }

    pub(crate) fn raw_chunk(&mut self, id: ConnectionId, kind: RawKind, chunk: &[u8]) {
        let text = String::from_utf8_lossy(chunk);
        let text = match kind {
            RawKind::Html => html::text(&text),
            RawKind::Ascii | RawKind::Utf8 => text.into_owned(),
        };
        let text = self.without_own_name(id, &text).trim().to_owned();
        if text.is_empty() {
            return;
        }
        let room = self.settings.default_room.to_string();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            self.send_in_pieces(id, &room, line, false);
        }
    }

    /// `name: text` without the name, if it is the member's own: the one it has here, or the
    /// one it gave itself, which its program goes on sending.
    fn without_own_name<'a>(&self, id: ConnectionId, text: &'a str) -> &'a str {
        let Some(member) = self.member(id) else { return text };
        match text.trim_start().split_once(':') {
            Some((name, rest)) if [member.name(), &member.realname].contains(&name.trim()) => rest,
            _ => text,
        }
    }
}
