//! Reading back: pages come before the person reaches their end, gaps are filled when they come
//! near, and what is being read stays where it is.

use std::rc::Rc;
use std::time::Duration;

use parlor_ui::slint::{self, ComponentHandle};
use parlor_ui::{App, FindView, Panel, Shell, TimelineView, Words};

use super::lines::{Lines, follow};
use super::{Bridge, on};
use crate::session::{Action, Key, LineId};
use crate::timeline::Change;

/// How far ahead of what is on the screen lines are fetched, in screens.
const AHEAD: i32 = 2;
/// How long the line that a search jumped to is highlighted.
const HIGHLIGHT: Duration = Duration::from_secs(4);

impl Bridge {
    pub(super) fn listen_to_history(self: &Rc<Self>, window: &App) {
        on!(self, window.global::<TimelineView>(), on_looked_at, |this, first, count| this
            .looked_at(first, count));
        on!(self, window.global::<TimelineView>(), on_fill, |this, row| this.fill(row));
    }

    /// These rows are on the screen: what is missing near them is fetched.
    fn looked_at(&self, first: i32, count: i32) {
        let (Some(key), Some(lines)) = (self.current_key(), self.current_lines()) else { return };
        let reach = count.saturating_mul(AHEAD);
        let row = |row: i32| usize::try_from(row).unwrap_or_default();
        let near = row(first.saturating_sub(reach))..row(first.saturating_add(count).saturating_add(reach));
        for gap in lines.gaps_in(near) {
            self.act(Action::Fill { key: key.clone(), gap });
        }
    }

    /// We are (back) in a room: what did not come before may come now.
    pub(super) fn look_again(&self, window: &App) {
        window
            .global::<TimelineView>()
            .set_look_again(window.global::<TimelineView>().get_look_again().wrapping_add(1));
    }

    /// The person asks for what did not come.
    fn fill(&self, row: i32) {
        let line = usize::try_from(row).ok().and_then(|row| self.current_lines()?.line(row));
        if let (Some(gap), Some(key)) = (line, self.current_key()) {
            self.act(Action::Fill { key, gap: gap.id() });
        }
    }

    pub(super) fn current_lines(&self) -> Option<Rc<Lines>> {
        self.state.borrow().current().map(|current| Rc::clone(&current.lines))
    }

    /// Changes the lines of a conversation. On the screen the rows that are marked stay marked,
    /// and the one under the eye stays where it is.
    pub(super) fn edit(&self, window: &App, key: &Key, edit: impl FnOnce(&Lines) -> Vec<Change>) {
        let (lines, current) = {
            let state = self.state.borrow();
            let Some(conversation) = state.conversation(key) else { return };
            (Rc::clone(&conversation.lines), state.current.as_ref() == Some(key))
        };
        // Where it is now: what follows moves it.
        let (eye, at) =
            (window.global::<TimelineView>().get_eye(), window.global::<TimelineView>().get_eye_at());
        let changes = edit(&lines);
        if !current {
            return;
        }
        let moved = |row: i32| usize::try_from(row).map_or(row, |row| follow(row, &changes) as i32);
        let (from, to) = (
            window.global::<TimelineView>().get_marked_from(),
            window.global::<TimelineView>().get_marked_to(),
        );
        window.global::<TimelineView>().set_marked_from(moved(from));
        window.global::<TimelineView>().set_marked_to(moved(to));
        window.global::<TimelineView>().set_has_gaps(lines.has_gaps());
        if moved(eye) != eye && !window.global::<TimelineView>().get_stick() {
            window.global::<TimelineView>().set_eye(moved(eye));
            window.global::<TimelineView>().set_hold_at(at);
            window.global::<TimelineView>().set_hold(moved(eye));
        }
    }

    /// The line that was to be seen is here, or is not to be had.
    pub(super) fn jumped(self: &Rc<Self>, window: &App, key: &Key, id: Option<LineId>) {
        let find = window.global::<FindView>();
        find.set_jumping(false);
        let Some(id) = id else {
            return find.set_error(window.global::<Words>().invoke_line_gone());
        };
        if self.current_key().as_ref() != Some(key) {
            self.show(window, key);
        }
        let Some(lines) = self.current_lines() else { return };
        let Some(row) = lines.find(id) else { return };
        lines.mark_found(Some(id));
        window.global::<TimelineView>().set_stick(false);
        window.global::<TimelineView>().set_hold(-1);
        // Keys go on from here.
        window.global::<TimelineView>().set_marked_from(row as i32);
        window.global::<TimelineView>().set_marked_to(-1);
        // The same row again is looked for again.
        window.global::<TimelineView>().set_reveal(-1);
        window.global::<TimelineView>().set_reveal(row as i32);
        let shell = window.global::<Shell>();
        if shell.get_narrow() && shell.get_panel() == Panel::Find {
            shell.invoke_close();
        }
        let weak = Rc::downgrade(&lines);
        self.highlight.start(slint::TimerMode::SingleShot, HIGHLIGHT, move || {
            weak.upgrade().into_iter().for_each(|lines| lines.mark_found(None));
        });
    }
}
