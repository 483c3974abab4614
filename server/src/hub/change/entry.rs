//! Changes as they stand in the log that several servers share: who makes one, and what it is, in words.

use std::borrow::Cow;

use crate::hub::change::{Change, Deletion, Operation, Target};
use crate::hub::delivery::event::Talk;
use crate::hub::history::Told;
use crate::hub::state::State;
use crate::hub::state::cluster::{Milestone, Origin};
use crate::hub::state::member::Member;
use crate::hub::state::member_record::{origin, origin_word, put_member, take_member};
use crate::hub::state::modes::ModeChange;
use crate::hub::state::room::Rank;
use crate::hub::state::words::{put, put_bytes, take, take_bytes};
use crate::protocol::command::Verb;
use crate::protocol::{Capability, LineName, MsgId, Nick, Position, RoomName};

/// The version of this encoding and of the snapshot's: servers of another one are refused.
pub const FORMAT: u32 = 2;

/// What stands in the log.
#[derive(Debug)]
pub(super) enum Entry<'a> {
    Member(Origin, Change<'a>),
    /// The end of registration: who it is, and its account as that was then.
    Newcomer(Origin, Box<Member>, &'a str),
    Server(ServerChange<'a>),
}

/// What a server itself changes.
#[derive(Debug)]
pub(super) enum ServerChange<'a> {
    /// Its operator does something. Who asked for it, if that was one of its members.
    Operate(Option<Origin>, Operation),
    /// An account is somebody's now, or has another password; `claimed`: by a connection, and only if it is nobody's.
    Account {
        by: Option<Origin>,
        claimed: bool,
        /// Under which the answer waits there.
        ticket: u64,
        state: &'a [u8],
    },
    /// This server is gone, and with it its members.
    Gone { server: u32 },
    /// The servers have run for so many hours.
    Hour(u32),
    /// What it knows at a milestone.
    Milestone(Milestone),
}

/// Writes down that a connection would be a member.
pub(super) fn encode_newcomer(state: &State, by: Origin) -> Option<Vec<u8>> {
    let id = state.at_origin(by)?;
    let member = state.member(id)?;
    let mut bytes = Vec::with_capacity(200);
    put(&mut bytes, &["register", &origin_word(by)]);
    let token = member.token.filter(|_| member.has(Capability::Resume));
    put_member(&mut bytes, member, token, state.brought(id));
    let proof = member.account.as_deref().map_or(String::new(), |name| state.proof_of(name));
    put(&mut bytes, &[&proof]);
    Some(bytes)
}

/// Of whom and which an entry is that tells of a private line, and for whom ([`Change::Whisper`]); of others nothing.
pub(super) fn whisper(entry: &[u8]) -> Option<(Origin, u64, (u32, bool))> {
    let mut rest = entry;
    if take(&mut rest)? != "whisper" {
        return None;
    }
    let by = origin(take(&mut rest)?)?;
    let (ticket, of) = whisper_words(&mut rest)?;
    Some((by, ticket, of))
}

fn whisper_words(rest: &mut &[u8]) -> Option<(u64, (u32, bool))> {
    let [ticket, to, kept] = words(rest)?;
    Some((ticket.parse().ok()?, (to.parse().ok()?, !kept.is_empty())))
}

/// What all servers call a connection, as a word.
pub(super) fn who(origin: Origin) -> String {
    origin_word(origin)
}

/// Reads that.
pub(super) fn by(word: &str) -> Option<Origin> {
    origin(word)
}

pub(super) fn verb(word: &str) -> Option<Verb> {
    [Verb::Privmsg, Verb::Notice, Verb::Tagmsg].into_iter().find(|verb| verb.as_str() == word)
}

/// Writes a change of a member down.
pub(super) fn encode(by: Origin, change: &Change<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(160);
    let who = origin_word(by);
    let mut words = |tag: &str, words: &[&str]| {
        put(&mut bytes, &[tag, &who]);
        put(&mut bytes, words);
    };
    let optional = |word: &Option<&str>| {
        [if word.is_some() { "1" } else { "" }, word.unwrap_or_default()].map(String::from)
    };
    match change {
        // It has words of its own.
        Change::Register => {}
        Change::Talk { room, rank, talk } => {
            let line = talk.line.map_or(String::new(), |line| line.to_string());
            let long = if talk.long { "1" } else { "" };
            let rank = rank.number().to_string();
            words("talk", &[room, &rank, talk.verb.as_str(), &line, long, talk.tags, talk.text]);
        }
        Change::LogIn { name, proof } => words("login", &[name, proof]),
        Change::Nick { nick } => words("nick", &[nick.as_str()]),
        Change::Away { text } => {
            let [on, text] = optional(text);
            words("away", &[&on, &text]);
        }
        Change::Setname { realname } => words("setname", &[realname]),
        Change::UserModes { changes } => {
            words("umode", &[]);
            put_modes(&mut bytes, changes);
        }
        Change::Join { room, key } => words("join", &[room.as_str(), key]),
        Change::Part { room, reason } => {
            let [on, reason] = optional(reason);
            words("part", &[room, &on, &reason]);
        }
        Change::Kick { room, nick, reason } => {
            let [on, reason] = optional(reason);
            words("kick", &[room, nick, &on, &reason]);
        }
        Change::Topic { room, text } => words("topic", &[room, text]),
        Change::Modes { room, changes } => {
            words("mode", &[room]);
            put_modes(&mut bytes, changes);
        }
        Change::Invite { nick, room } => words("invite", &[nick, room]),
        Change::Hand { room, up, nick } => {
            let [on, nick] = optional(nick);
            words("hand", &[room, if *up { "1" } else { "" }, &on, &nick]);
        }
        Change::Redact { deletion } => {
            let Deletion { room, target, of, told, reason, ticket } = deletion;
            words("redact", &[room, target, &of.to_string(), reason, &ticket.to_string()]);
            // What was said must not stand in the log once more.
            put_bytes(&mut bytes, &told.without_text());
        }
        Change::Wallops { text } => words("wallops", &[text]),
        Change::Kill { nick, reason } => {
            let [on, reason] = optional(reason);
            words("kill", &[nick, &on, &reason]);
        }
        Change::Quit { reason, logged, read } => {
            words("quit", &[reason, logged, &read.map_or(String::new(), |read| read.to_string())])
        }
        Change::Whisper { ticket, to, kept } => {
            words("whisper", &[&ticket.to_string(), &to.to_string(), if *kept { "1" } else { "" }])
        }
        Change::AddPrint { print } => {
            words("print", &[]);
            put_bytes(&mut bytes, &print[..]);
        }
        Change::Read { target, place, upto } => words("read", &[target, place, &upto.millis.to_string()]),
    }
    bytes
}

fn put_modes(bytes: &mut Vec<u8>, changes: &[ModeChange<'_>]) {
    for ModeChange { on, letter, argument } in changes {
        put(bytes, &[&format!("{}{letter}{argument}", if *on { '+' } else { '-' })]);
    }
}

fn take_modes<'a>(rest: &mut &'a [u8]) -> Option<Cow<'a, [ModeChange<'a>]>> {
    let mut changes = Vec::new();
    while !rest.is_empty() {
        let mut letters = take(rest)?.chars();
        let (on, letter) = (letters.next()? == '+', letters.next()?);
        changes.push(ModeChange { on, letter, argument: letters.as_str() });
    }
    Some(Cow::Owned(changes))
}

