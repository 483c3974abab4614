//! A file of the history is cut short.
//!
//! What is promised:
//!
//! * After a clean stop the server knows how long each file was. It refuses to start on a shorter one (exit code 65),
//!   says which it is, and changes nothing.
//! * The file of the rooms has no such end: cut short it may lose what rooms were last (topics, modes). The log says so if the
//!   cut goes through a batch. No line is lost: if the name of a room that has lines is gone, the server refuses to start.
//! * After a crash the file that was written to has no such end: a cut in it looks like a write that was not finished. The
//!   server starts with all whole batches before the cut, in order and without a hole. If the cut goes through a batch, the
//!   log says how many bytes were left out; a cut exactly between two batches cannot be seen. All other files are covered by
//!   their index, as after a clean stop.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parlor_server::testing::Random;
use parlor_tests::{Launch, Scratch, Server};

use crate::kill::history;

/// Cuts that are tried of each kind.
const CUTS: usize = 12;
/// The file of the rooms.
const ROOMS: &str = "rooms.log";
/// Exit code of a damaged history.
const DAMAGED: i32 = 65;

#[test]
fn a_file_that_was_cut_short_is_refused_after_a_clean_stop() {
    let scratch = Scratch::new();
    let data = scratch.file("data");
    let before = talk(&data);
    assert_eq!(before.0.stop(), 0);
    for (name, length) in files(Path::new(&data)) {
        let whole = fs::read(&name).expect("it was listed");
        let mut random = Random::new(length);
        for _ in 0..CUTS {
            let at = random.below(length as usize) as u64;
            cut(&name, at);
            match Launch::new(&["--data", &data]).run_or_start() {
                Err(ended) => {
                    assert_eq!(ended.code, DAMAGED, "{} cut at {at}: {}", name.display(), ended.stderr);
                    let named = name.file_name().expect("a file").to_string_lossy();
                    assert!(ended.stderr.contains(&*named) || named == ROOMS, "{}", ended.stderr);
                    assert_eq!(fs::metadata(&name).expect("it is there").len(), at, "nothing was changed");
                }
                Ok(server) => {
                    assert!(name.ends_with(ROOMS), "{} cut at {at} is not noticed", name.display());
                    assert_eq!(history(&server), before.1, "cut at {at}");
                    assert_eq!(server.stop(), 0);
                }
            }
            fs::write(&name, &whole).expect("it can be written");
        }
    }
    let server = start(&data);
    assert_eq!(history(&server), before.1, "with its files whole again all is there");
}

#[test]
fn a_file_that_was_cut_short_after_a_crash_loses_its_end_and_nothing_else() {
    let scratch = Scratch::new();
    let data = scratch.file("data");
    let (server, before) = talk(&data);
    server.signal("KILL");
    let _ = server.wait();
    let (name, length) =
        files(Path::new(&data)).into_iter().max_by_key(|(_, length)| *length).expect("a log");
    let saved = scratch.file("saved");
    copy(Path::new(&data), Path::new(&saved));
    let mut random = Random::new(length);
    for _ in 0..CUTS {
        let at = random.below(length as usize) as u64;
        cut(&name, at);
        let mut launch = Launch::new(&["--data", &data]).run_or_start();
        match &mut launch {
            Ok(server) => {
                let left = history(server);
                assert_eq!(left, before[..left.len()], "cut at {at}: a beginning is there, without a hole");
            }
            Err(ended) => assert_eq!(ended.code, DAMAGED, "cut at {at}: {}", ended.stderr),
        }
        drop(launch);
        fs::remove_dir_all(&data).expect("it is ours");
        copy(Path::new(&saved), Path::new(&data));
    }
    let server = start(&data);
    assert_eq!(history(&server), before, "all that was echoed");
}

fn start(data: &str) -> Server {
    Launch::new(&["--data", data]).without_console().start()
}

/// Some echoed lines: the server that has them, and what it says of them.
fn talk(data: &str) -> (Server, Vec<(String, String)>) {
    let server = start(data);
    let mut irc = server
        .irc_with("amy", &["message-tags", "server-time", "batch", "echo-message", "draft/chathistory"]);
    irc.join("#lobby");
    for number in 0..60 {
        irc.send(&format!("@+parlor/id={number:032x} PRIVMSG #lobby :line {number} {}", "x".repeat(number)));
        irc.expect(format!("PRIVMSG #lobby :line {number} *").as_str());
    }
    let history = history(&server);
    assert_eq!(history.len(), 60);
    (server, history)
}

/// The logs of a folder, and their lengths.
fn files(folder: &Path) -> Vec<(PathBuf, u64)> {
    let all = fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("it can be read").path());
    let logs = all.filter(|path| path.extension().is_some_and(|end| end == "log"));
    logs.map(|path| (path.clone(), fs::metadata(&path).expect("it was listed").len())).collect()
}

fn cut(file: &Path, at: u64) {
    File::options().write(true).open(file).and_then(|file| file.set_len(at)).expect("it can be cut");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("it can be made");
    for entry in fs::read_dir(from).expect("it is there") {
        let path = entry.expect("it can be read").path();
        fs::copy(&path, to.join(path.file_name().expect("a file"))).expect("it can be copied");
    }
}
