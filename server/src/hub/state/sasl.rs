//! One exchange of AUTHENTICATE (IRCv3 sasl, RFC 4422).

use std::fmt;

use crate::protocol::scram::{Exchange, Key};

/// Characters of one AUTHENTICATE; one of so many is followed by more.
pub(crate) const CHUNK: usize = 400;
/// Characters of all that belong together: a name and a password of most bytes fit.
pub(crate) const MAX_SASL: usize = 3 * CHUNK;

/// How somebody shows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mechanism {
    /// By a password that is not sent (RFC 7677).
    Scram,
    /// By a password that is (RFC 4616).
    Plain,
    /// By the certificate of the connection (RFC 4422 appendix A).
    External,
}

impl Mechanism {
    /// All of them, the best first.
    pub(crate) const ALL: [Mechanism; 3] = [Mechanism::Scram, Mechanism::External, Mechanism::Plain];
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mechanism::Scram => "SCRAM-SHA-256",
            Mechanism::Plain => "PLAIN",
            Mechanism::External => "EXTERNAL",
        })
    }
}

/// An exchange that goes on.
#[derive(Debug)]
pub(crate) struct Sasl {
    pub(crate) mechanism: Mechanism,
    /// What came of a message whose end has not.
    pub(crate) text: String,
    /// SCRAM: our challenge was sent.
    pub(crate) challenged: Option<Exchange>,
    /// SCRAM: the password of this account was proved, by what was kept of it then.
    pub(crate) proved: Option<(String, Key)>,
}

impl Sasl {
    pub(crate) fn new(mechanism: Mechanism) -> Sasl {
        Sasl { mechanism, text: String::new(), challenged: None, proved: None }
    }
}
