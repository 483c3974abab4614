//! Text that was typed and not sent, by conversation.

use std::collections::BTreeMap;

use crate::conversations::ConversationId;
use crate::place::PlaceId;

/// Text that was typed and not sent: one for each conversation in which there is any, of the person that we are at each
/// place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drafts(BTreeMap<PlaceId, BTreeMap<String, String>>);

impl Drafts {
    /// The draft of a conversation; empty: none.
    pub fn get(&self, id: &ConversationId) -> &str {
        self.0.get(&id.place).and_then(|of| of.get(id.key.as_str())).map_or("", String::as_str)
    }

    /// Keeps a draft in place of the one before; a blank one is none.
    pub fn set(&mut self, id: &ConversationId, text: &str) {
        let of = self.0.entry(id.place.clone()).or_default();
        if text.trim().is_empty() {
            of.remove(id.key.as_str());
        } else {
            of.insert(id.key.to_string(), text.to_owned());
        }
    }

    /// The person whom it is for has another name. Whoever had that name has a draft no more, but its text stays.
    pub fn rename(&mut self, id: &ConversationId, to: &ConversationId) {
        let text = self.0.get_mut(&id.place).and_then(|of| of.remove(id.key.as_str()));
        if let Some(text) = text {
            let there = self.get(to);
            let both = if there.is_empty() || there == text { text } else { format!("{there}\n{text}") };
            self.set(to, &both);
        }
    }

    /// All of a place, by key.
    pub fn of(&self, place: &PlaceId) -> BTreeMap<String, String> {
        self.0.get(place).cloned().unwrap_or_default()
    }

    /// Puts all of a place there: those of the person that we are now.
    pub fn open(&mut self, place: &PlaceId, texts: BTreeMap<String, String>) {
        self.0.insert(place.clone(), texts);
    }

    /// Nobody is there any more.
    pub fn close(&mut self, place: &PlaceId) {
        self.0.remove(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;
    use crate::session::Key;

    #[test]
    fn each_conversation_of_each_place_has_its_own() {
        let id =
            |place: &str, name: &str| ConversationId::new(&Place::parse(place).unwrap().id(), Key::new(name));
        let mut drafts = Drafts::default();
        drafts.set(&id("a:1", "#lobby"), "half a thought");
        drafts.set(&id("b:1", "#lobby"), "another");
        drafts.set(&id("[::1]:1", "#lobby"), " \n");
        assert_eq!(drafts.get(&id("a:1", "#LOBBY")), "half a thought");
        assert_eq!((drafts.get(&id("b:1", "#lobby")), drafts.get(&id("a:1", "bob"))), ("another", ""));
        assert_eq!(drafts.get(&id("[::1]:1", "#lobby")), "");
        drafts.rename(&id("b:1", "#lobby"), &id("b:1", "bob"));
        drafts.rename(&id("b:1", "nobody"), &id("b:1", "bob"));
        assert_eq!((drafts.get(&id("b:1", "#lobby")), drafts.get(&id("b:1", "bob"))), ("", "another"));
        drafts.set(&id("b:1", "#lobby"), "more");
        drafts.rename(&id("b:1", "#lobby"), &id("b:1", "bob"));
        assert_eq!(drafts.get(&id("b:1", "bob")), "another\nmore");
        drafts.set(&id("a:1", "#lobby"), "");
        assert_eq!(drafts.get(&id("a:1", "#lobby")), "");

        // Somebody else comes to the place.
        let of_alice = drafts.of(&id("b:1", "").place);
        drafts.close(&id("b:1", "").place);
        assert_eq!(drafts.get(&id("b:1", "bob")), "");
        drafts.open(&id("b:1", "").place, of_alice);
        assert_eq!(drafts.get(&id("b:1", "bob")), "another\nmore");
    }
}
