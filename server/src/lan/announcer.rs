//! A room that can be found.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mdns_sd::{IfKind, ServiceInfo};

use super::SERVICE;
use super::daemon::{Daemon, refused};
use super::listing::Listing;
use super::multicast::{self, LanError};

/// How often [`Announcer::refresh`] is to be called.
pub const TICK: Duration = Duration::from_millis(250);
/// Ticks between two announcements of how many people there are: a word to everybody on the network.
pub const NEWS: u32 = 40;
/// Ticks for which a flooded network hears nothing of us.
const PAUSE: u32 = 120;

/// A room that is announced; dropped, it says good-bye, which takes up to a second.
pub struct Announcer {
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

impl Announcer {
    /// Announces a server that listens on these addresses; those of this machine alone, and all of another port than
    /// the first of the others, are left out.
    ///
    /// # Errors
    /// [`LanError`]; a network that comes later is no error of today's, so only what cannot change is one.
    pub fn start(listing: Listing, listening: &[SocketAddr]) -> Result<Announcer, LanError> {
        let mut listening: Vec<_> = listening.iter().filter(|one| !one.ip().is_loopback()).copied().collect();
        let port = listening.first().ok_or(LanError::Loopback)?.port();
        listening.retain(|one| one.port() == port);
        let mut id = [0; 6];
        getrandom::fill(&mut id).map_err(|error| LanError::Refused(error.to_string()))?;
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let host_name = format!("parlor-{id}.local.");
        let listing = listing.cleaned();
        let mut announcer =
            Announcer { listing, listening, host_name, daemon: None, addresses: BTreeSet::new(), ticks: 0 };
        announcer.announce()?;
        Ok(announcer)
    }

    /// Whether anybody can hear it now; for the log.
    ///
    /// # Errors
    /// [`LanError::NoNetwork`] and [`LanError::NoMulticast`].
    pub fn is_heard() -> Result<(), LanError> {
        multicast::check()
    }

    /// Says how many people there are, if that has changed, not more often than every 10 s; and pauses for 30 s where
    /// somebody floods the network. Why it has paused now, if it has.
    pub fn refresh(&mut self, people: u32) -> Option<&'static str> {
        self.ticks += 1;
        let paused = self.daemon.as_ref().and_then(Daemon::trouble);
        if paused.is_some() {
            self.daemon = None;
            self.ticks = 0;
        } else if self.daemon.is_none() && self.ticks >= PAUSE {
            // What fails is tried again after the next pause.
            self.ticks = 0;
            let _ = self.announce();
        }
        if self.daemon.is_some() && self.ticks >= NEWS {
            self.ticks = 0;
            let addresses = addresses();
            // What is told the library while a cable is out it does not always say when that is in again.
            if addresses != self.addresses {
                self.daemon = None;
            }
            if self.daemon.is_none() || self.listing.people != Some(people) {
                self.listing.people = Some(people);
                let _ = self.announce();
            }
        }
        paused
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

impl Drop for Announcer {
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
