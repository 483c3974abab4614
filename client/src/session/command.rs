//! What is typed with a leading `/`, by name.

use std::fmt;

macro_rules! commands {
    ($($name:ident = $usage:literal [$word:literal $(, $other:literal)*] $help:literal,)*) => {
        /// What is typed with a leading `/`.
        #[expect(missing_docs, reason = "each one's help says it")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Command { $($name,)* }

        impl Command {
            /// All of them, in the order of a list.
            pub const ALL: &[Command] = &[$(Command::$name,)*];

            /// The command of a word without its `/`, in any case.
            pub fn parse(word: &str) -> Option<Command> {
                match word.to_lowercase().as_str() {
                    $($word $(| $other)* => Some(Command::$name),)*
                    _ => None,
                }
            }

            /// How it is typed: `/kick NAME [why]`.
            pub fn usage(self) -> &'static str {
                match self { $(Command::$name => $usage,)* }
            }

            /// What begins it: `/kick`.
            pub fn word(self) -> &'static str {
                match self { $(Command::$name => concat!("/", $word),)* }
            }

            /// What else does: `/leave` for `/part`.
            pub fn others(self) -> &'static [&'static str] {
                match self { $(Command::$name => &[$(concat!("/", $other)),*],)* }
            }
        }

        impl fmt::Display for Command {
            /// What it does, in the English words of `ui/words.slint`; a test of the window compares
            /// the two.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Command::$name => $help,)* })
            }
        }
    };
}

commands! {
    Join = "/join #room [key]" ["join", "j"] "go into a room: /join #music",
    Part = "/part [why]" ["part", "leave", "close"] "leave this room",
    Message = "/msg NAME text" ["msg", "m"] "write to one person: /msg bob hello",
    Query = "/query NAME" ["query", "q"] "open a conversation with one person: /query bob",
    Me = "/me does something" ["me"] "say what you do: /me waves",
    Nick = "/nick NAME" ["nick", "name"] "change your name: /nick anna",
    Topic = "/topic [text]" ["topic"] "change what the room is about",
    Kick = "/kick NAME [why]" ["kick"] "send someone out: /kick bob",
    Ban = "/ban NAME" ["ban"] "keep someone from coming in again: /ban bob",
    Op = "/op NAME" ["op"] "make someone an operator: /op bob",
    Deop = "/deop NAME" ["deop"] "take operator rights back: /deop bob",
    Hand = "/hand [down]" ["hand"] "raise your hand, or lower it: /hand down",
    Invite = "/invite NAME [#room]" ["invite"] "ask someone in: /invite bob",
    Send = "/send [FILE]" ["send"] "send a file to the person you talk to alone: /send photo.jpg",
    Away = "/away [text]" ["away"] "say that you are away, and why",
    Back = "/back" ["back"] "say that you are back",
    Whois = "/whois NAME" ["whois", "who"] "who is that: /whois bob",
    Ignore = "/ignore [NAME]" ["ignore"] "hide what someone writes: /ignore bob",
    Unignore = "/unignore NAME" ["unignore"] "show it again: /unignore bob",
    Mute = "/mute" ["mute"] "be told of nothing in this room",
    Unmute = "/unmute" ["unmute"] "be told of it again as usual",
    List = "/list" ["list", "rooms"] "all rooms of this server",
    Raw = "/raw LINE" ["raw", "quote"] "send a line to the server as it is",
    Quit = "/quit" ["quit", "disconnect"] "leave the server",
    Help = "/help" ["help", "h", "?"] "show all commands",
    Slash = "//text" ["/"] "say a text that begins with /",
}

impl Command {
    /// Whether it can be carried out as it is, without a name or a text behind it.
    pub fn stands_alone(self) -> bool {
        !self.usage().contains(char::is_uppercase)
            && !matches!(self, Command::Join | Command::Me | Command::Slash)
            || self == Command::Send
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_by_the_word_of_its_usage() {
        for command in Command::ALL.iter().filter(|command| **command != Command::Slash) {
            let word = command.word().strip_prefix('/').unwrap();
            assert_eq!(Command::parse(word), Some(*command));
            assert_eq!(Command::parse(&word.to_uppercase()), Some(*command));
            for other in command.others() {
                assert_eq!(Command::parse(other.trim_start_matches('/')), Some(*command));
            }
            assert_eq!(command.usage().split(' ').next(), Some(command.word()));
        }
        assert_eq!(Command::parse("frob"), None);
    }
}
