//! Several servers with one order.

use super::*;
use crate::testing::world::START;

/// Several hubs and their log; each applies it when a test says so.
struct Servers {
    worlds: Vec<World>,
    log: Vec<(u32, Position, Box<[u8]>)>,
    /// What each has applied.
    applied: Vec<usize>,
}

impl Servers {
    fn new(count: u32) -> Servers {
        let settings = |server| Settings {
            cluster: Some(server),
            oper_key: Some("open sesame".into()),
            durable: true,
            boot: 7 * MsgId::STARTS,
            ..Settings::default()
        };
        let mut worlds: Vec<World> = (1..=count).map(|server| World::with(settings(server))).collect();
        (1..).zip(&mut worlds).for_each(|(number, world)| world.tokens = 1000 * number);
        // Whoever starts later has the first one's state.
        let snapshot = worlds[0].hub.snapshot();
        for world in &mut worlds[1..] {
            assert!(world.hub.adopt(&snapshot, Default::default(), &Vec::new()));
        }
        Servers { worlds, log: Vec::new(), applied: vec![0; count as usize] }
    }

    /// What was proposed stands in the log.
    fn append(&mut self, server: usize) {
        let millis = START + self.worlds[server].now.as_millis() as u64;
        for (to, ticket, letter) in std::mem::take(&mut self.worlds[server].posted) {
            for (number, world) in (1..).zip(&mut self.worlds) {
                if to.is_none_or(|to| to == number) {
                    world.give(Input::Letter(letter.clone()));
                }
            }
            self.worlds[server].give(Input::Heard { ticket, heard: true });
        }
        for entry in std::mem::take(&mut self.worlds[server].proposed) {
            let at = Position { millis, count: self.log.len() as u64 };
            self.log.push((server as u32 + 1, at, entry));
        }
    }

    /// A server applies the next entry; whether there was one.
    fn apply(&mut self, server: usize) -> bool {
        let Some((by, at, entry)) = self.log.get(self.applied[server]).cloned() else { return false };
        self.applied[server] += 1;
        self.worlds[server].give(Input::Ordered { server: by, at, entry: entry.into() });
        self.worlds[server].check();
        let id = self.worlds[server].last;
        self.worlds[server].give(Input::Stored { upto: id });
        true
    }

    /// Everything has its turn everywhere.
    fn settle(&mut self) {
        loop {
            let count = self.worlds.len();
            (0..count).for_each(|server| self.append(server));
            let more = (0..count).map(|server| self.apply(server)).filter(|more| *more).count();
            if more == 0 {
                break;
            }
        }
        self.check();
    }

    fn check(&self) {
        let first = self.worlds[0].hub.shared();
        for world in &self.worlds {
            world.check();
            same(&world.hub.shared(), &first);
        }
    }

    fn irc(&mut self, server: usize, nick: &str) -> ConnectionId {
        let id = self.worlds[server].open_irc();
        self.say(server, id, &format!("NICK {nick}\nUSER u 0 * :real name\n"));
        self.worlds[server].heard(id);
        id
    }

    fn say(&mut self, server: usize, id: ConnectionId, lines: &str) {
        self.worlds[server].say(id, lines);
        self.settle();
    }

    fn heard(&mut self, server: usize, id: ConnectionId) -> Vec<String> {
        self.worlds[server].heard(id)
    }
}

/// Bytes for people to read.
fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\x00", " ")
}

/// Two snapshots are the same; else what is around their first difference is shown.
fn same(one: &[u8], other: &[u8]) {
    let at =
        one.iter().zip(other).position(|(one, other)| one != other).unwrap_or(one.len().min(other.len()));
    let around = |bytes: &[u8]| show(&bytes[at.saturating_sub(150)..bytes.len().min(at + 100)]);
    assert!(one == other, "they differ:\n{}\n{}", around(one), around(other));
}

