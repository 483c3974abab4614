//! Who may connect: how many in all, how many from one address, and whom the operator banned.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::hub::state::limits::{PER_FAR_IP, PER_NEAR_IP};
use crate::hub::state::member::{Member, Slot};
use crate::hub::state::words::{put, take};
use crate::hub::state::{ConnectionId, SERVER, State};

/// A ban of an address.
#[derive(Debug)]
pub(crate) struct Ban {
    /// `None`: until it is lifted.
    pub(crate) until: Option<Duration>,
}

/// Under this they are written, where the states of rooms are; no room and nobody is called so.
pub(super) const BANS: &str = "bans";

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Admission {
    max: usize,
    max_per_ip: Option<usize>,
    connections: Counts,
    /// People whose connections are gone and who are waited for, by the address they had. They
    /// don't count as connections: a class whose router was off comes back as a whole.
    waiting: Counts,
    pub(crate) bans: HashMap<IpAddr, Ban>,
}

impl Admission {
    pub(crate) fn new(max: usize, max_per_ip: Option<usize>) -> Admission {
        Admission {
            max,
            max_per_ip,
            connections: Counts::default(),
            waiting: Counts::default(),
            bans: HashMap::new(),
        }
    }

    /// Other limits, from now on.
    pub(super) fn limit(&mut self, max: usize, max_per_ip: Option<usize>) {
        (self.max, self.max_per_ip) = (max, max_per_ip);
    }

    /// Connections now, and at most.
    pub(crate) fn connected(&self) -> (usize, usize) {
        (self.connections.all, self.max)
    }

    /// Counts a connection in, or says why not.
    fn enter(&mut self, ip: IpAddr, now: Duration) -> Result<(), String> {
        self.bans.retain(|_, ban| ban.until.is_none_or(|until| until > now));
        if self.bans.contains_key(&party(ip)) {
            return Err("You are banned from this server".into());
        }
        if self.connections.all >= self.max {
            return Err(format!("The server is full: {} people are connected", self.max));
        }
        let most = self.most(ip);
        if self.connections.of(ip) >= most {
            return Err(format!("{most} connections from your address are the limit"));
        }
        self.connections.add(ip);
        Ok(())
    }

    pub(crate) fn leave(&mut self, ip: IpAddr) {
        self.connections.take(ip);
    }

    /// Whether somebody whose connection is gone may be waited for: as many as may be connected.
    pub(crate) fn wait_for(&mut self, ip: IpAddr) -> bool {
        if self.waiting.all >= self.max || self.waiting.of(ip) >= self.most(ip) {
            return false;
        }
        self.waiting.add(ip);
        self.leave(ip);
        true
    }

    /// Somebody who was waited for came back, or is given up.
    pub(crate) fn waited(&mut self, ip: IpAddr) {
        self.waiting.take(ip);
    }

    /// Connections that an address may have.
    pub(crate) fn most(&self, ip: IpAddr) -> usize {
        self.max_per_ip.unwrap_or_else(|| party_size(ip))
    }
}

/// How many there are, in all and of each party.
#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_party: HashMap<IpAddr, usize>,
}

impl Counts {
    fn of(&self, ip: IpAddr) -> usize {
        self.by_party.get(&party(ip)).copied().unwrap_or_default()
    }

    fn add(&mut self, ip: IpAddr) {
        *self.by_party.entry(party(ip)).or_default() += 1;
        self.all += 1;
    }

    fn take(&mut self, ip: IpAddr) {
        let Some(count) = self.by_party.get_mut(&party(ip)) else { return };
        *count -= 1;
        self.all -= 1;
        if *count == 0 {
            self.by_party.remove(&party(ip));
        }
    }
}

/// The address that counts as one party: an IPv6 subscriber has a /64 to choose from.
pub fn party(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            if ip.is_loopback() { ip.into() } else { Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into() }
        }
        v4 => v4,
    }
}

/// The people that one address may stand for, unless the operator says otherwise: near, a classroom
/// behind one router; far, a household.
pub fn party_size(ip: IpAddr) -> usize {
    if is_near(ip) { PER_NEAR_IP } else { PER_FAR_IP }
}

fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// What somebody is told who may not connect, before it is known what they speak; `raw`: at the listener
/// for raw clients.
pub fn turned_away(raw: bool, reason: &str) -> String {
    if raw { format!("{SERVER}: {reason}\n") } else { format!("ERROR :Closing link: {reason}\r\n") }
}

