//! The folder of the history: whose it is, what may be wrong with it, and a disk that is full.

use std::fs;
use std::path::PathBuf;

use parlor_tests::{Deadline, Ended, Irc, Launch, Message, Scratch, Server};

fn folder(home: &Scratch) -> String {
    home.path().display().to_string()
}

/// Starts a server on a folder that it has to refuse.
fn start(home: &Scratch) -> Ended {
    Launch::new(&["--data", &folder(home)]).run()
}

/// One sentence and a code; nothing half started.
#[track_caller]
fn refused(ended: &Ended, code: i32, names: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{}", ended.stderr);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let [line] = lines[..] else { panic!("one sentence, not {lines:?}") };
    assert!(line.starts_with("server: ") && line.contains(names), "{names:?} in {line:?}");
}

/// Every file with its content.
fn content(home: &Scratch) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<(PathBuf, Vec<u8>)> = files(home)
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name != "lock"))
        .map(|path| (path.clone(), fs::read(&path).expect("it is ours")))
        .collect();
    files.sort();
    files
}

fn files(home: &Scratch) -> Vec<PathBuf> {
    let files = home.path().read_dir().expect("it is ours");
    files.map(|file| file.expect("it is ours").path()).collect()
}

/// The newest log of lines.
fn log(home: &Scratch) -> PathBuf {
    let mut logs = files(home);
    logs.retain(|path| path.extension().is_some_and(|end| end == "log"));
    logs.retain(|path| path.file_stem().is_some_and(|stem| stem != "rooms"));
    logs.sort();
    logs.pop().expect("there is a log")
}

fn talk(server: &Server, room: &str, lines: usize) -> Irc {
    let mut alice = server.irc_with("alice", &["echo-message", "message-tags"]);
    alice.join(room);
    (0..lines).for_each(|number| alice.send(&format!("PRIVMSG {room} :{number}")));
    alice.settle();
    alice
}

/// How many lines a reader can page through.
fn count(server: &Server, room: &str) -> usize {
    count_as(server, "reader", room)
}

fn count_as(server: &Server, nick: &str, room: &str) -> usize {
    let mut reader = server.irc_with(nick, &["batch", "draft/chathistory", "message-tags", "server-time"]);
    reader.join(room);
    let (mut count, mut from) = (0, "timestamp=2000-01-01T00:00:00.000Z".to_owned());
    loop {
        let page = reader.ask_batch(&format!("CHATHISTORY AFTER {room} {from} 100"));
        let Some(last) = page.last() else { return count };
        from = format!("msgid={}", last.tag("msgid").expect("an id"));
        count += page.len();
    }
}

#[test]
fn a_second_server_on_the_folder_is_refused() {
    let home = Scratch::new();
    let server = home.server(&[]);
    refused(&start(&home), 69, &folder(&home));
    server.crash();
    // Who crashed holds nothing.
    let _next = home.server(&[]);
}

#[test]
fn each_address_has_a_folder_of_its_own_by_default() {
    let server = Launch::new(&["--bind", "127.0.0.1:0"]).without_defaults().start();
    let line = server.wait_log("history: ");
    assert!(line.contains(&folder(server.home())) && line.contains("127.0.0.1-0"), "{line}");
}

#[test]
fn a_foreign_file_is_left_alone() {
    let home = Scratch::new();
    let meta = home.write("meta", "my shopping list");
    refused(&start(&home), 65, &meta);
    assert_eq!(fs::read_to_string(&meta).expect("it is ours"), "my shopping list");
    assert!(content(&home).len() == 1, "{:?}", files(&home));
}

#[test]
fn files_of_others_beside_ours_are_no_obstacle() {
    let home = Scratch::new();
    let notes = home.write("notes.txt", "mine");
    talk(&home.server(&[]), "#tea", 3);
    assert_eq!(count(&home.server(&[]), "#tea"), 3);
    assert_eq!(fs::read_to_string(notes).expect("it is ours"), "mine");
}

