//! The window without a display: the real bridge, the real network task and the real server,
//! driven through the adapters as a person drives the views.
#![cfg(feature = "window")]
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod crowd;
mod day;
mod files;
mod history;
mod marking;
mod names;
mod operator;
mod person;
mod places;
mod private;
mod script;
mod several;
mod talk;
mod tools;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use parlor_client::bridge::Arguments;
use parlor_ui::slint::{ComponentHandle, Model};
use parlor_ui::{
    FindView, HostView, Language, LineKind, LineState, Screen, SettingsView, Shell, StatusKind, ThemeChoice,
};

use person::{PATIENCE, Person, Terminal, server, server_at};

#[test]
fn two_kinds_of_people_talk() {
    let host = server();
    let mut bob = Terminal::joins(host.address(), "bob");
    let alice = Person::new("talk");
    alice.joins(host.address(), "alice");
    bob.reads("-!- alice joined");
    alice.until("the people", |alice| alice.people().get_people_count() == 2);

    alice.says("hello 2*3, bob");
    bob.reads("<alice> hello 2*3, bob");
    alice.until("the receipt", |alice| {
        alice.has("hello 2*3, bob") && alice.row("hello 2*3, bob").1.state == LineState::Delivered
    });
    bob.types("hi alice, see https://example.org");
    alice.waits_for("hi alice, see https://example.org");
    let (_, row) = alice.row("hi alice, see https://example.org");
    assert!(row.mention && row.heading && !row.own && row.kind == LineKind::Message);
    host.stop();
}

#[test]
fn what_is_wrong_stands_beside_its_field() {
    let host = server();
    let alice = Person::new("card");
    let card = alice.card();
    card.set_name("".into());
    card.set_address("a b".into());
    card.set_room("#a,b".into());
    card.invoke_join();
    assert!(card.get_name_error().contains("name first"));
    assert!(card.get_address_error().contains("a b"));
    assert!(card.get_room_error().contains("#a,b"));
    assert!(!card.get_busy());

    // Nobody listens there any more.
    let gone = server();
    let address = gone.address();
    gone.stop();
    card.set_name("alice".into());
    card.set_address(address.to_string().into());
    card.set_room("#lobby".into());
    card.invoke_join();
    assert!(card.get_busy());
    alice.until("the sentence", |alice| alice.card().get_address_error().contains("Nobody answers at"));
    assert!(!card.get_busy());

    // A taken name offers a free one.
    let _bob = Terminal::joins(host.address(), "bob");
    card.set_name("bob".into());
    card.set_address(host.address().to_string().into());
    card.invoke_join();
    alice.until("the suggestion", |alice| !alice.card().get_suggestion().is_empty());
    assert!(card.get_name_error().contains("bob"));
    card.invoke_use_suggestion();
    alice.until("the room", |alice| alice.app.global::<Shell>().get_screen() == Screen::Room);
    host.stop();
}

#[test]
fn a_server_that_comes_back_gets_what_was_typed_meanwhile() {
    let host = server();
    let address = host.address();
    let alice = Person::new("back");
    alice.joins(address, "alice");
    host.stop();
    alice.until("the pill", |alice| {
        matches!(
            alice.status().get_status(),
            StatusKind::Reconnecting | StatusKind::Connecting | StatusKind::Offline
        )
    });
    alice.says("typed while offline");
    alice.waits_for("typed while offline");
    assert_eq!(alice.row("typed while offline").1.state, LineState::Pending);

    let host = server_at(&address.to_string());
    let mut bob = Terminal::joins(address, "bob");
    alice.status().invoke_retry_now();
    bob.reads("<alice> typed while offline");
    alice.until("the receipt", |alice| alice.row("typed while offline").1.state == LineState::Delivered);
    assert_eq!(alice.status().get_status(), StatusKind::Connected);
    host.stop();
}

