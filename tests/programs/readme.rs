//! The client in the README is run as it stands there.

use std::fs;
use std::path::Path;

use parlor_tests::{Scratch, Server};

use crate::program::Program;

#[test]
fn the_shortest_client_works() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(readme).expect("the project has one");
    let code = readme.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    let code = code.expect("a client in Python is in the README");
    let lines = code.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= 10, "{lines} lines");
    assert!(code.contains("\"127.0.0.1\", 49806"), "where a server listens unless told otherwise");

    let server = Server::start(&[]);
    let port = server.address().port().to_string();
    let scratch = Scratch::new();
    let path = scratch.write("client.py", code.replace("49806", &port));
    let mut alice = server.irc("alice");
    alice.join("#lobby");
    let Some(mut bob) = Program::run("python3", &["-u", &path]) else { return };
    alice.expect(":bob!*@* JOIN #lobby");
    for text in ["hello", "你好 ☕", "R&D"] {
        bob.types(text);
        assert_eq!(alice.expect(":bob!*@* PRIVMSG #lobby *").last(), text);
        alice.send(&format!("PRIVMSG #lobby :{text} to you"));
        bob.shows(&format!("<alice> {text} to you"));
    }
    bob.closes();
    alice.expect(":bob!*@* QUIT *");
    assert!(bob.ends(), "with its person's last line it has ended");
}
