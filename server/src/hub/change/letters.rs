//! Private lines where several servers share all rooms: they stand in nobody's log.
//!
//! A line for a member of another server is handed to that server ([`Output::Post`]); if it was heard, an entry
//! without it takes its place in the order, on all servers: from that come its time and its message id, on both ends
//! alike. What two accounts say to each other is handed to all servers, and each keeps it: either may come back on
//! any of them. What was for somebody who is waited for follows when they come back on another server.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use crate::hub::Hub;
use crate::hub::change::entry;
use crate::hub::change::{Asker, Change};
use crate::hub::delivery::event::{Event, Talk, What};
use crate::hub::delivery::output::Output;
use crate::hub::history::record;
use crate::hub::state::ConnectionId;
use crate::hub::state::cluster::Origin;
use crate::hub::state::member::{Missed, Source};
use crate::hub::state::refusal::{Refused, nobody, too_long};
use crate::hub::state::words::{put, take};
use crate::protocol::Numeric::ERR_NOSUCHNICK;
use crate::protocol::command::Verb;
use crate::protocol::line::MAX_BODY;
use crate::protocol::{LineName, MsgId};

/// Letters of at most a few KB that have come before their entries, and entries that have come before their letters. Other
/// servers fill them; beyond, the oldest goes.
const MOST: usize = 1000;

/// A private line on its way.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    by: ConnectionId,
    /// The name of whom it is for.
    target: String,
    verb: Verb,
    text: String,
    line: Option<LineName>,
    tags: String,
    long: bool,
    /// The server of whom it is for, which was handed a letter of its own; `None`: that is this one, they are nowhere, or
    /// nobody was there who took it.
    posted: Option<u32>,
    /// All servers are handed it and keep it. Only then does it have its turn: they are to have it first.
    kept: bool,
    label: Option<Box<str>>,
}

/// What an entry has said of a letter that has not come.
#[derive(Debug)]
struct Awaited {
    id: MsgId,
    from: Source,
    /// It is for a member of this server, and not only to be kept.
    here: bool,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Letters {
    last: u64,
    /// Of this server's members, by ticket: those of the command in hand of each.
    own: HashMap<u64, Letter>,
    /// By who sent them, and ticket.
    come: VecDeque<((Origin, u64), Letter)>,
    awaited: VecDeque<((Origin, u64), Awaited)>,
}

fn take_from<T>(list: &mut VecDeque<((Origin, u64), T)>, key: (Origin, u64)) -> Option<T> {
    let at = list.iter().position(|(known, _)| *known == key)?;
    list.remove(at).map(|(_, found)| found)
}

fn push_to<T>(list: &mut VecDeque<((Origin, u64), T)>, key: (Origin, u64), new: T) {
    if list.iter().any(|(known, _)| *known == key) {
        return;
    }
    if list.len() >= MOST {
        list.pop_front();
    }
    list.push_back((key, new));
}

impl Letter {
    fn talk(&self) -> Talk<'_> {
        Talk { verb: self.verb, text: &self.text, line: self.line, tags: &self.tags, long: self.long }
    }
}

impl Hub {
    /// Sends a private line on its way; it is said when its entry has its turn.
    pub(crate) fn post(&mut self, id: ConnectionId, target: &str, talk: Talk<'_>) -> Result<(), Refused> {
        let found = self.state.find(target);
        let kept = self.state.pair(id, target).is_some();
        if found.is_none() && !kept {
            return Err(nobody(target));
        }
        let what = What::Message { verb: talk.verb, target, text: talk.text, private: true };
        if !talk.long && self.event_beside(Some(id), what).body_len() > MAX_BODY {
            // That is said of a notice, too.
            self.refuse(id, too_long());
            return Ok(());
        }
        let letters = &mut self.letters;
        letters.last += 1;
        let ticket = letters.last;
        let posted = found.filter(|other| other.is_remote()).map(|other| self.state.origin(other).server);
        let letter = Letter {
            by: id,
            target: target.into(),
            verb: talk.verb,
            text: talk.text.into(),
            line: talk.line,
            tags: talk.tags.into(),
            long: talk.long,
            posted,
            kept,
            label: self.delivery.take_label(id),
        };
        self.state.begin_proposal(id);
        let origin = self.state.origin(id);
        if kept {
            let asked = if posted.is_none() { ticket } else { 0 };
            let letter = encode((origin, ticket), &letter, posted, None).into();
            self.delivery.output(Output::Post { server: None, ticket: asked, letter });
        }
        if posted.is_some() {
            let letter = encode((origin, ticket), &letter, None, None).into();
            self.delivery.output(Output::Post { server: posted, ticket, letter });
        }
        if posted.is_none() && !kept {
            self.put_in_order(ticket, &letter);
        }
        self.letters.own.insert(ticket, letter);
        Ok(())
    }

