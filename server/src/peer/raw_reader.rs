//! A raw client's messages, which often have no end but silence.

use std::convert::Infallible;
use std::time::Duration;

use futures_lite::future;

use super::connection::READ;
use super::decoder::Decoder;
use super::feed::{End, Feed};
use super::first_chunk::{self, First};
use super::request_line::{RequestLine, request_line};
use super::speaker;
use super::splitter::Splitter;
use crate::charset::READABLE;
use crate::hub::{News, RawKind, SERVER, Speaker};
use crate::protocol::line::{MAX_BODY, MAX_UNFINISHED};

/// Silence after which a raw client is asked for its name.
const PROMPT_AFTER: Duration = Duration::from_millis(300);
/// Time in which a program answers that; people take longer.
const ANSWER: Duration = Duration::from_secs(1);
/// Quiet that ends a message.
const QUIET: Duration = Duration::from_millis(150);
/// The same in the middle of a character.
const PATIENCE: Duration = Duration::from_secs(1);
/// The same in the middle of what is likely a browser's first line.
pub(super) const LIKELY_HTTP: Duration = Duration::from_secs(5);
/// To somebody whose bytes are no text that is known here.
const UNREADABLE: &str = "Your text is not UTF-8 and was not sent; set your program to UTF-8";
/// To an IRC program that came to the wrong address.
const IRC_ELSEWHERE: &str =
    "This address is for programs without IRC; ask for the server's other one (--bind)";
/// Bytes that are enough to make text of.
const MUCH: usize = MAX_BODY;
/// Bytes that are enough to tell a client's kind: more than a browser has in front of its target.
const ENOUGH: usize = MAX_UNFINISHED;

/// The end of waiting for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    Bytes,
    Quiet,
    End,
}

/// Reads messages until the peer ends, or has to be ended.
pub(super) async fn read(feed: &Feed) -> Result<Infallible, End> {
    let mut reader = RawReader::new(feed);
    let mut answers = false;
    let (mut came, mut asked) = (Came::Bytes, feed.config.raw_prompt.as_ref());
    if asked.is_some() {
        came = reader.more(Some(PROMPT_AFTER)).await;
    }
    if let (Came::Quiet, Some(prompt)) = (came, asked.take()) {
        feed.connection.say(prompt.clone());
        came = reader.more(Some(ANSWER)).await;
        answers = came == Came::Bytes;
    }
    if reader.bytes.is_empty() && came != Came::End {
        came = reader.more(None).await;
    }
    reader.run(came, answers).await
}

/// The same for a peer whose first bytes were read to tell it apart.
pub(super) async fn go_on(feed: &Feed, read: Vec<u8>, came: Came) -> Result<Infallible, End> {
    let mut reader = RawReader::new(feed);
    reader.first_line = Some(read.clone());
    reader.bytes = read;
    reader.run(came, false).await
}

/// A raw client's bytes, on their way to the hub.
struct RawReader<'a> {
    feed: &'a Feed,
    /// Bytes that are no text yet; fewer than two reads bring.
    bytes: Vec<u8>,
    /// Text that is no message yet.
    text: String,
    decoder: Decoder,
    /// The kind of program, and the ends of its messages, once the first chunk has told.
    known: Option<(RawKind, Splitter)>,
    /// The first line, until it has ended: it may still turn out to be a browser's.
    first_line: Option<Vec<u8>>,
    /// It was told that it cannot be read.
    told: bool,
}

