//! The page for hosting: which address, which room; and the start of the server.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::rc::Rc;

use parlor_server::protocol::{HostPort, Nick, RoomName};
use parlor_server::store::StoreError;
use parlor_server::{Announce, Config, History, Identity, Reachable, StartError, addresses_for_others};
use parlor_ui::slint::{ComponentHandle, Model, ModelRc, SharedString, VecModel};
use parlor_ui::{App, ConnectView, HostAddress, HostKey, HostView, Reach, Screen, Shell, StatusView, Words};

use super::connect::{Going, Way};
use super::state::Hosting;
use super::text::{room_typed, shared};
use super::{Bridge, on};
use crate::host::{End, Host};
use crate::place::Place;
use crate::secrets::Given;
use crate::trust::KeyId;

/// What the page asks for.
struct Wanted {
    name: String,
    room: RoomName,
    address: SocketAddr,
    programs: bool,
    /// Empty: everybody comes in.
    password: String,
}

impl Bridge {
    pub(super) fn listen_to_host_page(self: &Rc<Self>, window: &App) {
        let view = window.global::<HostView>();
        on!(self, view, on_start, |this| this.start_host());
        on!(self, view, on_back, |this| this.show_screen(Screen::Connect));
    }

    fn show_screen(&self, screen: Screen) {
        if let Some(window) = self.window.upgrade() {
            self.wake_cursor();
            window.global::<Shell>().set_screen(screen);
        }
    }

    pub(super) fn open_host_page(&self) {
        let Some(window) = self.window.upgrade() else { return };
        let (view, card) = (window.global::<HostView>(), window.global::<ConnectView>());
        let (port, last, programs) = {
            let settings = &self.state.borrow().settings;
            (settings.host_port, settings.host_address.clone(), settings.host_programs)
        };
        let others = addresses_for_others((Ipv4Addr::UNSPECIFIED, port).into());
        let mut rows = vec![row(Reach::ThisMachine, "", "127.0.0.1")];
        rows.extend(others.iter().map(|other| network(other, other.address.ip().to_string())));
        rows.push(row(Reach::Everyone, "", "0.0.0.0"));
        let known = rows.iter().position(|row| row.address == last.as_str());
        view.set_selected(known.unwrap_or(usize::from(!others.is_empty())) as i32);
        view.set_addresses(ModelRc::new(VecModel::from(rows)));
        if !card.get_name().is_empty() {
            view.set_name(card.get_name());
        }
        view.set_port(shared(&port.to_string()));
        view.set_programs(programs);
        view.set_room(if card.get_room().is_empty() { "#lobby".into() } else { card.get_room() });
        clear_errors(&view);
        self.show_screen(Screen::Host);
    }

    /// What the page asks for, or sentences beside its fields.
    fn wanted(&self, window: &App) -> Option<Wanted> {
        let (view, words) = (window.global::<HostView>(), window.global::<Words>());
        clear_errors(&view);
        let name = view.get_name().trim().to_owned();
        let named = Nick::parse(&name).is_ok();
        if !named {
            let missing = name.is_empty();
            let wrong = || words.invoke_name_not_possible(shared(&name));
            view.set_name_error(if missing { words.invoke_name_missing() } else { wrong() });
        }
        let typed = room_typed(&view.get_room());
        let room = RoomName::parse(&typed).ok();
        if room.is_none() {
            view.set_room_error(words.invoke_room_not_possible(shared(&typed)));
        }
        let port: Option<u16> = view.get_port().trim().parse().ok();
        if port.is_none() {
            view.set_port_error(words.invoke_port_wrong());
        }
        let chosen = usize::try_from(view.get_selected()).ok();
        let address = chosen.and_then(|chosen| view.get_addresses().row_data(chosen));
        let ip: Option<IpAddr> = address.and_then(|row| row.address.parse().ok());
        let address = SocketAddr::new(ip.unwrap_or(Ipv4Addr::LOCALHOST.into()), port?);
        let (programs, password) = (view.get_programs(), view.get_password().to_string());
        Some(Wanted { name, room: room?, address, programs, password }).filter(|_| named)
    }

