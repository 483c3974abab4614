//! The page for hosting, the bar while it runs, and the host's own list of guests.

use std::net::IpAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use parlor_server::protocol::RoomName;
use parlor_server::store::StoreError;
use parlor_server::{Config, Guest, History, Speaker, addresses_for_others};
use parlor_ui::slint::{self, ComponentHandle, ModelRc, SharedString, VecModel};
use parlor_ui::{App, Guest as GuestRow, GuestState, HostAddress, HostView, Reach, Screen, Shell, Words};

use super::copy::copy;
use super::text::{hue, shared};
use super::{Bridge, on};
use crate::host::{End, Host};
use crate::place::Place;

/// How long the copy button says that it has copied.
const COPIED: Duration = Duration::from_secs(2);

impl Bridge {
    pub(super) fn listen_to_host(self: &Rc<Self>, window: &App) {
        let view = window.global::<HostView>();
        on!(self, view, on_start, |this| this.start_host());
        on!(self, view, on_back, |this| this.show_screen(Screen::Connect));
        on!(self, view, on_copy_address, |this| this.copy_address());
        on!(self, view, on_announce, |this, text| this.tell_host(announcement(&text)));
        on!(self, view, on_stop, |this| this.stop_asked());
        on!(self, view, on_confirm_stop, |this| this.confirm_stop());
        on!(self, view, on_cancel_stop, |this| this.cancel_stop());
        on!(self, view, on_kick, |this, index| this.at_guest(index, "/kick"));
        on!(self, view, on_ban, |this, index| this.at_guest(index, "/ban"));
    }

    fn show_screen(&self, screen: Screen) {
        if let Some(window) = self.window.upgrade() {
            self.stir();
            window.global::<Shell>().set_screen(screen);
        }
    }

    pub(super) fn open_host(&self) {
        let Some(window) = self.window.upgrade() else { return };
        let view = window.global::<HostView>();
        let card = window.global::<parlor_ui::ConnectView>();
        let (port, last) = {
            let settings = &self.state.borrow().settings;
            (settings.host_port, settings.host_address.clone())
        };
        let others = addresses_for_others((std::net::Ipv4Addr::UNSPECIFIED, port).into());
        let mut rows = vec![row(Reach::ThisMachine, "", "127.0.0.1")];
        rows.extend(
            others.iter().map(|(address, name)| row(Reach::Network, name, &address.ip().to_string())),
        );
        rows.push(row(Reach::Everyone, "", "0.0.0.0"));
        let known = rows.iter().position(|row| row.address == last.as_str());
        view.set_selected(known.unwrap_or(usize::from(!others.is_empty())) as i32);
        view.set_addresses(ModelRc::new(VecModel::from(rows)));
        if !card.get_name().is_empty() {
            view.set_name(card.get_name());
        }
        view.set_port(shared(&port.to_string()));
        view.set_room(if card.get_room().is_empty() { "#lobby".into() } else { card.get_room() });
        clear_errors(&view);
        self.show_screen(Screen::Host);
    }