#[test]
fn a_newer_format_is_refused_and_untouched() {
    let home = Scratch::new();
    talk(&home.server(&[]), "#tea", 3).settle();
    let path = home.file("meta");
    let mut meta = fs::read(&path).expect("it is ours");
    meta[8] = 99;
    let end = meta.len() - 4;
    let sum = crc32c(&meta[..end]).to_le_bytes();
    meta[end..].copy_from_slice(&sum);
    fs::write(&path, meta).expect("it is ours");
    let before = content(&home);
    refused(&start(&home), 65, "newer server (format 99");
    let exported = Launch::new(&["--data", &folder(&home), "--export", "#tea"]).without_defaults().run();
    refused(&exported, 65, "newer server");
    assert_eq!(content(&home), before);
}

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0x82f6_3b78 & 0u32.wrapping_sub(sum & 1)))
    })
}

#[test]
fn a_damaged_file_is_named_and_untouched() {
    for damaged in ["meta", "rooms.log"] {
        let home = Scratch::new();
        talk(&home.server(&[]), "#tea", 3).settle();
        let path = home.file(damaged);
        let mut bytes = fs::read(&path).expect("it is ours");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        fs::write(&path, bytes).expect("it is ours");
        let before = content(&home);
        let ended = start(&home);
        // A tail that is missing shows in the log that needs it.
        refused(&ended, 65, if damaged == "meta" { &path } else { "damaged" });
        assert!(ended.stderr.contains("aside"), "{}", ended.stderr);
        assert_eq!(content(&home), before, "{damaged}");
    }
}

#[test]
fn rooms_cut_off_between_two_writes_after_a_clean_stop_are_no_silent_loss() {
    let home = Scratch::new();
    let rooms = home.file("rooms.log");
    let server = home.server(&[]);
    let mut alice = talk(&server, "#tea", 3);
    alice.send("TOPIC #tea :green");
    alice.settle();
    alice.send("PRIVMSG #tea :its echo says that the topic is on disk");
    alice.settle();
    let before = fs::metadata(&rooms).expect("it is there").len();
    alice.send("MODE #tea +k sesame");
    alice.settle();
    assert_eq!(server.stop(), 0);
    let all = fs::read(&rooms).expect("it is there");
    assert!(all.len() as u64 > before);
    fs::write(&rooms, &all[..before as usize]).expect("it is ours");
    refused(&start(&home), 65, "rooms.log");
    fs::write(&rooms, &all).expect("it is ours");
    let server = home.server(&[]);
    let mut bob = server.irc("bob");
    bob.send("JOIN #tea");
    bob.expect_numeric("475");
}

#[test]
fn damage_in_the_middle_of_the_lines_is_no_silent_loss() {
    let home = Scratch::new();
    let server = home.server(&[]);
    talk(&server, "#tea", 500).settle();
    assert_eq!(server.stop(), 0);
    let path = log(&home);
    let mut bytes = fs::read(&path).expect("it is ours");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&path, &bytes).expect("it is ours");
    let before = content(&home);
    let ended = Launch::new(&["--data", &folder(&home), "--export", "#tea"]).without_defaults().run();
    assert_eq!(ended.code, 65, "{}", ended.stderr);
    assert!(ended.stderr.contains(&path.display().to_string()), "{}", ended.stderr);
    // What is whole is there.
    let told = ended.stdout.lines().filter(|line| line.contains("<alice>")).count();
    assert!((499..=500).contains(&told), "{told}");
    refused(&start(&home), 65, &path.display().to_string());
    assert_eq!(content(&home), before, "nothing was changed");
}

#[test]
fn a_tail_that_a_crash_left_half_written_is_cut() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = talk(&server, "#tea", 0);
    for number in 0..50 {
        // One commit a line: what is cut was written at once.
        alice.send(&format!("PRIVMSG #tea :{number}"));
        alice.expect("PRIVMSG #tea *");
    }
    server.crash();
    let path = log(&home);
    let bytes = fs::read(&path).expect("it is ours");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("lines") + 1;
    fs::write(&path, &bytes[..end - 3]).expect("it is ours");
    let server = home.server(&[]);
    let left = count(&server, "#tea");
    assert_eq!(left, 49);
    talk(&server, "#coffee", 3).settle();
    server.crash();
    let server = home.server(&[]);
    assert_eq!((count(&server, "#tea"), count_as(&server, "other", "#coffee")), (left, 3));
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_74() {
    let home = Scratch::new();
    let file = home.write("file", "");
    let below = format!("{file}/history");
    refused(&Launch::new(&["--data", &below]).run(), 74, &below);
    refused(&Launch::new(&["--data", &file]).run(), 74, &file);
    refused(&Launch::new(&["--data", "/proc/parlor"]).run(), 74, "/proc/parlor");
}

