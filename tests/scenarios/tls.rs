//! Encryption: who begins with a handshake is everybody else from then on, and nobody waits for them.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

use parlor_tests::needs::{self, Lack};
use parlor_tests::{Deadline, Irc, Launch, Message, Plain, Scratch, Server, Tls};
use rustix::process::{Resource, getrlimit};
use rustls::StreamOwned;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Registered, and encrypted.
fn secretly(server: &Server, nick: &str) -> Irc {
    Irc::connect(server).encrypted(&Tls::new()).register(nick)
}

/// The first bytes of a client, and what it needs to go on.
fn hello() -> (rustls::ClientConnection, Vec<u8>) {
    let (mut client, mut hello) = (Tls::new().client(), Vec::new());
    client.write_tls(&mut hello).expect("there is room");
    (client, hello)
}

/// The certificate that a server shows.
fn certificate(server: &Server) -> Vec<u8> {
    let mut irc = Irc::connect(server).encrypted(&Tls::new());
    irc.ask("PING x", "PONG parlor.local x");
    let shown = irc.session().and_then(|session| session.peer_certificates()?.first().cloned());
    shown.expect("every server shows one").to_vec()
}

/// What `openssl` makes of its input.
fn openssl(args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the caller has looked");
    child.stdin.take().expect("asked for above").write_all(input).expect("it reads");
    child.wait_with_output().expect("it is our child").stdout
}

const OPENSSL: needs::Installed = ("openssl", "openssl");

/// An address of this machine that is not its loopback, if there is one: from there it is somebody else.
fn own_address() -> Option<SocketAddr> {
    let probe = UdpSocket::bind("0.0.0.0:0").ok()?;
    // TEST-NET-1 (RFC 5737); nothing is sent.
    probe.connect("192.0.2.1:9").ok()?;
    let own = probe.local_addr().ok()?;
    TcpListener::bind((own.ip(), 0)).ok()?.local_addr().ok()
}

#[test]
fn irc_and_people_at_terminals_talk_encrypted_and_readable_in_one_room() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (secretly(&server, "alice"), server.irc("bob"));
    alice.join("#lobby");
    bob.join("#lobby");
    let mut carol = Plain::connect(&server).encrypted(&Tls::new());
    carol.expect("*:Type a nickname and press Enter");
    carol.send("carol");
    carol.expect("-!- Welcome to *");
    carol.send("the kettle is on");
    for other in [&mut alice, &mut bob] {
        other.expect(":carol!*@* PRIVMSG #lobby :the kettle is on");
    }
    bob.send("PRIVMSG #lobby :for all");
    alice.expect(":bob!*@* PRIVMSG #lobby :for all");
    carol.expect("*bob*for all");
    let is_secure = |irc: &mut Irc, nick: &str| {
        irc.send(&format!("WHOIS {nick}"));
        let lines = irc.until("318 **");
        lines.iter().any(|line| line.is_like("671 * * :is using a secure connection"))
    };
    assert!(is_secure(&mut bob, "alice") && is_secure(&mut bob, "carol") && !is_secure(&mut alice, "bob"));
}

#[test]
fn both_versions_are_spoken() {
    let server = Server::start(&[]);
    for (version, nick) in [(&rustls::version::TLS12, "old"), (&rustls::version::TLS13, "new")] {
        let mut irc = Irc::connect(&server).encrypted(&Tls::version(version)).register(nick);
        irc.ask("PING x", "PONG parlor.local x");
        let spoken = irc.session().and_then(|session| session.protocol_version());
        assert_eq!(spoken, Some(version.version));
    }
}

#[test]
fn a_handshake_may_come_byte_by_byte() {
    let server = Server::start(&[]);
    let (client, hello) = hello();
    let mut socket = TcpStream::connect(server.address()).expect("it listens");
    socket.set_nodelay(true).expect("a fresh socket");
    for byte in &hello {
        socket.write_all(&[*byte]).expect("it reads");
    }
    let mut stream = StreamOwned::new(client, socket);
    stream.write_all(b"NICK slow\r\nUSER s 0 * :S\r\nQUIT :done\r\n").expect("it reads");
    let mut all = String::new();
    // The end is said, or this fails (RFC 8446 section 6.1).
    stream.read_to_string(&mut all).expect("UTF-8, and a good end");
    assert!(all.contains(" 001 slow :") && all.trim_end().ends_with("ERROR :Closing link: Quit"), "{all}");
}

