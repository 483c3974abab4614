//! The host's tools at two windows and a terminal: whose turn it is, who may speak, how fast, and the way back.

use std::time::Duration;

use parlor_client::host::Host;
use parlor_ui::slint::{ComponentHandle, Model};
use parlor_ui::{Panel, PersonRow, Rank, Shell};

use crate::person::{Person, Terminal, server};

/// The teacher, who founded #class, a pupil at a window and one at a terminal.
fn class(name: &str) -> (Host, Person, Person, Terminal) {
    let host = server();
    let teacher = Person::new(&format!("{name}-teacher"));
    teacher.joins(host.address(), "teacher");
    teacher.says("/join #class");
    teacher.until("the class", |one| one.room().get_key() == "#class" && one.people().get_operator());
    let eve = Person::new(&format!("{name}-eve"));
    eve.joins(host.address(), "eve");
    eve.says("/join #class");
    eve.until("the class", |eve| eve.room().get_key() == "#class");
    let mut carol = Terminal::joins(host.address(), "carol");
    carol.types("/join #class");
    carol.reads("You are in #class");
    teacher.until("all", |teacher| teacher.people().get_people_count() == 3);
    eve.until("all", |eve| eve.people().get_people_count() == 3);
    (host, teacher, eve, carol)
}

fn people(person: &Person) -> Vec<(String, i32)> {
    person.people().get_people().iter().map(|row| (row.name.to_string(), row.hand)).collect()
}

fn row(person: &Person, name: &str) -> PersonRow {
    person.people().get_people().iter().find(|row| row.name == name).unwrap()
}

fn is(rows: &[(&str, i32)]) -> Vec<(String, i32)> {
    rows.iter().map(|(name, hand)| ((*name).to_owned(), *hand)).collect()
}

#[test]
fn hands_come_first_in_their_order_and_the_teacher_lowers_them() {
    let (host, teacher, eve, mut carol) = class("hands");
    assert!(eve.people().get_hands() && !eve.people().get_my_hand());
    carol.types("/hand");
    teacher.until("carol's hand", |teacher| row(teacher, "carol").hand == 1);
    eve.people().invoke_raise_hand(true);
    let order = is(&[("carol", 1), ("eve", 2), ("teacher", 0)]);
    for window in [&teacher, &eve] {
        window.until("both hands", |window| people(window) == order);
    }
    assert!(eve.people().get_my_hand() && !teacher.people().get_my_hand());
    assert_eq!(teacher.people().get_hands_up(), 2);
    carol.reads("eve raises a hand (2 up)");
    // A screen reader is told, though no line is.
    assert!(!teacher.has("raises a hand"), "{:?}", teacher.texts());
    i_slint_backend_testing::mock_elapsed_time(Duration::from_secs(2));
    let said = teacher.app.global::<Shell>().get_said();
    assert!(said.contains("carol raises a hand\neve raises a hand"), "{said}");
    // Whoever comes later sees the same.
    let late = Person::new("hands-late");
    late.joins(host.address(), "zoe");
    late.says("/join #class");
    late.until("the hands", |late| people(late)[..2] == is(&[("carol", 1), ("eve", 2)]));
    // She has spoken, and he is next.
    assert!(teacher.people().get_lowers());
    teacher.people().invoke_lower_hand("carol".into());
    eve.until("eve is next", |eve| row(eve, "eve").hand == 1 && row(eve, "carol").hand == 0);
    carol.reads("carol lowers the hand");
    eve.says("/hand down");
    teacher.until("no hand is up", |teacher| people(teacher).iter().all(|(_, hand)| *hand == 0));
    // Whoever leaves takes the hand along.
    eve.says("/hand");
    teacher.until("eve's hand", |teacher| row(teacher, "eve").hand == 1);
    eve.says("/part");
    teacher.until("eve is out", |teacher| teacher.people().get_people_count() == 3);
    eve.says("/join #class");
    teacher.until("eve is back", |teacher| teacher.people().get_people_count() == 4);
    assert_eq!(row(&teacher, "eve").hand, 0);
    host.stop();
}

