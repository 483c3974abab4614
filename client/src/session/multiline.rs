//! Several lines as one message (IRCv3 draft/multiline): bounds, cutting, the way out and in.

use parlor_server::protocol::Message;
use parlor_server::protocol::tag::batch::MULTILINE;
use parlor_server::protocol::tag::{BATCH, CONCAT};
use parlor_server::protocol::text::pieces;

use super::style::{FENCE, is_fence};
use crate::limits::{MESSAGE_BYTES, MESSAGE_LINES};

/// How much of it one message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Multiline {
    /// Of all its lines, with one between two.
    pub bytes: usize,
    /// Lines on the wire, of which a long one needs several.
    pub lines: usize,
}

impl Multiline {
    /// What our own server takes: as long as no server has said anything.
    pub(super) const USUAL: Multiline = Multiline { bytes: 4096, lines: 100 };

    /// The value of the capability: `max-bytes=4096,max-lines=100`; without bytes it is none.
    pub(super) fn parse(value: &str) -> Option<Multiline> {
        let get = |name: &str| {
            let pair = value.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            pair.and_then(|number| number.parse::<usize>().ok()).filter(|number| *number > 0)
        };
        let lines = get("max-lines").unwrap_or(MESSAGE_LINES).min(MESSAGE_LINES);
        Some(Multiline { bytes: get("max-bytes")?.min(MESSAGE_BYTES), lines })
    }

    /// Whether a text fits as one message. `room`: bytes of text in a line on the wire.
    pub(super) fn holds(self, text: &str, room: usize) -> bool {
        text.len() <= self.bytes
            && text.split('\n').map(|line| pieces(line, room).len()).sum::<usize>() <= self.lines
    }

    /// Cuts lines into messages that fit, each of which has at least one line that is not blank. `room`: bytes of text in a
    /// line on the wire. A block of code that is cut ends, and begins again.
    pub(super) fn messages(self, lines: impl Iterator<Item = String>, room: usize) -> Vec<String> {
        let fence = 2 * (FENCE.len() + 1);
        let most = self.bytes.saturating_sub(fence).max(room.min(self.bytes));
        let mut all = Vec::new();
        let mut message = Growing::default();
        let mut block: Option<String> = None;
        for line in lines {
            // A line that is too long for any message is several.
            // Each of its pieces fills half a line on the wire at least.
            let longest = (room / 2).saturating_mul(self.lines.saturating_sub(2)).max(room).min(most);
            for piece in pieces(&line, longest) {
                let cost = pieces(piece, room).len();
                let spare = if block.is_some() { 1 } else { 0 };
                if !message.text.is_empty()
                    && (message.text.len() + 1 + piece.len() > most
                        || message.lines + cost + spare > self.lines)
                {
                    let mut whole = std::mem::take(&mut message);
                    if block.is_some() {
                        whole.add(FENCE, 1);
                    }
                    all.push(whole.text);
                    if let Some(opening) = block.as_deref().filter(|_| !is_fence(piece)) {
                        message.add(opening, 1);
                    } else if is_fence(piece) && block.take().is_some() {
                        // It has ended with the message before.
                        continue;
                    }
                }
                if is_fence(piece) {
                    block = if block.is_some() { None } else { Some(FENCE.to_owned()) };
                }
                message.add(piece, cost);
            }
        }
        all.push(message.text);
        all.into_iter()
            .map(|text| text.trim_matches('\n').to_owned())
            .filter(|text| !text.trim().is_empty())
            .collect()
    }
}

#[derive(Default)]
struct Growing {
    text: String,
    lines: usize,
}

impl Growing {
    fn add(&mut self, line: &str, cost: usize) {
        if self.lines > 0 {
            self.text.push('\n');
        }
        self.text.push_str(line);
        self.lines += cost;
    }
}

/// A message as it goes out; `tags` stand on its first line, with their `@` and a space, or are empty.
pub(super) fn wire(tags: &str, reference: &str, target: &str, text: &str, room: usize) -> String {
    let mut wire = format!("{tags}BATCH +{reference} {MULTILINE} {target}\r\n");
    for line in text.split('\n') {
        for (i, piece) in pieces(line, room).into_iter().enumerate() {
            let concat = if i > 0 { format!(";{CONCAT}") } else { String::new() };
            wire.push_str(&format!("@{BATCH}={reference}{concat} PRIVMSG {target} :{piece}\r\n"));
        }
    }
    wire + &format!("BATCH -{reference}\r\n")
}

/// A message that is coming in; at most [`MESSAGE_BYTES`] of [`MESSAGE_LINES`]; from the first line on that is too much nothing is kept.
#[derive(Debug)]
pub(super) struct Incoming {
    /// The line that opened it, which has its tags.
    opening: String,
    target: String,
    command: Option<String>,
    text: String,
    lines: usize,
    /// What comes now is left out.
    full: bool,
}

