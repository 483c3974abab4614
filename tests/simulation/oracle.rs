//! What must hold: a line that was echoed is kept, once; ids rise and name one thing only.
//!
//! Each line begins with a word of its own (`w17`), by which it is known here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use parlor_server::hub::history::{Record, Told};
use parlor_server::protocol::{MsgId, text};
use parlor_tests::Message;

use crate::order::{Lines, Order};

/// What was said.
#[derive(Debug)]
pub(crate) struct Said {
    /// Who promises to say it until it is heard: a person with our window.
    pub(crate) by: Option<usize>,
    pub(crate) room: &'static str,
    /// As it was said, if it is known.
    pub(crate) text: String,
    /// It may be lost: its sender has left the room, or was ended before it could note it down.
    pub(crate) excused: bool,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    words: usize,
    pub(crate) said: BTreeMap<String, Said>,
    /// Lines whose echo went out, and under which id.
    promised: BTreeMap<String, String>,
    /// Lines that are committed, by server: room and id.
    kept: Vec<Lines>,
    /// Lines that were deleted, once that is committed.
    pub(crate) deleted: BTreeSet<String>,
    /// Lines whose deletion somebody heard of: a crash may take that back.
    asked: BTreeSet<MsgId>,
    /// What was said while nothing was kept: nobody promised anything.
    pub(crate) volatile: BTreeSet<String>,
    /// What each id names.
    named: HashMap<String, String>,
    last: Vec<MsgId>,
    pub(crate) echoes: usize,
    /// Where there are several servers.
    pub(crate) order: Order,
}

impl Oracle {
    /// A new line of somebody.
    pub(crate) fn say(&mut self, by: Option<usize>, room: &'static str) -> String {
        self.words += 1;
        let word = format!("w{}", self.words);
        self.said.insert(word.clone(), Said { by, room, text: String::new(), excused: false });
        word
    }

    /// The hub gives a record out.
    pub(crate) fn recorded(&mut self, s: usize, record: &Record) {
        if self.last.len() <= s {
            self.last.resize(s + 1, MsgId::default());
        }
        let last = std::mem::replace(&mut self.last[s], record.id);
        assert!(record.id >= last, "ids rise: {} after {last}", record.id);
        self.asked.extend(record.erases.iter().map(|erasure| erasure.id));
    }

    /// What a server gave out and did not keep, it may give out again.
    pub(crate) fn crashed(&mut self, s: usize) {
        let kept = self.kept_by(s).values().map(|(_, id)| *id).max();
        if let Some(last) = self.last.get_mut(s) {
            *last = kept.unwrap_or_default();
        }
    }

    pub(crate) fn committed(&mut self, s: usize, record: &Record) {
        if self.kept.len() <= s {
            self.kept.resize(s + 1, Lines::new());
        }
        if let Some(erasure) = &record.erases {
            let of = self.kept[s].iter().find(|(_, (_, id))| *id == erasure.id).map(|(word, _)| word.clone());
            let of = of.or_else(|| self.order.word(erasure.id).cloned());
            let gone = of.unwrap_or_else(|| panic!("{} was never there", erasure.id));
            self.deleted.insert(gone);
        }
        let Some(word) = word_of(record) else { return };
        if let (Some(said), Some(told)) = (self.said.get(&word), Told::parse(&record.payload))
            && !said.text.is_empty()
        {
            let text = text::action(told.first).unwrap_or(told.first);
            assert_eq!(text, said.text, "{word} is kept as it was said");
        }
        let now = (record.room.to_string(), record.id);
        let before = self.kept[s].insert(word.clone(), now.clone());
        if let Some(before) = before.filter(|before| !self.order.has_lost_id(before.1)) {
            panic!("{word} is kept twice: {before:?} and {now:?}");
        }
    }

    /// It may be lost, and nobody need be told.
    pub(crate) fn is_volatile(&mut self, record: &Record) {
        self.volatile.extend(word_of(record));
    }

    /// Talk goes out on a connection on which these words came in. `last` is the id before it, where the
    /// lines of the past come in batches only.
    pub(crate) fn sent(&mut self, s: usize, message: &Message, said: &[String], last: Option<&mut String>) {
        let Some(word) = word(message.last()) else { return };
        let msgid = message.tag("msgid").unwrap_or_default();
        if !msgid.is_empty() {
            let named = self.named.entry(msgid.to_owned()).or_insert_with(|| word.to_owned());
            assert_eq!(named, word, "{msgid} names two lines");
        }
        if message.tag("batch").is_some() || !message.param(0).starts_with('#') {
            return;
        }
        if message.tag("parlor/volatile").is_some() {
            self.volatile.insert(word.to_owned());
            return;
        }
        if said.iter().any(|said| said == word) {
            self.echoed(s, word, msgid);
        } else if !msgid.is_empty()
            && let Some(last) = last
        {
            assert!(msgid > last.as_str(), "others' lines come in order: {msgid} after {last}");
            msgid.clone_into(last);
        }
    }

