//! What an IRC client may ask for: a table of all commands, and files with what they do. A new one is a
//! function there, a line in the table and, if people type it, one in the text of HELP.

pub(crate) mod accounts;
mod capabilities;
mod chathistory;
pub(crate) mod console;
mod filter;
mod hands;
mod help;
mod liveness;
mod markread;
mod messages;
mod modes;
mod monitor;
mod multiline;
mod names;
mod operator;
pub(crate) mod page;
mod people;
mod queries;
mod redact;
mod registration;
mod resume;
mod rooms;
mod sasl;
mod search;
pub(crate) mod stats;
mod store;
mod who;

use crate::hub::Hub;
use crate::hub::state::ConnectionId;
use crate::hub::state::member::Member;
use crate::hub::state::refusal::{Refused, shown, too_long};
use crate::protocol::Numeric::*;
use crate::protocol::line::{MAX_BODY, MAX_CLIENT_TAGS};
use crate::protocol::{Folded, Message};

use self::Access::{Anybody, Members, Newcomers};

/// What became of a command; a refusal is replied.
type Done = Result<(), Refused>;

/// One command of the protocol: its name, who may use it, and what it does.
struct Command {
    verb: &'static str,
    access: Access,
    run: fn(&mut Hub, ConnectionId, &Message<'_>) -> Done,
}

/// Who may use a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Everybody who is connected.
    Anybody,
    /// Who is registered.
    Members,
    /// Who is not yet.
    Newcomers,
}

/// All commands by family; those used most stand first. The families are the subjects of HELP.
const FAMILIES: &[(&str, &[Command])] = &[
    ("TALK", TALK),
    ("ROOMS", ROOMS),
    ("PEOPLE", PEOPLE),
    ("SERVER", SERVER),
    ("OPER", OPER),
    ("PROTOCOL", PROTOCOL),
];

const TALK: &[Command] = &[
    Command { verb: "PRIVMSG", access: Members, run: messages::privmsg },
    Command { verb: "NOTICE", access: Members, run: messages::notice },
    Command { verb: "TAGMSG", access: Members, run: messages::tagmsg },
    Command { verb: "AWAY", access: Members, run: people::away },
];

const ROOMS: &[Command] = &[
    Command { verb: "JOIN", access: Members, run: rooms::join },
    Command { verb: "PART", access: Members, run: rooms::part },
    Command { verb: "TOPIC", access: Members, run: rooms::topic },
    Command { verb: "NAMES", access: Members, run: names::names },
    Command { verb: "LIST", access: Members, run: queries::list },
    Command { verb: "INVITE", access: Members, run: rooms::invite },
    Command { verb: "KICK", access: Members, run: rooms::kick },
    Command { verb: "HAND", access: Members, run: hands::hand },
    Command { verb: "MODE", access: Members, run: modes::mode },
];

const PEOPLE: &[Command] = &[
    Command { verb: "NICK", access: Anybody, run: registration::nick },
    Command { verb: "SETNAME", access: Members, run: people::setname },
    Command { verb: "WHO", access: Members, run: who::who },
    Command { verb: "WHOIS", access: Members, run: people::whois },
    Command { verb: "WHOWAS", access: Members, run: people::whowas },
    Command { verb: "ISON", access: Members, run: people::ison },
    Command { verb: "USERHOST", access: Members, run: people::userhost },
    Command { verb: "NICKSERV", access: Members, run: accounts::nickserv },
    Command { verb: "NS", access: Members, run: accounts::nickserv },
    Command { verb: "MONITOR", access: Members, run: monitor::monitor },
];

const SERVER: &[Command] = &[
    Command { verb: "MOTD", access: Members, run: queries::motd },
    Command { verb: "LUSERS", access: Members, run: queries::lusers },
    Command { verb: "VERSION", access: Members, run: queries::version },
    Command { verb: "TIME", access: Members, run: queries::time },
    Command { verb: "INFO", access: Members, run: queries::info },
    Command { verb: "ADMIN", access: Members, run: queries::admin },
    Command { verb: "LINKS", access: Members, run: queries::links },
    Command { verb: "STATS", access: Members, run: queries::stats },
];

const OPER: &[Command] = &[
    Command { verb: "OPER", access: Members, run: operator::oper },
    Command { verb: "KILL", access: Members, run: operator::kill },
    Command { verb: "WALLOPS", access: Members, run: operator::wallops },
    Command { verb: "CONSOLE", access: Members, run: operator::console },
];