#[test]
fn people_on_two_servers_are_in_one_room() {
    let mut servers = Servers::new(2);
    let (amy, bob) = (servers.irc(0, "amy"), servers.irc(1, "bob"));
    servers.say(0, amy, "JOIN #a\n");
    servers.say(1, bob, "JOIN #a\n");
    let heard = servers.heard(0, amy);
    assert!(heard.iter().any(|line| line.starts_with(":bob!") && line.ends_with("JOIN #a")), "{heard:?}");
    let heard = servers.heard(1, bob);
    assert!(heard.iter().any(|line| line.ends_with(" 353 bob = #a :@amy bob")), "{heard:?}");
    servers.say(0, amy, "PRIVMSG #a :hi\n");
    assert!(servers.heard(1, bob)[0].ends_with("PRIVMSG #a :hi"));
    servers.say(0, amy, "KICK #a bob\nNICK amanda\n");
    let heard = servers.heard(1, bob);
    assert!(heard[0].contains("KICK #a bob"), "{heard:?}");
}

#[test]
fn one_order_decides_who_has_a_name_a_room_and_the_last_place() {
    let mut servers = Servers::new(2);
    let (one, other) = (servers.worlds[0].open_irc(), servers.worlds[1].open_irc());
    for (server, id) in [(0, one), (1, other)] {
        servers.worlds[server].say(id, "NICK bob\nUSER u 0 * :x\n");
    }
    servers.settle();
    let (won, lost) = (servers.heard(0, one), servers.heard(1, other));
    assert!(won.iter().any(|line| line.contains(" 001 bob ")), "{won:?}");
    assert!(lost.iter().any(|line| line.contains(" 433 ")), "{lost:?}");
    servers.say(1, other, "NICK rob\n");
    assert!(servers.heard(1, other).iter().any(|line| line.contains(" 001 rob ")));
    servers.worlds[0].say(one, "JOIN #new\n");
    servers.worlds[1].say(other, "JOIN #new\n");
    servers.settle();
    let (won, lost) = (servers.heard(0, one), servers.heard(1, other));
    assert!(won.iter().any(|line| line.ends_with(" 353 bob = #new :@bob")), "{won:?}");
    assert!(lost.iter().any(|line| line.ends_with(" 353 rob = #new :@bob rob")), "{lost:?}");
    let (cat, dan) = (servers.irc(0, "cat"), servers.irc(1, "dan"));
    servers.say(0, one, "MODE #new +l 3\n");
    servers.worlds[1].say(dan, "JOIN #new\n");
    servers.append(1);
    servers.worlds[0].say(cat, "JOIN #new\n");
    servers.settle();
    assert!(servers.heard(0, cat).iter().any(|line| line.contains(" 471 ")));
    assert!(servers.heard(1, dan).iter().any(|line| line.contains(" 353 ")));
}

#[test]
fn members_of_a_server_that_is_gone_leave_in_one_batch() {
    let mut servers = Servers::new(3);
    let amy = servers.irc(0, "amy");
    servers.say(0, amy, "CAP REQ :batch message-tags server-time\nJOIN #a\n");
    for nick in ["bob", "cat"] {
        let id = servers.irc(1, nick);
        servers.say(1, id, "JOIN #a\n");
    }
    servers.heard(0, amy);
    // Nobody speaks for the second one any more.
    servers.worlds.remove(1);
    servers.applied.remove(1);
    let gone = servers.worlds[1].hub.gone(2);
    let at = Position { millis: START, count: servers.log.len() as u64 };
    servers.log.push((3, at, gone));
    while servers.apply(0) | servers.apply(1) {}
    servers.check();
    let heard = servers.heard(0, amy);
    assert!(heard.len() == 4 && heard[0].contains("BATCH +") && heard[0].contains(" netsplit "), "{heard:?}");
    assert!(heard[1].starts_with("@batch=") && heard[1].contains(":bob!"), "{heard:?}");
    assert!(heard[3].contains("BATCH -"), "{heard:?}");
}

