//! What a person does with a line of the timeline: answers it, reacts to it, takes it back.

use std::rc::Rc;

use parlor_ui::slint::{ComponentHandle, SharedString};
use parlor_ui::{App, ComposerView, TimelineView, Words};

use super::clipboard::copy;
use super::links::open_url;
use super::text::{shared, written};
use super::{Bridge, on};
use crate::conversations::ConversationId;
use crate::session::{Action, Kind, Line};

/// Messages that wait before it is said that they do.
const WAITING_UNSAID: usize = 3;

impl Bridge {
    pub(super) fn listen_to_marks(self: &Rc<Self>, window: &App) {
        let view = window.global::<TimelineView>();
        on!(self, view, on_answer, |this, row| this.answer(row));
        on!(self, view, on_go_to_answered, |this, row| {
            this.act_on(row, |key, id| Action::JumpToAnswered { key, id });
        });
        on!(self, view, on_react, |this, row, emoji, on| {
            this.act_on(row, |to, id| Action::React { to, id, emoji: emoji.to_string(), on });
        });
        on!(self, view, on_delete, |this, row| {
            this.act_on(row, |to, id| Action::Delete { to, id, reason: String::new() });
        });
        on!(self, view, on_copy_block, |this, row, n| this.copy_block(row, n));
        on!(self, view, on_open_link, |this, link| this.open_named(&link));
        let view = window.global::<ComposerView>();
        on!(self, view, on_stop_answering, |this| this.stop_answering());
        on!(self, view, on_cancel_sending, |this| this.act_here(|to| Action::Cancel { to }));
    }

    /// What is written next answers this line.
    fn answer(&self, row: i32) {
        let line = usize::try_from(row).ok().and_then(|row| self.current_lines()?.line(row));
        let (Some(window), Some(line), Some(id)) = (self.window.upgrade(), line, self.current()) else {
            return;
        };
        if line.msgid().is_some() && line.deleted().is_none() {
            self.state.borrow_mut().answering = Some((id, line));
            self.show_answering(&window);
            let view = window.global::<ComposerView>();
            view.set_renewed(view.get_renewed().wrapping_add(1));
        }
    }

    fn stop_answering(&self) {
        self.state.borrow_mut().answering = None;
        self.window.upgrade().iter().for_each(|window| self.show_answering(window));
    }

    /// Above the composer of its conversation stands what is answered.
    pub(super) fn show_answering(&self, window: &App) {
        let state = self.state.borrow();
        let answering = state.answering.as_ref().filter(|(id, _)| state.conversations.is_current(id));
        let first = |line: &Line| {
            let written = written(line.text(), &[]);
            shared(written.plain.lines().find(|line| !line.trim().is_empty()).unwrap_or_default())
        };
        let (name, text) =
            answering.map_or_else(Default::default, |(_, line)| (shared(line.from()), first(line)));
        let view = window.global::<ComposerView>();
        view.set_answering_text(text);
        view.set_answering(name);
    }

    /// The line that the draft answers, if it answers one: not any more.
    pub(super) fn take_answered(&self, window: &App) -> Option<Line> {
        let answered = {
            let mut state = self.state.borrow_mut();
            let here = state.answering.as_ref().is_some_and(|(id, _)| state.conversations.is_current(id));
            if here { state.answering.take() } else { None }
        };
        self.show_answering(window);
        answered.map(|(_, line)| line)
    }

    /// A text as others read it who do not see what it answers: with the name first, where several people talk.
    pub(super) fn addressed(&self, text: &str, line: &Line) -> String {
        let state = self.state.borrow();
        let room = state.conversations.current().is_some_and(|current| current.kind == Kind::Room);
        let name = line.from();
        let said = text.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
        match room && !line.own() && !said {
            true if text.starts_with(crate::session::FENCE) => format!("{name}:\n{text}"),
            true => format!("{name}: {text}"),
            false => text.to_owned(),
        }
    }

    /// What can be done with lines at the place of the conversation on the screen.
    pub(super) fn show_marking(&self, window: &App) {
        let (reacts, deletes) = {
            let state = self.state.borrow();
            state.place().map_or((false, false), |place| (place.reacts, place.deletes))
        };
        let view = window.global::<TimelineView>();
        view.set_reacts(reacts);
        view.set_deletes(deletes);
    }

    /// How many messages wait in the conversation on the screen.
    pub(super) fn show_sending(&self, window: &App, id: &ConversationId) {
        if !self.state.borrow().conversations.is_current(id) {
            return;
        }
        let waiting = self.current_lines().map_or(0, |lines| lines.waiting());
        let sentence = match waiting {
            0..=WAITING_UNSAID => SharedString::default(),
            _ => window.global::<Words>().invoke_sending(waiting as i32),
        };
        let view = window.global::<ComposerView>();
        if view.get_sending() != sentence {
            view.set_sending(sentence);
        }
    }

    fn copy_block(&self, row: i32, n: i32) {
        let line = usize::try_from(row).ok().and_then(|row| self.current_lines()?.line(row));
        let (Some(line), Ok(n)) = (line, usize::try_from(n)) else { return };
        if let Some(code) = super::text::code(line.text(), n) {
            copy(code.to_owned());
        }
    }

    /// A link of a text: a page, a room, or a person of this room.
    pub(super) fn open_named(self: &Rc<Self>, link: &str) {
        if link.starts_with('#') {
            return self.act_at_place(Action::Join { room: link.to_owned(), key: None });
        }
        let Some(name) = link.strip_prefix('@') else { return open_url(self, link) };
        let (name, window) = (shared(name), self.window.upgrade());
        window.iter().for_each(|window| window.global::<TimelineView>().set_person(name.clone()));
    }
}
