//! A room that can be found.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mdns_sd::{IfKind, ServiceInfo};

use super::SERVICE;
use super::daemon::{Daemon, refused};
use super::listing::Listing;
use super::multicast::{self, LanError};

/// The pause between two looks at whether the network is flooded.
const TICK: Duration = Duration::from_millis(250);
/// Ticks between two announcements of how many people there are, a word to everybody on the network, and between two
/// looks at the addresses of this machine.
const NEWS: u32 = 40;
/// Ticks for which a flooded network hears nothing of us.
const PAUSE: u32 = 120;

/// A room that is announced, by a thread of its own; dropped, it says good-bye, which takes up to two seconds.
pub struct Announcer {
    people: Option<Sender<u32>>,
    thread: Option<JoinHandle<()>>,
}

impl Announcer {
    /// Announces a server that listens on these addresses; those of this machine alone, and all of another port than
    /// the first of the others, are left out.
    ///
    /// # Errors
    /// [`LanError`]; a network that comes later is no error of today's, so only what cannot change is one.
    pub fn start(listing: Listing, listening: &[SocketAddr]) -> Result<Announcer, LanError> {
        let mut room = Room::new(listing, listening)?;
        room.announce()?;
        let (people, told) = mpsc::channel();
        let thread = thread::Builder::new().name("announcer".into()).spawn(move || room.run(&told));
        let thread = thread.map_err(|error| LanError::Refused(error.to_string()))?;
        Ok(Announcer { people: Some(people), thread: Some(thread) })
    }

    /// Whether anybody can hear it now; for the log.
    ///
    /// # Errors
    /// [`LanError::NoNetwork`] and [`LanError::NoMulticast`].
    pub fn is_heard() -> Result<(), LanError> {
        multicast::check()
    }

    /// Says how many people there are, within 10 s.
    pub fn tell(&self, people: u32) {
        // The thread ends after this end of it only.
        let _ = self.people.as_ref().map(|told| told.send(people));
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.people = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// What is announced.
struct Room {
    listing: Listing,
    listening: Vec<SocketAddr>,
    /// A name for this machine that no other has.
    host_name: String,
    /// None while the network is flooded.
    daemon: Option<Daemon>,
    /// This machine's, when it was announced last.
    addresses: BTreeSet<IpAddr>,
    /// Since the last announcement, or since the daemon ended.
    ticks: u32,
}

impl Room {
    fn new(listing: Listing, listening: &[SocketAddr]) -> Result<Room, LanError> {
        let mut listening: Vec<_> = listening.iter().filter(|one| !one.ip().is_loopback()).copied().collect();
        let port = listening.first().ok_or(LanError::Loopback)?.port();
        listening.retain(|one| one.port() == port);
        let mut id = [0; 6];
        getrandom::fill(&mut id).map_err(|error| LanError::Refused(error.to_string()))?;
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let host_name = format!("parlor-{id}.local.");
        let listing = listing.cleaned();
        Ok(Room { listing, listening, host_name, daemon: None, addresses: BTreeSet::new(), ticks: 0 })
    }

    /// Until nobody wants it announced any more.
    fn run(mut self, told: &Receiver<u32>) {
        let mut people = self.listing.people;
        loop {
            match told.recv_timeout(TICK) {
                Ok(now) => people = Some(now),
                Err(RecvTimeoutError::Timeout) => self.tick(people),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Says how many people there are, if that has changed, not more often than every 10 s; and pauses for 30 s where
    /// somebody floods the network.
    fn tick(&mut self, people: Option<u32>) {
        self.ticks += 1;
        if let Some(why) = self.daemon.as_ref().and_then(Daemon::trouble) {
            log::warn!("{why}: not announced for half a minute");
            self.daemon = None;
            self.ticks = 0;
        } else if self.daemon.is_none() && self.ticks >= PAUSE {
            // What fails is tried again after the next pause.
            self.ticks = 0;
            let _ = self.announce();
        }
        if self.daemon.is_some() && self.ticks >= NEWS {
            self.ticks = 0;
            // What is told the library while a cable is out it does not always say when that is in again.
            if addresses() != self.addresses {
                self.daemon = None;
            }
            if self.daemon.is_none() || self.listing.people != people {
                self.listing.people = people;
                let _ = self.announce();
            }
        }
    }

    fn announce(&mut self) -> Result<(), LanError> {
        let daemon = match self.daemon.take() {
            Some(daemon) => daemon,
            None => Daemon::start()?,
        };
        daemon.get().register(self.service()?).map_err(refused)?;
        self.daemon = Some(daemon);
        self.addresses = addresses();
        self.ticks = 0;
        Ok(())
    }

    /// On each network with the addresses that the server has there, also those that it gets later.
    fn service(&self) -> Result<ServiceInfo, LanError> {
        let port = self.listening.first().map_or(0, SocketAddr::port);
        // One of its own: whoever has to give way to another one of its name is not found for a while.
        let id = self.host_name.get(7..11).unwrap_or_default();
        let name = &format!("{} ({id})", self.listing.instance());
        let properties = &self.listing.properties()[..];
        let service = ServiceInfo::new(SERVICE, name, &self.host_name, "", port, properties);
        let mut service = service.map_err(refused)?.enable_addr_auto();
        let on: BTreeSet<IpAddr> = self.listening.iter().map(SocketAddr::ip).collect();
        service.set_interfaces(on.iter().flat_map(kinds).collect());
        Ok(service)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let (Some(daemon), Ok(service)) = (&self.daemon, self.service())
            && let Ok(said) = daemon.get().unregister(service.get_fullname())
        {
            let _ = said.recv_timeout(TICK);
        }
    }
}

/// Those of all networks that are up.
fn addresses() -> BTreeSet<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces
        .iter()
        .filter(|one| one.is_oper_up() && !one.is_loopback())
        .map(if_addrs::Interface::ip)
        .collect()
}

/// The interfaces on which a listener on this address is reached. One on all addresses of IPv6 takes IPv4 as well.
fn kinds(listening: &IpAddr) -> Vec<IfKind> {
    match listening {
        IpAddr::V4(ip) if ip.is_unspecified() => vec![IfKind::IPv4],
        IpAddr::V6(ip) if ip.is_unspecified() => vec![IfKind::All],
        ip => vec![IfKind::Addr(*ip)],
    }
}
