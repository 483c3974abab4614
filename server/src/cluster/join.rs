//! How a server becomes one of the cluster.

use std::sync::Arc;
use std::time::{Duration, Instant};

use smol::Timer;

use super::address::Address;
use super::clock::now;
use super::error::Error;
use super::history::{COUNT, Entry, History, entries};
use super::link::Link;
use super::reply::Reply;
use super::script::{Identity, Script, Verdict};
use super::shared::Event;
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
    let begun = now();
    let mut script = loop {
        match Script::open(&options.address, STEP).await {
            Err(Error::Loading { .. }) if begun.elapsed() < LOADING => Timer::after(PAUSE).await,
            opened => break opened?,
        };
    };
    script.lease = BEGINNING;
    let opened = now();
    let token = hex(&random()?);
    let reply = take_number(&mut script, &options, &token).await?;
    let part = |at: usize| reply.list().get(at).map(Reply::text).unwrap_or_default();
    let text = |at: usize| String::from_utf8_lossy(part(at)).into_owned();
    let number = |at: usize| reply.list().get(at).map_or(0, Reply::number);
    let garbled = || Error::Garbled { at: options.address.host.to_string() };
    let mut cloak_key = [0; 16];
    for (at, byte) in cloak_key.iter_mut().enumerate() {
        let digits = part(4).get(2 * at..2 * at + 2).and_then(|digits| std::str::from_utf8(digits).ok());
        *byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or_else(garbled)?;
    }
    let (server, boot) = (u32::try_from(number(1)), u32::try_from(number(5)));
    let (Ok(server), Ok(boot)) = (server, boot) else { return Err(garbled()) };
    let mut meta = vec![
        ("format".to_owned(), options.format.to_string()),
        ("id".to_owned(), text(2)),
        ("birth".to_owned(), text(3)),
        ("cloak".to_owned(), text(4)),
        ("boot".to_owned(), text(5)),
    ];
    meta.extend(options.settings.iter().map(|(name, value)| (format!("={name}"), value.clone())));
    let me = Identity {
        prefix: prefix(&options.address),
        server,
        token,
        birth: text(3),
        meta,
        address: options.address.clone(),
    };
    let mut joined = Joined {
        server,
        cluster: number(2),
        cloak_key,
        boot,
        start: Start::Found,
        me,
        script,
        opened,
        history: History::default(),
        goal: None,
    };
    if number(6) == 0
        && let Err(error) = joined.fetch(options.known_upto).await
    {
        joined.abandon().await;
        return Err(error);
    }
    Ok(joined)
}

/// Has the engine compare this server with the cluster, or make one, and takes a number and a lease.
async fn take_number(script: &mut Script, options: &Options, token: &str) -> Result<Reply, Error> {
    let name = || options.address.name.clone();
    let own = options.member_of.map_or(String::new(), |id| id.to_string());
    let new = random()?;
    let id = options
        .member_of
        .unwrap_or(u64::from_le_bytes([new[0], new[1], new[2], new[3], new[4], new[5], new[6], new[7]]));
    let (id, birth, boot) = (id.to_string(), hex(&random()?), options.boot.to_string());
    let (format, cloak) = (options.format.to_string(), hex(&options.cloak_key));
    let (lease, prefix) = (BEGINNING.as_millis().to_string(), prefix(&options.address));
    let run = script.run.clone();
    let begun = now();
    loop {
        let patient = begun.elapsed() < PUT_BACK
            && (begun.elapsed() + Duration::from_secs(script.uptime) < RECONNECT
                || others_listen(script, &prefix).await?);
        let patient = if patient { "1" } else { "0" };
        let mut all: Vec<&[u8]> = vec![b"EVAL", include_bytes!("join.lua"), b"1", prefix.as_bytes()];
        for part in [&*run, &format, &birth, &id, &cloak, &boot, token, &own, patient, &lease] {
            all.push(part.as_bytes());
        }
        for (name, value) in &options.settings {
            all.extend([name.as_bytes(), value.as_bytes()]);
        }
        script.connection.say(&all);
        let reply = script.connection.answer(STEP).await?;
        let part = |at: usize| {
            String::from_utf8_lossy(reply.list().get(at).map(Reply::text).unwrap_or_default()).into_owned()
        };
        return Err(match &*part(0) {
            "OK" => return Ok(reply),
            "WAIT" if begun.elapsed() < BUSY => {
                Timer::after(PAUSE).await;
                continue;
            }
            "WAIT" => Error::Busy { name: name() },
            "FORMAT" => Error::Format { here: options.format, there: part(1) },
            "ANOTHER" => Error::Another { name: name() },
            "FOREIGN" => Error::Foreign { name: name(), key: part(1) },
            "DIFFER" => {
                let text = |reply: &Reply| String::from_utf8_lossy(reply.text()).into_owned();
                let differ = reply.list().get(1..).unwrap_or_default().chunks_exact(3).filter_map(|one| {
                    let [name, here, there] = one else { return None };
                    Some((text(name), here.list().first().map(text), there.list().first().map(text)))
                });
                Error::Settings { differ: differ.collect() }
            }
            _ => Error::Garbled { at: script.connection.at.clone() },
        });
    }
}

