//! The server as a whole: binds, runs on one thread with an executor of its own, stops.

use std::future::Future;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_channel::{Receiver, Sender};
use futures_lite::future;
use smol::{Async, LocalExecutor, Timer};

use crate::archive::Archive;
pub use crate::dispatch::Ended;
use crate::dispatch::{Dispatch, QUEUE, clock, moment};
use crate::hub::{Input, Sts, turned_away};
#[cfg(feature = "lan")]
use crate::lan::{Announcer, LanError, Listing};
use crate::peer::{Arrival, Flood};
use crate::protocol::MsgId;
use crate::protocol::time::UnixMillis;
use crate::reload::{Reread, reread};
use crate::replica::{self, Own, Replica};
#[cfg(feature = "lan")]
use crate::start::config::Announce;
use crate::start::config::{Config, Encryption, HAS_TLS, Identity};
use crate::start::error::StartError;
use crate::start::listen::{ListenerKind, listen};
use crate::start::options_file::Given;
use crate::start::{descriptors, motd, oper_file};
use crate::store::{self, AccountsFile, KeptAccounts, Opened, Report, Store};
use crate::tls::{self, Acceptor};

/// The operator's two channels to a running server. An end that is not used may be dropped.
pub struct Operator {
    /// Lines typed at the console.
    pub lines: Receiver<String>,
    /// Lines for the console to show. When it is full, new ones are dropped.
    pub shown: Sender<String>,
}

/// Somebody who is here, as the host sees it.
pub use crate::hub::{Guest, Operation, Target};

/// A way to speak to a running server from any thread; cheap to clone.
///
/// Its methods wait only until the server, which may be busy, has place for one more request. None
/// blocks a thread.
#[derive(Clone)]
pub struct Handle(Sender<Arrival>);

impl Handle {
    /// Gives the server a line as the operator types it: an announcement or a `/command`.
    /// A server that has stopped takes no notice.
    pub async fn console(&self, line: impl Into<String>) {
        let _ = self.0.send(Arrival::Input(Input::Console(line.into()))).await;
    }

    /// Has the server do something. One that has stopped takes no notice.
    pub async fn operate(&self, operation: Operation) {
        let _ = self.0.send(Arrival::Input(Input::Operate(operation))).await;
    }

    /// Everyone who is here; nobody once the server has stopped.
    pub async fn guests(&self) -> Vec<Guest> {
        let (answer, guests) = async_channel::bounded(1);
        let _ = self.0.send(Arrival::Guests(answer)).await;
        guests.recv().await.unwrap_or_default()
    }

    /// Has the server read its files again, as SIGHUP does: see [`Server::reload_from`]. What comes of it is said in
    /// the log.
    pub async fn reload(&self) {
        let _ = self.0.send(Arrival::Reload).await;
    }

    /// Asks the server to stop, as its `shutdown` does.
    pub async fn stop(&self) {
        let _ = self.0.send(Arrival::Stop).await;
    }
}

/// A server that has its addresses and everything else it needs, and is not running yet.
///
/// ```
/// use std::io::{BufRead, BufReader, Write};
/// use std::net::TcpStream;
/// use parlor_server::{Config, Operator, Server};
///
/// // Port 0 takes a free one.
/// let server = Server::bind(Config { bind: vec!["127.0.0.1:0".into()], ..Config::default() })?;
/// let (address, _) = server.addresses()[0];
/// let handle = server.handle();
/// let room = std::thread::spawn(move || {
///     // Nobody types at its console, and nobody reads it.
///     let (_, lines) = async_channel::bounded(1);
///     let (shown, _) = async_channel::bounded(1);
///     server.run(Operator { lines, shown }, std::future::pending());
/// });
///
/// // A person at a terminal: the first line is a name.
/// let mut bob = TcpStream::connect(address)?;
/// bob.write_all(b"bob\n")?;
/// let mut welcome = String::new();
/// BufReader::new(&bob).read_line(&mut welcome)?;
/// let guests = smol::block_on(handle.guests());
/// assert_eq!(guests[0].nick, "bob");
///
/// smol::block_on(handle.stop());
/// room.join().expect("the server ran to its end");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server {
    config: Config,
    listeners: Vec<(TcpListener, ListenerKind)>,
    cloak_key: [u8; 16],
    started: Instant,
    replica: Option<Replica>,
    store: Option<(Store, Receiver<Report>, Opened)>,
    acceptor: Option<Box<dyn Acceptor>>,
    accounts: (Option<AccountsFile>, KeptAccounts),
    channel: (Sender<Arrival>, Receiver<Arrival>),
    reread: Option<Reread>,
}

