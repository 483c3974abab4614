//! The options of the server: whatever is not given is `None` or empty.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};

use super::config::{Announce, Config, Encryption, Format, HAS_LAN, History, Identity};
use super::data_folder::data_folder;
use super::error::StartError;
use super::limits::MAX_PROMPT;
use super::oper_file;
use super::quantity::{self, Since};
use crate::charset::Charset;
use crate::cluster::Address;
use crate::hub::{Accounts, Settings};
use crate::protocol::RoomName;
use crate::protocol::name::{MAX_SERVER_NAME, is_server_name};

/// Options under their earlier names, and what they are for.
const RENAMED: &[(&str, &str)] = &[("--plain-bind", "--raw-bind"), ("--plain-prompt", "--raw-prompt")];

/// A chat room that IRC programs, nc and raw clients share.
// Its documentation is the text of `--help`, and each field's the help of its option. Where a value may be `none`,
// `auto` or `off`, that is `Some(None)`. An `arg_name` of `file` or `dir` is a path also in a file of options.
#[derive(Debug, Clone, Default, FromArgs, ArgsInfo)]
#[argh(help_triggers("-h", "--help"))]
#[cfg_attr(feature = "tls", argh(note = "This build has TLS."))]
#[cfg_attr(not(feature = "tls"), argh(note = "This build has no TLS: lines travel readable."))]
pub struct Options {
    /// address and port to listen on, may be repeated (default 127.0.0.1:49806; port 0 takes
    /// a free one)
    #[argh(option, arg_name = "addr:port")]
    pub bind: Vec<String>,

    /// address and port for raw clients, which send text without line ends; may be repeated
    #[argh(option, arg_name = "addr:port")]
    pub raw_bind: Vec<String>,

    /// text that asks a silent raw client for its name, or none (default NICK)
    #[argh(option, arg_name = "word", from_str_fn(prompt))]
    pub raw_prompt: Option<Option<String>>,

    /// bytes of raw clients' text: auto, utf-8, ascii, latin-1, and gbk in builds with the feature
    /// encodings (default auto)
    #[argh(option, arg_name = "name", from_str_fn(raw_encoding))]
    pub raw_encoding: Option<Option<Charset>>,

    /// only IRC programs may talk, no people at terminals (nc)
    #[argh(switch)]
    pub no_plain: bool,

    /// name under which windows on the network find this server, in builds with the feature lan
    /// (default none: it is not announced)
    #[argh(option, arg_name = "name", from_str_fn(announced))]
    pub announce: Option<String>,

    /// where several servers share all rooms: redis://host/name of a Redis or Valkey, or
    /// redis://user:password@host:port/name; rediss:// in builds with TLS (default none: this
    /// server is alone)
    #[argh(option, arg_name = "url")]
    pub cluster: Option<Address>,

    /// file with the password for --cluster
    #[argh(option, arg_name = "file")]
    pub cluster_password_file: Option<PathBuf>,

    /// the server's name (default parlor.local)
    #[argh(option, from_str_fn(server_name))]
    pub name: Option<String>,

    /// file with the message of the day
    #[argh(option, arg_name = "file")]
    pub motd: Option<PathBuf>,

    /// the room that always exists (default #lobby)
    #[argh(option, arg_name = "room", from_str_fn(room))]
    pub default_room: Option<RoomName>,

    /// connections at a time (default 10000, or what the system allows)
    #[argh(option, arg_name = "n", from_str_fn(count))]
    pub max_clients: Option<NonZeroUsize>,

    /// connections from one address (default 64 from near ones, 16 from others)
    #[argh(option, arg_name = "n", from_str_fn(count))]
    pub max_clients_per_ip: Option<NonZeroUsize>,

    /// lines a second from one connection after a burst of 20, and from one address as many for
    /// each connection that it may have; or off, for no limits on what an address does (default 5)
    #[argh(option, arg_name = "rate", from_str_fn(flood))]
    pub flood: Option<Option<NonZeroU32>>,

    /// encrypted connections: on, only (nobody from elsewhere may do without) or off (default on, in
    /// builds with TLS)
    #[argh(option, arg_name = "which", from_str_fn(encryption))]
    pub tls: Option<Encryption>,

    /// certificate for TLS, PEM, read again at SIGHUP (default one of the server's own, made in the
    /// folder of --data)
    #[argh(option, arg_name = "file")]
    pub tls_cert: Option<PathBuf>,

    /// private key of --tls-cert, PEM
    #[argh(option, arg_name = "file")]
    pub tls_key: Option<PathBuf>,

