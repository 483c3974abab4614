//! Several servers in one window.

use std::net::SocketAddr;

use parlor_client::host::Host;
use parlor_ui::slint::{ComponentHandle, Model};
use parlor_ui::{HostView, LineState, Panel, RoomNotify, RoomRow, Screen, Shell, StatusKind, SwitcherView};

use crate::person::{Person, Terminal, server, server_at};

impl Person {
    fn screen(&self) -> Screen {
        self.app.global::<Shell>().get_screen()
    }

    fn list(&self) -> Vec<RoomRow> {
        self.rooms().get_rooms().iter().collect()
    }

    /// The list as one reads it: headings as `[status]`, the rest with what is unread.
    fn reads(&self) -> Vec<String> {
        let row = |row: RoomRow| match (row.heading, row.unread) {
            (true, _) => format!("[{:?}]", row.status),
            (false, 0) => row.name.to_string(),
            (false, unread) => format!("{} {unread}", row.name),
        };
        self.list().into_iter().map(row).collect()
    }

    fn heading(&self, server: SocketAddr) -> i32 {
        let at = self.list().iter().position(|row| row.heading && row.place == server.to_string().as_str());
        at.unwrap_or_else(|| panic!("{server}: {:?}", self.reads())) as i32
    }

    /// Joins one more server by the card.
    fn joins_too(&self, server: SocketAddr, name: &str) {
        self.rooms().invoke_another_server();
        assert_eq!(self.screen(), Screen::Connect);
        assert!(self.card().get_elsewhere());
        self.card().set_name(name.into());
        self.card().set_address(server.to_string().into());
        self.card().set_room("#lobby".into());
        self.card().invoke_join();
        self.until("the room there", |this| {
            this.screen() == Screen::Room && this.room().get_place() == server.to_string().as_str()
        });
    }

    fn picks(&self, server: SocketAddr, key: &str) {
        let of = server.to_string();
        let at =
            self.list().iter().position(|row| !row.heading && row.place == of.as_str() && row.key == key);
        self.rooms().invoke_select_room(at.unwrap() as i32);
    }

    fn delivered(&self, text: &str) {
        self.says(text);
        self.until(text, |this| this.has(text) && this.row(text).1.state == LineState::Delivered);
    }

    fn again_at(mut self, starts: bool) -> Person {
        self.app.global::<Shell>().invoke_opened(Panel::Settings);
        let settings = self.app.global::<parlor_ui::SettingsView>();
        settings.set_join_at_start(starts);
        settings.invoke_changed_now();
        self.bridge.finish();
        let folder = std::mem::take(&mut self.folder);
        drop(self);
        let again = Person::again(folder);
        again.bridge.obey(parlor_client::bridge::Arguments::default());
        again
    }
}

fn two() -> (Host, Host) {
    (server(), server())
}

#[test]
fn two_servers_at_once_with_a_room_of_the_same_name() {
    let (one, two) = two();
    let alice = Person::new("places-two");
    alice.joins(one.address(), "alice");
    assert_eq!(alice.reads(), ["lobby"], "one server has no heading");
    let mut bob = Terminal::joins(one.address(), "bob");
    let mut zoe = Terminal::joins(two.address(), "zoe");
    alice.composer().set_draft("half a thought".into());
    alice.joins_too(two.address(), "anna");
    assert_eq!(alice.composer().get_draft(), "", "the draft belongs to the other room");
    assert_eq!(alice.reads(), ["[Connected]", "lobby", "[Connected]", "lobby"]);
    assert_eq!(alice.status().get_me(), "anna");

    // What is said goes where one is.
    alice.says("hello over there");
    zoe.reads("<anna> hello over there");
    zoe.types("hello yourself");
    alice.waits_for("hello yourself");
    bob.types("anybody at home?");
    alice.until("a line of the first one", |alice| alice.reads()[1] == "lobby 1");
    assert!(!alice.has("anybody at home?"));
    alice.picks(one.address(), "#lobby");
    alice.waits_for("anybody at home?");
    assert_eq!(
        (alice.status().get_me().as_str(), alice.composer().get_draft().as_str()),
        ("alice", "half a thought")
    );
    assert!(!alice.has("hello over there"));
    alice.says("I am");
    bob.reads("<alice> I am");

    // People and commands are those of the room on the screen.
    assert!(alice.people().get_people().iter().any(|person| person.name == "bob"));
    alice.says("/nick alicia");
    bob.reads("alicia");
    alice.picks(two.address(), "#lobby");
    assert_eq!(alice.status().get_me(), "anna");
    alice.until("the people there", |alice| {
        alice.people().get_people().iter().any(|person| person.name == "zoe")
    });
    one.stop();
    two.stop();
}

