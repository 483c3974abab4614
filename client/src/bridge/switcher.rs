//! Going to a conversation, or to somebody, by the name: of all places.

use std::rc::Rc;
use std::sync::Arc;

use parlor_ui::slint::{ComponentHandle, ModelRc, SharedString, VecModel};
use parlor_ui::{App, SwitcherRow, SwitcherView, Words};

use super::rooms::shown_name;
use super::state::{State, Target};
use super::text::shared;
use super::{Bridge, on};
use crate::conversations::ConversationId;
use crate::place::PlaceId;
use crate::session::{Action, Kind, Naming};

/// People of rooms that are shown below what is open.
const PEOPLE_SHOWN: usize = 20;

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
        let part = filter.to_lowercase();
        let (usual, mut rows, words) = (Naming::default(), Vec::new(), window.global::<Words>());
        let at =
            |place: &PlaceId| state.label_among(place).map_or_else(SharedString::default, |at| shared(&at));
        let mut targets: Vec<Target> = Vec::new();
        for one in state.conversations.named(&part) {
            let naming = state.places.get(&one.id.place).map_or(&usual, |place| &place.naming);
            targets.push(Target::Open(one.id.clone()));
            rows.push(SwitcherRow {
                place: shared(&one.id.place.to_string()),
                key: shared(one.id.key.as_str()),
                name: shown_name(&words, one, naming),
                at: at(&one.id.place),
                person: matches!(one.kind, Kind::Person | Kind::Others),
                server: one.kind == Kind::Server,
                here: false,
                unread: if one.is_muted() { 0 } else { one.unread as i32 },
                mention: one.is_for_me(),
                muted: one.is_muted(),
            });
        }
        for (id, name) in people(&state, &part) {
            rows.push(SwitcherRow {
                place: shared(&id.place.to_string()),
                key: shared(id.key.as_str()),
                name: shared(&name),
                at: at(&id.place),
                person: true,
                here: true,
                ..SwitcherRow::default()
            });
            targets.push(Target::Person(id.place, name.to_string()));
        }
        state.switching = targets;
        drop(state);
        window.global::<SwitcherView>().set_switcher(ModelRc::new(VecModel::from(rows)));
    }

    fn switch_to(&self, index: i32) {
        let target = {
            let state = self.state.borrow();
            usize::try_from(index).ok().and_then(|index| state.switching.get(index).cloned())
        };
        match (target, self.window.upgrade()) {
            (Some(Target::Open(id)), Some(window)) => self.show(&window, &id),
            (Some(Target::Person(place, nick)), _) => drop(self.act(&place, Action::Private { nick })),
            _ => {}
        }
    }
}

/// People of rooms, with whom there is no conversation yet; none before something is typed.
fn people(state: &State, part: &str) -> Vec<(ConversationId, Arc<str>)> {
    let mut found: Vec<(ConversationId, Arc<str>)> = Vec::new();
    if part.is_empty() {
        return found;
    }
    for room in state.conversations.iter() {
        for person in room.people_named(part).filter(|person| !person.me) {
            let id = ConversationId::new(&room.id.place, person.key.clone());
            if state.conversations.get(&id).is_none() && !found.iter().any(|(other, _)| *other == id) {
                found.push((id, Arc::clone(&person.name)));
            }
            if found.len() >= PEOPLE_SHOWN {
                return found;
            }
        }
    }
    found
}
