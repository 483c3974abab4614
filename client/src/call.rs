//! Calling the addresses that a server's name leads to.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use futures_lite::{FutureExt, future};
use parlor_server::protocol::HostPort;
use smol::net::TcpStream;
use smol::{Timer, unblock};

use crate::within::within;

/// How long an address may take to answer.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it has the first word before the next one is called, too (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);
/// How long what was sent may be without an acknowledgement (RFC 5482).
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(60);
/// Addresses that are remembered at most; the one where it is longest ago goes first.
const RECENT: usize = 32;

/// A call that goes on while other things happen.
pub(crate) type Calling = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// Where the last calls led.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent(VecDeque<SocketAddr>);

impl Recent {
    /// A call has led there.
    pub(crate) fn led_to(&mut self, address: SocketAddr) {
        self.0.retain(|known| *known != address);
        self.0.push_back(address);
        if self.0.len() > RECENT {
            self.0.pop_front();
        }
    }

    /// Where no call has led comes first, and where the last one did comes last: it was lost, or else there would be no
    /// other.
    fn sort(&self, addresses: &mut VecDeque<SocketAddr>) {
        let since = |address: &SocketAddr| self.0.iter().position(|known| known == address);
        addresses.make_contiguous().sort_by_key(since);
    }

    /// The last one comes first: it has answered, and is to be asked something else.
    fn sort_again(&self, addresses: &mut VecDeque<SocketAddr>) {
        addresses.make_contiguous().sort_by_key(|address| self.0.back() != Some(address));
    }
}

/// Calls a server. `again`: the one that was called last, if its name still leads there; else that one last.
pub(crate) async fn connect(server: HostPort, recent: Recent, again: bool) -> io::Result<TcpStream> {
    let HostPort { host, port } = server;
    let addresses = unblock(move || (host.as_str(), port).to_socket_addrs()).await?;
    let stream = call(in_turn(addresses.collect(), &recent, again)).await?;
    stream.set_nodelay(true)?;
    // Else a server that is gone, and of which it is not known that it answers, is found out after a quarter of an hour.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(&stream, UNACKNOWLEDGED.as_millis() as u32)
    {
        log::debug!("a server that is gone may go unnoticed for long: {error}");
    }
    Ok(stream)
}

/// The addresses of a server in the order in which they are called.
fn in_turn(addresses: Vec<SocketAddr>, recent: &Recent, again: bool) -> VecDeque<SocketAddr> {
    let mut addresses = interleaved(addresses);
    if again {
        recent.sort_again(&mut addresses)
    } else {
        recent.sort(&mut addresses)
    }
    addresses
}

/// Calls addresses one after another, the next when one fails or has not answered for [`STAGGER`]; the first that
/// answers is it, and the others are let go (RFC 8305 §5). The error has those of all.
async fn call(mut addresses: VecDeque<SocketAddr>) -> io::Result<TcpStream> {
    let mut calls: Vec<Calling> = Vec::new();
    let mut errors: Vec<io::Error> = Vec::new();
    loop {
        if let Some(address) = addresses.pop_front() {
            calls.push(Box::pin(async move {
                let called = within(CONNECT, TcpStream::connect(address)).await;
                let called = called.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()));
                called.map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
            }));
        }
        if calls.is_empty() {
            return Err(of_all(errors));
        }
        let answer = future::poll_fn(|context| {
            for at in 0..calls.len() {
                if let Some(call) = calls.get_mut(at)
                    && let Poll::Ready(answer) = call.as_mut().poll(context)
                {
                    drop(calls.swap_remove(at));
                    return Poll::Ready(Some(answer));
                }
            }
            Poll::Pending
        });
        let next = async {
            if addresses.is_empty() {
                future::pending::<()>().await;
            }
            Timer::after(STAGGER).await;
            None
        };
        match answer.or(next).await {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => errors.push(error),
            None => {}
        }
    }
}

/// Both families in turn, beginning with that of the first (RFC 8305 §4).
fn interleaved(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first = addresses.first().map(SocketAddr::is_ipv6);
    let (of_first, of_other): (VecDeque<_>, VecDeque<_>) =
        addresses.into_iter().partition(|address| Some(address.is_ipv6()) == first);
    let count = of_first.len().max(of_other.len());
    (0..count).flat_map(|at| [of_first.get(at), of_other.get(at)]).flatten().copied().collect()
}

