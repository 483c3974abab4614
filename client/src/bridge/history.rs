//! Reading back: pages come before the person reaches their end, gaps are filled when they come
//! near, and a line that was found is brought into view.

use std::rc::Rc;
use std::time::Duration;

use parlor_ui::slint::{self, ComponentHandle};
use parlor_ui::{App, FindView, Panel, Shell, TimelineView, Words};

use super::Bridge;
use crate::conversations::ConversationId;
use crate::session::{Action, LineId};

/// How far ahead of what is on the screen lines are fetched, in screens.
const AHEAD: i32 = 2;
/// How long the line that a search jumped to is highlighted.
const HIGHLIGHT: Duration = Duration::from_secs(4);

impl Bridge {
    /// These rows are on the screen: what is missing near them is fetched.
    pub(super) fn looked_at(&self, first: i32, count: i32) {
        let Some(lines) = self.current_lines() else { return };
        let reach = count.saturating_mul(AHEAD);
        let row = |row: i32| usize::try_from(row).unwrap_or_default();
        let near = row(first.saturating_sub(reach))..row(first.saturating_add(count).saturating_add(reach));
        for gap in lines.gaps_in(near) {
            self.act_here(|key| Action::Fill { key, gap });
        }
    }

    /// We are (back) in a room: what did not come before may come now.
    pub(super) fn look_again(&self, window: &App) {
        let view = window.global::<TimelineView>();
        view.set_look_again(view.get_look_again().wrapping_add(1));
    }

    /// The line that was to be seen is here, or is not to be had.
    pub(super) fn jumped(self: &Rc<Self>, window: &App, id: &ConversationId, line: Option<LineId>) {
        let find = window.global::<FindView>();
        find.set_jumping(false);
        let Some(line) = line else {
            return find.set_error(window.global::<Words>().invoke_line_gone());
        };
        let elsewhere = !self.state.borrow().conversations.is_current(id);
        if elsewhere {
            self.show(window, id);
        }
        let Some(lines) = self.current_lines() else { return };
        let Some(row) = lines.find(line) else { return };
        lines.mark_found(Some(line));
        let view = window.global::<TimelineView>();
        view.set_stick(false);
        view.set_hold(-1);
        // Keys go on from here.
        view.set_marked_from(row as i32);
        view.set_marked_to(-1);
        // The same row again is looked for again.
        view.set_reveal(-1);
        view.set_reveal(row as i32);
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
