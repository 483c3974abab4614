//! TOPIC.

use parlor_tests::Server;

#[test]
fn a_topic_is_told_to_the_room_and_shown_to_newcomers() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (server.irc("alice"), server.irc("bob"));
    alice.join("#tea");
    bob.join("#tea");
    bob.ask("TOPIC #tea", "331 bob #tea *");
    alice.send("TOPIC #tea :green or black? Ω");
    alice.expect(":alice!*@* TOPIC #tea :green or black? Ω");
    bob.expect(":alice!*@* TOPIC #tea :green or black? Ω");
    bob.send("TOPIC #tea");
    bob.expect("332 bob #tea :green or black? Ω");
    let set = bob.expect("333 bob #tea alice* *");
    assert!(set.last().parse::<u64>().is_ok_and(|seconds| seconds > 1_700_000_000), "{set}");

    let mut carol = server.irc("carol");
    let lines = carol.join("#tea");
    let numerics: Vec<&str> = lines.iter().map(|m| m.command.as_str()).collect();
    assert_eq!(numerics, ["JOIN", "332", "333", "353", "366"]);
}

#[test]
fn an_empty_topic_is_none() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    alice.ask("TOPIC #tea :green", "TOPIC #tea green");
    alice.ask("TOPIC #tea :", ":alice!*@* TOPIC #tea :");
    alice.ask("TOPIC #tea", "331 alice #tea *");
}

#[test]
fn a_protected_topic_is_the_operators() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, mut carol) = (server.irc("alice"), server.irc("bob"), server.irc("carol"));
    alice.join("#tea");
    bob.join("#tea");
    alice.settle();
    bob.ask("TOPIC #tea :mine", "482 bob #tea *");
    carol.ask("TOPIC #tea :mine", "442 carol #tea *");
    carol.ask("TOPIC #nowhere", "403 carol #nowhere *");
    carol.ask("TOPIC", "461 carol TOPIC *");
    alice.silent();
    alice.send("MODE #tea -t");
    alice.settle();
    bob.send("TOPIC #tea :ours");
    alice.expect(":bob!*@* TOPIC #tea ours");
}

#[test]
fn a_topic_has_300_bytes_and_not_one_more() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    let longest = "Ω".repeat(150);
    alice.ask(&format!("TOPIC #tea :{longest}"), format!("TOPIC #tea {longest}").as_str());
    alice.ask(&format!("TOPIC #tea :{longest}x"), "417 alice *");
    alice.send("TOPIC #tea");
    alice.expect(format!("332 alice #tea {longest}").as_str());
}