    fn start_host(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let (view, words) = (window.global::<HostView>(), window.global::<Words>());
        clear_errors(&view);
        let name = view.get_name().trim().to_owned();
        let mut room = view.get_room().trim().to_owned();
        if !room.starts_with('#') {
            room.insert(0, '#');
        }
        let port: Option<u16> = view.get_port().trim().parse().ok();
        let mut sound = true;
        if parlor_server::protocol::Nick::parse(&name).is_err() {
            let missing = name.is_empty();
            let wrong = || words.invoke_name_not_possible(shared(&name));
            view.set_name_error(if missing { words.invoke_name_missing() } else { wrong() });
            sound = false;
        }
        let room_name = RoomName::parse(&room);
        if room_name.is_err() {
            view.set_room_error(words.invoke_room_not_possible(shared(&room)));
            sound = false;
        }
        if port.is_none() {
            view.set_port_error(words.invoke_port_wrong());
        }
        let (Ok(room_name), Some(port), true) = (room_name, port, sound) else { return };
        let addresses = view.get_addresses();
        let chosen = usize::try_from(view.get_selected()).ok();
        let ip = chosen.and_then(|chosen| slint::Model::row_data(&addresses, chosen)).map(|row| row.address);
        let ip = ip.unwrap_or_else(|| "127.0.0.1".into());
        let bind = if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") };
        let history = self.folder.history(&bind).map(History::new);
        let mut config = Config { bind: vec![bind], history, ..Config::default() };
        config.hub.default_room = room_name;
        let host = match Host::start(config) {
            Ok(host) => host,
            Err(parlor_server::StartError::Bind { error, .. })
                if error.kind() == std::io::ErrorKind::AddrInUse =>
            {
                return view.set_port_error(words.invoke_port_taken(shared(&port.to_string())));
            }
            Err(parlor_server::StartError::Bind { error, .. })
                if error.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                return view.set_port_error(words.invoke_port_not_allowed(shared(&port.to_string())));
            }
            Err(parlor_server::StartError::History(error)) => {
                return view.set_error(history_error(&words, &error));
            }
            Err(error) => return view.set_error(words.invoke_host_failed(shared(&error.to_string()))),
        };
        let told =
            addresses_for_others(host.address()).first().map_or(host.address(), |(address, _)| *address);
        view.set_address_to_tell(shared(&told.to_string()));
        view.set_running(true);
        view.set_people_count(1);
        let own = host.own_address();
        self.watch_end(&host);
        {
            let mut state = self.state.borrow_mut();
            state.settings.name = name.clone();
            state.settings.room = room.clone();
            state.settings.host_address = ip.to_string();
            state.settings.host_port = port;
            state.host = Some(host);
        }
        self.keep_settings();
        let place = Place { server: own.into(), room: None };
        self.connect(place, &name, &room);
    }

    /// A server that ends by itself is said so.
    fn watch_end(self: &Rc<Self>, host: &Host) {
        let (ended, weak) = (host.ended(), Rc::downgrade(self));
        let watch = async move {
            let failed = ended.recv().await == Ok(End::Failed);
            let Some(bridge) = weak.upgrade().filter(|_| failed) else { return };
            bridge.state.borrow_mut().host = None;
            if let Some(window) = bridge.window.upgrade() {
                window.global::<HostView>().set_running(false);
                window
                    .global::<parlor_ui::StatusView>()
                    .set_notice(window.global::<Words>().invoke_host_stopped());
            }
        };
        // Without an event loop (a test) nobody waits for that.
        let _ = slint::spawn_local(watch);
    }

    fn copy_address(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let view = window.global::<HostView>();
        view.set_copied(copy(&view.get_address_to_tell()));
        let weak = self.window.clone();
        slint::Timer::single_shot(COPIED, move || {
            weak.upgrade().into_iter().for_each(|window| window.global::<HostView>().set_copied(false));
        });
    }

    /// Gives the hosted server a line, without keeping the window waiting.
    fn tell_host(&self, line: String) {
        if let Some(host) = &self.state.borrow().host {
            let handle = host.handle();
            smol::block_on(handle.console(line));
        }
    }

    /// Whoever hosts a room is its operator.
    pub(super) fn own_the_room(&self, room: &crate::session::Key) {
        let line = {
            let state = self.state.borrow();
            let hosted = state.host.is_some() && *room == crate::session::Key::new(&state.settings.room);
            hosted.then(|| format!("/op {} {}", state.me, state.settings.room))
        };
        line.into_iter().for_each(|line| self.tell_host(line));
    }

    fn at_guest(self: &Rc<Self>, index: i32, command: &str) {
        let nick = usize::try_from(index)
            .ok()
            .and_then(|i| self.state.borrow().guests.get(i).map(|g| g.nick.clone()));
        if let Some(nick) = nick {
            self.tell_host(format!("{command} {nick}"));
            self.look_at_guests();
        }
    }

    /// Asks the hosted server who is there.
    pub(super) fn look_at_guests(self: &Rc<Self>) {
        let guests = self.state.borrow().host.as_ref().map(|host| smol::block_on(host.guests()));
        let (Some(guests), Some(window)) = (guests, self.window.upgrade()) else { return };
        let own = {
            let state = self.state.borrow();
            guests.iter().find(|guest| guest.nick == state.me).map(|me| (me.nick.clone(), me.peer.ip()))
        };
        let rows: Vec<GuestRow> = guests.iter().map(|guest| guest_row(guest, &own)).collect();
        let view = window.global::<HostView>();
        view.set_people_count(rows.len() as i32);
        super::rows::show(&view.get_guests(), rows, |rows| view.set_guests(rows));
        self.state.borrow_mut().guests = guests;
        self.show_people(&window);
    }

    /// Whether somebody else is in the hosted room.
    pub(super) fn guests_would_be_left(&self) -> bool {
        let state = self.state.borrow();
        state.host.as_ref().is_some_and(|host| smol::block_on(host.guests()).len() > 1)
    }

    fn stop_asked(self: &Rc<Self>) {
        if self.guests_would_be_left() {
            let Some(window) = self.window.upgrade() else { return };
            window.global::<HostView>().set_stop_quits(false);
            return window.global::<HostView>().set_stop_asked(true);
        }
        self.stop_host();
    }

    fn confirm_stop(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let view = window.global::<HostView>();
        view.set_stop_asked(false);
        if view.get_stop_quits() {
            self.finish();
            // A window that cannot hide is closing already.
            let _ = window.hide();
        } else {
            self.stop_host();
        }
    }

    fn cancel_stop(&self) {
        if let Some(window) = self.window.upgrade() {
            window.global::<HostView>().set_stop_asked(false);
        }
    }

    /// Everybody is told; the card comes back.
    fn stop_host(self: &Rc<Self>) {
        let host = self.state.borrow_mut().host.take();
        self.disconnect();
        if let Some(host) = host {
            host.stop();
        }
        if let Some(window) = self.window.upgrade() {
            window.global::<HostView>().set_running(false);
        }
    }
}

