//! The command line, as far as it concerns the window.

use std::rc::Rc;

use parlor_ui::slint::ComponentHandle;
use parlor_ui::{ConnectView, HostView};

use super::Bridge;
use super::text::shared;
use crate::place::Place;

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
            card.set_address(shared(address));
            if let Ok(place) = Place::parse(address) {
                // Whom the link names has no field of its own, and neither has how the server is to be met.
                if place.person.is_none() && !place.secure {
                    card.set_address(shared(&place.address()));
                }
                let state = self.state.borrow();
                let last = state.settings.last_room(&place.address(), card.get_name().trim());
                place.room.as_deref().or(last).iter().for_each(|room| card.set_room(shared(room)));
            }
        }
        if arguments.host {
            self.open_host_page();
        } else if arguments.address.is_some() || (join_at_start && !card.get_name().is_empty()) {
            // What is missing or wrong is then said beside its field.
            self.join();
        }
    }
}
