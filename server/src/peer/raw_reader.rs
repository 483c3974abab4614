//! Chunks of a raw client: text that a pause ends, where lines have no end.

use std::convert::Infallible;
use std::time::Duration;

use super::arrival::Arrival;
use super::feed::{End, Feed};
use super::speaker;
use crate::hub::{RawKind, Speaker};
use crate::protocol::html;

/// Silence after which a raw client is asked for its name.
const PROMPT_AFTER: Duration = Duration::from_millis(300);
/// Quiet that ends a chunk.
const QUIET: Duration = Duration::from_millis(150);
/// Bytes of a chunk.
const CHUNK: usize = 1024;

/// Reads chunks until the peer ends, or has to be ended.
pub(super) async fn read(feed: &Feed) -> Result<Infallible, End> {
    let id = feed.connection.id;
    let mut asked = false;
    let mut bucket = feed.bucket();
    let mut pending = Vec::new();
    let mut told = false;
    loop {
        if pending.is_empty() {
            let take = |bytes: &[u8]| pending.extend_from_slice(bytes);
            if told || asked {
                feed.connection.receive(take).await?;
            } else if feed.connection.receive_within(PROMPT_AFTER, take).await?.is_none() {
                asked = true;
                feed.connection.say(feed.config.raw_prompt.clone());
                continue;
            }
        }
        let (chunk, ended) = chunk(feed, &mut pending).await?;
        if !chunk.is_empty() {
            if !told && let Some(reason) = speaker::foreign(&chunk) {
                return Err(End::Refused(reason));
            }
            let text = String::from_utf8_lossy(&chunk);
            let answer = if told { None } else { Some(raw_kind(&text, asked)) };
            told = true;
            match answer {
                Some((kind, name)) => {
                    let is_message = kind != RawKind::Ascii;
                    let speaker = Speaker::Raw(kind);
                    feed.tell(Arrival::Speaks { id, speaker, name: Some(name.into()) }).await?;
                    if is_message {
                        feed.forward(chunk.into(), &mut bucket).await?;
                    }
                }
                None => feed.forward(chunk.into(), &mut bucket).await?,
            }
        }
        if ended {
            return Err(End::Closed);
        }
    }
}

/// One chunk: to a newline, to [`CHUNK`] bytes or to [`QUIET`], whichever comes
/// first. Also says whether the stream has ended.
async fn chunk(feed: &Feed, pending: &mut Vec<u8>) -> Result<(Vec<u8>, bool), End> {
    let mut ended = pending.is_empty();
    loop {
        let newline = memchr::memchr(b'\n', pending).map(|at| at + 1);
        let end = newline.unwrap_or(usize::MAX).min(CHUNK);
        if end <= pending.len() {
            let end = if newline == Some(end) { end } else { whole_characters(&pending[..end]) };
            let rest = pending.split_off(end);
            return Ok((std::mem::replace(pending, rest), false));
        }
        if ended {
            return Ok((std::mem::take(pending), true));
        }
        let before = pending.len();
        let more = feed.connection.receive_within(QUIET, |bytes| pending.extend_from_slice(bytes)).await?;
        match more {
            None => return Ok((std::mem::take(pending), false)),
            Some(()) => ended = pending.len() == before,
        }
    }
}

/// The last place at which bytes can be cut without cutting a character of UTF-8; their end if they
/// are none.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// The kind of raw client that a first chunk comes from, and the name in it.
fn raw_kind(chunk: &str, asked: bool) -> (RawKind, String) {
    if chunk.to_ascii_lowercase().contains("<font") {
        (RawKind::Html, html::first_tag_text(chunk))
    } else if asked {
        (RawKind::Ascii, chunk.trim().into())
    } else {
        (RawKind::Utf8, String::new())
    }
}
