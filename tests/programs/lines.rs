//! Where one message ends and the next begins, in programs that know no line ends.

use parlor_tests::Deadline;

use crate::kind::{ALL, BARE, CONSOLE, Kind, NAMED, Names, Stage};

/// What a program of this kind says in a test.
fn words(kind: &Kind, plain: &'static str, chinese: &'static str) -> &'static str {
    if kind.ascii { plain } else { chinese }
}

/// Everything but white space, which may be lost where a long message is cut.
fn letters(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn two_quick_messages_are_two() {
    for kind in NAMED {
        let mut stage = Stage::open(&[]);
        let Some(mut program) = stage.start(kind) else { return };
        let texts = [words(kind, "one tea", "一杯茶"), words(kind, "two teas", "两杯茶")];
        // As quick as fingers, and in one write.
        texts.iter().for_each(|text| program.says(text));
        texts.iter().for_each(|text| stage.hears(kind.name, text));
        program.types(&format!("rush {}", texts.join("\t")));
        texts.iter().for_each(|text| stage.hears(kind.name, text));
        program.types("leave");
        assert!(stage.visit(kind.name).said.is_empty(), "{kind:?} said nothing else");
    }
}

#[test]
fn many_quick_messages_are_as_many() {
    for kind in NAMED {
        let mut stage = Stage::open(&[]);
        let Some(mut program) = stage.start(kind) else { return };
        let texts: Vec<String> = (0..20).map(|n| format!("{n}{}", words(kind, " teas", "杯茶"))).collect();
        program.types(&format!("rush {}", texts.join("\t")));
        program.types("leave");
        assert_eq!(stage.visit(kind.name).said, texts, "{kind:?}");
        program.ends();
        for text in &texts {
            let line = kind.line(kind.name, text);
            assert!(program.screen().matches(&line).count() <= 1, "{line:?} came back twice");
        }
    }
}

#[test]
fn what_carries_no_name_may_run_together_but_nothing_is_lost() {
    let mut stage = Stage::open(&[]);
    let Some(mut program) = stage.start(&BARE) else { return };
    for text in ["one tea ", "and another"] {
        program.says(text);
    }
    program.types("leave");
    let visit = stage.visit("guest1");
    assert_eq!(letters(&visit.said.concat()), "oneteaandanother");
}

#[test]
fn a_paste_is_a_line_each() {
    for kind in ALL {
        let mut stage = Stage::open(&[]);
        let Some(mut program) = stage.start(kind) else { return };
        let lines = [words(kind, "first of all", "第一行"), "", "  indented: text", "last one"];
        program.says(&lines.join("\n"));
        for text in [lines[0], "indented: text", "last one"] {
            let said = stage.alice.expect("PRIVMSG #lobby *");
            assert_eq!((said.nick(), said.last().trim()), (kind.name, text), "{kind:?}");
        }
        program.types("leave");
        assert!(stage.visit(kind.name).said.is_empty(), "{kind:?} said nothing else");
    }
}

#[test]
fn a_long_message_comes_whole() {
    for kind in ALL {
        let long = words(kind, "x", "明").repeat(if kind.ascii { 5000 } else { 1666 });
        let sentence = words(kind, "tea and cake ", "茶 and 蛋糕 ").repeat(5000 / 13);
        for text in [long, sentence] {
            let mut stage = Stage::open(&[]);
            let Some(mut program) = stage.start(kind) else { return };
            program.says(&text);
            let mut heard = String::new();
            while letters(&heard).len() < letters(&text).len() {
                heard += stage.alice.expect(format!(":{}!*@* PRIVMSG #lobby *", kind.name).as_str()).last();
            }
            assert!(letters(&heard) == letters(&text), "{kind:?}: {heard}");
            // What comes back is more than one `recv` of such a program takes; Tkinter's kind dies of half a character.
            drop(program);
            assert!(stage.visit(kind.name).said.is_empty(), "{kind:?} said nothing else");
        }
    }
}

#[test]
fn a_message_about_oneself_stays_whole() {
    for kind in NAMED {
        let mut stage = Stage::open(&[]);
        let Some(mut program) = stage.start(kind) else { return };
        let about = match kind.names {
            Names::InHtml => vec![format!("I told {}: no", kind.name), format!("({}: no)", kind.name)],
            _ => {
                let no = kind.message("no");
                vec![format!("I told {no}"), format!("({no})"), format!("\"{no}\""), format!("[{no}]")]
            }
        };
        for text in &about {
            program.says(text);
            stage.hears(kind.name, text);
        }
        // Also in the middle of others.
        program.types(&format!("rush one\t{}\tthree", about[0]));
        for text in ["one", &about[0], "three"] {
            stage.hears(kind.name, text);
        }
        program.types("leave");
        assert!(stage.visit(kind.name).said.is_empty(), "{kind:?} said nothing else");
    }
}

#[test]
fn the_name_of_somebody_else_begins_no_message() {
    let mut stage = Stage::open(&[]);
    let Some(mut program) = stage.start(&CONSOLE) else { return };
    for text in ["alice: bob: you too", "bobby: no", "alice: hi", "see: this"] {
        program.says(text);
        stage.hears("bob", text);
    }
    program.types("rush one\talice: two\tthree");
    for text in ["one", "alice: two", "three"] {
        stage.hears("bob", text);
    }
}

#[test]
fn both_names_of_a_renamed_program_begin_a_message() {
    let mut stage = Stage::open(&[]);
    let mut bob = stage.asked();
    bob.send_bytes("alice");
    stage.joined("alice2");
    for bytes in ["alice: onealice: two", "alice2: onealice2: two"] {
        bob.send_bytes(bytes);
        stage.hears("alice2", "one");
        stage.hears("alice2", "two");
    }
}

#[test]
fn a_message_in_pieces_is_one() {
    let mut stage = Stage::open(&[]);
    let mut bob = stage.asked();
    bob.send_bytes("bob");
    stage.joined("bob");
    for number in 0.. {
        let together = Deadline::after(std::time::Duration::from_millis(50));
        for piece in ["bo".to_owned(), format!("b: kett{number}"), "le".to_owned()] {
            bob.send_bytes(piece);
        }
        let in_time = together.left().is_some();
        let said = stage.alice.expect(":bob!*@* PRIVMSG #lobby *");
        // Where this machine paused in between, the quiet was real: once more.
        if in_time {
            assert_eq!(said.last(), format!("kett{number}le"));
            break;
        }
        assert!(number < 50, "this machine is too busy for this test");
    }
}