/// Whatever people on several servers do at once, all servers are equal after the same entry.
#[test]
fn all_servers_are_equal_whatever_happens() {
    let seeds = crate::testing::random::given_seed().map_or(0..300, |seed| seed..seed + 1);
    for seed in seeds {
        let mut random = Random::new(seed);
        let mut servers = Servers::new(3);
        let mut people: Vec<(usize, ConnectionId)> = Vec::new();
        eprintln!("seed {seed}");
        for step in 0..400 {
            let below = |random: &mut Random, count: usize| random.below(count);
            match below(&mut random, 10) {
                0 if people.len() < 24 => {
                    let server = below(&mut random, 3);
                    let id = servers.worlds[server].open();
                    let speaks =
                        [Speaker::Irc, Speaker::Irc, Speaker::Plain, Speaker::Raw(crate::hub::RawKind::Bare)];
                    let speaker = speaks[below(&mut random, 4)];
                    servers.worlds[server].give(Input::News(id, News::Speaks(speaker, Some("raw".into()))));
                    let nick = format!("p{}", below(&mut random, 12));
                    let caps =
                        ["", "CAP REQ :parlor/resume message-tags batch echo-message labeled-response\n"];
                    let caps = caps[below(&mut random, 2)];
                    let line = match speaker {
                        Speaker::Irc => format!("{caps}NICK {nick}\nUSER u 0 * :x\nCAP END\n"),
                        _ => format!("{nick}\n"),
                    };
                    servers.worlds[server].say(id, &line);
                    people.push((server, id));
                }
                1 => {
                    let server = below(&mut random, 3);
                    servers.append(server);
                }
                2..=4 => {
                    let server = below(&mut random, 3);
                    servers.apply(server);
                }
                5 if step % 9 == 0 => {
                    let seconds = 1 + random.number(50);
                    servers.worlds.iter_mut().for_each(|world| world.pass(seconds));
                }
                _ if people.is_empty() => {}
                _ => {
                    let at = below(&mut random, people.len());
                    let (server, id) = people[at];
                    let room = ["#a", "#b", "#lobby", "#c"][below(&mut random, 4)];
                    let nick = format!("p{}", below(&mut random, 12));
                    let name = format!("@+parlor/id={:032x} ", random.below(40));
                    let lines = match below(&mut random, 30) {
                        0 => format!("JOIN {room}\n"),
                        1 => format!("JOIN #a,{room},#c\n"),
                        2 => format!("PART {room} :bye\n"),
                        3..=6 => format!("PRIVMSG {room} :hello\n"),
                        7 => format!("{name}PRIVMSG {room} :again\n"),
                        8 => format!("TOPIC {room} :{nick}\n"),
                        9 => format!("MODE {room} +o {nick}\n"),
                        10 => format!(
                            "MODE {room} +{} {nick}\n",
                            ["b", "e", "I", "v", "k", "-k"][below(&mut random, 6)]
                        ),
                        11 => format!(
                            "MODE {room} {}\n",
                            ["+i", "-i", "+m", "-m", "+s", "+f 5", "-f", "+l 3", "-l", "+R", "-R"]
                                [below(&mut random, 11)]
                        ),
                        12 => format!("KICK {room} {nick} :out\n"),
                        13 => format!("NICK {nick}\n"),
                        14 => format!("AWAY :{nick}\n"),
                        15 => "AWAY\n".into(),
                        16 => format!("INVITE {nick} {room}\n"),
                        17 => format!("HAND {room} UP\n"),
                        18 => format!("HAND {room} DOWN\n"),
                        19 => "MODE p1 +i\nSETNAME :other\n".into(),
                        20 => "OPER x :open sesame\n".into(),
                        21 => format!("KILL {nick} :because\n"),
                        22 => "QUIT :bye\n".into(),
                        23 => "NS REGISTER secret12\n".into(),
                        24 => format!("NS IDENTIFY {nick} secret12\n"),
                        25 => format!("PRIVMSG {nick} :psst\n"),
                        26 => "CONSOLE :hear\n".into(),
                        27 => format!("WALLOPS :{room}\n"),
                        28 => format!("@label=x JOIN {room},#new\n"),
                        _ => {
                            let token = 1000 * (1 + random.below(3)) + random.below(9);
                            format!("RESUME {token:032x}\n")
                        }
                    };
                    match below(&mut random, 25) {
                        0 => {
                            servers.worlds[server].give(Input::News(id, News::HungUp));
                            people.remove(at);
                        }
                        1 => servers.worlds[server].give(Input::Console(format!("/kick {nick} no"))),
                        2 => servers.worlds[server].give(Input::Console(format!("/op {nick} {room}"))),
                        3 => servers.worlds[server].give(Input::Console(format!("/forget {nick}"))),
                        4 => servers.worlds[server].give(Input::Console("hear, all".into())),
                        _ => servers.worlds[server].say(id, &lines),
                    }
                }
            }
        }
        servers.settle();
        // Who starts now knows the same.
        let settings =
            Settings { cluster: Some(9), durable: true, boot: 7 * MsgId::STARTS, ..Settings::default() };
        let mut late = World::with(settings);
        assert!(
            late.hub.adopt(&servers.worlds[1].hub.snapshot(), Default::default(), &Vec::new()),
            "seed {seed}"
        );
        assert_eq!(show(&late.hub.shared()), show(&servers.worlds[0].hub.shared()), "seed {seed}");
        late.check();
    }
}

