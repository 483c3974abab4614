//! Raw clients: chat programs of tutorials. Their connection finds out what kind of program it is
//! and where its messages end; here they are said.

use crate::hub::Hub;
use crate::hub::delivery::event::What;
use crate::hub::delivery::queue::Order;
use crate::hub::state::ConnectionId;
use crate::hub::state::member::RawKind;
use crate::protocol::html;
use crate::protocol::raw::{self, GOOD_BYE, Tagged};

/// What a program that answered the prompt is told, and waits for.
const CONNECTED: &str = "Connected to server!\n";
/// What others are told of somebody whose program said good-bye.
const GONE: &str = "left the chat room";
/// What a program says that waits for any answer.
const HELLO: &str = "Hello, server!";
impl Hub {
    /// A raw client has told its name, or never will.
    pub(crate) fn raw_enters(&mut self, id: ConnectionId, kind: RawKind, name: &str) {
        let near = self.state.member(id).is_some_and(|member| member.peer.ip().is_loopback());
        if self.state.settings.password.is_some() && !near {
            return self.lost(id, "This server has a password, and this program can give none");
        }
        let nick = self.state.free_name(name);
        if kind == RawKind::Prompted {
            self.delivery.send(id, CONNECTED.as_bytes().into(), Order::News);
        }
        self.register_simply(id, nick, name);
    }

    /// One message, as the client wrote it.
    pub(crate) fn raw_line(&mut self, id: ConnectionId, kind: RawKind, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let Some(member) = self.state.member(id) else { return };
        // Its program goes on with the name that it told, whatever it is called here.
        let names = [member.realname.to_string(), member.name().to_owned()];
        let own = |tagged: &Tagged| names.iter().any(|name| name == tagged.name());
        let tagged = raw::tagged(&line).filter(|(tagged, _)| kind == RawKind::Html && own(tagged));
        let text = match tagged {
            _ if line.trim() == GOOD_BYE => return self.quit(id, Some(GONE)),
            Some((Tagged::Left(_), _)) => return self.quit(id, Some(GONE)),
            Some((Tagged::Joined(_), _)) => {
                // As its own server does: its program shows nothing by itself.
                let event = self.event(id, What::Join { room: "", realname: "" });
                return self.tell(id, &event);
            }
            Some((Tagged::Says(_), text)) => html::text(text),
            None if kind == RawKind::Html => html::text(&line),
            None if kind == RawKind::Bare => line.into_owned(),
            None => names.iter().find_map(|name| raw::behind_name(&line, name)).unwrap_or(&line).to_owned(),
        };
        if text.trim().is_empty() {
            return;
        }
        let room = self.state.settings.default_room.to_string();
        self.send_in_pieces(id, &room, &text, false);
        if kind == RawKind::Bare && text.trim() == HELLO {
            let text = format!("Hello, {}!", self.state.nick_of(id));
            let event = self.server_event(What::Announcement { target: "*", text: &text });
            self.tell(id, &event);
        }
    }
}
