//! What others can type to reach a listener on all addresses.

use std::net::{IpAddr, SocketAddr};

use crate::protocol::sorted::sorted_by_key;

/// An address of this machine that others may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reachable {
    /// With the listener's port.
    pub address: SocketAddr,
    /// The interface's name.
    pub interface: String,
    /// It is of no wire and no radio: a tunnel, or a network inside this machine. Few can reach it.
    pub is_virtual: bool,
}

/// Where packets to everywhere else leave.
#[derive(Debug, Clone, PartialEq, Eq)]
struct DefaultRoute {
    interface: String,
    ipv6: bool,
    /// Among several the smallest is taken.
    metric: u32,
}

/// The addresses that others can type to reach a listener; none unless it listens on all addresses. First the one that
/// most people reach: of the interface with the default route; virtual interfaces last.
pub fn addresses_for_others(listening: SocketAddr) -> Vec<Reachable> {
    if !listening.ip().is_unspecified() {
        return Vec::new();
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let named = |interface: if_addrs::Interface| {
        let ip = interface.ip();
        (interface.name, ip)
    };
    let interfaces: Vec<(String, IpAddr)> = interfaces.into_iter().map(named).collect();
    let routes = default_routes(&interfaces);
    ordered(listening, interfaces, &routes)
}

fn ordered(
    listening: SocketAddr,
    interfaces: Vec<(String, IpAddr)>,
    routes: &[DefaultRoute],
) -> Vec<Reachable> {
    let typed = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
        // Without a scope nobody could type a link-local one.
        IpAddr::V6(ip) => listening.is_ipv6() && !ip.is_loopback() && !ip.is_unicast_link_local(),
    };
    let reachable = |(interface, ip): (String, IpAddr)| Reachable {
        address: SocketAddr::new(ip, listening.port()),
        is_virtual: is_virtual(&interface),
        interface,
    };
    let metric = |one: &Reachable| {
        let same =
            |route: &&DefaultRoute| route.interface == one.interface && route.ipv6 == one.address.is_ipv6();
        routes.iter().filter(same).map(|route| route.metric).min()
    };
    let found = interfaces.into_iter().filter(|(_, ip)| typed(ip)).map(reachable);
    let mut found = sorted_by_key(found, |one| {
        let metric = metric(one);
        (one.is_virtual, metric.is_none(), one.address.is_ipv6(), metric, one.address)
    });
    found.dedup_by(|a, b| a.address == b.address);
    found
}

/// By the names that the programs give which make them.
fn is_virtual(interface: &str) -> bool {
    const BEGIN: &str = "br- cali cilium cni docker dummy flannel ham ipsec lxcbr lxdbr podman tailscale \
                         tap tun utun vEthernet vboxnet veth virbr vmnet vnet wg zt";
    const HOLD: &[&str] = &["Hyper-V", "VMware", "VirtualBox", "WSL", "Tailscale", "WireGuard", "OpenVPN"];
    BEGIN.split(' ').any(|name| interface.starts_with(name))
        || HOLD.iter().any(|name| interface.contains(name))
}

/// As the kernel lists them (proc(5)).
#[cfg(target_os = "linux")]
fn default_routes(_: &[(String, IpAddr)]) -> Vec<DefaultRoute> {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let (v4, v6) = (read("/proc/net/route"), read("/proc/net/ipv6_route"));
    v4.lines().filter_map(ipv4_default).chain(v6.lines().filter_map(ipv6_default)).collect()
}

/// The address that the system would speak to the world from; no packet is sent (RFC 5737: nobody has these addresses).
#[cfg(not(target_os = "linux"))]
fn default_routes(interfaces: &[(String, IpAddr)]) -> Vec<DefaultRoute> {
    let speaks = |from: &str, to: &str| {
        let socket = std::net::UdpSocket::bind(from).ok()?;
        socket.connect(to).ok()?;
        let ip = socket.local_addr().ok()?.ip();
        let (interface, _) = interfaces.iter().find(|(_, address)| *address == ip)?;
        Some(DefaultRoute { interface: interface.clone(), ipv6: ip.is_ipv6(), metric: 0 })
    };
    speaks("0.0.0.0:0", "192.0.2.1:9").into_iter().chain(speaks("[::]:0", "[2001:db8::1]:9")).collect()
}

/// Of the flags of a route (Linux, `route.h`): it is usable, and it refuses.
const UP: u32 = 0x1;
const REJECT: u32 = 0x200;

/// A line of `/proc/net/route`: interface, destination, gateway, flags, references, use, metric, mask.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "tested everywhere"))]
fn ipv4_default(line: &str) -> Option<DefaultRoute> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [interface, destination, _, flags, _, _, metric, mask, ..] = fields[..] else { return None };
    let flags = u32::from_str_radix(flags, 16).ok()?;
    let everywhere = destination == "00000000" && mask == "00000000";
    let usable = everywhere && flags & UP != 0 && flags & REJECT == 0;
    usable.then_some(DefaultRoute { interface: interface.into(), ipv6: false, metric: metric.parse().ok()? })
}

