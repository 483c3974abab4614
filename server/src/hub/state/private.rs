//! Who has private lines with whom: what two accounts say to each other is kept, for these two alone.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::hub::state::{ConnectionId, State};
use crate::protocol::Folded;
use crate::protocol::sorted::sorted;
use crate::protocol::time::UnixMillis;

/// Stands before each of the two names, and before when that account was made, in the name under which their
/// lines are kept; no room begins so. Whoever makes an account of the same name later is somebody else.
const MARK: char = '\u{2}';
/// People that one account has kept lines with. Who says something to somebody new fills it; beyond, a line to
/// one more is not kept, and not taken for somebody who is not there.
const MAX_PEERS: usize = 512;
/// All of them together, about 300 bytes each, and 0.4 KB in the store.
const MAX_PAIRS: usize = 20_000;

/// Two accounts, seen from one of them.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    /// Where their lines are kept.
    pub(crate) key: Arc<str>,
    /// The other one, as its owner writes it.
    pub(crate) peer: Arc<str>,
}

/// An account as a pair knows it: its folded name, and when it was made.
type End<'a> = (&'a str, UnixMillis);

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Private {
    /// By folded name: the pairs that it is one of.
    pairs: HashMap<Arc<str>, BTreeSet<Arc<str>>>,
    count: usize,
}

impl Private {
    /// Takes a pair in; false if there is no place for it.
    fn add(&mut self, key: &str) -> bool {
        let Some(ends) = ends(key) else { return false };
        if self.pairs.get(ends[0].0).is_some_and(|pairs| pairs.contains(key)) {
            return true;
        }
        let full = |(name, _): &End<'_>| self.pairs.get(*name).is_some_and(|pairs| pairs.len() >= MAX_PEERS);
        if self.count >= MAX_PAIRS || ends.iter().any(full) {
            return false;
        }
        self.count += 1;
        let key: Arc<str> = key.into();
        for (name, _) in self::ends(&key).into_iter().flatten() {
            self.pairs.entry(name.into()).or_default().insert(key.clone());
        }
        true
    }

    /// Each once, in order.
    fn all(&self) -> Vec<Arc<str>> {
        let mut all = sorted(self.pairs.values().flatten().cloned());
        all.dedup();
        all
    }

    fn remove(&mut self, key: &str) {
        self.count -= 1;
        for (name, _) in ends(key).into_iter().flatten() {
            self.pairs.get_mut(name).map(|pairs| pairs.remove(key));
        }
    }
}

impl State {
    /// Takes in that lines of two accounts are kept; false if the name is none of such.
    pub(crate) fn restore_pair(&mut self, key: &str) -> bool {
        let is_pair = key.starts_with(MARK);
        if is_pair {
            self.private.add(key);
        }
        is_pair
    }

