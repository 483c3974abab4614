//! The connection that changes the log and renews the lease.

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_lite::future;

use super::clock::now;
use super::connection::PATIENCE;
use super::error::Error;
use super::history::{History, Kept, OVERHEAD};
use super::reply::Reply;
use super::script::{LEASE, Script, Verdict};
use super::shared::{DIFFERS, Event, FENCED, FIRST_PAUSE, Part, Shared, ring, rung};
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

/// The reason to begin anew, or none.
type Step = Option<&'static str>;

/// Writes for ever, or says why this server has to begin anew.
pub(super) async fn write(shared: &Rc<Shared>, script: Script) -> String {
    let mut pause = FIRST_PAUSE;
    let mut opened = Ok(script);
    loop {
        let served = match opened {
            Ok(mut script) => {
                script.lease = LEASE;
                let now = now();
                let mut writer =
                    Writer { shared, script, renew_at: now, renewed: now, steady: now, held: now };
                writer.serve(&mut pause).await
            }
            Err(error) => Err(error),
        };
        match served {
            Ok(why) => return why.to_owned(),
            Err(error) => {
                shared.unheard();
                shared.pause(Part::Writer, &mut pause, &error).await;
            }
        }
        opened = Script::open(&shared.me.address, PATIENCE).await;
    }
}

struct Writer<'a> {
    shared: &'a Shared,
    script: Script,
    renew_at: Instant,
    renewed: Instant,
    /// Since when the engine was there without a break, and so was this server.
    steady: Instant,
    /// Until then nothing is appended.
    held: Instant,
}

