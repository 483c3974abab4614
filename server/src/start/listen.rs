//! Addresses to listen on: from what a person typed to a listening socket, and to what others
//! can type.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs};

use super::error::StartError;
use crate::protocol::HostPort;

/// Connections that may wait to be accepted; std asks for 128.
#[cfg(unix)]
const BACKLOG: i32 = 4096;

/// Which peers a listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerKind {
    /// IRC programs and people at terminals.
    Main,
    /// Raw clients, which send text without line ends.
    Raw,
}

/// Resolves and binds one address as `host:port`.
pub(crate) fn listen(address: &str) -> Result<TcpListener, StartError> {
    let unresolved = |error| StartError::Unresolved { address: address.into(), error };
    let at: HostPort =
        address.parse().map_err(|error| unresolved(io::Error::new(ErrorKind::InvalidInput, error)))?;
    let candidates = (at.host.as_str(), at.port).to_socket_addrs().map_err(unresolved)?;
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for candidate in candidates {
        match bind(candidate) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(StartError::Bind { address: address.into(), error: last })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    // Asking again for a listening socket only changes how many may wait.
    #[cfg(unix)]
    rustix::net::listen(&listener, BACKLOG)?;
    Ok(listener)
}

/// The addresses that others can type to reach a listener, with the interface's name; none unless it
/// listens on all addresses.
pub fn addresses_for_others(listening: SocketAddr) -> Vec<(SocketAddr, String)> {
    if !listening.ip().is_unspecified() {
        return Vec::new();
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut found: Vec<(SocketAddr, String)> = interfaces
        .into_iter()
        .filter(|interface| !interface.is_loopback())
        .filter(|interface| match interface.ip() {
            IpAddr::V4(ip) => !ip.is_link_local(),
            // Without a scope nobody could type a link-local one.
            IpAddr::V6(ip) => listening.is_ipv6() && !ip.is_unicast_link_local(),
        })
        .map(|interface| (SocketAddr::new(interface.ip(), listening.port()), interface.name))
        .collect();
    found.sort();
    found
}
