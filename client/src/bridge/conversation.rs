//! Rooms and private conversations: the list on the left, and what is on the screen.

use std::rc::Rc;
use std::sync::Arc;

use parlor_ui::slint::{ComponentHandle, ModelRc, SharedString, VecModel};
use parlor_ui::{
    App, BrowseView, ListedRoom as ListedRow, PeopleView, RoomRow, RoomView, RoomsView, Shell, StatusView,
    SwitcherRow, SwitcherView, TimelineView, Words,
};

use super::lines::Lines;
use super::phrases::phrase;
use super::text::shared;
use super::{Bridge, State, is_room, on, open_link, rows};
use crate::session::{Action, Key, Kind, Line, ListedRoom, Person};

/// One conversation.
pub(super) struct Conversation {
    pub(super) key: Key,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) lines: Rc<Lines>,
    pub(super) people: Arc<[Person]>,
    pub(super) topic: String,
    pub(super) unread: u32,
    pub(super) mentions: u32,
}

impl Conversation {
    /// Something in it waits that is for us alone, or has our name in it.
    fn is_for_me(&self) -> bool {
        self.mentions > 0 || (self.kind == Kind::Person && self.unread > 0)
    }

    /// As the list shows it: a room without its `#`, which an icon stands for.
    fn short_name(&self) -> &str {
        if is_room(self.kind) { self.name.strip_prefix('#').unwrap_or(&self.name) } else { &self.name }
    }
}

impl State {
    /// Whether the person of a private conversation is away, as a room that we share with them says.
    fn is_away(&self, conversation: &Conversation) -> bool {
        conversation.kind == Kind::Person
            && self.conversations.iter().flat_map(|room| room.people.iter()).any(|person| {
                person.away
                    && (*person.name == *conversation.name || Key::new(&person.name) == conversation.key)
            })
    }
}

impl Bridge {
    /// Whether a private conversation is open.
    pub(super) fn talks_to_somebody(&self) -> bool {
        self.state.borrow().conversations.iter().any(|conversation| conversation.kind == Kind::Person)
    }

    pub(super) fn listen_to_room(self: &Rc<Self>, window: &App) {
        on!(self, window.global::<RoomsView>(), on_select_room, |this, index| this.select_index(index));
        on!(self, window.global::<RoomsView>(), on_previous_room, |this| this.step(-1));
        on!(self, window.global::<RoomsView>(), on_next_room, |this| this.step(1));
        on!(self, window.global::<RoomsView>(), on_next_unread, |this| this.next_unread());
        on!(self, window.global::<RoomsView>(), on_close_room, |this, index| this.close_index(index));
        on!(self, window.global::<RoomView>(), on_edit_topic, |this, text| this.edit_topic(&text));
        on!(self, window.global::<RoomView>(), on_leave, |this| this.leave_current());
        on!(self, window.global::<StatusView>(), on_disconnect, |this| this.disconnect());
        on!(self, window.global::<StatusView>(), on_toggle_away, |this| this.toggle_away());
        on!(self, window.global::<TimelineView>(), on_retry, |this, row| this.retry(row));
        on!(self, window.global::<TimelineView>(), on_discard, |this, row| this.discard(row));
        on!(self, window.global::<TimelineView>(), on_open_link, |_this, url| open_link(&url));
        on!(self, window.global::<TimelineView>(), on_copy_line, |this, row| this.copy_rows(row, row));
        on!(self, window.global::<TimelineView>(), on_copy_lines, |this, from, to| this.copy_rows(from, to));
        on!(self, window.global::<TimelineView>(), on_toggle_fold, |this, row| this.toggle_fold(row));
        on!(self, window.global::<TimelineView>(), on_jump_to_end, |this| this.jump_to_end());
        on!(self, window.global::<StatusView>(), on_retry_now, |this| this.act(Action::RetryNow));
        on!(self, window.global::<StatusView>(), on_dismiss_notice, |this| this.dismiss_notice());
        on!(self, window.global::<BrowseView>(), on_filter_listed, |this, text| this.filter_listed(&text));
        on!(self, window.global::<BrowseView>(), on_join_listed, |this, index| this.join_listed(index));
        on!(self, window.global::<BrowseView>(), on_join_named, |this, name| this.join_named(&name));
        on!(self, window.global::<PeopleView>(), on_unignore, |this, index| this.unignore(index));
        on!(self, window.global::<SwitcherView>(), on_filter_switcher, |this, text| this
            .filter_switcher(&text));
        on!(self, window.global::<SwitcherView>(), on_switch_to, |this, index| this.switch_to(index));
    }

