//! The smol task, on a thread of its own, that drives a [`Session`]: bytes and actions in,
//! bytes and events out. Time and randomness come in here, and nowhere else in the library.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_channel::{Receiver, Sender};
use futures_lite::{AsyncReadExt, AsyncWriteExt, FutureExt, future};
use parlor_server::protocol::HostPort;
use parlor_server::protocol::time::{Moment, UnixMillis};
use smol::net::TcpStream;
use smol::{Timer, unblock};

use crate::credentials::Credentials;
use crate::limits::{AT_ONCE, TO_SEND, TO_TELL};
use crate::session::{Action, Event, Input, Output, Profile, Sentence, Session, Unsent};
use crate::tls::Tls;
use crate::trust::{Shown, Trust};
use crate::within::within;

/// How long a server may take to greet by TLS that is not known to speak it.
const PERHAPS: Duration = Duration::from_secs(2);
/// The same of one that is.
const GREETS: Duration = Duration::from_secs(10);
/// How long an address may take to answer.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it has the first word before the next one is called, too (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);
/// How long what was sent may be without an acknowledgement (RFC 5482).
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(60);
/// Between two looks at the clock and at this computer's addresses: the driver's own timers stand
/// still while the computer sleeps.
const LOOK: Duration = Duration::from_secs(5);
/// How long what waits to be sent is not kept: most of it is confirmed before that.
const KEEP_AFTER: Duration = Duration::from_millis(200);

/// A session that runs.
pub struct Connection {
    /// What the person does.
    pub actions: Sender<Action>,
    /// What happened, in batches; closed once the session is over.
    pub events: Receiver<Vec<Event>>,
    /// Closed once the good-bye is out and what was not sent is kept; nothing ever comes of it.
    pub ended: Receiver<Ended>,
    /// When the session began: what its times count from.
    pub started: Instant,
}

/// Nothing: a channel of it can only close.
#[derive(Debug)]
pub enum Ended {}

/// Starts a session on a thread of its own. It ends when [`Connection::actions`] is dropped.
/// What it could not send is gone then.
pub fn start(profile: Profile) -> io::Result<Connection> {
    start_keeping(profile, Trust::Readable, Credentials::default(), |_| ())
}

/// As [`start`], meeting the server as `trust` says, and showing it who we are. `keep` is called on that thread whenever
/// there is something else to be sent than before: all of it, for [`Profile::unsent`] of the next start.
pub fn start_keeping(
    profile: Profile,
    trust: Trust,
    credentials: Credentials,
    keep: impl FnMut(Vec<Unsent>) + Send + 'static,
) -> io::Result<Connection> {
    let (actions, todo) = async_channel::bounded(256);
    let (tell, events) = async_channel::bounded(1);
    #[expect(clippy::disallowed_methods, reason = "here time comes in")]
    let started = Instant::now();
    let mut secret = [0; 16];
    getrandom::fill(&mut secret).map_err(|error| io::Error::other(error.to_string()))?;
    let (runs, ended) = async_channel::bounded(1);
    let run = move || {
        let driver = Driver::new(profile, (trust, credentials), secret, Box::new(keep), started);
        smol::block_on(driver.run(&todo, &tell));
        drop(runs);
    };
    thread::Builder::new().name("net".into()).spawn(run)?;
    Ok(Connection { actions, events, ended, started })
}

/// What woke the driver.
enum Woken {
    Act(Action),
    /// The window has let go.
    Over,
    Connected(io::Result<TcpStream>),
    Read(io::Result<usize>),
    Wrote(io::Result<usize>),
    /// The window has taken a batch.
    Told,
    Time,
}

/// An attempt that goes on while other things happen.
type Connecting = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;
/// A batch that the window takes when it has taken the one before.
type Telling<'a> = Option<Pin<Box<async_channel::Send<'a, Vec<Event>>>>>;

/// What keeps the lines that are not sent.
type Keep = Box<dyn FnMut(Vec<Unsent>) + Send>;

struct Driver {
    session: Session,
    server: HostPort,
    started: Instant,
    /// How the server is to be met.
    trust: Trust,
    credentials: Credentials,
    stream: Option<TcpStream>,
    /// It is on this very computer.
    here: bool,
    /// Our address on the way there.
    own: Option<IpAddr>,
    connecting: Option<Connecting>,
    tls: Option<Tls>,
    /// It did not greet by TLS just now, and is met readable this time.
    readable: bool,
    /// The server has until then to greet by TLS.
    greets_until: Option<Instant>,
    to_write: Vec<u8>,
    /// What the window does not know yet, and how much that is.
    to_tell: Vec<Event>,
    weight: usize,
    keep: Keep,
    /// What is to be kept, and when.
    to_keep: Option<(Instant, Vec<Unsent>)>,
    /// When to look at the addresses again, and what they were.
    look_at: Instant,
    addresses: Vec<IpAddr>,
}

