//! Our own window, without its pixels: the client library as the window drives it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use parlor_client::net::{self, Connection};
use parlor_client::session::{Action, Event, HostPort, Key, Line, LineKind, Profile};
use parlor_tests::{Deadline, Server};

/// In the default room until it is dropped.
pub(crate) struct Window {
    connection: Connection,
    shown: Arc<Mutex<Shown>>,
    nick: String,
}

/// What has come of the session's events.
#[derive(Default)]
struct Shown {
    timeline: Vec<Line>,
    in_the_room: bool,
}

impl Window {
    /// Joins the default room.
    #[track_caller]
    pub(crate) fn open(server: &Server, nick: &str) -> Self {
        let address = server.address();
        let profile = Profile {
            server: HostPort::new(address.ip().to_string(), address.port()),
            nick: nick.into(),
            realname: nick.into(),
            rooms: vec!["#lobby".into()],
            ..Profile::default()
        };
        let connection = net::start(profile).expect("a thread");
        let shown = Arc::<Mutex<Shown>>::default();
        let (events, show) = (connection.events.clone(), Arc::clone(&shown));
        // A session waits for who does not take its events.
        thread::spawn(move || {
            while let Ok(batch) = events.recv_blocking() {
                let mut shown = show.lock().unwrap_or_else(PoisonError::into_inner);
                batch.into_iter().for_each(|event| shown.show(event));
            }
        });
        let window = Self { connection, shown, nick: nick.to_owned() };
        let deadline = Deadline::after(Deadline::DEFAULT);
        while !window.shown().in_the_room {
            assert!(deadline.left().is_some(), "the window is not in the room");
            thread::sleep(Duration::from_millis(5));
        }
        window
    }

    /// Says something in the room.
    pub(crate) fn says(&self, text: &str) {
        let say = Action::Say { to: Key::new("#lobby"), text: text.to_owned() };
        self.connection.actions.try_send(say).expect("room for an action");
    }

    /// What was said, as the timeline shows it, a line each: `<name> text`.
    pub(crate) fn screen(&self) -> String {
        let shown = self.shown();
        let said = shown.timeline.iter().filter(|line| line.kind() == LineKind::Said);
        said.map(|line| {
            let from = if line.from().is_empty() { &self.nick } else { line.from() };
            format!("<{from}> {}\n", line.text())
        })
        .collect()
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn show(&mut self, event: Event) {
        match event {
            Event::People { people, .. } => self.in_the_room |= !people.is_empty(),
            Event::Lines { lines, .. } => self.timeline.extend(lines),
            Event::Inserted { before, lines, .. } => {
                let below = self.timeline.iter().position(|line| line.id() == before);
                let at = below.unwrap_or(self.timeline.len());
                self.timeline.splice(at..at, lines);
            }
            Event::Removed { ids, .. } => self.timeline.retain(|line| !ids.contains(&line.id())),
            _ => {}
        }
    }
}
