//! What a window keeps, and brings back: rooms, people, drafts, lines that wait; each its person's, in one window or in
//! several at a time.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use parlor_tests::{Deadline, Irc, Scratch, Server, needs};

use crate::desk::Desk;
use crate::free_port;

/// Rooms of one person.
const ROOMS: usize = 20;

/// All that is kept of all people in a folder.
pub(crate) fn kept(folder: &Path) -> String {
    let files = fs::read_dir(folder.join("places")).into_iter().flatten().flatten().map(|entry| entry.path());
    let slots = files.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    slots.filter_map(|path| fs::read_to_string(path).ok()).collect()
}

/// Waits until a text is on the disk, in `what` is kept.
fn wait_kept(desk: &Desk, text: &str) {
    desk.until(&format!("{text} on the disk"), |desk| kept(desk.config()).contains(text));
}

/// Waits until the server has so many rooms.
fn wait_rooms(irc: &mut Irc, count: usize) {
    let deadline = Deadline::after(Duration::from_secs(60));
    let mut rooms = 0;
    while deadline.left().is_some() {
        rooms = irc.ask_all("LIST").iter().filter(|message| message.command == "322").count();
        if rooms == count {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("{rooms} rooms, not {count}");
}

/// Types `text` and waits until it is the draft of what is on the screen.
fn drafts(desk: &Desk, text: &str) {
    desk.types_without_sending(text);
    wait_kept(desk, text);
}

#[test]
fn twenty_rooms_come_back_each_with_its_draft() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let server = Server::start(&[]);
    let mut bob = server.irc("bob");
    bob.join("#locked");
    bob.send("MODE #locked +k s3cret");
    bob.settle();
    let desk = Desk::new().setting("join-at-start", "true").setting("theme", "\"light\"");
    let mut alice = desk.client(&[&server.address().to_string(), "--name", "alice"]);
    alice.wait_title("#lobby*");
    for i in 2..ROOMS {
        alice.types(&format!("/join #room{i}"));
        alice.wait_title(&format!("#room{i}*"));
        if i % 5 == 0 {
            drafts(&alice, &format!("half a thought in {i}"));
            // What is typed there stays: the next command is typed elsewhere.
            alice.key("ctrl+k");
            alice.types("lobby");
            alice.wait_title("#lobby*");
        }
    }
    alice.types("/join #locked s3cret");
    alice.wait_title("#locked*");
    alice.types("/query bob");
    alice.wait_title("bob*");
    drafts(&alice, "psst");
    alice.key("ctrl+k");
    alice.types("room7");
    alice.wait_title("#room7*");
    wait_kept(&alice, "current = \"#room7\"");
    alice.picture("again-before");

    for (signal, times) in [("KILL", 2), ("TERM", 3)] {
        alice.end(signal);
        // After a crash the server waits for her, for 30 s. The first room is always there, and bob has one.
        wait_rooms(&mut bob, 2);
        alice = alice.client_again(&[]);
        alice.wait_title("#room7*");
        for room in (2..ROOMS).map(|i| format!("#room{i}")).chain(["#locked".to_owned()]) {
            let came = format!(" to {room}");
            let joined = |line: &&str| line.starts_with("joined: alice ") && line.ends_with(&came);
            alice.until(&came, |_| server.log().text().lines().filter(joined).count() == times);
        }
        wait_rooms(&mut bob, ROOMS);
        alice.picture(&format!("again-{signal}"));
    }
    // In their order, each with what is typed there.
    alice.key("ctrl+k");
    alice.types("room15");
    alice.wait_title("#room15*");
    alice.types(", and the rest");
    bob.join("#room15");
    bob.join("#room10");
    alice.key("ctrl+k");
    alice.types("room10");
    alice.wait_title("#room10*");
    alice.types(", too");
    bob.expect("PRIVMSG #room10 :half a thought in 10, too");
    alice.key("ctrl+k");
    alice.types("bob");
    alice.wait_title("bob*");
    alice.types("!");
    bob.expect("PRIVMSG bob :psst!");

    // What was left does not come back.
    alice.key("ctrl+k");
    alice.types("room7");
    alice.wait_title("#room7*");
    alice.types("/part");
    alice.until("one room less", |alice| !kept(alice.config()).contains("#room7"));
    alice.end("TERM");
    alice = alice.client_again(&[]);
    wait_rooms(&mut bob, ROOMS - 1);
    alice.wait_title("#*");
}

#[test]
fn a_draft_stays_where_it_was_typed() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let server = Server::start(&[]);
    let mut bob = server.irc("bob");
    let alice = Desk::new().client(&[&server.address().to_string(), "--name", "alice"]);
    alice.wait_title("#lobby*");
    bob.join("#lobby");
    bob.join("#two");
    alice.types("/join #two");
    alice.wait_title("#two*");
    drafts(&alice, "of two");
    alice.key("alt+Up");
    alice.wait_title("#lobby*");
    // A command that goes elsewhere is no draft, and what is typed there stays.
    alice.types("/join #two");
    alice.wait_title("#two*");
    alice.types(" and more");
    bob.expect("PRIVMSG #two :of two and more");
    alice.types("/query bob");
    alice.wait_title("bob*");
    drafts(&alice, "to bob");
    // Bob has another name: it is still for him.
    bob.send("NICK rob");
    alice.wait_title("rob*");
    alice.key("alt+Up");
    alice.wait_title("#two*");
    drafts(&alice, "before the end");
    alice.key("alt+Down");
    alice.wait_title("rob*");
    alice.types(" himself");
    bob.expect("PRIVMSG rob :to bob himself");
    // Sent out while something is typed, and back in.
    let mut eve = server.irc("eve");
    eve.join("#three");
    alice.types("/join #three");
    alice.wait_title("#three*");
    drafts(&alice, "never mind");
    eve.send("KICK #three alice :out");
    alice.until("the row gone", |alice| !kept(alice.config()).contains("name = \"#three\""));
    alice.wait_title("#*");
    alice.picture("again-sent-out");
}

