//! The configuration of a server.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use crate::charset::Charset;
use crate::cluster::Address;
use crate::hub::Settings;
use crate::protocol::time::UnixMillis;
use crate::store::{self, Retention};

/// The port that Parlor listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 49806;

/// Whether this build can encrypt.
pub const HAS_TLS: bool = cfg!(feature = "tls");

/// Whether this build can announce itself on the network.
pub const HAS_LAN: bool = cfg!(feature = "lan");

/// The name under which a server is found on its network (DNS-SD, RFC 6763).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announce {
    /// What stands in others' lists, at most 63 bytes.
    pub name: String,
    /// Whether it is a person's name, whose room it is.
    pub is_host: bool,
}

/// The connections that are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Those that begin with a handshake.
    On,
    /// All but those from this machine itself.
    Only,
    /// None.
    Off,
}

/// The place of the server's key and certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Made at each start, and gone with the server.
    Memory,
    /// The file `tls.pem` of this folder, made if absent.
    Folder(PathBuf),
    /// Files of the operator's own, in PEM (RFC 7468).
    Files {
        /// The certificate, and behind it those that lead to a root.
        certificate: PathBuf,
        /// The certificate's private key.
        key: PathBuf,
    },
}

/// The configuration of a server; its default is one for this machine only, without files.
///
/// ```
/// use parlor_server::Config;
///
/// let config = Config { bind: vec!["[::1]:0".into()], ..Config::default() };
/// assert!(config.history.is_none());
/// ```
#[derive(Debug, Clone)]
pub struct Config {
    /// Addresses for IRC programs and people at terminals: `host:port`, port 0 takes a free one.
    /// Default `127.0.0.1:49806`.
    pub bind: Vec<String>,
    /// Addresses for raw clients. Default none.
    pub raw_bind: Vec<String>,
    /// Whether people at terminals may talk on [`Config::bind`]. Default yes.
    pub plain: bool,
    /// Text that asks a silent raw client for its name; `None`: nobody is asked. Default `NICK`.
    pub raw_prompt: Option<String>,
    /// The bytes of raw clients' text; `None`: what each of them shows that it writes. Default none.
    pub raw_encoding: Option<Charset>,
    /// File with the message of the day, UTF-8; at most 32 KiB, and 400 bytes a line.
    pub motd: Option<PathBuf>,
    /// File with the key for OPER; made where it is absent.
    pub oper_file: Option<PathBuf>,
    /// File with the password that everybody has to give. Default none.
    pub password_file: Option<PathBuf>,
    /// Connections at a time; `None`: 10,000 or what the system's descriptor limit allows.
    pub max_clients: Option<usize>,
    /// Lines a second from one connection after a burst of 20, and from one address as many for each
    /// connection that it may have. New connections of an address and lines of the log about it are
    /// limited as well. `None`: all as they come. Default 5.
    pub flood: Option<NonZeroU32>,
    /// The connections on [`Config::bind`] that are encrypted. Default: those that begin so, in builds with the
    /// feature `tls`.
    pub tls: Encryption,
    /// The key that others know this server by, and its certificate. Default: new ones at each start.
    pub identity: Identity,
    /// The time for which programs are told to come back encrypted (IRCv3 `sts`): only with a certificate that
    /// they trust by themselves. Default none.
    pub sts: Option<Duration>,
    /// The history on disk; `None`: the last 200 lines of each room, in memory.
    pub history: Option<History>,
    /// The folder where accounts are kept; `None`: they last as long as the server. Default none.
    pub accounts: Option<PathBuf>,
    /// Where the log is that several servers share, which then are one; `None`: this server is alone. Default alone.
    pub cluster: Option<Address>,
    /// What others on the network find it as, in builds with the feature `lan`. Default: nothing.
    pub announce: Option<Announce>,
    /// Bytes that may wait for one connection before it is closed. Default 256 KiB.
    pub outbox: usize,
    /// The time for which a connection may take nothing of what waits for it. Default 20 s.
    pub write_stall: Duration,
    /// The time that connections get for their last lines when the server stops. Default 3 s.
    pub shutdown: Duration,
    /// Silence before a person at a terminal is asked for a name. Default 1 s.
    pub prompt_after: Duration,
    /// The hub's own settings. Those that the start finds out are set by
    /// [`Server::bind`](crate::Server::bind): message of the day, key for OPER, `boot`,
    /// `durable`, `max_clients`.
    pub hub: Settings,
}

/// The history on disk: where it is, and how much of it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// One server a folder; see [`data_folder`](fn@crate::data_folder).
    pub folder: PathBuf,
    /// The part of each room that is kept.
    pub retention: Retention,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// A line for people: time, who, what.
    #[default]
    Text,
    /// A JSON object a line, with everything that is kept.
    Jsonl,
}

impl History {
    /// A history in this folder with the server's default retention: 256 MiB a room, 1 GiB in all, and 64 MiB
    /// of private lines.
    pub fn new(folder: PathBuf) -> History {
        let (bytes, total, private) = (Some(256 << 20), Some(1 << 30), Some(64 << 20));
        History { folder, retention: Retention { bytes, total, private, ..Retention::default() } }
    }

    /// The options of a store that is opened now.
    pub(crate) fn options(&self, now: UnixMillis) -> store::Options {
        store::Options { retention: self.retention, now_ms: now.0, ..store::Options::default() }
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            bind: vec![format!("127.0.0.1:{DEFAULT_PORT}")],
            raw_bind: Vec::new(),
            plain: true,
            raw_prompt: Some("NICK".into()),
            raw_encoding: None,
            motd: None,
            oper_file: None,
            password_file: None,
            max_clients: None,
            flood: NonZeroU32::new(5),
            tls: if HAS_TLS { Encryption::On } else { Encryption::Off },
            identity: Identity::Memory,
            sts: None,
            history: None,
            accounts: None,
            cluster: None,
            announce: None,
            outbox: 256 * 1024,
            write_stall: Duration::from_secs(20),
            shutdown: Duration::from_secs(3),
            prompt_after: Duration::from_secs(1),
            hub: Settings::default(),
        }
    }
}
