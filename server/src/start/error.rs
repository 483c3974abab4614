//! Errors of the start: a sentence for the person who reads it, and an exit code.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::PathBuf;

use super::limits::{MAX_MOTD, MAX_MOTD_LINE, MIN_KEY, MIN_PASSWORD, RESERVED};
use crate::cluster;
use crate::store::StoreError;

/// The reason why the server does not start; its `Display` is a sentence for the person who reads
/// it, with what to do about it.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are what the variants name")]
pub enum StartError {
    /// An address is not one, or its host is not known.
    Unresolved { address: String, error: io::Error },
    /// The system does not let the server listen there: in use, not this machine's, forbidden.
    Bind { address: String, error: io::Error },
    /// Two of the addresses to listen on are one.
    Twice { address: String, own: SocketAddr },
    /// A file is missing, unreadable or not UTF-8.
    Unreadable { path: PathBuf, error: io::Error },
    /// A line (counted from 1) of the message of the day has more than 400 bytes.
    MotdTooLong { path: PathBuf, line: usize },
    /// The message of the day has more than 32 KiB.
    MotdTooBig { path: PathBuf },
    /// Others than its owner can read the key for OPER.
    OperFileOpen { path: PathBuf },
    /// The key for OPER is another user's.
    OperFileForeign { path: PathBuf },
    /// The file for OPER holds no key of at least 16 characters.
    OperFileEmpty { path: PathBuf },
    /// The file for a key is absent and cannot be made.
    KeyNotMade { path: PathBuf, error: io::Error },
    /// The file for the server's password holds none of at least 6 characters.
    PasswordFileEmpty { path: PathBuf },
    /// Raw clients can give no password, and others than those of this machine could connect.
    RawWithPassword { address: SocketAddr },
    /// The system allows fewer open files than so many connections need.
    TooFewDescriptors { wanted: usize, allowed: usize },
    /// The system gives no random numbers.
    NoRandomness { error: String },
    /// There is to be a history, and no folder is known for it.
    NoHome,
    /// There is no address to listen on.
    Nowhere,
    /// There is to be encryption, and this build has none.
    NoTls,
    /// A file holds no certificate or key that can be used.
    KeyUnusable { path: PathBuf, why: String },
    /// A listener for raw clients, who cannot encrypt, beyond this machine, where all have to.
    RawReadable { address: SocketAddr },
    /// The accounts do not open.
    Accounts(StoreError),
    /// The history does not open.
    History(StoreError),
    /// The server cannot take part in its cluster.
    Cluster(cluster::Error),
    /// A history of its own cannot be brought into a cluster that has one.
    OwnHistory { folder: PathBuf, name: String },
    /// What is kept of a room or an account cannot be read, and would be lost for all servers of a cluster.
    UnreadableRecord { name: String },
}

