//! Names that belong to people: other people's programs log in to them, by every way that each knows, over TLS and with
//! our key pinned where they can.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use parlor_tests::needs::{self, Installed};
use parlor_tests::{Deadline, Irc, Scratch, Server, Tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::irssi::Irssi;

const OPENSSL: Installed = ("openssl", "openssl");
pub(crate) const WEECHAT: Installed = ("weechat-headless", "weechat-headless");

/// A server where "bob" is somebody's name, who logs in by "sesame" and by the certificate in `pem`, and has left; a member
/// of #lobby sees who comes.
struct Lobby {
    server: Server,
    alice: Irc,
    _files: Scratch,
    pem: String,
}

impl Lobby {
    /// `None`, and a line that says so, where a program is not installed.
    #[track_caller]
    fn open(programs: &[Installed]) -> Option<Self> {
        if !needs::have(&[programs, &[OPENSSL]].concat()) {
            return None;
        }
        let files = Scratch::new();
        let (pem, key) = (files.file("bob.pem"), files.file("key.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-subj", "/CN=bob", "-days", "30", "-out", &pem, "-keyout", &key])
            .output()
            .expect("it was there just now");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let both = [&pem, &key].map(|file| fs::read(file).expect("it was made")).concat();
        fs::write(&pem, &both).expect("it is ours");
        let server = Server::start(&[]);
        let tls = Tls::certificate(
            CertificateDer::from_pem_slice(&both).expect("it is in there"),
            PrivateKeyDer::from_pem_slice(&both).expect("it is in there"),
        );
        let mut bob = Irc::connect(&server).encrypted(&tls);
        bob = bob.register_with("bob", &["draft/account-registration"]);
        bob.ask_all("REGISTER * * sesame").iter().find(|m| m.command == "900").expect("a name of one's own");
        let told = bob.ask_all("NICKSERV CERT");
        assert!(told.iter().any(|m| m.last().contains("This certificate logs in as bob")), "{told:?}");
        bob.send("QUIT");
        bob.expect_closed();
        let mut alice = server.irc_with("alice", &["extended-join"]);
        alice.join("#lobby");
        Some(Self { server, alice, _files: files, pem })
    }

    /// A word that the start of the server says behind this pattern.
    fn said(&self, before: &str) -> String {
        let line = self.server.wait_log(&format!("*{before} *"));
        let word = line.split(before).nth(1).and_then(|rest| rest.split_whitespace().next());
        word.expect("a word to paste").to_owned()
    }

    /// Waits until bob is in the room, where nobody else reads, and logged in.
    #[track_caller]
    fn sees_bob(&mut self) {
        self.alice.expect(":bob!*@* JOIN #lobby bob *");
        self.alice.send("WHOIS bob");
        let known = self.alice.until("318 **");
        assert!(
            known.iter().any(|line| line.is_like("671 * bob :is using a secure connection")),
            "{known:?}"
        );
        assert!(known.iter().any(|line| line.is_like("330 alice bob bob *")), "{known:?}");
    }

    /// Waits until somebody is there by another name, who could not show that the first one is theirs.
    #[track_caller]
    fn sees_no_bob(&mut self) {
        self.server.wait_log("joined: bobby from *");
        self.alice.send("WHOIS bobby");
        let known = self.alice.until("318 **");
        assert!(!known.iter().any(|line| line.command == "330"), "{known:?}");
        self.alice.send("ISON bob");
        self.alice.expect("303 alice :");
    }

    /// Waits until bob has left.
    #[track_caller]
    fn misses_bob(&mut self) {
        self.alice.expect(":bob!*@* QUIT **");
    }
}

/// A program that runs until it is dropped, and its folder.
pub(crate) struct Running {
    child: Child,
    _home: Scratch,
}

impl Running {
    pub(crate) fn start(mut command: Command, home: Scratch) -> Running {
        let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Running { child: silent.spawn().expect("it was there at the start"), _home: home }
    }
}

/// A WeeChat that is called bob and goes into #lobby, with these settings.
pub(crate) struct WeeChat {
    _running: Running,
    fifo: String,
    /// Where it writes what it is asked about itself.
    pub(crate) log: String,
}

impl WeeChat {
    #[track_caller]
    pub(crate) fn start(server: &Server, settings: &[&str]) -> WeeChat {
        let home = Scratch::new();
        let (address, fifo, log) = (server.address(), home.file("fifo"), home.file("weechat.log"));
        let mut command = Command::new(WEECHAT.0);
        command.args(["-d", &home.file("")]).env("LC_ALL", "C.UTF-8");
        let pipe = format!("fifo.file.path {fifo}");
        for setting in [&[pipe.as_str()], settings].concat() {
            command.args(["-r", &format!("/set {setting}")]);
        }
        let add =
            format!("/server add parlor {}/{} -nicks=bob -autojoin=#lobby", address.ip(), address.port());
        command.args(["-r", &add, "-r", "/connect parlor"]);
        let _running = Running::start(command, home);
        server.wait_log("joined: bob from *");
        WeeChat { _running, fifo, log }
    }

    /// Types a line in one of its buffers.
    #[track_caller]
    pub(crate) fn types(&self, buffer: &str, line: &str) {
        let deadline = Deadline::after(Deadline::DEFAULT);
        // Nobody reads there until it is set up.
        let mut pipe = loop {
            match fs::OpenOptions::new().write(true).open(&self.fifo) {
                Ok(pipe) => break pipe,
                Err(error) => assert!(deadline.left().is_some(), "{}: {error}", self.fifo),
            }
        };
        writeln!(pipe, "{buffer} *{line}").expect("it reads");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn irssi_logs_in_by_password_and_by_certificate() {
    let Some(mut lobby) = Lobby::open(&[]) else { return };
    let key = lobby.said("-tls_pinned_pubkey");
    let address = lobby.server.address();
    for (mechanism, password) in [("PLAIN", "sesame"), ("EXTERNAL", "none"), ("PLAIN", "wrong")] {
        let Some(irssi) = Irssi::start("-n bob") else { return };
        let certificate =
            if mechanism == "EXTERNAL" { format!("-tls_cert {}", lobby.pem) } else { String::new() };
        for line in [
            "/set sasl_disconnect_on_failure off",
            "/set alternate_nick bobby",
            "/set cmds_max_at_once 50",
            &format!(
                "/network add -sasl_mechanism {mechanism} -sasl_username bob -sasl_password {password} parlor"
            ),
            &format!(
                "/connect -network parlor -tls -tls_pinned_pubkey {key} {certificate} {} {}",
                address.ip(),
                address.port()
            ),
        ] {
            irssi.types(line);
        }
        irssi.shows("message of the day");
        irssi.types("/join #lobby");
        if password == "wrong" {
            lobby.sees_no_bob();
        } else {
            lobby.sees_bob();
            irssi.types("/quit");
            lobby.misses_bob();
        }
    }
}

fn weechat(lobby: &Lobby, fingerprint: &str, options: &str) -> Running {
    let folder = Scratch::new();
    let address = lobby.server.address();
    let add = format!(
        "/server add parlor {}/{} -ssl -ssl_fingerprint={fingerprint} -nicks=bob,bobby -autojoin=#lobby \
         -sasl_username=bob -sasl_fail=continue {options}",
        address.ip(),
        address.port()
    );
    let mut command = Command::new(WEECHAT.0);
    command.args(["-d", &folder.file(""), "-r", &add, "-r", "/connect parlor"]).env("LC_ALL", "C.UTF-8");
    Running::start(command, folder)
}

#[test]
fn weechat_logs_in_by_every_way_that_it_knows() {
    let Some(mut lobby) = Lobby::open(&[WEECHAT]) else { return };
    let pinned = lobby.said("tls_fingerprint");
    let certificate = format!("-sasl_mechanism=external -ssl_cert={}", lobby.pem);
    for options in [
        "-sasl_mechanism=scram-sha-256 -sasl_password=sesame",
        "-sasl_mechanism=plain -sasl_password=sesame",
        &certificate,
    ] {
        let weechat = weechat(&lobby, &pinned, options);
        lobby.sees_bob();
        drop(weechat);
        lobby.misses_bob();
    }
    let wrong = weechat(&lobby, &pinned, "-sasl_mechanism=scram-sha-256 -sasl_password=wrong");
    lobby.sees_no_bob();
    drop(wrong);
    let other = pinned.chars().rev().collect::<String>();
    let _refusing = weechat(&lobby, &other, "-sasl_mechanism=plain -sasl_password=sesame");
    lobby.server.wait_log("refused: * (The TLS handshake failed)");
}

/// A display that nobody looks at.
pub(crate) fn display() -> (Running, String) {
    let mut display = Command::new("Xvfb")
        .args(["-displayfd", "1", "-noreset", "-nolisten", "tcp"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it was there at the start");
    let mut number = String::new();
    let stdout = display.stdout.take().expect("asked for above");
    BufReader::new(stdout).read_line(&mut number).expect("it names its display");
    (Running { child: display, _home: Scratch::new() }, format!(":{}", number.trim()))
}

fn hexchat(lobby: &Lobby, display: &str, kind: u8, password: &str, certificate: Option<&str>) -> Running {
    let folder = Scratch::new();
    let port = lobby.server.address().port();
    let settings =
        "version = 2.16.1\ngui_slist_skip = 1\ngui_join_dialog = 0\nidentd_server = 0\nnet_throttle = 0\n";
    // Flags: calls by itself, has a name of its own there, by TLS, "Accept invalid SSL certificates".
    let server = format!(
        "v=2.16.1\n\nN=parlor\nI=bob\ni=bobby\nU=bob\nP={password}\nL={kind}\nE=UTF-8 (Unicode)\nF=44\nD=0\n\
         J=#lobby\nS=127.0.0.1/{port}\n"
    );
    let open = |file: &str, mode: u32| {
        fs::set_permissions(folder.file(file), Permissions::from_mode(mode)).expect("it is ours");
    };
    fs::create_dir(folder.file("certs")).expect("it is ours");
    let files = [
        ("hexchat.conf", Some(settings)),
        ("servlist.conf", Some(&server)),
        ("certs/parlor.pem", certificate),
    ];
    for (file, text) in files.iter().filter_map(|(file, text)| Some((file, (*text)?))) {
        let _ = folder.write(file, text);
        open(file, 0o666);
    }
    ["", "certs"].iter().for_each(|file| open(file, 0o777));
    let mut command = Command::new("hexchat");
    // It does not come before a question to root.
    if rustix::process::geteuid().is_root() {
        command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "hexchat"]);
    }
    command
        .args(["-d", &folder.file("")])
        .envs([("DISPLAY", display), ("HOME", &folder.file("")), ("LC_ALL", "C.UTF-8")])
        .env("DBUS_SESSION_BUS_ADDRESS", "disabled:")
        .env_remove("XDG_RUNTIME_DIR");
    Running::start(command, folder)
}

#[test]
fn hexchat_logs_in_by_password_and_by_certificate() {
    const PLAIN: u8 = 6;
    const EXTERNAL: u8 = 10;
    let Some(mut lobby) = Lobby::open(&[("hexchat", "hexchat"), ("Xvfb", "xvfb")]) else { return };
    let pem = fs::read_to_string(&lobby.pem).expect("it was made");
    let (_display, display) = display();
    for (kind, password, certificate) in [(PLAIN, "sesame", None), (EXTERNAL, "", Some(&*pem))] {
        let hexchat = hexchat(&lobby, &display, kind, password, certificate);
        lobby.sees_bob();
        drop(hexchat);
        lobby.misses_bob();
    }
    let _wrong = hexchat(&lobby, &display, PLAIN, "wrong", None);
    lobby.sees_no_bob();
}
