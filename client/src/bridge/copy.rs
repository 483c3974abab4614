//! The clipboard.

use super::Bridge;

/// Puts a text on the clipboard; `false` if there is none.
pub(super) fn copy(text: &str) -> bool {
    let put = arboard::Clipboard::new().and_then(|mut clipboard| clipboard.set_text(text));
    if let Err(error) = &put {
        log::warn!("nothing was copied: {error}");
    }
    put.is_ok()
}

impl Bridge {
    /// Copies rows of the timeline as text, both ends included.
    pub(super) fn copy_rows(&self, from: i32, to: i32) {
        let (from, to) = (from.min(to).max(0) as usize, from.max(to).max(0) as usize);
        let lines = self.state.borrow().current().map(|current| std::rc::Rc::clone(&current.lines));
        let Some(lines) = lines else { return };
        let text: Vec<String> = (from..=to).filter_map(|row| lines.as_text(row)).collect();
        copy(&text.join("\n"));
    }
}
