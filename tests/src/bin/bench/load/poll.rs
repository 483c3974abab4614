//! Readiness of many sockets: epoll, level-triggered.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// Events that one wait brings at most.
const EVENTS: usize = 1024;

/// See the [module](self).
pub(crate) struct Poll {
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl Poll {
    pub(crate) fn new() -> io::Result<Poll> {
        Ok(Poll { epoll: epoll::create(CreateFlags::CLOEXEC)?, events: Vec::with_capacity(EVENTS) })
    }

    /// Watches a socket for what can be read, under a number of the caller's.
    pub(crate) fn add(&self, socket: impl AsFd, number: u64) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, socket, EventData::new_u64(number), EventFlags::IN)?)
    }

    /// Whether to watch for room to write, too.
    pub(crate) fn watch_writable(&self, socket: impl AsFd, number: u64, writable: bool) -> io::Result<()> {
        let flags = if writable { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
        Ok(epoll::modify(&self.epoll, socket, EventData::new_u64(number), flags)?)
    }

    /// Waits, for ever without a time; hands out number, readable (or closed), writable of each.
    pub(crate) fn wait(
        &mut self,
        at_most: Option<Duration>,
        ready: &mut Vec<(u64, bool, bool)>,
    ) -> io::Result<()> {
        ready.clear();
        self.events.clear();
        let timeout = at_most.map(|time| Timespec {
            tv_sec: time.as_secs().cast_signed(),
            tv_nsec: time.subsec_nanos().into(),
        });
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for event in &self.events {
            // The record is packed: copy before use.
            let (data, flags) = (event.data, event.flags);
            let gone = flags.intersects(EventFlags::HUP | EventFlags::ERR);
            ready.push((data.u64(), gone || flags.contains(EventFlags::IN), flags.contains(EventFlags::OUT)));
        }
        Ok(())
    }
}