#[test]
fn unread_lines_have_one_order_and_names_are_found_everywhere() {
    let (one, two) = two();
    let alice = Person::new("places-unread");
    alice.joins(one.address(), "alice");
    let mut bob = Terminal::joins(one.address(), "bob");
    let mut zoe = Terminal::joins(two.address(), "zoe");
    alice.joins_too(two.address(), "alice");
    alice.says("/join #tea");
    alice.until("tea", |alice| alice.room().get_key() == "#tea");
    bob.types("just talk");
    alice.until("one line", |alice| alice.reads()[1] == "lobby 1");
    zoe.types("alice: a word?");
    alice.until("another", |alice| {
        alice.reads().iter().any(|row| row == "lobby 1") && alice.list()[3].mention
    });
    // What is for us first, wherever that is.
    alice.rooms().invoke_next_unread();
    assert_eq!(alice.room().get_place(), two.address().to_string().as_str());
    alice.waits_for("alice: a word?");
    alice.timeline().invoke_jump_to_end();
    alice.room().invoke_seen_changed();
    alice.until("it is read", |alice| alice.list()[3].unread == 0);
    alice.rooms().invoke_next_unread();
    assert_eq!(alice.room().get_place(), one.address().to_string().as_str());
    // Step by step over the headings.
    alice.rooms().invoke_next_room();
    assert_eq!(
        (alice.room().get_place(), alice.room().get_key()),
        (two.address().to_string().into(), "#lobby".into())
    );
    alice.rooms().invoke_previous_room();
    assert_eq!(alice.room().get_place(), one.address().to_string().as_str());

    let switcher = alice.app.global::<SwitcherView>();
    alice.app.global::<Shell>().invoke_open(Panel::Switcher);
    let names =
        || switcher.get_switcher().iter().map(|row| format!("{} {}", row.name, row.at)).collect::<Vec<_>>();
    let [first, second] = [one.address(), two.address()].map(|at| at.to_string());
    switcher.invoke_filter_switcher("lob".into());
    let mut found = names();
    found.sort_unstable();
    let mut expected = [format!("lobby {first}"), format!("lobby {second}")];
    expected.sort_unstable();
    assert_eq!(found, expected);
    // Somebody who is in a room over there, and with whom there is no conversation yet.
    switcher.invoke_filter_switcher("zoe".into());
    alice.until("the people there", |_| {
        switcher.invoke_filter_switcher("zoe".into());
        names() == [format!("zoe {second}")]
    });
    switcher.invoke_switch_to(0);
    alice.until("a word with zoe", |alice| alice.room().get_key() == "zoe");
    alice.says("psst");
    zoe.reads("psst");
    one.stop();
    two.stop();
}

#[test]
fn what_was_open_at_several_servers_comes_back() {
    let (one, two) = two();
    let alice = Person::new("places-again");
    alice.joins(one.address(), "alice");
    alice.says("/join #tea");
    alice.until("tea", |alice| alice.room().get_key() == "#tea");
    alice.composer().set_draft("in the first one".into());
    alice.joins_too(two.address(), "anna");
    alice.composer().set_draft("in the second one".into());
    alice.picks(one.address(), "#tea");

    // Without the setting they are bookmarks.
    let alice = alice.again_at(false);
    assert_eq!(alice.screen(), Screen::Connect);
    let open: Vec<_> = alice.card().get_bookmarks().iter().map(|one| one.address.to_string()).collect();
    assert_eq!(open, [two.address().to_string(), one.address().to_string()]);
    let alice = alice.again_at(true);
    alice.until("both", |alice| {
        let connected =
            alice.list().iter().filter(|row| row.status == StatusKind::Connected && row.heading).count();
        connected == 2 && alice.room().get_key() == "#tea"
    });
    assert_eq!(alice.screen(), Screen::Room);
    alice
        .until("all rooms", |alice| alice.reads() == ["[Connected]", "lobby", "tea", "[Connected]", "lobby"]);
    assert_eq!(alice.room().get_place(), one.address().to_string().as_str());
    assert_eq!(
        (alice.composer().get_draft().as_str(), alice.status().get_me().as_str()),
        ("in the first one", "alice")
    );
    alice.picks(two.address(), "#lobby");
    assert_eq!(
        (alice.composer().get_draft().as_str(), alice.status().get_me().as_str()),
        ("in the second one", "anna")
    );
    alice.composer().set_draft("".into());
    alice.delivered("I am back");

    // One that was let go of by hand stays away.
    alice.rooms().invoke_disconnect(alice.heading(two.address()));
    alice.until("offline", |alice| alice.list()[3].status == StatusKind::Offline);
    let alice = alice.again_at(true);
    alice.until("the other one", |alice| alice.screen() == Screen::Room && alice.reads() == ["lobby", "tea"]);
    one.stop();
    two.stop();
}

