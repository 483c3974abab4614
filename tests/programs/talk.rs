//! What every kind of program can do: talk and be talked to.

use crate::kind::{ALL, NAMED, Names, Stage};

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
