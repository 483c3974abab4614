//! A small client that keeps the contract: resends what was not echoed under the same name, asks for what it missed,
//! takes back what a crash has taken back.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use parlor_server::protocol::LineName;
use parlor_tests::{Deadline, Message};

use crate::stage::Stage;

/// Lines under way without an echo.
const WINDOW: usize = 16;
/// Lines that one member says at most while one server runs.
const MOST: usize = 120;
/// How long a read waits before other things are looked at.
const LOOK: Duration = Duration::from_millis(10);
/// What a member asks for.
const CAPABILITIES: &str = "message-tags server-time batch echo-message draft/chathistory";

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
    /// Own lines without an echo, the oldest first.
    unechoed: VecDeque<String>,
    /// The last line that is on disk for certain.
    certain: Option<String>,
    has: Holdings,
}

/// What everybody sees of a sender's name for a line.
pub(crate) fn public(name: &str) -> String {
    LineName::parse(name).expect("32 digits").public().to_string()
}

/// One connection, as far as it has got.
struct Talk {
    stream: TcpStream,
    unread: Vec<u8>,
    /// How many of the unechoed lines were sent on it, and how many were said.
    sent: usize,
    said: usize,
    boot: String,
    /// All that was missed is here.
    caught_up: bool,
    /// What a page has brought, the page that is open, and what all pages brought.
    page: Vec<(String, String)>,
    paged: BTreeMap<String, String>,
    joined: bool,
}

impl Member {
    pub(crate) fn new(number: usize) -> Member {
        Member {
            nick: format!("m{number}"),
            number: number as u128,
            said: 0,
            unechoed: VecDeque::new(),
            certain: None,
            has: Holdings::default(),
        }
    }

    /// Talks, comes back after each crash, and ends when it is told to and all is echoed.
    pub(crate) fn run(mut self, stage: &Stage) -> Holdings {
        let mut start = 0;
        loop {
            let address;
            (start, address) = stage.wait_for_start_after(start);
            // A server may be gone before it is reached.
            let Ok(stream) = TcpStream::connect(address) else { continue };
            match self.talk(stage, stream) {
                Ok(()) => return self.has,
                Err(_) => continue,
            }
        }
    }

