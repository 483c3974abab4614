//! The card of the first start: where to go, under which name; and what was wrong with that.

use std::rc::Rc;

use parlor_server::protocol::Nick;
use parlor_ui::slint::{ComponentHandle, SharedString};
use parlor_ui::{App, Bookmark as BookmarkRow, ConnectView, Lock, NearbyView, Words};

use super::connect::{Going, Way};
use super::phrases::phrase;
use super::places::Entry;
use super::text::{room_typed, shared};
use super::{Bridge, clock, nearby, on, rows};
use crate::addresses::{MOST, are_same};
use crate::bookmarks::Bookmark;
use crate::place::{Place, PlaceError, PlaceId};
use crate::secret::Secret;
use crate::secrets::Given;
use crate::session::{Action, Field, Key, Naming, Refusal, Sentence, Status, UnixMillis};
use crate::trust::{KeyId, Trust};

impl Bridge {
    pub(super) fn listen_to_card(self: &Rc<Self>, window: &App) {
        let card = window.global::<ConnectView>();
        on!(self, card, on_join, |this| this.join());
        on!(self, card, on_cancel, |this| this.cancel());
        on!(self, card, on_return_to_rooms, |this| this.return_to_rooms());
        on!(self, card, on_use_suggestion, |this| this.use_suggestion());
        on!(self, card, on_trust, |this| this.trust_stranger());
        on!(self, card, on_open_host, |this| this.open_host_page());
        on!(self, card, on_pick_bookmark, |this, index| this.pick_bookmark(index));
        on!(self, card, on_remove_bookmark, |this, index| this.remove_bookmark(index));
        on!(self, card, on_put_bookmark_back, |this| this.put_bookmark_back());
        on!(self, card, on_join_at_start_changed, |this| this.join_at_start_changed());
    }

    pub(super) fn fill_card(&self, window: &App) {
        self.state.borrow_mut().removed = None;
        let state = self.state.borrow();
        let card = window.global::<ConnectView>();
        card.set_name(shared(&state.settings.name));
        card.set_address(shared(&state.settings.address));
        card.set_room(shared(&state.settings.room));
        card.set_join_at_start(state.settings.join_at_start);
        window.global::<NearbyView>().set_typing(!nearby::is_new(&state.settings));
        drop(state);
        self.show_bookmarks(window);
    }

    /// Where one was before, and whether that is open.
    pub(super) fn show_bookmarks(&self, window: &App) {
        let state = self.state.borrow();
        let words = window.global::<Words>();
        let is_open = |one: &Bookmark| {
            let mut places = state.places.iter();
            places.any(|place| are_same(&place.id.address(), &one.address) && place.name == one.name)
        };
        let row = |one: &Bookmark| BookmarkRow {
            label: Place::parse(&one.address)
                .map_or_else(|_| shared(&one.address), |place| shared(&place.servers.hosts())),
            address: shared(&one.address),
            name: shared(&one.name),
            room: shared(&one.room),
            used: match one.used {
                0 => SharedString::default(),
                used => clock::date(&words, UnixMillis(used.saturating_mul(1000))).into(),
            },
            locked: one.locked,
            open: is_open(one),
        };
        let rows: Vec<BookmarkRow> = state.settings.bookmarks.iter().map(row).collect();
        let card = window.global::<ConnectView>();
        rows::show(
            &card.get_bookmarks(),
            rows,
            |row| (row.address.clone(), row.name.clone()),
            |rows| {
                card.set_bookmarks(rows);
            },
        );
        let removed = state.removed.as_ref().map(|(_, one)| shared(&one.address));
        card.set_removed(removed.unwrap_or_default());
    }

    /// Cancel on the card: nothing is joined any more, and what was typed stays.
    fn cancel(&self) {
        if let Some(window) = self.window.upgrade() {
            self.ask_no_more();
            self.clear_complaints(&window);
            self.show_another(&window);
        }
    }

