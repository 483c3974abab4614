//! A server with a password: PASS, and who can give none.

use parlor_tests::{Irc, Launch, Scratch};

use crate::sasl::{asking, claimed, plain};

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
fn before_it_nobody_claims_a_name_or_tries_one() {
    let home = Scratch::new();
    let server = home.server(&[]);
    claimed(&server, "bob", "sesame");
    assert_eq!(server.stop(), 0);
    let file = home.write_secret("password", "open-sesame\n");
    let server = home.server(&["--password-file", &file]);
    let mut eve = asking(&server, "eve");
    eve.ask("REGISTER * * secret123", "FAIL REGISTER TEMPORARILY_UNAVAILABLE eve *PASS*");
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "EXTERNAL"] {
        eve.ask(&format!("AUTHENTICATE {mechanism}"), "904 eve *PASS*");
    }
    eve.send("PASS open-sesame");
    eve.send("REGISTER * * secret123");
    eve.expect("REGISTER SUCCESS eve *");
    let mut bob = asking(&server, "bob");
    bob.send("PASS open-sesame");
    assert_eq!(plain(&mut bob, "bob", "sesame").command, "903");
    // Who is here has given it.
    eve.send("CAP END");
    eve.welcomed();
    eve.ask("NICK guest", "NICK guest");
    eve.ask("NS IDENTIFY bob sesame", "NOTICE guest :You are logged in as eve already");
}

#[test]
fn guesses_are_counted_for_their_address_however_often_it_comes_again() {
    let home = Scratch::new();
    let (password, oper) = (
        home.write_secret("password", "open-sesame\n"),
        home.write_secret("oper", "a-key-of-sixteen-letters\n"),
    );
    let options = ["--password-file", &*password, "--oper-file", &oper];
    let listeners = ["--bind", "127.0.0.1:0", "--bind", "[::1]:0"];
    let server = home.server(&[&options[..], &listeners].concat());
    let enter = |address, nick: &str| {
        let mut irc = Irc::connect_to(address);
        irc.send("PASS open-sesame");
        irc.register(nick)
    };
    let mut here = enter(server.address(), "here");
    let guess = |password: &str| {
        let mut irc = Irc::connect(&server);
        irc.send(&format!("PASS {password}"));
        irc.send("NICK eve");
        irc.send("USER u 0 * :r");
        irc.expect_closed().iter().any(|line| line.is_like("ERROR :*Too many wrong passwords*"))
    };
    assert_eq!((0..70).filter(|number| guess(&format!("guess{number}"))).count(), 6);
    assert!(guess("open-sesame"), "that one is not looked at, either");
    here.ask("OPER x a-key-of-sixteen-letters", "464 here :Too many wrong keys*");
    // Names are counted apart, and so is everybody else.
    here.send("NS REGISTER sesame");
    here.expect("900 here **");
    let mut there = enter(server.addresses()[1], "there");
    there.ask("OPER x a-key-of-sixteen-letterz", "464 there :Wrong key");
    there.send("OPER x a-key-of-sixteen-letters");
    there.expect("381 **");
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
