//! What is typed: drafts, completion, what was sent before, a long paste.

use std::rc::Rc;

use parlor_ui::slint::platform::{Key, WindowEvent};
use parlor_ui::slint::{ComponentHandle, Model, ModelRc, SharedString, VecModel};
use parlor_ui::{App, CommandHelp, Completion as Completed, ComposerView, TimelineView, Words};

use super::text::shared;
use super::{Bridge, on, phrases};
use crate::completion::{self, Completion};
use crate::conversations::ConversationId;
use crate::limits::TYPED;
use crate::sent::Sent;
use crate::session::{Action, Command, Kind, Sentence, count_messages};

/// More lines than this are sent only when the person says so.
const LINES_UNASKED: usize = 3;

impl Bridge {
    pub(super) fn listen_to_composer(self: &Rc<Self>, window: &App) {
        let view = window.global::<ComposerView>();
        on!(self, view, on_send, |this| this.send());
        on!(self, view, on_draft_edited, |this| this.draft_edited());
        on!(self, view, on_complete, |this, text, cursor, backward| this.complete(&text, cursor, backward));
        on!(self, view, on_is_for_text, |_this, key, control, other| !other && is_for_text(&key, control));
        on!(self, view, on_again, |this, key| this.press_again(key));
        on!(self, view, on_line_start, |_this, text, cursor| line_start(&text, cursor));
        on!(self, view, on_previous_sent, |this| this.sent_before(Sent::earlier));
        on!(self, view, on_next_sent, |this| this.sent_before(Sent::later));
        on!(self, view, on_pick_command, |this, index| this.pick_command(index));
        on!(self, view, on_is_whole_command, |this, index| this.is_whole_command(index));
        on!(self, view, on_confirm_paste, |this| this.confirm_paste());
        on!(self, view, on_cancel_paste, |this| this.cancel_paste());
    }

    fn send(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let view = window.global::<ComposerView>();
        let count = self.lines_to_send(&view.get_draft());
        if count > LINES_UNASKED {
            view.set_paste_lines(count as i32);
            return view.set_paste_question(true);
        }
        self.send_now(&window);
    }

    /// How many lines the draft makes where it would go; where one message may have several, they are one.
    fn lines_to_send(&self, draft: &str) -> usize {
        let state = self.state.borrow();
        match (state.conversations.current(), state.place()) {
            (Some(current), Some(place)) if !is_command(draft) && place.multiline.is_none() => {
                count_messages(draft, place.line_room, None, &current.name)
            }
            _ => 1,
        }
    }

    fn send_now(self: &Rc<Self>, window: &App) {
        let view = window.global::<ComposerView>();
        let text = view.get_draft().trim_end().to_owned();
        let Some(ConversationId { place, key }) = self.current().filter(|_| !text.trim().is_empty()) else {
            return;
        };
        let action = if is_command(&text) {
            Action::Command { at: key, line: text.clone() }
        } else {
            match self.take_answered(window) {
                Some(line) => Action::Answer { to: key, text: self.addressed(&text, &line), id: line.id() },
                None => Action::Say { to: key, text: text.clone() },
            }
        };
        if !self.act(&place, action) {
            return;
        }
        {
            let mut state = self.state.borrow_mut();
            if let Some(current) = state.conversations.current_mut() {
                current.sent.push(text);
            }
            state.completion = None;
        }
        self.put_draft(window, "");
        window.global::<TimelineView>().set_stick(true);
        window.global::<TimelineView>().set_below_count(0);
        self.take_draft();
        self.keep_drafts_soon();
    }

    /// Tells others that something is being typed for them, if the person wants that.
    fn tell_typing(&self, draft: &str) {
        if self.state.borrow().settings.tell_typing {
            let writes = !draft.trim().is_empty() && !is_command(draft);
            self.act_here(|to| Action::Typing { to, writes });
        }
    }

    /// What was sent here.
    fn sent_before(&self, which: impl FnOnce(&mut Sent) -> &str) -> SharedString {
        let mut state = self.state.borrow_mut();
        state
            .conversations
            .current_mut()
            .map_or_else(SharedString::default, |current| shared(which(&mut current.sent)))
    }

