//! How a server is to be met, and by what it is known again.

use std::fmt;
use std::str::FromStr;

/// A server's public key: SHA-256 of its SubjectPublicKeyInfo (RFC 7469 §2.4), which stays when a certificate is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 32]);

impl KeyId {
    /// One of 32 bytes.
    pub fn of(bytes: &[u8]) -> Option<KeyId> {
        bytes.try_into().ok().map(KeyId)
    }

    /// `ABCD EF01 2345 6789`, without a break: its first 64 bits, for two people to compare by eye.
    pub fn short(&self) -> String {
        let group = |pair: &[u8]| pair.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        let (first, _) = self.0.split_at(8);
        first.chunks(2).map(group).collect::<Vec<_>>().join("\u{A0}")
    }
}

/// `AB:CD:…`, as the start of a server prints it.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if i == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

/// What is no [`KeyId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoKeyId;

/// With or without colons, in upper or lower case.
impl FromStr for KeyId {
    type Err = NoKeyId;

    fn from_str(text: &str) -> Result<KeyId, NoKeyId> {
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        let mut key = [0; 32];
        if digits.len() != 2 * key.len() || !digits.is_ascii() {
            return Err(NoKeyId);
        }
        for (i, byte) in key.iter_mut().enumerate() {
            let pair = digits.get(2 * i..2 * i + 2).ok_or(NoKeyId)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NoKeyId)?;
        }
        Ok(KeyId(key))
    }
}

/// How a server is to be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// Lines travel readable.
    #[default]
    Readable,
    /// By TLS if the server speaks it, whatever its key; else readable.
    Perhaps,
    /// By TLS, with this key only.
    Key(KeyId),
    /// By TLS, with a certificate that one of the system's authorities vouches for.
    Authorities,
}

impl Trust {
    /// The only key by which it is met.
    pub fn key(self) -> Option<KeyId> {
        if let Trust::Key(key) = self { Some(key) } else { None }
    }
}

/// What the handshake has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The server's key.
    pub key: KeyId,
    /// One of the system's authorities vouches for it, under the name that was called.
    pub vouched: bool,
}

impl Shown {
    /// Whether this is whom we wanted to meet.
    pub fn suits(&self, trust: Trust) -> bool {
        match trust {
            Trust::Key(key) => self.key == key,
            Trust::Authorities => self.vouched,
            Trust::Readable | Trust::Perhaps => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let key = KeyId(std::array::from_fn(|i| i as u8 * 8));
        let text = key.to_string();
        assert!(text.starts_with("00:08:10:") && text.len() == 95, "{text}");
        assert_eq!(key.short(), "0008\u{A0}1018\u{A0}2028\u{A0}3038");
        for form in [text.clone(), text.replace(':', ""), text.to_lowercase().replace(':', "")] {
            assert_eq!(form.parse(), Ok(key), "{form}");
        }
        for wrong in
            ["", "00", &text[..93], &format!("{text}:00"), &text.replace('8', "g"), &text.replace('8', "é")]
        {
            assert_eq!(wrong.parse::<KeyId>(), Err(NoKeyId), "{wrong}");
        }
    }
}
