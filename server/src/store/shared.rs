//! The state that the writer and the readers share.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::disk::Disk;
use super::error::StoreError;
use super::frame::Header;
use super::index::{Filter, Index};
use super::{Options, Report};
use crate::hub::history::Range;

/// See the [module](self).
pub(super) struct Shared {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) options: Options,
    index: RwLock<Index>,
    /// Milliseconds since 1970, as told.
    now: AtomicU64,
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
        index: Index,
        notify: Box<dyn Fn(Report) + Send + Sync>,
    ) -> Shared {
        let now = AtomicU64::new(options.now_ms);
        Shared { disk, options, index: RwLock::new(index), now, damaged: Mutex::default(), notify }
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

    pub(super) fn tell_time(&self, now_ms: u64) {
        self.now.fetch_max(now_ms, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Milliseconds: what is older is not kept.
    pub(super) fn oldest(&self) -> u64 {
        let keep = self.options.retention.age.map(|keep| u64::try_from(keep.as_millis()).unwrap_or(u64::MAX));
        keep.map_or(0, |keep| self.now().saturating_sub(keep))
    }

    /// The part of a range that is kept.
    pub(super) fn wanted(&self, range: Range) -> Filter {
        Filter { range, oldest: self.oldest() }
    }
}
