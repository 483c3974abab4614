//! Whose turn it is: the addresses of one place, and how long to wait before they are called again.

use std::time::Duration;

use super::seed::Seed;
use super::{HostPort, Profile, Sentence};

/// The longest wait between two rounds.
const LONGEST: Duration = Duration::from_secs(60);

/// All addresses are called once in a round, one after another and without a wait; a wait comes before a round. The next
/// one begins behind the address that was called last, or was lost.
#[derive(Debug)]
pub(super) struct Turn {
    first: HostPort,
    others: Vec<HostPort>,
    /// Whose turn it is.
    at: usize,
    /// How many were called in this round.
    called: usize,
    /// How many rounds there were since the last good connection.
    round: u32,
    /// How many calls.
    attempt: u32,
    /// What was wrong in this round: of all sentences that which says most.
    wrong: Option<Sentence>,
}

impl Turn {
    pub(super) fn new(profile: &Profile) -> Turn {
        let (first, others) = (profile.server.clone(), profile.others.clone());
        Turn { first, others, at: 0, called: 0, round: 0, attempt: 0, wrong: None }
    }

    /// Where it is called, or connected: 0 is [`Profile::server`], and those behind it are [`Profile::others`].
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn server(&self) -> &HostPort {
        self.at.checked_sub(1).and_then(|at| self.others.get(at)).unwrap_or(&self.first)
    }

    pub(super) fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// Some were not called yet in this round.
    pub(super) fn has_more(&self) -> bool {
        self.called < self.count()
    }

    /// It is called.
    pub(super) fn call(&mut self) {
        if !self.has_more() {
            // By the person's wish: a round that nobody has waited for.
            self.called = 0;
        }
        self.called += 1;
        if self.called == 1 {
            self.wrong = None;
        }
    }

    /// It did not let us in.
    pub(super) fn failed(&mut self, why: &Sentence) {
        if self.wrong.as_ref().is_none_or(|wrong| weight(why) > weight(wrong)) {
            self.wrong = Some(why.clone());
        }
    }

    /// It has let us in.
    pub(super) fn let_in(&mut self) {
        self.wrong = None;
    }

    /// A good connection was lost.
    pub(super) fn lost(&mut self) {
        (self.called, self.round, self.attempt, self.wrong) = (0, 1, 0, None);
    }

    /// A connection that did not last was lost: what was called in this round is not called at once again.
    pub(super) fn lost_soon(&mut self) {
        (self.round, self.attempt) = (self.round.max(1), self.attempt.max(1));
    }

    /// All that was tried means nothing any more: the next round begins, and nobody waits for it.
    pub(super) fn renew(&mut self) {
        (self.called, self.round, self.attempt, self.wrong) = (self.count(), 0, 0, None);
    }

    /// A server is there that only the person can say about whether it is the right one, and nobody else has let us in.
    pub(super) fn stranger(&mut self) -> Option<Sentence> {
        self.wrong.take_if(|wrong| wrong.is_of_stranger())
    }

    /// What is wrong with the place when all were called; with one address it is `why`.
    pub(super) fn verdict(&mut self, why: Sentence) -> Sentence {
        if !self.are_several() {
            return why;
        }
        let wrong = self.wrong.take().unwrap_or(why);
        if weight(&wrong) > 0 {
            return wrong;
        }
        let all = std::iter::once(&self.first).chain(&self.others);
        Sentence::NoneAnswers { servers: all.map(HostPort::to_string).collect::<Vec<_>>().join(", ") }
    }

    /// It is the turn of the next one: the number of the attempt and how long to wait for it. Within a round and before the
    /// first one nothing, then 1 s, doubling to [`LONGEST`], each up to a quarter less so that not everybody comes at once.
    pub(super) fn next(&mut self, seed: &mut Seed) -> (u32, Duration) {
        self.attempt = self.attempt.saturating_add(1);
        self.at = (self.at + 1) % self.count();
        let within = self.has_more();
        if !within {
            (self.called, self.round) = (0, self.round.saturating_add(1));
        }
        let wait = match self.round {
            more @ 2.. if !within => Duration::from_secs(1 << (more - 2).min(6)).min(LONGEST),
            _ => Duration::ZERO,
        };
        let jitter = Duration::from_millis(seed.below(wait.as_millis() as u64 / 4 + 1));
        (self.attempt, wait - jitter)
    }
}

/// How much a sentence says of a place of several servers.
fn weight(wrong: &Sentence) -> u8 {
    match wrong {
        Sentence::NobodyAnswers { .. } | Sentence::Unreachable { .. } | Sentence::NotFound { .. } => 0,
        wrong if wrong.is_of_stranger() => 2,
        _ => 1,
    }
}
