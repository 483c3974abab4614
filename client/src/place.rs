//! Where to go: what a person types, or a link, as host, port and room.

use std::fmt;
use std::sync::Arc;

use parlor_server::DEFAULT_PORT;
use parlor_server::protocol::{HostPort, HostPortError};

use crate::session::Naming;

/// The port of IRC links that name none (RFC 7194 §2 has 6697 for TLS; this is the plain one).
const IRC_PORT: u16 = 6667;

/// A server and, perhaps, a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where the server is; the port is not 0.
    pub server: HostPort,
    /// The room, with its prefix.
    pub room: Option<String>,
}

/// Which server: host and port, as one types them. The same after every start, so files may hold
/// it; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlaceId(Arc<HostPort>);

impl fmt::Display for PlaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceError {
    /// There is nothing.
    Empty,
    /// The port is no number from 1 to 65535.
    Port,
    /// The host has a character that no host has.
    Host,
    /// A link to something that needs TLS.
    Tls,
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PlaceError::Empty => "Type the address of a room, for example 192.168.1.7:49806.",
            PlaceError::Port => "The port behind the colon is a number from 1 to 65535.",
            PlaceError::Host => "An address looks like 192.168.1.7:49806 or chat.example.",
            PlaceError::Tls => "ircs:// needs TLS, which this version does not speak.",
        })
    }
}

impl std::error::Error for PlaceError {}

impl Place {
    /// Reads `host`, `host:port`, `[v6]:port` or `irc://host[:port][/room]`.
    pub fn parse(text: &str) -> Result<Place, PlaceError> {
        let text = text.trim();
        if text.starts_with("ircs://") {
            return Err(PlaceError::Tls);
        }
        let (rest, default) = match text.strip_prefix("irc://") {
            Some(rest) => (rest, IRC_PORT),
            None => (text, DEFAULT_PORT),
        };
        let (authority, room) = rest.split_once('/').unwrap_or((rest, ""));
        let server = HostPort::parse_or(authority, default).map_err(|error| match error {
            HostPortError::NoHost => PlaceError::Empty,
            HostPortError::Host => PlaceError::Host,
            HostPortError::Port => PlaceError::Port,
        })?;
        if server.port == 0 {
            return Err(PlaceError::Port);
        }
        let room = room.split(['?', ',']).next().unwrap_or_default().replace("%23", "#");
        let room = (!room.is_empty()).then(|| Naming::default().room(&room));
        Ok(Place { server, room })
    }

    /// Its server, whatever the room.
    pub fn id(&self) -> PlaceId {
        PlaceId(Arc::new(self.server.clone()))
    }

    /// Host and port, as one types them.
    pub fn address(&self) -> String {
        self.server.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: &str, port: u16, room: Option<&str>) -> Result<Place, PlaceError> {
        Ok(Place { server: HostPort::new(host, port), room: room.map(Into::into) })
    }

    #[test]
    fn addresses_and_links() {
        assert_eq!(Place::parse("127.0.0.1:49806"), place("127.0.0.1", 49806, None));
        assert_eq!(Place::parse(" chat.example "), place("chat.example", 49806, None));
        assert_eq!(Place::parse("[::1]:7"), place("::1", 7, None));
        assert_eq!(Place::parse("::1"), place("::1", 49806, None));
        assert_eq!(Place::parse("irc://a.b/tea"), place("a.b", 6667, Some("#tea")));
        assert_eq!(Place::parse("irc://a.b:1/%23tea?x"), place("a.b", 1, Some("#tea")));
        assert_eq!(Place::parse("[::1]:7").unwrap().address(), "[::1]:7");
    }

    #[test]
    fn what_is_no_address_is_said_why() {
        for (text, error) in [
            ("", PlaceError::Empty),
            (":80", PlaceError::Empty),
            ("host:", PlaceError::Port),
            ("host:0", PlaceError::Port),
            ("host:99999", PlaceError::Port),
            ("a b", PlaceError::Host),
            ("http://x", PlaceError::Port),
            ("ircs://x", PlaceError::Tls),
        ] {
            assert_eq!(Place::parse(text), Err(error), "{text}");
        }
    }
}