impl Writer<'_> {
    async fn serve(&mut self, pause: &mut Duration) -> Result<&'static str, Error> {
        self.shared.state.borrow_mut().append_again();
        loop {
            if let Some(why) = self.step().await? {
                return Ok(why);
            }
            *pause = FIRST_PAUSE;
        }
    }

    /// Does what is due, or waits for it.
    async fn step(&mut self) -> Result<Step, Error> {
        let at = now();
        if self.renew_at <= at {
            return self.renew().await;
        }
        let (mut fence, mut snapshot, mut until) = (None, None, self.renew_at);
        let (leaves, writes) = {
            let state = self.shared.state.borrow();
            if self.held <= at {
                fence = state.fences.first_key_value().map(|(server, bytes)| (*server, bytes.clone()));
            } else {
                until = until.min(self.held);
            }
            if state.snapshot_waits {
                snapshot = state.history.snapshot.clone();
            }
            let idle = !state.has_proposals() && state.publications.is_empty();
            until = state.leave_at.map_or(until, |leave_at| until.min(leave_at));
            let writes = !state.publications.is_empty() || state.has_proposals() && self.held <= at;
            (state.leave_at.is_some_and(|leave_at| idle || leave_at <= at), writes)
        };
        if leaves {
            self.call("leave", QUICK, &[]).await?;
            ring(&self.shared.left);
            return future::pending().await;
        }
        if !writes && fence.is_none() && snapshot.is_none() {
            rung(&self.shared.bell, until.saturating_duration_since(at)).await;
            return Ok(None);
        }
        if writes && let Some(why) = self.write().await? {
            return Ok(Some(why));
        }
        if let Some((server, bytes)) = fence {
            let (verdict, _) = self.call("fence", QUICK, &[server.to_string().as_bytes(), &bytes]).await?;
            if verdict == Verdict::Done {
                self.shared.state.borrow_mut().fences.remove(&server);
            }
            if let Some(why) = self.judge(verdict).await? {
                return Ok(Some(why));
            }
        }
        if let Some((place, bytes)) = snapshot {
            let at = place.to_string();
            let mut verdict = self.call("snapshot", QUICK, &[at.as_bytes(), b""]).await?.0;
            if verdict == Verdict::Send {
                verdict = self.call("snapshot", SLOW, &[at.as_bytes(), &bytes]).await?.0;
            }
            if verdict == Verdict::Done {
                let state = &mut *self.shared.state.borrow_mut();
                // A later one may have come meanwhile.
                state.snapshot_waits = state.history.snapshot.as_ref().is_some_and(|later| later.0 != place);
            }
            return self.judge(verdict).await;
        }
        Ok(None)
    }

    /// Publishes and appends what waits, both in one round trip.
    async fn write(&mut self) -> Result<Step, Error> {
        let shared = self.shared;
        let (appends, upto) = {
            let state = &mut *shared.state.borrow_mut();
            for one in state.take_publications() {
                let channel = format!("{}to:{}", shared.me.prefix, one.server);
                self.script.connection.say(&[b"PUBLISH", channel.as_bytes(), &one.bytes]);
            }
            let (first, batch) = state.batch();
            let upto = first + batch.len() as u64 - 1;
            let appends = self.held <= now() && !batch.is_empty();
            if appends {
                let (read, first) = (state.read.to_string(), first.to_string());
                let mut all = vec![read.as_bytes(), first.as_bytes()];
                all.extend(batch);
                self.script.say(&shared.me, "append", state.history.last, &all);
            }
            (appends, upto)
        };
        let script = &mut self.script;
        let answers = async {
            script.connection.send().await?;
            while !shared.state.borrow().asked.is_empty() {
                let reply = script.connection.next(PATIENCE).await?;
                shared.heard(matches!(reply, Reply::Number(count) if count > 0));
            }
            if appends { script.verdict().await.map(|(verdict, _)| Some(verdict)) } else { Ok(None) }
        };
        let Some(verdict) = shared.watched(Part::Writer, QUICK, pin!(answers)).await? else {
            self.answered();
            return Ok(None);
        };
        if verdict == Verdict::Done {
            shared.state.borrow_mut().appended_upto(upto);
        }
        self.judge(verdict).await
    }

    /// Renews the lease, and looks whose is over.
    async fn renew(&mut self) -> Result<Step, Error> {
        let (verdict, reply) = self.call("renew", QUICK, &[]).await?;
        if verdict != Verdict::Done {
            return self.judge(verdict).await;
        }
        let at = now();
        if at.duration_since(self.renewed) > LEASE {
            // This server stood still, and perhaps all others with it.
            self.steady = at;
        }
        (self.renewed, self.renew_at) = (at, at + RENEW);
        let hold = Duration::from_millis(reply.list().get(2).map_or(0, Reply::number));
        self.held = at + hold;
        let mut expired = Vec::new();
        {
            let state = &mut *self.shared.state.borrow_mut();
            state.peers.clear();
            for one in reply.list().iter().skip(3) {
                let [server, alive] = one.list() else { continue };
                let Ok(server) = u32::try_from(server.number()) else { continue };
                state.peers.push(server);
                if alive.number() == 0 && !state.fences.contains_key(&server) {
                    expired.push(server);
                }
            }
        }
        if self.steady.elapsed() >= LEASE {
            for server in expired {
                self.shared.tell(Event::Expired { server }).await;
            }
        }
        self.answered();
        Ok(None)
    }

    /// The engine has answered. Where something is to be appended, only that shows whether it takes anything.
    fn answered(&self) {
        let waits = self.shared.state.borrow().has_proposals() && self.held <= now();
        if !waits {
            self.shared.up(Part::Writer);
        }
    }

    /// What the script has said, and what follows from it.
    async fn judge(&mut self, verdict: Verdict) -> Result<Step, Error> {
        match verdict {
            Verdict::Done | Verdict::Send => {}
            Verdict::Wait(time) => self.held = now() + time,
            Verdict::Lost { last, bare } => return self.restore(last, bare).await,
            Verdict::Fenced => return Ok(Some(FENCED)),
            Verdict::Differs => return Ok(Some(DIFFERS)),
        }
        self.shared.up(Part::Writer);
        Ok(None)
    }

    /// Puts back what the engine has lost and this server knows.
    async fn restore(&mut self, mut last: Position, mut bare: bool) -> Result<Step, Error> {
        let mut tries = 0..3;
        let mended = loop {
            if tries.next().is_none() {
                return Ok(Some(FORGOTTEN));
            }
            let (snapshot, peers, fenced, highest) = {
                let state = self.shared.state.borrow();
                let History { snapshot, fenced, highest, .. } = &state.history;
                (snapshot.clone(), words(state.peers.iter()), words(fenced.iter()), *highest)
            };
            let (at, mut bytes) = snapshot.unwrap_or_default();
            if !bare && at <= last {
                bytes = Arc::default();
            }
            let (at, highest) = (at.to_string(), highest.max(self.shared.me.server).to_string());
            let mut all: Vec<&[u8]> = vec![at.as_bytes(), &bytes, highest.as_bytes()];
            let meta: Vec<_> =
                self.shared.me.meta.iter().flat_map(|(name, value)| [name.clone(), value.clone()]).collect();
            let lists = [meta, peers, fenced];
            let counts = lists.each_ref().map(|list| list.len().to_string());
            for (count, list) in counts.iter().zip(&lists) {
                all.push(count.as_bytes());
                all.extend(list.iter().map(String::as_bytes));
            }
            let (verdict, reply) = self.call("restore", SLOW, &all).await?;
            match verdict {
                Verdict::Lost { last: now, bare: empty } => (last, bare) = (now, empty),
                Verdict::Done => {
                    let part = |at: usize| reply.list().get(at);
                    last = part(1).and_then(|last| Position::parse(last.text())).unwrap_or_default();
                    break part(2).is_some_and(|mended| mended.number() > 0);
                }
                Verdict::Fenced => return Ok(Some(FENCED)),
                _ => return Ok(Some(DIFFERS)),
            }
        };
        let kept = self.shared.state.borrow().history.after(last);
        let mut rest = kept.as_slice();
        let mut entries = 0;
        while !rest.is_empty() {
            let mut size = 0;
            let fits = rest.iter().take_while(|kept| {
                size += kept.entry.bytes.len() + OVERHEAD;
                size <= PUT_BACK
            });
            let (batch, later) = rest.split_at(fits.count().max(1));
            rest = later;
            let (verdict, reply) = self.put_back(batch).await?;
            entries += reply.list().get(1).map_or(0, Reply::number) as usize;
            match verdict {
                Verdict::Done => {}
                Verdict::Fenced => return Ok(Some(FENCED)),
                Verdict::Lost { .. } => break,
                _ => return Ok(Some(DIFFERS)),
            }
        }
        if entries > 0 || mended {
            self.shared.tell(Event::PutBack { entries }).await;
        }
        self.shared.state.borrow_mut().append_again();
        self.renew_at = now();
        Ok(None)
    }

    async fn put_back(&mut self, batch: &[Kept]) -> Result<(Verdict, Reply), Error> {
        let numbers: Vec<_> = batch
            .iter()
            .map(|kept| {
                let Kept { entry, before, sequence, fences } = kept;
                let (at, server) = (entry.at.to_string(), entry.server.to_string());
                [at, server, sequence.to_string(), before.to_string(), fences.to_string()]
            })
            .collect();
        let mut all: Vec<&[u8]> = Vec::with_capacity(6 * batch.len());
        for (kept, [at, server, sequence, before, fences]) in batch.iter().zip(&numbers) {
            all.extend([at, server, sequence, before].map(String::as_bytes));
            all.extend([&*kept.entry.bytes, fences.as_bytes()]);
        }
        self.call("putback", SLOW, &all).await
    }

    async fn call(
        &mut self,
        operation: &str,
        may_take: Duration,
        arguments: &[&[u8]],
    ) -> Result<(Verdict, Reply), Error> {
        let shared = self.shared;
        let applied = shared.state.borrow().history.last;
        let running = self.script.run(&shared.me, operation, applied, arguments);
        shared.watched(Part::Writer, may_take, pin!(running)).await
    }
}

fn words<'a>(numbers: impl Iterator<Item = &'a u32>) -> Vec<String> {
    numbers.map(u32::to_string).collect()
}