    /// days for which IRC programs are told to come back encrypted only (STS); needs a --tls-cert
    /// that they trust (default none)
    #[argh(option, arg_name = "days", from_str_fn(count))]
    pub sts: Option<NonZeroU32>,

    /// folder for the history (default one for the first address, in the user's folder for state)
    #[argh(option, arg_name = "dir")]
    pub data: Option<PathBuf>,

    /// remember the last 200 lines of each room, in memory only
    #[argh(switch)]
    pub no_history: bool,

    /// do not keep what two people who have accounts say to each other
    #[argh(switch)]
    pub no_private: bool,

    /// bytes that are kept of all such lines together: 512K, 20M, 1G (default 64M)
    #[argh(option, arg_name = "bytes", from_str_fn(bytes))]
    pub keep_private: Option<u64>,

    /// lines that whoever comes into a room is shown, unless they ask (default 30, 0 for none)
    #[argh(option, arg_name = "n", from_str_fn(replay))]
    pub replay: Option<usize>,

    /// how long lines are kept: 12h, 30d, 2y (default: as long as there is room)
    #[argh(option, arg_name = "time", from_str_fn(age))]
    pub keep: Option<Duration>,

    /// lines that are kept of each room (default: no limit)
    #[argh(option, arg_name = "n", from_str_fn(count))]
    pub keep_lines: Option<NonZeroU64>,

    /// bytes that are kept of each room: 512K, 20M, 1G (default 256M)
    #[argh(option, arg_name = "bytes", from_str_fn(bytes))]
    pub keep_bytes: Option<u64>,

    /// bytes that are kept of all rooms together: 512K, 20M, 1G (default 1G)
    #[argh(option, arg_name = "bytes", from_str_fn(bytes))]
    pub keep_total: Option<u64>,

    /// write a room's history to standard output while the server is stopped, and end
    #[argh(option, arg_name = "room")]
    pub export: Option<String>,

    /// first moment to export: 2026-11-20, 2026-11-20T09:12:00Z, or 30d for the last 30 days
    #[argh(option, arg_name = "time", from_str_fn(since))]
    pub since: Option<Since>,

    /// form of the export: text (default) or jsonl
    #[argh(option, arg_name = "format", from_str_fn(format))]
    pub format: Option<Format>,

    /// file with the key for OPER, made if absent
    #[argh(option, arg_name = "file")]
    pub oper_file: Option<PathBuf>,

    /// file with a password that everybody has to give
    #[argh(option, arg_name = "file")]
    pub password_file: Option<PathBuf>,

    /// who makes a name theirs by a password: open (everybody, the default), closed (only the
    /// console, by /password NAME), or off (no name is anybody's)
    #[argh(option, arg_name = "who", from_str_fn(accounts))]
    pub accounts: Option<Accounts>,

    /// how long the server runs before an account that nobody uses ends: 90d, 2y (default 1y)
    #[argh(option, arg_name = "time", from_str_fn(age))]
    pub accounts_keep: Option<Duration>,

    /// file with further options, one a line without the hyphens; what stands here wins
    #[argh(option, arg_name = "file")]
    pub config: Option<PathBuf>,

    /// log warnings only
    #[argh(switch, short = 'q')]
    pub quiet: bool,

    /// log more
    #[argh(switch, short = 'v')]
    pub verbose: bool,

    /// print the version
    #[argh(switch, short = 'V')]
    pub version: bool,
}

/// A command line that gives no options to start with.
#[derive(Debug)]
pub enum NoOptions {
    /// Help was asked for; this is its text.
    Help(String),
    /// The file of options cannot be read.
    File(StartError),
    /// Something is wrong; a sentence, perhaps of several lines.
    Wrong(String),
}

impl fmt::Display for NoOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoOptions::Help(text) | NoOptions::Wrong(text) => f.write_str(text),
            NoOptions::File(error) => write!(f, "{error}"),
        }
    }
}

impl Options {
    /// Reads the arguments of a command line; `program` is for the text of the help. The file of `--config` is not
    /// read: see [`Given`](crate::Given).
    ///
    /// # Errors
    /// [`NoOptions`], where help is asked for, or an option is unknown, wrong or of no use without
    /// another one.
    pub fn parse(program: &str, args: &[&str]) -> Result<Options, NoOptions> {
        Options::each(program, args)?.together()
    }