impl State {
    /// The operator's bans are other ones now: they last longer than the server runs, if anything does.
    pub(crate) fn note_bans(&mut self) {
        if self.settings.durable {
            let state = self.kept_bans().map(|(_, state)| state);
            self.unwritten.push((BANS.into(), state));
        }
    }

    /// The bans, as they are written, if there are any.
    pub(super) fn kept_bans(&self) -> Option<(Box<str>, Box<[u8]>)> {
        let (now, wall) = (self.clock(), self.now.wall.0);
        let mut bytes = Vec::new();
        for (ip, Ban { until }) in &self.admission.bans {
            // By the clock on the wall: a server that is off lets them end, too.
            let until = until.map(|until| wall + until.saturating_sub(now).as_millis() as u64);
            put(&mut bytes, &[&ip.to_string(), &until.map_or(String::new(), |until| until.to_string())]);
        }
        (!bytes.is_empty()).then(|| (BANS.into(), bytes.into()))
    }

    /// Takes in what was written. What cannot be read is worth nothing.
    pub(super) fn restore_bans(&mut self, mut state: &[u8]) {
        while let (Some(ip), Some(until)) = (take(&mut state), take(&mut state)) {
            let left = until.parse().ok().map(|until: u64| until.saturating_sub(self.now.wall.0));
            let until = left.map(|left| self.clock() + Duration::from_millis(left));
            if let Ok(ip) = ip.parse() {
                self.admission.bans.insert(ip, Ban { until });
            }
        }
    }

    /// Counts a connection in and gives it its place, or says why not.
    pub(crate) fn open(&mut self, id: ConnectionId, member: Member) -> Result<(), String> {
        self.admission.enter(member.peer.ip(), self.clock())?;
        let slot = id.slot as usize;
        if slot >= self.slots.len() {
            self.slots.resize_with(slot + 1, || Slot { generation: 0, member: None });
        }
        self.slots[slot] = Slot { generation: id.generation, member: Some(Box::new(member)) };
        Ok(())
    }

    /// Takes a connection's member out of its place.
    pub(crate) fn close(&mut self, id: ConnectionId) -> Option<Box<Member>> {
        self.member(id)?;
        if let Some(cluster) = self.cluster.as_mut().filter(|_| id.is_remote()) {
            let member = cluster.slot_mut(id)?.member.take();
            cluster.vacate(id);
            return member;
        }
        let member = self.slots.get_mut(id.slot as usize)?.member.take()?;
        let ip = member.peer.ip();
        if member.lingering.is_some() {
            self.admission.waited(ip)
        } else {
            self.admission.leave(ip)
        }
        Some(member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_addresses_are_limited_more_strictly_than_near_ones() {
        let mut admission = Admission::new(1000, None);
        let mut fill = |ip: &str| {
            let ip: IpAddr = ip.parse().unwrap();
            (0..).take_while(|_| admission.enter(ip, Duration::ZERO).is_ok()).count()
        };
        assert_eq!(fill("127.0.0.1"), 64);
        assert_eq!(fill("::ffff:192.168.1.4"), 64);
        assert_eq!(fill("203.0.113.9"), 16);
        assert_eq!(fill("2001:db8:0:1::1"), 16);
        assert_eq!(fill("2001:db8:0:1::2"), 0, "the same /64");
        assert_eq!(fill("2001:db8:0:2::1"), 16);
    }

    #[test]
    fn who_leaves_makes_room() {
        let mut admission = Admission::new(1, None);
        let ip = "127.0.0.1".parse().unwrap();
        admission.enter(ip, Duration::ZERO).unwrap();
        assert!(admission.enter(ip, Duration::ZERO).is_err());
        admission.leave(ip);
        assert!(admission.enter(ip, Duration::ZERO).is_ok());
    }

    #[test]
    fn who_is_waited_for_takes_no_place_and_is_counted_apart() {
        let mut admission = Admission::new(2, Some(1));
        let ip = "127.0.0.1".parse().unwrap();
        admission.enter(ip, Duration::ZERO).unwrap();
        assert!(admission.wait_for(ip));
        admission.enter(ip, Duration::ZERO).unwrap();
        assert!(!admission.wait_for(ip), "one is waited for already");
        admission.waited(ip);
        assert!(admission.wait_for(ip));
        admission.waited(ip);
        assert_eq!((admission.connections.all, admission.waiting.all), (0, 0));
        assert!(admission.connections.by_party.is_empty() && admission.waiting.by_party.is_empty());
    }
}
