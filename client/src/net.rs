//! The smol task, on a thread of its own, that drives a [`Session`]: bytes and actions in,
//! bytes and events out. Time and randomness come in here, and nowhere else in the library.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_channel::{Receiver, Sender};
use futures_lite::{AsyncReadExt, AsyncWriteExt, FutureExt, future};
use parlor_server::protocol::HostPort;
use parlor_server::protocol::time::{Moment, UnixMillis};
use smol::Timer;
use smol::net::TcpStream;

use crate::call::{self, Calling, Recent};
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
    let trusts = vec![trust; 1 + profile.others.len()];
    start_at(profile, trusts, credentials, keep)
}

/// As [`start_keeping`], meeting each server of the place in its own way: `trusts` has one for [`Profile::server`] and then
/// for each of [`Profile::others`]; one that has none is met only if an authority vouches for it.
pub fn start_at(
    profile: Profile,
    trusts: Vec<Trust>,
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
        let driver = Driver::new(profile, (trusts, credentials), secret, Box::new(keep), started);
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

/// A batch that the window takes when it has taken the one before.
type Telling<'a> = Option<Pin<Box<async_channel::Send<'a, Vec<Event>>>>>;

/// What keeps the lines that are not sent.
type Keep = Box<dyn FnMut(Vec<Unsent>) + Send>;

/// A server of the place.
struct Server {
    address: HostPort,
    /// How it is to be met.
    trust: Trust,
}

struct Driver {
    session: Session,
    started: Instant,
    /// As the session counts them; never empty.
    servers: Vec<Server>,
    /// Which one is called, or connected.
    at: usize,
    recent: Recent,
    credentials: Credentials,
    stream: Option<TcpStream>,
    /// It is on this very computer.
    here: bool,
    /// Our address on the way there.
    own: Option<IpAddr>,
    connecting: Option<Calling>,
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
        (trusts, credentials): (Vec<Trust>, Credentials),
        secret: [u8; 16],
        keep: Keep,
        started: Instant,
    ) -> Driver {
        let trusts = trusts.into_iter().chain(std::iter::repeat(Trust::Authorities));
        let all = std::iter::once(&profile.server).chain(&profile.others);
        let servers =
            all.zip(trusts).map(|(address, trust)| Server { address: address.clone(), trust }).collect();
        let session = Session::new(profile, secret, Moment { elapsed: Duration::ZERO, wall: wall() });
        Driver {
            session,
            started,
            servers,
            at: 0,
            recent: Recent::default(),
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

    /// The server that is called, or connected.
    fn server(&self) -> HostPort {
        self.servers.get(self.at).map(|server| server.address.clone()).unwrap_or_default()
    }

    fn trust(&self) -> Trust {
        self.servers.get(self.at).map_or(Trust::Authorities, |server| server.trust)
    }

    /// It is to be met like this from now on.
    fn set_trust(&mut self, trust: Trust) {
        if let Some(server) = self.servers.get_mut(self.at) {
            server.trust = trust;
        }
    }

    /// Whether a server of the place is known to speak TLS: then nobody reads what is said to another one either.
    fn is_secret(&self) -> bool {
        self.servers.iter().any(|server| matches!(server.trust, Trust::Key(_) | Trust::Authorities))
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
                    self.give(Input::Lost(unreachable(&self.server(), &error)));
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
        if let Some((peer, _)) = ends {
            self.recent.led_to(peer);
        }
        self.stream = Some(stream);
        // Nothing that was meant for the connection before goes over this one.
        self.to_write.clear();
        if self.readable || self.trust() == Trust::Readable {
            return self.met(None);
        }
        let own = match self.credentials.certificate() {
            Ok(own) => own,
            Err((path, error)) => {
                let why = error.to_string();
                return self.lost(Sentence::CertificateUnusable { path, why });
            }
        };
        match Tls::new(&self.server().host, self.trust(), own) {
            Ok(mut tls) => {
                tls.drain(&mut self.to_write);
                self.tls = Some(tls);
                let within = if self.trust() == Trust::Perhaps { PERHAPS } else { GREETS };
                self.greets_until = Some(self.started + now(self.started).elapsed + within);
            }
            Err(error) => self.lost(Sentence::ConnectionBroke { error: error.to_string() }),
        }
    }

    /// The connection stands; by TLS if a key was shown.
    fn met(&mut self, shown: Option<Shown>) {
        self.greets_until = None;
        let server = self.server();
        let login = self.credentials.login(&server, shown, self.here);
        self.to_tell.push(Event::Met { server, shown, own: self.own, here: self.here });
        self.give(Input::Connected(login));
    }

    /// Nobody greets by TLS; `said`: something else was said in its place.
    fn no_tls(&mut self, said: bool) {
        if self.trust() == Trust::Perhaps && !self.is_secret() {
            // Of several, one may turn out to speak TLS later.
            if said && self.servers.len() == 1 {
                self.set_trust(Trust::Readable);
            }
            self.readable = true;
            self.hang_up();
            self.connecting = Some(Box::pin(call::connect(self.server(), self.recent.clone(), true)));
        } else {
            self.lost(Sentence::NotSecure { server: self.server() });
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
        let server = self.server();
        match self.trust() {
            trust if shown.suits(trust) => {
                if trust == Trust::Perhaps {
                    // From now on that one and no other.
                    self.set_trust(Trust::Key(shown.key));
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
        let address = self.session.address();
        for output in self.session.drain() {
            match output {
                Output::Connect => {
                    self.readable = false;
                    self.at = address;
                    let server = self.servers.get(address).map(|server| server.address.clone());
                    let server = server.unwrap_or_default();
                    self.connecting = Some(Box::pin(call::connect(server, self.recent.clone(), false)));
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

/// Sends the last bytes and waits until the peer has closed, too: a connection that is closed with something
/// unread is reset, and a peer that is told so may never read them (RFC 1122 §4.2.2.13). One that takes none, or
/// does not close, keeps the session waiting for a second at most; one that is told nothing does not.
fn say_last(mut stream: TcpStream, bytes: Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let say = async move {
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut unread = [0; 4096];
        while stream.read(&mut unread).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    // There is nobody left to tell of a failure.
    let _ = smol::block_on(within(Duration::from_secs(1), say));
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
