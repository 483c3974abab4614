//! Reading back, searching, and what a reconnect or a crash does to what is on the screen.

use std::cell::RefCell;
use std::thread;
use std::time::Duration;

use i_slint_backend_testing::mock_elapsed_time;
use parlor_client::host::Host;
use parlor_server::{Config, History};
use parlor_ui::slint::{ComponentHandle, Model};
use parlor_ui::{FindView, HostView, LineKind, LineState, Screen, Shell, StatusKind};

use crate::person::{Person, Terminal, server, server_at};
use crate::script::Script;

/// A server that lets people talk as fast as they like, and remembers.
fn remembering(person: &Person, bind: &str) -> Host {
    let history = Some(History::new(person.folder.join("history")));
    Host::start(Config { bind: vec![bind.into()], history, flood: None, ..Config::default() }).unwrap()
}

/// `bob` says so many lines, and has heard the last one.
fn talk(host: &Host, count: usize) -> Terminal {
    let mut bob = Terminal::joins(host.address(), "bob");
    let mut ear = Terminal::joins(host.address(), "ear");
    for i in 0..count {
        bob.types(&format!("line {i} of {count}"));
        if i % 10 == 9 || i + 1 == count {
            ear.reads(&format!("line {i} of"));
            // No people say fifty lines in one millisecond.
            thread::sleep(Duration::from_millis(1));
        }
    }
    bob
}

impl Person {
    /// The numbers of bob's lines, from top to bottom.
    fn numbers(&self) -> Vec<usize> {
        let number = |text: &str| text.strip_prefix("line ")?.split(' ').next()?.parse().ok();
        self.rows().iter().filter_map(|row| number(&row.plain)).collect()
    }

    fn has_gap(&self) -> bool {
        let missing = |state| state != LineState::Delivered;
        self.rows()
            .iter()
            .any(|row| row.kind == LineKind::Gap || (row.kind == LineKind::Top && missing(row.state)))
    }

    /// Looks at the rows from here on as the view does, until nothing is missing.
    fn looks_at_all(&self) {
        self.until("the whole history", |this| {
            let count = this.rows().len() as i32;
            this.timeline().invoke_looked_at(0, count);
            !this.has_gap()
        });
    }
}

#[test]
fn a_room_is_read_back_page_by_page() {
    let alice = Person::new("back-pages");
    let host = remembering(&alice, "127.0.0.1:0");
    let mut bob = talk(&host, 350);
    alice.joins(host.address(), "alice");
    alice.waits_for("line 349 of");
    alice.until("the first page", |alice| {
        alice.rows()[0].kind == LineKind::Top && alice.numbers().len() >= 40
    });
    assert!(alice.timeline().get_stick() && alice.timeline().get_has_gaps());
    assert!(alice.rows().iter().all(|row| row.kind != LineKind::New), "nothing of it is new");

    // Far from the top nothing is fetched.
    let rows = alice.rows().len() as i32;
    alice.timeline().invoke_looked_at(rows - 5, 5);
    assert_eq!(alice.rows()[0].state, LineState::None);

    // The row under the eye is followed, and so are the marked ones.
    let (row, _) = alice.row("line 330 of 350");
    alice.timeline().set_stick(false);
    alice.timeline().set_eye(row);
    alice.timeline().set_eye_at(123.0);
    alice.timeline().set_marked_from(row);
    alice.timeline().invoke_looked_at(3, 10);
    alice.until("the next page", |alice| alice.numbers().len() >= 140);
    let (row, _) = alice.row("line 330 of 350");
    assert_eq!(
        (alice.timeline().get_hold(), alice.timeline().get_hold_at(), alice.timeline().get_marked_from()),
        (row, 123.0, row)
    );
    assert_eq!((alice.timeline().get_marked_to(), alice.timeline().get_below_count()), (-1, 0));

    bob.types("said meanwhile");
    alice.looks_at_all();
    assert_eq!(alice.numbers(), (0..350).collect::<Vec<_>>());
    assert_eq!((alice.rows()[0].kind, alice.rows()[0].state), (LineKind::Top, LineState::Delivered));
    assert!(!alice.timeline().get_has_gaps());
    alice.waits_for("said meanwhile");
    assert_eq!(alice.timeline().get_below_count(), 1);
    // Rows are named by what the window shows, the first one too.
    let (row, _) = alice.row("line 0 of 350");
    alice.timeline().invoke_copy_line(row, false);
    host.stop();
}

