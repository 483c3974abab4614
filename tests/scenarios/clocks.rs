//! A computer whose clock is wrong: `faketime` moves it under the real program.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::PathBuf;

use parlor_tests::needs::have;
use parlor_tests::{Irc, Launch, Message, Scratch, Server};

/// A clock of its own for a server, right until it is [set](Self::set).
struct Clock {
    scratch: Scratch,
    library: PathBuf,
}

impl Clock {
    fn new() -> Option<Clock> {
        if !have(&[("faketime", "faketime")]) {
            return None;
        }
        let folders = fs::read_dir("/usr/lib").expect("a Linux").flatten();
        let library = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
        let library = library.into_iter().find(|path| path.exists()).expect("faketime has a library");
        let clock = Clock { scratch: Scratch::new(), library };
        clock.set("+0");
        Some(clock)
    }

    /// How far it is ahead: `+30d`, `-1d`.
    fn set(&self, ahead: &str) {
        let draft = self.scratch.write("draft", ahead);
        fs::rename(draft, self.scratch.file("offset")).expect("the folder is ours");
    }

    fn server(&self, home: &Scratch, options: &[&str]) -> Server {
        let folder = home.path().display().to_string();
        Launch::new(&[&["--data", &folder], options].concat())
            .env("LD_PRELOAD", &self.library.display().to_string())
            .env("FAKETIME_TIMESTAMP_FILE", &self.scratch.file("offset"))
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1")
            .start()
    }
}

const CAPS: [&str; 5] = ["batch", "draft/chathistory", "message-tags", "server-time", "echo-message"];

fn alice(server: &Server) -> Irc {
    let mut alice = server.irc_with("alice", &CAPS);
    alice.join("#tea");
    alice
}

/// Says a line and gives its echo.
fn say(irc: &mut Irc, text: &str) -> Message {
    irc.send(&format!("PRIVMSG #tea :{text}"));
    irc.expect(format!("PRIVMSG #tea {text}").as_str())
}

fn year(message: &Message) -> u32 {
    message.tag("time").and_then(|time| time.get(..4)?.parse().ok()).expect("a time")
}

/// What the room remembers, in order.
fn told(irc: &mut Irc) -> Vec<String> {
    let page = irc.ask_batch("CHATHISTORY LATEST #tea * 100");
    page.iter().filter(|m| m.command == "PRIVMSG").map(|m| m.param(1).to_owned()).collect()
}

#[test]
fn a_line_has_the_time_of_the_clock_and_its_place_in_the_order() {
    let Some(clock) = Clock::new() else { return };
    let home = Scratch::new();
    let server = clock.server(&home, &[]);
    let mut member = alice(&server);
    let now = year(&say(&mut member, "one"));
    clock.set("+10957d");
    let ahead = say(&mut member, "two");
    assert_eq!(year(&ahead), now + 30);
    clock.set("+0");
    let right = say(&mut member, "three");
    assert_eq!(year(&right), now, "one wrong moment does not date the rest");
    assert!(right.tag("msgid") > ahead.tag("msgid"), "{right} after {ahead}");
    clock.set("-10957d");
    assert_eq!(year(&say(&mut member, "four")), now - 30);
    assert_eq!(told(&mut member), ["one", "two", "three", "four"]);
    server.crash();
    clock.set("+0");
    let server = clock.server(&home, &[]);
    let mut member = alice(&server);
    let last = say(&mut member, "five");
    assert!(year(&last) == now && last.tag("msgid") > right.tag("msgid"), "{last}");
    assert_eq!(told(&mut member), ["one", "two", "three", "four", "five"]);
    let page = member.ask_batch("CHATHISTORY LATEST #tea * 100");
    let years: Vec<u32> = page.iter().filter(|m| m.command == "PRIVMSG").map(year).collect();
    assert_eq!(years, [now, now + 30, now, now - 30, now]);
    // By time each is found where its own time is.
    let between = |from: u32, to: u32| {
        let time = |year: u32| format!("timestamp={year}-01-01T00:00:00.000Z");
        format!("CHATHISTORY BETWEEN #tea {} {} 100", time(from), time(to))
    };
    for (from, to, texts) in [
        (now, now + 1, &["one", "three", "five"][..]),
        (now + 29, now + 32, &["two"]),
        (now - 31, now - 28, &["four"]),
    ] {
        let page = member.ask_batch(&between(from, to));
        let found: Vec<&str> = page.iter().filter(|m| m.command == "PRIVMSG").map(|m| m.param(1)).collect();
        assert_eq!(found, texts, "{from} to {to}");
    }
    assert_eq!(server.stop(), 0);
    let folder = home.path().display().to_string();
    let export = Launch::new(&["--data", &folder, "--export", "#tea"]).without_defaults().run().stdout;
    assert!(export.lines().any(|line| line.starts_with(&format!("{}-", now + 30)) && line.ends_with("two")));
}

#[test]
fn a_jump_to_the_future_hides_nothing() {
    let Some(clock) = Clock::new() else { return };
    let home = Scratch::new();
    let keep = ["--keep", "30d"];
    let server = clock.server(&home, &keep);
    let mut member = alice(&server);
    say(&mut member, "one");
    clock.set("+10957d");
    say(&mut member, "two");
    // A question tells the time, too.
    for _ in 0..3 {
        assert_eq!(told(&mut member), ["one", "two"]);
    }
    assert_eq!(server.stop(), 0);
    // The next start is under the same clock, the one after it under a right one.
    for ahead in ["+10957d", "+0", "-20000d", "+0"] {
        clock.set(ahead);
        let server = clock.server(&home, &keep);
        assert_eq!(told(&mut alice(&server)), ["one", "two"], "{ahead}");
        server.crash();
    }
}
