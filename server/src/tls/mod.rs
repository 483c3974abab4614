//! Encryption (TLS 1.3, RFC 8446, and 1.2, RFC 5246): the server's key and certificate, and the sessions of
//! connections.
//!
//! | file | noun |
//! | --- | --- |
//! | `certificate` | a certificate that a key signs for itself |
//! | `identity` | the key and the certificate, in memory or in files |
//! | `acceptor` | what all sessions have in common |
//! | `session` | the encryption of one connection |
//! | `absent` | the same names in builds without the feature `tls`, where there is none of it |

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(feature = "tls")]
mod acceptor;
#[cfg(feature = "tls")]
mod certificate;
#[cfg(feature = "tls")]
mod identity;
#[cfg(feature = "tls")]
mod session;

use std::path::PathBuf;
use std::{fmt, io};

#[cfg(not(feature = "tls"))]
pub(crate) use absent::{Acceptor, Session};
#[cfg(feature = "tls")]
pub(crate) use acceptor::Acceptor;
#[cfg(feature = "tls")]
pub(crate) use session::Session;

/// Whether this build can encrypt.
pub const AVAILABLE: bool = cfg!(feature = "tls");

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

/// The reason why there is no key or certificate.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are what the variants name")]
pub enum TlsError {
    /// A file is missing or cannot be read.
    Unreadable { path: PathBuf, error: io::Error },
    /// A file holds no certificate or key that can be used.
    Unusable { path: PathBuf, why: String },
    /// The file is absent and cannot be made.
    NotMade { path: PathBuf, error: io::Error },
    /// No key could be made.
    NoKey,
}

impl TlsError {
    /// The exit code, after BSD's sysexits.
    pub(crate) fn exit_code(&self) -> i32 {
        match self {
            TlsError::Unreadable { .. } | TlsError::Unusable { .. } => 66,
            TlsError::NotMade { .. } => 73,
            TlsError::NoKey => 71,
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::Unreadable { path, error } => {
                write!(f, "Cannot read {}: {error}. Check the path and who may read it.", path.display())
            }
            TlsError::Unusable { path, why } => write!(
                f,
                "{} cannot be used for TLS: {why}. Nothing was changed; bring the file back, or move it away: \
                 for tls.pem a new key is made then, and programs that know the old one will warn.",
                path.display()
            ),
            TlsError::NotMade { path, error } => {
                write!(f, "Cannot make {} for the server's key: {error}. Check its folder.", path.display())
            }
            TlsError::NoKey => write!(f, "The system gives no random numbers for a key."),
        }
    }
}
