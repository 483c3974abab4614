//! Text that was typed and not sent, by conversation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::conversations::ConversationId;

/// Text that was typed and not sent: one for each conversation in which there is any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Drafts {
    /// A [`ConversationId`] as text, which a file can hold, to the draft.
    texts: BTreeMap<String, String>,
}

impl Drafts {
    /// The draft of a conversation; empty: none.
    pub fn get(&self, id: &ConversationId) -> &str {
        self.texts.get(&id.to_string()).map_or("", String::as_str)
    }

    /// Keeps a draft in place of the one before; a blank one is none.
    pub fn set(&mut self, id: &ConversationId, text: &str) {
        if text.trim().is_empty() {
            self.texts.remove(&id.to_string());
        } else {
            self.texts.insert(id.to_string(), text.to_owned());
        }
    }

    /// The person whom it is for has another name.
    pub fn rename(&mut self, id: &ConversationId, to: &ConversationId) {
        if let Some(text) = self.texts.remove(&id.to_string()) {
            self.texts.insert(to.to_string(), text);
        }
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
        drafts.rename(&id("c:1", "nobody"), &id("b:1", "bob"));
        assert_eq!((drafts.get(&id("b:1", "#lobby")), drafts.get(&id("b:1", "bob"))), ("", "another"));
        drafts.set(&id("a:1", "#lobby"), "");
        assert_eq!(drafts.get(&id("a:1", "#lobby")), "");
    }
}
