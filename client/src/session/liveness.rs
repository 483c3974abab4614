//! Whether the server is still there.

use std::time::Duration;

/// Silence before we ask.
const ASK_AFTER: Duration = Duration::from_secs(30);
/// Silence after we asked.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// The same, when there is reason for doubt.
const ANSWER_SOON: Duration = Duration::from_secs(3);

/// When it was heard last, and since when it owes an answer.
#[derive(Debug, Default)]
pub(super) struct Liveness {
    heard: Duration,
    asked: Option<Duration>,
    doubted: bool,
}

impl Liveness {
    pub(super) fn new(now: Duration) -> Liveness {
        Liveness { heard: now, ..Liveness::default() }
    }

    /// Any byte is a sign of life.
    pub(super) fn heard(&mut self, now: Duration) {
        *self = Liveness::new(now);
    }

    pub(super) fn last_heard(&self) -> Duration {
        self.heard
    }

    /// Whether a PING is due; it then counts as sent. `proven`: the server is one that answers.
    pub(super) fn ask(&mut self, now: Duration, proven: bool) -> bool {
        let due = !self.counts(proven) && now >= self.next(proven);
        if due {
            self.asked = Some(now);
        }
        due
    }

    /// A PING goes out now for another reason.
    pub(super) fn asked(&mut self, now: Duration) {
        self.asked.get_or_insert(now);
    }

    /// A PING goes out now, and the answer is to come soon.
    pub(super) fn doubt(&mut self, now: Duration) {
        (self.asked, self.doubted) = (Some(now), true);
    }

    /// Whether the server owes an answer and is late. One that never answers is not gone for that: what is sent to
    /// a peer that is, the system's own timer finds out.
    pub(super) fn is_gone(&self, now: Duration, proven: bool) -> bool {
        self.counts(proven) && now >= self.next(proven)
    }

    /// Whether silence means something now.
    fn counts(&self, proven: bool) -> bool {
        self.asked.is_some() && (proven || self.doubted)
    }

    fn within(&self) -> Duration {
        if self.doubted { ANSWER_SOON } else { ANSWER_WITHIN }
    }

    pub(super) fn next(&self, proven: bool) -> Duration {
        match self.asked {
            Some(asked) if self.counts(proven) => asked + self.within(),
            Some(asked) => asked + ASK_AFTER,
            None => self.heard + ASK_AFTER,
        }
    }
}
