//! A server that was away for longer than the log of the others reaches.

use std::fs;
use std::path::Path;

use parlor_tests::{Irc, Message, Server};

use crate::house::House;

/// Lines that are said meanwhile: more than four snapshots of 2 MB hold, and then some.
const LINES: usize = 24_000;

fn reader(server: &Server, nick: &str) -> Irc {
    let mut irc = server.irc_with(nick, &["message-tags", "server-time", "batch", "draft/chathistory"]);
    irc.join("#tea");
    irc
}

/// What was said, on one page.
fn page(irc: &mut Irc, request: &str) -> Vec<String> {
    irc.send(&format!("CHATHISTORY {request}"));
    let page = irc.until(|m: &Message| m.command == "BATCH" && m.param(0).starts_with('-'));
    let talk = page.iter().filter(|m| ["PRIVMSG", "NOTICE"].contains(&&*m.command));
    talk.map(|m| m.last().chars().take_while(|c| *c != '|').collect()).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder of ours");
    for entry in fs::read_dir(from).expect("a folder of ours").flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else if name != "tls.pem" {
            fs::copy(path, to.join(name)).expect("a file of ours");
        }
    }
}

#[test]
fn what_is_missing_is_said_and_a_copy_of_anothers_folder_has_it() {
    let Some(house) = House::with(&["--appendonly", "yes", "--appendfsync", "everysec"]) else { return };
    let (one, other) = (house.server(1), house.server(2));
    let mut amy = reader(&one, "amy");
    let mut bob = reader(&other, "bob");
    amy.send("PRIVMSG #tea :before|");
    let before = bob.expect(":amy!*@* PRIVMSG #tea :before|");
    let before = before.tag("msgid").expect("an id").to_owned();
    drop(bob);
    assert_eq!(other.stop(), 0);
    let filler = "x".repeat(380);
    for hundred in 0..LINES / 100 {
        let lines = (0..100).map(|number| format!("PRIVMSG #tea :{}|{filler}\r\n", hundred * 100 + number));
        amy.send_bytes(lines.collect::<String>());
        amy.silent_until_pong("FAIL **");
    }
    // It has what the log has, says what it has not, and is one of them.
    let other = house.server(2);
    other.wait_log("*its history lacks what was said from*to*A copy of another server's data folder has it*");
    let mut bob = reader(&other, "bob");
    assert_eq!(page(&mut bob, "LATEST #tea * 1"), [format!("{}", LINES - 1)]);
    let after = page(&mut bob, &format!("AFTER #tea msgid={before} 2"));
    assert!(after[0].starts_with("Lines from ") && after[0].contains("are missing"), "{after:?}");
    let first: usize = after[1].parse().expect("the number of a line");
    assert!((1..LINES).contains(&first), "{after:?}");
    assert_eq!(page(&mut amy, &format!("AFTER #tea msgid={before} 1")), ["0"], "the other has them all");
    amy.send("PRIVMSG #tea :after|");
    bob.expect(":amy!*@* PRIVMSG #tea :after|");
    // As the README says, while both are stopped.
    assert_eq!((other.stop(), one.stop()), (0, 0));
    let [from, to] = [1, 2].map(|number| house.folder.file(&format!("data{number}")));
    fs::remove_dir_all(&to).expect("a folder of ours");
    copy(Path::new(&from), Path::new(&to));
    let (_one, other) = (house.server(1), house.server(2));
    let mut bob = reader(&other, "bob");
    assert_eq!(page(&mut bob, &format!("AFTER #tea msgid={before} 2")), ["0", "1"]);
    assert_eq!(page(&mut bob, "LATEST #tea * 2"), [format!("{}", LINES - 1), "after".to_owned()]);
    let log = other.log().text();
    assert!(!log.contains("its history lacks"), "{log}");
}
