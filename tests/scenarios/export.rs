//! The history of a stopped server: --export.

use parlor_tests::needs::{Lack, skip};
use parlor_tests::{Deadline, Ended, Launch, Scratch, Server};

/// A folder with a history of #tea, and its path.
fn history() -> (Scratch, String) {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = server.irc_with("alice", &["message-tags", "echo-message"]);
    let mut bob = server.irc("bob");
    alice.join("#Tea");
    bob.join("#Tea");
    alice.settle();
    for line in [
        "PRIVMSG #tea :hello \"world\" \\ 小明\u{2028}\u{7f}",
        "@+parlor/id=0123456789abcdef0123456789abcdef;+x=a\\sb PRIVMSG #tea :tagged",
        "PRIVMSG #tea :\u{1}ACTION waves\u{1}",
        "NOTICE #tea :\u{3}04red\u{1b}[31m",
        "TOPIC #tea :leaves",
        "KICK #tea bob :out",
    ] {
        alice.send(line);
    }
    alice.settle();
    assert_eq!(server.stop(), 0);
    let folder = home.path().display().to_string();
    (home, folder)
}

fn run(options: &[&str]) -> Ended {
    Launch::new(options).without_defaults().run()
}

#[test]
fn a_text_for_people() {
    let (_home, folder) = history();
    for room in ["#tea", "#TEA"] {
        let ended = run(&["--data", &folder, "--export", room]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let lines: Vec<&str> = ended.stdout.lines().collect();
        assert!(
            lines.iter().all(|line| line.starts_with("20") && line.get(23..25) == Some("Z ")),
            "{lines:?}"
        );
        let told: Vec<&str> = lines.iter().map(|line| &line[25..]).collect();
        assert!(told.contains(&"<alice> tagged") && told.contains(&"* alice waves"), "{told:?}");
        assert!(told.contains(&"* alice TOPIC leaves") && told.contains(&"* alice KICK bob out"), "{told:?}");
        assert!(told.iter().any(|line| line.starts_with("<alice> hello \"world\" \\ 小明")), "{told:?}");
        assert!(!ended.stdout.contains('\u{1b}'), "a terminal is shown nothing that it obeys");
        assert!(ended.stderr.contains(&format!("{} records of", lines.len())), "{}", ended.stderr);
    }
}

#[test]
fn the_key_of_a_room_is_not_in_its_history() {
    let home = Scratch::new();
    let folder = home.path().display().to_string();
    let server = home.server(&[]);
    let mut alice = server.irc("alice");
    let mut bob = server.irc_with("bob", &["batch", "draft/chathistory", "draft/event-playback"]);
    alice.join("#tea");
    bob.join("#tea");
    alice.send("MODE #tea +lk-s 5 sesame");
    bob.expect("MODE #tea +lk 5 sesame");
    alice.settle();
    let told = bob.ask_batch("CHATHISTORY LATEST #tea * 10");
    assert!(told.iter().any(|m| m.raw.contains("MODE #tea +lk 5 *")), "{told:?}");
    assert!(!told.iter().any(|m| m.raw.contains("sesame")), "{told:?}");
    assert_eq!(server.stop(), 0);
    for format in ["text", "jsonl"] {
        let told = run(&["--data", &folder, "--export", "#tea", "--format", format]).stdout;
        assert!(told.contains("+lk 5 *") && !told.contains("sesame"), "{told}");
    }
    for name in home.path().read_dir().expect("it is ours") {
        let path = name.expect("it is ours").path();
        let holds = std::fs::read(&path).expect("it is ours").windows(6).any(|part| part == b"sesame");
        assert_eq!(holds, path.ends_with("rooms.log"), "{}: the room itself needs it", path.display());
    }
    let server = home.server(&[]);
    let mut carol = server.irc("carol");
    carol.send("JOIN #tea");
    carol.expect_numeric("475");
}

/// One JSON value, read strictly (RFC 8259); what follows it.
fn json(text: &str) -> Result<&str, String> {
    let wrong = || format!("no JSON: {text:.40}");
    match text.as_bytes().first().ok_or_else(wrong)? {
        b'{' => {
            let mut rest = &text[1..];
            loop {
                rest = string(rest)?.strip_prefix(':').ok_or_else(wrong)?;
                rest = json(rest)?;
                match rest.as_bytes().first() {
                    Some(b',') => rest = &rest[1..],
                    Some(b'}') => return Ok(&rest[1..]),
                    _ => return Err(wrong()),
                }
            }
        }
        b'"' => string(text),
        _ => Err(wrong()),
    }
}

fn string(text: &str) -> Result<&str, String> {
    let wrong = || format!("no string: {text:.40}");
    let inner = text.strip_prefix('"').ok_or_else(wrong)?;
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok(&inner[at + 1..]),
            '\\' => match chars.next().ok_or_else(wrong)?.1 {
                '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => {}
                'u' => {
                    let digits = (0..4).all(|_| chars.next().is_some_and(|(_, c)| c.is_ascii_hexdigit()));
                    digits.then_some(()).ok_or_else(wrong)?;
                }
                _ => return Err(wrong()),
            },
            c if c < ' ' => return Err(wrong()),
            _ => {}
        }
    }
    Err(wrong())
}

