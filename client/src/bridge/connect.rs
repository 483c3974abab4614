//! Joining a place and leaving it.

use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;

use async_channel::Receiver;
use futures_lite::future;
use parlor_ui::slint::{ComponentHandle, SharedString};
use parlor_ui::{App, ConnectView, Lock, Screen, Shell, StatusView};

use super::Bridge;
use super::clock::monotonic;
use super::pace::{self, Pace};
use super::places::{Entry, OpenPlace};
use super::preferences::language_code;
use super::text::shared;
use crate::conversations::ConversationId;
use crate::credentials::Credentials;
use crate::keeper::{Found, Wanted};
use crate::kept::Kept;
use crate::net::{self, Connection};
use crate::place::{Identity, Place, PlaceId};
use crate::secrets::Given;
use crate::session::{Action, Event, Key, Naming, Profile};
use crate::tls::{KeyId, Shown, Trust};

/// As [`Event::LineRoom`] will hardly be less: 512 bytes but for a name, a user and a host of the longest.
const LINE_ROOM: usize = 400;
/// The longest that a new session waits for the good-bye of the last one.
const FAREWELL: Duration = Duration::from_secs(2);
/// The longest that it waits for what is kept.
const DISK: Duration = Duration::from_secs(5);

/// Where somebody goes.
pub(super) struct Going {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) room: String,
    /// What shows there who they are.
    pub(super) given: Given,
    /// The place is our own, with this key.
    pub(super) host: Option<KeyId>,
}

impl Bridge {
    /// Starts a session; what was open before is left. What the last session of the same place has
    /// not sent must be kept first, and what is kept is read on another thread.
    pub(super) fn connect(self: &Rc<Self>, going: Going) {
        let Going { place, name, room, given, host } = going;
        let Some(window) = self.window.upgrade() else { return };
        self.leave_all();
        self.forget_found(&window);
        window.global::<ConnectView>().set_busy(true);
        let last = self.last_session(&place.id());
        let weak = Rc::downgrade(self);
        let join = async move {
            let gone = async {
                if let Some(last) = last {
                    let _ = last.recv().await;
                }
            };
            let late = async {
                smol::Timer::after(FAREWELL).await;
            };
            future::or(gone, late).await;
            let Some(bridge) = weak.upgrade() else { return };
            let wanted = Wanted { place: place.id(), name: name.clone(), given, host };
            let found = bridge.keeper.claim(wanted);
            drop(bridge);
            let late = async {
                smol::Timer::after(DISK).await;
                None
            };
            let found = future::or(async { found.recv().await.ok() }, late).await;
            let Some(bridge) = weak.upgrade() else { return };
            if let Some(window) = bridge.window.upgrade() {
                bridge.start_session(&window, &place, name, &room, found);
            }
        };
        self.state.borrow_mut().joining = Some(self.tasks.spawn(join));
    }

    /// How a server is to be met: as last time, as was asked for, or by TLS if it speaks that. What does not leave this
    /// computer nobody else reads.
    fn trust(&self, place: &Place, known: Option<Trust>) -> Trust {
        let id = place.id();
        match known {
            _ if self.state.borrow().hosts(&id) => Trust::Readable,
            Some(trust) => trust,
            None if place.secure => Trust::Authorities,
            None if id.is_here() => Trust::Readable,
            None => Trust::Perhaps,
        }
    }

    /// A server has answered, and is known from now on.
    pub(super) fn met(self: &Rc<Self>, window: &App, id: &PlaceId, shown: Option<Shown>) {
        {
            let mut state = self.state.borrow_mut();
            let here = id.is_here() || state.hosts(id);
            if let Some(place) = state.places.get_mut(id) {
                place.lock = match shown {
                    Some(_) => Lock::Closed,
                    None if here => Lock::None,
                    None => Lock::Open,
                };
            }
        }
        self.show_status(window);
        match shown {
            None => {}
            Some(Shown { vouched: true, .. }) => {
                self.keeper.know(id.to_string(), Trust::Authorities, false);
            }
            Some(Shown { key, .. }) => {
                self.keeper.know(id.to_string(), Trust::Key(key), false);
                self.place_is(id, key);
            }
        }
    }