    fn put_in_order(&mut self, ticket: u64, letter: &Letter) {
        let change = Change::Whisper { ticket, to: letter.posted.unwrap_or_default(), kept: letter.kept };
        let entry = entry::encode(self.state.origin(letter.by), &change);
        self.hand_in_begun((Some(letter.by), Asker::Host), letter.label.clone(), entry);
    }

    /// Whether the server that was handed a letter heard it, or any of all.
    pub(crate) fn heard(&mut self, ticket: u64, heard: bool) {
        let Some(letter) = self.letters.own.get_mut(&ticket) else { return };
        let heard = heard || letter.posted.is_none();
        if !heard {
            letter.posted = None;
        }
        let letter = letter.clone();
        let id = letter.by;
        if self.state.member(id).is_none() {
            self.letters.own.remove(&ticket);
            return;
        }
        let absent = self.state.find(&letter.target).is_none();
        if heard || absent && self.state.pair(id, &letter.target).is_some() {
            // Between two accounts it is kept all the same, for the other one's return.
            return self.put_in_order(ticket, &letter);
        }
        self.letters.own.remove(&ticket);
        letter.label.iter().for_each(|label| self.delivery.begin_label(id, label));
        if letter.verb == Verb::Privmsg {
            let why = format!("{} :Their server cannot be reached now; the line was not sent", letter.target);
            self.refuse(id, (ERR_NOSUCHNICK, why));
        }
        self.had_its_turn(id);
    }

    /// A private line has its turn: on its two ends, and on all servers one id of the order.
    pub(super) fn whisper_in_turn(
        &mut self,
        by: ConnectionId,
        ticket: u64,
        (to, kept): (u32, bool),
    ) -> Result<(), Refused> {
        let id = self.state.next_id();
        if !by.is_remote() {
            let Some(letter) = self.letters.own.remove(&ticket) else { return Ok(()) };
            let heard = self.state.find(&letter.target).filter(|other| {
                !other.is_remote() || letter.posted == Some(self.state.origin(*other).server)
            });
            return self.whisper_now(by, (&letter.target, heard), letter.talk(), Some(id));
        }
        let here = self.state.is_this_server(to);
        if kept || here {
            let key = (self.state.origin(by), ticket);
            let from = self.state.source(by);
            match take_from(&mut self.letters.come, key) {
                // Whoever has come over to this server since it was sent is told here.
                Some(letter) => self.deliver((from, &letter), id, Some(id), true),
                None => push_to(&mut self.letters.awaited, key, Awaited { id, from, here }),
            }
        }
        Ok(())
    }

    /// Whoever wrote a letter was gone when it had its turn.
    pub(super) fn forget_letter_of(&mut self, change: &Change<'_>, origin: Origin) {
        if let Change::Whisper { ticket, .. } = change
            && self.state.is_this_server(origin.server)
        {
            self.letters.own.remove(ticket);
        }
    }

    /// Whether an entry is best looked at once the letter that it is about has come.
    pub fn lacks_letter(&self, server: u32, entry: &[u8]) -> bool {
        let Some((by, ticket, (to, kept))) = entry::whisper(entry) else { return false };
        let concerns = !self.state.is_this_server(server) && (kept || self.state.is_this_server(to));
        concerns && self.letters.come.iter().all(|(key, _)| *key != (by, ticket))
    }

    /// A letter is handed over.
    pub(crate) fn letter(&mut self, bytes: &[u8]) {
        let Some((key, letter, missed)) = decode(bytes) else { return };
        if let Some((id, from)) = missed {
            return self.tell_missed(&letter, id, from);
        }
        let mut had = [key.0.server].into_iter().chain(letter.posted);
        if had.any(|server| self.state.is_this_server(server)) {
            // It was handed to all, the server that wrote it and the one that has one of its own among them.
            return;
        }
        let Some(Awaited { id, from, here }) = take_from(&mut self.letters.awaited, key) else {
            return push_to(&mut self.letters.come, key, letter);
        };
        // It was overtaken by its entry, and by what came behind that.
        let key = self.state.stamps.late();
        self.deliver((from, &letter), id, key, here);
    }

