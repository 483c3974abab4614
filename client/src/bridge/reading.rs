//! Whether the conversation on the screen is being read: the window has the keyboard, nothing
//! covers the lines, their end is in view, and the connection stands. Only then nothing of it is
//! new. After a loss nobody reads before the person has moved: what was missed comes first.

use std::rc::Rc;
use std::time::Duration;

use parlor_ui::slint::winit_030::WinitWindowAccessor;
use parlor_ui::slint::{self, ComponentHandle};
use parlor_ui::{App, RoomView, Screen, Shell};

use super::{Bridge, on};
use crate::conversations::ConversationId;
use crate::place::PlaceId;
use crate::session::{Action, Status, UnixMillis};

impl Bridge {
    pub(super) fn listen_to_reading(self: &Rc<Self>, window: &App) {
        let view = window.global::<RoomView>();
        on!(self, view, on_seen_changed, |this| {
            this.window.upgrade().iter().for_each(|window| this.look(window));
        });
    }

    /// The person did something, or the window has the keyboard now, or another one has; what that
    /// changes is known to the toolkit a moment later.
    pub(super) fn look_soon(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        slint::Timer::single_shot(Duration::ZERO, move || {
            let Some(bridge) = weak.upgrade() else { return };
            bridge.window.upgrade().iter().for_each(|window| bridge.look(window));
        });
    }

    /// Tells the lines on the screen and their session whether they are being read now.
    pub(super) fn look(&self, window: &App) {
        let seen = window.global::<RoomView>().get_seen()
            && is_looked_at(window)
            && !self.state.borrow().tray.is_hidden();
        let seen = seen && window.global::<Shell>().get_screen() == Screen::Room;
        let now = self.current().filter(|id| seen && self.is_connected(&id.place));
        let before = std::mem::replace(&mut self.state.borrow_mut().reading, now.clone());
        if before == now {
            return;
        }
        if let Some(before) = &before {
            self.set_reading(before, false);
            if now.as_ref().is_none_or(|now| now.place != before.place) {
                self.act(&before.place, Action::NotReading);
            }
        }
        if let Some(now) = now {
            self.set_reading(&now, true);
            self.untell(&now);
            self.act(&now.place, Action::Reading { key: now.key });
        }
    }

    /// Another device has shown what was said until then.
    pub(super) fn read_elsewhere(&self, window: &App, id: &ConversationId, at: UnixMillis) {
        self.edit(window, id, |timeline| timeline.read_until(at));
    }

    fn is_connected(&self, place: &PlaceId) -> bool {
        let state = self.state.borrow();
        state.places.get(place).is_some_and(|place| matches!(place.status, Some(Status::Connected { .. })))
    }

    fn set_reading(&self, id: &ConversationId, reading: bool) {
        if let Some(conversation) = self.state.borrow().conversations.get(id) {
            conversation.view.set_reading(reading);
        }
    }
}

/// Whether the window has the keyboard; one without a desktop is looked at.
pub(super) fn is_looked_at(window: &App) -> bool {
    window.window().with_winit_window(|window| window.has_focus()).unwrap_or(true)
}

/// Whether there is somebody who could look away.
pub(super) fn has_desktop(window: &App) -> bool {
    window.window().with_winit_window(|_| ()).is_some()
}
