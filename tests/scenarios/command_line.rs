//! Options, addresses, exit codes.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};

use parlor_tests::needs::{Lack, skip};
use parlor_tests::{Ended, Irc, Launch, Message, Plain, Scratch, Server};

fn run(options: &[&str]) -> Ended {
    Launch::new(options).without_defaults().run()
}

/// Refused with this code, in one sentence that names what is wrong, and nothing half started.
#[track_caller]
fn refused(ended: &Ended, code: i32, names: &str) {
    assert_eq!(ended.code, code, "{}", ended.stderr);
    let mut lines = ended.stderr.lines();
    let line = lines.next().unwrap_or_default();
    assert!(line.starts_with("server: ") && line.contains(names), "{names:?} in {:?}", ended.stderr);
    // Behind wrong options stands where the right ones are listed.
    assert!(lines.all(|more| code == 64 && more.contains("--help")), "{}", ended.stderr);
    assert_eq!(ended.stdout, "", "nothing half started");
}

#[test]
fn help_is_on_standard_output() {
    let (short, long) = (run(&["-h"]), run(&["--help"]));
    assert_eq!((short.code, long.code), (0, 0));
    assert_eq!(short.stdout, long.stdout);
    assert_eq!(long.stderr, "");
    for option in [
        "--bind",
        "--name",
        "--motd",
        "--default-room",
        "--raw-bind",
        "--raw-prompt",
        "--no-plain",
        "--max-clients",
        "--max-clients-per-ip",
        "--flood",
        "--tls",
        "--tls-cert",
        "--tls-key",
        "--sts",
        "--data",
        "--no-history",
        "--replay",
        "--oper-file",
        "--quiet",
        "--verbose",
        "--version",
        "--help",
    ] {
        let explained = |line: &str| line.split([' ', ',']).any(|word| word == option);
        assert!(long.stdout.lines().any(explained), "{option} in {}", long.stdout);
    }
}

#[test]
fn version_is_one_line() {
    let ended = run(&["--version"]);
    assert_eq!((ended.code, ended.stdout.lines().count(), ended.stderr.as_str()), (0, 1, ""));
    // Which of the two builds this is; the help says so too.
    let version = ended.stdout.trim_end();
    let (with, without) = (version.ends_with(" with TLS"), version.ends_with(" without TLS"));
    let help = run(&["--help"]).stdout;
    assert!(
        (with && help.contains("This build has TLS")) || (without && help.contains("This build has no TLS"))
    );
    assert!(ended.stdout.split(['.', ' ']).filter(|part| part.parse::<u32>().is_ok()).count() >= 3);
}

#[test]
fn wrong_options_are_explained() {
    for (options, names) in [
        (&["--frob"][..], "--frob"),
        (&["stray"], "stray"),
        (&["--bind"], "--bind"),
        (&["--name", "tea room"], "--name"),
        (&["--name", ""], "--name"),
        (&["--name", &"x".repeat(33)], "--name"),
        (&["--default-room", "tea"], "--default-room"),
        (&["--default-room", "#a b"], "--default-room"),
        (&["--default-room", "#"], "--default-room"),
        (&["--flood", "0"], "--flood"),
        (&["--flood", "-1"], "--flood"),
        (&["--flood", "often"], "--flood"),
        (&["--max-clients", "0"], "--max-clients"),
        (&["--max-clients", "many"], "--max-clients"),
        (&["--max-clients-per-ip", "0"], "--max-clients-per-ip"),
        (&["--max-clients-per-ip", "1.5"], "--max-clients-per-ip"),
        (&["--raw-prompt", ""], "--raw-prompt"),
        (&["--compact"], "--compact"),
        // The earlier names of two options.
        (&["--plain-bind", "127.0.0.1:0"], "--raw-bind"),
        (&["--plain-prompt", "NICK"], "--raw-prompt"),
    ] {
        refused(&run(options), 64, names);
    }
}

#[test]
fn an_address_that_is_none_is_68() {
    for address in ["nonsense", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x", "::1:0:", ":", ""] {
        refused(&run(&["--bind", address]), 68, address);
        refused(&run(&["--bind", "127.0.0.1:0", "--raw-bind", address]), 68, address);
    }
}

