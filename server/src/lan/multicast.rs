//! The networks that carry multicast: whether anybody can be found at all.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Where multicast DNS is spoken (RFC 6762 §3).
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);

/// Why no room can be found, and none announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LanError {
    /// No interface has an address, but for this machine's own.
    NoNetwork,
    /// No interface takes part in multicast.
    NoMulticast,
    /// The listeners are all for this machine alone.
    Loopback,
    /// The system refuses the socket or the thread.
    Refused(String),
}

impl fmt::Display for LanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LanError::NoNetwork => f.write_str("this computer is on no network"),
            LanError::NoMulticast => f.write_str("no network here carries multicast"),
            LanError::Loopback => {
                f.write_str("it listens for this computer alone; --bind 0.0.0.0:49806 lets others in")
            }
            LanError::Refused(error) => write!(f, "the system refuses it: {error}"),
        }
    }
}

impl std::error::Error for LanError {}

/// Whether there is a network, other than this machine's own, that carries multicast.
///
/// # Errors
/// [`LanError::NoNetwork`] and [`LanError::NoMulticast`].
pub(super) fn check() -> Result<(), LanError> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    // What is found beyond a tunnel is no neighbour: the library leaves it out as well.
    let is_other = |one: &&if_addrs::Interface| !one.is_loopback() && !one.is_p2p() && one.is_oper_up();
    let mut others = interfaces.iter().filter(is_other).peekable();
    if others.peek().is_none() {
        return Err(LanError::NoNetwork);
    }
    let v4 = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0));
    let v6 = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0));
    let joins = |interface: &if_addrs::Interface| match (interface.ip(), &v4, &v6) {
        // Joined already through another address of the interface is joined.
        (IpAddr::V4(ip), Ok(socket), _) => {
            let _ = socket.leave_multicast_v4(&GROUP_V4, &ip);
            socket.join_multicast_v4(&GROUP_V4, &ip).is_ok()
        }
        (IpAddr::V6(_), _, Ok(socket)) => interface.index.is_some_and(|index| {
            let _ = socket.leave_multicast_v6(&GROUP_V6, index);
            socket.join_multicast_v6(&GROUP_V6, index).is_ok()
        }),
        _ => false,
    };
    if others.any(joins) { Ok(()) } else { Err(LanError::NoMulticast) }
}
