//! Sessions and the real server's hub in one process, without a network.

use parlor_server::hub;

use super::*;

/// A hub, and the sessions at its other end.
pub(super) struct Party {
    pub(super) server: parlor_server::testing::World,
    pub(super) members: Vec<World>,
    connections: Vec<Option<hub::ConnectionId>>,
}

impl Party {
    fn new(names: &[&str]) -> Party {
        let mut party = Party::of(hub::Settings::default());
        names.iter().for_each(|name| party.come(name, Login::default()));
        party
    }

    pub(super) fn of(settings: hub::Settings) -> Party {
        let mut server = parlor_server::testing::World::with(settings);
        server.exact = true;
        Party { server, members: Vec::new(), connections: Vec::new() }
    }

    /// One more comes.
    pub(super) fn come(&mut self, name: &str, login: Login) {
        // Of two with one name each names its lines in its own way.
        let realname = format!("{} {}", name, self.members.len());
        self.members.push(World { login, ..World::new(Profile { realname, ..profile(name) }) });
        self.connections.push(None);
        self.settle();
    }

    /// Carries everything there and back until nobody has anything to say.
    pub(super) fn settle(&mut self) {
        loop {
            let mut quiet = true;
            for i in 0..self.members.len() {
                for call in std::mem::take(&mut self.members[i].calls) {
                    quiet = false;
                    self.call(i, call);
                }
                quiet &= !self.carry(i);
            }
            if quiet {
                return;
            }
        }
    }

    /// Carries what a member has sent, and what everybody is sent; says whether there was anything.
    fn carry(&mut self, i: usize) -> bool {
        let sent = std::mem::take(&mut self.members[i].sent);
        if let Some(id) = self.connections[i].filter(|_| !sent.is_empty()) {
            let block = sent.join("\r\n") + "\r\n";
            self.server.give(hub::Input::News(id, hub::News::Lines(block.as_bytes().into())));
        }
        self.deliver();
        !sent.is_empty()
    }

    fn deliver(&mut self) {
        loop {
            for i in 0..self.members.len() {
                let Some(id) = self.connections[i] else { continue };
                for line in self.server.received(id) {
                    self.members[i].give(Input::Received(&line));
                }
                if self.server.closed.contains(&id) {
                    self.connections[i] = None;
                    self.members[i].give(Input::Lost(GONE));
                }
            }
            let Some(id) = self.server.more.pop() else { return };
            self.server.give(hub::Input::News(id, hub::News::Drained));
        }
    }

    fn call(&mut self, i: usize, call: &str) {
        // What was sent before goes first.
        self.carry(i);
        if let Some(id) = self.connections[i].take() {
            self.server.give(hub::Input::News(id, hub::News::HungUp));
        }
        if call == "connect" {
            self.connections[i] = Some(self.server.open_irc());
            let login = self.members[i].login.clone();
            self.members[i].give(Input::Connected(login));
        }
        self.deliver();
    }

    pub(super) fn act(&mut self, i: usize, action: Action) {
        self.members[i].act(action);
        self.settle();
    }

    pub(super) fn command(&mut self, i: usize, line: &str) {
        self.members[i].command("#lobby", line);
        self.settle();
    }

    pub(super) fn say(&mut self, i: usize, text: &str) {
        self.members[i].say("#lobby", text);
        self.settle();
    }

    /// The network loses a connection; the server notices only if it is told.
    pub(super) fn cut(&mut self, i: usize, server_knows: bool) {
        let Some(id) = self.connections[i].take() else { return };
        if server_knows {
            self.server.give(hub::Input::News(id, hub::News::HungUp));
        }
        self.members[i].give(Input::Lost(GONE));
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            for member in &mut self.members {
                member.pass(Duration::from_secs(1));
            }
            self.server.pass(1);
            self.deliver();
            self.settle();
        }
    }

    fn all_delivered(&self, i: usize) -> bool {
        self.members[i].states("#lobby").iter().all(|state| *state == Delivery::Delivered)
    }
}

