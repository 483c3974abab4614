//! The outputs of one input, by who carries them out.

use std::sync::Arc;

use crate::hub::history::{Record, Request};
use crate::hub::{ConnectionId, Line, Output, Password};

/// What the store is given.
#[derive(Debug)]
pub enum Job {
    /// Keep it.
    Keep(Record),
    /// Keep what a room is, or forget it.
    Room(Arc<str>, Option<Box<[u8]>>),
    /// Forget it, and its lines.
    Forget(Arc<str>),
    /// Answer it, under this ticket.
    Read(u64, Request),
}

/// What is to be written of an account: with which ticket that is told, its folded name, and what it is now, or
/// nothing.
pub type ToKeep = (Option<u64>, Box<str>, Option<Box<[u8]>>);

/// What the hub wants done after one input; each list is in its order.
#[derive(Debug, Default)]
pub struct Turn {
    /// Lines, and to whom they go.
    pub lines: Vec<(ConnectionId, Line)>,
    /// Whose long reply goes on when they have read so far.
    pub more: Vec<ConnectionId>,
    /// Who is not to be read for now.
    pub held: Vec<ConnectionId>,
    /// Who is read again.
    pub released: Vec<ConnectionId>,
    /// Whose socket goes while the hub keeps their place; before `closed`.
    pub detached: Vec<ConnectionId>,
    /// Who is closed, after their last line; their places are free.
    pub closed: Vec<ConnectionId>,
    /// What the store has to do.
    pub store: Vec<Job>,
    /// Passwords whose keys are asked for.
    pub derive: Vec<(u64, Password)>,
    /// What is to be written of accounts.
    pub accounts: Vec<ToKeep>,
    /// What is to be put into the log of several servers.
    pub proposed: Vec<Box<[u8]>>,
    /// What is to be handed to which server, or to all, under which ticket.
    pub posted: Vec<(Option<u32>, u64, Box<[u8]>)>,
    /// Lines for the log.
    pub log: Vec<String>,
}

impl Turn {
    /// Sorts outputs. What is for the operator's terminal is left out.
    pub fn of(outputs: impl IntoIterator<Item = Output>) -> Turn {
        let mut turn = Turn::default();
        for output in outputs {
            match output {
                Output::Lines { to, lines } => {
                    turn.lines
                        .extend(lines.split_inclusive(|byte| *byte == b'\n').map(|line| (to, line.into())));
                }
                Output::More { id } => turn.more.push(id),
                Output::Hold { id } => turn.held.push(id),
                Output::Release { id } => turn.released.push(id),
                Output::Detach { id } => turn.detached.push(id),
                Output::Close { id } => turn.closed.push(id),
                Output::Store(record) => turn.store.push(Job::Keep(*record)),
                Output::Room { room, state } => turn.store.push(Job::Room(room, state)),
                Output::Forget { room } => turn.store.push(Job::Forget(room)),
                Output::Read { ticket, request } => turn.store.push(Job::Read(ticket, request)),
                Output::Derive { ticket, password } => turn.derive.push((ticket, password)),
                Output::Account { ticket, name, state } => turn.accounts.push((ticket, name, state)),
                Output::Log { text, .. } | Output::Warn(text) => turn.log.push(text),
                Output::Propose { entry } => turn.proposed.push(entry),
                Output::Post { server, ticket, letter } => turn.posted.push((server, ticket, letter)),
                Output::Differs { at } => turn.log.push(format!("differs at {at}")),
                Output::Charge { .. }
                | Output::Console(_)
                | Output::Stats { .. }
                | Output::Snapshot { .. }
                | Output::Reload
                | Output::Stop(_) => {}
            }
        }
        turn
    }
}
