//! A member as the other servers of a cluster know it, in words.

use std::net::SocketAddr;
use std::time::Duration;

use crate::hub::state::Token;
use crate::hub::state::cluster::Origin;
use crate::hub::state::member::{Member, RawKind, Speaker};
use crate::hub::state::words::{put, take};
use crate::protocol::time::UnixMillis;
use crate::protocol::{Capability, Nick};

/// What all servers call a connection, as a word.
pub(crate) fn origin_word(origin: Origin) -> String {
    format!("{:x}.{:x}.{:x}", origin.server, origin.slot, origin.generation)
}

/// Reads that.
pub(crate) fn origin(word: &str) -> Option<Origin> {
    let mut numbers = word.split('.').map(|number| u32::from_str_radix(number, 16).ok());
    Some(Origin { server: numbers.next()??, slot: numbers.next()??, generation: numbers.next()?? })
}

fn token_word(token: Option<Token>) -> String {
    token.map_or(String::new(), |token| format!("{token:x}"))
}

fn token(word: &str) -> Option<Token> {
    u128::from_str_radix(word, 16).ok().and_then(Token::new)
}

fn word_of(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::Irc => "irc",
        Speaker::Plain | Speaker::Unknown => "plain",
        Speaker::Raw(_) => "raw",
    }
}

/// Adds who somebody is, as the other servers know them.
pub(crate) fn put_member(bytes: &mut Vec<u8>, member: &Member, token: Option<Token>, brought: Option<Token>) {
    let flags: String = [
        (member.secure, 's'),
        (member.operator, 'o'),
        (member.invisible, 'i'),
        (member.bot, 'b'),
        (member.wallops, 'w'),
        (member.away.is_some(), 'a'),
    ]
    .iter()
    .filter_map(|(on, letter)| on.then_some(*letter))
    .collect();
    put(
        bytes,
        &[
            member.name(),
            &member.username,
            &member.realname,
            member.account.as_deref().unwrap_or_default(),
            &format!("{:x}", member.cloak),
            &member.peer.to_string(),
            word_of(member.speaker),
            &flags,
            member.away.as_deref().unwrap_or_default(),
            &member.stay,
            &member.signed_on.0.to_string(),
            &token_word(token),
            &token_word(brought),
        ],
    );
}

/// Takes who somebody is.
pub(crate) fn take_member(rest: &mut &[u8]) -> Option<Member> {
    let mut word = || take(rest);
    let (nick, username, realname, account) = (word()?, word()?, word()?, word()?);
    let cloak = u64::from_str_radix(word()?, 16).ok()?;
    let peer: SocketAddr = word()?.parse().ok()?;
    let speaker = match word()? {
        "irc" => Speaker::Irc,
        "plain" => Speaker::Plain,
        "raw" => Speaker::Raw(RawKind::Bare),
        _ => return None,
    };
    let (flags, away, stay) = (word()?, word()?, word()?);
    let signed_on = UnixMillis(word()?.parse().ok()?);
    let (own, brought) = (token(word()?), token(word()?));
    let mut member = Member::new(peer, cloak, own, Duration::ZERO);
    member.nick = match nick {
        "*" => None,
        nick => Some(Nick::parse(nick).ok()?),
    };
    (member.username, member.realname) = (username.into(), realname.into());
    member.account = Some(account).filter(|name| !name.is_empty()).map(Into::into);
    (member.speaker, member.stay, member.signed_on) = (speaker, stay.into(), signed_on);
    let has = |letter| flags.contains(letter);
    (member.secure, member.operator, member.invisible) = (has('s'), has('o'), has('i'));
    (member.bot, member.wallops) = (has('b'), has('w'));
    member.away = has('a').then(|| away.into());
    if own.is_some() {
        // Else nothing would be known to come back with.
        member.caps.add(Capability::Resume);
    }
    member.registration.iter_mut().for_each(|registration| registration.brought = brought);
    Some(member)
}
