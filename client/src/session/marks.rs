//! What is said about lines: reactions, deletions, answers. It may come before the line itself, which history brings later.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parlor_server::protocol::MsgId;

use super::{Key, Line, LineId, UnixMillis};
use crate::limits::{ANSWERS, KINDS, MARKED, QUOTED, REACTED, REACTIONS};

/// What people put under a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// An emoji, or anything else; at most [`EMOJI`](crate::limits::EMOJI) bytes.
    pub emoji: Arc<str>,
    /// Who did, the first one first; at least one.
    pub names: Arc<[Arc<str>]>,
    /// We are among them.
    pub own: bool,
}

impl Reaction {
    pub(super) fn bytes(&self) -> usize {
        size_of::<Reaction>() + self.emoji.len() + size_of_val(&*self.names)
    }
}

/// That a line was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// By whom.
    pub by: Arc<str>,
    /// Why; perhaps empty.
    pub reason: Arc<str>,
}

/// The beginning of the line that another one answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The server's name for it.
    pub msgid: Box<str>,
    /// Who said it; empty: it is not here.
    pub from: Box<str>,
    /// Of its first line, as much as fits in a row; at most [`QUOTED`] characters.
    pub text: Box<str>,
    /// It was taken back.
    pub deleted: bool,
}

impl Quote {
    /// Of a line that is not here.
    pub(super) fn unknown(msgid: &str) -> Quote {
        Quote { msgid: msgid.into(), from: Box::default(), text: Box::default(), deleted: false }
    }

    pub(super) fn of(msgid: &str, line: &Line) -> Quote {
        let first = line.text().lines().find(|line| !line.trim().is_empty() && !super::is_fence(line));
        let text: String = first.unwrap_or_default().trim().chars().take(QUOTED).collect();
        let deleted = line.deleted().is_some();
        Quote { msgid: msgid.into(), from: line.from().into(), text: text.into(), deleted }
    }

    pub(super) fn bytes(&self) -> usize {
        self.msgid.len() + self.from.len() + self.text.len()
    }
}

/// When something was said about a line: the last word counts, whatever comes first.
pub(super) type Order = (Option<MsgId>, UnixMillis);

/// That somebody reacted, or took it back.
#[derive(Debug)]
pub(super) struct Reacted {
    pub(super) who: Key,
    pub(super) name: Arc<str>,
    pub(super) emoji: Arc<str>,
    pub(super) own: bool,
    pub(super) on: bool,
    pub(super) at: Order,
}

/// What is said about one line.
#[derive(Debug, Default)]
pub(super) struct Marked {
    pub(super) deleted: Option<Deleted>,
    /// In the order of time; of one person and one emoji one.
    reacted: Vec<Reacted>,
    /// Lines that answer it.
    pub(super) answers: Vec<LineId>,
}

impl Marked {
    /// The reactions as they are shown.
    pub(super) fn reactions(&self) -> Vec<Reaction> {
        let mut kinds: Vec<(Arc<str>, Vec<Arc<str>>, bool)> = Vec::new();
        for one in self.reacted.iter().filter(|one| one.on) {
            match kinds.iter_mut().find(|(emoji, ..)| *emoji == one.emoji) {
                Some((_, names, own)) => {
                    names.push(Arc::clone(&one.name));
                    *own |= one.own;
                }
                None => kinds.push((Arc::clone(&one.emoji), vec![Arc::clone(&one.name)], one.own)),
            }
        }
        let shown = |(emoji, names, own): (_, Vec<_>, _)| Reaction { emoji, names: names.into(), own };
        kinds.into_iter().map(shown).collect()
    }
}

/// All of a place, by conversation and msgid. Whoever writes fills it; the lines that were marked first are forgotten first:
/// at most [`MARKED`] of them, with [`REACTIONS`] in all.
#[derive(Debug, Default)]
pub(super) struct Marks {
    lines: HashMap<Key, HashMap<Box<str>, Marked>>,
    order: VecDeque<(Key, Box<str>)>,
    reactions: usize,
}

impl Marks {
    pub(super) fn get(&self, key: &Key, msgid: &str) -> Option<&Marked> {
        self.lines.get(key)?.get(msgid)
    }