#[test]
fn what_begins_like_a_handshake_and_is_none_is_closed_and_logged() {
    let server = Server::start(&["--max-clients-per-ip", "500"]);
    let mut alice = secretly(&server, "alice");
    let (_, hello) = hello();
    let mut flipped = hello.clone();
    flipped[5] = 0xFF;
    let mut readable = Vec::new();
    for (bytes, why) in [
        (&b"\x16hello\n"[..], "It begins like TLS and is none"),
        (b"\x16\x03\x01\xFF\xFFlong", "It begins like TLS and is none"),
        (b"\x16\x03\x01\x00\x05hello", "The TLS handshake failed"),
        (b"\x16\x03\x01\x00\x00", "The TLS handshake failed"),
        (&flipped, "The TLS handshake failed"),
    ] {
        let mut peer = server.plain();
        peer.send_bytes(bytes);
        readable.extend(peer.read_to_end());
        server.wait_log(&format!("refused: {} ({why})", peer.local_address()));
    }
    let fatal = |alert: &[u8]| alert.starts_with(&[21, 3, 3, 0, 2, 2]);
    assert!(!readable.is_empty() && readable.chunks(7).all(fatal), "alerts, no lines: {readable:?}");
    // Cut off anywhere, it is the end of that one.
    for length in (1..hello.len()).step_by(7) {
        let mut peer = server.plain();
        peer.send_bytes(&hello[..length]);
        peer.close_writing();
        assert_eq!(peer.read_to_end(), b"");
    }
    // And a record that nobody has encrypted ends the session it comes in.
    let mut socket = TcpStream::connect(server.address()).expect("it listens");
    let (mut client, hello) = self::hello();
    socket.write_all(&hello).expect("it reads");
    while client.is_handshaking() {
        client.complete_io(&mut socket).expect("hands are shaken");
    }
    socket.write_all(b"\x17\x03\x03\x00\x20forged--forged--forged--forged--").expect("it reads");
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest);
    alice.settle();
}

#[test]
fn what_comes_behind_a_good_bye_in_the_handshake_is_nobodys_to_read() {
    let server = Server::start(&["--max-clients-per-ip", "100"]);
    let mut alice = server.irc("alice");
    let whole = b"\x17\x03\x03\x10\x00".iter().chain(&[b'x'; 0x1000]).copied().collect::<Vec<u8>>();
    for behind in [&b"\x17"[..], &whole, &whole.repeat(2)] {
        let mut socket = TcpStream::connect(server.address()).expect("it listens");
        socket.set_read_timeout(Some(Deadline::DEFAULT)).expect("a time above zero");
        let (mut client, hello) = hello();
        socket.write_all(&hello).expect("it reads");
        while client.is_handshaking() {
            client.read_tls(&mut socket).expect("it answers");
            client.process_new_packets().expect("hands are shaken");
        }
        client.send_close_notify();
        let mut last = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut last).expect("there is room");
        }
        last.extend_from_slice(behind);
        socket.write_all(&last).expect("it reads");
        alice.settle();
        // The next one does not wait for its turn, and that one is closed.
        drop(secretly(&server, &format!("bob{}", behind.len())));
        if let Err(error) = socket.read_to_end(&mut last) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
    }
}

#[test]
fn half_handshakes_count_for_their_address_and_end_in_time() {
    let server = Server::start(&["--max-clients-per-ip", "4"]);
    let mut alice = secretly(&server, "alice");
    let (_, hello) = hello();
    let mut half: Vec<Plain> = (0..3).map(|_| server.plain().patience(Duration::from_secs(45))).collect();
    for (number, peer) in half.iter_mut().enumerate() {
        peer.send_bytes(&hello[..1 + number * 100]);
    }
    // Each byte that reaches the server is a sign of life, and no reprieve.
    alice.settle();
    let mut late = Irc::connect(&server);
    let last = late.expect_closed();
    assert!(last.iter().all(|line| line.is_like("ERROR :Closing link: *")), "{last:?}");
    for peer in &mut half {
        assert_eq!(peer.read_to_end(), b"", "it would not understand a line");
    }
    server.wait_log("*No name was given within 30 s*");
    drop(server.irc("bob"));
    alice.settle();
}

