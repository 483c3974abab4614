//! How a server becomes one of the cluster.

use std::sync::Arc;
use std::time::{Duration, Instant};

use smol::Timer;

use super::address::Address;
use super::clock::now;
use super::connection::{Connection, Waiting};
use super::error::Error;
use super::history::{COUNT, Entry, History, entries};
use super::link::Link;
use super::reply::Reply;
use super::script::{GREETINGS, Identity, Script, Verdict, greet, place, sound, verdict};
use super::shared::Event;
use super::words::Words;
use crate::protocol::Position;

/// The time for each step: to connect, to ask for something.
const STEP: Duration = Duration::from_secs(10);
/// The time for which a lease holds while a server begins; it is renewed by each call.
const BEGINNING: Duration = Duration::from_secs(30);
/// The time for the engine to load its data.
const LOADING: Duration = Duration::from_secs(60);
/// The time for another server to found the cluster, or to put it back.
const BUSY: Duration = Duration::from_secs(45);
/// The time in which servers that are connected notice that the engine has lost everything.
const PUT_BACK: Duration = Duration::from_secs(7);
/// The time in which servers that still run connect again to an engine that begins anew, perhaps with nothing. The tests
/// of this module have many such engines, and nobody who would come.
const RECONNECT: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 4 });
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(100);
/// An engine that runs for less has begun anew: leases may be over because it was away.
const YOUNG: Duration = Duration::from_secs(20);

/// What a server needs to take part.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the log is.
    pub address: Address,
    /// The log's format: servers of another one are refused.
    pub format: u32,
    /// What must be the same on all servers: name and value, shown to people.
    pub settings: Vec<(&'static str, String)>,
    /// The cluster that this server's data folder belongs to, if it ever joined one.
    pub member_of: Option<u64>,
    /// For a new cluster: the key of cloaks.
    pub cloak_key: [u8; 16],
    /// For a new cluster: the number in message ids.
    pub boot: u32,
    /// What this server's own history reaches up to; a snapshot not after it is preferred.
    pub known_upto: Option<Position>,
}

/// Where a server begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Nobody was there before: call [`Joined::found`].
    Found,
    /// Begin here, then [`Joined::catch_up`].
    From {
        /// The place right before the first entry that is to come.
        at: Position,
        /// The state there.
        snapshot: Arc<[u8]>,
    },
}

/// A server that has a lease and does not run yet. It is to call something every 20 seconds at least, for the lease; where it
/// is not to run after all, [`Joined::abandon`].
pub struct Joined {
    /// The number of this server, never used again in this cluster; 1, 2, …
    pub server: u32,
    /// The cluster's random id.
    pub cluster: u64,
    /// The cluster's key of cloaks.
    pub cloak_key: [u8; 16],
    /// The cluster's number in message ids.
    pub boot: u32,
    /// Where to begin.
    pub start: Start,
    me: Identity,
    connection: Connection,
    script: Script,
    opened: Instant,
    history: History,
    /// The end of the log as it was when [`Joined::catch_up`] was called first.
    goal: Option<Position>,
}

/// Connects, checks that this server fits to the others, and takes a lease. Each step is given 10 seconds; an engine that
/// loads its data, and another server that founds the cluster, up to a minute. After an error nothing is left of it.
///
/// # Errors
/// Any [`Error`].
pub async fn join(options: Options) -> Result<Joined, Error> {
    let beginning: Waiting<'_, Joined> = Box::pin(begin(&options));
    beginning.await
}

async fn begin(options: &Options) -> Result<Joined, Error> {
    let begun = now();
    let (mut connection, mut script) = loop {
        let mut connection = Connection::open(&options.address, STEP).await?;
        greet(&mut connection);
        let replies = connection.exchange(GREETINGS, STEP, &|| ()).await?;
        match Script::greeted(&options.at(), &replies) {
            Err(Error::Loading { .. }) if begun.elapsed() < LOADING => {}
            script => break (connection, script?),
        }
        Timer::after(PAUSE).await;
    };
    script.lease = BEGINNING;
    let mut request = Request::new(options, &script)?;
    let (begun, listening) = (now(), format!("{}to:*", request.prefix));
    let mut joined = loop {
        // Servers of this cluster that are connected, whatever the engine has forgotten of it; where it may not be asked,
        // none are known of.
        connection.say(Words::default().all(&["PUBSUB", "CHANNELS", &listening]));
        let replies = connection.exchange(1, STEP, &|| ()).await?;
        let others = replies.iter().any(|reply| !reply.list().is_empty());
        let young = begun.elapsed() + Duration::from_secs(script.uptime) < RECONNECT;
        request.patient = begun.elapsed() < PUT_BACK && (young || others);
        request.say(&mut connection);
        let replies = connection.exchange(1, STEP, &|| ()).await?;
        match request.answered(options, replies.first().unwrap_or(&Reply::Nil)) {
            Err(Error::Busy { .. }) if begun.elapsed() < BUSY => {}
            Err(error) => return Err(error),
            Ok((me, given)) => break Joined::new(me, given, connection, script),
        }
        Timer::after(PAUSE).await;
    };
    if joined.start != Start::Found
        && let Err(error) = joined.fetch(options.known_upto).await
    {
        joined.abandon().await;
        return Err(error);
    }
    Ok(joined)
}

