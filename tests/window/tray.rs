//! The icon in the desktop's tray, in a panel that the test plays.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::sleep;
use std::time::Duration;

use parlor_tests::{Deadline, Plain, Scratch, Server, needs};
use zbus::message::Header;
use zbus::zvariant::{OwnedValue, Value};
use zbus::{Connection, object_server::SignalEmitter};

use crate::bus::Bus;
use crate::desk::Desk;
use crate::free_port;
use crate::scene::terminal;

/// How long the panel or a window may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
const NAME: &str = "org.kde.StatusNotifierWatcher";
const PATH: &str = "/StatusNotifierWatcher";
const ITEM: &str = "org.kde.StatusNotifierItem";

/// A panel with nothing but room for icons.
struct Panel {
    came: Sender<String>,
    shown: bool,
}

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Panel {
    fn register_status_notifier_item(&mut self, service: &str, #[zbus(header)] header: Header<'_>) {
        // Some say their name, some where on it the icon is.
        let name = if service.starts_with('/') { None } else { Some(service.to_owned()) };
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        // A test that is over does not listen.
        let _ = self.came.send(name.unwrap_or(sender));
    }

    fn register_status_notifier_host(&mut self, _service: &str) {}

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        self.shown
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        Vec::new()
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(signal)]
    async fn status_notifier_host_registered(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

struct Tray {
    connection: Connection,
    came: Receiver<String>,
}

/// An icon in it.
struct Icon<'a> {
    tray: &'a Tray,
    name: String,
}

impl Tray {
    fn on(bus: &Bus) -> Tray {
        let (tell, came) = channel();
        let panel = Panel { came: tell, shown: true };
        let connect = async {
            let builder = zbus::connection::Builder::address(bus.address())?;
            builder.name(NAME)?.serve_at(PATH, panel)?.build().await
        };
        Tray { connection: smol::block_on(connect).expect("the bus has room for it"), came }
    }

    fn icon(&self) -> Icon<'_> {
        let name = self.came.recv_timeout(PATIENCE).expect("an icon comes");
        Icon { tray: self, name }
    }

    /// The panel ends.
    fn leave(&self) {
        smol::block_on(self.connection.release_name(NAME)).expect("the bus is there");
    }
}

impl Icon<'_> {
    fn property(&self, name: &str) -> Option<OwnedValue> {
        let (to, of) = (Some(self.name.as_str()), Some("org.freedesktop.DBus.Properties"));
        let body = &(ITEM, name);
        let answer = self.tray.connection.call_method(to, "/StatusNotifierItem", of, "Get", body);
        smol::block_on(answer).ok()?.body().deserialize().ok()
    }

    /// What it says when the pointer is over it.
    fn says(&self) -> String {
        let tip = self.property("ToolTip").and_then(|tip| {
            let fields = zbus::zvariant::Structure::try_from(tip).ok()?;
            String::try_from(fields.fields().get(2)?.try_clone().ok()?).ok()
        });
        tip.unwrap_or_default()
    }

    fn wait_says(&self, text: &str) {
        until(&format!("an icon that says {text:?}"), || self.says() == text);
    }

    fn pixels(&self) -> String {
        format!("{:?}", self.property("IconPixmap"))
    }

    fn click(&self) {
        let (to, of) = (Some(self.name.as_str()), Some(ITEM));
        let done = self.tray.connection.call_method(to, "/StatusNotifierItem", of, "Activate", &(0, 0));
        smol::block_on(done).expect("it can be clicked");
    }

    /// Chooses the entry of its menu that is called so.
    fn choose(&self, label: &str) {
        const MENU: (&str, &str) = ("/MenuBar", "com.canonical.dbusmenu");
        let asked = async {
            let body = &(0_i32, -1_i32, Vec::<&str>::new());
            let connection = &self.tray.connection;
            let name = Some(self.name.as_str());
            let answer = connection.call_method(name, MENU.0, Some(MENU.1), "GetLayout", body).await?;
            type Entry = (i32, std::collections::HashMap<String, OwnedValue>, Vec<OwnedValue>);
            let (_, (_, _, entries)): (u32, Entry) = answer.body().deserialize()?;
            let mut labels = Vec::new();
            for entry in entries {
                let (id, properties, _) = Entry::try_from(entry)?;
                let called = properties.get("label").and_then(|label| <&str>::try_from(label).ok());
                if called == Some(label) {
                    let body = &(id, "clicked", Value::from(0), 0_u32);
                    connection.call_method(name, MENU.0, Some(MENU.1), "Event", body).await?;
                    return Ok(());
                }
                labels.extend(called.map(str::to_owned));
            }
            Err(zbus::Error::Failure(format!("its menu has {labels:?}")))
        };
        smol::block_on(asked).unwrap_or_else(|error| panic!("{label}: {error}"));
    }
}

/// Waits until it is so.
fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Deadline::after(PATIENCE);
    while !holds() {
        assert!(deadline.left().is_some(), "waited for {what}");
        sleep(Duration::from_millis(30));
    }
}

fn have_all() -> bool {
    needs::have(needs::DISPLAY) && needs::have(needs::BUS) && needs::have(needs::MANAGER)
}

