//! From the card into the first room, or back to the card.

use std::rc::Rc;
use std::time::Duration;

use parlor_ui::slint::{ComponentHandle, SharedString};
use parlor_ui::{App, ConnectView, Screen, Shell, StatusView, Words};

use super::Bridge;
use super::phrases::phrase;
use super::places::Entry;
use super::text::shared;
use crate::place::PlaceId;
use crate::session::{Field, Kind, Refusal};

/// A server that has said neither yes nor no to the first room by then says nothing about it.
const ROOM_ANSWERS: Duration = Duration::from_secs(3);

impl Bridge {
    pub(super) fn entry(&self, place: &PlaceId) -> Option<Entry> {
        self.state.borrow().places.get(place).map(|place| place.entry)
    }

    /// We are welcome. The card, if it waits, stays until the first room is open, because it is where a refusal
    /// is put right.
    pub(super) fn welcome(self: &Rc<Self>, window: &App, place: &PlaceId) {
        if self.entry(place) != Some(Entry::Calling) {
            return;
        }
        if !self.is_asked(place) {
            if let Some(place) = self.state.borrow_mut().places.get_mut(place) {
                place.entry = Entry::Inside;
            }
            return self.remember_place(window, place, false);
        }
        let weak = Rc::downgrade(self);
        let of = place.clone();
        let wait = async move {
            smol::Timer::after(ROOM_ANSWERS).await;
            if let Some(bridge) = weak.upgrade()
                && let Some(window) = bridge.window.upgrade()
            {
                bridge.enter(&window, &of);
            }
        };
        let patience = self.tasks.spawn(wait);
        let enter = {
            let mut state = self.state.borrow_mut();
            let mut nowhere = false;
            if let Some(place) = state.places.get_mut(place) {
                place.entry = Entry::Waiting;
                place.patience = Some(patience);
                nowhere = place.room.is_empty();
            }
            let mut open = state.conversations.iter().filter(|open| open.id.place == *place);
            nowhere || open.any(|open| open.kind == Kind::Room)
        };
        if enter {
            self.enter(window, place);
        }
    }

    /// The first room is open, or there will be none: the card goes.
    pub(super) fn enter(&self, window: &App, place: &PlaceId) {
        if self.entry(place) != Some(Entry::Waiting) {
            return;
        }
        let first = {
            let mut state = self.state.borrow_mut();
            state.asked = None;
            if let Some(place) = state.places.get_mut(place) {
                place.entry = Entry::Inside;
            }
            // Unless something of it is on the screen, or will be.
            let nothing = state.conversations.looked_at(place).is_none();
            state.conversations.first_of(place).filter(|_| nothing).cloned()
        };
        first.iter().for_each(|first| self.show(window, first));
        window.global::<ConnectView>().set_busy(false);
        self.clear_given(window);
        self.wake_cursor();
        window.global::<Shell>().set_screen(Screen::Room);
        self.show_rooms(window);
        self.remember_place(window, place, true);
    }

    /// Something was refused: on the card, where it can be put right, as long as that waits for it; then as a sentence
    /// in the window.
    pub(super) fn refused(self: &Rc<Self>, window: &App, place: &PlaceId, refusal: Refusal) {
        let Some(entry) = self.entry(place) else { return };
        let (asked, stranger) = (self.is_asked(place), refusal.stranger().is_some());
        let only = self.state.borrow().places.len() < 2;
        match entry {
            // Whom to trust is asked on the card, wherever we were.
            _ if stranger && (asked || only) => self.ask_on_card(window, place, refusal),
            Entry::Calling if asked => self.ask_on_card(window, place, refusal),
            Entry::Waiting if refusal.field == Field::Room => {
                self.ask_on_card(window, place, refusal);
            }
            _ => {
                let (field, sentence) = (refusal.field, phrase(&window.global::<Words>(), &refusal.sentence));
                if let Some(place) = self.state.borrow_mut().places.get_mut(place)
                    && (entry == Entry::Calling || stranger)
                {
                    place.refusal = Some(refusal);
                }
                let here = self.place_id().as_ref() == Some(place);
                let of = self.state.borrow().label_among(place).filter(|_| !here);
                let sentence = of.map_or(sentence.clone(), |of| shared(&format!("{of}: {sentence}")));
                window.global::<StatusView>().set_notice(sentence);
                if field == Field::Room {
                    let instead = self.state.borrow_mut().conversations.do_without(place);
                    instead.iter().for_each(|id| self.show(window, id));
                }
                self.state.borrow_mut().refused = Some(place.clone()).filter(|_| field == Field::Room);
            }
        }
    }

    /// Leaves a place, and says on the card what is wrong with it. What is on the card stays there if it was asked for
    /// there.
    pub(super) fn ask_on_card(self: &Rc<Self>, window: &App, place: &PlaceId, refusal: Refusal) {
        let card = window.global::<ConnectView>();
        self.clear_complaints(window);
        if !self.is_asked(place) {
            let state = self.state.borrow();
            if let Some(there) = state.places.get(place) {
                card.set_address(shared(&there.id.address()));
                card.set_name(shared(&there.name));
                card.set_room(shared(&there.room));
            }
        }
        self.refuse_on_card(window, place, &refusal);
        if let Some((server, key)) = refusal.stranger() {
            card.set_asks_trust(true);
            self.state.borrow_mut().stranger = Some((server.to_string(), key));
        }
        window.global::<StatusView>().set_notice(SharedString::default());
        self.leave(place);
        card.set_busy(false);
        self.show_another(window);
        self.turn_to_card(window);
    }
}
