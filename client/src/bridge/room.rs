//! The conversation on the screen, as the header shows it.

use std::rc::Rc;

use parlor_ui::slint::ComponentHandle;
use parlor_ui::{App, RoomView, Words};

use super::rooms::shown_name;
use super::text::shared;
use super::{Bridge, on};
use crate::conversations::ConversationId;
use crate::session::{Action, Kind};

impl Bridge {
    pub(super) fn listen_to_room(self: &Rc<Self>, window: &App) {
        let view = window.global::<RoomView>();
        on!(self, view, on_edit_topic, |this, text| {
            this.act_here(|room| Action::Topic { room, text: text.trim().into() });
        });
        on!(self, view, on_leave, |this| this.act_here(|key| Action::Close { key }));
    }

    pub(super) fn show_room(&self, window: &App) {
        let state = self.state.borrow();
        let (view, Some(current)) = (window.global::<RoomView>(), state.conversations.current()) else {
            return;
        };
        view.set_place(shared(&current.id.place.to_string()));
        view.set_key(shared(current.id.key.as_str()));
        view.set_name(shown_name(&window.global::<Words>(), current, &state.naming()));
        view.set_person(current.kind == Kind::Person);
        view.set_strangers(current.kind == Kind::Others);
        view.set_server(current.kind == Kind::Server);
        view.set_topic(shared(&current.topic));
    }

    pub(super) fn topic(&self, window: &App, id: &ConversationId, text: String) {
        let mut state = self.state.borrow_mut();
        if state.conversations.is_current(id) {
            window.global::<RoomView>().set_topic(shared(&text));
        }
        if let Some(conversation) = state.conversations.get_mut(id) {
            conversation.topic = text;
        }
    }
}
