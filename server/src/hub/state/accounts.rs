//! Accounts: names that belong to whoever has their secret. The nickname is the account.
//!
//! An account is there once its record is on disk. It ends when the operator forgets it, or when the server has run
//! for [`Settings::accounts_keep`] without a login.
//!
//! [`Settings::accounts_keep`]: crate::hub::Settings::accounts_keep

use std::collections::HashMap;
use std::sync::Arc;

use crate::hub::state::words::{put, take};
use crate::hub::state::{ConnectionId, State};
use crate::protocol::line_name::hash;
use crate::protocol::scram::{Key, Keys, mac};
use crate::protocol::sorted::sorted;
use crate::protocol::time::UnixMillis;
use crate::protocol::{Folded, Nick, base64};

/// The first word of what is written.
const VERSION: &str = "1";
/// Accounts in all, about 300 bytes each. Beyond, one more is refused.
pub(crate) const MAX_ACCOUNTS: usize = 20_000;
/// Fingerprints of certificates of one account. Beyond, the oldest goes.
const MAX_PRINTS: usize = 8;
/// A login is written down if the last one that was is so old, milliseconds.
const DAY: u64 = 86_400_000;

/// Who may make accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Accounts {
    /// Everybody, for a name that is nobody's.
    #[default]
    Open,
    /// Only the operator, at the console.
    Closed,
    /// There are none.
    Off,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// As its owner writes it.
    pub(crate) name: Arc<str>,
    pub(crate) salt: [u8; 16],
    pub(crate) rounds: u32,
    pub(crate) keys: Keys,
    /// SHA-256 of certificates that log in by themselves.
    pub(crate) prints: Vec<Key>,
    pub(crate) made: UnixMillis,
    /// The last login that was written down.
    pub(crate) used: UnixMillis,
    /// The same, in hours that the server had run.
    ran: u32,
}

impl Account {
    fn encode(&self) -> Box<[u8]> {
        let mut bytes = Vec::new();
        let text = |bytes: &[u8]| base64::encode(bytes);
        let (salt, stored, server) = (text(&self.salt), text(&self.keys.stored), text(&self.keys.server));
        let numbers = [self.rounds.into(), self.made.0, self.used.0, self.ran.into()];
        let [rounds, made, used, ran] = numbers.map(|number: u64| number.to_string());
        put(&mut bytes, &[VERSION, &self.name, &salt, &rounds, &stored, &server, &made, &used, &ran]);
        self.prints.iter().for_each(|print| put(&mut bytes, &[&text(print)]));
        bytes.into()
    }

    fn decode(mut state: &[u8]) -> Option<Account> {
        let mut word = || take(&mut state);
        let version = word()?;
        let name = Nick::parse(word()?).ok().filter(|_| version == VERSION)?;
        let bytes = |word: &str| base64::decode(word);
        Some(Account {
            name: name.as_str().into(),
            salt: bytes(word()?)?.try_into().ok()?,
            rounds: word()?.parse().ok()?,
            keys: Keys { stored: bytes(word()?)?.try_into().ok()?, server: bytes(word()?)?.try_into().ok()? },
            made: UnixMillis(word()?.parse().ok()?),
            used: UnixMillis(word()?.parse().ok()?),
            ran: word()?.parse().ok()?,
            prints: std::iter::from_fn(word)
                .map(|print| bytes(print)?.try_into().ok())
                .collect::<Option<_>>()?,
        })
    }
}

/// What is to be written of an account: its folded name, and what it is now, or nothing.
pub(crate) type UnwrittenAccount = (Box<str>, Option<Box<[u8]>>);

/// All accounts, at most [`MAX_ACCOUNTS`].
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// By folded name. `None`: what is kept cannot be read, and the name is nobody's to have.
    accounts: HashMap<Folded, Option<Account>>,
    /// Those that are on their way to the disk; they count from then on.
    drafts: HashMap<Folded, Account>,
    unwritten: Vec<UnwrittenAccount>,
    /// Secrets that were made in this start.
    made: u64,
}

impl Book {
    pub(crate) fn get(&self, name: &str) -> Option<&Account> {
        self.accounts.get(&Folded::new(name))?.as_ref()
    }

    /// Whether a name is somebody's.
    pub(crate) fn has(&self, name: &Folded) -> bool {
        self.accounts.contains_key(name)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.accounts.len() >= MAX_ACCOUNTS
    }

    /// All of them, by name.
    pub(crate) fn list(&self) -> Vec<&Account> {
        let names = sorted(self.accounts.keys().map(Folded::as_str));
        names.into_iter().filter_map(|name| self.get(name)).collect()
    }

