//! What is kept on disk, and when.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use async_channel::Receiver;
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
        self.keeper.keep_settings(&self.state.borrow().settings);
    }

    /// Says it when settings could not be written.
    pub(super) fn watch_keeper(self: &Rc<Self>) {
        let (failures, weak) = (self.keeper.failures.clone(), Rc::downgrade(self));
        let watch = async move {
            while let Ok(error) = failures.recv().await {
                let Some(bridge) = weak.upgrade() else { return };
                let Some(window) = bridge.window.upgrade() else { return };
                let words = window.global::<Words>();
                bridge.notice(&window, words.invoke_settings_not_saved(shared(&error.to_string())));
            }
        };
        self.tasks.spawn(watch).detach();
    }

    /// Says it when nothing was pasted because whoever holds the clipboard is silent.
    pub fn watch_clipboard(self: &Rc<Self>, silent: Receiver<()>) {
        let weak = Rc::downgrade(self);
        let watch = async move {
            while silent.recv().await.is_ok() {
                let Some(bridge) = weak.upgrade() else { return };
                let Some(window) = bridge.window.upgrade() else { return };
                bridge.notice(&window, window.global::<Words>().invoke_clipboard_silent());
            }
        };
        self.tasks.spawn(watch).detach();
    }

    pub(super) fn keep_drafts(&self) {
        self.drafts_due.stop();
        self.keeper.keep_drafts(&self.state.borrow().drafts);
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
