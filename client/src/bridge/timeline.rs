//! The lines on the screen, and what one can do with a row.

use std::rc::Rc;
use std::time::Duration;

use parlor_ui::slint::platform::WindowEvent;
use parlor_ui::slint::{ComponentHandle, LogicalPosition, ModelRc, TimerMode};
use parlor_ui::{App, TimelineView};

use super::lines::{Lines, find, follow};
use super::{Bridge, clock, on};
use crate::conversations::ConversationId;
use crate::session::{Action, Key, Line, LineId};
use crate::timeline::Change;

impl Bridge {
    pub(super) fn listen_to_timeline(self: &Rc<Self>, window: &App) {
        let view = window.global::<TimelineView>();
        on!(self, view, on_looked_at, |this, first, count| this.looked_at(first, count));
        on!(self, view, on_fill, |this, row| this.act_on(row, |key, gap| Action::Fill { key, gap }));
        on!(self, view, on_retry, |this, row| this.act_on(row, |to, id| Action::Retry { to, id }));
        on!(self, view, on_discard, |this, row| this.act_on(row, |to, id| Action::Discard { to, id }));
        on!(self, view, on_toggle_fold, |this, row| this.toggle_fold(row));
        on!(self, view, on_jump_to_end, |this| this.jump_to_end());
        on!(self, view, on_rests, |this, x, y| this.point_again(x, y));
    }

    pub(super) fn current_lines(&self) -> Option<Rc<Lines>> {
        self.state.borrow().conversations.current().map(|current| Rc::clone(&current.view))
    }

    /// What was today is yesterday when another day has begun. A computer that slept notices it with
    /// the next line or key.
    pub(super) fn look_at_date(self: &Rc<Self>) {
        let today = clock::day_of(clock::now());
        {
            let mut state = self.state.borrow_mut();
            if std::mem::replace(&mut state.today, today) == today {
                return;
            }
        }
        for conversation in self.state.borrow().conversations.iter() {
            conversation.view.name_days();
        }
        self.wait_for_midnight();
    }

    fn wait_for_midnight(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        self.midnight.start(TimerMode::SingleShot, clock::left_of_day(clock::now()), move || {
            let Some(bridge) = weak.upgrade() else { return };
            bridge.look_at_date();
            bridge.wait_for_midnight();
        });
    }

    /// Another conversation is on the screen, nothing marked: at the end of it, or where reading
    /// stopped if what is new does not fit below that.
    pub(super) fn show_lines(&self, window: &App) {
        let Some(lines) = self.current_lines() else { return };
        let view = window.global::<TimelineView>();
        let new = lines.first_new();
        view.set_has_gaps(lines.has_gaps());
        view.set_lines(ModelRc::from(lines));
        view.set_below_count(0);
        view.set_marked_from(-1);
        view.set_marked_to(-1);
        view.set_asked(-1);
        view.set_eye(-1);
        view.set_hold(-1);
        view.set_reveal(-1);
        view.set_stick(new.is_none());
        if let Some(row) = new {
            view.set_reveal(row as i32);
        }
    }

    /// Changes the lines of a conversation. On the screen the rows that are marked stay marked,
    /// and the one under the eye stays where it is.
    pub(super) fn edit(&self, window: &App, id: &ConversationId, edit: impl FnOnce(&Lines) -> Vec<Change>) {
        let (lines, current) = {
            let state = self.state.borrow();
            let Some(conversation) = state.conversations.get(id) else { return };
            (Rc::clone(&conversation.view), state.conversations.is_current(id))
        };
        let view = window.global::<TimelineView>();
        // Where it is now: what follows moves it.
        let (eye, at) = (view.get_eye(), view.get_eye_at());
        let changes = edit(&lines);
        if !current {
            return;
        }
        let moved = |row: i32| usize::try_from(row).map_or(row, |row| follow(row, &changes) as i32);
        let (from, to) = (view.get_marked_from(), view.get_marked_to());
        view.set_marked_from(moved(from));
        view.set_marked_to(moved(to));
        let asked = usize::try_from(view.get_asked()).ok().and_then(|row| find(row, &changes));
        view.set_asked(asked.map_or(-1, |row| row as i32));
        view.set_has_gaps(lines.has_gaps());
        view.set_eye(moved(eye));
        if moved(eye) != eye && !view.get_stick() {
            view.set_hold_at(at);
            view.set_hold(moved(eye));
        }
    }

    /// Lines that come while the person reads further up are counted.
    pub(super) fn count_below(&self, window: &App, id: &ConversationId, lines: &[Line]) {
        let view = window.global::<TimelineView>();
        if self.state.borrow().conversations.is_current(id) && !view.get_stick() {
            let talk = lines.iter().filter(|line| !line.own() && line.is_talk()).count();
            view.set_below_count(view.get_below_count() + talk as i32);
        }
    }

    /// Does something with the line or the gap of a row.
    pub(super) fn act_on(&self, row: i32, action: impl FnOnce(Key, LineId) -> Action) {
        let line = usize::try_from(row).ok().and_then(|row| self.current_lines()?.line(row));
        if let Some(line) = line {
            self.act_here(|key| action(key, line.id()));
        }
    }

    fn toggle_fold(&self, row: i32) {
        if let (Ok(row), Some(lines)) = (usize::try_from(row), self.current_lines()) {
            lines.toggle(row);
        }
    }

    /// Tells the toolkit where the pointer is, which notices what is under it when that moves, not when the rows do.
    fn point_again(self: &Rc<Self>, x: f32, y: f32) {
        let weak = Rc::downgrade(self);
        // Not while it lays out.
        self.pointing.start(TimerMode::SingleShot, Duration::ZERO, move || {
            let Some(window) = weak.upgrade().and_then(|bridge| bridge.window.upgrade()) else { return };
            let position = LogicalPosition::new(x, y);
            // Nobody listens: it does not matter.
            let _ = window.window().dispatch_event_with_result(WindowEvent::PointerMoved { position });
        });
    }

    fn jump_to_end(&self) {
        if let Some(window) = self.window.upgrade() {
            window.global::<TimelineView>().set_below_count(0);
            window.global::<TimelineView>().set_stick(true);
        }
    }
}
