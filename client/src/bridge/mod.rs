//! Between the window and everything else, on the UI thread only: events become what the
//! window shows, what a person does becomes actions. No layout here.

mod caret;
mod clock;
mod composer;
mod conversation;
mod copy;
mod find;
mod history;
mod hosting;
mod lines;
mod notify;
mod people;
mod phrases;
mod preferences;
mod rows;
mod signals;
mod text;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use parlor_ui::slint::{self, CloseRequestResponse, ComponentHandle, ModelRc, SharedString, VecModel, Weak};
use parlor_ui::{
    App, BrowseView, ConnectView, HostView, Panel, PeopleView, Recent as RecentRow, RoomView, RoomsView,
    Screen, Shell, StatusKind, StatusView, SwitcherView, TimelineView, Words,
};

use crate::host::Host;
use crate::net::{self, Connection};
use crate::place::Place;
use crate::session::{Action, Event, Field, Key, Kind, Profile, Reason, Refusal, Status};
use crate::settings::{Broken, Drafts, Folder, Recent, Settings};

use composer::Completing;
use conversation::Conversation;
use phrases::phrase;
use text::shared;

/// Lines come to the window at once, and then at most this often.
const FLUSH: Duration = Duration::from_millis(50);
/// A server that has said neither yes nor no to the first room by then says nothing about it.
const ROOM_ANSWERS: Duration = Duration::from_secs(3);
/// How long the end of a connection is waited for.
const FAREWELL: Duration = Duration::from_secs(2);
/// Text that was typed is kept on disk this long after the last key.
const KEEP_DRAFTS: Duration = Duration::from_secs(2);

/// Connects a callback of a view to a method of the bridge, as long as that lives.
macro_rules! on {
    ($bridge:expr, $view:expr, $callback:ident, |$this:ident $(, $arg:ident)*| $body:expr) => {{
        let weak = std::rc::Rc::downgrade($bridge);
        $view.$callback(move |$($arg),*| match weak.upgrade() {
            Some($this) => $body,
            None => Default::default(),
        });
    }};
}
use on;

/// What was asked for on the command line.
#[derive(Debug, Default)]
pub struct Wishes {
    /// Go there at once: what [`Place::parse`] reads.
    pub address: Option<String>,
    /// Under this name.
    pub name: Option<String>,
    /// Open the page for hosting.
    pub host: bool,
}

/// See the [module](self).
pub struct Bridge {
    window: Weak<App>,
    folder: Folder,
    state: RefCell<State>,
    /// Keeps the drafts a while after the last key.
    keep_drafts: slint::Timer,
    /// Counts down to the next attempt; shows guests while they are looked at.
    tick: slint::Timer,
    /// Runs until the text cursor comes to rest.
    rest: slint::Timer,
    /// Runs while the line that a search jumped to is highlighted.
    highlight: slint::Timer,
}

#[derive(Default)]
struct State {
    settings: Settings,
    drafts: Drafts,
    connection: Option<Connection>,
    /// Where we are or want to go.
    place: Option<Place>,
    /// Welcomed since the person pressed Join.
    welcomed: bool,
    /// Welcomed, but the first room has not let us in yet.
    at_the_door: bool,
    me: String,
    status: Option<Status>,
    conversations: Vec<Conversation>,
    current: Option<Key>,
    people_filter: String,
    listed: Vec<crate::session::ListedRoom>,
    listed_filter: String,
    switcher_filter: String,
    finding: find::Finding,
    /// The person wants to see this one as soon as it is open.
    go_to: Option<Key>,
    completing: Option<Completing>,
    sent: Vec<String>,
    sent_at: usize,
    ignored: Vec<String>,
    host: Option<Host>,
    guests: Vec<parlor_server::Guest>,
}

impl State {
    fn conversation(&self, key: &Key) -> Option<&Conversation> {
        self.conversations.iter().find(|conversation| conversation.key == *key)
    }

    fn conversation_mut(&mut self, key: &Key) -> Option<&mut Conversation> {
        self.conversations.iter_mut().find(|conversation| conversation.key == *key)
    }

    fn current(&self) -> Option<&Conversation> {
        self.conversation(self.current.as_ref()?)
    }
}

