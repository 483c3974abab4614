//! The bar while a room is hosted: the address to tell, announcements, and stopping.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use parlor_server::{Handle, Operation};
use parlor_ui::slint::{self, ComponentHandle};
use parlor_ui::{App, HostView};

use super::clipboard::copy;
use super::text::shared;
use super::{Bridge, on};
use crate::conversations::ConversationId;

/// How long the copy button says that it has copied.
const COPIED: Duration = Duration::from_secs(2);

impl Bridge {
    pub(super) fn listen_to_host_bar(self: &Rc<Self>, window: &App) {
        let view = window.global::<HostView>();
        on!(self, view, on_copy_address, |this, address| this.copy_address(&address));
        on!(self, view, on_tell_address, |this, address| this.tell_address(&address));
        on!(self, view, on_announce, |this, text| this.operate(Operation::Announce { text: text.into() }));
        on!(self, view, on_stop, |this| this.stop());
        on!(self, view, on_confirm_stop, |this| this.confirm_stop());
        on!(self, view, on_cancel_stop, |this| this.cancel_stop());
    }

    fn copy_address(&self, address: &str) {
        let Some(window) = self.window.upgrade().filter(|_| copy(address.to_owned())) else { return };
        window.global::<HostView>().set_copied(shared(address));
        let (weak, address) = (self.window.clone(), shared(address));
        slint::Timer::single_shot(COPIED, move || {
            let Some(window) = weak.upgrade() else { return };
            let view = window.global::<HostView>();
            // Unless the other one was copied meanwhile.
            if view.get_copied() == address {
                view.set_copied(Default::default());
            }
        });
    }

    /// Another address of this machine is the one to tell, for programs too.
    fn tell_address(&self, address: &str) {
        let Some(window) = self.window.upgrade() else { return };
        let view = window.global::<HostView>();
        view.set_address_to_tell(shared(address));
        let at = |text: &str| text.parse::<SocketAddr>().ok();
        if let (Some(mut programs), Some(told)) = (at(&view.get_programs_address()), at(address)) {
            programs.set_ip(told.ip());
            view.set_programs_address(shared(&programs.to_string()));
        }
        self.copy_address(address);
    }

    /// The hosted server, to be spoken to in a task.
    pub(super) fn host(&self) -> Option<Handle> {
        self.state.borrow().hosting.as_ref().map(|hosting| hosting.host.handle())
    }

    fn operate(&self, operation: Operation) {
        if let Some(host) = self.host() {
            self.tasks.spawn(async move { host.operate(operation).await }).detach();
        }
    }

    /// Whoever hosts a room is its operator.
    pub(super) fn own_the_room(&self, id: &ConversationId) {
        let op = {
            let state = self.state.borrow();
            let hosting = state.hosting.as_ref().filter(|_| state.is_hosted(id));
            let me = state.places.get(&id.place).map(|place| place.me.clone());
            me.zip(hosting).map(|(nick, hosting)| Operation::Op { nick, room: hosting.room.clone() })
        };
        op.into_iter().for_each(|op| self.operate(op));
    }

    /// Asks first if there are guests.
    fn stop(self: &Rc<Self>) {
        self.with_guests(|bridge, window, guests| {
            if guests {
                window.global::<HostView>().set_stop_quits(false);
                window.global::<HostView>().set_stop_asked(true);
            } else {
                bridge.stop_host();
            }
        });
    }

    fn confirm_stop(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let view = window.global::<HostView>();
        view.set_stop_asked(false);
        if view.get_stop_quits() {
            self.quit_now(&window);
        } else {
            self.stop_host();
        }
    }

    fn cancel_stop(&self) {
        if let Some(window) = self.window.upgrade() {
            window.global::<HostView>().set_stop_asked(false);
        }
    }

    /// Everybody is told, and the place is left; where it was the only one, the card comes back.
    fn stop_host(self: &Rc<Self>) {
        let place = self.state.borrow().hosting.as_ref().map(|hosting| hosting.place.clone());
        self.stop_server();
        match place {
            Some(place) => self.close_place(&place),
            None => self.disconnect(),
        }
    }

    /// Lets the hosted server stop, if there is one; its good-byes are not waited for.
    pub(super) fn stop_server(&self) {
        drop(self.state.borrow_mut().starting.take());
        let hosting = self.state.borrow_mut().hosting.take();
        if let Some(hosting) = hosting {
            self.state.borrow_mut().stopping.push(hosting.host.ended());
        }
        if let Some(window) = self.window.upgrade() {
            window.global::<HostView>().set_running(false);
        }
    }
}
