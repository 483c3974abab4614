//! The store without its threads, for a server that is stopped: a room as a whole.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec;

use super::disk::Folder;
use super::error::StoreError;
use super::index::{Filter, Index};
use super::readers::{Files, each, kept};
use super::{Options, load};
use crate::hub::history::{Edge, Kept, Range};
use crate::protocol::time::UnixMillis;

/// The records of a room for `server --export`, oldest first; the server has to be stopped.
///
/// Changes nothing in the history and starts no thread. What is damaged is left out: the first
/// place in each file is an error among the records, behind which they go on.
#[derive(Debug)]
pub struct Export {
    disk: Folder,
    index: Index,
    room: u32,
    name: Arc<str>,
    wanted: Filter,
    records: u64,
    known: bool,
    ready: vec::IntoIter<Result<Kept, StoreError>>,
    /// Files whose damage was said.
    damaged: HashSet<PathBuf>,
    ended: bool,
}

impl Export {
    /// Opens the store in `folder` for the records of `room` (folded) from `since_ms` on, as far
    /// as `options` keep them. A room that nothing is known of is empty.
    pub fn open(folder: &Path, options: Options, room: &str, since_ms: u64) -> Result<Export, StoreError> {
        let disk = Folder::new(folder);
        let (index, damage) = load::look(&disk, &options)?;
        // The server trusts no clock that leapt, and an hour later it does; whoever asks now means this one.
        let now = options.now_ms;
        let floor = index.floor(options.retention.oldest(now), now);
        let number = index.number(room);
        let records = number.map_or(0, |number| index.count(number, floor));
        let since = since_ms.checked_sub(1).map_or(Edge::Open, |before| Edge::Time(UnixMillis(before)));
        Ok(Export {
            disk,
            index,
            room: number.unwrap_or_default(),
            name: room.into(),
            wanted: Filter { range: Range { after: since, ..Range::ALL }, floor },
            records,
            known: number.is_some(),
            ready: damage.into_iter().map(Err).collect::<Vec<_>>().into_iter(),
            damaged: HashSet::new(),
            ended: number.is_none(),
        })
    }

    /// Whether anything is known of the room.
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// The folded names of all rooms that are known, sorted.
    pub fn rooms(&self) -> Vec<Arc<str>> {
        self.index.names()
    }

    /// Records that will come at most, for a progress line.
    pub fn records(&self) -> u64 {
        self.records
    }

    fn read_on(&mut self) -> Result<(), StoreError> {
        let rooms = [self.room];
        let (spans, complete) = self.index.plan(&rooms, &self.wanted, (false, true), (1, 1));
        self.ended = complete;
        let (mut found, erased) = (Vec::new(), self.index.erased());
        for span in &spans {
            let bytes = Files::new(&self.disk).read(span)?;
            let damage = each(&self.disk, span, &bytes, &rooms, &self.wanted, |frame| {
                found.push(Ok(kept(&self.name, frame, &erased)));
            });
            found.extend(damage.map(Err));
            self.wanted.leave_out(span.last);
        }
        self.ready = found.into_iter();
        Ok(())
    }
}

impl Iterator for Export {
    type Item = Result<Kept, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.ready.next() {
                Some(Err(StoreError::Damaged { file, .. })) if !self.damaged.insert(file.clone()) => continue,
                Some(next) => return Some(next),
                None => {}
            }
            if self.ended {
                return None;
            }
            if let Err(error) = self.read_on() {
                self.ended = true;
                return Some(Err(error));
            }
        }
    }
}
