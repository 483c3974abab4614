//! The client library over real sockets, while the server is killed: what its windows would show is the history.

use std::time::Duration;

use parlor_client::net::{self, Connection};
use parlor_client::session::{Action, Delivery, Key, Profile};
use parlor_client::testing::Screen;
use parlor_server::testing::Random;
use parlor_tests::{Deadline, Launch, Scratch, Server};

use crate::kill::history;

const WINDOWS: usize = 5;
const ROUNDS: usize = 4;
/// Lines that each says while one server runs: some before it falls, some while it is away.
const LINES: usize = 30;
/// How long a client may take to be back: its attempts are up to 8 s apart after so many losses.
const BACK: Duration = Duration::from_secs(25);

struct Window {
    connection: Connection,
    screen: Screen,
}

#[test]
fn windows_show_the_history_after_crashes() {
    let scratch = Scratch::new();
    let data = scratch.file("data");
    // They come back to the same address.
    let mut server = Launch::new(&["--data", &data]).without_console().start();
    let address = server.address();
    let bind = address.to_string();
    let room = Key::new("#lobby");
    let mut windows: Vec<Window> = (0..WINDOWS).map(|i| Window::open(i, &server)).collect();
    let mut random = Random::drawn();
    wait(&mut windows, "the room", |window| window.screen.lines.contains_key(&room));
    for round in 0..ROUNDS {
        for line in 0..LINES {
            for (i, window) in windows.iter_mut().enumerate() {
                let text = format!("{i} says {line} of {round}");
                window
                    .connection
                    .actions
                    .send_blocking(Action::Say { to: room.clone(), text })
                    .expect("it runs");
            }
            if line == LINES / 2 {
                std::thread::sleep(Duration::from_millis(random.below(40) as u64));
                server.signal("KILL");
                assert_eq!(server.wait().code, -1);
                server = Launch::new(&["--data", &data, "--bind", &bind]).without_console().start();
            }
        }
    }
    let all = WINDOWS * ROUNDS * LINES;
    let named = |window: &Window| window.talk(&room).iter().filter(|(msgid, _)| !msgid.is_empty()).count();
    wait(&mut windows, "all lines", |window| named(window) >= all);
    let settled =
        |window: &Window| window.screen.lines[&room].iter().all(|line| line.state() != Delivery::Pending);
    wait(&mut windows, "receipts", settled);
    let history = history(&server);
    assert_eq!(history.len(), all, "each line is kept once");
    for (i, window) in windows.iter().enumerate() {
        let shown: Vec<String> = window.talk(&room).into_iter().map(|(msgid, _)| msgid).collect();
        assert!(
            shown.iter().eq(history.iter().map(|(msgid, _)| msgid)),
            "window {i} shows the history in its order"
        );
    }
}

/// Follows all windows until something is so of each.
#[track_caller]
fn wait(windows: &mut [Window], what: &str, is_so: impl Fn(&Window) -> bool) {
    let deadline = Deadline::after(BACK);
    loop {
        windows.iter_mut().for_each(Window::follow);
        let Some(late) = windows.iter().position(|window| !is_so(window)) else { return };
        assert!(
            deadline.left().is_some(),
            "window {late} waits for {what}: {:?}",
            windows[late].screen.lines
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Window {
    fn open(i: usize, server: &Server) -> Window {
        let address = server.address();
        let profile = Profile {
            server: address.into(),
            nick: format!("win{i}"),
            rooms: vec!["#lobby".into()],
            ..Profile::default()
        };
        Window { connection: net::start(profile).expect("a thread"), screen: Screen::default() }
    }

    /// Takes what has happened meanwhile. A client whose window takes nothing waits.
    fn follow(&mut self) {
        while let Ok(events) = self.connection.events.try_recv() {
            events.iter().for_each(|event| self.screen.show(event));
        }
    }

    /// What was said, with its msgid.
    fn talk(&self, key: &Key) -> Vec<(String, String)> {
        let said = self.screen.lines(key.as_str()).iter().filter(|line| line.is_talk());
        said.map(|line| (line.msgid().unwrap_or_default().into_owned(), line.text().to_owned())).collect()
    }
}
