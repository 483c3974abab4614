//! What the hub is told at its start.

use std::time::Duration;

use crate::hub::state::State;
use crate::hub::state::accounts::Accounts;
use crate::hub::state::limits::MAX_LINES;
use crate::protocol::RoomName;

/// What the hub is told at its start, and some of it again ([`Input::Settings`](crate::hub::Input::Settings)).
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server's name in prefixes; see [`is_server_name`](crate::protocol::name::is_server_name).
    pub name: String,
    /// Where IRC programs are told to come back encrypted, and for how long (IRCv3 `sts`).
    pub sts: Option<Sts>,
    /// The message of the day, a line each, none longer than 400 bytes.
    pub motd: Option<Vec<String>>,
    /// The room that always exists; plain members and raw clients begin there.
    pub default_room: RoomName,
    /// What OPER must give; without it nobody becomes an operator that way.
    pub oper_key: Option<String>,
    /// What everybody has to give (PASS).
    pub password: Option<String>,
    /// Who may make accounts. Default everybody.
    pub accounts: Accounts,
    /// How long the server runs before an account ends that nobody uses; whole hours. Default 365 days.
    pub accounts_keep: Duration,
    /// Random bytes of this start: nonces and salts come of them.
    pub secret: [u8; 32],
    /// Makes message ids differ from all earlier ones: a multiple of
    /// [`MsgId::STARTS`](crate::protocol::MsgId::STARTS), higher at each start.
    pub boot: u32,
    /// Whether what is said and what rooms are goes to disk; else only the latest lines are
    /// remembered, and a room ends with its last member.
    pub durable: bool,
    /// Whether what two accounts say to each other is kept, for these two. Default yes.
    pub private: bool,
    /// Lines of a room that are shown to whoever comes in and cannot ask for them; at most
    /// [`MAX_REPLAY`](Settings::MAX_REPLAY). Default 30.
    pub replay: usize,
    /// Connections at a time.
    pub max_clients: usize,
    /// Connections at a time from one address; `None`: 64 from loopback and private
    /// addresses, 16 from others.
    pub max_clients_per_ip: Option<usize>,
    /// Whether [`Output::Console`](crate::hub::delivery::output::Output::Console) also carries what happens in rooms.
    pub narrate: bool,
    /// This server's number among those that share all rooms, and the time and order of their log; `None`: it is
    /// alone. Default alone.
    pub cluster: Option<u32>,
    /// How long a connection may take to tell its name. Default 30 s.
    pub registration: Duration,
    /// Silence before a PING is sent. Default 60 s.
    pub ping_after: Duration,
    /// Silence after a PING before the member counts as gone. Default 30 s.
    pub pong_within: Duration,
}

/// A promise to be there encrypted (IRCv3 `sts`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sts {
    /// Where.
    pub port: u16,
    /// For how long programs remember it.
    pub duration: Duration,
}

impl Settings {
    /// As many lines as one CHATHISTORY may bring.
    pub const MAX_REPLAY: usize = MAX_LINES;
}

impl State {
    /// Takes over what may change while the server runs. Nobody who is here has to go.
    pub(crate) fn adopt(&mut self, new: Settings) {
        let new = match self.cluster {
            // What all servers decide by stays as it is.
            Some(_) => {
                let Settings { max_clients_per_ip, accounts_keep, .. } = self.settings;
                Settings { max_clients_per_ip, accounts_keep, ..new }
            }
            None => new,
        };
        self.admission.limit(new.max_clients, new.max_clients_per_ip);
        let Settings { motd, accounts_keep, replay, max_clients, max_clients_per_ip, .. } = new;
        let old = std::mem::take(&mut self.settings);
        self.settings = Settings { motd, accounts_keep, replay, max_clients, max_clients_per_ip, ..old };
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            name: "parlor.local".into(),
            sts: None,
            motd: None,
            #[expect(clippy::expect_used, reason = "a literal that RoomName accepts")]
            default_room: RoomName::parse("#lobby").expect("a room's name"),
            oper_key: None,
            password: None,
            accounts: Accounts::Open,
            accounts_keep: Duration::from_secs(365 * 86_400),
            secret: [0; 32],
            boot: 0,
            durable: false,
            private: true,
            replay: 30,
            max_clients: 10_000,
            max_clients_per_ip: None,
            narrate: false,
            cluster: None,
            registration: Duration::from_secs(30),
            ping_after: Duration::from_secs(60),
            pong_within: Duration::from_secs(30),
        }
    }
}
