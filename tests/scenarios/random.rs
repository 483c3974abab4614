//! Random bytes and random commands over many connections, and what must hold whatever they are.
//!
//! Each run has another seed, printed on failure; `PARLOR_SEED` repeats one.

use std::collections::{BTreeMap, BTreeSet};

use parlor_server::testing::Random;
use parlor_tests::{Irc, Message, Plain, Server};

const ROOMS: [&str; 4] = ["#lobby", "#tea", "#Кухня", "#a"];
const NICKS: [&str; 10] = ["ann", "Ben", "cat", "Дед", "eve", "小明", "g[]", "Zoë", "i^", "j|"];
const STEPS: usize = 10_000;

#[test]
fn the_server_outlives_nonsense_and_everybody_agrees_on_who_is_where() {
    let mut random = Random::drawn();
    let server = Server::start(&["--max-clients-per-ip", "1000", "--raw-bind", "127.0.0.1:0"]);
    let mut people: Vec<Person> = NICKS.iter().take(8).map(|nick| Person::come(&server, nick)).collect();
    let mut strangers: Vec<Plain> = Vec::new();
    for step in 0..STEPS {
        let who = random.below(people.len());
        match random.below(100) {
            0 => strangers.push(stranger(&server, &mut random)),
            1 => people[who].leave_and_come_back(&server, step),
            _ => people[who].irc.send_bytes(line(&mut random)),
        }
        if step % 25 == 0 {
            people.iter_mut().for_each(Person::catch_up);
        }
    }
    for mut stranger in strangers {
        // The end of their stream ends them, whatever they were.
        stranger.close_writing();
        stranger.read_to_end();
    }
    // What the last one caused reaches the first the second time.
    for _ in 0..2 {
        people.iter_mut().for_each(Person::catch_up);
    }
    let mut seen = 0;
    for room in ROOMS {
        let inside = |person: &&mut Person| person.rooms.contains_key(room);
        let believe: BTreeSet<String> =
            people.iter_mut().filter(inside).map(|person| person.nick.clone()).collect();
        for person in people.iter_mut().filter(inside) {
            // Its own view, the server's, and what the others believe of themselves.
            assert_eq!(person.rooms.get(room), Some(&believe), "what {} was told of {room}", person.nick);
            assert_eq!(person.names(room), believe, "NAMES of {room} for {}", person.nick);
            seen += 1;
        }
    }
    assert!(seen > 0, "a run in which everybody is nowhere shows nothing");
    let mut last = server.irc("last");
    last.join("#last");
    assert!(!server.log().text().contains("panicked"), "{}", server.log().text());
    // Who has read everything holds up nothing.
    drop((people, last));
    assert_eq!(server.stop(), 0);
}

#[test]
fn capabilities_that_do_not_fit_an_answer_make_no_line_too_long() {
    // Found by the test above.
    let server = Server::start(&[]);
    let mut irc = Irc::connect(&server);
    let most = 512 - "CAP REQ :\r\n".len();
    for request in ["x".repeat(most), "server-time ".repeat(most / 12)] {
        irc.send(&format!("CAP REQ :{request}"));
        // `Irc` fails on what is longer than 512 bytes.
        irc.settle();
    }
}

/// Someone over IRC with a view of the rooms they are in, kept from nothing but what they are told.
struct Person {
    irc: Irc,
    nick: String,
    rooms: BTreeMap<String, BTreeSet<String>>,
    /// Between our JOIN and the end of its NAMES.
    entering: BTreeSet<String>,
}

impl Person {
    fn come(server: &Server, nick: &str) -> Self {
        let irc = server.irc(nick);
        Self { irc, nick: nick.to_owned(), rooms: BTreeMap::new(), entering: BTreeSet::new() }
    }

    fn leave_and_come_back(&mut self, server: &Server, step: usize) {
        self.irc.send("QUIT :later");
        self.irc.expect_closed();
        *self = Self::come(server, &format!("back{step}"));
    }

    /// Reads everything up to now; [`Irc`] fails on what is no message, too long or not UTF-8.
    fn catch_up(&mut self) {
        for message in self.irc.settle() {
            self.see(&message);
        }
    }

    fn see(&mut self, message: &Message) {
        let (who, room) = (message.nick().to_owned(), message.param(0).to_owned());
        match message.command.as_str() {
            "JOIN" if who == self.nick => {
                self.rooms.insert(room.clone(), BTreeSet::new());
                self.entering.insert(room);
            }
            "353" if self.entering.contains(message.param(2)) => {
                let names = message.last().split(' ').map(bare);
                self.rooms.entry(message.param(2).to_owned()).or_default().extend(names);
            }
            "366" => {
                self.entering.remove(message.param(1));
            }
            "JOIN" => {
                let new = self.room(&room, message).insert(who);
                assert!(new, "{} was told twice: {message}", self.nick);
            }
            "PART" => self.gone(&room, &who, message),
            "KICK" => {
                let kicked = message.param(1).to_owned();
                self.gone(&room, &kicked, message);
            }
            "QUIT" => {
                let left = self.rooms.values_mut().filter_map(|members| members.take(&who)).count();
                let known = left > 0 || !self.entering.is_empty();
                assert!(known, "{} shared no room with them: {message}", self.nick);
            }
            "NICK" => {
                for members in self.rooms.values_mut() {
                    if members.remove(&who) {
                        members.insert(message.last().to_owned());
                    }
                }
                if who == self.nick {
                    message.last().clone_into(&mut self.nick);
                }
            }
            _ => {}
        }
    }

