//! Where the log is, and as whom to ask for it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::protocol::{HostPort, HostPortError};

/// The port of Redis and Valkey.
const PORT: u16 = 6379;
/// Bytes of a cluster's name at most.
const NAME: usize = 64;

/// `redis://[user:password@]host[:6379]/name`, or `rediss://…[?ca=/path]` where it is encrypted. What stands in a
/// user or a password for another character is `%` and two hexadecimal digits (RFC 3986 §2.1).
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Host and port of the engine.
    pub host: HostPort,
    /// The cluster's name, 1 to 64 of `A-Z a-z 0-9 . _ -`: several clusters can share an engine.
    pub name: String,
    /// Whether it is encrypted (TLS).
    pub encrypted: bool,
    /// The certificates (PEM) of those who vouch for the engine, instead of the system's.
    pub authorities: Option<PathBuf>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
}

/// Why a text is no such address; its `Display` is a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressError {
    /// It begins with neither `redis://` nor `rediss://`.
    Scheme,
    /// There is no such host or port.
    Host(HostPortError),
    /// No name stands behind the host, or none that is possible.
    Name,
    /// A `%` is not followed by two hexadecimal digits, or what they make is no UTF-8.
    Percent,
    /// Something else than `?ca=/path` stands behind the name, or it does without encryption.
    Query,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("An address of a cluster is redis://HOST:6379/NAME, or rediss:// with encryption: ")?;
        match self {
            AddressError::Scheme => f.write_str("this one begins with something else."),
            AddressError::Host(error) => write!(f, "{error}."),
            AddressError::Name => {
                write!(f, "NAME is missing, or not 1 to {NAME} of A-Z a-z 0-9 . _ and -.")
            }
            AddressError::Percent => {
                f.write_str("in the user and the password % stands before two hexadecimal digits.")
            }
            AddressError::Query => f.write_str("behind NAME only ?ca=/PATH may follow, with rediss://."),
        }
    }
}

impl std::error::Error for AddressError {}

impl Address {
    /// The same with this password.
    #[must_use]
    pub fn with_password(mut self, password: String) -> Address {
        self.password = Some(password);
        self
    }

    /// Whether it has a password.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        let (encrypted, rest) = match text.strip_prefix("redis://") {
            Some(rest) => (false, rest),
            None => (true, text.strip_prefix("rediss://").ok_or(AddressError::Scheme)?),
        };
        let (place, name) = rest.split_once('/').ok_or(AddressError::Name)?;
        let (name, query) = name.split_once('?').map_or((name, None), |(name, query)| (name, Some(query)));
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if name.is_empty() || name.len() > NAME || !name.bytes().all(legal) {
            return Err(AddressError::Name);
        }
        let path = query.map(|query| query.strip_prefix("ca=").filter(|path| !path.is_empty() && encrypted));
        let authorities = path.map(|path| path.ok_or(AddressError::Query)).transpose()?.map(PathBuf::from);
        let (credentials, host) =
            place.rsplit_once('@').map_or((None, place), |(before, host)| (Some(before), host));
        let (user, password) = match credentials {
            None => (None, None),
            Some(user) => match user.split_once(':') {
                None => (Some(decoded(user)?), None),
                Some((user, password)) => (Some(decoded(user)?), Some(decoded(password)?)),
            },
        };
        let host = HostPort::parse_or(host, PORT).map_err(AddressError::Host)?;
        if host.port == 0 {
            return Err(AddressError::Host(HostPortError::Port));
        }
        let (user, name) = (user.filter(|user| !user.is_empty()), name.to_owned());
        Ok(Address { host, name, encrypted, authorities, user, password })
    }
}

fn decoded(text: &str) -> Result<String, AddressError> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or(AddressError::Percent)?);
        bytes.extend_from_slice(part.get(2..).unwrap_or_default().as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| AddressError::Percent)
}

impl fmt::Display for Address {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "redis{}://{}/{}", if self.encrypted { "s" } else { "" }, self.host, self.name)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Address, AddressError> {
        text.parse()
    }

    #[test]
    fn host_port_and_name_are_read() {
        let address = read("redis://engine.example/school").unwrap();
        assert_eq!(address.host, HostPort::new("engine.example", 6379));
        assert_eq!((address.name.as_str(), address.encrypted), ("school", false));
        assert_eq!(address.to_string(), "redis://engine.example:6379/school");
        let address = read("rediss://[::1]:7000/a.b_c-D?ca=/etc/own.pem").unwrap();
        assert_eq!(address.host, HostPort::new("::1", 7000));
        assert_eq!(address.authorities.as_deref(), Some("/etc/own.pem".as_ref()));
        assert_eq!(address.to_string(), "rediss://[::1]:7000/a.b_c-D");
    }

    #[test]
    fn a_password_is_decoded_and_never_shown() {
        let address = read("redis://us%40er:p%3a%2Fss%C3%A9@h:1/n").unwrap();
        assert_eq!(address.user.as_deref(), Some("us@er"));
        assert_eq!(address.password.as_deref(), Some("p:/ssé"));
        assert_eq!(format!("{address} {address:?}"), "redis://h:1/n redis://h:1/n");
        let address = read("redis://:secret@h/n").unwrap();
        assert_eq!((address.user.as_deref(), address.password.as_deref()), (None, Some("secret")));
        let address = read("redis://user@h/n").unwrap();
        assert!(!address.has_password());
        assert!(address.with_password("later".to_owned()).has_password());
    }

    #[test]
    fn anything_else_is_refused_with_a_sentence() {
        let long = format!("redis://h/{}", "n".repeat(65));
        for (text, error) in [
            ("", AddressError::Scheme),
            ("http://h/n", AddressError::Scheme),
            ("redis://h", AddressError::Name),
            ("redis://h/", AddressError::Name),
            ("redis://h/a b", AddressError::Name),
            ("redis://h/{n}", AddressError::Name),
            (&long, AddressError::Name),
            ("redis:///n", AddressError::Host(HostPortError::NoHost)),
            ("redis://h:0/n", AddressError::Host(HostPortError::Port)),
            ("redis://h:x/n", AddressError::Host(HostPortError::Port)),
            ("redis://a:%4@h/n", AddressError::Percent),
            ("redis://a:%é@h/n", AddressError::Percent),
            ("redis://a:%ff@h/n", AddressError::Percent),
            ("redis://h/n?ca=/x", AddressError::Query),
            ("rediss://h/n?db=1", AddressError::Query),
            ("rediss://h/n?ca=", AddressError::Query),
        ] {
            assert_eq!(read(text), Err(error), "{text}");
            assert!(error.to_string().ends_with('.'), "{error}");
        }
    }
}
