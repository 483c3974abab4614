//! A room that ends without a word, or moves.

use std::time::Duration;

use crate::SOON;
use crate::net::two;

/// It is asked every 15 s, has 4 s to answer, and the list is looked at five times a second.
const VANISHED: Duration = Duration::from_secs(30);

#[test]
fn a_killed_server_is_gone_within_half_a_minute() {
    let Some([here, there]) = two() else { return };
    let server = there.announced("Tea", &[]);
    let mut looker = here.looker();
    looker.finds("Tea");
    server.crash();
    looker.loses("Tea", VANISHED);
}

#[test]
fn a_pulled_cable_is_noticed_and_so_is_its_return() {
    let Some([here, there]) = two() else { return };
    let _server = there.announced("Tea", &[]);
    let mut looker = here.looker();
    looker.finds("Tea");
    there.sh("ip link set eth0 down");
    looker.loses("Tea", VANISHED);
    there.sh("ip link set eth0 up");
    assert_eq!(looker.finds("Tea").addresses[0], "10.1.0.2:49806");
}

#[test]
fn a_computer_that_vanishes_is_gone_within_half_a_minute() {
    let Some([here, there]) = two() else { return };
    // Another network stays.
    here.sh("ip link add name eth1 type dummy 2>/dev/null || ip link add name eth1 type bridge");
    here.sh("ip addr add 10.9.0.1/24 dev eth1; ip link set eth1 up");
    let server = there.announced("Tea", &[]);
    let mut looker = here.looker();
    looker.finds("Tea");
    server.crash();
    drop(there);
    looker.loses("Tea", VANISHED);
}

#[test]
fn a_room_that_moves_is_listed_where_it_is() {
    let Some([here, there]) = two() else { return };
    let _server = there.announced("Tea", &[]);
    let mut looker = here.looker();
    looker.finds("Tea");
    there.sh("ip addr add 10.1.0.77/24 dev eth0; ip addr del 10.1.0.2/24 dev eth0");
    there.sh("ip addr show dev eth0 | grep -q 10.1.0.77 || ip addr add 10.1.0.77/24 dev eth0");
    let moved = |list: &crate::looker::List| {
        list.one("Tea").is_some_and(|room| room.addresses == ["10.1.0.77:49806"] && room.people == "0")
    };
    looker.wait("the new address alone", VANISHED, moved);
    here.joins("10.1.0.77:49806", "bob");
    looker.wait("it stays", SOON, moved);
}
