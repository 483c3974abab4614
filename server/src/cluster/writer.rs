//! The part that changes the log and renews the lease.

use std::time::{Duration, Instant};

use super::clock::now;
use super::connection::{Connection, PATIENCE};
use super::error::Error;
use super::history::Kept;
use super::part::{Next, Part};
use super::reply::Reply;
use super::script::{GREETINGS, LEASE, Script, Verdict, greet, place, verdict};
use super::shared::{DIFFERS, Event, FENCED, Role, Shared};
use super::words::Words;
use crate::protocol::Position;

/// Why a server begins anew.
const FORGOTTEN: &str = "the engine has lost more than it remembers";
/// The pause between two renewals of the lease.
const RENEW: Duration = Duration::from_secs(5);
/// Bytes that are put back at once.
const PUT_BACK: usize = 256 << 10;
/// What is asked for takes no time worth mentioning; or some, where it has many bytes.
const QUICK: Duration = Duration::ZERO;
const SLOW: Duration = PATIENCE;

/// What the engine was asked.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Greeting,
    Renew,
    /// To publish so much, and to append proposals up to this one, or none.
    Write(usize, Option<u64>),
    /// To fence this server.
    Fence(u32),
    /// To keep the snapshot of this place.
    Snapshot(Position),
    Leave,
    Restore,
    PutBack,
}

/// What the engine has lost, on its way back.
struct Mending {
    /// The last entry that the engine has.
    last: Position,
    /// It has no snapshot.
    bare: bool,
    tries: u32,
    /// What is to be put back, in order; `None` until the engine has what comes before it.
    rest: Option<Vec<Kept>>,
    /// How much of it was, and how much was not there.
    done: usize,
    entries: usize,
    /// The engine had forgotten the cluster.
    forgotten: bool,
}

/// See the [module](self).
pub(super) struct Writer {
    /// None until the engine has been greeted.
    script: Option<Script>,
    asked: Asked,
    renew_at: Instant,
    renewed: Instant,
    /// Since when the engine was there without a break, and so was this server.
    steady: Instant,
    /// Until then nothing is appended.
    held: Instant,
    /// The last that was done was to write: others come before it is done again.
    wrote: bool,
    /// The engine wants the bytes of the snapshot.
    sends: bool,
    left: bool,
    mending: Option<Mending>,
}

impl Writer {
    /// Begins with a connection on which the engine has been greeted.
    pub(super) fn new(mut script: Script) -> Writer {
        script.lease = LEASE;
        Writer { script: Some(script), ..Writer::leaver() }
    }

    /// Begins without a connection.
    pub(super) fn leaver() -> Writer {
        let at = now();
        Writer {
            script: None,
            asked: Asked::Greeting,
            renew_at: at,
            renewed: at,
            steady: at,
            held: at,
            wrote: false,
            sends: false,
            left: false,
            mending: None,
        }
    }

    /// Has the script do something.
    fn say(&self, shared: &Shared, connection: &mut Connection, operation: &str, arguments: &Words) {
        if let Some(script) = &self.script {
            let applied = shared.state.borrow().history.last;
            script.say(connection, &shared.me, operation, applied, arguments);
        }
    }

    /// Says what is to be published and appended now, both in one round trip.
    fn write(&mut self, shared: &Shared, connection: &mut Connection, may_append: bool) -> Next {
        let mut published = 0;
        for one in shared.state.borrow_mut().take_publications() {
            let mut words = Words::default();
            words.all(&["PUBLISH", &shared.channel(one.server)]);
            connection.say(words.add(&one.bytes));
            published += 1;
        }
        let mut words = Words::default();
        let upto = if may_append { shared.state.borrow().batch(&mut words) } else { None };
        if upto.is_some() {
            self.say(shared, connection, "append", &words);
        }
        self.wrote = true;
        self.asked = Asked::Write(published, upto);
        Next::Ask(published + usize::from(upto.is_some()), QUICK)
    }