#[test]
fn json_for_programs() {
    let (_home, folder) = history();
    let ended = run(&["--data", &folder, "--export", "#tea", "--format", "jsonl"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for line in ended.stdout.lines() {
        assert_eq!(json(line), Ok(""), "{line}");
        for name in ["time", "msgid", "room", "kind", "from"] {
            assert!(line.contains(&format!("\"{name}\":\"")), "{name} in {line}");
        }
    }
    let line = |part: &str| ended.stdout.lines().find(|line| line.contains(part)).unwrap_or_default();
    assert!(
        line("tagged").contains(r#""tags":"+x=a\\sb;+parlor/id=d338baa78a0f613b508dff450bef276e""#),
        "{}",
        ended.stdout
    );
    assert!(line("hello").contains(r#"hello \"world\" \\ 小明"#), "{}", ended.stdout);
    assert!(line("KICK").contains(r#""text":"bob","more":"out""#), "{}", ended.stdout);
    assert!(line("ACTION").contains(r"\u0001ACTION waves\u0001"), "{}", ended.stdout);
    let ids: Vec<&str> =
        ended.stdout.lines().filter_map(|line| line.split("\"msgid\":\"").nth(1)?.get(..23)).collect();
    assert!(ids.len() > 5 && ids.is_sorted(), "{ids:?}");
}

#[test]
fn nothing_in_an_export_is_hidden_or_turned_around() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    alice.send("PRIVMSG #tea :a\u{202e}b\u{2066}c\u{200b}d\u{feff}e\u{e0041}f\u{200f}");
    alice.send("PRIVMSG #tea :👩\u{200d}🔬 ❤\u{fe0f} می\u{200c}خواهم");
    alice.settle();
    assert_eq!(server.stop(), 0);
    let folder = home.path().display().to_string();
    let text = run(&["--data", &folder, "--export", "#tea"]).stdout;
    assert!(text.contains(r"> a\u{202e}b\u{2066}c\u{200b}d\u{feff}e\u{e0041}f\u{200f}"), "{text}");
    assert!(text.contains("> 👩\u{200d}🔬 ❤\u{fe0f} می\u{200c}خواهم"), "{text}");
    let json = run(&["--data", &folder, "--export", "#tea", "--format", "jsonl"]).stdout;
    assert!(json.contains(r"a\u202eb\u2066c\u200bd\ufeffe\udb40\udc41f\u200f"), "{json}");
}

#[test]
fn since_leaves_out_what_is_older() {
    let (_home, folder) = history();
    let all = run(&["--data", &folder, "--export", "#tea"]).stdout;
    let export = |since: &str| run(&["--data", &folder, "--export", "#tea", "--since", since]);
    for since in ["2020-01-01", "2020-01-01T00:00:00Z", "1d"] {
        assert_eq!(export(since).stdout, all, "{since}");
    }
    assert_eq!(export("2999-01-01").stdout, "");
    // The line of that very moment counts.
    let last = all.lines().last().expect("lines");
    let at = export(&last[..24]);
    assert!(at.stdout.lines().last() == Some(last) && at.stdout.len() <= all.len(), "{}", at.stdout);
    for nonsense in ["yesterday", "2026-02-30", "2026-02-30T00:00:00Z", "2025-02-29"] {
        let ended = export(nonsense);
        assert_eq!((ended.code, ended.stdout.as_str()), (64, ""), "{nonsense}: {}", ended.stderr);
    }
}

#[test]
fn a_room_that_nobody_knows_is_66_and_those_that_are_known_are_named() {
    let (_home, folder) = history();
    let ended = run(&["--data", &folder, "--export", "#coffee"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (66, ""));
    assert!(ended.stderr.contains("#coffee") && ended.stderr.contains("#tea"), "{}", ended.stderr);
    // One of which nothing is kept is no error.
    let ended = run(&["--data", &folder, "--export", "#tea", "--since", "2999-01-01"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""));
    assert!(ended.stderr.contains("nothing is kept of #tea"), "{}", ended.stderr);
}

#[test]
fn what_is_not_there_is_not_made() {
    let home = Scratch::new();
    let folder = home.file("absent");
    let ended = run(&["--data", &folder, "--export", "#tea"]);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("absent"), "{}", ended.stderr);
    assert!(!std::path::Path::new(&folder).exists(), "an export makes nothing: {}", ended.stderr);
}

#[test]
fn what_is_not_kept_any_more_is_not_exported() {
    let (_home, folder) = history();
    let talk = |options: &[&str]| -> usize {
        let ended = run(&[&["--data", &folder, "--export", "#tea", "--format", "jsonl"], options].concat());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let is_talk = |line: &&str| line.contains("\"PRIVMSG\"") || line.contains("\"NOTICE\"");
        ended.stdout.lines().filter(is_talk).count()
    };
    assert_eq!(talk(&[]), 4);
    assert_eq!(talk(&["--keep-lines", "2"]), 2);
    assert_eq!(talk(&["--keep", "1h"]), 4);
    let deadline = Deadline::after(Deadline::DEFAULT);
    while talk(&["--keep", "1s"]) > 0 {
        assert!(deadline.left().is_some(), "a second has passed");
    }
}

#[test]
fn a_running_server_is_not_read_behind_its_back() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let folder = home.path().display().to_string();
    let ended = run(&["--data", &folder, "--export", "#lobby"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (69, ""), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("server: ") && ended.stderr.contains(&folder), "{}", ended.stderr);
    server.irc("alice").settle();
}

#[test]
fn options_that_do_not_go_together_are_64() {
    for options in [
        &["--export", "#tea", "--no-history"][..],
        &["--since", "1d"],
        &["--format", "text"],
        &["--export", "#tea", "--format", "xml"],
        &["--export"],
        &["--keep", "long"],
        &["--keep-lines", "0"],
        &["--keep-bytes", "lots"],
    ] {
        assert_eq!(run(options).code, 64, "{options:?}");
    }
}

#[test]
fn whoever_reads_an_export_may_stop_reading() {
    let (_home, folder) = history();
    let ended = Launch::new(&["--data", &folder, "--export", "#tea"])
        .without_defaults()
        .through_shell("\"$@\" | head -n 1")
        .run();
    assert_eq!((ended.code, ended.stdout.lines().count()), (0, 1), "{}", ended.stderr);
    if !std::path::Path::new("/dev/full").exists() {
        return skip(Lack::Forbidden("this machine has no /dev/full"));
    }
    let full = Launch::new(&["--data", &folder, "--export", "#tea"])
        .without_defaults()
        .through_shell("exec \"$@\" > /dev/full")
        .run();
    assert_eq!(full.code, 74, "{}", full.stderr);
}

#[test]
fn a_server_starts_again_where_it_was_exported() {
    let (home, folder) = history();
    assert_eq!(run(&["--data", &folder, "--export", "#tea"]).code, 0);
    let server: Server = home.server(&[]);
    let lines = server.irc("carol").join("#Tea");
    assert!(lines.iter().any(|m| m.is_like("332 carol #Tea leaves")), "{lines:?}");
}