impl Bridge {
    /// Reads what is remembered, fills the views, and listens to what the person does.
    pub fn new(window: &App, folder: Folder) -> Rc<Bridge> {
        let (settings, settings_broken) = folder.settings();
        let (drafts, drafts_broken) = folder.drafts();
        let bridge = Rc::new(Bridge {
            window: window.as_weak(),
            folder,
            state: RefCell::new(State { settings, drafts, ..State::default() }),
            keep_drafts: slint::Timer::default(),
            tick: slint::Timer::default(),
            rest: slint::Timer::default(),
            highlight: slint::Timer::default(),
        });
        bridge.clear_previews(window);
        bridge.listen_to_connect(window);
        bridge.listen_to_room(window);
        bridge.listen_to_history(window);
        bridge.listen_to_composer(window);
        bridge.listen_to_people(window);
        bridge.listen_to_find(window);
        bridge.listen_to_host(window);
        bridge.listen_to_settings(window);
        bridge.apply_settings(window);
        bridge.fill_card(window);
        let words = window.global::<Words>();
        let place = |broken: &Broken| shared(&broken.aside.display().to_string());
        if let Some(broken) = settings_broken {
            bridge.notice(window, words.invoke_settings_set_aside(place(&broken)));
        } else if let Some(broken) = drafts_broken {
            bridge.notice(window, words.invoke_drafts_set_aside(place(&broken)));
        }
        let weak = Rc::downgrade(&bridge);
        window.window().on_close_requested(move || match weak.upgrade() {
            Some(bridge) => bridge.close_requested(),
            None => CloseRequestResponse::HideWindow,
        });
        let weak = Rc::downgrade(&bridge);
        let each_second = move || weak.upgrade().into_iter().for_each(|bridge| bridge.each_second());
        bridge.tick.start(slint::TimerMode::Repeated, Duration::from_secs(1), each_second);
        bridge.tick.stop();
        bridge.watch_hands(window);
        bridge
    }

    /// Does what the command line asked for.
    pub fn wish(self: &Rc<Self>, wishes: Wishes) {
        let Some(window) = self.window.upgrade() else { return };
        let card = window.global::<ConnectView>();
        if let Some(name) = &wishes.name {
            card.set_name(shared(name));
            window.global::<HostView>().set_name(shared(name));
        }
        let join_at_start = self.state.borrow().settings.join_at_start;
        if let Some(address) = &wishes.address {
            card.set_address(shared(address));
            if let Ok(place) = Place::parse(address) {
                card.set_address(shared(&place.address()));
                place.room.iter().for_each(|room| card.set_room(shared(room)));
            }
        }
        if wishes.host {
            self.open_host();
        } else if wishes.address.is_some() || (join_at_start && !card.get_name().is_empty()) {
            // What is missing or wrong is then said beside its field.
            self.join();
        }
    }

    /// A sentence that belongs to no field: on the card, and in the room.
    fn notice(&self, window: &App, sentence: SharedString) {
        window.global::<ConnectView>().set_notice(sentence.clone());
        window.global::<StatusView>().set_notice(sentence);
    }

    /// Nothing can be kept, for this reason; everything else works.
    pub fn keeps_nothing(&self, reason: &io::Error) {
        if let Some(window) = self.window.upgrade() {
            let sentence = window.global::<Words>().invoke_nothing_kept(shared(&reason.to_string()));
            self.notice(&window, sentence);
        }
    }

    /// Examples are for the previewer.
    fn clear_previews(&self, window: &App) {
        window.global::<RoomsView>().set_rooms(ModelRc::default());
        window.global::<PeopleView>().set_people(ModelRc::default());
        window.global::<TimelineView>().set_lines(ModelRc::default());
        window.global::<BrowseView>().set_listed(ModelRc::default());
        window.global::<SwitcherView>().set_switcher(ModelRc::default());
        window.global::<PeopleView>().set_ignored(ModelRc::default());
        window.global::<RoomView>().set_topic(SharedString::default());
        window.global::<HostView>().set_guests(ModelRc::default());
        window.global::<HostView>().set_name(SharedString::default());
        window.global::<StatusView>().set_me(SharedString::default());
        window.global::<parlor_ui::FindView>().set_query(SharedString::default());
        self.forget_found(window);
        window.global::<parlor_ui::AboutView>().set_version(env!("CARGO_PKG_VERSION").into());
    }