    /// Binds, and reads the history, on a thread of its own; a server that still stops is waited
    /// for, because it has the port and the history.
    fn start_host(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        if self.state.borrow().hosting.is_some() {
            // One at a time.
            return;
        }
        let Some(wanted) = self.wanted(&window) else { return };
        let (address, programs) = (wanted.address, wanted.programs);
        let bind = address.to_string();
        let history = self.folder.history(&bind).map(History::new);
        let accounts = self.folder.identity();
        let identity = accounts.clone().map_or(Identity::Memory, Identity::Folder);
        let mut config = Config { bind: vec![bind], history, identity, accounts, ..Config::default() };
        config.hub.default_room = wanted.room.clone();
        let beyond = !address.ip().is_loopback() && self.state.borrow().settings.nearby;
        config.announce = beyond.then(|| Announce { name: wanted.name.clone(), is_host: true });
        config.hub.password = Some(wanted.password.clone()).filter(|password| !password.is_empty());
        window.global::<HostView>().set_busy(true);
        let (weak, stopping) = (Rc::downgrade(self), std::mem::take(&mut self.state.borrow_mut().stopping));
        let start = async move {
            for ended in stopping {
                let _ = ended.recv().await;
            }
            let started = smol::unblock(move || start(config, programs.then_some(address))).await;
            let Some(bridge) = weak.upgrade() else { return };
            if let Some(window) = bridge.window.upgrade() {
                window.global::<HostView>().set_busy(false);
                match started {
                    Ok(host) => bridge.host_runs(&window, host, wanted),
                    Err(error) => not_started(&window, wanted.address.port(), error),
                }
            }
        };
        self.state.borrow_mut().starting = Some(self.tasks.spawn(start));
    }

    fn host_runs(self: &Rc<Self>, window: &App, host: Host, wanted: Wanted) {
        let view = window.global::<HostView>();
        let Wanted { name, room, address, programs, password } = wanted;
        let others = addresses_for_others(host.address());
        let best = others.first().map_or(host.address(), |other| other.address);
        view.set_address_to_tell(shared(&best.to_string()));
        let rows: Vec<_> = others.iter().map(|other| network(other, other.address.to_string())).collect();
        view.set_addresses_to_tell(ModelRc::new(VecModel::from(rows)));
        let programs_at = host.raw_address().map(|raw| match raw.ip().is_unspecified() {
            true => SocketAddr::new(best.ip(), raw.port()),
            false => raw,
        });
        view.set_programs_address(programs_at.map_or_else(Default::default, |at| shared(&at.to_string())));
        view.set_running(true);
        view.set_people_count(1);
        let (own, key) = (host.own_address(), host.key());
        let of = |program: &str, text: String| HostKey { program: program.into(), text: shared(&text) };
        let keys = host.fingerprints().map_or_else(Vec::new, |[key, certificate]| {
            // As each of them wants it; HexChat compares nothing, but its person may.
            let hex = |id: KeyId| id.to_string().replace(':', "").to_lowercase();
            vec![of("irssi", key.to_string()), of("WeeChat", hex(certificate)), of("HexChat", hex(key))]
        });
        view.set_keys(ModelRc::new(VecModel::from(keys)));
        let place = Place { servers: HostPort::from(own).into(), ..Place::default() };
        self.watch_end(&host);
        {
            let mut state = self.state.borrow_mut();
            state.settings.name = name.clone();
            state.settings.room = room.to_string();
            state.settings.host_address = address.ip().to_string();
            state.settings.host_port = address.port();
            state.settings.host_programs = programs;
            state.hosting =
                Some(Hosting { host, place: place.id(), room: room.to_string(), guests: Vec::new() });
        }
        self.keep_settings();
        self.show_tray();
        let given = Given { server_password: password, ..Given::default() };
        self.connect(Going { place, name, room: room.to_string(), given, host: key, way: Way::Asked });
    }