    /// Nothing could be made of what was sent: it is there again, unless another text is by now.
    pub(super) fn given_back(self: &Rc<Self>, window: &App, id: &ConversationId, text: &str, why: &Sentence) {
        let here = self.state.borrow().conversations.is_current(id);
        let view = window.global::<ComposerView>();
        // What was begun meanwhile comes below; in several lines a slash begins no command, and needs no other one.
        let above = if text.starts_with("//") { text.get(1..).unwrap_or_default() } else { text };
        let whole =
            |begun: &str| if begun.is_empty() { text.to_owned() } else { format!("{above}\n{begun}") };
        if !here {
            let mut state = self.state.borrow_mut();
            let whole = whole(state.drafts.get(id));
            state.drafts.set(id, &whole);
            drop(state);
            return self.keep_drafts_soon();
        }
        self.put_draft(window, &whole(&view.get_draft()));
        self.keep_drafts_soon();
        view.set_complaint(phrases::phrase(&window.global::<Words>(), why));
    }

    /// Puts a text in place of the draft; questions about that one are gone.
    pub(super) fn put_draft(&self, window: &App, text: &str) {
        let view = window.global::<ComposerView>();
        let text = shared(text);
        self.state.borrow_mut().draft = text.clone();
        view.set_left(left(&text));
        view.set_draft(text);
        view.set_cursor(-1);
        view.set_renewed(view.get_renewed().wrapping_add(1));
        view.set_commands(ModelRc::default());
        view.set_paste_question(false);
        view.set_complaint(SharedString::default());
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

    pub(super) fn draft_edited(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let (view, words) = (window.global::<ComposerView>(), window.global::<Words>());
        let draft = view.get_draft();
        view.set_paste_question(false);
        view.set_complaint(SharedString::default());
        let before = self.state.borrow().draft.clone();
        // One that was put there may be too long, and is made shorter bit by bit.
        if left(&draft) < 0 && draft.len() >= before.len() {
            view.set_draft(before);
            return view.set_complaint(words.invoke_text_too_long(TYPED as i32));
        }
        view.set_left(left(&draft));
        self.state.borrow_mut().draft = draft.clone();
        let at_end = usize::try_from(view.get_cursor()).is_ok_and(|at| at == draft.len());
        if let Some(replaced) =
            Some(&draft).filter(|_| at_end).and_then(|draft| completion::with_emoji(draft))
        {
            self.put_draft(&window, &replaced);
            return self.draft_edited();
        }
        let row = |command: Command| CommandHelp {
            name: shared(command.usage()),
            help: phrases::help(&words, command),
            others: shared(&command.others().join("  ")),
        };
        let rows: Vec<CommandHelp> = completion::commands(&draft).map(row).collect();
        let rows =
            if rows.is_empty() && (at_end || view.get_cursor() < 0) { self.candidates(&draft) } else { rows };
        view.set_commands(ModelRc::new(VecModel::from(rows)));
        self.tell_typing(&draft);
        self.keep_drafts_soon();
    }

    /// `/help`: the list that a slash shows.
    pub(super) fn show_commands(self: &Rc<Self>, window: &App) {
        let view = window.global::<ComposerView>();
        if view.get_draft().is_empty() {
            self.put_draft(window, "/");
            self.draft_edited();
        }
    }

    fn listed_command(&self, draft: &str, index: i32) -> Option<Command> {
        usize::try_from(index).ok().and_then(|index| completion::commands(draft).nth(index))
    }

    fn pick_command(self: &Rc<Self>, index: i32) {
        let Some(window) = self.window.upgrade() else { return };
        let view = window.global::<ComposerView>();
        let row = usize::try_from(index).ok().and_then(|index| view.get_commands().row_data(index));
        if let Some(row) = row.filter(|row| !row.name.starts_with('/')) {
            self.put_draft(&window, &completion::with_candidate(&view.get_draft(), &row.name));
            return self.draft_edited();
        }
        if let Some(command) = self.listed_command(&view.get_draft(), index) {
            // What is said behind `//` begins at once.
            let space = if command == Command::Slash { "" } else { " " };
            self.put_draft(&window, &format!("{}{space}", command.word()));
            self.draft_edited();
        }
    }

    fn is_whole_command(&self, index: i32) -> bool {
        let Some(window) = self.window.upgrade() else { return false };
        let draft = window.global::<ComposerView>().get_draft();
        let row = usize::try_from(index).ok();
        let row = row.and_then(|index| window.global::<ComposerView>().get_commands().row_data(index));
        if let Some(row) = row.filter(|row| !row.name.starts_with('/')) {
            return draft.ends_with(row.name.as_str());
        }
        let typed = draft.strip_prefix('/').and_then(Command::parse);
        typed.is_some_and(Command::stands_alone) && typed == self.listed_command(&draft, index)
    }

    /// Presses a key in the field that has the keyboard by now.
    fn press_again(&self, key: SharedString) {
        if let Some(window) = self.window.upgrade() {
            window.window().dispatch_event(WindowEvent::KeyPressed { text: key });
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
        let draft = self.state.borrow().drafts.get(id).to_owned();
        self.put_draft(window, &draft);
        self.show_answering(window);
        self.show_marking(window);
        self.show_sending(window, id);
    }

    /// What the last word of a draft may become: a room, a person, an emoji.
    fn candidates(&self, draft: &str) -> Vec<CommandHelp> {
        let state = self.state.borrow();
        let names = |kind| {
            let rooms = state.conversations.iter().filter(move |one| one.kind == kind);
            rooms.map(|one| one.name.as_str()).collect::<Vec<_>>()
        };
        let people = state.conversations.current().into_iter().flat_map(|current| current.people.iter());
        let people: Vec<&str> = people.filter(|person| !person.me).map(|person| &*person.name).collect();
        let row = |name: String| CommandHelp { name: shared(&name), ..CommandHelp::default() };
        completion::candidates(draft, &names(Kind::Room), &people).into_iter().map(row).collect()
    }
}

/// A text of one line that begins with a slash.
fn is_command(text: &str) -> bool {
    text.starts_with('/') && !text.trim_end().contains('\n')
}

/// Characters that a draft may grow by; fewer than none: it is too long.
fn left(draft: &str) -> i32 {
    (TYPED as i32).saturating_sub(draft.chars().count().try_into().unwrap_or(i32::MAX))
}

/// Whether a key writes something, or changes what is written: the keys that write nothing are control characters and
/// private ones.
fn is_for_text(key: &str, control: bool) -> bool {
    let is = |keys: &[Key]| keys.iter().any(|one| SharedString::from(*one) == key);
    let writes =
        !key.chars().any(|c| c.is_control() || ('\u{E000}'..='\u{F8FF}').contains(&c)) && !key.is_empty();
    if control {
        matches!(key, "v" | "V" | "z" | "Z")
            || is(&[Key::Backspace, Key::Delete, Key::LeftArrow, Key::RightArrow])
    } else {
        writes || is(&[Key::Backspace, Key::Delete, Key::LeftArrow, Key::RightArrow, Key::Home, Key::End])
    }
}

fn line_start(text: &str, cursor: i32) -> i32 {
    let before = usize::try_from(cursor).ok().and_then(|cursor| text.get(..cursor)).unwrap_or_default();
    before.rfind('\n').map_or(0, |line| line + 1) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_write_are_known() {
        for key in ["a", "é", "小", " ", "🙂"] {
            assert!(is_for_text(key, false) && !is_for_text(key, true), "{key}");
        }
        for key in [Key::Backspace, Key::LeftArrow] {
            assert!(
                is_for_text(&SharedString::from(key), false) && is_for_text(&SharedString::from(key), true)
            );
        }
        for key in [Key::Return, Key::Tab, Key::Escape, Key::UpArrow, Key::F1, Key::Shift, Key::PageUp] {
            assert!(!is_for_text(&SharedString::from(key), false), "{key:?}");
        }
        assert!(is_for_text("v", true) && !is_for_text("q", true) && !is_for_text("", false));
    }

    #[test]
    fn lines_begin_behind_line_breaks() {
        for (cursor, start) in [(0, 0), (2, 0), (3, 3), (5, 3), (99, 0), (-1, 0)] {
            assert_eq!(line_start("ab\ncd", cursor), start, "{cursor}");
        }
    }
}