    fn fill_card(&self, window: &App) {
        let state = self.state.borrow();
        let card = window.global::<ConnectView>();
        card.set_name(shared(&state.settings.name));
        card.set_address(shared(&state.settings.address));
        card.set_room(shared(&state.settings.room));
        card.set_join_at_start(state.settings.join_at_start);
        let recents: VecModel<RecentRow> = state
            .settings
            .recent
            .iter()
            .map(|Recent { address, name, room }| RecentRow {
                label: Place::parse(address)
                    .map_or_else(|_| shared(address), |place| shared(&place.server.host)),
                address: shared(address),
                name: shared(name),
                room: shared(room),
            })
            .collect::<Vec<_>>()
            .into();
        card.set_recents(ModelRc::new(recents));
    }

    fn listen_to_connect(self: &Rc<Self>, window: &App) {
        let card = window.global::<ConnectView>();
        on!(self, card, on_join, |this| this.join());
        on!(self, card, on_cancel, |this| this.disconnect());
        on!(self, card, on_use_suggestion, |this| this.use_suggestion());
        on!(self, card, on_open_host, |this| this.open_host());
        on!(self, card, on_pick_recent, |this, index| this.pick_recent(index));
        on!(self, card, on_forget_recent, |this, index| this.forget_recent(index));
        on!(self, card, on_join_at_start_changed, |this| this.join_at_start_changed());
        let shell = window.global::<Shell>();
        on!(self, shell, on_opened, |this, panel| this.opened(panel));
        on!(self, shell, on_quit, |this| this.quit_asked());
        on!(self, shell, on_open_url, |_this, url| open_link(&url));
    }

    fn use_suggestion(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let card = window.global::<ConnectView>();
        card.set_name(card.get_suggestion());
        self.join();
    }

    fn pick_recent(self: &Rc<Self>, index: i32) {
        let picked =
            usize::try_from(index).ok().and_then(|i| self.state.borrow().settings.recent.get(i).cloned());
        let (Some(Recent { address, name, room }), Some(window)) = (picked, self.window.upgrade()) else {
            return;
        };
        let card = window.global::<ConnectView>();
        card.set_address(shared(&address));
        card.set_name(shared(&name));
        card.set_room(shared(&room));
        self.join();
    }

    fn forget_recent(&self, index: i32) {
        let Some(window) = self.window.upgrade() else { return };
        {
            let recent = &mut self.state.borrow_mut().settings.recent;
            let Some(index) = usize::try_from(index).ok().filter(|index| *index < recent.len()) else {
                return;
            };
            recent.remove(index);
        }
        self.keep_settings();
        self.fill_card(&window);
    }

    fn join_at_start_changed(&self) {
        let Some(window) = self.window.upgrade() else { return };
        self.state.borrow_mut().settings.join_at_start = window.global::<ConnectView>().get_join_at_start();
        self.keep_settings();
    }

    /// Join on the card: checks the fields, then connects.
    fn join(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let (card, words) = (window.global::<ConnectView>(), window.global::<Words>());
        let name = card.get_name().trim().to_owned();
        let address = card.get_address().trim().to_owned();
        let mut room = card.get_room().trim().to_owned();
        clear_complaints(&card);
        let mut sound = true;
        if name.is_empty() {
            card.set_name_error(words.invoke_name_missing());
            sound = false;
        } else if parlor_server::protocol::Nick::parse(&name).is_err() {
            card.set_name_error(words.invoke_name_not_possible(shared(&name)));
            sound = false;
        }
        let place = match Place::parse(&address) {
            Ok(place) => Some(place),
            Err(_) => {
                let missing = address.is_empty();
                let wrong = || words.invoke_address_wrong(shared(&address));
                card.set_address_error(if missing { words.invoke_address_missing() } else { wrong() });
                None
            }
        };
        if !room.is_empty() && !room.starts_with('#') {
            room.insert(0, '#');
        }
        if let Some(linked) = place.as_ref().and_then(|place| place.room.clone()) {
            room = linked;
        }
        if !room.is_empty() && parlor_server::protocol::RoomName::parse(&room).is_err() {
            card.set_room_error(words.invoke_room_not_possible(shared(&room)));
            sound = false;
        }
        let (Some(place), true) = (place, sound) else { return };
        {
            let settings = &mut self.state.borrow_mut().settings;
            settings.name = name.clone();
            settings.address = place.address();
            settings.room = room.clone();
        }
        self.keep_settings();
        self.connect(place, &name, &room);
    }

