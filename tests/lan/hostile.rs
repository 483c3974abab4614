//! A neighbour who lies.

use std::time::Duration;

use parlor_tests::Server;

use crate::looker::{List, Looker, resident};
use crate::net::{Guest, Host, hosts, two};

/// A room and a looker on one computer, a neighbour on another.
fn three() -> Option<([Host; 2], Server, Looker)> {
    let [here, there] = hosts()?;
    here.cable("eth0", &there);
    here.sh("ip addr add 10.1.0.1/24 dev eth0");
    there.sh("ip addr add 10.1.0.2/24 dev eth0");
    let server = here.announced("Tea", &[]);
    let mut looker = here.looker();
    looker.finds("Tea");
    Some(([here, there], server, looker))
}

/// MB that any of them may grow by: on a busy machine a flood is noticed late. Without a bound it would be twice as much.
const MOST: u64 = 100;

#[track_caller]
fn flooded(kind: &str) {
    let Some(([here, there], server, mut looker)) = three() else { return };
    let mut bob = here.joins("10.1.0.1:49806", "bob");
    let alice = here.joins("10.1.0.1:49806", "alice");
    let before = [server.id(), looker.id()].map(resident);
    let seconds = 10;
    let neighbour = there.neighbour(&["10.1.0.2", "flood", kind, &seconds.to_string()]);
    let mut most = [0, 0];
    for turn in 0..seconds * 5 {
        // What is said goes on as if nothing were.
        bob.types(&format!("turn {turn}"));
        alice.expect(&format!("turn {turn}"));
        looker.always(Duration::from_millis(200), |list| {
            list.rooms().len() <= 64
                && list.rooms().iter().all(|room| room.name.chars().all(|c| !c.is_control()))
        });
        for (most, id) in most.iter_mut().zip([server.id(), looker.id()]) {
            *most = resident(id).max(*most);
        }
    }
    let sent = neighbour.expect("sent ");
    let grown = [most[0] - before[0], most[1] - before[1]];
    let after = [server.id(), looker.id()].map(resident);
    eprintln!("{kind}: {sent}; before {before:?} KB; server and looker grew by {grown:?} KB, now {after:?}");
    let honest = |list: &List| list.one("Tea").is_some();
    looker.wait("the honest room again", Duration::from_secs(45), honest);
    assert!(grown.iter().all(|grown| grown / 1024 < MOST), "{kind}: grew by {grown:?} KB");
}

#[test]
fn a_flood_of_rooms_costs_bounded_memory_and_no_line() {
    flooded("rooms");
}

#[test]
fn a_flood_of_texts_costs_bounded_memory_and_no_line() {
    flooded("texts");
}

#[test]
fn a_flood_of_addresses_costs_bounded_memory_and_no_line() {
    flooded("addresses");
}

#[test]
fn a_flood_of_questions_costs_bounded_memory_and_no_line() {
    flooded("queries");
}

#[test]
fn a_flooded_server_stops_when_it_is_told_to() {
    let Some(([here, there], server, _looker)) = three() else { return };
    let _neighbour = there.neighbour(&["10.1.0.2", "flood", "texts", "10"]);
    let bob = here.joins("10.1.0.1:49806", "bob");
    server.wait_log("floods the network");
    drop(bob);
    let within = parlor_tests::Deadline::after(Duration::from_secs(2));
    assert_eq!(server.stop(), 0);
    assert!(within.left().is_some(), "the library's thread does not hold it up");
}

#[test]
fn what_leads_nowhere_is_not_listed_and_what_is_written_oddly_is_readable() {
    let Some(([_here, there], _server, mut looker)) = three() else { return };
    let _neighbour: Guest = there.neighbour(&["10.1.0.2", "odd", "5"]);
    looker.finds("last");
    let list = looker.wait("the last", crate::SOON, |list| list.rooms().len() >= 3);
    assert!(list.one("Tea").is_some());
    for room in list.rooms() {
        assert!(room.name.chars().all(|c| !c.is_control()) && room.name.len() <= 63, "{room:?}");
        for address in &room.addresses {
            let wrong = ["0.0.0.0", "127.", "224.", "255."].iter().any(|start| address.starts_with(start));
            assert!(!wrong && !address.ends_with(":0"), "{list:#?}");
        }
    }
    for gone in ["nowhere", "myself", "everyone", "broadcast", "portless", "cut", ""] {
        assert!(list.rooms().iter().all(|room| room.name != gone), "{gone}: {list:#?}");
    }
}

#[test]
fn a_name_that_is_claimed_again_and_again_still_leads_to_the_room() {
    let Some([here, there]) = two() else { return };
    let _neighbour = there.neighbour(&["10.1.0.2", "claim", "Tea", "10"]);
    let server = here.announced("Tea", &[]);
    let before = resident(server.id());
    let mut looker = here.looker();
    let list = looker.wait("our room", Duration::from_secs(30), |list| list.one("Tea").is_some());
    assert_eq!(list.rooms().len(), 1, "{list:?}");
    assert_eq!(list.rooms()[0].addresses, ["10.1.0.1:49806"]);
    assert!(resident(server.id()) - before < 4_000, "each claim costs a little, not more");
}

#[test]
fn a_forged_good_bye_hides_a_room_for_seconds() {
    let Some(([_here, there], _server, mut looker)) = three() else { return };
    let neighbour = there.neighbour(&["10.1.0.2", "bye", "Tea", "3"]);
    neighbour.expect("sent ");
    // The last one is believed within a second.
    looker.always(Duration::from_secs(2), |_| true);
    looker.wait("it is there, or again", Duration::from_secs(18), |list| list.one("Tea").is_some());
    looker.always(Duration::from_secs(3), |list| list.one("Tea").is_some());
}