impl StartError {
    /// The exit code, after BSD's sysexits: 64 to 77, as the README's table lists them.
    pub fn exit_code(&self) -> i32 {
        match self {
            StartError::NoHome
            | StartError::Nowhere
            | StartError::Twice { .. }
            | StartError::NoTls
            | StartError::RawWithPassword { .. }
            | StartError::RawReadable { .. } => 64,
            StartError::History(error) | StartError::Accounts(error) => error.exit_code(),
            StartError::Cluster(error) => error.exit_code(),
            StartError::OwnHistory { .. } => 78,
            StartError::UnreadableRecord { .. } => 65,
            StartError::Unreadable { .. }
            | StartError::KeyUnusable { .. }
            | StartError::MotdTooLong { .. }
            | StartError::MotdTooBig { .. }
            | StartError::OperFileEmpty { .. }
            | StartError::PasswordFileEmpty { .. } => 66,
            StartError::Unresolved { .. } => 68,
            StartError::Bind { .. } => 69,
            StartError::TooFewDescriptors { .. } | StartError::NoRandomness { .. } => 71,
            StartError::KeyNotMade { .. } => 73,
            StartError::OperFileOpen { .. } | StartError::OperFileForeign { .. } => 77,
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Unresolved { address, error } => write!(
                f,
                "{address} is not an address to listen on ({error}). Give a host and a port: 127.0.0.1:49806, 0.0.0.0:49806 or [::]:49806."
            ),
            StartError::Bind { address, error } => match error.kind() {
                ErrorKind::AddrInUse => write!(
                    f,
                    "Another program listens on {address} already. Stop it, or choose another port with --bind."
                ),
                ErrorKind::AddrNotAvailable => write!(
                    f,
                    "{address} is not an address of this machine. Use one of its own, or 0.0.0.0 for all of them."
                ),
                ErrorKind::PermissionDenied => {
                    write!(f, "The system does not let you listen on {address}. Choose a port above 1023.")
                }
                _ => write!(f, "Cannot listen on {address}: {error}. Choose another address with --bind."),
            },
            StartError::Cluster(error) => error.fmt(f),
            StartError::UnreadableRecord { name } => write!(
                f,
                "What is kept of {name} cannot be read, and a cluster would be founded without it. Start the server alone with the version that wrote it, or /forget what is an account there."
            ),
            StartError::OwnHistory { folder, name } => write!(
                f,
                "The folder {} has a history from before, with rooms or accounts of its own, and the cluster {name} has others. Give an empty folder with --data, or found the cluster with this server.",
                folder.display()
            ),
            StartError::Twice { address, own } => {
                write!(f, "{address} is part of {own}, where this server listens already. Give one of them.")
            }
            StartError::Unreadable { path, error } => {
                write!(
                    f,
                    "Cannot read {}: {error}. Check the path and that it is a UTF-8 text.",
                    path.display()
                )
            }
            StartError::MotdTooLong { path, line } => write!(
                f,
                "Line {line} of {} is longer than {} bytes. Break it in two.",
                path.display(),
                MAX_MOTD_LINE
            ),
            StartError::MotdTooBig { path } => write!(
                f,
                "{} has more than {} bytes. Shorten it: everybody who comes reads it.",
                path.display(),
                MAX_MOTD
            ),
            StartError::OperFileOpen { path } => write!(
                f,
                "Others can read the key in {}. Make it yours alone (chmod 600), and change the key if somebody may have seen it.",
                path.display()
            ),
            StartError::OperFileForeign { path } => write!(
                f,
                "{} belongs to another user, who knows the key in it. Give a file of your own, or remove it to have one made.",
                path.display()
            ),
            StartError::OperFileEmpty { path } => write!(
                f,
                "{} holds no key of at least {MIN_KEY} characters. Remove the file to have one made.",
                path.display()
            ),
            StartError::KeyNotMade { path, error } => {
                write!(f, "Cannot make {} for a key: {error}. Check its folder.", path.display())
            }
            StartError::PasswordFileEmpty { path } => write!(
                f,
                "{} holds no password: one word of at least {MIN_PASSWORD} characters. Write one into it.",
                path.display()
            ),
            StartError::RawWithPassword { address } => write!(
                f,
                "Raw clients can give no password, and {address} is open to others. Give --raw-bind an address of this machine alone (127.0.0.1), or leave --password-file out."
            ),
            StartError::TooFewDescriptors { wanted, allowed } => write!(
                f,
                "--max-clients {wanted} needs {} open files, the system allows {allowed}. Raise the limit (ulimit -Hn){}.",
                wanted.saturating_add(RESERVED),
                match allowed.saturating_sub(RESERVED) {
                    0 => String::new(),
                    possible => format!(", or lower --max-clients to {possible}"),
                }
            ),
            StartError::NoRandomness { error } => write!(f, "The system gives no random numbers: {error}."),
            StartError::NoTls => write!(
                f,
                "This build has no TLS. Build one with `cargo build -p parlor-server --features tls`, or give --tls off."
            ),
            StartError::KeyUnusable { path, why } => write!(
                f,
                "{} cannot be used for TLS: {why}. Nothing was changed. Bring the file back; where tls.pem is moved away a new key is made, and programs that know the old one warn.",
                path.display()
            ),
            StartError::RawReadable { address } => write!(
                f,
                "Raw clients cannot encrypt, and --tls only forbids anything else on {address}. Let --raw-bind listen on 127.0.0.1, or leave one of the two out."
            ),
            StartError::Accounts(StoreError::Damaged { file, what }) => write!(
                f,
                "{} is damaged: {what}. Nothing was changed. Restore it from a backup, or move it aside: then every name is nobody's.",
                file.display()
            ),
            StartError::Accounts(error) => write!(f, "The accounts do not open. {error}"),
            StartError::History(error) => write!(f, "{error}"),
            StartError::NoHome => {
                write!(f, "This user has no home for the history. Give --data DIR, or --no-history.")
            }
            StartError::Nowhere => write!(f, "There is no address to listen on. Give one with --bind."),
        }
    }
}

impl std::error::Error for StartError {}
