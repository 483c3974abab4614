//! Addresses to listen on: from what a person typed to a listening socket.

use std::io::{self, ErrorKind};
#[cfg(unix)]
use std::net::{IpAddr, Ipv6Addr};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use super::error::StartError;
use crate::protocol::HostPort;
use crate::protocol::sorted::sorted;

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

/// Binds addresses as `host:port`, each with all that its host stands for: `localhost` has two.
pub(crate) fn listen(
    addresses: &[(&str, ListenerKind)],
) -> Result<Vec<(TcpListener, ListenerKind)>, StartError> {
    let mut wanted = Vec::new();
    for (address, kind) in addresses {
        wanted.push((*address, *kind, resolve(address)?));
    }
    let all: Vec<SocketAddr> = wanted.iter().flat_map(|(.., candidates)| candidates).copied().collect();
    let mut listeners: Vec<(TcpListener, ListenerKind)> = Vec::new();
    for (address, kind, candidates) in wanted {
        let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
        // Where any port will do, it is the same for all.
        let (before, mut port) = (listeners.len(), None);
        for mut candidate in candidates {
            candidate.set_port(port.unwrap_or(candidate.port()));
            match bind(candidate, &all) {
                Ok(listener) => {
                    port = listener.local_addr().ok().map(|bound| bound.port());
                    listeners.push((listener, kind));
                }
                // A machine without IPv6 has a name for its address all the same.
                Err(error) if error.kind() != ErrorKind::AddrInUse => last = error,
                Err(error) => {
                    let own = listeners.iter().filter_map(|(listener, _)| listener.local_addr().ok());
                    return Err(match own.into_iter().find(|own| overlap(*own, candidate)) {
                        Some(own) => StartError::Twice { address: candidate.to_string(), own },
                        None => StartError::Bind { address: candidate.to_string(), error },
                    });
                }
            }
        }
        if listeners.len() == before {
            return Err(StartError::Bind { address: address.into(), error: last });
        }
    }
    Ok(listeners)
}

fn resolve(address: &str) -> Result<Vec<SocketAddr>, StartError> {
    let unresolved = |error| StartError::Unresolved { address: address.into(), error };
    let at: HostPort =
        address.parse().map_err(|error| unresolved(io::Error::new(ErrorKind::InvalidInput, error)))?;
    let mut candidates = sorted((at.host.as_str(), at.port).to_socket_addrs().map_err(unresolved)?);
    candidates.dedup();
    Ok(candidates)
}

/// Whether two addresses of listeners stand in each other's way.
fn overlap(one: SocketAddr, two: SocketAddr) -> bool {
    let any = one.ip().is_unspecified() || two.ip().is_unspecified();
    one.port() == two.port() && (one.ip() == two.ip() || any)
}

/// Binds one address. `[::]` takes IPv4 as well, unless an address of that is among `all` with its port.
fn bind(address: SocketAddr, all: &[SocketAddr]) -> io::Result<TcpListener> {
    #[cfg(unix)]
    {
        let listener = if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
            let same = |other: &SocketAddr| other.is_ipv4() && other.port() == address.port();
            let only = address.port() != 0 && all.iter().any(same);
            bind_any(address, only)?
        } else {
            TcpListener::bind(address)?
        };
        // Of a socket that listens already this only changes how many may wait.
        rustix::net::listen(&listener, BACKLOG)?;
        Ok(listener)
    }
    #[cfg(not(unix))]
    {
        let _ = all;
        TcpListener::bind(address)
    }
}

/// Binds `[::]`, for IPv6 `only` or for both (RFC 3493 §5.3): whatever the system does unasked.
#[cfg(unix)]
fn bind_any(address: SocketAddr, only: bool) -> io::Result<TcpListener> {
    use rustix::net::{self, AddressFamily, SocketType, sockopt};
    let socket = net::socket(AddressFamily::INET6, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    // As std does: a restart need not wait for the last connections to be forgotten.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_ipv6_v6only(&socket, only)?;
    net::bind(&socket, &address)?;
    Ok(socket.into())
}