    fn talk(&mut self, stage: &Stage, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LOOK))?;
        let mut talk = Talk {
            stream,
            unread: Vec::new(),
            sent: 0,
            said: 0,
            boot: String::new(),
            caught_up: false,
            page: Vec::new(),
            paged: BTreeMap::new(),
            joined: false,
        };
        let nick = &self.nick;
        let hello = format!(
            "CAP REQ :{CAPABILITIES}\r\nNICK {nick}\r\nUSER u 0 * :{nick}\r\nCAP END\r\nJOIN #lobby\r\n"
        );
        talk.stream.write_all(hello.as_bytes())?;
        let deadline = Deadline::after(Duration::from_secs(30));
        let mut spoke = false;
        loop {
            if talk.joined {
                self.say(stage, &mut talk)?;
            }
            self.read(&mut talk)?;
            if !spoke && talk.caught_up && !self.has.echoed.is_empty() {
                spoke = true;
                stage.somebody_spoke();
            }
            if stage.is_over() && talk.caught_up && self.unechoed.is_empty() {
                return Ok(());
            }
            assert!(deadline.left().is_some(), "{} waits for {:?}", self.nick, self.unechoed);
        }
    }

    /// Sends what may be sent: first what was not echoed on an earlier connection.
    fn say(&mut self, stage: &Stage, talk: &mut Talk) -> std::io::Result<()> {
        let mut wire = String::new();
        while talk.sent < WINDOW {
            if talk.sent == self.unechoed.len() {
                if stage.is_over() || talk.said >= MOST {
                    break;
                }
                self.said += 1;
                talk.said += 1;
                self.unechoed.push_back(format!("{:032x}", self.number << 64 | self.said));
            }
            let name = &self.unechoed[talk.sent];
            wire += &format!("@+parlor/id={name} PRIVMSG #lobby :{name} says {}\r\n", self.nick);
            talk.sent += 1;
        }
        if wire.is_empty() { Ok(()) } else { talk.stream.write_all(wire.as_bytes()) }
    }

    fn read(&mut self, talk: &mut Talk) -> std::io::Result<()> {
        let mut bytes = [0; 32 * 1024];
        match talk.stream.read(&mut bytes) {
            Ok(0) => return Err(std::io::ErrorKind::ConnectionReset.into()),
            Ok(count) => talk.unread.extend_from_slice(&bytes[..count]),
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        let Some(end) = talk.unread.iter().rposition(|byte| *byte == b'\n') else { return Ok(()) };
        let rest = talk.unread.split_off(end + 1);
        let block = std::mem::replace(&mut talk.unread, rest);
        for line in str::from_utf8(&block).expect("UTF-8").lines() {
            let message = Message::parse(line).unwrap_or_else(|why| panic!("{line}: {why}"));
            self.hear(talk, &message)?;
        }
        Ok(())
    }

    fn hear(&mut self, talk: &mut Talk, message: &Message) -> std::io::Result<()> {
        match message.command.as_str() {
            "PING" => talk.stream.write_all(format!("PONG :{}\r\n", message.last()).as_bytes())?,
            "JOIN" if message.nick() == self.nick => {
                message.tag("msgid").expect("a JOIN has an id")[..8].clone_into(&mut talk.boot);
                talk.joined = true;
                self.ask(talk)?;
            }
            "PRIVMSG" => self.line(talk, message),
            "BATCH" if message.param(0).starts_with('-') => self.page(talk)?,
            "FAIL" | "433" | "404" => panic!("{} is told: {message}", self.nick),
            _ => {}
        }
        Ok(())
    }

    fn line(&mut self, talk: &mut Talk, message: &Message) {
        let msgid = message.tag("msgid").expect("talk has an id").to_owned();
        let shown = message.tag("+parlor/id").expect("all say its name").to_owned();
        let name = message.last().split(' ').next().expect("its text begins with its name").to_owned();
        assert_eq!(shown, public(&name), "a line keeps its name: {message}");
        if message.tag("batch").is_some() {
            talk.page.push((msgid, shown));
            return;
        }
        assert_eq!(message.tag("parlor/volatile"), None, "the disk takes lines");
        if message.nick() == self.nick {
            assert_eq!(self.unechoed.pop_front().as_ref(), Some(&name), "echoes come in order");
            talk.sent -= 1;
            self.has.echoed.insert(shown.clone(), msgid.clone());
            self.is_certain(&msgid, talk);
        }
        self.has.held.insert(msgid, shown);
    }

    /// On disk: until all that was missed is here, only pages move the place from which it is asked for.
    fn is_certain(&mut self, msgid: &str, talk: &Talk) {
        if talk.caught_up && self.certain.as_deref().is_none_or(|certain| certain < msgid) {
            self.certain = Some(msgid.to_owned());
        }
    }

    fn ask(&mut self, talk: &mut Talk) -> std::io::Result<()> {
        let after = talk.paged.keys().next_back().or(self.certain.as_ref());
        let reference =
            after.map_or("timestamp=1970-01-01T00:00:00.000Z".into(), |msgid| format!("msgid={msgid}"));
        talk.stream.write_all(format!("CHATHISTORY AFTER #lobby {reference} 100\r\n").as_bytes())
    }

    /// A page has ended.
    fn page(&mut self, talk: &mut Talk) -> std::io::Result<()> {
        let page = std::mem::take(&mut talk.page);
        let last = page.len() < 100;
        talk.paged.extend(page);
        if !last {
            return self.ask(talk);
        }
        // What was heard from earlier servers behind the certain place, and the history lacks: a crash took it back.
        let certain = self.certain.clone().unwrap_or_default();
        self.has.held.retain(|msgid, _| {
            *msgid <= certain || msgid[..8] >= talk.boot[..] || talk.paged.contains_key(msgid)
        });
        talk.caught_up = true;
        if let Some(last) = talk.paged.keys().next_back() {
            self.certain = Some(last.clone());
        }
        self.has.held.append(&mut talk.paged);
        Ok(())
    }
}