#[test]
fn an_old_line_is_found_and_jumped_to() {
    let alice = Person::new("find-old");
    let host = remembering(&alice, "127.0.0.1:0");
    let mut bob = talk(&host, 400);
    bob.types("another needle");
    alice.joins(host.address(), "alice");
    alice.waits_for("another needle");
    let find = alice.app.global::<FindView<'_>>();
    find.set_query("line of".into());
    find.invoke_search();
    assert!(find.get_busy());
    alice.until("the first results", |_| find.get_done());
    assert!(!find.get_busy() && find.get_more() && !find.get_local());
    assert_eq!(find.get_results().row_data(0).unwrap().plain, "line 399 of 400");
    assert_eq!(find.get_results().row_count(), 50);
    while find.get_more() {
        let before = find.get_results().row_count();
        find.invoke_older();
        find.invoke_older();
        alice.until("more results", |_| find.get_results().row_count() > before || !find.get_more());
    }
    assert_eq!(find.get_results().row_count(), 400);
    assert_eq!(find.get_results().row_data(399).unwrap().plain, "line 0 of 400");

    // Not here yet: it comes, and those around it.
    assert!(!alice.has("line 100 of"));
    find.invoke_go(299);
    alice.until("the line", |alice| alice.timeline().get_reveal() >= 0);
    let (row, line) = alice.row("line 100 of 400");
    assert_eq!((alice.timeline().get_reveal(), line.found), (row, true));
    assert!(!alice.timeline().get_stick() && !find.get_jumping() && find.get_error().is_empty());
    let gap = alice.rows().iter().position(|row| row.kind == LineKind::Gap);
    let gap = gap.expect("lines between are missing") as i32;
    assert!(gap > row);
    mock_elapsed_time(Duration::from_secs(5));
    assert!(!alice.row("line 100 of 400").1.found, "only for a moment");

    // Whoever comes near the gap has it filled.
    alice.until("the gap", |alice| {
        let gap = alice.rows().iter().position(|row| row.kind == LineKind::Gap);
        gap.into_iter().for_each(|gap| alice.timeline().invoke_looked_at(gap as i32 - 3, 5));
        gap.is_none()
    });
    alice.looks_at_all();
    assert_eq!(alice.numbers(), (0..400).collect::<Vec<_>>());

    // In another conversation nothing is found any more.
    alice.says("/query bob");
    alice.until("bob", |alice| alice.room().get_key() == "bob");
    assert_eq!(find.get_results().row_count(), 0);
    // There is no search for private lines: only what is loaded is looked through.
    alice.says("psst");
    bob.reads("psst");
    find.set_query("psst".into());
    find.invoke_search();
    alice.until("what is here", |_| find.get_done());
    assert!(find.get_local());
    assert_eq!(find.get_results().row_count(), 1);
    host.stop();
}

#[test]
fn what_waited_goes_where_the_server_has_it() {
    let alice = Person::new("moving");
    let host = remembering(&alice, "127.0.0.1:0");
    let address = host.address();
    drop(talk(&host, 3));
    alice.joins(address, "alice");
    alice.waits_for("line 2 of");
    host.stop();
    alice.until("the pill", |alice| alice.status().get_status() != StatusKind::Connected);
    for text in ["waiting 1", "waiting 2"] {
        alice.says(text);
    }
    alice.waits_for("waiting 2");
    let host = remembering(&alice, &address.to_string());
    let mut bob = Terminal::joins(address, "bob");
    bob.types("meanwhile");
    bob.types("/who");
    bob.reads("bob");
    alice.status().invoke_retry_now();
    alice.until("the receipts", |alice| {
        ["waiting 1", "waiting 2"].iter().all(|text| alice.row(text).1.state == LineState::Delivered)
    });
    alice.waits_for("meanwhile");
    let order: Vec<i32> =
        ["line 2 of 3", "meanwhile", "waiting 1", "waiting 2"].iter().map(|text| alice.row(text).0).collect();
    assert!(order.is_sorted(), "{:#?}", alice.texts());
    for text in ["meanwhile", "waiting 1", "waiting 2"] {
        assert_eq!(alice.rows().iter().filter(|row| row.plain == text).count(), 1, "{text} is there once");
    }
    host.stop();
}

#[test]
fn what_waits_survives_a_restart_of_the_window() {
    let host = server();
    let address = host.address();
    let mut alice = Person::new("unsent");
    alice.joins(address, "alice");
    host.stop();
    alice.until("the pill", |alice| alice.status().get_status() != StatusKind::Connected);
    alice.says("typed before the restart");
    alice.waits_for("typed before the restart");
    alice.bridge.finish();

    let folder = std::mem::take(&mut alice.folder);
    let host = server_at(&address.to_string());
    let mut bob = Terminal::joins(address, "bob");
    let again = Person::again(folder);
    again.joins(address, "alice");
    bob.reads("<alice> typed before the restart");
    again.until("the receipt", |again| {
        again.has("typed before the restart")
            && again.row("typed before the restart").1.state == LineState::Delivered
    });
    again.bridge.finish();
    let files = std::fs::read_dir(again.folder.join("places")).unwrap();
    let kept: String = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert!(kept.contains("#lobby") && !kept.contains("typed"), "{kept}");
    host.stop();
}

