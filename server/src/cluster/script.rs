//! The connection that changes the log, by a script that the engine runs as a whole (`log.lua`).

use std::time::Duration;

use super::address::Address;
use super::connection::{Connection, PATIENCE};
use super::error::Error;
use super::reply::Reply;
use crate::protocol::Position;

/// The time for which a lease holds; it is renewed after a third of it.
pub(super) const LEASE: Duration = Duration::from_secs(15);

/// Who this server is, and what cluster it is in.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) address: Address,
    /// What all keys begin with.
    pub(super) prefix: String,
    pub(super) server: u32,
    /// What the lease holds: nobody else knows it.
    pub(super) token: String,
    /// Tells this cluster from a later one of the same name.
    pub(super) birth: String,
    /// What else stands in the cluster's `meta`, to be written again: names and values.
    pub(super) meta: Vec<(String, String)>,
}

impl Identity {
    /// The error where the cluster is not what it was.
    pub(super) fn lapsed(&self) -> Error {
        Error::Lapsed { name: self.address.name.clone() }
    }
}

/// What the script says first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Done, or there was nothing to do.
    Done,
    /// A snapshot is wanted.
    Send,
    /// Not before so much time is over: others may have to put entries back.
    Wait(Duration),
    /// The engine has lost entries: its last is this one, or it holds no snapshot any more.
    Lost { last: Position, bare: bool },
    /// This server's lease is over, and the others know.
    Fenced,
    /// The log is not the one that this server has read.
    Differs,
}

/// See the [module](self).
pub(super) struct Script {
    pub(super) connection: Connection,
    /// The digest by which the engine knows the script.
    digest: Vec<u8>,
    /// Tells one run of the engine from the next.
    pub(super) run: String,
    /// For which the engine ran, in seconds.
    pub(super) uptime: u64,
    /// The time for which a lease is to hold.
    pub(super) lease: Duration,
}

impl Script {
    /// Connects, with this much time for each step.
    pub(super) async fn open(address: &Address, patience: Duration) -> Result<Script, Error> {
        let mut connection = Connection::open(address, patience).await?;
        connection.say(&[b"INFO", b"server"]);
        let info = connection.answer(patience).await?;
        let info = String::from_utf8_lossy(info.text());
        let field = |name: &str| {
            info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default()
        };
        let version = field("redis_version");
        let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or_default());
        let at = || connection.at.clone();
        match (numbers.next(), numbers.next()) {
            _ if version.is_empty() => return Err(Error::Garbled { at: at() }),
            (major, minor) if (major, minor) < (Some(6), Some(2)) => {
                return Err(Error::TooOld { at: at(), version: version.to_owned() });
            }
            _ => {}
        }
        let (run, uptime) =
            (field("run_id").to_owned(), field("uptime_in_seconds").parse().unwrap_or_default());
        connection.say(&[b"SCRIPT", b"LOAD", include_bytes!("log.lua")]);
        let digest = connection.answer(patience).await?.text().to_vec();
        Ok(Script { connection, digest, run, uptime, lease: LEASE })
    }

    /// Says what the script is to do; the reply is to be taken with [`verdict`](Script::verdict).
    pub(super) fn say(&mut self, me: &Identity, operation: &str, applied: Position, arguments: &[&[u8]]) {
        let (server, applied) = (me.server.to_string(), applied.to_string());
        let lease = self.lease.as_millis().to_string();
        let mut all: Vec<&[u8]> = vec![b"EVALSHA", &self.digest, b"1", me.prefix.as_bytes()];
        for part in [operation, &server, &me.token, &me.birth, &self.run, &applied, &lease] {
            all.push(part.as_bytes());
        }
        all.extend_from_slice(arguments);
        self.connection.say(&all);
    }

    /// What the script has said, and all that it has said.
    pub(super) async fn verdict(&mut self) -> Result<(Verdict, Reply), Error> {
        let reply = self.connection.reply(PATIENCE).await?;
        let mut parts = reply.list().iter();
        let verdict = match parts.next().map(Reply::text) {
            Some(b"OK") => Verdict::Done,
            Some(b"SEND") => Verdict::Send,
            Some(b"WAIT") => {
                Verdict::Wait(Duration::from_millis(parts.next().map_or(0, Reply::number).min(5_000)))
            }
            Some(b"LOST") => {
                let last = parts.next().and_then(|last| Position::parse(last.text())).unwrap_or_default();
                Verdict::Lost { last, bare: parts.next().is_none_or(|count| count.number() == 0) }
            }
            Some(b"FENCED") => Verdict::Fenced,
            Some(b"DIFFERS" | b"OTHER") => Verdict::Differs,
            _ => return Err(Error::Garbled { at: self.connection.at.clone() }),
        };
        Ok((verdict, reply))
    }

    /// Has the script do something.
    pub(super) async fn run(
        &mut self,
        me: &Identity,
        operation: &str,
        applied: Position,
        arguments: &[&[u8]],
    ) -> Result<(Verdict, Reply), Error> {
        self.say(me, operation, applied, arguments);
        self.connection.send().await?;
        self.verdict().await
    }
}
