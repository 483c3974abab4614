//! A person at a window, another one at a terminal, and the server that both are on.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use parlor_client::bridge::Bridge;
use parlor_client::folder::Folder;
use parlor_client::host::Host;
use parlor_server::Config;
use parlor_ui::slint::{ComponentHandle, Model};
use parlor_ui::{
    App, BrowseView, ComposerView, ConnectView, LineRow, PeopleView, RoomView, RoomsView, Screen, Shell,
    StatusView, TimelineView,
};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A window and what it remembers, gone when dropped.
pub(crate) struct Person {
    pub(crate) app: App,
    pub(crate) bridge: Rc<Bridge>,
    pub(crate) folder: PathBuf,
}

impl Person {
    pub(crate) fn new(name: &str) -> Person {
        let folder = std::env::temp_dir().join(format!("parlor-window-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Person::again(folder)
    }

    /// A start with what was remembered before.
    pub(crate) fn again(folder: PathBuf) -> Person {
        thread_local!(static READY: () = i_slint_backend_testing::init_no_event_loop());
        READY.with(|()| ());
        let app = App::new().unwrap();
        let bridge = Bridge::new(&app, Folder::open(Some(folder.clone())).unwrap());
        Person { app, bridge, folder }
    }

    pub(crate) fn rooms(&self) -> RoomsView<'_> {
        self.app.global()
    }

    pub(crate) fn room(&self) -> RoomView<'_> {
        self.app.global()
    }

    pub(crate) fn status(&self) -> StatusView<'_> {
        self.app.global()
    }

    pub(crate) fn timeline(&self) -> TimelineView<'_> {
        self.app.global()
    }

    pub(crate) fn composer(&self) -> ComposerView<'_> {
        self.app.global()
    }

    pub(crate) fn people(&self) -> PeopleView<'_> {
        self.app.global()
    }

    pub(crate) fn browse(&self) -> BrowseView<'_> {
        self.app.global()
    }

    pub(crate) fn card(&self) -> ConnectView<'_> {
        self.app.global::<ConnectView>()
    }

    /// Joins through the card, and waits for the room.
    pub(crate) fn joins(&self, server: SocketAddr, name: &str) {
        self.card().set_name(name.into());
        self.card().set_address(server.to_string().into());
        self.card().set_room("#lobby".into());
        self.card().invoke_join();
        self.until("the room", |this| {
            this.app.global::<Shell>().get_screen() == Screen::Room && this.room().get_key() == "#lobby"
        });
    }

    pub(crate) fn says(&self, text: &str) {
        self.composer().set_draft(text.into());
        self.composer().invoke_send();
    }

    #[expect(clippy::disallowed_methods, reason = "a deadline for what comes over a socket")]
    pub(crate) fn until(&self, what: &str, come: impl Fn(&Person) -> bool) {
        let started = Instant::now();
        loop {
            self.bridge.pump();
            if come(self) {
                return;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "waited for {what}\ncard: {}{}\nrows: {:#?}",
                self.card().get_name_error(),
                self.card().get_address_error(),
                self.texts()
            );
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// Waits until the composer says why it has a text back.
    pub(crate) fn waits_for_complaint(&self, text: &str) {
        self.until(text, |person| person.composer().get_complaint().contains(text));
    }

    pub(crate) fn rows(&self) -> Vec<LineRow> {
        self.timeline().get_lines().iter().collect()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.rows().iter().map(|row| format!("{:?} {} {}", row.kind, row.name, row.plain)).collect()
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.texts().iter().any(|row| row.contains(text))
    }

    pub(crate) fn waits_for(&self, text: &str) {
        self.until(text, |this| this.has(text));
    }

    pub(crate) fn row(&self, text: &str) -> (i32, LineRow) {
        let rows = self.rows();
        let at = rows
            .iter()
            .position(|row| row.plain == text)
            .unwrap_or_else(|| panic!("{text}: {:?}", self.texts()));
        (at as i32, rows[at].clone())
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        self.bridge.finish();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn server() -> Host {
    server_at("127.0.0.1:0")
}

pub(crate) fn server_at(bind: &str) -> Host {
    Host::start(Config { bind: vec![bind.into()], ..Config::default() }).unwrap()
}

/// Somebody at a terminal.
pub(crate) struct Terminal(pub(crate) BufReader<TcpStream>);

impl Terminal {
    pub(crate) fn joins(server: SocketAddr, name: &str) -> Terminal {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut terminal = Terminal(BufReader::new(stream));
        terminal.types(name);
        terminal.reads("Welcome");
        terminal
    }

    pub(crate) fn types(&mut self, line: &str) {
        writeln!(self.0.get_mut(), "{line}").unwrap();
    }

    pub(crate) fn reads(&mut self, text: &str) -> String {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "closed before {text:?}; it said:\n{seen}");
            if line.contains(text) {
                return line;
            }
            seen += &line;
        }
    }
}
