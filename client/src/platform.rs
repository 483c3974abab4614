//! The window's platform: Slint's own, but for a clipboard that never holds the window up.

use std::fmt::Arguments;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use i_slint_backend_winit::{Backend, CustomApplicationHandler};
use i_slint_core::{InternalToken, SlintContextWeak};
use parlor_ui::slint::PlatformError;
use parlor_ui::slint::platform::{
    Clipboard, EventLoopProxy, Platform, SetPlatformError, WindowAdapter, set_platform,
};

use crate::limits::TYPED;

/// How long whoever holds the clipboard has to give it.
const ANSWERS_WITHIN: Duration = Duration::from_millis(500);

/// Makes Slint use it, and ask the `opener` where a window is to be. Each message of the channel:
/// nothing was pasted.
///
/// # Errors
/// There is no display, or none that Slint can use.
pub fn install(
    opener: impl CustomApplicationHandler + 'static,
) -> Result<Receiver<NotPasted>, PlatformError> {
    let (not_pasted, heard) = async_channel::bounded(1);
    let slint = Backend::builder().with_custom_application_handler(Box::new(opener)).build()?;
    let platform = Desktop { slint, asking: Arc::default(), not_pasted };
    set_platform(Box::new(platform)).map_err(|error: SetPlatformError| error.to_string())?;
    Ok(heard)
}

/// Why nothing was pasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPasted {
    /// A program holds the clipboard and does not give it.
    Silent,
    /// It is more than [`TYPED`] characters.
    TooLong,
}

struct Desktop {
    slint: Backend,
    /// Somebody was asked for the clipboard and has not answered yet.
    asking: Arc<AtomicBool>,
    not_pasted: Sender<NotPasted>,
}

impl Desktop {
    /// Asks on a thread of its own: a program that hangs would take us along, for 24 s on X11.
    fn ask(&self, clipboard: Clipboard) -> Option<String> {
        let told = if self.asking.swap(true, Ordering::Relaxed) {
            None
        } else {
            let (asking, (tell, told)) = (Arc::clone(&self.asking), mpsc::sync_channel(1));
            let ask = move || {
                let text = read(clipboard);
                asking.store(false, Ordering::Relaxed);
                // It may be too late.
                let _ = tell.send(text);
            };
            if thread::Builder::new().name("clipboard".into()).spawn(ask).is_err() {
                self.asking.store(false, Ordering::Relaxed);
            }
            told.recv_timeout(ANSWERS_WITHIN).ok()
        };
        let why = match &told {
            None => NotPasted::Silent,
            // Bytes first: a text of any length may be there.
            Some(Some(text)) if text.len() > TYPED && text.chars().count() > TYPED => NotPasted::TooLong,
            Some(text) => return text.clone(),
        };
        // One that waits says it.
        let _ = self.not_pasted.try_send(why);
        None
    }
}

#[cfg(all(unix, not(target_vendor = "apple")))]
fn read(clipboard: Clipboard) -> Option<String> {
    use arboard::{GetExtLinux, LinuxClipboardKind};

    let kind = match clipboard {
        Clipboard::DefaultClipboard => LinuxClipboardKind::Clipboard,
        Clipboard::SelectionClipboard => LinuxClipboardKind::Primary,
        _ => return None,
    };
    arboard::Clipboard::new().and_then(|mut board| board.get().clipboard(kind).text()).ok()
}

#[cfg(not(all(unix, not(target_vendor = "apple"))))]
fn read(clipboard: Clipboard) -> Option<String> {
    let board = matches!(clipboard, Clipboard::DefaultClipboard).then(arboard::Clipboard::new)?;
    board.and_then(|mut board| board.get_text()).ok()
}

impl Platform for Desktop {
    fn clipboard_text(&self, clipboard: Clipboard) -> Option<String> {
        self.ask(clipboard)
    }

    fn set_clipboard_text(&self, text: &str, clipboard: Clipboard) {
        self.slint.set_clipboard_text(text, clipboard);
    }

    fn bind_context(&self, context: SlintContextWeak, token: InternalToken) {
        self.slint.bind_context(context, token);
    }

    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        self.slint.create_window_adapter()
    }

    fn run_event_loop(&self) -> Result<(), PlatformError> {
        self.slint.run_event_loop()
    }

    fn process_events(
        &self,
        timeout: Option<Duration>,
        token: InternalToken,
    ) -> Result<ControlFlow<()>, PlatformError> {
        self.slint.process_events(timeout, token)
    }

    fn new_event_loop_proxy(&self) -> Option<Box<dyn EventLoopProxy>> {
        self.slint.new_event_loop_proxy()
    }

    fn duration_since_start(&self) -> Duration {
        self.slint.duration_since_start()
    }

    fn click_interval(&self) -> Duration {
        self.slint.click_interval()
    }

    fn cursor_flash_cycle(&self) -> Duration {
        self.slint.cursor_flash_cycle()
    }

    fn debug_log(&self, arguments: Arguments<'_>) {
        self.slint.debug_log(arguments);
    }

    fn open_url(&self, url: &str) -> Result<(), PlatformError> {
        self.slint.open_url(url)
    }
}
