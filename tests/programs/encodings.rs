//! The bytes of text: UTF-8, unless a program shows that it knows something else.

use parlor_tests::{Launch, Plain};

use crate::kind::{CONSOLE, Stage, TK};

/// Reads until there are these bytes at the end.
#[track_caller]
fn reads(client: &mut Plain, wanted: &[u8]) {
    let mut read = Vec::new();
    while !read.ends_with(wanted) {
        if read.len() > 4096 {
            client.fail(&format!("waited for {}", wanted.escape_ascii()));
        }
        read.extend(client.chunk());
    }
}

#[test]
fn who_answered_in_ascii_gets_ascii() {
    let mut stage = Stage::open(&[]);
    let Some(mut bob) = stage.start(&CONSOLE) else { return };
    stage.says("naïve <b> & 小明 😀");
    bob.shows("alice: na?ve <b> & ?? ?\n");
    let mut oleg = stage.server.irc("Олег");
    oleg.join("#lobby");
    bob.shows("???? joined the chat!\n");
    oleg.send("PRIVMSG #lobby :hi");
    bob.shows("????: hi\n");
    bob.says("still here");
    stage.hears("Олег", "hi");
    stage.hears("bob", "still here");
}

#[test]
fn who_has_sent_anything_else_gets_utf_8() {
    let mut stage = Stage::open(&[]);
    let kind = TK.with(&["bob"]).called("bob");
    let Some(mut bob) = stage.start(&kind) else { return };
    stage.says("茶");
    bob.shows("alice: ?\n");
    bob.says("茶？");
    stage.hears("bob", "茶？");
    bob.shows("bob: 茶？\n");
    stage.says("好的，茶");
    bob.shows("alice: 好的，茶\n");
}

#[test]
fn utf_8_can_be_told() {
    let mut stage = Stage::open(&["--raw-encoding", "utf-8"]);
    let kind = TK.with(&["bob"]).called("bob");
    let Some(bob) = stage.start(&kind) else { return };
    stage.says("茶 Zoë");
    bob.shows("alice: 茶 Zoë\n");
}

#[test]
fn ascii_can_be_told() {
    let mut stage = Stage::open(&["--raw-encoding", "ascii"]);
    let mut client = stage.bytes();
    client.send_bytes("hello there");
    stage.hears("guest1", "hello there");
    stage.says("茶 Zoë");
    reads(&mut client, b"alice: ? Zo?\n");
}

#[test]
fn latin_1_can_be_told() {
    let mut stage = Stage::open(&["--raw-encoding", "latin-1"]);
    let mut client = stage.bytes();
    client.send_bytes(b"Zo\xeb: caf\xe9 cr\xe8me");
    stage.hears("Zoë", "café crème");
    stage.says("naïve 茶");
    reads(&mut client, b"alice: na\xefve ?\n");
}

#[test]
fn nothing_else_is_an_encoding() {
    let ended = Launch::new(&["--raw-bind", "127.0.0.1:0", "--raw-encoding", "klingon"]).run();
    assert_eq!(ended.code, 64, "{}", ended.stderr);
    for known in ["--raw-encoding", "auto", "utf-8", "ascii", "latin-1"] {
        assert!(ended.stderr.contains(known), "{known}: {}", ended.stderr);
    }
}

#[test]
fn what_is_not_utf_8_is_read_all_the_same_and_the_log_says_how_to_be_sure() {
    let mut stage = Stage::open(&[]);
    let mut client = stage.bytes();
    client.send_bytes(b"bob: caf\xe9");
    stage.hears("bob", "café");
    stage.server.wait_log("--raw-encoding");
    // From then on both ways.
    stage.says("naïve");
    reads(&mut client, b"alice: na\xefve\n");
    client.send_bytes(b"bob: cr\xe8me");
    stage.hears("bob", "crème");
}

#[test]
fn chinese_programs_of_windows_are_read_where_that_was_built_in() {
    let gbk = ["--raw-bind", "127.0.0.1:0", "--raw-encoding", "gbk"];
    // 小红：你好
    let bytes = b"\xd0\xa1\xba\xec\xa3\xba\xc4\xe3\xba\xc3";
    let built_in = match Launch::new(&gbk).run_or_start() {
        Ok(server) => server.stop() == 0,
        Err(ended) => {
            assert_eq!(ended.code, 64, "{}", ended.stderr);
            assert!(ended.stderr.contains("encodings"), "the feature is named: {}", ended.stderr);
            false
        }
    };
    let mut stage = Stage::open(&[]);
    let mut client = stage.bytes();
    client.send_bytes(bytes);
    if built_in {
        stage.hears("小红", "你好");
        stage.says("早上好");
        // alice：早上好
        reads(&mut client, b"alice\xa3\xba\xd4\xe7\xc9\xcf\xba\xc3\n");
    } else {
        let told = "server: Your text is not UTF-8 and was not sent; set your program to UTF-8.\n";
        reads(&mut client, told.as_bytes());
        stage.alice.silent();
        client.send_bytes("小红：你好");
        stage.hears("小红", "你好");
    }
    stage.server.wait_log("--raw-encoding");
}