#[test]
fn private_lines_reach_another_server_and_have_one_id_on_both_ends() {
    let mut servers = Servers::new(3);
    let (amy, bob) = (servers.irc(0, "amy"), servers.irc(1, "bob"));
    let caps = "CAP REQ :echo-message message-tags labeled-response\n";
    servers.say(0, amy, caps);
    servers.say(1, bob, caps);
    servers.say(0, amy, "@label=7 PRIVMSG bob :psst\n");
    let (said, heard) = (servers.heard(0, amy), servers.heard(1, bob));
    let id = |line: &str| line.split("msgid=").nth(1).map(|rest| rest[..23].to_owned());
    assert!(said[1].contains("label=7") && said[1].ends_with("PRIVMSG bob :psst"), "{said:?}");
    assert!(heard[1].ends_with(":amy!u@baaaaaaaaaaa.cloak PRIVMSG bob :psst"), "{heard:?}");
    assert_eq!(id(&said[1]), id(&heard[1]));
    assert!(servers.log.iter().all(|(_, _, entry)| !show(entry).contains("psst")), "it stands in the log");
    // Its server is gone, and nobody knows it yet.
    servers.worlds[0].say(amy, "PRIVMSG bob :hello?\n");
    let (_, ticket, _) = servers.worlds[0].posted.pop().unwrap();
    servers.worlds[0].give(Input::Heard { ticket, heard: false });
    servers.settle();
    let heard = servers.heard(0, amy);
    assert!(heard.len() == 1 && heard[0].contains(" 401 "), "{heard:?}");
}

#[test]
fn who_comes_back_on_another_server_has_its_place_and_what_it_missed() {
    let mut servers = Servers::new(2);
    let id = servers.worlds[0].open_irc();
    servers.say(0, id, "CAP REQ :parlor/resume message-tags\nNICK amy\nUSER u 0 * :x\nCAP END\nJOIN #a\n");
    let bob = servers.irc(1, "bob");
    servers.say(1, bob, "JOIN #a\n");
    servers.heard(1, bob);
    servers.worlds[0].give(Input::News(id, News::HungUp));
    servers.settle();
    servers.say(1, bob, "PRIVMSG amy :psst\n");
    let again = servers.worlds[1].open_irc();
    servers.say(1, again, "CAP REQ :parlor/resume message-tags\nRESUME 000000000000000000000000000003e9\n");
    servers.say(1, again, "USER u 0 * :x\nCAP END\n");
    servers.settle();
    let heard = servers.heard(1, again).join("\n");
    let order =
        ["RESUME ACCEPTED amy", " 001 amy ", "JOIN #a", "PRIVMSG amy :psst"].map(|what| heard.find(what));
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{heard}");
    assert!(servers.heard(1, bob).is_empty(), "nobody sees anything");
    assert!(servers.worlds[0].closed.contains(&id));
}

#[test]
fn two_who_bring_one_token_and_no_name_become_one_member() {
    let mut servers = Servers::new(2);
    let id = servers.worlds[0].open_irc();
    servers.say(0, id, "CAP REQ :parlor/resume\nNICK amy\nUSER u 0 * :x\nCAP END\n");
    let token = "RESUME 000000000000000000000000000003e9\n";
    let both = [servers.worlds[0].open_irc(), servers.worlds[1].open_irc()];
    for (server, id) in (0..).zip(both) {
        let come = format!("CAP REQ :parlor/resume\n{token}USER u 0 * :x\nCAP END\n");
        servers.worlds[server].say(id, &come);
    }
    servers.settle();
    let (won, lost) = (servers.heard(0, both[0]).join("\n"), servers.heard(1, both[1]).join("\n"));
    assert!(won.contains(" 001 amy "), "{won}");
    assert!(!lost.contains(" 001 "), "{lost}");
    servers.say(1, both[1], "NICK bob\n");
    let lost = servers.heard(1, both[1]).join("\n");
    assert!(lost.contains(" 001 bob "), "{lost}");
    let guests = servers.worlds[0].hub.guests();
    assert_eq!(guests.len(), 2, "{guests:?}");
}

