//! echo-message, labeled-response, batch and standard-replies.

use parlor_tests::{Irc, Message, Server};

const LABELS: [&str; 2] = ["batch", "labeled-response"];

#[test]
fn an_echo_is_for_those_who_asked() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["echo-message"]);
    let mut bob = server.irc("bob");
    alice.join("#tea");
    bob.join("#tea");
    alice.settle();
    alice.ask("PRIVMSG #tea :one", ":alice!*@* PRIVMSG #tea one");
    alice.ask("NOTICE #tea :two", ":alice!*@* NOTICE #tea two");
    alice.ask("PRIVMSG bob :three", ":alice!*@* PRIVMSG bob three");
    for text in ["#tea one", "bob three"] {
        bob.expect(format!("PRIVMSG {text}").as_str());
    }
    bob.send("PRIVMSG #tea :four");
    bob.silent_until_pong("PRIVMSG **");
    alice.expect("PRIVMSG #tea four");
    // What was refused has no echo.
    alice.ask("PRIVMSG nobody :five", "401 alice nobody *");
}

#[test]
fn one_answer_carries_the_label_itself() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &LABELS);
    alice.ask("@label=first PING 1", "@label=first PONG parlor.local 1");
    alice.ask("@label=second FROB", "@label=second 421 alice FROB *");
    alice.ask(r"@label=a\sb PING 2", "@label=a\\sb PONG parlor.local 2");
    let unlabelled = alice.ask("PING 3", "PONG parlor.local 3");
    assert_eq!(unlabelled.tag("label"), None, "{unlabelled}");
}

#[test]
fn no_answer_is_an_ack() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &LABELS);
    let mut bob = server.irc("bob");
    alice.join("#tea");
    bob.join("#tea");
    alice.settle();
    alice.ask("@label=1 PONG x", "@label=1 :parlor.local ACK");
    alice.ask("@label=2 PRIVMSG #tea :hi", "@label=2 ACK");
    let hi = bob.expect("PRIVMSG #tea hi");
    assert!(hi.tags.is_empty(), "a label is nobody else's: {hi}");
}

#[test]
fn many_answers_are_a_batch() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &LABELS);
    let lines = alice.ask_all("@label=who WHOIS alice");
    let (first, rest) = lines.split_first().expect("an answer");
    let (last, within) = rest.split_last().expect("an end");
    assert!(first.is_like("@label=who BATCH +* labeled-response"), "{first}");
    let reference = first.param(0).trim_start_matches('+');
    assert!(last.is_like(&format!("BATCH -{reference}")), "{last}");
    assert!(within.len() > 2 && within.iter().any(|m| m.command == "318"), "{within:?}");
    for line in within {
        assert_eq!(line.tag("batch"), Some(reference), "{line}");
        assert_eq!(line.tag("label"), None, "{line}");
    }
}

#[test]
fn an_echo_carries_the_label_and_the_delivery_to_oneself_does_not() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["batch", "labeled-response", "echo-message", "message-tags"]);
    alice.join("#tea");
    alice.ask("@label=1 PRIVMSG #tea :hi", "@label=1 :alice!*@* PRIVMSG #tea hi");
    alice.ask("@label=2;+x=y TAGMSG #tea", "@label=2;+x=y :alice!*@* TAGMSG #tea");
    let lines = alice.ask_all("@label=3 PRIVMSG alice :note to self");
    assert!(lines.iter().all(|m| m.is_like("PRIVMSG alice :note to self")), "{lines:?}");
    let labels: Vec<Option<&str>> = lines.iter().map(|m| m.tag("label")).collect();
    assert!(labels.len() == 2 && labels.contains(&Some("3")) && labels.contains(&None), "{lines:?}");
}

#[test]
fn joining_under_a_label_is_one_batch() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &LABELS);
    let lines = alice.ask_all("@label=j JOIN #tea");
    let first = lines.first().expect("an answer");
    assert!(first.is_like("@label=j BATCH +* labeled-response"), "{first}");
    let join = lines.get(1).expect("the join");
    assert!(join.is_like(":alice!*@* JOIN #tea") && join.tag("batch").is_some(), "{join}");
}

#[test]
fn without_the_capability_a_label_is_nothing() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["message-tags"]);
    let pong = alice.ask("@label=1 PING 1", "PONG parlor.local 1");
    assert_eq!(pong.tag("label"), None, "{pong}");
    alice.join("#tea");
    assert!(alice.ask_all("@label=2 PRIVMSG #tea :hi").is_empty());
}

#[test]
fn labels_work_before_registration() {
    let server = Server::start(&[]);
    let mut irc = Irc::connect(&server);
    irc.request(&LABELS);
    irc.send("@label=x NICK al!ce");
    irc.expect("@label=x 432 * **");
}

#[test]
fn standard_replies_name_command_and_code() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["standard-replies", "batch", "labeled-response"]);
    alice.send_bytes(b"@label=7 PRIVMSG alice :\xff\r\n");
    let fail = alice.expect(|m: &Message| m.command == "FAIL");
    assert!(fail.is_like("FAIL PRIVMSG INVALID_UTF8 **"), "{fail}");
}
