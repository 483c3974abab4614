//! A room hosted by this program: the very same server, on a thread of its own.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, JoinHandle};

use crate::trust::KeyId;
use async_channel::{Receiver, Sender};
use parlor_server::{Config, Guest, Handle, ListenerKind, Operator, Server, StartError};

/// A server that runs in this process; dropped, it stops by itself, with its good-byes.
pub struct Host {
    handle: Handle,
    address: SocketAddr,
    raw_address: Option<SocketAddr>,
    fingerprints: Option<[KeyId; 2]>,
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
        let addresses = server.addresses();
        let first = |of| addresses.iter().find(|(_, kind)| *kind == of).map(|(address, _)| *address);
        let address = first(ListenerKind::Main).ok_or(StartError::Nowhere)?;
        let raw_address = first(ListenerKind::Raw);
        let handle = server.handle();
        let fingerprints = server.fingerprints().and_then(|prints| {
            let [key, certificate] = prints.map(|print| KeyId::of(&print));
            key.zip(certificate).map(<[KeyId; 2]>::from)
        });
        let (tell, ended) = async_channel::bounded(1);
        let (wanted, unwanted) = async_channel::bounded(1);
        let run = move || {
            // Nobody types at a hosted room's console, and nobody reads it.
            let (_, lines) = async_channel::bounded(1);
            let (shown, _) = async_channel::bounded(1);
            let dropped = async move {
                let _ = unwanted.recv().await;
            };
            let run = || server.run(Operator { lines, shown }, dropped);
            let ended = if catch_unwind(AssertUnwindSafe(run)).is_ok() { End::Stopped } else { End::Failed };
            // The window may be gone already.
            let _ = tell.try_send(ended);
        };
        let thread = thread::Builder::new().name("room".into()).spawn(run);
        let thread = thread.map_err(|error| StartError::Bind { address: address.to_string(), error })?;
        Ok(Host { handle, address, raw_address, fingerprints, thread, ended, _wanted: wanted })
    }

    /// As [`start`](Self::start), and raw clients come in on the same IP: one port above the
    /// room's, or where that cannot be had, on any free one.
    pub fn start_with_raw(mut config: Config, room: SocketAddr) -> Result<Host, StartError> {
        let beside = match room.port() {
            0 => 0,
            port => port.checked_add(1).unwrap_or(0),
        };
        let raw = SocketAddr::new(room.ip(), beside).to_string();
        config.raw_bind = vec![raw.clone()];
        match Host::start(config.clone()) {
            Err(StartError::Bind { address, .. }) if address == raw && beside != 0 => {
                config.raw_bind = vec![SocketAddr::new(room.ip(), 0).to_string()];
                Host::start(config)
            }
            started => started,
        }
    }

    /// The SHA-256 of its key and of its certificate; `None`: nothing is encrypted.
    pub fn fingerprints(&self) -> Option<[KeyId; 2]> {
        self.fingerprints
    }

    /// The key by which it is known.
    pub fn key(&self) -> Option<KeyId> {
        self.fingerprints.map(|[key, _]| key)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where raw clients come in, if anywhere.
    pub fn raw_address(&self) -> Option<SocketAddr> {
        self.raw_address
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
    use std::net::{TcpListener, TcpStream};

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
    fn raw_clients_come_in_one_port_above_or_where_there_is_a_free_one() {
        // Two ports side by side that nobody has.
        let (room, above) = (0..100)
            .find_map(|_| {
                let room = TcpListener::bind("127.0.0.1:0").unwrap();
                let address = room.local_addr().unwrap();
                let above = SocketAddr::new(address.ip(), address.port().checked_add(1)?);
                drop(TcpListener::bind(above).ok()?);
                Some((address, above))
            })
            .unwrap();
        let start = || Host::start_with_raw(config(&room.to_string()), room).unwrap();
        let host = start();
        assert_eq!((host.address(), host.raw_address()), (room, Some(above)));
        host.stop();

        let _taken = TcpListener::bind(above).unwrap();
        let host = start();
        assert_eq!(host.address(), room);
        let raw = host.raw_address().unwrap();
        assert!(raw != above && raw.ip() == room.ip(), "{raw}");
        TcpStream::connect(raw).unwrap();

        let error = Host::start_with_raw(config(&room.to_string()), room).err().unwrap();
        assert!(matches!(error, StartError::Bind { address, .. } if address == room.to_string()));
        host.stop();
    }

    #[test]
    fn a_taken_port_is_a_sentence() {
        let host = Host::start(config("127.0.0.1:0")).unwrap();
        let error = Host::start(config(&host.address().to_string())).err().unwrap();
        assert!(error.to_string().contains("Another program listens on"));
        host.stop();
    }
}
