//! Sessions and the real server's hub in one process, without a network.

use std::collections::HashMap;

use parlor_server::hub;

use super::*;

/// A hub, and the sessions at its other end.
struct Party {
    hub: hub::Hub,
    members: Vec<World>,
    /// Who is behind which connection of the hub.
    lines_to: HashMap<hub::ConnectionId, usize>,
    connections: Vec<Option<hub::ConnectionId>>,
    opened: u32,
    now: Duration,
}

impl Party {
    fn new(names: &[&str]) -> Party {
        let mut party = Party {
            hub: hub::Hub::new(hub::Settings::default(), moment(Duration::ZERO)),
            members: names.iter().map(|name| World::new(profile(name))).collect(),
            lines_to: HashMap::new(),
            connections: vec![None; names.len()],
            opened: 0,
            now: Duration::ZERO,
        };
        party.settle();
        party
    }

    /// Carries everything there and back until nobody has anything to say.
    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            for i in 0..self.members.len() {
                for call in std::mem::take(&mut self.members[i].calls) {
                    quiet = false;
                    self.call(i, call);
                }
                let sent = std::mem::take(&mut self.members[i].sent);
                if let Some(id) = self.connections[i].filter(|_| !sent.is_empty()) {
                    quiet = false;
                    let block = sent.join("\r\n") + "\r\n";
                    self.give(hub::Input::Lines { id, block: block.as_bytes() });
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn call(&mut self, i: usize, call: &str) {
        if let Some(id) = self.connections[i].take() {
            // What was sent before goes first.
            let sent = std::mem::take(&mut self.members[i].sent);
            if !sent.is_empty() {
                let block = sent.join("\r\n") + "\r\n";
                self.give(hub::Input::Lines { id, block: block.as_bytes() });
            }
            self.lines_to.remove(&id);
            self.give(hub::Input::HungUp { id });
        }
        if call == "connect" {
            let id = hub::ConnectionId { slot: self.opened, generation: 1 };
            self.opened += 1;
            let peer = ([127, 0, 0, 1], 1000 + self.opened as u16).into();
            self.give(hub::Input::Opened {
                id,
                peer,
                cloak: u64::from(self.opened),
                token: u128::from(self.opened),
                raw: false,
            });
            self.give(hub::Input::Speaks { id, speaker: hub::Speaker::Irc, name: None });
            self.connections[i] = Some(id);
            self.lines_to.insert(id, i);
            self.members[i].give(Input::Connected);
        }
    }

    fn give(&mut self, input: hub::Input<'_>) {
        self.hub.handle(input, moment(self.now));
        let outputs: Vec<hub::Output> = self.hub.drain().collect();
        let (mut more, mut questions) = (Vec::new(), Vec::new());
        for output in outputs {
            match output {
                hub::Output::Line { to, line } => {
                    if let Some(i) = self.lines_to.get(&to) {
                        self.members[*i].give(Input::Received(&line));
                    }
                }
                hub::Output::Close { id } => {
                    if let Some(i) = self.lines_to.remove(&id) {
                        self.connections[i] = None;
                        self.members[i].give(Input::Lost("The connection was closed"));
                    }
                }
                hub::Output::More { id } => more.push(id),
                hub::Output::Console(_)
                | hub::Output::Log(_)
                | hub::Output::Warn(_)
                | hub::Output::Stop(_) => {}
                // Nothing is remembered here, and every question is answered with that.
                hub::Output::Read { ticket, .. } => questions.push(ticket),
                hub::Output::Store(_) | hub::Output::Room { .. } => {}
                hub::Output::Detach { .. } | hub::Output::Hold { .. } | hub::Output::Release { .. } => {}
            }
        }
        for ticket in questions {
            let answer = hub::history::Answer::Lines { found: Vec::new(), more: None };
            self.give(hub::Input::Answer { ticket, answer });
        }
        for id in more {
            self.give(hub::Input::Drained { id });
        }
    }

    fn act(&mut self, i: usize, action: Action) {
        self.members[i].act(action);
        self.settle();
    }

    fn command(&mut self, i: usize, line: &str) {
        self.members[i].command("#lobby", line);
        self.settle();
    }

    fn say(&mut self, i: usize, text: &str) {
        self.members[i].say("#lobby", text);
        self.settle();
    }

    /// The network loses a connection; the server notices only if it is told.
    fn cut(&mut self, i: usize, server_knows: bool) {
        let Some(id) = self.connections[i].take() else { return };
        self.lines_to.remove(&id);
        if server_knows {
            self.give(hub::Input::HungUp { id });
        }
        self.members[i].give(Input::Lost("The connection was reset"));
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            for member in &mut self.members {
                member.pass(Duration::from_secs(1));
            }
            self.settle();
            if self.hub.next_timeout().is_some_and(|at| at <= self.now) {
                self.give(hub::Input::Tick);
                self.settle();
            }
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
        assert_eq!(member.status, Some(Status::Connected { server: "Parlor".into() }));
        assert_eq!(member.names("#lobby"), ["amy", "bob"]);
    }

    party.say(0, "hello, bob");
    party.say(1, &"a long answer of 小明 ".repeat(60));
    party.command(1, "/me waves");
    let heard = party.members[0].talk("#lobby");
    assert_eq!(heard, party.members[1].talk("#lobby"), "all see the same in the same order");
    assert!(heard.len() >= 5);
    let said: String = heard[1..heard.len() - 1].iter().map(|line| &line["bob: ".len()..]).collect();
    assert_eq!(said, "a long answer of 小明 ".repeat(60));
    assert!(party.all_delivered(0) && party.all_delivered(1));
    assert!(
        party.members[1].lines["#lobby"].iter().any(|line| line.mention() && line.text() == "hello, bob")
    );

    party.command(0, "/msg bob psst");
    assert_eq!(party.members[1].talk("amy"), ["amy: psst"]);
    assert_eq!(party.members[0].states("bob"), [Delivery::Delivered]);

    party.act(1, Action::Rename { nick: "Robert".into() });
    assert_eq!(party.members[0].names("#lobby"), ["amy", "Robert"]);
    assert!(party.members[0].lines.contains_key("robert"), "the private conversation moved");
    assert_eq!(party.members[1].last("amy").kind(), LineKind::Said);

    party.give(hub::Input::Console("/op amy #lobby"));
    party.settle();
    assert_eq!(party.members[1].people["#lobby"][0].rank, Rank::Operator);
    party.command(0, "/topic Be kind");
    assert_eq!(party.members[1].last("#lobby").kind(), LineKind::Topic);
    party.command(0, "/kick robert enough");
    assert!(!party.members[1].lines.contains_key("#lobby"));
    let closed = party.members[1].events().into_iter().any(|event| {
        matches!(event, Event::Closed { why: Some(why), .. } if why == "amy put you out of #lobby: enough")
    });
    assert!(closed);
    assert_eq!(party.members[0].names("#lobby"), ["amy"]);

    party.act(1, Action::Join { room: "#lobby".into(), key: None });
    assert_eq!(party.members[1].names("#lobby"), ["amy", "Robert"]);
    let topic = party.members[1]
        .events()
        .into_iter()
        .any(|e| matches!(e, Event::Topic { text, .. } if text == "Be kind"));
    assert!(topic);
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
    assert_eq!(party.members[1].status, Some(Status::Connected { server: "Parlor".into() }));
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
    party.lines_to.remove(&id);
    party.give(hub::Input::Lines { id, block: sent.as_bytes() });
    party.lines_to.insert(id, 1);
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