/// What programs do by themselves.
const PROTOCOL: &[Command] = &[
    Command { verb: "PING", access: Anybody, run: liveness::ping },
    Command { verb: "PONG", access: Anybody, run: |_, _, _| Ok(()) },
    Command { verb: "CAP", access: Anybody, run: capabilities::cap },
    Command { verb: "AUTHENTICATE", access: Anybody, run: sasl::authenticate },
    Command { verb: "REGISTER", access: Anybody, run: accounts::register },
    Command { verb: "VERIFY", access: Anybody, run: accounts::verify },
    Command { verb: "PASS", access: Newcomers, run: registration::pass },
    Command { verb: "USER", access: Newcomers, run: registration::user },
    Command { verb: "QUIT", access: Anybody, run: registration::quit },
    Command { verb: "RESUME", access: Newcomers, run: resume::resume },
    Command { verb: "CHATHISTORY", access: Members, run: chathistory::chathistory },
    Command { verb: "REDACT", access: Members, run: redact::redact },
    Command { verb: "MARKREAD", access: Members, run: markread::markread },
    Command { verb: "BATCH", access: Members, run: multiline::batch },
    Command { verb: "SEARCH", access: Members, run: search::search },
    Command { verb: "HELP", access: Members, run: help::help },
    Command { verb: "HELPOP", access: Members, run: help::help },
];

fn find(verb: &str) -> Option<&'static Command> {
    let mut commands = FAMILIES.iter().flat_map(|(_, commands)| *commands);
    commands.find(|command| command.verb.eq_ignore_ascii_case(verb))
}

/// Whether a word is one of the protocol's commands, in any case: that tells an IRC program from a
/// person at a terminal.
pub fn is_command(word: &str) -> bool {
    find(word).is_some()
}

/// The `i`th parameter, which must be there and not be empty.
fn need<'a>(message: &Message<'a>, i: usize) -> Result<&'a str, Refused> {
    let missing = || (ERR_NEEDMOREPARAMS, format!("{} :Not enough parameters", message.command));
    message.params.filled(i).ok_or_else(missing)
}

/// The names of a list `a,b,c`.
fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter(|name| !name.is_empty())
}

/// Holds once for each name, however it is spelt: who is named twice is meant once.
fn first_time() -> impl FnMut(&str) -> bool {
    let mut seen: Vec<Folded> = Vec::new();
    move |name| {
        let folded = Folded::new(name);
        let new = !seen.contains(&folded);
        if new {
            seen.push(folded);
        }
        new
    }
}

impl Hub {
    pub(crate) fn irc_line(&mut self, id: ConnectionId, line: &[u8]) {
        let tags = match line.first() {
            Some(b'@') => line.iter().position(|b| *b == b' ').map_or(line.len(), |end| end + 1),
            _ => 0,
        };
        let sound = std::str::from_utf8(line).is_ok();
        let text = String::from_utf8_lossy(line);
        let Some(message) = Message::parse(&text) else { return };
        self.begin_label(id, &message);
        if tags > MAX_CLIENT_TAGS || line.len() - tags > MAX_BODY - 2 {
            self.refuse(id, too_long());
        } else if !sound {
            let command = find(message.command).map_or("*", |command| command.verb);
            let sentence = "The line is not UTF-8 and was refused; set your program to UTF-8";
            self.fail(id, command, "INVALID_UTF8", sentence);
        } else if text.contains('\r') {
            // A CR inside a line would let one message look like two.
            self.fail(id, "*", "INVALID_LINE", "A line holds a CR that ends nothing; it was refused");
        } else if !self.take_part(id, &message)
            && let Err(refused) = self.run(id, &message)
        {
            self.refuse(id, refused);
        }
        self.delivery.end_label(id);
        self.go_on(id);
    }

    fn run(&mut self, id: ConnectionId, message: &Message<'_>) -> Done {
        let registered = self.state.member(id).is_some_and(Member::registered);
        let Some(command) = find(message.command) else {
            let unknown = format!("{} :Unknown command; HELP lists them", message.command);
            return Err(if registered { (ERR_UNKNOWNCOMMAND, unknown) } else { not_registered() });
        };
        match command.access {
            Members if !registered => Err(not_registered()),
            Newcomers if registered => Err((ERR_ALREADYREGISTERED, ":You may not reregister".into())),
            _ => (command.run)(self, id, message),
        }
    }
}

fn not_registered() -> Refused {
    (ERR_NOTREGISTERED, ":You have not registered".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_known_by_its_first_word() {
        for verb in ["AUTHENTICATE", "CAP", "chathistory", "HELPOP", "nick", "Privmsg", "USERHOST", "WHOWAS"]
        {
            assert!(is_command(verb), "{verb}");
        }
        for word in ["", "hello", "NICKS", "NIC", "ANUNREASONABLYLONGVERB"] {
            assert!(!is_command(word), "{word}");
        }
    }

    #[test]
    fn every_command_has_one_name_and_help_where_people_type_it() {
        let commands: Vec<&Command> = FAMILIES.iter().flat_map(|(_, commands)| *commands).collect();
        for (i, command) in commands.iter().enumerate() {
            assert!(commands[..i].iter().all(|other| other.verb != command.verb), "{}", command.verb);
        }
        for line in help::TEXT.lines() {
            assert!(commands.iter().any(|command| command.is_about(line)), "{line}");
        }
        for (family, commands) in FAMILIES {
            for command in *commands {
                let helped = help::TEXT.lines().any(|line| command.is_about(line));
                assert_eq!(helped, *family != "PROTOCOL", "{}", command.verb);
            }
        }
    }
}