    pub(super) fn opened_conversation(&self, window: &App, key: Key, name: String, kind: Kind) {
        let show = {
            let mut state = self.state.borrow_mut();
            if let Some(known) = state.conversation_mut(&key) {
                known.name = name;
                return;
            }
            let (format, fold) = (state.settings.time_format, state.settings.fold_joins);
            let lines = Rc::new(Lines::new(self.window.clone(), format, fold));
            let people = Arc::from(Vec::new());
            let conversation = Conversation {
                key: key.clone(),
                name,
                kind,
                lines,
                people,
                topic: String::new(),
                unread: 0,
                mentions: 0,
            };
            state.conversations.push(conversation);
            // Rooms, then people, then the server; each in the order of coming.
            state.conversations.sort_by_key(|conversation| match conversation.kind {
                Kind::Room => 0,
                Kind::Person => 1,
                Kind::Server => 2,
            });
            if state.go_to.take_if(|wanted| *wanted == key).is_some() {
                true
            } else {
                let on_server = state.current.as_ref().is_none_or(Key::is_server);
                on_server && (is_room(kind) || state.current.is_none())
            }
        };
        if show {
            self.show(window, &key);
        }
        if is_room(kind) {
            self.own_the_room(&key);
            self.come_in(window);
        }
    }

    pub(super) fn closed_conversation(&self, window: &App, key: &Key, why: Option<String>) {
        let next = {
            let mut state = self.state.borrow_mut();
            state.conversations.retain(|conversation| conversation.key != *key);
            let gone = state.current.as_ref() == Some(key);
            gone.then(|| state.conversations.first().map(|conversation| conversation.key.clone())).flatten()
        };
        if let Some(why) = why {
            window.global::<StatusView>().set_notice(phrase(&window.global::<Words>(), &why));
        }
        if let Some(next) = next {
            self.show(window, &next);
        }
    }

    pub(super) fn moved(&self, window: &App, key: &Key, to: Key, name: String) {
        let current = {
            let mut state = self.state.borrow_mut();
            if let Some(conversation) = state.conversation_mut(key) {
                conversation.key = to.clone();
                conversation.name = name;
            }
            state.current.as_ref() == Some(key)
        };
        if current {
            self.show(window, &to);
        }
    }

    pub(super) fn topic(&self, window: &App, key: &Key, text: String) {
        let mut state = self.state.borrow_mut();
        if state.current.as_ref() == Some(key) {
            window.global::<RoomView>().set_topic(shared(&text));
        }
        if let Some(conversation) = state.conversation_mut(key) {
            conversation.topic = text;
        }
    }

    /// Lines that come while the person reads further up are counted.
    pub(super) fn count_below(&self, window: &App, key: &Key, lines: &[Line]) {
        if self.state.borrow().current.as_ref() == Some(key) && !window.global::<TimelineView>().get_stick() {
            let talk = lines.iter().filter(|line| !line.own() && line.is_talk()).count();
            window
                .global::<TimelineView>()
                .set_below_count(window.global::<TimelineView>().get_below_count() + talk as i32);
        }
    }

    /// Puts a conversation on the screen.
    pub(super) fn show(&self, window: &App, key: &Key) {
        self.leave_draft();
        let before = self.state.borrow().current().map(|current| Rc::clone(&current.lines));
        let known = {
            let mut state = self.state.borrow_mut();
            state.current = Some(key.clone());
            state.people_filter.clear();
            state.completing = None;
            state.current().is_some()
        };
        if !known {
            return;
        }
        if let Some(before) = before {
            before.set_reading(false);
        }
        self.stir();
        {
            let state = self.state.borrow();
            let Some(current) = state.current() else { return };
            current.lines.set_reading(true);
            window.global::<RoomView>().set_key(shared(key.as_str()));
            window.global::<RoomView>().set_name(shared(current.short_name()));
            window.global::<RoomView>().set_person(current.kind == Kind::Person);
            window.global::<RoomView>().set_server(current.kind == Kind::Server);
            window.global::<RoomView>().set_topic(shared(&current.topic));
            window.global::<TimelineView>().set_lines(ModelRc::from(Rc::clone(&current.lines)));
            window.global::<PeopleView>().set_people_filter(SharedString::default());
            window.global::<TimelineView>().set_below_count(0);
            window.global::<TimelineView>().set_marked_from(-1);
            window.global::<TimelineView>().set_marked_to(-1);
            window.global::<TimelineView>().set_has_gaps(current.lines.has_gaps());
            window.global::<TimelineView>().set_eye(-1);
            window.global::<TimelineView>().set_hold(-1);
            window.global::<TimelineView>().set_reveal(-1);
            window.global::<TimelineView>().set_stick(true);
        }
        let elsewhere = self.state.borrow().finding.is_elsewhere(key);
        if elsewhere {
            self.forget_found(window);
        }
        self.restore_draft(window, key);
        self.act(Action::Reading { key: key.clone() });
        self.show_people(window);
        self.show_rooms(window);
    }

