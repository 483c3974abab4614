//! A real Qt window (`QTcpSocket`, `QTextBrowser::append`): what its person sees.

use parlor_tests::needs::{self, Lack};

use crate::kind::Stage;
use crate::program::Program;

/// The view, paragraph by paragraph.
fn paragraphs(window: &Program) -> Vec<String> {
    let view = window.appends().pop().unwrap_or_default();
    view.split('\n').map(str::to_owned).collect()
}

/// A window in the room, in which alice has said hi; `None` where there is no Qt.
#[track_caller]
fn window(stage: &mut Stage) -> Option<Program> {
    if !Program::run("/usr/bin/python3", &["-c", "import PyQt5.QtWidgets"])?.ends() {
        needs::skip(Lack::Package("python3-pyqt5"));
        return None;
    }
    let window = Program::python("qt_window.py", &[&stage.raw().port().to_string(), "小明"])?;
    stage.joined("小明");
    stage.says("hi");
    window.wait(|screen| screen.ends_with("alice: hi"), "the first line");
    Some(window)
}

#[test]
fn a_person_sees_what_was_written_and_no_empty_lines() {
    let mut stage = Stage::open(&[]);
    let Some(mut window) = window(&mut stage) else { return };
    let before = paragraphs(&window);
    let texts = [
        "R&D",
        "a < b",
        "a > b & c",
        "<b>bold</b>",
        "<img src=x> 小明",
        "two  spaces   and three",
        "&lt; &amp;",
    ];
    for text in texts {
        stage.says(text);
        window.wait(|screen| screen.ends_with(&format!("alice: {text}")), text);
    }
    window.says("我也在，1 < 2");
    stage.hears("小明", "我也在，1 < 2");
    window.wait(|screen| screen.ends_with("小明: 我也在，1 < 2"), "its own line");
    let mut wanted = before;
    wanted.extend(texts.map(|text| format!("alice: {text}")));
    wanted.push("小明: 我也在，1 < 2".to_owned());
    assert_eq!(paragraphs(&window), wanted);
    assert!(wanted.iter().all(|paragraph| !paragraph.is_empty()), "{wanted:?}");
}

#[test]
fn several_messages_read_at_once_are_a_paragraph_each() {
    let mut stage = Stage::open(&[]);
    let Some(mut window) = window(&mut stage) else { return };
    for number in 0.. {
        let mut wanted = paragraphs(&window);
        let appends = window.appends().len();
        window.types("hold");
        // The window's person has stopped it before these come.
        let texts = ["one & only", "two < three", "three"].map(|text| format!("{text} {number}"));
        let mut carol = stage.server.irc("carol");
        carol.join("#lobby");
        texts.iter().for_each(|text| carol.send(&format!("PRIVMSG #lobby :{text}")));
        carol.send("QUIT");
        stage.visit("carol");
        stage.alice.settle();
        window.types("go");
        let end = format!("carol: {}\ncarol has left the chat room.", texts[2]);
        window.wait(|screen| screen.ends_with(&end), "all of it");
        wanted.push("carol has joined the chat room.".to_owned());
        wanted.extend(texts.map(|text| format!("carol: {text}")));
        wanted.push("carol has left the chat room.".to_owned());
        assert_eq!(paragraphs(&window), wanted);
        // Where this machine was slow to stop it or to write, they came one by one: once more.
        if window.appends().len() == appends + 1 {
            break;
        }
        assert!(number < 50, "this machine is too busy for this test");
    }
}

#[test]
fn closing_the_window_is_a_good_bye() {
    let mut stage = Stage::open(&[]);
    let Some(mut window) = window(&mut stage) else { return };
    window.says("again");
    window.says("and again");
    stage.hears("小明", "again");
    stage.hears("小明", "and again");
    window.types("leave");
    let visit = stage.visit("小明");
    assert!(visit.said.is_empty() && visit.why.contains("left the chat room"), "{visit:?}");
    assert!(window.ends());
}