    /// The options, each as it is by itself.
    pub(super) fn each(program: &str, args: &[&str]) -> Result<Options, NoOptions> {
        if let Some((old, new)) = RENAMED.iter().find(|(old, _)| args.contains(old)) {
            return Err(NoOptions::Wrong(format!(
                "{old} is called {new} now: it is for raw clients, and --no-plain for people at terminals."
            )));
        }
        Options::from_args(&[program], args).map_err(|early| match early.status {
            Ok(()) => NoOptions::Help(early.output),
            Err(()) => NoOptions::Wrong(early.output.trim_end().to_owned()),
        })
    }

    /// The same, where none contradicts another.
    fn together(self) -> Result<Options, NoOptions> {
        let options = self;
        let wrong = |sentence: &str| Err(NoOptions::Wrong(sentence.into()));
        let files = options.tls_cert.iter().chain(&options.tls_key).count();
        match options.export {
            Some(_) if options.no_history => wrong("--no-history leaves nothing to --export."),
            None if options.since.is_some() => wrong("--since belongs to --export ROOM."),
            None if options.format.is_some() => wrong("--format belongs to --export ROOM."),
            _ if options.no_private && options.keep_private.is_some() => {
                wrong("--no-private leaves nothing to --keep-private.")
            }
            _ if options.cluster_password_file.is_some() && options.cluster.is_none() => {
                wrong("--cluster-password-file belongs to --cluster.")
            }
            _ if options.cluster_password_file.is_some()
                && options.cluster.as_ref().is_some_and(Address::has_password) =>
            {
                wrong("--cluster has a password already; --cluster-password-file would be another one.")
            }
            _ if files == 1 => wrong("--tls-cert and --tls-key belong together."),
            _ if files > 0 && options.tls == Some(Encryption::Off) => {
                wrong("--tls off leaves nothing to --tls-cert.")
            }
            _ if options.sts.is_some() && files == 0 => {
                wrong("--sts needs a --tls-cert that programs trust: it would lock them out.")
            }
            _ => Ok(options),
        }
    }

    /// The configuration that these options and the defaults make.
    ///
    /// # Errors
    /// [`StartError::NoHome`], where there is to be a history and no folder is known for it.
    pub fn config(self) -> Result<Config, StartError> {
        let defaults = Config::default();
        let bind = if self.bind.is_empty() { defaults.bind } else { self.bind };
        let identity = match (self.tls_cert, self.tls_key) {
            (Some(certificate), Some(key)) => Some(Identity::Files { certificate, key }),
            _ => self.data.clone().map(Identity::Folder),
        };
        let folder = match self.data {
            None => bind.first().and_then(|bind| data_folder(bind)),
            given => given,
        };
        if folder.is_none() && !self.no_history {
            return Err(StartError::NoHome);
        }
        let password = self.cluster_password_file.as_deref().map(oper_file::secret).transpose()?;
        let cluster = match (self.cluster, password) {
            (Some(cluster), Some(password)) => Some(cluster.with_password(password)),
            (cluster, _) => cluster,
        };
        let own_files = matches!(identity, Some(Identity::Files { .. }));
        // Where accounts are kept, the key is.
        let own = || folder.clone().map_or(Identity::Memory, Identity::Folder);
        let identity = identity.unwrap_or_else(own);
        let accounts = self.accounts.unwrap_or(defaults.hub.accounts);
        let kept = folder.clone().filter(|_| accounts != Accounts::Off);
        let history = folder.filter(|_| !self.no_history).map(|folder| {
            let mut history = History::new(folder);
            let retention = &mut history.retention;
            retention.age = self.keep;
            retention.lines = self.keep_lines.map(NonZeroU64::get);
            // An export is limited by nothing but what was asked for.
            let exports = self.export.is_some();
            retention.bytes = self.keep_bytes.or(retention.bytes.filter(|_| !exports));
            retention.total = self.keep_total.or(retention.total).filter(|_| !exports);
            retention.private = self.keep_private.or(retention.private);
            history
        });
        Ok(Config {
            bind,
            raw_bind: self.raw_bind,
            plain: !self.no_plain,
            raw_prompt: self.raw_prompt.unwrap_or(defaults.raw_prompt),
            raw_encoding: self.raw_encoding.unwrap_or(defaults.raw_encoding),
            motd: self.motd,
            oper_file: self.oper_file,
            cluster,
            announce: self.announce.map(|name| Announce { name, is_host: false }),
            password_file: self.password_file,
            max_clients: self.max_clients.map(NonZeroUsize::get),
            flood: self.flood.unwrap_or(defaults.flood),
            tls: self.tls.unwrap_or(if own_files { Encryption::On } else { defaults.tls }),
            identity,
            sts: self.sts.map(|days| Duration::from_secs(86_400) * days.get()),
            history,
            accounts: kept,
            hub: Settings {
                name: self.name.unwrap_or(defaults.hub.name),
                default_room: self.default_room.unwrap_or(defaults.hub.default_room),
                replay: self.replay.unwrap_or(defaults.hub.replay),
                max_clients_per_ip: self.max_clients_per_ip.map(NonZeroUsize::get),
                private: !self.no_private,
                accounts,
                accounts_keep: self.accounts_keep.unwrap_or(defaults.hub.accounts_keep),
                ..defaults.hub
            },
            ..defaults
        })
    }
}

