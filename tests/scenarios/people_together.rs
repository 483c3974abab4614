//! `nc`, an IRC program and a raw client in one room.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};

use parlor_tests::{Deadline, Lines, Plain, Server, needs};

/// The real `nc` of netcat-openbsd; killed on drop.
struct Nc {
    child: Child,
    keyboard: Option<ChildStdin>,
    screen: Lines,
}

impl Nc {
    /// `None` where it is not installed.
    fn run(server: &Server, options: &[&str]) -> Option<Self> {
        if !needs::have(&[needs::NC]) {
            return None;
        }
        let address = server.address();
        let mut child = Command::new("nc")
            .args(options)
            .args([address.ip().to_string(), address.port().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it is installed");
        let screen = Lines::drain(child.stdout.take().expect("asked for above"));
        Some(Self { keyboard: child.stdin.take(), child, screen })
    }

    #[track_caller]
    fn types(&mut self, text: &str) {
        let keyboard = self.keyboard.as_mut().expect("it has not been closed");
        keyboard.write_all(text.as_bytes()).expect("nc reads its keyboard");
    }

    #[track_caller]
    fn shows(&self, pattern: &str) {
        let seen = self.screen.wait(pattern, Deadline::after(Deadline::DEFAULT));
        assert!(seen.is_some(), "{pattern:?} was never on the screen:\n{}", self.screen.text());
    }
}

impl Drop for Nc {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn all_see_all() {
    let server = Server::start(&["--raw-bind", "127.0.0.1:0"]);
    let mut alice = crate::plain::in_lobby(&server, "alice");
    let Some(mut bob) = Nc::run(&server, &[]) else { return };
    bob.shows(":parlor.local NOTICE * :Type a nickname and press Enter");
    bob.types("alice\n");
    bob.shows("-!- The name alice is taken. Type another one.");
    bob.types("bob\n");
    bob.shows("-!- Welcome to parlor.local, bob. *");
    alice.expect(":bob!*@* JOIN #lobby");
    let mut python = Plain::connect_to(server.raw_address());
    assert_eq!(python.chunk(), b"NICK");
    python.send_bytes("python");
    alice.expect(":python!*@* JOIN #lobby");
    bob.shows("-!- python joined*");
    python.expect("Connected to server!");
    let mut qt = Plain::connect_to(server.raw_address());
    qt.send_bytes("qt：I am here");
    alice.expect(":qt!*@* PRIVMSG #lobby :I am here");
    bob.shows("<qt> I am here");
    python.expect("qt: I am here");

    alice.send("PRIVMSG #lobby :tea & cake?");
    bob.shows("<alice> tea & cake?");
    python.expect("alice: tea & cake?");
    qt.expect("alice：tea & cake?");

    bob.types("yes, both\n");
    alice.expect(":bob!*@* PRIVMSG #lobby :yes, both");
    python.expect("bob: yes, both");
    qt.expect("bob：yes, both");

    python.send_bytes("python: only tea");
    alice.expect(":python!*@* PRIVMSG #lobby :only tea");
    bob.shows("<python> only tea");
    qt.expect("python：only tea");

    let names = alice.ask_all("NAMES #lobby");
    let here = names.iter().find(|m| m.command == "353").expect("a list");
    let mut here: Vec<&str> = here.last().split(' ').collect();
    here.sort_unstable();
    assert_eq!(here, ["alice", "bob", "python", "qt"]);

    // Ctrl-C at the terminal.
    drop(bob);
    alice.expect(":bob!*@* QUIT *");
}

#[test]
fn two_terminals_talk() {
    let server = Server::start(&[]);
    let Some(mut one) = Nc::run(&server, &[]) else { return };
    let Some(mut two) = Nc::run(&server, &[]) else { return };
    one.types("小明\n");
    one.shows("-!- Welcome to parlor.local, 小明. *");
    two.types("Zoë\n");
    one.shows("-!- Zoë joined*");
    two.shows("-!- Welcome *");
    one.types("你好\n");
    two.shows("<小明> 你好");
    two.types("/me waves\n/quit bye\n");
    one.shows("* Zoë waves*");
    one.shows("-!- Zoë left (*bye)");
    // The server has hung up: without that, nc would go on when its keyboard has ended.
    two.keyboard = None;
    assert!(two.screen.wait_end(Deadline::after(Deadline::DEFAULT)), "the server hangs up");
}

#[test]
fn a_script_pipes_a_line_into_the_room() {
    let server = Server::start(&[]);
    let mut alice = crate::plain::in_lobby(&server, "alice");
    let Some(mut script) = Nc::run(&server, &["-N"]) else { return };
    // printf 'bob\nhi\n' | nc -N
    script.types("bob\nhi\n");
    script.keyboard = None;
    alice.expect(":bob!*@* JOIN #lobby");
    alice.expect(":bob!*@* PRIVMSG #lobby hi");
    alice.expect(":bob!*@* QUIT *");
    assert!(script.screen.wait_end(Deadline::after(Deadline::DEFAULT)), "nc has ended by itself");
    script.shows("-!- Welcome to parlor.local, bob. *");
}
