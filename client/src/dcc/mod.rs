//! Files between people: DCC, the direct connection that IRC programs make for them. What is offered, agreed and refused
//! goes through the server as CTCP (`modern.ircdocs.horse/dcc.html`); the bytes go from one computer to the other.
//!
//! | file | noun |
//! | --- | --- |
//! | `files` | all transfers: who offers what, what becomes of it |
//! | `transfer` | one of them: how far it is, and what may become of it |
//! | `part` | a file that is not whole yet |
//! | `receive`, `send` | one transfer on a thread of its own |
//! | `link` | who calls whom, and how long it may take |
//!
//! What programs say to each other of a file is [`session::Dcc`](crate::session::Dcc).
//!
//! Nothing is fetched, opened or answered before the person says so. Whoever offers a file is a stranger: its name, its
//! size, the address and what comes from there are each checked.

mod files;
mod link;
mod part;
mod receive;
mod send;
#[cfg(test)]
#[cfg(unix)]
mod tests;
mod transfer;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub use files::{Files, Full, begun};
pub use link::address_to_tell;
pub use send::Source;
pub use transfer::{FileId, Say, State, Transfer, Who};

/// Files that are under way at a time.
pub const RUNNING: usize = 4;
/// Offers of one person that wait for an answer; of more the oldest goes.
pub const OFFERS_EACH: usize = 5;
/// Offers of all people that wait for an answer; of more the oldest goes.
pub const OFFERS: usize = 40;
/// Transfers that are remembered, under way or over; of more the oldest that is over goes.
pub const REMEMBERED: usize = 80;
/// Bytes of a file; an offer of more is no offer.
pub const LARGEST: u64 = 1 << 40;

/// How long we wait to be called.
pub const LISTENS: Duration = shorter(Duration::from_secs(5 * 60));
/// How long a computer that we call may take to answer.
pub const CALLS: Duration = Duration::from_secs(30);
/// How long nothing may come or go.
pub const STALLS: Duration = shorter(Duration::from_secs(60));
/// How long a program may take to agree where to go on.
pub const AGREES: Duration = shorter(Duration::from_secs(30));
/// Between two words of how far it is.
pub const TELLS: Duration = Duration::from_millis(250);

/// Tests of this crate wait for less.
const fn shorter(time: Duration) -> Duration {
    if cfg!(test) { Duration::from_secs(6) } else { time }
}

/// What a transfer's thread tells.
#[derive(Debug)]
pub enum News {
    /// The connection stands, and so many bytes have come or gone.
    Moved {
        /// From the beginning of the file.
        done: u64,
        /// Bytes a second, of the last seconds.
        rate: u64,
    },
    /// All of it is there.
    Done {
        /// Where, if it was received.
        path: Option<PathBuf>,
    },
    /// It is over without that.
    Failed {
        /// Why.
        why: Failure,
        /// What has come of it is here, and can be gone on with.
        kept: bool,
    },
}

/// Why a file did not come or go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The offer does not say how large the file is, or says nonsense.
    NoSize,
    /// The offer says a size that no file has.
    SizeNotPossible,
    /// The offer names an address where nobody can be called.
    AddressNotPossible,
    /// The other computer cannot be called.
    Unreachable {
        /// In the system's words.
        error: String,
    },
    /// This computer has no port, or no thread, for it.
    NotPossibleHere {
        /// In the system's words.
        error: String,
    },
    /// Whoever was to have it has not called, or not said where to call.
    NobodyCame,
    /// Its sender wanted to call, and has not.
    SenderNeverCame,
    /// Nothing has come or gone for a minute.
    Stalled,
    /// The connection ended too early.
    Broken,
    /// More has come than was offered.
    TooMuch,
    /// The other program did not answer where to go on.
    NotAgreed,
    /// There is no room for it.
    DiskFull,
    /// It cannot be written.
    NotWritable {
        /// In the system's words.
        error: String,
    },
    /// It cannot be read.
    NotReadable {
        /// In the system's words.
        error: String,
    },
    /// It is a folder, or another thing without a size.
    NotAFile,
    /// There is nothing in it.
    Empty,
    /// It became shorter while it was sent.
    Shrunk,
    /// The other one said no.
    Declined,
    /// We took it back.
    Cancelled,
}

impl Failure {
    /// Of a port or a thread of our own.
    fn ours(error: &io::Error) -> Failure {
        Failure::NotPossibleHere { error: error.to_string() }
    }

    /// Of what cannot be written.
    fn writing(error: &io::Error) -> Failure {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Failure::DiskFull,
            _ => Failure::NotWritable { error: error.to_string() },
        }
    }

    fn reading(error: &io::Error) -> Failure {
        Failure::NotReadable { error: error.to_string() }
    }
}

/// In English, for those without a window.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NoSize => f.write_str("The offer does not say how large the file is."),
            Failure::SizeNotPossible => f.write_str("The offer says a size that no file has."),
            Failure::AddressNotPossible => f.write_str("The offer names an address that cannot be called."),
            Failure::Unreachable { error } => write!(f, "The other computer can't be reached: {error}"),
            Failure::NotPossibleHere { error } => write!(f, "This computer can't do it now: {error}"),
            Failure::SenderNeverCame => f.write_str("The other computer did not call within five minutes."),
            Failure::NobodyCame => f.write_str("It was not fetched within five minutes."),
            Failure::Stalled => f.write_str("Nothing has moved for a minute."),
            Failure::Broken => f.write_str("The connection ended too early."),
            Failure::TooMuch => f.write_str("More came than was offered. It was thrown away."),
            Failure::NotAgreed => f.write_str("The other program did not say whether it goes on."),
            Failure::DiskFull => f.write_str("The disk is full."),
            Failure::NotWritable { error } => write!(f, "It can't be written: {error}"),
            Failure::NotReadable { error } => write!(f, "It can't be read: {error}"),
            Failure::NotAFile => f.write_str("That is no file. A folder has to be packed into one first."),
            Failure::Empty => f.write_str("There is nothing in that file."),
            Failure::Shrunk => f.write_str("The file became shorter while it was sent."),
            Failure::Declined => f.write_str("It was declined."),
            Failure::Cancelled => f.write_str("Cancelled."),
        }
    }
}