impl Driver {
    fn new(
        profile: Profile,
        (trust, credentials): (Trust, Credentials),
        secret: [u8; 16],
        keep: Keep,
        started: Instant,
    ) -> Driver {
        let server = profile.server.clone();
        let session = Session::new(profile, secret, Moment { elapsed: Duration::ZERO, wall: wall() });
        Driver {
            session,
            server,
            started,
            trust,
            credentials,
            stream: None,
            here: false,
            own: None,
            connecting: None,
            tls: None,
            readable: false,
            greets_until: None,
            to_write: Vec::new(),
            to_tell: Vec::new(),
            weight: 0,
            keep,
            to_keep: None,
            look_at: started + LOOK,
            addresses: addresses(),
        }
    }

    async fn run(mut self, todo: &Receiver<Action>, tell: &Sender<Vec<Event>>) {
        let mut buffer = vec![0; AT_ONCE];
        let mut telling: Telling<'_> = None;
        loop {
            self.carry_out();
            if self.to_write.len() > TO_SEND {
                self.lost(Sentence::ServerDeaf);
                continue;
            }
            if telling.is_none() && !self.to_tell.is_empty() {
                self.weight = 0;
                telling = Some(Box::pin(tell.send(std::mem::take(&mut self.to_tell))));
            }
            match self.wait(todo, &mut telling, &mut buffer).await {
                Woken::Over => return self.finish().await,
                Woken::Told => telling = None,
                Woken::Act(action) => {
                    self.give(Input::Act(action));
                    // What was done in one go is told in one batch.
                    while let Ok(action) = todo.try_recv() {
                        self.give(Input::Act(action));
                    }
                }
                Woken::Connected(Ok(stream)) => self.called(stream),
                Woken::Connected(Err(error)) => {
                    self.connecting = None;
                    self.give(Input::Lost(unreachable(&self.server, &error)));
                }
                Woken::Read(Ok(0) | Err(_)) if self.greets_until.is_some() => self.no_tls(false),
                Woken::Read(Ok(0)) => self.lost(Sentence::ServerClosed { reason: None }),
                Woken::Read(Ok(count)) => self.received(buffer.get(..count).unwrap_or_default()),
                Woken::Wrote(Ok(count)) => drop(self.to_write.drain(..count)),
                Woken::Read(Err(error)) | Woken::Wrote(Err(error)) => {
                    self.lost(Sentence::ConnectionBroke { error: error.to_string() });
                }
                Woken::Time => self.tick(),
            }
        }
    }

    /// The server was called, and has answered.
    fn called(&mut self, stream: TcpStream) {
        self.connecting = None;
        let ends = stream.peer_addr().ok().zip(stream.local_addr().ok());
        self.here = ends.is_some_and(|(peer, own)| peer.ip() == own.ip());
        self.own = ends.map(|(_, own)| own.ip());
        self.stream = Some(stream);
        // Nothing that was meant for the connection before goes over this one.
        self.to_write.clear();
        if self.readable || self.trust == Trust::Readable {
            return self.met(None);
        }
        let own = match self.credentials.certificate() {
            Ok(own) => own,
            Err((path, error)) => {
                let why = error.to_string();
                return self.lost(Sentence::CertificateUnusable { path, why });
            }
        };
        match Tls::new(&self.server.host, self.trust, own) {
            Ok(mut tls) => {
                tls.drain(&mut self.to_write);
                self.tls = Some(tls);
                let within = if self.trust == Trust::Perhaps { PERHAPS } else { GREETS };
                self.greets_until = Some(self.started + now(self.started).elapsed + within);
            }
            Err(error) => self.lost(Sentence::ConnectionBroke { error: error.to_string() }),
        }
    }

    /// The connection stands; by TLS if a key was shown.
    fn met(&mut self, shown: Option<Shown>) {
        self.greets_until = None;
        self.to_tell.push(Event::Met { shown, own: self.own, here: self.here });
        let login = self.credentials.login(&self.server, shown, self.here);
        self.give(Input::Connected(login));
    }