impl Incoming {
    /// What a BATCH opens that has these parameters behind its reference.
    pub(super) fn open(message: &Message<'_>) -> Incoming {
        let target = message.params.filled(2).unwrap_or_default().to_owned();
        let opening = Message { params: Default::default(), ..*message }.to_string();
        Incoming { opening, target, command: None, text: String::new(), lines: 0, full: false }
    }

    /// Takes one of its lines.
    pub(super) fn add(&mut self, message: &Message<'_>) {
        let text = message.params.get(1).copied().unwrap_or_default();
        let first = self.command.is_none();
        self.command.get_or_insert_with(|| message.command.to_owned());
        let concat = first || message.tags.get(CONCAT).is_some();
        self.full |= self.lines >= MESSAGE_LINES || self.text.len() + text.len() >= MESSAGE_BYTES;
        if !self.full {
            self.lines += 1;
            if !concat {
                self.text.push('\n');
            }
            self.text.push_str(text);
        }
    }

    /// The whole, as if it had come as one line.
    pub(super) fn message(&self) -> Option<Message<'_>> {
        let command = self.command.as_deref()?;
        let params = [self.target.as_str(), self.text.trim_end_matches('\n')].into_iter().collect();
        Some(Message { command, params, ..Message::parse(&self.opening)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, bytes: usize, lines: usize, room: usize) -> Vec<String> {
        Multiline { bytes, lines }.messages(text.split('\n').map(str::to_owned), room)
    }

    #[test]
    fn a_message_fits_its_bounds() {
        assert_eq!(Multiline::parse("max-bytes=4096,max-lines=100,x"), Some(Multiline::USUAL));
        assert_eq!(Multiline::parse("max-bytes=1").map(|one| one.lines), Some(MESSAGE_LINES));
        for value in ["", "max-lines=4", "max-bytes=x", "max-bytes=0"] {
            assert_eq!(Multiline::parse(value), None, "{value}");
        }
        assert_eq!(cut("a\n\n\tb", 100, 10, 50), ["a\n\n\tb"]);
        assert_eq!(cut("a\nb\nc\nd", 100, 3, 50), ["a\nb\nc", "d"]);
        assert_eq!(cut("a\n\n\n\nd", 100, 2, 50), ["a", "d"]);
        assert_eq!(cut("```\na\nb\nc\n```\nd", 100, 4, 50), ["```\na\nb\n```", "```\nc\n```\nd"]);
        for text in [
            "word ".repeat(3_000),
            "x\n".repeat(3_000),
            "明".repeat(3_000),
            "```\n".to_owned() + &"c\n".repeat(900),
        ] {
            for (bytes, lines, room) in [(4096, 100, 380), (4096, 5, 64), (300, 100, 64), (100, 3, 64)] {
                for message in cut(&text, bytes, lines, room) {
                    assert!(
                        Multiline { bytes, lines }.holds(&message, room),
                        "{bytes} {lines}: {}",
                        message.len()
                    );
                }
            }
        }
    }

    #[test]
    fn what_goes_out_comes_in() {
        let text = format!("one\n\n\ttwo {}\nthree", "long ".repeat(100));
        let sent = wire("@+x=1 ", "m1", "#a", &text, 80);
        let mut lines = sent.lines();
        let opening =
            format!("@msgid=7;+x=1 :bob!u@h {}", lines.next().unwrap().trim_start_matches("@+x=1 "));
        let mut incoming = Incoming::open(&Message::parse(&opening).unwrap());
        lines.by_ref().take_while(|line| *line != "BATCH -m1").for_each(|line| {
            assert!(line.len() < 80 + 60, "{line}");
            incoming.add(&Message::parse(line).unwrap());
        });
        let message = incoming.message().unwrap();
        assert_eq!((message.command, message.source), ("PRIVMSG", Some("bob!u@h")));
        assert_eq!((message.params[0], message.params[1]), ("#a", &*text));
        assert_eq!(message.tags.get("msgid").as_deref(), Some("7"));
        let mut endless = Incoming::open(&Message::parse("BATCH +x draft/multiline #a").unwrap());
        let line = format!("PRIVMSG #a :{}", "x".repeat(400));
        (0..100_000).for_each(|_| endless.add(&Message::parse(&line).unwrap()));
        assert!(endless.text.len() <= MESSAGE_BYTES && endless.lines <= MESSAGE_LINES);
        let before = endless.text.clone();
        endless.add(&Message::parse("@draft/multiline-concat PRIVMSG #a :z").unwrap());
        assert_eq!(endless.text, before, "a short one behind it neither");
    }
}
