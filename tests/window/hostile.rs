//! The window on a server of the worst intentions, and beside a program that hangs: it stays
//! bounded, falls silent when the server does, and ends when it is asked to.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use parlor_tests::{Deadline, Plain, Server, needs};
use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, CreateWindowAux, WindowClass};

use crate::bus::Bus;
use crate::desk::Desk;

/// From a signal to the end, with a window server and a disk that work.
const END_WITHIN: Duration = Duration::from_secs(2);

#[expect(clippy::disallowed_methods, reason = "a test measures real time")]
fn now() -> Instant {
    Instant::now()
}

/// A server that lets the next one into `#lobby`, and then sends what it is given.
struct Hostile {
    address: SocketAddr,
    guest: Receiver<TcpStream>,
}

impl Hostile {
    fn start() -> Hostile {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = listener.local_addr().expect("bound");
        let (tell, guest) = channel();
        thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a window comes");
            let mut writer = stream.try_clone().expect("a socket");
            let lines = BufReader::new(stream.try_clone().expect("a socket")).lines();
            for line in lines.map_while(Result::ok) {
                let welcome = if line.starts_with("USER ") {
                    ":s.x 001 alice :Hi\r\n:s.x 005 alice CHANTYPES=# SAFERATE :are supported\r\n:s.x 422 alice :none\r\n"
                } else if line.starts_with("JOIN #lobby") {
                    ":alice!a@h JOIN #lobby\r\n:s.x 353 alice = #lobby :alice bob\r\n:s.x 366 alice #lobby :end\r\n"
                } else {
                    continue;
                };
                writer.write_all(welcome.as_bytes()).expect("the window listens");
                if line.starts_with("JOIN") {
                    break;
                }
            }
            // Nothing is read any more.
            tell.send(stream).expect("a test waits");
        });
        Hostile { address, guest }
    }

    /// A window in its room, and the way to it.
    fn meets(&self, desk: Desk) -> (Desk, TcpStream) {
        let alice = desk.client(&[&self.address.to_string(), "--name", "alice"]);
        alice.wait_title("#lobby*");
        (alice, self.guest.recv().expect("it came in"))
    }
}

/// Sends lines until nobody listens, as fast as they are taken.
fn without_end(mut stream: TcpStream, line: impl Fn(u64) -> String + Send + 'static) {
    thread::spawn(move || {
        for round in 0.. {
            let block: String = (round * 500..(round + 1) * 500).map(&line).collect();
            if stream.write_all(block.as_bytes()).is_err() {
                return;
            }
        }
    });
}

#[test]
fn a_window_ends_within_two_seconds_whatever_its_server_sends() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    type Flood = (&'static str, fn(u64) -> String);
    let floods: [Flood; 5] = [
        ("PINGs", |i| format!("PING :{i}\r\n")),
        ("strangers", |i| format!(":s{i}!u@h PRIVMSG alice :hello\r\n")),
        ("names", |i| format!(":n{i}!u@h NICK n{}\r\n:n{i}!u@h JOIN #lobby\r\n", i + 1)),
        ("rooms", |i| format!(":alice!a@h JOIN #r{i}\r\n")),
        ("talk", |i| format!(":bob!u@h PRIVMSG #lobby :alice {i}\r\n")),
    ];
    for (what, line) in floods {
        let (mut alice, stream) = Hostile::start().meets(Desk::new());
        without_end(stream, line);
        // In the middle of it.
        thread::sleep(Duration::from_secs(3));
        let asked = now();
        assert_eq!(alice.end("TERM"), Some(0), "{what}");
        let took = asked.elapsed();
        println!("{what}: ended {took:?} after SIGTERM");
        assert!(took < END_WITHIN, "{what}: {took:?}");
    }
}

