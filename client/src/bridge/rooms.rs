//! The list on the left: rooms, people and the server, and which of them is on the screen.

use std::rc::Rc;

use parlor_ui::slint::{ComponentHandle, SharedString};
use parlor_ui::{App, PeopleView, RoomRow, RoomsView, Screen, Shell, StatusView, Words};

use super::lines::Lines;
use super::text::shared;
use super::{Bridge, on, rows};
use crate::conversations::{Conversation, ConversationId};
use crate::place::PlaceId;
use crate::session::{Action, Kind, Naming, UnixMillis};

impl Bridge {
    pub(super) fn listen_to_rooms(self: &Rc<Self>, window: &App) {
        let view = window.global::<RoomsView>();
        on!(self, view, on_select_room, |this, index| this.select(index));
        on!(self, view, on_previous_room, |this| this.step(-1));
        on!(self, view, on_next_room, |this| this.step(1));
        on!(self, view, on_next_unread, |this| this.next_unread());
        on!(self, view, on_close_room, |this, index| this.close(index));
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
            if let Some(conversation) = state.conversations.get_mut(id).filter(|_| !back.key.is_empty()) {
                conversation.room_key = back.key;
            }
            show
        };
        if show {
            self.show(window, id);
        }
        if kind == Kind::Room {
            // What was refused before is not what there is to say any more.
            if std::mem::take(&mut self.state.borrow_mut().refused) {
                window.global::<StatusView>().set_notice(SharedString::default());
            }
            self.own_the_room(id);
            self.enter(window, &id.place);
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
            // Its session reads on by itself.
            if let Some(reading) = state.reading.as_mut().filter(|reading| *reading == id) {
                *reading = to.clone();
            }
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
        {
            let mut state = self.state.borrow_mut();
            let before = state.conversations.current().filter(|current| current.id != *id);
            let before = before.map(|current| Rc::clone(&current.view));
            if !state.conversations.show(id) {
                return;
            }
            state.people_filter.clear();
            state.completion = None;
            drop(state);
            before.iter().for_each(|before| before.leave());
        }
        self.wake_cursor();
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
        for conversation in state.conversations.listed() {
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
            });
        }
        let view = window.global::<RoomsView>();
        let begins =
            |pair: &[RoomRow]| matches!(pair, [above, row] if above.person != row.person || row.server);
        let current = rows.iter().position(|row| row.current).unwrap_or_default();
        let parts = rows.windows(2).take(current).filter(|pair| begins(pair)).count();
        view.set_parts(parts as i32);
        view.set_current(current as i32);
        view.set_waiting(rows.iter().any(|row| row.unread > 0 && !row.current));
        view.set_waiting_for_me(rows.iter().any(|row| row.mention && !row.current));
        let name = |row: &RoomRow| (row.place.clone(), row.key.clone());
        rows::show(&view.get_rooms(), rows, name, |rows| view.set_rooms(rows));
        // As long as the card is there, the title is the card's.
        let inside = window.global::<Shell>().get_screen() == Screen::Room;
        if let Some(current) = state.conversations.current().filter(|_| inside) {
            let waiting = i32::try_from(state.conversations.waiting()).unwrap_or(i32::MAX);
            let title = words.invoke_title(whole_name(&words, current), waiting);
            window.global::<Shell>().set_title(title);
        }
    }

    fn id_at(&self, index: i32) -> Option<ConversationId> {
        let state = self.state.borrow();
        Some(state.conversations.at(usize::try_from(index).ok()?)?.id.clone())
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