    /// Starts a session; what was open before is gone.
    fn connect(self: &Rc<Self>, place: Place, name: &str, room: &str) {
        let Some(window) = self.window.upgrade() else { return };
        let mut seed = [0; 8];
        if let Err(error) = getrandom::fill(&mut seed) {
            log::warn!("the system gives no random numbers: {error}");
        }
        // What was open before keeps what it has not sent.
        self.let_go();
        let (unsent, unsent_broken) = self.folder.unsent(&place.address());
        if let Some(broken) = unsent_broken {
            let aside = shared(&broken.aside.display().to_string());
            self.notice(&window, window.global::<Words>().invoke_unsent_set_aside(aside));
        }
        let profile = Profile {
            server: place.server.clone(),
            nick: name.into(),
            realname: name.into(),
            rooms: if room.is_empty() { Vec::new() } else { vec![room.into()] },
            ignored: self.state.borrow().settings.ignored.clone(),
            seed: u64::from_le_bytes(seed),
            unsent,
        };
        let (folder, address) = (self.folder.clone(), place.address());
        let keep = move |unsent| {
            if let Err(error) = folder.keep_unsent(&address, unsent) {
                log::warn!("what is not sent yet cannot be kept: {error}");
            }
        };
        let connection = match net::start_keeping(profile, keep) {
            Ok(connection) => connection,
            Err(error) => {
                let sentence = format!("{error}");
                return window.global::<ConnectView>().set_address_error(shared(&sentence));
            }
        };
        let events = connection.events.clone();
        {
            let mut state = self.state.borrow_mut();
            state.connection = Some(connection);
            state.place = Some(place);
            state.welcomed = false;
            state.at_the_door = false;
            state.conversations.clear();
            state.current = None;
        }
        self.forget_found(&window);
        window.global::<ConnectView>().set_busy(true);
        let weak = Rc::downgrade(self);
        let pump = async move {
            while let Ok(batch) = events.recv().await {
                let Some(bridge) = weak.upgrade() else { return };
                bridge.apply(batch);
                bridge.pump();
                drop(bridge);
                smol::Timer::after(FLUSH).await;
            }
        };
        // Without an event loop (a test) whoever drives the window calls `pump`.
        let _ = slint::spawn_local(pump);
    }

    /// Applies everything that has come from the session.
    pub fn pump(self: &Rc<Self>) {
        let events = self.state.borrow().connection.as_ref().map(|connection| connection.events.clone());
        while let Some(Ok(batch)) = events.as_ref().map(async_channel::Receiver::try_recv) {
            self.apply(batch);
        }
    }

    fn act(&self, action: Action) {
        if let Some(connection) = &self.state.borrow().connection {
            // Full: the network thread is far behind; a person cannot outrun it.
            let _ = connection.actions.try_send(action);
        }
    }

