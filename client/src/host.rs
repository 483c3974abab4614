//! A room hosted by this program: the very same server, on a thread of its own.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, JoinHandle};

use async_channel::{Receiver, Sender};
use parlor_server::{Config, Guest, Handle, Operator, Server, StartError};

/// A server that runs in this process; dropped, it stops by itself, with its good-byes.
pub struct Host {
    handle: Handle,
    address: SocketAddr,
    thread: JoinHandle<()>,
    ended: Receiver<End>,
    /// Closed with the host.
    _wanted: Sender<Infallible>,
}

/// How a hosted server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As it was asked to.
    Stopped,
    /// It failed; the room is gone.
    Failed,
}

impl Host {
    /// Starts a server on one address (`host:port`, port 0 takes a free one) with its default
    /// room. Listens when it returns, which reading a large history puts off for seconds.
    pub fn start(config: Config) -> Result<Host, StartError> {
        let server = Server::bind(config)?;
        let address = server.addresses().first().map(|(address, _)| *address).ok_or(StartError::Nowhere)?;
        let handle = server.handle();
        let (tell, ended) = async_channel::bounded(1);
        let (wanted, unwanted) = async_channel::bounded(1);
        let run = move || {
            // Nobody types at a hosted room's console, and nobody reads it.
            let (_, lines) = async_channel::bounded(1);
            let (shown, _) = async_channel::bounded(1);
            let dropped = async {
                let _ = unwanted.recv().await;
            };
            let run = || server.run(Operator { lines, shown }, dropped);
            let ended = if catch_unwind(AssertUnwindSafe(run)).is_ok() { End::Stopped } else { End::Failed };
            // The window may be gone already.
            let _ = tell.try_send(ended);
        };
        let thread = thread::Builder::new().name("room".into()).spawn(run);
        let thread = thread.map_err(|error| StartError::Bind { address: address.to_string(), error })?;
        Ok(Host { handle, address, thread, ended, _wanted: wanted })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address that this machine itself reaches it at.
    pub fn own_address(&self) -> SocketAddr {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv6() {
                std::net::Ipv6Addr::LOCALHOST.into()
            } else {
                std::net::Ipv4Addr::LOCALHOST.into()
            });
        }
        address
    }

    /// Tells when the server has ended, and then closes: port and history are free.
    pub fn ended(&self) -> Receiver<End> {
        self.ended.clone()
    }

    /// Speaks to it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Everyone who is in it.
    pub async fn guests(&self) -> Vec<Guest> {
        self.handle.guests().await
    }

    /// Stops it: everybody is told, and it is gone when this returns (3 s at most).
    pub fn stop(self) {
        let Host { thread, _wanted, .. } = self;
        drop(_wanted);
        // A panic in it was reported by `ended` already.
        let _ = thread.join();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpStream;

    use parlor_server::Operation;

    use super::*;

    fn config(bind: &str) -> Config {
        Config { bind: vec![bind.into()], ..Config::default() }
    }

    #[test]
    fn a_hosted_room_shows_its_guests_and_stops() {
        let host = Host::start(config("127.0.0.1:0")).unwrap();
        let mut guest = TcpStream::connect(host.own_address()).unwrap();
        guest.write_all(b"bob\n").unwrap();
        let mut lines = BufReader::new(guest.try_clone().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().contains("Welcome"));
        let guests = smol::block_on(host.guests());
        assert_eq!(guests.len(), 1);
        assert_eq!((guests[0].nick.as_str(), guests[0].peer), ("bob", guest.local_addr().unwrap()));
        smol::block_on(host.handle().operate(Operation::Announce { text: "/hello all".into() }));
        assert_eq!(lines.next().unwrap().unwrap(), "-!- server: /hello all");
        let ended = host.ended();
        host.stop();
        assert_eq!(ended.try_recv(), Ok(End::Stopped));
        assert!(lines.next().unwrap().unwrap().contains("stopping"));
    }

    #[test]
    fn a_taken_port_is_a_sentence() {
        let host = Host::start(config("127.0.0.1:0")).unwrap();
        let error = Host::start(config(&host.address().to_string())).err().unwrap();
        assert!(error.to_string().contains("Another program listens on"));
        host.stop();
    }
}
