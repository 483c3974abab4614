//! Who is in the room, what one can do about them, and whom we ignore.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use parlor_ui::slint::{ComponentHandle, ModelRc, SharedString, VecModel};
use parlor_ui::{App, ComposerView, HostView, PeopleView, PersonRow, Rank as RowRank, RoomView};

use super::text::{hue, shared};
use super::{Bridge, on, rows};
use crate::conversations::ConversationId;
use crate::limits::PEOPLE_IN_ROOM;
use crate::place::PlaceId;
use crate::session::{Action, Ban, Key, Kind, Person, Rank};

impl Bridge {
    pub(super) fn listen_to_people(self: &Rc<Self>, window: &App) {
        let view = window.global::<PeopleView>();
        on!(self, view, on_filter_people, |this, text| this.filter_people(&text));
        on!(self, view, on_message_person, |this, name| {
            this.act_at_place(Action::Private { nick: name.into() });
        });
        on!(self, view, on_mention_person, |this, name| this.mention_person(&name));
        on!(self, view, on_kick_person, |this, name| {
            this.act_here(|room| Action::Kick { room, nick: name.into(), why: String::new() });
        });
        on!(self, view, on_ban_person, |this, name| {
            // Out, and not in again.
            this.state.borrow_mut().sending_out = Some(name.to_string());
            this.act_here(|room| Action::Ban { room, nick: name.to_string() });
            this.act_here(|room| Action::Kick { room, nick: name.to_string(), why: String::new() });
        });
        on!(self, view, on_voice_person, |this, name, on| {
            this.act_here(|room| Action::Voice { room, nick: name.into(), on });
        });
        on!(self, view, on_mute_person, |this, name, on| {
            this.act_here(|room| Action::Mute { room, nick: name.into(), on });
        });
        on!(self, view, on_op_person, |this, name, on| {
            this.act_here(|room| Action::Op { room, nick: name.into(), on });
        });
        on!(self, view, on_ignore_person, |this, name, ignored| {
            let nick = name.to_string();
            this.act_at_place(if ignored { Action::Ignore { nick } } else { Action::Unignore { nick } });
        });
        on!(self, view, on_unignore, |this, index| this.unignore(index));
    }

    /// Says whether they are on the screen.
    pub(super) fn people(&self, window: &App, id: &ConversationId, people: Arc<[Person]>) -> bool {
        let mut state = self.state.borrow_mut();
        if state.is_hosted(id) {
            window.global::<HostView>().set_people_count(people.len() as i32);
        }
        if let Some(conversation) = state.conversations.get_mut(id) {
            if people.is_empty() {
                // We are out: how it is set when we are in again is not known.
                (conversation.settings, conversation.settings_asked) = (None, false);
                conversation.hands_known = false;
            }
            conversation.people = people;
        }
        if state.bans_of.as_ref() == Some(id)
            && state.conversations.get(id).is_some_and(|c| c.people.is_empty())
        {
            state.bans_of = None;
        }
        state.conversations.is_current(id)
    }

