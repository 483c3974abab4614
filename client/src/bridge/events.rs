//! What a session tells, given to the views that it concerns.

use std::rc::Rc;
use std::time::Duration;

use parlor_ui::slint::ComponentHandle;
use parlor_ui::{App, Words};

use super::clock::monotonic;
use super::reading::has_desktop;
use super::{Bridge, lines};
use crate::conversations::ConversationId;
use crate::notify::RoomNotify;
use crate::place::PlaceId;
use crate::session::{Event, Status};

/// How long events are applied in one go, so that keys, frames and the end come in between.
const TURN: Duration = Duration::from_millis(20);

/// What does not show any more how things are.
#[derive(Default)]
struct Stale {
    rooms: bool,
    people: bool,
    /// Somebody came or went: lines that did not come before may come now.
    gaps: bool,
    /// Lines wait to be sent, or do not any more.
    sending: bool,
}

impl Bridge {
    /// Applies what has come from a session by now, for a while; says whether there is more.
    pub(super) fn apply_waiting(self: &Rc<Self>, place: &PlaceId) -> bool {
        let Some(window) = self.window.upgrade() else { return false };
        self.look_at_date();
        let (until, mut stale, mut more) = (monotonic() + TURN, Stale::default(), false);
        while let Some(event) = self.next_event(place) {
            self.apply_one(&window, place, event, &mut stale);
            if monotonic() >= until {
                more = true;
                break;
            }
        }
        if stale.rooms {
            self.show_rooms(&window);
        }
        if stale.people {
            self.show_people(&window);
        }
        if stale.gaps {
            self.look_again(&window);
        }
        if stale.sending
            && let Some(id) = self.current()
        {
            self.show_sending(&window, &id);
        }
        more
    }

    /// The next event of a place; none if it was left.
    fn next_event(&self, place: &PlaceId) -> Option<Event> {
        let mut state = self.state.borrow_mut();
        let place = state.places.get_mut(place)?;
        loop {
            match place.batch.next() {
                Some(event) => return Some(event),
                None => place.batch = place.connection.events.try_recv().ok()?.into_iter(),
            }
        }
    }

