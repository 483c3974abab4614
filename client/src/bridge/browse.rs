//! The rooms of the server, to join one.

use std::rc::Rc;

use parlor_ui::slint::{ComponentHandle, ModelRc, SharedString, VecModel};
use parlor_ui::{App, BrowseView, ListedRoom as ListedRow};

use super::text::shared;
use super::{Bridge, on};
use crate::conversations::ConversationId;
use crate::place::PlaceId;
use crate::session::{Action, ListedRoom};

impl Bridge {
    pub(super) fn listen_to_browse(self: &Rc<Self>, window: &App) {
        let view = window.global::<BrowseView>();
        on!(self, view, on_filter_listed, |this, text| this.filter_listed(&text));
        on!(self, view, on_join_listed, |this, index| this.join_listed(index));
        on!(self, view, on_join_named, |this, name| this.join_named(&name));
    }

    pub(super) fn browse(&self) {
        if let Some(window) = self.window.upgrade() {
            window.global::<BrowseView>().set_listing(true);
            window.global::<BrowseView>().set_listed_filter(SharedString::default());
            self.filter_listed("");
            self.act_at_place(Action::ListRooms);
        }
    }

    pub(super) fn listed(&self, window: &App, id: &PlaceId, listed: Vec<ListedRoom>) {
        if let Some(place) = self.state.borrow_mut().places.get_mut(id) {
            place.listed = listed;
        }
        if self.place_id().as_ref() == Some(id) {
            window.global::<BrowseView>().set_listing(false);
            self.show_listed(window);
        }
    }

    fn filter_listed(&self, text: &str) {
        let Some(window) = self.window.upgrade() else { return };
        self.state.borrow_mut().listed_filter = text.to_lowercase();
        self.show_listed(&window);
    }

    fn listed_rows(&self) -> Vec<ListedRow> {
        let state = self.state.borrow();
        let Some(place) = state.place() else { return Vec::new() };
        let fits = |room: &&ListedRoom| {
            format!("{} {}", room.name, room.topic).to_lowercase().contains(&state.listed_filter)
        };
        let joined = |name: &str| {
            state.conversations.get(&ConversationId::new(&place.id, place.naming.key(name))).is_some()
        };
        let row = |room: &ListedRoom| ListedRow {
            name: shared(&room.name),
            people: room.people as i32,
            topic: shared(&room.topic),
            joined: joined(&room.name),
        };
        place.listed.iter().filter(fits).map(row).collect()
    }

    fn show_listed(&self, window: &App) {
        window.global::<BrowseView>().set_listed(ModelRc::new(VecModel::from(self.listed_rows())));
    }

    fn join_listed(&self, index: i32) {
        let row = usize::try_from(index).ok().and_then(|index| self.listed_rows().into_iter().nth(index));
        row.into_iter().for_each(|row| self.join_named(&row.name));
    }

    /// Goes to a room, and joins it before if need be.
    fn join_named(&self, name: &str) {
        let Some(window) = self.window.upgrade() else { return };
        let wanted = {
            let state = self.state.borrow();
            let Some(place) = state.place() else { return };
            let room = place.naming.room(name);
            ConversationId::new(&place.id, place.naming.key(&room))
        };
        let open = self.state.borrow().conversations.get(&wanted).is_some();
        if open {
            self.show(&window, &wanted);
        } else {
            self.act(&wanted.place, Action::Join { room: name.into(), key: None });
        }
    }
}
