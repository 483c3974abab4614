//! What those with names say to each other alone, and how far they have read.
//!
//! A private line that two accounts kept is kept once, and nobody else is ever told it; it ends with an
//! account. A mark is not lost once something that was said after it has its echo.

use std::collections::BTreeMap;

use parlor_server::hub::history::{Record, Told};
use parlor_server::protocol::time::UnixMillis;
use parlor_tests::Message;

use crate::world::{BEGIN, Home, World};

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Private {
    /// What is kept: between which accounts, and when each was made.
    kept: BTreeMap<String, [(String, String); 2]>,
    /// By account: the mark that the next start must know.
    marks: BTreeMap<String, String>,
}

impl Private {
    /// A name is nobody's any more.
    pub(crate) fn forgotten(&mut self, name: &str) {
        self.marks.remove(name);
    }

    /// What is kept of marks is in doubt.
    pub(crate) fn forget_marks(&mut self) {
        self.marks.clear();
    }

    /// The hub gives a record out.
    pub(crate) fn recorded(&mut self, record: &Record) {
        let words: Vec<&str> = record.room.split('\u{2}').collect();
        let pair = if let [_, one, a, other, b] = words[..] { Some([(one, a), (other, b)]) } else { None };
        let told = Told::parse(&record.payload).filter(|told| told.kind == "PRIVMSG");
        let Some((pair, told)) = pair.zip(told) else { return };
        let lives = pair.map(|(name, made)| (name.to_owned(), made.to_owned()));
        assert!(self.kept.insert(told.first.to_owned(), lives).is_none(), "{} is kept twice", told.first);
    }
}

impl World {
    /// What somebody with a name is told of that.
    pub(crate) fn look_at_private(&mut self, link: usize, message: &Message) {
        let Some(account) = self.links[link].shown.account().map(str::to_owned) else { return };
        let Home { private, accounts, .. } = &mut self.homes[self.links[link].to];
        match message.command.as_str() {
            // Not a line that was just said: it comes with its time.
            "PRIVMSG" if !message.param(0).starts_with('#') && message.last().starts_with('[') => {
                let word = message.last().split(' ').next_back().unwrap_or_default();
                let lives = &private.kept[word];
                let now = (account.clone(), accounts.made(&account).unwrap_or_default());
                assert!(lives.contains(&now), "{word} between {lives:?} is told to {now:?} on {link}");
            }
            "PRIVMSG" if message.last() == format!("mark {link}") => {
                let echo = message.tag("msgid").is_some() && message.tag("parlor/volatile").is_none();
                if let Some(mark) = self.links[link].marked.clone().filter(|_| echo) {
                    let before = private.marks.entry(account).or_default();
                    *before = mark.max(std::mem::take(before));
                }
            }
            "MARKREAD" => {
                let least = private.marks.get(&account).cloned().unwrap_or_default();
                let (room, time) = (message.param(0), message.last().to_owned());
                assert!(time >= least, "{account} has read {room} up to {time}, and had up to {least}");
                self.links[link].marked = Some(time).filter(|time| time != "*");
            }
            _ => {}
        }
    }

    /// Something for somebody else with a name, or how far one has read in the room of one's own.
    pub(crate) fn act_in_private(&mut self, i: usize) -> String {
        let room = self.owners[i].name.clone();
        if self.random.permille(400) {
            let now = UnixMillis(BEGIN + self.now.as_millis() as u64);
            return format!("MARKREAD #{room} timestamp={now}\r\n");
        }
        let to = format!("own{}", self.random.below(self.plan.names));
        self.whispers += 1;
        format!("PRIVMSG {to} :psst{}\r\n", self.whispers)
    }
}