#[test]
fn a_draft_and_the_settings_survive_a_restart() {
    let host = server();
    let mut alice = Person::new("restart");
    alice.joins(host.address(), "alice");
    alice.composer().set_draft("half a thought".into());
    let settings = alice.app.global::<SettingsView>();
    alice.app.global::<Shell>().invoke_opened(parlor_ui::Panel::Settings);
    settings.set_theme(ThemeChoice::Dark);
    settings.set_language(Language::Chinese);
    settings.set_compact(true);
    settings.invoke_changed_now();
    assert_eq!(alice.app.global::<Shell>().get_theme(), ThemeChoice::Dark);
    alice.bridge.finish();

    let folder = std::mem::take(&mut alice.folder);
    let again = Person::again(folder);
    assert_eq!(again.card().get_name(), "alice");
    assert_eq!(again.card().get_bookmarks().row_count(), 1);
    assert_eq!(again.app.global::<Shell>().get_theme(), ThemeChoice::Dark);
    assert_eq!(again.app.global::<Shell>().get_language(), Language::Chinese);
    assert!(again.app.global::<Shell>().get_compact());
    again.card().invoke_pick_bookmark(0);
    again.until("the draft", |again| again.composer().get_draft() == "half a thought");
    host.stop();
}

#[test]
fn a_file_that_cannot_be_read_is_said_so() {
    let mut alice = Person::new("broken");
    let folder = std::mem::take(&mut alice.folder);
    drop(alice);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("settings.toml"), "language = \"zh_CN\"\nname = [").unwrap();
    let again = Person::again(folder);
    assert!(again.card().get_notice().contains("settings.toml.broken"), "{}", again.card().get_notice());
    assert_eq!(again.card().get_name_error(), "");
}

#[test]
fn a_room_is_hosted_announced_to_and_stopped() {
    let alice = Person::new("host");
    let view = alice.app.global::<HostView>();
    alice.card().invoke_open_host();
    assert_eq!(view.get_name(), "", "the previewer's example is gone");
    view.invoke_back();
    alice.card().set_name("alice".into());
    alice.card().invoke_open_host();
    assert_eq!(alice.app.global::<Shell>().get_screen(), Screen::Host);
    let busy = server();
    view.set_selected(0);
    view.set_port(busy.address().port().to_string().into());
    view.invoke_start();
    alice.until("the sentence", |_| !view.get_busy() && !view.get_port_error().is_empty());
    assert!(view.get_port_error().contains(&busy.address().port().to_string()));
    busy.stop();

    view.set_port("0".into());
    view.invoke_start();
    alice.until("the server", |_| !view.get_busy());
    assert!(view.get_running(), "{}", view.get_error());
    alice.until("the own room", |alice| alice.app.global::<Shell>().get_screen() == Screen::Room);
    alice.until("the host's own rights", |alice| alice.people().get_operator());
    let address: SocketAddr = view.get_address_to_tell().parse().unwrap();
    let mut bob = Terminal::joins(address, "bob");
    view.invoke_announce("/kick bob".into());
    alice.waits_for("/kick bob");
    bob.reads("-!- server: /kick bob");
    alice.app.global::<Shell>().invoke_open(parlor_ui::Panel::Guests);
    alice.until("the guests", |_| view.get_guests().row_count() == 2);
    let guests: Vec<_> = view.get_guests().iter().collect();
    let own = bob.0.get_ref().local_addr().unwrap().to_string();
    assert!(
        guests.iter().any(|guest| guest.name == "bob" && guest.address == own && guest.plain && guest.near),
        "{guests:?}"
    );

    let mut carol = Terminal::joins(address, "carol");
    alice.app.global::<Shell>().invoke_open(parlor_ui::Panel::Guests);
    let of_carol = || view.get_guests().iter().position(|guest| guest.name == "carol");
    alice.until("carol among the guests", |_| of_carol().is_some());
    view.invoke_kick(of_carol().unwrap() as i32);
    alice.until("carol is out", |_| of_carol().is_none());
    carol.reads("Kicked");

    // With a guest in, stopping asks first.
    view.invoke_stop();
    alice.until("the question", |_| view.get_stop_asked());
    assert!(view.get_running());
    view.invoke_confirm_stop();
    assert!(!view.get_running());
    bob.reads("stopping");
    assert_eq!(alice.app.global::<Shell>().get_screen(), Screen::Connect);
    assert_eq!(alice.card().get_name(), "alice");
    assert_eq!(alice.app.global::<Shell>().get_panel(), parlor_ui::Panel::None);
}

