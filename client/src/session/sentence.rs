//! What the session and the network task say to the person: typed, and worded by whoever shows it.

use std::fmt;
use std::time::Duration;

use parlor_server::protocol::HostPort;

use super::Command;
use crate::file_name::size_in_words;
use crate::trust::KeyId;

/// Declares the enum, and for tests a sentence of every kind.
macro_rules! sentences {
    ($($(#[$doc:meta])* $name:ident $({ $($(#[$of:meta])* $field:ident: $type:ty,)* })?,)*) => {
        /// What the session and the network task say to the person.
        ///
        /// [`Display`](fmt::Display) words it in English, for those without a window.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Sentence { $($(#[$doc])* $name $({ $($(#[$of])* $field: $type,)* })?,)* }

        #[cfg(test)]
        impl Sentence {
            /// One of every kind, each gap filled by its own name; `full`: also those that may be empty.
            pub(crate) fn examples(full: bool) -> Vec<Sentence> {
                vec![$(Sentence::$name $({ $($field: tests::Gap::example(stringify!($field), full),)* })?,)*]
            }
        }
    };
}

sentences! {
    // The connection.
    /// Nobody answers at the address, or refuses at once.
    NobodyAnswers {
        /// Where.
        server: HostPort,
    },
    /// Nobody answers at any of the addresses of a place.
    NoneAnswers {
        /// All of them.
        servers: String,
    },
    /// The address is on no network that this computer is on.
    Unreachable {
        /// Where.
        server: HostPort,
    },
    /// The name of the server means nothing here.
    NotFound {
        /// The name.
        host: String,
    },
    /// Somebody answers, but not as a chat server does.
    NotChat {
        /// Where.
        server: HostPort,
    },
    /// A tutorial's own chat server answers.
    TutorialServer {
        /// Where.
        server: HostPort,
    },
    /// The server closed the connection.
    ServerClosed {
        /// In its own words (ERROR), if it gave any.
        reason: Option<String>,
    },
    /// The connection ended otherwise.
    ConnectionBroke {
        /// In the system's words.
        error: String,
    },
    /// The server does not greet by TLS, and is to be met by nothing else.
    NotSecure {
        /// The server.
        server: HostPort,
    },
    /// The server has another key than the one that it is known by.
    KeyChanged {
        /// The server.
        server: HostPort,
        /// The key that is known.
        before: KeyId,
        /// The key that it shows.
        now: KeyId,
    },
    /// None of the authorities that the system knows vouches for the server.
    KeyUnknown {
        /// The server.
        server: HostPort,
        /// The key that it shows.
        key: KeyId,
    },
    /// The addresses of this computer are others now.
    NetworkChanged,
    /// The server does not read what is sent to it.
    ServerDeaf,
    /// The server is silent, though it was asked (PING).
    ServerSilent,
    /// The server does not answer a question.
    NoAnswer,
    /// We may not connect to this server (465, or ERROR).
    Banned {
        /// In the server's words.
        reason: String,
    },
    /// The server wants a password (464).
    PasswordNeeded,
    /// The server wants another password than the one it was given (464).
    PasswordWrong,
    /// A password is to be sent where others can read it.
    PasswordNotSafe {
        /// The server.
        server: HostPort,
    },
    /// The file of our certificate is of no use.
    CertificateUnusable {
        /// Where it is.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// We are here by another connection now, by our own wish.
    Replaced,

    // Names.
    /// There is no name.
    NameMissing,
    /// Somebody else has the name (433, 436, 437).
    NameTaken {
        /// The name.
        name: String,
    },
    /// The name belongs to somebody, who has its secret.
    NameOwned {
        /// The name.
        name: String,
    },
    /// What we have shown does not make the name ours (904).
    PasswordRefused {
        /// In the server's words.
        reason: String,
    },
    /// The server has no such names (432), or nobody can have it.
    NameNotPossible {
        /// The name.
        name: String,
    },

    // Rooms.
    /// No room can have this name (476, 479).
    RoomNotPossible {
        /// The name.
        room: String,
    },
    /// There is no such room (403).
    RoomUnknown {
        /// The name.
        room: String,
    },
    /// The room is for those who were invited (473).
    RoomInviteOnly {
        /// The name.
        room: String,
    },
    /// The room is full (471).
    RoomFull {
        /// The name.
        room: String,
    },
    /// We are banned from the room (474).
    RoomBanned {
        /// The name.
        room: String,
    },
    /// The room has a key, and it was not given, or another one (475).
    RoomKey {
        /// The name.
        room: String,
    },
    /// The room does not let us in for another reason.
    RoomRefuses {
        /// The name.
        room: String,
        /// In the server's words.
        reason: String,
    },
    /// We were in the room before the connection was lost, and cannot come back in.
    NotBackIn {
        /// Why not.
        why: Box<Sentence>,
    },
    /// We were put out of the room (KICK).
    PutOut {
        /// The name.
        room: String,
        /// Who did it; without: the server.
        by: Option<String>,
        /// In their words.
        reason: Option<String>,
    },

    // Why a line failed, or a wish.
    /// We are not in the room (442, 404 with `+n`).
    NotInRoom,
    /// We may not speak in the room (404 with `+m`).
    MayNotSpeak,
    /// We are banned from the room, and may not speak (404 with `+b`).
    BannedHere,
    /// An operator keeps us, and not everybody, from speaking (404 with `+b ~m:` on our servers).
    MutedHere,
    /// The room is slow, and the last line was said just now (404 with `+f` on our servers).
    RoomSlow {
        /// Until the next one may come.
        wait: Duration,
    },
    /// Nobody would be told of a raised hand, or of a lowered one.
    HandsNotPossible,
    /// That is for operators of the room (482).
    NotOperator,
    /// No room can have such a key.
    KeyNotPossible,
    /// Nobody of that name is here (401, 441).
    NoSuchPerson {
        /// The name, where the server says it.
        name: Option<String>,
    },
    /// No receipt has come; perhaps nobody has read it.
    NotConfirmed,
    /// We left the conversation before the line was sent.
    LeftBeforeSent,
    /// A line could not be sent before the program ended.
    NotSentThen,
    /// An earlier version kept a line without the name under which it was typed.
    SenderUnknown,
    /// A name is missing.
    NameNeeded,
    /// That works in rooms alone.
    RoomOnly,
    /// There is no connection.
    NotConnected,
    /// There is no connection yet; it is being made.
    NotConnectedYet,
    /// Text was typed where the server's own messages are.
    NobodyReadsHere,
    /// Text was typed where several strangers wrote.
    AnswerOneOfThem,
    /// Text was typed in a conversation that is closed.
    ConversationGone {
        /// With whom, or the room.
        name: String,
        /// The text.
        text: String,
    },
    /// There is no such command.
    UnknownCommand {
        /// The word, without its `/`.
        word: String,
    },
    /// The command needs more.
    NeedsArgument {
        /// Which.
        command: Command,
    },

    // Answers to commands.
    /// Lines of these people are dropped from now on, or are already.
    Ignoring {
        /// Their names; at least one.
        names: Names,
    },
    /// Nobody's lines are dropped.
    IgnoringNobody,
    /// Lines of this one are not dropped any more.
    NotIgnoring {
        /// The name.
        name: String,
    },
    /// The desktop is told of nothing in this conversation.
    Muted,
    /// It is told of it as usual.
    Unmuted,
    /// The room has no topic.
    NoTopic,
    /// The topic of the room.
    Topic {
        /// It.
        text: String,
    },
    /// Our invitation went out (341).
    Invited {
        /// Who.
        name: String,
        /// Into which room.
        room: String,
    },
    /// Somebody invited somebody into this room (invite-notify).
    InvitedBy {
        /// Who did.
        by: String,
        /// Whom.
        name: String,
    },
    /// Somebody invites us.
    InvitesYou {
        /// Who.
        by: String,
        /// Into which room.
        room: String,
    },
    /// Somebody is away (301).
    PersonAway {
        /// The name.
        name: String,
        /// In their words.
        reason: Option<String>,
    },
    /// We are away now (306).
    YouAway,
    /// We are back now (305).
    YouBack,
    /// WHOIS: who it is (311).
    Whois {
        /// The name.
        name: String,
        /// `user@host`.
        userhost: String,
        /// The real name.
        realname: Option<String>,
    },
    /// WHOIS: where they are connected (312).
    WhoisServer {
        /// The name.
        name: String,
        /// The server's name.
        server: String,
        /// In its own words.
        about: String,
    },
    /// WHOIS: how long they have been silent (317).
    WhoisIdle {
        /// The name.
        name: String,
        /// How long; worded in minutes.
        idle: Duration,
    },
    /// WHOIS: their rooms (319).
    WhoisRooms {
        /// The name.
        name: String,
        /// The rooms, with the ranks before them.
        rooms: String,
    },
    /// WHOIS: an operator of the server (313).
    WhoisOperator {
        /// The name.
        name: String,
    },
    /// WHOIS: logged in (330).
    WhoisAccount {
        /// The name.
        name: String,
        /// The account.
        account: String,
    },
    /// WHOIS: a program (335).
    WhoisBot {
        /// The name.
        name: String,
    },
    /// WHOIS: over TLS (671).
    WhoisSecure {
        /// The name.
        name: String,
    },
    /// WHOWAS: who it was (314).
    Whowas {
        /// The name.
        name: String,
        /// `user@host`.
        userhost: String,
        /// The real name.
        realname: Option<String>,
    },
    /// WHOWAS: nobody had the name (406).
    NotSeen {
        /// The name.
        name: String,
    },
    /// A program answers ours (CTCP).
    CtcpAnswer {
        /// Whose.
        name: String,
        /// What was asked: VERSION, PING …
        verb: String,
        /// The answer.
        text: String,
    },
    /// Somebody wants us to have a file.
    FileOffered {
        /// Who.
        name: String,
        /// The file.
        file: String,
        /// Bytes that it is said to have.
        size: Option<u64>,
    },
    /// A file was to be sent where many read.
    FilesToPeople,

    /// The server's own words, in whatever language.
    Server {
        /// What they are about: a room, a person, a command.
        about: Option<String>,
        /// They themselves.
        text: String,
    },
}

/// Several names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// A part of a sentence that may be empty.
pub(super) fn filled(text: impl Into<String>) -> Option<String> {
    Some(text.into()).filter(|text| !text.is_empty())
}

impl Sentence {
    /// Whether it is about a server that is not met before the person trusts it.
    pub fn is_of_stranger(&self) -> bool {
        matches!(self, Sentence::KeyChanged { .. } | Sentence::KeyUnknown { .. })
    }
}

impl fmt::Display for Sentence {
    /// The words of `ui/words.slint` in English; a test of the window compares the two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Sentence::*;
        match self {
            NobodyAnswers { server } => {
                write!(f, "Nobody answers at {server}. Is the server started, and is the port right?")
            }
            NoneAnswers { servers } => {
                write!(f, "None of these servers answers: {servers}. Are they started, and are the ports right?")
            }
            Unreachable { server } => {
                write!(f, "{server} can't be reached from here. Is this computer on the same network?")
            }
            NotFound { host } => write!(f, "There is no computer called {host} on this network."),
            NotChat { server } => {
                write!(f, "Something answers at {server}, but it is not a chat server. Is the port right?")
            }
            NotSecure { server } => {
                write!(f, "{server} does not answer by TLS, and nothing was sent that others could read.")
            }
            KeyChanged { server, before, now } => write!(
                f,
                "{server} has another key than before. It was set up anew, or somebody else answers in its place.\n\
                 Before:\n{before}\nNow:\n{now}"
            ),
            KeyUnknown { server, key } => write!(
                f,
                "Nobody whom this computer knows vouches for {server}. Ask who runs it whether this is its key:\n{key}"
            ),
            TutorialServer { server } => write!(
                f,
                "{server} is a tutorial's own chat server, not this kind of room. Run Parlor's server in its place: the tutorial's programs can come in there, too."
            ),
            ServerClosed { reason: None } => f.write_str("The server closed the connection"),
            ServerClosed { reason: Some(reason) } => write!(f, "The server closed the connection: {reason}"),
            ConnectionBroke { error } => write!(f, "The connection broke: {error}"),
            NetworkChanged => f.write_str("The network has changed"),
            ServerDeaf => f.write_str("The server does not read what it is sent"),
            ServerSilent => f.write_str("The server no longer answers"),
            NoAnswer => f.write_str("The server did not answer."),
            Banned { reason } => write!(f, "You are banned here: {reason}"),
            PasswordNeeded => f.write_str("This server asks for a password."),
            PasswordWrong => f.write_str("The server asks for a password; this is not it."),
            PasswordNotSafe { server } => write!(
                f,
                "{server} is not encrypted, so no password is sent to it. Ask whoever runs it for an encrypted address."
            ),
            CertificateUnusable { path, why } => write!(f, "{path} can't be used: {why}"),
            Replaced => f.write_str(
                "You are here from another device now, or from another window. Come back here whenever you like.",
            ),

            NameMissing => f.write_str("Choose a name first."),
            NameOwned { name } => write!(
                f,
                "“{name}” belongs to somebody here. If that is you, type its password or your recovery code below; else choose another name."
            ),
            PasswordRefused { reason } => write!(f, "The server does not take this password: {reason}"),
            NameTaken { name } => write!(f, "{name} is taken here."),
            NameNotPossible { name } => write!(
                f,
                "{name} can't be used as a name here. Letters, digits, - and _ are fine; no spaces."
            ),

            RoomNotPossible { room } => {
                write!(f, "{room} can't be the name of a room. It starts with # and has no spaces.")
            }
            RoomUnknown { room } => write!(f, "There is no room called {room}."),
            RoomInviteOnly { room } => write!(f, "{room} lets in only people who were invited."),
            RoomFull { room } => write!(f, "{room} is full."),
            RoomBanned { room } => write!(f, "You are banned from {room}."),
            RoomKey { room } => write!(f, "{room} asks for a password."),
            RoomRefuses { room, reason } => write!(f, "{room} does not let you in: {reason}"),
            NotBackIn { why } => write!(f, "You can't come back in: {why}"),
            PutOut { room, by: None, reason: None } => write!(f, "You were sent out of {room}"),
            PutOut { room, by: None, reason: Some(reason) } => {
                write!(f, "You were sent out of {room}: {reason}")
            }
            PutOut { room, by: Some(by), reason: None } => write!(f, "{by} sent you out of {room}"),
            PutOut { room, by: Some(by), reason: Some(reason) } => {
                write!(f, "{by} sent you out of {room}: {reason}")
            }

            NotInRoom => f.write_str("You are not in this room."),
            MayNotSpeak => f.write_str("Only some people may speak in this room."),
            BannedHere => f.write_str("You are banned from this room."),
            MutedHere => f.write_str("An operator does not let you speak in this room."),
            RoomSlow { wait } => {
                write!(f, "The room is slow: your next line may come in {} s.", wait.as_secs())
            }
            HandsNotPossible => f.write_str("This server can't do that with raised hands."),
            NotOperator => f.write_str("Only an operator may do that."),
            KeyNotPossible => f.write_str("A key is one word, without commas."),
            NoSuchPerson { name: None } => f.write_str("Nobody of that name is here."),
            NoSuchPerson { name: Some(name) } => write!(f, "{name} is not here."),
            NotConfirmed => f.write_str("The server never confirmed it."),
            LeftBeforeSent => f.write_str("You left before it was sent."),
            NotSentThen => f.write_str("It was not sent before the window was closed."),
            SenderUnknown => f.write_str(
                "An earlier version kept it without the name it was typed under. Retry sends it under yours.",
            ),
            NameNeeded => f.write_str("Type a name after the command."),
            RoomOnly => f.write_str("That works only in a room."),
            NotConnected => f.write_str("You are not connected."),
            NotConnectedYet => f.write_str("There is no connection yet. Try again when there is."),
            NobodyReadsHere => f.write_str("Nobody reads here. Choose a room."),
            AnswerOneOfThem => f.write_str(
                "Each of them wrote to you alone: answer one by their name in the list, or with /msg NAME text.",
            ),
            ConversationGone { name, text } => {
                write!(f, "The conversation with {name} is closed. Not sent: {text}")
            }
            UnknownCommand { word } => {
                write!(f, "There is no command called /{word}. Type / to see them all.")
            }
            NeedsArgument { command } => write!(f, "Something is missing: {}", command.usage()),

            Ignoring { names } => write!(f, "You ignore {names}"),
            IgnoringNobody => f.write_str("You ignore nobody"),
            NotIgnoring { name } => write!(f, "You no longer ignore {name}"),
            Muted => f.write_str("This is muted: you are told of nothing that is said here"),
            Unmuted => f.write_str("You are told of what is said here as usual"),
            NoTopic => f.write_str("No topic"),
            Topic { text } => write!(f, "Topic: {text}"),
            Invited { name, room } => write!(f, "You asked {name} into {room}"),
            InvitedBy { by, name } => write!(f, "{by} asked {name} in"),
            InvitesYou { by, room } => write!(f, "{by} asks you into {room}."),
            PersonAway { name, reason: None } => write!(f, "{name} is away"),
            PersonAway { name, reason: Some(reason) } => write!(f, "{name} is away: {reason}"),
            YouAway => f.write_str("You are away now"),
            YouBack => f.write_str("You are back"),
            Whois { name, userhost, realname: None } => write!(f, "{name} is {userhost}"),
            Whois { name, userhost, realname: Some(realname) } => {
                write!(f, "{name} is {userhost}, {realname}")
            }
            WhoisServer { name, server, about } => write!(f, "{name} is on {server} ({about})"),
            WhoisIdle { name, idle } => {
                write!(f, "{name} has said nothing for {} min", idle.as_secs() / 60)
            }
            WhoisRooms { name, rooms } => write!(f, "{name} is in {rooms}"),
            WhoisOperator { name } => write!(f, "{name} is an operator of this server"),
            WhoisAccount { name, account } => write!(f, "{name} is logged in as {account}"),
            WhoisBot { name } => write!(f, "{name} is a program"),
            WhoisSecure { name } => write!(f, "{name} has a secure connection"),
            Whowas { name, userhost, realname: None } => write!(f, "{name} was {userhost}"),
            Whowas { name, userhost, realname: Some(realname) } => {
                write!(f, "{name} was {userhost}, {realname}")
            }
            NotSeen { name } => write!(f, "Nobody called {name} was here lately."),
            CtcpAnswer { name, verb, text } => write!(f, "{name} answers {verb}: {text}"),
            FileOffered { name, file, size: None } => write!(f, "{name} wants to send you {file}"),
            FileOffered { name, file, size: Some(size) } => {
                write!(f, "{name} wants to send you {file} ({})", size_in_words(*size))
            }
            FilesToPeople => {
                f.write_str("Files go from person to person: open a conversation with somebody first.")
            }

            Server { about: None, text } => f.write_str(text),
            Server { about: Some(about), text } => write!(f, "{about}: {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_kinds_are_worded_the_same() {
        for full in [true, false] {
            let mut worded: Vec<String> = Sentence::examples(full).iter().map(Sentence::to_string).collect();
            let count = worded.len();
            worded.sort_unstable();
            worded.dedup();
            assert_eq!(worded.len(), count);
        }
    }

    #[test]
    fn what_may_be_empty_leaves_no_gap() {
        for sentence in Sentence::examples(false) {
            let text = sentence.to_string();
            assert!(!text.ends_with([' ', ':', ',']) && !text.contains("  "), "{text:?}");
        }
    }

    /// What can stand in the gap of an example.
    pub(super) trait Gap {
        fn example(field: &str, full: bool) -> Self;
    }

    impl Gap for String {
        fn example(field: &str, _: bool) -> String {
            field.to_uppercase()
        }
    }

    impl Gap for Option<String> {
        fn example(field: &str, full: bool) -> Option<String> {
            full.then(|| field.to_uppercase())
        }
    }

    impl Gap for Option<u64> {
        fn example(_: &str, full: bool) -> Option<u64> {
            full.then_some(2_359_000)
        }
    }

    impl Gap for Names {
        fn example(field: &str, _: bool) -> Names {
            Names(vec![field.to_uppercase(), "B".into()])
        }
    }

    impl Gap for HostPort {
        fn example(field: &str, _: bool) -> HostPort {
            HostPort::new(field, 1)
        }
    }

    impl Gap for KeyId {
        fn example(_: &str, _: bool) -> KeyId {
            "AB".repeat(32).parse().unwrap()
        }
    }

    impl Gap for Duration {
        fn example(_: &str, _: bool) -> Duration {
            Duration::from_secs(7 * 60)
        }
    }

    impl Gap for Command {
        fn example(_: &str, _: bool) -> Command {
            Command::Kick
        }
    }

    impl Gap for Box<Sentence> {
        fn example(_: &str, _: bool) -> Box<Sentence> {
            Box::new(Sentence::BannedHere)
        }
    }
}
