//! What changes something for others, and the one place that does it.
//!
//! A command reads words and decides on a [`Change`]: plain values, names as they were written, no
//! place in a table of this hub. [`Hub::apply`] checks it against the state as it is now, changes the
//! state, tells those who are to hear it and has it recorded. Its time and its message ids are the
//! state's ([`State::now`](super::state::State), [`Stamps`](super::state::stamp::Stamps)), and come
//! with the input, as cloak and token came with the connection.
//!
//! When it is applied is said in [`order`].

mod accounts;
mod departure;
pub(crate) mod entry;
mod hands;
pub(crate) mod letters;
mod modes;
mod operator;
pub(crate) mod order;
mod people;
mod redact;
mod reply;
mod resume;
mod rooms;
pub(crate) mod secrets;
mod split;
mod talk;
mod tell;

pub(crate) use redact::Deletion;
pub(crate) use talk::MAX_ANNOUNCEMENT;

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use crate::hub::Hub;
use crate::hub::delivery::event::Talk;
use crate::hub::state::ConnectionId;
use crate::hub::state::modes::ModeChange;
use crate::hub::state::refusal::Refused;
use crate::hub::state::room::Rank;
use crate::protocol::scram::Key;
use crate::protocol::{MsgId, Nick, RoomName};

/// Lines of flood control beyond its own that a change costs after which the room is written down.
const WRITTEN: u32 = 2;

/// What somebody who is here, or comes, changes for others.
#[derive(Debug)]
pub(crate) enum Change<'a> {
    /// The end of registration: a new member, or one who comes back to its place.
    Register,
    /// It has shown whose account this is, as the account was then
    /// ([`proof_of`](super::state::State::proof_of)).
    LogIn {
        name: &'a str,
        proof: &'a str,
    },
    Nick {
        nick: Nick,
    },
    Away {
        text: Option<&'a str>,
    },
    Setname {
        realname: &'a str,
    },
    /// Modes of the member itself, letters of [`USER_MODES`](super::state::modes::USER_MODES).
    UserModes {
        changes: Cow<'a, [ModeChange<'a>]>,
    },
    Join {
        room: RoomName,
        key: &'a str,
    },
    Part {
        room: &'a str,
        reason: Option<&'a str>,
    },
    Kick {
        room: &'a str,
        nick: &'a str,
        reason: Option<&'a str>,
    },
    Topic {
        room: &'a str,
        text: &'a str,
    },
    Modes {
        room: &'a str,
        changes: Cow<'a, [ModeChange<'a>]>,
    },
    Invite {
        nick: &'a str,
        room: &'a str,
    },
    /// To those in a room who have at least this rank.
    Talk {
        room: &'a str,
        rank: Rank,
        talk: Talk<'a>,
    },
    /// Somebody wants to speak next, or no longer; operators lower those of others.
    Hand {
        room: &'a str,
        up: bool,
        nick: Option<&'a str>,
    },
    /// A line is deleted by somebody who may.
    Redact {
        deletion: Deletion<'a>,
    },
    Wallops {
        text: &'a str,
    },
    Kill {
        nick: &'a str,
        reason: Option<&'a str>,
    },
    /// It says something to one other member. What it is waits under a ticket where it was said, and on the server of
    /// this number, if that is another one. `kept`: it waits on all servers, which keep it.
    Whisper {
        ticket: u64,
        to: u32,
        kept: bool,
    },
    /// A certificate logs in to the member's account from now on.
    AddPrint {
        print: Key,
    },
    /// The member's account has read so far. `place`: where that is kept, `target`: as it was written.
    Read {
        target: &'a str,
        place: &'a str,
        upto: MsgId,
    },
    /// The member goes, and is not waited for. `reason` is for people, `logged` for the log.
    /// `read`: up to where it must have read what it was told, if that is known.
    Quit {
        reason: &'a str,
        logged: &'a str,
        read: Option<MsgId>,
    },
}

/// What the operator has the server do, from the console, from afar, or as the host of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are what the variants say")]
pub enum Operation {
    /// The server speaks in every room, and to those who are in none. A text of more than 360 bytes
    /// goes out as several.
    Announce { text: String },
    /// Makes a member operator of a room (given with its `#`), or lets it in there.
    Op { nick: String, room: String },
    /// Disconnects a member; everybody is told why, at most 300 bytes of it, if that is not empty.
    Kick { nick: String, why: String },
    /// Disconnects an address (IPv6: its /64) and keeps it out for so long, or until [`Operation::Unban`]; without a
    /// history on disk at most until the server's end.
    Ban { whom: Target, minutes: Option<u32> },
    /// Lets an address (IPv6: any of its /64) in again.
    Unban { address: IpAddr },
    /// Gives an account a new password, or makes it; the answer tells it.
    Password { name: String },
    /// Ends an account: its name is nobody's.
    ForgetAccount { name: String },
    /// Asks for [`Output::Stop`](super::Output::Stop) in so long; people are told if it is not at once.
    Stop { after: Duration },
}

/// Whom a ban is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Who has this name now.
    Nick(String),
    /// Everybody from this address.
    Address(IpAddr),
}

/// Who has an operation done, and so who hears the answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asker {
    /// The server's standard input.
    Console,
    /// A server operator, from afar.
    Operator(ConnectionId),
    /// The host of the server, who sees what has come of it.
    Host,
}

impl Hub {
    fn apply(&mut self, by: ConnectionId, change: Change<'_>) -> Result<(), Refused> {
        match change {
            Change::Talk { room, rank, talk } => self.talk(by, room, rank, talk),
            Change::Register => self.register(by),
            Change::LogIn { name, proof } => self.log_in_by(by, name, proof),
            Change::Nick { nick } => self.rename(by, nick),
            Change::Away { text } => self.away(by, text),
            Change::Setname { realname } => self.setname(by, realname),
            Change::UserModes { changes } => self.user_modes(by, &changes),
            Change::Join { room, key } => self.join(by, room, key),
            Change::Part { room, reason } => self.part(by, room, reason),
            Change::Kick { room, nick, reason } => self.kick(by, room, nick, reason),
            Change::Topic { room, text } => self.topic(by, room, text),
            Change::Modes { room, changes } => self.room_modes(by, room, &changes),
            Change::Invite { nick, room } => self.invite(by, nick, room),
            Change::Hand { room, up, nick } => self.hand(by, room, up, nick),
            Change::Redact { deletion } => self.redact(by, deletion),
            Change::Wallops { text } => self.wallops(by, text),
            Change::Kill { nick, reason } => self.kill(by, nick, reason),
            Change::Whisper { ticket, to, kept } => self.whisper_in_turn(by, ticket, (to, kept)),
            Change::AddPrint { print } => {
                self.add_print(by, print);
                Ok(())
            }
            Change::Read { target, place, upto } => {
                self.read(by, target, place, upto);
                Ok(())
            }
            Change::Quit { reason, logged, read } => {
                self.state.note_read_elsewhere(by, read);
                self.depart(by, reason, logged);
                Ok(())
            }
        }
    }
}
