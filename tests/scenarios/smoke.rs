//! The shortest way through everything: an IRC program, `nc`, a raw client, the console, the end.

use parlor_tests::{Irc, Launch, Message, Plain, Server};

#[test]
fn three_kinds_of_people_talk_until_the_server_is_stopped() {
    let mut server = Server::start(&["--raw-bind", "127.0.0.1:0"]);
    let mut alice = server.irc("alice");
    alice.join("#lobby");
    let mut bob = server.plain();
    bob.send("bob");
    bob.expect("-!- Welcome to parlor.local, bob.*");
    let mut raw = Plain::connect_to(server.raw_address());
    assert_eq!(raw.chunk(), b"NICK");
    raw.send_bytes("carol");
    alice.expect(":carol!*@* JOIN #lobby");
    server.wait_log("joined: bob from 127.0.0.1:* to #lobby");

    bob.send("hi all");
    alice.expect(":bob!*@* PRIVMSG #lobby :hi all");
    raw.expect("bob: hi all");
    raw.send_bytes("carol: hi bob");
    bob.expect("<carol> hi bob");
    alice.expect(":carol!*@* PRIVMSG #lobby :hi bob");
    alice.send("PRIVMSG #lobby :hi both");
    bob.expect("<alice> hi both");
    raw.expect("alice: hi both");

    server.console("tea is ready");
    alice.expect(":parlor.local NOTICE #lobby :tea is ready");
    bob.expect("-!- server: tea is ready");
    raw.expect("server: tea is ready");
    server.console("/who");
    server.wait_stdout("*alice*127.0.0.1:*");

    server.close_console();
    assert_eq!(server.stop(), 0);
    let last = alice.expect_closed();
    assert!(last.last().is_some_and(|m: &Message| m.is_like("ERROR :Closing link: *")), "{last:?}");
    bob.read_to_end();
    raw.read_to_end();
}

#[test]
fn a_server_without_a_console_runs_as_well() {
    let server = Launch::new(&[]).without_console().start();
    let mut alice = Irc::connect(&server).register("alice");
    alice.settle();
    server.signal("INT");
    assert_eq!(server.wait().code, 0);
}

#[test]
fn help_and_wrong_options_end_at_once() {
    let help = Launch::new(&["--help"]).without_defaults().run();
    assert_eq!(help.code, 0, "{help:?}");
    assert!(help.stdout.contains("--bind"), "{help:?}");
    let wrong = Launch::new(&["--no-such-option"]).without_defaults().run();
    assert_eq!(wrong.code, 64, "{wrong:?}");
    assert_eq!(wrong.stdout, "");
    assert!(wrong.stderr.starts_with("server: "), "{wrong:?}");
}
