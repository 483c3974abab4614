//! Connections from one address of loopback among many: each is another party.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, bind, connect, socket, sockopt};

/// Connects from this address. The socket is reset when dropped, so that thousands leave no port
/// behind.
pub(crate) fn connect_from(source: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &SocketAddrV4::new(source, 0))?;
    connect(&socket, &to)?;
    let stream = TcpStream::from(socket);
    sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