    /// A server that ends by itself is said so.
    fn watch_end(self: &Rc<Self>, host: &Host) {
        let (ended, weak) = (host.ended(), Rc::downgrade(self));
        let watch = async move {
            let failed = ended.recv().await == Ok(End::Failed);
            let Some(bridge) = weak.upgrade().filter(|_| failed) else { return };
            bridge.state.borrow_mut().hosting = None;
            bridge.show_tray();
            if let Some(window) = bridge.window.upgrade() {
                window.global::<HostView>().set_running(false);
                window.global::<StatusView>().set_notice(window.global::<Words>().invoke_host_stopped());
            }
        };
        self.tasks.spawn(watch).detach();
    }
}

/// Starts a server, with an address beside this one for programs of one's own; whatever network it is for, this computer
/// finds it at its usual address, too, if that is free. While another window of ours hosts, and has
/// the key and the names, it is a place of its own, with others that last as long as it does.
fn start(config: Config, programs: Option<SocketAddr>) -> Result<Host, StartError> {
    let begin = |config| match programs {
        Some(address) => Host::start_with_raw(config, address),
        None => Host::start(config),
    };
    let near = config.bind.first().and_then(|bind| near(bind.parse().ok()?)).map(|near| near.to_string());
    let both = Config { bind: config.bind.iter().cloned().chain(near.clone()).collect(), ..config.clone() };
    let config = match begin(both.clone()) {
        Err(StartError::Bind { address, .. }) if Some(&address) == near.as_ref() => config,
        Err(StartError::Accounts(StoreError::InUse { .. })) => both,
        started => return started,
    };
    match begin(config.clone()) {
        Err(StartError::Accounts(StoreError::InUse { folder }))
            if Some(&folder) == config.accounts.as_ref() =>
        {
            begin(Config { accounts: None, identity: Identity::Memory, ..config })
        }
        started => started,
    }
}

/// This computer's usual address, for one of a network.
fn near(address: SocketAddr) -> Option<SocketAddr> {
    let ip = match address.ip() {
        IpAddr::V4(ip) if !ip.is_unspecified() && !ip.is_loopback() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if !ip.is_unspecified() && !ip.is_loopback() => Ipv6Addr::LOCALHOST.into(),
        _ => return None,
    };
    (address.port() != 0).then(|| SocketAddr::new(ip, address.port()))
}

/// Why the server does not start, beside the field that it belongs to.
fn not_started(window: &App, port: u16, error: StartError) {
    let (view, words) = (window.global::<HostView>(), window.global::<Words>());
    let port = shared(&port.to_string());
    match error {
        StartError::Bind { error, .. } if error.kind() == ErrorKind::AddrInUse => {
            view.set_port_error(words.invoke_port_taken(port));
        }
        StartError::Bind { error, .. } if error.kind() == ErrorKind::PermissionDenied => {
            view.set_port_error(words.invoke_port_not_allowed(port));
        }
        StartError::History(error) | StartError::Accounts(error) => {
            view.set_error(history_error(&words, &error))
        }
        error => view.set_error(words.invoke_host_failed(shared(&error.to_string()))),
    }
}

/// Why the history does not open, in words that speak of a window.
fn history_error(words: &Words<'_>, error: &StoreError) -> SharedString {
    let path = |path: &Path| shared(&path.display().to_string());
    match error {
        StoreError::InUse { folder } => words.invoke_history_in_use(path(folder)),
        StoreError::Damaged { file, .. } => words.invoke_history_damaged(path(file)),
        StoreError::Foreign { file } => words.invoke_history_foreign(path(file)),
        StoreError::Newer { folder, .. } => words.invoke_history_newer(path(folder)),
        StoreError::Foreigner { .. }
        | StoreError::Io { .. }
        | StoreError::Gone { .. }
        | StoreError::Fault(_) => words.invoke_history_not_kept(shared(&error.to_string())),
    }
}

fn clear_errors(view: &HostView<'_>) {
    view.set_name_error(SharedString::default());
    view.set_port_error(SharedString::default());
    view.set_room_error(SharedString::default());
    view.set_error(SharedString::default());
}

fn network(other: &Reachable, address: String) -> HostAddress {
    row(if other.is_virtual { Reach::Virtual } else { Reach::Network }, &other.interface, &address)
}

fn row(reach: Reach, label: &str, address: &str) -> HostAddress {
    HostAddress { reach, label: shared(label), address: shared(address) }
}
