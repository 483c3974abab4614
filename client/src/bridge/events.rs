//! What a session tells, given to the views that it concerns.

use std::rc::Rc;

use parlor_ui::slint::ComponentHandle;
use parlor_ui::{App, Words};

use super::{Bridge, lines};
use crate::conversations::ConversationId;
use crate::place::PlaceId;
use crate::session::{Event, Status};

impl Bridge {
    /// Applies a batch of events of one place.
    pub(super) fn apply(self: &Rc<Self>, place: &PlaceId, batch: Vec<Event>) {
        let Some(window) = self.window.upgrade() else { return };
        let mut rooms_changed = false;
        for event in batch {
            if self.entry(place).is_none() {
                // Left by what came before.
                return;
            }
            rooms_changed |= self.apply_one(&window, place, event);
        }
        if rooms_changed {
            self.show_rooms(&window);
        }
    }

    /// Says whether the list of rooms shows something else now.
    fn apply_one(self: &Rc<Self>, window: &App, place: &PlaceId, event: Event) -> bool {
        let id = |key| ConversationId::new(place, key);
        match event {
            Event::Status(status) => {
                if matches!(status, Status::Connected { .. }) {
                    self.welcome(window, place);
                }
                self.status(window, place, status);
            }
            Event::Me { nick } => self.own_name(window, place, nick),
            Event::Naming(naming) => {
                if let Some(place) = self.state.borrow_mut().places.get_mut(place) {
                    place.naming = naming;
                }
            }
            Event::Opened { key, name, kind } => {
                self.opened(window, &id(key), name, kind);
                return true;
            }
            Event::Wanted { key } => self.go(window, id(key)),
            Event::Closed { key, why } => {
                self.closed(window, &id(key), why);
                return true;
            }
            Event::Moved { key, to, name } => {
                self.renamed(window, &id(key), &id(to), name);
                return true;
            }
            Event::Topic { key, text } => self.topic(window, &id(key), text),
            Event::People { key, people } => {
                self.people(window, &id(key), people);
                self.look_again(window);
                // Somebody whom we talk to alone may be away now.
                return self.talks_to_somebody(place);
            }
            Event::Lines { key, lines } => {
                let id = id(key);
                self.alert_of_lines(window, &id, &lines);
                self.count_below(window, &id, &lines);
                self.edit(window, &id, |timeline| timeline.push(lines));
            }
            Event::Changed { key, line } => {
                self.edit(window, &id(key), |timeline| timeline.replace(line));
            }
            Event::Inserted { key, before, lines, new } => {
                let id = id(key);
                if new {
                    self.alert_of_lines(window, &id, &lines);
                    self.count_below(window, &id, &lines);
                }
                self.edit(window, &id, |timeline| timeline.insert(before, lines));
            }
            Event::Removed { key, ids } => {
                self.edit(window, &id(key), |timeline| timeline.remove(&ids));
            }
            Event::Found(found) => self.found(window, place, found),
            Event::Jumped { key, id: line } => self.jumped(window, &id(key), line),
            Event::Unread { key, count, mentions } => {
                if let Some(conversation) = self.state.borrow_mut().conversations.get_mut(&id(key)) {
                    (conversation.unread, conversation.mentions) = (count, mentions);
                }
                return true;
            }
            Event::Alert { key, line } => {
                let text = lines::plain(&window.global::<Words>(), &line);
                self.alert(window, &id(key), line.from(), &text);
            }
            Event::Listed(listed) => self.listed(window, place, listed),
            Event::Refused(refusal) => self.refused(window, place, refusal),
            Event::Help => self.show_commands(window),
            Event::Ignored(names) => self.ignoring(window, names),
        }
        false
    }
}
