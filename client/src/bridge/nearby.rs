//! Rooms on the network, while the card is open: what others announce is shown, and nothing of it believed.

use std::rc::Rc;
use std::time::Duration;

use futures_lite::future;
use parlor_server::lan::{Browser, Found, LanError, Seen};
use parlor_server::protocol::HostPort;
use parlor_ui::slint::{ComponentHandle, SharedString};
use parlor_ui::{App, ConnectView, NearbyRoom, NearbyView, Screen, Search, Shell, Words};
use smol::Task;

use super::text::shared;
use super::{Bridge, on, rows};
use crate::place::Place;
use crate::settings::Settings;
use crate::trust::KeyId;

/// A room that is there has answered by then, and more than once.
const PATIENCE: Duration = Duration::from_secs(3);

/// The search.
#[derive(Default)]
pub(super) struct Nearby {
    /// This is the program, and not a test that has no network.
    looks: bool,
    /// Looks, and ends with this.
    task: Option<Task<()>>,
    /// In the order of the list.
    found: Vec<Found>,
}

impl Bridge {
    pub(super) fn listen_to_nearby(self: &Rc<Self>, window: &App) {
        let view = window.global::<NearbyView>();
        on!(self, view, on_join, |this, index| this.join_nearby(index));
        on!(self, view, on_turned, |this| this.look_or_not());
        view.set_search(Search::Off);
    }

    /// From now on rooms on the network are looked for while the card is open, unless the settings say otherwise.
    pub fn look_around(self: &Rc<Self>) {
        self.state.borrow_mut().nearby.looks = true;
        self.look_or_not();
    }

    /// Begins or ends the search, as the screen and the settings have it.
    pub(super) fn look_or_not(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let (wanted, looking) = {
            let state = self.state.borrow();
            let wanted = state.nearby.looks && state.settings.nearby;
            (wanted, state.nearby.task.is_some())
        };
        let hidden = self.state.borrow().tray.is_hidden();
        let shown = window.global::<Shell>().get_screen() == Screen::Connect && !hidden;
        let view = window.global::<NearbyView>();
        if !wanted || !shown {
            // With its thread, and without a word more on the network.
            self.state.borrow_mut().nearby.task = None;
            self.show_nearby(&window, Vec::new());
            view.set_search(if wanted { Search::Looking } else { Search::Off });
        } else if !looking {
            view.set_search(Search::Looking);
            let look = look(Rc::downgrade(self));
            self.state.borrow_mut().nearby.task = Some(self.tasks.spawn(look));
        }
    }

    fn see(&self, seen: Seen, patient: bool) {
        let Some(window) = self.window.upgrade() else { return };
        let (view, words) = (window.global::<NearbyView>(), window.global::<Words>());
        match seen {
            Seen::Rooms(rooms) => {
                let own = self.state.borrow().hosting.as_ref().and_then(|hosting| hosting.host.key());
                let others = |one: &Found| own.is_none() || key(one) != own;
                let mut rooms: Vec<Found> = rooms.into_iter().filter(others).collect();
                // Where they were: whatever comes in between, nobody presses another one than they read.
                let state = self.state.borrow();
                let before = |one: &Found| state.nearby.found.iter().position(|old| id(old) == id(one));
                rooms.sort_by_key(|one| before(one).unwrap_or(usize::MAX));
                drop(state);
                self.show_nearby(&window, rooms);
            }
            Seen::Nowhere(error) => {
                self.show_nearby(&window, Vec::new());
                view.set_nowhere(match error {
                    LanError::NoNetwork | LanError::Loopback => words.invoke_nearby_no_network(),
                    LanError::NoMulticast => words.invoke_nearby_no_multicast(),
                    LanError::Refused(error) => words.invoke_nearby_refused(shared(&error)),
                });
                return view.set_search(Search::Nowhere);
            }
        }
        let none = self.state.borrow().nearby.found.is_empty();
        view.set_search(match (none, patient) {
            (false, _) => Search::Found,
            (true, true) => Search::Looking,
            (true, false) => Search::None,
        });
    }

    /// Whoever has not answered by now is not there.
    fn look_no_longer(&self) {
        let Some(window) = self.window.upgrade() else { return };
        let view = window.global::<NearbyView>();
        if view.get_search() == Search::Looking {
            view.set_search(Search::None);
        }
    }

    fn show_nearby(&self, window: &App, found: Vec<Found>) {
        let row = |one: &Found| {
            let listing = &one.listing;
            let text = |text: &Option<String>| text.as_deref().map(shared).unwrap_or_default();
            NearbyRoom {
                host: text(&listing.host),
                name: shared(&listing.name),
                room: listing.room.as_ref().map(|room| shared(room.as_str())).unwrap_or_default(),
                people: listing.people.map_or(-1, |people| people as i32),
                address: one.addresses.first().map(|at| shared(&at.to_string())).unwrap_or_default(),
                key: key(one).map(|key| shared(&key.short())).unwrap_or_default(),
                locked: listing.key.is_some(),
                password: listing.password,
            }
        };
        let view = window.global::<NearbyView>();
        let rows: Vec<NearbyRoom> = found.iter().map(row).collect();
        // Two hosts may call themselves the same.
        let id = |row: &NearbyRoom| (row.address.clone(), row.name.clone(), row.key.clone());
        rows::show(&view.get_rooms(), rows, id, |rows| view.set_rooms(rows));
        self.state.borrow_mut().nearby.found = found;
    }

    /// One of them was chosen: it is joined as if its address had been typed, and only if it has the key that was read.
    fn join_nearby(self: &Rc<Self>, index: i32) {
        let chosen = usize::try_from(index)
            .ok()
            .and_then(|index| self.state.borrow().nearby.found.get(index).cloned());
        let (Some(window), Some(found)) = (self.window.upgrade(), chosen) else { return };
        let Some(address) = found.addresses.first() else { return };
        // What was typed for another place is not told to this one.
        self.clear_given(&window);
        let place = Place { servers: address.clone().into(), key: key(&found), ..Place::default() };
        let card = window.global::<ConnectView>();
        card.set_address(shared(&if place.key.is_some() { place.link() } else { place.address() }));
        card.set_room(found.listing.room.map_or_else(SharedString::default, |room| shared(room.as_str())));
        self.join();
    }
}

/// Whether somebody uses the window for the first time: then the card offers what there is, and no field for an address.
pub(super) fn is_new(settings: &Settings) -> bool {
    let first = Settings::default();
    settings.address == first.address && settings.bookmarks.iter().next().is_none()
}

/// Two hosts may call themselves the same.
fn id(found: &Found) -> (&str, Option<&HostPort>, Option<KeyId>) {
    (&found.listing.name, found.addresses.first(), key(found))
}

fn key(found: &Found) -> Option<KeyId> {
    found.listing.key.and_then(|key| KeyId::of(&key))
}

async fn look(bridge: std::rc::Weak<Bridge>) {
    let browser = match Browser::start() {
        Ok(browser) => browser,
        Err(error) => {
            return bridge.upgrade().map_or((), |bridge| bridge.see(Seen::Nowhere(error), false));
        }
    };
    let mut patience = Some(smol::Timer::after(PATIENCE));
    loop {
        let late = async {
            match &mut patience {
                Some(patience) => drop(patience.await),
                None => future::pending().await,
            }
            None
        };
        let seen = future::or(async { Some(browser.next().await) }, late).await;
        let Some(bridge) = bridge.upgrade() else { return };
        match seen {
            Some(Some(seen)) => bridge.see(seen, patience.is_some()),
            Some(None) => return,
            None => {
                patience = None;
                bridge.look_no_longer();
            }
        }
    }
}
