//! Servers that are known again: by their key, or because authorities vouch for them.

use serde::{Deserialize, Serialize};

use crate::trust::{KeyId, Trust};

/// Servers at most; whoever was met first goes first.
const MAX_SERVERS: usize = 500;
/// In the place of a key: one of the system's authorities vouches for the server.
const AUTHORITIES: &str = "authorities";

/// The file of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Servers {
    /// The last one first.
    servers: Vec<Known>,
}

/// One of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Known {
    /// Host and port.
    address: String,
    /// As [`KeyId`] writes it, or [`AUTHORITIES`].
    key: String,
}

impl Servers {
    /// How the server at an address is to be met, if it is known. One whose key cannot be read is asked about, and never
    /// met readable.
    pub fn trust(&self, address: &str) -> Option<Trust> {
        let known = self.servers.iter().find(|known| known.is_at(address))?;
        Some(known.key.parse().map_or(Trust::Authorities, Trust::Key))
    }

    /// The key of the server at an address, if it is known by that.
    pub fn key(&self, address: &str) -> Option<KeyId> {
        self.trust(address)?.key()
    }

    /// A server is to be met like this from now on; says whether that is news. Without `sure`, who is known stays so.
    pub fn know(&mut self, address: &str, trust: Trust, sure: bool) -> bool {
        let key = match trust {
            Trust::Key(key) => key.to_string(),
            Trust::Authorities => AUTHORITIES.to_owned(),
            Trust::Readable | Trust::Perhaps => return false,
        };
        let known = self.trust(address);
        if known == Some(trust) || (known.is_some() && !sure) {
            return false;
        }
        self.servers.retain(|known| !known.is_at(address));
        self.servers.insert(0, Known { address: address.into(), key });
        self.servers.truncate(MAX_SERVERS);
        true
    }
}

impl Known {
    /// Whether it is the server at this address: the same in upper and lower case, and with a name's last dot (RFC 1034 §3.1).
    fn is_at(&self, address: &str) -> bool {
        let plain = |address: &str| address.to_ascii_lowercase().replace(".:", ":");
        plain(&self.address) == plain(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_however_its_address_is_written_and_whatever_became_of_its_key() {
        let key = |byte: &str| Trust::Key(byte.repeat(32).parse().unwrap());
        let mut servers = Servers::default();
        assert!(servers.know("Chat.example:49806", key("AB"), false));
        for address in ["chat.example:49806", "CHAT.EXAMPLE.:49806"] {
            assert_eq!(servers.trust(address), Some(key("AB")));
            assert!(!servers.know(address, key("AB"), true), "that is no news");
        }
        assert_eq!(servers.trust("chat.example:49807"), None);
        assert!(!servers.know("chat.example:49806", key("CD"), false), "only a person says so");
        assert!(!servers.know("other.example:1", Trust::Readable, true));
        assert!(servers.know("chat.EXAMPLE:49806", key("CD"), true));
        assert_eq!((servers.servers.len(), servers.trust("chat.example:49806")), (1, Some(key("CD"))));
        servers.servers[0].key.truncate(20);
        assert_eq!(servers.trust("chat.example:49806"), Some(Trust::Authorities));
        assert!(servers.know("other.example:1", Trust::Authorities, false));
        assert_eq!(servers.trust("other.example:1"), Some(Trust::Authorities));
        (0..MAX_SERVERS).for_each(|i| assert!(servers.know(&format!("host:{i}"), key("EF"), false)));
        assert_eq!((servers.servers.len(), servers.trust("other.example:1")), (MAX_SERVERS, None));
    }
}