impl Server {
    /// Reads the files, checks the limits, binds all addresses, opens the history.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left half started.
    pub fn bind(mut config: Config) -> Result<Server, StartError> {
        config.hub.max_clients = descriptors::max_clients(config.max_clients)?;
        if let Some(path) = &config.motd {
            config.hub.motd = Some(motd::load(path)?);
        }
        let mut cloak_key = [0; 16];
        getrandom::fill(&mut cloak_key)
            .map_err(|error| StartError::NoRandomness { error: error.to_string() })?;
        #[expect(clippy::disallowed_methods, reason = "the hub has no clock yet")]
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // A number that is higher at each start; a store counts better.
        config.hub.boot = (since_1970.as_secs() as u32 / 128).saturating_mul(MsgId::STARTS);

        let main = config.bind.iter().map(|address| (address.as_str(), ListenerKind::Main));
        let raw = config.raw_bind.iter().map(|address| (address.as_str(), ListenerKind::Raw));
        let listeners = listen(&main.chain(raw).collect::<Vec<_>>())?;
        if listeners.is_empty() {
            return Err(StartError::Nowhere);
        }
        if let Some(path) = &config.password_file {
            config.hub.password = Some(oper_file::password(path)?);
            let open = |(listener, kind): &(TcpListener, ListenerKind)| {
                listener
                    .local_addr()
                    .ok()
                    .filter(|address| *kind == ListenerKind::Raw && !address.ip().is_loopback())
            };
            if let Some(address) = listeners.iter().find_map(open) {
                return Err(StartError::RawWithPassword { address });
            }
        }
        // Last, because it may make the file.
        if let Some(path) = &config.oper_file {
            config.hub.oper_key = Some(oper_file::load(path)?);
        }
        let store = match &config.history {
            Some(history) => {
                let options = history.options(UnixMillis(since_1970.as_millis() as u64));
                // Who limits no rate waits for none.
                let pace = config.flood.map_or(Duration::ZERO, |_| options.pace);
                Some(open(&history.folder, store::Options { secret: cloak_key, pace, ..options })?)
            }
            None => None,
        };
        if let Some((_, _, opened)) = &store {
            cloak_key = opened.secret;
            config.hub.boot = opened.boot;
            config.hub.durable = true;
        }
        getrandom::fill(&mut config.hub.secret)
            .map_err(|error| StartError::NoRandomness { error: error.to_string() })?;
        let accounts = match &config.accounts {
            Some(folder) => {
                let locked = config.history.as_ref().is_some_and(|history| history.folder == *folder);
                let opened = AccountsFile::open(folder, cloak_key, locked).map_err(StartError::Accounts)?;
                (Some(opened.0), opened.1)
            }
            None => (None, Vec::new()),
        };
        let acceptor = encrypt(&mut config, &listeners)?;
        let started = clock();
        let kept = store.as_ref().map(|(_, _, opened)| opened);
        let own = Own {
            rooms: &kept.map_or_else(Vec::new, Opened::all_rooms),
            fingerprints: kept.map_or(&[], |opened| &opened.fingerprints),
            accounts: &accounts.1,
            last: kept.map_or_else(MsgId::default, |opened| opened.last),
        };
        // Last of all: others wait for a server that is one of them.
        let replica = smol::block_on(replica::join(&mut config, &mut cloak_key, own, moment(started)))?;
        let channel = async_channel::bounded(QUEUE);
        let reread = None;
        Ok(Server {
            config,
            listeners,
            cloak_key,
            started,
            replica,
            store,
            acceptor,
            accounts,
            channel,
            reread,
        })
    }

