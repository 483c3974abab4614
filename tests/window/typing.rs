//! What a person types, with real keys: the composer keeps them, and nothing that was written is lost.

use parlor_tests::{Irc, Plain, Server, needs};

use crate::desk::Desk;

/// The composer's field.
const COMPOSER: (i16, i16) = (500, 690);
/// The first room of the list.
const ROOM: (i16, i16) = (80, 70);
/// The middle of the timeline.
const LINES: (i16, i16) = (500, 400);

/// A room in which bob listens, and alice's window on it.
struct Scene {
    bob: Plain,
    alice: Desk,
    server: Server,
}

impl Scene {
    fn new() -> Scene {
        let server = Server::start(&[]);
        let mut bob = Plain::connect(&server);
        bob.send("Bob");
        bob.expect("-!- Welcome *");
        let desk = Desk::new().setting("theme", "\"light\"");
        let alice = desk.client(&[&server.address().to_string(), "--name", "alice"]);
        bob.expect("-!- alice joined");
        alice.wait_title("#lobby*");
        Scene { bob, alice, server }
    }

    /// Writes in the field that has the keyboard, which must be the composer.
    fn hears(&mut self, typed: &str, heard: &str) {
        self.alice.types_without_sending(typed);
        self.alice.key("Return");
        self.bob.expect(&format!("<alice> {heard}"));
    }
}

#[test]
fn tab_never_leaves_a_text() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let mut scene = Scene::new();
    // Nobody is called that; with Shift too; in the middle of a word; after a completion; behind a space.
    scene.alice.types_without_sending("so xyz");
    scene.alice.key("Tab");
    scene.alice.key("shift+Tab");
    scene.hears(" it is", "so xyz it is");
    scene.alice.types_without_sending("abcd");
    scene.alice.keys("Left", 2);
    scene.alice.key("Tab");
    scene.hears(" ", "ab cd");
    scene.alice.types_without_sending("bo");
    scene.alice.keys("Tab", 2);
    scene.hears("hello there", "Bob: hello there");
    scene.alice.types_without_sending("one ");
    scene.alice.keys("Tab", 3);
    scene.hears("two", "one two");
    // The commands are shown: Tab completes, Shift+Tab does nothing.
    scene.alice.types_without_sending("/m");
    scene.alice.key("shift+Tab");
    scene.alice.types_without_sending("e");
    scene.alice.key("Tab");
    scene.alice.types_without_sending("waves");
    scene.alice.key("Return");
    scene.bob.expect("* alice waves");
}

#[test]
fn what_is_typed_anywhere_is_for_the_composer() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let mut scene = Scene::new();
    scene.alice.click(LINES);
    scene.hears("after a click on the lines", "after a click on the lines");
    scene.alice.click(ROOM);
    scene.hears("after the room", "after the room");
    // Panels that closed: by Escape, and by their key.
    for keys in
        [["ctrl+f", "Escape"], ["ctrl+k", "Escape"], ["ctrl+j", "Escape"], ["ctrl+f", "ctrl+f"], ["F1", "F1"]]
    {
        keys.iter().for_each(|key| scene.alice.key(key));
        scene.hears("after a panel", "after a panel");
    }
    // A menu that closed.
    scene.alice.press(LINES, "3", "1");
    scene.alice.key("Escape");
    scene.hears("after a menu", "after a menu");
    // The keyboard goes to the lines: letters, a dead key, Backspace, Left and what is pasted come back.
    scene.alice.key("shift+Tab");
    scene.alice.key("Up");
    scene.hears("xy", "xy");
    scene.alice.types_without_sending("a draftt");
    scene.alice.key("ctrl+a");
    scene.alice.copies("ctrl+c", "a draftt");
    scene.alice.key("Delete");
    scene.alice.key("shift+Tab");
    scene.alice.key("ctrl+v");
    scene.hears(" is pasted", "a draftt is pasted");
    // A space on Send is a space of the text; with a mouse the button sends.
    scene.alice.types_without_sending("half a");
    scene.alice.key("Tab");
    scene.hears(" message", "half a message");
}

