//! Many networks, odd ones, and none.

use std::time::Duration;

use crate::SOON;
use crate::looker::List;
use crate::net::{Host, hosts};

#[test]
fn the_first_address_is_the_one_that_connects() {
    let Some([here, there, vpn]) = hosts() else { return };
    here.cable("eth0", &there);
    // Both are in a network of their own containers, which have the same addresses everywhere.
    for (host, last) in [(&here, 1), (&there, 2)] {
        host.sh(&format!("ip addr add 192.168.7.{last}/24 dev eth0"));
        host.sh(
            "ip link add name docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up;
             ip link add name c0 type veth peer name c1; ip link set c0 master docker0; ip link set c0 up;
             ip link set c1 up",
        );
        // And in a private network that carries nothing from one to the other.
        let name = format!("vpn{last}");
        host.cable(&name, &vpn);
        host.sh(&format!("ip addr add 10.8.0.{last}/24 dev {name}"));
        // A tunnel whose other end is not there.
        host.sh("ip tuntap add dev tun0 mode tun || exit 0; ip addr add 10.0.0.1 peer 10.0.0.2 dev tun0;
             ip link set tun0 up");
    }
    let _server = there.announced("Tea", &[]);
    let found = here.looker().finds("Tea");
    here.joins(&found.addresses[0], "bob");
    assert_eq!(found.addresses[0], "192.168.7.2:49806");
    assert!(!found.addresses.iter().any(|address| address.starts_with("172.17.")), "{found:?}");
}

fn without_ipv4(prefix: Option<&str>) -> Option<[Host; 2]> {
    let [here, there] = hosts()?;
    here.cable("eth0", &there);
    for (host, last) in [(&here, 1), (&there, 2)] {
        if let Some(prefix) = prefix {
            host.sh(&format!("ip addr add {prefix}{last}/64 dev eth0 nodad"));
        }
    }
    Some([here, there])
}

#[test]
fn a_network_without_ipv4_is_one() {
    let Some([here, there]) = without_ipv4(Some("2001:db8::")) else { return };
    let _server = there.announced("Tea", &["--bind", "[::]:49806"]);
    let found = here.looker().finds("Tea");
    assert_eq!(found.addresses[0], "[2001:db8::2]:49806", "{found:?}");
    here.joins(&found.addresses[0], "bob");
}

#[test]
fn a_network_without_any_address_but_its_own_is_one() {
    let Some([here, there]) = without_ipv4(None) else { return };
    let _server = there.announced("Tea", &["--bind", "[::]:49806"]);
    let found = here.looker().finds("Tea");
    let address = &found.addresses[0];
    assert!(address.starts_with("[fe80::") && address.ends_with("%eth0]:49806"), "{found:?}");
    here.joins(address, "bob");
}

/// Both ends of a network that both were without.
fn connect(here: &Host, there: &Host) {
    here.cable("eth0", there);
    here.sh("ip addr add 10.1.0.1/24 dev eth0");
    there.sh("ip addr add 10.1.0.2/24 dev eth0");
}

#[test]
fn without_a_network_it_says_so_and_finds_the_room_when_one_comes() {
    let Some([here, there]) = hosts() else { return };
    let server = there.announced("Tea", &[]);
    server.wait_log("nobody on the network can find it yet: this computer is on no network");
    let mut looker = here.looker();
    let nowhere = List::Nowhere("this computer is on no network".into());
    looker.wait("why", SOON, |list| *list == nowhere);
    connect(&here, &there);
    assert_eq!(looker.finds("Tea").addresses[0], "10.1.0.2:49806");
    // And goes with it, and comes again.
    here.sh("ip link del eth0");
    looker.wait("why", SOON, |list| *list == nowhere);
    connect(&here, &there);
    looker.finds("Tea");
}

#[test]
fn a_tunnel_alone_is_no_network() {
    let Some([here]) = hosts() else { return };
    here.sh("ip tuntap add dev tun0 mode tun || exit 0; ip addr add 10.0.0.1 peer 10.0.0.2 dev tun0;
         ip link set tun0 up");
    here.looker().wait("why", SOON, |list| matches!(list, List::Nowhere(_)));
}

#[test]
fn a_network_that_carries_no_multicast_is_one_later() {
    let Some([here, there]) = hosts() else { return };
    connect(&here, &there);
    for host in [&here, &there] {
        host.sh("ip link set eth0 multicast off");
    }
    let mut looker = here.looker();
    let server = there.announced("Tea", &[]);
    // Linux clears a flag and goes on: what is found is right as long as it connects.
    let list =
        looker.wait("anything", SOON, |list| list.one("Tea").is_some() || matches!(list, List::Nowhere(_)));
    eprintln!("with multicast off: {list:?}");
    for host in [&here, &there] {
        host.sh("ip link set eth0 multicast on");
    }
    here.joins(&looker.finds("Tea").addresses[0], "bob");
    drop(server);
}

#[test]
fn a_server_for_this_computer_alone_says_that_nobody_finds_it_and_runs() {
    let Some([here, there]) = hosts() else { return };
    connect(&here, &there);
    let server = there.announced("Tea", &["--bind", "127.0.0.1:49806"]);
    server.wait_log("not announced as \"Tea\": it listens for this computer alone");
    there.joins("127.0.0.1:49806", "bob");
    here.looker().always(Duration::from_secs(2), |list| list.rooms().is_empty());
}

#[test]
fn a_server_of_one_network_is_found_in_that_one() {
    let Some([here, there, other]) = hosts() else { return };
    connect(&here, &there);
    there.cable("eth1", &other);
    there.sh("ip addr add 10.2.0.2/24 dev eth1");
    other.sh("ip addr add 10.2.0.3/24 dev eth1");
    let _server = there.announced("Tea", &["--bind", "10.2.0.2:49806"]);
    assert_eq!(other.looker().finds("Tea").addresses, ["10.2.0.2:49806"]);
    here.looker().always(Duration::from_secs(3), |list| list.rooms().is_empty());
}
