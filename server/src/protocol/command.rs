//! What a client asks for: a message becomes a typed command, once, at the edge.

use super::message::{Message, Params};

/// How a message to others is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// PRIVMSG: talk.
    Privmsg,
    /// NOTICE: talk that must never be answered by a program.
    Notice,
    /// TAGMSG: tags without text (IRCv3 message-tags).
    Tagmsg,
}

impl Verb {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Privmsg => "PRIVMSG",
            Verb::Notice => "NOTICE",
            Verb::Tagmsg => "TAGMSG",
        }
    }
}

/// A command with its parameters, borrowed from the line. Lists (`a,b,c`) are not yet split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the command of that name in modern.ircdocs.horse or IRCv3")]
pub enum Command<'a> {
    Admin,
    Away { text: Option<&'a str> },
    Cap { verb: &'a str, argument: Option<&'a str> },
    // `arguments`: what follows the subcommand.
    Chathistory { verb: &'a str, arguments: Params<'a> },
    // A line to the operator's console; for server operators (own command).
    Console { line: &'a str },
    Help { subject: Option<&'a str> },
    Info,
    // No parameter lists the rooms one is invited to.
    Invite { nick: &'a str, room: &'a str },
    InviteList,
    Ison { nicks: Params<'a> },
    Join { rooms: &'a str, keys: &'a str },
    // `JOIN 0`: leave all rooms.
    PartAll,
    Kick { rooms: &'a str, nicks: &'a str, reason: Option<&'a str> },
    Kill { nick: &'a str, reason: Option<&'a str> },
    Links,
    List { filter: Option<&'a str> },
    Lusers,
    Mode { target: &'a str, modes: Option<&'a str>, arguments: Params<'a> },
    Monitor { verb: &'a str, targets: Option<&'a str> },
    Motd,
    Names { room: Option<&'a str> },
    Nick { nick: &'a str },
    Oper { key: &'a str },
    Part { rooms: &'a str, reason: Option<&'a str> },
    Pass,
    Ping { token: &'a str },
    Pong,
    Quit { reason: Option<&'a str> },
    // Comes back to what a lost connection had (own command).
    Resume { token: &'a str },
    Search { attributes: &'a str },
    Send { verb: Verb, targets: &'a str, text: &'a str },
    Setname { realname: &'a str },
    Stats { query: &'a str },
    Time,
    Topic { room: &'a str, topic: Option<&'a str> },
    User { username: &'a str, realname: &'a str },
    Userhost { nicks: Params<'a> },
    Version,
    Wallops { text: &'a str },
    Who { mask: &'a str, fields: Option<&'a str> },
    Whois { nick: &'a str },
    Whowas { nick: &'a str, count: Option<&'a str> },
}

/// Why a message is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandError {
    /// Not a command of this server (421).
    Unknown,
    /// A parameter is missing or empty (461).
    NeedMoreParams,
    /// NICK or WHOIS without a nickname (431).
    NoNicknameGiven,
    /// A message to nobody (411).
    NoRecipient,
    /// A message without a text (412).
    NoTextToSend,
    /// PING without a token (409).
    NoOrigin,
}

/// Whether a word is one of the protocol's commands, in any case: that tells an IRC program from a
/// person at a terminal.
pub fn is_verb(word: &str) -> bool {
    let message = Message { command: word, ..Message::default() };
    // No command of this server, but one of the protocol's.
    word.eq_ignore_ascii_case("AUTHENTICATE") || Command::parse(&message) != Err(CommandError::Unknown)
}

impl<'a> Command<'a> {
    /// Reads a message as a command.
    pub fn parse(message: &Message<'a>) -> Result<Command<'a>, CommandError> {
        use CommandError::*;
        let params = &message.params;
        let need = |i: usize| params.filled(i).ok_or(NeedMoreParams);
        let mut upper = [0; 16];
        let verb = message.command.as_bytes();
        let upper = upper.get_mut(..verb.len()).ok_or(Unknown)?;
        upper.copy_from_slice(verb);
        upper.make_ascii_uppercase();

        Ok(match &*upper {
            b"PRIVMSG" => send(Verb::Privmsg, params)?,
            b"NOTICE" => send(Verb::Notice, params)?,
            b"TAGMSG" => {
                let targets = params.filled(0).ok_or(NoRecipient)?;
                Command::Send { verb: Verb::Tagmsg, targets, text: "" }
            }
            b"PING" => Command::Ping { token: params.first().copied().ok_or(NoOrigin)? },
            b"PONG" => Command::Pong,
            b"JOIN" => match (need(0)?, params.len()) {
                ("0", 1) => Command::PartAll,
                (rooms, _) => Command::Join { rooms, keys: params.filled(1).unwrap_or_default() },
            },
            b"PART" => Command::Part { rooms: need(0)?, reason: params.filled(1) },
            b"NICK" => Command::Nick { nick: params.filled(0).ok_or(NoNicknameGiven)? },
            b"USER" => {
                if params.len() < 4 {
                    return Err(NeedMoreParams);
                }
                Command::User { username: need(0)?, realname: need(3)? }
            }
            b"CAP" => Command::Cap { verb: need(0)?, argument: params.get(1).copied() },
            b"CHATHISTORY" => Command::Chathistory {
                verb: params.first().copied().unwrap_or_default(),
                arguments: params.iter().skip(1).copied().collect(),
            },
            b"PASS" => need(0).map(|_| Command::Pass)?,
            b"QUIT" => Command::Quit { reason: params.filled(0) },
            b"TOPIC" => Command::Topic { room: need(0)?, topic: params.get(1).copied() },
            b"NAMES" => Command::Names { room: params.filled(0) },
            b"LIST" => Command::List { filter: params.filled(0) },
            b"MODE" => Command::Mode {
                target: need(0)?,
                modes: params.filled(1),
                arguments: params.iter().skip(2).copied().collect(),
            },
            b"KICK" => Command::Kick { rooms: need(0)?, nicks: need(1)?, reason: params.filled(2) },
            b"INVITE" if params.is_empty() => Command::InviteList,
            b"INVITE" => Command::Invite { nick: need(0)?, room: need(1)? },
            b"WHO" => Command::Who { mask: params.filled(0).unwrap_or("*"), fields: params.filled(1) },
            b"WHOIS" => {
                // With two, the first names a server: there is only this one.
                let nick = if params.len() > 1 { params.filled(1) } else { params.filled(0) };
                Command::Whois { nick: nick.ok_or(NoNicknameGiven)? }
            }
            b"WHOWAS" => {
                Command::Whowas { nick: params.filled(0).ok_or(NoNicknameGiven)?, count: params.filled(1) }
            }
            b"AWAY" => Command::Away { text: params.filled(0) },
            b"USERHOST" => need(0).map(|_| Command::Userhost { nicks: *params })?,
            b"ISON" => need(0).map(|_| Command::Ison { nicks: *params })?,
            b"MONITOR" => Command::Monitor { verb: need(0)?, targets: params.filled(1) },
            b"RESUME" => Command::Resume { token: need(0)? },
            b"SEARCH" => Command::Search { attributes: need(0)? },
            b"SETNAME" => Command::Setname { realname: need(0)? },
            b"OPER" => need(0).and(need(1)).map(|key| Command::Oper { key })?,
            b"KILL" => Command::Kill { nick: need(0)?, reason: params.filled(1) },
            b"WALLOPS" => Command::Wallops { text: need(0)? },
            b"CONSOLE" => Command::Console { line: need(0)? },
            b"MOTD" => Command::Motd,
            b"LUSERS" => Command::Lusers,
            b"VERSION" => Command::Version,
            b"TIME" => Command::Time,
            b"INFO" => Command::Info,
            b"ADMIN" => Command::Admin,
            b"HELP" | b"HELPOP" => Command::Help { subject: params.filled(0) },
            b"LINKS" => Command::Links,
            b"STATS" => Command::Stats { query: need(0)? },
            _ => return Err(Unknown),
        })
    }
}

fn send<'a>(verb: Verb, params: &Params<'a>) -> Result<Command<'a>, CommandError> {
    let targets = params.filled(0).ok_or(CommandError::NoRecipient)?;
    let text = params.filled(1).ok_or(CommandError::NoTextToSend)?;
    Ok(Command::Send { verb, targets, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command<'_>, CommandError> {
        Command::parse(&Message::parse(line).unwrap())
    }

    #[test]
    fn a_command_is_known_by_its_first_word() {
        for verb in ["AUTHENTICATE", "CAP", "chathistory", "HELPOP", "nick", "Privmsg", "USERHOST", "WHOWAS"]
        {
            assert!(is_verb(verb), "{verb}");
        }
        for word in ["", "hello", "NICKS", "NIC", "ANUNREASONABLYLONGVERB"] {
            assert!(!is_verb(word), "{word}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(parse("NICK"), Err(CommandError::NoNicknameGiven));
        assert_eq!(parse("PRIVMSG"), Err(CommandError::NoRecipient));
        assert_eq!(parse("PRIVMSG #a"), Err(CommandError::NoTextToSend));
        assert_eq!(parse("PRIVMSG #a :"), Err(CommandError::NoTextToSend));
        assert_eq!(parse("USER a b c"), Err(CommandError::NeedMoreParams));
        assert_eq!(parse("FLY"), Err(CommandError::Unknown));
        assert_eq!(parse("ANUNREASONABLYLONGVERB"), Err(CommandError::Unknown));
    }
}
