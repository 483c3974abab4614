//! A server of our own that does everything slightly wrong, one thing at a time.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use super::*;

/// Lines that one says: more than may be under way.
const LINES: usize = 20;

/// What becomes of a PING.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pong {
    Right,
    /// With a token of the server's own.
    Other,
    /// ERR_UNKNOWNCOMMAND.
    Unknown,
    Never,
}

/// What a server does that others do otherwise.
#[derive(Debug, Clone, Copy)]
struct Habits {
    name: &'static str,
    pong: Pong,
    /// RPL_ENDOFMOTD, or nothing.
    ends_welcome: bool,
    /// Numerics begin with the client's name.
    names_us: bool,
    nicklen: usize,
    isupport: &'static str,
    caps: &'static str,
    room: &'static str,
    /// Before the room in what it relays.
    rank: &'static str,
    /// Bytes before the source of what it relays.
    tags: usize,
    /// What it relays is not what was said.
    alters: fn(&str) -> Vec<u8>,
    /// Somebody answers each line at once.
    answers: bool,
}

fn as_it_is(text: &str) -> Vec<u8> {
    text.into()
}

const PLAIN: Habits = Habits {
    name: "irc.sloppy.test",
    pong: Pong::Right,
    ends_welcome: true,
    names_us: true,
    nicklen: 30,
    isupport: "CHANTYPES=# PREFIX=(ov)@+",
    caps: "",
    room: "#tea",
    rank: "",
    tags: 0,
    alters: as_it_is,
    answers: false,
};

/// Who is here: a name, and where it listens.
type People = Arc<Mutex<Vec<(String, TcpStream)>>>;

struct Sloppy {
    port: u16,
}

impl Sloppy {
    fn start(habits: Habits) -> Sloppy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
        let port = listener.local_addr().expect("it is bound").port();
        let people = People::default();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let people = Arc::clone(&people);
                // It ends with its client.
                thread::spawn(move || drop(serve(habits, stream, &people)));
            }
        });
        Sloppy { port }
    }
}