    fn room(&mut self, room: &str, message: &Message) -> &mut BTreeSet<String> {
        let nick = &self.nick;
        self.rooms.get_mut(room).unwrap_or_else(|| panic!("{nick} is not in that room: {message}"))
    }

    /// Whoever has much to read gets names late: then somebody may leave who was not named yet.
    fn gone(&mut self, room: &str, who: &str, message: &Message) {
        let was_there = self.room(room, message).remove(who) || self.entering.contains(room);
        assert!(was_there, "{} never saw them come: {message}", self.nick);
        if who == self.nick {
            self.rooms.remove(room);
            // Its names do not come any more; who asks for them later is not in it for that.
            self.entering.remove(room);
        }
    }

    /// What the server says who is in a room.
    fn names(&mut self, room: &str) -> BTreeSet<String> {
        let lines = self.irc.ask_all(&format!("NAMES {room}"));
        lines.iter().filter(|m| m.command == "353").flat_map(|m| m.last().split(' ').map(bare)).collect()
    }
}

/// A name out of NAMES, without ranks and without what userhost-in-names adds.
fn bare(name: &str) -> String {
    name.trim_start_matches(['@', '+']).split('!').next().unwrap_or_default().to_owned()
}

/// Random bytes at either door, some of them from somebody who came as a person or a raw.
fn stranger(server: &Server, random: &mut Random) -> Plain {
    let at_raws = random.below(2) == 0;
    let mut stranger = if at_raws { Plain::connect_to(server.raw_address()) } else { server.plain() };
    if random.below(2) == 0 {
        stranger.send_bytes(format!("stranger{}\n", random.below(1000)));
    }
    for _ in 0..=random.below(5) {
        let length = random.below(3000);
        let bytes: Vec<u8> = match random.below(3) {
            0 => (0..length).map(|_| random.byte()).collect(),
            1 => (0..length).map(|_| *random.pick(b"abc /#\n<:&> ")).collect(),
            _ => (0..length / 50).flat_map(|_| line(random)).collect(),
        };
        stranger.send_bytes(bytes);
    }
    stranger
}

/// One line of somebody who goes on afterwards: a command that may be valid, or anything without NUL.
fn line(random: &mut Random) -> Vec<u8> {
    if random.below(12) == 0 {
        let length = random.below(700);
        let mut bytes: Vec<u8> = (0..length).map(|_| random.byte().max(1)).collect();
        bytes.extend(b"\r\n");
        return bytes;
    }
    let (room, other, nick) = (*random.pick(&ROOMS), *random.pick(&ROOMS), *random.pick(&NICKS));
    let text = text(random);
    let modes = ["+m", "-m", "+i", "-i", "+k x", "-k x", "+l 3", "-l", "+s", "-s", "+n-t", "+b", "+b *!*@*"];
    let mode = random.pick(&modes);
    let templates = [
        format!("JOIN {room}"),
        format!("JOIN {room},{other} x"),
        format!("join {}", room.to_lowercase()),
        format!("PART {room} :{text}"),
        format!("PRIVMSG {room} :{text}"),
        format!("PRIVMSG {nick},{room} :{text}"),
        format!("NOTICE @{room} :{text}"),
        format!("@+typing=active;+x=\\s\\:{text} TAGMSG {room}"),
        format!("TOPIC {room} :{text}"),
        format!("TOPIC {room}"),
        format!("MODE {room} {mode}"),
        format!("MODE {room} +o {nick}"),
        format!("MODE {room} -b+v *!*@* {nick}"),
        format!("MODE {nick} +iwB"),
        format!("KICK {room} {nick} :{text}"),
        format!("KICK {room},{other} {nick},{nick} :{text}"),
        format!("INVITE {nick} {room}"),
        format!("NICK {nick}"),
        format!("NICK {}", nick.to_uppercase()),
        format!("NICK {text}"),
        format!("NAMES {room}"),
        format!("WHO {room} %tcuhsnfar,7"),
        format!("WHOIS {nick}"),
        format!("LIST {room}"),
        format!("AWAY :{text}"),
        format!("SETNAME :{text}"),
        format!("MONITOR + {nick},{text}"),
        format!("CAP REQ :{text}"),
        "CAP REQ :message-tags server-time echo-message extended-join multi-prefix userhost-in-names"
            .to_owned(),
        "CAP REQ :-message-tags -server-time -echo-message batch labeled-response away-notify setname"
            .to_owned(),
        format!("@label={} WHO {room}", random.below(99)),
        format!("@label=x PRIVMSG {room} :{text}"),
        format!("OPER {nick} {text}"),
        format!("JOIN {text}"),
        "JOIN 0".to_owned(),
        format!("{text} {room} {nick}"),
    ];
    let place = random.below(templates.len());
    let mut line = templates.into_iter().nth(place).unwrap_or_default().into_bytes();
    if random.below(20) == 0 {
        let end = random.below(line.len() + 1);
        line.truncate(end);
    }
    line.extend(if random.below(2) == 0 { &b"\r\n"[..] } else { b"\n" });
    line
}

fn text(random: &mut Random) -> String {
    let alphabet =
        ['a', 'B', ' ', ':', ',', '#', '@', '!', '*', '\u{1}', '\u{2}', 'é', '明', '😀', '\u{202e}', '\\'];
    let length = if random.below(10) == 0 { random.below(520) } else { random.below(20) };
    (0..length).map(|_| *random.pick(&alphabet)).collect()
}