impl Options {
    fn at(&self) -> String {
        self.address.host.to_string()
    }
}

/// What a server asks for that begins, as the script takes it (`join.lua`).
struct Request {
    prefix: String,
    token: String,
    /// All but whether it is patient.
    words: Words,
    /// Others may put back what the engine has lost.
    patient: bool,
}

/// What the engine gives to a server.
struct Given {
    cluster: u64,
    cloak_key: [u8; 16],
    boot: u32,
    founds: bool,
}

impl Request {
    fn new(options: &Options, script: &Script) -> Result<Request, Error> {
        let [token, birth, new] = [random()?, random()?, random()?];
        let id = options
            .member_of
            .unwrap_or(u64::from_str_radix(new.get(..16).unwrap_or_default(), 16).unwrap_or(1));
        let own = options.member_of.map_or(String::new(), |id| id.to_string());
        let mut words = Words::default();
        words.add(script.run.as_bytes()).number(options.format.into()).add(birth.as_bytes()).number(id);
        words.add(hex(&options.cloak_key).as_bytes()).number(options.boot.into());
        words.all(&[&token, &own]).number(BEGINNING.as_millis() as u64);
        for (name, value) in &options.settings {
            words.all(&[name, value]);
        }
        // In braces, so that a Redis Cluster keeps all keys in one place.
        let prefix = format!("parlor:{{{}}}:", options.address.name);
        Ok(Request { prefix, token, words, patient: false })
    }

    fn say(&self, connection: &mut Connection) {
        let mut words = Words::default();
        words.all(&[
            "EVAL",
            include_str!("join.lua"),
            "1",
            &self.prefix,
            if self.patient { "1" } else { "0" },
        ]);
        connection.say(words.join(&self.words));
    }

    fn answered(&self, options: &Options, reply: &Reply) -> Result<(Identity, Given), Error> {
        sound(&options.at(), reply)?;
        let text = |reply: &Reply| String::from_utf8_lossy(reply.text()).into_owned();
        let part = |at: usize| reply.list().get(at).unwrap_or(&Reply::Nil);
        let name = options.address.name.clone();
        Err(match part(0).text() {
            b"OK" => return self.granted(options, reply).ok_or(Error::Garbled { at: options.at() }),
            b"WAIT" => Error::Busy { name },
            b"FORMAT" => Error::Format { here: options.format, there: text(part(1)) },
            b"ANOTHER" => Error::Another { name },
            b"FOREIGN" => Error::Foreign { name, key: text(part(1)) },
            b"DIFFER" => {
                let differ = reply.list().get(1..).unwrap_or_default().chunks_exact(3).filter_map(|one| {
                    let [name, here, there] = one else { return None };
                    Some((text(name), here.list().first().map(text), there.list().first().map(text)))
                });
                Error::Settings { differ: differ.collect() }
            }
            _ => Error::Garbled { at: options.at() },
        })
    }

    fn granted(&self, options: &Options, reply: &Reply) -> Option<(Identity, Given)> {
        let [_, server, id, birth, cloak, boot, founds] = reply.list() else { return None };
        let number = |reply: &Reply| u32::try_from(reply.number()).ok();
        let text = |reply: &Reply| String::from_utf8_lossy(reply.text()).into_owned();
        let mut cloak_key = [0; 16];
        for (byte, digits) in cloak_key.iter_mut().zip(cloak.text().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        let mut meta = vec!["format".to_owned(), options.format.to_string()];
        for (name, value) in [("id", id), ("birth", birth), ("cloak", cloak), ("boot", boot)] {
            meta.extend([name.to_owned(), text(value)]);
        }
        for (name, value) in &options.settings {
            meta.extend([format!("={name}"), value.clone()]);
        }
        let me = Identity {
            address: options.address.clone(),
            prefix: self.prefix.clone(),
            server: number(server)?,
            token: self.token.clone(),
            birth: text(birth),
            meta,
        };
        let founds = founds.number() > 0;
        Some((me, Given { cluster: id.number(), cloak_key, boot: number(boot)?, founds }))
    }
}

impl Joined {
    fn new(me: Identity, given: Given, connection: Connection, script: Script) -> Joined {
        let Given { cluster, cloak_key, boot, founds } = given;
        let (at, snapshot) = (Position::default(), Arc::default());
        Joined {
            server: me.server,
            cluster,
            cloak_key,
            boot,
            start: if founds { Start::Found } else { Start::From { at, snapshot } },
            me,
            connection,
            script,
            opened: now(),
            history: History::default(),
            goal: None,
        }
    }

