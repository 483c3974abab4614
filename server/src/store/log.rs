//! One file of batches: the current segment, a segment that is being rewritten, the rooms.

use std::io;
use std::sync::Arc;

use super::disk::{Disk, DiskFile};
use super::error::StoreError;
use super::frame::{BATCH, BadHeader, Batch, Frame, Frames, HEADER, Header};

/// Bytes of zeros written ahead of the end: an overwritten block needs no change of the file
/// system's own records, which would double what a one-line commit writes.
const AHEAD: u64 = 64 * 1024;
/// Bytes of one write of zeros. Linux keeps a larger write in one piece of its cache, and counts
/// the whole piece as written when a line changes a part.
const PAGE: u64 = 4096;
/// The ending of a file's name until it is whole.
pub(super) const UNFINISHED: &str = ".new";

/// See the [module](self).
#[derive(Debug)]
pub(super) struct LogFile {
    pub(super) name: String,
    pub(super) header: Header,
    file: Arc<dyn DiskFile>,
    /// The place of the next batch: everything before is durable.
    pub(super) end: u64,
    /// The number of the next batch.
    pub(super) batch: u32,
    /// Up to here the file exists; from `end` on it is zeros.
    filled: u64,
    ahead: u64,
}

/// The bytes behind the last whole batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// Zeros, or nothing.
    Clean,
    /// So many bytes of a batch that was not written completely.
    Torn(u64),
}

impl LogFile {
    /// An empty log: its name is durable when this returns, and never that of half a file.
    pub(super) fn create(disk: &dyn Disk, name: &str, header: Header) -> io::Result<LogFile> {
        let log = LogFile::draft(disk, name, header)?;
        log.publish(disk)?;
        Ok(log)
    }

    /// A log that gets its name later, by [`publish`](Self::publish).
    pub(super) fn draft(disk: &dyn Disk, name: &str, header: Header) -> io::Result<LogFile> {
        let file = disk.create(&format!("{name}{UNFINISHED}"))?;
        file.write_at(&header.encode(), 0)?;
        file.sync()?;
        let end = HEADER as u64;
        Ok(LogFile { name: name.to_owned(), header, file, end, batch: 1, filled: end, ahead: AHEAD })
    }

    /// Gives a draft its name.
    pub(super) fn publish(&self, disk: &dyn Disk) -> io::Result<()> {
        disk.rename(&format!("{}{UNFINISHED}", self.name), &self.name)?;
        disk.sync()
    }

    /// Opens a log; nothing behind the header is looked at.
    pub(super) fn open(disk: &dyn Disk, name: &str) -> Result<LogFile, StoreError> {
        let failed = |error| StoreError::Io { path: disk.path(name), error };
        let file = disk.open(name).map_err(failed)?;
        let mut bytes = [0; HEADER];
        let count = file.read_at(&mut bytes, 0).map_err(failed)?;
        let header = Header::decode(&bytes[..count]).map_err(|bad| match bad {
            BadHeader::Foreign => StoreError::Foreign { file: disk.path(name) },
            BadHeader::Damaged => StoreError::damaged(disk, name, "its first bytes are not what was written"),
        })?;
        let filled = file.len().map_err(failed)?;
        let end = HEADER as u64;
        Ok(LogFile { name: name.to_owned(), header, file, end, batch: 1, filled, ahead: AHEAD })
    }

    /// Whether somebody has removed or replaced the file.
    pub(super) fn is_removed(&self) -> io::Result<bool> {
        self.file.is_removed()
    }

    /// Bytes of the file.
    pub(super) fn len(&self) -> u64 {
        self.filled
    }

