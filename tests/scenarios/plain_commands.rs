//! Plain mode: the `/commands` of a person with `nc`.

use parlor_tests::Server;

use crate::plain::{in_lobby, person, so_far};

#[test]
fn me_waves() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    let (mut bob, mut carol) = (person(&server, "bob"), person(&server, "carol"));
    bob.expect("-!- carol joined");
    bob.send("/me waves");
    alice.expect(":bob!*@* PRIVMSG #lobby :\u{1}ACTION waves\u{1}");
    carol.expect("* bob waves");
    assert!(so_far(&mut bob).is_empty());
    bob.send("/me");
    assert!(bob.next_line().starts_with("-!- "), "nothing to do is explained");
    assert!(so_far(&mut carol).is_empty());
}

#[test]
fn nick_changes_the_name_for_all() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    let (mut bob, mut carol) = (person(&server, "bob"), person(&server, "carol"));
    bob.expect("-!- carol joined");
    bob.send("/nick rob");
    alice.expect(":bob!*@* NICK rob");
    assert_eq!(carol.next_line(), "-!- bob is now known as rob");
    assert_eq!(bob.next_line(), "-!- bob is now known as rob");
    for bad in ["/nick Alice", "/nick b*b", "/nick two words", "/nick"] {
        bob.send(bad);
        let answer = bob.next_line();
        assert!(answer.starts_with("-!- "), "{bad}: {answer}");
    }
    bob.send("still rob");
    assert_eq!(carol.next_line(), "<rob> still rob");
    bob.send("/nick ROB");
    assert_eq!(carol.next_line(), "-!- rob is now known as ROB");
    let mut dave = person(&server, "bob");
    dave.send("I have the name that is free now");
    assert_eq!(carol.until("<*").pop().as_deref(), Some("<bob> I have the name that is free now"));
}

#[test]
fn msg_is_for_one() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    let (mut bob, mut carol) = (person(&server, "bob"), person(&server, "carol"));
    bob.expect("-!- carol joined");
    bob.send("/msg alice just us : two ");
    let said = alice.expect(":bob!*@* PRIVMSG alice *");
    assert_eq!(said.last().trim_end(), "just us : two");
    bob.send("/msg Carol psst");
    assert_eq!(carol.next_line(), "[bob to you] psst");
    for bad in ["/msg nobody hi", "/msg alice", "/msg"] {
        bob.send(bad);
        let answer = bob.next_line();
        assert!(answer.starts_with("-!- "), "{bad}: {answer}");
    }
    assert!(so_far(&mut carol).is_empty());
    let long = "word ".repeat(400);
    bob.send(&format!("/msg alice {long}"));
    let mut heard = String::new();
    while heard.len() < long.trim_end().len() {
        heard.push_str(alice.expect(":bob!*@* PRIVMSG alice *").last());
    }
    assert_eq!(heard.trim_end(), long.trim_end());
}

#[test]
fn who_lists_the_room() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut bob = person(&server, "bob");
    let mut zoe = server.irc("zoe");
    zoe.join("#tea");
    bob.send("/who");
    let list = bob.next_line();
    assert!(list.starts_with("-!- ") && list.contains("alice") && list.contains("bob"), "{list}");
    assert!(!list.contains("zoe"), "she is in another room: {list}");
    alice.send("QUIT");
    bob.expect("-!- alice left*");
    bob.send("/who");
    let list = bob.next_line();
    assert!(!list.contains("alice"), "{list}");
}

#[test]
fn join_moves_to_another_room() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut zoe = server.irc("zoe");
    zoe.join("#tea");
    zoe.send("TOPIC #tea :green");
    let mut bob = person(&server, "bob");
    alice.expect(":bob!*@* JOIN #lobby");
    bob.send("/join #Tea");
    alice.expect(":bob!*@* PART #lobby");
    zoe.expect(":bob!*@* JOIN #tea");
    bob.expect("-!- You are in #tea *green*");
    bob.send("hello tea");
    zoe.expect(":bob!*@* PRIVMSG #tea :hello tea");
    alice.send("PRIVMSG #lobby :is bob here?");
    alice.settle();
    assert!(so_far(&mut bob).is_empty(), "one room at a time");
    alice.silent();

    // A room that does not let them in leaves them where they are.
    alice.join("#secret");
    alice.send("MODE #secret +k key");
    alice.settle();
    for bad in ["/join #secret", "/join tea", "/join #a,b", "/join"] {
        bob.send(bad);
        let answer = bob.next_line();
        assert!(answer.starts_with("-!- "), "{bad}: {answer}");
    }
    bob.send("still here");
    zoe.expect(":bob!*@* PRIVMSG #tea :still here");
    bob.send("/join #secret key");
    alice.expect(":bob!*@* JOIN #secret");
    zoe.expect(":bob!*@* PART #tea");
}

#[test]
fn whoever_founds_a_room_is_its_operator() {
    let server = Server::start(&[]);
    let mut bob = person(&server, "bob");
    bob.send("/join #new");
    bob.expect("-!- You are in #new*");
    let mut alice = server.irc("alice");
    let lines = alice.join("#new");
    assert!(lines.iter().any(|m| m.is_like("353 alice = #new *") && m.last().contains("@bob")), "{lines:?}");
}

#[test]
fn who_was_put_out_is_in_no_room_and_told_so() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    let mut bob = person(&server, "bob");
    bob.send("/join #tea");
    alice.expect(":bob!*@* JOIN #tea");
    alice.send("KICK #tea bob :spilled");
    bob.expect("-!- alice kicked bob (spilled)");
    so_far(&mut bob);
    bob.send("anybody?");
    assert!(bob.next_line().starts_with("-!- "), "a line to nowhere is explained");
    alice.settle();
    alice.silent();
    bob.send("/join #lobby");
    bob.expect("-!- You are in #lobby*");
}

#[test]
fn quit_says_good_bye() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    for (line, reason) in [("/quit", ""), ("/quit tea time", "tea time")] {
        let mut bob = person(&server, "bob");
        bob.send(line);
        let quit = alice.expect(":bob!*@* QUIT *");
        assert!(quit.last().ends_with(reason), "{quit}");
        let last = String::from_utf8(bob.read_to_end()).expect("UTF-8");
        assert!(last.is_empty() || last.starts_with("-!- ") && last.ends_with('\n'), "{last:?}");
    }
}

#[test]
fn help_names_every_command() {
    let server = Server::start(&[]);
    let mut bob = person(&server, "bob");
    bob.send("/help");
    let help = so_far(&mut bob);
    assert!(help.iter().all(|line| line.starts_with("-!- ")), "{help:?}");
    for command in ["/nick", "/me", "/msg", "/who", "/join", "/quit", "/help", "//"] {
        assert!(help.iter().any(|line| line.contains(command)), "{command} in {help:?}");
    }
}

#[test]
fn two_slashes_say_one() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut bob = person(&server, "bob");
    for (typed, said) in [("//me is a command", "/me is a command"), ("///", "//"), ("//", "/")] {
        bob.send(typed);
        let message = alice.expect(":bob!*@* PRIVMSG #lobby *");
        assert_eq!(message.last(), said);
    }
}

#[test]
fn what_is_no_command_is_not_said() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut bob = person(&server, "bob");
    alice.expect(":bob!*@* JOIN #lobby");
    for typo in ["/mgs alice the password is x", "/", "/ me", "/PRIVMSG #lobby :hi"] {
        bob.send(typo);
        let answer = bob.next_line();
        assert!(answer.starts_with("-!- ") && answer.contains("/help"), "{typo}: {answer}");
    }
    alice.silent();
}
