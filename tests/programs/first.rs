//! Who is who: the form of the first chunk, and when it comes.

use parlor_tests::Plain;

use crate::kind::{BARE, NAMED, Stage, TK, Visit};

/// Sends bytes and hangs up; what came of it.
#[track_caller]
fn told(stage: &mut Stage, mut client: Plain, bytes: &str, name: &str) -> Visit {
    client.send_bytes(bytes);
    client.close_writing();
    stage.joined(name);
    let visit = stage.visit(name);
    client.read_to_end();
    visit
}

#[test]
fn the_first_chunk_names_and_says() {
    let mut stage = Stage::open(&[]);
    for (bytes, name, said) in [
        ("<font color=\"Purple\">小明 has joined the chat room.</font>", "小明", &[][..]),
        (
            "<font color=\"Purple\">小明 has joined the chat room.</font><font color=\"Blue\">小明</font>: 你好",
            "小明",
            &["你好"],
        ),
        ("<font color=\"Blue\">Zoë</font>: hello &lt;all&gt; &amp; you", "Zoë", &["hello <all> & you"]),
        ("<FONT COLOR='Red'>zoe</FONT>: late", "zoe", &["late"]),
        ("<font color=\"Blue\">two words</font>: hi", "guest1", &["two words: hi"]),
        ("<font color=\"Blue\">hi</font>", "guest1", &["hi"]),
        ("小红：你好", "小红", &["你好"]),
        ("小红： 你好", "小红", &["你好"]),
        ("小红：一小红：二", "小红", &["一", "二"]),
        ("bob: hello", "bob", &["hello"]),
        ("bob: hello\nbob: again\nand more\n", "bob", &["hello", "again", "and more"]),
        ("bob:hello", "guest1", &["bob:hello"]),
        ("12:30 is fine", "guest1", &["12:30 is fine"]),
        ("see http://tea.example/", "guest1", &["see http://tea.example/"]),
        ("two words: hi", "guest1", &["two words: hi"]),
        ("你好，大家：早", "guest1", &["你好，大家：早"]),
        ("hello", "guest1", &["hello"]),
        ("bob\n", "guest1", &["bob"]),
    ] {
        let client = stage.bytes();
        let visit = told(&mut stage, client, bytes, name);
        assert_eq!(visit.said, said, "{bytes}");
    }
}

#[test]
fn an_answer_to_the_prompt_is_a_name_and_a_sentence_is_none() {
    let mut stage = Stage::open(&[]);
    for (bytes, name, said) in [
        ("bob", "bob", &[][..]),
        ("bob\n", "bob", &[]),
        (" 小刚\r\n", "小刚", &[]),
        ("bobbob: hi\n", "bob", &["hi"]),
        ("小红小红：早", "小红", &["早"]),
        ("小红：早", "小红", &["早"]),
        ("bob\nbob: hi\nbob: all\n", "bob", &["hi", "all"]),
        ("bob: hi", "bob", &["hi"]),
        ("<font color=\"Blue\">zoe</font>: late", "zoe", &["late"]),
        ("what is this?", "guest1", &["what is this?"]),
        ("what is: this?", "guest1", &["what is: this?"]),
        ("what?", "guest1", &["what?"]),
        ("#a b*", "guest1", &["#a b*"]),
        ("bob\nI am here\n", "bob", &["I am here"]),
    ] {
        let client = stage.asked();
        let visit = told(&mut stage, client, bytes, name);
        assert_eq!(visit.said, said, "{bytes}");
    }
    // Nobody is called that.
    let long = "x".repeat(100);
    let client = stage.asked();
    assert_eq!(told(&mut stage, client, &long, "guest1").said, [long]);
}

#[test]
fn what_comes_later_a_person_typed() {
    let mut stage = Stage::open(&[]);
    let (late, second) = (stage.asked(), stage.asked());
    stage.a_second();
    assert_eq!(told(&mut stage, late, "bob", "guest1").said, ["bob"]);
    assert_eq!(told(&mut stage, second, "bob: here I am", "bob").said, ["here I am"]);
}

#[test]
fn the_first_message_of_each_kind_is_heard() {
    for kind in NAMED {
        let mut stage = Stage::open(&[]);
        // Before it was asked, in the same moment as the join, and after a while.
        let Some(mut program) = stage.start(kind) else { return };
        program.says("is anybody here");
        stage.hears(kind.name, "is anybody here");
        program.types("leave");
        assert!(stage.visit(kind.name).said.is_empty());
    }
}

#[test]
fn who_greets_the_server_is_greeted() {
    let mut stage = Stage::open(&[]);
    let hello = BARE.with(&["hello"]);
    let Some(mut program) = stage.start(&hello) else { return };
    stage.joined("guest1");
    stage.hears("guest1", "Hello, server!");
    program.wait(|screen| !screen.is_empty(), "an answer");
    let answer = program.screen();
    assert_eq!(answer.matches('\n').count(), 1, "one line: {answer:?}");
    assert!(answer.ends_with('\n') && !answer.starts_with("NICK"), "{answer:?}");
    program.says("so it works");
    stage.hears("guest1", "so it works");
}

#[test]
fn guests_are_numbered() {
    let mut stage = Stage::open(&[]);
    let (mut first, mut second) = (stage.bytes(), stage.bytes());
    first.send_bytes("hello there");
    stage.hears("guest1", "hello there");
    second.send_bytes("you too?");
    stage.hears("guest2", "you too?");
    assert_eq!(String::from_utf8_lossy(&first.chunk()), "guest2: you too?\n");
}

#[test]
fn the_word_can_be_another() {
    let mut stage = Stage::open(&["--raw-prompt", "USERNAME"]);
    let kind = TK.with(&["小刚", "USERNAME"]);
    let Some(mut program) = stage.start(&kind) else { return };
    program.says("早");
    stage.hears("小刚", "早");
}

#[test]
fn nobody_is_asked_where_there_is_no_word() {
    let mut stage = Stage::open(&["--raw-prompt", "none"]);
    let (mut first, mut second) = (stage.bytes(), stage.bytes());
    stage.a_second();
    first.send_bytes("bob");
    stage.hears("guest1", "bob");
    second.send_bytes("小红：早");
    stage.hears("小红", "早");
    for (client, colon) in [(&mut first, ": "), (&mut second, "：")] {
        stage.says("welcome");
        let mut read = String::new();
        while !read.contains("welcome") {
            read += &String::from_utf8_lossy(&client.chunk());
        }
        assert!(!read.contains("NICK"), "{read}");
        assert!(read.ends_with(&format!("alice{colon}welcome\n")), "{read}");
    }
}

#[test]
fn strangers_are_refused() {
    let mut stage = Stage::open(&[]);
    let tls: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let door = stage.raw();
    for hello in
        [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], b"POST / HTTP/1.1\r\n", b"SSH-2.0-OpenSSH_9\r\n", tls]
    {
        let mut stranger = Plain::connect_to(door);
        let from = stranger.local_address();
        stranger.send_bytes(hello);
        assert!(stranger.read_to_end().is_empty(), "closed without a byte");
        stage.server.wait_log(&format!("refused: {from} (*)"));
    }
    stage.alice.silent();
}
