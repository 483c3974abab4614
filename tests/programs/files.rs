//! Files between people: our client and other people's programs send each other some, and go on with what broke.

use std::fs::{self, Permissions};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use parlor_client::conversations::ConversationId;
use parlor_client::dcc::{FileId, Files, News, Say, Source, State, Who, begun};
use parlor_client::net::{self, Connection};
use parlor_client::place::{Place, PlaceId};
use parlor_client::session::{Action, Event, HostPort, Key, Profile, Status};
use parlor_tests::needs::{self, Installed};
use parlor_tests::{Deadline, Scratch, Server};
use smol::future::or;

use crate::irssi::Irssi;
use crate::names::{Running, WEECHAT, WeeChat, display};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Bytes of each file: more than one read, and no whole number of any block.
const SIZE: usize = 1_234_567;
/// Of that, those that are there where a transfer is gone on with.
const HALF: usize = 600_001;

/// Our client, without its window.
struct Alice {
    connection: Connection,
    place: PlaceId,
    files: Files,
    /// Where hers are, and where the other one's are: open to everybody.
    folder: Scratch,
    theirs: Scratch,
    connected: bool,
}

enum Woken {
    Told(Vec<Event>),
    Moved(FileId, News),
    Late,
}

impl Alice {
    fn enter(server: &Server) -> Alice {
        let address = server.address();
        let server = HostPort::new(address.ip().to_string(), address.port());
        let profile = Profile { server, nick: "alice".into(), ..Profile::default() };
        let connection = net::start(profile).expect("a thread");
        let place = Place::parse(&address.to_string()).expect("an address").id();
        let (folder, theirs) = (Scratch::new(), Scratch::new());
        fs::set_permissions(theirs.path(), Permissions::from_mode(0o777)).expect("it is ours");
        let files = Files::default();
        let mut alice = Alice { connection, place, files, folder, theirs, connected: false };
        alice.until("she is in", |alice| alice.connected.then_some(()));
        alice
    }

    /// Goes on until this is so.
    #[track_caller]
    fn until<T>(&mut self, what: &str, so: impl Fn(&Alice) -> Option<T>) -> T {
        let deadline = Deadline::after(Deadline::DEFAULT);
        loop {
            if let Some(so) = so(self) {
                return so;
            }
            let left = deadline.left();
            let left = left.unwrap_or_else(|| panic!("{what}: {:#?}", self.files.iter().collect::<Vec<_>>()));
            let told = async { Woken::Told(self.connection.events.recv().await.expect("she is there")) };
            let moved = async {
                let (id, news) = self.files.news.recv().await.expect("it is hers");
                Woken::Moved(id, news)
            };
            let late = async {
                smol::Timer::after(left).await;
                Woken::Late
            };
            match smol::block_on(or(told, or(moved, late))) {
                Woken::Told(events) => events.into_iter().for_each(|event| self.hears(event)),
                Woken::Moved(id, news) => drop(self.files.told(id, news)),
                Woken::Late => {}
            }
        }
    }

    fn hears(&mut self, event: Event) {
        match event {
            Event::Status(Status::Connected { .. }) => self.connected = true,
            Event::Dcc { key, who, nick, dcc } => {
                let who = Who { at: ConversationId::new(&self.place, key), key: who, nick };
                let begun = begun(self.folder.path(), &dcc);
                let say = self.files.heard(who, dcc, true, begun);
                self.says(say);
            }
            _ => {}
        }
    }

    fn says(&self, say: Option<Say>) {
        if let Some(Say { to, dcc }) = say {
            self.connection.actions.try_send(Action::Dcc { nick: to.nick, dcc }).expect("there is room");
        }
    }

    /// A file with these bytes, for the other one to send.
    fn gives(&self, name: &str, bytes: &[u8]) -> String {
        self.theirs.write(name, bytes)
    }