/// `own`: the address that the host itself comes from.
fn guest_row(guest: &Guest, own: &Option<(String, IpAddr)>) -> GuestRow {
    GuestRow {
        name: shared(&guest.nick),
        address: shared(&guest.peer.to_string()),
        state: if guest.away { GuestState::Away } else { GuestState::Here },
        hue: hue(&guest.nick),
        me: own.as_ref().is_some_and(|(nick, _)| *nick == guest.nick),
        near: own.as_ref().is_some_and(|(_, ip)| *ip == guest.peer.ip()),
        plain: guest.speaker != Speaker::Irc,
    }
}

fn clear_errors(view: &HostView<'_>) {
    view.set_name_error(SharedString::default());
    view.set_port_error(SharedString::default());
    view.set_room_error(SharedString::default());
    view.set_error(SharedString::default());
}

fn row(reach: Reach, label: &str, address: &str) -> HostAddress {
    HostAddress { reach, label: shared(label), address: shared(address) }
}

/// Why the history does not open, in words that speak of a window.
fn history_error(words: &Words<'_>, error: &StoreError) -> SharedString {
    let path = |path: &Path| shared(&path.display().to_string());
    match error {
        StoreError::InUse { folder } => words.invoke_history_in_use(path(folder)),
        StoreError::Damaged { file, .. } => words.invoke_history_damaged(path(file)),
        StoreError::Foreign { file } => words.invoke_history_foreign(path(file)),
        StoreError::Newer { folder, .. } => words.invoke_history_newer(path(folder)),
        StoreError::Io { .. } | StoreError::Gone { .. } | StoreError::Fault(_) => {
            words.invoke_history_not_kept(shared(&error.to_string()))
        }
    }
}

/// An announcement that begins with a slash is one all the same.
fn announcement(text: &str) -> String {
    if text.starts_with('/') { format!("/{text}") } else { text.into() }
}
