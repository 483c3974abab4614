//! What is counted for the operator, whether it is asked for or not: plain numbers.

use super::{Dispatch, moment};
use crate::hub::{ConnectionId, Figures, Input};

/// Since the start.
#[derive(Default)]
pub(super) struct Counted {
    pub(super) turns: u64,
    /// Bytes of lines that came, and that went.
    pub(super) traffic: (u64, u64),
    /// Who is to be told.
    pub(super) asked: Vec<Option<ConnectionId>>,
}

impl Dispatch {
    /// Tells who asked what only this module knows.
    pub(super) fn tell_figures(&mut self) {
        for asker in std::mem::take(&mut self.counted.asked) {
            let (turns, traffic, history) = (self.counted.turns, self.counted.traffic, self.archive.bytes());
            let figures = Figures { turns, traffic, history, memory: memory() };
            self.hub.handle(Input::Stats { asker, figures }, moment(self.started));
            self.carry_out();
        }
    }
}

/// Bytes that are resident (proc(5), `VmRSS`); where there is no such file: unknown.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(resident.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