#[test]
fn what_a_program_asks_for_later_decides_nothing_for_others() {
    let mut servers = Servers::new(2);
    let amy = servers.irc(0, "amy");
    servers.say(0, amy, "NS REGISTER correct-horse\n");
    for (first, later) in
        [("", "CAP REQ :parlor/resume\n"), ("CAP REQ :parlor/resume\n", "CAP REQ :-parlor/resume\n")]
    {
        let id = servers.worlds[1].open_irc();
        servers.say(1, id, &format!("{first}NICK other\nUSER u 0 * :x\nCAP END\n"));
        // The check of all hubs is in each step.
        servers.say(1, id, &format!("{later}JOIN #a\nNS IDENTIFY amy correct-horse\n"));
    }
}

#[test]
fn a_room_that_gets_slower_holds_up_nobody_who_may_speak() {
    let mut servers = Servers::new(2);
    let (amy, bob) = (servers.irc(0, "amy"), servers.irc(1, "bob"));
    servers.say(0, amy, "JOIN #a\nMODE #a +f 5\n");
    servers.say(1, bob, "JOIN #a\nPRIVMSG #a :one\n");
    servers.worlds.iter_mut().for_each(|world| world.pass(10));
    servers.say(0, amy, "MODE #a +f 3600\n");
    servers.heard(0, amy);
    servers.say(1, bob, "PRIVMSG #a :two\n");
    assert!(servers.heard(0, amy)[0].ends_with(":two"));
}

#[test]
fn what_was_said_before_a_connection_broke_has_its_turn() {
    for end in [News::HungUp, News::Broken] {
        let mut servers = Servers::new(2);
        let (amy, bob) = (servers.irc(0, "amy"), servers.irc(1, "bob"));
        servers.say(0, amy, "JOIN #a\n");
        servers.say(1, bob, "JOIN #a\n");
        servers.heard(1, bob);
        servers.worlds[0].say(amy, "PRIVMSG #a :one\nPRIVMSG #a :two\nQUIT :bye\n");
        servers.worlds[0].give(Input::News(amy, end));
        servers.settle();
        let heard = servers.heard(1, bob);
        for (line, end) in heard.iter().zip([":one", ":two", ":Quit: bye"]) {
            assert!(line.ends_with(end), "{heard:?}");
        }
        assert_eq!(heard.len(), 3, "{heard:?}");
    }
}

#[test]
fn what_two_accounts_say_to_each_other_is_kept_by_every_server() {
    let mut servers = Servers::new(3);
    let (amy, bob) = (with_account(&mut servers, 0, "amy"), with_account(&mut servers, 1, "bob"));
    servers.say(0, amy, "CAP REQ :draft/chathistory message-tags server-time batch\nPRIVMSG bob :one\n");
    // To somebody of the same server, and to somebody who is nowhere.
    servers.say(1, bob, "QUIT\n");
    let bob = about_to_come(&mut servers, 0, ("bob", "bob"));
    servers.say(0, bob, "CAP END\nPRIVMSG amy :two\n");
    servers.say(0, bob, "QUIT\n");
    servers.say(0, amy, "PRIVMSG bob :three\n");
    assert!(servers.log.iter().all(|(_, _, entry)| !show(entry).contains("three")), "it stands in the log");
    servers.heard(0, amy);
    servers.say(0, amy, "CHATHISTORY LATEST bob * 10\n");
    let here = servers.heard(0, amy);
    servers.say(0, amy, "QUIT\n");
    for (server, world) in [(1, "another"), (2, "a third")] {
        let amy = about_to_come(&mut servers, server, ("amy", "amy"));
        servers.say(server, amy, "CAP REQ :draft/chathistory message-tags server-time batch\nCAP END\n");
        servers.heard(server, amy);
        servers.say(server, amy, "CHATHISTORY LATEST bob * 10\n");
        let there = servers.heard(server, amy);
        let ids = |lines: &[String]| -> Vec<String> {
            let told = lines.iter().filter(|line| line.contains(" PRIVMSG "));
            told.map(|line| line.split_once("msgid=").unwrap().1[..23].to_owned()).collect()
        };
        assert_eq!((ids(&here).len(), ids(&here)), (3, ids(&there)), "{world}: {there:?}");
        servers.say(server, amy, "QUIT\n");
    }
}