    /// Says what puts the engine right.
    fn mend(&mut self, shared: &Shared, connection: &mut Connection) -> Next {
        let mut words = Words::default();
        let Some(mending) = &mut self.mending else { return Next::Wait(now()) };
        let operation = match &mending.rest {
            None => {
                mending.tries += 1;
                let state = shared.state.borrow();
                let (at, bytes) = state.history.snapshot.clone().unwrap_or_default();
                let first = state.history.first();
                let needed = mending.bare || first > mending.last;
                words.place(first).place(at).add(if needed { &bytes } else { &[] });
                words.number(state.history.highest.max(shared.me.server).into());
                words.number(shared.me.meta.len() as u64);
                for part in &shared.me.meta {
                    words.add(part.as_bytes());
                }
                for list in [&state.peers, &state.history.fenced] {
                    words.number(list.len() as u64);
                    for server in list {
                        words.number((*server).into());
                    }
                }
                if needed {
                    let kept = state.history.after(Position::default());
                    kept.iter().take_while(|kept| kept.entry.at <= at).for_each(|kept| kept.say(&mut words));
                }
                self.asked = Asked::Restore;
                "restore"
            }
            Some(rest) => {
                for kept in rest.iter().skip(mending.done) {
                    kept.say(&mut words);
                    mending.done += 1;
                    if words.size() > PUT_BACK {
                        break;
                    }
                }
                self.asked = Asked::PutBack;
                "putback"
            }
        };
        self.say(shared, connection, operation, &words);
        Next::Ask(1, SLOW)
    }

    /// The lease is renewed; looks whose is over.
    fn renewed(&mut self, shared: &Shared, reply: &Reply, tell: &mut Vec<Event>) {
        let at = now();
        if at.duration_since(self.renewed) > LEASE {
            // This server stood still, and perhaps all others with it.
            self.steady = at;
        }
        (self.renewed, self.renew_at) = (at, at + RENEW);
        self.held = at + Duration::from_millis(reply.list().get(2).map_or(0, Reply::number));
        let state = &mut *shared.state.borrow_mut();
        state.peers.clear();
        for one in reply.list().iter().skip(3) {
            let [server, alive] = one.list() else { continue };
            let Ok(server) = u32::try_from(server.number()) else { continue };
            state.peers.push(server);
            let told = state.fences.iter().any(|(fenced, _)| *fenced == server);
            if alive.number() == 0 && !told && at.duration_since(self.steady) >= LEASE {
                tell.push(Event::Expired { server });
            }
        }
    }

    /// The engine has answered. Where something is to be appended, only that shows whether it takes anything.
    fn answered(&self, shared: &Shared) {
        let waits = shared.state.borrow().has_proposals() && self.held <= now();
        if !waits {
            shared.up(Role::Writer);
        }
    }

    /// How mending goes on.
    fn mended(&mut self, shared: &Shared, verdict: Verdict, reply: &Reply, tell: &mut Vec<Event>) {
        let Some(mending) = &mut self.mending else { return };
        let part = |at: usize| reply.list().get(at).unwrap_or(&Reply::Nil);
        match (verdict, &mending.rest) {
            (Verdict::Done, None) => {
                mending.forgotten = part(2).number() > 0;
                mending.entries = part(3).number() as usize;
                mending.rest = Some(shared.state.borrow().history.after(place(part(1))));
            }
            (Verdict::Done, Some(_)) => mending.entries += part(1).number() as usize,
            _ => {}
        }
        if mending.rest.as_ref().is_some_and(|rest| rest.len() <= mending.done) {
            let (entries, forgotten) = (mending.entries, mending.forgotten);
            self.mending = None;
            if entries > 0 || forgotten {
                tell.push(Event::PutBack { entries });
            }
            shared.state.borrow_mut().append_again();
            self.renew_at = now();
        }
    }
}

impl Part for Writer {
    fn role(&self) -> Role {
        Role::Writer
    }

    fn begin(&mut self, shared: &Shared) {
        shared.unheard();
        shared.state.borrow_mut().append_again();
        (self.script, self.mending, self.sends) = (None, None, false);
    }

