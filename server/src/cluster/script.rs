//! The script by which the log is changed, which the engine runs as a whole (`log.lua`).

use std::time::Duration;

use super::address::Address;
use super::connection::Connection;
use super::error::Error;
use super::reply::Reply;
use super::words::Words;
use crate::protocol::Position;

/// The time for which a lease holds; it is renewed after a third of it.
pub(super) const LEASE: Duration = Duration::from_secs(15);
/// Replies to [`greet`].
pub(super) const GREETINGS: usize = 2;

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
    /// What else stands in the cluster's `meta`, to be written again: names and values in turn.
    pub(super) meta: Vec<String>,
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
    /// What was appended and not read is to be appended again.
    Again,
    /// This server's lease is over, and the others know.
    Fenced,
    /// The log is not the one that this server has read.
    Differs,
}

/// What the script is called by, on one connection.
pub(super) struct Script {
    /// The digest by which the engine knows it.
    digest: Vec<u8>,
    /// Tells one run of the engine from the next.
    pub(super) run: String,
    /// For which the engine ran, in seconds.
    pub(super) uptime: u64,
    /// The time for which a lease is to hold.
    pub(super) lease: Duration,
}

/// Asks what the engine is, and gives it the script.
pub(super) fn greet(connection: &mut Connection) {
    connection.say(Words::default().all(&["INFO", "server"]));
    connection.say(Words::default().all(&["SCRIPT", "LOAD", include_str!("log.lua")]));
}

impl Script {
    /// Reads the replies to [`greet`]; `at` is for errors.
    pub(super) fn greeted(at: &str, replies: &[Reply]) -> Result<Script, Error> {
        let [info, digest] = replies else { return Err(Error::Garbled { at: at.to_owned() }) };
        for reply in replies {
            sound(at, reply)?;
        }
        let info = String::from_utf8_lossy(info.text());
        let field = |name: &str| {
            info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default()
        };
        let version = field("redis_version");
        let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or_default());
        if version.is_empty() {
            return Err(Error::Garbled { at: at.to_owned() });
        }
        if (numbers.next(), numbers.next()) < (Some(6), Some(2)) {
            return Err(Error::TooOld { at: at.to_owned(), version: version.to_owned() });
        }
        let uptime = field("uptime_in_seconds").parse().unwrap_or_default();
        Ok(Script { digest: digest.text().to_vec(), run: field("run_id").to_owned(), uptime, lease: LEASE })
    }

    /// Says what the script is to do; its reply is to be read with [`verdict`].
    pub(super) fn say(
        &self,
        connection: &mut Connection,
        me: &Identity,
        operation: &str,
        applied: Position,
        arguments: &Words,
    ) {
        let mut words = Words::default();
        words.add(b"EVALSHA").add(&self.digest).all(&["1", &me.prefix, operation]).number(me.server.into());
        words.all(&[&me.token, &me.birth, &self.run]).place(applied).number(self.lease.as_millis() as u64);
        connection.say(words.join(arguments));
    }
}

/// What the script has said first; `at` is for errors.
pub(super) fn verdict(at: &str, reply: &Reply) -> Result<Verdict, Error> {
    sound(at, reply)?;
    let part = |at: usize| reply.list().get(at).unwrap_or(&Reply::Nil);
    Ok(match part(0).text() {
        b"OK" => Verdict::Done,
        b"SEND" => Verdict::Send,
        b"WAIT" => Verdict::Wait(Duration::from_millis(part(1).number().min(5_000))),
        b"LOST" => Verdict::Lost { last: place(part(1)), bare: part(2).number() == 0 },
        b"AGAIN" => Verdict::Again,
        b"FENCED" => Verdict::Fenced,
        b"DIFFERS" | b"OTHER" => Verdict::Differs,
        _ => return Err(Error::Garbled { at: at.to_owned() }),
    })
}

/// A place, or the one before all.
pub(super) fn place(reply: &Reply) -> Position {
    Position::parse(reply.text()).unwrap_or_default()
}

/// An error of the engine is ours.
pub(super) fn sound(at: &str, reply: &Reply) -> Result<(), Error> {
    if let Reply::Error(why) = reply { Err(Error::of_reply(at, why)) } else { Ok(()) }
}
