//! BATCH of a client (IRCv3 draft/client-batch): lines that are one message (draft/multiline).

use crate::hub::Hub;
use crate::hub::command::{Done, need};
use crate::hub::delivery::event::Talk;
use crate::hub::state::ConnectionId;
use crate::hub::state::draft::{Draft, Fault};
use crate::hub::state::limits::{MAX_MESSAGE, MAX_MESSAGE_LINES};
use crate::hub::state::refusal::shown;
use crate::protocol::command::Verb;
use crate::protocol::tag::{BATCH, CONCAT, batch::MULTILINE};
use crate::protocol::{Capability, LineName, Message};

/// Bytes of a reference tag.
const MAX_REFERENCE: usize = 64;

pub(super) fn batch(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    if hub.lacks(id, Capability::Multiline, "BATCH") {
        return Ok(());
    }
    let reference = need(message, 0)?;
    match reference.split_at_checked(1) {
        Some(("+", reference)) => hub.begin_message(id, reference, message),
        Some(("-", reference)) => return hub.end_message(id, reference),
        _ => {
            hub.fail_batch(id, &format!("INVALID_REFTAG {}", shown(reference)), "It is BATCH +NAME or -NAME")
        }
    }
    Ok(())
}

impl Hub {
    fn begin_message(&mut self, id: ConnectionId, reference: &str, message: &Message<'_>) {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let sound = (1..=MAX_REFERENCE).contains(&reference.len()) && reference.chars().all(legal);
        let kind = message.params.get(1).copied().unwrap_or_default();
        let target = message.params.filled(2).unwrap_or_default();
        let refused = if !sound {
            Some((format!("INVALID_REFTAG {}", shown(reference)), "A name is letters, digits, - and _"))
        } else if !kind.eq_ignore_ascii_case(MULTILINE) {
            let code = format!("UNKNOWN_TYPE {reference} {}", shown(kind));
            Some((code, "The one type of a client's batch is draft/multiline"))
        } else if target.is_empty() || target.contains(',') {
            // Each line of it would cost flood control once, and be sent to all of them.
            Some(("MULTILINE_INVALID".into(), "It is BATCH +NAME draft/multiline TARGET, and one target"))
        } else if self
            .state
            .member(id)
            .is_some_and(|member| member.draft.as_ref().is_some_and(|draft| !draft.failed))
        {
            Some((
                "MULTILINE_INVALID".into(),
                "The message before it was not ended; nothing of that was sent",
            ))
        } else {
            None
        };
        let (line, tags) = LineName::take(message.tags);
        let label = if refused.is_none() { self.delivery.take_label(id) } else { None };
        let mut draft = Box::new(Draft::new(reference, target, (line, tags), label));
        if let Some((code, sentence)) = refused {
            // What belongs to it is left out without a further word.
            draft.failed = true;
            self.fail_batch(id, &code, sentence);
        }
        self.state.member_mut(id).into_iter().for_each(|member| member.draft = Some(draft.clone()));
    }

    /// Takes a line that is part of a message; false if it is a command of its own.
    pub(super) fn take_part(&mut self, id: ConnectionId, message: &Message<'_>) -> bool {
        if message.tags.0.is_empty() {
            return false;
        }
        let Some(reference) = message.tags.get(BATCH) else { return false };
        let member = self.state.member_mut(id).filter(|member| member.has(Capability::Multiline));
        let Some(member) = member else { return false };
        let draft = member.draft.as_mut().filter(|draft| *draft.reference == *reference);
        let fault = match draft {
            Some(draft) if draft.failed => return true,
            Some(draft) => {
                let verb = match message.command {
                    word if word.eq_ignore_ascii_case("PRIVMSG") => Some(Verb::Privmsg),
                    word if word.eq_ignore_ascii_case("NOTICE") => Some(Verb::Notice),
                    _ => None,
                };
                let [target, text] = [0, 1].map(|at| message.params.get(at).copied().unwrap_or_default());
                let concat = message.tags.get(CONCAT).is_some();
                let Err(fault) = draft.add(verb, target, text, concat) else { return true };
                draft.failed = true;
                fault
            }
            None => Fault::Unknown,
        };
        let (code, sentence) = match fault {
            Fault::Unknown => {
                let code = format!("INVALID_REFTAG {}", shown(&reference));
                (code, "No message of this name was begun with BATCH")
            }
            Fault::Bytes => (
                format!("MULTILINE_MAX_BYTES {MAX_MESSAGE}"),
                "The message is too long; nothing of it was sent",
            ),
            Fault::Lines => {
                let code = format!("MULTILINE_MAX_LINES {MAX_MESSAGE_LINES}");
                (code, "The message has too many lines; nothing of it was sent")
            }
            Fault::Target(expected, given) => {
                let code = format!("MULTILINE_INVALID_TARGET {} {}", shown(&expected), shown(&given));
                (code, "All lines of a message have one target; nothing of it was sent")
            }
            Fault::Invalid(why) => ("MULTILINE_INVALID".into(), why),
        };
        self.fail_batch(id, &code, sentence);
        true
    }

    fn end_message(&mut self, id: ConnectionId, reference: &str) -> Done {
        let member = self.state.member_mut(id);
        let draft = member.and_then(|member| member.draft.take_if(|draft| *draft.reference == *reference));
        let Some(draft) = draft else {
            let code = format!("INVALID_REFTAG {}", shown(reference));
            self.fail_batch(id, &code, "No message of this name was begun with BATCH");
            return Ok(());
        };
        if let Some(label) = &draft.label {
            self.delivery.begin_label(id, label);
        }
        let Draft { target, verb, text, line, tags, failed, .. } = *draft;
        match verb {
            _ if failed => {}
            Some(verb) if text.contains(|c| c != '\n') => {
                let talk = Talk { verb, text: &text, line, tags: &tags, long: true };
                return self.send(id, &target, talk);
            }
            _ => self.fail_batch(id, "MULTILINE_INVALID", "The message holds nothing but line ends"),
        }
        Ok(())
    }

    fn fail_batch(&mut self, id: ConnectionId, code: &str, sentence: &str) {
        self.fail(id, "BATCH", code, sentence);
    }
}

/// The value of the capability.
pub(super) fn bounds() -> String {
    format!("max-bytes={MAX_MESSAGE},max-lines={MAX_MESSAGE_LINES}")
}