    /// The account of a certificate: the oldest of those that `acting` allows.
    pub(crate) fn with_print(&self, print: &Key, acting: impl Fn(&str) -> bool) -> Option<&Account> {
        let of_print = |account: &&Account| account.prints.contains(print) && acting(&account.name);
        self.accounts.values().flatten().filter(of_print).min_by_key(|account| (account.made, &account.name))
    }

    /// The draft of an account is on disk, or cannot be; whether it counts from now on.
    pub(crate) fn settle(&mut self, name: &str, kept: bool) -> bool {
        let folded = Folded::new(name);
        // None: it was forgotten meanwhile.
        let draft = self.drafts.remove(&folded).filter(|_| kept);
        let counts = draft.is_some();
        if let Some(account) = draft {
            self.accounts.insert(folded, Some(account));
        } else {
            // A later write might take what was refused now along.
            self.write(name);
        }
        counts
    }

    fn write(&mut self, name: &str) {
        let folded = Folded::new(name);
        let known = self.accounts.get(&folded).and_then(Option::as_ref);
        // After a draft nothing older is written.
        let state = self.drafts.get(&folded).or(known).map(Account::encode);
        self.unwritten.push((folded.as_str().into(), state));
    }

    pub(crate) fn forget(&mut self, name: &str) -> bool {
        let folded = Folded::new(name);
        let drafted = self.drafts.remove(&folded).is_some();
        let there = self.accounts.remove(&folded).is_some() || drafted;
        if there {
            self.write(name);
        }
        there
    }
}

impl State {
    /// All accounts as they are written, by name, for other servers.
    pub(super) fn written_accounts(&self) -> impl Iterator<Item = Box<[u8]>> {
        self.accounts.list().into_iter().map(Account::encode)
    }

    /// The same, with their folded names.
    pub(crate) fn kept_accounts(&self) -> Vec<(Box<str>, Box<[u8]>)> {
        let kept = |account: &Account| (Folded::new(&account.name).as_str().into(), account.encode());
        self.accounts.list().into_iter().map(kept).collect()
    }

    /// Takes in an account as another server has it.
    pub(super) fn adopt_account(&mut self, state: &[u8]) -> Option<()> {
        let account = Account::decode(state)?;
        let name = Folded::new(&account.name);
        self.accounts.accounts.insert(name, Some(account));
        Some(())
    }

    /// What is kept here of accounts is made what they are; `kept`: by folded names, as it was written.
    pub(crate) fn write_accounts_over(&mut self, kept: &[(Box<str>, Box<[u8]>)]) {
        let known: HashMap<&str, &[u8]> = kept.iter().map(|(name, state)| (&**name, &**state)).collect();
        let new = self.accounts.list().into_iter().map(|account| account.name.to_string());
        let new = new.filter(|name| !known.contains_key(Folded::new(name).as_str()));
        let names: Vec<String> = new.chain(known.keys().map(|name| (*name).to_owned())).collect();
        for name in names {
            let now = self.accounts.get(&name).map(Account::encode);
            if now.as_deref() != known.get(Folded::new(&name).as_str()).copied() {
                self.accounts.write(&name);
            }
        }
    }

    /// Takes in what is kept of accounts, by folded names. Says which could not be read.
    pub(crate) fn restore_accounts(&mut self, kept: Vec<(Box<str>, Box<[u8]>)>) -> Vec<Box<str>> {
        let mut unreadable = Vec::new();
        for (name, state) in kept {
            let account = Account::decode(&state);
            if account.is_none() {
                unreadable.push(name.clone());
            }
            self.accounts.accounts.insert(Folded::new(&name), account);
        }
        unreadable
    }

    /// What is to be written of accounts since the last call.
    pub(crate) fn take_unwritten_accounts(&mut self) -> Vec<UnwrittenAccount> {
        std::mem::take(&mut self.accounts.unwritten)
    }

    /// Bytes that nobody can guess, and that were never given out before: a nonce, a salt, a password.
    pub(crate) fn secret(&mut self) -> Key {
        self.accounts.made += 1;
        mac(&self.settings.secret, &self.accounts.made.to_le_bytes())
    }

    /// An account as it stands in the log of several servers is there from now on, or has other keys; its name.
    pub(crate) fn put_account(&mut self, state: &[u8]) -> Option<Arc<str>> {
        let mut account = Account::decode(state)?;
        let (now, ran) = (self.now.wall, self.ran());
        let known = self.accounts.get(&account.name);
        account.made = known.map_or(now, |known| known.made);
        account.name = known.map_or_else(|| account.name.clone(), |known| known.name.clone());
        (account.used, account.ran) = (now, ran);
        let name = account.name.clone();
        self.accounts.accounts.insert(Folded::new(&name), Some(account));
        self.accounts.write(&name);
        Some(name)
    }

    /// The name in what is written of an account.
    pub(crate) fn name_of_account(state: &[u8]) -> Option<Arc<str>> {
        Account::decode(state).map(|account| account.name)
    }