#[test]
fn one_server_goes_and_the_other_one_stays() {
    let (one, two) = two();
    let alice = Person::new("places-one-dies");
    alice.joins(one.address(), "alice");
    alice.joins_too(two.address(), "alice");
    let mut zoe = Terminal::joins(two.address(), "zoe");
    let address = one.address();
    one.stop();
    alice.until("the heading", |alice| alice.list()[0].status != StatusKind::Connected);
    assert_eq!(alice.status().get_status(), StatusKind::Connected, "the pill is of the room on the screen");
    alice.delivered("still here");
    zoe.reads("<alice> still here");
    alice.picks(address, "#lobby");
    assert_ne!(alice.status().get_status(), StatusKind::Connected);
    alice.says("typed while it is away");
    alice.waits_for("typed while it is away");
    let one = server_at(&address.to_string());
    let mut bob = Terminal::joins(address, "bob");
    alice.rooms().invoke_reconnect(alice.heading(address));
    bob.reads("<alice> typed while it is away");

    // By hand: it says good-bye, and stays in the list.
    alice.rooms().invoke_disconnect(alice.heading(two.address()));
    zoe.reads("alice");
    alice.until("offline", |alice| alice.reads().contains(&"[Offline]".to_owned()));
    alice.until("the other one", |alice| alice.status().get_status() == StatusKind::Connected);
    alice.rooms().invoke_reconnect(alice.heading(two.address()));
    zoe.reads("-!- alice joined");
    alice.until("connected", |alice| alice.reads() == ["[Connected]", "lobby", "[Connected]", "lobby"]);
    // Closed, it is a bookmark; forgotten, it is none.
    alice.rooms().invoke_close_place(alice.heading(two.address()));
    assert_eq!((alice.reads(), alice.screen()), (vec!["lobby".to_owned()], Screen::Room));
    alice.rooms().invoke_another_server();
    assert_eq!(alice.card().get_bookmarks().row_count(), 2);
    alice.card().invoke_pick_bookmark(0);
    alice.until("it is back", |alice| alice.screen() == Screen::Room && alice.reads().len() == 4);
    alice.rooms().invoke_forget_place(alice.heading(two.address()));
    assert_eq!((alice.reads().len(), alice.card().get_bookmarks().row_count()), (1, 1));
    alice.status().invoke_disconnect();
    assert_eq!((alice.screen(), alice.card().get_elsewhere()), (Screen::Connect, false));
    one.stop();
    two.stop();
}