    /// The list on the left, and the window's title.
    pub(super) fn show_rooms(&self, window: &App) {
        let state = self.state.borrow();
        let rows: Vec<RoomRow> = state
            .conversations
            .iter()
            .map(|conversation| RoomRow {
                key: shared(conversation.key.as_str()),
                name: shared(conversation.short_name()),
                unread: conversation.unread as i32,
                mention: conversation.is_for_me(),
                person: conversation.kind == Kind::Person,
                current: state.current.as_ref() == Some(&conversation.key),
                away: state.is_away(conversation),
                server: conversation.kind == Kind::Server,
            })
            .collect();
        rows::show(&window.global::<RoomsView>().get_rooms(), rows, |rows| {
            window.global::<RoomsView>().set_rooms(rows)
        });
        let unread: u32 = state
            .conversations
            .iter()
            .map(|conversation| match conversation.kind {
                Kind::Person => conversation.unread,
                _ => conversation.mentions,
            })
            .sum();
        if let Some(current) = state.current() {
            let title = window.global::<Words>().invoke_title(shared(&current.name), unread as i32);
            window.global::<Shell>().set_title(title);
        }
    }

    fn key_at(&self, index: i32) -> Option<Key> {
        let index = usize::try_from(index).ok()?;
        self.state.borrow().conversations.get(index).map(|conversation| conversation.key.clone())
    }

    fn select_index(&self, index: i32) {
        if let (Some(window), Some(key)) = (self.window.upgrade(), self.key_at(index)) {
            self.show(&window, &key);
        }
    }

    fn step(&self, by: i32) {
        let at = {
            let state = self.state.borrow();
            let count = state.conversations.len() as i32;
            let at = state.conversations.iter().position(|c| state.current.as_ref() == Some(&c.key));
            at.filter(|_| count > 0).map(|at| (at as i32 + by).rem_euclid(count))
        };
        at.into_iter().for_each(|at| self.select_index(at));
    }

    fn next_unread(&self) {
        let index = {
            let state = self.state.borrow();
            let mention = state.conversations.iter().position(Conversation::is_for_me);
            mention.or_else(|| state.conversations.iter().position(|conversation| conversation.unread > 0))
        };
        index.into_iter().for_each(|index| self.select_index(index as i32));
    }

    fn close_index(&self, index: i32) {
        if let Some(key) = self.key_at(index) {
            self.act(Action::Close { key });
        }
    }

    pub(super) fn current_key(&self) -> Option<Key> {
        self.state.borrow().current.clone()
    }

    fn edit_topic(&self, text: &str) {
        if let Some(room) = self.current_key() {
            self.act(Action::Topic { room, text: text.trim().into() });
        }
    }

    fn leave_current(&self) {
        if let Some(key) = self.current_key() {
            self.act(Action::Close { key });
        }
    }

    fn toggle_away(&self) {
        let Some(window) = self.window.upgrade() else { return };
        let away = !window.global::<StatusView>().get_away();
        window.global::<StatusView>().set_away(away);
        self.act(Action::Away { text: away.then(|| "away".into()) });
    }

    fn retry(&self, row: i32) {
        let line = usize::try_from(row).ok().and_then(|row| self.state.borrow().current()?.lines.line(row));
        if let (Some(line), Some(to)) = (line, self.current_key()) {
            self.act(Action::Retry { to, id: line.id() });
        }
    }

    /// A line that was not sent is not wanted any more.
    fn discard(&self, row: i32) {
        let line = usize::try_from(row).ok().and_then(|row| self.state.borrow().current()?.lines.line(row));
        if let (Some(line), Some(to)) = (line, self.current_key()) {
            self.act(Action::Discard { to, id: line.id() });
        }
    }

    fn toggle_fold(&self, row: i32) {
        if let (Ok(row), Some(lines)) = (usize::try_from(row), self.current_lines()) {
            lines.toggle(row);
        }
    }

    fn jump_to_end(&self) {
        if let Some(window) = self.window.upgrade() {
            window.global::<TimelineView>().set_below_count(0);
            window.global::<TimelineView>().set_stick(true);
        }
    }

    fn dismiss_notice(&self) {
        if let Some(window) = self.window.upgrade() {
            window.global::<StatusView>().set_notice(SharedString::default());
        }
    }

