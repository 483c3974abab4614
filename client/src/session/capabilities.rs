//! What the server offers beyond RFC 1459, and what of it we use (IRCv3 capability
//! negotiation 302).

use parlor_server::protocol::{self, Capability};

use super::multiline::Multiline;

/// What we can make use of.
const WANTED: &[Capability] = &[
    Capability::MessageTags,
    Capability::ServerTime,
    Capability::Batch,
    Capability::EchoMessage,
    Capability::LabeledResponse,
    Capability::StandardReplies,
    Capability::MultiPrefix,
    Capability::UserhostInNames,
    Capability::AwayNotify,
    Capability::InviteNotify,
    Capability::CapNotify,
    Capability::Chathistory,
    Capability::EventPlayback,
    Capability::Multiline,
    Capability::MessageRedaction,
    Capability::ReadMarker,
    Capability::Resume,
    Capability::Search,
    Capability::Sasl,
    Capability::AccountRegistration,
];

/// What was offered and what is on, of what we want.
#[derive(Debug, Default)]
pub(super) struct Capabilities {
    offered: protocol::Capabilities,
    on: protocol::Capabilities,
    /// What there is to log in with.
    pub(super) logs_in: LogsIn,
    /// The mechanisms that are offered, as the server writes them.
    pub(super) sasl: Option<String>,
    /// The bounds of a message, where it may have several lines.
    multiline: Option<Multiline>,
}

/// What there is to log in with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum LogsIn {
    /// Nothing.
    #[default]
    Never,
    /// What we made ourselves, which means something to servers of our own kind alone.
    AtOurs,
    /// What the person has given.
    Always,
}

/// Of no use without anything to log in with.
const OF_ACCOUNTS: &[Capability] = &[Capability::Sasl, Capability::AccountRegistration];

impl Capabilities {
    /// It is a server of our own kind.
    pub(super) fn is_ours(&self) -> bool {
        self.offered.has(Capability::Resume)
    }

    fn may_log_in(&self) -> bool {
        match self.logs_in {
            LogsIn::Never => false,
            LogsIn::AtOurs => self.is_ours(),
            LogsIn::Always => true,
        }
    }

    pub(super) fn has(&self, capability: Capability) -> bool {
        self.on.has(capability)
    }

    /// What one message may hold, where it may have several lines.
    pub(super) fn multiline(&self) -> Option<Multiline> {
        let on = [Capability::Multiline, Capability::Batch, Capability::MessageTags];
        self.multiline.filter(|_| on.iter().all(|capability| self.has(*capability)))
    }

    /// Takes a list of CAP LS or CAP NEW: words with or without a value.
    pub(super) fn offer(&mut self, list: &str) {
        wanted(list).for_each(|capability| self.offered.add(capability));
        let sasl = list.split_ascii_whitespace().find_map(|word| word.strip_prefix("sasl="));
        self.sasl = sasl.map(Into::into).or(self.sasl.take());
        let mut words = list.split_ascii_whitespace();
        let bounds =
            words.find_map(|word| word.strip_prefix(Capability::Multiline.name())?.strip_prefix('='));
        self.multiline = bounds.map_or(self.multiline, Multiline::parse);
    }

    /// What to ask for now: offered and not on yet.
    pub(super) fn request(&self) -> Option<String> {
        let mut missing = self.offered.without(self.on);
        if !self.may_log_in() {
            OF_ACCOUNTS.iter().for_each(|capability| missing.remove(*capability));
        }
        (!missing.is_empty()).then(|| missing.to_string())
    }

    /// CAP ACK: a leading `-` is off.
    pub(super) fn acknowledge(&mut self, list: &str) {
        for word in list.split_ascii_whitespace() {
            match word.strip_prefix('-') {
                Some(name) => wanted(name).for_each(|capability| self.on.remove(capability)),
                None => wanted(word).for_each(|capability| self.on.add(capability)),
            }
        }
    }

    /// CAP DEL.
    pub(super) fn withdraw(&mut self, list: &str) {
        for capability in wanted(list) {
            self.on.remove(capability);
            self.offered.remove(capability);
        }
    }
}

/// Those words of a list that we want, without their values.
fn wanted(list: &str) -> impl Iterator<Item = Capability> {
    let names = list.split_ascii_whitespace().map(|word| word.split('=').next().unwrap_or(word));
    names.filter_map(Capability::parse).filter(|capability| WANTED.contains(capability))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_offered_is_asked_for() {
        let mut caps = Capabilities::default();
        assert_eq!(caps.request(), None);
        caps.offer("sasl=PLAIN echo-message multi-prefix draft/x=1,2");
        assert_eq!(caps.request().as_deref(), Some("echo-message multi-prefix"));
        caps.acknowledge("echo-message nonsense");
        assert!(caps.has(Capability::EchoMessage) && !caps.has(Capability::MultiPrefix));
        caps.acknowledge("-echo-message");
        assert!(!caps.has(Capability::EchoMessage));
        caps.acknowledge("multi-prefix");
        caps.withdraw("multi-prefix");
        assert!(!caps.has(Capability::MultiPrefix));
        for (logs_in, asked) in [(LogsIn::AtOurs, false), (LogsIn::Always, true)] {
            caps.logs_in = logs_in;
            assert_eq!(caps.request().is_some_and(|request| request.contains("sasl")), asked);
        }
        caps.offer("parlor/resume");
        caps.logs_in = LogsIn::AtOurs;
        assert_eq!(caps.request().as_deref(), Some("echo-message sasl parlor/resume"));
        caps.withdraw("parlor/resume sasl");
        caps.offer("extended-join");
        assert_eq!(caps.request().as_deref(), Some("echo-message"), "ours offers more than we want");
    }
}