/// Writes down what a server itself changes.
pub(super) fn encode_server(change: &ServerChange<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let maybe = |origin: &Option<Origin>| origin.map_or(String::new(), origin_word);
    match change {
        ServerChange::Operate(by, operation) => {
            put(&mut bytes, &["operate", &maybe(by)]);
            match operation {
                Operation::Announce { text } => put(&mut bytes, &["announce", text]),
                Operation::Op { nick, room } => put(&mut bytes, &["op", nick, room]),
                Operation::Kick { nick, why } => put(&mut bytes, &["kick", nick, why]),
                Operation::Ban { whom, minutes } => {
                    let (kind, whom) = match whom {
                        Target::Nick(nick) => ("n", nick.clone()),
                        Target::Address(ip) => ("a", ip.to_string()),
                    };
                    let minutes = minutes.map_or(String::new(), |minutes| minutes.to_string());
                    put(&mut bytes, &["ban", kind, &whom, &minutes]);
                }
                Operation::Unban { address } => put(&mut bytes, &["unban", &address.to_string()]),
                Operation::ForgetAccount { name } => put(&mut bytes, &["forget", name]),
                // A server's own, see `is_own`.
                Operation::Password { .. } | Operation::Stop { .. } => {}
            }
        }
        ServerChange::Account { by, claimed, ticket, state } => {
            let claimed = if *claimed { "1" } else { "" };
            put(&mut bytes, &["account", &maybe(by), claimed, &ticket.to_string()]);
            put_bytes(&mut bytes, state);
        }
        ServerChange::Gone { server } => put(&mut bytes, &["gone", &server.to_string()]),
        ServerChange::Hour(hours) => put(&mut bytes, &["hour", &hours.to_string()]),
        ServerChange::Milestone(Milestone { at, digest }) => {
            put(&mut bytes, &["same", &at.to_string(), &format!("{digest:x}")])
        }
    }
    bytes
}

