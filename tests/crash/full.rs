//! The disk takes no more: the room goes on, people are told, and every line that was echoed without a mark is kept.

use std::fs::{self, File};
use std::io::Write;
use std::process::Command;

use parlor_tests::needs::{Lack, skip};
use parlor_tests::{Irc, Launch, Message, Scratch};

use crate::kill::history;
use crate::member::public;

/// 512-byte blocks that a file may have (RLIMIT_FSIZE); the signal is ignored, so that the write fails.
const FULL: &str = "trap '' XFSZ; ulimit -f 200; exec \"$@\"";
/// Lines after which the limit must have been met.
const MOST: usize = 4000;

#[test]
fn a_full_disk_pauses_the_history_and_loses_no_echoed_line() {
    let scratch = Scratch::new();
    let data = scratch.file("data");
    let server = Launch::new(&["--data", &data]).without_console().through_shell(FULL).start();
    let capabilities = ["message-tags", "server-time", "batch", "echo-message", "draft/chathistory"];
    let mut amy = Irc::connect(&server).register_with("amy", &capabilities);
    let mut bob = Irc::connect(&server).register_with("bob", &capabilities);
    amy.join("#lobby");
    bob.join("#lobby");
    let (mut promised, mut marked) = (Vec::new(), 0);
    for number in 0..MOST {
        let name = format!("{number:032x}");
        amy.send(&format!("@+parlor/id={name} PRIVMSG #lobby :{name} {}", "x".repeat(200)));
        let echo = amy.expect(|m: &Message| m.command == "PRIVMSG" && m.last().starts_with(&name));
        let msgid = echo.tag("msgid").expect("an id").to_owned();
        match echo.tag("parlor/volatile") {
            None => promised.push((msgid, public(&name))),
            Some(_) => marked += 1,
        }
        if marked == 5 {
            break;
        }
    }
    assert!(promised.len() > 100 && marked == 5, "{} kept, {marked} marked", promised.len());
    // The room goes on, and people were told.
    bob.expect("NOTICE #lobby :History is paused: *");
    bob.expect(|m: &Message| {
        m.command == "PRIVMSG" && m.last().starts_with(&format!("{:032x}", promised.len() + 4))
    });
    drop((amy, bob));
    server.signal("KILL");
    let _ = server.wait();
    // With room again all is there that was promised, in its place.
    let server = Launch::new(&["--data", &data]).without_console().start();
    assert_eq!(history(&server), promised);
}

/// A small disk that ends with its server. `$DISK` is where.
const SMALL: &str =
    "exec unshare -m sh -c 'mount -t tmpfs -o size=1m none \"$DISK\" && exec \"$@\"' sh \"$@\"";

#[test]
fn with_room_again_the_history_goes_on_by_itself() {
    let possible =
        Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|tried| tried.status.success());
    if !possible {
        return skip(Lack::Forbidden("only root may mount a small disk"));
    }
    let scratch = Scratch::new();
    let disk = scratch.file("disk");
    fs::create_dir(&disk).expect("the folder is ours");
    let data = format!("{disk}/data");
    let launch = Launch::new(&["--data", &data]).without_console().env("DISK", &disk).through_shell(SMALL);
    let server = launch.start();
    // Its disk is only in its own view of the files.
    let ballast = format!("/proc/{}/root{disk}/ballast", server.id());
    let capabilities = ["message-tags", "server-time", "batch", "echo-message", "draft/chathistory"];
    let mut amy = Irc::connect(&server).register_with("amy", &capabilities);
    amy.join("#lobby");
    let (mut promised, mut pauses) = (Vec::new(), 0);
    for round in 0..3 {
        let mut file = File::create(&ballast).expect("the disk is there");
        while file.write_all(&[1; 1024]).is_ok() {}
        drop(file);
        // Until nothing is kept, then until it is again.
        for full in [true, false] {
            if !full {
                fs::remove_file(&ballast).expect("it can go");
                amy.expect("NOTICE #lobby :History goes on: *");
            }
            for number in 0..MOST {
                let name = format!("{:032x}", round * 1_000_000 + usize::from(full) * 100_000 + number);
                amy.send(&format!("@+parlor/id={name} PRIVMSG #lobby :{name} {}", "x".repeat(300)));
                let echo = amy.expect(|m: &Message| m.command == "PRIVMSG" && m.last().starts_with(&name));
                let marked = echo.tag("parlor/volatile").is_some();
                if !marked {
                    promised.push((echo.tag("msgid").expect("an id").to_owned(), public(&name)));
                }
                if marked || (!full && number == 9) {
                    assert_eq!(marked, full, "round {round}");
                    pauses += usize::from(marked);
                    break;
                }
            }
        }
    }
    assert_eq!(pauses, 3, "the disk was full three times");
    let kept = history(&server);
    let lost: Vec<_> = promised.iter().filter(|line| !kept.contains(line)).collect();
    assert!(lost.is_empty(), "echoed without a mark, and lost: {lost:?}");
    assert!(kept.is_sorted_by(|one, next| one.0 < next.0), "ids rise, nothing is there twice");
}
