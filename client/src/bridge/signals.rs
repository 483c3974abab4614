//! Being asked to end by the system: a logout, a service manager, Ctrl-C at the terminal it was
//! started from.

use std::rc::Rc;

use async_signal::{Signal, Signals};
use futures_lite::StreamExt;
use parlor_ui::App;
use parlor_ui::slint::{self, ComponentHandle};

use super::Bridge;

/// Ctrl-C, and where there is one the polite request to end (POSIX SIGTERM) and the loss of the
/// terminal or the session (SIGHUP).
#[cfg(unix)]
const ENDINGS: &[Signal] = &[Signal::Int, Signal::Term, Signal::Hup];
#[cfg(not(unix))]
const ENDINGS: &[Signal] = &[Signal::Int];

impl Bridge {
    /// From now on a signal closes the window as a person would, except that nobody is asked:
    /// guests of a hosted room hear the good-bye, settings and drafts are kept.
    pub fn close_on_signals(self: &Rc<Self>, window: &App) {
        let mut signals = match Signals::new(ENDINGS) {
            Ok(signals) => signals,
            Err(error) => return log::warn!("signals end the program at once: {error}"),
        };
        let (bridge, window) = (Rc::downgrade(self), window.as_weak());
        let wait = async move {
            if signals.next().await.is_none() {
                return;
            }
            if let (Some(bridge), Some(window)) = (bridge.upgrade(), window.upgrade()) {
                bridge.quit_now(&window);
            }
        };
        if let Err(error) = slint::spawn_local(wait) {
            log::warn!("signals end the program at once: {error}");
        }
    }
}
