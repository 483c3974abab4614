//! How a message to others is sent.

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
