//! The thread of the library that speaks multicast DNS, and a watch on it: it reads as long as there is something to
//! read, remembers what anybody on the network says for as long as they say, and does nothing else meanwhile, not even
//! end.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mdns_sd::{Error, ServiceDaemon};

use super::multicast::LanError;

/// Records that it may remember: far more than 64 rooms have, and some hundred kilobytes.
const MAX_RECORDS: i64 = 4_000;
/// How long it may take to say how many there are; it takes a millisecond unless it is flooded.
const ANSWER: Duration = Duration::from_millis(200);
/// The time for its good-byes.
const GOODBYE: Duration = Duration::from_millis(500);

/// How often this process has closed its ears.
static DEAFENED: AtomicU32 = AtomicU32::new(0);
/// Those that were told to end and have not; at most one, because no other starts before.
static ENDING: Mutex<Vec<ServiceDaemon>> = Mutex::new(Vec::new());

/// A running daemon; dropped, it ends.
pub(super) struct Daemon {
    daemon: ServiceDaemon,
    /// [`DEAFENED`] before it began to listen.
    deafened: u32,
}

impl Daemon {
    pub(super) fn start() -> Result<Daemon, LanError> {
        let mut ending = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
        ending.retain(|one| !matches!(one.status(), Err(Error::DaemonShutdown)));
        if !ending.is_empty() {
            return Err(LanError::Refused(FLOODED.into()));
        }
        let deafened = DEAFENED.load(Ordering::SeqCst);
        let daemon = ServiceDaemon::new().map_err(refused)?;
        // A room of this machine's own is found through the network that it is on.
        let own = [mdns_sd::IfKind::LoopbackV4, mdns_sd::IfKind::LoopbackV6];
        daemon.disable_interface(own.to_vec()).map_err(refused)?;
        Ok(Daemon { daemon, deafened })
    }

    /// What it is told to do.
    pub(super) fn get(&self) -> &ServiceDaemon {
        &self.daemon
    }

    /// What is wrong with it, if anything is: it remembers too much, is too busy to say, hears nothing, or has ended.
    /// The caller then drops it and waits. Takes up to 0.2 s.
    pub(super) fn trouble(&self) -> Option<&'static str> {
        let records = |counts: mdns_sd::Metrics| -> i64 {
            counts.iter().filter(|(name, _)| name.starts_with("cached-")).map(|(_, count)| count).sum()
        };
        let counts = match self.daemon.get_metrics() {
            Ok(asked) => asked.recv_timeout(ANSWER).ok(),
            Err(Error::DaemonShutdown) => return Some("the thread that speaks multicast DNS has ended"),
            Err(_) => None,
        };
        if counts.is_none_or(|counts| records(counts) > MAX_RECORDS) {
            deafen();
        }
        (self.deafened != DEAFENED.load(Ordering::SeqCst)).then_some(FLOODED)
    }
}

const FLOODED: &str = "somebody floods the network with announcements";

impl Drop for Daemon {
    fn drop(&mut self) {
        // Its queue may be full: it is worked off.
        for _ in 0..10 {
            match self.daemon.shutdown() {
                Ok(ended) if ended.recv_timeout(GOODBYE).is_err() => break,
                Err(Error::Again) => std::thread::sleep(GOODBYE / 10),
                Ok(_) | Err(_) => return,
            }
        }
        ENDING.lock().unwrap_or_else(PoisonError::into_inner).push(self.daemon.clone());
    }
}

/// Closes the ears of all daemons of this process.
fn deafen() {
    // Where it cannot, a flood is remembered until it ends; what was told to end then does.
    #[cfg(target_os = "linux")]
    let _ = connect_all();
    DEAFENED.fetch_add(1, Ordering::SeqCst);
}

/// Connects their sockets, which the library keeps to itself, to a port where nobody is: a socket that is connected
/// takes nothing from others.
#[cfg(target_os = "linux")]
fn connect_all() -> std::io::Result<()> {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

    use rustix::net::{SocketType, connect, getsockname, sockopt::socket_type};
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

    let own = pidfd_open(getpid(), PidfdFlags::empty())?;
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(fd) = pidfd_getfd(&own, number, PidfdGetfdFlags::empty()) else { continue };
        if socket_type(&fd) != Ok(SocketType::DGRAM) {
            continue;
        }
        let at = getsockname(&fd).ok().and_then(|at| SocketAddr::try_from(at).ok());
        let nobody = match at {
            Some(SocketAddr::V4(at)) if at.port() == mdns_sd::MDNS_PORT => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Some(SocketAddr::V6(at)) if at.port() == mdns_sd::MDNS_PORT => IpAddr::V6(Ipv6Addr::LOCALHOST),
            _ => continue,
        };
        connect(&fd, &SocketAddr::new(nobody, 9))?;
    }
    Ok(())
}

pub(super) fn refused(error: Error) -> LanError {
    LanError::Refused(error.to_string())
}
