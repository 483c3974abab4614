//! The icon in the desktop's tray: with it the window can be closed, and what it hosts or listens to goes on.

use std::rc::Rc;
use std::time::Duration;

use parlor_ui::slint::winit_030::WinitWindowAccessor;
use parlor_ui::slint::{self, ComponentHandle, PhysicalPosition};
use parlor_ui::{SettingsView, Tray, Words};

use super::Bridge;
use super::notifications::Telling;

/// After a login the desktop's panel may come later than we do.
const COMES: Duration = Duration::from_secs(10);

/// What is known of the tray, and what is in it.
#[derive(Default)]
pub(super) struct Trayed {
    /// It is asked whether the desktop has one.
    watched: bool,
    /// It has one.
    possible: bool,
    icon: Option<Tray>,
    /// The window is closed, and only the icon is there.
    hidden: bool,
    /// The person knows that the program goes on.
    told: bool,
}

impl Trayed {
    /// Only the icon is there: nobody looks.
    pub(super) fn is_hidden(&self) -> bool {
        self.hidden
    }
}

impl Bridge {
    /// Starts without a window, as soon as there is a tray; where none comes, with one.
    pub fn start_in_tray(self: &Rc<Self>) {
        self.state.borrow_mut().tray.hidden = true;
        self.watch_tray();
        let weak = Rc::downgrade(self);
        slint::Timer::single_shot(COMES, move || {
            let Some(bridge) = weak.upgrade() else { return };
            if bridge.state.borrow().tray.icon.is_none() {
                bridge.unhide();
            }
        });
    }

    /// From now on it is known whether the desktop has a tray.
    pub(super) fn watch_tray(self: &Rc<Self>) {
        if std::mem::replace(&mut self.state.borrow_mut().tray.watched, true) {
            return;
        }
        let weak = Rc::downgrade(self);
        let watch = async move {
            let changed = |possible| {
                if let Some(bridge) = weak.upgrade() {
                    bridge.tray_changed(possible);
                }
            };
            if let Err(error) = platform::watch(changed).await {
                log::debug!("there is no tray: {error}");
            }
            // Nobody would say it any more.
            changed(false);
        };
        self.tasks.spawn(watch).detach();
    }

    fn tray_changed(self: &Rc<Self>, possible: bool) {
        let before = std::mem::replace(&mut self.state.borrow_mut().tray.possible, possible);
        let hidden = self.state.borrow().tray.hidden;
        // What had an icon and has none would be out of reach, and with neither the event loop ends. One that waits for
        // a tray waits on.
        if before && !possible && hidden {
            self.unhide();
        }
        self.show_tray();
        if let Some(window) = self.window.upgrade() {
            window.global::<SettingsView>().set_has_tray(possible);
        }
    }

    /// The icon is there whenever closing the window would leave it alone, and says what waits.
    pub(super) fn show_tray(self: &Rc<Self>) {
        let (wanted, hosting) = {
            let state = self.state.borrow();
            let hosting = state.hosting.is_some();
            (hosting || state.settings.stay || state.tray.hidden, hosting)
        };
        if wanted {
            self.watch_tray();
        }
        let mut state = self.state.borrow_mut();
        if !(wanted && state.tray.possible) {
            let gone = state.tray.icon.take();
            drop(state);
            return drop(gone);
        }
        if state.tray.icon.is_none() {
            state.tray.icon = self.new_tray();
        }
        state.tray.icon.iter().for_each(|icon| icon.set_hosting(hosting));
        drop(state);
        self.show_waiting();
    }

    /// How many lines wait.
    pub(super) fn show_waiting(&self) {
        let state = self.state.borrow();
        if let Some(icon) = &state.tray.icon {
            icon.set_waiting(i32::try_from(state.conversations.waiting()).unwrap_or(i32::MAX));
        }
    }

    fn new_tray(self: &Rc<Self>) -> Option<Tray> {
        let tray = Tray::new().inspect_err(|error| log::warn!("no icon in the tray: {error}")).ok()?;
        let weak = Rc::downgrade(self);
        tray.on_open(move || weak.upgrade().into_iter().for_each(|bridge| bridge.unhide()));
        let weak = Rc::downgrade(self);
        tray.on_quit(move || weak.upgrade().into_iter().for_each(|bridge| bridge.quit()));
        Some(tray)
    }