    /// Makes the draft of a new account, or of one with a new password; how it is written.
    pub(crate) fn draft_account(&mut self, name: &str, salt: [u8; 16], rounds: u32, keys: Keys) -> Box<[u8]> {
        let (now, ran) = (self.now.wall, self.ran());
        let known = self.accounts.get(name);
        let name = known.map_or_else(|| name.into(), |known| known.name.clone());
        let made = known.map_or(now, |known| known.made);
        let account = Account { name, salt, rounds, keys, prints: Vec::new(), made, used: now, ran };
        let state = account.encode();
        if self.cluster.is_none() {
            self.accounts.drafts.insert(Folded::new(&account.name), account);
        }
        state
    }

    /// An account was used now. Of somebody who is no member yet, other servers do not know that.
    pub(crate) fn note_used(&mut self, name: &str) {
        if !self.decides() {
            return;
        }
        let (now, ran) = (self.now.wall, self.ran());
        let Some(Some(account)) = self.accounts.accounts.get_mut(&Folded::new(name)) else { return };
        if now.0.abs_diff(account.used.0) >= DAY || account.ran > ran {
            (account.used, account.ran) = (now, ran);
            self.accounts.write(name);
        }
    }

    /// Lets a certificate log in to an account that does not know it.
    pub(crate) fn add_print(&mut self, name: &str, print: Key) {
        let Some(Some(account)) = self.accounts.accounts.get_mut(&Folded::new(name)) else { return };
        if account.prints.len() >= MAX_PRINTS {
            account.prints.remove(0);
        }
        account.prints.push(print);
        self.accounts.write(name);
    }

    /// Ends the accounts that were not used for so many hours that the server ran.
    pub(crate) fn end_unused_accounts(&mut self, ran: u32) {
        let keep = u32::try_from(self.settings.accounts_keep.as_secs().div_ceil(3600)).unwrap_or(u32::MAX);
        let here: Vec<Arc<str>> = self.everyone().filter_map(|(_, member)| member.account.clone()).collect();
        here.iter().for_each(|name| self.note_used(name));
        let unused = |account: &&Account| ran.saturating_sub(account.ran) >= keep;
        let gone = self.accounts.accounts.values().flatten().filter(unused);
        let gone: Vec<Arc<str>> =
            gone.map(|account| account.name.clone()).filter(|name| !here.contains(name)).collect();
        for name in gone {
            self.accounts.forget(&name);
            self.forget_pairs(&Folded::new(&name));
            self.forget_marks(&name);
        }
    }

    /// Connections that have logged in to this account, whether they are registered or not.
    pub(crate) fn of_account(&self, name: &Folded) -> Vec<ConnectionId> {
        self.all_who(|_, member| member.account.as_ref().is_some_and(|own| Folded::new(own) == *name))
    }

    /// Stands for an account as it is now: another one of that name, or another password, has another. Empty: there
    /// is none.
    pub(crate) fn proof_of(&self, name: &str) -> String {
        let proof = |account: &Account| {
            let made = account.made.0.to_le_bytes();
            let parts: [&[u8]; 3] = [account.name.as_bytes(), &made, &account.keys.stored];
            format!("{:x}", hash(parts.into_iter()))
        };
        self.accounts.get(name).map_or(String::new(), proof)
    }

    /// Another connection of the account that this one has logged in to: its place is this one's.
    pub(crate) fn standing(&self, id: ConnectionId) -> Option<ConnectionId> {
        let account = self.member(id)?.account.as_ref()?;
        let same = |other: &Arc<str>| Folded::new(other) == Folded::new(account);
        let mut others = self.everyone().filter(|(other, _)| *other != id);
        others.find(|(_, member)| member.account.as_ref().is_some_and(same)).map(|(other, _)| other)
    }

    /// Whether a name is somebody's who this connection has not shown to be.
    pub(crate) fn is_others(&self, id: ConnectionId, name: &Folded) -> bool {
        let own = self.member(id).and_then(|member| member.account.as_ref());
        self.accounts.has(name) && own.is_none_or(|own| Folded::new(own) != *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let account = Account {
            name: "Zoë".into(),
            salt: [7; 16],
            rounds: 4096,
            keys: Keys { stored: [1; 32], server: [2; 32] },
            prints: vec![[3; 32], [4; 32]],
            made: UnixMillis(5),
            used: UnixMillis(6),
            ran: 8,
        };
        let state = account.encode();
        assert_eq!(Account::decode(&state), Some(account));
        for cut in 0..state.len() {
            // Some prefixes are whole accounts with fewer certificates; none may panic.
            Account::decode(&state[..cut]);
        }
        assert_eq!(Account::decode(b"\x01\x002"), None);
    }
}
