//! What is typed with a leading `/`.

use parlor_server::protocol::text::{first_word, printable};

use super::event::Event;
use super::line::LineKind;
use super::{Command, Key, Names, Sentence, Session};

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
        let Some(command) = Command::parse(word) else {
            return self.complain(Sentence::UnknownCommand { word: printable(word) });
        };
        if !self.run(command, &at, rest) {
            self.complain(Sentence::NeedsArgument { command });
        }
    }

    /// Carries out a command that was typed in the conversation `at`; says whether it had what it
    /// needs.
    fn run(&mut self, command: Command, at: &Key, rest: &str) -> bool {
        let (first, more) = first_word(rest);
        let (has_first, has_more) = (!first.is_empty(), !more.is_empty());
        match command {
            Command::Join if has_first => self.go(first, Some(more).filter(|key| !key.is_empty())),
            Command::Part if self.isupport.is_room(first) => self.leave(&self.isupport.key(first), more),
            Command::Part if self.is_room(at) => self.leave(at, rest),
            Command::Part => self.close(at),
            Command::Message if has_more && self.isupport.is_room(first) => {
                self.say(&self.isupport.key(first), more, LineKind::Said);
            }
            Command::Message if has_more => {
                if let Some(key) = self.private(first) {
                    self.say(&key, more, LineKind::Said);
                }
            }
            Command::Query if has_first => {
                if let Some(key) = self.go_to(first)
                    && has_more
                {
                    self.say(&key, more, LineKind::Said);
                }
            }
            Command::Me if has_first => self.say(at, rest, LineKind::Action),
            Command::Nick if has_first => self.rename(rest),
            Command::Topic if !has_first => self.show_topic(at),
            Command::Topic => {
                let text = if rest == "-" { "" } else { rest };
                self.ask(at, |name| format!("TOPIC {name} :{text}"));
            }
            Command::Kick if has_first => self.kick(at, first, more),
            Command::Ban if has_first => self.ban(at, first),
            Command::Op if has_first => self.rank(at, first, 'o', true),
            Command::Deop if has_first => self.rank(at, first, 'o', false),
            Command::Hand if !has_first || first.eq_ignore_ascii_case("up") => self.hand(at, true, None),
            Command::Hand if first.eq_ignore_ascii_case("down") => {
                self.hand(at, false, Some(more).filter(|nick| !nick.is_empty()));
            }
            Command::Invite if has_first => {
                let room = if has_more { self.isupport.key(more) } else { at.clone() };
                self.ask_about(&room, first, |name, nick| format!("INVITE {nick} {name}"));
            }
            Command::Send => self.send_file(at, rest.trim()),
            Command::Away => self.go_away(Some(rest.to_owned())),
            Command::Back => self.go_away(None),
            Command::Whois if is_word(first) => self.tell_server(&format!("WHOIS {first}")),
            Command::Ignore if !has_first => self.show_ignored(),
            Command::Ignore => {
                self.ignore(first, true);
                let names = Names(vec![printable(first)]);
                self.inform(at, LineKind::Info, &Sentence::Ignoring { names });
            }
            Command::Unignore if has_first => {
                self.ignore(first, false);
                self.inform(at, LineKind::Info, &Sentence::NotIgnoring { name: printable(first) });
            }
            Command::Mute | Command::Unmute => {
                let muted = command == Command::Mute;
                self.tell(Event::Muted { key: at.clone(), muted });
                let sentence = if muted { Sentence::Muted } else { Sentence::Unmuted };
                self.inform(at, LineKind::Info, &sentence);
            }
            Command::List => self.list_rooms(),
            Command::Raw if has_first => self.tell_server(rest),
            Command::Quit => self.disconnect(),
            Command::Help => self.tell(Event::Help),
            Command::Slash => self.say(at, rest, LineKind::Said),
            Command::Join
            | Command::Message
            | Command::Query
            | Command::Me
            | Command::Nick
            | Command::Kick
            | Command::Ban
            | Command::Op
            | Command::Deop
            | Command::Hand
            | Command::Invite
            | Command::Whois
            | Command::Unignore
            | Command::Raw => return false,
        }
        true
    }

    fn show_topic(&mut self, at: &Key) {
        let topic = self.conversations.get(at).map(|c| c.topic.clone()).unwrap_or_default();
        let sentence = if topic.is_empty() { Sentence::NoTopic } else { Sentence::Topic { text: topic } };
        self.inform(at, LineKind::Info, &sentence);
    }

    fn show_ignored(&mut self) {
        let names: Vec<String> = self.ignored.iter().map(|(_, name)| name.clone()).collect();
        let none = names.is_empty();
        let sentence =
            if none { Sentence::IgnoringNobody } else { Sentence::Ignoring { names: Names(names) } };
        let place = self.asked_at();
        self.inform(&place, LineKind::Info, &sentence);
    }

    fn tell_server(&mut self, line: &str) {
        if self.is_ready() { self.send(line) } else { self.complain(Sentence::NotConnected) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_no_way_into_another_parameter() {
        for bad in ["", ":x", "a b", "a\r\nQUIT", "a,b", "\u{0}"] {
            assert!(!is_word(bad), "{bad:?}");
        }
        assert!(is_word("#音楽") && is_word("bob"));
    }
}
