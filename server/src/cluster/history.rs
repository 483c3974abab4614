//! What this server knows of the log: enough to put it back where the engine has lost it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::reply::Reply;
use super::words::Words;
use crate::protocol::Position;

/// Bytes of entries at most, besides the snapshot before them.
const MAX_BYTES: usize = 64 << 20;
/// Entries that are read at once: with [`MAX_ENTRY`](super::MAX_ENTRY), fewer bytes than a reply may have.
pub(super) const COUNT: &str = "200";
/// Bytes of entries at most that are kept although the snapshot is later: another server may not have read them.
const BEHIND: usize = 512 << 10;
/// What an entry takes besides its bytes.
const OVERHEAD: usize = 160;
/// Numbers of fenced servers at most; the first go first.
const MAX_FENCED: usize = 1000;

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub at: Position,
    /// The server that has appended it.
    pub server: u32,
    /// What it was given.
    pub bytes: Arc<[u8]>,
}

/// An entry with what only the engine's side of it needs.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) entry: Entry,
    /// The place of the entry before it.
    pub(super) before: Position,
    /// Counts what its server has appended; 0 for what is not counted.
    pub(super) sequence: u64,
    /// The server whose lease it ends; 0 for none.
    pub(super) fences: u32,
}

impl Kept {
    /// Appends it to a command, as the script puts it back.
    pub(super) fn say(&self, words: &mut Words) {
        let Kept { entry, before, sequence, fences } = self;
        words.place(entry.at).number(entry.server.into()).number(*sequence).place(*before);
        words.add(&entry.bytes).number((*fences).into());
    }

    /// Bytes of memory.
    fn size(&self) -> usize {
        self.entry.bytes.len() + OVERHEAD
    }
}

/// What was read is not what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Differs;

/// The latest snapshot that this server has, every entry since, and some before it. The hub makes a snapshot after 10,000
/// entries or 4 MB at the latest; where it does not, the snapshot is forgotten with the oldest entries once they have 64 MB.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The state right after a place.
    pub(super) snapshot: Option<(Position, Arc<[u8]>)>,
    kept: VecDeque<Kept>,
    bytes: usize,
    /// The place of the last entry that was read.
    pub(super) last: Position,
    /// Servers whose lease an entry has ended.
    pub(super) fenced: Vec<u32>,
    /// The highest number of a server that was seen.
    pub(super) highest: u32,
}

impl History {
    /// Begins with this snapshot.
    pub(super) fn begin(&mut self, at: Position, snapshot: Arc<[u8]>) {
        self.last = at;
        self.snapshot = Some((at, snapshot));
    }

    /// Takes over a snapshot, if it is later than the one that is there.
    pub(super) fn take_snapshot(&mut self, at: Position, snapshot: Arc<[u8]>) {
        if self.snapshot.as_ref().is_none_or(|(there, _)| *there < at) && at <= self.last {
            self.snapshot = Some((at, snapshot));
            let behind = self.kept.partition_point(|kept| kept.entry.at <= at);
            let mut bytes: usize = self.kept.iter().take(behind).map(Kept::size).sum();
            while bytes > BEHIND {
                bytes -= self.forget_first().map_or(bytes, |kept| kept.size());
            }
        }
    }

    /// The place from which on every entry is there.
    pub(super) fn first(&self) -> Position {
        self.kept.front().map_or(self.last, |kept| kept.before)
    }

    /// Takes over what was read, in order.
    pub(super) fn take(&mut self, kept: Kept) -> Result<(), Differs> {
        if kept.before != self.last || kept.entry.at <= self.last {
            return Err(Differs);
        }
        self.last = kept.entry.at;
        self.highest = self.highest.max(kept.entry.server);
        if kept.fences > 0 {
            self.fenced.push(kept.fences);
            if self.fenced.len() > MAX_FENCED {
                self.fenced.remove(0);
            }
        }
        self.bytes += kept.size();
        self.kept.push_back(kept);
        while self.bytes > MAX_BYTES
            && let Some(first) = self.forget_first()
        {
            self.snapshot.take_if(|(at, _)| *at < first.entry.at);
        }
        Ok(())
    }

    fn forget_first(&mut self) -> Option<Kept> {
        let first = self.kept.pop_front()?;
        self.bytes -= first.size();
        Some(first)
    }

    /// The entries after a place.
    pub(super) fn after(&self, place: Position) -> Vec<Kept> {
        self.kept.iter().skip_while(|kept| kept.entry.at <= place).cloned().collect()
    }
}