    /// Tells a member of this server what is for it alone, where it `may` be here, and keeps what two accounts say under
    /// `key`, if there is one.
    fn deliver(&mut self, (from, letter): (Source, &Letter), id: MsgId, key: Option<MsgId>, may: bool) {
        let other = self.state.find(&letter.target).filter(|other| may && !other.is_remote());
        let own = from.account.as_deref();
        let pair = own.and_then(|account| self.state.pair_of(account, &letter.target));
        let print = letter.line.zip(pair.as_ref()).map(|(line, pair)| record::fingerprint(&pair.key, line));
        if print.is_some_and(|print| self.history.knows_private(print)) {
            // Its sender came to another server, which did not know that.
            return;
        }
        let nick = other.map_or(&*letter.target, |other| self.state.nick_of(other)).to_owned();
        let from = Cow::Owned(from);
        let what = What::Message { verb: letter.verb, target: &nick, text: &letter.text, private: true };
        let event = Event { id, from, tags: &letter.tags, what, volatile: false, batch: "" };
        if let Some(other) = other {
            // Whether it has a place for one more that it misses, the sender's server cannot know.
            let _ = self.tell_alone(other, &event, pair.is_some());
        }
        let kept = pair.zip(key);
        let kept = kept.is_some_and(|(pair, id)| self.record_private(&pair, &Event { id, ..event }, print));
        print.filter(|_| kept).into_iter().for_each(|print| self.history.note_private(print));
    }

    fn tell_missed(&mut self, letter: &Letter, id: MsgId, from: Source) {
        let Some(other) = self.state.find(&letter.target).filter(|other| !other.is_remote()) else { return };
        let nick = self.state.nick_of(other).to_owned();
        let what = What::Message { verb: letter.verb, target: &nick, text: &letter.text, private: true };
        let from = Cow::Owned(from);
        self.tell(other, &Event { id, from, tags: &letter.tags, what, volatile: false, batch: "" });
    }

    /// What was kept here for somebody who is back on another server.
    pub(super) fn forward(&mut self, to: ConnectionId, missed: Vec<Missed>) {
        let server = self.state.origin(to).server;
        let target = self.state.nick_of(to).to_owned();
        for Missed { id, from, tags, verb, text } in missed {
            let letter = Letter {
                by: to,
                target: target.clone(),
                verb,
                text,
                line: None,
                tags,
                long: true,
                posted: None,
                kept: false,
                label: None,
            };
            let letter = encode((self.state.origin(to), 0), &letter, None, Some((id, &from)));
            // Nobody waits for whether it is heard.
            self.delivery.output(Output::Post { server: Some(server), ticket: 0, letter: letter.into() });
        }
    }
}

/// `besides`: the server that has a letter of its own.
fn encode(
    (by, ticket): (Origin, u64),
    letter: &Letter,
    besides: Option<u32>,
    missed: Option<(MsgId, &Source)>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let line = letter.line.map_or(String::new(), |line| line.to_string());
    let besides = besides.map_or(String::new(), |server| server.to_string());
    let long = if letter.long { "1" } else { "" };
    put(&mut bytes, &[&entry::who(by), &ticket.to_string(), &besides, &letter.target]);
    put(&mut bytes, &[letter.verb.as_str(), &line, long, &letter.tags, &letter.text]);
    if let Some((id, Source { nick, prefix, account, author, bot })) = missed {
        let (account, bot) = (account.as_deref().unwrap_or_default(), if *bot { "1" } else { "" });
        put(&mut bytes, &[&id.to_string(), nick, prefix, account, author, bot]);
    }
    bytes
}

/// Whose letter it is and its ticket, the letter, and of what was missed when that was and by whom.
type Come = ((Origin, u64), Letter, Option<(MsgId, Source)>);

fn decode(mut bytes: &[u8]) -> Option<Come> {
    let mut word = || take(&mut bytes);
    let (by, ticket) = (entry::by(word()?)?, word()?.parse().ok()?);
    let (posted, target) = (word()?.parse().ok(), word()?.into());
    let (verb, line, long) = (entry::verb(word()?)?, LineName::parse(word()?), !word()?.is_empty());
    let (tags, text) = (word()?.into(), word()?.into());
    // Whose it is here is looked up when it is told.
    let nobody = ConnectionId { slot: u32::MAX, generation: 0 };
    let letter =
        Letter { by: nobody, target, verb, text, line, tags, long, posted, kept: false, label: None };
    let missed = word().and_then(|id| {
        let id = MsgId::parse(id)?;
        let (nick, prefix, account) = (word()?.into(), word()?.into(), word()?);
        let account = Some(account).filter(|account| !account.is_empty()).map(Into::into);
        Some((id, Source { nick, prefix, account, author: word()?.into(), bot: !word()?.is_empty() }))
    });
    Some(((by, ticket), letter, missed))
}
