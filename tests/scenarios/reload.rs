//! Files that a running server reads again: SIGHUP, and `/reload` at the console.

use std::fs;

use parlor_tests::{Deadline, Irc, Launch, Scratch, Server};

use crate::options_file::is_told;

/// A folder with a file of options, and a server of it.
struct Setup {
    scratch: Scratch,
    server: Server,
    /// Lines of the log about reloading, so far.
    told: usize,
}

const BIND: &str = "bind 127.0.0.1:0\n";

impl Setup {
    fn new(options: &str) -> Setup {
        let scratch = Scratch::new();
        let _ = scratch.write("motd", "Tea at five.\n");
        let file = scratch.write("server.conf", format!("{BIND}{options}"));
        // Without a terminal, wherever the tests run.
        let launch = Launch::new(&["--config", &file]).without_defaults();
        Setup { scratch, server: launch.through_shell("exec setsid \"$@\"").start(), told: 0 }
    }

    /// Writes another file of options in the place of the one before.
    fn write(&self, options: &str) {
        let _ = self.scratch.write("new", format!("{BIND}{options}"));
        fs::rename(self.scratch.file("new"), self.scratch.file("server.conf")).expect("the folder is ours");
    }

    /// The one line of the log that comes of a SIGHUP.
    #[track_caller]
    fn hangup(&mut self) -> String {
        self.server.signal("HUP");
        self.told += 1;
        let deadline = Deadline::after(Deadline::DEFAULT);
        let lines = self.server.log().wait_many("*reloaded*", self.told, deadline);
        assert_eq!(lines.len(), self.told, "{}", self.server.log().text());
        lines.last().cloned().unwrap_or_default()
    }

    #[track_caller]
    fn reload(&mut self, options: &str) {
        self.write(options);
        assert_eq!(self.hangup(), "reloaded");
    }

    fn motd(&self, irc: &mut Irc) -> Vec<String> {
        let lines = irc.ask_all("MOTD");
        lines.iter().filter(|m| m.command == "372").map(|m| m.last().to_owned()).collect()
    }

    /// Whether one more may connect.
    fn lets_in(&self) -> bool {
        let mut irc = Irc::connect(&self.server);
        irc.send("PING x");
        irc.expect_any(&["PONG", "ERROR"]).command == "PONG"
    }
}

#[test]
fn sighup_has_new_limits_and_texts_used_at_once() {
    let mut setup = Setup::new("data d\nmotd motd\nmax-clients-per-ip 1\nflood 1\nreplay 0\n");
    let mut alice = setup.server.irc_with("alice", &["echo-message"]);
    alice.join("#lobby");
    assert_eq!(setup.motd(&mut alice), ["- Tea at five."]);
    assert!(!setup.lets_in());
    let _ = setup.scratch.write("motd", "Tea at six.\n");
    setup.reload("data d\nmotd motd\nmax-clients-per-ip 5\nflood 1000\nreplay 2\n");
    assert_eq!(setup.motd(&mut alice), ["- Tea at six."]);
    assert!(setup.lets_in());
    // At the rate before it would take 80 s.
    (0..100).for_each(|number| alice.send(&format!("PRIVMSG #lobby :{number}")));
    alice.expect("PRIVMSG #lobby 99");
    let shown = |server: &Server, nick: &str| {
        let mut irc = server.irc(nick);
        irc.send("JOIN #lobby");
        let lines = irc.settle();
        lines.iter().filter(|m| m.command == "PRIVMSG").count()
    };
    assert_eq!(shown(&setup.server, "bob"), 2);
    setup.reload("data d\nmax-clients 2\nmax-clients-per-ip 5\nkeep-lines 1\n");
    assert_eq!(setup.motd(&mut alice), [""; 0]);
    setup.server.wait_log("left: bob *");
    assert_eq!(shown(&setup.server, "carol"), 1, "what is beyond what is kept is told to nobody");
    setup.server.wait_log("left: carol *");
    let _bob = setup.server.irc("bob");
    assert!(!setup.lets_in(), "two are all");
}

#[test]
fn what_waits_for_a_restart_is_named_if_it_changed() {
    let mut setup = Setup::new("no-history\nflood off\nname one.example\n");
    let mut alice = setup.server.irc("alice");
    assert_eq!(setup.hangup(), "reloaded");
    setup.write("no-history\nname two.example\nno-plain\nreplay 3\n");
    let line = setup.hangup();
    assert!(line.starts_with("warn: reloaded, but "), "{line}");
    for (name, changed) in [("--name", true), ("--no-plain", true), ("--flood", true), ("--bind", false)] {
        assert_eq!(line.contains(name), changed, "{name} in {line}");
    }
    assert!(!line.contains("--replay") && !line.contains("history"), "{line}");
    is_told(&mut alice, "VERSION", "351 alice * one.example *");
    setup.reload("no-history\nflood off\nname one.example\n");
}

