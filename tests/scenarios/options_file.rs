//! Options from a file (`--config`).

use parlor_tests::{Ended, Irc, Launch, Scratch, Server};

fn launch(file: &str, options: &[&str]) -> Launch {
    Launch::new(&[&["--config", file], options].concat()).without_defaults()
}

fn start(file: &str, options: &[&str]) -> Server {
    launch(file, options).start()
}

/// Refused with this code, and a sentence with all of these in it.
#[track_caller]
fn refused(ended: &Ended, code: i32, names: &[&str]) {
    let line = ended.stderr.lines().next().unwrap_or_default();
    assert_eq!(ended.code, code, "{}", ended.stderr);
    assert!(
        line.starts_with("server: ") && names.iter().all(|name| line.contains(name)),
        "{names:?}: {line}"
    );
    assert_eq!(ended.stdout, "", "nothing half started");
}

/// Asks, and finds this among the answers.
#[track_caller]
pub(crate) fn is_told(irc: &mut Irc, question: &str, answer: &str) {
    let lines = irc.ask_all(question);
    assert!(lines.iter().any(|m| m.is_like(answer)), "{answer:?} in {lines:?}");
}

#[test]
fn a_file_says_what_a_command_line_would() {
    let scratch = Scratch::new();
    let _ = scratch.write("message of the day.txt", "Tea at five.\n");
    // As an editor of Windows leaves it, without an end of the last line.
    let file = scratch.write(
        "server.conf",
        "\u{feff}# Tea\r\n\r\n  # and cake\r\nbind 127.0.0.1:0\r\n\tbind\t127.0.0.2:0  \r\ndefault-room #tea#2\r\n\
         motd   message of the day.txt \r\nno-history\r\nno-private\r\nname tea.example",
    );
    let server = start(&file, &[]);
    server.wait_stdout("Listening on 127.0.0.2:*");
    let mut alice = Irc::connect(&server);
    alice.send("NICK alice");
    alice.send("USER a 0 * :A");
    let welcome = alice.until(|m: &parlor_tests::Message| m.command == "376");
    assert!(welcome.iter().any(|m| m.is_like(":tea.example 372 alice :- Tea at five.")), "{welcome:?}");
    is_told(&mut alice, "LIST", "322 alice #tea#2 0 *");
}

#[test]
fn the_command_line_wins() {
    let scratch = Scratch::new();
    let file = scratch.write(
        "server.conf",
        "bind 127.0.0.3:0\nbind 127.0.0.4:0\nname one.example\ndefault-room #one\nquiet\nno-history\n",
    );
    let server = start(&file, &["--name", "two.example", "--bind", "127.0.0.1:0", "-v"]);
    let mut alice = server.irc("alice");
    is_told(&mut alice, "VERSION", "351 alice * two.example *");
    is_told(&mut alice, "LIST", "322 alice #one 0 *");
    server.wait_log("joined: alice *");
    assert_eq!(server.stdout().all().len(), 1, "none of the file's listeners: {}", server.stdout().text());
    // What only the command line has is there whatever the file is.
    let version = launch("no such file", &["--version"]).run();
    assert_eq!((version.code, version.stderr.as_str()), (0, ""));
}

#[test]
fn what_is_wrong_in_a_file_is_said_with_its_line() {
    let scratch = Scratch::new();
    for (text, names) in [
        ("frob\n", &["line 1", "frob"][..]),
        ("\n# x\nfrob 1\n", &["line 3", "frob"]),
        ("bind = \nbind\n", &["line 2", "bind needs a value"]),
        ("no-plain yes\n", &["line 1", "no-plain is a switch"]),
        ("name a.b\nflood 1\nname a.b\n", &["line 3", "name stands in line 1 already"]),
        ("no-plain\nno-plain\n", &["line 2", "no-plain stands in line 1"]),
        ("--bind 127.0.0.1:0\n", &["line 1", "no hyphens here: bind"]),
        ("q\n", &["line 1", "--q"]),
        ("\u{1b}[31mbind 1\n", &["line 1", "bind"]),
        ("name tea room\n", &["line 1", "--name", "tea"]),
        ("flood often\n", &["line 1", "--flood", "often"]),
        ("keep 30\n", &["line 1", "--keep"]),
        ("config other.conf\n", &["line 1", "config is for the command line"]),
        ("export #lobby\n", &["line 1", "export is for the command line"]),
        ("since 30d\n", &["line 1", "since is for"]),
        ("format text\n", &["line 1", "format is for"]),
        ("help\n", &["line 1", "help is for"]),
        ("version\n", &["line 1", "version is for"]),
        ("plain-bind 127.0.0.1:0\n", &["line 1", "--raw-bind"]),
        // What contradicts each other has no line of its own.
        ("no-private\nkeep-private 1M\n", &["With the options in ", "--no-private"]),
    ] {
        let file = scratch.write("server.conf", text);
        let ended = launch(&file, &[]).run();
        refused(&ended, 64, &[&[&*file], names].concat());
        assert!(!ended.stderr.contains('\u{1b}'), "{:?}", ended.stderr);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_66() {
    let scratch = Scratch::new();
    let folder = scratch.path().display().to_string();
    refused(&launch(&scratch.file("missing"), &[]).run(), 66, &["missing"]);
    refused(&launch(&folder, &[]).run(), 66, &[&folder]);
    let file = scratch.write("binary.conf", b"no-plain\nmotd caf\xe9\n");
    refused(&launch(&file, &[]).run(), 66, &[&file, "line 2", "UTF-8"]);
    // 64 KiB are read, one byte more is not.
    let comment = |bytes: usize| format!("no-history\nbind 127.0.0.1:0\n#{}", "x".repeat(bytes - 29));
    let large = scratch.write("large.conf", comment(64 * 1024));
    assert_eq!(start(&large, &[]).stop(), 0);
    let file = scratch.write("larger.conf", comment(64 * 1024 + 1));
    refused(&launch(&file, &[]).run(), 66, &[&file, "65536"]);
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_is_not_waited_for_and_links_are_followed() {
    let scratch = Scratch::new();
    let pipe = scratch.file("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("coreutils are there").success());
    for file in [&*pipe, "/dev/zero", "/dev/stdin"] {
        refused(&launch(file, &[]).run(), 66, &[file]);
    }
    let _ = scratch.write("motd", "Tea at five.\n");
    let inner = scratch.file("inner");
    std::fs::create_dir(&inner).expect("the folder is ours");
    let _ = scratch.write("inner/server.conf", "bind 127.0.0.1:0\nno-history\nmotd motd\n");
    let link = scratch.file("server.conf");
    std::os::unix::fs::symlink(format!("{inner}/server.conf"), &link).expect("the folder is ours");
    // Other files stand beside the link.
    is_told(&mut start(&link, &[]).irc("alice"), "MOTD", "372 alice :- Tea at five.");
}

#[test]
fn an_export_finds_the_folder_by_the_file() {
    let scratch = Scratch::new();
    let file = scratch.write("server.conf", "bind 127.0.0.1:0\ndata kept here\n");
    let server = start(&file, &[]);
    let mut alice = server.irc_with("alice", &["echo-message"]);
    alice.join("#lobby");
    alice.ask("PRIVMSG #lobby :tea?", "PRIVMSG #lobby tea?");
    assert_eq!(server.stop(), 0);
    assert!(scratch.path().join("kept here/meta").exists());
    let ended = launch(&file, &["--export", "#lobby"]).run();
    assert!(ended.code == 0 && ended.stdout.contains("tea?"), "{} {}", ended.stdout, ended.stderr);
}