    /// Reads where to begin.
    async fn fetch(&mut self, known_upto: Option<Position>) -> Result<(), Error> {
        let [snapshots, fenced] = ["snapshots", "fenced"].map(|key| format!("{}{key}", self.me.prefix));
        self.connection.say(Words::default().all(&["HKEYS", &snapshots]));
        self.connection.say(Words::default().all(&["HKEYS", &fenced]));
        let replies = self.connection.exchange(2, STEP, &|| ()).await?;
        let at = self.choose(&replies, known_upto)?;
        self.connection.say(Words::default().all(&["HGET", &snapshots]).place(at));
        let replies = self.connection.exchange(1, STEP, &|| ()).await?;
        let Some(Reply::Text(bytes)) = replies.first() else { return Err(self.me.lapsed()) };
        let snapshot: Arc<[u8]> = bytes.as_slice().into();
        self.history.begin(at, Arc::clone(&snapshot));
        self.start = Start::From { at, snapshot };
        Ok(())
    }

    fn choose(&mut self, replies: &[Reply], known_upto: Option<Position>) -> Result<Position, Error> {
        let [snapshots, fenced] = replies else { return Err(self.me.lapsed()) };
        self.history.fenced = fenced.list().iter().map(|one| one.number() as u32).collect();
        let places = || snapshots.list().iter().map(place);
        // Where no snapshot is in what this server knows, the oldest leaves the smallest gap.
        let at = match known_upto {
            None => places().max(),
            Some(known) => places().filter(|place| *place <= known).max().or(places().min()),
        };
        at.ok_or_else(|| self.me.lapsed())
    }

    /// Writes the first snapshot of a new cluster, of the state before the first entry; it must not be empty.
    ///
    /// # Errors
    /// [`Error::Lapsed`] if another server has founded it meanwhile, and those of the connection.
    pub async fn found(&mut self, snapshot: Arc<[u8]>) -> Result<(), Error> {
        self.call("found", Words::default().add(&snapshot)).await?;
        self.history.begin(Position::default(), snapshot);
        Ok(())
    }

    /// The next entries of the log, at most 200; none: caught up with the end as it was when this was called first, or
    /// since it last gave none.
    ///
    /// # Errors
    /// [`Error::Lapsed`], and those of the connection.
    pub async fn catch_up(&mut self) -> Result<Vec<Entry>, Error> {
        let reply = self.call("renew", Words::default().all(&["0", "1"])).await?;
        let end = reply.list().get(1).map(place).unwrap_or_default();
        if *self.goal.get_or_insert(end) <= self.history.last {
            self.goal = None;
            return Ok(Vec::new());
        }
        let mut words = Words::default();
        words.all(&["XREAD", "COUNT", COUNT, "STREAMS", &format!("{}log", self.me.prefix)]);
        self.connection.say(words.place(self.history.last));
        let replies = self.connection.exchange(1, STEP, &|| ()).await?;
        self.take(replies.first().unwrap_or(&Reply::Nil))
    }

    fn take(&mut self, reply: &Reply) -> Result<Vec<Entry>, Error> {
        let at = self.me.address.host.to_string();
        sound(&at, reply)?;
        let read = entries(reply).ok_or(Error::Garbled { at })?;
        let mut given = Vec::with_capacity(read.len());
        for kept in read {
            given.push(kept.entry.clone());
            self.history.take(kept).map_err(|_| self.me.lapsed())?;
        }
        if given.is_empty() { Err(self.me.lapsed()) } else { Ok(given) }
    }

    /// The servers that have a lease now, this one among them. Members of any other that are in the state are to go. Where the
    /// engine was away until a moment ago, all that were not fenced are said to have one: [`Event::Expired`] tells more
    /// later.
    ///
    /// # Errors
    /// [`Error::Lapsed`], and those of the connection.
    pub async fn alive(&mut self) -> Result<Vec<u32>, Error> {
        let reply = self.call("renew", Words::default().all(&["0", "1"])).await?;
        let young = self.opened.elapsed() + Duration::from_secs(self.script.uptime) < YOUNG;
        let alive = reply.list().iter().skip(3).filter_map(|one| {
            let [server, alive] = one.list() else { return None };
            u32::try_from(server.number()).ok().filter(|_| young || alive.number() > 0)
        });
        Ok(alive.collect())
    }

    /// Gives up the lease.
    pub async fn abandon(mut self) {
        // Otherwise it is over by itself.
        let _ = self.call("abandon", &Words::default()).await;
    }

    /// Runs from now on, until the last [`Link`] is dropped or [`Event::Fenced`] is told. Where `tell` is full, no more of
    /// the log is read.
    pub fn run(self, executor: &smol::LocalExecutor<'static>, tell: async_channel::Sender<Event>) -> Link {
        Link::run(self.me, self.connection, self.script, self.history, executor, tell)
    }

    fn call<'a>(&'a mut self, operation: &'a str, arguments: &'a Words) -> Waiting<'a, Reply> {
        Box::pin(async move {
            self.script.say(&mut self.connection, &self.me, operation, self.history.last, arguments);
            let mut replies = self.connection.exchange(1, STEP, &|| ()).await?;
            let reply = replies.pop().unwrap_or(Reply::Nil);
            let verdict = verdict(&self.me.address.host.to_string(), &reply)?;
            if verdict == Verdict::Done { Ok(reply) } else { Err(self.me.lapsed()) }
        })
    }
}

/// 16 random bytes.
fn random() -> Result<String, Error> {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(hex(&bytes)),
        Err(error) => Err(Error::NoRandomness { error: error.to_string() }),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