    /// From now on [`Handle::reload`] reads the file of options, the message of the day and the operator's own
    /// certificate anew. `given`: what [`Config`] was made of. Whether there are such files.
    pub fn reload_from(&mut self, given: Given) -> bool {
        self.reread = reread(given, &self.config, self.acceptor.as_deref());
        self.reread.is_some()
    }

    /// The SHA-256 of the key by which others know this server, as it stands in its certificate
    /// (SubjectPublicKeyInfo), and that of the certificate; `None` where nobody encrypts.
    pub fn fingerprints(&self) -> Option<[Vec<u8>; 2]> {
        Some(self.acceptor.as_ref()?.fingerprints())
    }

    /// The addresses that it listens on, in the order of the options, with the ports that were
    /// taken for 0.
    pub fn addresses(&self) -> Vec<(SocketAddr, ListenerKind)> {
        let bound = self.listeners.iter();
        bound.filter_map(|(listener, kind)| Some((listener.local_addr().ok()?, *kind))).collect()
    }

    /// What it says of itself on the network, and where it is reached.
    #[cfg(feature = "lan")]
    fn listing(&self) -> Option<(Listing, Vec<SocketAddr>)> {
        let Announce { name, is_host } = self.config.announce.clone()?;
        let key = self.fingerprints().and_then(|[key, _]| key.try_into().ok());
        let listing = Listing {
            host: is_host.then(|| name.clone()),
            name,
            room: Some(self.config.hub.default_room.clone()),
            people: None,
            password: self.config.hub.password.is_some(),
            key,
            version: concat!("Parlor ", env!("CARGO_PKG_VERSION")).into(),
        };
        let main = self.addresses().into_iter().filter(|(_, kind)| *kind == ListenerKind::Main);
        Some((listing, main.map(|(address, _)| address).collect()))
    }

    /// A handle that works while the server runs.
    pub fn handle(&self) -> Handle {
        Handle(self.channel.0.clone())
    }

    /// Runs on this thread until `shutdown` is done or the operator says `/stop`; then closes
    /// every connection with its last lines delivered, within [`Config::shutdown`].
    ///
    /// # Panics
    /// If the hub does: the room's state is then unknown, and nothing may go on with it.
    pub fn run(self, operator: Operator, shutdown: impl Future<Output = ()> + 'static) -> Ended {
        let executor = Rc::new(LocalExecutor::new());
        #[cfg(feature = "lan")]
        let listing = self.listing();
        let (sender, events) = self.channel;
        let flood = |rate| Rc::new(Flood::new(rate, self.config.hub.max_clients_per_ip, clock()));
        let flood = self.config.flood.map(flood);
        for (listener, kind) in self.listeners {
            executor.spawn(accept(listener, kind, sender.clone(), flood.clone())).detach();
        }
        if let Some(flood) = flood.clone() {
            executor.spawn(async move { flood.sum_up().await }).detach();
        }
        executor.spawn(forward(operator.lines, sender.clone())).detach();
        #[cfg(feature = "lan")]
        if let Some((listing, addresses)) = listing {
            executor.spawn(announce(listing, addresses, Handle(sender.clone()))).detach();
        }
        let stop = sender.clone();
        let (archive, kept) = match self.store {
            Some((store, reports, opened)) => (Archive::store(store, reports), opened),
            None => (Archive::memory(), Opened::default()),
        };
        let dispatch = Dispatch::new(
            (Rc::new(self.config), self.reread, self.replica),
            (Rc::downgrade(&executor), self.started),
            (sender, events),
            (flood, self.acceptor.map(Rc::from)),
            (operator.shown, self.cloak_key),
            (archive, kept),
            self.accounts,
        );
        let stopped = async move {
            shutdown.await;
            // Refused only by a hub that has stopped already.
            let _ = stop.send(Arrival::Stop).await;
        };
        // By itself: it is not asked at each line.
        executor.spawn(stopped).detach();
        smol::block_on(executor.run(dispatch.run()))
    }
}

