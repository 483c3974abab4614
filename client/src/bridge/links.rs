//! Links to rooms: of the desktop, and those in what others write. A web page may have made them, so only a place that is
//! known is joined at once; for another one the card is filled, and waits for the person.

use std::rc::Rc;

use parlor_ui::slint::ComponentHandle;
use parlor_ui::{App, ConnectView, NearbyView, Panel, Shell};

use super::Bridge;
use super::text::{open_link, shared};
use crate::addresses::are_same;
use crate::bookmarks::Bookmark;
use crate::doorbell::{self, Doorbell};
use crate::place::Place;

impl Bridge {
    /// Links that other programs open come to this window from now on; see [`doorbell`].
    pub fn take_links(self: &Rc<Self>) {
        let Some(folder) = self.folder.path() else { return };
        let bell = match Doorbell::hang(folder) {
            Ok(bell) => bell,
            Err(error) => return log::warn!("links open in new windows: {error}"),
        };
        let weak = Rc::downgrade(self);
        let listen = async move {
            loop {
                let link = bell.next().await;
                let Some(bridge) = weak.upgrade() else { return };
                bridge.unhide();
                bridge.follow(&link);
            }
        };
        self.tasks.spawn(listen).detach();
    }

    /// Opens a link, of whoever it is.
    pub(super) fn follow(self: &Rc<Self>, link: &str) {
        let Some(window) = self.window.upgrade() else { return };
        let link = link.trim();
        let place = Place::parse(link).ok();
        // By another key than the link says it is not.
        let is_meant = |known: &Bookmark| {
            let key = place.as_ref().and_then(|place| place.key);
            key.is_none_or(|key| known.knows(&key))
        };
        let known = place.as_ref().and_then(|place| self.known(place)).filter(is_meant);
        window.global::<Shell>().set_panel(Panel::None);
        // What was on its way is not what the card is about now.
        self.ask_no_more();
        if self.state.borrow().places.first().is_none() {
            self.clear_complaints(&window);
            self.clear_given(&window);
            self.turn_to_card(&window);
        } else {
            self.join_another();
        }
        self.fill_in(&window, link, place.as_ref(), known.as_ref());
        // What is no link is said beside the field.
        if known.is_some() || place.is_none() {
            self.join();
        }
    }

    /// Where we are already, or were before: as whom.
    pub(super) fn known(&self, place: &Place) -> Option<Bookmark> {
        let state = self.state.borrow();
        let id = place.id();
        let open = state.places.get(&id).map(|open| Bookmark {
            key: open.keys_in_files(),
            ..Bookmark::of(&open.id.address(), &open.name)
        });
        let address = place.address();
        let mut bookmarks = state.settings.bookmarks.iter();
        open.or_else(|| bookmarks.find(|one| are_same(&one.address, &address)).cloned())
    }

    /// The fields, as a link or an address wants them.
    pub(super) fn fill_in(
        &self,
        window: &App,
        text: &str,
        place: Option<&Place>,
        as_whom: Option<&Bookmark>,
    ) {
        let card = window.global::<ConnectView>();
        window.global::<NearbyView>().set_typing(true);
        card.set_address(shared(text));
        let Some(place) = place else { return };
        // Whom the link names has no field of its own, and neither has how the server is to be met.
        if place.person.is_none() && !place.secure && place.key.is_none() {
            card.set_address(shared(&place.address()));
        }
        if let Some(one) = as_whom {
            card.set_name(shared(&one.name));
        }
        let state = self.state.borrow();
        let last = state.settings.bookmarks.get(&place.address(), card.get_name().trim());
        let room = place.room.as_deref().or(last.map(|last| &*last.room));
        room.iter().for_each(|room| card.set_room(shared(room)));
    }
}

/// A link to a room goes to this very window, and every other one to the browser.
pub(super) fn open_url(bridge: &Rc<Bridge>, url: &str) {
    if doorbell::is_link(url) { bridge.follow(url) } else { open_link(url) }
}
