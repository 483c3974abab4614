//! What the desktop is told, by a server of notifications that the test plays.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use parlor_tests::{Plain, Server, needs};
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;
use zbus::{Connection, message::Header};

use crate::bus::Bus;
use crate::desk::Desk;

/// How long a notification may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
const PATH: &str = "/org/freedesktop/Notifications";

#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Told { id: u32, replaces: u32, summary: String, body: String, actions: Vec<String> },
    Closed(u32),
}

/// A desktop that shows nothing and writes down everything.
struct Desktop {
    can: Vec<String>,
    last: u32,
    heard: Sender<(String, Heard)>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Desktop {
    fn get_capabilities(&self) -> Vec<String> {
        self.can.clone()
    }

    #[expect(clippy::too_many_arguments, reason = "the specification has them")]
    fn notify(
        &mut self,
        _app: String,
        replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _timeout: i32,
        #[zbus(header)] header: Header<'_>,
    ) -> u32 {
        if replaces == 0 {
            self.last += 1;
        }
        let id = if replaces == 0 { self.last } else { replaces };
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        // A test that is over does not listen.
        let _ = self.heard.send((sender, Heard::Told { id, replaces, summary, body, actions }));
        id
    }

    fn close_notification(&mut self, id: u32) {
        let _ = self.heard.send((String::new(), Heard::Closed(id)));
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;
}

struct Notifications {
    connection: Connection,
    heard: Receiver<(String, Heard)>,
}

impl Notifications {
    fn on(bus: &Bus, can: &[&str]) -> Notifications {
        let (tell, heard) = channel();
        let can = can.iter().map(ToString::to_string).collect();
        let desktop = Desktop { can, last: 0, heard: tell };
        let connect = async {
            let builder = zbus::connection::Builder::address(bus.address())?;
            builder.name("org.freedesktop.Notifications")?.serve_at(PATH, desktop)?.build().await
        };
        let connection = smol::block_on(connect).expect("the bus has room for it");
        Notifications { connection, heard }
    }

    /// The next thing, and who asked for it.
    fn next(&self) -> (String, Heard) {
        self.heard.recv_timeout(PATIENCE).expect("the desktop is told something")
    }

    fn click(&self, id: u32) {
        let click = async {
            let emitter = SignalEmitter::new(&self.connection, PATH)?;
            Desktop::action_invoked(&emitter, id, "default").await
        };
        smol::block_on(click).expect("the bus is there");
    }

    /// Whether somebody is still on the bus.
    fn is_there(&self, name: &str) -> bool {
        let asked = async {
            let bus = "org.freedesktop.DBus";
            let name = (name,);
            let answer = self.connection.call_method(
                Some(bus),
                "/org/freedesktop/DBus",
                Some(bus),
                "NameHasOwner",
                &name,
            );
            let answer = answer.await?;
            let body = answer.body();
            body.deserialize::<bool>()
        };
        smol::block_on(asked).expect("the bus answers")
    }
}

#[test]
fn a_notification_says_the_truth_and_a_click_leads_to_its_line() {
    if !(needs::have(needs::DISPLAY) && needs::have(needs::BUS)) {
        return;
    }
    let server = Server::start(&[]);
    let bus = Bus::new();
    let desktop = Notifications::on(&bus, &["body", "actions", "body-markup"]);
    let mut bob = Plain::connect(&server);
    bob.send("bob");
    bob.expect("-!- Welcome *");
    let desk = Desk::new().bus(bus.address()).setting("notify", "\"all\"");
    let alice = desk.window_manager().client(&[&server.address().to_string(), "--name", "alice"]);
    bob.expect("-!- alice joined");
    alice.wait_title("#lobby*");
    alice.types("here I am");
    bob.expect("<alice> here I am");
    alice.types("/join #two");
    alice.wait_title("#two*");
    alice.wait_still();
    alice.look_away();

    bob.send("just <b>a</b> line");
    let (sender, heard) = desktop.next();
    let actions = vec!["default".to_owned(), "Parlor".to_owned()];
    let told = |id, replaces, summary: &str, body: &str| {
        let (summary, body, actions) = (summary.into(), body.into(), actions.clone());
        Heard::Told { id, replaces, summary, body, actions }
    };
    assert_eq!(heard, told(1, 0, "bob in #lobby", "just &lt;b&gt;a&lt;/b&gt; line"));
    assert!(desktop.is_there(&sender), "a desktop takes away what is told by who is gone");
    bob.send("alice: are you there?");
    assert_eq!(desktop.next().1, told(1, 1, "bob mentioned you in #lobby", "alice: are you there?"));
    bob.send("/msg alice psst");
    let (_, private) = desktop.next();
    assert_eq!(private, told(2, 0, "bob writes to you", "psst"));
    assert!(desktop.is_there(&sender));

    desktop.click(1);
    // The other room comes up, with its end in view: it is read, and nothing of it is told any more.
    alice.wait_title("(1) #lobby*");
    alice.picture("notified");
    assert_eq!(desktop.heard.recv_timeout(Duration::from_millis(200)).err(), Some(RecvTimeoutError::Timeout));
    desktop.click(2);
    alice.wait_title("bob*");
}
