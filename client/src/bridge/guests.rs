//! The host's own list of guests: who they are, where they come from, and putting them out.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use parlor_server::{Guest, Operation, Speaker, Target};
use parlor_ui::slint::ComponentHandle;
use parlor_ui::{App, Guest as GuestRow, GuestState, HostView};

use super::text::{hue, shared};
use super::{Bridge, on, rows};

/// A server that has not said by then who is there may have guests.
const ANSWERS: Duration = Duration::from_secs(1);

impl Bridge {
    pub(super) fn listen_to_guests(self: &Rc<Self>, window: &App) {
        let view = window.global::<HostView>();
        on!(self, view, on_kick, |this, index| {
            this.put_out(index, |nick| Operation::Kick { nick, why: String::new() });
        });
        on!(self, view, on_ban, |this, index| this
            .put_out(index, |nick| Operation::Ban { whom: Target::Nick(nick), minutes: None }));
    }

    /// Has a guest put out, and shows who is left.
    fn put_out(self: &Rc<Self>, index: i32, operation: impl FnOnce(String) -> Operation) {
        let nick = {
            let state = self.state.borrow();
            let guests = state.hosting.as_ref().map(|hosting| &hosting.guests);
            usize::try_from(index).ok().and_then(|index| Some(guests?.get(index)?.nick.clone()))
        };
        let (Some(nick), Some(host)) = (nick, self.host()) else { return };
        let (weak, operation) = (Rc::downgrade(self), operation(nick));
        let put_out = async move {
            host.operate(operation).await;
            weak.upgrade().into_iter().for_each(|bridge| bridge.look_at_guests());
        };
        self.tasks.spawn(put_out).detach();
    }

    /// Asks the hosted server who is there, and shows it.
    pub(super) fn look_at_guests(self: &Rc<Self>) {
        let Some(host) = self.host() else { return };
        let weak = Rc::downgrade(self);
        let look = async move {
            let guests = host.guests().await;
            let Some(bridge) = weak.upgrade() else { return };
            if let Some(window) = bridge.window.upgrade() {
                bridge.show_guests(&window, guests);
            }
        };
        self.tasks.spawn(look).detach();
    }

    fn show_guests(&self, window: &App, guests: Vec<Guest>) {
        let rows: Vec<GuestRow> = {
            let state = self.state.borrow();
            let place = state.hosting.as_ref().and_then(|hosting| state.places.get(&hosting.place));
            let me = place.map(|place| place.me.as_str());
            let own = guests.iter().find(|guest| me == Some(&guest.nick));
            let own = own.map(|me| (me.nick.as_str(), me.peer.ip()));
            guests.iter().map(|guest| guest_row(guest, own)).collect()
        };
        let view = window.global::<HostView>();
        view.set_people_count(rows.len() as i32);
        rows::show(&view.get_guests(), rows, |row| row.address.clone(), |rows| view.set_guests(rows));
        if let Some(hosting) = &mut self.state.borrow_mut().hosting {
            hosting.guests = guests;
        }
        self.show_people(window);
    }

    /// Asks the hosted server whether somebody else is there, and goes on with the answer.
    pub(super) fn with_guests(self: &Rc<Self>, then: impl FnOnce(&Rc<Bridge>, &App, bool) + 'static) {
        let Some(host) = self.host() else { return };
        let weak = Rc::downgrade(self);
        let ask = async move {
            let count = async { host.guests().await.len() > 1 };
            let late = async {
                smol::Timer::after(ANSWERS).await;
                true
            };
            let guests = futures_lite::future::or(count, late).await;
            let Some(bridge) = weak.upgrade() else { return };
            if let Some(window) = bridge.window.upgrade() {
                then(&bridge, &window, guests);
            }
        };
        self.tasks.spawn(ask).detach();
    }
}

/// `own`: the name of the host and the address that it comes from.
fn guest_row(guest: &Guest, own: Option<(&str, IpAddr)>) -> GuestRow {
    GuestRow {
        name: shared(&guest.nick),
        address: shared(&guest.peer.to_string()),
        state: if guest.away { GuestState::Away } else { GuestState::Here },
        hue: hue(&guest.nick),
        me: own.is_some_and(|(nick, _)| nick == guest.nick),
        near: own.is_some_and(|(_, ip)| ip == guest.peer.ip()),
        plain: guest.speaker != Speaker::Irc,
    }
}