fn serve(habits: Habits, mut stream: TcpStream, people: &People) -> std::io::Result<()> {
    let Habits { name, room, .. } = habits;
    let (mut me, mut caps) = (String::new(), String::new());
    write!(stream, ":{name} NOTICE AUTH :*** Looking up your hostname\r\n")?;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        let line =
            line.strip_prefix('@').map_or(&*line, |tagged| tagged.split_once(' ').unwrap_or_default().1);
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let to = if habits.names_us { format!("{me} ") } else { String::new() };
        match verb {
            "CAP" if rest.starts_with("LS") => write!(stream, ":{name} CAP * LS :{}\r\n", habits.caps)?,
            "CAP" if rest.starts_with("REQ") => {
                caps = rest.trim_start_matches("REQ :").to_owned();
                write!(stream, ":{name} CAP * ACK :{caps}\r\n")?;
            }
            "NICK" => {
                me = rest.chars().take(habits.nicklen).collect();
                if habits.caps.is_empty() {
                    continue;
                }
            }
            "USER" if habits.caps.is_empty() => welcome(habits, &mut stream, &to_of(habits, &me))?,
            "CAP" if rest == "END" && !habits.caps.is_empty() => welcome(habits, &mut stream, &to)?,
            "JOIN" => {
                let mut people = people.lock().expect("nobody panics");
                people.push((me.clone(), stream.try_clone()?));
                for (_, other) in people.iter_mut() {
                    let _ = write!(other, ":{me}!u@h JOIN :{room}\r\n");
                }
                let names: Vec<&str> = people.iter().map(|(nick, _)| &**nick).collect();
                let names = names.join(" ");
                write!(
                    stream,
                    ":{name} 353 {to}= {room} :{names} helper\r\n:{name} 366 {to}{room} :End\r\n"
                )?;
                write!(stream, ":{name} NOTICE {me} :Be kind\r\n")?;
            }
            "PING" => match habits.pong {
                Pong::Right => write!(stream, ":{name} PONG {name} {rest}\r\n")?,
                Pong::Other => write!(stream, ":{name} PONG {name} :1732800000\r\n")?,
                Pong::Unknown => write!(stream, ":{name} 421 {to}PING :Unknown command\r\n")?,
                Pong::Never => {}
            },
            "PRIVMSG" => {
                let text = rest.split_once(" :").unwrap_or_default().1;
                let tags = match habits.tags {
                    0 => String::new(),
                    bytes => format!("@x={} ", "y".repeat(bytes - "@x= ".len())),
                };
                let head = format!("{tags}:{me}!u@h PRIVMSG {}{room} :", habits.rank);
                let relayed = [head.as_bytes(), &(habits.alters)(text), b"\r\n"].concat();
                let answer = format!(":helper!h@h PRIVMSG {room} :you said {text}\r\n");
                for (nick, other) in people.lock().expect("nobody panics").iter_mut() {
                    if *nick != me || caps.contains("echo-message") {
                        let _ = other.write_all(&relayed);
                    }
                    if habits.answers {
                        let _ = other.write_all(answer.as_bytes());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn to_of(habits: Habits, me: &str) -> String {
    if habits.names_us { format!("{me} ") } else { String::new() }
}

fn welcome(habits: Habits, stream: &mut TcpStream, to: &str) -> std::io::Result<()> {
    let Habits { name, isupport, .. } = habits;
    write!(stream, ":{name} 001 {to}:Welcome\r\n:{name} 005 {to}{isupport} :are supported\r\n")?;
    if habits.ends_welcome {
        write!(stream, ":{name} 376 {to}:End of MOTD\r\n")?;
    }
    Ok(())
}

/// Two talk; nothing is lost, doubled, in another order or another place.
fn they_talk(habits: Habits) {
    they_say(habits, |i| (format!("line {i}"), format!("line {i}")));
}

fn they_say(habits: Habits, text: impl Fn(usize) -> (String, String)) {
    let server = Sloppy::start(habits);
    let room = habits.room;
    let mut alice = Client::within(server.port, "alice-with-a-long-name", room);
    let me: String = "alice-with-a-long-name".chars().take(habits.nicklen).collect();
    let mut bob = Client::within(server.port, "bob", room);
    alice.shows("bob", |screen| screen.names(room).contains(&"bob".into()));
    let said: Vec<(String, String)> = (0..LINES).map(text).collect();
    for (line, _) in &said {
        alice.act(Action::Say { to: Key::new(room), text: line.clone() });
    }
    alice.shows("all receipts", |screen| all_delivered(screen, room, LINES));
    let answers = if habits.answers { LINES } else { 0 };
    bob.shows("all lines", |screen| talk(screen, room).len() == LINES + answers);
    let heard: Vec<String> = said.iter().map(|(_, heard)| format!("{me}: {heard}")).collect();
    let of_her = |client: &Client| -> Vec<String> {
        client.talk(room).into_iter().filter(|line| !line.starts_with("helper")).collect()
    };
    assert_eq!(of_her(&bob), heard);
    if habits.caps.contains("echo-message") {
        assert_eq!(of_her(&alice), heard, "as the others see it");
    }
    for (i, (line, _)) in said.iter().enumerate().filter(|_| habits.answers) {
        let place = |wanted: &str| alice.talk(room).iter().position(|line| line == wanted);
        let (question, answer) =
            (place(&format!("{me}: {line}")), place(&format!("helper: you said {line}")));
        assert!(question.is_some() && question < answer, "line {i}: {:#?}", alice.talk(room));
    }
    for client in [&alice, &bob] {
        let open: Vec<&str> = client.screen.lines.keys().map(Key::as_str).collect();
        assert_eq!(open.len(), 2, "the room and the server: {open:?}");
    }
}

#[test]
fn nothing_is_wrong_with_it() {
    they_talk(PLAIN);
}

#[test]
fn its_pong_has_another_token() {
    they_talk(Habits { pong: Pong::Other, ..PLAIN });
}

#[test]
fn it_does_not_know_ping() {
    they_talk(Habits { pong: Pong::Unknown, ..PLAIN });
}

#[test]
fn it_says_nothing_to_ping() {
    they_talk(Habits { pong: Pong::Never, ..PLAIN });
}

#[test]
fn its_name_has_no_dot() {
    they_talk(Habits { name: "localhost", ..PLAIN });
}

#[test]
fn somebody_answers_before_the_pong() {
    they_talk(Habits { answers: true, ..PLAIN });
}

#[test]
fn its_welcome_has_no_end_and_no_names() {
    they_talk(Habits { ends_welcome: false, names_us: false, ..PLAIN });
}

#[test]
fn it_cuts_names() {
    they_talk(Habits { nicklen: 9, isupport: "NICKLEN=9 CHANTYPES=#", ..PLAIN });
}

#[test]
fn its_rooms_are_of_another_kind() {
    they_talk(Habits { room: "&tea", isupport: "CHANTYPES=&", ..PLAIN });
    they_talk(Habits { room: "+tea", isupport: "CHANTYPES=#+ PREFIX=(ov)@+", ..PLAIN });
    they_talk(Habits { room: "#tea", isupport: "CHANTYPES=", ..PLAIN });
    they_talk(Habits { room: "#a-room-whose-name-is-longer-than-ours-may-be:with-a-colon", ..PLAIN });
}

#[test]
fn it_relays_to_ranks_without_saying_that_it_does() {
    they_talk(Habits { rank: "@", ..PLAIN });
}

#[test]
fn it_alters_what_was_said() {
    let alters = |text: &str| text.replace("damn", "****").into_bytes();
    let habits = Habits { alters, caps: "echo-message", ..PLAIN };
    they_say(habits, |i| (format!("damn {i}"), format!("**** {i}")));
}

#[test]
fn it_writes_latin_1() {
    let alters = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    they_say(Habits { alters, ..PLAIN }, |i| (format!("café au lait {i}"), format!("café au lait {i}")));
}

#[test]
fn its_lines_hold_a_nul_and_the_longest_tags() {
    let alters = |text: &str| text.replace(' ', "\0 ").into_bytes();
    they_talk(Habits { alters, tags: 8191, ..PLAIN });
}