    pub(super) fn browse(&self) {
        if let Some(window) = self.window.upgrade() {
            window.global::<BrowseView>().set_listing(true);
            window.global::<BrowseView>().set_listed_filter(SharedString::default());
            self.filter_listed("");
            self.act(Action::ListRooms);
        }
    }

    pub(super) fn listed(&self, window: &App, listed: Vec<ListedRoom>) {
        self.state.borrow_mut().listed = listed;
        window.global::<BrowseView>().set_listing(false);
        self.show_listed(window);
    }

    fn filter_listed(&self, text: &str) {
        let Some(window) = self.window.upgrade() else { return };
        self.state.borrow_mut().listed_filter = text.to_lowercase();
        self.show_listed(&window);
    }

    fn listed_rows(&self) -> Vec<ListedRow> {
        let state = self.state.borrow();
        let fits = |room: &&ListedRoom| {
            format!("{} {}", room.name, room.topic).to_lowercase().contains(&state.listed_filter)
        };
        let row = |room: &ListedRoom| ListedRow {
            name: shared(&room.name),
            people: room.people as i32,
            topic: shared(&room.topic),
            joined: state.conversation(&Key::new(&room.name)).is_some(),
        };
        state.listed.iter().filter(fits).map(row).collect()
    }

    fn show_listed(&self, window: &App) {
        window.global::<BrowseView>().set_listed(ModelRc::new(VecModel::from(self.listed_rows())));
    }

    fn join_listed(&self, index: i32) {
        let name = usize::try_from(index)
            .ok()
            .and_then(|index| self.listed_rows().get(index).map(|r| r.name.clone()));
        name.into_iter().for_each(|name| self.join_named(&name));
    }

    /// Shows a conversation: now, or as soon as it is open.
    pub(super) fn go(&self, window: &App, key: Key) {
        let known = self.state.borrow().conversation(&key).is_some();
        if known {
            self.show(window, &key);
        } else {
            self.state.borrow_mut().go_to = Some(key);
        }
    }

    fn join_named(&self, name: &str) {
        let Some(window) = self.window.upgrade() else { return };
        let room = if name.starts_with('#') { name.to_owned() } else { format!("#{name}") };
        let key = Key::new(&room);
        if self.state.borrow().conversation(&key).is_none() {
            self.act(Action::Join { room, key: None });
        }
        self.go(&window, key);
    }

    pub(super) fn ignoring(&self, window: &App, names: Vec<String>) {
        let rows: Vec<SharedString> = names.iter().map(|name| shared(name)).collect();
        window.global::<PeopleView>().set_ignored(ModelRc::new(VecModel::from(rows)));
        {
            let mut state = self.state.borrow_mut();
            state.settings.ignored = names.clone();
            state.ignored = names;
        }
        self.keep_settings();
        self.show_people(window);
    }

    fn unignore(&self, index: i32) {
        let nick =
            usize::try_from(index).ok().and_then(|index| self.state.borrow().ignored.get(index).cloned());
        nick.into_iter().for_each(|nick| self.act(Action::Unignore { nick }));
    }

    fn filter_switcher(&self, text: &str) {
        if let Some(window) = self.window.upgrade() {
            self.show_switcher(&window, text);
        }
    }

    fn switcher_rows(&self) -> Vec<SwitcherRow> {
        let state = self.state.borrow();
        let mut found: Vec<&Conversation> = state
            .conversations
            .iter()
            .filter(|conversation| conversation.name.to_lowercase().contains(&state.switcher_filter))
            .collect();
        found.sort_by_key(|conversation| (!conversation.is_for_me(), conversation.unread == 0));
        let row = |conversation: &Conversation| SwitcherRow {
            key: shared(conversation.key.as_str()),
            name: shared(conversation.short_name()),
            person: conversation.kind == Kind::Person,
            server: conversation.kind == Kind::Server,
            unread: conversation.unread as i32,
            mention: conversation.is_for_me(),
        };
        found.into_iter().map(row).collect()
    }

    pub(super) fn show_switcher(&self, window: &App, filter: &str) {
        self.state.borrow_mut().switcher_filter = filter.to_lowercase();
        window.global::<SwitcherView>().set_switcher(ModelRc::new(VecModel::from(self.switcher_rows())));
    }

    fn switch_to(&self, index: i32) {
        let rows = self.switcher_rows();
        let key = usize::try_from(index).ok().and_then(|index| rows.get(index)).map(|row| row.key.clone());
        if let (Some(key), Some(window)) = (key, self.window.upgrade()) {
            let found = self
                .state
                .borrow()
                .conversations
                .iter()
                .find(|c| key == c.key.as_str())
                .map(|c| c.key.clone());
            found.into_iter().for_each(|key| self.show(&window, &key));
        }
    }
}
