//! The clipboard.

/// Puts a text on the clipboard; `false` if there is none.
pub(super) fn copy(text: &str) -> bool {
    let put = arboard::Clipboard::new().and_then(|mut clipboard| clipboard.set_text(text));
    if let Err(error) = &put {
        log::warn!("nothing was copied: {error}");
    }
    put.is_ok()
}