    fn apply_one(self: &Rc<Self>, window: &App, place: &PlaceId, event: Event, stale: &mut Stale) {
        let id = |key| ConversationId::new(place, key);
        match event {
            Event::Status(status) => {
                let connected = matches!(status, Status::Connected { .. });
                if connected {
                    self.welcome(window, place);
                }
                self.status(window, place, status);
                if !connected || !has_desktop(window) {
                    self.look(window);
                }
            }
            Event::Calling { server } => self.calling(window, place, server),
            Event::Met { server, shown, own, here } => {
                if let Some(place) = self.state.borrow_mut().places.get_mut(place) {
                    (place.own, place.here) = (own, here);
                }
                self.met(window, place, &server, shown);
            }
            Event::Me { nick } => self.own_name(window, place, nick),
            Event::Renamed { nick } => self.renamed_ourselves(place, nick),
            Event::RoomKey { key, room_key } => {
                if let Some(conversation) = self.state.borrow_mut().conversations.get_mut(&id(key)) {
                    conversation.room_key = room_key;
                }
                self.keep_drafts_soon();
            }
            Event::Naming(naming) => {
                if let Some(place) = self.state.borrow_mut().places.get_mut(place) {
                    place.naming = naming;
                }
            }
            Event::Opened { key, name, kind } => {
                self.opened(window, &id(key), name, kind);
                self.keep_drafts_soon();
                stale.rooms = true;
            }
            Event::Wanted { key } => self.go(window, id(key)),
            Event::Closed { key } => {
                self.closed(window, &id(key));
                self.keep_drafts_soon();
                stale.rooms = true;
            }
            Event::Out { key, why } => self.out(window, &id(key), why),
            Event::Typing { key, names } => self.typing(window, &id(key), names),
            Event::Settings { room, settings } => self.settings_of(window, &id(room), settings),
            Event::Hands { key, hands } => stale.people |= self.hands(window, &id(key), hands),
            Event::Tools(tools) => {
                if let Some(place) = self.state.borrow_mut().places.get_mut(place) {
                    place.tools = tools;
                }
                stale.people = true;
            }
            Event::Done { room, deed } => self.done(window, &id(room), deed),
            Event::Bans { room, bans } => self.bans_of(window, &id(room), bans),
            Event::Moved { key, to, name } => {
                self.renamed(window, &id(key), &id(to), name);
                self.keep_drafts_soon();
                stale.rooms = true;
            }
            Event::Topic { key, text } => self.topic(window, &id(key), text),
            Event::People { key, people } => {
                stale.people |= self.people(window, &id(key), people);
                stale.gaps = true;
                // Somebody whom we talk to alone may be away now.
                stale.rooms |= self.talks_to_somebody(place);
            }
            Event::Lines { key, lines } => {
                let id = id(key);
                stale.rooms |= self.spoke(&id);
                self.alert_of_lines(window, &id, &lines);
                self.announce_lines(window, &id, &lines);
                self.count_below(window, &id, &lines);
                self.edit(window, &id, |timeline| timeline.push(lines));
                self.keep_read();
                stale.sending = true;
            }
            Event::Changed { key, line } => {
                self.edit(window, &id(key), |timeline| timeline.replace(line));
                stale.sending = true;
            }
            Event::Inserted { key, before, lines, new } => {
                let id = id(key);
                if new {
                    self.alert_of_lines(window, &id, &lines);
                    self.announce_lines(window, &id, &lines);
                    self.count_below(window, &id, &lines);
                }
                self.edit(window, &id, |timeline| timeline.insert(before, lines, new));
            }
            Event::Removed { key, ids } => {
                self.edit(window, &id(key), |timeline| timeline.remove(&ids));
                stale.sending = true;
            }
            Event::Found(found) => self.found(window, place, found),
            Event::Jumped { key, id: line } => self.jumped(window, &id(key), line),
            Event::Transcript { key, lines, end } => self.transcript(window, &id(key), lines, end),
            Event::Unread { key, count, mentions } => {
                if let Some(conversation) = self.state.borrow_mut().conversations.get_mut(&id(key)) {
                    (conversation.unread, conversation.mentions) = (count, mentions);
                }
                stale.rooms = true;
            }
            Event::Alert { key, line } => {
                let text = lines::plain(&window.global::<Words>(), &line);
                self.alert(window, &id(key), &line, &text);
            }
            Event::ReadElsewhere { key, at } => self.read_elsewhere(window, &id(key), at),
            Event::Marking { reacts, deletes } => {
                if let Some(place) = self.state.borrow_mut().places.get_mut(place) {
                    (place.reacts, place.deletes) = (reacts, deletes);
                }
                self.show_marking(window);
            }
            Event::Listed(listed) => self.listed(window, place, listed),
            Event::Refused(refusal) => self.refused(window, place, refusal),
            Event::Dcc { key, who, nick, dcc } => self.heard_of_file(id(key), who, nick, dcc),
            Event::SendFile { key, path } => self.send_typed(id(key), &path),
            Event::Help => self.show_commands(window),
            Event::Ignored(names) => self.ignoring(window, place, names),
            Event::Muted { key, muted } => {
                let notify = if muted { RoomNotify::Muted } else { RoomNotify::Usual };
                self.set_notify(&id(key), notify);
            }
            Event::GivenBack { key, text, reply, why } => {
                if let Some(line) = reply {
                    self.state.borrow_mut().answering.get_or_insert((id(key.clone()), line));
                    self.show_answering(window);
                }
                self.given_back(window, &id(key), &text, &why);
            }
            Event::LineRoom { bytes, multiline } => {
                if let Some(place) = self.state.borrow_mut().places.get_mut(place) {
                    (place.line_room, place.multiline) = (bytes, multiline);
                }
            }
        }
    }
}