#[test]
fn a_long_page_and_a_late_reader_get_every_line() {
    const LINES: usize = 200;
    let scratch = Scratch::new();
    let server = scratch.server(&[]);
    let mut alice = secretly(&server, "alice");
    alice.join("#lobby");
    let text = "y".repeat(400);
    for number in 0..LINES {
        alice.send(&format!("PRIVMSG #lobby :{number} {text}"));
    }
    alice.settle();
    let caps = ["batch", "message-tags", "server-time", "draft/chathistory"];
    let mut late = Irc::connect(&server).encrypted(&Tls::new()).register_with("late", &caps);
    late.join("#lobby");
    // Fifty pages of 80 KB, asked for at once and read later: more than the kernel and the outbox take.
    for _ in 0..50 {
        late.send("CHATHISTORY LATEST #lobby * 200");
    }
    alice.settle();
    for _ in 0..50 {
        let page = late.batch();
        let said: Vec<String> =
            page.iter().filter(|m| m.command == "PRIVMSG").map(|m| m.last().into()).collect();
        let expected: Vec<String> = (LINES - said.len()..LINES).map(|n| format!("{n} {text}")).collect();
        assert!(said.len() > 90 && said == expected, "{} lines", said.len());
    }
}

#[test]
fn who_never_reads_is_cut_encrypted_or_not() {
    let server = Server::start(&[]);
    let (mut alice, mut carol) = (secretly(&server, "alice"), secretly(&server, "carol"));
    let mut stuck = secretly(&server, "stuck");
    for irc in [&mut alice, &mut carol, &mut stuck] {
        irc.join("#lobby");
    }
    let many = format!("PRIVMSG #lobby :{}\r\n", "y".repeat(400)).repeat(100);
    for round in 0.. {
        assert!(round < 400, "16 MB and still not cut");
        alice.send_bytes(&many);
        alice.send(&format!("PRIVMSG #lobby :{round}"));
        let lines = carol.until(&*format!("PRIVMSG #lobby :{round}"));
        if lines.iter().any(|m| m.is_like(":stuck!*@* QUIT :*SendQ exceeded*")) {
            break;
        }
    }
}

#[test]
fn only_encrypted_ones_come_from_elsewhere_where_the_operator_wants_that() {
    let Some(own) = own_address() else {
        return needs::skip(Lack::Forbidden("this machine is in no network"));
    };
    let bind = format!("{}:0", own.ip());
    let server = Server::start(&["--tls", "only", "--bind", &bind, "--bind", "127.0.0.1:0"]);
    let sentence = "Only encrypted connections are taken here: use TLS, on this same port";
    let mut irc = Irc::connect(&server);
    irc.send("NICK alice");
    let last = irc.expect_closed();
    assert!(
        matches!(&last[..], [only] if only.is_like(&format!("ERROR :Closing link: {sentence}"))),
        "{last:?}"
    );
    let mut plain = server.plain();
    plain.send("bob");
    assert_eq!(String::from_utf8_lossy(&plain.read_to_end()), format!("-!- {sentence}\n"));
    server.wait_log("refused: *--tls only*");
    let mut raw = server.plain();
    raw.send_bytes("words without a line end");
    assert_eq!(String::from_utf8_lossy(&raw.read_to_end()), format!("-!- {sentence}\n"));
    let mut alice = secretly(&server, "alice");
    alice.join("#lobby");
    // Of this machine nothing leaves it.
    let mut near = Irc::connect_to(server.addresses()[1]).register("near");
    near.send("PRIVMSG alice :hello");
    alice.expect(":near!*@* PRIVMSG alice :hello");
    let raw = Launch::new(&["--tls", "only", "--raw-bind", &bind]).run();
    assert!(raw.code == 64 && raw.stderr.contains("--raw-bind"), "{} {}", raw.code, raw.stderr);
}

#[test]
fn without_encryption_that_is_said_and_a_handshake_is_refused() {
    let server = Server::start(&["--tls", "off", "--bind", "0.0.0.0:0"]);
    server.wait_log("warn: lines travel readable *");
    let mut peer = Plain::connect_to(([127, 0, 0, 1], server.address().port()).into());
    peer.send_bytes(hello().1);
    assert_eq!(peer.read_to_end(), b"");
    server.wait_log("refused: * (TLS is not spoken here)");
}

