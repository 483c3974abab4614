//! A small client that keeps the contract: comes back to another server by its token, resends what was not echoed under
//! the same name, and leaves a server that is silent.

use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use parlor_server::protocol::LineName;
use parlor_tests::{Deadline, Message};

use crate::stage::Stage;

/// Lines under way without an echo.
const WINDOW: usize = 4;
/// How long a read waits before other things are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How long a server may be silent that is to echo something.
const SILENT: Duration = Duration::from_secs(5);
/// How long a member may be without an echo that waits for one.
const PATIENCE: Duration = Duration::from_secs(90);
const CAPABILITIES: &str = "message-tags server-time echo-message parlor/resume";

/// What a member has in the end.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    /// Lines by msgid: the public form of their senders' names for them.
    pub(crate) held: BTreeMap<String, String>,
    /// Own lines that were echoed: name and msgid.
    pub(crate) echoed: BTreeMap<String, String>,
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Member {
    nick: String,
    number: u128,
    said: u128,
    tries: usize,
    token: Option<String>,
    /// Own lines without an echo, the oldest first.
    unechoed: VecDeque<String>,
    has: Holdings,
}

/// One connection, as far as it has got.
struct Talk {
    stream: TcpStream,
    unread: Vec<u8>,
    /// How many of the unechoed lines were sent on it.
    sent: usize,
    joined: bool,
    wanted: usize,
}

impl Member {
    pub(crate) fn new(number: usize) -> Member {
        Member {
            nick: format!("m{number}"),
            number: number as u128,
            said: 0,
            tries: number,
            token: None,
            unechoed: VecDeque::new(),
            has: Holdings::default(),
        }
    }

    /// Talks, comes back after each loss, and ends when it is told to and all is echoed.
    pub(crate) fn run(mut self, stage: &Stage) -> Holdings {
        let mut last: Option<SocketAddr> = None;
        let mut deadline = Deadline::after(PATIENCE);
        loop {
            self.tries += 1;
            let address = stage.pick(self.tries, last);
            last = Some(address);
            let before = self.has.echoed.len();
            let talked = TcpStream::connect(address).and_then(|stream| self.talk(stage, stream));
            if talked.is_ok() {
                return self.has;
            }
            if self.has.echoed.len() > before {
                deadline = Deadline::after(PATIENCE);
            }
            assert!(deadline.left().is_some(), "{} waits for {:?}", self.nick, self.unechoed);
            std::thread::sleep(LOOK);
        }
    }

    fn talk(&mut self, stage: &Stage, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LOOK))?;
        let mut talk = Talk { stream, unread: Vec::new(), sent: 0, joined: false, wanted: 0 };
        let come = match &self.token {
            Some(token) => format!("RESUME {token}"),
            None => format!("NICK {}", self.nick),
        };
        let hello = format!("CAP REQ :{CAPABILITIES}\r\n{come}\r\nUSER u 0 * :{}\r\nCAP END\r\n", self.nick);
        talk.stream.write_all(hello.as_bytes())?;
        let mut silence = Deadline::after(SILENT);
        loop {
            if talk.joined {
                self.say(stage, &mut talk)?;
            }
            if self.read(stage, &mut talk)? {
                silence = Deadline::after(SILENT);
            }
            if stage.is_over() && talk.joined && self.unechoed.is_empty() {
                return Ok(());
            }
            if silence.left().is_none() {
                return Err(ErrorKind::TimedOut.into());
            }
        }
    }

    /// Sends what may be sent: first what was not echoed on an earlier connection.
    fn say(&mut self, stage: &Stage, talk: &mut Talk) -> std::io::Result<()> {
        let mut wire = String::new();
        while talk.sent < WINDOW {
            if talk.sent == self.unechoed.len() {
                if stage.is_over() {
                    break;
                }
                self.said += 1;
                self.unechoed.push_back(format!("{:032x}", self.number << 64 | self.said));
            }
            let name = &self.unechoed[talk.sent];
            wire += &format!("@+parlor/id={name} PRIVMSG #lobby :{name} says {}\r\n", self.nick);
            talk.sent += 1;
        }
        if wire.is_empty() { Ok(()) } else { talk.stream.write_all(wire.as_bytes()) }
    }

    /// Whether anything came.
    fn read(&mut self, stage: &Stage, talk: &mut Talk) -> std::io::Result<bool> {
        let mut bytes = [0; 32 * 1024];
        match talk.stream.read(&mut bytes) {
            Ok(0) => return Err(ErrorKind::ConnectionReset.into()),
            Ok(count) => talk.unread.extend_from_slice(&bytes[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        let Some(end) = talk.unread.iter().rposition(|byte| *byte == b'\n') else { return Ok(true) };
        let rest = talk.unread.split_off(end + 1);
        let block = std::mem::replace(&mut talk.unread, rest);
        for line in str::from_utf8(&block).expect("UTF-8").lines() {
            let message = Message::parse(line).unwrap_or_else(|why| panic!("{line}: {why}"));
            self.hear(stage, talk, &message)?;
        }
        Ok(true)
    }

    fn hear(&mut self, stage: &Stage, talk: &mut Talk, message: &Message) -> std::io::Result<()> {
        match message.command.as_str() {
            "PING" => talk.stream.write_all(format!("PONG :{}\r\n", message.last()).as_bytes())?,
            "RESUME" if message.param(0) == "TOKEN" => self.token = Some(message.param(1).to_owned()),
            // The place is gone, with its server or taken by another connection of ours.
            "FAIL" if message.param(0) == "RESUME" => {
                self.token = None;
                talk.stream.write_all(format!("NICK {}\r\n", self.nick).as_bytes())?;
            }
            "RESUME" if message.param(0) == "RANKS" => {
                talk.stream.write_all(format!("NICK {}\r\n", self.nick).as_bytes())?;
            }
            // It stands on a server that is dead and not given up yet.
            "433" => {
                talk.wanted += 1;
                let nick = format!("{}x{}x{}", self.nick, self.tries, talk.wanted);
                talk.stream.write_all(format!("NICK {nick}\r\n").as_bytes())?;
            }
            "001" => talk.stream.write_all(b"JOIN #lobby\r\n")?,
            "366" => talk.joined = true,
            "PRIVMSG" => self.line(stage, talk, message),
            "404" | "421" | "451" => panic!("{} is told: {message}", self.nick),
            _ => {}
        }
        Ok(())
    }

    fn line(&mut self, stage: &Stage, talk: &mut Talk, message: &Message) {
        let msgid = message.tag("msgid").expect("talk has an id").to_owned();
        let shown = message.tag("+parlor/id").expect("all say its name").to_owned();
        let name = message.last().split(' ').next().expect("its text begins with its name").to_owned();
        let public = LineName::parse(&name).expect("32 digits").public().to_string();
        assert_eq!(shown, public, "a line keeps its name: {message}");
        if u128::from_str_radix(&name, 16).expect("hexadecimal") >> 64 == self.number {
            if self.unechoed.front() != Some(&name) {
                // Said before the connection was lost, and heard now as anybody else's.
                self.has.held.insert(msgid, shown);
                return;
            }
            self.unechoed.pop_front();
            talk.sent = talk.sent.saturating_sub(1);
            self.has.echoed.insert(shown.clone(), msgid.clone());
            stage.echo();
        }
        self.has.held.insert(msgid, shown);
    }
}
