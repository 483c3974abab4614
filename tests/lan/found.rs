//! A room is found, as it is.

use std::time::Duration;

use crate::SOON;
use crate::net::two;

#[test]
fn a_room_is_found_with_all_that_it_says_and_is_gone_when_it_ends() {
    let Some([here, there]) = two() else { return };
    let server = there.announced("Tea at Anna’s. 3 o'clock \\ #1", &["--tls", "on"]);
    let key = server.wait_log("HexChat: ");
    let key = key.rsplit(' ').next().expect("words");
    let mut looker = here.looker();
    let found = looker.finds("Tea at Anna’s. 3 o'clock \\\\ #1");
    assert_eq!((&*found.room, &*found.key), ("#lobby", key));
    assert_eq!(found.addresses.first().map(String::as_str), Some("10.1.0.2:49806"));
    let people = |count: &'static str| move |list: &crate::looker::List| list.rooms()[0].people == count;
    looker.wait("nobody there yet", Duration::from_secs(20), people("0"));
    // It is asked for after 15 s, and would be gone 4 s later.
    looker.always(Duration::from_secs(21), |list| list.rooms().len() == 1);
    let bob = here.joins(&found.addresses[0], "bob");
    looker.wait("one person there", Duration::from_secs(20), people("1"));
    drop(bob);
    looker.wait("nobody there", Duration::from_secs(20), people("0"));
    let at_once = Duration::from_secs(1);
    let stopping = parlor_tests::Deadline::after(at_once);
    assert_eq!(server.stop(), 0);
    assert!(stopping.left().is_some(), "its good-bye takes no second");
    looker.loses("Tea at Anna’s. 3 o'clock \\\\ #1", Duration::from_secs(2));
}

#[test]
fn rooms_of_one_name_are_two() {
    let Some([here, there]) = two() else { return };
    let ours = here.announced("Tea", &[]);
    let mut looker = here.looker();
    looker.finds("Tea");
    let theirs = there.announced("Tea", &[]);
    // One of them gives way, and until it has, both may seem to be at one address.
    let list = looker.wait("two rooms", SOON, |list| {
        let mut at: Vec<_> = list.rooms().iter().map(|room| room.addresses[0].as_str()).collect();
        at.sort_unstable();
        at == ["10.1.0.1:49806", "10.1.0.2:49806"]
    });
    assert!(list.rooms().iter().all(|room| room.name == "Tea"), "{list:?}");
    // Whichever ends, the other one stays.
    assert_eq!(ours.stop(), 0);
    let left = looker.wait("the other room", SOON, |list| list.rooms().len() == 1);
    assert_eq!(left.rooms()[0].addresses[0], "10.1.0.2:49806");
    drop(theirs);
}

#[test]
fn servers_of_one_computer_are_found_there_too() {
    let Some([here, there]) = two() else { return };
    let _first = here.announced("Tea", &["--bind", "0.0.0.0:49806"]);
    let _second = here.announced("Coffee", &["--bind", "0.0.0.0:49807"]);
    for looking in [&here, &there] {
        let mut looker = looking.looker();
        assert_eq!(looker.finds("Tea").addresses[0], "10.1.0.1:49806");
        assert_eq!(looker.finds("Coffee").addresses[0], "10.1.0.1:49807");
        looking.joins("10.1.0.1:49807", "bob");
    }
}
