//! Our window, of which a place with several addresses is one: it goes on to another server by itself.

use std::time::Duration;

use parlor_client::net;
use parlor_client::session::{Action, Delivery, Event, HostPort, Key, Profile, Status};
use parlor_client::testing::Screen;
use parlor_tests::{Deadline, Server};

use crate::house::House;

struct Window {
    connection: net::Connection,
    screen: Screen,
    /// The server that answered last.
    met: Option<HostPort>,
}

fn at(server: &Server) -> HostPort {
    HostPort::new("127.0.0.1", server.address().port())
}

impl Window {
    fn open(servers: &[&Server], nick: &str) -> Window {
        let mut addresses = servers.iter().map(|server| at(server));
        let profile = Profile {
            server: addresses.next().expect("a server"),
            others: addresses.collect(),
            nick: nick.into(),
            rooms: vec!["#tea".into()],
            ..Profile::default()
        };
        let connection = net::start(profile).expect("a thread");
        Window { connection, screen: Screen::default(), met: None }
    }

    fn act(&self, action: Action) {
        self.connection.actions.send_blocking(action).expect("it runs");
    }

    /// Shows what happens until this holds.
    #[track_caller]
    fn until(&mut self, what: &str, holds: impl Fn(&Window) -> bool) {
        let deadline = Deadline::after(Duration::from_secs(40));
        while !holds(self) {
            assert!(deadline.left().is_some(), "{what}: {:?}", self.screen);
            let Ok(events) = self.connection.events.try_recv() else {
                std::thread::sleep(Duration::from_millis(2));
                continue;
            };
            for event in events {
                if let Event::Met { server, .. } = &event {
                    self.met = Some(server.clone());
                }
                self.screen.show(&event);
            }
        }
    }

    fn is_in(&self) -> bool {
        let connected = matches!(self.screen.status, Some(Status::Connected { .. }));
        connected && self.screen.names("#tea").len() == 2
    }

    /// How often a line is shown, and whether it was delivered, if it is our own.
    fn shows(&self, text: &str) -> (usize, bool) {
        let lines = self.screen.lines("#tea").iter().filter(|line| line.text() == text);
        let lines: Vec<_> = lines.collect();
        (lines.len(), lines.iter().all(|line| !line.own() || line.state() == Delivery::Delivered))
    }
}

#[test]
fn a_window_goes_on_to_the_next_server_and_nothing_it_said_is_lost() {
    let Some(house) = House::new() else { return };
    let (one, other) = (house.server(1), house.server(2));
    let mut amy = Window::open(&[&one, &other], "amy");
    let mut bob = Window::open(&[&other], "bob");
    amy.until("amy is in", Window::is_in);
    bob.until("bob is in", Window::is_in);
    assert_eq!(amy.met, Some(at(&one)));
    let say = |text: &str| Action::Say { text: text.into(), to: Key::new("#tea") };
    amy.act(say("before"));
    bob.until("the first line", |bob| bob.shows("before") == (1, true));
    one.crash();
    amy.act(say("behind"));
    bob.act(say("and you?"));
    bob.until("the second line", |bob| bob.shows("behind") == (1, true));
    let second = at(&other);
    amy.until("amy is on the other one", |amy| amy.is_in() && amy.met.as_ref() == Some(&second));
    for text in ["before", "behind", "and you?"] {
        amy.until(text, |amy| amy.shows(text) == (1, true));
        bob.until(text, |bob| bob.shows(text) == (1, true));
    }
}
