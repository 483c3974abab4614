//! Who is in the room, and what one can do about them.

use std::rc::Rc;
use std::sync::Arc;

use parlor_ui::slint::ComponentHandle;
use parlor_ui::{App, ComposerView, HostView, PeopleView, PersonRow, Rank as RowRank, RoomView};

use super::text::{hue, shared};
use super::{Bridge, on};
use crate::session::{Action, Key, Person, Rank};

impl Bridge {
    pub(super) fn listen_to_people(self: &Rc<Self>, window: &App) {
        on!(self, window.global::<PeopleView>(), on_filter_people, |this, text| this.filter_people(&text));
        on!(self, window.global::<PeopleView>(), on_message_person, |this, name| this.message_person(&name));
        on!(self, window.global::<PeopleView>(), on_mention_person, |this, name| this.mention_person(&name));
        on!(self, window.global::<PeopleView>(), on_kick_person, |this, name| this
            .at_room(|room| Action::Kick { room, nick: name.into(), why: String::new() }));
        on!(self, window.global::<PeopleView>(), on_ban_person, |this, name| {
            // Out, and not in again.
            this.at_room(|room| Action::Ban { room, nick: name.to_string() });
            this.at_room(|room| Action::Kick { room, nick: name.to_string(), why: String::new() });
        });
        on!(self, window.global::<PeopleView>(), on_op_person, |this, name, on| this
            .at_room(|room| Action::Op { room, nick: name.into(), on }));
        on!(self, window.global::<PeopleView>(), on_ignore_person, |this, name, ignored| {
            let nick = name.to_string();
            this.act(if ignored { Action::Ignore { nick } } else { Action::Unignore { nick } });
        });
    }

    fn at_room(&self, action: impl FnOnce(Key) -> Action) {
        if let Some(room) = self.current_key() {
            self.act(action(room));
        }
    }

    pub(super) fn people(&self, window: &App, key: &Key, people: Arc<[Person]>) {
        let current = {
            let mut state = self.state.borrow_mut();
            let hosted = state.host.is_some() && key.as_str() == Key::new(&state.settings.room).as_str();
            if hosted {
                window.global::<HostView>().set_people_count(people.len() as i32);
            }
            if let Some(conversation) = state.conversation_mut(key) {
                conversation.people = people;
            }
            state.current.as_ref() == Some(key)
        };
        if current {
            self.show_people(window);
        }
    }

    pub(super) fn show_people(&self, window: &App) {
        let state = self.state.borrow();
        let Some(current) = state.current() else { return };
        let mine = current.people.iter().find(|person| person.me);
        let operator = mine.is_some_and(|me| me.rank == Rank::Operator);
        let rows: Vec<PersonRow> = current
            .people
            .iter()
            .filter(|person| person.name.to_lowercase().contains(&state.people_filter))
            .map(|person| PersonRow {
                name: shared(&person.name),
                rank: match person.rank {
                    Rank::Operator => RowRank::Operator,
                    Rank::Voice => RowRank::Voice,
                    Rank::Member => RowRank::None,
                },
                away: person.away,
                bot: false,
                hue: hue(&person.name),
                me: person.me,
                address: state
                    .guests
                    .iter()
                    .find(|guest| guest.nick == *person.name)
                    .map(|guest| guest.peer.to_string())
                    .unwrap_or_default()
                    .into(),
                ignored: state.ignored.iter().any(|name| Key::new(name) == Key::new(&person.name)),
            })
            .collect();
        window.global::<PeopleView>().set_people_count(current.people.len() as i32);
        window.global::<PeopleView>().set_operator(operator);
        window.global::<RoomView>().set_can_edit(operator || current.key.is_server());
        super::rows::show(&window.global::<PeopleView>().get_people(), rows, |rows| {
            window.global::<PeopleView>().set_people(rows)
        });
    }

    fn filter_people(&self, text: &str) {
        let Some(window) = self.window.upgrade() else { return };
        self.state.borrow_mut().people_filter = text.to_lowercase();
        self.show_people(&window);
    }

    fn message_person(&self, name: &str) {
        let Some(window) = self.window.upgrade() else { return };
        self.act(Action::Private { nick: name.into() });
        self.go(&window, Key::new(name));
    }

    fn mention_person(&self, name: &str) {
        let Some(window) = self.window.upgrade() else { return };
        let draft = window.global::<ComposerView>().get_draft();
        let space = if draft.is_empty() || draft.ends_with(' ') { "" } else { " " };
        let tail = if draft.is_empty() { ": " } else { " " };
        window.global::<ComposerView>().set_draft(shared(&format!("{draft}{space}{name}{tail}")));
    }
}
