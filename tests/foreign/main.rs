//! The client library as an ordinary IRC client of other people's servers: ngIRCd, InspIRCd, BitlBee and ZNC from
//! Debian's packages, miniircd from PyPI, Ergo, which keeps a history and which Debian has not, and a server of our
//! own that does everything slightly wrong.
#![forbid(unsafe_code)]
#![expect(clippy::expect_used, reason = "a test may fail")]

mod names;
mod sloppy;
mod znc;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use parlor_client::credentials::Credentials;
use parlor_client::net::{self, Connection};
use parlor_client::secrets::Given;
use parlor_client::session::{Action, Delivery, Event, HostPort, Key, LineKind, Profile, Sentence, Status};
use parlor_client::testing::Screen;
use parlor_client::trust::Trust;
use parlor_tests::needs::{self, Lack, skip};
use parlor_tests::{Deadline, Scratch};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a program is started before that is a fault.
const STARTS: usize = 3;

/// Programs that do not mind to be root's; others want to be nobody's.
const ROOTS_OWN: &[&str] = &["ergo", "ngircd", "inspircd"];

/// A server of somebody else.
struct Foreign {
    process: Child,
    port: u16,
    /// Where it speaks TLS, and where its services call it, if its configuration says so.
    secure: u16,
    link: u16,
    _config: Scratch,
}

impl Foreign {
    /// Starts a program with a configuration in which `PORT`, `SECURE` and `LINK` stand for free ports and `FOLDER` for
    /// a folder that everybody may write to.
    fn start(program: &str, lack: Lack<'_>, args: &[&str], config: &str) -> Option<Foreign> {
        // Somebody else may take the port before the program does: then it ends, and another will do.
        (0..STARTS).find_map(|_| Foreign::try_start(program, args, config)).or_else(|| {
            assert!(needs::find(program).is_none(), "{program} does not listen");
            skip(lack);
            None
        })
    }