#[test]
fn a_server_keeps_its_key() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let file = scratch.file("tls.pem");
    let first = scratch.server(&[]);
    let shown = certificate(&first);
    let fingerprints = first.wait_log("*irssi: */*");
    assert_eq!(first.stop(), 0);
    let mode = fs::metadata(&file).expect("it was made").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    let again = scratch.server(&[]);
    assert_eq!((again.wait_log("*irssi: */*"), certificate(&again)), (fingerprints.clone(), shown.clone()));
    assert_eq!(again.stop(), 0);
    // With the key but without a history as well.
    let unremembered = scratch.server(&["--no-history"]);
    assert_eq!(certificate(&unremembered), shown);
    drop(unremembered);
    let other = Server::start(&[]);
    assert_ne!(certificate(&other), shown);
    other.wait_log("TLS with the key in *");
    // Nobody's key is overwritten, however it looks.
    let kept = fs::read(&file).expect("it is ours");
    for damaged in [&kept[..kept.len() / 2], b"", &kept[..kept.len() - 30], b"\0\0\0\0"] {
        fs::write(&file, damaged).expect("it is ours");
        let ended = Launch::new(&["--data", &scratch.file("")]).run();
        assert!(ended.code == 66 && ended.stderr.contains("tls.pem"), "{} {}", ended.code, ended.stderr);
        assert_eq!(fs::read(&file).expect("it is ours"), damaged);
    }
    fs::write(&file, kept).expect("it is ours");
    assert_eq!(certificate(&scratch.server(&[])), shown);
}

#[test]
fn the_fingerprints_are_those_that_other_programs_take() {
    if !needs::have(&[OPENSSL]) {
        return;
    }
    let server = Server::start(&[]);
    let shown = certificate(&server);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
    let sum = |bytes: &[u8]| hex(&openssl(&["dgst", "-sha256", "-binary"], bytes));
    let public = openssl(&["x509", "-inform", "der", "-noout", "-pubkey"], &shown);
    let key = openssl(&["pkey", "-pubin", "-outform", "der"], &public);
    server.wait_log(&format!("*irssi: * -tls_pinned_pubkey {} *", sum(&key).join(":").to_uppercase()));
    server.wait_log(&format!("*WeeChat: *_fingerprint {} *", sum(&shown).concat()));
    server.wait_log(&format!("*HexChat: * {}", sum(&key).concat()));
}

/// A certificate and its key, as two servers would have them.
fn own_files(scratch: &Scratch) -> [Vec<u8>; 2] {
    ["one", "two"].map(|name| {
        let folder = scratch.file(name);
        drop(Server::start(&["--no-history", "--data", &folder]));
        fs::read(format!("{folder}/tls.pem")).expect("it was made")
    })
}

#[test]
fn files_of_ones_own_are_read_again_at_sighup() {
    let scratch = Scratch::new();
    let [one, two] = own_files(&scratch);
    let file = scratch.write_secret("own.pem", &one);
    let options = ["--tls-cert", &file, "--tls-key", &file, "--sts", "30"];
    // Without a terminal, wherever the tests run.
    let server = Launch::new(&options).through_shell("exec setsid \"$@\"").start();
    let before = certificate(&server);
    let mut alice = secretly(&server, "alice");
    fs::write(&file, &two[..200]).expect("it is ours");
    server.signal("HUP");
    server.wait_log("error: not reloaded, *own.pem*");
    assert_eq!(certificate(&server), before, "what cannot be used changes nothing");
    fs::write(&file, &two).expect("it is ours");
    server.signal("HUP");
    server.wait_log("reloaded*");
    assert_ne!(certificate(&server), before);
    alice.settle();
    // A promise that only those with a certificate of their own can keep.
    let mut bob = Irc::connect(&server);
    bob.send("CAP LS 302");
    let port = format!("sts=port={}", server.address().port());
    bob.expect(|m: &Message| m.command == "CAP" && m.last().ends_with(&port));
    let mut carol = Irc::connect(&server).encrypted(&Tls::new());
    carol.send("CAP LS 302");
    carol.expect(|m: &Message| m.command == "CAP" && m.last().ends_with("sts=duration=2592000"));
    carol.ask("CAP REQ sts", "CAP * NAK :sts");
    let open = scratch.write("open.pem", &one);
    Launch::new(&["--tls-cert", &open, "--tls-key", &open])
        .start()
        .wait_log("warn: TLS: others than its owner can read the key in *open.pem *");
    let mismatched = scratch.write_secret("other.pem", &one);
    let ended = Launch::new(&["--tls-cert", &file, "--tls-key", &mismatched]).run();
    assert!(ended.code == 66 && ended.stderr.contains("own.pem"), "{} {}", ended.code, ended.stderr);
    for alone in [["--tls-cert", &file], ["--tls-key", &file], ["--sts", "30"]] {
        assert_eq!(Launch::new(&alone).run().code, 64, "{alone:?}");
    }
}

