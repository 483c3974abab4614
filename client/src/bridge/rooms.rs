//! The list on the left: rooms, people and the server, and which of them is on the screen.

use std::rc::Rc;

use parlor_ui::slint::{ComponentHandle, SharedString};
use parlor_ui::{
    App, ConnectView, Panel, PeopleView, RoomNotify as RoomNotifyChoice, RoomRow, RoomView, RoomsView,
    Screen, Shell, StatusKind, StatusView, Words,
};

use super::lines::Lines;
use super::places::OpenPlace;
use super::state::{ListRow, State};
use super::text::shared;
use super::{Bridge, on, rows};
use crate::conversations::{Conversation, ConversationId};
use crate::notify::RoomNotify;
use crate::place::PlaceId;
use crate::session::{Action, Key, Kind, Naming, Status, UnixMillis};

impl Bridge {
    pub(super) fn listen_to_rooms(self: &Rc<Self>, window: &App) {
        let view = window.global::<RoomsView>();
        on!(self, view, on_select_room, |this, index| this.select(index));
        on!(self, view, on_previous_room, |this| this.step(-1));
        on!(self, view, on_next_room, |this| this.step(1));
        on!(self, view, on_next_unread, |this| this.next_unread());
        on!(self, view, on_close_room, |this, index| this.close(index));
        on!(self, view, on_another_server, |this| this.join_another());
        on!(self, view, on_reconnect, |this, index| this.with_place(index, Self::call_again));
        on!(self, view, on_disconnect, |this, index| this.with_place(index, |this, id| this.go_offline(id)));
        on!(self, view, on_close_place, |this, index| this.with_place(index, Self::close_place));
        on!(self, view, on_forget_place, |this, index| this.with_place(index, Self::forget_place));
        on!(self, view, on_show_server, |this, index| this.with_place(index, Self::show_server));
        on!(self, view, on_notify_room, |this, index, notify| {
            this.id_at(index).iter().for_each(|id| this.set_notify(id, room_notify(notify)));
        });
    }

    fn with_place(self: &Rc<Self>, index: i32, what: impl FnOnce(&Rc<Self>, &PlaceId)) {
        let place = {
            let state = self.state.borrow();
            match usize::try_from(index).ok().and_then(|index| state.list().into_iter().nth(index)) {
                Some(ListRow::Place(place)) => Some(place.id.clone()),
                _ => None,
            }
        };
        if let Some(place) = place {
            what(self, &place);
        }
    }

    /// Leaves a place, and does not offer it again.
    fn forget_place(self: &Rc<Self>, place: &PlaceId) {
        let name = self.state.borrow().places.get(place).map(|place| place.name.clone());
        self.close_place(place);
        let (Some(name), Some(window)) = (name, self.window.upgrade()) else { return };
        self.state.borrow_mut().settings.bookmarks.forget(&place.to_string(), &name);
        self.keep_settings();
        self.show_bookmarks(&window);
    }

    /// What the server itself says.
    fn show_server(self: &Rc<Self>, place: &PlaceId) {
        if let Some(window) = self.window.upgrade() {
            self.show(&window, &ConversationId::new(place, Key::server()));
        }
    }

    /// What the desktop is told of a conversation from now on.
    pub(super) fn set_notify(&self, id: &ConversationId, notify: RoomNotify) {
        let Some(window) = self.window.upgrade() else { return };
        {
            let state = &mut *self.state.borrow_mut();
            if let Some(conversation) = state.conversations.get_mut(id) {
                conversation.notify = notify;
            }
            if let Some(place) = state.places.get_mut(&id.place) {
                place.set_notify(&id.key, notify);
            }
        }
        self.keep_place(&id.place);
        self.show_rooms(&window);
        self.show_room_notify(&window);
    }

    pub(super) fn opened(&self, window: &App, id: &ConversationId, name: String, kind: Kind) {
        let show = {
            let mut state = self.state.borrow_mut();
            let (format, fold) = (state.settings.time_format, state.settings.fold_joins);
            let back =
                state.places.get_mut(&id.place).and_then(|place| place.back(&id.key)).unwrap_or_default();
            let lines = || {
                let lines = Rc::new(Lines::new(self.window.clone(), format, fold));
                if back.read > 0 {
                    lines.resume(UnixMillis(back.read));
                }
                lines
            };
            let show = state.conversations.open(id, name, kind, lines);
            let notify = state.places.get(&id.place).and_then(|place| place.notify.get(id.key.as_str()));
            let notify = notify.copied().unwrap_or_default();
            if let Some(conversation) = state.conversations.get_mut(id) {
                conversation.notify = notify;
                if !back.key.is_empty() {
                    conversation.room_key = back.key;
                }
            }
            show
        };
        if show {
            self.show(window, id);
        }
        if kind == Kind::Room {
            // What was refused before is not what there is to say any more.
            let refused = self.state.borrow_mut().refused.take_if(|place| *place == id.place).is_some();
            if refused {
                window.global::<StatusView>().set_notice(SharedString::default());
            }
            self.own_the_room(id);
            self.enter(window, &id.place);
        }
        if std::mem::take(&mut self.state.borrow_mut().returning) {
            window.global::<ConnectView>().set_busy(false);
            window.global::<Shell>().set_screen(Screen::Room);
        }
    }

