//! The state that the writer and the readers share.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::clock::Clock;
use super::disk::Disk;
use super::error::StoreError;
use super::frame::Header;
use super::index::{Filter, Floor, Index};
use super::{Options, Report, Retention};
use crate::hub::history::Range;
use crate::protocol::time::Moment;

/// See the [module](self).
pub(super) struct Shared {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) options: Options,
    /// That of the options, or what took its place.
    retention: Mutex<Retention>,
    index: RwLock<Index>,
    clock: Mutex<Clock>,
    /// Number and generation of the segments whose damage was said.
    damaged: Mutex<HashSet<(u32, u32)>>,
    notify: Box<dyn Fn(Report) + Send + Sync>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("disk", &self.disk)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        options: Options,
        (index, clock): (Index, Clock),
        notify: Box<dyn Fn(Report) + Send + Sync>,
    ) -> Shared {
        let (index, clock) = (RwLock::new(index), Mutex::new(clock));
        let retention = Mutex::new(options.retention);
        Shared { disk, options, retention, index, clock, damaged: Mutex::default(), notify }
    }

    pub(super) fn notify(&self, report: Report) {
        (self.notify)(report);
    }

    /// Says in the log that a segment is damaged, once.
    pub(super) fn tell_damage(&self, header: Header, damage: &StoreError) {
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        if damaged.insert((header.number, header.generation)) {
            log::error!("history: {damage} The server goes on, and leaves out what is damaged.");
        }
    }

    pub(super) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn retention(&self) -> Retention {
        *self.retention.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep(&self, retention: Retention) {
        *self.retention.lock().unwrap_or_else(PoisonError::into_inner) = retention;
        self.index_mut().keep(&retention);
    }

    pub(super) fn tell_time(&self, moment: Moment) {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner).tell(moment);
    }

    /// The time by which records are too old, milliseconds since 1970.
    pub(super) fn now(&self) -> u64 {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner).now()
    }

    /// Milliseconds: what is older is not kept.
    pub(super) fn oldest(&self) -> u64 {
        self.retention().oldest(self.now())
    }

    /// Where what is young enough begins.
    pub(super) fn floor(&self, index: &Index) -> Floor {
        index.floor(self.oldest(), self.now())
    }

    /// The part of a range that is kept.
    pub(super) fn wanted(&self, range: Range) -> Filter {
        Filter { range, floor: self.floor(&self.index()) }
    }
}