#[test]
fn retention_is_by_lines_of_a_room() {
    let home = Scratch::new();
    let server = home.server(&["--keep-lines", "50"]);
    talk(&server, "#tea", 500).settle();
    talk_as(&server, "bob", "#coffee", 20);
    server.crash();
    let server = home.server(&["--keep-lines", "50"]);
    assert_eq!(count(&server, "#tea"), 50);
    drop(server);
    let server = home.server(&["--keep-lines", "10"]);
    assert_eq!(count(&server, "#coffee"), 10);
}

fn talk_as(server: &Server, nick: &str, room: &str, lines: usize) {
    let mut irc = server.irc_with(nick, &["echo-message"]);
    irc.join(room);
    (0..lines).for_each(|number| irc.send(&format!("PRIVMSG {room} :{number}")));
    irc.settle();
}

#[test]
fn retention_is_by_bytes_of_a_room() {
    let home = Scratch::new();
    let server = home.server(&["--keep-bytes", "4K"]);
    talk(&server, "#tea", 3000).settle();
    talk_as(&server, "bob", "#coffee", 20);
    let left = count(&server, "#tea");
    assert!((20..1500).contains(&left), "{left}");
    assert_eq!(count_as(&server, "other", "#coffee"), 20);
}

#[test]
fn retention_by_age_forgets_what_is_old() {
    let home = Scratch::new();
    let server = home.server(&["--keep", "1s"]);
    talk(&server, "#tea", 20).settle();
    drop(server);
    let deadline = Deadline::after(Deadline::DEFAULT);
    while count(&home.server(&["--keep", "1s"]), "#tea") > 0 {
        assert!(deadline.left().is_some(), "a second has passed");
    }
}

#[test]
fn what_is_too_old_is_not_told_even_if_nobody_says_anything_new() {
    let home = Scratch::new();
    let server = home.server(&["--keep", "2s"]);
    let mut alice = server.irc_with("alice", &["batch", "draft/chathistory", "server-time", "echo-message"]);
    alice.join("#tea");
    alice.ask("PRIVMSG #tea :soon gone", "PRIVMSG #tea *");
    assert_eq!(alice.ask_batch("CHATHISTORY LATEST #tea * 5").len(), 1);
    let deadline = Deadline::after(Deadline::DEFAULT);
    while !alice.ask_batch("CHATHISTORY LATEST #tea * 5").is_empty() {
        assert!(deadline.left().is_some(), "two seconds have passed");
    }
    alice.ask("PRIVMSG #tea :next", "PRIVMSG #tea *");
    assert_eq!(alice.ask_batch("CHATHISTORY LATEST #tea * 5").len(), 1);
}

