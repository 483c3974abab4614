//! The hub's part in a cluster: the log's entries go in, its own go out.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use async_channel::Receiver;
use futures_lite::FutureExt;
use smol::Timer;

use super::{Dispatch, Ended, clock, moment};
use crate::cluster::{Entry, Event, Link};
use crate::hub::{Hub, Input, Kept};
use crate::peer::{Arrival, Cloaks};
use crate::protocol::time::UnixMillis;
use crate::protocol::{MsgId, Position};
use crate::replica::{self, Own, Replica};

/// What the log's connections tell, in batches; then they wait, and do not read on.
const QUEUE: usize = 4;
/// The pause before a server that has to begin anew tries again.
const AGAIN: Duration = Duration::from_secs(1);
/// The time that the last changes of a server that stops may take.
const LEAVE: Duration = Duration::from_secs(2);
/// The time for which an entry waits for its letter.
const LETTER: Duration = Duration::from_secs(1);
/// The ticket of a mark, and how it begins; no letter does.
const MARK: u64 = u64::MAX;
const MARK_BEGINS: &[u8] = b"mark ";

/// The log, as a running hub has it.
pub(super) struct Shared {
    link: Link,
    events: Receiver<Event>,
    /// Entries that have not had their turn: the first one waits for a letter, until then at most.
    held: VecDeque<Entry>,
    until: Option<Instant>,
    marks: u64,
}

impl Shared {
    /// Publishes to this server itself: what comes behind that comes behind all letters that were published before, those
    /// of entries that were read among them.
    fn mark(&mut self, server: u32) {
        self.marks += 1;
        self.until = Some(clock() + LETTER);
        self.link.publish(Some(server), MARK, self.marked().into());
    }

    fn marked(&self) -> Vec<u8> {
        [MARK_BEGINS, &self.marks.to_le_bytes()].concat()
    }

    /// When the first entry has waited for long enough.
    pub(super) fn next_alarm(&self) -> Option<Instant> {
        self.until
    }

    pub(super) async fn next(&self) -> Event {
        match self.events.recv().await {
            Ok(event) => event,
            Err(_) => std::future::pending().await,
        }
    }

    pub(super) fn propose(&self, entry: Box<[u8]>) {
        self.link.propose(entry);
    }

    pub(super) fn post(&self, server: Option<u32>, ticket: u64, letter: &[u8]) {
        self.link.publish(server, ticket, letter.into());
    }

    pub(super) fn keep_snapshot(&self, at: Position, state: &[u8]) {
        self.link.keep_snapshot(at, state.into());
    }

    pub(super) fn try_next(&self) -> Option<Event> {
        self.events.try_recv().ok()
    }
}

/// What came of a batch of news.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    GoesOn,
    /// It has to begin anew: the others have gone on without it.
    Anew(String),
}

impl Dispatch {
    /// Has the hub begin where the others are.
    pub(super) fn catch_up(
        &mut self,
        replica: Replica,
        (rooms, fingerprints): (Kept, Vec<u64>),
        accounts: &Kept,
    ) {
        let Replica { joined, snapshot, at, entries, alive } = replica;
        if !self.hub.adopt(&snapshot, (rooms, fingerprints), accounts) {
            log::error!(
                "cluster: the state that the servers have left at {at} makes no sense; this one leaves them"
            );
            self.ended = Ended::Differs;
            self.stop_at = Some(clock());
            return;
        }
        let known = self.kept_upto;
        if known != MsgId::default() && self.hub.has_gap(known) {
            log::warn!(
                "cluster: this server was away for longer than the log reaches: its history lacks what was said from {} to {}. A copy of another server's data folder has it",
                known.time(),
                UnixMillis(at.millis)
            );
            self.hub.note_gap(known);
        }
        for entry in entries {
            self.ordered(entry);
            // What is kept already is told from what is new only until this server is one of them.
            self.settle();
        }
        self.settle();
        let (tell, events) = async_channel::bounded(QUEUE);
        let Some(executor) = self.connections.executor() else { return };
        let link = joined.run(&executor, tell);
        for server in self.hub.servers().into_iter().filter(|server| !alive.contains(server)) {
            link.fence(server, self.hub.gone(server));
        }
        self.early.drain(..).for_each(|entry| link.propose(entry));
        self.shared = Some(Shared { link, events, held: VecDeque::new(), until: None, marks: 0 });
        self.give(Input::Joined);
        self.settle();
    }

    /// Gives entries their turn, up to one whose letter has not come; `waited`: the first one waits no more.
    fn go_on_in_order(&mut self, mut waited: bool) {
        while let Some(shared) = &mut self.shared {
            shared.until = None;
            let lacks = |entry: &Entry| self.hub.lacks_letter(entry.server, &entry.bytes);
            if !std::mem::take(&mut waited) && shared.held.front().is_some_and(lacks) {
                return shared.mark(self.hub.server());
            }
            let Some(entry) = shared.held.pop_front() else { return };
            self.ordered(entry);
        }
    }

    /// Lets the first entry have its turn without its letter, if it has waited for so long.
    pub(super) fn wait_no_more(&mut self, now: Instant) {
        if self.shared.as_ref().and_then(Shared::next_alarm).is_some_and(|until| until <= now) {
            self.go_on_in_order(true);
        }
    }