    /// Waits for an offer and takes it; what came of it.
    #[track_caller]
    fn receives(&mut self, name: &str, begun: Option<u64>) -> Vec<u8> {
        let id = self.until("an offer", |alice| {
            let offered = |state: &State| matches!(state, State::Offered { .. });
            alice.files.iter().find(|file| file.name == name && offered(&file.state)).map(|file| file.id)
        });
        let file = self.files.get(id).expect("it was there just now");
        assert_eq!((file.size, &*file.who.nick), (SIZE as u64, "bob"));
        assert_eq!(file.state, State::Offered { begun });
        let say = self.files.save(id, self.folder.path(), begun.is_some(), HERE).expect("few are under way");
        self.says(say);
        self.ends(id);
        fs::read(self.folder.file(name)).expect("it is there")
    }

    /// Offers a file and waits until it is there.
    #[track_caller]
    fn sends(&mut self, name: &str, bytes: &[u8], passive: bool) {
        let source = Source::open(self.folder.write(name, bytes).as_ref()).expect("it is hers");
        let key = Key::new("bob");
        let who = Who { at: ConversationId::new(&self.place, key.clone()), key, nick: "bob".into() };
        let say = self.files.offer(who, source, HERE, passive).expect("few are under way");
        self.says(say);
        let id = self.files.iter().next_back().expect("it was just added").id;
        self.ends(id);
    }

    #[track_caller]
    fn ends(&mut self, id: FileId) {
        let over = |alice: &Alice| alice.files.get(id).map(|file| file.state.clone()).filter(State::is_over);
        assert_eq!(self.until("it is over", over), State::Done);
    }

    /// Waits until the other one has a file of these bytes; a program may still be renaming it.
    #[track_caller]
    fn sees(&self, name: &str, bytes: &[u8]) {
        let deadline = Deadline::after(Deadline::DEFAULT);
        while fs::read(self.theirs.file(name)).ok().as_deref() != Some(bytes) {
            assert!(deadline.left().is_some(), "{name} is not there");
            std::thread::yield_now();
        }
    }

    /// Makes a file of these bytes that anybody may go on with.
    fn leaves(&self, name: &str, bytes: &[u8]) {
        let path = self.theirs.write(name, bytes);
        fs::set_permissions(path, Permissions::from_mode(0o666)).expect("it is ours");
    }
}

/// Bytes that are different everywhere.
fn noise(seed: u64) -> Vec<u8> {
    let mut number = seed;
    let next = || {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 56) as u8
    };
    std::iter::repeat_with(next).take(SIZE).collect()
}

#[test]
fn irssi_and_we_send_each_other_files() {
    let server = Server::start(&[]);
    let mut alice = Alice::enter(&server);
    let Some(irssi) = Irssi::run(&server, "bob") else { return };
    for line in [
        &format!("/set dcc_download_path {}", alice.theirs.path().display()),
        "/set dcc_autoget on",
        "/set dcc_autoresume on",
        // Port 0 is one.
        "/set dcc_autoaccept_lowports on",
    ] {
        irssi.types(line);
    }
    let (one, two, three) = (noise(1), noise(2), noise(3));
    irssi.types(&format!("/dcc send alice \"{}\"", alice.gives("from irssi.jpg", &one)));
    assert!(alice.receives("from irssi.jpg", None) == one);
    irssi.types(&format!("/dcc send -passive alice {}", alice.gives("passive.jpg", &two)));
    assert!(alice.receives("passive.jpg", None) == two);
    let _ = alice.folder.write("half.jpg.part", &three[..HALF]);
    irssi.types(&format!("/dcc send alice {}", alice.gives("half.jpg", &three)));
    assert!(alice.receives("half.jpg", Some(HALF as u64)) == three);

    alice.sends("to irssi.jpg", &one, false);
    alice.sees("to irssi.jpg", &one);
    alice.sends("passive to irssi.jpg", &two, true);
    alice.sees("passive to irssi.jpg", &two);
    alice.leaves("resumed.jpg", &three[..HALF]);
    alice.sends("resumed.jpg", &three, false);
    alice.sees("resumed.jpg", &three);
}