#[test]
fn what_is_too_old_leaves_the_disk_while_the_server_runs() {
    let home = Scratch::new();
    let server = home.server(&["--keep", "2s"]);
    let mut alice = server.irc_with("alice", &["echo-message"]);
    alice.join("#tea");
    alice.ask("PRIVMSG #tea :a word in confidence", "PRIVMSG #tea *");
    let deadline = Deadline::after(Deadline::DEFAULT);
    let holds = |bytes: &[u8]| bytes.windows(10).any(|part| part == b"confidence");
    while content(&home).iter().any(|(_, bytes)| holds(bytes)) {
        assert!(deadline.left().is_some(), "it is still there: {:?}", files(&home));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    alice.ask("PRIVMSG #tea :and on", "PRIVMSG #tea *");
}

#[test]
fn what_is_too_much_leaves_the_disk_when_the_server_starts() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = server.irc_with("alice", &["echo-message"]);
    alice.join("#tea");
    alice.ask("PRIVMSG #tea :a word in confidence", "PRIVMSG #tea *");
    alice.ask("PRIVMSG #tea :for everybody", "PRIVMSG #tea *");
    assert_eq!(server.stop(), 0);
    let server = home.server(&["--keep-lines", "1"]);
    let deadline = Deadline::after(Deadline::DEFAULT);
    let has = |text: &[u8]| {
        content(&home).iter().any(|(_, bytes)| bytes.windows(text.len()).any(|part| part == text))
    };
    while has(b"confidence") {
        assert!(deadline.left().is_some(), "it is still there: {:?}", files(&home));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(has(b"everybody"));
    assert_eq!(count(&server, "#tea"), 1);
}

/// Somebody who talks, and hears that it is not kept.
#[cfg(unix)]
fn until_paused(server: &Server) -> Irc {
    let mut alice = server.irc_with("alice", &["echo-message", "message-tags"]);
    alice.join("#tea");
    alice.expect("NOTICE #tea :History is paused*");
    let echo = alice.ask("PRIVMSG #tea :not kept", "PRIVMSG #tea *");
    assert_eq!(echo.tag("parlor/volatile"), Some(""), "{echo}");
    alice
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_removed_while_the_server_runs_is_noticed() {
    let home = Scratch::new();
    let data = home.file("data");
    let server = Launch::new(&["--data", &data]).start();
    talk_as(&server, "bob", "#tea", 3);
    fs::remove_dir_all(&data).expect("it is ours");
    let alice = until_paused(&server);
    let said = server.wait_log("is paused");
    assert!(said.contains(&data) && said.contains("removed"), "{said}");
    // Somebody else's folder in its place is left alone.
    fs::create_dir(&data).expect("it is gone");
    drop(alice);
    assert_eq!(server.stop(), 0);
    assert_eq!(fs::read_dir(&data).expect("it is there").count(), 0);
}

#[cfg(unix)]
#[test]
fn a_file_that_is_removed_while_the_server_runs_is_noticed() {
    for name in ["rooms.log", "00000001-0.log", "meta", "lock"] {
        let home = Scratch::new();
        let server = home.server(&[]);
        talk_as(&server, "bob", "#tea", 3);
        fs::remove_file(home.file(name)).expect("it is there");
        until_paused(&server);
        assert!(name == "lock" || server.wait_log("is paused").contains(name), "{name}");
        assert_eq!(server.stop(), 0);
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_was_moved_away_and_comes_back_goes_on() {
    let home = Scratch::new();
    let (data, away) = (home.file("data"), home.file("away"));
    let server = Launch::new(&["--data", &data]).start();
    talk_as(&server, "bob", "#tea", 3);
    fs::rename(&data, &away).expect("it is ours");
    let mut alice = until_paused(&server);
    fs::rename(&away, &data).expect("it is ours");
    alice.expect("NOTICE #tea :History goes on*");
    let echo = alice.ask("PRIVMSG #tea :kept again", "PRIVMSG #tea *");
    assert_eq!(echo.tag("parlor/volatile"), None, "{echo}");
    assert!(count(&server, "#tea") >= 4);
}

/// A server whose files may not grow beyond some blocks of 512 bytes.
#[cfg(unix)]
fn cramped(home: &Scratch, blocks: u32) -> Server {
    let script = format!("ulimit -S -f {blocks}; exec \"$@\"");
    Launch::new(&["--data", &folder(home)]).through_shell(&script).start()
}

/// Lets its files grow again.
#[cfg(target_os = "linux")]
fn relieve(server: &Server) {
    let done = std::process::Command::new("prlimit")
        .args(["--pid", &server.id().to_string(), "--fsize=unlimited"])
        .status();
    assert!(done.is_ok_and(|status| status.success()), "prlimit of util-linux");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_nobody_and_is_said() {
    let home = Scratch::new();
    let server = cramped(&home, 300);
    let mut alice = server.irc_with("alice", &["echo-message", "message-tags", "batch", "draft/chathistory"]);
    let mut bob = server.irc("bob");
    let mut carol = server.plain();
    carol.send("carol");
    carol.expect("*Welcome*");
    for irc in [&mut alice, &mut bob] {
        irc.join("#lobby");
    }
    let text = "y".repeat(350);
    let mut number = 0;
    let mut receipts = 0;
    let paused = loop {
        alice.send(&format!("PRIVMSG #lobby :{number} {text}"));
        let lines = alice.until(|m: &Message| m.command == "PRIVMSG");
        let echo = lines.last().expect("an echo");
        assert!(echo.last().starts_with(&format!("{number} ")), "{echo}");
        number += 1;
        match echo.tag("parlor/volatile") {
            Some(_) => break lines,
            None => receipts += 1,
        }
        assert!(number < 5000, "the disk is never full");
    };
    drop(paused);
    let notice = bob.expect("NOTICE #lobby :*istory is paused*");
    let said = notice.last();
    assert_eq!(said.matches("is paused").count(), 1, "{said}");
    assert!(!said.contains(&folder(&home)), "nobody's business: {said}");
    assert!(!said.contains(".."), "{said}");
    let line = carol.expect("*istory is paused*");
    assert!(line.starts_with("-!- server: "), "{line}");
    let logged = server.wait_log("is paused");
    assert_eq!(logged.to_lowercase().matches("is paused").count(), 1, "{logged}");
    // The room goes on, and what is there can be read.
    for _ in 0..50 {
        alice.send("PRIVMSG #lobby :going on");
        let echo = alice.expect("PRIVMSG #lobby :going on");
        assert_eq!(echo.tag("parlor/volatile"), Some(""), "{echo}");
        bob.expect("PRIVMSG #lobby :going on");
    }
    assert_eq!(alice.ask_batch("CHATHISTORY LATEST #lobby * 10").len(), 10);
    relieve(&server);
    bob.expect("NOTICE #lobby :*istory goes on*");
    alice.settle();
    server.wait_log("goes on");
    let log = server.log().all();
    for once in ["is paused", "goes on"] {
        let said = log.iter().filter(|line| line.contains(once)).count();
        assert_eq!(said, 1, "{once} in {log:?}");
    }
    let echo = alice.ask("PRIVMSG #lobby :kept again", "PRIVMSG #lobby :kept again");
    assert_eq!(echo.tag("parlor/volatile"), None, "{echo}");
    server.crash();
    let server = home.server(&[]);
    let left = count(&server, "#lobby");
    assert!(left > receipts, "{left} of {receipts} receipts and one");
    let last = server.irc_with("late", &["server-time"]).join("#lobby");
    assert!(last.iter().any(|m| m.last() == "kept again"), "{last:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_line_sent_again_while_the_disk_is_full_is_no_receipt() {
    let home = Scratch::new();
    let server = cramped(&home, 300);
    let mut alice = server.irc_with("alice", &["echo-message", "message-tags"]);
    alice.join("#tea");
    let text = "y".repeat(400);
    let mut number = 0;
    loop {
        let line = format!("@+parlor/id={number:032x} PRIVMSG #tea :{text}");
        let echo = alice.ask_all(&line).into_iter().find(|m| m.command == "PRIVMSG").expect("an echo");
        if echo.tag("parlor/volatile").is_some() {
            let again = alice.ask_all(&line).into_iter().find(|m| m.command == "PRIVMSG").expect("an echo");
            assert_eq!(again.tag("parlor/volatile"), Some(""), "{again}");
            return;
        }
        number += 1;
        assert!(number < 5000, "the disk is never full");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_is_stopped_with_a_full_disk_ends_and_starts() {
    let home = Scratch::new();
    let server = cramped(&home, 300);
    let mut alice = server.irc_with("alice", &["echo-message", "message-tags"]);
    alice.join("#tea");
    let text = "y".repeat(400);
    alice.send_bytes(format!("PRIVMSG #tea :{text}\r\n").repeat(1000));
    alice.expect("NOTICE #tea *paused*");
    alice.settle();
    server.signal("TERM");
    alice.expect_closed();
    drop(alice);
    let ended = server.wait();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("not in the history"), "{}", ended.stderr);
    assert!(count(&home.server(&[]), "#tea") > 50);
}

#[cfg(unix)]
mod others {
    //! What other users of the computer may do to the folder: nothing.

    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use parlor_tests::needs::{Lack, skip};

    use super::*;

    /// Debian's user `nobody`.
    const NOBODY: u32 = 65534;

    fn mode(path: &std::path::Path) -> u32 {
        fs::metadata(path).expect("it is ours").mode() & 0o777
    }

    fn open_to_all(home: &Scratch) {
        let set = |path: &std::path::Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
        };
        files(home).iter().for_each(|file| set(file, 0o644));
        set(home.path(), 0o755);
    }

    fn closed(home: &Scratch) {
        assert_eq!(mode(home.path()), 0o700);
        let open: Vec<_> = files(home).into_iter().filter(|file| mode(file) != 0o600).collect();
        assert!(open.is_empty() && files(home).len() > 3, "{open:?}");
    }

    #[test]
    fn folder_and_files_are_their_owners_alone_whatever_the_umask() {
        for umask in ["0", "022", "077", "0777"] {
            let above = Scratch::new();
            let folder = above.file("a/b/history");
            let server = Launch::new(&["--data", &folder])
                .through_shell(&format!("umask {umask}; exec \"$@\""))
                .start();
            talk(&server, "#tea", 3);
            assert!(!server.log().text().contains("closed to them"), "it was never open");
            assert_eq!(server.stop(), 0);
            for file in fs::read_dir(&folder).expect("it is ours") {
                let path = file.expect("it is ours").path();
                assert_eq!(mode(&path), 0o600, "{} under {umask}", path.display());
            }
            assert_eq!(mode(folder.as_ref()), 0o700, "under {umask}");
        }
    }

    #[test]
    fn a_folder_that_was_open_to_others_is_closed_and_that_is_said_once() {
        let home = Scratch::new();
        talk(&home.server(&[]), "#tea", 3);
        open_to_all(&home);
        let server = home.server(&[]);
        let line = server.wait_log("closed to them now");
        assert!(line.contains(&folder(&home)), "{line}");
        assert_eq!(count(&server, "#tea"), 3);
        assert_eq!(server.stop(), 0);
        closed(&home);
        let server = home.server(&[]);
        server.wait_log("history: /");
        assert!(!server.log().text().contains("closed to them"), "{}", server.log().text());
    }

    #[test]
    fn another_user_cannot_lock_the_server_out() {
        let home = Scratch::new();
        talk(&home.server(&[]), "#tea", 3);
        open_to_all(&home);
        assert_eq!(home.server(&[]).stop(), 0);
        let lock =
            |user: u32| Command::new("flock").args(["-n", &home.file("lock"), "true"]).uid(user).status();
        match lock(NOBODY) {
            Err(_) => skip(Lack::Forbidden("only root is somebody else")),
            Ok(locked) => assert!(!locked.success(), "nobody holds our lock"),
        }
    }

    #[test]
    fn a_folder_of_another_user_is_refused_and_untouched() {
        let home = Scratch::new();
        if chown(home.path(), Some(NOBODY), None).is_err() {
            return skip(Lack::Forbidden("only root gives folders away"));
        }
        refused(&start(&home), 77, &folder(&home));
        assert_eq!(files(&home), [] as [PathBuf; 0]);
    }

    #[test]
    fn no_link_in_the_folder_is_followed() {
        let home = Scratch::new();
        talk(&home.server(&[]), "#tea", 3);
        let log = log(&home).file_name().expect("a name").to_string_lossy().into_owned();
        for name in ["meta", "rooms.log", "lock", &log] {
            let (path, aside) = (home.file(name), home.file("aside"));
            fs::rename(&path, &aside).expect("it is ours");
            symlink(&aside, &path).expect("it is ours");
            let before = fs::read(&aside).expect("it is ours");
            refused(&start(&home), 74, if name == "lock" { "lock in it: it is a link" } else { &path });
            assert_eq!(fs::read(&aside).expect("it is ours"), before, "{name}");
            fs::rename(&aside, &path).expect("it is ours");
        }
        // What a crash left half written is made anew: the link goes, what it leads to stays.
        let victim = home.write("victim", "mine");
        for name in ["meta.new", "rooms.log.new"] {
            symlink(&victim, home.file(name)).expect("it is ours");
        }
        assert_eq!(count(&home.server(&[]), "#tea"), 3);
        assert_eq!(fs::read_to_string(&victim).expect("it is ours"), "mine");
        assert!(fs::symlink_metadata(home.file("meta")).expect("it is there").is_file());
    }

    #[test]
    fn a_pipe_in_the_folder_is_not_waited_for() {
        let home = Scratch::new();
        let meta = home.file("meta");
        assert!(Command::new("mkfifo").arg(&meta).status().expect("coreutils are there").success());
        refused(&start(&home), 74, &meta);
    }

    #[test]
    fn the_folders_own_path_may_lead_through_links() {
        let above = Scratch::new();
        let home = Scratch::new();
        let link = above.file("link");
        symlink(home.path(), &link).expect("it is ours");
        let server = Server::start(&["--data", &link]);
        talk(&server, "#tea", 3);
        assert_eq!(server.stop(), 0);
        assert_eq!(count(&home.server(&[]), "#tea"), 3);
    }
}