    /// Which accounts there are is known now: what others kept that are no more is nobody's.
    pub(crate) fn end_pairs(&mut self) {
        // What an account was may be unreadable today, and is there all the same.
        let there = |(name, made): &End<'_>| match self.accounts.get(name) {
            Some(account) => account.made == *made,
            None => self.accounts.has(&Folded::new(name)),
        };
        let ended = |key: &Arc<str>| ends(key).is_none_or(|ends| !ends.iter().all(there));
        let gone: Vec<Arc<str>> = self.private.all().into_iter().filter(ended).collect();
        gone.iter().for_each(|key| self.private.remove(key));
        self.forgotten.extend(gone);
    }

    /// Whether this is an account that there is now.
    fn is_end(&self, (name, made): &End<'_>) -> bool {
        self.accounts.get(name).is_some_and(|account| account.made == *made)
    }

    /// This member and whoever has this name, here or not, if both have accounts and their lines are kept.
    pub(crate) fn pair(&self, id: ConnectionId, target: &str) -> Option<Pair> {
        self.pair_of(self.member(id)?.account.as_deref()?, target)
    }

    /// The same of an account.
    pub(crate) fn pair_of(&self, own: &str, target: &str) -> Option<Pair> {
        if !self.settings.private {
            return None;
        }
        let peer = match self.find(target) {
            Some(other) => self.member(other)?.account.clone()?,
            None => self.accounts.get(target)?.name.clone(),
        };
        let [one, other] = [own, &peer].map(Folded::new);
        let made = |name: &Folded| Some(self.accounts.get(name.as_str())?.made);
        let key = key((one.as_str(), made(&one)?), (other.as_str(), made(&other)?));
        Some(Pair { key, peer })
    }

    /// Where lines of two are kept here.
    pub(super) fn kept_pairs(&self) -> Vec<(Box<str>, Box<[u8]>)> {
        self.private.all().iter().map(|key| (Box::from(&**key), Box::default())).collect()
    }

    /// Whether lines of two are kept here.
    pub(crate) fn keeps_pair(&self, key: &str) -> bool {
        let ends = ends(key).and_then(|[(one, _), _]| self.private.pairs.get(one));
        ends.is_some_and(|pairs| pairs.contains(key))
    }

    /// Makes place for lines of these two; false if there is none.
    pub(crate) fn add_pair(&mut self, pair: &Pair) -> bool {
        self.private.add(&pair.key)
    }

    /// Everybody whom this member has kept lines with.
    pub(crate) fn pairs(&self, id: ConnectionId) -> Vec<Pair> {
        let account = self.member(id).and_then(|member| member.account.as_ref());
        let Some(own) = account.filter(|_| self.settings.private).map(|own| Folded::new(own)) else {
            return Vec::new();
        };
        let pairs = self.private.pairs.get(own.as_str()).into_iter().flatten();
        let pair = |key: &Arc<str>| Some(Pair { key: key.clone(), peer: self.other_of(id, key)? });
        pairs.filter_map(pair).collect()
    }

    /// The other one of two, by where their lines are kept; `None`: the member is none of them.
    pub(crate) fn other_of(&self, id: ConnectionId, key: &str) -> Option<Arc<str>> {
        let own = Folded::new(self.member(id)?.account.as_ref()?);
        let ends = ends(key).filter(|ends| ends.iter().all(|end| self.is_end(end)))?;
        let [(one, _), (other, _)] = ends;
        let peer = match own.as_str() {
            own if own == one => other,
            own if own == other => one,
            _ => return None,
        };
        Some(self.accounts.get(peer)?.name.clone())
    }

    /// An account ends: nobody reads what it was told.
    pub(crate) fn forget_pairs(&mut self, account: &Folded) {
        for key in self.private.pairs.remove(account.as_str()).unwrap_or_default() {
            self.private.remove(&key);
            self.forgotten.push(key);
        }
    }
}

fn key(one: End<'_>, other: End<'_>) -> Arc<str> {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    let end = |(name, made): End<'_>| format!("{MARK}{name}{MARK}{:x}", made.0);
    format!("{}{}", end(first), end(second)).into()
}

fn ends(key: &str) -> Option<[End<'_>; 2]> {
    let mut words = key.strip_prefix(MARK)?.split(MARK);
    let mut end = || Some((words.next()?, UnixMillis(u64::from_str_radix(words.next()?, 16).ok()?)));
    Some([end()?, end()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_are_the_same_pair_from_either_side_and_one_account_fills_no_more_than_its_share() {
        let end = |name, made| (name, UnixMillis(made));
        let (alice, bob) = (end("alice", 7), end("bob", 0x1a2b));
        assert_eq!(key(bob, alice), key(alice, bob));
        assert_eq!(ends(&key(bob, alice)), Some([alice, bob]));
        let eve = end("eve", 1);
        let mut private = Private::default();
        let names: Vec<String> = (0..1000).map(|number| format!("p{number}")).collect();
        let added = names.iter().filter(|name| private.add(&key(eve, end(name, 1)))).count();
        assert_eq!((added, private.count), (MAX_PEERS, MAX_PEERS));
        assert!(private.add(&key(eve, end("p0", 1))), "known ones stay");
        assert!(private.add(&key(end("p0", 1), end("p1", 1))), "others have their own");
    }
}
