//! What is typed with a leading `/`.

use parlor_server::protocol::text::first_word;

use super::event::Event;
use super::line::LineKind;
use super::{Key, Session};

/// How each command is written, and what it does.
pub(super) const COMMANDS: &[(&str, &str)] = &[
    ("/join #room [key]", "enters a room, or founds it"),
    ("/part [why]", "leaves this room (also /leave)"),
    ("/msg NAME text", "says something privately"),
    ("/query NAME", "opens a private conversation"),
    ("/me does something", "tells what you do"),
    ("/nick NAME", "gives you another name"),
    ("/topic [text]", "shows or changes the topic; /topic - clears it"),
    ("/kick NAME [why]", "puts somebody out of this room"),
    ("/ban NAME", "keeps somebody from coming in again"),
    ("/op NAME", "makes somebody operator of this room"),
    ("/deop NAME", "takes that back"),
    ("/invite NAME [#room]", "invites somebody to this room"),
    ("/away [text]", "marks you as away"),
    ("/back", "marks you as back"),
    ("/whois NAME", "tells about somebody"),
    ("/ignore [NAME]", "drops what somebody says; alone: lists whom you ignore"),
    ("/unignore NAME", "takes that back"),
    ("/list", "lists all rooms"),
    ("/raw LINE", "sends a line of the protocol as it is (also /quote)"),
    ("/quit", "disconnects"),
    ("/help", "shows this list"),
    ("//text", "says /text"),
];

/// Whether a text may be a middle parameter: one word that is no trailing one.
pub(super) fn is_word(text: &str) -> bool {
    let plain = |c: char| !c.is_control() && c != ' ' && c != ',';
    !text.is_empty() && !text.starts_with(':') && text.chars().all(plain)
}

impl Session {
    /// A line with a leading `/`, typed in the conversation `at`.
    pub(super) fn command(&mut self, at: &Key, line: &str) {
        let at = self.known(at).unwrap_or_else(Key::server);
        self.asked_at = Some(at.clone());
        let Some(command) = line.trim_end().strip_prefix('/') else {
            return self.say(&at, line, LineKind::Said);
        };
        if command.starts_with('/') {
            return self.say(&at, command, LineKind::Said);
        }
        let (word, rest) = first_word(command);
        let (first, more) = first_word(rest);
        let need = |text: &str| !text.is_empty();
        match word.to_lowercase().as_str() {
            "join" | "j" if need(first) => self.go(first, Some(more).filter(|key| need(key))),
            "part" | "leave" if self.is_a_room(first) => {
                let key = self.isupport.key(first);
                self.leave(&key, more);
            }
            "part" | "leave" if self.is_room(&at) => self.leave(&at, rest),
            "part" | "leave" | "close" => self.close(&at, None),
            "msg" | "m" if need(more) && self.is_a_room(first) => {
                self.say(&self.isupport.key(first), more, LineKind::Said);
            }
            "msg" | "m" if need(more) => {
                if let Some(key) = self.private(first) {
                    self.say(&key, more, LineKind::Said);
                }
            }
            "query" | "q" if need(first) => {
                if let Some(key) = self.go_to(first)
                    && need(more)
                {
                    self.say(&key, more, LineKind::Said);
                }
            }
            "me" if need(rest) => self.say(&at, rest, LineKind::Action),
            "nick" | "name" if need(first) => self.rename(rest),
            "topic" if !need(rest) => self.show_topic(&at),
            "topic" => {
                let text = if rest == "-" { "" } else { rest };
                self.ask(&at, |name| format!("TOPIC {name} :{text}"));
            }
            "kick" if need(first) => self.kick(&at, first, more),
            "ban" if need(first) => self.ban(&at, first),
            "op" if need(first) => self.op(&at, first, true),
            "deop" if need(first) => self.op(&at, first, false),
            "invite" if need(first) => {
                let room = if need(more) { self.isupport.key(more) } else { at };
                self.ask_about(&room, first, |name, nick| format!("INVITE {nick} {name}"));
            }
            "away" => self.go_away(Some(rest.to_owned())),
            "back" => self.go_away(None),
            "whois" | "who" if is_word(first) => self.tell_server(&format!("WHOIS {first}")),
            "ignore" if !need(first) => self.show_ignored(),
            "ignore" => {
                self.ignore(first, true);
                self.inform(&at, LineKind::Info, &format!("You ignore {first} now"));
            }
            "unignore" if need(first) => {
                self.ignore(first, false);
                self.inform(&at, LineKind::Info, &format!("You no longer ignore {first}"));
            }
            "list" | "rooms" => self.list_rooms(),
            "raw" | "quote" if need(rest) => self.tell_server(rest),
            "quit" | "disconnect" => self.disconnect(),
            "help" | "h" | "?" => {
                let list = COMMANDS.iter().map(|(usage, help)| ((*usage).to_owned(), (*help).to_owned()));
                self.tell(Event::Help(list.collect()));
            }
            word => self.not_understood(&at, word),
        }
    }

    fn is_a_room(&self, name: &str) -> bool {
        self.isupport.is_room(name)
    }

    /// An unknown command, or one that lacks something.
    fn not_understood(&mut self, at: &Key, word: &str) {
        let usage = COMMANDS
            .iter()
            .find(|(usage, _)| usage.strip_prefix('/').is_some_and(|usage| first_word(usage).0 == word));
        let sentence = match usage {
            Some((usage, help)) => format!("{usage}: {help}"),
            None => format!("/{word} is no command; /help lists them. //{word} says /{word}"),
        };
        self.inform(at, LineKind::Info, &sentence);
    }

    fn show_topic(&mut self, at: &Key) {
        let topic = self.conversations.get(at).map(|c| c.topic.clone()).unwrap_or_default();
        let sentence =
            if topic.is_empty() { "There is no topic".to_owned() } else { format!("Topic: {topic}") };
        self.inform(at, LineKind::Info, &sentence);
    }

    fn show_ignored(&mut self) {
        let names: Vec<&str> = self.ignored.iter().map(|(_, name)| &**name).collect();
        let sentence = match names.join(", ") {
            names if names.is_empty() => "You ignore nobody".to_owned(),
            names => format!("You ignore {names}"),
        };
        let place = self.asked_at();
        self.inform(&place, LineKind::Info, &sentence);
    }

    fn tell_server(&mut self, line: &str) {
        if self.is_ready() { self.send(line) } else { self.complain("You are not connected") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_documented_as_it_is_written() {
        assert!(COMMANDS.iter().all(|(usage, help)| usage.starts_with('/') && !help.is_empty()));
    }

    #[test]
    fn a_word_is_no_way_into_another_parameter() {
        for bad in ["", ":x", "a b", "a\r\nQUIT", "a,b", "\u{0}"] {
            assert!(!is_word(bad), "{bad:?}");
        }
        assert!(is_word("#音楽") && is_word("bob"));
    }
}