    fn try_start(program: &str, args: &[&str], config: &str) -> Option<Foreign> {
        let free = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("loopback"));
        let [port, secure, link] = free.map(|listener| listener.local_addr().expect("it is bound").port());
        let scratch = Scratch::new();
        let folder = scratch.path().to_string_lossy();
        let ports = [("PORT", port), ("SECURE", secure), ("LINK", link)];
        let config = ports.iter().fold(config.replace("FOLDER", &folder), |config, (word, port)| {
            config.replace(word, &port.to_string())
        });
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o777)).expect("it is ours");
        let path = scratch.write("server.conf", config);
        // Where ZNC looks for it.
        fs::create_dir(scratch.file("configs"))
            .and_then(|()| fs::copy(&path, scratch.file("configs/znc.conf")))
            .expect("it is ours");
        for file in ["configs", "configs/znc.conf"] {
            fs::set_permissions(scratch.file(file), fs::Permissions::from_mode(0o777)).expect("it is ours");
        }
        let fill = |arg: &&str| {
            arg.replace("CONFIG", &path).replace("PORT", &port.to_string()).replace("FOLDER", &folder)
        };
        let args: Vec<String> = args.iter().map(fill).collect();
        let process = run(program, scratch.path())?.args(args).spawn().ok()?;
        let mut server = Foreign { process, port, secure, link, _config: scratch };
        let deadline = Deadline::after(PATIENCE);
        while !server.answers() {
            if deadline.left().is_none() || server.process.try_wait().expect("it is ours").is_some() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// Whether it takes part in a conversation: where nobody listens, loopback may connect a socket
    /// with itself.
    fn answers(&self) -> bool {
        let talk = || {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"CAP LS\r\n")?;
            let mut answer = [0; 8];
            stream.read_exact(&mut answer)?;
            std::io::Result::Ok(stream.local_addr()? != stream.peer_addr()?)
        };
        talk().unwrap_or(false)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A program, as whom it wants to run, with this home.
fn run(program: &str, home: &Path) -> Option<Command> {
    let program = needs::find(program)?;
    let mut command = Command::new(&program);
    if rustix::process::geteuid().is_root() && !ROOTS_OWN.iter().any(|own| program.ends_with(own)) {
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        command = Command::new(needs::find("setpriv")?);
        command.args(nobody).arg(&program).env("HOME", home);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Some(command)
}

/// One of our clients, and what it was told.
struct Client {
    connection: Connection,
    seen: Vec<Event>,
    screen: Screen,
}

impl Client {
    fn new(server: &Foreign, nick: &str) -> Client {
        Client::within(server.port, nick, "#tea")
    }

    /// In a room.
    fn within(port: u16, nick: &str, room: &str) -> Client {
        let mut client = Client::calling(port, nick, room);
        client.until("connected", |event| matches!(event, Event::Status(Status::Connected { .. })));
        client
            .shows("the room", |screen| screen.people.keys().any(|key| key.as_str() == room.to_lowercase()));
        client
    }

    /// On its way into a room.
    fn calling(port: u16, nick: &str, room: &str) -> Client {
        Client::meeting(port, nick, room, Trust::Readable, Given::default())
    }

    /// The same, with what the person has given for the server.
    fn meeting(port: u16, nick: &str, room: &str, trust: Trust, given: Given) -> Client {
        let profile = Profile {
            server: HostPort::new("127.0.0.1", port),
            nick: nick.into(),
            realname: nick.into(),
            rooms: vec![room.into()],
            ..Profile::default()
        };
        let credentials = Credentials { given, ..Credentials::default() };
        let connection = net::start_keeping(profile, trust, credentials, |_| ()).expect("a thread");
        Client { connection, seen: Vec::new(), screen: Screen::default() }
    }

    /// Waits until it is told why it is not let in.
    fn refusal(&mut self) -> Sentence {
        match self.until("a refusal", |event| matches!(event, Event::Refused(_))) {
            Event::Refused(refusal) => refusal.sentence,
            _ => unreachable!("it was waited for"),
        }
    }

    /// Waits until something is to be seen.
    fn shows(&mut self, what: &str, wanted: impl Fn(&Screen) -> bool) {
        let deadline = Deadline::after(3 * PATIENCE);
        loop {
            self.seen.drain(..).for_each(|event| self.screen.show(&event));
            if wanted(&self.screen) {
                return;
            }
            assert!(deadline.left().is_some(), "waited for {what}; there is {:#?}", self.screen);
            match self.connection.events.try_recv() {
                Ok(batch) => self.seen.extend(batch),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// What was said in a conversation, with who said it, from top to bottom.
    fn talk(&self, key: &str) -> Vec<String> {
        talk(&self.screen, key)
    }

    fn act(&self, action: Action) {
        self.connection.actions.try_send(action).expect("room for an action");
    }

    /// Waits for an event; those before it are past.
    fn until(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) -> Event {
        let deadline = Deadline::after(PATIENCE);
        let mut past = Vec::new();
        loop {
            while !self.seen.is_empty() {
                let event = self.seen.remove(0);
                self.screen.show(&event);
                if wanted(&event) {
                    return event;
                }
                past.push(event);
            }
            assert!(deadline.left().is_some(), "waited for {what}; there was {past:#?}");
            match self.connection.events.try_recv() {
                Ok(batch) => self.seen.extend(batch),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// What was said in the room, in the order of the timeline, once there are `count` texts; more is a fault.
    fn said(&mut self, count: usize) -> Vec<String> {
        loop {
            let lines = self.screen.lines("#tea").iter().filter(|line| line.kind() == LineKind::Said);
            let said: Vec<String> = lines.map(|line| line.text().to_owned()).collect();
            if said.len() >= count {
                return said;
            }
            self.act(Action::Older { key: Key::new("#tea") });
            self.until(&format!("{count} texts"), |event| {
                matches!(event, Event::Lines { .. } | Event::Inserted { .. } | Event::Removed { .. })
            });
        }
    }

    /// Waits for a line.
    fn line(&mut self, kind: LineKind, from: &str, text: &str) {
        let fits = |event: &Event| match event {
            Event::Lines { lines, .. } => lines
                .iter()
                .any(|line| line.kind() == kind && line.from() == from && line.text().contains(text)),
            _ => false,
        };
        self.until(&format!("{kind:?} {from} {text}"), fits);
    }
}

fn talk(screen: &Screen, key: &str) -> Vec<String> {
    let lines = screen.lines(key).iter().filter(|line| line.is_talk());
    lines.map(|line| format!("{}: {}", line.from(), line.text())).collect()
}

/// Whether all own lines of a conversation are there, so many of them.
fn all_delivered(screen: &Screen, key: &str, count: usize) -> bool {
    let own: Vec<Delivery> = screen
        .lines(key)
        .iter()
        .filter(|line| line.own() && line.is_talk())
        .map(|line| line.state())
        .collect();
    own.len() == count && own.iter().all(|state| *state == Delivery::Delivered)
}

/// What an ordinary evening in an ordinary room needs.
fn an_evening(server: &Foreign) {
    let (mut alice, mut bob) = a_talk(server);
    being_put_out(&mut alice, &mut bob);
}

/// What two say to each other, in a room and aside.
fn a_talk(server: &Foreign) -> (Client, Client) {
    let tea = Key::new("#tea");
    let mut alice = Client::new(server, "alice");
    let mut bob = Client::new(server, "bob");
    alice.line(LineKind::Joined, "bob", "");

    alice.act(Action::Say { to: tea.clone(), text: "hello bob\nand a second line".into() });
    bob.line(LineKind::Said, "alice", "hello bob");
    bob.act(Action::Say { to: tea.clone(), text: "hello alice".into() });
    alice.line(LineKind::Said, "bob", "hello alice");
    bob.until("that it was delivered", |event| {
        matches!(event, Event::Changed { line, .. } if line.state() == Delivery::Delivered && line.text() == "hello alice")
    });
    bob.act(Action::Me { to: tea.clone(), text: "waves".into() });
    alice.line(LineKind::Action, "bob", "waves");

    alice.act(Action::Topic { room: tea.clone(), text: "which tea?".into() });
    bob.until("the topic", |event| matches!(event, Event::Topic { text, .. } if text == "which tea?"));
    bob.act(Action::Rename { nick: "rob".into() });
    alice.line(LineKind::Renamed, "bob", "rob");
    alice.act(Action::Private { nick: "rob".into() });
    alice.act(Action::Say { to: Key::new("rob"), text: "psst".into() });
    bob.line(LineKind::Said, "alice", "psst");
    (alice, bob)
}

/// And what becomes of those who stay up too long.
fn being_put_out(alice: &mut Client, bob: &mut Client) {
    let tea = Key::new("#tea");
    alice.act(Action::Kick { room: tea.clone(), nick: "rob".into(), why: "bedtime".into() });
    bob.until("being put out", |event| {
        matches!(event, Event::Out { key, why: Some(why) } if *key == tea && why.to_string().contains("bedtime"))
    });
    alice.line(LineKind::Kicked, "alice", "rob");
    // What the server refuses fails, with its reason.
    bob.act(Action::Join { room: "#tea".into(), key: None });
    alice.line(LineKind::Joined, "rob", "");
    bob.act(Action::Disconnect);
    alice.line(LineKind::Left, "rob", "");
}

/// What a server with a history is asked for: what was missed, and what was before us.
fn a_night(server: &Foreign) {
    let tea = Key::new("#tea");
    let mut carol = Client::new(server, "carol");
    let mut dave = Client::new(server, "dave");
    carol.line(LineKind::Joined, "dave", "");
    let say = |from: usize, to: usize| (from..to).map(|n| format!("line {n}")).collect::<Vec<_>>();
    let talk = |carol: &mut Client, texts: &[String]| {
        texts.iter().for_each(|text| carol.act(Action::Say { to: tea.clone(), text: text.clone() }));
        let last = texts.last().expect("something to say");
        carol.until("a receipt", |event| {
            matches!(event, Event::Changed { line, .. } if line.state() == Delivery::Delivered && line.text() == last)
        });
    };
    talk(&mut carol, &say(0, 10));
    dave.line(LineKind::Said, "carol", "line 9");
    dave.act(Action::Disconnect);
    carol.line(LineKind::Left, "dave", "");
    // More than two pages.
    talk(&mut carol, &say(10, 130));
    dave.act(Action::RetryNow);
    assert_eq!(dave.said(120), say(10, 130), "what was missed");
    let mut erin = Client::new(server, "erin");
    assert_eq!(erin.said(130), say(0, 130), "what was before us");
}

#[test]
fn ergo() {
    let config = "network: {name: Test}\n\
                  server:\n  name: irc.test.local\n  listeners: {\"127.0.0.1:PORT\": {}}\n  \
                  casemapping: permissive\n  max-sendq: 1M\n  ip-limits: {count: false, throttle: false}\n\
                  datastore: {path: FOLDER/ircd.db}\n\
                  limits: {nicklen: 32, identlen: 20, realnamelen: 150, channellen: 64, awaylen: 390, kicklen: 390, \
                  topiclen: 390, monitor-entries: 100, whowas-entries: 100, chan-list-modes: 100, \
                  registration-messages: 1024}\n\
                  history: {enabled: true, channel-length: 2048, client-length: 256, chathistory-maxmessages: 50}\n";
    let lack = Lack::NotInDebian("ergo");
    if let Some(server) = Foreign::start("ergo", lack, &["run", "--conf", "CONFIG"], config) {
        an_evening(&server);
        a_night(&server);
    }
}

#[test]
fn ngircd() {
    let config = "[Global]\nName = irc.test.local\nInfo = Test\nListen = 127.0.0.1\nPorts = PORT\n\
                  [Limits]\nMaxConnectionsIP = 0\n[Options]\nDNS = no\nIdent = no\nPAM = no\n";
    let args = ["-n", "-f", "CONFIG"];
    Foreign::start("ngircd", Lack::Package("ngircd"), &args, config).iter().for_each(an_evening);
}

#[test]
fn inspircd() {
    let config = r#"<server name="irc.test.local" description="Test" network="Test">
<admin name="T" nick="T" email="t@test.local">
<bind address="127.0.0.1" port="PORT" type="clients">
<connect allow="*" timeout="60" pingfreq="120" resolvehostnames="no" useident="no" localmax="100" globalmax="100">
<options prefixquit="Quit: ">
<module name="cap">
<module name="ircv3_servertime">
<module name="ircv3_echomessage">
"#;
    let args = ["--nofork", "--nolog", "--runasroot", "--config=CONFIG"];
    Foreign::start("inspircd", Lack::Package("inspircd"), &args, config).iter().for_each(an_evening);
}

/// It answers before the PONG, has a name without a dot, and puts everybody into a room of another kind.
#[test]
fn bitlbee() {
    let args = ["-D", "-n", "-c", "CONFIG", "-d", "FOLDER/", "-i", "127.0.0.1", "-p", "PORT"];
    let config = "[settings]\nAuthMode = Open\nHostName = localhost\n";
    let Some(server) = Foreign::start("bitlbee", Lack::Package("bitlbee"), &args, config) else { return };
    let mut alice = Client::within(server.port, "alice", "&bitlbee");
    let control = Key::new("&bitlbee");
    alice.shows("a greeting", |screen| talk(screen, "&bitlbee").iter().any(|line| line.contains("Welcome")));
    let before = alice.talk("&bitlbee").len();
    alice.act(Action::Say { to: control, text: "help".into() });
    alice.shows("the answer", |screen| {
        talk(screen, "&bitlbee").iter().any(|line| line.contains("wiki.bitlbee.org"))
    });
    alice.shows("the receipt", |screen| all_delivered(screen, "&bitlbee", 1));
    assert!(alice.talk("&bitlbee").len() > before + 5);
    let question = alice.talk("&bitlbee").iter().position(|line| line == "alice: help").expect("it is there");
    let answer = alice.talk("&bitlbee").iter().position(|line| line.contains("available help subjects"));
    assert!(answer.is_none_or(|answer| question < answer), "{:#?}", alice.talk("&bitlbee"));
    assert!(question <= before + 1, "the answer is below: {:#?}", alice.talk("&bitlbee"));
    let open: Vec<&str> = alice.screen.lines.keys().map(Key::as_str).collect();
    assert_eq!(open, ["&bitlbee", "*"], "what the server says opens no conversation");
    alice.act(Action::Private { nick: "root".into() });
    alice.act(Action::Say { to: Key::new("root"), text: "help".into() });
    alice.shows("the receipt", |screen| all_delivered(screen, "root", 1));
    assert_eq!(alice.talk("root")[0], "alice: help");
}

/// It has no ISUPPORT, no ranks and no capabilities.
#[test]
fn miniircd() {
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/pip/miniircd.py");
    let lack = Lack::NotInDebian("miniircd (python3 -m pip install --target target/pip miniircd)");
    if !Path::new(target).exists() {
        return skip(lack);
    }
    // Its file is where only its owner may look.
    let program = fs::read_to_string(target).expect("it is there");
    let args = ["CONFIG", "--listen", "127.0.0.1", "--ports", "PORT"];
    Foreign::start("/usr/bin/python3", lack, &args, &program.replace("PORT", "P0RT"))
        .iter()
        .for_each(|server| drop(a_talk(server)));
}
