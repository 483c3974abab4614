//! What people do.

use parlor_client::session::{
    Action, Delivery, HostPort, Input, Key, Line, LineId, Output, Profile, Session, Status,
};

use crate::link::{Caller, Way};
use crate::person::Person;
use crate::world::{Happening, ROOMS, World};

/// Lines of somebody who pastes a text.
const PASTE: usize = 40;

impl World {
    pub(crate) fn add_person(&mut self, i: usize) {
        let rooms = if self.random.permille(500) { &ROOMS[..] } else { &ROOMS[..1] };
        let profile = Profile {
            server: HostPort::new("parlor.test", 49806),
            nick: format!("ann{i}"),
            rooms: rooms.iter().map(|room| (*room).to_owned()).collect(),
            ..Profile::default()
        };
        let session = Session::new(profile.clone(), self.secret(), self.moment_of(self.now));
        self.persons.push(Person::new(profile, session, self.now));
        self.follow(i);
        self.after((100, 3000), Happening::Act(i));
    }

    fn secret(&mut self) -> [u8; 16] {
        u128::from(self.random.next()).to_le_bytes()
    }

    pub(crate) fn give_person(&mut self, i: usize, input: Input<'_>) {
        let moment = self.moment_of(self.persons[i].started);
        self.persons[i].session.handle(input, moment);
        self.follow(i);
    }

    /// Does what a session wants.
    fn follow(&mut self, i: usize) {
        let outputs: Vec<Output> = self.persons[i].session.drain().collect();
        for output in outputs {
            match output {
                Output::Connect => {
                    let link = self.call(Caller::Person(i));
                    self.persons[i].link = Some(link);
                }
                Output::Disconnect => {
                    if let Some(link) = self.persons[i].link.take() {
                        self.hang_up(link);
                    }
                }
                Output::Send(bytes) => {
                    if let Some(link) = self.persons[i].link {
                        self.send(link, Way::Up, &bytes);
                    }
                }
                Output::Keep(unsent) => self.persons[i].note(self.now, unsent),
                Output::Event(event) => {
                    self.trace.say(self.now, || format!("ann{i} sees {event:?}"));
                    self.persons[i].show(&event);
                }
            }
        }
        let mut doubled =
            self.persons[i].doubled.iter().filter(|(_, word)| !self.oracle.may_be_doubled(word));
        assert!(doubled.next().is_none(), "ann{i} sees lines twice: {:?}", self.persons[i].doubled);
        for key in std::mem::take(&mut self.persons[i].closed) {
            self.excuse(i, |room, _| room == key.as_str());
        }
    }

    /// Lines of a person that nobody has promised yet may be lost.
    fn excuse(&mut self, i: usize, which: impl Fn(&str, &str) -> bool) {
        for (word, said) in &mut self.oracle.said {
            if said.by == Some(i) && which(said.room, word) {
                said.excused = true;
            }
        }
    }

    /// The client program of somebody ends, and is started again.
    pub(crate) fn restart_a_client(&mut self) {
        let i = self.random.below(self.persons.len());
        let unsent = self.persons[i].noted(self.now);
        self.trace.say(self.now, || format!("ann{i} starts anew with {} unsent lines", unsent.len()));
        if let Some(link) = self.persons[i].link.take() {
            self.hang_up(link);
        }
        self.excuse(i, |_, word| {
            !unsent.iter().any(|unsent| crate::oracle::word(&unsent.text) == Some(word))
        });
        let profile = Profile {
            server: HostPort::new("parlor.test", 49806),
            nick: format!("ann{i}"),
            rooms: vec![ROOMS[0].into()],
            unsent,
            ..Profile::default()
        };
        let session = Session::new(profile.clone(), self.secret(), self.moment_of(self.now));
        self.persons[i] = Person::new(profile, session, self.now);
        self.follow(i);
    }