    /// A place is its key. If it is known from another address, we come in anew, as who we are there.
    fn place_is(self: &Rc<Self>, id: &PlaceId, key: KeyId) {
        let asked = {
            let mut state = self.state.borrow_mut();
            let Some(place) = state.places.get_mut(id).filter(|place| place.whose.key() != Some(key)) else {
                return;
            };
            place.whose = place.whose.clone().with(Some(key));
            place.claim.as_ref().map(|claim| (claim.met(place.whose.clone()), place.name.clone()))
        };
        let Some((more, name)) = asked else { return };
        let (weak, id) = (Rc::downgrade(self), id.clone());
        let look = async move {
            let more = more.recv().await.unwrap_or_default();
            let Some(bridge) = weak.upgrade().filter(|_| more) else { return };
            // Unless the person has left meanwhile.
            if bridge.entry(&id).is_some() {
                let room = bridge.state.borrow().settings.room.clone();
                let server = id.server().clone();
                let place = Place { server, room: None, person: None, secure: false };
                bridge.connect(Going { place, name, room, given: Given::default(), host: None });
            }
        };
        self.tasks.spawn(look).detach();
    }

    /// The end of the last session of a place, if that is still to come.
    fn last_session(&self, place: &PlaceId) -> Option<Receiver<net::Ended>> {
        let leaving = &mut self.state.borrow_mut().leaving;
        leaving.retain(|(_, ended)| !ended.is_closed());
        leaving.iter().rfind(|(left, _)| left == place).map(|(_, ended)| ended.clone())
    }

    fn start_session(
        self: &Rc<Self>,
        window: &App,
        place: &Place,
        name: String,
        room: &str,
        found: Option<Found>,
    ) {
        let id = place.id();
        let (claim, kept, known, credentials, whose) = match found {
            Some(Found { claim, kept, trust, credentials, whose, trouble }) => {
                trouble.into_iter().for_each(|trouble| self.tell_trouble(window, trouble));
                (Some(claim), kept, trust, credentials, whose)
            }
            None => {
                self.keeps_nothing(&ErrorKind::TimedOut.into());
                (None, Kept::default(), None, Credentials::default(), Identity::new(&id, &name))
            }
        };
        let Kept { current, drafts, open, unsent, .. } = kept;
        let profile = Profile {
            server: place.server.clone(),
            nick: name.clone(),
            realname: name.clone(),
            rooms: if room.is_empty() { Vec::new() } else { vec![room.into()] },
            open: open.clone(),
            ignored: self.state.borrow().settings.ignored.clone(),
            unsent,
            encoding: {
                let settings = &self.state.borrow().settings;
                settings.encoding(&id.to_string(), &language_code(settings))
            },
        };
        let keeps = claim.clone();
        let keep = move |unsent| {
            if let Some(claim) = &keeps {
                claim.change(|kept| kept.unsent = unsent);
            }
        };
        let trust = self.trust(place, known);
        let given = credentials.given.clone();
        let connection = match net::start_keeping(profile, trust, credentials, keep) {
            Ok(connection) => connection,
            Err(error) => {
                window.global::<ConnectView>().set_busy(false);
                return window.global::<ConnectView>().set_address_error(shared(&error.to_string()));
            }
        };
        if let Some(nick) = place.person.clone() {
            // It has room: nothing else was asked for yet.
            let _ = connection.actions.try_send(Action::Private { nick });
        }
        let (events, of, weak) = (connection.events.clone(), id.clone(), Rc::downgrade(self));
        let (hurry, hurried) = async_channel::bounded(1);
        let pump = async move {
            let (mut pace, begun) = (Pace::default(), monotonic());
            while let Ok(batch) = events.recv().await {
                if let Some(bridge) = weak.upgrade() {
                    bridge.give_batch(&of, batch);
                }
                // Whoever waits to come in waits for each answer.
                if weak.upgrade().is_some_and(|bridge| bridge.entry(&of) != Some(Entry::Inside)) {
                    pace.hurry();
                }
                while let Some(left) = pace.left(monotonic() - begun) {
                    let late = async {
                        smol::Timer::after(left).await;
                        None
                    };
                    match future::or(async { Some(hurried.recv().await) }, late).await {
                        Some(Ok(())) => pace.hurry(),
                        // The place was left.
                        Some(Err(_)) => return,
                        None => {}
                    }
                }
                while weak.upgrade().is_some_and(|bridge| bridge.apply_waiting(&of)) {
                    smol::Timer::after(pace::LEAST).await;
                }
                pace.shown(monotonic() - begun);
            }
        };
        {
            let mut state = self.state.borrow_mut();
            // Another room than last time is the one to be seen.
            let as_before = room.is_empty() || state.settings.is_remembered(&id.to_string(), &name, room);
            let last = room.rsplit(',').map(str::trim).find(|room| !room.is_empty()).map(room_key);
            let current = Some(current).filter(|current| !current.is_empty() && as_before);
            let wanted = current.map(|key| Key::new(&key)).or(last);
            state.drafts.open(&id, drafts);
            if let Some(key) = wanted {
                // Nothing is open there yet.
                state.conversations.want(ConversationId::new(&id, key));
            }
        }
        let place = OpenPlace {
            id,
            connection,
            hurry,
            name,
            whose,
            given,
            claim,
            back: open,
            entry: Entry::Calling,
            me: String::new(),
            away: false,
            status: None,
            own: None,
            here: false,
            lock: Lock::None,
            naming: Naming::default(),
            line_room: LINE_ROOM,
            listed: Vec::new(),
            batch: Vec::new().into_iter(),
            _pump: self.tasks.spawn(pump),
            patience: None,
        };
        self.state.borrow_mut().places.add(place);
    }