#[test]
fn fields_that_open_again_are_empty() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let scene = Scene::new();
    scene.alice.types("/join #music");
    scene.alice.wait_title("#music*");
    scene.alice.types("/join #gardens");
    scene.alice.wait_title("#gardens*");
    for (typed, room) in [("musi", "#music*"), ("lob", "#lobby*"), ("gard", "#gardens*")] {
        scene.alice.key("ctrl+k");
        scene.alice.types_without_sending(typed);
        scene.alice.key("Return");
        scene.alice.wait_title(room);
    }
    scene.alice.key("ctrl+k");
    scene.alice.types_without_sending("nothing");
    scene.alice.key("Escape");
    scene.alice.key("ctrl+k");
    scene.alice.types_without_sending("lob");
    scene.alice.key("Return");
    scene.alice.wait_title("#lobby*");
    // Browse, too: its text names a room.
    scene.alice.key("ctrl+j");
    scene.alice.types_without_sending("#old");
    scene.alice.key("ctrl+j");
    scene.alice.types_without_sending("#new");
    scene.alice.key("Return");
    scene.alice.wait_title("#new*");
    // The topic, twice: all of it is marked.
    for topic in ["first", "second"] {
        scene.alice.key("ctrl+t");
        scene.alice.types_without_sending(topic);
        scene.alice.key("Return");
        scene.alice.types("/join #lobby");
        scene.alice.wait_title("#lobby*");
        scene.alice.types("/join #new");
        scene.alice.wait_title("#new*");
    }
    let mut carol = Irc::connect(&scene.server).register("carol");
    carol.join("#new");
    scene.alice.types("that was all");
    carol.expect("PRIVMSG #new :that was all");
    carol.send("TOPIC #new");
    carol.expect("332 carol #new :second");
}

#[test]
fn every_command_of_the_list_can_be_chosen() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let mut scene = Scene::new();
    // Beyond the sixth row, by arrows; Enter completes, and the text waits for its argument.
    scene.alice.types_without_sending("/");
    scene.alice.keys("Down", 7);
    scene.alice.picture("typing-commands");
    scene.alice.key("Return");
    scene.alice.types_without_sending("Bob");
    scene.alice.key("ctrl+a");
    scene.alice.copies("ctrl+c", "/kick Bob");
    scene.alice.key("Delete");
    // The last one; what stands behind it is said.
    scene.alice.types_without_sending("/");
    scene.alice.key("Up");
    scene.alice.key("Return");
    scene.hears("a slash", "/a slash");
    // By another word of it, with the mouse: the only row is right above the composer.
    scene.alice.types_without_sending("/leav");
    scene.alice.click((300, COMPOSER.1 - 44));
    scene.alice.types_without_sending("bye");
    scene.alice.key("ctrl+a");
    scene.alice.copies("ctrl+c", "/part bye");
    scene.alice.key("Delete");
    // Escape closes the list and keeps the text, which is no command: it stays.
    scene.alice.types_without_sending("/ki");
    scene.alice.key("Escape");
    scene.alice.key("Return");
    scene.alice.copies("ctrl+a ctrl+c", "/ki");
    scene.alice.picture("typing-unknown");
}

#[test]
fn what_cannot_be_done_stays_in_the_composer() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let scene = Scene::new();
    for typed in ["/join ", "/foo bar", "/ me", "/msg Bob", "/nick a b", "/usr/bin is full"] {
        scene.alice.types(typed);
        // It comes back a moment later.
        scene.alice.copies("ctrl+a ctrl+c", typed.trim_end());
        scene.alice.key("Delete");
    }
    let Scene { mut bob, alice, .. } = scene;
    alice.types("//text");
    bob.expect("<alice> /text");
    // What was sent comes back by Up.
    alice.key("Up");
    alice.key("ctrl+a");
    alice.copies("ctrl+c", "//text");
    alice.key("Delete");
    // As at a terminal: the last word, the line; and the room is not left when nothing is left.
    alice.types_without_sending("one two");
    alice.keys("ctrl+w", 4);
    alice.types_without_sending("three");
    alice.key("ctrl+u");
    alice.types("still here");
    bob.expect("<alice> still here");
}

#[test]
fn code_keeps_its_blank_lines_and_tabs() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let Scene { mut bob, alice, server } = Scene::new();
    let mut carol = Irc::connect(&server).register("carol");
    carol.join("#lobby");
    alice.offers("if x:\n\ty = 1\n\n    z = 2\n");
    alice.click(COMPOSER);
    alice.key("ctrl+v");
    alice.key("Return");
    // One message; who knows no such gets its lines, without the empty one.
    for line in ["if x:", "\ty = 1", "    z = 2"] {
        carol.expect(&*format!(":alice!* PRIVMSG #lobby :{line}"));
    }
    bob.expect("<alice>     z = 2");
    alice.picture("typing-code");
}

#[test]
fn a_megabyte_is_not_pasted_and_nothing_hangs() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let Scene { mut bob, alice, server: _server } = Scene::new();
    alice.offers(&"all work and no play \n".repeat(50_000));
    alice.types_without_sending("before ");
    alice.key("ctrl+v");
    alice.types("after");
    bob.expect("<alice> before after");
    alice.picture("typing-megabyte");
}
