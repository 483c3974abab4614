//! Several servers around the log that they share: what `dispatch::order` and `parlor_server::cluster` do, and what
//! befalls the engine, the servers and the ways between them.

use std::sync::Arc;
use std::time::Duration;

use parlor_server::hub::{ConnectionId, Hub, Input, Kept, Settings};
use parlor_server::protocol::{MsgId, Position};

use crate::engine::{Entry, Joined, LEASE, Verdict, Who};
use crate::plan::Several;
use crate::replica::{Call, Part, Post, RENEW, Replica, Said};
use crate::server::Server;
use crate::world::{Happening, Task, World};

/// What stands in the message ids of the servers.
const BOOT: u32 = 7 * MsgId::STARTS;
/// The pause before a server that has to begin tries again, in milliseconds.
const AGAIN: (usize, usize) = (1000, 1000);
const SOON: (usize, usize) = (100, 100);
/// The pause before a connection to the engine is tried again.
const PAUSE: (usize, usize) = (50, 2000);
/// How long nobody notices that no answer comes.
const SILENT: (usize, usize) = (2000, 5000);
/// Entries that are read at once.
const READ: usize = 200;

impl World {
    pub(crate) fn several(&self) -> &Several {
        self.plan.several.as_ref().expect("several servers")
    }

    /// Lets the first servers begin, and things go wrong.
    pub(crate) fn start_servers(&mut self) {
        let (count, joiner) = (self.several().servers, self.several().joiner);
        for s in 0..count {
            self.homes[s].skew = self.random.below(1_200_000) as i64 - 600_000;
            let late = joiner && s + 1 == count;
            let begin = if late { (3000, 25_000) } else { (0, 300) };
            self.after(begin, Happening::Start(s));
        }
        let Several { freeze_every, engine_every, part_every, snapshot_every, .. } = self.several();
        for (every, what) in [
            (*freeze_every, Happening::Freeze),
            (*engine_every, Happening::EngineFails),
            (*part_every, Happening::Part),
            (Some(*snapshot_every), Happening::Snapshot),
        ] {
            if let Some(every) = every {
                self.again(every, what);
            }
        }
    }

    fn reaches_engine(&self, s: usize) -> bool {
        self.engine.away.is_none() && self.homes[s].parted <= self.now
    }

    fn way(&mut self) -> Duration {
        let delay = self.several().delay;
        self.random.millis(delay)
    }

    fn replica(&mut self, s: usize) -> Option<&mut Replica> {
        self.servers[s].replica.as_mut()
    }

    // How a server begins.

    /// A server tries to begin.
    pub(crate) fn join(&mut self, s: usize, boot: u32) {
        let wants = self.servers[s].begins || self.servers[s].anew.is_some();
        if self.homes[s].disk.boot != boot || !wants {
            return;
        }
        if self.servers[s].frozen || !self.reaches_engine(s) {
            return self.after(AGAIN, Happening::Join(s, boot));
        }
        let known = self.homes[s].kept_upto;
        let reaches = Position { millis: known.millis.saturating_sub(1), count: u64::MAX };
        match self.engine.join(self.now, (known != MsgId::default()).then_some(reaches)) {
            Ok(joined) => self.joined(s, joined),
            Err(()) => self.after(SOON, Happening::Join(s, boot)),
        }
    }

