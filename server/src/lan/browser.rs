//! Who looks for rooms on the network.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};
use std::{mem, thread};

use async_channel::{Receiver, Sender};
use mdns_sd::{ResolvedService, ScopedIp, ServiceEvent};

use super::SERVICE;
use super::daemon::{Daemon, refused};
use super::listing::Listing;
use super::multicast::{self, LanError};
use crate::protocol::HostPort;

/// Rooms that are found at most, the first ones: whoever announces more gets no more memory.
pub const MAX_FOUND: usize = 64;

/// How long the thread may sleep: the pace of news, and of its end.
const TURN: Duration = Duration::from_millis(200);
/// How often the rooms are asked whether they are still there, and how long they may take to say so: without that a
/// host whose plug was pulled is listed for minutes.
const CONFIRM: Duration = Duration::from_secs(15);
const ANSWER: Duration = Duration::from_secs(4);
/// How often the networks of this machine are looked at.
const CHECK: Duration = Duration::from_secs(3);
/// How long nobody listens to a network that somebody floods.
const PAUSE: Duration = Duration::from_secs(10);

/// A room that somebody on the network announces. Nothing of it is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it says of itself.
    pub listing: Listing,
    /// Where this machine reaches it, the likeliest first; at least one, at most eight.
    pub addresses: Vec<HostPort>,
}

/// The state of the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// All rooms that are there now, by name, 64 at most.
    Rooms(Vec<Found>),
    /// Nobody can be found; it is tried again by itself.
    Nowhere(LanError),
}

/// Looks for rooms as long as it is kept.
pub struct Browser(Receiver<Seen>);

impl Browser {
    /// Begins to look, on a thread of its own.
    ///
    /// # Errors
    /// [`LanError::Refused`], where the system gives no thread.
    pub fn start() -> Result<Browser, LanError> {
        let (tell, seen) = async_channel::bounded(1);
        let look = move || look(&tell);
        let thread = thread::Builder::new().name("rooms".into()).spawn(look);
        thread.map(|_| Browser(seen)).map_err(|error| LanError::Refused(error.to_string()))
    }

    /// The next change of the list; older ones that nobody has taken are left out.
    pub async fn next(&self) -> Option<Seen> {
        self.0.recv().await.ok()
    }
}

/// Until nobody wants to know.
fn look(tell: &Sender<Seen>) {
    while !tell.is_closed() {
        let paused = multicast::check().and_then(|()| watch(tell)).unwrap_or_else(|error| {
            let _ = tell.force_send(Seen::Nowhere(error));
            CHECK
        });
        let turns = paused.as_millis() / TURN.as_millis();
        (0..turns).take_while(|_| !tell.is_closed()).for_each(|_| thread::sleep(TURN));
    }
}

/// Listens to one daemon; says how long to wait until the next.
fn watch(tell: &Sender<Seen>) -> Result<Duration, LanError> {
    let daemon = Daemon::start()?;
    let mut events = daemon.get().browse(SERVICE).map_err(refused)?;
    let mut rooms: BTreeMap<String, Found> = BTreeMap::new();
    let mut shown = None;
    let (mut confirmed, mut checked) = (now(), now());
    while !tell.is_closed() {
        let until = now() + TURN;
        while let Some(left) = until.checked_duration_since(now()).filter(|left| !left.is_zero()) {
            match events.recv_timeout(left) {
                Ok(event) => hear(&mut rooms, event),
                // More came than we took.
                Err(_) if events.is_disconnected() => return Ok(PAUSE),
                Err(_) => break,
            }
        }
        let mut list: Vec<Found> = rooms.values().cloned().collect();
        list.sort_by_cached_key(|found| (found.listing.name.to_lowercase(), found.addresses.clone()));
        if shown.as_ref() != Some(&list) {
            shown = Some(list.clone());
            let _ = tell.force_send(Seen::Rooms(list));
        }
        if daemon.trouble().is_some() {
            return Ok(PAUSE);
        }
        if confirmed.elapsed() > CONFIRM {
            confirmed = now();
            // The library asks wrongly for a name with a dot or a backslash in it; no room of ours has one.
            let asked = rooms.keys().filter(|name| !instance(name).contains(['.', '\\']));
            // One that cannot be asked now is asked the next time.
            asked.for_each(|name| drop(daemon.get().verify(name.clone(), ANSWER)));
            // Those that somebody else took leave of answer to this; by itself the library asks less and less often.
            let Ok(again) = daemon.get().browse(SERVICE) else { return Ok(PAUSE) };
            let former = mem::replace(&mut events, again);
            while let Ok(event) = former.recv_timeout(TURN) {
                hear(&mut rooms, event);
            }
        }
        if checked.elapsed() > CHECK {
            checked = now();
            multicast::check()?;
        }
    }
    Ok(Duration::ZERO)
}