    pub(super) fn show_people(&self, window: &App) {
        let state = self.state.borrow();
        let Some(current) = state.conversations.current() else { return };
        let mine = current.people.iter().find(|person| person.me);
        let operator = mine.is_some_and(|me| me.rank == Rank::Operator);
        let naming = state.naming();
        let ignored: Vec<Key> = state.settings.ignored.iter().map(|name| naming.key(name)).collect();
        let hosting = state.hosting.as_ref().filter(|hosting| hosting.place == current.id.place);
        let address = |name: &str| {
            let guest = hosting?.guests.iter().find(|guest| guest.nick == name)?;
            Some(SharedString::from(guest.peer.to_string()))
        };
        let tools = state.place().map(|place| place.tools).unwrap_or_default();
        let inside = current.kind == Kind::Room && current.out.is_none() && mine.is_some();
        let hands: HashMap<&Key, usize> = current.hands.iter().zip(1..).collect();
        let may_not_speak: Vec<Key> = match state.bans_of.as_ref() == Some(&current.id) {
            true => state.bans.iter().filter_map(Ban::mutes).map(|name| naming.key(name)).collect(),
            false => Vec::new(),
        };
        let mut rows: Vec<PersonRow> = current
            .people_named(&state.people_filter)
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
                address: address(&person.name).unwrap_or_default(),
                ignored: !ignored.is_empty() && ignored.contains(&naming.key(&person.name)),
                hand: hands.get(&person.key).map_or(0, |place| *place as i32),
                muted: may_not_speak.contains(&person.key),
            })
            .collect();
        if !hands.is_empty() {
            rows.sort_by_key(|row| if row.hand > 0 { row.hand } else { i32::MAX });
        }
        let view = window.global::<PeopleView>();
        view.set_people_count(current.people.len() as i32);
        let more = if current.people.len() >= PEOPLE_IN_ROOM { "+" } else { "" };
        view.set_people_text(shared(&format!("{}{more}", current.people.len())));
        view.set_operator(operator);
        view.set_hands(inside && tools.hands);
        view.set_hands_up(hands.len() as i32);
        view.set_my_hand(mine.is_some_and(|me| hands.contains_key(&me.key)));
        view.set_lowers(tools.lowers);
        view.set_mutes(tools.mutes);
        window.global::<RoomView>().set_slows(tools.slow);
        window.global::<RoomView>().set_can_edit(operator || current.kind == Kind::Server);
        rows::show(&view.get_people(), rows, |row| row.name.clone(), |rows| view.set_people(rows));
        drop(state);
        self.show_invite(window);
        self.know_room(window);
    }

    fn filter_people(&self, text: &str) {
        let Some(window) = self.window.upgrade() else { return };
        self.state.borrow_mut().people_filter = text.to_lowercase();
        self.show_people(&window);
    }

    fn mention_person(&self, name: &str) {
        let Some(window) = self.window.upgrade() else { return };
        let view = window.global::<ComposerView>();
        let draft = view.get_draft();
        let space = if draft.is_empty() || draft.ends_with(' ') { "" } else { " " };
        let tail = if draft.is_empty() { ": " } else { " " };
        self.put_draft(&window, &format!("{draft}{space}{name}{tail}"));
    }

    /// Whom one ignores at a place from now on; the other places are told of it.
    pub(super) fn ignoring(&self, window: &App, place: &PlaceId, names: Vec<String>) {
        let lacks = |list: &[String], name: &String| {
            let key = Key::new(name);
            list.iter().all(|other| Key::new(other) != key)
        };
        let (others, came, went) = {
            let mut state = self.state.borrow_mut();
            let before = std::mem::replace(&mut state.settings.ignored, names.clone());
            let came: Vec<String> = names.iter().filter(|name| lacks(&before, name)).cloned().collect();
            let went: Vec<String> = before.iter().filter(|name| lacks(&names, name)).cloned().collect();
            let others = state.places.iter().map(|other| other.id.clone()).filter(|other| other != place);
            (others.collect::<Vec<_>>(), came, went)
        };
        for other in &others {
            for nick in came.iter().cloned() {
                self.act(other, Action::Ignore { nick });
            }
            for nick in went.iter().cloned() {
                self.act(other, Action::Unignore { nick });
            }
        }
        self.keep_settings();
        self.show_ignored(window);
        self.show_people(window);
    }

    pub(super) fn show_ignored(&self, window: &App) {
        let rows: Vec<SharedString> =
            self.state.borrow().settings.ignored.iter().map(|name| shared(name)).collect();
        window.global::<PeopleView>().set_ignored(ModelRc::new(VecModel::from(rows)));
    }

    fn unignore(&self, index: i32) {
        let named = |index: usize| self.state.borrow().settings.ignored.get(index).cloned();
        if let Some(nick) = usize::try_from(index).ok().and_then(named) {
            self.act_at_place(Action::Unignore { nick });
        }
    }
}
