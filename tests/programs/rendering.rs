//! What each kind is told, byte for byte.

use parlor_tests::Plain;

use crate::kind::{BARE, CONSOLE, FRONT, HTML, Kind, Names, Stage, TK};

/// A client that has said something, and what it read after that.
struct Reader {
    client: Plain,
    read: String,
}

impl Reader {
    fn new(client: Plain) -> Self {
        Self { client, read: String::new() }
    }

    /// Reads up to a text, which ends what has come.
    #[track_caller]
    fn up_to(&mut self, end: &str) -> String {
        while !self.read.contains(end) {
            self.read += &String::from_utf8(self.client.chunk()).expect("UTF-8");
        }
        assert!(self.read.ends_with(end), "{end:?} is the last of {:?}", self.read);
        std::mem::take(&mut self.read)
    }
}

/// Somebody of this kind in the room, all read that came with it.
#[track_caller]
fn member(stage: &mut Stage, kind: &Kind) -> Reader {
    let mut reader = if kind.names == Names::InFront(": ") {
        let mut client = stage.asked();
        client.send_bytes(kind.name);
        stage.joined(kind.name);
        Reader::new(client)
    } else {
        let mut client = stage.bytes();
        client.send_bytes(kind.message("here I am"));
        stage.hears(kind.name, "here I am");
        Reader::new(client)
    };
    stage.says("hi");
    reader.up_to(&kind.line("alice", "hi"));
    reader
}

#[test]
fn a_view_of_html_shows_what_was_written() {
    let mut stage = Stage::open(&[]);
    let mut zoe = member(&mut stage, &HTML);
    for (text, seen) in [
        ("R&D", "R&amp;D"),
        ("a < b > c", "a &lt; b &gt; c"),
        ("<img src=x> & 小明", "&lt;img src=x&gt; &amp; 小明"),
        ("&lt; is <", "&amp;lt; is &lt;"),
    ] {
        stage.says(text);
        assert_eq!(zoe.up_to("</div>"), HTML.line("alice", seen), "one message, its tag first, no newline");
    }
    stage.says("a  b   c");
    let spaces = zoe.up_to("</div>");
    assert!(!spaces.contains("  ") && spaces.contains("&nbsp;"), "{spaces}");
}

#[test]
fn a_view_of_html_sees_who_comes_and_goes_in_its_own_words() {
    let mut stage = Stage::open(&[]);
    let mut zoe = member(&mut stage, &HTML);
    let mut carol = stage.server.irc("carol");
    carol.join("#lobby");
    let joined = "<div><font color=\"Purple\">carol has joined the chat room.</font></div>";
    assert_eq!(zoe.up_to(joined), joined);
    carol.send("QUIT :tea is ready");
    let left = "<div><font color=\"Orange\">carol has left the chat room.</font></div>";
    assert_eq!(zoe.up_to(left), left);
    let mut dave = stage.server.irc("dave");
    dave.join("#lobby");
    dave.send("PART #lobby");
    let read = zoe.up_to("dave has left the chat room.</font></div>");
    assert_eq!(read.matches("dave").count(), 2, "{read}");
}

#[test]
fn who_answers_a_prompt_is_told_that_it_is_connected() {
    let mut stage = Stage::open(&[]);
    for kind in [&TK, &CONSOLE] {
        let mut client = stage.asked();
        client.send_bytes(kind.name);
        stage.joined(kind.name);
        let connected = "Connected to server!\n";
        let mut bob = Reader::new(client);
        stage.says("hi");
        let read = bob.up_to("alice: hi\n");
        assert!(read.starts_with(connected), "before all else: {read}");
        let mut carol = stage.server.irc("carol");
        carol.join("#lobby");
        assert_eq!(bob.up_to("carol joined the chat!\n"), "carol joined the chat!\n");
        carol.send("QUIT");
        assert_eq!(bob.up_to("carol left the chat!\n"), "carol left the chat!\n");
        stage.alice.expect(":carol!*@* QUIT *");
    }
}

#[test]
fn others_hear_talk_alone() {
    for kind in [&FRONT, &BARE] {
        let mut stage = Stage::open(&[]);
        let mut reader = member(&mut stage, kind);
        let mut carol = stage.server.irc("carol");
        carol.join("#lobby");
        carol.send("NICK caroline");
        carol.send("PART #lobby");
        carol.settle();
        stage.says("who was that");
        let line = kind.line("alice", "who was that");
        assert_eq!(reader.up_to(&line), line);
    }
}

#[test]
fn nothing_is_escaped_outside_of_html() {
    for kind in [&FRONT, &BARE, &TK, &CONSOLE] {
        let mut stage = Stage::open(&[]);
        let mut reader = member(&mut stage, kind);
        stage.says("<b> & a < b");
        let line = kind.line("alice", "<b> & a < b");
        assert_eq!(reader.up_to(&line), line);
    }
}

#[test]
fn the_colon_is_its_own() {
    let mut stage = Stage::open(&[]);
    for (bytes, line) in [("小红：一", "alice：早\n"), ("bob: one", "alice: 早\n")] {
        let mut client = stage.bytes();
        client.send_bytes(bytes);
        stage.alice.expect("PRIVMSG #lobby *");
        stage.says("早");
        assert!(Reader::new(client).up_to("早\n").ends_with(line));
    }
}

#[test]
fn a_message_of_html_keeps_what_only_looks_like_a_tag() {
    let mut stage = Stage::open(&[]);
    let Some(mut ming) = stage.start(&HTML) else { return };
    for text in ["R&D", "1 < 2", "x<y and y>z", "a <- b -> c", "<3"] {
        ming.says(text);
        stage.hears("小明", text);
    }
    // Tags of the view it was typed in are none of the text.
    ming.says("<b>bold</b> &amp; <i>fine</i>");
    stage.hears("小明", "bold & fine");
}

#[test]
fn each_message_is_a_write_of_its_own() {
    for kind in [&HTML, &FRONT, &TK] {
        let mut stage = Stage::open(&[]);
        let mut reader = member(&mut stage, kind);
        for number in 0..10 {
            let text = "y".repeat(number * 30 + 1);
            stage.says(&text);
            // `recv` takes what one write gave.
            let chunk = String::from_utf8(reader.client.chunk()).expect("UTF-8");
            assert_eq!(chunk, kind.line("alice", &text));
        }
    }
}
