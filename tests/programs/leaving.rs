//! Good-byes, and what only looks like one.

use crate::kind::{ALL, FRONT, HTML, NAMED, Stage};

#[test]
fn a_program_says_good_bye_in_its_own_way() {
    for kind in ALL {
        let mut stage = Stage::open(&[]);
        let Some(mut program) = stage.start(kind) else { return };
        program.says("so long");
        stage.hears(kind.name, "so long");
        program.types("leave");
        let visit = stage.visit(kind.name);
        assert!(visit.said.is_empty(), "a good-bye is no talk: {visit:?}");
        if [HTML.name, FRONT.name].contains(&kind.name) {
            assert!(visit.why.contains("left the chat room"), "{visit:?}");
        }
        assert!(program.ends());
    }
}

#[test]
fn the_last_words_are_heard_though_the_good_bye_comes_with_them() {
    for kind in ALL {
        let mut stage = Stage::open(&[]);
        let Some(mut program) = stage.start(kind) else { return };
        program.says("I am off");
        program.types("leave");
        let visit = stage.visit(kind.name);
        assert_eq!(visit.said, ["I am off"], "{kind:?}");
    }
    // Surely in one read.
    for (bytes, name) in [
        (
            "<font color=\"Blue\">小明</font>: 再见<font color=\"Orange\">小明 has left the chat room.</font>",
            "小明",
        ),
        ("小红：再见@断开连接@", "小红"),
    ] {
        let mut stage = Stage::open(&[]);
        let mut client = stage.bytes();
        client.send_bytes(bytes);
        let visit = stage.visit(name);
        assert_eq!(visit.said, ["再见"]);
        assert!(visit.why.contains("left the chat room"), "{visit:?}");
        client.read_to_end();
    }
}

#[test]
fn who_only_says_good_bye_was_never_here() {
    let mut stage = Stage::open(&[]);
    for bytes in ["@断开连接@", "<font color=\"Orange\">小明 has left the chat room.</font>"] {
        let mut client = stage.bytes();
        client.send_bytes(bytes);
        client.read_to_end();
    }
    stage.alice.silent();
}

#[test]
fn the_good_bye_of_another_is_talk() {
    let mut stage = Stage::open(&[]);
    let Some(mut ming) = stage.start(&HTML) else { return };
    for text in
        ["alice has left the chat room.", "he wrote @断开连接@, I think", "小明 has left the chat room."]
    {
        ming.says(text);
        stage.hears("小明", text);
    }
    let mut stage = Stage::open(&[]);
    let Some(mut hong) = stage.start(&FRONT) else { return };
    hong.says("什么是 @断开连接@ 呢？");
    stage.hears("小红", "什么是 @断开连接@ 呢？");
    let mut client = stage.bytes();
    client.send_bytes("<font color=\"Blue\">zoe</font>: hi");
    stage.hears("zoe", "hi");
    client.send_bytes("<font color=\"Orange\">alice has left the chat room.</font>");
    stage.hears("zoe", "alice has left the chat room.");
}

#[test]
fn a_machine_that_is_gone_has_left() {
    for kind in ALL {
        let mut stage = Stage::open(&[]);
        let Some(mut program) = stage.start(kind) else { return };
        program.says("do you hear me");
        stage.hears(kind.name, "do you hear me");
        program.types("reset");
        let visit = stage.visit(kind.name);
        assert!(visit.said.is_empty(), "{visit:?}");
    }
    // In the middle of a prompt, and of a name.
    let mut stage = Stage::open(&[]);
    for kind in NAMED {
        let Some(mut program) = stage.start(kind) else { return };
        program.types("reset");
        assert!(program.ends());
    }
    stage.says("all is well");
}