    /// The card for one more place, over the rooms that are open.
    pub(super) fn join_another(&self) {
        let Some(window) = self.window.upgrade() else { return };
        self.clear_complaints(&window);
        self.clear_given(&window);
        self.fill_card(&window);
        let card = window.global::<ConnectView>();
        card.set_address(SharedString::default());
        card.set_room("#lobby".into());
        self.turn_to_card(&window);
    }

    fn use_suggestion(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let card = window.global::<ConnectView>();
        card.set_name(card.get_suggestion());
        // That was the other name's.
        card.set_password(SharedString::default());
        self.join();
    }

    /// The key that a server has shown is its own, the person says.
    fn trust_stranger(self: &Rc<Self>) {
        let Some((address, key)) = self.state.borrow_mut().stranger.take() else { return };
        self.keeper.know(address.clone(), Trust::Key(key), true);
        if let Some(window) = self.window.upgrade() {
            let card = window.global::<ConnectView>();
            // It is one of several servers of the place that the card names.
            let several = Place::parse(&card.get_address()).is_ok_and(|place| place.servers.are_several());
            if !several {
                card.set_address(shared(&address));
            }
        }
        self.join();
    }

    fn pick_bookmark(self: &Rc<Self>, index: i32) {
        let picked = usize::try_from(index)
            .ok()
            .and_then(|index| self.state.borrow().settings.bookmarks.at(index).cloned());
        let (Some(Bookmark { address, name, room, .. }), Some(window)) = (picked, self.window.upgrade())
        else {
            return;
        };
        let card = window.global::<ConnectView>();
        // What was typed for another place is not told to this one.
        self.clear_given(&window);
        card.set_address(shared(&address));
        card.set_name(shared(&name));
        card.set_room(shared(&room));
        self.join();
    }

    fn remove_bookmark(&self, index: i32) {
        let Some(window) = self.window.upgrade() else { return };
        {
            let state = &mut *self.state.borrow_mut();
            let Ok(index) = usize::try_from(index) else { return };
            let Some(removed) = state.settings.bookmarks.remove(index) else { return };
            state.removed = Some((index, removed));
        }
        self.keep_settings();
        self.show_bookmarks(&window);
    }

    fn put_bookmark_back(&self) {
        let Some(window) = self.window.upgrade() else { return };
        {
            let state = &mut *self.state.borrow_mut();
            let Some((index, removed)) = state.removed.take() else { return };
            state.settings.bookmarks.put_back(index, removed);
        }
        self.keep_settings();
        self.show_bookmarks(&window);
    }

    fn join_at_start_changed(&self) {
        let Some(window) = self.window.upgrade() else { return };
        self.state.borrow_mut().settings.join_at_start = window.global::<ConnectView>().get_join_at_start();
        self.keep_settings();
    }