    /// An echo without a mark: the line is on disk.
    fn echoed(&mut self, s: usize, word: &str, msgid: &str) {
        self.echoes += 1;
        let Some((_, id)) = self.kept_by(s).get(word) else {
            panic!("{word} has its echo and is not on disk")
        };
        if !msgid.is_empty() {
            assert_eq!(msgid, id.to_string(), "the echo of {word} is that of the line which is kept");
            let before = self.promised.insert(word.to_owned(), msgid.to_owned());
            assert!(
                before.is_none_or(|before| before == msgid) || self.order.has_lost(word),
                "a second echo of {word} is the first one's"
            );
        }
    }

    /// The lines that a server has on disk.
    pub(crate) fn kept_by(&self, s: usize) -> &Lines {
        const NOTHING: &Lines = &Lines::new();
        self.kept.get(s).unwrap_or(NOTHING)
    }

    /// Whether some may show a line as deleted that is not.
    pub(crate) fn is_in_doubt(&self, word: &str) -> bool {
        let mut found = self.kept.iter().filter_map(|kept| kept.get(word));
        let asked = found.any(|(_, id)| self.asked.contains(id));
        asked && !self.deleted.contains(word)
    }

    /// Whether a line may be shown twice: nobody promised anything, or a history has what the log has lost, and it was
    /// said again.
    pub(crate) fn may_be_doubled(&self, word: &str) -> bool {
        self.volatile.contains(word) || self.order.has_lost(word)
    }

    /// Whether a line that is shown need not be in the history.
    pub(crate) fn need_not_be_kept(&self, word: &str, msgid: &str) -> bool {
        self.volatile.contains(word)
            || self.is_in_doubt(word)
            || self.order.has_lost(word)
            || self.order.some_may_not_know_it_deleted(word)
            || MsgId::parse(msgid).is_some_and(|id| self.order.some_may_lack(id))
    }

    pub(crate) fn is_kept(&self, word: &str) -> bool {
        self.kept.iter().any(|kept| kept.contains_key(word))
    }

    /// The lines of a room as the history has them: words and ids. Those that nobody promised are left out.
    pub(crate) fn history(&self, lines: &Lines, room: &str) -> Vec<(String, String)> {
        let mut lines: Vec<(&String, MsgId)> =
            lines.iter().filter(|(_, (kept, _))| kept == room).map(|(word, (_, id))| (word, *id)).collect();
        lines.sort_by_key(|(_, id)| *id);
        let gone = |word: &String, id: MsgId| {
            self.volatile.contains(word)
                || self.deleted.contains(word)
                || self.is_in_doubt(word)
                || self.order.has_lost(word)
                || self.order.some_may_lack(id)
        };
        let promised = lines.into_iter().filter(|(word, id)| !gone(word, *id));
        promised.map(|(word, id)| (word.clone(), id.to_string())).collect()
    }

    /// Every promise, against what the disk has in the end.
    pub(crate) fn finish(&self, s: usize, kept: &[Record]) {
        let on_disk: BTreeMap<String, String> =
            kept.iter().filter_map(|record| Some((word_of(record)?, record.id.to_string()))).collect();
        for word in self.deleted.iter().filter(|word| !self.order.has_gap(s) && !self.order.has_lost(word)) {
            assert!(!on_disk.contains_key(word), "{word} was deleted, and stands on disk");
        }
        for (word, msgid) in self.promised.iter().filter(|(word, _)| !self.deleted.contains(*word)) {
            let may_lack = MsgId::parse(msgid).is_some_and(|id| self.order.may_lack(s, id));
            if !may_lack && !self.order.has_lost(word) {
                assert_eq!(on_disk.get(word), Some(msgid), "{word} had its echo, and server {s} has it not");
            }
        }
    }
}

pub(crate) fn word_of(record: &Record) -> Option<String> {
    let told = Told::parse(&record.payload)?;
    if told.kind == "PRIVMSG" { word(told.first).map(str::to_owned) } else { None }
}

/// The word by which a line is known.
pub(crate) fn word(text: &str) -> Option<&str> {
    let text = text.strip_prefix("\u{1}ACTION ").unwrap_or(text);
    let word = text.split([' ', '\n', '\u{1}']).next()?;
    let number = word.strip_prefix('w')?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(word)
}
