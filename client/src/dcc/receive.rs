//! A file that comes: bytes to disk, and word back of how many there are.

use std::path::PathBuf;
use std::time::Duration;

use async_channel::Receiver;
use futures_lite::{AsyncReadExt, AsyncWriteExt, FutureExt};

use super::link::{Link, Pace, Tell, Way, Woken, stopped};
use super::part::Part;
use super::{AGREES, Failure, News};
use crate::within::within;

/// Bytes of a read.
const AT_ONCE: usize = 64 << 10;
/// How long a sender has to hang up, and to show that it has more than it offered.
const ENDS: Duration = Duration::from_secs(1);

/// What is to be received.
#[derive(Debug)]
pub(super) struct Receive {
    pub(super) folder: PathBuf,
    /// A [clean](crate::file_name::clean) one.
    pub(super) name: String,
    pub(super) size: u64,
    /// Bytes that are there already, of one that broke.
    pub(super) begun: u64,
    /// From where on, and how the two meet: once both have agreed.
    pub(super) agreed: Receiver<(u64, Way)>,
    /// See [`stopped`].
    pub(super) stop: Receiver<()>,
}

/// Runs until it is there, or is not to be had.
pub(super) fn run(receive: &Receive, tell: &Tell) {
    let mut part = None;
    let ended = smol::block_on(async {
        let stop = async { Err((Failure::Cancelled, stopped(&receive.stop).await)) };
        let fetch = async { fetch(receive, &mut part, tell).await.map_err(|failure| (failure, false)) };
        stop.or(fetch).await
    });
    let news = match (ended, part) {
        (Ok(()), Some(part)) => match part.finish() {
            Ok(path) => News::Done { path: Some(path) },
            Err(error) => News::Failed { why: Failure::writing(&error), kept: false },
        },
        (Ok(()), None) => News::Done { path: None },
        (Err((why, unwanted)), part) => {
            // What is not what was offered is of no use.
            let useless = |part: &mut Part| unwanted || why == Failure::TooMuch || part.is_empty();
            let mut part = part;
            part.take_if(useless).into_iter().for_each(Part::discard);
            News::Failed { why, kept: part.is_some() }
        }
    };
    smol::block_on(tell.say(news));
}

async fn fetch(receive: &Receive, part: &mut Option<Part>, tell: &Tell) -> Result<(), Failure> {
    let Receive { folder, name, size, begun, agreed, .. } = receive;
    let agree = within(AGREES, agreed.recv()).await.and_then(Result::ok);
    let (position, way) = agree.ok_or(Failure::NotAgreed)?;
    // To agree is to name the place that was asked for: at an earlier one, what has come would be lost.
    if position != *begun {
        return Err(Failure::NotAgreed);
    }
    // A file that cannot be written is found out before anybody is called.
    let opened =
        if *begun == 0 { Part::create(folder, name) } else { Part::go_on(folder, name, *begun, *size) };
    let part = part.insert(opened.map_err(|error| Failure::writing(&error))?);
    let mut link = way.meet(Failure::SenderNeverCame).await?;
    tell.met(*begun).await;
    take(&mut link, part, *begun, *size, tell).await
}

async fn take(link: &mut Link, part: &mut Part, from: u64, size: u64, tell: &Tell) -> Result<(), Failure> {
    let mut buffer = vec![0; AT_ONCE];
    let (mut done, mut receipt, mut pace) = (from, Receipt::default(), Pace::new(from));
    while done < size {
        match link.woken(&mut buffer, receipt.left()).await {
            Woken::Read(Ok(0) | Err(_)) => return Err(Failure::Broken),
            Woken::Read(Ok(count)) => {
                let came = buffer.get(..count).unwrap_or_default();
                if came.len() as u64 > size - done {
                    return Err(Failure::TooMuch);
                }
                part.write(came).map_err(|error| Failure::writing(&error))?;
                done += came.len() as u64;
                receipt.say(done);
                pace.at(done, tell);
            }
            Woken::Wrote(Ok(count)) => receipt.sent(count),
            // It does not want to know; the rest may come all the same.
            Woken::Wrote(Err(_)) => receipt = Receipt::deaf(),
            Woken::Stalled => return Err(Failure::Stalled),
        }
    }
    receipt.say(done);
    let last = async {
        while let left @ [_, ..] = receipt.left() {
            match link.writer.write(left).await {
                Ok(count) if count > 0 => receipt.sent(count),
                _ => break,
            }
        }
        // A sender hangs up when it knows that all is there.
        link.reader.read(&mut buffer).await.unwrap_or(0) > 0
    };
    let more = within(ENDS, last).await.unwrap_or(false);
    if more { Err(Failure::TooMuch) } else { Ok(()) }
}

/// Tells the sender how many bytes are there: the lower four bytes of the number, big endian; the newest number is enough.
#[derive(Default)]
struct Receipt {
    bytes: [u8; 4],
    left: usize,
    next: Option<[u8; 4]>,
    deaf: bool,
}

impl Receipt {
    fn deaf() -> Receipt {
        Receipt { deaf: true, ..Receipt::default() }
    }

    fn say(&mut self, done: u64) {
        let bytes = (done as u32).to_be_bytes();
        match self.left {
            _ if self.deaf => {}
            0 | 4 => (self.bytes, self.left) = (bytes, 4),
            // Half of one is out.
            _ => self.next = Some(bytes),
        }
    }

    fn left(&self) -> &[u8] {
        self.bytes.get(4 - self.left..).unwrap_or_default()
    }

    fn sent(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
        if self.left == 0
            && let Some(next) = self.next.take()
        {
            (self.bytes, self.left) = (next, 4);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_receipt_is_followed_by_its_other_half() {
        let mut receipt = Receipt::default();
        assert!(receipt.left().is_empty());
        receipt.say(1);
        receipt.say(0x1_0203_0405);
        assert_eq!(receipt.left(), [2, 3, 4, 5]);
        receipt.sent(1);
        receipt.say(7);
        receipt.say(8);
        assert_eq!(receipt.left(), [3, 4, 5]);
        receipt.sent(3);
        assert_eq!(receipt.left(), [0, 0, 0, 8]);
        receipt.sent(4);
        assert!(receipt.left().is_empty());
        let mut deaf = Receipt::deaf();
        deaf.say(9);
        assert!(deaf.left().is_empty());
    }
}