    /// Join on the card: checks the fields, then connects.
    pub(super) fn join(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let (card, words) = (window.global::<ConnectView>(), window.global::<Words>());
        let name = card.get_name().trim().to_owned();
        let address = card.get_address().trim().to_owned();
        self.clear_complaints(&window);
        let mut sound = true;
        if name.is_empty() {
            card.set_name_error(words.invoke_name_missing());
            sound = false;
        } else if Nick::parse(&name).is_err() {
            card.set_name_error(words.invoke_name_not_possible(shared(&name)));
            sound = false;
        }
        let place = match Place::parse(&address) {
            Ok(place) => Some(place),
            Err(error) => {
                card.set_address_error(match error {
                    PlaceError::Key => words.invoke_link_key_damaged(),
                    PlaceError::TooMany => {
                        words.invoke_addresses_too_many(i32::try_from(MOST).unwrap_or(i32::MAX))
                    }
                    _ if address.is_empty() => words.invoke_address_missing(),
                    _ => words.invoke_address_wrong(shared(wrong_one(&address))),
                });
                None
            }
        };
        let linked = place.as_ref().and_then(|place| place.room.clone());
        let room = linked.unwrap_or_else(|| room_typed(&card.get_room()));
        if !room.is_empty() && !room.split(',').all(|room| Naming::is_possible(room.trim())) {
            card.set_room_error(words.invoke_room_not_possible(shared(&room)));
            sound = false;
        }
        let (Some(place), true) = (place, sound) else { return };
        if self.contradicts(&window, &place) {
            return;
        }
        {
            let settings = &mut self.state.borrow_mut().settings;
            settings.name = name.clone();
            // Until the server was met by it, the key is all that tells it from others.
            settings.address = if place.key.is_some() { place.link() } else { place.address() };
            settings.room = room.clone();
        }
        self.keep_settings();
        if place.secure && place.key.is_none() && self.known(&place).is_none() {
            // Also if it is asked for by its bare address another time.
            for server in place.servers.iter() {
                self.keeper.know(server.to_string(), Trust::Authorities, false);
            }
        }
        if self.go_to_open(&window, &place, &name, &room) {
            return;
        }
        let given = self.given(&window);
        self.connect(Going { place, name, room, given, host: None, way: Way::Asked });
    }

    /// A link says another key than the place is known by: that is asked about, as any other change of it. Of several
    /// servers any may be meant, and each is met by the key that it is known by.
    fn contradicts(&self, window: &App, place: &Place) -> bool {
        let known = self.known(place).filter(|_| !place.servers.are_several());
        let known = known.and_then(|known| known.key.parse::<KeyId>().ok());
        let Some((known, key)) = known.zip(place.key).filter(|(known, key)| known != key) else {
            return false;
        };
        let (card, words, address) =
            (window.global::<ConnectView>(), window.global::<Words>(), place.address());
        let [before, now] = [known, key].map(|key| shared(&key.to_string()));
        card.set_address_error(words.invoke_key_changed(shared(&address), before, now));
        card.set_asks_trust(true);
        self.state.borrow_mut().stranger = Some((address, key));
        true
    }

    /// Where a place is open under this name, its session enters the room; says whether it is.
    fn go_to_open(&self, window: &App, place: &Place, name: &str, room: &str) -> bool {
        let id = place.id();
        let connected = {
            let state = self.state.borrow();
            state.places.get(&id).is_some_and(|there| {
                let connected = matches!(there.status, Some(Status::Connected { .. }));
                let is_meant = place.key.is_none_or(|key| there.keys.contains(&key));
                connected
                    && is_meant
                    && there.entry == Entry::Inside
                    && Key::new(&there.name) == Key::new(name)
            })
        };
        if !connected {
            return false;
        }
        self.clear_given(window);
        self.ask_no_more();
        let first = self.state.borrow().conversations.first_of(&id).cloned();
        first.iter().for_each(|first| self.show(window, first));
        if let Some(nick) = place.person.clone() {
            self.act(&id, Action::Private { nick });
        } else if !room.is_empty() {
            self.act(&id, Action::Join { room: room.into(), key: None });
        }
        self.return_to_rooms();
        true
    }

    /// What the card gives to show who the person is. A recovery code is the person's for good.
    fn given(&self, window: &App) -> Given {
        let card = window.global::<ConnectView>();
        let mut password = card.get_password().trim().to_owned();
        if let Ok(secret) = password.parse::<Secret>() {
            self.keeper.secrets(move |secrets| secrets.adopt(secret));
            password.clear();
        }
        let (server_password, certificate) = (card.get_server_password(), card.get_certificate());
        Given { password, server_password: server_password.into(), certificate: certificate.trim().into() }
    }

