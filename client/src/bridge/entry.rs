//! From the card into the first room, or back to the card.

use std::rc::Rc;
use std::time::Duration;

use parlor_ui::slint::ComponentHandle;
use parlor_ui::{App, ConnectView, Screen, Shell, StatusView, Words};

use super::Bridge;
use super::phrases::phrase;
use super::places::Entry;
use crate::place::PlaceId;
use crate::session::{Field, Kind, Refusal, Sentence};

/// A server that has said neither yes nor no to the first room by then says nothing about it.
const ROOM_ANSWERS: Duration = Duration::from_secs(3);

impl Bridge {
    pub(super) fn entry(&self, place: &PlaceId) -> Option<Entry> {
        self.state.borrow().places.get(place).map(|place| place.entry)
    }

    /// We are welcome. The card stays until the first room is open, because it is where a refusal
    /// is put right.
    pub(super) fn welcome(self: &Rc<Self>, window: &App, place: &PlaceId) {
        if self.entry(place) != Some(Entry::Calling) {
            return;
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
            if let Some(place) = state.places.get_mut(place) {
                place.entry = Entry::Waiting;
                place.patience = Some(patience);
            }
            let mut open = state.conversations.iter().filter(|open| open.id.place == *place);
            state.settings.room.is_empty() || open.any(|open| open.kind == Kind::Room)
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
        if let Some(place) = self.state.borrow_mut().places.get_mut(place) {
            place.entry = Entry::Inside;
        }
        window.global::<ConnectView>().set_busy(false);
        self.clear_given(window);
        self.wake_cursor();
        window.global::<Shell>().set_screen(Screen::Room);
        self.show_rooms(window);
        self.remember_place(window, place);
    }

    /// Something was refused: on the card, where it can be put right, as long as there is nothing
    /// else to see; then as a sentence in the window.
    pub(super) fn refused(self: &Rc<Self>, window: &App, place: &PlaceId, refusal: Refusal) {
        let key = match refusal.sentence {
            Sentence::KeyChanged { now: key, .. } | Sentence::KeyUnknown { key, .. } => Some(key),
            _ => None,
        };
        let entry = self.entry(place);
        match (entry, key) {
            (None, _) => {}
            // Whom to trust is asked on the card, wherever we were.
            (_, Some(key)) => {
                if entry != Some(Entry::Calling) {
                    self.disconnect();
                }
                self.refuse_on_card(window, refusal);
                window.global::<ConnectView>().set_asks_trust(true);
                self.state.borrow_mut().stranger = Some((place.to_string(), key));
                self.back_to_card(window, place);
            }
            (Some(Entry::Calling), None) => {
                self.refuse_on_card(window, refusal);
                self.back_to_card(window, place);
            }
            (Some(Entry::Waiting), None) if refusal.field == Field::Room => {
                let sentence = phrase(&window.global::<Words>(), &refusal.sentence);
                self.disconnect();
                window.global::<ConnectView>().set_room_error(sentence);
            }
            (Some(_), None) => {
                let sentence = phrase(&window.global::<Words>(), &refusal.sentence);
                window.global::<StatusView>().set_notice(sentence);
                if refusal.field == Field::Room {
                    let instead = self.state.borrow_mut().conversations.do_without(place);
                    instead.iter().for_each(|id| self.show(window, id));
                }
                self.state.borrow_mut().refused = refusal.field == Field::Room;
            }
        }
    }

    /// Leaves a place where we have not come in; what is on the card stays.
    fn back_to_card(&self, window: &App, place: &PlaceId) {
        self.leave(place);
        window.global::<ConnectView>().set_busy(false);
        self.wake_cursor();
        window.global::<Shell>().set_screen(Screen::Connect);
        window.global::<Shell>().set_title("Parlor".into());
    }
}
