//! What the server offers beyond RFC 1459, and what of it we use (IRCv3 capability
//! negotiation 302).

/// What we can make use of.
const WANTED: &[&str] = &[
    "message-tags",
    "server-time",
    "batch",
    "echo-message",
    "labeled-response",
    "standard-replies",
    "multi-prefix",
    "userhost-in-names",
    "away-notify",
    "invite-notify",
    "cap-notify",
    "draft/chathistory",
    "draft/event-playback",
    "parlor/resume",
    "soju.im/search",
];

/// What was offered and what is on.
#[derive(Debug, Default)]
pub(super) struct Capabilities {
    offered: Vec<&'static str>,
    on: Vec<&'static str>,
}

impl Capabilities {
    pub(super) fn has(&self, name: &str) -> bool {
        self.on.contains(&name)
    }

    /// Takes a list of CAP LS or CAP NEW: words with or without a value.
    pub(super) fn offer(&mut self, list: &str) {
        for name in known(list) {
            if !self.offered.contains(&name) {
                self.offered.push(name);
            }
        }
    }

    /// What to ask for now: offered and not on yet.
    pub(super) fn request(&self) -> Option<String> {
        let missing: Vec<&str> = self.offered.iter().copied().filter(|name| !self.has(name)).collect();
        (!missing.is_empty()).then(|| missing.join(" "))
    }

    /// CAP ACK: a leading `-` is off.
    pub(super) fn acknowledge(&mut self, list: &str) {
        for word in list.split_ascii_whitespace() {
            match word.strip_prefix('-') {
                Some(name) => self.on.retain(|on| *on != name),
                None => {
                    self.on.retain(|on| *on != word);
                    self.on.extend(known(word));
                }
            }
        }
    }

    /// CAP DEL.
    pub(super) fn withdraw(&mut self, list: &str) {
        for name in known(list) {
            self.on.retain(|on| *on != name);
            self.offered.retain(|offered| *offered != name);
        }
    }
}

fn known(list: &str) -> impl Iterator<Item = &'static str> {
    list.split_ascii_whitespace().filter_map(|word| {
        let name = word.split('=').next().unwrap_or(word);
        WANTED.iter().copied().find(|wanted| *wanted == name)
    })
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
        assert!(caps.has("echo-message") && !caps.has("nonsense") && !caps.has("multi-prefix"));
        caps.acknowledge("-echo-message");
        assert!(!caps.has("echo-message"));
        caps.acknowledge("multi-prefix");
        caps.withdraw("multi-prefix");
        assert!(!caps.has("multi-prefix"));
    }
}
