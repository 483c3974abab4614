//! The command line, as far as it concerns the window.

use std::rc::Rc;

use parlor_ui::slint::ComponentHandle;
use parlor_ui::{ConnectView, HostView};

use super::Bridge;
use super::connect::{Going, Way};
use super::text::shared;
use crate::bookmarks::Bookmark;
use crate::doorbell::is_link;
use crate::place::Place;
use crate::secrets::Given;

/// What was asked for on the command line.
#[derive(Debug, Default)]
pub struct Arguments {
    /// Where to go at once: what [`Place::parse`] reads.
    pub address: Option<String>,
    /// The name to go by.
    pub name: Option<String>,
    /// Whether the page for hosting is to open.
    pub host: bool,
}

impl Bridge {
    /// Fills the card with the arguments, and joins or opens the page for hosting if they, or the
    /// settings, say so.
    pub fn obey(self: &Rc<Self>, arguments: Arguments) {
        let Some(window) = self.window.upgrade() else { return };
        let card = window.global::<ConnectView>();
        if let Some(name) = &arguments.name {
            card.set_name(shared(name));
            window.global::<HostView>().set_name(shared(name));
        }
        let join_at_start = self.state.borrow().settings.join_at_start;
        if let Some(address) = &arguments.address {
            self.fill_in(&window, address, Place::parse(address).ok().as_ref(), None);
        }
        if arguments.host {
            self.open_host_page();
        } else if join_at_start && arguments.address.is_none() && arguments.name.is_none() && self.come_back()
        {
            // The rooms are shown with the first one.
        } else if let Some(link) =
            arguments.address.as_deref().filter(|link| is_link(link) && arguments.name.is_none())
        {
            // The desktop's, or a web page's.
            self.follow(link);
        } else if arguments.address.is_some() || (join_at_start && !card.get_name().is_empty()) {
            // What is missing or wrong is then said beside its field.
            self.join();
        }
    }

    /// Opens what was open when the window closed, if that is more than one place; says whether it is. One place stands
    /// on the card then.
    fn come_back(self: &Rc<Self>) -> bool {
        let mut open: Vec<(Place, Bookmark)> = Vec::new();
        let (shown, shown_name) = {
            let state = self.state.borrow();
            // In the order in which they were joined.
            for bookmark in state.settings.bookmarks.open() {
                let place = Place::parse(&bookmark.address).ok();
                // One session a place.
                let new = |place: &Place| open.iter().all(|(other, _)| other.id() != place.id());
                if let Some(place) = place.filter(new) {
                    open.insert(0, (place, bookmark.clone()));
                }
            }
            (state.settings.address.clone(), state.settings.name.clone())
        };
        if open.len() < 2 {
            let card = self.window.upgrade().zip(open.first());
            if let Some((window, (_, one))) = card {
                // The card waits for it.
                let card = window.global::<ConnectView>();
                card.set_address(shared(&one.address));
                card.set_name(shared(&one.name));
                card.set_room(shared(&one.room));
            }
            return false;
        }
        let last = Bookmark::of(&shown, &shown_name);
        let shown = open.iter().position(|(_, one)| one.is_of(&last)).unwrap_or(open.len() - 1);
        self.state.borrow_mut().returning = true;
        for (i, (place, Bookmark { name, room, .. })) in open.into_iter().enumerate() {
            let way = Way::Back { shown: i == shown };
            self.connect(Going { place, name, room, given: Given::default(), host: None, way });
        }
        true
    }
}
