//! One place with several servers: a window goes on at the next one.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parlor_client::host::Host;
use parlor_ui::slint::{ComponentHandle, Model};
use parlor_ui::{InviteView, LineState, Lock, Panel, Screen, Shell, StatusKind};

use crate::person::{Person, Terminal, server, server_at};

/// How soon a window is at the next server.
const SOON: Duration = Duration::from_secs(2);

/// The way to a server, which ends as one that is killed ends it: nobody says a word, and nobody answers any more.
struct Wire {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
    ends: Arc<Mutex<Vec<TcpStream>>>,
    accepts: JoinHandle<()>,
}

impl Wire {
    fn to(server: SocketAddr) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (cut, ends) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<TcpStream>>>::default());
        let (is_cut, all) = (Arc::clone(&cut), Arc::clone(&ends));
        let accepts = thread::spawn(move || {
            for caller in listener.incoming() {
                if is_cut.load(Ordering::SeqCst) {
                    return;
                }
                let (caller, called) = (caller.unwrap(), TcpStream::connect(server).unwrap());
                for (mut from, mut to) in [(&caller, &called), (&called, &caller)]
                    .map(|(a, b)| (a.try_clone().unwrap(), b.try_clone().unwrap()))
                {
                    thread::spawn(move || {
                        // Whoever hangs up is gone.
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                all.lock().unwrap().extend([caller, called]);
            }
        });
        Wire { address, cut, ends, accepts }
    }

    fn cut(self) {
        self.cut.store(true, Ordering::SeqCst);
        // It waits for one more.
        let _ = TcpStream::connect(self.address);
        self.accepts.join().unwrap();
        for end in self.ends.lock().unwrap().iter() {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a person waits is measured")]
fn now() -> Instant {
    Instant::now()
}

/// The same server, as if it were not this very computer's: it is met by TLS.
fn elsewhere(server: SocketAddr) -> String {
    format!("[::ffff:127.0.0.1]:{}", server.port())
}

fn short(host: &Host) -> String {
    host.key().unwrap().short()
}

impl Person {
    /// Presses Join on the card.
    fn goes(&self, address: &str, name: &str) {
        let card = self.card();
        card.set_name(name.into());
        card.set_address(address.into());
        card.set_room("#lobby".into());
        card.invoke_join();
    }

    fn waits_for_room(&self) {
        self.until("the room", |this| {
            this.app.global::<Shell>().get_screen() == Screen::Room && this.room().get_key() == "#lobby"
        });
    }

    /// Waits until it is connected there, and the pill says so.
    fn waits_for_server(&self, address: &str) {
        self.until(address, |this| {
            this.status().get_status() == StatusKind::Connected
                && this.status().get_status_detail() == address
        });
    }
}

#[test]
fn a_server_that_is_gone_is_followed_by_the_next_one_at_once() {
    let (one, two) = (server(), server());
    let wire = Wire::to(one.address());
    let [first, second] = [wire.address, two.address()].map(|address| address.to_string());
    let alice = Person::new("several");
    alice.goes(&format!("{first}, {second}"), "alice");
    alice.waits_for_room();
    alice.waits_for_server(&first);
    let mut bob = Terminal::joins(two.address(), "bob");
    let began = now();
    wire.cut();
    alice.waits_for_server(&second);
    let took = began.elapsed();
    assert!(took < SOON, "{took:?}");
    bob.reads("alice joined");
    alice.says("hello from over there");
    bob.reads("<alice> hello from over there");
    assert_eq!(alice.card().get_bookmarks().row_count(), 1);

    // Who is asked in comes by the one that is there, and knows the other one.
    alice.app.global::<Shell>().invoke_open(Panel::Invite);
    let invite = alice.app.global::<InviteView>();
    let also = first.replace(':', "%3A");
    assert_eq!(invite.get_link(), format!("irc://{second}/lobby,?also={also}"));
    assert_eq!(invite.get_address(), format!("{second},{first}"));
    one.stop();
    two.stop();
}

#[test]
fn with_none_there_what_is_typed_waits_and_goes_once_to_the_one_that_comes_back() {
    let (one, two) = (server(), server());
    let (first, second) = (one.address(), two.address());
    let alice = Person::new("several-none");
    alice.goes(&format!("{first},{second}"), "alice");
    alice.waits_for_room();
    two.stop();
    // It says that it is stopping.
    one.stop();
    alice.until("the pill", |alice| alice.status().get_status() == StatusKind::Reconnecting);
    alice.says("typed while offline");
    alice.waits_for("typed while offline");
    assert_eq!(alice.row("typed while offline").1.state, LineState::Pending);

    let two = server_at(&second.to_string());
    let mut bob = Terminal::joins(second, "bob");
    bob.reads("<alice> typed while offline");
    alice.until("the receipt", |alice| alice.row("typed while offline").1.state == LineState::Delivered);
    alice.waits_for_server(&second.to_string());
    alice.says("and then");
    let mut line = String::new();
    while !line.contains("<alice> and then") {
        line = bob.reads("alice");
        assert!(!line.contains("typed while offline"), "twice");
    }
    two.stop();
}

#[test]
fn the_place_is_the_same_in_any_order_and_begins_with_the_first_that_was_typed() {
    let (one, two) = (server(), server());
    let [first, second] = [one.address(), two.address()].map(|address| address.to_string());
    let mut alice = Person::new("several-order");
    alice.goes(&format!("{second},{first}"), "alice");
    alice.waits_for_room();
    alice.waits_for_server(&second);
    alice.composer().set_draft("half a thought".into());
    alice.bridge.finish();
    let folder = std::mem::take(&mut alice.folder);
    drop(alice);

    let mut bob = Terminal::joins(one.address(), "bob");
    let mut alice = Person::again(folder);
    let bookmarks = alice.card().get_bookmarks();
    assert_eq!(bookmarks.row_data(0).unwrap().address, format!("{second},{first}"));
    alice.goes(&format!("{first},{second},{first}"), "alice");
    alice.waits_for_room();
    alice.until("the draft", |alice| alice.composer().get_draft() == "half a thought");
    alice.waits_for_server(&first);
    assert_eq!(alice.card().get_bookmarks().row_count(), 1);
    bob.reads("-!- alice joined");
    alice.bridge.finish();
    let folder = std::mem::take(&mut alice.folder);
    drop(alice);
    // The name is free again.
    bob.reads("-!- alice");

    // One of them alone is another place.
    let alice = Person::again(folder);
    alice.goes(&first, "alice");
    alice.waits_for_room();
    assert_eq!((alice.composer().get_draft().as_str(), alice.card().get_bookmarks().row_count()), ("", 2));
    one.stop();
    two.stop();
}

#[test]
fn each_server_is_known_by_its_own_key() {
    let (one, two) = (server(), server());
    let wire = Wire::to(one.address());
    let [first, second] = [elsewhere(wire.address), elsewhere(two.address())];
    let alice = Person::new("several-keys");
    alice.goes(&format!("{first},{second}"), "alice");
    alice.waits_for_room();
    alice.waits_for_server(&first);
    assert_eq!((alice.status().get_lock(), alice.status().get_key()), (Lock::Closed, short(&one).into()));
    alice.composer().set_draft("half a thought".into());
    wire.cut();
    alice.waits_for_server(&second);
    assert_eq!((alice.status().get_lock(), alice.status().get_key()), (Lock::Closed, short(&two).into()));
    assert_eq!(alice.composer().get_draft(), "half a thought");

    // Somebody else at the second one's address is asked about, as soon as nobody else is there.
    let [known, address] = [two.key().unwrap().to_string(), two.address().to_string()];
    two.stop();
    let other = server_at(&address);
    alice.until("the question", |alice| alice.card().get_asks_trust());
    let shown = |key: &str| key.replace(':', ":\u{200b}");
    let sentence = alice.card().get_address_error();
    assert!(
        sentence.starts_with(&format!("{second} has another key"))
            && sentence.contains(&shown(&known))
            && sentence.contains(&shown(&other.key().unwrap().to_string())),
        "{sentence}"
    );
    alice.card().invoke_trust();
    alice.waits_for_room();
    alice.waits_for_server(&second);
    assert_eq!(alice.status().get_key(), short(&other));
    alice.until("the draft", |alice| alice.composer().get_draft() == "half a thought");
    one.stop();
    other.stop();
}

#[test]
fn the_key_of_an_invitation_is_that_of_whoever_answers_with_it() {
    let (one, two) = (server(), server());
    let wire = Wire::to(one.address());
    let [first, second] = [elsewhere(wire.address), elsewhere(two.address())];
    let key = |host: &Host| host.key().unwrap().to_string().replace(':', "").to_lowercase();
    let alice = Person::new("several-invited");
    // The one that is called first has another one: it is passed over.
    alice.goes(&format!("{second},{first}/lobby?fp={}", key(&one)), "alice");
    alice.waits_for_room();
    alice.waits_for_server(&first);
    assert_eq!(alice.status().get_key(), short(&one));
    wire.cut();
    alice.until("the question", |alice| alice.card().get_asks_trust());
    assert!(alice.card().get_address_error().starts_with(&format!("{second} has another key")));
    alice.card().invoke_trust();
    alice.waits_for_server(&second);

    // By a link whose key none of them has nobody is met.
    let bob = Person::new("several-misled");
    bob.goes(&format!("{first},{second}/lobby?fp={}", "3a".repeat(32)), "bob");
    bob.until("the question", |bob| bob.card().get_asks_trust());
    assert!(!bob.card().get_busy() && bob.app.global::<Shell>().get_screen() == Screen::Connect);
    alice.app.global::<Shell>().invoke_open(Panel::Rooms);
    one.stop();
    two.stop();
}

#[test]
fn what_is_no_list_of_addresses_is_said_why() {
    let alice = Person::new("several-wrong");
    let gone = server();
    let address = gone.address().to_string();
    gone.stop();
    let complains = |typed: &str| {
        alice.goes(typed, "alice");
        alice.until("an answer", |alice| !alice.card().get_busy());
        alice.card().get_address_error().to_string()
    };
    for (typed, about) in [("a:1,b:0", "b:0 is not"), ("a:1, b c", "b c is not"), (",", ", is not")] {
        let sentence = complains(typed);
        assert!(sentence.starts_with(about), "{typed}: {sentence}");
    }
    let many = (1..=9).map(|port| format!("a:{port}")).collect::<Vec<_>>().join(",");
    assert_eq!(complains(&many), "A place has at most 8 addresses, with commas between them.");
    let other = address.replace("127.0.0.1", "localhost");
    assert_eq!(
        complains(&format!("{address},,{other},")),
        format!(
            "None of these servers answers: {address}, {other}. Are they started, and are the ports right?"
        )
    );
    assert!(
        complains(&format!("{address},{address}")).starts_with("Nobody answers at"),
        "the same one twice"
    );
}
