//! Being an operator, and meeting one: sent out and back, who is kept out, how a room is set.

use parlor_ui::slint::{ComponentHandle, Model};
use parlor_ui::{Panel, Shell};

use crate::person::{Person, Terminal, server};

/// The founder of #club, and somebody in it, in windows of their own.
fn club(name: &str) -> (parlor_client::host::Host, Person, Person) {
    let host = server();
    let anna = Person::new(&format!("{name}-anna"));
    anna.joins(host.address(), "anna");
    anna.says("/join #club");
    anna.until("the club", |anna| anna.room().get_key() == "#club" && anna.people().get_operator());
    let eve = Person::new(&format!("{name}-eve"));
    eve.joins(host.address(), "eve");
    eve.says("/join #club");
    eve.until("the club", |eve| eve.room().get_key() == "#club");
    anna.until("eve", |anna| anna.people().get_people_count() == 2);
    (host, anna, eve)
}

#[test]
fn who_is_sent_out_reads_on_and_comes_back() {
    let (host, anna, eve) = club("out");
    anna.says("welcome");
    eve.waits_for("welcome");
    anna.people().invoke_kick_person("eve".into());
    eve.until("the reason", |eve| eve.room().get_out().contains("anna sent you out of #club"));
    assert!(eve.has("welcome") && eve.room().get_key() == "#club", "the lines stay");
    eve.room().invoke_come_in("".into());
    eve.until("the way back", |eve| eve.room().get_out().is_empty());
    anna.until("eve", |anna| anna.people().get_people_count() == 2);
    // Kept out: the answer says so, and goes when she is let in.
    anna.people().invoke_ban_person("eve".into());
    eve.until("the reason", |eve| !eve.room().get_out().is_empty());
    eve.room().invoke_come_in("".into());
    eve.until("the answer", |eve| eve.room().get_out() == "You are banned from #club.");
    anna.waits_for("anna banned eve");

    anna.app.global::<Shell>().invoke_open(Panel::Room);
    anna.until("the ban", |anna| anna.room().get_bans().row_count() == 1);
    let ban = anna.room().get_bans().row_data(0);
    assert!(ban.is_some_and(|ban| ban.who == "eve" && ban.detail.starts_with("anna")));
    anna.room().invoke_unban(0);
    anna.until("nobody is kept out", |anna| anna.room().get_bans().row_count() == 0);
    anna.waits_for("anna lifted the ban on eve");
    eve.room().invoke_come_in("".into());
    eve.until("the way back", |eve| eve.room().get_out().is_empty());
    // Everybody may look at the list.
    anna.room().invoke_ban("mallory".into());
    eve.app.global::<Shell>().invoke_open(Panel::Room);
    eve.until("the list", |eve| eve.room().get_bans().row_count() == 1);
    assert!(!eve.people().get_operator());
    host.stop();
}

#[test]
fn a_room_with_a_key_asks_for_it() {
    let (host, anna, eve) = club("key");
    anna.app.global::<Shell>().invoke_open(Panel::Room);
    anna.room().invoke_set_key("sesame".into());
    anna.until("the key", |anna| anna.room().get_room_key() == "sesame");
    anna.waits_for("the room needs a key now (anna)");
    eve.waits_for("the room needs a key now (anna)");
    eve.room().invoke_leave();
    eve.until("eve is out", |eve| eve.room().get_key() != "#club");
    eve.says("/join #club");
    eve.until("the question", |eve| eve.room().get_key() == "#club" && eve.room().get_asks_key());
    eve.room().invoke_come_in("wrong".into());
    anna.room().invoke_set_invite_only(true);
    anna.waits_for("only who is invited may come in now (anna)");
    anna.room().invoke_set_invite_only(false);
    anna.waits_for("everybody may come in again (anna)");
    eve.room().invoke_come_in("sesame".into());
    eve.until("the room", |eve| eve.room().get_out().is_empty() && eve.people().get_people_count() == 2);
    host.stop();
}

#[test]
fn an_invitation_is_a_row_with_a_way_in() {
    let host = server();
    let alice = Person::new("invited");
    alice.joins(host.address(), "alice");
    let anna = Person::new("inviter");
    anna.joins(host.address(), "anna");
    anna.says("/join #club");
    anna.until("the club", |anna| anna.room().get_key() == "#club" && anna.people().get_operator());
    anna.says("/invite alice");
    let row = |alice: &Person| alice.rooms().get_rooms().iter().position(|row| row.key == "#club");
    alice.until("the row", |alice| row(alice).is_some());
    assert_eq!(alice.room().get_key(), "#lobby", "it does not push itself forward");
    alice.rooms().invoke_select_room(row(&alice).map_or(-1, |row| row as i32));
    assert_eq!(alice.room().get_out(), "anna asks you into #club.");
    alice.room().invoke_come_in("".into());
    alice.until("the room", |alice| alice.room().get_out().is_empty());
    anna.until("alice", |anna| anna.people().get_people_count() == 2);
    host.stop();
}

#[test]
fn a_new_room_says_how_others_come_in_and_the_server_is_silent() {
    let host = server();
    let alice = Person::new("alone");
    alice.joins(host.address(), "alice");
    alice.until("the address", |alice| alice.room().get_invite_address() == host.address().to_string());
    assert!(alice.rooms().get_rooms().iter().all(|row| !row.server), "it has nothing to say");
    let _bob = Terminal::joins(host.address(), "bob");
    alice.until("bob", |alice| alice.room().get_invite_address().is_empty());
    alice.says("/raw VERSION");
    host.stop();
}

#[test]
fn comings_and_goings_say_what_happened() {
    let host = server();
    let alice = Person::new("comings");
    alice.joins(host.address(), "alice");
    let bob = Terminal::joins(host.address(), "bob");
    alice.waits_for("bob came in");
    let _carl = Terminal::joins(host.address(), "carl");
    alice.waits_for("bob and carl came in");
    let _dora = Terminal::joins(host.address(), "dora");
    let _emil = Terminal::joins(host.address(), "emil");
    alice.waits_for("came in");
    alice.until("all of them", |alice| alice.has("5 people came in"));
    drop(bob);
    alice.until("bob", |alice| alice.has("4 people came in, bob came and went"));
    host.stop();
}