impl RawReader<'_> {
    fn new(feed: &Feed) -> RawReader<'_> {
        RawReader {
            feed,
            bytes: Vec::new(),
            text: String::new(),
            decoder: Decoder::new(feed.config.raw_encoding),
            known: None,
            first_line: Some(Vec::new()),
            told: false,
        }
    }

    /// `answers`: what has come is a program's answer to the prompt.
    async fn run(&mut self, mut came: Came, mut answers: bool) -> Result<Infallible, End> {
        loop {
            let whole = came != Came::Bytes;
            self.check()?;
            self.decode(whole, came == Came::End);
            let enough = self.text.len() >= ENOUGH || self.text.trim_start().contains('\n');
            if self.known.is_none() && (whole || enough) {
                self.judge(std::mem::take(&mut answers)).await?;
            }
            self.forward(whole).await?;
            if came == Came::End {
                return Err(End::Closed);
            }
            // Half a character that quiet has not completed waits for the rest alone.
            let nothing = self.bytes.is_empty() && self.text.is_empty();
            if nothing {
                (self.bytes, self.text) = Default::default();
            }
            let quiet = match &self.first_line {
                Some(line) if self.known.is_none() && request_line(line) == RequestLine::Likely => {
                    LIKELY_HTTP
                }
                _ if self.decoder.expects_more(&self.bytes) => PATIENCE,
                _ => QUIET,
            };
            came = self.more((!whole && !nothing).then_some(quiet)).await;
        }
    }

    /// Waits for more, at most so long.
    async fn more(&mut self, within: Option<Duration>) -> Came {
        let (bytes, first_line) = (&mut self.bytes, &mut self.first_line);
        let take = |more: &[u8]| {
            bytes.extend_from_slice(more);
            if let Some(line) = first_line {
                line.extend_from_slice(&more[..more.len().min(MAX_UNFINISHED + 1)]);
            }
            more.len()
        };
        let connection = &self.feed.connection;
        let count = match within {
            None => connection.receive(take).await.map(Some),
            Some(within) => connection.receive_within(within, take).await,
        };
        match count {
            Ok(None) => Came::Quiet,
            // What came before a connection broke was said all the same.
            Ok(Some(0)) | Err(_) => Came::End,
            Ok(Some(count)) => {
                if count == READ {
                    // There is more: let others have their turn first.
                    future::yield_now().await;
                }
                Came::Bytes
            }
        }
    }

    /// Refuses what is no chat program. A browser may send its request in pieces.
    fn check(&mut self) -> Result<(), End> {
        let Some(first) = &mut self.first_line else { return Ok(()) };
        if self.text.is_empty() && self.known.is_none() {
            speaker::strip_mark(&mut self.bytes);
            speaker::strip_mark(first);
        }
        let (line, asked) = (first.trim_ascii_start(), request_line(first));
        let foreign = speaker::foreign(line).filter(|_| self.known.is_none());
        if let Some(reason) = foreign.or((asked == RequestLine::Yes).then_some(speaker::HTTP)) {
            return Err(End::Refused(reason));
        }
        let most = if self.known.is_some() && asked == RequestLine::No { MAX_BODY } else { MAX_UNFINISHED };
        if first.len() > most || line.contains(&b'\n') {
            self.first_line = None;
        }
        Ok(())
    }

    /// Makes text of what has come: whole lines, all before silence, or many bytes.
    fn decode(&mut self, whole: bool, end: bool) {
        let lines = memchr::memrchr(b'\n', &self.bytes).map(|at| at + 1);
        let ready = match lines {
            Some(lines) if !whole => lines,
            None if !whole && self.bytes.len() < MUCH => return,
            _ => self.bytes.len(),
        };
        let rest = self.bytes.split_off(ready);
        let before = self.decoder.guessed();
        let read = self.decoder.take(&mut self.bytes, whole || lines.is_some(), end);
        self.told &= read.is_empty();
        self.text += &read;
        self.bytes.extend(rest);
        if self.decoder.take_unreadable() && !std::mem::replace(&mut self.told, true) {
            self.feed.connection.say(format!("{SERVER}: {UNREADABLE}.\n"));
            let peer = self.feed.connection.peer();
            log::warn!(
                "the text of {peer} was not read: it is none of {READABLE}; --raw-encoding says what it is"
            );
        }
        if before.is_none()
            && let Some(charset) = self.decoder.guessed()
        {
            let peer = self.feed.connection.peer();
            log::warn!(
                "the text of {peer} is not UTF-8 and read as {charset}; --raw-encoding says what it is"
            );
        }
        if let Some((kind, _)) = self.known {
            self.write_as(kind);
        }
    }

    fn write_as(&self, kind: RawKind) {
        self.feed.connection.write_raw(self.decoder.writes(kind == RawKind::Prompted));
    }

    /// Finds out who this is.
    async fn judge(&mut self, answers: bool) -> Result<(), End> {
        let line = self.text.trim_start().lines().next().unwrap_or_default();
        if !speaker::is_text(line.as_bytes()) {
            return Err(End::Refused(speaker::NO_CHAT));
        }
        if speaker::registers(&self.text) {
            self.feed.connection.say(format!("ERROR :{IRC_ELSEWHERE}\r\n"));
            return Err(End::Refused(
                "An IRC program at the address of --raw-bind; that of --bind is for it",
            ));
        }
        let (kind, name, said) = match first_chunk::judge(&self.text, answers) {
            First::Nothing => {
                self.text.clear();
                return Ok(());
            }
            First::Leaves => return Err(End::Closed),
            First::Speaks { kind, name, said } => (kind, name, said.to_owned()),
        };
        self.write_as(kind);
        self.known = Some((kind, Splitter::new(kind, name.as_deref())));
        self.text = said;
        self.feed.tell(News::Speaks(Speaker::Raw(kind), name.map(String::into))).await
    }

    /// Hands messages to the hub that have ended, each as a line.
    async fn forward(&mut self, whole: bool) -> Result<(), End> {
        let Some((_, splitter)) = &mut self.known else { return Ok(()) };
        let (messages, used) = splitter.split(&self.text, whole);
        let block: String = messages.iter().flat_map(|message| [message, "\n"]).collect();
        self.text.drain(..used);
        if block.is_empty() {
            return Ok(());
        }
        self.feed.forward(block.into_bytes().into()).await
    }
}