    fn apply(self: &Rc<Self>, batch: Vec<Event>) {
        let Some(window) = self.window.upgrade() else { return };
        let mut rooms_changed = false;
        for event in batch {
            match event {
                Event::Status(status) => self.status(&window, status),
                Event::Me { nick } => {
                    window.global::<StatusView>().set_me(shared(&nick));
                    window.global::<StatusView>().set_my_hue(text::hue(&nick));
                    self.state.borrow_mut().me = nick;
                }
                Event::Opened { key, name, kind } => {
                    self.opened_conversation(&window, key, name, kind);
                    rooms_changed = true;
                }
                Event::Closed { key, why } => {
                    self.closed_conversation(&window, &key, why);
                    rooms_changed = true;
                }
                Event::Moved { key, to, name } => {
                    self.moved(&window, &key, to, name);
                    rooms_changed = true;
                }
                Event::Topic { key, text } => self.topic(&window, &key, text),
                Event::People { key, people } => {
                    self.people(&window, &key, people);
                    self.look_again(&window);
                    // Somebody whom we talk to alone may be away now.
                    rooms_changed |= self.talks_to_somebody();
                }
                Event::Lines { key, lines } => {
                    self.alert_of_lines(&window, &key, &lines);
                    self.count_below(&window, &key, &lines);
                    self.edit(&window, &key, |timeline| timeline.push(lines));
                }
                Event::Changed { key, line } => {
                    self.edit(&window, &key, |timeline| timeline.replace(line));
                }
                Event::Inserted { key, before, lines, new } => {
                    if new {
                        self.alert_of_lines(&window, &key, &lines);
                        self.count_below(&window, &key, &lines);
                    }
                    self.edit(&window, &key, |timeline| timeline.insert(before, lines));
                }
                Event::Removed { key, ids } => {
                    self.edit(&window, &key, |timeline| timeline.remove(&ids));
                }
                Event::Found(found) => self.found(&window, found),
                Event::Jumped { key, id } => self.jumped(&window, &key, id),
                Event::Unread { key, count, mentions } => {
                    if let Some(conversation) = self.state.borrow_mut().conversation_mut(&key) {
                        (conversation.unread, conversation.mentions) = (count, mentions);
                    }
                    rooms_changed = true;
                }
                Event::Alert { key, from, text } => self.alert(&window, &key, &from, &text),
                Event::Listed(listed) => self.listed(&window, listed),
                Event::Refused(refusal) => self.refused(&window, refusal),
                Event::Help(_) => self.show_commands(&window),
                Event::Ignored(names) => self.ignoring(&window, names),
            }
        }
        if rooms_changed {
            self.show_rooms(&window);
        }
    }

    fn status(self: &Rc<Self>, window: &App, status: Status) {
        match &status {
            Status::Connected { .. } => {
                let first = !std::mem::replace(&mut self.state.borrow_mut().welcomed, true);
                if first {
                    self.state.borrow_mut().at_the_door = true;
                    self.wait_at_the_door(window);
                }
            }
            Status::Offline { .. } if !self.state.borrow().welcomed => {
                window.global::<ConnectView>().set_busy(false);
            }
            _ => {}
        }
        let counting = matches!(status, Status::Reconnecting { .. });
        self.state.borrow_mut().status = Some(status);
        self.show_status(window);
        if counting {
            self.tick.restart();
        }
    }

    fn remember_place(&self, window: &App) {
        {
            let mut state = self.state.borrow_mut();
            let Some(address) = state.place.as_ref().map(Place::address) else { return };
            if state.host.is_some() {
                // It is gone when the room is.
                return;
            }
            let (name, room) = (state.settings.name.clone(), state.settings.room.clone());
            state.settings.remember(Recent { address, name, room });
        }
        self.keep_settings();
        self.fill_card(window);
    }

    /// The pill beside the room: it never lies.
    fn show_status(&self, window: &App) {
        let state = self.state.borrow();
        let words = window.global::<Words>();
        let (kind, text) = match &state.status {
            Some(Status::Connected { .. }) if state.host.is_some() => {
                (StatusKind::Hosting, words.invoke_hosting())
            }
            Some(Status::Connected { .. }) => (StatusKind::Connected, words.invoke_connected()),
            Some(Status::Connecting | Status::Registering) => {
                (StatusKind::Connecting, words.invoke_connecting())
            }
            Some(Status::Reconnecting { at, .. }) => {
                let left = state.connection.as_ref().map_or(Duration::ZERO, |connection| {
                    (connection.started + *at).saturating_duration_since(monotonic())
                });
                (StatusKind::Reconnecting, words.invoke_reconnecting(left.as_secs_f32().ceil() as i32))
            }
            Some(Status::Offline { since }) => {
                let since = since.map(|since| clock::time(&words, state.settings.time_format, since));
                (StatusKind::Offline, words.invoke_offline(since.unwrap_or_default().into()))
            }
            None => (StatusKind::Offline, SharedString::default()),
        };
        window.global::<StatusView>().set_status(kind);
        window.global::<StatusView>().set_status_text(text);
        let mut detail = state.place.as_ref().map(Place::address).unwrap_or_default();
        if let Some(Status::Reconnecting { why, .. }) = &state.status {
            let why = phrase(&words, why);
            detail = if why.contains(&detail) { why.into() } else { format!("{detail} · {why}") };
        }
        window.global::<StatusView>().set_status_detail(detail.into());
    }

