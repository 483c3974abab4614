//! IRCv3 capabilities that our server offers; our client wants some of them.

use std::fmt;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A capability a client may ask for (IRCv3 capability negotiation).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Capability { $($(#[$doc])* $name,)* }

        impl Capability {
            /// All of them, in the order in which they are listed.
            pub const ALL: &[Capability] = &[$(Capability::$name,)*];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self { $(Capability::$name => $text,)* }
            }

            /// The capability of this name; `None` if it is none of these.
            pub fn parse(name: &str) -> Option<Capability> {
                match name { $($text => Some(Capability::$name),)* _ => None }
            }
        }
    };
}

capabilities! {
    /// Tags in both directions, and TAGMSG.
    MessageTags = "message-tags",
    /// The `time` tag.
    ServerTime = "server-time",
    /// Related lines come as one batch.
    Batch = "batch",
    /// Own messages come back.
    EchoMessage = "echo-message",
    /// Replies carry the command's `label`.
    LabeledResponse = "labeled-response",
    /// FAIL, WARN and NOTE are understood.
    StandardReplies = "standard-replies",
    /// All of a member's prefixes, not just the highest.
    MultiPrefix = "multi-prefix",
    /// NAMES with `nick!user@host`.
    UserhostInNames = "userhost-in-names",
    /// AWAY of people in the same rooms.
    AwayNotify = "away-notify",
    /// JOIN with account (`*` for none) and real name.
    ExtendedJoin = "extended-join",
    /// ACCOUNT of people in the same rooms.
    AccountNotify = "account-notify",
    /// The `account` tag.
    AccountTag = "account-tag",
    /// AUTHENTICATE; its value lists the mechanisms.
    Sasl = "sasl",
    /// REGISTER (IRCv3 draft/account-registration).
    AccountRegistration = "draft/account-registration",
    /// SETNAME, and that of others.
    Setname = "setname",
    /// INVITE of others into one's room.
    InviteNotify = "invite-notify",
    /// No NAMES after one's own JOIN.
    NoImplicitNames = "no-implicit-names",
    /// The same under its draft's name.
    DraftNoImplicitNames = "draft/no-implicit-names",
    /// CHATHISTORY (IRCv3 draft/chathistory).
    Chathistory = "draft/chathistory",
    /// What CHATHISTORY brings may be more than talk (IRCv3 draft/chathistory).
    EventPlayback = "draft/event-playback",
    /// Several lines are one message (IRCv3 draft/multiline); its value has the bounds.
    Multiline = "draft/multiline",
    /// REDACT, by oneself and by others (IRCv3 draft/message-redaction).
    MessageRedaction = "draft/message-redaction",
    /// MARKREAD (IRCv3 draft/read-marker).
    ReadMarker = "draft/read-marker",
    /// AWAY, ACCOUNT and SETNAME of those who are watched (IRCv3 extended-monitor).
    ExtendedMonitor = "extended-monitor",
    /// SEARCH (soju's vendor extension).
    Search = "soju.im/search",
    /// RESUME; the hub's module `resume` has its grammar.
    Resume = "parlor/resume",
    /// CAP NEW and CAP DEL; always on for those who list with version 302.
    CapNotify = "cap-notify",
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of capabilities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities(u32);

impl Capabilities {
    /// Whether the set has this one.
    pub fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u32) != 0
    }

    /// Adds one.
    pub fn add(&mut self, capability: Capability) {
        self.0 |= 1 << capability as u32;
    }

    /// Takes one away.
    pub fn remove(&mut self, capability: Capability) {
        self.0 &= !(1 << capability as u32);
    }

    /// Whether it holds none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in this set and not in another one.
    pub fn without(self, others: Capabilities) -> Capabilities {
        Capabilities(self.0 & !others.0)
    }

    /// What is in the set, in the order of [`Capability::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.iter().copied().filter(move |capability| self.has(*capability))
    }

    /// Applies a CAP REQ: every word or, if one is unknown, none (`None`).
    pub fn request(self, words: &str) -> Option<Capabilities> {
        let mut changed = self;
        for word in words.split_ascii_whitespace() {
            let (name, add) = match word.strip_prefix('-') {
                Some(name) => (name, false),
                None => (word, true),
            };
            let capability = Capability::parse(name)?;
            if add {
                changed.add(capability);
            } else {
                changed.remove(capability);
            }
        }
        Some(changed)
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(iter: I) -> Capabilities {
        let mut set = Capabilities::default();
        iter.into_iter().for_each(|capability| set.add(capability));
        set
    }
}

impl fmt::Display for Capabilities {
    /// Names with a space between two, as CAP lists them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, capability) in self.iter().enumerate() {
            write!(f, "{}{capability}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_granted_whole_or_not_at_all() {
        let set = Capabilities::default().request("batch -echo-message server-time").unwrap();
        assert_eq!(set.iter().map(Capability::name).collect::<Vec<_>>(), ["server-time", "batch"]);
        assert_eq!(set.request("echo-message nonsense"), None);
        assert!(!set.request("-batch").unwrap().has(Capability::Batch));
    }

    #[test]
    fn the_names_fit_one_line_for_those_who_take_no_more() {
        let list = Capability::ALL.iter().map(|c| c.name()).collect::<Vec<_>>().join(" ");
        assert!(list.len() < 420, "CAP LS needs more than one line now");
    }
}
