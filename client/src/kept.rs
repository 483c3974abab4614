//! What is kept of one person at one place from one start to the next: what was open, how far it was read, what was
//! typed and not sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::limits::OPEN_KEPT;
use crate::notify::RoomNotify;
use crate::place::PlaceId;
use crate::session::{Kind, Open, Unsent};

/// See the [module](self). As a file holds it: tables come last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// Whose it is: a [`crate::place::Identity`] as text.
    pub whose: String,
    /// The key of the conversation on the screen; empty: none.
    pub current: String,
    /// The key of a conversation to what is typed in it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub drafts: BTreeMap<String, String>,
    /// The key of a conversation to what the desktop is told of it, where that is not as usual; at most [`OPEN_KEPT`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub notify: BTreeMap<String, RoomNotify>,
    /// In the order of the list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Open>,
    /// In the order in which they were typed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsent: Vec<Unsent>,
}

impl Kept {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty() && self.notify.is_empty() && self.open.is_empty() && self.unsent.is_empty()
    }

    /// What is open now, from top to bottom.
    pub fn set_open(&mut self, mut open: Vec<Open>, current: String) {
        open.retain(|one| matches!(one.kind, Kind::Room | Kind::Person));
        open.truncate(OPEN_KEPT);
        (self.open, self.current) = (open, current);
    }

    /// Takes in what another window of the same person has left; what is here already stays as it is. Of two drafts
    /// the other one comes below.
    pub fn absorb(&mut self, other: Kept) {
        for (key, text) in other.drafts {
            self.add_draft(key, &text);
        }
        for (key, notify) in other.notify {
            if self.notify.len() < OPEN_KEPT {
                self.notify.entry(key).or_insert(notify);
            }
        }
        let known = |open: &[Open], one: &Open| open.iter().any(|mine| mine.name == one.name);
        other.open.into_iter().for_each(|one| {
            if !known(&self.open, &one) && self.open.len() < OPEN_KEPT {
                self.open.push(one);
            }
        });
        for line in other.unsent {
            if !self.unsent.iter().any(|mine| mine.token == line.token) {
                self.unsent.push(line);
            }
        }
    }

    fn add_draft(&mut self, key: String, text: &str) {
        let draft = self.drafts.entry(key).or_default();
        if draft.is_empty() {
            text.clone_into(draft);
        } else if !draft.contains(text) {
            *draft = format!("{draft}\n{text}");
        }
    }
}

/// The files of earlier versions: by place alone, so nobody knows whose a line is.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Nameless {
    /// A place and the key of a conversation, as text, to what is typed there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) texts: BTreeMap<String, String>,
    /// A place to lines.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) unsent: BTreeMap<String, Vec<Unsent>>,
}

impl Nameless {
    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.unsent.is_empty()
    }

    /// Takes out what is of this place: lines as ones that failed, because who comes now may be somebody else.
    pub(crate) fn take(&mut self, place: &PlaceId) -> Kept {
        let (place, mut found) = (place.to_string(), Kept::default());
        for (id, text) in std::mem::take(&mut self.texts) {
            match id.split_once(' ').filter(|(of, _)| *of == place) {
                Some((_, key)) => drop(found.drafts.insert(key.to_owned(), text)),
                None => drop(self.texts.insert(id, text)),
            }
        }
        found.unsent = self.unsent.remove(&place).unwrap_or_default();
        found.unsent.iter_mut().for_each(|line| line.state = crate::session::UnsentState::Nameless);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;
    use crate::session::UnsentState;

    fn line(token: &str) -> Unsent {
        Unsent { to: "#lobby".into(), token: token.into(), text: token.into(), ..Unsent::default() }
    }

    #[test]
    fn two_windows_of_one_person_lose_nothing() {
        let mut first = Kept { unsent: vec![line("1")], ..Kept::default() };
        first.drafts.insert("#lobby".into(), "half".into());
        let mut second = Kept { unsent: vec![line("1"), line("2")], ..Kept::default() };
        second.drafts.insert("#lobby".into(), "a thought".into());
        second.drafts.insert("bob".into(), "psst".into());
        second.notify.insert("#lobby".into(), RoomNotify::Muted);
        second.open = vec![Open { name: "#lobby".into(), ..Open::default() }];
        for _ in 0..2 {
            first.absorb(second.clone());
            assert_eq!(first.unsent, [line("1"), line("2")]);
            assert_eq!(first.notify["#lobby"], RoomNotify::Muted);
            assert_eq!(first.drafts["#lobby"], "half\na thought");
            assert_eq!((first.drafts["bob"].as_str(), first.open.len()), ("psst", 1));
        }
    }

    #[test]
    fn nobody_sends_what_is_nobodys() {
        let place = |text: &str| Place::parse(text).unwrap().id();
        let mut old = Nameless::default();
        old.texts.insert("a:1 #lobby".into(), "half".into());
        old.texts.insert("a:12 #lobby".into(), "elsewhere".into());
        old.unsent.insert("a:1".into(), vec![line("1")]);
        let found = old.take(&place("a:1"));
        assert_eq!(found.drafts.into_iter().collect::<Vec<_>>(), [("#lobby".into(), "half".into())]);
        assert_eq!(found.unsent[0].state, UnsentState::Nameless);
        assert!(!old.is_empty() && old.take(&place("a:1")).is_empty());
        assert!(!old.take(&place("a:12")).is_empty() && old.is_empty());
    }

    #[test]
    fn open_conversations_have_a_bound() {
        let mut kept = Kept::default();
        let open = |i: usize| Open { name: format!("#{i}"), ..Open::default() };
        kept.set_open((0..2 * OPEN_KEPT).map(open).collect(), "#0".into());
        assert_eq!(kept.open.len(), OPEN_KEPT);
        kept.absorb(Kept { open: vec![open(OPEN_KEPT)], ..Kept::default() });
        assert_eq!(kept.open.len(), OPEN_KEPT);
    }
}