    /// Behind what waits already.
    fn give_batch(&self, place: &PlaceId, batch: Vec<Event>) {
        if let Some(place) = self.state.borrow_mut().places.get_mut(place) {
            let waiting: Vec<Event> = place.batch.by_ref().chain(batch).collect();
            place.batch = waiting.into_iter();
        }
    }

    /// Does all that can be done now, where no event loop does it.
    pub fn pump(self: &Rc<Self>) {
        let places: Vec<PlaceId> = self.state.borrow().places.iter().map(|place| place.id.clone()).collect();
        for place in &places {
            self.apply_waiting(place);
        }
        self.tasks.run_ready();
    }

    /// Leaves the place on the screen; the card comes back with its fields.
    pub(super) fn disconnect(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        match self.place_id() {
            Some(place) => self.leave(&place),
            None => drop(self.state.borrow_mut().joining.take()),
        }
        window.global::<ConnectView>().set_busy(false);
        self.clear_complaints(&window);
        self.fill_card(&window);
        self.wake_cursor();
        // What was open belongs to a room that we are not in any more.
        window.global::<StatusView>().set_notice(SharedString::default());
        let shell = window.global::<Shell>();
        shell.invoke_close();
        shell.set_screen(Screen::Connect);
        shell.set_title("Parlor".into());
    }

    /// Ends the session of a place and closes its conversations. Its good-bye goes out, and what it
    /// has not sent onto disk, on a thread of its own.
    pub(super) fn leave(&self, place: &PlaceId) {
        self.take_draft();
        self.keep_place(place);
        let mut state = self.state.borrow_mut();
        let Some(left) = state.places.remove(place) else { return };
        state.conversations.close_place(place);
        state.drafts.close(place);
        let Connection { actions, ended, .. } = left.connection;
        // Full: it ends without an action too.
        let _ = actions.try_send(Action::Disconnect);
        state.leaving.push((place.clone(), ended));
    }

    /// Leaves all places, and stops joining another one.
    pub(super) fn leave_all(&self) {
        drop(self.state.borrow_mut().joining.take());
        let places: Vec<PlaceId> = self.state.borrow().places.iter().map(|place| place.id.clone()).collect();
        places.iter().for_each(|place| self.leave(place));
    }
}

/// The key of a room as it is typed, before the server has said how it tells names apart.
fn room_key(room: &str) -> Key {
    Key::new(&Naming::default().room(room))
}
