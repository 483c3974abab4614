//! What a screen reader says by itself: the lines of the conversation one looks at, and where we stand.

use std::cell::RefCell;
use std::rc::Rc;

use parlor_ui::slint::{self, ComponentHandle, TimerMode};
use parlor_ui::{App, Shell, Words};

use super::Bridge;
use super::lines::plain;
use crate::conversations::ConversationId;
use crate::limits::{SAID, SAID_CHARACTERS, SAID_EVERY};
use crate::session::{Line, LineKind};

/// What waits to be said.
#[derive(Default)]
pub(super) struct Announcer {
    /// The last sentences, at most [`SAID`].
    waiting: RefCell<Vec<String>>,
    /// How many there were.
    count: std::cell::Cell<usize>,
    /// Runs while nothing more is said.
    due: slint::Timer,
}

impl Bridge {
    /// Lines that came into a conversation, if it is the one on the screen.
    pub(super) fn announce_lines(self: &Rc<Self>, window: &App, id: &ConversationId, lines: &[Line]) {
        if !self.state.borrow().conversations.is_current(id) {
            return;
        }
        let words = window.global::<Words>();
        let wanted = |line: &&Line| !line.own() && (line.is_talk() || line.kind() == LineKind::Error);
        let skipped = lines.iter().filter(wanted).count().saturating_sub(SAID);
        self.announcer.count.set(self.announcer.count.get() + skipped);
        for line in lines.iter().filter(wanted).skip(skipped) {
            let text = plain(&words, line);
            self.announce(match line.from() {
                "" => text.into(),
                from if line.kind() == LineKind::Action => format!("{from} {text}"),
                from => format!("{from}: {text}"),
            });
        }
    }

    /// Says a sentence, now or with others a moment later.
    pub(super) fn announce(self: &Rc<Self>, sentence: String) {
        {
            let mut waiting = self.announcer.waiting.borrow_mut();
            if waiting.len() >= SAID {
                waiting.remove(0);
            }
            waiting.push(sentence.chars().take(SAID_CHARACTERS).collect());
        }
        self.announcer.count.set(self.announcer.count.get() + 1);
        if !self.announcer.due.running() {
            // What comes in the same turn is said with it.
            self.say_after(std::time::Duration::ZERO);
        }
    }

    fn say_after(self: &Rc<Self>, pause: std::time::Duration) {
        let weak = Rc::downgrade(self);
        self.announcer.due.start(TimerMode::SingleShot, pause, move || {
            if let Some(bridge) = weak.upgrade()
                && bridge.say()
            {
                bridge.say_after(SAID_EVERY);
            }
        });
    }

    /// Whether there was anything.
    fn say(&self) -> bool {
        let (sentences, count) = (self.announcer.waiting.take(), self.announcer.count.take());
        let (Some(window), Some(last)) = (self.window.upgrade(), sentences.last()) else { return false };
        let (shell, words) = (window.global::<Shell>(), window.global::<Words>());
        let mut said = match sentences.len() {
            all if all == count => sentences.join("\n"),
            _ => format!("{}\n{last}", words.invoke_new_lines(count as i32)),
        };
        if shell.get_said() == said {
            // Only what changes is said.
            said.push(' ');
        }
        shell.set_said(said.into());
        true
    }
}
