//! Who calls whom, how long that may take, and how fast it goes then.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use async_channel::{Receiver, Sender};
use futures_lite::{AsyncReadExt, AsyncWriteExt, FutureExt, future};
use smol::net::{TcpListener, TcpStream};

use super::{CALLS, Failure, FileId, LISTENS, News, STALLS, TELLS};
use crate::within::within;

/// How the two computers meet.
#[derive(Debug)]
pub(super) enum Way {
    /// The other one listens.
    Call(SocketAddr),
    /// We do.
    Wait(std::net::TcpListener),
}

impl Way {
    /// Listens on a free port, for calls from anywhere: where the other one is, nobody has told us.
    pub(super) fn listen(told: IpAddr) -> std::io::Result<(Way, u16)> {
        let ip: IpAddr = match told {
            ip if ip.is_loopback() => ip,
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let listener = std::net::TcpListener::bind((ip, 0))?;
        let port = listener.local_addr()?.port();
        Ok((Way::Wait(listener), port))
    }

    /// The one connection; `nobody`: why there is none where nobody calls.
    pub(super) async fn meet(self, nobody: Failure) -> Result<Link, Failure> {
        let stream = match self {
            Way::Call(address) => {
                let stream = within(CALLS, TcpStream::connect(address)).await;
                let stream = stream.unwrap_or_else(|| Err(ErrorKind::TimedOut.into()));
                stream.map_err(|error| Failure::Unreachable { error: error.to_string() })
            }
            Way::Wait(listener) => {
                let listener = TcpListener::try_from(listener).map_err(|error| Failure::ours(&error))?;
                // Nobody listens any more once this returns.
                let called = within(LISTENS, listener.accept()).await.ok_or(nobody)?;
                called.map(|(stream, _)| stream).map_err(|error| Failure::ours(&error))
            }
        };
        stream.map(|stream| Link { reader: stream.clone(), writer: stream })
    }
}

/// The connection, which both write to.
pub(super) struct Link {
    pub(super) reader: TcpStream,
    pub(super) writer: TcpStream,
}

/// What has happened to it.
pub(super) enum Woken {
    Read(std::io::Result<usize>),
    Wrote(std::io::Result<usize>),
    /// For so long nothing has.
    Stalled,
}

impl Link {
    /// Waits until something can be read or, of what there is, written.
    pub(super) async fn woken(&mut self, read: &mut [u8], write: &[u8]) -> Woken {
        let read = async { Woken::Read(self.reader.read(read).await) };
        let write = async {
            match write {
                [] => future::pending().await,
                write => Woken::Wrote(self.writer.write(write).await),
            }
        };
        within(STALLS, read.or(write)).await.unwrap_or(Woken::Stalled)
    }
}

/// Whether somebody may be called at an address that a stranger names: no group, no system's own port; this computer only
/// if the server is on it, too, or is called by an address of it.
pub(super) fn may_call(ip: IpAddr, port: u16, server_here: bool) -> bool {
    let nobody = match ip {
        IpAddr::V4(ip) => ip.is_unspecified() || ip.is_broadcast() || ip.octets()[0] == 0,
        IpAddr::V6(ip) => ip.is_unspecified(),
    };
    port >= 1024 && !nobody && !ip.is_multicast() && (server_here || !ip.is_loopback())
}

/// The address that others are told: that by which we reach the server, or where the server is on this computer, the first
/// one of a network, IPv4 before IPv6.
pub fn address_to_tell(to_server: Option<IpAddr>) -> IpAddr {
    let usable = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local() && !ip.is_unspecified(),
    };
    let to_server = to_server.map(|ip| ip.to_canonical());
    if let Some(ip) = to_server.filter(usable) {
        return ip;
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut all: Vec<IpAddr> = interfaces.iter().map(|one| one.ip()).filter(usable).collect();
    all.sort_by_key(IpAddr::is_ipv6);
    all.into_iter().next().or(to_server).unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// Says what happens to a transfer.
#[derive(Debug, Clone)]
pub(super) struct Tell {
    pub(super) id: FileId,
    pub(super) news: Sender<(FileId, News)>,
}

impl Tell {
    pub(super) async fn say(&self, news: News) {
        // Nobody may be listening any more.
        let _ = self.news.send((self.id, news)).await;
    }

    /// The connection stands, and these bytes are there from before.
    pub(super) async fn met(&self, done: u64) {
        self.say(News::Moved { done, rate: 0 }).await;
    }

    /// The next number says more: one that does not fit is left out.
    fn moved(&self, done: u64, rate: u64) {
        let _ = self.news.try_send((self.id, News::Moved { done, rate }));
    }
}

/// Waits until the transfer is to end: `true`, what came of it is not wanted any more.
pub(super) async fn stopped(stop: &Receiver<()>) -> bool {
    stop.recv().await.is_ok()
}

/// Measures how fast it goes, and tells it at times.
#[derive(Debug)]
pub(super) struct Pace {
    at: Instant,
    done: u64,
    rate: Option<f64>,
}

impl Pace {
    pub(super) fn new(done: u64) -> Pace {
        Pace { at: now(), done, rate: None }
    }

    pub(super) fn at(&mut self, done: u64, tell: &Tell) {
        let past = self.at.elapsed();
        if past < TELLS {
            return;
        }
        let latest = done.saturating_sub(self.done) as f64 / past.as_secs_f64();
        // A second or two weigh most.
        let rate = self.rate.map_or(latest, |before| before * 0.8 + latest * 0.2);
        *self = Pace { at: now(), done, rate: Some(rate) };
        tell.moved(done, rate as u64);
    }
}

#[expect(clippy::disallowed_methods, reason = "here time comes in")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_called_where_nobody_can_be() {
        let may = |ip: &str, port, here| may_call(ip.parse().unwrap(), port, here);
        for ip in ["192.168.1.7", "8.8.8.8", "2001:db8::1", "fe80::1"] {
            assert!(may(ip, 5000, false) && may(ip, 5000, true), "{ip}");
            assert!(!may(ip, 0, true) && !may(ip, 22, true) && !may(ip, 1023, true), "{ip}");
        }
        for ip in ["0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1", "::", "ff02::1"] {
            assert!(!may(ip, 5000, true), "{ip}");
        }
        for ip in ["127.0.0.1", "127.9.9.9", "::1"] {
            assert!(may(ip, 5000, true) && !may(ip, 5000, false), "{ip}");
        }
    }

    #[test]
    fn what_others_are_told_is_not_this_computers_own_name_for_itself() {
        let lan: IpAddr = "192.168.1.7".parse().unwrap();
        assert_eq!(address_to_tell(Some(lan)), lan);
        assert_eq!(address_to_tell(Some("::ffff:192.168.1.7".parse().unwrap())), lan);
        let instead = address_to_tell(Some("::1".parse().unwrap()));
        let alone =
            if_addrs::get_if_addrs().unwrap().iter().all(|one| one.is_loopback() || one.is_link_local());
        assert!(alone || !instead.is_loopback(), "{instead}");
    }
}
