//! What two people who have accounts say to each other: kept for these two, and for nobody else.

use std::fs;

use parlor_tests::{Irc, Launch, Scratch, Server};

use crate::sasl::{asking, claimed, plain};

const CAPS: &[&str] =
    &["batch", "draft/chathistory", "echo-message", "message-tags", "server-time", "soju.im/search"];

/// Somebody with an account.
pub(crate) fn known(server: &Server, nick: &str, capabilities: &[&str]) -> Irc {
    let mut irc = asking(server, nick);
    irc.request(capabilities);
    plain(&mut irc, nick, "sesame");
    irc.send("CAP END");
    irc.welcomed();
    irc
}

fn claim_all(server: &Server) {
    ["alice", "bob", "eve"].iter().for_each(|nick| claimed(server, nick, "sesame"));
}

/// What was said in a page, and to whom.
fn page(irc: &mut Irc, ask: &str) -> Vec<String> {
    let lines = irc.ask_batch(ask);
    lines.iter().map(|m| format!("{} to {}: {}", m.nick(), m.param(0), m.last())).collect()
}

#[test]
fn a_private_line_waits_for_who_is_not_here_and_is_paged_and_found_by_these_two_alone() {
    let home = Scratch::new();
    let mut server = home.server(&[]);
    claim_all(&server);
    {
        let mut alice = known(&server, "alice", CAPS);
        alice.send("PRIVMSG bob :see you at nine");
        alice.expect("PRIVMSG bob *");
        alice.expect("301 alice bob :Not here; the line is kept until they come back");
        alice.send("PRIVMSG nobody :hello");
        alice.expect("401 alice nobody *");
    }
    server.crash();
    server = home.server(&[]);
    // Who asks by itself is told nothing twice; irssi and nc are told at once.
    let mut bob = known(&server, "bob", &["server-time"]);
    let told = bob.expect(":alice!*@* PRIVMSG bob *");
    assert!(told.last() == "see you at nine" && told.tag("time").is_some(), "{told:?}");
    bob.settle();
    bob.send("QUIT");
    bob.expect_closed();
    let mut bob = known(&server, "bob", &["server-time"]);
    assert!(bob.settle().iter().all(|m| m.command != "PRIVMSG"), "once is enough");
    drop(bob);
    let mut bob = known(&server, "bob", CAPS);
    let mut alice = known(&server, "alice", CAPS);
    bob.send("PRIVMSG alice :nine it is");
    alice.expect(":bob!*@* PRIVMSG alice *");
    for (irc, other) in [(&mut alice, "bob"), (&mut bob, "alice")] {
        let lines = ["alice to bob: see you at nine", "bob to alice: nine it is"];
        assert_eq!(page(irc, &format!("CHATHISTORY LATEST {other} * 10")), lines);
        assert_eq!(page(irc, "SEARCH text=see\\snine"), &lines[..1]);
        assert_eq!(page(irc, &format!("SEARCH in={other};text=nine")).len(), 2);
        let targets = irc.ask_batch(
            "CHATHISTORY TARGETS timestamp=2020-01-01T00:00:00.000Z timestamp=2040-01-01T00:00:00.000Z 10",
        );
        assert!(targets.iter().any(|m| m.param(1) == other), "{targets:?}");
    }
    // A third one reads nothing, with an account or without.
    let mut eve = known(&server, "eve", CAPS);
    assert!(page(&mut eve, "CHATHISTORY LATEST bob * 10").is_empty());
    assert!(page(&mut eve, "SEARCH text=nine").is_empty());
    let mut guest = server.irc_with("guest", CAPS);
    guest.ask("CHATHISTORY LATEST bob * 10", "FAIL CHATHISTORY INVALID_TARGET LATEST bob *");
    guest.ask("SEARCH in=bob;text=nine", "FAIL SEARCH INVALID_PARAMS in *");
    // No export has it, whatever the room is called.
    assert_eq!(server.stop(), 0);
    let folder = home.path().display().to_string();
    for room in ["bob", "alice", "\u{2}alice\u{2}bob", "\u{2}alice\u{2}0\u{2}bob\u{2}0", "#lobby"] {
        let ended = Launch::new(&["--data", &folder, "--export", room]).without_defaults().run();
        assert!(
            !ended.stdout.contains("nine") && !ended.stderr.contains('\u{2}'),
            "{room:?}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_terminal_is_told_what_was_said_to_its_person_and_says_something_to_who_is_away() {
    let server = Server::start(&[]);
    claim_all(&server);
    let mut alice = known(&server, "alice", CAPS);
    alice.send("PRIVMSG bob :for later");
    alice.expect("PRIVMSG bob *");
    let mut bob = server.plain();
    bob.send("bob");
    bob.expect("*password*");
    bob.send("sesame");
    bob.until("[alice to you] [*UTC] for later");
    alice.send("QUIT");
    alice.expect_closed();
    bob.send("/msg alice and this for you");
    bob.expect("-!- alice is away: Not here; the line is kept until they come back");
    let mut alice = known(&server, "alice", CAPS);
    assert_eq!(page(&mut alice, "CHATHISTORY LATEST bob * 10").len(), 2);
}

#[test]
fn a_line_that_is_sent_again_is_kept_once_and_taken_back_by_who_said_it() {
    let server = Server::start(&[]);
    claim_all(&server);
    let caps = [CAPS, &["draft/message-redaction"]].concat();
    let mut alice = known(&server, "alice", &caps);
    let mut bob = known(&server, "bob", &caps);
    let line = "@+parlor/id=0123456789abcdef0123456789abcdef PRIVMSG bob :once";
    alice.send(line);
    let first = alice.expect("PRIVMSG bob once");
    bob.expect("PRIVMSG bob once");
    alice.send(line);
    let again = alice.expect("PRIVMSG bob once");
    assert_eq!(again.tag("msgid"), first.tag("msgid"));
    bob.silent();
    let id = first.tag("msgid").expect("an id");
    bob.ask(&format!("REDACT alice {id}"), "FAIL REDACT REDACT_FORBIDDEN **");
    alice.ask(&format!("REDACT bob {id}"), &*format!("REDACT bob {id}"));
    bob.expect(&*format!(":alice!*@* REDACT * {id}"));
    let page = page(&mut bob, "CHATHISTORY LATEST alice * 10");
    assert!(page.iter().all(|line| !line.contains("once")), "{page:?}");
}

#[test]
fn nothing_is_kept_where_the_operator_says_so_or_somebody_has_no_account_and_all_goes_with_an_account() {
    let home = Scratch::new();
    let server = home.server(&["--no-private"]);
    claim_all(&server);
    let mut alice = known(&server, "alice", CAPS);
    alice.ask("PRIVMSG bob :lost", "401 alice bob *");
    let mut bob = known(&server, "bob", CAPS);
    alice.send("PRIVMSG bob :heard unkept");
    bob.expect("PRIVMSG bob *");
    bob.ask("CHATHISTORY LATEST alice * 10", "FAIL CHATHISTORY INVALID_TARGET **");
    drop((alice, bob));
    assert_eq!(server.stop(), 0);
    let mut server = home.server(&[]);
    let mut alice = known(&server, "alice", CAPS);
    let mut guest = server.irc("guest");
    alice.send("PRIVMSG guest :unkept");
    guest.expect("PRIVMSG guest *");
    alice.send("PRIVMSG bob :kept for bob");
    alice.expect("PRIVMSG bob *");
    // Whoever has the name next reads nothing of it.
    server.console("/forget bob");
    server.wait_stdout("*bob*");
    claimed(&server, "bob", "sesame");
    let mut bob = known(&server, "bob", CAPS);
    assert!(page(&mut bob, "CHATHISTORY LATEST alice * 10").is_empty());
    assert!(page(&mut alice, "CHATHISTORY LATEST bob * 10").is_empty());
    drop((alice, bob, guest));
    assert_eq!(server.stop(), 0);
    let server = home.server(&[]);
    assert_eq!(server.stop(), 0);
    for file in home.path().read_dir().expect("it is ours") {
        let bytes = fs::read(file.expect("it is ours").path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("unkept") && !text.contains("kept for bob"));
    }
}
