//! Who wants to speak in a room.

use std::rc::Rc;

use parlor_ui::slint::ComponentHandle;
use parlor_ui::{App, PeopleView, Words};

use super::text::shared;
use super::{Bridge, on};
use crate::conversations::ConversationId;
use crate::session::{Action, Key};

impl Bridge {
    pub(super) fn listen_to_hands(self: &Rc<Self>, window: &App) {
        let view = window.global::<PeopleView>();
        on!(self, view, on_raise_hand, |this, up| {
            this.act_here(|room| Action::Hand { room, up, nick: None });
        });
        on!(self, view, on_lower_hand, |this, name| {
            this.act_here(|room| Action::Hand { room, up: false, nick: Some(name.into()) });
        });
    }

    /// Says whether they are on the screen; a screen reader is told of those that are new there.
    pub(super) fn hands(self: &Rc<Self>, window: &App, id: &ConversationId, hands: Vec<Key>) -> bool {
        let said: Vec<String> = {
            let mut state = self.state.borrow_mut();
            let current = state.conversations.is_current(id);
            let Some(conversation) = state.conversations.get_mut(id) else { return false };
            let before = std::mem::replace(&mut conversation.hands, hands);
            // Those that were up when we came in are no news.
            let here = std::mem::replace(&mut conversation.hands_known, !conversation.people.is_empty());
            if !current {
                return false;
            }
            let words = window.global::<Words>();
            let raised = conversation.hands.iter().filter(|hand| !before.contains(hand));
            let lowered = before.iter().filter(|hand| !conversation.hands.contains(hand));
            let named = |key: &Key| {
                conversation.people.iter().find(|one| one.key == *key).map(|one| shared(&one.name))
            };
            let raised = raised.filter_map(named).map(|name| words.invoke_raises_hand(name));
            let lowered = lowered.filter_map(named).map(|name| words.invoke_lowers_hand(name));
            raised.chain(lowered).filter(|_| here).map(Into::into).collect()
        };
        said.into_iter().for_each(|sentence| self.announce(sentence));
        true
    }
}
