//! Emoji to choose from.

use std::rc::Rc;

use parlor_ui::slint::ComponentHandle;
use parlor_ui::{App, ComposerView, EmojiRow, EmojiView};

use super::text::shared;
use super::{Bridge, on};
use crate::emoji;

impl Bridge {
    pub(super) fn listen_to_emoji(self: &Rc<Self>, window: &App) {
        let view = window.global::<EmojiView>();
        on!(self, view, on_search, |this| {
            this.window.upgrade().iter().for_each(search);
        });
        on!(self, view, on_insert, |this, sign| this.insert_emoji(&sign));
        search(window);
    }

    /// Puts it into the draft where the cursor is.
    fn insert_emoji(self: &Rc<Self>, sign: &str) {
        let Some(window) = self.window.upgrade() else { return };
        let view = window.global::<ComposerView>();
        let draft = view.get_draft();
        let at = usize::try_from(view.get_cursor()).map_or(draft.len(), |at| draft.floor_char_boundary(at));
        let (before, after) = draft.split_at(at);
        let whole = format!("{before}{sign}{after}");
        self.put_draft(&window, &whole);
        self.draft_edited();
    }
}

fn search(window: &App) {
    let view = window.global::<EmojiView>();
    let row = |one: emoji::Emoji| EmojiRow { emoji: shared(one.sign), name: shared(one.name) };
    let found: Vec<EmojiRow> = emoji::find(&view.get_query()).map(row).collect();
    view.set_found(found.as_slice().into());
}