    /// Whether anything is known of a conversation.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.lines.contains_key(key)
    }

    fn entry(&mut self, key: &Key, msgid: &str) -> &mut Marked {
        if self.get(key, msgid).is_none() {
            if self.order.len() >= MARKED
                && let Some((key, msgid)) = self.order.pop_front()
            {
                self.drop_line(&key, &msgid);
            }
            self.order.push_back((key.clone(), msgid.into()));
        }
        self.lines.entry(key.clone()).or_default().entry(msgid.into()).or_default()
    }

    fn drop_line(&mut self, key: &Key, msgid: &str) {
        let Some(lines) = self.lines.get_mut(key) else { return };
        if let Some(marked) = lines.remove(msgid) {
            self.reactions -= marked.reacted.len();
        }
        if lines.is_empty() {
            self.lines.remove(key);
        }
    }

    /// A line was taken back; the first one who said so counts.
    pub(super) fn delete(&mut self, key: &Key, msgid: &str, deleted: Deleted) {
        self.entry(key, msgid).deleted.get_or_insert(deleted);
    }

    /// A line is answered.
    pub(super) fn answer(&mut self, key: &Key, msgid: &str, line: LineId) {
        let answers = &mut self.entry(key, msgid).answers;
        if answers.len() < ANSWERS && !answers.contains(&line) {
            answers.push(line);
        }
    }

    /// Somebody reacted to a line. Says whether that is news.
    pub(super) fn react(&mut self, key: &Key, msgid: &str, new: Reacted) -> bool {
        let reacted = &mut self.entry(key, msgid).reacted;
        if let Some(known) = reacted.iter_mut().find(|one| one.who == new.who && one.emoji == new.emoji) {
            if known.at >= new.at {
                return false;
            }
            let changed = known.on != new.on;
            // Again after it was taken back is the last of its kind.
            (known.on, known.at) = (new.on, if new.on && !changed { known.at } else { new.at });
            reacted.sort_by_key(|one| one.at);
            return changed;
        }
        let mut kinds: Vec<&str> = reacted.iter().map(|one| &*one.emoji).collect();
        kinds.sort_unstable();
        kinds.dedup();
        if reacted.len() >= REACTED || (kinds.len() >= KINDS && !kinds.contains(&&*new.emoji)) {
            return false;
        }
        let on = new.on;
        let at = reacted.partition_point(|one| one.at <= new.at);
        reacted.insert(at, new);
        self.reactions += 1;
        // One line has far fewer than all may have: others go.
        while self.reactions > REACTIONS {
            match self.order.pop_front() {
                Some(this) if this.0 == *key && *this.1 == *msgid => self.order.push_back(this),
                Some((key, msgid)) => self.drop_line(&key, &msgid),
                None => break,
            }
        }
        on
    }

    /// A conversation has another key.
    pub(super) fn moved(&mut self, from: &Key, to: &Key) {
        if from != to
            && let Some(lines) = self.lines.remove(from)
        {
            // What is known there of the same lines gives way.
            for msgid in lines.keys() {
                self.drop_line(to, msgid);
            }
            self.order.retain(|(key, msgid)| key != to || !lines.contains_key(msgid));
            self.lines.entry(to.clone()).or_default().extend(lines);
            self.order.iter_mut().filter(|(key, _)| key == from).for_each(|(key, _)| *key = to.clone());
        }
    }

    /// A conversation is gone.
    pub(super) fn forget(&mut self, key: &Key) {
        if let Some(lines) = self.lines.remove(key) {
            self.reactions -= lines.values().map(|marked| marked.reacted.len()).sum::<usize>();
            self.order.retain(|(of, _)| of != key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reacted(who: &str, emoji: &str, on: bool, at: u64) -> Reacted {
        let (who, name) = (Key::new(who), who.into());
        Reacted { who, name, emoji: emoji.into(), own: false, on, at: (None, UnixMillis(at)) }
    }

    fn shown(marks: &Marks, key: &Key, msgid: &str) -> Vec<String> {
        let reactions = marks.get(key, msgid).map(Marked::reactions).unwrap_or_default();
        reactions.iter().map(|one| format!("{} {}", one.emoji, one.names.join(","))).collect()
    }

    #[test]
    fn the_last_word_of_each_person_counts_whatever_comes_first() {
        let (mut marks, key) = (Marks::default(), Key::new("#a"));
        for (one, news) in [
            (reacted("bob", "x", true, 5), true),
            (reacted("eve", "x", true, 3), true),
            (reacted("eve", "y", true, 9), true),
            (reacted("BOB", "x", true, 6), false),
            // What was taken back later had been taken back, though it comes before.
            (reacted("eve", "x", false, 12), true),
            (reacted("eve", "x", true, 4), false),
            (reacted("ann", "z", false, 7), false),
            (reacted("ann", "z", true, 2), false),
        ] {
            let what = format!("{one:?}");
            assert_eq!(marks.react(&key, "1", one), news, "{what}");
        }
        assert_eq!(shown(&marks, &key, "1"), ["x bob", "y eve"]);
        marks.moved(&key, &Key::new("#b"));
        assert_eq!(shown(&marks, &Key::new("#b"), "1"), ["x bob", "y eve"]);
        marks.forget(&Key::new("#b"));
        assert!(marks.order.is_empty() && marks.reactions == 0);
    }

    #[test]
    fn what_strangers_fill_is_bounded() {
        let (mut marks, key) = (Marks::default(), Key::new("#a"));
        for i in 0..100 {
            marks.react(&key, "1", reacted("bob", &i.to_string(), true, i));
        }
        assert_eq!(shown(&marks, &key, "1").len(), KINDS);
        for i in 0..MARKED + 5 {
            marks.react(&key, &format!("m{i}"), reacted("bob", "x", true, 1));
        }
        assert!(marks.order.len() <= MARKED && marks.lines[&key].len() <= MARKED);
        assert!(marks.get(&key, "1").is_none(), "the first one is forgotten first");
        for i in 0..2 * REACTED {
            marks.react(&key, "2", reacted(&format!("n{i}"), "x", true, 1));
        }
        assert_eq!(marks.get(&key, "2").unwrap().reacted.len(), REACTED);
        let counted = |marks: &Marks| {
            marks.lines.values().flat_map(HashMap::values).map(|one| one.reacted.len()).sum::<usize>()
        };
        assert_eq!(marks.reactions, counted(&marks));
        // Of lines that are known already, too.
        for i in 0..2 * REACTIONS {
            marks.react(&key, &format!("m{}", MARKED - i % 200), reacted(&format!("n{i}"), "x", true, 1));
            assert!(marks.reactions <= REACTIONS);
        }
        assert_eq!((marks.reactions, marks.order.len()), (counted(&marks), marks.lines[&key].len()));
        // Where the same lines are known under another key.
        let other = Key::new("#b");
        for i in 0..10 {
            marks.react(&other, &format!("m{}", MARKED - i), reacted("bob", "x", true, 1));
        }
        marks.moved(&key, &other);
        assert_eq!((marks.reactions, marks.order.len()), (counted(&marks), marks.lines[&other].len()));
    }
}
