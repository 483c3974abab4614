//! The mouse over the lines: marking, the menu, the time, links; with a real pointer.

use parlor_tests::{Plain, Scratch, Server, needs};

use crate::desk::Desk;
use crate::scene;

/// Where text begins, beside the list of rooms.
const LEFT: i16 = 241;
/// Middles of bob's first lines; above them are the beginning, the day, who came, what alice said, and his name.
const LINES: [i16; 3] = [236, 257, 278];
/// The column of times and receipts, beside the second line.
const TIMES: (i16, i16) = (815, 250);
/// The composer's field, of which the middle is empty.
const COMPOSER: (i16, i16) = (500, 690);

/// A room in which bob speaks, and alice's window on it.
struct Scene {
    bob: Plain,
    alice: Desk,
    server: Server,
}

impl Scene {
    /// Shows these lines, which are in the window when this returns.
    fn new(desk: Desk, lines: &[&str]) -> Scene {
        let (server, mut bob, alice) = scene::lobby(desk);
        lines.iter().for_each(|line| bob.send(line));
        let last = LINES[lines.len().min(LINES.len()) - 1];
        alice.until("the last line", |alice| is_written(alice, (LEFT, last - 6), 40, 12));
        Scene { bob, alice, server }
    }
}

/// Whether anything is seen there.
fn is_written(desk: &Desk, at: (i16, i16), width: u16, height: u16) -> bool {
    let pixels = desk.pixels(at, width, height);
    pixels.iter().any(|pixel| Some(pixel) != pixels.first())
}

#[test]
fn text_is_marked_and_copied() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let lines = ["alpha beta gamma delta", "second line of bob", "the third one"];
    let Scene { mut bob, alice, server: _server } = Scene::new(Desk::new(), &lines);
    let [first, second, third] = LINES;

    // A part of a line, and it is seen.
    let ground = |y| alice.pixels((LEFT + 1, y - 7), 60, 1);
    let before = ground(first);
    alice.drag((LEFT - 8, first), (LEFT + 64, first));
    alice.until("the mark", |_| ground(first) != before);
    let text = alice.copies("ctrl+c", "alpha*");
    assert!(lines[0].starts_with(&text) && text.len() < lines[0].len(), "{text:?}");
    alice.picture("mouse-marked");

    // A word, by a double click.
    alice.press((LEFT + 30, second), "1", "2");
    alice.copies("ctrl+c", "second");

    // Across lines, from below to above, with names and times and without.
    alice.drag((LEFT + 30, third), (LEFT + 60, first));
    let text = alice.copies("ctrl+c", "[*] bob: *\n[*] bob: second line of bob\n[*] bob: th*");
    let bare = alice.copies("ctrl+shift+c", "*\nsecond line of bob\nth*");
    let parts: Vec<&str> = bare.lines().collect();
    assert!(lines[0].ends_with(parts[0]) && parts[0].len() < lines[0].len(), "{bare:?}");
    assert!(lines[2].starts_with(parts[2]) && parts[2].len() < lines[2].len(), "{bare:?}");
    assert!(text.lines().zip(&parts).all(|(named, bare)| named.ends_with(bare)), "{text:?} {bare:?}");

    // To another line with Shift.
    alice.press((LEFT - 8, first), "1", "1");
    alice.with_shift((LEFT + 300, second));
    alice.copies("ctrl+shift+c", "alpha beta gamma delta\nsecond line of bob");

    // What is typed after a click on a line is meant for the composer.
    alice.press((LEFT + 30, second), "1", "1");
    alice.types("hello after a click");
    bob.expect("<alice> hello after a click");
    // A line that was clicked is copied as a whole.
    alice.press((LEFT + 80, third), "1", "1");
    alice.copies("ctrl+c", "[*] bob: the third one");
    // What is marked in the composer goes before.
    alice.types_without_sending("a draft");
    alice.key("ctrl+a");
    alice.copies("ctrl+c", "a draft");
}

#[test]
fn marking_scrolls_at_the_edges() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let lines: Vec<String> = (0..150).map(|n| format!("line {n}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let Scene { mut bob, alice, server: _server } = Scene::new(Desk::new(), &lines[..3]);
    for some in lines[3..].chunks(10) {
        some.iter().for_each(|line| bob.send(line));
        alice.types("yes");
        bob.expect("<alice> yes");
    }
    // The lowest line is right above the composer; the row that was pressed is long gone when the button comes up.
    alice.until("the end", |alice| is_written(alice, (LEFT, 620), 60, 30));
    alice.hold((LEFT + 200, 600), (LEFT - 8, 10));
    alice.until("lines that were not on the screen", |alice| {
        alice.copies("ctrl+shift+c", "*line *").lines().count() > 60
    });
    alice.let_go();
    let text = alice.copies("ctrl+shift+c", "*line *");
    // The mouse moves on: nothing more is marked.
    alice.point_at((LEFT + 100, 400));
    alice.point_at((LEFT + 100, 300));
    assert_eq!(alice.copies("ctrl+shift+c", "*line *"), text);
}

#[test]
fn the_menu_opens_over_the_text_and_hovering_shows_the_time() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let Scene { mut bob, alice, server: _server } =
        Scene::new(Desk::new(), &["first of bob", "second of bob"]);
    let [_, second, _] = LINES;
    alice.point_at(COMPOSER);
    alice.until("no time", |alice| !is_written(alice, TIMES, 60, 14));
    alice.point_at((LEFT + 30, second));
    alice.until("the time", |alice| is_written(alice, TIMES, 60, 14));

    // The second entry copies it.
    alice.press((LEFT + 30, second), "3", "1");
    alice.keys("Down", 2);
    alice.key("Return");
    alice.copies("ctrl+l", "[*] bob: second of bob");
    // The fourth mentions him.
    alice.press((LEFT + 30, second), "3", "1");
    alice.keys("Down", 4);
    alice.key("Return");
    alice.click(COMPOSER);
    alice.types("so it is");
    bob.expect("<alice> bob: so it is");
}

#[test]
fn a_link_opens_and_ends_before_chinese_punctuation() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let folder = Scratch::new();
    let opened = folder.file("opened");
    let browser = folder.write("browser", format!("#!/bin/sh\necho \"$1\" >> '{opened}'\n"));
    assert!(
        std::process::Command::new("chmod").args(["+x", &browser]).status().is_ok_and(|done| done.success())
    );
    let lines = ["https://example.org/a，很好", "（https://example.org/b）"];
    let Scene { bob: _bob, alice, server: _server } =
        Scene::new(Desk::new().variable("BROWSER", &browser), &lines);
    let has = |what: &'static str| {
        let opened = opened.clone();
        move |_: &Desk| std::fs::read_to_string(&opened).is_ok_and(|urls| urls == what)
    };
    // Dragging marks it, a click opens it.
    alice.drag((LEFT + 10, LINES[0]), (LEFT + 90, LINES[0]));
    alice.copies("ctrl+c", "*ps://ex*");
    alice.press((LEFT + 60, LINES[0]), "1", "1");
    alice.until("the first link", has("https://example.org/a\n"));
    alice.press((LEFT + 60, LINES[1]), "1", "1");
    alice.until("the second link", has("https://example.org/a\nhttps://example.org/b\n"));
}
