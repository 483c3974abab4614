//! Lines that wait across a restart of the program.

use parlor_server::protocol::LineName;
use serde::{Deserialize, Serialize};

use super::event::Kind;
use super::line::LineKind;
use super::outgoing::{Sent, Waiting};
use super::style::is_code;
use super::{Key, Output, Sentence, Session, UnixMillis};

/// How it stands with a line that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnsentState {
    /// It waits, and goes as soon as it can.
    #[default]
    Waits,
    /// It could not be sent; the person says whether it goes again.
    Failed,
    /// The same, and the server has refused what has this name.
    Refused,
    /// The same, because nobody knows who typed it: an earlier version kept it.
    Nameless,
}

impl UnsentState {
    fn waits(&self) -> bool {
        *self == UnsentState::Waits
    }
}

/// A line that nobody has confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Unsent {
    /// The room, with its `#`, or the person.
    pub to: String,
    /// What it is called ([`LineName`]): a server that had it already knows it by that.
    pub token: String,
    /// As it goes: one line or, as one message, several, with IRC's formatting codes.
    pub text: String,
    /// The server's name of the line that it answers; empty: none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reply: String,
    /// It is a `/me`.
    pub action: bool,
    /// When it was typed, in milliseconds since 1970.
    pub at: u64,
    /// Whether it goes by itself.
    #[serde(skip_serializing_if = "UnsentState::waits")]
    pub state: UnsentState,
}

impl Session {
    /// Takes up what an earlier run of the program had not sent; each line waits for its conversation.
    pub(super) fn take_up(&mut self) {
        let sound = |unsent: &Unsent| {
            let text = !unsent.text.trim().is_empty()
                && !unsent
                    .text
                    .contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n') && !is_code(c));
            text && super::commands::is_word(&unsent.to) && !Key::new(&unsent.to).is_reserved()
        };
        self.restored = self.profile.unsent.iter().filter(|unsent| sound(unsent)).cloned().collect();
    }

    /// Opens what was not open at the end of the earlier run, and has lines that wait for it.
    pub(super) fn open_for_unsent(&mut self) {
        let mut places: Vec<String> = self.restored.iter().map(|unsent| unsent.to.clone()).collect();
        places.dedup();
        for place in places {
            if self.isupport.is_room(&place) {
                self.join(&place, None);
            } else {
                let key = self.open(&place, Kind::Person);
                self.conversations.get_mut(&key).into_iter().for_each(|person| person.known = true);
            }
        }
    }

    /// A conversation is open: what waited for it waits in it now.
    pub(super) fn restore_to(&mut self, key: &Key) {
        if self.restored.is_empty() {
            return;
        }
        let (here, others) = std::mem::take(&mut self.restored)
            .into_iter()
            .partition(|unsent| self.isupport.key(&unsent.to) == *key);
        self.restored = others;
        let here: Vec<Unsent> = here;
        for Unsent { to: _, token, text, action, at, state: kept, reply } in here {
            let Some(name) = LineName::parse(&token) else { continue };
            let kind = if action { LineKind::Action } else { LineKind::Said };
            let reply = Some(&*reply).filter(|reply| !reply.is_empty());
            let Some(mut waiting) = self.wait(key, kind, name, &text, reply, UnixMillis(at)) else {
                continue;
            };
            let why = match kept {
                UnsentState::Waits => {
                    self.outgoing.push(waiting);
                    continue;
                }
                UnsentState::Failed | UnsentState::Refused => Sentence::NotSentThen,
                UnsentState::Nameless => Sentence::SenderUnknown,
            };
            // What was only given up, the server may have after all, and knows again by its name.
            let refused = kept != UnsentState::Failed;
            waiting.sent = refused.then_some(Sent { at: self.now.elapsed, ping: 0 });
            self.fail(waiting, &why);
        }
    }

    /// Has what waits kept, if that has changed.
    pub(super) fn keep(&mut self) {
        if !self.outgoing.has_changed() {
            return;
        }
        let name = |key: &Key| self.conversations.get(key).map(|conversation| conversation.name.clone());
        let unsent = |waiting: &Waiting, state| {
            Some(Unsent {
                to: name(&waiting.to)?,
                token: waiting.name.to_string(),
                text: waiting.text.to_string(),
                reply: waiting.line.reply().map(|quote| quote.msgid.to_string()).unwrap_or_default(),
                action: waiting.is_action(),
                at: waiting.line.at().0,
                state,
            })
        };
        let state = |waiting: &Waiting| match waiting.line.sentence() {
            Some(Sentence::SenderUnknown) => UnsentState::Nameless,
            _ if waiting.sent.is_some() => UnsentState::Refused,
            _ => UnsentState::Failed,
        };
        let failed = self.outgoing.failures().filter_map(|waiting| unsent(waiting, state(waiting)));
        let waiting = self.outgoing.iter().filter_map(|waiting| unsent(waiting, UnsentState::Waits));
        let all = failed.chain(waiting).chain(self.restored.iter().cloned()).collect();
        self.out.push_back(Output::Keep(all));
    }
}