    /// Reads every batch from `end` on, which moves; each whole frame is shown with its offset.
    ///
    /// A batch that is not whole, with none behind it, is the tail; else the file is damaged.
    pub(super) fn scan(
        &mut self,
        disk: &dyn Disk,
        mut visit: impl FnMut(u64, &Frame<'_>) -> Result<(), StoreError>,
    ) -> Result<Tail, StoreError> {
        let file = self.file.clone();
        let failed = |error| StoreError::Io { path: disk.path(&self.name), error };
        let salt = self.header.salt;
        let mut window = Window { file: &*file, bytes: Vec::new(), start: 0 };
        loop {
            let head = window.get(self.end, BATCH).map_err(failed)?;
            let Some(batch) = Batch::decode(head, salt, self.end) else { break };
            let (start, len) = (self.end + BATCH as u64, batch.len as usize);
            if batch.number != self.batch || start + len as u64 > self.filled {
                break;
            }
            let bytes = window.get(start, len).map_err(failed)?;
            let frames: Result<Vec<_>, u64> = Frames::new(bytes, salt, start).collect();
            let Some(frames) = frames.ok().filter(|_| bytes.len() == len) else { break };
            for (offset, frame) in &frames {
                visit(*offset, frame)?;
            }
            self.end = start + len as u64;
            self.batch += 1;
        }
        let mut rest = vec![0; self.filled.saturating_sub(self.end) as usize];
        let count = file.read_at(&mut rest, self.end).map_err(failed)?;
        rest.truncate(count);
        // The batch at `end` itself may stand there, torn.
        if Batch::is_in(rest.get(1..).unwrap_or_default(), salt, self.end + 1) {
            return Err(StoreError::torn(disk, &self.name, self.end));
        }
        let torn = rest.iter().rposition(|&byte| byte != 0).map_or(0, |last| last as u64 + 1);
        Ok(if torn == 0 { Tail::Clean } else { Tail::Torn(torn) })
    }

    /// Reads what is whole in a damaged file, all of which comes into memory; each whole frame is
    /// shown with its offset. The end moves behind the last of them.
    pub(super) fn salvage(
        &mut self,
        disk: &dyn Disk,
        mut visit: impl FnMut(u64, &Frame<'_>),
    ) -> Result<(), StoreError> {
        let mut bytes = vec![0; self.filled.saturating_sub(HEADER as u64) as usize];
        let failed = |error| StoreError::Io { path: disk.path(&self.name), error };
        let count = self.file.read_at(&mut bytes, HEADER as u64).map_err(failed)?;
        bytes.truncate(count);
        self.end = HEADER as u64;
        for (offset, frame) in Frames::new(&bytes, self.header.salt, HEADER as u64).flatten() {
            visit(offset, &frame);
            self.end = offset + frame.size() as u64;
        }
        Ok(())
    }

    /// Starts a batch: frames are encoded behind what this returns.
    pub(super) fn start_batch(&self, buffer: &mut Vec<u8>) {
        buffer.clear();
        buffer.resize(BATCH, 0);
    }

    /// Writes a batch and makes it durable. After an error nothing of it is in the log, and it may
    /// be tried again.
    pub(super) fn append(&mut self, batch: &mut [u8]) -> io::Result<()> {
        let len = batch.len() as u64;
        if let Some((head, frames)) = batch.split_first_chunk_mut::<BATCH>() {
            // A batch is a few MiB at most.
            *head = Batch { number: self.batch, len: frames.len() as u32 }.encode(self.header.salt, self.end);
        }
        let written = self.file.write_at(batch, self.end).and_then(|()| {
            self.fill(self.end + len);
            self.file.sync()
        });
        match written {
            Ok(()) => {
                self.end += len;
                self.batch += 1;
            }
            // What stands behind the end is not read as a batch even if this fails: the next
            // attempt starts at the same place.
            Err(_) => drop(self.cut()),
        }
        written
    }

    /// Writes zeros ahead, if the next lines would need them. A full disk is no error yet.
    fn fill(&mut self, end: u64) {
        if end <= self.filled || self.ahead == 0 {
            self.filled = self.filled.max(end);
            return;
        }
        let zeros = [0; PAGE as usize];
        let goal = (end + self.ahead).next_multiple_of(PAGE);
        self.filled = end;
        while self.filled < goal {
            let size = PAGE - self.filled % PAGE;
            if self.file.write_at(&zeros[..size as usize], self.filled).is_err() {
                return;
            }
            self.filled += size;
        }
    }

    /// Cuts off everything behind the last whole batch, durably.
    pub(super) fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.end)?;
        self.filled = self.end;
        self.file.sync()
    }

    /// No zeros are written ahead from now on.
    pub(super) fn without_zeros(mut self) -> LogFile {
        self.ahead = 0;
        self
    }
}

/// Bytes read at once in a scan.
const WINDOW: usize = 256 * 1024;

/// A file read from front to back in large pieces.
struct Window<'a> {
    file: &'a dyn DiskFile,
    bytes: Vec<u8>,
    /// The place of `bytes` in the file.
    start: u64,
}

impl Window<'_> {
    /// `len` bytes from `offset` on, fewer where the file ends.
    fn get(&mut self, offset: u64, len: usize) -> io::Result<&[u8]> {
        let inside = offset >= self.start && offset + len as u64 <= self.start + self.bytes.len() as u64;
        if !inside {
            self.bytes.resize(len.max(WINDOW), 0);
            let count = self.file.read_at(&mut self.bytes, offset)?;
            self.bytes.truncate(count);
            self.start = offset;
        }
        let rest = self.bytes.get((offset - self.start) as usize..).unwrap_or_default();
        Ok(rest.get(..len).unwrap_or(rest))
    }
}