    /// Closes the window and nothing else, if the icon is there; says whether it did. The caller hides it.
    pub(super) fn goes_to_tray(self: &Rc<Self>) -> bool {
        self.note_frame();
        let mut state = self.state.borrow_mut();
        if state.tray.icon.is_none() {
            return false;
        }
        state.tray.hidden = true;
        let told = std::mem::replace(&mut state.tray.told, true);
        let hosting = state.hosting.is_some();
        drop(state);
        self.look_or_not();
        if !told {
            self.tell_of_tray(hosting);
        }
        self.look_soon();
        true
    }

    fn tell_of_tray(self: &Rc<Self>, hosting: bool) {
        let Some(window) = self.window.upgrade() else { return };
        let words = window.global::<Words>();
        let telling = Telling {
            replaces: 0,
            summary: words.invoke_in_tray().into(),
            body: words.invoke_in_tray_how(hosting).into(),
            sound: false,
        };
        let bridge = Rc::clone(self);
        let tell = async move {
            if let Some(server) = bridge.notification_server().await
                && let Err(error) = server.tell(&telling).await
            {
                log::debug!("the desktop takes no notifications: {error}");
            }
        };
        self.tasks.spawn(tell).detach();
    }

    /// Shows the window, where it was, and before the others.
    pub(super) fn unhide(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let hidden = std::mem::replace(&mut self.state.borrow_mut().tray.hidden, false);
        if hidden {
            let place = self.state.borrow().settings.window.and_then(|frame| frame.place);
            if let Err(error) = window.show() {
                log::warn!("the window does not open: {error}");
            }
            if let Some((x, y)) = place {
                window.window().set_position(PhysicalPosition::new(x, y));
            }
            self.show_tray();
            self.look_or_not();
        }
        window.window().set_minimized(false);
        window.window().with_winit_window(|window| window.focus_window());
        self.look_soon();
    }

    /// Takes the icon away: the program ends.
    pub(super) fn leave_tray(&self) {
        let mut state = self.state.borrow_mut();
        state.tray.watched = true;
        state.tray.possible = false;
        let icon = state.tray.icon.take();
        drop(state);
        drop(icon);
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use futures_lite::{FutureExt, StreamExt};
    use zbus::zvariant::OwnedValue;
    use zbus::{Connection, MatchRule, MessageStream, message};

    use crate::limits::NOTICE_EVERY;

    const NAME: &str = "org.kde.StatusNotifierWatcher";
    const PATH: &str = "/StatusNotifierWatcher";
    const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

    /// Says whether there is a tray, at once and whenever that changes, until the bus is gone
    /// (`freedesktop.org/wiki/Specifications/StatusNotifierItem`). One that does not answer in time is none.
    pub(super) async fn watch(mut each: impl FnMut(bool)) -> zbus::Result<()> {
        let bus = Connection::session().await?;
        let rule = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .interface("org.freedesktop.DBus")?
            .member("NameOwnerChanged")?
            .arg(0, NAME)?
            .build();
        let mut changes = MessageStream::for_match_rule(rule, &bus, Some(16)).await?;
        let rule = MatchRule::builder().msg_type(message::Type::Signal).interface(NAME)?.build();
        let mut signals = MessageStream::for_match_rule(rule, &bus, Some(64)).await?;
        loop {
            let late = async {
                smol::Timer::after(NOTICE_EVERY).await;
                false
            };
            each(is_there(&bus).or(late).await);
            // Whatever it says, it may be about that.
            let next = changes.next().or(signals.next()).await;
            if next.transpose()?.is_none() {
                return Ok(());
            }
        }
    }

    async fn is_there(bus: &Connection) -> bool {
        let arguments = (NAME, "IsStatusNotifierHostRegistered");
        let Ok(answer) = bus.call_method(Some(NAME), PATH, Some(PROPERTIES), "Get", &arguments).await else {
            return false;
        };
        let body = answer.body();
        body.deserialize::<OwnedValue>().is_ok_and(|shown| bool::try_from(shown).unwrap_or(false))
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::io::Error;

    /// There always is one.
    pub(super) async fn watch(mut each: impl FnMut(bool)) -> Result<(), Error> {
        each(true);
        std::future::pending().await
    }
}
