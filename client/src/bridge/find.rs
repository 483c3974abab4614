//! Find in the conversation on the screen: the newest first, through the whole history where the
//! server has a search.

use std::rc::Rc;

use parlor_ui::slint::{ComponentHandle, Model, ModelRc, SharedString, VecModel};
use parlor_ui::{App, FindView, FoundLine, Words};

use super::state::Finding;
use super::text::{hue, shared, shown, styled};
use super::{Bridge, clock, on};
use crate::conversations::ConversationId;
use crate::place::PlaceId;
use crate::session::{Action, Found};

impl Bridge {
    pub(super) fn listen_to_find(self: &Rc<Self>, window: &App) {
        let find = window.global::<FindView>();
        on!(self, find, on_search, |this| this.search());
        on!(self, find, on_older, |this| this.find_more());
        on!(self, find, on_go, |this, index| this.go_to_found(index));
    }

    fn search(&self) {
        let Some(window) = self.window.upgrade() else { return };
        let text = window.global::<FindView>().get_query().trim().to_owned();
        self.forget_found(&window);
        let Some(id) = self.current().filter(|_| !text.is_empty()) else { return };
        window.global::<FindView>().set_busy(true);
        {
            let mut state = self.state.borrow_mut();
            state.finding.id = Some(id.clone());
            state.finding.text.clone_from(&text);
        }
        self.act(&id.place, Action::Find { key: id.key, text });
    }

    /// Another search, or another room: nothing is found yet.
    pub(super) fn forget_found(&self, window: &App) {
        self.state.borrow_mut().finding = Finding::default();
        let find = window.global::<FindView>();
        find.set_results(ModelRc::default());
        find.set_chosen(-1);
        find.set_error(SharedString::default());
        find.set_done(false);
        find.set_more(false);
        find.set_local(false);
        find.set_busy(false);
        find.set_jumping(false);
    }

    /// The last result is in view: the next page, unless it is under way.
    fn find_more(&self) {
        let Some(window) = self.window.upgrade() else { return };
        let find = window.global::<FindView>();
        let id = self.state.borrow().finding.id.clone();
        if let Some(ConversationId { place, key }) = id.filter(|_| find.get_more() && !find.get_busy()) {
            find.set_busy(true);
            self.act(&place, Action::FindMore { key });
        }
    }

    pub(super) fn found(&self, window: &App, place: &PlaceId, found: Found) {
        let find = window.global::<FindView>();
        let mut state = self.state.borrow_mut();
        let id = ConversationId::new(place, found.key);
        if state.finding.id.as_ref() != Some(&id) || state.finding.text != found.text {
            // An answer to what was asked before.
            return;
        }
        let room = state.conversations.get(&id).map_or(String::new(), |found| found.name.clone());
        let (words, format) = (window.global::<Words>(), state.settings.time_format);
        let rows = found.lines.iter().map(|line| FoundLine {
            room: shared(&room),
            name: shared(line.from()),
            hue: hue(line.from()),
            time: clock::short(&words, format, line.at()).into(),
            text: styled(&shown(line.text())),
            plain: shared(line.text()),
        });
        if found.first {
            state.finding.lines.clear();
            state.finding.rows = Rc::new(VecModel::default());
        }
        state.finding.rows.extend(rows);
        let rows = ModelRc::from(Rc::clone(&state.finding.rows));
        state.finding.lines.extend(found.lines);
        drop(state);
        if found.first {
            find.set_results(rows);
        }
        find.set_more(found.more);
        find.set_local(found.local);
        find.set_busy(false);
        find.set_done(true);
    }

    fn go_to_found(&self, index: i32) {
        let Some(window) = self.window.upgrade() else { return };
        let jump = {
            let state = self.state.borrow();
            let line = usize::try_from(index).ok().and_then(|index| state.finding.lines.get(index));
            state.finding.id.clone().zip(line.cloned())
        };
        let Some((ConversationId { place, key }, to)) = jump else { return };
        let find = window.global::<FindView>();
        find.set_chosen(index);
        find.set_error(SharedString::default());
        find.set_jumping(true);
        self.act(&place, Action::Jump { key, to });
    }

    /// Words or times are written in another way now.
    pub(super) fn show_found_anew(&self, window: &App) {
        let state = self.state.borrow();
        let (words, format) = (window.global::<Words>(), state.settings.time_format);
        for (row, line) in state.finding.lines.iter().enumerate() {
            if let Some(shown) = state.finding.rows.row_data(row) {
                let time = clock::short(&words, format, line.at()).into();
                state.finding.rows.set_row_data(row, FoundLine { time, ..shown });
            }
        }
    }
}