    /// What was given is not what the server wants: it is not given again by itself, but stands in its field.
    fn take_back_given(&self, window: &App, place: &PlaceId, field: Field) {
        let state = self.state.borrow();
        let (card, Some(place)) = (window.global::<ConnectView>(), state.places.get(place)) else { return };
        let (address, name, given) = (place.id.to_string(), place.name.clone(), &place.given);
        card.set_password(shared(&given.password));
        card.set_server_password(shared(&given.server_password));
        card.set_certificate(shared(&given.certificate));
        self.keeper.secrets(move |secrets| {
            let mut given = secrets.given(&address, &name);
            match field {
                Field::Password => given.password.clear(),
                Field::ServerPassword => given.server_password.clear(),
                Field::Name | Field::Address | Field::Room | Field::Certificate => return,
            }
            secrets.give(&address, &name, given);
        });
    }

    /// Nobody sees them again who comes to the card later.
    pub(super) fn clear_given(&self, window: &App) {
        let card = window.global::<ConnectView>();
        for clear in
            [ConnectView::set_password, ConnectView::set_server_password, ConnectView::set_certificate]
        {
            clear(&card, SharedString::default());
        }
        card.set_signs_in(false);
    }

    /// Something was refused before we were welcome: the card is where it is put right.
    pub(super) fn refuse_on_card(&self, window: &App, place: &PlaceId, refusal: &Refusal) {
        let (card, words) = (window.global::<ConnectView>(), window.global::<Words>());
        let sentence = phrase(&words, &refusal.sentence);
        match refusal.field {
            Field::Name => card.set_name_error(sentence),
            Field::Address => card.set_address_error(sentence),
            Field::Room => card.set_room_error(sentence),
            Field::Password => card.set_password_error(sentence),
            Field::ServerPassword => card.set_server_password_error(sentence),
            Field::Certificate => card.set_certificate_error(sentence),
        }
        let field = refusal.field;
        if matches!(field, Field::Password | Field::ServerPassword | Field::Certificate)
            || matches!(refusal.sentence, Sentence::NameOwned { .. })
        {
            card.set_signs_in(true);
            self.take_back_given(window, place, field);
        }
        card.set_suggestion(shared(refusal.suggestion.as_deref().unwrap_or_default()));
    }

    pub(super) fn clear_complaints(&self, window: &App) {
        let card = window.global::<ConnectView>();
        for clear in [
            ConnectView::set_name_error,
            ConnectView::set_address_error,
            ConnectView::set_room_error,
            ConnectView::set_password_error,
            ConnectView::set_server_password_error,
            ConnectView::set_certificate_error,
            ConnectView::set_suggestion,
            ConnectView::set_notice,
        ] {
            clear(&card, SharedString::default());
        }
        card.set_asks_trust(false);
    }

    /// We came in: it is a place to come back to. Its bookmark goes to the top if the person has asked for it now.
    pub(super) fn remember_place(&self, window: &App, place: &PlaceId, asked: bool) {
        {
            let state = &mut *self.state.borrow_mut();
            // What is hosted is gone when the window is.
            let Some(there) = state.places.get(place).filter(|_| !state.hosts(place)) else { return };
            let address = there.id.address();
            let bookmarks = &mut state.settings.bookmarks;
            let known = bookmarks.get(&address, &there.name).cloned();
            if known.is_none() && !asked {
                // It was removed meanwhile.
                return;
            }
            let now = Bookmark {
                key: there.keys_in_files(),
                room: there.room.clone(),
                locked: there.lock == Lock::Closed,
                used: clock::now().0 / 1000,
                open: true,
                ..Bookmark::of(&address, &there.name)
            };
            match known.filter(|_| !asked) {
                Some(before) => {
                    bookmarks.update(Bookmark { room: before.room, encoding: before.encoding, ..now });
                }
                None => bookmarks.remember(now),
            }
        }
        self.keep_settings();
        self.show_bookmarks(window);
    }
}

/// The address that is none, among several.
fn wrong_one(addresses: &str) -> &str {
    let mut all = addresses.split([',', '，', '、']).map(str::trim).filter(|one| !one.is_empty());
    all.find(|one| Place::parse(one).is_err()).unwrap_or(addresses)
}
