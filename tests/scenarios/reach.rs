//! What the server says that others can type, on a machine with several networks.

use std::process::{Command, Stdio};

use parlor_tests::needs::{self, Lack, skip};
use parlor_tests::{Deadline, Lines, program_named};

/// A laptop with two networks, a container bridge and a tunnel; `wlan0` leads to the world.
const LAPTOP: &str = "
    add() { ip link add $1 type dummy && ip addr add $2/24 dev $1 && ip link set $1 up; }
    ip link set lo up && add docker0 10.0.0.1 && add tun0 10.8.0.6 && add eth0 172.16.0.12 && add wlan0 192.168.1.7 &&
        ip route add default via 192.168.1.1 dev wlan0 metric 600 && echo made";

#[test]
fn the_default_routes_address_is_told_first_and_virtual_ones_last() {
    let missing = [("unshare", "util-linux"), ("ip", "iproute2")];
    if !needs::have(&missing) {
        return;
    }
    let ip = needs::find("ip").expect("it is there");
    let folder = ip.parent().expect("a folder").display();
    let server = program_named("server");
    let script = format!(
        "PATH=$PATH:{folder}; {LAPTOP} && exec '{}' --bind 0.0.0.0:49806 --no-history </dev/null",
        server.display()
    );
    let mut child = Command::new("unshare")
        .args(["-rn", "sh", "-c", &script])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("unshare starts");
    let said = Lines::drain(child.stdout.take().expect("piped"));
    let last = said.wait("*others can type*docker0*", Deadline::after(Deadline::DEFAULT));
    // Gone already is as good.
    let _ = child.kill();
    let _ = child.wait();
    if said.wait("made", Deadline::after(Deadline::DEFAULT)).is_none() {
        return skip(Lack::Forbidden("no network of one's own can be made here"));
    }
    assert!(last.is_some(), "{}", said.text());
    let told: Vec<String> = said
        .text()
        .lines()
        .filter_map(|line| line.split_once(" type "))
        .map(|(_, told)| told.into())
        .collect();
    assert_eq!(
        told,
        [
            "192.168.1.7:49806 (wlan0)",
            "172.16.0.12:49806 (eth0)",
            "10.0.0.1:49806 (docker0)",
            "10.8.0.6:49806 (tun0)"
        ]
    );
}