fn hear(rooms: &mut BTreeMap<String, Found>, event: ServiceEvent) {
    match event {
        ServiceEvent::ServiceResolved(service) => note(rooms, &service),
        ServiceEvent::ServiceRemoved(_, name) => drop(rooms.remove(&name)),
        _ => {}
    }
}

fn note(rooms: &mut BTreeMap<String, Found>, service: &ResolvedService) {
    let addresses = addresses(service);
    let listing = Listing::read(instance(&service.fullname), |key| service.get_property_val(key).flatten());
    // What has no name or is nowhere cannot be shown.
    if addresses.is_empty() || service.port == 0 || listing.name.is_empty() {
        rooms.remove(&service.fullname);
        return;
    }
    if rooms.len() >= MAX_FOUND && !rooms.contains_key(&service.fullname) {
        return;
    }
    rooms.insert(service.fullname.clone(), Found { listing, addresses });
}

/// What is before the service in a full name.
fn instance(fullname: &str) -> &str {
    let name = fullname.strip_suffix(SERVICE).unwrap_or(fullname);
    name.strip_suffix('.').unwrap_or(name)
}

/// Those of an announcement that can be called from here: of a network that this machine is on too, IPv4 first, then the
/// others, then those that last as long as an interface has its name.
fn addresses(service: &ResolvedService) -> Vec<HostPort> {
    const MOST: usize = 8;
    let own = if_addrs::get_if_addrs().unwrap_or_default();
    let near = |ip: &IpAddr| own.iter().any(|interface| is_of(interface, ip));
    let mut ranked: Vec<((u8, bool, IpAddr), HostPort)> = Vec::new();
    for scoped in &service.addresses {
        // One of IPv4 that is written as IPv6 is what it is.
        let ip = scoped.to_ip_addr().to_canonical();
        let nobody = ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST);
        if nobody || ip.is_loopback() {
            continue;
        }
        let host = match scoped {
            ScopedIp::V6(v6) if v6.addr().is_unicast_link_local() => format!("{ip}%{}", v6.scope_id().name),
            _ => ip.to_string(),
        };
        let rank = match ip {
            IpAddr::V4(ip) if ip.is_link_local() => 3,
            IpAddr::V4(_) => 0,
            IpAddr::V6(ip) if ip.is_unicast_link_local() => 4,
            IpAddr::V6(_) => 1,
        };
        ranked.push(((rank, !near(&ip), ip), HostPort::new(host, service.port)));
    }
    ranked.sort_by_key(|((rank, far, ip), _)| (*far, *rank, *ip));
    ranked.into_iter().map(|(_, address)| address).take(MOST).collect()
}

/// Whether an address is of the network behind an interface.
fn is_of(interface: &if_addrs::Interface, ip: &IpAddr) -> bool {
    let masked = |a: u128, b: u128, mask: u128| a & mask == b & mask;
    match (&interface.addr, ip) {
        (if_addrs::IfAddr::V4(own), IpAddr::V4(ip)) => {
            own.ip.to_bits() & own.netmask.to_bits() == ip.to_bits() & own.netmask.to_bits()
        }
        (if_addrs::IfAddr::V6(own), IpAddr::V6(ip)) => {
            let bits = |ip: &Ipv6Addr| ip.to_bits();
            masked(bits(&own.ip), bits(ip), bits(&own.netmask))
        }
        _ => false,
    }
}

#[expect(clippy::disallowed_methods, reason = "the thread that waits, nothing that is tested by the clock")]
fn now() -> Instant {
    Instant::now()
}