/// A line of `/proc/net/ipv6_route`: destination and its length, source and its length, next hop, metric, references, use,
/// flags, interface.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "tested everywhere"))]
fn ipv6_default(line: &str) -> Option<DefaultRoute> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, length, _, _, _, metric, _, _, flags, interface] = fields[..] else { return None };
    let flags = u32::from_str_radix(flags, 16).ok()?;
    let usable = length == "00" && flags & UP != 0 && flags & REJECT == 0 && interface != "lo";
    let metric = u32::from_str_radix(metric, 16).ok()?;
    usable.then_some(DefaultRoute { interface: interface.into(), ipv6: true, metric })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interfaces(list: &[(&str, &str)]) -> Vec<(String, IpAddr)> {
        list.iter().map(|(name, ip)| ((*name).to_owned(), ip.parse().expect("an address"))).collect()
    }

    fn route(interface: &str, ipv6: bool, metric: u32) -> DefaultRoute {
        DefaultRoute { interface: interface.into(), ipv6, metric }
    }

    #[test]
    fn the_default_routes_address_comes_first_and_virtual_ones_last() {
        let laptop = [
            ("lo", "127.0.0.1"),
            ("docker0", "172.17.0.1"),
            ("tun0", "10.8.0.6"),
            ("eth0", "10.0.0.12"),
            ("wlan0", "192.168.1.7"),
            ("virbr0", "192.168.122.1"),
            ("br-0123456789ab", "172.18.0.1"),
            ("veth1234", "169.254.3.4"),
        ];
        let both = [("wlan0", "fe80::1"), ("wlan0", "2001:db8::7"), ("wlan0", "192.168.1.7"), ("lo", "::1")];
        for (listening, list, routes, expected) in [
            (
                "0.0.0.0:1",
                &laptop[..],
                vec![route("wlan0", false, 600)],
                "wlan0 eth0 tun0 docker0 br-0123456789ab virbr0",
            ),
            (
                "0.0.0.0:1",
                &laptop,
                vec![route("wlan0", false, 600), route("eth0", false, 100)],
                "eth0 wlan0 tun0 docker0 br-0123456789ab virbr0",
            ),
            // A tunnel that takes everything does not bring the neighbours in.
            (
                "0.0.0.0:1",
                &laptop,
                vec![route("tun0", false, 50), route("wlan0", false, 600)],
                "wlan0 eth0 tun0 docker0 br-0123456789ab virbr0",
            ),
            ("0.0.0.0:1", &laptop, vec![], "eth0 wlan0 tun0 docker0 br-0123456789ab virbr0"),
            // One of IPv6 says nothing of IPv4.
            (
                "0.0.0.0:1",
                &laptop,
                vec![route("wlan0", true, 1)],
                "eth0 wlan0 tun0 docker0 br-0123456789ab virbr0",
            ),
            ("[::]:1", &both, vec![route("wlan0", false, 600), route("wlan0", true, 600)], "wlan0 wlan0"),
            ("0.0.0.0:1", &both, vec![], "wlan0"),
            ("0.0.0.0:1", &[("docker0", "172.17.0.1")], vec![], "docker0"),
        ] {
            let found = ordered(listening.parse().expect("an address"), interfaces(list), &routes);
            let found: Vec<&str> = found.iter().map(|one| one.interface.as_str()).collect();
            assert_eq!(found.join(" "), expected, "{listening} {routes:?}");
        }
        assert_eq!(addresses_for_others("192.168.1.7:1".parse().expect("an address")), []);
        let both =
            ordered("[::]:1".parse().expect("an address"), interfaces(&both), &[route("wlan0", true, 1)]);
        assert!(both[0].address.is_ipv6(), "that of the route: {both:?}");
    }

    #[test]
    fn default_routes_are_read_as_the_kernel_lists_them() {
        let listed = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
             wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n\
             eth1\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n\
             eth2\t00000000\t0101A8C0\t0002\t0\t0\t0\t00000000\t0\t0\t0\n\
             tun0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000080\t0\t0\t0\n\
             wlan0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0\nnonsense\n\n";
        let found: Vec<_> = listed.lines().filter_map(ipv4_default).collect();
        assert_eq!(found, [route("wlan0", false, 600)]);
        let zero = "0".repeat(32);
        let line = |length, flags, interface| {
            format!(
                "{zero} {length} {zero} 00 fe80000000000000000000000000000a 00000258 00000001 00000000 {flags} {interface}"
            )
        };
        assert_eq!(ipv6_default(&line("00", "00450003", "   wlan0")), Some(route("wlan0", true, 600)));
        assert_eq!(ipv6_default(&line("00", "00200200", "      lo")), None);
        assert_eq!(ipv6_default(&line("40", "00450003", "   wlan0")), None);
        assert_eq!(ipv6_default("nonsense"), None);
    }
}