#[test]
fn nobody_sends_what_somebody_else_has_typed() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let port = free_port();
    let bind = format!("127.0.0.1:{port}");
    let data = Scratch::new();
    let folder = data.path().join("data").display().to_string();
    let options = ["--bind", &bind, "--data", &folder];
    let server = Server::start(&options);
    let mut alice = Desk::new().client(&[&bind, "--name", "alice"]);
    alice.wait_title("#lobby*");
    server.wait_log("joined: alice *");
    server.signal("KILL");
    drop(server.wait());
    alice.types("typed by alice");
    wait_kept(&alice, "typed by alice");
    drafts(&alice, "half of alice");
    alice.end("KILL");

    let server = Server::start(&options);
    let mut ear = server.irc("ear").patience(Duration::from_secs(30));
    ear.join("#lobby");
    let mut bob = alice.client_again(&[&bind, "--name", "bob"]);
    ear.expect("JOIN #lobby");
    bob.wait_title("#lobby*");
    bob.types("i am bob");
    let heard = ear.until("PRIVMSG #lobby :i am bob");
    assert!(!heard.iter().any(|message| format!("{message:?}").contains("alice")), "{heard:?}");
    bob.end("TERM");
    let alice = bob.client_again(&[&bind, "--name", "alice"]);
    ear.expect("PRIVMSG #lobby :typed by alice");
    alice.wait_title("#lobby*");
    // The title is there a moment before the field.
    alice.wait_still();
    // Another name of one's own takes along what is typed.
    alice.types_without_sending("!");
    wait_kept(&alice, "half of alice!");
}

#[test]
fn two_windows_share_the_settings_and_nothing_else() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let server = Server::start(&[]);
    let mut ear = server.irc("ear");
    ear.join("#lobby");
    let address = server.address().to_string();
    let mut alice = Desk::new().setting("theme", "\"light\"").client(&[&address, "--name", "alice"]);
    alice.wait_title("#lobby*");
    let mut bob = Desk::new().sharing(&alice).client_again(&[&address, "--name", "bob"]);
    bob.wait_title("#lobby*");
    bob.picture("again-second-window");
    alice.types_without_sending("of alice");
    bob.types_without_sending("of bob");
    wait_kept(&alice, "of alice");
    wait_kept(&alice, "of bob");
    bob.end("TERM");
    alice.end("TERM");
    let recents = fs::read_to_string(alice.config().join("settings.toml")).expect("settings");
    for name in ["alice", "bob"] {
        assert!(recents.contains(&format!("name = \"{name}\"")), "{recents}");
    }
    let kept = kept(alice.config());
    assert!(kept.contains("of alice") && kept.contains("of bob"), "{kept}");
}