#[test]
fn a_program_of_ones_own_speaks_in_a_hosted_room() {
    let mut alice = Person::new("programs");
    alice.card().set_name("alice".into());
    alice.card().invoke_open_host();
    let view = alice.app.global::<HostView>();
    assert!(!view.get_programs());
    view.set_programs(true);
    view.set_selected(0);
    view.set_port("0".into());
    view.invoke_start();
    alice.until("the server", |_| !view.get_busy());
    assert!(view.get_running(), "{}", view.get_error());
    alice.until("the own room", |alice| alice.app.global::<Shell>().get_screen() == Screen::Room);

    let mut program = TcpStream::connect(view.get_programs_address().as_str()).unwrap();
    program.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut word = [0; 4];
    program.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"NICK");
    program.write_all(b"bob").unwrap();
    alice.until("bob", |alice| alice.people().get_people_count() == 2);
    program.write_all(b"bob: hello from my own program").unwrap();
    alice.waits_for("hello from my own program");
    alice.says("hello yourself");
    let mut heard = String::new();
    while !heard.contains("hello yourself") {
        let mut chunk = [0; 512];
        let count = program.read(&mut chunk).unwrap();
        assert_ne!(count, 0, "closed after {heard:?}");
        heard += &String::from_utf8_lossy(&chunk[..count]);
    }

    // It is remembered, and hosting without it shows no address.
    view.invoke_stop();
    alice.until("the question", |_| view.get_stop_asked());
    view.invoke_confirm_stop();
    alice.bridge.finish();
    let folder = std::mem::take(&mut alice.folder);
    let again = Person::again(folder);
    again.card().invoke_open_host();
    let view = again.app.global::<HostView>();
    assert!(view.get_programs());
    view.set_programs(false);
    view.invoke_start();
    again.until("the server", |_| !view.get_busy());
    assert!(view.get_running(), "{}", view.get_error());
    assert_eq!(view.get_programs_address(), "");
}

#[test]
fn a_tutorials_own_server_is_told_at_once() {
    let greets: fn(TcpStream) = |mut stream| {
        stream.write_all(b"NICK").unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    };
    let echoes: fn(TcpStream) = |mut stream| {
        let mut everything = stream.try_clone().unwrap();
        let _ = std::io::copy(&mut stream, &mut everything);
    };
    for serves in [greets, echoes] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || serves(listener.accept().unwrap().0));
        let alice = Person::new("tutorial");
        let card = alice.card();
        card.set_name("alice".into());
        card.set_address(address.as_str().into());
        card.set_room("#lobby".into());
        card.invoke_join();
        alice.until("the sentence", |_| !card.get_address_error().is_empty());
        let sentence = card.get_address_error();
        assert!(sentence.starts_with(&format!("{address} is a tutorial's own chat server")), "{sentence}");
        assert!(!card.get_busy());
        // The window has hung up.
        server.join().unwrap();
    }
}

