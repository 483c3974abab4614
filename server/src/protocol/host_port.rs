//! A host and a port, as people type them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// A host and a port: `chat.example:49806`, `127.0.0.1:49806` or `[::1]:49806`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPort {
    /// A name or an address; IPv6 without brackets, perhaps with a zone (`fe80::1%eth0`).
    pub host: String,
    /// Port 0 is for listening alone: any free one.
    pub port: u16,
}

/// Why a text is no host and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostPortError {
    /// Nothing stands where the host should.
    NoHost,
    /// The host has a character that no host has, or a bracket is open.
    Host,
    /// No port, where one is needed, or no number up to 65535.
    Port,
}

impl fmt::Display for HostPortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HostPortError::NoHost => "no host",
            HostPortError::Host => "no such host is possible",
            HostPortError::Port => "a port is a number up to 65535",
        })
    }
}

impl std::error::Error for HostPortError {}

impl HostPort {
    /// A host and a port.
    pub fn new(host: impl Into<String>, port: u16) -> HostPort {
        HostPort { host: host.into(), port }
    }

    /// Reads `host:port`, `[v6]:port`, or either without a port, which is then `default`. Without
    /// brackets several colons are an IPv6 address.
    pub fn parse_or(text: &str, default: u16) -> Result<HostPort, HostPortError> {
        let (host, port) = split(text)?;
        let port = port.map_or(Ok(default), parse_port)?;
        Ok(HostPort::new(host, port))
    }

    /// Whether the host is an address rather than a name.
    pub fn is_address(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok()
    }
}

impl FromStr for HostPort {
    type Err = HostPortError;

    /// Reads `host:port` or `[v6]:port`.
    fn from_str(text: &str) -> Result<HostPort, HostPortError> {
        let (host, port) = split(text)?;
        Ok(HostPort::new(host, parse_port(port.ok_or(HostPortError::Port)?)?))
    }
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> HostPort {
        HostPort::new(address.ip().to_string(), address.port())
    }
}

impl fmt::Display for HostPort {
    /// Writes what [`FromStr`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HostPort { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

fn split(text: &str) -> Result<(&str, Option<&str>), HostPortError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']').ok_or(HostPortError::Host)?;
            match after.strip_prefix(':') {
                None if !after.is_empty() => return Err(HostPortError::Host),
                port => (host, port),
            }
        }
        None if text.matches(':').count() > 1 => (text, None),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    match host {
        "" => Err(HostPortError::NoHost),
        host if host.chars().all(legal) => Ok((host, port)),
        _ => Err(HostPortError::Host),
    }
}

fn parse_port(digits: &str) -> Result<u16, HostPortError> {
    // `u16` would take a sign.
    let sound = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| sound).ok_or(HostPortError::Port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_the_same() {
        for text in ["chat.example:1", "127.0.0.1:0", "[::1]:49806", "[fe80::1%eth0]:65535", "音.example:7"]
        {
            assert_eq!(text.parse::<HostPort>().map(|read| read.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_port_may_be_left_out_where_there_is_another() {
        let or = |text| HostPort::parse_or(text, 7);
        assert_eq!(or("chat.example"), Ok(HostPort::new("chat.example", 7)));
        assert_eq!(or("::1"), Ok(HostPort::new("::1", 7)));
        assert_eq!(or("[::1]"), Ok(HostPort::new("::1", 7)));
        assert_eq!(or("[::1]:9"), Ok(HostPort::new("::1", 9)));
        assert_eq!("chat.example".parse::<HostPort>(), Err(HostPortError::Port));
        assert_eq!("::1".parse::<HostPort>(), Err(HostPortError::Port));
    }

    #[test]
    fn anything_else_is_refused() {
        for (text, error) in [
            ("", HostPortError::NoHost),
            (":80", HostPortError::NoHost),
            ("[]:80", HostPortError::NoHost),
            ("[::1:80", HostPortError::Host),
            ("[::1]80", HostPortError::Host),
            ("a b:80", HostPortError::Host),
            ("host:", HostPortError::Port),
            ("host:+80", HostPortError::Port),
            ("host:65536", HostPortError::Port),
        ] {
            assert_eq!(HostPort::parse_or(text, 7), Err(error), "{text}");
        }
    }

    #[test]
    fn an_address_is_told_from_a_name() {
        assert!(HostPort::new("::1", 1).is_address() && !HostPort::new("a.b", 1).is_address());
    }
}