#[test]
fn an_address_in_use_is_69() {
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let taken = other.local_addr().expect("it is bound").to_string();
    refused(&run(&["--bind", &taken]), 69, &taken);
    // One that is free before it, and one for raw clients, start nothing either.
    refused(&run(&["--bind", "127.0.0.1:0", "--bind", &taken]), 69, &taken);
    refused(&run(&["--bind", "127.0.0.1:0", "--raw-bind", &taken]), 69, &taken);
    let running = Server::start(&[]);
    let taken = running.address().to_string();
    refused(&run(&["--bind", &taken]), 69, &taken);
    let _still_there = running.irc("alice");
}

#[test]
fn an_address_of_another_machine_is_69() {
    // TEST-NET-3 (RFC 5737) is nobody's.
    refused(&run(&["--bind", "203.0.113.7:0"]), 69, "203.0.113.7:0");
}

#[test]
fn a_file_that_cannot_be_read_is_66() {
    let scratch = Scratch::new();
    let folder = scratch.path().display().to_string();
    let missing = scratch.file("missing");
    let binary = scratch.write("binary", b"caf\xe9\n");
    for file in [&missing, &folder, &binary] {
        refused(&Launch::new(&["--motd", file]).run(), 66, file);
    }
    let empty = scratch.write_secret("empty", "");
    refused(&Launch::new(&["--oper-file", &empty]).run(), 66, &empty);
    refused(&Launch::new(&["--oper-file", &folder]).run(), 66, &folder);
    let nowhere = scratch.file("no/such/folder/oper");
    refused(&Launch::new(&["--oper-file", &nowhere]).run(), 73, &nowhere);
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_is_66_and_is_not_waited_for() {
    let scratch = Scratch::new();
    let pipe = scratch.file("pipe");
    let made = std::process::Command::new("mkfifo").args(["-m", "600", &pipe]).status();
    assert!(made.expect("coreutils are there").success());
    let link = scratch.file("link");
    std::os::unix::fs::symlink(&pipe, &link).expect("the folder is ours");
    for option in ["--motd", "--oper-file"] {
        for file in [&*pipe, &link, "/dev/zero", "/dev/null", "/dev/stdin"] {
            refused(&Launch::new(&[option, file]).run(), 66, file);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_path_that_the_operator_gives_may_lead_through_links() {
    let scratch = Scratch::new();
    let file = scratch.write_secret("key", "0123456789abcdef0123456789abcdef\n");
    let link = scratch.file("link");
    std::os::unix::fs::symlink(&file, &link).expect("the folder is ours");
    assert_eq!(Server::start(&["--oper-file", &link, "--motd", &link]).stop(), 0);
}

#[cfg(unix)]
#[test]
fn a_key_of_another_user_is_77() {
    let scratch = Scratch::new();
    let file = scratch.write_secret("oper", "0123456789abcdef0123456789abcdef\n");
    if std::os::unix::fs::chown(&file, Some(NOBODY), None).is_err() {
        return parlor_tests::needs::skip(parlor_tests::needs::Lack::Forbidden("only root gives files away"));
    }
    refused(&Launch::new(&["--oper-file", &file]).run(), 77, &file);
}

/// Debian's user `nobody`.
#[cfg(unix)]
const NOBODY: u32 = 65534;

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_77() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let file = scratch.write_secret("oper", "0123456789abcdef0123456789abcdef\n");
    for (mode, code) in
        [(0o600, None), (0o400, None), (0o604, Some(77)), (0o660, Some(77)), (0o644, Some(77))]
    {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("the file is ours");
        match code {
            Some(code) => refused(&Launch::new(&["--oper-file", &file]).run(), code, &file),
            None => assert_eq!(Server::start(&["--oper-file", &file]).stop(), 0, "{mode:o}"),
        }
    }
}

#[cfg(unix)]
#[test]
fn a_start_that_fails_leaves_no_key_behind() {
    let scratch = Scratch::new();
    let key = scratch.file("oper");
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let taken = other.local_addr().expect("it is bound").to_string();
    assert_eq!(run(&["--bind", &taken, "--oper-file", &key]).code, 69);
    assert!(!std::path::Path::new(&key).exists(), "nothing half started");
}

#[cfg(unix)]
#[test]
fn too_few_descriptors_are_71() {
    let limited = |limit: &str, clients: &str| {
        Launch::new(&["--max-clients", clients]).through_shell(&format!("ulimit {limit} && exec \"$@\""))
    };
    let ended = limited("-n 100", "1000").run();
    refused(&ended, 71, "--max-clients 1000");
    // What it says fits does fit.
    let most = ended.stderr.trim_end().trim_end_matches('.').rsplit(' ').next().unwrap_or_default();
    assert_eq!(limited("-n 100", most).start().stop(), 0, "--max-clients {most}");
    // The soft limit is raised to the hard one first.
    let server = limited("-Sn 100", "500").start();
    #[cfg(target_os = "linux")]
    {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).expect("it runs");
        let files = limits.lines().find(|line| line.starts_with("Max open files")).expect("it is listed");
        let numbers: Vec<&str> = files.split_whitespace().skip(3).take(2).collect();
        assert!(matches!(numbers[..], [soft, hard] if soft == hard), "{files}");
    }
    drop(server);
    // Without --max-clients it takes what there is.
    let small = Launch::new(&[]).through_shell("ulimit -n 100 && exec \"$@\"").start();
    let _alice = small.irc("alice");
}

#[test]
fn port_0_prints_the_port_taken() {
    let server = Server::start(&["--bind", "127.0.0.1:0", "--raw-bind", "127.0.0.1:0"]);
    let lines = server.stdout().all();
    let (main, raw) = (server.address(), server.raw_address());
    assert!(main.port() != 0 && raw.port() != 0 && main.port() != raw.port());
    assert_eq!(lines, [format!("Listening on {main}"), format!("Listening on {raw} for raw clients")]);
}

#[test]
fn bind_can_be_repeated() {
    let server = Server::start(&["--bind", "127.0.0.1:0", "--bind", "127.0.0.1:0", "--bind", "127.0.0.2:0"]);
    let mut people: Vec<Irc> = server.addresses().iter().map(|at| Irc::connect_to(*at)).collect();
    assert_eq!(people.len(), 3);
    for (number, irc) in people.iter_mut().enumerate() {
        irc.send(&format!("NICK p{number}"));
        irc.send("USER p 0 * :P");
        irc.welcomed();
        irc.join("#lobby");
    }
    people[0].send("PRIVMSG #lobby :one room");
    people[2].expect(":p0!*@* PRIVMSG #lobby :one room");
}

#[test]
fn a_name_is_all_of_its_addresses() {
    let server = Server::start(&["--bind", "localhost:0"]);
    let port = server.address().port();
    let both = ("localhost", port).to_socket_addrs().expect("it is in every hosts file");
    for (number, address) in both.enumerate() {
        // A machine without IPv6 may still have a name for its address.
        if TcpListener::bind((address.ip(), 0)).is_ok() {
            drop(Irc::connect_to(address).register(&format!("p{number}")));
        }
    }
}

#[test]
fn both_wildcards_go_together_and_one_of_ipv6_takes_both() {
    if TcpListener::bind("[::]:0").is_err() {
        return skip(Lack::Forbidden("this machine has no IPv6"));
    }
    let free = TcpListener::bind("0.0.0.0:0").and_then(|free| free.local_addr());
    let port = free.expect("a free port").port();
    let (four, six) = (format!("0.0.0.0:{port}"), format!("[::]:{port}"));
    let (near, nearer) = (SocketAddr::from(([127, 0, 0, 1], port)), format!("127.0.0.1:{port}"));
    for binds in [[&four, &six], [&six, &four], [&six, &nearer]] {
        let server = Server::start(&["--bind", binds[0], "--bind", binds[1]]);
        drop(Irc::connect_to(near).register("alice"));
        drop(Irc::connect_to(format!("[::1]:{port}").parse().expect("an address")).register("bob"));
        assert_eq!(server.stop(), 0);
    }
    let server = Server::start(&["--bind", &six]);
    drop(Irc::connect_to(near).register("alice"));
    assert_eq!(server.stop(), 0);
    // What is given twice is not called another program's.
    for binds in [[&four, &nearer], [&nearer, &nearer]] {
        let twice = run(&["--no-history", "--bind", binds[0], "--bind", binds[1]]);
        refused(&twice, 64, &nearer);
        assert!(twice.stderr.contains("listens already"), "{}", twice.stderr);
    }
}

#[test]
fn ipv6_is_spoken() {
    if TcpListener::bind("[::1]:0").is_err() {
        return skip(Lack::Forbidden("this machine has no IPv6"));
    }
    let server = Server::start(&["--bind", "[::1]:0", "--raw-bind", "[::1]:0"]);
    assert!(server.stdout().text().starts_with("Listening on [::1]:"), "{}", server.stdout().text());
    let mut alice = server.irc("alice");
    alice.join("#lobby");
    let at = alice.local_address();
    server.wait_log(&format!("joined: alice from {at} to #lobby"));
    let mut raw = Plain::connect_to(server.raw_address());
    raw.send_bytes("hi");
    alice.expect(":guest1!*@* PRIVMSG #lobby hi");
}

#[test]
fn a_wildcard_shows_what_others_can_type() {
    for (wildcard, from) in [("0.0.0.0:0", "0.0.0.0"), ("[::]:0", "[::]")] {
        if TcpListener::bind(wildcard).is_err() {
            skip(Lack::Forbidden(&format!("this machine does not listen on {wildcard}")));
            continue;
        }
        let server = Server::start(&["--bind", wildcard]);
        let port = server.address().port();
        server.signal("TERM");
        let lines = server.wait().stdout;
        let mut lines = lines.lines();
        assert_eq!(lines.next(), Some(format!("Listening on {from}:{port}").as_str()));
        for line in lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            let ["others", "can", "type", address, interface] = words[..] else { panic!("{line:?}") };
            let address: SocketAddr = address.parse().expect("an address");
            assert_eq!(address.port(), port);
            assert!(!address.ip().is_loopback() && !address.ip().is_unspecified(), "{line:?}");
            // It is this machine's own: somebody can listen there.
            assert!(TcpListener::bind((address.ip(), 0)).is_ok(), "{line:?}");
            assert!(interface.starts_with('(') && interface.ends_with(')'), "{line:?}");
        }
    }
}

#[test]
fn every_address_of_this_machine_is_shown() {
    // The address from which this machine would reach another one; nothing is sent.
    let probe = std::net::UdpSocket::bind("0.0.0.0:0").expect("a free port");
    if probe.connect("192.0.2.1:9").is_err() {
        return skip(Lack::Forbidden("this machine is in no network"));
    }
    let own = probe.local_addr().expect("it is bound").ip();
    let server = Server::start(&["--bind", "0.0.0.0:0"]);
    let port = server.address().port();
    server.wait_stdout(&format!("  others can type {own}:{port} (*)"));
    let mut alice = Irc::connect_to(SocketAddr::new(own, port)).register("alice");
    alice.settle();
    // One address is exactly one address.
    let narrow = Server::start(&[]);
    assert!(TcpStream::connect((own, narrow.address().port())).is_err());
}

#[test]
fn a_name_a_motd_and_a_room_of_its_own() {
    let scratch = Scratch::new();
    let motd = scratch.write("motd", "Tea at five.\n\n小明 brings cake.\n");
    let data = scratch.file("data");
    let options =
        ["--name", "kettle.example", "--motd", &motd, "--default-room", "#kitchen", "--data", &data];
    let server = Server::start(&options);
    let mut alice = Irc::connect(&server);
    alice.send("NICK alice");
    alice.send("USER alice 0 * :Alice");
    let lines = alice.welcomed();
    assert!(lines.iter().all(|m| m.source == "kettle.example"), "{lines:?}");
    let motd: Vec<&str> = lines.iter().filter(|m| m.command == "372").map(Message::last).collect();
    let text: Vec<&str> = motd.iter().map(|line| line.trim_start_matches("- ").trim()).collect();
    assert_eq!(text.iter().filter(|line| !line.is_empty()).count(), 2, "{motd:?}");
    assert!(text.contains(&"Tea at five.") && text.contains(&"小明 brings cake."), "{motd:?}");
    let rooms = alice.ask_all("LIST");
    assert!(rooms.iter().any(|m| m.is_like("322 alice #kitchen **")), "it exists already: {rooms:?}");
}