#[test]
fn a_private_line_that_is_too_long_is_told_to_nobody() {
    let mut servers = Servers::new(2);
    let (amy, bob) = (servers.irc(0, "amy"), servers.irc(1, "bob"));
    servers.say(0, amy, &format!("PRIVMSG bob :{}\n", "x".repeat(490)));
    assert!(servers.heard(0, amy)[0].contains(" 417 "));
    assert!(servers.heard(1, bob).is_empty());
}

#[test]
fn a_letter_that_is_overtaken_by_its_entry_is_told_all_the_same() {
    let mut servers = Servers::new(2);
    let (amy, bob) = (servers.irc(0, "amy"), servers.irc(1, "bob"));
    servers.worlds[0].say(amy, "PRIVMSG bob :late\n");
    let (_, ticket, letter) = servers.worlds[0].posted.pop().unwrap();
    servers.worlds[0].give(Input::Heard { ticket, heard: true });
    servers.settle();
    assert!(servers.heard(1, bob).is_empty());
    servers.worlds[1].give(Input::Letter(letter));
    assert!(servers.heard(1, bob)[0].ends_with("PRIVMSG bob :late"));
}

#[test]
fn an_account_that_is_forgotten_while_its_owner_comes_is_nobodys_everywhere() {
    let mut servers = Servers::new(2);
    let amy = servers.irc(0, "amy");
    servers.say(0, amy, "NS REGISTER correct-horse\nQUIT\n");
    let id = servers.worlds[1].open_irc();
    servers.worlds[1].say(id, "CAP REQ :sasl\nNICK eve\nUSER u 0 * :x\nAUTHENTICATE PLAIN\n");
    let plain = crate::protocol::base64::encode(b"\0amy\0correct-horse");
    servers.worlds[1].say(id, &format!("AUTHENTICATE {plain}\nCAP END\n"));
    servers.worlds[0].give(Input::Console("/forget amy".into()));
    servers.append(0);
    servers.settle();
    assert!(servers.heard(1, id).join("\n").contains(" 001 eve "));
}

/// Somebody on a server has an account now.
fn with_account(servers: &mut Servers, server: usize, nick: &str) -> ConnectionId {
    let id = servers.irc(server, nick);
    servers.say(server, id, "NS REGISTER secret12\n");
    id
}

/// Somebody is about to be a member, and has shown whose account this is.
fn about_to_come(servers: &mut Servers, server: usize, (nick, account): (&str, &str)) -> ConnectionId {
    let id = servers.worlds[server].open_irc();
    let proof = crate::protocol::base64::encode(format!("\0{account}\0secret12").as_bytes());
    let lines =
        format!("CAP REQ :sasl\nNICK {nick}\nUSER u 0 * :x\nAUTHENTICATE PLAIN\nAUTHENTICATE {proof}\n");
    servers.say(server, id, &lines);
    let heard = servers.heard(server, id);
    assert!(heard.iter().any(|line| line.contains(" 903 ")), "{heard:?}");
    id
}

#[test]
fn who_comes_for_a_place_that_is_left_meanwhile_has_a_name() {
    let mut servers = Servers::new(2);
    let old = with_account(&mut servers, 0, "bob");
    let new = about_to_come(&mut servers, 1, ("bob", "bob"));
    servers.worlds[0].say(old, "QUIT\n");
    servers.append(0);
    servers.worlds[1].say(new, "CAP END\n");
    servers.settle();
    let heard = servers.heard(1, new);
    assert!(heard.iter().any(|line| line.contains(" 001 bob ")), "{heard:?}");
    // The same with a token; it was handed to somebody who chose no name.
    let old = servers.worlds[0].open_irc();
    servers.say(0, old, "CAP REQ :parlor/resume\nNICK amy\nUSER u 0 * :x\nCAP END\n");
    let heard = servers.heard(0, old).join("\n");
    let token = heard.split("RESUME TOKEN ").nth(1).and_then(|rest| rest.get(..32)).expect("a token");
    let new = servers.worlds[1].open_irc();
    servers.say(1, new, &format!("CAP REQ :parlor/resume\nRESUME {token}\nUSER u 0 * :x\n"));
    servers.worlds[0].say(old, "QUIT\n");
    servers.append(0);
    servers.worlds[1].say(new, "CAP END\n");
    servers.settle();
    let heard = servers.heard(1, new).join("\n");
    assert!(heard.contains("RESUME ACCEPTED amy") && heard.contains("FAIL RESUME INVALID_TOKEN"), "{heard}");
    servers.say(1, new, "NICK amy\n");
    let heard = servers.heard(1, new);
    assert!(heard.iter().any(|line| line.contains(" 001 amy ")), "{heard:?}");
}

