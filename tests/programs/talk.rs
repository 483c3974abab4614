//! What every kind of program can do: talk and be talked to.

use std::fs;

use parlor_tests::{Message, Server, needs};

use crate::kind::{ALL, NAMED, Names, Stage};
use crate::names::{WEECHAT, WeeChat};

#[test]
fn everybody_hears_each_kind_and_each_kind_hears_everybody() {
    for kind in ALL {
        let mut stage = Stage::open(&[]);
        let Some(mut program) = stage.start(kind) else { return };
        let (mine, theirs, seen) = if kind.ascii {
            ("hello all, R and D", "早上好 Zoë", "??? Zo?")
        } else {
            ("大家好，今天 Zoë ☕", "早上好 Zoë 😀", "早上好 Zoë 😀")
        };
        program.says(mine);
        stage.hears(kind.name, mine);
        stage.says(theirs);
        program.shows(&kind.line("alice", seen));
        let screen = program.screen();
        assert_eq!(screen.matches(mine).count(), 1, "each own line once: {screen}");
        let came_back = screen.contains(&kind.line(kind.name, mine));
        assert_eq!(came_back, kind.names != Names::Nowhere, "{kind:?}: {screen}");
    }
}

#[test]
fn own_lines_come_back_in_their_place() {
    for kind in NAMED {
        let mut stage = Stage::open(&[]);
        let Some(mut program) = stage.start(kind) else { return };
        let mut wanted = String::new();
        for number in 0..3 {
            let (mine, yours) = (format!("mine {number}"), format!("yours {number}"));
            program.says(&mine);
            stage.hears(kind.name, &mine);
            stage.says(&yours);
            program.shows(&kind.line("alice", &yours));
            wanted += &kind.line(kind.name, &mine);
            wanted += &kind.line("alice", &yours);
        }
        let screen = program.screen();
        assert!(screen.ends_with(&wanted), "{screen}");
    }
}

#[test]
fn a_taken_name_gets_a_number_and_its_program_need_not_know() {
    for (kind, changed) in NAMED.into_iter().zip(["小明2", "小红2", "小刚2", "bob2"]) {
        let mut stage = Stage::open(&[]);
        let _taken = stage.server.irc(kind.name);
        let Some(mut program) = stage.start(&kind.called(changed)) else { return };
        for text in ["I am new", "and stay"] {
            program.says(text);
            stage.hears(changed, text);
            program.shows(&kind.line(changed, text));
        }
    }
}

#[test]
fn weechat_tells_that_somebody_types_and_shows_it_of_others() {
    if !needs::have(&[WEECHAT]) {
        return;
    }
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["message-tags"]);
    alice.join("#lobby");
    // Off until somebody wants it, four times.
    let weechat = WeeChat::start(
        &server,
        &[
            "typing.look.enabled_self on",
            "typing.look.enabled_nicks on",
            "irc.look.typing_status_self on",
            "irc.look.typing_status_nicks on",
            // Else it lets two seconds pass between any two lines.
            "irc.server_default.anti_flood_prio_high 0",
            "irc.server_default.anti_flood_prio_low 0",
        ],
    );
    alice.expect(":bob!*@* JOIN #lobby");
    for (key, typing) in [("insert hello", "active"), ("delete_line", "done")] {
        weechat.types("irc.parlor.#lobby", &format!("/input {key}"));
        alice.expect(|m: &Message| m.nick() == "bob" && m.tag("+typing") == Some(typing));
    }
    // Once it answers she is shown, wherever a bar has the item: it draws new ones only, without a screen.
    alice.send("@+typing=active TAGMSG #lobby");
    alice.send("PRIVMSG bob :\u{1}PING 1\u{1}");
    alice.expect(":bob!*@* NOTICE alice *PING*");
    for (command, done) in [("/bar add who window top 1 0 typing", "drawn"), ("/debug dump core", "written")]
    {
        weechat.types("core.weechat", command);
        weechat.types("irc.parlor.#lobby", done);
        alice.expect(&*format!(":bob!*@* PRIVMSG #lobby {done}"));
    }
    let log = fs::read_to_string(&weechat.log).expect("it writes one");
    let shown = log.lines().find(|line| line.contains("(item: 'typing'"));
    assert!(shown.is_some_and(|line| line.contains("'Typing: alice'")), "{shown:?}");
}