#[test]
fn the_card_asks_for_one_more_and_leaves_the_others_alone() {
    let (one, two) = two();
    let gone = server();
    let nowhere = gone.address();
    gone.stop();
    let alice = Person::new("places-card");
    alice.joins(one.address(), "alice");
    let _bob = Terminal::joins(two.address(), "bob");
    alice.rooms().invoke_another_server();
    let card = alice.card();
    assert_eq!((card.get_name().as_str(), card.get_address().as_str()), ("alice", ""));
    card.invoke_return_to_rooms();
    assert_eq!((alice.screen(), alice.room().get_key().as_str()), (Screen::Room, "#lobby"));

    // What is refused is said on the card, and nothing happens to the first one.
    alice.rooms().invoke_another_server();
    card.set_address(nowhere.to_string().into());
    card.invoke_join();
    alice.until("the sentence", |_| card.get_address_error().contains("Nobody answers at"));
    assert!(card.get_elsewhere() && !card.get_busy());
    card.set_address(two.address().to_string().into());
    card.set_name("bob".into());
    card.invoke_join();
    alice.until("the suggestion", |_| !card.get_suggestion().is_empty());
    card.invoke_return_to_rooms();
    assert_eq!((alice.screen(), alice.reads()), (Screen::Room, vec!["lobby".to_owned()]));
    alice.delivered("nothing has happened here");

    // One that is open already is shown, not joined a second time.
    alice.joins_too(two.address(), "alice");
    alice.rooms().invoke_another_server();
    card.set_name("alice".into());
    card.set_address(one.address().to_string().into());
    card.set_room("#tea".into());
    card.invoke_join();
    alice.until("tea at the first one", |alice| {
        alice.screen() == Screen::Room
            && alice.room().get_key() == "#tea"
            && alice.room().get_place() == one.address().to_string().as_str()
    });
    assert_eq!(alice.reads(), ["[Connected]", "lobby", "tea", "[Connected]", "lobby"]);
    one.stop();
    two.stop();
}

#[test]
fn whoever_hosts_is_a_guest_elsewhere_too() {
    let other = server();
    let alice = Person::new("places-host");
    alice.joins(other.address(), "alice");
    let mut zoe = Terminal::joins(other.address(), "zoe");
    alice.rooms().invoke_another_server();
    alice.card().invoke_open_host();
    let view = alice.app.global::<HostView>();
    view.set_name("alice".into());
    view.set_selected(0);
    view.set_port("0".into());
    view.invoke_start();
    alice.until("the own room", |alice| {
        alice.screen() == Screen::Room && alice.status().get_status() == StatusKind::Hosting
    });
    let hosted: SocketAddr = view.get_address_to_tell().parse().unwrap();
    let mut bob = Terminal::joins(hosted, "bob");
    alice.says("welcome to my room");
    bob.reads("<alice> welcome to my room");
    assert_eq!(alice.reads()[0], "[Connected]");
    alice.picks(other.address(), "#lobby");
    alice.says("I have guests");
    zoe.reads("<alice> I have guests");

    view.invoke_stop();
    alice.until("the question", |_| view.get_stop_asked());
    view.invoke_confirm_stop();
    bob.reads("stopping");
    assert_eq!((alice.screen(), alice.reads()), (Screen::Room, vec!["lobby".to_owned()]));
    alice.delivered("no more");
    other.stop();
}

#[test]
fn a_removed_bookmark_comes_back() {
    let (one, two) = two();
    let alice = Person::new("places-bookmarks");
    alice.joins(one.address(), "alice");
    alice.joins_too(two.address(), "alice");
    alice.rooms().invoke_another_server();
    let card = alice.card();
    let addresses = || card.get_bookmarks().iter().map(|one| one.address.to_string()).collect::<Vec<_>>();
    let both = [two.address().to_string(), one.address().to_string()];
    assert_eq!(addresses(), both);
    assert!(card.get_bookmarks().iter().all(|one| one.open && one.used == "Today"));
    card.invoke_remove_bookmark(0);
    assert_eq!((addresses(), card.get_removed()), (vec![both[1].clone()], both[0].as_str().into()));
    card.invoke_put_bookmark_back();
    assert_eq!((addresses(), card.get_removed().as_str()), (both.to_vec(), ""));
    card.invoke_remove_bookmark(1);
    card.invoke_remove_bookmark(9);
    let alice = alice.again_at(false);
    assert_eq!(alice.card().get_bookmarks().row_count(), 1);
    one.stop();
    two.stop();
}

