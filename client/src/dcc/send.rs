//! A file that goes: bytes from disk, and word of how many arrived.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_channel::Receiver;
use futures_lite::FutureExt;

use super::link::{Link, Pace, Tell, Way, Woken, stopped};
use super::{Failure, LISTENS, News};
use crate::file_name::clean;
use crate::within::within;

/// Bytes of a write.
const AT_ONCE: usize = 64 << 10;

/// A file of this computer that somebody is to have.
#[derive(Debug)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// What it is called there.
    pub name: String,
    /// Bytes.
    pub size: u64,
    file: File,
}

impl Source {
    /// Opens it. A disk may take its time: not on the window's thread.
    pub fn open(path: &Path) -> Result<Source, Failure> {
        // Asked before it is opened: opening a pipe waits for its other end.
        let meta = fs::metadata(path).map_err(|error| Failure::reading(&error))?;
        if !meta.is_file() {
            return Err(Failure::NotAFile);
        }
        if meta.len() == 0 {
            return Err(Failure::Empty);
        }
        let file = File::open(path).map_err(|error| Failure::reading(&error))?;
        let name = clean(&path.file_name().unwrap_or_default().to_string_lossy());
        let name = if name.is_empty() { "file".to_owned() } else { name };
        Ok(Source { path: path.to_owned(), name, size: meta.len(), file })
    }
}

/// What is to be sent.
#[derive(Debug)]
pub(super) struct Send {
    pub(super) source: Source,
    /// How the two meet: known at once, or when the other one has told where to call.
    pub(super) way: Receiver<Way>,
    /// Bytes that the other one has already, as long as nothing was sent.
    pub(super) position: Arc<AtomicU64>,
    /// See [`stopped`].
    pub(super) stop: Receiver<()>,
}

/// Runs until it is there, or does not get there.
pub(super) fn run(send: &mut Send, tell: &Tell) {
    let Send { source, way, position, stop } = send;
    smol::block_on(async {
        let stop = async {
            stopped(stop).await;
            Err(Failure::Cancelled)
        };
        let give = async {
            let way = within(LISTENS, way.recv()).await.and_then(Result::ok).ok_or(Failure::NobodyCame)?;
            let mut link = way.meet(Failure::NobodyCame).await?;
            let from = position.load(Ordering::Acquire);
            tell.met(from).await;
            give(&mut link, source, from, tell).await
        };
        let news = match stop.or(give).await {
            Ok(()) => News::Done { path: None },
            Err(why) => News::Failed { why, kept: false },
        };
        tell.say(news).await;
    });
}

async fn give(link: &mut Link, source: &mut Source, from: u64, tell: &Tell) -> Result<(), Failure> {
    let size = source.size;
    source.file.seek(SeekFrom::Start(from)).map_err(|error| Failure::reading(&error))?;
    let (mut buffer, mut to_write) = (vec![0; AT_ONCE], 0..0);
    let (mut read, mut pace) = (from, Pace::new(from));
    let (mut came, mut receipts) = ([0; 512], Receipts::default());
    loop {
        if to_write.is_empty() && read < size {
            // Not a byte more than was offered, should it have grown.
            let most = AT_ONCE.min(usize::try_from(size - read).unwrap_or(AT_ONCE));
            let count = source.file.read(buffer.get_mut(..most).unwrap_or_default());
            let count = count.map_err(|error| Failure::reading(&error))?;
            if count == 0 {
                return Err(Failure::Shrunk);
            }
            (read, to_write) = (read + count as u64, 0..count);
        }
        let all_out = to_write.is_empty() && read >= size;
        if all_out && receipts.last == Some(size as u32) {
            return Ok(());
        }
        match link.woken(&mut came, buffer.get(to_write.clone()).unwrap_or_default()).await {
            Woken::Wrote(Ok(count)) if count > 0 => {
                to_write.start += count;
                pace.at(read - to_write.len() as u64, tell);
            }
            // Who hangs up after all is out has it, unless it said that it has less. Some never say how much they have,
            // and some count from where it was gone on with.
            Woken::Read(Ok(0)) if all_out && receipts.may_be_all(size, from) => return Ok(()),
            Woken::Read(Ok(count)) if count > 0 => receipts.hear(came.get(..count).unwrap_or_default()),
            Woken::Stalled => return Err(Failure::Stalled),
            Woken::Read(_) | Woken::Wrote(_) => return Err(Failure::Broken),
        }
    }
}

/// What the receiver says that it has.
#[derive(Default)]
struct Receipts {
    /// The lower four bytes of the last number.
    last: Option<u32>,
    bytes: [u8; 4],
    count: usize,
}

impl Receipts {
    fn hear(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.bytes.rotate_left(1);
            self.bytes[3] = *byte; // of four
            self.count += 1;
            if self.count == 4 {
                self.last = Some(u32::from_be_bytes(self.bytes));
                self.count = 0;
            }
        }
    }

    fn may_be_all(&self, size: u64, from: u64) -> bool {
        self.last.is_none_or(|last| last == size as u32 || last == (size - from) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_are_read_however_they_are_cut() {
        let mut receipts = Receipts::default();
        assert!(receipts.may_be_all(9, 0), "it never said");
        receipts.hear(&[0, 0]);
        receipts.hear(&[0, 4, 0]);
        assert_eq!(receipts.last, Some(4));
        assert!(!receipts.may_be_all(9, 0) && receipts.may_be_all(9, 5));
        receipts.hear(&[0, 0, 9]);
        assert!(receipts.may_be_all(9, 0) && receipts.may_be_all((1 << 32) + 9, 0));
    }

    #[test]
    fn only_files_are_sent() {
        let folder = std::env::temp_dir();
        assert_eq!(Source::open(&folder).unwrap_err(), Failure::NotAFile);
        assert!(matches!(Source::open(&folder.join("no/such")), Err(Failure::NotReadable { .. })));
        assert_eq!(Source::open(Path::new("/dev/null")).unwrap_err(), Failure::NotAFile);
    }
}