    fn ordered(&mut self, Entry { at, server, bytes }: Entry) {
        self.give(Input::Ordered { server, at, entry: bytes });
    }

    /// Takes what the log's connections tell, and all that waits with it.
    pub(super) fn hear(&mut self, event: Event) -> Fate {
        let mut next = Some(event);
        while let Some(event) = next {
            if let Event::Fenced { why } = event {
                return Fate::Anew(why);
            }
            self.take_event(event);
            next = self.shared.as_ref().and_then(Shared::try_next);
        }
        Fate::GoesOn
    }

    fn take_event(&mut self, event: Event) {
        match event {
            Event::Entries(entries) => {
                let Some(shared) = &mut self.shared else { return };
                shared.held.append(&mut entries.into());
                if shared.until.is_none() {
                    self.go_on_in_order(false);
                }
            }
            Event::Private(letter) if letter.starts_with(MARK_BEGINS) => {
                if self.shared.as_ref().is_some_and(|one| one.until.is_some() && *letter == *one.marked()) {
                    self.go_on_in_order(true);
                }
            }
            Event::Private(letter) => self.give(Input::Letter(letter)),
            Event::Heard { ticket: MARK, heard } => {
                if !heard && self.shared.as_ref().is_some_and(|shared| shared.until.is_some()) {
                    self.go_on_in_order(true);
                }
            }
            Event::Heard { ticket, heard } => self.give(Input::Heard { ticket, heard }),
            Event::Away { why } => self.give(Input::LogAway { why: Some(why) }),
            Event::Back => self.give(Input::LogAway { why: None }),
            Event::PutBack { entries } => self.give(Input::PutBack { entries }),
            Event::Expired { server } => {
                let entry = self.hub.gone(server);
                self.shared.iter().for_each(|shared| shared.link.fence(server, entry.clone()));
            }
            Event::Fenced { .. } => {}
        }
    }

    /// Ends all connections, for the others have gone on without them; they come back to a server that knows what
    /// the others know.
    pub(super) async fn begin_anew(&mut self, why: &str) {
        log::error!("cluster: this server begins anew: {why}");
        self.shared = None;
        self.give(Input::Anew);
        self.settle();
        self.flush();
        let (rooms, accounts) = self.hub.kept();
        self.archive.flush();
        let mut config = (*self.config).clone();
        // With what was reread since.
        config.hub = self.hub.settings().clone();
        // Nothing that was given out by the last one may be given out again; and should this server have to found the
        // cluster anew, ids go on rising.
        if let Err(error) = getrandom::fill(&mut config.hub.secret) {
            log::error!("cluster: the system gives no random numbers: {error}");
            return self.stop_differing();
        }
        config.hub.boot = config.hub.boot.max(self.kept_upto.boot).saturating_add(MsgId::STARTS);
        let mut later = Vec::new();
        let replica = loop {
            let own = Own { rooms: &rooms, fingerprints: &[], accounts: &accounts, last: self.kept_upto };
            let joined = replica::join(&mut config, &mut self.cloak_key, own, moment(self.started));
            let joined = async { Some(joined.await) };
            let tried = joined.or(called_off(&self.arrivals, &mut later)).await;
            match tried {
                Some(Ok(Some(replica))) => break replica,
                Some(Err(error)) if error.exit_code() == 69 => log::warn!("cluster: {error}"),
                Some(Err(error)) => {
                    log::error!("cluster: {error}");
                    return self.stop_differing();
                }
                Some(Ok(None)) | None => {
                    self.stop_at = Some(clock());
                    return;
                }
            }
            let pause = async {
                Timer::after(AGAIN).await;
                Some(())
            };
            if pause.or(called_off(&self.arrivals, &mut later)).await.is_none() {
                self.stop_at = Some(clock());
                return;
            }
        };
        // What it still wanted is nothing to the next one, and what it was to be told neither.
        self.early.clear();
        self.more.clear();
        self.answers.clear();
        let mut hub = Hub::new(config.hub, moment(self.started));
        hub.succeed(&mut self.hub);
        self.hub = hub;
        self.cloaks = Cloaks::new(self.cloak_key);
        self.catch_up(replica, (rooms, Vec::new()), &accounts);
        if self.durability.paused {
            self.give(Input::Paused { why: "the disk takes nothing".into() });
        }
        log::warn!("cluster: this server is one of them again");
        later.into_iter().for_each(|arrival| self.take(arrival));
    }

    /// It cannot be one of the others any more.
    fn stop_differing(&mut self) {
        (self.ended, self.stop_at) = (Ended::Differs, Some(clock()));
    }

    /// Tells the others that this server stops.
    pub(super) async fn leave(&mut self) {
        let Some(Shared { link, .. }) = self.shared.take() else { return };
        link.propose(self.hub.gone(self.hub.server()));
        link.leave(LEAVE).await;
    }
}

/// Until the server is asked to stop: `None`. Whoever calls meanwhile is closed at once, and finds another server the
/// sooner; what else comes and is for the next hub, too, is kept.
async fn called_off<T>(arrivals: &Receiver<Arrival>, later: &mut Vec<Arrival>) -> Option<T> {
    loop {
        match arrivals.recv().await {
            Ok(Arrival::Opened { .. } | Arrival::Input(_)) => {}
            Ok(Arrival::Stop) | Err(_) => return None,
            Ok(other) => later.push(other),
        }
    }
}
