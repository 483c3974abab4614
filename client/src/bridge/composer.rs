//! What is typed: drafts, completion, what was sent before, a long paste.

use std::rc::Rc;

use parlor_ui::slint::{ComponentHandle, ModelRc, SharedString, VecModel};
use parlor_ui::{App, CommandHelp, Completion as Completed, ComposerView, TimelineView, Words};

use super::text::shared;
use super::{Bridge, on, phrases};
use crate::completion::{self, Completion};
use crate::conversations::ConversationId;
use crate::session::{Action, Command};

/// More lines than this are sent only when the person says so.
const LINES_UNASKED: usize = 3;

impl Bridge {
    pub(super) fn listen_to_composer(self: &Rc<Self>, window: &App) {
        let view = window.global::<ComposerView>();
        on!(self, view, on_send, |this| this.send());
        on!(self, view, on_draft_edited, |this| this.draft_edited());
        on!(self, view, on_complete, |this, text, cursor, backward| this.complete(&text, cursor, backward));
        on!(self, view, on_insert, |_this, text, cursor, letter| inserted(&text, cursor, &letter));
        on!(self, view, on_previous_sent, |this| shared(this.state.borrow_mut().sent.earlier()));
        on!(self, view, on_next_sent, |this| shared(this.state.borrow_mut().sent.later()));
        on!(self, view, on_pick_command, |this, index| this.pick_command(index));
        on!(self, view, on_confirm_paste, |this| this.confirm_paste());
        on!(self, view, on_cancel_paste, |this| this.cancel_paste());
    }

    fn send(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let view = window.global::<ComposerView>();
        let count = view.get_draft().lines().filter(|line| !line.trim().is_empty()).count();
        if count > LINES_UNASKED {
            view.set_paste_lines(count as i32);
            return view.set_paste_question(true);
        }
        self.send_now(&window);
    }

    fn send_now(self: &Rc<Self>, window: &App) {
        let view = window.global::<ComposerView>();
        let text = view.get_draft().trim_end().to_owned();
        if self.current().is_none() || text.trim().is_empty() {
            return;
        }
        self.act_here(|here| {
            if text.starts_with('/') && !text.contains('\n') {
                Action::Command { at: here, line: text.clone() }
            } else {
                Action::Say { to: here, text: text.clone() }
            }
        });
        {
            let mut state = self.state.borrow_mut();
            state.sent.push(text);
            state.completion = None;
        }
        view.set_draft(SharedString::default());
        view.set_commands(ModelRc::default());
        window.global::<TimelineView>().set_stick(true);
        window.global::<TimelineView>().set_below_count(0);
        self.take_draft();
        self.keep_drafts_soon();
    }

    fn confirm_paste(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        window.global::<ComposerView>().set_paste_question(false);
        self.send_now(&window);
    }

    fn cancel_paste(&self) {
        if let Some(window) = self.window.upgrade() {
            window.global::<ComposerView>().set_paste_question(false);
        }
    }

    fn draft_edited(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let (view, words) = (window.global::<ComposerView>(), window.global::<Words>());
        let draft = view.get_draft();
        let row = |command: Command| CommandHelp {
            name: shared(command.usage()),
            help: phrases::help(&words, command),
        };
        let rows: Vec<CommandHelp> = completion::commands(&draft).map(row).collect();
        view.set_commands(ModelRc::new(VecModel::from(rows)));
        self.keep_drafts_soon();
    }

    /// `/help`: the list that a slash shows.
    pub(super) fn show_commands(self: &Rc<Self>, window: &App) {
        let view = window.global::<ComposerView>();
        if view.get_draft().is_empty() {
            view.set_draft("/".into());
            self.draft_edited();
        }
    }

    fn pick_command(self: &Rc<Self>, index: i32) {
        let Some(window) = self.window.upgrade() else { return };
        let view = window.global::<ComposerView>();
        let draft = view.get_draft();
        let picked = usize::try_from(index).ok().and_then(|index| completion::commands(&draft).nth(index));
        if let Some(word) = picked.map(Command::word) {
            view.set_draft(shared(&format!("{word} ")));
            self.draft_edited();
        }
    }

    /// Tab: the name that the word before the cursor begins, then the next one.
    fn complete(&self, text: &str, cursor: i32, backward: bool) -> Completed {
        let mut state = self.state.borrow_mut();
        if !state.completion.as_ref().is_some_and(|completion| completion.continues(text)) {
            let people = state.conversations.current().into_iter().flat_map(|current| current.people.iter());
            let others = people.filter(|person| !person.me).map(|person| &*person.name);
            state.completion = Completion::new(text, usize::try_from(cursor).unwrap_or_default(), others);
        }
        match &mut state.completion {
            Some(completion) => {
                let (text, cursor) = completion.turn(backward);
                Completed { text: shared(text), cursor: cursor as i32 }
            }
            None => Completed { text: shared(text), cursor },
        }
    }

    /// Takes over what is typed in the conversation on the screen.
    pub(super) fn take_draft(&self) {
        if let (Some(window), Some(id)) = (self.window.upgrade(), self.current()) {
            let draft = window.global::<ComposerView>().get_draft();
            self.state.borrow_mut().drafts.set(&id, &draft);
        }
    }

    pub(super) fn restore_draft(&self, window: &App, id: &ConversationId) {
        let draft = shared(self.state.borrow().drafts.get(id));
        window.global::<ComposerView>().set_draft(draft);
        window.global::<ComposerView>().set_commands(ModelRc::default());
    }
}

/// Puts what a key writes in; the keys that write nothing are control characters and private ones.
fn inserted(text: &str, cursor: i32, letter: &str) -> Completed {
    let writes = !letter.chars().any(|c| c.is_control() || ('\u{E000}'..='\u{F8FF}').contains(&c));
    let at = usize::try_from(cursor).ok().and_then(|at| text.split_at_checked(at));
    match at.filter(|_| writes) {
        Some((before, after)) => Completed {
            text: shared(&format!("{before}{letter}{after}")),
            cursor: (before.len() + letter.len()) as i32,
        },
        None => Completed { text: shared(text), cursor },
    }
}
