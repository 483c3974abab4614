//! The conversation on the screen, as the header shows it.

use std::rc::Rc;

use parlor_ui::slint::{ComponentHandle, SharedString};
use parlor_ui::{App, ComposerView, HostView, RoomView, Words};

use super::clipboard::copy;
use super::rooms::{room_notify, shown_name, whole_name};
use super::text::{self, shared};
use super::{Bridge, on};
use crate::conversations::{Conversation, ConversationId};
use crate::session::{Action, Kind};

impl Bridge {
    pub(super) fn listen_to_room(self: &Rc<Self>, window: &App) {
        let view = window.global::<RoomView>();
        on!(self, view, on_edit_topic, |this, text| {
            this.act_here(|room| Action::Topic { room, text: text.trim().into() });
        });
        on!(self, view, on_leave, |this| this.act_here(|key| Action::Close { key }));
        on!(self, view, on_notify_here, |this, notify| {
            this.current().iter().for_each(|id| this.set_notify(id, room_notify(notify)));
        });
        on!(self, view, on_copy_topic, |this| {
            let topic = this.state.borrow().conversations.current().map(|current| current.topic.clone());
            if let Some(topic) = topic {
                copy(topic);
            }
        });
        on!(self, view, on_copy_invite, |this| {
            let address =
                this.window.upgrade().map(|window| window.global::<RoomView>().get_invite_address());
            if let Some(address) = address {
                copy(address.into());
            }
        });
    }

    pub(super) fn show_room(&self, window: &App) {
        let state = self.state.borrow();
        let (view, Some(current)) = (window.global::<RoomView>(), state.conversations.current()) else {
            return;
        };
        view.set_place(shared(&current.id.place.to_string()));
        view.set_key(shared(current.id.key.as_str()));
        view.set_called(whole_name(&window.global::<Words>(), current));
        view.set_name(shown_name(&window.global::<Words>(), current, &state.naming()));
        view.set_person(current.kind == Kind::Person);
        view.set_strangers(current.kind == Kind::Others);
        view.set_server(current.kind == Kind::Server);
        view.set_topic_open(false);
        show_topic(&view, &current.topic);
        drop(state);
        self.show_out(window);
        self.show_invite(window);
        self.show_room_settings(window);
        self.show_typing(window);
        self.show_room_notify(window);
        self.show_files(window);
        self.look_at_room(window);
    }

    pub(super) fn typing(&self, window: &App, id: &ConversationId, names: Vec<String>) {
        if let Some(conversation) = self.state.borrow_mut().conversations.get_mut(id) {
            conversation.typing = names;
        }
        self.show_typing(window);
    }

    /// Who is typing in the conversation on the screen.
    fn show_typing(&self, window: &App) {
        let (state, words) = (self.state.borrow(), window.global::<Words>());
        let names = state.conversations.current().map_or(&[][..], |current| &current.typing);
        let sentence = match names {
            [] => SharedString::default(),
            [one] => words.invoke_types(shared(one)),
            [one, other] => words.invoke_two_type(shared(one), shared(other)),
            _ => words.invoke_many_type(),
        };
        window.global::<ComposerView>().set_typing(sentence);
    }

    /// Whoever is alone in a room is told how others come in.
    pub(super) fn show_invite(&self, window: &App) {
        let state = self.state.borrow();
        let alone = |current: &&Conversation<_>| {
            current.kind == Kind::Room && current.out.is_none() && current.people.len() == 1
        };
        let address = state.conversations.current().filter(alone).map(|current| {
            let hosted = state.hosting.as_ref().is_some_and(|hosting| hosting.place == current.id.place);
            let told = window.global::<HostView>().get_address_to_tell();
            if hosted && !told.is_empty() { told } else { shared(&current.id.place.address()) }
        });
        window.global::<RoomView>().set_invite_address(address.unwrap_or_default());
    }

    pub(super) fn topic(&self, window: &App, id: &ConversationId, text: String) {
        let mut state = self.state.borrow_mut();
        if state.conversations.is_current(id) {
            show_topic(&window.global::<RoomView>(), &text);
        }
        if let Some(conversation) = state.conversations.get_mut(id) {
            conversation.topic = text;
        }
    }
}

fn show_topic(view: &RoomView<'_>, topic: &str) {
    let shown = text::shown(topic);
    view.set_topic(shared(topic));
    view.set_topic_linked(text::links(&shown).next().is_some());
    view.set_topic_text(text::styled(&shown));
}