#[test]
fn an_account_that_has_changed_before_a_login_has_its_turn_lets_nobody_in() {
    let mut servers = Servers::new(2);
    let amy = servers.irc(1, "amy");
    let bob = with_account(&mut servers, 0, "bob");
    servers.say(0, bob, "QUIT\n");
    // Another password.
    servers.worlds[0].give(Input::Console("/password bob".into()));
    servers.append(0);
    servers.worlds[1].say(amy, "NS IDENTIFY bob secret12\n");
    servers.settle();
    let heard = servers.heard(1, amy);
    assert!(heard.iter().any(|line| line.contains(" 904 ")), "{heard:?}");
    assert!(!heard.iter().any(|line| line.contains(" 900 ")), "{heard:?}");
    // Nobody's any more, while its owner is about to be a member.
    let cat = with_account(&mut servers, 0, "cat");
    servers.say(0, cat, "QUIT\n");
    let dan = about_to_come(&mut servers, 1, ("dan", "cat"));
    servers.worlds[0].give(Input::Console("/forget cat".into()));
    servers.append(0);
    servers.worlds[1].say(dan, "CAP END\n");
    servers.settle();
    servers.say(1, dan, "WHOIS dan\n");
    let heard = servers.heard(1, dan);
    assert!(heard.iter().any(|line| line.contains(" 311 dan dan ")), "{heard:?}");
    assert!(!heard.iter().any(|line| line.contains(" 330 ")), "{heard:?}");
}

/// A server that begins anew has another number, and hears what was asked before.
#[test]
fn what_is_answered_to_a_hub_is_no_answer_to_the_next_one() {
    let mut servers = Servers::new(2);
    let tickets = [0, 1].map(|server| {
        let id = servers.irc(server, ["amy", "bob"][server]);
        servers.worlds[server].derive = Some(Vec::new());
        servers.say(server, id, "NS REGISTER secret12\n");
        let asked = servers.worlds[server].derive.iter().flatten();
        asked.map(|(ticket, _)| *ticket).collect::<Vec<u64>>()
    });
    let [one, other] = &tickets;
    assert!(one.len() == 1 && other.len() == 1, "{tickets:?}");
    assert!(one.iter().all(|ticket| !other.contains(ticket)), "{tickets:?}");
}

#[test]
fn a_private_line_that_its_entry_has_overtaken_is_kept_behind_what_came_between() {
    let mut servers = Servers::new(2);
    let (amy, bob) = (with_account(&mut servers, 0, "amy"), with_account(&mut servers, 1, "bob"));
    servers.say(0, amy, "JOIN #a\n");
    servers.say(1, bob, "JOIN #a\n");
    servers.worlds[0].say(amy, "PRIVMSG bob :psst\n");
    let (_, ticket, letter) = servers.worlds[0].posted.pop().expect("a letter");
    servers.worlds[0].give(Input::Heard { ticket, heard: true });
    servers.say(0, amy, "PRIVMSG #a :hi\n");
    let before = servers.worlds[1].last;
    servers.worlds[1].give(Input::Letter(letter));
    let late = servers.worlds[1].last;
    assert!(late > before, "{late} after {before}");
    servers.say(0, amy, "PRIVMSG #a :hi again\n");
    assert!(servers.worlds[1].last > late);
    let heard = servers.heard(1, bob).join("\n");
    assert!(heard.contains("PRIVMSG bob :psst"), "{heard}");
}