#[test]
fn names_complete_and_sent_texts_come_back() {
    let host = server();
    let _bob = Terminal::joins(host.address(), "bobby");
    let _bea = Terminal::joins(host.address(), "Bob小明");
    let alice = Person::new("composer");
    alice.joins(host.address(), "alice");
    alice.until("the people", |alice| alice.people().get_people_count() == 3);
    let first = alice.composer().invoke_complete("bo".into(), 2, false);
    assert_eq!((first.text.as_str(), first.cursor), ("bobby: ", 7));
    let second = alice.composer().invoke_complete(first.text, first.cursor, false);
    assert_eq!(second.text, "Bob小明: ");
    let inside = alice.composer().invoke_complete("hi bobb and so on".into(), 7, false);
    assert_eq!(inside.text, "hi bobby  and so on");
    assert_eq!(alice.composer().invoke_complete("xyz".into(), 3, false).text, "xyz");

    alice.says("first");
    alice.says("second");
    assert_eq!(alice.composer().invoke_previous_sent(), "second");
    assert_eq!(alice.composer().invoke_previous_sent(), "first");
    assert_eq!(alice.composer().invoke_next_sent(), "second");
    assert_eq!(alice.composer().invoke_next_sent(), "");

    // A server that takes them as one message is not asked about.
    alice.says("one\ntwo\nthree\nfour\nfive");
    assert!(!alice.composer().get_paste_question());
    alice.waits_for("alice one\ntwo\nthree\nfour\nfive");
    host.stop();
}

#[test]
fn comings_and_goings_fold_and_find_finds() {
    let host = server();
    let alice = Person::new("fold");
    alice.joins(host.address(), "alice");
    for name in ["bob", "carol"] {
        let mut guest = Terminal::joins(host.address(), name);
        guest.types("/quit");
        guest.reads("Closing");
    }
    alice.until("a folded row", |alice| {
        alice.rows().iter().any(|row| row.kind == LineKind::Fold && row.folded_count >= 2)
    });
    alice.says("the needle in the haystack");
    alice.waits_for("needle");
    let find = alice.app.global::<FindView>();
    find.set_query("NEEDLE hay".into());
    find.invoke_search();
    alice.until("the result", |_| find.get_done());
    assert_eq!(find.get_results().row_count(), 1);
    find.invoke_go(0);
    alice.until("the line", |alice| alice.row("the needle in the haystack").1.found);
    host.stop();
}

#[test]
fn rooms_are_joined_listed_left_and_people_are_written_to() {
    let host = server();
    let mut bob = Terminal::joins(host.address(), "bob");
    let alice = Person::new("rooms");
    alice.joins(host.address(), "alice");
    alice.says("/join #tea");
    alice.until("the other room", |alice| alice.rooms().get_rooms().iter().any(|row| row.key == "#tea"));
    alice.app.global::<Shell>().invoke_open(parlor_ui::Panel::Browse);
    alice.until("the list", |alice| alice.browse().get_listed().row_count() == 2);
    alice.people().invoke_message_person("bob".into());
    alice.until("the private conversation", |alice| alice.room().get_key() == "bob");
    alice.says("psst");
    bob.reads("[alice to you] psst");
    bob.types("/msg alice yes?");
    alice.waits_for("yes?");
    let tea = alice.rooms().get_rooms().iter().position(|row| row.key == "#tea").unwrap();
    alice.rooms().invoke_select_room(tea as i32);
    assert_eq!(alice.room().get_key(), "#tea");
    alice.room().invoke_leave();
    alice.until("tea is left", |alice| alice.rooms().get_rooms().iter().all(|row| row.key != "#tea"));
    alice.status().invoke_disconnect();
    assert_eq!(alice.app.global::<Shell>().get_screen(), Screen::Connect);
    assert_eq!(alice.card().get_name(), "alice");
    host.stop();
}

