//! Being asked to end by the system: a logout, a service manager, Ctrl-C at the terminal it was
//! started from.

use std::process::exit;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

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
/// The program is gone by then, whatever hangs: a server, a disk, a display.
const GONE: Duration = Duration::from_millis(1_800);

/// Ends the program from a thread that holds nothing. On the window's own, `exit` first drops what
/// Slint and the display keep there, which may wait for a display or a bus that does not answer;
/// and whoever would end that wait only waits for the first `exit`.
pub fn end(code: i32) -> ! {
    if thread::Builder::new().name("end".into()).spawn(move || exit(code)).is_err() {
        exit(code);
    }
    loop {
        thread::park();
    }
}

impl Bridge {
    /// From now on a signal closes the window as a person would, except that nobody is asked:
    /// guests of a hosted room hear the good-bye, settings and drafts are kept. What takes longer
    /// than 1.8 s is left undone.
    pub fn close_on_signals(self: &Rc<Self>, window: &App) {
        let mut signals = match Signals::new(ENDINGS) {
            Ok(signals) => signals,
            Err(error) => return log::warn!("signals end the program at once: {error}"),
        };
        let (ask, asked) = async_channel::bounded(1);
        // The window's own thread may hang.
        let watch = move || {
            if smol::block_on(signals.next()).is_some() {
                let _ = ask.try_send(());
                // Not a timer: what hangs may be what drives those.
                thread::sleep(GONE);
                log::warn!("the window did not close in time");
                exit(0);
            }
        };
        if let Err(error) = thread::Builder::new().name("signals".into()).spawn(watch) {
            return log::warn!("signals are not obeyed: {error}");
        }
        let (bridge, window) = (Rc::downgrade(self), window.as_weak());
        let wait = async move {
            if asked.recv().await.is_ok()
                && let (Some(bridge), Some(window)) = (bridge.upgrade(), window.upgrade())
            {
                bridge.quit_now(&window);
            }
        };
        if let Err(error) = slint::spawn_local(wait) {
            log::warn!("signals end the program late: {error}");
        }
    }
}