#[test]
fn two_sessions_and_the_real_hub() {
    let mut party = Party::new(&["amy", "bob"]);
    for member in &party.members {
        assert_eq!(member.screen.status, Some(Status::Connected { server: "Parlor".into() }));
        assert_eq!(member.names("#lobby"), ["amy", "bob"]);
    }

    party.say(0, "hello, bob");
    party.say(1, &"a long answer of 小明 ".repeat(60));
    party.command(1, "/me waves");
    let heard = party.members[0].talk("#lobby");
    assert_eq!(heard, party.members[1].talk("#lobby"), "all see the same in the same order");
    assert_eq!(heard.len(), 3);
    let said: String = heard[1..heard.len() - 1].iter().map(|line| &line["bob: ".len()..]).collect();
    assert_eq!(said, "a long answer of 小明 ".repeat(60));
    assert!(party.all_delivered(0) && party.all_delivered(1));
    assert!(
        party.members[1].screen.lines["#lobby"]
            .iter()
            .any(|line| line.mention() && line.text() == "hello, bob")
    );

    party.command(0, "/msg bob psst");
    assert_eq!(party.members[1].talk("amy"), ["amy: psst"]);
    assert_eq!(party.members[0].states("bob"), [Delivery::Delivered]);

    party.act(1, Action::Rename { nick: "Robert".into() });
    assert_eq!(party.members[0].names("#lobby"), ["amy", "Robert"]);
    assert!(party.members[0].screen.lines.contains_key("robert"), "the private conversation moved");
    assert_eq!(party.members[1].last("amy").kind(), LineKind::Said);

    party.server.give(hub::Input::Console("/op amy #lobby".into()));
    party.deliver();
    party.settle();
    assert_eq!(party.members[1].screen.people["#lobby"][0].rank, Rank::Operator);
    party.command(0, "/topic Be kind");
    assert_eq!(party.members[1].last("#lobby").kind(), LineKind::Topic);
    party.command(0, "/kick robert enough");
    assert_eq!(party.members[1].last("#lobby").kind(), LineKind::Kicked, "what was said is still there");
    let closed = party.members[1].events().into_iter().any(|event| {
        matches!(event, Event::Out { why: Some(why), .. } if why.to_string() == "amy sent you out of #lobby: enough")
    });
    assert!(closed);
    assert_eq!(party.members[0].names("#lobby"), ["amy"]);

    party.act(1, Action::Join { room: "#lobby".into(), key: None });
    assert_eq!(party.members[1].names("#lobby"), ["amy", "Robert"]);
    let topic = party.members[1].events().into_iter().any(|event| matches!(event, Event::Topic { .. }));
    assert!(!topic, "it is as it was");
    party.act(1, Action::Leave { key: Key::new("#lobby") });
    assert_eq!(party.members[0].last("#lobby").kind(), LineKind::Left);
}

#[test]
fn a_lost_connection_loses_nothing() {
    let mut party = Party::new(&["amy", "bob"]);
    party.pass(12);
    party.members[1].say("#lobby", "under way when it broke");
    party.members[1].sent.clear();
    party.cut(1, true);
    party.members[1].say("#lobby", "typed while it was away");
    assert!(!party.all_delivered(1));
    party.settle();
    assert_eq!(party.members[1].screen.status, Some(Status::Connected { server: "Parlor".into() }));
    assert!(party.all_delivered(1), "{:?}", party.members[1].states("#lobby"));
    assert_eq!(
        party.members[0].talk("#lobby"),
        ["bob: under way when it broke", "bob: typed while it was away"]
    );
    assert_eq!(party.members[1].talk("#lobby"), party.members[0].talk("#lobby"));
    assert_eq!(party.members[1].names("#lobby"), ["amy", "bob"]);
}

#[test]
fn a_line_whose_echo_was_lost_is_seen_once() {
    let mut party = Party::new(&["amy", "bob"]);
    party.pass(12);
    // The line arrives, its echo does not.
    let id = party.connections[1].expect("connected");
    party.members[1].say("#lobby", "once");
    let sent = std::mem::take(&mut party.members[1].sent).join("\r\n") + "\r\n";
    party.server.give(hub::Input::News(id, hub::News::Lines(sent.as_bytes().into())));
    party.server.received(id);
    party.deliver();
    assert!(!party.all_delivered(1));
    party.cut(1, true);
    party.settle();
    assert!(party.all_delivered(1));
    assert_eq!(party.members[0].talk("#lobby"), ["bob: once"]);
}

#[test]
fn who_comes_back_while_the_old_connection_stands_is_the_same() {
    let mut party = Party::new(&["amy", "bob"]);
    party.pass(12);
    party.cut(1, false);
    party.settle();
    assert_eq!(party.members[0].names("#lobby"), ["amy", "bob"]);
    party.say(1, "it is me");
    assert_eq!(party.members[0].talk("#lobby"), ["bob: it is me"]);
    party.pass(120);
    assert_eq!(party.members[0].names("#lobby"), ["amy", "bob"]);
}

#[test]
fn a_silent_day_keeps_everybody() {
    let mut party = Party::new(&["amy", "bob"]);
    party.members.iter_mut().for_each(|member| drop(member.look()));
    party.pass(3600);
    for member in &mut party.members {
        assert_eq!(member.names("#lobby"), ["amy", "bob"]);
        assert!(!member.events().iter().any(|event| matches!(event, Event::Status(_))));
    }
}

#[test]
fn a_taken_name_and_the_suggested_one() {
    let mut party = Party::new(&["amy", "AMY"]);
    let suggestion = party.members[1].events().into_iter().find_map(|event| match event {
        Event::Refused(refusal) => refusal.suggestion,
        _ => None,
    });
    let nick = suggestion.expect("another name is offered");
    party.act(1, Action::Rename { nick: nick.clone() });
    party.act(1, Action::RetryNow);
    assert_eq!(party.members[0].names("#lobby"), ["amy".to_owned(), nick]);
}