#[test]
fn a_muted_room_stands_back_and_stays_so() {
    let (one, two) = two();
    let alice = Person::new("places-mute");
    alice.joins(one.address(), "alice");
    alice.says("/mute");
    alice.waits_for("This is muted");
    assert_eq!(alice.list()[0].notify, RoomNotify::Muted);
    assert_eq!(alice.room().get_notify(), RoomNotify::Muted);
    let mut bob = Terminal::joins(one.address(), "bob");
    // A room of the same name elsewhere is another one.
    alice.joins_too(two.address(), "alice");
    assert_eq!(alice.list()[3].notify, RoomNotify::Usual);
    bob.types("alice: are you there?");
    alice.until("the line", |alice| alice.list()[1].unread == 1);
    let view = alice.rooms();
    assert!(!alice.list()[1].mention && !view.get_waiting() && !view.get_waiting_for_me());
    assert!(!alice.app.global::<Shell>().get_title().contains('('));
    view.invoke_next_unread();
    assert_eq!(alice.room().get_place(), two.address().to_string().as_str(), "nothing wants to be read");

    let alice = alice.again_at(true);
    alice.until("both", |alice| alice.reads().len() == 4 && alice.list()[1].notify == RoomNotify::Muted);
    alice.picks(one.address(), "#lobby");
    alice.says("/unmute");
    alice.waits_for("as usual");
    assert_eq!((alice.list()[1].notify, alice.room().get_notify()), (RoomNotify::Usual, RoomNotify::Usual));
    alice.room().invoke_notify_here(RoomNotify::All);
    assert_eq!(alice.list()[1].notify, RoomNotify::All);
    alice.rooms().invoke_notify_room(3, RoomNotify::Muted);
    assert_eq!((alice.list()[1].notify, alice.list()[3].notify), (RoomNotify::All, RoomNotify::Muted));
    one.stop();
    two.stop();
}

#[test]
fn a_transcript_is_what_was_said() {
    let history =
        std::env::temp_dir().join(format!("parlor-window-{}-transcript-history", std::process::id()));
    let _ = std::fs::remove_dir_all(&history);
    let kept = parlor_server::History::new(history.clone());
    let config =
        parlor_server::Config { bind: vec!["127.0.0.1:0".into()], history: Some(kept), ..Default::default() };
    let one = Host::start(config).unwrap();
    let mut bob = Terminal::joins(one.address(), "bob");
    for i in 0..40 {
        bob.types(&format!("line {i} of \"many\""));
    }
    let alice = Person::new("places-transcript");
    alice.joins(one.address(), "alice");
    alice.waits_for("line 39 ");
    for i in 0..20 {
        alice.says(&format!("mine {i}"));
    }
    alice.delivered("waves");
    alice.says("/me bows");
    alice
        .until("the receipt", |alice| alice.has("bows") && alice.row("bows").1.state == LineState::Delivered);
    let expected: Vec<String> = (0..40)
        .map(|i| format!("bob: line {i} of \"many\""))
        .chain((0..20).map(|i| format!("alice: mine {i}")))
        .chain(["alice: waves".to_owned(), "* alice bows".to_owned()])
        .collect();

    let saves = |json| {
        alice.status().set_notice("".into());
        alice.room().invoke_save_transcript(json);
        assert!(alice.room().get_saving().contains("Saving"));
        alice.until("the sentence", |alice| !alice.status().get_notice().is_empty());
        assert_eq!(alice.room().get_saving(), "");
        let notice = alice.status().get_notice().to_string();
        let path = notice.strip_prefix("62 lines are in ").unwrap_or_else(|| panic!("{notice}")).to_owned();
        assert!(path.starts_with(&*alice.folder.join("downloads").display().to_string()), "{path}");
        (std::fs::read_to_string(&path).unwrap(), path)
    };
    let (text, path) = saves(false);
    let said: Vec<&str> = text.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(said, expected);
    assert!(
        text.lines()
            .all(|line| line.as_bytes()[10] == b'T' && line.split(' ').next().unwrap().ends_with('Z'))
    );
    let (again, other) = saves(false);
    assert_eq!(again, text);
    assert!(other != path && other.ends_with(" (2).txt"), "{other}");
    let (json, _) = saves(true);
    let lines: Vec<&str> = json.lines().collect();
    assert_eq!(lines.len(), expected.len());
    assert!(lines[0].contains(r#""from":"bob","text":"line 0 of \"many\"","kind":"said"}"#), "{}", lines[0]);
    assert!(lines[61].contains(r#""text":"bows","kind":"action"}"#), "{}", lines[61]);

    // Taken back, nothing stays of it.
    let files = || std::fs::read_dir(alice.folder.join("downloads")).unwrap().count();
    alice.room().invoke_save_transcript(false);
    alice.room().invoke_cancel_saving();
    assert_eq!(alice.room().get_saving(), "");
    alice.until("nothing new", |_| files() == 3);
    one.stop();
    drop(bob);
    let _ = std::fs::remove_dir_all(&history);
}