#[test]
fn who_shows_a_certificate_is_told_its_fingerprint_and_nobody_else_is() {
    if !needs::have(&[OPENSSL]) {
        return;
    }
    let scratch = Scratch::new();
    let [own, _] = own_files(&scratch);
    let certificate = CertificateDer::from_pem_slice(&own).expect("it is in there");
    let sum = openssl(&["dgst", "-sha256", "-binary"], &certificate);
    let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = PrivateKeyDer::from_pem_slice(&own).expect("it is in there");
    let server = Server::start(&[]);
    let tls = Tls::certificate(certificate, key);
    let (mut alice, mut bob) =
        (Irc::connect(&server).encrypted(&tls).register("alice"), secretly(&server, "bob"));
    alice.send("WHOIS alice");
    alice.expect(&*format!("276 alice alice :has client certificate fingerprint {sum}"));
    bob.send("WHOIS alice");
    let seen = bob.until("318 **");
    assert!(!seen.iter().any(|line| line.command == "276"), "{seen:?}");
}

#[test]
fn openssl_reads_to_a_good_end() {
    if !needs::have(&[OPENSSL]) {
        return;
    }
    let server = Server::start(&[]);
    let address = server.address().to_string();
    for version in ["-tls1_2", "-tls1_3"] {
        let said = b"NICK alice\r\nUSER a 0 * :A\r\nQUIT :done\r\n";
        let heard = openssl(&["s_client", "-quiet", version, "-connect", &address], said);
        let heard = String::from_utf8_lossy(&heard);
        assert!(heard.contains(" 001 alice :") && heard.contains("ERROR :Closing link: Quit"), "{heard}");
    }
}

/// KiB of a server that are in memory.
fn resident(server: &Server) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says it");
    line.trim_end_matches("kB").trim().parse().expect("a number")
}

#[test]
fn ten_thousand_half_handshakes_delay_nobody_and_leave_nothing() {
    // Both ends are of this machine, and other tests run beside this one.
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(10_000);
    let wave = usize::try_from(descriptors / 4).map_or(2500, |wave| wave.min(2500));
    let server = Server::start(&["--max-clients-per-ip", &(2 * wave + 100).to_string()]);
    let mut calm = server.irc("calm");
    let (mut done, mut after) = (0, Vec::new());
    while done < 10_000 {
        let begin = |number: usize| {
            let mut socket = TcpStream::connect(server.address()).expect("it listens");
            let hello = hello().1;
            // Some end within the first record, some when it is the server's turn, some in what follows.
            let ends = [(7, &b""[..]), (hello.len(), b""), (hello.len(), b"\x17\x03\x03\x00\x05")];
            let (end, more) = ends[number % ends.len()];
            socket.write_all(&hello[..end]).and_then(|()| socket.write_all(more)).expect("it reads");
            socket
        };
        let mut half = Vec::new();
        for number in 0..wave {
            half.push(begin(number));
            if number % 100 == 0 {
                let in_time = Deadline::after(Duration::from_secs(1));
                calm.settle();
                assert!(in_time.left().is_some(), "others talk on beside {}", done + number);
            }
        }
        for socket in half.iter_mut().skip(1).step_by(3) {
            socket.set_read_timeout(Some(Deadline::DEFAULT)).expect("a time above zero");
            socket.read_exact(&mut [0]).expect("those before have made room: it is answered");
        }
        let most = resident(&server);
        assert!(most < 64 * 1024, "{most} KiB for {wave} of them");
        drop(half);
        done += wave;
        after.push(resident(&server));
    }
    // What the first ones took is taken again, not more: 1 KiB that each leaves would be seen.
    let (first, last) = (after[0], after[after.len() - 1]);
    assert!(last < first + done - wave, "KiB after each wave: {after:?}");
}

#[test]
fn a_storm_of_handshakes_delays_nobody() {
    let server = Server::start(&["--max-clients-per-ip", "2000"]);
    let mut calm = server.irc("calm");
    let storm: Vec<TcpStream> = (0..500)
        .map(|_| {
            let mut socket = TcpStream::connect(server.address()).expect("it listens");
            socket.write_all(&hello().1).expect("it reads");
            socket
        })
        .collect();
    let in_time = Deadline::after(Duration::from_secs(2));
    for _ in 0..50 {
        calm.settle();
    }
    assert!(in_time.left().is_some(), "others are served between handshakes");
    for mut socket in storm {
        let mut first = [0];
        socket.set_read_timeout(Some(Deadline::DEFAULT)).expect("a time above zero");
        assert!(socket.read_exact(&mut first).is_ok() && first == [0x16], "each is answered: {first:?}");
    }
}