fn prompt(text: &str) -> Result<Option<String>, String> {
    match text.len() {
        _ if text == "none" => Ok(None),
        1..=MAX_PROMPT => Ok(Some(text.into())),
        _ => Err(format!("it takes a word of 1 to {MAX_PROMPT} bytes, or none")),
    }
}

fn raw_encoding(text: &str) -> Result<Option<Charset>, String> {
    if text == "auto" { Ok(None) } else { text.parse().map(Some) }
}

fn server_name(text: &str) -> Result<String, String> {
    let rule = "a server's name looks like chat.example: letters, digits, hyphens and dots";
    is_server_name(text)
        .then(|| text.into())
        .ok_or_else(|| format!("{rule}, {MAX_SERVER_NAME} bytes at most"))
}

fn announced(text: &str) -> Result<String, String> {
    let sound = !text.trim().is_empty() && text.len() <= 63 && !text.chars().any(char::is_control);
    match HAS_LAN {
        false => Err("this build cannot announce; one with --features lan can".into()),
        true => sound.then(|| text.trim().into()).ok_or_else(|| "a name of 1 to 63 bytes".into()),
    }
}

fn room(text: &str) -> Result<RoomName, String> {
    RoomName::parse(text).map_err(|error| error.to_string())
}

fn count<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| "it takes a whole number above 0".into())
}

fn replay(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number <= Settings::MAX_REPLAY);
    number.ok_or_else(|| format!("it takes a whole number from 0 to {}", Settings::MAX_REPLAY))
}

fn flood(text: &str) -> Result<Option<NonZeroU32>, String> {
    let wrong = |_| "it takes a whole number of lines a second above 0, or off".into();
    if text == "off" { Ok(None) } else { text.parse().map(Some).map_err(wrong) }
}

fn encryption(text: &str) -> Result<Encryption, String> {
    match text {
        "on" => Ok(Encryption::On),
        "only" => Ok(Encryption::Only),
        "off" => Ok(Encryption::Off),
        _ => Err("there are on, only and off".into()),
    }
}

fn accounts(text: &str) -> Result<Accounts, String> {
    match text {
        "open" => Ok(Accounts::Open),
        "closed" => Ok(Accounts::Closed),
        "off" => Ok(Accounts::Off),
        _ => Err("there are open, closed and off".into()),
    }
}

fn age(text: &str) -> Result<Duration, String> {
    quantity::duration(text).ok_or_else(|| "it takes a time: 12h, 30d, 2y".into())
}

fn bytes(text: &str) -> Result<u64, String> {
    quantity::bytes(text).ok_or_else(|| "it takes bytes: 512K, 20M, 1G".into())
}

fn since(text: &str) -> Result<Since, String> {
    Since::parse(text).ok_or_else(|| "it takes 2026-11-20, 2026-11-20T09:12:00Z or a span like 30d".into())
}

fn format(text: &str) -> Result<Format, String> {
    match text {
        "text" => Ok(Format::Text),
        "jsonl" => Ok(Format::Jsonl),
        _ => Err("there are text and jsonl".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_is_not_given_leaves_the_default() {
        let options = Options::parse("server", &["--no-history", "--flood", "off"]).unwrap();
        let config = options.config().unwrap();
        let defaults = Config::default();
        assert_eq!((config.flood, config.history), (None, None));
        assert_eq!((config.bind, config.hub.default_room), (defaults.bind, defaults.hub.default_room));
    }

    #[test]
    fn an_earlier_name_of_an_option_names_the_new_one() {
        let wrong = Options::parse("server", &["--plain-bind", "127.0.0.1:0"]).unwrap_err();
        assert!(matches!(wrong, NoOptions::Wrong(sentence) if sentence.contains("--raw-bind")));
    }
}
