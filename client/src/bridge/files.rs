//! What is kept on disk, and when.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use parlor_ui::Words;
use parlor_ui::slint::{ComponentHandle, TimerMode};

use super::Bridge;
use super::text::shared;

/// Text that was typed is kept on disk this long after the last key.
const KEEP_DRAFTS: Duration = Duration::from_secs(2);

impl Bridge {
    /// Says that nothing can be kept, and why; everything else works.
    pub fn keeps_nothing(&self, reason: &io::Error) {
        if let Some(window) = self.window.upgrade() {
            let sentence = window.global::<Words>().invoke_nothing_kept(shared(&reason.to_string()));
            self.notice(&window, sentence);
        }
    }

    pub(super) fn keep_settings(&self) {
        if let Err(error) = self.folder.keep_settings(&self.state.borrow().settings)
            && let Some(window) = self.window.upgrade()
        {
            let sentence = window.global::<Words>().invoke_settings_not_saved(shared(&error.to_string()));
            self.notice(&window, sentence);
        }
    }

    pub(super) fn keep_drafts(&self) {
        self.drafts_due.stop();
        if let Err(error) = self.folder.keep_drafts(&self.state.borrow().drafts) {
            log::warn!("drafts are not kept: {error}");
        }
    }

    pub(super) fn keep_drafts_soon(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        self.drafts_due.start(TimerMode::SingleShot, KEEP_DRAFTS, move || {
            weak.upgrade().into_iter().for_each(|bridge| {
                bridge.take_draft();
                bridge.keep_drafts();
            });
        });
    }
}