/// One error with the words of all; its kind is that which says most: somebody refused, or was silent, rather than that no
/// way leads there.
fn of_all(errors: Vec<io::Error>) -> io::Error {
    use io::ErrorKind::{ConnectionRefused, NotFound, TimedOut};
    let kinds = || errors.iter().map(io::Error::kind);
    let kind = [ConnectionRefused, TimedOut].into_iter().find(|kind| kinds().any(|other| other == *kind));
    let kind = kind.or_else(|| kinds().next()).unwrap_or(NotFound);
    let words: Vec<String> = errors.iter().map(io::Error::to_string).collect();
    io::Error::new(kind, words.join("; "))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a test measures")]
    fn now() -> std::time::Instant {
        std::time::Instant::now()
    }

    /// An address that takes no calls and does not refuse them: its queue is full for as long as this lives.
    struct Dead {
        address: SocketAddr,
        _queue: (TcpListener, Vec<std::net::TcpStream>),
    }

    impl Dead {
        fn new() -> Dead {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            rustix::net::listen(&listener, 0).unwrap();
            let address = listener.local_addr().unwrap();
            let soon = Duration::from_millis(50);
            let queue =
                (0..8).map_while(|_| std::net::TcpStream::connect_timeout(&address, soon).ok()).collect();
            Dead { address, _queue: (listener, queue) }
        }
    }

    #[test]
    fn dead_addresses_cost_a_quarter_of_a_second_each() {
        let dead = [Dead::new(), Dead::new()];
        let living = TcpListener::bind("127.0.0.1:0").unwrap();
        let living = living.local_addr().unwrap();
        let began = now();
        let addresses = [dead[0].address, dead[1].address, living].into();
        let stream = smol::block_on(call(addresses)).unwrap();
        let took = began.elapsed();
        assert_eq!(stream.peer_addr().unwrap(), living);
        assert!((2 * STAGGER..CONNECT / 2).contains(&took), "{took:?}");
    }

    #[test]
    fn a_refusal_costs_nothing_and_all_are_told() {
        let refusing = || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let addresses = [refusing(), refusing()];
        let began = now();
        let error = smol::block_on(call(addresses.into())).unwrap_err();
        assert!(began.elapsed() < STAGGER, "one does not wait for the other");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(addresses.iter().all(|address| error.to_string().contains(&address.to_string())), "{error}");
        assert_eq!(smol::block_on(call(VecDeque::new())).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn both_families_in_turn() {
        let of = |text: &str| text.parse::<SocketAddr>().unwrap();
        let given = ["[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1"].map(of).to_vec();
        assert_eq!(interleaved(given), ["[::1]:1", "1.0.0.1:1", "[::2]:1", "[::3]:1"].map(of));
    }

    #[test]
    fn whoever_was_called_last_is_called_last() {
        let of = |text: &str| text.parse::<SocketAddr>().unwrap();
        let given = ["[::1]:1", "1.0.0.1:1", "[::2]:1", "1.0.0.2:1"].map(of);
        let sorted = |recent: &Recent| {
            let mut all = VecDeque::from(given);
            recent.sort(&mut all);
            all
        };
        let mut recent = Recent::default();
        assert_eq!(sorted(&recent), given);
        recent.led_to(given[0]);
        assert_eq!(sorted(&recent), ["1.0.0.1:1", "[::2]:1", "1.0.0.2:1", "[::1]:1"].map(of));
        recent.led_to(given[1]);
        assert_eq!(sorted(&recent), ["[::2]:1", "1.0.0.2:1", "[::1]:1", "1.0.0.1:1"].map(of));
        recent.led_to(given[0]);
        assert_eq!(sorted(&recent), ["[::2]:1", "1.0.0.2:1", "1.0.0.1:1", "[::1]:1"].map(of));
        let mut again = VecDeque::from(given);
        recent.led_to(given[2]);
        recent.sort_again(&mut again);
        assert_eq!(again, ["[::2]:1", "[::1]:1", "1.0.0.1:1", "1.0.0.2:1"].map(of));
        (0..2 * RECENT as u16).for_each(|port| recent.led_to(SocketAddr::from(([1, 0, 0, 9], port))));
        assert_eq!((recent.0.len(), sorted(&recent)), (RECENT, given.into()), "the oldest is forgotten");
    }

    #[test]
    fn a_name_with_two_servers_leads_to_the_other_one_when_one_was_lost() {
        let living = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (one, two) = (living(), living());
        let all: Vec<SocketAddr> = [&one, &two].map(|server| server.local_addr().unwrap()).to_vec();
        let mut recent = Recent::default();
        let mut next = |again: bool| {
            let stream = smol::block_on(call(in_turn(all.clone(), &recent, again))).unwrap();
            let peer = stream.peer_addr().unwrap();
            recent.led_to(peer);
            all.iter().position(|address| *address == peer).unwrap()
        };
        assert_eq!([next(false), next(false), next(true), next(false), next(true)], [0, 1, 1, 0, 0]);
        // The other one is gone: back to the first, at once.
        drop(two);
        let began = now();
        assert_eq!([next(false), next(false)], [0, 0]);
        assert!(began.elapsed() < STAGGER);
    }
}