#[test]
fn a_closed_window_goes_on_in_the_tray_and_counts_what_waits() {
    if !have_all() {
        return;
    }
    let (server, bus) = (Server::start(&[]), Bus::new());
    let tray = Tray::on(&bus);
    let mut bob = terminal(&server, "bob");
    let desk = Desk::new().bus(bus.address()).setting("stay", "true").window_manager();
    let mut alice = desk.client(&[&server.address().to_string(), "--name", "alice"]);
    let icon = tray.icon();
    bob.expect("-!- alice joined");
    alice.wait_title("#lobby*");
    alice.types("here I am");
    bob.expect("<alice> here I am");
    icon.wait_says("Parlor");
    let (quiet, place) = (icon.pixels(), alice.place());

    alice.close();
    alice.until("no window", |desk| !desk.is_shown());
    bus.wait("Parlor goes on in the tray");
    bob.send("alice: are you there?");
    bob.send("hello");
    icon.wait_says("Parlor: 2 unread lines");
    until("a badge", || icon.pixels() != quiet);
    // Somebody in the tray hears as somebody who looks away.
    bus.wait("bob mentioned you in #lobby");

    icon.click();
    alice.until("the window", Desk::is_shown);
    assert_eq!(alice.place(), place, "where it was");
    alice.types("yes");
    bob.expect("<alice> yes");
    icon.wait_says("Parlor");
    until("no badge", || icon.pixels() == quiet);

    // And again; the menu ends it.
    alice.close();
    alice.until("no window", |desk| !desk.is_shown());
    icon.choose("Open Parlor");
    alice.until("the window", Desk::is_shown);
    alice.close();
    alice.until("no window", |desk| !desk.is_shown());
    icon.choose("Quit");
    assert_eq!(alice.ended(), Some(0));
    bob.expect("-!- alice left*");
}

#[test]
fn a_hosted_room_outlives_its_window_as_long_as_there_is_a_tray() {
    if !have_all() {
        return;
    }
    let (bus, port) = (Bus::new(), free_port());
    let tray = Tray::on(&bus);
    let desk = Desk::new().bus(bus.address()).setting("name", "\"alice\"").window_manager();
    let desk = desk.setting("host-port", &port.to_string()).setting("host-address", "\"127.0.0.1\"");
    let mut alice = desk.client(&["--host"]);
    alice.wait_title("Parlor");
    alice.key("Return");
    let icon = tray.icon();
    alice.wait_title("#lobby*");
    icon.wait_says("Parlor: your room is open");
    alice.close();
    alice.until("no window", |desk| !desk.is_shown());

    let mut bob = Plain::connect_to(([127, 0, 0, 1], port).into());
    bob.send("bob");
    bob.expect("-!- Welcome *");
    bob.send("hello");
    icon.wait_says("Parlor: 1 unread line");
    // Whoever is in it is asked about first.
    icon.choose("Stop hosting and quit");
    alice.until("the window", Desk::is_shown);
    alice.key("Escape");
    alice.close();
    alice.until("no window", |desk| !desk.is_shown());

    // Out of reach is nothing.
    tray.leave();
    alice.until("the window", Desk::is_shown);
    bob.send("still here?");
    alice.types("yes");
    bob.expect("<alice> yes");
    drop(bob);
    assert_eq!(alice.end("TERM"), Some(0));
}

#[test]
fn it_starts_in_the_tray_and_where_there_is_none_with_a_window() {
    if !have_all() {
        return;
    }
    let (server, bus) = (Server::start(&[]), Bus::new());
    let mut bob = terminal(&server, "bob");
    let address = server.address().to_string();
    // The panel of a desktop may come after those who start with it.
    let desk = Desk::new().bus(bus.address()).window_manager();
    let mut alice = desk.client(&[&address, "--name", "alice", "--tray"]);
    bob.expect("-!- alice joined");
    let tray = Tray::on(&bus);
    let icon = tray.icon();
    bob.send("good morning");
    icon.wait_says("Parlor: 1 unread line");
    assert!(!alice.is_shown());
    icon.click();
    alice.until("the window", Desk::is_shown);
    alice.wait_title("#lobby*");
    // It was asked for no tray: closing it is its end.
    alice.close();
    assert_eq!(alice.ended(), Some(0));
    bob.expect("-!- alice left*");
    tray.leave();

    let desk = Desk::new().bus(bus.address()).window_manager();
    let mut carol = desk.client(&[&address, "--name", "carol", "--tray"]);
    bob.expect("-!- carol joined");
    carol.until("the window", Desk::is_shown);
    carol.close();
    assert_eq!(carol.ended(), Some(0));
}

#[test]
fn it_starts_with_the_computer_if_the_settings_say_so() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let home = Scratch::new();
    let entry = home.path().join("autostart/org.parlor.Parlor.desktop");
    let alice = Desk::new().variable("XDG_CONFIG_HOME", &home.path().display().to_string()).client(&[]);
    alice.wait_title("Parlor");
    alice.key("ctrl+comma");
    alice.wait_still();
    // From the arrow back: the name, the start in a room, rooms nearby, links, this.
    alice.key("Tab Tab Tab Tab Tab space");
    alice.until("the entry", |_| entry.exists());
    let text = std::fs::read_to_string(&entry).expect("it is there");
    let exec = text.lines().find_map(|line| line.strip_prefix("Exec=")).expect("what it starts");
    let config = format!("\"--config\" \"{}\" \"--tray\"", alice.config().display());
    assert!(exec.contains("/client\" ") && exec.ends_with(&config), "{exec}");
    alice.key("space");
    alice.until("no entry", |_| !entry.exists());
}
