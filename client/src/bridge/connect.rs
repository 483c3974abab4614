//! Joining a place and leaving it.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;

use async_channel::Receiver;
use futures_lite::future;
use parlor_ui::slint::{ComponentHandle, SharedString};
use parlor_ui::{App, ConnectView, Lock, Screen, Shell, StatusView, Words};

use super::Bridge;
use super::clock::monotonic;
use super::pace::{self, Pace};
use super::phrases::phrase;
use super::places::{Entry, OpenPlace};
use super::preferences::language_code;
use super::text::shared;
use crate::conversations::ConversationId;
use crate::credentials::Credentials;
use crate::keeper::{Found, Wanted};
use crate::kept::Kept;
use crate::net::{self, Connection};
use crate::place::{Identity, Place, PlaceId, is_for_tls, is_here};
use crate::secrets::Given;
use crate::session::{Action, Event, Field, HostPort, Key, Naming, Profile, Sentence, Tools};
use crate::trust::{KeyId, Shown, Trust};

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
    pub(super) way: Way,
}

/// Who waits for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The person, at the card.
    Asked,
    /// Nobody: it was open at the last start, and this was on the screen, or was not.
    Back { shown: bool },
}

impl Bridge {
    /// Starts a session beside those that there are. What the last session of the same place has
    /// not sent must be kept first, and what is kept is read on another thread.
    pub(super) fn connect(self: &Rc<Self>, going: Going) {
        let Some(window) = self.window.upgrade() else { return };
        let id = going.place.id();
        let shown = self.current().is_some_and(|current| current.place == id);
        let before = self.state.borrow().places.get(&id).map(|place| place.name.clone());
        if before.is_some_and(|before| Key::new(&before) != Key::new(&going.name)) {
            self.comes_back(&id, false);
        }
        // The same server anew, or under another name.
        self.leave(&id);
        {
            let mut state = self.state.borrow_mut();
            state.joining.retain(|(joining, _)| *joining != id);
            state.conversations.add_place(&id);
        }
        if going.way == Way::Asked {
            self.ask_no_more();
            self.state.borrow_mut().asked = Some(id.clone());
            window.global::<ConnectView>().set_busy(true);
        }
        if !shown {
            self.show_another(&window);
        }
        let last = self.last_session(&id);
        let (weak, of) = (Rc::downgrade(self), id.clone());
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
            let Going { name, given, host, .. } = &going;
            let wanted = Wanted { place: of.clone(), name: name.clone(), given: given.clone(), host: *host };
            let found = bridge.keeper.claim(wanted);
            drop(bridge);
            let late = async {
                smol::Timer::after(DISK).await;
                None
            };
            let found = future::or(async { found.recv().await.ok() }, late).await;
            let Some(bridge) = weak.upgrade() else { return };
            if let Some(window) = bridge.window.upgrade() {
                bridge.start_session(&window, going, found);
            }
            // This task is done, and this ends it.
            bridge.state.borrow_mut().joining.retain(|(joining, _)| *joining != of);
        };
        let join = self.tasks.spawn(join);
        self.state.borrow_mut().joining.push((id, join));
    }

    /// The card waits for nothing any more; what it waited for is left.
    pub(super) fn ask_no_more(&self) {
        let asked = self.state.borrow_mut().asked.take();
        if let Some(asked) = asked {
            self.state.borrow_mut().joining.retain(|(joining, _)| *joining != asked);
            self.leave(&asked);
        }
        if let Some(window) = self.window.upgrade() {
            window.global::<ConnectView>().set_busy(false);
        }
    }

    /// Whether the card waits for a place.
    pub(super) fn is_asked(&self, place: &PlaceId) -> bool {
        self.state.borrow().asked.as_ref() == Some(place)
    }

    /// How each server of a place is to be met: as last time, as was asked for, or by TLS if it speaks that. What does not
    /// leave this computer nobody else reads.
    fn trusts(&self, place: &Place, known: &[Option<Trust>]) -> Vec<Trust> {
        let hosted = self.state.borrow().hosts(&place.id());
        let known = known.iter().copied().chain(std::iter::repeat(None));
        let trust = |(server, known): (&HostPort, Option<Trust>)| match (known, place.key) {
            _ if hosted => Trust::Readable,
            (Some(trust), _) => trust,
            // Whoever made the link has seen it; of several one that is not known and has another one is asked about.
            (None, Some(key)) => Trust::Key(key),
            (None, None) if place.secure || is_for_tls(server) => Trust::Authorities,
            (None, None) if is_here(server) => Trust::Readable,
            (None, None) => Trust::Perhaps,
        };
        place.servers.iter().zip(known).map(trust).collect()
    }

    /// Of the several servers of a place this one is called now.
    pub(super) fn calling(&self, window: &App, id: &PlaceId, server: HostPort) {
        if let Some(place) = self.state.borrow_mut().places.get_mut(id) {
            place.server = Some(server);
        }
        self.show_status(window);
    }

    /// A server has answered, and is known from now on.
    pub(super) fn met(self: &Rc<Self>, window: &App, id: &PlaceId, server: &HostPort, shown: Option<Shown>) {
        {
            let mut state = self.state.borrow_mut();
            let here = is_here(server) || state.hosts(id);
            if let Some(place) = state.places.get_mut(id) {
                place.key = shown.filter(|shown| !shown.vouched).map(|shown| shown.key);
                let news = place.key.filter(|key| !place.keys.contains(key));
                place.keys.extend(news);
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
                self.keeper.know(server.to_string(), Trust::Authorities, false);
            }
            Some(Shown { key, .. }) => {
                self.keeper.know(server.to_string(), Trust::Key(key), false);
                if !id.servers().are_several() {
                    self.place_is(id, key);
                }
            }
        }
    }

    /// A place of one server is its key. If it is known from another address, we come in anew, as who we are there.
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
            let room = bridge.state.borrow().places.get(&id).map(|place| place.room.clone());
            if let Some(room) = room {
                let servers = id.servers().clone();
                let place = Place { servers, room: None, person: None, secure: false, key: None };
                let shown = bridge.current().is_some_and(|current| current.place == id);
                let way = if bridge.is_asked(&id) { Way::Asked } else { Way::Back { shown } };
                bridge.connect(Going { place, name, room, given: Given::default(), host: None, way });
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

    fn start_session(self: &Rc<Self>, window: &App, going: Going, found: Option<Found>) {
        let Going { place, name, room, way, .. } = going;
        let id = place.id();
        let (claim, kept, known, credentials, whose) = match found {
            Some(Found { claim, kept, trusts, credentials, whose, trouble }) => {
                trouble.into_iter().for_each(|trouble| self.tell_trouble(window, trouble));
                (Some(claim), kept, trusts, credentials, whose)
            }
            None => {
                self.keeps_nothing(&ErrorKind::TimedOut.into());
                (None, Kept::default(), Vec::new(), Credentials::default(), Identity::new(&id, &name))
            }
        };
        let Kept { current, drafts, notify, open, unsent, .. } = kept;
        let profile = Profile {
            server: place.servers.first().clone(),
            others: place.servers.others().to_vec(),
            nick: name.clone(),
            realname: name.clone(),
            rooms: if room.is_empty() { Vec::new() } else { vec![room.clone()] },
            open: open.clone(),
            ignored: self.state.borrow().settings.ignored.clone(),
            unsent,
            known: way != Way::Asked,
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
        let keys = whose.key().into_iter().chain(known.iter().flatten().filter_map(|trust| trust.key()));
        let keys = keys.collect::<BTreeSet<_>>().into_iter().collect();
        let given = credentials.given.clone();
        let started = match contradiction(&place, &known) {
            Some(sentence) => Err(phrase(&window.global::<Words>(), &sentence)),
            None => net::start_at(profile, self.trusts(&place, &known), credentials, keep)
                .map_err(|error| shared(&error.to_string())),
        };
        let connection = match started {
            Ok(connection) => connection,
            Err(error) => {
                self.state.borrow_mut().conversations.close_place(&id);
                if !self.is_asked(&id) {
                    return self.notice(window, error);
                }
                self.ask_no_more();
                return window.global::<ConnectView>().set_address_error(error);
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
        // Another room than last time is the one to be seen.
        let wanted = {
            let state = self.state.borrow();
            let before = state.settings.bookmarks.get(&id.to_string(), &name);
            let as_before = room.is_empty() || before.is_some_and(|before| before.room == room);
            let last = room.rsplit(',').map(str::trim).find(|room| !room.is_empty()).map(room_key);
            let current = Some(current).filter(|current| !current.is_empty() && as_before);
            current.map(|key| Key::new(&key)).or(last)
        };
        {
            let mut state = self.state.borrow_mut();
            state.drafts.open(&id, drafts);
            if let Some(key) = wanted.clone().filter(|_| way != Way::Back { shown: false }) {
                // Nothing is open there yet.
                state.conversations.want(ConversationId::new(&id, key));
            }
        }
        let place = OpenPlace {
            id,
            connection,
            hurry,
            name,
            room,
            last: wanted,
            notify,
            refusal: None,
            key: whose.key(),
            whose,
            server: None,
            keys,
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
            multiline: None,
            reacts: false,
            deletes: false,
            tools: Tools::default(),
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

    /// Lets go of the place on the screen. Where it is the only one, the card comes back with its fields; else it stays
    /// in the list.
    pub(super) fn disconnect(self: &Rc<Self>) {
        match self.place_id() {
            Some(place) if self.state.borrow().places.len() > 1 => self.go_offline(&place),
            Some(place) => self.close_place(&place),
            None => self.show_card(),
        }
    }

    /// Says good-bye there. It stays in the list, and what is typed there waits.
    pub(super) fn go_offline(&self, place: &PlaceId) {
        self.comes_back(place, false);
        self.act(place, Action::Disconnect);
    }

    /// Calls a server again; what it has refused is put right on the card first.
    pub(super) fn call_again(self: &Rc<Self>, place: &PlaceId) {
        let refusal = {
            let mut state = self.state.borrow_mut();
            let refused = state.places.get_mut(place).and_then(|place| place.refusal.take());
            refused.filter(|refusal| refusal.field != Field::Address || refusal.stranger().is_some())
        };
        match (refusal, self.window.upgrade()) {
            (Some(refusal), Some(window)) => self.ask_on_card(&window, place, refusal),
            _ => {
                self.comes_back(place, true);
                self.act(place, Action::RetryNow);
            }
        }
    }

    /// Whether a place is to be open again at the next start.
    fn comes_back(&self, place: &PlaceId, comes_back: bool) {
        let news = {
            let mut state = self.state.borrow_mut();
            let name = state.places.get(place).map(|place| place.name.clone());
            name.is_some_and(|name| state.settings.bookmarks.set_open(&place.to_string(), &name, comes_back))
        };
        if news {
            self.keep_settings();
        }
    }

    /// Leaves a place for good: the next one is shown, or the card with its fields.
    pub(super) fn close_place(self: &Rc<Self>, place: &PlaceId) {
        let Some(window) = self.window.upgrade() else { return };
        self.comes_back(place, false);
        self.leave(place);
        self.show_another(&window);
        if self.state.borrow().places.len() == 0 {
            self.show_card();
        }
    }

    /// The card, with the fields of the place that was looked at last.
    fn show_card(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        self.ask_no_more();
        self.clear_complaints(&window);
        self.fill_card(&window);
        // What was open belongs to a room that we are not in any more.
        window.global::<StatusView>().set_notice(SharedString::default());
        self.turn_to_card(&window);
    }

    /// The card comes over the rooms as it is.
    pub(super) fn turn_to_card(&self, window: &App) {
        self.wake_cursor();
        let shell = window.global::<Shell>();
        shell.invoke_close();
        shell.set_screen(Screen::Connect);
        shell.set_title("Parlor".into());
        self.show_way_back(window);
        self.look(window);
    }

    /// Whether the card covers rooms.
    pub(super) fn show_way_back(&self, window: &App) {
        let state = self.state.borrow();
        let elsewhere = state.places.iter().any(|place| state.asked.as_ref() != Some(&place.id));
        window.global::<ConnectView>().set_elsewhere(elsewhere);
    }

    /// From the card to the rooms that it covers; what it waits for is left.
    pub(super) fn return_to_rooms(&self) {
        let Some(window) = self.window.upgrade() else { return };
        self.ask_no_more();
        self.clear_given(&window);
        self.show_another(&window);
        if self.state.borrow().places.len() > 0 {
            self.wake_cursor();
            window.global::<Shell>().set_screen(Screen::Room);
            self.show_rooms(&window);
            self.look(&window);
        }
    }

    /// Something is on the screen as long as there is something.
    pub(super) fn show_another(&self, window: &App) {
        let other = {
            let state = self.state.borrow();
            let none = state.conversations.current().is_none();
            let first = state.conversations.at(0).or(state.conversations.iter().next());
            first.filter(|_| none).map(|first| first.id.clone())
        };
        match other {
            Some(other) => self.show(window, &other),
            None => {
                self.show_rooms(window);
                self.show_status(window);
            }
        }
        self.show_way_back(window);
    }

    /// Ends the session of a place and closes its conversations; another one is to be shown then. Its good-bye goes
    /// out, and what it has not sent onto disk, on a thread of its own.
    pub(super) fn leave(&self, place: &PlaceId) {
        self.take_draft();
        self.keep_place(place);
        self.end_saving(place);
        self.leave_files(place);
        let mut state = self.state.borrow_mut();
        state.asked.take_if(|asked| *asked == *place);
        if state.finding.id.as_ref().is_some_and(|of| of.place == *place) {
            state.finding.id = None;
        }
        state.conversations.close_place(place);
        state.drafts.close(place);
        let Some(left) = state.places.remove(place) else { return };
        let Connection { actions, ended, .. } = left.connection;
        // Full: it ends without an action too.
        let _ = actions.try_send(Action::Disconnect);
        state.leaving.push((place.clone(), ended));
    }

    /// Leaves all places, and stops joining others.
    pub(super) fn leave_all(&self) {
        let places: Vec<PlaceId> = {
            let mut state = self.state.borrow_mut();
            state.joining.clear();
            state.asked = None;
            state.places.iter().map(|place| place.id.clone()).collect()
        };
        places.iter().for_each(|place| self.leave(place));
    }
}

/// All servers of a place are known, and none by the key that a link says. Whose it may be nobody can be asked.
fn contradiction(place: &Place, known: &[Option<Trust>]) -> Option<Sentence> {
    let now = place.key.filter(|_| place.servers.are_several())?;
    let keys: Vec<KeyId> = known.iter().flatten().filter_map(|trust| trust.key()).collect();
    let before =
        keys.first().copied().filter(|_| keys.len() == place.servers.len() && !keys.contains(&now))?;
    Some(Sentence::KeyChanged { server: place.servers.first().clone(), before, now })
}

/// The key of a room as it is typed, before the server has said how it tells names apart.
fn room_key(room: &str) -> Key {
    Key::new(&Naming::default().room(room))
}
