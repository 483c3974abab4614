//! Our PINGs, and what came of them.

/// Our PINGs, and what came of them. A PONG comes after everything that was sent before its PING.
#[derive(Debug, Default)]
pub(super) struct Pings {
    /// The number of the last one.
    last: u64,
    /// None up to this one is waited for any more.
    answered: u64,
    /// The server has answered one: its silence means something.
    proven: bool,
}

impl Pings {
    /// The next one's number.
    pub(super) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn proven(&self) -> bool {
        self.proven
    }

    /// An answer: to the one it names, else to the oldest that waits, for not every server gives back
    /// what it was sent. That one's number, unless none waits.
    pub(super) fn answer(&mut self, named: Option<u64>) -> Option<u64> {
        self.proven = true;
        let oldest = self.answered + 1;
        let number = named.filter(|number| *number <= self.last).unwrap_or(oldest);
        let waited = (oldest..=self.last).contains(&number);
        self.answered = self.answered.max(number.min(self.last));
        waited.then_some(number)
    }

    /// The connection is gone, and its answers with it.
    pub(super) fn lost(&mut self) {
        self.answered = self.last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_our_token_is_to_the_oldest() {
        let mut pings = Pings::default();
        assert_eq!((pings.answer(None), pings.next(), pings.next(), pings.next()), (None, 1, 2, 3));
        assert_eq!((pings.answer(None), pings.answer(Some(u64::MAX))), (Some(1), Some(2)));
        assert_eq!((pings.answer(Some(3)), pings.answer(Some(3)), pings.answer(None)), (Some(3), None, None));
        pings.next();
        pings.lost();
        assert_eq!((pings.answer(None), pings.next(), pings.answer(Some(5))), (None, 5, Some(5)));
    }
}
