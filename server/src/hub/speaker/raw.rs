//! Raw clients: a tutorial's chat program that knows no line ends. The connection finds the
//! chunks and what kind of client it is; here a chunk becomes a message.

use crate::hub::Hub;
use crate::hub::state::ConnectionId;
use crate::hub::state::member::RawKind;
use crate::protocol::html;

impl Hub {
    /// A raw client has told its name, or never will.
    pub(crate) fn raw_enters(&mut self, id: ConnectionId, name: &str) {
        let nick = self.state.free_name(name);
        self.register_simply(id, nick, name);
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
        let room = self.state.settings.default_room.to_string();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            self.send_in_pieces(id, &room, line, false);
        }
    }

    /// `name: text` without the name, if it is the member's own: the one it has here, or the
    /// one it gave itself, which its program goes on sending.
    fn without_own_name<'a>(&self, id: ConnectionId, text: &'a str) -> &'a str {
        let Some(member) = self.state.member(id) else { return text };
        match text.trim_start().split_once(':') {
            Some((name, rest)) if [member.name(), &member.realname].contains(&name.trim()) => rest,
            _ => text,
        }
    }
}
