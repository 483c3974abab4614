//! The thread of the library that speaks multicast DNS, and a watch on what it remembers: it keeps whatever anybody
//! on the network says, for as long as they say.

use std::time::Duration;

use mdns_sd::{Error, Receiver, ServiceDaemon};

use super::multicast::LanError;

/// Records that it may remember: far more than 64 rooms have, and some hundred kilobytes.
const MAX_RECORDS: i64 = 4_000;
/// The time for its good-byes.
const GOODBYE: Duration = Duration::from_millis(500);

/// A running daemon; dropped, it ends.
pub(super) struct Daemon {
    daemon: ServiceDaemon,
    /// Asked for and not answered yet.
    counts: Option<Receiver<mdns_sd::Metrics>>,
}

impl Daemon {
    pub(super) fn start() -> Result<Daemon, LanError> {
        let daemon = ServiceDaemon::new().map_err(refused)?;
        // A room of this machine's own is found through the network that it is on.
        let own = [mdns_sd::IfKind::LoopbackV4, mdns_sd::IfKind::LoopbackV6];
        daemon.disable_interface(own.to_vec()).map_err(refused)?;
        Ok(Daemon { daemon, counts: None })
    }

    /// What it is told to do.
    pub(super) fn get(&self) -> &ServiceDaemon {
        &self.daemon
    }

    /// Whether somebody floods the network: it remembers too much, or is too busy to say since it was asked last. The
    /// caller then ends it and waits.
    pub(super) fn is_flooded(&mut self) -> bool {
        let asked = self.counts.take();
        let answered = asked.as_ref().map(|counts| counts.try_recv().ok());
        self.counts = self.daemon.get_metrics().ok();
        let records = |counts: mdns_sd::Metrics| -> i64 {
            counts.iter().filter(|(name, _)| name.starts_with("cached-")).map(|(_, count)| count).sum()
        };
        answered.is_some_and(|counts| counts.is_none_or(|counts| records(counts) > MAX_RECORDS))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Its queue may be full: it is worked off.
        for _ in 0..10 {
            match self.daemon.shutdown() {
                Ok(ended) => {
                    let _ = ended.recv_timeout(GOODBYE);
                    return;
                }
                Err(Error::Again) => std::thread::sleep(GOODBYE / 10),
                Err(_) => return,
            }
        }
    }
}

pub(super) fn refused(error: Error) -> LanError {
    LanError::Refused(error.to_string())
}