    pub(crate) fn act(&mut self, i: usize) {
        let room = *self.random.pick(&ROOMS);
        let to = Key::new(room);
        let other = self.random.below(self.persons.len());
        let nick = self.persons[other].nick.clone();
        let open = self.persons[i].screen.lines.contains_key(&to);
        self.come_in(i);
        let action = match self.random.below(100) {
            0..58 if open => Action::Say { text: self.line(i, room), to },
            58..66 if open => {
                let count = 2 + self.random.below(3);
                Action::Say { text: self.paste(i, room, count), to }
            }
            66..68 if open => Action::Say { text: self.paste(i, room, PASTE), to },
            68..72 if open => Action::Me { text: self.line(i, room), to },
            72..75 if open => Action::Leave { key: to },
            75..78 => Action::Rename { nick: format!("ann{i}{}", ["", "x", "y"][self.random.below(3)]) },
            78..81 if open => Action::Kick { room: to, nick, why: "enough".into() },
            81..84 if open => Action::Topic { room: to, text: format!("topic {}", self.random.below(9)) },
            84..88 => {
                Action::Say { text: format!("psst {}", self.now.as_millis()), to: self.private(i, &nick) }
            }
            88..91 if open => Action::Older { key: to },
            91..93 => match self.persons[i].in_state(Delivery::Failed).next() {
                Some((key, line)) => Action::Retry { to: key.clone(), id: line.id() },
                None => Action::RetryNow,
            },
            95..98 if open => match self.deletable(i, &to) {
                Some(id) => Action::Delete { to, id, reason: String::new() },
                None => Action::RetryNow,
            },
            98 if open => match self.reactable(i, &to) {
                Some(id) => Action::React { to, id, emoji: "👍".into(), on: true },
                None => Action::RetryNow,
            },
            93..95 if open => Action::Find { key: to, text: "w1".into() },
            _ => Action::Join { room: room.into(), key: None },
        };
        self.trace.say(self.now, || format!("ann{i} does {action:?}"));
        self.give_person(i, Input::Act(action));
    }

    /// Somebody whose program has given up tries again, perhaps under another name.
    pub(crate) fn come_in(&mut self, i: usize) {
        if matches!(self.persons[i].screen.status, Some(Status::Offline { .. })) {
            if self.random.permille(500) {
                let nick = format!("ann{i}{}", ["", "x", "y"][self.random.below(3)]);
                self.give_person(i, Input::Act(Action::Rename { nick }));
            }
            self.give_person(i, Input::Act(Action::RetryNow));
        }
    }

    /// A line of its own that it may take back.
    fn deletable(&mut self, i: usize, key: &Key) -> Option<LineId> {
        let own = |line: &&Line| {
            line.own() && line.state() == Delivery::Delivered && line.deleted().is_none() && line.is_talk()
        };
        let own: Vec<LineId> =
            self.persons[i].screen.lines(key.as_str()).iter().filter(own).map(Line::id).collect();
        if own.is_empty() { None } else { Some(*self.random.pick(&own)) }
    }

    fn reactable(&mut self, i: usize, key: &Key) -> Option<LineId> {
        let lines = self.persons[i].screen.lines(key.as_str()).iter();
        let lines: Vec<LineId> = lines.filter(|line| line.is_talk()).map(Line::id).collect();
        if lines.is_empty() { None } else { Some(*self.random.pick(&lines)) }
    }

    fn line(&mut self, i: usize, room: &'static str) -> String {
        let word = self.oracle.say(Some(i), room);
        let filler = ["", "hello, 小明", "a longer thought that goes on", "::", "@x=y :z"];
        let text = format!("{word} {}", filler[self.random.below(filler.len())]).trim_end().to_owned();
        self.oracle.said.get_mut(&word).expect("just said").text.clone_from(&text);
        text
    }

    /// A text of so many lines, which is one message.
    fn paste(&mut self, i: usize, room: &'static str, count: usize) -> String {
        let word = self.oracle.say(Some(i), room);
        let more = ["", "\tan indented line", "fn main() {}", "小明 said so", "x"];
        let mut lines = vec![word.clone()];
        lines.extend((2..count).map(|_| more[self.random.below(more.len())].to_owned()));
        lines.push("the end".into());
        let text = lines.join("\n");
        self.oracle.said.get_mut(&word).expect("just said").text.clone_from(&text);
        text
    }

    fn private(&mut self, i: usize, nick: &str) -> Key {
        self.give_person(i, Input::Act(Action::Private { nick: nick.to_owned() }));
        Key::new(nick)
    }

    pub(crate) fn call_as_stranger(&mut self, i: usize) {
        let link = self.call(Caller::Stranger(i));
        self.strangers[i].link = Some(link);
    }

    pub(crate) fn talk_as_stranger(&mut self, i: usize) {
        if let Some(link) = self.strangers[i].link.filter(|_| self.strangers[i].welcome) {
            let word = self.oracle.say(None, ROOMS[0]);
            let line = match self.random.below(40) {
                0 => "PART #lobby :soon back\r\nJOIN #lobby\r\n".to_owned(),
                _ => format!("PRIVMSG #lobby :{word}\r\n"),
            };
            self.send(link, Way::Up, line.as_bytes());
        }
    }
}
