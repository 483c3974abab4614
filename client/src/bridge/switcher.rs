//! Going to a conversation by its name.

use std::rc::Rc;

use parlor_ui::slint::{ComponentHandle, ModelRc, SharedString, VecModel};
use parlor_ui::{App, SwitcherRow, SwitcherView, Words};

use super::rooms::shown_name;
use super::text::shared;
use super::{Bridge, on};
use crate::session::{Kind, Naming};

impl Bridge {
    pub(super) fn listen_to_switcher(self: &Rc<Self>, window: &App) {
        let view = window.global::<SwitcherView>();
        on!(self, view, on_filter_switcher, |this, text| this.show_switcher(&text));
        on!(self, view, on_switch_to, |this, index| this.switch_to(index));
    }

    pub(super) fn open_switcher(&self) {
        if let Some(window) = self.window.upgrade() {
            window.global::<SwitcherView>().set_switcher_filter(SharedString::default());
            self.show_switcher("");
        }
    }

    fn show_switcher(&self, filter: &str) {
        let Some(window) = self.window.upgrade() else { return };
        let mut state = self.state.borrow_mut();
        state.switcher_filter = filter.to_lowercase();
        let (usual, mut rows, words) = (Naming::default(), Vec::new(), window.global::<Words>());
        for one in state.conversations.named(&state.switcher_filter) {
            let naming = state.places.get(&one.id.place).map_or(&usual, |place| &place.naming);
            rows.push(SwitcherRow {
                place: shared(&one.id.place.to_string()),
                key: shared(one.id.key.as_str()),
                name: shown_name(&words, one, naming),
                person: matches!(one.kind, Kind::Person | Kind::Others),
                server: one.kind == Kind::Server,
                unread: one.unread as i32,
                mention: one.is_for_me(),
            });
        }
        window.global::<SwitcherView>().set_switcher(ModelRc::new(VecModel::from(rows)));
    }

    fn switch_to(&self, index: i32) {
        let id = {
            let state = self.state.borrow();
            let found = state.conversations.named(&state.switcher_filter);
            usize::try_from(index).ok().and_then(|index| found.get(index).map(|one| one.id.clone()))
        };
        if let (Some(id), Some(window)) = (id, self.window.upgrade()) {
            self.show(&window, &id);
        }
    }
}
