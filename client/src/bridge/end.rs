//! Closing the window: guests are asked about first, and nobody is left without a good-bye.

use std::rc::Rc;
use std::time::Duration;

use parlor_ui::slint::{self, CloseRequestResponse, ComponentHandle};
use parlor_ui::{App, HostView, Panel, Shell};

use super::links::open_url;
use super::{Bridge, on};

/// The longest that the program lives on without a window: a hosted server takes up to 3 s to
/// close its connections.
const FAREWELL: Duration = Duration::from_secs(4);

impl Bridge {
    pub(super) fn listen_to_shell(self: &Rc<Self>, window: &App) {
        let shell = window.global::<Shell>();
        on!(self, shell, on_opened, |this, panel| this.panel_opened(panel));
        on!(self, shell, on_quit, |this| this.quit());
        on!(self, shell, on_open_url, |this, url| {
            // A topic may name rooms.
            if url.starts_with('#') { this.open_named(&url) } else { open_url(&this, &url) }
        });
        let weak = Rc::downgrade(self);
        window.window().on_close_requested(move || match weak.upgrade() {
            Some(bridge) => bridge.close_requested(),
            None => CloseRequestResponse::HideWindow,
        });
    }

    fn panel_opened(self: &Rc<Self>, panel: Panel) {
        let Some(window) = self.window.upgrade() else { return };
        match panel {
            Panel::Browse => self.browse(),
            Panel::Room => self.look_at_room(&window),
            Panel::Switcher => self.open_switcher(),
            Panel::Guests => {
                self.look_at_guests();
                self.tick.restart();
            }
            Panel::Settings => self.show_settings(&window),
            Panel::Invite => self.show_invitation(&window),
            _ => {}
        }
    }

    /// The window is closed, by its button for that: with an icon in the tray nothing else ends.
    fn close_requested(self: &Rc<Self>) -> CloseRequestResponse {
        if self.goes_to_tray() {
            return CloseRequestResponse::HideWindow;
        }
        self.quit();
        CloseRequestResponse::KeepWindowShown
    }

    /// Whoever hosts is asked first, if there are guests.
    pub(super) fn quit(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        if self.state.borrow().hosting.is_none() {
            return self.quit_now(&window);
        }
        self.with_guests(|bridge, window, guests| {
            if guests {
                bridge.unhide();
                window.global::<HostView>().set_stop_quits(true);
                window.global::<HostView>().set_stop_asked(true);
            } else {
                bridge.quit_now(window);
            }
        });
    }

    /// Closes the window without a question.
    pub(super) fn quit_now(&self, window: &App) {
        self.leave_everything();
        // A window that cannot hide is closing already.
        let _ = window.hide();
        // One that was never shown ends nothing by that; without an event loop there is nothing to end.
        let _ = slint::quit_event_loop();
    }

    /// Keeps what was typed, says good-bye everywhere, stops a hosted room; waits for nothing.
    fn leave_everything(&self) {
        self.leave_tray();
        self.note_frame();
        self.leave_all();
        self.stop_server();
    }

    /// The window is closed: returns when all good-byes are out, what was typed is on disk, and
    /// the guests of a hosted room have gone, or after 4 s.
    pub fn finish(&self) {
        self.leave_everything();
        let (leaving, stopping) = {
            let mut state = self.state.borrow_mut();
            (std::mem::take(&mut state.leaving), std::mem::take(&mut state.stopping))
        };
        let gone = async {
            for (_, ended) in leaving {
                let _ = ended.recv().await;
            }
            let _ = self.keeper.close().recv().await;
            for ended in stopping {
                let _ = ended.recv().await;
            }
        };
        let late = async {
            smol::Timer::after(FAREWELL).await;
        };
        self.tasks.block_on(futures_lite::future::or(gone, late));
    }
}
