//! What must hold where several servers have one order: after the same entry all of them know the same and have given
//! out the same records.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use parlor_server::hub::Hub;
use parlor_server::hub::history::Record;
use parlor_server::protocol::{MsgId, Position};

use crate::engine::Entry;
use crate::oracle::word_of;

/// The hubs are compared after so many entries.
const COMPARED: u64 = 50;

/// Lines: room and id of each.
pub(crate) type Lines = BTreeMap<String, (String, MsgId)>;

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// What an entry has brought into the rooms, by its serial.
    records: HashMap<u64, Vec<Record>>,
    /// What the first hub knew after an entry.
    known: HashMap<u64, (u64, Box<[u8]>)>,
    words: HashMap<MsgId, String>,
    /// When lines were deleted.
    deletions: HashMap<String, MsgId>,
    /// What was said, or deleted, by entries that the engine has lost for good.
    lost: BTreeSet<String>,
    lost_ids: BTreeSet<MsgId>,
    /// By server: after which id, and up to which, its history lacks what was said.
    gaps: Vec<Vec<(MsgId, MsgId)>>,
}

/// Two states; what is around their first difference, if there is one.
pub(crate) fn difference(one: &[u8], other: &[u8]) -> Option<String> {
    if one == other {
        return None;
    }
    let at = one.iter().zip(other).position(|(one, other)| one != other);
    let at = at.unwrap_or(one.len().min(other.len()));
    let around = |bytes: &[u8]| {
        let part = &bytes[at.saturating_sub(150).min(bytes.len())..bytes.len().min(at + 100)];
        part.escape_ascii().to_string().replace("\\x00", " ")
    };
    Some(format!("\n{}\nand\n{}", around(one), around(other)))
}

impl Order {
    /// An entry has had its turn on a server, which gave out these records for rooms.
    pub(crate) fn had_its_turn(&mut self, s: usize, serial: u64, records: Vec<Record>) {
        if let Some(before) = self.records.get(&serial) {
            assert_eq!(*before, records, "server {s} makes the same of entry {serial} as others");
            return;
        }
        let words = records.iter().filter_map(|record| Some((record.id, word_of(record)?)));
        self.words.extend(words);
        for record in &records {
            let erased = record.erases.as_ref().and_then(|erasure| self.words.get(&erasure.id));
            self.deletions.extend(erased.map(|word| (word.clone(), record.id)));
        }
        self.records.insert(serial, records);
    }

    /// Compares what a hub knows after an entry with what others knew.
    pub(crate) fn compare(&mut self, s: usize, serial: u64, hub: &Hub) {
        if !hub.position().1.is_multiple_of(COMPARED) {
            return;
        }
        let (digest, shared) = (hub.digest(), hub.shared());
        let (known, before) = self.known.entry(serial).or_insert_with(|| (digest, shared.clone()));
        if let Some(difference) = difference(before, &shared) {
            panic!("server {s} knows something else after entry {serial}: {difference}");
        }
        assert_eq!(*known, digest, "server {s} knows other lines after entry {serial}");
    }

    /// The engine has lost an entry, and nobody can put it back: how many lines were in it.
    pub(crate) fn is_lost(&mut self, entry: &Entry) -> usize {
        let records = self.records.get(&entry.serial).map(Vec::as_slice).unwrap_or_default();
        for record in records {
            self.lost_ids.insert(record.id);
            self.lost.extend(word_of(record));
            let erased = record.erases.as_ref().and_then(|erasure| self.words.get(&erasure.id));
            self.lost.extend(erased.cloned());
        }
        records.len()
    }

    /// What a server's history lacks.
    pub(crate) fn note_gap(&mut self, s: usize, known: MsgId, at: Position) {
        if self.gaps.len() <= s {
            self.gaps.resize(s + 1, Vec::new());
        }
        self.gaps[s].push((known, MsgId { boot: u32::MAX, millis: at.millis, count: u16::MAX }));
    }

    fn lacks(gaps: &[(MsgId, MsgId)], id: MsgId) -> bool {
        gaps.iter().any(|(from, to)| *from < id && id.millis <= to.millis)
    }

    /// Whether a server may lack this.
    pub(crate) fn may_lack(&self, s: usize, id: MsgId) -> bool {
        self.gaps.get(s).is_some_and(|gaps| Order::lacks(gaps, id))
    }

    /// Whether any server may.
    pub(crate) fn some_may_lack(&self, id: MsgId) -> bool {
        self.gaps.iter().any(|gaps| Order::lacks(gaps, id))
    }

    /// Whether a server may lack that a line was deleted: it shows it.
    pub(crate) fn some_may_not_know_it_deleted(&self, word: &str) -> bool {
        self.deletions.get(word).is_some_and(|id| self.some_may_lack(*id))
    }

    pub(crate) fn has_gap(&self, s: usize) -> bool {
        self.gaps.get(s).is_some_and(|gaps| !gaps.is_empty())
    }

    /// Whether what was said there, or its deletion, was lost with its entry.
    pub(crate) fn has_lost(&self, word: &str) -> bool {
        self.lost.contains(word)
    }

    pub(crate) fn has_lost_id(&self, id: MsgId) -> bool {
        self.lost_ids.contains(&id)
    }

    /// The word of a line.
    pub(crate) fn word(&self, id: MsgId) -> Option<&String> {
        self.words.get(&id)
    }

    /// What the log says, from its beginning.
    pub(crate) fn lines<'a>(&self, entries: impl Iterator<Item = &'a Arc<Entry>>) -> Lines {
        let mut lines = Lines::new();
        for record in entries.filter_map(|entry| self.records.get(&entry.serial)).flatten() {
            if let Some(word) = word_of(record) {
                let before = lines.insert(word.clone(), (record.room.to_string(), record.id));
                assert_eq!(before, None, "{word} stands in the log twice");
            }
        }
        lines
    }
}