/// Reads the entries that XREAD gives of one stream; none if it waited in vain, `None` if one is none of ours.
pub(super) fn entries(reply: &Reply) -> Option<Vec<Kept>> {
    let [_, entries] = reply.list().first().map(Reply::list).unwrap_or_default() else {
        return Some(Vec::new());
    };
    entries.list().iter().map(entry).collect()
}

/// Reads an entry as the engine gives it: its id, then names and values; `None` if it is none of ours.
fn entry(reply: &Reply) -> Option<Kept> {
    let [id, fields] = reply.list() else { return None };
    let mut kept = Kept {
        entry: Entry { at: Position::parse(id.text())?, server: 0, bytes: Arc::default() },
        before: Position::default(),
        sequence: 0,
        fences: 0,
    };
    let number = |value: &Reply| u32::try_from(value.number()).ok();
    for field in fields.list().chunks_exact(2) {
        let [name, value] = field else { continue };
        match name.text() {
            b"s" => kept.entry.server = number(value)?,
            b"q" => kept.sequence = value.number(),
            b"p" => kept.before = Position::parse(value.text())?,
            b"e" => kept.entry.bytes = value.text().into(),
            b"f" => kept.fences = number(value)?,
            _ => {}
        }
    }
    (kept.entry.server > 0).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(count: u64) -> Position {
        Position { millis: 1, count }
    }

    fn kept(before: u64, at: u64, bytes: usize) -> Kept {
        let entry = Entry { at: place(at), server: 3, bytes: vec![0; bytes].into() };
        Kept { entry, before: place(before), sequence: at, fences: 0 }
    }

    fn begun() -> History {
        let mut history = History::default();
        history.begin(place(1), Arc::from(*b"state"));
        history
    }

    #[test]
    fn only_what_follows_is_taken() {
        let mut history = begun();
        assert_eq!(history.take(kept(1, 5, 1)), Ok(()));
        for wrong in [kept(1, 6, 1), kept(4, 6, 1), kept(5, 5, 1), kept(5, 4, 1)] {
            assert_eq!(history.take(wrong), Err(Differs));
        }
        assert_eq!(history.take(kept(5, 6, 1)), Ok(()));
        assert_eq!((history.last, history.highest), (place(6), 3));
        assert_eq!(history.after(place(1)).len(), 2);
        assert_eq!(history.after(place(5)).len(), 1);
    }

    #[test]
    fn a_later_snapshot_takes_the_place_of_an_earlier_one() {
        let mut history = begun();
        for at in 2..=5 {
            history.take(kept(at - 1, at, 1)).unwrap();
        }
        history.take_snapshot(place(3), Arc::from(*b"later"));
        assert_eq!((history.first(), history.after(place(3)).len()), (place(1), 2));
        history.take_snapshot(place(2), Arc::from(*b"older"));
        history.take_snapshot(place(9), Arc::from(*b"not there yet"));
        assert_eq!(history.snapshot, Some((place(3), Arc::from(*b"later"))));
    }

    #[test]
    fn a_snapshot_takes_the_place_of_most_of_what_it_holds() {
        let mut history = begun();
        for at in 2..=9 {
            history.take(kept(at - 1, at, BEHIND / 3)).unwrap();
        }
        history.take_snapshot(place(7), Arc::from(*b"later"));
        assert_eq!((history.first(), history.after(place(0)).len()), (place(5), 4));
    }

    #[test]
    fn the_oldest_are_forgotten_where_no_snapshot_is_made() {
        let mut history = begun();
        for at in 2..=9 {
            history.take(kept(at - 1, at, MAX_BYTES / 4)).unwrap();
        }
        assert_eq!(history.snapshot, None);
        assert_eq!(history.after(place(0)).len(), 3);
        history.take_snapshot(place(9), Arc::from(*b"now"));
        assert!(history.snapshot.is_some() && history.after(place(0)).is_empty() && history.bytes == 0);
        assert_eq!(history.first(), place(9));
    }

    #[test]
    fn the_numbers_of_fenced_servers_have_a_bound() {
        let mut history = begun();
        for at in 2..2000 {
            history.take(Kept { fences: at as u32, ..kept(at - 1, at, 1) }).unwrap();
        }
        assert_eq!((history.fenced.len(), history.fenced.first()), (MAX_FENCED, Some(&1000)));
    }
}