#[test]
fn what_waits_is_taken_along_when_one_leaves_and_joins_again_at_once() {
    let host = server();
    let address = host.address();
    let alice = Person::new("leave-and-join");
    alice.joins(address, "alice");
    host.stop();
    alice.until("the pill", |alice| alice.status().get_status() != StatusKind::Connected);
    alice.says("typed before leaving");
    alice.waits_for("typed before leaving");
    let host = server_at(&address.to_string());
    let mut bob = Terminal::joins(address, "bob");
    alice.status().invoke_disconnect();
    assert_eq!(alice.app.global::<Shell<'_>>().get_screen(), Screen::Connect);
    alice.joins(address, "alice");
    bob.reads("<alice> typed before leaving");
    host.stop();
}

#[test]
fn what_a_crash_took_back_vanishes() {
    let script = Script::new();
    let address = script.address();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let play = thread::spawn(move || {
        let mut guest = script.welcome(1);
        guest.answers(&[]);
        let kept = guest.said("bob", "PRIVMSG", "on disk");
        guest.said("bob", "PRIVMSG", "not on disk");
        wait.recv().unwrap();
        drop(guest);
        // It comes back without that line.
        let mut guest = script.welcome(2);
        let question = guest.answers(&[(&kept, "on disk")]);
        assert!(question.contains("AFTER #lobby"), "{question}");
        guest.answers(&[]);
        wait.recv().unwrap();
    });
    let alice = Person::new("withdrawn");
    alice.joins(address, "alice");
    alice.waits_for("not on disk");
    go_on.send(()).unwrap();
    alice.until("the loss", |alice| alice.status().get_status() != StatusKind::Connected);
    assert!(alice.has("not on disk"), "it is not known yet");
    alice.status().invoke_retry_now();
    alice.until("the line to vanish", |alice| !alice.has("not on disk"));
    assert!(alice.has("on disk"));
    assert_eq!(alice.rows().iter().filter(|row| row.plain == "on disk").count(), 1);
    go_on.send(()).unwrap();
    play.join().unwrap();
}

#[test]
fn what_came_while_away_is_below_the_new_line() {
    let alice = Person::new("new-line");
    let host = remembering(&alice, "127.0.0.1:0");
    let mut bob = talk(&host, 60);
    alice.joins(host.address(), "alice");
    alice.waits_for("line 59 of");
    alice.says("/join #tea");
    alice.until("the other room", |alice| alice.room().get_key() == "#tea");
    bob.types("while you were away");
    let lobby =
        |alice: &Person| alice.rooms().get_rooms().iter().position(|row| row.key == "#lobby").unwrap() as i32;
    alice.until("the count", |alice| {
        alice.rooms().get_rooms().row_data(lobby(alice) as usize).unwrap().unread == 1
    });
    alice.rooms().invoke_select_room(lobby(&alice));
    let rows = alice.rows();
    let new = rows.iter().position(|row| row.kind == LineKind::New).expect("a new line");
    assert_eq!(alice.row("while you were away").0 as usize, new + 1);
    alice.looks_at_all();
    assert_eq!(alice.numbers(), (0..60).collect::<Vec<_>>());
    assert_eq!(alice.rows().iter().filter(|row| row.kind == LineKind::New).count(), 1);
    host.stop();
}

#[test]
fn a_hosted_room_remembers() {
    let alice = Person::new("host-again");
    let view = alice.app.global::<HostView<'_>>();
    alice.card().set_name("alice".into());
    for start in 0..2 {
        alice.card().invoke_open_host();
        view.set_selected(0);
        view.set_port("0".into());
        view.invoke_start();
        alice.until("the server", |_| !view.get_busy());
        assert!(view.get_running(), "{}", view.get_error());
        alice.until("the own room", |alice| alice.app.global::<Shell<'_>>().get_screen() == Screen::Room);
        if start == 0 {
            alice.says("remember me");
            alice.until("the receipt", |alice| {
                alice.has("remember me") && alice.row("remember me").1.state == LineState::Delivered
            });
        } else {
            alice.waits_for("remember me");
        }
        view.invoke_stop();
        alice.until("the end", |_| !view.get_running());
    }
    let history = alice.folder.join("history").join("127.0.0.1-0");
    assert!(history.is_dir());
    alice.app.global::<Shell<'_>>().invoke_opened(parlor_ui::Panel::Settings);
    let shown = alice.app.global::<parlor_ui::SettingsView<'_>>().get_history_folder();
    assert_eq!(history.parent().unwrap().display().to_string(), shown.as_str());

    // Somebody else has the folder: a sentence in the card.
    let other = RefCell::new(None);
    alice.until("the folder, once the last server has gone", |_| {
        let (bind, history) = (vec!["127.0.0.1:0".into()], Some(History::new(history.clone())));
        *other.borrow_mut() = Host::start(Config { bind, history, ..Config::default() }).ok();
        other.borrow().is_some()
    });
    alice.card().invoke_open_host();
    view.set_selected(0);
    view.set_port("0".into());
    view.invoke_start();
    alice.until("the sentence", |_| !view.get_busy());
    assert!(!view.get_running());
    assert!(view.get_error().contains("Is this room hosted already?"), "{}", view.get_error());
    other.take().unwrap().stop();
}
