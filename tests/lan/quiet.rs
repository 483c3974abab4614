//! Silence, unless somebody announces or looks.

use std::time::Duration;

use parlor_tests::{Deadline, Server};

use crate::looker::{resident, waits};
use crate::net::{Host, hosts};

/// Packets of any kind that have come in over the cable.
fn received(host: &Host) -> u64 {
    let table = host.sh("cat /proc/net/dev");
    let line = table.lines().find_map(|line| line.trim().strip_prefix("eth0:")).expect("it has a cable");
    line.split_whitespace().nth(1).and_then(|packets| packets.parse().ok()).expect("a number of packets")
}

/// Lets a server be for 20 s; how often it has woken.
fn idle(server: &Server) -> u64 {
    let before = waits(server.id());
    let said = server.log().wait("floods", Deadline::after(Duration::from_secs(20)));
    assert_eq!(said, None, "nobody does");
    let after = waits(server.id());
    after.iter().map(|(thread, count)| count - before.get(thread).unwrap_or(&0)).sum()
}

fn quiet() -> Option<[Host; 2]> {
    let [here, there] = hosts()?;
    for host in [&here, &there] {
        // The system itself says much about IPv6.
        host.sh("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
        host.sh("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
    }
    here.cable("eth0", &there);
    here.sh("ip addr add 10.1.0.1/24 dev eth0");
    there.sh("ip addr add 10.1.0.2/24 dev eth0");
    Some([here, there])
}

#[test]
fn a_server_that_is_not_announced_says_nothing() {
    let Some([here, there]) = quiet() else { return };
    let before = received(&here);
    let server = there.server(&[]);
    let woken = idle(&server);
    eprintln!("not announced: {} KB, {woken} wake-ups in 20 s", resident(server.id()));
    assert_eq!(received(&here) - before, 0, "packets in 20 s");
    assert!(woken <= 40, "{woken} wake-ups in 20 s");
}

#[test]
fn an_announced_server_says_so_and_is_quiet() {
    let Some([here, there]) = quiet() else { return };
    let before = received(&here);
    let server = there.announced("Tea", &[]);
    server.wait_log("announced on the network");
    let woken = idle(&server);
    let packets = received(&here) - before;
    eprintln!("announced: {} KB, {woken} wake-ups and {packets} packets in 20 s", resident(server.id()));
    // Three questions whether the name is free, two announcements, and what the kernel says when it joins a group.
    assert!((5..=12).contains(&packets), "{packets} packets in 20 s");
    // Each of four looks a second for a flood goes to another thread and back.
    assert!(woken <= 400, "{woken} wake-ups in 20 s");
    // Found at once by who comes later.
    let asked = Deadline::after(Duration::from_secs(5));
    here.looker().finds("Tea");
    let left = asked.left().expect("found within 5 s");
    eprintln!("found after {:?}", Duration::from_secs(5) - left);
}
