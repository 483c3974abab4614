//! Lines of IRC programs and of people at terminals, told apart by their first bytes.

use std::convert::Infallible;

use futures_lite::future;

use super::arrival::Arrival;
use super::connection::READ;
use super::feed::{End, Feed};
use super::speaker::{self, Verdict};
use crate::hub::Speaker;
use crate::protocol::line::Framer;

/// Reads lines until the peer ends, or has to be ended.
pub(super) async fn read(feed: &Feed) -> Result<Infallible, End> {
    let mut framer = Framer::default();
    let (speaker, mut framed, mut ended) = {
        let (speaker, first, ended) = Box::pin(tell_apart(feed)).await?;
        (speaker, framer.push(&first), ended)
    };
    feed.tell(Arrival::Speaks { id: feed.connection.id, speaker, name: None }).await?;
    let mut bucket = feed.bucket();
    loop {
        let (block, sound) = framed;
        let step = match block {
            Some(block) => feed.forward(block, &mut bucket),
            None => feed.tell(Arrival::Alive { id: feed.connection.id }),
        };
        step.await?;
        sound.map_err(End::Framing)?;
        if ended {
            break;
        }
        let count;
        (count, framed) = feed.connection.receive(|bytes| (bytes.len(), framer.push(bytes))).await?;
        ended = count == 0;
        if count == READ {
            // There is more: let others have their turn first.
            future::yield_now().await;
        }
    }
    // A person's last line counts without a line end too; half a command does not.
    let rest = framer.take_unfinished();
    if speaker == Speaker::Plain && !rest.is_empty() {
        feed.forward(rest.into(), &mut bucket).await?;
    }
    Err(End::Closed)
}

/// Waits until it is clear what the peer speaks, and asks a silent one for a name.
/// Returns what was read, and whether the stream has ended.
async fn tell_apart(feed: &Feed) -> Result<(Speaker, Vec<u8>, bool), End> {
    let mut read = Vec::new();
    let mut ended = false;
    let mut prompt = feed.config.plain.then_some(feed.config.prompt_after);
    loop {
        match speaker::tell(&read, ended) {
            Verdict::Irc => return Ok((Speaker::Irc, read, ended)),
            Verdict::Plain if feed.config.plain => return Ok((Speaker::Plain, read, ended)),
            Verdict::Plain => return Err(End::Refused("Only IRC is spoken here")),
            Verdict::Refuse(reason) => return Err(End::Refused(reason)),
            Verdict::Unclear if ended => return Err(End::Closed),
            Verdict::Unclear => {}
        }
        let mut take = |bytes: &[u8]| {
            read.extend_from_slice(bytes);
            ended = bytes.is_empty();
        };
        match prompt {
            None => feed.connection.receive(&mut take).await?,
            Some(wait) => {
                if feed.connection.receive_within(wait, &mut take).await?.is_none() && read.is_empty() {
                    prompt = None;
                    let name = &feed.config.hub.name;
                    feed.connection.say(format!(":{name} NOTICE * :Type a nickname and press Enter\r\n"));
                }
            }
        }
    }
}