    fn next(&mut self, shared: &Shared, connection: &mut Connection) -> Next {
        let at = now();
        if self.left {
            return Next::End;
        }
        if self.script.is_none() {
            greet(connection);
            self.asked = Asked::Greeting;
            return Next::Ask(GREETINGS, QUICK);
        }
        let (leave_at, idle) = {
            let state = shared.state.borrow();
            (state.leave_at, state.publications.is_empty() && !state.has_proposals())
        };
        if leave_at.is_some_and(|leave_at| idle || leave_at <= at) {
            self.asked = Asked::Leave;
            self.say(shared, connection, "leave", &Words::default());
            return Next::Ask(1, QUICK);
        }
        if self.mending.is_some() {
            return self.mend(shared, connection);
        }
        if self.renew_at <= at {
            self.asked = Asked::Renew;
            let mut words = Words::default();
            shared.state.borrow().reached(&mut words);
            self.say(shared, connection, "renew", &words);
            return Next::Ask(1, QUICK);
        }
        let free = self.held <= at;
        let state = shared.state.borrow();
        let writes = !state.publications.is_empty() || free && state.has_proposals();
        let fence = state.fences.first().filter(|_| free).cloned();
        let snapshot = state.history.snapshot.clone().filter(|_| state.snapshot_waits);
        drop(state);
        if writes && !(self.wrote && (fence.is_some() || snapshot.is_some())) {
            return self.write(shared, connection, free);
        }
        self.wrote = false;
        if let Some((server, bytes)) = fence {
            self.asked = Asked::Fence(server);
            let mut words = Words::default();
            self.say(shared, connection, "fence", words.number(server.into()).add(&bytes));
            return Next::Ask(1, QUICK);
        }
        if let Some((place, bytes)) = snapshot {
            let bytes = if self.sends { &*bytes } else { &[] };
            self.asked = Asked::Snapshot(place);
            let mut words = Words::default();
            self.say(shared, connection, "snapshot", words.place(place).add(bytes));
            return Next::Ask(1, if self.sends { SLOW } else { QUICK });
        }
        let mut until = leave_at.map_or(self.renew_at, |leave_at| leave_at.min(self.renew_at));
        if !free {
            until = until.min(self.held);
        }
        Next::Wait(until)
    }

    fn take(
        &mut self,
        shared: &Shared,
        replies: &[Reply],
        tell: &mut Vec<Event>,
    ) -> Result<Option<&'static str>, Error> {
        let at = shared.at();
        let mut replies = replies;
        match self.asked {
            Asked::Greeting => {
                self.script = Some(Script::greeted(&at, replies)?);
                (self.renew_at, self.steady) = (now(), now());
                return Ok(None);
            }
            Asked::Write(published, _) => {
                let (heard, rest) = replies.split_at(published.min(replies.len()));
                shared.heard(heard);
                replies = rest;
            }
            _ => {}
        }
        let Some(reply) = replies.first() else {
            self.answered(shared);
            return Ok(None);
        };
        let verdict = verdict(&at, reply)?;
        let done = verdict == Verdict::Done;
        match self.asked {
            Asked::Renew if done => {
                self.renewed(shared, reply, tell);
                self.answered(shared);
                return Ok(None);
            }
            Asked::Write(_, Some(upto)) if done => {
                shared.state.borrow_mut().appended_upto(upto);
                shared.up(Role::Writer);
            }
            Asked::Fence(server) if done => {
                shared.state.borrow_mut().fences.retain(|(fenced, _)| *fenced != server);
            }
            Asked::Snapshot(place) => {
                self.sends = verdict == Verdict::Send;
                let state = &mut *shared.state.borrow_mut();
                // A later one may have come meanwhile.
                let same = state.history.snapshot.as_ref().is_none_or(|(later, _)| *later == place);
                state.snapshot_waits &= !(done && same);
            }
            Asked::Leave => {
                self.left = true;
                shared.left.0.close();
            }
            Asked::Restore | Asked::PutBack if matches!(verdict, Verdict::Done | Verdict::Lost { .. }) => {
                self.mended(shared, verdict, reply, tell);
            }
            _ => {}
        }
        match verdict {
            Verdict::Done | Verdict::Send => {}
            Verdict::Wait(time) => self.held = now() + time,
            Verdict::Lost { last, bare } => {
                let tries = self.mending.as_ref().map_or(0, |mending| mending.tries);
                if tries > 2 {
                    return Ok(Some(FORGOTTEN));
                }
                let (rest, done, entries, forgotten) = (None, 0, 0, false);
                self.mending = Some(Mending { last, bare, tries, rest, done, entries, forgotten });
            }
            Verdict::Again => shared.state.borrow_mut().append_again(),
            Verdict::Fenced => return Ok(Some(FENCED)),
            Verdict::Differs => return Ok(Some(DIFFERS)),
        }
        self.answered(shared);
        Ok(None)
    }
}