    pub(super) fn closed(&self, window: &App, id: &ConversationId) {
        self.take_draft();
        self.forget_files(id);
        let next = self.state.borrow_mut().conversations.close(id);
        if let Some(next) = next {
            self.show(window, &next);
        }
    }

    /// Something was said there. Says whether the list shows that one from now on.
    pub(super) fn spoke(&self, id: &ConversationId) -> bool {
        let mut state = self.state.borrow_mut();
        let Some(conversation) = state.conversations.get_mut(id) else { return false };
        !std::mem::replace(&mut conversation.spoke, true) && conversation.kind == Kind::Server
    }

    pub(super) fn renamed(&self, window: &App, id: &ConversationId, to: &ConversationId, name: String) {
        self.take_draft();
        self.rename_files(id, to, &name);
        {
            let mut state = self.state.borrow_mut();
            state.drafts.rename(id, to);
            state.conversations.rename(id, to, name);
            if let Some(place) = state.places.get_mut(&id.place)
                && let Some(notify) = place.notify.remove(id.key.as_str())
            {
                place.set_notify(&to.key, notify);
            }
            state.rename(id, to);
        }
        if self.state.borrow().conversations.is_current(to) {
            if id == to {
                // Only the name is written in another way: who types there is not disturbed.
                self.show_room(window);
            } else {
                // Perhaps somebody else of that name had one, too.
                self.restore_draft(window, to);
                self.show(window, to);
            }
        }
    }

    /// Whether a private conversation is open there.
    pub(super) fn talks_to_somebody(&self, place: &PlaceId) -> bool {
        let state = self.state.borrow();
        state.conversations.iter().any(|open| open.id.place == *place && open.kind == Kind::Person)
    }

    /// Puts a conversation on the screen.
    pub(super) fn show(&self, window: &App, id: &ConversationId) {
        self.take_draft();
        let moved;
        {
            let mut state = self.state.borrow_mut();
            let before = state.conversations.current().filter(|current| current.id != *id);
            moved = before.is_none_or(|before| before.id.place != id.place);
            let before = before.map(|current| Rc::clone(&current.view));
            if !state.conversations.show(id) {
                return;
            }
            if let Some(place) = state.places.get_mut(&id.place) {
                place.last = Some(id.key.clone());
            }
            state.people_filter.clear();
            state.completion = None;
            drop(state);
            before.iter().for_each(|before| before.leave());
        }
        self.wake_cursor();
        self.forget_done();
        self.show_lines(window);
        self.show_room(window);
        if self.state.borrow().finding.id.as_ref().is_some_and(|of| of != id) {
            self.forget_found(window);
        }
        self.restore_draft(window, id);
        self.keep_drafts();
        self.look(window);
        window.global::<PeopleView>().set_people_filter(SharedString::default());
        self.show_people(window);
        self.show_rooms(window);
        self.show_status(window);
        if moved && window.global::<Shell>().get_panel() == Panel::Browse {
            self.browse();
        }
    }

    /// Shows a conversation: now, or as soon as it is open.
    pub(super) fn go(&self, window: &App, id: ConversationId) {
        if self.state.borrow_mut().conversations.want(id.clone()) {
            self.show(window, &id);
        }
    }

    /// The list, and the window's title.
    pub(super) fn show_rooms(&self, window: &App) {
        let state = self.state.borrow();
        let (usual, mut rows, words) = (Naming::default(), Vec::new(), window.global::<Words>());
        for row in state.list() {
            let conversation = match row {
                ListRow::Conversation(conversation) => conversation,
                ListRow::Place(place) => {
                    rows.push(self.heading(&words, &state, place));
                    continue;
                }
            };
            let naming = state.places.get(&conversation.id.place).map_or(&usual, |place| &place.naming);
            rows.push(RoomRow {
                place: shared(&conversation.id.place.to_string()),
                key: shared(conversation.id.key.as_str()),
                name: shown_name(&words, conversation, naming),
                unread: conversation.unread as i32,
                mention: conversation.is_for_me(),
                person: matches!(conversation.kind, Kind::Person | Kind::Others),
                current: state.conversations.is_current(&conversation.id),
                away: state.conversations.is_away(conversation),
                server: conversation.kind == Kind::Server,
                notify: notify_choice(conversation.notify),
                ..RoomRow::default()
            });
        }
        let view = window.global::<RoomsView>();
        let begins = |pair: &[RoomRow]| match pair {
            [above, row] => row.heading || (!above.heading && (above.person != row.person || row.server)),
            _ => false,
        };
        let current = rows.iter().position(|row| row.current).unwrap_or_default();
        let parts = rows.windows(2).take(current).filter(|pair| begins(pair)).count();
        view.set_parts(parts as i32);
        view.set_current(current as i32);
        view.set_waiting(
            rows.iter().any(|row| row.unread > 0 && !row.current && row.notify != RoomNotifyChoice::Muted),
        );
        view.set_waiting_for_me(rows.iter().any(|row| row.mention && !row.current));
        let name = |row: &RoomRow| (row.place.clone(), row.key.clone());
        rows::show(&view.get_rooms(), rows, name, |rows| view.set_rooms(rows));
        // As long as the card is there, the title is the card's.
        let inside = window.global::<Shell>().get_screen() == Screen::Room;
        if let Some(current) = state.conversations.current().filter(|_| inside) {
            let waiting = i32::try_from(state.conversations.waiting()).unwrap_or(i32::MAX);
            let mut name = whole_name(&words, current);
            if let Some(place) = state.label_among(&current.id.place) {
                name = shared(&format!("{name} · {place}"));
            }
            let title = words.invoke_title(name, waiting);
            window.global::<Shell>().set_title(title);
        }
        self.show_waiting();
    }