/// Opens the history. What was repaired, and what is kept, is said in the log.
fn open(folder: &Path, options: store::Options) -> Result<(Store, Receiver<Report>, Opened), StartError> {
    let (tell, reports) = async_channel::unbounded();
    // Whom it tells is gone only when it closes.
    let notify = move |report| drop(tell.try_send(report));
    let (store, opened) = Store::open(folder, options, notify).map_err(StartError::History)?;
    opened.repaired.iter().for_each(|sentence| log::warn!("history: {sentence}"));
    log::info!("history: {}", folder.display());
    Ok((store, reports, opened))
}

/// Gets the key and the certificate, and says in the log how others know them.
fn encrypt(
    config: &mut Config,
    listeners: &[(TcpListener, ListenerKind)],
) -> Result<Option<Box<dyn Acceptor>>, StartError> {
    let bound = |(listener, kind): &(TcpListener, _)| Some((listener.local_addr().ok()?, *kind));
    let bound: Vec<_> = listeners.iter().filter_map(bound).collect();
    let mut beyond = bound.iter().filter(|(at, _)| !at.ip().is_loopback());
    if config.tls == Encryption::Off {
        if beyond.next().is_some() {
            let what = if HAS_TLS { "--tls on" } else { "a build with `--features tls`" };
            log::warn!("lines travel readable to others on the network; {what} encrypts them");
        }
        return Ok(None);
    }
    if let (Encryption::Only, Some((address, _))) =
        (config.tls, beyond.find(|(_, kind)| *kind == ListenerKind::Raw))
    {
        return Err(StartError::RawReadable { address: *address });
    }
    let acceptor = tls::acceptor(&config.identity, &config.hub.name)?;
    let port = bound.iter().find(|(_, kind)| *kind == ListenerKind::Main).map(|(at, _)| at.port());
    config.hub.sts = config.sts.zip(port).map(|(duration, port)| Sts { port, duration });
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
    let [key, certificate] = acceptor.fingerprints();
    match &config.identity {
        Identity::Memory => log::info!("TLS with a key that ends with this server; --data keeps one"),
        Identity::Folder(folder) => log::info!("TLS with the key in {}", folder.display()),
        Identity::Files { certificate, .. } => log::info!("TLS with {}", certificate.display()),
    }
    log::info!("  irssi: /connect -tls -tls_pinned_pubkey {} ...", hex(&key).join(":").to_uppercase());
    log::info!(
        "  WeeChat: /set irc.server.NAME.tls_fingerprint {} (before 4.0: ssl_fingerprint)",
        hex(&certificate).concat()
    );
    log::info!("  HexChat: tick \"Accept invalid SSL certificates\"; the key is {}", hex(&key).concat());
    Ok(Some(acceptor))
}

/// The pause between two counts of the people in a room that is announced.
#[cfg(feature = "lan")]
const PEOPLE: Duration = Duration::from_secs(10);

/// Announces it as long as it runs, with the number of its people; what goes wrong is said, and stops nothing.
#[cfg(feature = "lan")]
async fn announce(mut listing: Listing, listening: Vec<SocketAddr>, server: Handle) {
    let name = listing.name.clone();
    // Whoever hosts is the first to come in.
    Timer::after(Duration::from_secs(1)).await;
    listing.people = Some(server.guests().await.len() as u32);
    // What the library does takes a moment, which nobody's line waits for.
    let started = smol::unblock(move || {
        let announcer = Announcer::start(listing, &listening)?;
        if let Err(error) = Announcer::is_heard() {
            log::warn!("nobody on the network can find it yet: {error}");
        }
        Ok::<_, LanError>(announcer)
    });
    let announcer = match started.await {
        Ok(announcer) => announcer,
        Err(error) => return log::warn!("not announced as {name:?}: {error}"),
    };
    log::info!("announced on the network as {name:?}");
    loop {
        Timer::after(PEOPLE).await;
        announcer.tell(server.guests().await.len() as u32);
    }
}