    /// While something counts down, or guests are looked at.
    fn each_second(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        self.show_status(&window);
        let counting = matches!(self.state.borrow().status, Some(Status::Reconnecting { .. }));
        let looking = window.global::<Shell>().get_panel() == Panel::Guests;
        if looking {
            self.look_at_guests();
        }
        if !counting && !looking {
            self.tick.stop();
        }
    }

    fn refused(self: &Rc<Self>, window: &App, refusal: Refusal) {
        let (card, words) = (window.global::<ConnectView>(), window.global::<Words>());
        if self.state.borrow().welcomed {
            return self.refused_inside(window, &refusal);
        }
        card.set_busy(false);
        let (name, address) = (card.get_name(), card.get_address());
        let sentence = match refusal.reason {
            Reason::NameTaken => words.invoke_name_taken(name),
            Reason::NameBad => words.invoke_name_not_possible(name),
            Reason::NotChat => words.invoke_not_a_chat(address),
            Reason::Password => words.invoke_password_needed(),
            Reason::Banned => words.invoke_banned(shared(&refusal.sentence)),
            Reason::NoAnswer | Reason::RoomClosed | Reason::RoomBad => phrase(&words, &refusal.sentence),
        };
        match refusal.field {
            Field::Name => card.set_name_error(sentence),
            Field::Address => card.set_address_error(sentence),
            Field::Room => card.set_room_error(sentence),
        }
        card.set_suggestion(shared(refusal.suggestion.as_deref().unwrap_or_default()));
        // The card is where it is put right; the session has nothing more to say.
        self.let_go();
        self.stir();
        window.global::<Shell>().set_screen(Screen::Connect);
    }

    /// Something was refused once we were welcome: a room beside its field, if it was the first
    /// one and there is nothing else to see; the rest as a sentence in the window.
    fn refused_inside(self: &Rc<Self>, window: &App, refusal: &Refusal) {
        let words = window.global::<Words>();
        let asked = self.state.borrow().settings.room.clone();
        let sentence = match refusal.reason {
            Reason::RoomClosed | Reason::RoomBad => {
                let room = refusal.sentence.split_once(": ").map_or(asked.as_str(), |(room, _)| room);
                phrases::room_refusal(&words, room, &refusal.sentence)
            }
            _ => phrase(&words, &refusal.sentence),
        };
        let at_the_door = refusal.field == Field::Room && self.state.borrow().at_the_door;
        if !at_the_door {
            return window.global::<StatusView>().set_notice(sentence);
        }
        self.disconnect();
        window.global::<ConnectView>().set_room_error(sentence);
    }

    /// The card stays until the room is open, because it is where a refusal is put right.
    fn wait_at_the_door(self: &Rc<Self>, window: &App) {
        let open = self.state.borrow().conversations.iter().any(|open| is_room(open.kind));
        if open || self.state.borrow().settings.room.is_empty() {
            return self.come_in(window);
        }
        let weak = Rc::downgrade(self);
        slint::Timer::single_shot(ROOM_ANSWERS, move || {
            if let Some(bridge) = weak.upgrade()
                && let Some(window) = bridge.window.upgrade()
            {
                bridge.come_in(&window);
            }
        });
    }

    /// The first room is open, or there will be none: the card goes.
    fn come_in(&self, window: &App) {
        if std::mem::take(&mut self.state.borrow_mut().at_the_door) {
            window.global::<ConnectView>().set_busy(false);
            self.stir();
            window.global::<Shell>().set_screen(Screen::Room);
            self.remember_place(window);
        }
    }