    /// The same of the one on the screen, in its own menu.
    pub(super) fn show_room_notify(&self, window: &App) {
        let state = self.state.borrow();
        let notify = state.conversations.current().map(|current| current.notify).unwrap_or_default();
        window.global::<RoomView>().set_notify(notify_choice(notify));
    }

    /// Where there are several places, the list shows how each of them stands.
    pub(super) fn show_headings(&self, window: &App) {
        if self.state.borrow().places.len() > 1 {
            self.show_rooms(window);
        }
    }

    /// Above what is open at a place.
    fn heading(&self, words: &Words<'_>, state: &State, place: &OpenPlace) -> RoomRow {
        let (status, text) = match &place.status {
            Some(Status::Connected { .. }) if state.hosts(&place.id) => {
                (StatusKind::Hosting, words.invoke_hosting())
            }
            Some(Status::Connected { .. }) => (StatusKind::Connected, words.invoke_connected()),
            Some(Status::Connecting | Status::Registering) => {
                (StatusKind::Connecting, words.invoke_connecting())
            }
            Some(Status::Reconnecting { .. }) => (StatusKind::Reconnecting, words.invoke_connecting()),
            Some(Status::Offline { .. }) | None => (StatusKind::Offline, words.invoke_no_connection()),
        };
        RoomRow {
            place: shared(&place.id.to_string()),
            name: shared(&state.label(&place.id)),
            heading: true,
            hosted: state.hosts(&place.id),
            status,
            status_text: text,
            ..RoomRow::default()
        }
    }

    fn id_at(&self, index: i32) -> Option<ConversationId> {
        let state = self.state.borrow();
        match state.list().into_iter().nth(usize::try_from(index).ok()?)? {
            ListRow::Conversation(conversation) => Some(conversation.id.clone()),
            ListRow::Place(_) => None,
        }
    }

    fn select(&self, index: i32) {
        if let (Some(window), Some(id)) = (self.window.upgrade(), self.id_at(index)) {
            self.show(&window, &id);
        }
    }

    fn step(&self, by: isize) {
        let id = self.state.borrow().conversations.step(by).cloned();
        if let (Some(window), Some(id)) = (self.window.upgrade(), id) {
            self.show(&window, &id);
        }
    }

    fn next_unread(&self) {
        let id = self.state.borrow().conversations.next_unread().cloned();
        if let (Some(window), Some(id)) = (self.window.upgrade(), id) {
            self.show(&window, &id);
        }
    }

    fn close(&self, index: i32) {
        if let Some(ConversationId { place, key }) = self.id_at(index) {
            self.act(&place, Action::Close { key });
        }
    }
}

fn notify_choice(notify: RoomNotify) -> RoomNotifyChoice {
    match notify {
        RoomNotify::Usual => RoomNotifyChoice::Usual,
        RoomNotify::All => RoomNotifyChoice::All,
        RoomNotify::Muted => RoomNotifyChoice::Muted,
    }
}

pub(super) fn room_notify(choice: RoomNotifyChoice) -> RoomNotify {
    match choice {
        RoomNotifyChoice::Usual => RoomNotify::Usual,
        RoomNotifyChoice::All => RoomNotify::All,
        RoomNotifyChoice::Muted => RoomNotify::Muted,
    }
}

/// What a conversation is called.
pub(super) fn whole_name<V>(words: &Words<'_>, conversation: &Conversation<V>) -> SharedString {
    match conversation.kind {
        Kind::Others => words.invoke_others_wrote(),
        _ => shared(&conversation.name),
    }
}

/// The same, in a list that has icons.
pub(super) fn shown_name<V>(
    words: &Words<'_>,
    conversation: &Conversation<V>,
    naming: &Naming,
) -> SharedString {
    match conversation.kind {
        Kind::Room => shared(conversation.short_name(naming)),
        _ => whole_name(words, conversation),
    }
}
