//! The clipboard.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long the system has to take a text.
const TAKEN_WITHIN: Duration = Duration::from_millis(500);

/// Puts a text on the clipboard; `false` if there is none, or if it takes its time.
pub(super) fn copy(text: String) -> bool {
    let (tell, told) = mpsc::sync_channel(1);
    let put = move || {
        let put = arboard::Clipboard::new().and_then(|mut board| board.set_text(text));
        if let Err(error) = &put {
            log::warn!("nothing was copied: {error}");
        }
        // It may be too late.
        let _ = tell.send(put.is_ok());
    };
    let started = thread::Builder::new().name("clipboard".into()).spawn(put);
    started.is_ok() && told.recv_timeout(TAKEN_WITHIN).unwrap_or(false)
}