async fn forward(lines: Receiver<String>, hub: Sender<Arrival>) {
    while let Ok(line) = lines.recv().await {
        if hub.send(Arrival::Input(Input::Console(line))).await.is_err() {
            return;
        }
    }
}

/// Accepts for ever. An error is no reason to stop: it waits and tries again.
async fn accept(listener: TcpListener, kind: ListenerKind, hub: Sender<Arrival>, flood: Option<Rc<Flood>>) {
    let listener = match Async::new(listener) {
        Ok(listener) => listener,
        Err(error) => return log::error!("cannot accept connections: {error}"),
    };
    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(1);
    let mut wait = SHORT;
    loop {
        // Not `Async`'s own, which has the reactor watch also those that are refused.
        match listener.read_with(TcpListener::accept).await {
            Ok((stream, peer)) => {
                wait = SHORT;
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                if let Some(flood) = &flood
                    && let Err(wait) = flood.arrive(peer.ip(), clock())
                {
                    // It has gone, or hears no more than that.
                    let _ = turn_away(stream, kind, wait);
                    // However many come, everybody else has a turn.
                    future::yield_now().await;
                    continue;
                }
                let stream = match prepare(stream) {
                    Ok(stream) => Box::new(stream),
                    Err(error) => {
                        log::debug!("refused: {peer} ({error})");
                        continue;
                    }
                };
                if hub.send(Arrival::Opened { stream, peer, listener: kind }).await.is_err() {
                    return;
                }
            }
            // The peer was faster in leaving.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                log::warn!("cannot accept a connection: {error}; next try in {} ms", wait.as_millis());
                Timer::after(wait).await;
                wait = (wait * 2).min(LONG);
            }
        }
    }
}

/// Lines go out at once, and a peer that vanished is noticed within some minutes.
fn prepare(stream: TcpStream) -> io::Result<Async<TcpStream>> {
    stream.set_nodelay(true)?;
    #[cfg(unix)]
    {
        use rustix::net::sockopt;
        sockopt::set_socket_keepalive(&stream, true)?;
        #[cfg(target_os = "linux")]
        {
            sockopt::set_tcp_keepidle(&stream, Duration::from_secs(60))?;
            sockopt::set_tcp_keepintvl(&stream, Duration::from_secs(15))?;
            sockopt::set_tcp_keepcnt(&stream, 4)?;
        }
    }
    Async::new(stream)
}

/// Says when to come again, and closes: neither the hub nor a task has to know.
fn turn_away(mut stream: TcpStream, listener: ListenerKind, wait: Duration) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let wait = wait.as_millis().div_ceil(1000);
    let reason = format!("Too many new connections from your address; come again in {wait} s");
    stream.write_all(turned_away(listener == ListenerKind::Raw, &reason).as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    // What it sent and nobody reads would make the kernel throw that line away.
    let mut said = [0; 512];
    stream.read(&mut said).map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn server() -> Server {
        Server::bind(Config { bind: vec!["127.0.0.1:0".into()], ..Config::default() }).unwrap()
    }

    #[test]
    fn a_panic_in_the_hub_ends_the_run() {
        let (typed, lines) = async_channel::bounded(1);
        let (shown, _show) = async_channel::bounded(1);
        typed.try_send("/panic".into()).unwrap();
        let run = || server().run(Operator { lines, shown }, std::future::pending());
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    }

    #[test]
    fn a_console_that_nobody_reads_holds_nothing_up() {
        let (typed, lines) = async_channel::bounded(16);
        let (shown, show) = async_channel::bounded(1);
        for line in ["/help", "/who", "/rooms", "/stop"] {
            typed.try_send(line.into()).unwrap();
        }
        server().run(Operator { lines, shown }, std::future::pending());
        assert!(show.try_recv().is_ok_and(|line| line.contains("/kick")));
    }
}