    /// Leaves the server; the card comes back with its fields.
    fn disconnect(self: &Rc<Self>) {
        self.leave_draft();
        self.act(Action::Disconnect);
        self.let_go();
        let Some(window) = self.window.upgrade() else { return };
        {
            let mut state = self.state.borrow_mut();
            state.conversations.clear();
            state.current = None;
            state.status = None;
            state.at_the_door = false;
        }
        self.keep_now();
        let card = window.global::<ConnectView>();
        card.set_busy(false);
        clear_complaints(&card);
        self.fill_card(&window);
        self.stir();
        // What was open belongs to a room that we are not in any more.
        window.global::<StatusView>().set_notice(SharedString::default());
        let shell = window.global::<Shell>();
        shell.invoke_close();
        shell.set_screen(Screen::Connect);
        shell.set_title("Parlor".into());
    }

    fn opened(self: &Rc<Self>, panel: Panel) {
        let Some(window) = self.window.upgrade() else { return };
        match panel {
            Panel::Browse => self.browse(),
            Panel::Switcher => self.show_switcher(&window, ""),
            Panel::Guests => {
                self.look_at_guests();
                self.tick.restart();
            }
            Panel::Settings => self.show_settings(&window),
            _ => {}
        }
    }

    fn close_requested(self: &Rc<Self>) -> CloseRequestResponse {
        if self.guests_would_be_left() {
            let Some(window) = self.window.upgrade() else { return CloseRequestResponse::HideWindow };
            window.global::<HostView>().set_stop_quits(true);
            window.global::<HostView>().set_stop_asked(true);
            return CloseRequestResponse::KeepWindowShown;
        }
        self.finish();
        CloseRequestResponse::HideWindow
    }

    fn quit_asked(self: &Rc<Self>) {
        if matches!(self.close_requested(), CloseRequestResponse::HideWindow)
            && let Some(window) = self.window.upgrade()
        {
            // A window that cannot hide is closing already.
            let _ = window.hide();
        }
    }

    /// The window closes: keeps what was typed, says good-bye, stops a hosted room.
    pub fn finish(&self) {
        self.leave_draft();
        self.keep_now();
        self.act(Action::Disconnect);
        self.let_go();
        let host = self.state.borrow_mut().host.take();
        if let Some(host) = host {
            host.stop();
        }
    }

    /// Ends the connection, if there is one, and waits until its good-bye is out and what it has
    /// not sent is on disk ([`FAREWELL`] at most).
    fn let_go(&self) {
        let Some(connection) = self.state.borrow_mut().connection.take() else { return };
        let Connection { actions, events, .. } = connection;
        drop(actions);
        let over = async { while events.recv().await.is_ok() {} };
        let late = async {
            smol::Timer::after(FAREWELL).await;
        };
        smol::block_on(smol::future::or(over, late));
    }

    fn keep_settings(&self) {
        if let Err(error) = self.folder.keep_settings(&self.state.borrow().settings)
            && let Some(window) = self.window.upgrade()
        {
            let sentence = window.global::<Words>().invoke_settings_not_saved(shared(&error.to_string()));
            self.notice(&window, sentence);
        }
    }

    /// Keeps the drafts now.
    fn keep_now(&self) {
        self.keep_drafts.stop();
        if let Err(error) = self.folder.keep_drafts(&self.state.borrow().drafts) {
            log::warn!("drafts are not kept: {error}");
        }
    }

    /// Keeps the drafts soon.
    fn keep_soon(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        self.keep_drafts.start(slint::TimerMode::SingleShot, KEEP_DRAFTS, move || {
            weak.upgrade().into_iter().for_each(|bridge| {
                bridge.leave_draft();
                bridge.keep_now();
            });
        });
    }
}

fn clear_complaints(card: &ConnectView<'_>) {
    for clear in [
        ConnectView::set_name_error,
        ConnectView::set_address_error,
        ConnectView::set_room_error,
        ConnectView::set_suggestion,
        ConnectView::set_notice,
    ] {
        clear(card, SharedString::default());
    }
}

/// Opens a page in the person's browser; anything else stays closed.
fn open_link(url: &str) {
    if text::is_web(url)
        && let Err(error) = webbrowser::open(url)
    {
        log::warn!("no browser opens the link: {error}");
    }
}

#[expect(clippy::disallowed_methods, reason = "the window shows real time")]
fn monotonic() -> Instant {
    Instant::now()
}

/// Whether a conversation is one that people sit in.
fn is_room(kind: Kind) -> bool {
    kind == Kind::Room
}