#[test]
fn weechat_and_we_send_each_other_files() {
    if !needs::have(&[WEECHAT]) {
        return;
    }
    let server = Server::start(&[]);
    let mut alice = Alice::enter(&server);
    let folder = format!("xfer.file.download_path {}", alice.theirs.path().display());
    let weechat = WeeChat::start(
        &server,
        &[
            &folder,
            "xfer.file.auto_accept_files on",
            "xfer.file.auto_resume on",
            "xfer.file.use_nick_in_filename off",
            "xfer.network.own_ip 127.0.0.1",
        ],
    );
    let types = |line: String| weechat.types("irc.server.parlor", &line);
    let (one, two) = (noise(4), noise(5));
    types(format!("/dcc send alice {}", alice.gives("weechat.jpg", &one)));
    assert!(alice.receives("weechat.jpg", None) == one);
    let _ = alice.folder.write("half.jpg.part", &two[..HALF]);
    types(format!("/dcc send alice {}", alice.gives("half.jpg", &two)));
    assert!(alice.receives("half.jpg", Some(HALF as u64)) == two);

    alice.sends("to weechat.jpg", &one, false);
    // Its names have no spaces.
    alice.sees("to_weechat.jpg", &one);
    alice.leaves("resumed.jpg.part", &two[..HALF]);
    alice.sends("resumed.jpg", &two, false);
    alice.sees("resumed.jpg", &two);
}

pub(crate) const HEXCHAT: &[Installed] = &[("hexchat", "hexchat"), ("Xvfb", "xvfb")];

/// HexChat that sends these files to alice as soon as it is in, and takes what she offers.
fn hexchat(server: &Server, alice: &Alice, display: &str, send: &[&str]) -> Running {
    let home = Scratch::new();
    let settings = format!(
        "version = 2.16.1\ngui_slist_skip = 1\ngui_join_dialog = 0\nidentd_server = 0\nnet_throttle = 0\n\
         dcc_auto_recv = 2\ndcc_auto_resume = 1\ndcc_dir = {0}\ndcc_ip = 127.0.0.1\ndcc_ip_from_server = 0\n\
         gui_autoopen_recv = 0\ngui_autoopen_send = 0\n",
        alice.theirs.path().display()
    );
    let commands: String = send.iter().map(|path| format!("C=dcc send alice \"{path}\"\n")).collect();
    let servers = format!(
        "v=2.16.1\n\nN=parlor\nI=bob\ni=bobby\nU=bob\nE=UTF-8 (Unicode)\nF=40\nD=0\n{commands}J=#lobby\nS=127.0.0.1/{}\n",
        server.address().port()
    );
    for (file, text) in [("hexchat.conf", settings), ("servlist.conf", servers)] {
        fs::set_permissions(home.write(file, text), Permissions::from_mode(0o666)).expect("it is ours");
    }
    hexchat_of(home, display, &[])
}

/// HexChat with the settings of this folder.
pub(crate) fn hexchat_of(home: Scratch, display: &str, options: &[&str]) -> Running {
    fs::set_permissions(home.path(), Permissions::from_mode(0o777)).expect("it is ours");
    let mut command = Command::new("hexchat");
    if rustix::process::geteuid().is_root() {
        command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "hexchat"]);
    }
    command
        .args(["-d", &home.file("")])
        .args(options)
        .envs([("DISPLAY", display), ("HOME", &home.file("")), ("LC_ALL", "C.UTF-8")])
        .env("DBUS_SESSION_BUS_ADDRESS", "disabled:")
        .env_remove("XDG_RUNTIME_DIR");
    Running::start(command, home)
}

#[test]
fn hexchat_and_we_send_each_other_files() {
    if !needs::have(HEXCHAT) {
        return;
    }
    let server = Server::start(&[]);
    let mut alice = Alice::enter(&server);
    let (_display, display) = display();
    let (one, two) = (noise(6), noise(7));
    let _ = alice.folder.write("half.jpg.part", &two[..HALF]);
    let send = [alice.gives("from hexchat.jpg", &one), alice.gives("half.jpg", &two)];
    let _hexchat = hexchat(&server, &alice, &display, &[&send[0], &send[1]]);
    assert!(alice.receives("from hexchat.jpg", None) == one);
    assert!(alice.receives("half.jpg", Some(HALF as u64)) == two);

    alice.sends("to_hexchat.jpg", &one, false);
    alice.sees("to_hexchat.jpg", &one);
    alice.leaves("resumed.jpg", &two[..HALF]);
    alice.sends("resumed.jpg", &two, false);
    alice.sees("resumed.jpg", &two);
}
