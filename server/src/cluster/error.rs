//! Why a server cannot take part: a sentence for the operator, and an exit code.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// The reason why this server is not one of the cluster; its `Display` is a sentence for the operator, with what to do
/// about it.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are what the variants name")]
pub enum Error {
    /// The engine cannot be connected to, or has closed the connection.
    Unreachable { at: String, error: io::Error },
    /// The engine is connected and says nothing.
    Silent { at: String },
    /// Something else than Redis or Valkey answers, or what stands in the log is none of ours.
    Garbled { at: String },
    /// The engine wants another user or password, or lets this one do too little.
    Denied { at: String, why: String },
    /// The engine refuses for another reason.
    Refused { at: String, why: String },
    /// The engine is older than 6.2.
    TooOld { at: String, version: String },
    /// The engine is a copy of another one, and takes nothing.
    Replica { at: String },
    /// The engine still reads its files.
    Loading { at: String },
    /// Others hold the cluster up for longer than they should.
    Busy { name: String },
    /// The cluster is of servers with another format of the log.
    Format { here: u32, there: String },
    /// Settings that must be the same on all servers are not: name, here, there (`None`: not set).
    Settings { differ: Vec<(String, Option<String>, Option<String>)> },
    /// The data folder belongs to another cluster than the one of this name.
    Another { name: String },
    /// The engine holds something under the cluster's name that is none of its own.
    Foreign { name: String, key: String },
    /// While the server began, its lease was over, or the engine has lost what it began with.
    Lapsed { name: String },
    /// The address asks for encryption, and this build has none.
    NoTls,
    /// What answers does not speak TLS, or shows a certificate that nobody vouches for.
    Insecure { at: String, why: String },
    /// The certificates of those who vouch for the engine cannot be read.
    Authorities { path: PathBuf, why: String },
    /// The system gives no random numbers.
    NoRandomness { error: String },
}

impl Error {
    /// The exit code, after BSD's sysexits: 69, 71, 77 or 78, as the README's table lists them.
    pub fn exit_code(&self) -> i32 {
        match self {
            Error::Unreachable { .. }
            | Error::Silent { .. }
            | Error::Loading { .. }
            | Error::Busy { .. }
            | Error::Lapsed { .. } => 69,
            Error::NoRandomness { .. } => 71,
            Error::Denied { .. } => 77,
            _ => 78,
        }
    }

    /// What an error reply of the engine means.
    pub(super) fn of_reply(at: &str, reply: &[u8]) -> Error {
        let (at, why) = (at.to_owned(), String::from_utf8_lossy(reply).into_owned());
        let any = |codes: &[&str]| codes.iter().any(|code| why.contains(code));
        // The codes of Redis; 6.2 has them within the words where a script met them.
        if any(&[
            "NOAUTH",
            "WRONGPASS",
            "NOPERM",
            "AUTH <password>",
            "without any password",
            "no password is set",
        ]) {
            Error::Denied { at, why }
        } else if any(&["READONLY"]) {
            Error::Replica { at }
        } else if any(&["LOADING"]) {
            Error::Loading { at }
        } else {
            Error::Refused { at, why }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unreachable { at, error } => {
                write!(
                    f,
                    "Cannot reach the cluster's Redis at {at}: {error}. Check that it runs, and the address."
                )
            }
            Error::Silent { at } => write!(
                f,
                "The cluster's Redis at {at} does not answer. Check that it runs, the address, and whether it is redis:// or rediss://."
            ),
            Error::Garbled { at } => write!(
                f,
                "What answers at {at} does not speak as Redis and Valkey do. Check host and port, and whether it is redis:// or rediss://."
            ),
            Error::Denied { at, why } => write!(
                f,
                "The Redis at {at} does not let this server in ({why}). Check user and password, and what the user may do."
            ),
            Error::Refused { at, why } => write!(f, "The Redis at {at} refuses: {why}."),
            Error::TooOld { at, version } => {
                write!(
                    f,
                    "The Redis at {at} is version {version}. A cluster needs Redis 6.2 or Valkey, or later."
                )
            }
            Error::Replica { at } => {
                write!(f, "The Redis at {at} is a read-only replica. Give the address of its primary.")
            }
            Error::Loading { at } => write!(f, "The Redis at {at} still loads its data. Try again later."),
            Error::Busy { name } => {
                write!(
                    f,
                    "Another server is about to found the cluster {name}, or to mend it. Try again in a minute."
                )
            }
            Error::Format { here, there } => write!(
                f,
                "The cluster's servers write their log in format {there}, this one in format {here}. Give all of them the same version."
            ),
            Error::Settings { differ } => {
                f.write_str("All servers of a cluster need the same settings: ")?;
                for (at, (name, here, there)) in differ.iter().enumerate() {
                    let shown =
                        |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
                    let comma = if at == 0 { "" } else { ", " };
                    write!(f, "{comma}{name} is {} there and {} here", shown(there), shown(here))?;
                }
                f.write_str(".")
            }
            Error::Another { name } => write!(
                f,
                "The data folder of this server belongs to another cluster than the one that is called {name} there. Give that one's name, or another folder with --data."
            ),
            Error::Foreign { name, key } => write!(
                f,
                "Redis holds something else than a cluster under the name {name} (the key {key}). Give another name, or remove what begins with parlor:{{{name}}}: there."
            ),
            Error::Lapsed { name } => {
                write!(f, "The cluster {name} has changed while this server began. Start it again.")
            }
            Error::NoTls => write!(
                f,
                "This build has no TLS, which rediss:// needs. Build one with `cargo build -p parlor-server --features tls`, or give redis://."
            ),
            Error::Insecure { at, why } => write!(
                f,
                "No secure connection to the Redis at {at}: {why}. Check the address, and whose certificates are believed (?ca=/PATH)."
            ),
            Error::Authorities { path, why } => {
                write!(
                    f,
                    "No certificates are to be read in {}: {why}. Give a PEM file with ?ca=/PATH.",
                    path.display()
                )
            }
            Error::NoRandomness { error } => write!(f, "The system gives no random numbers: {error}."),
        }
    }
}

impl std::error::Error for Error {}