#[test]
fn a_crowd_takes_so_much_memory_and_no_time_once_it_is_there() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    for (what, count, line) in [
        ("286,000 JOINs", 286_000, (|i| format!(":p{i}!user@host{i} JOIN #lobby\r\n")) as fn(u64) -> String),
        ("100,000 strangers", 100_000, |i| format!(":s{i}!u@h PRIVMSG alice :hello {i}\r\n")),
        ("100,000 rooms", 100_000, |i| format!(":alice!a@h JOIN #r{i}\r\n")),
        ("100,000 NICKs", 100_000, |i| {
            let (from, to) = if i % 2 == 0 { ("bob", "rob") } else { ("rob", "bob") };
            format!(":{from}!u@h NICK {to}\r\n")
        }),
    ] {
        let (alice, mut stream) = Hostile::start().meets(Desk::new());
        let block: String = (0..count).map(line).collect();
        stream.write_all(block.as_bytes()).expect("the window listens");
        let quiet = alice.wait_quiet(Duration::from_secs(3));
        let resident = alice.resident();
        println!("{what}: {resident} KB resident, {quiet} ms of CPU in 3 s afterwards");
        assert!(resident < 160 * 1024, "{what}: {resident} KB");
        assert!(quiet < 300, "{what}: {quiet} ms in 3 s");
    }
}

#[test]
fn many_lines_are_few_notifications() {
    if !(needs::have(needs::DISPLAY) && needs::have(needs::BUS)) {
        return;
    }
    let bus = Bus::new();
    let (alice, mut stream) = Hostile::start().meets(Desk::new().bus(bus.address()));
    alice.look_away();
    let block: String = (0..2_000).map(|i| format!(":s{}!u@h PRIVMSG alice :line {i}\r\n", i % 50)).collect();
    stream.write_all(block.as_bytes()).expect("the window listens");
    bus.wait("s0 writes to you");
    // All the others at once, or in two parts where the machine is slow.
    bus.wait("*new from 50 people");
    bus.wait("s49: line 1999");
    assert!((2..4).contains(&bus.notifications()), "{}", bus.notifications());
    alice.picture("others");
}

#[test]
fn a_clipboard_that_nobody_gives_freezes_nothing() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let server = Server::start(&[]);
    let mut bob = Plain::connect(&server);
    bob.send("bob");
    bob.expect("-!- Welcome *");
    let alice = Desk::new().client(&[&server.address().to_string(), "--name", "alice"]);
    bob.expect("* alice joined");
    alice.wait_title("#lobby*");
    // Owns the clipboard, and never answers.
    let (x11, screen) = x11rb::connect(Some(alice.display())).expect("the display");
    let root = x11.setup().roots.get(screen).expect("a screen").root;
    let window = x11.generate_id().expect("an id");
    let aux = CreateWindowAux::new();
    x11.create_window(
        COPY_DEPTH_FROM_PARENT,
        window,
        root,
        0,
        0,
        1,
        1,
        0,
        WindowClass::INPUT_OUTPUT,
        0,
        &aux,
    )
    .expect("the display");
    let clipboard = x11.intern_atom(false, b"CLIPBOARD").expect("the display").reply().expect("an atom").atom;
    x11.set_selection_owner(window, clipboard, x11rb::CURRENT_TIME).expect("the display");
    let owner = x11.get_selection_owner(clipboard).expect("the display").reply().expect("an owner").owner;
    assert_eq!(owner, window);
    alice.types_without_sending("before ");
    let asked = now();
    alice.key("ctrl+v");
    alice.key("ctrl+v");
    alice.types("and after");
    bob.expect("<alice> before and after");
    let took = asked.elapsed();
    println!("typed on {took:?} after pasting from a program that hangs");
    assert!(took < Duration::from_secs(4), "{took:?}");
    alice.picture("clipboard");
}

impl Desk {
    /// Kilobytes in memory.
    fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says it");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Milliseconds of CPU.
    fn cpu(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process())).expect("it runs");
        let after = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        after.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
    }

    /// Waits until what came is done with; milliseconds of CPU in a spell after that.
    fn wait_quiet(&self, spell: Duration) -> u64 {
        let deadline = Deadline::after(Duration::from_secs(60));
        loop {
            let before = self.cpu();
            thread::sleep(spell);
            let took = self.cpu() - before;
            if took < 300 || deadline.left().is_none() {
                return took;
            }
        }
    }
}