    /// Nobody greets by TLS; `said`: something else was said in its place.
    fn no_tls(&mut self, said: bool) {
        if self.trust == Trust::Perhaps {
            if said {
                self.trust = Trust::Readable;
            }
            self.readable = true;
            self.hang_up();
            self.connecting = Some(Box::pin(connect(self.server.clone())));
        } else {
            self.lost(Sentence::NotSecure { server: self.server.clone() });
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        let Some(tls) = &mut self.tls else { return self.give(Input::Received(bytes)) };
        let mut said = Vec::new();
        let done = tls.receive(bytes, &mut said);
        tls.drain(&mut self.to_write);
        if self.greets_until.is_some() {
            match (&done, tls.shown()) {
                (Err(error), _) => return self.no_tls(matches!(error, rustls::Error::InvalidMessage(_))),
                (Ok(()), None) => return,
                (Ok(()), Some(shown)) => self.shown(shown),
            }
        }
        if !said.is_empty() && self.tls.is_some() {
            self.give(Input::Received(&said));
        }
        if let Err(error) = done {
            self.lost(Sentence::ConnectionBroke { error: error.to_string() });
        }
    }

    /// The server has shown whose key it has.
    fn shown(&mut self, shown: Shown) {
        let server = self.server.clone();
        match self.trust {
            _ if shown.suits(self.trust) => {
                if self.trust == Trust::Perhaps {
                    // From now on that one and no other.
                    self.trust = Trust::Key(shown.key);
                }
                self.met(Some(shown));
            }
            Trust::Key(before) => self.lost(Sentence::KeyChanged { server, before, now: shown.key }),
            _ => self.lost(Sentence::KeyUnknown { server, key: shown.key }),
        }
    }

    fn tick(&mut self) {
        let now = self.started + now(self.started).elapsed;
        self.give(Input::Tick);
        if self.greets_until.is_some_and(|at| now >= at) {
            self.no_tls(false);
        }
        if let Some((_, unsent)) = self.to_keep.take_if(|(at, _)| now >= *at) {
            (self.keep)(unsent);
        }
        if now >= self.look_at {
            self.look_at = now + LOOK;
            let addresses = addresses();
            // Without any there is nothing to call from; what comes back is a change again.
            let changed = addresses != self.addresses && !addresses.is_empty();
            self.addresses = addresses;
            if changed {
                self.give(Input::Network);
            }
        }
    }

    fn give(&mut self, input: Input<'_>) {
        self.session.handle(input, now(self.started));
    }

    fn hang_up(&mut self) {
        (self.stream, self.tls, self.greets_until) = (None, None, None);
        self.to_write.clear();
    }

    fn lost(&mut self, why: Sentence) {
        self.hang_up();
        self.give(Input::Lost(why));
    }

    fn carry_out(&mut self) {
        let now = self.started + now(self.started).elapsed;
        for output in self.session.drain() {
            match output {
                Output::Connect => {
                    self.readable = false;
                    self.connecting = Some(Box::pin(connect(self.server.clone())));
                }
                Output::Disconnect => {
                    if let Some(mut tls) = self.tls.take() {
                        tls.close();
                        tls.drain(&mut self.to_write);
                    }
                    if let Some(stream) = self.stream.take() {
                        say_last(stream, std::mem::take(&mut self.to_write));
                    }
                    (self.connecting, self.greets_until) = (None, None);
                }
                Output::Send(bytes) => match &mut self.tls {
                    Some(tls) => {
                        tls.say(&bytes);
                        tls.drain(&mut self.to_write);
                    }
                    // What is said to a connection that is gone goes nowhere.
                    None if self.stream.is_some() => self.to_write.extend_from_slice(&bytes),
                    None => {}
                },
                Output::Keep(unsent) => {
                    let at = self.to_keep.take().map_or(now + KEEP_AFTER, |(at, _)| at);
                    self.to_keep = Some((at, unsent));
                }
                Output::Event(event) => {
                    self.weight += weight(&event);
                    self.to_tell.push(event);
                }
            }
        }
    }

    async fn wait(&mut self, todo: &Receiver<Action>, telling: &mut Telling<'_>, buffer: &mut [u8]) -> Woken {
        let Driver {
            session,
            started,
            stream,
            connecting,
            to_write,
            look_at,
            to_keep,
            weight,
            greets_until,
            ..
        } = self;
        // A window that is far behind makes the server wait, and not the person.
        let behind = *weight >= TO_TELL;
        // Offline by the person's wish nothing is due.
        let timeout = session.next_timeout().map(|at| (*started + at).min(*look_at));
        let timeout =
            timeout.into_iter().chain(to_keep.as_ref().map(|(at, _)| *at)).chain(*greets_until).min();
        let act = async { todo.recv().await.map_or(Woken::Over, Woken::Act) };
        let tell = async {
            match telling {
                Some(telling) => telling.await.map_or(Woken::Over, |()| Woken::Told),
                None => future::pending().await,
            }
        };
        let time = async {
            match timeout {
                Some(at) => drop(Timer::at(at).await),
                None => future::pending().await,
            }
            Woken::Time
        };
        let socket = async {
            match (stream, connecting) {
                (Some(stream), _) => {
                    let (mut reader, mut writer) = (stream.clone(), stream.clone());
                    let read = async {
                        if behind { future::pending().await } else { Woken::Read(reader.read(buffer).await) }
                    };
                    let write = async {
                        if to_write.is_empty() {
                            future::pending().await
                        } else {
                            Woken::Wrote(writer.write(to_write).await)
                        }
                    };
                    write.race(read).await
                }
                (None, Some(connecting)) => Woken::Connected(connecting.await),
                (None, None) => future::pending().await,
            }
        };
        // A server that never stops talking must not keep the person from acting.
        socket.race(act).race(tell).race(time).await
    }

    /// Says good-bye if somebody listens.
    async fn finish(mut self) {
        self.give(Input::Act(Action::Disconnect));
        self.carry_out();
        if let Some((_, unsent)) = self.to_keep.take() {
            (self.keep)(unsent);
        }
    }
}

/// How much of [`TO_TELL`] an event is.
fn weight(event: &Event) -> usize {
    match event {
        Event::Lines { lines, .. } | Event::Inserted { lines, .. } => lines.len(),
        Event::Removed { ids, .. } => ids.len(),
        Event::People { people, .. } => people.len(),
        Event::Listed(rooms) => rooms.len(),
        Event::Transcript { lines, .. } => lines.len(),
        Event::Found(found) => found.lines.len(),
        _ => 1,
    }
}

/// Sends the last bytes; a peer that takes none keeps the session waiting for a second at most.
fn say_last(mut stream: TcpStream, bytes: Vec<u8>) {
    let say = async move {
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        stream.shutdown(std::net::Shutdown::Write)
    };
    // There is nobody left to tell of a failure.
    let _ = smol::block_on(within(Duration::from_secs(1), say));
}

/// Calls the addresses of a host.
async fn connect(HostPort { host, port }: HostPort) -> io::Result<TcpStream> {
    let addresses = unblock(move || (host.as_str(), port).to_socket_addrs()).await?;
    let stream = call(interleaved(addresses.collect())).await?;
    stream.set_nodelay(true)?;
    // Else a server that is gone, and of which it is not known that it answers, is found out after a quarter of an hour.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(&stream, UNACKNOWLEDGED.as_millis() as u32)
    {
        log::debug!("a server that is gone may go unnoticed for long: {error}");
    }
    Ok(stream)
}

/// Calls addresses one after another, the next when one fails or has not answered for [`STAGGER`]; the first that
/// answers is it, and the others are let go (RFC 8305 §5). The error has those of all.
async fn call(mut addresses: VecDeque<SocketAddr>) -> io::Result<TcpStream> {
    let mut calls: Vec<Connecting> = Vec::new();
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

/// What an address that does not answer means to a person.
fn unreachable(server: &HostPort, error: &io::Error) -> Sentence {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, TimedOut};
    log::info!("{server} cannot be reached: {error}");
    let server = server.clone();
    match error.kind() {
        ConnectionRefused | TimedOut => Sentence::NobodyAnswers { server },
        HostUnreachable | NetworkUnreachable => Sentence::Unreachable { server },
        _ if !server.is_address() => Sentence::NotFound { host: server.host },
        _ => Sentence::Unreachable { server },
    }
}

/// This computer's addresses but those of the machine itself; sorted.
fn addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut all: Vec<IpAddr> = interfaces
        .iter()
        .filter(|one| !one.is_loopback() && !one.is_link_local())
        .map(|one| one.ip())
        .collect();
    all.sort_unstable();
    all
}

#[expect(clippy::disallowed_methods, reason = "here time comes in")]
fn wall() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(since.as_millis() as u64)
}

fn now(started: Instant) -> Moment {
    Moment { elapsed: started.elapsed(), wall: wall() }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

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
        let began = wall();
        let addresses = [dead[0].address, dead[1].address, living].into();
        let stream = smol::block_on(call(addresses)).unwrap();
        let took = Duration::from_millis(wall().0 - began.0);
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
        let began = wall();
        let error = smol::block_on(call(addresses.into())).unwrap_err();
        assert!(wall().0 - began.0 < STAGGER.as_millis() as u64, "one does not wait for the other");
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
}
