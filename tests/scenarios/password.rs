//! A server with a password: PASS, and who can give none.

use parlor_tests::{Irc, Launch, Scratch};

#[test]
fn only_who_gives_the_password_gets_in() {
    let home = Scratch::new();
    let file = home.write_secret("password", "open-sesame\n");
    let server = home.server(&["--password-file", &file]);
    let mut irc = Irc::connect(&server);
    irc.send("PASS open-sesame");
    irc.send("NICK alice");
    irc.send("USER u 0 * :r");
    irc.expect("001 alice *");
    for first in ["PASS wrong", "PING x"] {
        let mut irc = Irc::connect(&server);
        irc.send(first);
        irc.send("NICK bob");
        irc.send("USER u 0 * :r");
        irc.expect("464 bob *");
        let told = irc.expect_closed();
        assert!(told.iter().any(|line| line.command == "ERROR"), "{told:?}");
    }
    // At a terminal it is asked, and may come from a script.
    let mut bob = server.plain();
    bob.send("bob");
    bob.expect("-!- This server has a password. Type it (it is shown as you type).");
    bob.send("no");
    bob.expect("-!- Wrong password.");
    bob.send("open-sesame");
    bob.expect("-!- Welcome to parlor.local, bob. *");
    let mut script = server.plain();
    script.send_bytes("carol\nopen-sesame\nhi\n");
    script.expect("-!- Welcome to parlor.local, carol. *");
    bob.expect("<carol> hi");
    let mut eve = server.plain();
    eve.send("eve");
    for guess in ["one", "two", "three"] {
        eve.expect("*Type it*");
        eve.send(guess);
    }
    assert!(String::from_utf8_lossy(&eve.read_to_end()).contains("Three wrong passwords"));
}

#[test]
fn a_password_that_some_could_not_give_or_others_read_is_refused_at_the_start() {
    let home = Scratch::new();
    let file = home.write_secret("password", "open-sesame");
    let (short, open) = (home.write_secret("short", "abc"), home.write("open", "open-sesame"));
    let absent = home.file("absent");
    for (args, code, sentence) in [
        (&["--password-file", &*file, "--raw-bind", "0.0.0.0:0"][..], 64, "Raw clients can give no password"),
        (&["--password-file", &short], 66, "holds no password"),
        (&["--password-file", &absent], 66, "Cannot read"),
        (&["--password-file", &open], 77, "Others can read the key"),
    ] {
        let ended = Launch::new(args).run();
        assert_eq!(ended.code, code, "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(sentence), "{args:?}: {}", ended.stderr);
    }
    let server = Launch::new(&["--password-file", &file, "--raw-bind", "127.0.0.1:0"]).start();
    assert!(server.raw_address().ip().is_loopback());
}