#[test]
fn all_are_muted_and_one_may_speak() {
    let (host, teacher, eve, mut carol) = class("voice");
    teacher.until("how it is set", |teacher| teacher.room().get_topic_locked());
    teacher.room().invoke_set_moderated(true);
    for window in [&teacher, &eve] {
        window.until("only some speak", |window| window.room().get_moderated());
    }
    eve.says("may I?");
    eve.until("the refusal", |eve| eve.has("may I?") && !eve.row("may I?").1.reason.is_empty());
    teacher.people().invoke_voice_person("eve".into(), true);
    eve.until("her voice", |eve| row(eve, "eve").rank == Rank::Voice);
    eve.says("thank you");
    teacher.waits_for("thank you");
    teacher.people().invoke_voice_person("eve".into(), false);
    teacher.until("no voice", |teacher| row(teacher, "eve").rank == Rank::None);
    teacher.room().invoke_set_moderated(false);
    eve.until("everybody speaks", |eve| !eve.room().get_moderated());
    carol.types("hello again");
    teacher.waits_for("hello again");
    // Locked with one click, and open again.
    teacher.room().invoke_set_invite_only(true);
    eve.until("locked", |eve| eve.room().get_invite_only());
    teacher.room().invoke_set_invite_only(false);
    eve.until("open", |eve| !eve.room().get_invite_only());
    host.stop();
}

#[test]
fn one_person_is_muted_and_it_is_undone() {
    let (host, teacher, eve, mut carol) = class("mute");
    assert!(teacher.people().get_mutes());
    teacher.people().invoke_mute_person("carol".into(), true);
    teacher.until("the notice", |one| one.room().get_done() == "carol may not speak any more.");
    teacher.until("her row", |one| row(one, "carol").muted);
    teacher.waits_for("teacher muted carol");
    carol.types("but why?");
    carol.reads("may not speak");
    eve.says("she is quiet");
    teacher.waits_for("she is quiet");
    assert!(!teacher.has("but why?"));
    // It stands among those who are kept out, as what it is.
    teacher.app.global::<Shell>().invoke_open(Panel::Room);
    teacher.until("the list", |one| one.room().get_bans().row_count() == 1);
    let listed = teacher.room().get_bans().row_data(0).unwrap();
    assert!(listed.mute && listed.who == "carol", "{listed:?}");
    teacher.room().invoke_undo();
    teacher.until("the list", |one| one.room().get_bans().row_count() == 0 && !row(one, "carol").muted);
    assert_eq!(teacher.room().get_done(), "");
    carol.types("thank you");
    teacher.waits_for("thank you");
    host.stop();
}

#[test]
fn who_was_kept_out_by_mistake_is_asked_back() {
    let (host, teacher, eve, _carol) = class("undo");
    teacher.people().invoke_ban_person("eve".into());
    teacher.until("the notice", |one| one.room().get_done() == "eve was sent out, and is kept out.");
    eve.until("the way out", |eve| !eve.room().get_out().is_empty());
    teacher.room().invoke_undo();
    eve.until("the invitation", |eve| eve.room().get_invited());
    eve.room().invoke_come_in("".into());
    eve.until("the way back", |eve| eve.room().get_out().is_empty());
    teacher.until("eve", |teacher| teacher.people().get_people_count() == 3);
    // The next deed takes the place of the one before, and another room offers none.
    teacher.people().invoke_kick_person("eve".into());
    teacher.until("the notice", |one| one.room().get_done() == "eve was sent out.");
    teacher.says("/join #lobby");
    teacher.until("another room", |one| one.room().get_key() == "#lobby");
    assert_eq!(teacher.room().get_done(), "");
    host.stop();
}

#[test]
fn a_slow_room_gives_a_line_back_that_comes_too_early() {
    let (host, teacher, eve, _carol) = class("slow");
    assert!(teacher.room().get_slows());
    teacher.room().invoke_set_slow(300);
    for window in [&teacher, &eve] {
        window.until("the pause", |window| window.room().get_slow() == 300);
        window.waits_for("the room is slow now: one line of each every 5 min (teacher)");
    }
    eve.says("first");
    teacher.waits_for("first");
    eve.says("second");
    eve.waits_for_complaint("The room is slow: your next line may come in");
    assert_eq!(eve.composer().get_draft(), "second");
    assert!(!eve.has("second"), "no line stands for it");
    teacher.says("operators are free of it");
    teacher.says("always");
    eve.waits_for("always");
    teacher.room().invoke_set_slow(0);
    eve.until("no pause", |eve| eve.room().get_slow() == 0);
    eve.waits_for("the room is not slow any more (teacher)");
    eve.composer().invoke_send();
    teacher.waits_for("second");
    host.stop();
}