#[test]
fn a_file_that_is_wrong_changes_nothing_at_all() {
    let good = "no-history\nflood off\nmotd motd\nmax-clients-per-ip 2\n";
    let mut setup = Setup::new(good);
    let mut alice = setup.server.irc("alice");
    let (config, motd) = (setup.scratch.file("server.conf"), setup.scratch.file("motd"));
    let _ = setup.scratch.write("motd", "Tea at six.\n");
    let unchanged = |setup: &mut Setup, alice: &mut Irc, names: &str| {
        let line = setup.hangup();
        assert!(line.starts_with("error: not reloaded, nothing has changed: "), "{line}");
        assert!(line.contains(names), "{names:?} in {line}");
        assert_eq!(setup.motd(alice), ["- Tea at five."], "{names}");
        let _second = setup.server.irc("bob");
        assert!(!setup.lets_in(), "{names}");
        drop(_second);
        setup.server.wait_log("left: bob *");
    };
    setup.write("motd motd\nno-history\nmax-clients-per-ip 9\nflood often\n");
    unchanged(&mut setup, &mut alice, "line 5");
    // As it is while it is being written: cut within a line, and before the first one.
    setup.write("no-history\nmax-clients-per-ip 90");
    unchanged(&mut setup, &mut alice, "half written");
    fs::write(&config, "").expect("the file is ours");
    unchanged(&mut setup, &mut alice, "half written");
    setup.write("no-history\nflood off\nmotd motd\nmax-clients-per-ip 9\nmax-clients 100000000\n");
    unchanged(&mut setup, &mut alice, "--max-clients 100000000");
    fs::remove_file(&config).expect("the file is ours");
    unchanged(&mut setup, &mut alice, &config);
    let made = std::process::Command::new("mkfifo").arg(&config).status();
    assert!(made.expect("coreutils are there").success());
    unchanged(&mut setup, &mut alice, &config);
    // The message of the day is gone, and the options beside it are right.
    setup.write("no-history\nflood off\nmotd motd\nmax-clients-per-ip 9\n");
    fs::remove_file(&motd).expect("the file is ours");
    unchanged(&mut setup, &mut alice, &motd);
    let _ = setup.scratch.write("motd", "Tea at seven.\n");
    assert_eq!(setup.hangup(), "reloaded");
    assert_eq!(setup.motd(&mut alice), ["- Tea at seven."]);
}

#[test]
fn a_storm_of_sighups_holds_nobody_up_and_the_last_one_counts() {
    let setup = Setup::new("no-history\nmotd motd\nflood off\n");
    let mut alice = setup.server.irc("alice");
    for _ in 0..50 {
        setup.server.signal("HUP");
        alice.settle();
    }
    let _ = setup.scratch.write("motd", "Tea at six.\n");
    setup.server.signal("HUP");
    let deadline = Deadline::after(Deadline::DEFAULT);
    while setup.motd(&mut alice) != ["- Tea at six."] {
        assert!(deadline.left().is_some(), "{}", setup.server.log().text());
    }
}

#[test]
fn the_console_and_a_server_operator_may_ask_for_it_too() {
    let scratch = Scratch::new();
    let motd = scratch.write("motd", "Tea at five.\n");
    let key = scratch.write_secret("oper", "0123456789abcdef0123456789abcdef\n");
    let mut server = Server::start(&["--motd", &motd, "--oper-file", &key]);
    let mut alice = server.irc("alice");
    let _ = scratch.write("motd", "Tea at six.\n");
    server.console("/reload");
    server.wait_log("reloaded*");
    is_told(&mut alice, "MOTD", "372 alice :- Tea at six.");
    let _ = scratch.write("motd", "Tea at seven.\n");
    is_told(&mut alice, "OPER me 0123456789abcdef0123456789abcdef", "381 alice *");
    is_told(&mut alice, "CONSOLE :/reload", "NOTICE alice :*read again*");
    let deadline = Deadline::after(Deadline::DEFAULT);
    assert_eq!(server.log().wait_many("reloaded*", 2, deadline).len(), 2);
    is_told(&mut alice, "MOTD", "372 alice :- Tea at seven.");
    // Where there is nothing to be read.
    let mut bare = Server::start(&[]);
    bare.console("/reload");
    bare.wait_log("warn: not reloaded: *");
    let _still_there = bare.irc("alice");
}
