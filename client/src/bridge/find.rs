//! Find in the conversation on the screen.

use std::rc::Rc;

use parlor_ui::slint::{ComponentHandle, ModelRc, VecModel};
use parlor_ui::{App, FindView, FoundLine, RoomView, Words};

use super::text::{hue, shared, styled};
use super::{Bridge, clock, on};

/// Results that are shown.
const MOST: usize = 200;

impl Bridge {
    pub(super) fn listen_to_find(self: &Rc<Self>, window: &App) {
        let find = window.global::<FindView>();
        on!(self, find, on_search, |this| this.search());
        on!(self, find, on_go, |this, index| this.go_to_found(index));
    }

    fn search(&self) {
        let Some(window) = self.window.upgrade() else { return };
        let find = window.global::<FindView>();
        let query = find.get_query();
        let mut state = self.state.borrow_mut();
        let Some(current) = state.current() else { return };
        let (key, room) = (current.key.clone(), current.name.clone());
        let lines = if query.trim().is_empty() { Vec::new() } else { current.lines.search(&query, MOST) };
        let (words, format) = (window.global::<Words>(), state.settings.time_format);
        let rows: Vec<FoundLine> = lines
            .iter()
            .map(|line| FoundLine {
                room: shared(&room),
                name: shared(line.from()),
                hue: hue(line.from()),
                time: clock::short(&words, format, line.at()).into(),
                text: styled(line.text()),
                plain: shared(line.text()),
            })
            .collect();
        state.found = lines.iter().map(|line| (key.clone(), line.id())).collect();
        find.set_more(rows.len() == MOST);
        find.set_results(ModelRc::new(VecModel::from(rows)));
        find.set_busy(false);
        find.set_done(true);
    }

    fn go_to_found(&self, index: i32) {
        let Some(window) = self.window.upgrade() else { return };
        let found =
            usize::try_from(index).ok().and_then(|index| self.state.borrow().found.get(index).cloned());
        let Some((key, id)) = found else { return };
        if self.current_key().as_ref() != Some(&key) {
            self.show(&window, &key);
        }
        let lines = self.state.borrow().current().map(|current| Rc::clone(&current.lines));
        if let Some(row) = lines.as_ref().and_then(|lines| lines.find(id)) {
            lines.into_iter().for_each(|lines| lines.mark_found(Some(row)));
            window.global::<RoomView>().set_stick(false);
            window.global::<RoomView>().set_reveal(row as i32);
        }
    }
}
