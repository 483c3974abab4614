//! Somebody with another IRC program who has a name of their own, or wants somebody else's: claims it, logs in in
//! every way, and talks in the room of that name.

use parlor_server::protocol::base64;
use parlor_server::protocol::line::{Framer, lines};
use parlor_server::protocol::scram::Client;
use parlor_server::testing::Random;
use parlor_tests::Message;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Owner {
    /// The name that it wants to have.
    pub(crate) name: String,
    /// The password that it gives.
    pub(crate) secret: String,
    /// What it gave last on this connection.
    pub(crate) given: String,
    /// The operator tells it a new one.
    pub(crate) rightful: bool,
    pub(crate) link: Option<usize>,
    pub(crate) welcome: bool,
    logged_in: bool,
    /// An answer to what it gave is not here yet.
    waits: bool,
    /// The name is somebody's, as far as it knows.
    claimed: bool,
    scram: Option<Client>,
    verified: String,
    framer: Framer,
}

impl Owner {
    pub(crate) fn new(name: String, secret: String, rightful: bool) -> Owner {
        Owner {
            name,
            secret,
            given: String::new(),
            rightful,
            link: None,
            welcome: false,
            logged_in: false,
            waits: false,
            claimed: false,
            scram: None,
            verified: String::new(),
            framer: Framer::default(),
        }
    }

    pub(crate) fn is_logged_in(&self) -> bool {
        self.logged_in
    }

    fn give(&mut self) -> String {
        self.waits = true;
        self.given.clone_from(&self.secret);
        self.secret.clone()
    }

    /// The connection stands: what it says first.
    pub(crate) fn greeting(&mut self, random: &mut Random) -> String {
        (self.framer, self.welcome, self.logged_in, self.waits) = (Framer::default(), false, false, false);
        (self.scram, self.given) = (None, String::new());
        let name = &self.name;
        let begin = format!(
            "CAP REQ :sasl message-tags echo-message draft/read-marker\r\nNICK {name}\r\nUSER {name} 0 * :{name}\r\n"
        );
        if !self.claimed || random.permille(200) {
            return begin + "CAP END\r\n";
        }
        self.give();
        // Deriving the keys takes the client its time.
        if random.permille(150) {
            self.scram = Some(Client::new(&self.name, &format!("n{}", random.next())));
            return begin + "AUTHENTICATE SCRAM-SHA-256\r\n";
        }
        begin + "AUTHENTICATE PLAIN\r\n"
    }

    fn authenticate(&mut self, message: &Message) -> String {
        let text = base64::decode(message.last()).and_then(|bytes| String::from_utf8(bytes).ok());
        let answer = match (&self.scram, message.last()) {
            (None, _) => format!("\0{}\0{}", self.name, self.given),
            (Some(client), "+") => client.first(),
            (Some(_), _) if text.as_ref() == Some(&self.verified) => return "AUTHENTICATE +\r\n".into(),
            (Some(client), _) => {
                let (last, verified) =
                    client.finish(&text.unwrap_or_default(), &self.given).expect("a challenge");
                self.verified = verified;
                last
            }
        };
        format!("AUTHENTICATE {}\r\n", base64::encode(answer.as_bytes()))
    }

    /// Bytes came: what it answers.
    pub(crate) fn receive(&mut self, bytes: &[u8], random: &mut Random) -> String {
        let mut answer = String::new();
        let (block, sound) = self.framer.push(bytes);
        assert!(sound.is_ok(), "the server sends lines: {bytes:?}");
        for line in lines(&block.unwrap_or_default()) {
            let message = Message::parse(str::from_utf8(line).expect("UTF-8")).expect("a message");
            let room = format!("JOIN #{}\r\n", self.name);
            match message.command.as_str() {
                "PING" => answer += &format!("PONG :{}\r\n", message.last()),
                "AUTHENTICATE" => answer += &self.authenticate(&message),
                "900" => {
                    (self.logged_in, self.claimed, self.waits) = (true, true, false);
                    answer += if self.welcome { &room } else { "" };
                }
                "901" => (self.logged_in, self.claimed) = (false, false),
                "903" | "904" if !self.welcome => {
                    self.waits = false;
                    answer += "CAP END\r\n";
                }
                "433" => {
                    self.claimed = true;
                    answer += &format!("NICK {}x{}\r\n", self.name, random.below(99));
                }
                "001" => {
                    self.welcome = true;
                    answer += if self.logged_in { &room } else { "" };
                    if !self.logged_in && message.param(0) == self.name {
                        answer += &format!("REGISTER * * {}\r\n", self.give());
                    }
                }
                "FAIL" | "NOTICE" => self.waits = false,
                _ => {}
            }
        }
        answer
    }

    /// What it does now and then.
    pub(crate) fn act(&mut self, random: &mut Random) -> String {
        let name = self.name.clone();
        match (random.below(20), self.logged_in, self.waits) {
            (0, ..) => "QUIT :enough\r\n".into(),
            (1, ..) => format!("NICK {name}\r\n"),
            (2, ..) => format!("NICK {name}y{}\r\n", random.below(99)),
            (3..8, false, false) => format!("PRIVMSG NickServ :IDENTIFY {name} {}\r\n", self.give()),
            (8..11, false, false) => format!("NICK {name}\r\nREGISTER * * {}\r\n", self.give()),
            (3..20, true, _) => {
                format!("PRIVMSG #{name} :mark {}\r\n", self.link.unwrap_or_default())
            }
            _ => String::new(),
        }
    }
}
