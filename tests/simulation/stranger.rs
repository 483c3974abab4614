//! Somebody with another IRC program: registers, joins, talks, answers PING, and never sends anything twice.

use parlor_server::protocol::line::{Framer, lines};
use parlor_tests::Message;

/// What such programs ask for.
pub(crate) const HABITS: [&str; 3] =
    ["", "server-time echo-message", "message-tags server-time echo-message batch"];

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Stranger {
    pub(crate) nick: String,
    pub(crate) capabilities: &'static str,
    pub(crate) link: Option<usize>,
    pub(crate) welcome: bool,
    framer: Framer,
}

impl Stranger {
    pub(crate) fn new(nick: String, capabilities: &'static str) -> Stranger {
        Stranger { nick, capabilities, link: None, welcome: false, framer: Framer::default() }
    }

    /// The connection stands: what it says first.
    pub(crate) fn greeting(&mut self) -> String {
        (self.framer, self.welcome) = (Framer::default(), false);
        let nick = &self.nick;
        match self.capabilities {
            "" => format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n"),
            wanted => format!("CAP REQ :{wanted}\r\nNICK {nick}\r\nUSER {nick} 0 * :{nick}\r\nCAP END\r\n"),
        }
    }

    /// Bytes came: what it answers.
    pub(crate) fn receive(&mut self, bytes: &[u8], room: &str) -> String {
        let mut answer = String::new();
        let (block, sound) = self.framer.push(bytes);
        assert!(sound.is_ok(), "the server sends lines: {bytes:?}");
        for line in lines(&block.unwrap_or_default()) {
            let message = Message::parse(str::from_utf8(line).expect("UTF-8")).expect("a message");
            match message.command.as_str() {
                "PING" => answer += &format!("PONG :{}\r\n", message.last()),
                "433" => {
                    self.nick.push('_');
                    answer += &format!("NICK {}\r\n", self.nick);
                }
                "001" => {
                    self.welcome = true;
                    answer += &format!("JOIN {room}\r\n");
                }
                _ => {}
            }
        }
        answer
    }
}