#[test]
fn who_is_away_and_what_is_for_us_alone_is_seen_among_the_rooms() {
    let host = server();
    let alice = Person::new("away-alice");
    alice.joins(host.address(), "alice");
    let zoe = Person::new("away-zoe");
    zoe.joins(host.address(), "zoe");
    alice.until("zoe", |alice| alice.people().get_people_count() == 2);
    zoe.says("/msg alice psst");
    let row = |alice: &Person| alice.rooms().get_rooms().iter().find(|row| row.key == "zoe");
    alice.until("a line for her alone", |alice| row(alice).is_some_and(|row| row.unread == 1 && row.mention));
    zoe.status().invoke_toggle_away();
    alice.until("the moon", |alice| row(alice).is_some_and(|row| row.away));
    zoe.status().invoke_toggle_away();
    alice.until("no moon", |alice| row(alice).is_some_and(|row| !row.away));
    host.stop();
}

#[test]
fn the_command_line_is_obeyed() {
    let host = server();
    let alice = Person::new("arguments");
    let address = Some(format!("irc://{}/tea", host.address()));
    alice.bridge.obey(Arguments { address, name: Some("alice".into()), host: false });
    alice.until("the room", |alice| alice.room().get_key() == "#tea");
    host.stop();

    let bob = Person::new("wrong-arguments");
    bob.bridge.obey(Arguments { address: Some("no such: place".into()), name: None, host: false });
    assert!(bob.card().get_address_error().contains("no such: place"));
    assert!(!bob.card().get_name_error().is_empty());
}

#[test]
fn a_room_that_lets_nobody_in_is_said_beside_its_field() {
    let host = server();
    let _bob = Terminal::joins(host.address(), "bob");
    let anna = Person::new("founder");
    anna.joins(host.address(), "anna");
    anna.says("/join #club");
    anna.until("the club", |anna| anna.room().get_key() == "#club");
    anna.says("/raw MODE #club +i");
    anna.until("the mode", |anna| anna.rows().iter().any(|row| row.plain.contains("only who is invited")));

    let alice = Person::new("refused");
    let card = alice.card();
    card.set_name("alice".into());
    card.set_address(host.address().to_string().into());
    card.set_room("#club".into());
    card.invoke_join();
    alice.until("the sentence", |alice| !alice.card().get_room_error().is_empty());
    assert_eq!(alice.app.global::<Shell>().get_screen(), Screen::Connect);
    assert_eq!(card.get_room_error(), "#club lets in only people who were invited.");
    assert!(!card.get_busy());
    assert_eq!(card.get_bookmarks().row_count(), 0);
    // The name is free again, and another room may be tried.
    card.set_room("#lobby".into());
    alice.until("the name", |_| smol::block_on(host.guests()).len() == 2);
    alice.joins(host.address(), "alice");

    // Inside, it is a sentence in the window.
    alice.says("/join #club");
    alice.until("the notice", |alice| alice.status().get_notice().contains("#club lets in only"));
    assert_eq!(alice.app.global::<Shell>().get_screen(), Screen::Room);
    host.stop();
}

#[test]
fn what_the_session_says_is_said_in_chinese() {
    let host = server();
    let alice = Person::new("chinese");
    let settings = alice.app.global::<SettingsView>();
    alice.app.global::<Shell>().invoke_opened(parlor_ui::Panel::Settings);
    settings.set_language(Language::Chinese);
    settings.invoke_changed_now();
    alice.joins(host.address(), "alice");
    alice.says("/ignore bob");
    alice.waits_for("你已屏蔽 bob");
    alice.says("/nonsense");
    alice.waits_for_complaint("没有 /nonsense 这个命令");
    alice.says("/kick");
    alice.waits_for_complaint("/kick NAME [why]");
    assert!(!alice.has("puts somebody out"));
    alice.composer().set_draft("/ign".into());
    alice.composer().invoke_draft_edited();
    let commands: Vec<_> = alice.composer().get_commands().iter().collect();
    assert_eq!(commands.len(), 1);
    assert!(commands[0].help.contains("屏蔽") || !commands[0].help.is_ascii(), "{commands:?}");

    alice.composer().set_draft("".into());
    host.stop();
    alice.until("the reason", |alice| alice.status().get_status_detail().contains("服务器关闭了连接"));
}
