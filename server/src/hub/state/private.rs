//! Who has private lines with whom: what two accounts say to each other is kept, for these two alone.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::hub::state::{ConnectionId, State};
use crate::protocol::Folded;

/// Stands before each of the two names in the name under which their lines are kept; no room begins so.
const MARK: char = '\u{2}';
/// People that one account has kept lines with. Who says something to somebody new fills it; beyond, a line to
/// one more is not kept, and not taken for somebody who is not there.
const MAX_PEERS: usize = 512;
/// All of them together, about 200 bytes each, and 0.4 KB in the store.
const MAX_PAIRS: usize = 20_000;

/// Two accounts, seen from one of them.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    /// Where their lines are kept.
    pub(crate) key: Arc<str>,
    /// The other one, as its owner writes it.
    pub(crate) peer: Arc<str>,
}

/// See the [module](self). Names are folded.
#[derive(Debug, Default)]
pub(crate) struct Private {
    peers: HashMap<Arc<str>, BTreeSet<Arc<str>>>,
    pairs: usize,
}

impl Private {
    /// Takes a pair in; false if there is no place for it.
    fn add(&mut self, key: &str) -> bool {
        let Some((one, other)) = split(key) else { return false };
        let of = |name: &str| self.peers.get(name).map_or(0, BTreeSet::len);
        if self.peers.get(one).is_some_and(|peers| peers.contains(other)) {
            return true;
        }
        if self.pairs >= MAX_PAIRS || of(one) >= MAX_PEERS || of(other) >= MAX_PEERS {
            return false;
        }
        self.pairs += 1;
        for (one, other) in [(one, other), (other, one)] {
            self.peers.entry(one.into()).or_default().insert(other.into());
        }
        true
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

    /// This member and whoever has this name, here or not, if both have accounts and their lines are kept.
    pub(crate) fn pair(&self, id: ConnectionId, target: &str) -> Option<Pair> {
        let own = self.member(id)?.account.as_ref().filter(|_| self.settings.private)?;
        let peer = match self.find(target) {
            Some(other) => self.member(other)?.account.clone()?,
            None => self.accounts.get(target)?.name.clone(),
        };
        Some(Pair { key: key(Folded::new(own).as_str(), Folded::new(&peer).as_str()), peer })
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
        let peers = self.private.peers.get(own.as_str()).into_iter().flatten();
        let pairs = peers.map(|peer| Pair { key: key(own.as_str(), peer), peer: self.spelt(peer) });
        pairs.collect()
    }

    /// The other one of two, by where their lines are kept, and whether a record of these is this member's own.
    pub(crate) fn other_of(&self, id: ConnectionId, key: &str, author: &str) -> Option<(Arc<str>, bool)> {
        let own = Folded::new(self.member(id)?.account.as_ref()?);
        let (one, other) = split(key)?;
        let peer = if one == own.as_str() { other } else { one };
        Some((self.spelt(peer), Folded::new(author) == own))
    }

    /// An account ends: nobody reads what it was told. Where that was kept.
    pub(crate) fn forget_pairs(&mut self, account: &Folded) {
        let own = account.as_str();
        for peer in self.private.peers.remove(own).unwrap_or_default() {
            self.private.pairs -= 1;
            self.private.peers.get_mut(&peer).map(|peers| peers.remove(own));
            self.forgotten.push(key(own, &peer));
        }
    }

    /// A folded name as its owner writes it.
    fn spelt(&self, account: &str) -> Arc<str> {
        self.accounts.get(account).map_or_else(|| account.into(), |account| account.name.clone())
    }
}

fn key(one: &str, other: &str) -> Arc<str> {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    format!("{MARK}{first}{MARK}{second}").into()
}

fn split(key: &str) -> Option<(&str, &str)> {
    key.strip_prefix(MARK)?.split_once(MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_are_the_same_pair_from_either_side_and_one_account_fills_no_more_than_its_share() {
        assert_eq!(key("bob", "alice"), key("alice", "bob"));
        assert_eq!(split(&key("bob", "alice")), Some(("alice", "bob")));
        let mut private = Private::default();
        let added = (0..1000).filter(|number| private.add(&key("eve", &format!("p{number}")))).count();
        assert_eq!(added, MAX_PEERS);
        assert!(private.add(&key("eve", "p0")), "known ones stay");
        assert!(private.add(&key("p0", "p1")), "others have their own");
    }
}
