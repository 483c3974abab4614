//! Who wants to speak next (client-only tag `+parlor/hand`). Our server keeps the order and tells it to whoever comes in;
//! elsewhere the tag alone works, between windows like this one.

use parlor_server::protocol::tag::HAND;
use parlor_server::protocol::{Capability, Message};

use super::stamp::Stamp;
use super::{Key, Sentence, Session};

impl Session {
    /// Whether others are told of a hand.
    pub(super) fn takes_hands(&self) -> bool {
        self.caps.has(Capability::MessageTags) && !self.isupport.denies_hands
    }

    /// A TAGMSG that raises or lowers a hand. Says whether it was one.
    pub(super) fn on_hand(&mut self, message: &Message<'_>, stamp: &Stamp<'_>) -> bool {
        let Some(value) = message.tags.get(HAND) else { return false };
        let up = match &*value {
            "up" => true,
            "down" => false,
            _ => return true,
        };
        let (Some(sender), Some(target)) = (self.sender(message), message.params.filled(0)) else {
            return true;
        };
        if let Some(room) = self.room(target).filter(|_| !stamp.old) {
            self.hand_is(&room, sender.nick, up);
        }
        true
    }

    fn hand_is(&mut self, room: &Key, nick: &str, up: bool) {
        let person = self.isupport.key(nick);
        if let Some(conversation) = self.conversations.get_mut(room).filter(|c| c.joined) {
            conversation.roster.hand_is(&person, up);
        }
    }

    /// Raises or lowers our own hand, or lowers somebody's, which is for operators and our own servers.
    pub(super) fn hand(&mut self, room: &Key, up: bool, nick: Option<&str>) {
        let other = nick.map(str::trim).filter(|nick| !nick.is_empty() && !self.is_me(nick));
        let possible = self.takes_hands() && (other.is_none() || self.isupport.sorted);
        if self.is_ready() && !possible {
            return self.complain(Sentence::HandsNotPossible);
        }
        if let Some(nick) = other {
            return self.ask_about(room, nick, |name, nick| format!("HAND {name} DOWN {nick}"));
        }
        let state = if up { "up" } else { "down" };
        self.ask(room, |name| format!("@{HAND}={state} TAGMSG {name}"));
        // Where it does not come back to us it is as we say.
        if self.is_ready() && !self.isupport.sorted && !self.caps.has(Capability::EchoMessage) {
            let me = self.me.nick.clone();
            let room = self.known(room).unwrap_or_else(|| room.clone());
            self.hand_is(&room, &me, up);
        }
    }
}
