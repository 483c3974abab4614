//! What the server is told at its start.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use crate::hub::Settings;
use crate::protocol::time::UnixMillis;
use crate::store;

/// The port that Parlor listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 49806;

/// What the server is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Addresses for IRC programs and people at terminals: `host:port`, port 0 takes a free one.
    pub bind: Vec<String>,
    /// Addresses for toy clients.
    pub plain_bind: Vec<String>,
    /// Whether people at terminals may talk on [`Config::bind`]. Default yes.
    pub plain: bool,
    /// What the listener for toy clients asks with. Default `NICK`.
    pub plain_prompt: String,
    /// File with the message of the day.
    pub motd: Option<PathBuf>,
    /// File with the key for OPER; made where it is absent.
    pub oper_file: Option<PathBuf>,
    /// Connections at a time; `None`: 10,000 or what the system's descriptor limit allows.
    pub max_clients: Option<usize>,
    /// Lines a second from one connection after a burst of 20; `None`: as many as come.
    /// Default 5.
    pub flood: Option<NonZeroU32>,
    /// Where the history is kept; `None`: the last 200 lines of each room, in memory.
    pub history: Option<Keep>,
    /// Bytes that may wait for one connection before it is closed. Default 256 KiB.
    pub outbox: usize,
    /// How long a connection may take nothing of what waits for it. Default 20 s.
    pub write_stall: Duration,
    /// How long connections may take for their last lines when the server stops. Default 3 s.
    pub shutdown: Duration,
    /// Silence before a person at a terminal is asked for a name. Default 1 s.
    pub prompt_after: Duration,
    /// What the hub is told.
    pub hub: Settings,
}

/// Where the history is kept, and how much of it; private messages never are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// One server a folder; see [`data_folder`](fn@crate::data_folder).
    pub folder: PathBuf,
    /// What is older goes. Default: nothing goes for its age.
    pub age: Option<Duration>,
    /// Lines of a room; beyond, the oldest go. Default: no limit.
    pub lines: Option<u64>,
    /// Bytes of a room; beyond, the oldest lines go. Default 256 MiB.
    pub bytes: Option<u64>,
}

impl Keep {
    /// All that the defaults allow, in this folder.
    pub fn new(folder: PathBuf) -> Keep {
        Keep { folder, age: None, lines: None, bytes: Some(256 * 1024 * 1024) }
    }

    /// The same for a store that is opened now.
    pub(crate) fn options(&self, now: UnixMillis) -> store::Options {
        store::Options {
            keep: self.age,
            keep_lines: self.lines,
            keep_bytes: self.bytes,
            now_ms: now.0,
            ..store::Options::default()
        }
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            bind: vec![format!("127.0.0.1:{DEFAULT_PORT}")],
            plain_bind: Vec::new(),
            plain: true,
            plain_prompt: "NICK".into(),
            motd: None,
            oper_file: None,
            max_clients: None,
            flood: NonZeroU32::new(5),
            history: None,
            outbox: 256 * 1024,
            write_stall: Duration::from_secs(20),
            shutdown: Duration::from_secs(3),
            prompt_after: Duration::from_secs(1),
            hub: Settings::default(),
        }
    }
}