/// Reads an entry; `None` for what this version does not know.
pub(super) fn decode(entry: &[u8]) -> Option<Entry<'_>> {
    let mut rest = entry;
    let tag = take(&mut rest)?;
    match tag {
        "operate" | "account" | "gone" | "hour" | "same" => {
            return decode_server(tag, rest).map(Entry::Server);
        }
        _ => {}
    }
    let by = origin(take(&mut rest)?)?;
    if tag == "register" {
        let member = Box::new(take_member(&mut rest)?);
        return Some(Entry::Newcomer(by, member, take(&mut rest)?));
    }
    let rest = &mut rest;
    let change = match tag {
        "talk" => {
            let [room, rank, kind, line, long, tags, text] = words(rest)?;
            let talk =
                Talk { verb: verb(kind)?, text, line: LineName::parse(line), tags, long: !long.is_empty() };
            Change::Talk { room, rank: Rank::parse(rank)?, talk }
        }
        "login" => Change::LogIn { name: take(rest)?, proof: take(rest)? },
        "nick" => Change::Nick { nick: Nick::parse(take(rest)?).ok()? },
        "away" => Change::Away { text: optional(rest)? },
        "setname" => Change::Setname { realname: take(rest)? },
        "umode" => Change::UserModes { changes: take_modes(rest)? },
        "join" => Change::Join { room: RoomName::parse(take(rest)?).ok()?, key: take(rest)? },
        "part" => Change::Part { room: take(rest)?, reason: optional(rest)? },
        "kick" => Change::Kick { room: take(rest)?, nick: take(rest)?, reason: optional(rest)? },
        "topic" => Change::Topic { room: take(rest)?, text: take(rest)? },
        "mode" => Change::Modes { room: take(rest)?, changes: take_modes(rest)? },
        "invite" => Change::Invite { nick: take(rest)?, room: take(rest)? },
        "hand" => Change::Hand { room: take(rest)?, up: !take(rest)?.is_empty(), nick: optional(rest)? },
        "redact" => {
            let [room, target, of, reason, ticket] = words(rest)?;
            let (of, ticket) = (MsgId::parse(of)?, ticket.parse().ok()?);
            let told = Told::parse(take_bytes(rest)?)?;
            Change::Redact { deletion: Deletion { room, target, of, told, reason, ticket } }
        }
        "wallops" => Change::Wallops { text: take(rest)? },
        "kill" => Change::Kill { nick: take(rest)?, reason: optional(rest)? },
        "quit" => Change::Quit { reason: take(rest)?, logged: take(rest)?, read: MsgId::parse(take(rest)?) },
        "whisper" => {
            let (ticket, (to, kept)) = whisper_words(rest)?;
            Change::Whisper { ticket, to, kept }
        }
        "print" => Change::AddPrint { print: take_bytes(rest)?.try_into().ok()? },
        "read" => {
            let [target, place, millis] = words(rest)?;
            Change::Read { target, place, upto: MsgId { millis: millis.parse().ok()?, ..MsgId::default() } }
        }
        _ => return None,
    };
    Some(Entry::Member(by, change))
}

fn decode_server<'a>(tag: &str, mut rest: &'a [u8]) -> Option<ServerChange<'a>> {
    let rest = &mut rest;
    Some(match tag {
        "operate" => {
            let by = origin(take(rest)?);
            let word = |rest: &mut &[u8]| take(rest).map(String::from);
            let operation = match take(rest)? {
                "announce" => Operation::Announce { text: word(rest)? },
                "op" => Operation::Op { nick: word(rest)?, room: word(rest)? },
                "kick" => Operation::Kick { nick: word(rest)?, why: word(rest)? },
                "ban" => {
                    let [kind, whom, minutes] = words(rest)?;
                    let whom = match kind {
                        "a" => Target::Address(whom.parse().ok()?),
                        _ => Target::Nick(whom.into()),
                    };
                    Operation::Ban { whom, minutes: minutes.parse().ok() }
                }
                "unban" => Operation::Unban { address: take(rest)?.parse().ok()? },
                "forget" => Operation::ForgetAccount { name: word(rest)? },
                _ => return None,
            };
            ServerChange::Operate(by, operation)
        }
        "account" => {
            let [by, claimed, ticket] = words(rest)?;
            let (by, claimed, ticket) = (origin(by), !claimed.is_empty(), ticket.parse().ok()?);
            ServerChange::Account { by, claimed, ticket, state: take_bytes(rest)? }
        }
        "gone" => ServerChange::Gone { server: take(rest)?.parse().ok()? },
        "same" => {
            let [at, digest] = words(rest)?;
            let digest = u64::from_str_radix(digest, 16).ok()?;
            ServerChange::Milestone(Milestone { at: Position::parse(at.as_bytes())?, digest })
        }
        _ => ServerChange::Hour(take(rest)?.parse().ok()?),
    })
}

fn words<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<[&'a str; N]> {
    let mut words = [""; N];
    for word in &mut words {
        *word = take(rest)?;
    }
    Some(words)
}

fn optional<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a str>> {
    let [on, word] = words(rest)?;
    Some(if on.is_empty() { None } else { Some(word) })
}