    fn settings_of(&mut self, number: u32) -> Settings {
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&self.random.next().to_le_bytes());
        Settings { boot: BOOT, durable: true, secret, cluster: Some(number), ..Settings::default() }
    }

    fn joined(&mut self, s: usize, mut joined: Joined) {
        let anew = self.servers[s].anew.take();
        let first = std::mem::take(&mut self.servers[s].begins);
        let disk = &self.homes[s].disk;
        let (rooms, prints, accounts) = match anew {
            Some((rooms, accounts)) => (rooms, Vec::new(), accounts),
            None => (disk.rooms(), disk.fingerprints(), self.kept_accounts(s)),
        };
        if first {
            self.servers[s].started = self.now;
        }
        let settings = self.settings_of(joined.number);
        if joined.snapshot.is_none() {
            let mut hub = Hub::new(settings.clone(), self.server_moment(s));
            hub.restore(rooms.clone(), prints.clone());
            hub.restore_accounts(accounts.clone());
            let state: Arc<[u8]> = hub.snapshot().into();
            self.engine.found(self.now, Arc::clone(&state));
            joined.snapshot = Some((Position::default(), state));
        }
        self.trace.say(self.now, || {
            let at = joined.snapshot.as_ref().map(|(at, _)| at.to_string());
            format!("== server {s} is number {} from {at:?} on, alive: {:?}", joined.number, joined.alive)
        });
        self.servers[s].hub = Some(Hub::new(settings, self.server_moment(s)));
        self.catch_up(s, joined, (rooms, prints), &accounts);
        self.thaw_backlog(s);
    }

    fn catch_up(&mut self, s: usize, joined: Joined, kept: (Kept, Vec<u64>), accounts: &Kept) {
        let slow = *self.random.pick(&[(0, 2), (0, 2), (1, 50), (20, 800)]);
        self.servers[s].replica = Some(Replica::new(&joined, self.now, slow));
        let Joined { number, snapshot, entries, alive, .. } = joined;
        let (at, state) = snapshot.expect("there is one");
        let known = self.homes[s].kept_upto;
        let hub = self.servers[s].hub.as_mut().expect("just made");
        assert!(hub.adopt(&state, kept, accounts), "the snapshot makes sense");
        let lacks = hub.has_gap(known);
        if known != MsgId::default() && lacks {
            hub.note_gap(known);
            self.trace.say(self.now, || format!("== server {s} lacks what was said up to {at}"));
        }
        if lacks {
            self.oracle.order.note_gap(s, known, at);
            // An account may have ended meanwhile, and begun anew.
            self.homes[s].accounts.forget_ranks();
            self.homes[s].private.forget_marks();
        }
        self.carry_out(s);
        for entry in entries {
            let follows = self.replica(s).is_some_and(|replica| replica.take(&entry));
            assert!(follows, "what is behind a snapshot follows it");
            self.ordered(s, &entry);
        }
        let Some(hub) = &self.servers[s].hub else { return };
        let gone: Vec<_> = hub.servers().into_iter().filter(|server| !alive.contains(server)).collect();
        let gone: Vec<(u32, Arc<[u8]>)> =
            gone.into_iter().map(|server| (server, hub.gone(server).into())).collect();
        if let Some(replica) = self.replica(s) {
            replica.fences.extend(gone);
        }
        self.go(s);
        self.look_at_log_soon(s);
        self.trace.say(self.now, || format!("== server {s} is there as number {number}"));
    }

    fn ordered(&mut self, s: usize, entry: &Entry) {
        let Entry { serial, at, server, ref bytes, .. } = *entry;
        self.trace.say(self.now, || {
            let text = bytes.escape_ascii().to_string();
            format!("server {s}: {serial} at {at} of {server}: {}", text.replace("\\x00", " "))
        });
        self.servers[s].turn = Some(serial);
        // A member of another server is nobody's connection here.
        self.servers[s].reading = Some(self.link_of_entry(s, bytes).unwrap_or(usize::MAX));
        self.servers[s].turn_at = Some(at.millis);
        self.give(s, Input::Ordered { server, at, entry: Arc::clone(bytes) });
        (self.servers[s].reading, self.servers[s].turn_at) = (None, None);
        if let Some(hub) = &self.servers[s].hub {
            self.oracle.order.compare(s, serial, hub);
        }
    }

    /// The connection here whose change an entry is.
    fn link_of_entry(&self, s: usize, mut bytes: &[u8]) -> Option<usize> {
        let mut words = std::iter::from_fn(|| {
            let (length, rest) = bytes.split_first_chunk::<2>()?;
            let (word, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            bytes = rest;
            str::from_utf8(word).ok()
        });
        let mut numbers = words.nth(1)?.split('.').map(|number| u32::from_str_radix(number, 16).ok());
        let (server, slot, generation) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let own = server == self.servers[s].number();
        self.link_of(s, ConnectionId { slot, generation }).filter(|_| own)
    }

    /// The others have gone on without a server: it ends all connections, and begins anew.
    fn begin_anew(&mut self, s: usize, why: &str) {
        self.trace.say(self.now, || format!("== server {s} begins anew: {why}"));
        self.servers[s].replica = None;
        self.give(s, Input::Anew);
        let Some(hub) = &self.servers[s].hub else { return };
        self.servers[s].anew = Some(hub.kept());
        for link in self.links.iter_mut().filter(|link| link.to == s) {
            link.more = false;
        }
        self.at(self.now, Happening::Join(s, self.homes[s].disk.boot));
    }

    // What a server asks of the engine.

    /// A server hands something to another one.
    pub(crate) fn post(&mut self, s: usize, post: Post) {
        let ticket = post.1;
        let Some(replica) = self.replica(s) else { return };
        if !replica.post(post) {
            let number = replica.number;
            self.at_server(s, self.now, Task::Said(number, Said::Unheard(ticket)));
        }
    }

    /// A server asks the engine what is next, if anything is.
    pub(crate) fn go(&mut self, s: usize) {
        let now = self.now;
        let Some(replica) = self.replica(s).filter(|replica| !replica.busy) else { return };
        match replica.next(now) {
            Ok(call) => self.ask_engine(s, call),
            Err(at) if replica.wake_at != at => {
                replica.wake_at = at;
                let number = replica.number;
                self.at_server(s, at, Task::Go(number));
            }
            Err(_) => {}
        }
    }

    /// Something may be due.
    pub(crate) fn wakes(&mut self, s: usize, number: u32) {
        if let Some(replica) = self.replica(s).filter(|replica| replica.number == number) {
            replica.wake_at = Duration::MAX;
            self.go(s);
        }
    }

    fn ask_engine(&mut self, s: usize, call: Call) {
        let way = self.way();
        let Some(replica) = self.replica(s) else { return };
        replica.busy = true;
        let who = replica.who();
        self.at(self.now + way, Happening::Engine(s, who, call));
    }

    /// A call has come to the engine.
    pub(crate) fn engine_hears(&mut self, s: usize, who: Who, call: Call) {
        let posts = match &call {
            Call::Write { posts, .. } => posts.clone(),
            _ => Vec::new(),
        };
        let nothing = Said::Nothing(self.now, posts);
        if !self.reaches_engine(s) {
            let silent = self.random.permille(300);
            let after = if silent { self.random.millis(SILENT) } else { self.way() };
            return self.at_server(s, self.now + after, Task::Said(who.number, nothing));
        }
        let (now, before) = (self.now, self.engine.last());
        let said = match call {
            Call::Renew(read, first) => match self.engine.renew(now, who, (read, first)) {
                Ok((held, over)) => Said::Renewed(held, over),
                Err(verdict) => Said::Verdict(verdict),
            },
            Call::Write { posts, read, first, entries } => {
                let upto = first + entries.len() as u64 - 1;
                let heard = posts.into_iter().map(|post| (post.1, self.hand_over(post))).collect();
                let appended = (!entries.is_empty())
                    .then(|| (upto, self.engine.append(now, who, (read, first), &entries)));
                Said::Written(appended, heard)
            }
            Call::Fence(server, bytes) => Said::Fenced(server, self.engine.fence(now, who, server, bytes)),
            Call::Keep(at, state) => Said::Verdict(self.engine.keep(now, who, (at, state))),
            Call::PutBack(entries) => match self.engine.put_back(now, who, &entries) {
                Ok(count) => Said::PutBack(count),
                Err(verdict) => Said::Verdict(verdict),
            },
        };
        self.engine_has_changed(before);
        let lost = self.random.permille(self.several().lossy);
        let (after, said) = if lost { (self.random.millis(SILENT), nothing) } else { (self.way(), said) };
        self.at_server(s, self.now + after, Task::Said(who.number, said));
    }

    /// Something was asked of the engine: servers read what is new, and what nobody can put back is lost.
    fn engine_has_changed(&mut self, before: Position) {
        for entry in std::mem::take(&mut self.engine.lost) {
            let records = self.oracle.order.is_lost(&entry);
            self.trace.say(self.now, || {
                format!("== the engine has lost entry {} for good: {records} records", entry.serial)
            });
            // What was on the way to be known is known to some only.
            for home in &mut self.homes {
                home.accounts.forget_ranks();
                home.private.forget_marks();
            }
        }
        if self.engine.last() != before {
            (0..self.servers.len()).for_each(|s| self.look_at_log_soon(s));
        }
    }

    /// Whether the server that something is for hears it, or any of all.
    fn hand_over(&mut self, (number, _, letter): Post) -> bool {
        let mut heard = false;
        for to in 0..self.servers.len() {
            let replica = self.servers[to].replica.as_ref().map(|replica| replica.number);
            let Some(number) = replica.filter(|own| number.is_none_or(|number| number == *own)) else {
                continue;
            };
            if self.reaches_engine(to) {
                self.hand_to(to, number, letter.clone());
                heard = true;
            }
        }
        heard
    }

    fn hand_to(&mut self, to: usize, number: u32, letter: Box<[u8]>) {
        let late = if self.random.permille(100) { self.random.millis((0, 2000)) } else { Duration::ZERO };
        let way = self.way() + late;
        let at = self.servers[to].letter_at.max(self.now + way);
        self.servers[to].letter_at = at;
        self.at_server(to, at, Task::Letter(number, letter));
    }

    /// The engine has said something to a server, or nothing.
    pub(crate) fn engine_says(&mut self, s: usize, number: u32, said: Said) {
        let now = self.now;
        let Some(replica) = self.replica(s).filter(|replica| replica.number == number) else { return };
        if let Said::Unheard(ticket) = said {
            return self.give(s, Input::Heard { ticket, heard: false });
        }
        replica.busy = false;
        match said {
            Said::Unheard(_) => {}
            Said::Nothing(since, posts) => {
                replica.busy = true;
                let tickets = replica.unheard(posts);
                self.is_down(s, Part::Writer, since);
                for ticket in tickets {
                    self.give(s, Input::Heard { ticket, heard: false });
                }
                return self.after_at_server(s, PAUSE, Task::Reconnect(number));
            }
            Said::Renewed(held, over) => {
                if now.saturating_sub(replica.renewed) > LEASE {
                    replica.steady = now;
                }
                (replica.renewed, replica.renew_at, replica.held) = (now, now + RENEW, held);
                let steady = now.saturating_sub(replica.steady) >= LEASE;
                let answered = replica.waiting(1).is_empty() || held > now;
                let new = |server: &u32| steady && !replica.fences.contains_key(server);
                let over: Vec<u32> = over.into_iter().filter(new).collect();
                if let Some(hub) = &self.servers[s].hub {
                    let gone: Vec<(u32, Arc<[u8]>)> =
                        over.into_iter().map(|server| (server, hub.gone(server).into())).collect();
                    self.servers[s]
                        .replica
                        .iter_mut()
                        .for_each(|replica| replica.fences.extend(gone.clone()));
                }
                if answered {
                    self.is_answered(s, Part::Writer);
                }
            }
            Said::Written(appended, heard) => {
                for (ticket, heard) in heard {
                    self.give(s, Input::Heard { ticket, heard });
                }
                if let Some((upto, verdict)) = appended {
                    if verdict == Verdict::Done
                        && let Some(replica) = self.replica(s)
                    {
                        replica.appended_upto(upto);
                    }
                    self.judge_verdict(s, verdict);
                }
            }
            Said::Fenced(server, verdict) => {
                if verdict == Verdict::Done {
                    replica.fences.remove(&server);
                }
                self.judge_verdict(s, verdict);
            }
            Said::Verdict(verdict) => self.judge_verdict(s, verdict),
            Said::PutBack(entries) => {
                replica.append_again();
                replica.renew_at = now;
                if entries > 0 {
                    self.trace.say(now, || format!("== server {s} has put {entries} entries back"));
                    self.give(s, Input::PutBack { entries });
                }
            }
        }
        self.go(s);
    }

    fn judge_verdict(&mut self, s: usize, verdict: Verdict) {
        match verdict {
            Verdict::Done => self.is_answered(s, Part::Writer),
            Verdict::Wait(until) => {
                self.replica(s).into_iter().for_each(|replica| replica.held = until);
                self.is_answered(s, Part::Writer);
            }
            Verdict::Lost => {
                if let Some(replica) = self.replica(s) {
                    let history = replica.history.clone();
                    self.ask_engine(s, Call::PutBack(history));
                }
            }
            Verdict::Again => self.replica(s).into_iter().for_each(Replica::append_again),
            Verdict::Fenced => self.begin_anew(s, "the others have given it up"),
            Verdict::Differs => self.begin_anew(s, "the log is not the one that it has read"),
        }
    }

    /// A server connects to the engine again.
    pub(crate) fn reconnect(&mut self, s: usize, number: u32) {
        let now = self.now;
        let Some(replica) = self.replica(s).filter(|replica| replica.number == number) else { return };
        replica.busy = false;
        replica.append_again();
        (replica.renew_at, replica.steady) = (now, now);
        self.go(s);
    }

    fn is_down(&mut self, s: usize, part: Part, since: Duration) {
        let Some(replica) = self.replica(s) else { return };
        let number = replica.number;
        if let Some(at) = replica.is_down(part, since) {
            self.at_server(s, at, Task::Watch(number));
        }
    }

    fn is_answered(&mut self, s: usize, part: Part) {
        if self.replica(s).is_some_and(|replica| replica.is_answered(part)) {
            self.give(s, Input::LogAway { why: None });
        }
    }

    /// Perhaps there has been trouble for long enough.
    pub(crate) fn watch(&mut self, s: usize, number: u32) {
        let now = self.now;
        let Some(replica) = self.replica(s).filter(|replica| replica.number == number) else { return };
        if replica.is_away(now) {
            replica.told_away = true;
            self.give(s, Input::LogAway { why: Some("nobody answers".into()) });
        }
    }

    // How a server reads.

    fn look_at_log_soon(&mut self, s: usize) {
        let way = self.way();
        let Some(replica) = self.servers[s].replica.as_mut().filter(|replica| !replica.reads) else { return };
        replica.reads = true;
        let (number, pace) = (replica.number, replica.pace);
        let pace = self.random.millis(pace);
        self.at_server(s, self.now + way + pace, Task::LookAtLog(number));
    }

    /// A server reads what is new.
    pub(crate) fn look_at_log(&mut self, s: usize, number: u32) {
        let reaches = self.reaches_engine(s);
        let Some(replica) = self.replica(s).filter(|replica| replica.number == number) else { return };
        if !reaches {
            self.is_down(s, Part::Reader, self.now);
            return self.after_at_server(s, PAUSE, Task::LookAtLog(number));
        }
        replica.reads = false;
        self.is_answered(s, Part::Reader);
        let Some(last) = self.replica(s).map(|replica| replica.last) else { return };
        let new = self.engine.after(last);
        let (new, more) = (new.iter().take(READ), new.len() > READ);
        let new: Vec<Arc<Entry>> = new.map(|(_, entry)| Arc::clone(entry)).collect();
        for entry in new {
            if entry.fences == number {
                return self.begin_anew(s, "it has read that the others have given it up");
            }
            if !self.replica(s).is_some_and(|replica| replica.take(&entry)) {
                return self.begin_anew(s, "what it reads does not follow");
            }
            self.ordered(s, &entry);
        }
        if more {
            self.look_at_log_soon(s);
        }
    }

    pub(crate) fn letter_comes(&mut self, s: usize, number: u32, letter: Box<[u8]>) {
        if self.replica(s).is_some_and(|replica| replica.number == number) {
            self.give(s, Input::Letter(letter));
        }
    }

    /// A server stops, and tells the others if it can.
    pub(crate) fn leave(&mut self, s: usize) {
        let reaches = self.reaches_engine(s);
        let now = self.now;
        let Server { hub: Some(hub), replica: Some(replica), .. } = &mut self.servers[s] else { return };
        replica.propose(hub.gone(hub.server()));
        if !reaches {
            return;
        }
        // What was read of it is there already.
        replica.append_again();
        let (who, (read, first)) = (replica.who(), replica.sequences());
        let waiting = replica.waiting(usize::MAX);
        let before = self.engine.last();
        // After a break its lease comes first.
        let _ = self.engine.renew(now, who, (read, first));
        self.engine.append(now, who, (read, first), &waiting);
        self.engine.leave(who);
        self.servers[s].replica = None;
        self.engine_has_changed(before);
    }

    // What befalls them.

    /// A server stands still for a while.
    pub(crate) fn freeze(&mut self) {
        let s = self.some_server();
        let may_be_long = self.random.permille(500);
        let long = self.random.millis(if may_be_long { (1000, 60_000) } else { (100, 4000) });
        self.stand_still(s, self.now + long);
        self.again(self.several().freeze_every.unwrap_or(self.plan.chaos), Happening::Freeze);
    }

    fn stand_still(&mut self, s: usize, until: Duration) {
        let server = &mut self.servers[s];
        if server.is_up() && !server.is_blocked() {
            server.frozen = true;
            self.trace.say(self.now, || format!("== server {s} stands still until {until:?}"));
            self.at(until, Happening::Thaw(s, self.homes[s].disk.boot));
        }
    }

    /// Those who have read what the engine has forgotten stand still for longer than it waits.
    fn readers_of_all_stand_still(&mut self, back: Duration) {
        let last = self.engine.last();
        for s in 0..self.servers.len() {
            let until = back + self.random.millis((1000, 9000));
            if self.replica(s).is_some_and(|replica| replica.last > last) {
                self.stand_still(s, until);
            }
        }
    }

    /// It goes on.
    pub(crate) fn thaw(&mut self, s: usize, boot: u32) {
        if self.homes[s].disk.boot != boot || !std::mem::take(&mut self.servers[s].frozen) {
            return;
        }
        self.trace.say(self.now, || format!("== server {s} goes on"));
        if self.random.permille(500) {
            self.give(s, Input::Tick);
        }
        self.thaw_backlog(s);
    }

    fn thaw_backlog(&mut self, s: usize) {
        for what in std::mem::take(&mut self.servers[s].backlog) {
            self.happen(what);
        }
    }

    /// The engine crashes, or nobody reaches it.
    pub(crate) fn engine_fails(&mut self) {
        self.again(self.several().engine_every.unwrap_or(self.plan.chaos), Happening::EngineFails);
        // Before, it has nothing that it could forget.
        if self.engine.away.is_some() || self.now < Duration::from_secs(3) {
            return;
        }
        let short = self.random.permille(700);
        let back = self.now + self.random.millis(if short { (50, 3000) } else { (3000, 60_000) });
        if self.random.permille(300) {
            self.engine.away = Some(back);
            self.trace.say(self.now, || format!("== nobody reaches the engine until {back:?}"));
            self.at(back, Happening::EngineBack(false));
        } else {
            let forgets = if self.random.permille(300) { (0, 0) } else { (0, 999) };
            let forgets = self.random.millis(forgets);
            let count = self.engine.crash(self.now.saturating_sub(forgets), back);
            self.trace.say(self.now, || {
                format!("== the engine crashes until {back:?}, and forgets {count} entries")
            });
            self.at(back, Happening::EngineBack(true));
            (0..self.servers.len()).for_each(|s| self.is_cut_off(s));
            if count > 0 && self.random.permille(250) {
                // Who could put it back does not.
                self.readers_of_all_stand_still(back);
            }
        }
        for s in 0..self.servers.len() {
            self.look_at_log_soon(s);
        }
    }

    /// The connection of a server that waits for no answer has ended with the engine.
    fn is_cut_off(&mut self, s: usize) {
        let (now, way) = (self.now, self.way());
        if let Some(replica) = self.replica(s).filter(|replica| !replica.busy) {
            replica.busy = true;
            let number = replica.number;
            self.at_server(s, now + way, Task::Said(number, Said::Nothing(now, Vec::new())));
        }
    }

    pub(crate) fn engine_is_back(&mut self, anew: bool) {
        self.trace.say(self.now, || "== the engine is there".into());
        self.engine.come_back(self.now, anew);
        for s in 0..self.servers.len() {
            self.look_at_log_soon(s);
        }
    }

    /// A server does not reach the engine for a while.
    pub(crate) fn part(&mut self) {
        let s = self.some_server();
        let long = self.random.permille(400);
        let until = self.now + self.random.millis(if long { (3000, 60_000) } else { (100, 3000) });
        self.homes[s].parted = until;
        self.trace.say(self.now, || format!("== server {s} does not reach the engine until {until:?}"));
        self.look_at_log_soon(s);
        self.again(self.several().part_every.unwrap_or(self.plan.chaos), Happening::Part);
    }

    /// Some server writes down what it knows.
    pub(crate) fn take_snapshot(&mut self) {
        let s = self.some_server();
        let server = &mut self.servers[s];
        if !server.is_blocked()
            && let (Some(hub), Some(replica)) = (&server.hub, &mut server.replica)
            && hub.position().0 != Position::default()
        {
            replica.snapshot = Some((hub.position().0, hub.snapshot().into()));
            self.go(s);
        }
        self.again(self.several().snapshot_every, Happening::Snapshot);
    }
}