/// Whether servers of this cluster are connected, whatever the engine has forgotten of it.
async fn others_listen(script: &mut Script, prefix: &str) -> Result<bool, Error> {
    script.connection.say(&[b"PUBSUB", b"CHANNELS", format!("{prefix}to:*").as_bytes()]);
    script.connection.send().await?;
    // Where it may not be asked, none are known of.
    Ok(!script.connection.next(STEP).await?.list().is_empty())
}

impl Joined {
    /// Reads where to begin.
    async fn fetch(&mut self, known_upto: Option<Position>) -> Result<(), Error> {
        let keys = ["snapshots", "fenced"].map(|key| format!("{}{key}", self.me.prefix));
        let connection = &mut self.script.connection;
        keys.iter().for_each(|key| connection.say(&[b"HKEYS", key.as_bytes()]));
        connection.send().await?;
        let (snapshots, fenced) = (connection.reply(STEP).await?, connection.reply(STEP).await?);
        let places = snapshots.list().iter().filter_map(|place| Position::parse(place.text()));
        // Where no snapshot is in what this server knows, the oldest leaves the smallest gap.
        let at = match known_upto {
            None => places.max(),
            Some(known) => places.clone().filter(|place| *place <= known).max().or(places.min()),
        };
        let at = at.ok_or_else(|| self.me.lapsed())?;
        self.history.fenced =
            fenced.list().iter().filter_map(|one| u32::try_from(one.number()).ok()).collect();
        connection.say(&[b"HGET", keys[0].as_bytes(), at.to_string().as_bytes()]);
        let Reply::Text(bytes) = connection.answer(STEP).await? else { return Err(self.me.lapsed()) };
        let snapshot: Arc<[u8]> = bytes.into();
        self.history.begin(at, Arc::clone(&snapshot));
        self.start = Start::From { at, snapshot };
        Ok(())
    }

    /// Writes the first snapshot of a new cluster, of the state before the first entry.
    ///
    /// # Errors
    /// [`Error::Lapsed`] if another server has founded it meanwhile, and those of the connection.
    pub async fn found(&mut self, snapshot: Arc<[u8]>) -> Result<(), Error> {
        let (verdict, _) = self.script.run(&self.me, "found", Position::default(), &[&snapshot]).await?;
        self.history.begin(Position::default(), snapshot);
        if verdict == Verdict::Done { Ok(()) } else { Err(self.me.lapsed()) }
    }

    /// The next entries of the log, at most 200; none: caught up with the end as it was when this was called first, or
    /// since it last gave none.
    ///
    /// # Errors
    /// [`Error::Lapsed`], and those of the connection.
    pub async fn catch_up(&mut self) -> Result<Vec<Entry>, Error> {
        let reply = self.renew().await?;
        let end = reply.list().get(1).and_then(|end| Position::parse(end.text())).unwrap_or_default();
        if *self.goal.get_or_insert(end) <= self.history.last {
            self.goal = None;
            return Ok(Vec::new());
        }
        let (log, last) = (format!("{}log", self.me.prefix), self.history.last.to_string());
        let connection = &mut self.script.connection;
        connection.say(&[b"XREAD", b"COUNT", COUNT.as_bytes(), b"STREAMS", log.as_bytes(), last.as_bytes()]);
        let reply = connection.answer(STEP).await?;
        let read = entries(&reply).ok_or_else(|| Error::Garbled { at: connection.at.clone() })?;
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
        let reply = self.renew().await?;
        let young = self.opened.elapsed() + Duration::from_secs(self.script.uptime) < YOUNG;
        let alive = reply.list().get(3..).unwrap_or_default().iter().filter_map(|one| {
            let [server, alive] = one.list() else { return None };
            u32::try_from(server.number()).ok().filter(|_| young || alive.number() > 0)
        });
        Ok(alive.collect())
    }

    /// Gives up the lease.
    pub async fn abandon(mut self) {
        // Otherwise it is over by itself.
        let _ = self.script.run(&self.me, "abandon", Position::default(), &[]).await;
    }

    /// Runs from now on, until the last [`Link`] is dropped or [`Event::Fenced`] is told. Where `tell` is full, no more of
    /// the log is read.
    pub fn run(self, executor: &smol::LocalExecutor<'static>, tell: async_channel::Sender<Event>) -> Link {
        Link::run(self.me, self.script, self.history, executor, tell)
    }

    async fn renew(&mut self) -> Result<Reply, Error> {
        let (verdict, reply) = self.script.run(&self.me, "renew", self.history.last, &[]).await?;
        if verdict == Verdict::Done { Ok(reply) } else { Err(self.me.lapsed()) }
    }
}

fn prefix(address: &Address) -> String {
    // In braces, so that a Redis Cluster keeps all keys in one place.
    format!("parlor:{{{}}}:", address.name)
}

fn random() -> Result<[u8; 16], Error> {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Error::NoRandomness { error: error.to_string() }),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
