//! Encryption, a server's password, and names that belong to people, as other people's servers have them.

use std::net::SocketAddr;

use parlor_client::trust::KeyId;
use parlor_tests::{Irc, Message, Tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

const OPENSSL: needs::Installed = ("openssl", "openssl");
const ATHEME: needs::Installed = ("atheme-services", "atheme-services");

/// A certificate and its key, for anybody to read.
fn certificate() -> Scratch {
    let files = Scratch::new();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-subj", "/CN=irc.test.local", "-days", "30"])
        .args(["-out", &files.file("cert.pem"), "-keyout", &files.file("key.pem")])
        .output()
        .expect("it was there at the start");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for (file, mode) in [("", 0o755), ("key.pem", 0o644)] {
        fs::set_permissions(files.file(file), fs::Permissions::from_mode(mode)).expect("it is ours");
    }
    files
}

fn opens(password: &str) -> Given {
    Given { server_password: password.into(), ..Given::default() }
}

fn is(password: &str) -> Given {
    Given { password: password.into(), ..Given::default() }
}

/// Meets a server that encrypts at one port of two, with the password "open" at both; what it says to whoever has
/// this other one.
fn meets(server: &Foreign, wrong: impl Fn(&str, Sentence) -> bool) {
    let mut names = 0;
    let mut meet = |port, trust, given| {
        // Those before have not left yet for everybody.
        names += 1;
        Client::meeting(port, &format!("alice{names}"), "#tea", trust, given)
    };
    let shown =
        |client: &mut Client| match client.until("who it is", |event| matches!(event, Event::Met { .. })) {
            Event::Met { shown, .. } => shown,
            _ => unreachable!("it was waited for"),
        };
    let connected = |client: &mut Client| {
        client.until("connected", |event| matches!(event, Event::Status(Status::Connected { .. })));
    };
    let mut alice = meet(server.secure, Trust::Perhaps, opens("open"));
    let found = shown(&mut alice).expect("TLS is found where it is spoken");
    assert!(!found.vouched, "nobody knows it");
    connected(&mut alice);
    let mut again = meet(server.secure, Trust::Key(found.key), opens("open"));
    assert_eq!(shown(&mut again), Some(found));
    connected(&mut again);
    let other = KeyId::of(&[7; 32]).expect("32 bytes");
    let [secure, readable] = [server.secure, server.port].map(|port| HostPort::new("127.0.0.1", port));
    // All at once: a server that has no TLS is silent when it is greeted by it.
    let mut refused = Vec::new();
    for (port, trust, why) in [
        (
            server.secure,
            Trust::Key(other),
            Sentence::KeyChanged { server: secure.clone(), before: other, now: found.key },
        ),
        (server.secure, Trust::Authorities, Sentence::KeyUnknown { server: secure, key: found.key }),
        (server.port, Trust::Key(found.key), Sentence::NotSecure { server: readable }),
    ] {
        refused.push((meet(port, trust, opens("open")), Some(why), "open"));
    }
    for (port, password) in
        [(server.secure, ""), (server.secure, "shut"), (server.port, ""), (server.port, "shut")]
    {
        refused.push((meet(port, Trust::Perhaps, opens(password)), None, password));
    }
    for (mut client, why, password) in refused {
        let told = client.refusal();
        match why {
            Some(why) => assert_eq!(told, why),
            None => assert!(wrong(password, told.clone()), "{password:?}: {told:?}"),
        }
    }
    let mut alice = meet(server.port, Trust::Perhaps, opens("open"));
    assert_eq!(shown(&mut alice), None);
    connected(&mut alice);
}

const INSPIRCD: &str = r#"<server name="irc.test.local" description="Test" network="Test">
<admin name="T" nick="T" email="t@test.local">
<bind address="127.0.0.1" port="PORT" type="clients">
<bind address="127.0.0.1" port="SECURE" type="clients" ssl="Own">
<sslprofile name="Own" provider="gnutls" certfile="CERTIFICATE/cert.pem" keyfile="CERTIFICATE/key.pem" requestclientcert="yes">
<connect allow="*" PASSWORD timeout="60" pingfreq="120" resolvehostnames="no" useident="no" localmax="100" globalmax="100">
<module name="cap">
<module name="ircv3">
<module name="ssl_gnutls">
<module name="sslinfo">
"#;

/// What connects it with services.
const SERVICES: &str = r#"<module name="spanningtree">
<module name="services_account">
<bind address="127.0.0.1" port="LINK" type="servers">
<uline server="services.test.local" silent="yes">
<link name="services.test.local" ipaddr="127.0.0.1" port="LINK" allowmask="127.0.0.1/32" sendpass="link" recvpass="link">
"#;

const SASL: &str = r#"<module name="sasl">
<sasl target="services.test.local">
"#;

fn inspircd(certificate: &Scratch, password: &str, more: &str) -> Option<Foreign> {
    let config = INSPIRCD
        .replace("CERTIFICATE", &certificate.path().display().to_string())
        .replace("PASSWORD", password);
    let args = ["--nofork", "--nolog", "--runasroot", "--config=CONFIG"];
    Foreign::start("inspircd", Lack::Package("inspircd"), &args, &(config + more))
}

#[test]
fn inspircd_encrypts_and_has_a_password() {
    if needs::have(&[OPENSSL]) {
        let certificate = certificate();
        let Some(server) = inspircd(&certificate, r#"password="open""#, "") else { return };
        // It says no more than that, with or without one.
        meets(&server, |_, why| why.to_string().contains("[Access denied by configuration]"));
    }
}

#[test]
fn ngircd_encrypts_and_has_a_password() {
    if !needs::have(&[OPENSSL]) {
        return;
    }
    let certificate = certificate();
    let config = "[Global]\nName = irc.test.local\nInfo = Test\nListen = 127.0.0.1\nPorts = PORT\nPassword = open\n\
                  [Limits]\nMaxConnectionsIP = 0\n[Options]\nDNS = no\nIdent = no\nPAM = no\n\
                  [SSL]\nPorts = SECURE\nCertFile = CERTIFICATE/cert.pem\nKeyFile = CERTIFICATE/key.pem\n";
    let config = config.replace("CERTIFICATE", &certificate.path().display().to_string());
    let args = ["-n", "-f", "CONFIG"];
    let Some(server) = Foreign::start("ngircd", Lack::Package("ngircd"), &args, &config) else { return };
    let why =
        |password: &str| if password.is_empty() { Sentence::PasswordNeeded } else { Sentence::PasswordWrong };
    meets(&server, |password, told| told == why(password));
}

/// Services of a network.
struct Services(Child, Scratch);

impl Services {
    fn of(server: &Foreign) -> Option<Services> {
        let folder = Scratch::new();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("it is ours");
        let modules = [
            "protocol/inspircd",
            "backend/opensex",
            "crypto/pbkdf2v2",
            "nickserv/main",
            "nickserv/register",
            "nickserv/identify",
            "nickserv/cert",
            "saslserv/main",
            "saslserv/plain",
            "saslserv/external",
        ];
        let modules: String = modules.map(|name| format!("loadmodule \"modules/{name}\";\n")).concat();
        let service = |kind: &str, nick: &str| {
            format!(
                "{kind} {{ nick = \"{nick}\"; user = \"{nick}\"; host = \"services.test.local\"; real = \"{nick}\"; }};\n"
            )
        };
        let config = [
            modules,
            service("nickserv", "NickServ"),
            service("saslserv", "SaslServ"),
            "serverinfo { name = \"services.test.local\"; desc = \"Services\"; numeric = \"00A\"; recontime = 1; \
             netname = \"Test\"; adminname = \"T\"; adminemail = \"t@test.local\"; registeremail = \"t@test.local\"; \
             auth = none; casemapping = rfc1459; };\n"
                .into(),
            format!(
                "uplink \"irc.test.local\" {{ host = \"127.0.0.1\"; port = {}; send_password = \"link\"; \
                 receive_password = \"link\"; }};\n",
                server.link
            ),
        ];
        let log = format!("logfile \"{}\" {{ commands; }};\n", folder.file("commands"));
        let config = folder.write("services.conf", config.concat() + &log);
        let folders =
            [("-D", ""), ("-p", "pid"), ("-l", "log")].map(|(flag, file)| [flag.into(), folder.file(file)]);
        let mut command = run(ATHEME.0, folder.path())?;
        let process = command.args(["-n", "-c", &config]).args(folders.concat()).spawn().ok()?;
        Some(Services(process, folder))
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
        if std::thread::panicking() {
            eprintln!("{}", fs::read_to_string(self.1.file("log")).unwrap_or_default());
        }
    }
}

/// Makes "bob" somebody's, by the password "sesame". `alice` stays, and sees who logs in.
fn registered(server: &Foreign) -> Irc {
    let mut alice = Irc::connect_to(loopback(server.port)).register_with("alice", &["account-notify"]);
    alice.join("#tea");
    let mut bob = Irc::connect_to(loopback(server.port)).register("bob");
    // Services come when they come.
    let deadline = Deadline::after(PATIENCE);
    let mut register = || {
        bob.send("PRIVMSG NickServ :REGISTER sesame bob@test.local");
        bob.expect_any(&["401", "900"]).command == "900"
    };
    while !register() {
        assert!(deadline.left().is_some(), "there are no services");
        std::thread::sleep(Duration::from_millis(100));
    }
    bob.send("QUIT");
    bob.expect_closed();
    alice
}

fn loopback(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

/// Makes a certificate bob's; the path of the file that has it and its key.
fn certified(server: &Foreign, certificate: &Scratch) -> String {
    let both =
        ["cert.pem", "key.pem"].map(|file| fs::read(certificate.file(file)).expect("it was made")).concat();
    let tls = Tls::certificate(
        CertificateDer::from_pem_slice(&both).expect("it is in there"),
        PrivateKeyDer::from_pem_slice(&both).expect("it is in there"),
    );
    let mut bob = Irc::connect_to(loopback(server.secure)).encrypted(&tls).register("bob");
    bob.send("PRIVMSG NickServ :IDENTIFY sesame");
    bob.expect_numeric("900");
    bob.send("PRIVMSG NickServ :CERT ADD");
    bob.expect("NOTICE bob :Added fingerprint *");
    bob.send("QUIT");
    bob.expect_closed();
    certificate.write_secret("both.pem", both)
}

fn bob(port: u16, password: &str) -> Client {
    Client::meeting(port, "bob", "#tea", Trust::Perhaps, is(password))
}

/// Waits until bob has shown that he is bob.
fn is_bob(alice: &mut Irc) {
    let deadline = Deadline::after(PATIENCE);
    // Services answer when they answer.
    while !alice.ask_all("WHOIS bob").iter().any(|m: &Message| m.is_like("330 alice bob bob *")) {
        assert!(deadline.left().is_some(), "he is not logged in");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn atheme_logs_in_by_password_and_by_certificate() {
    if !needs::have(&[OPENSSL, ATHEME]) {
        return;
    }
    let files = certificate();
    let Some(server) = inspircd(&files, "", &[SERVICES, SASL].concat()) else { return };
    let Some(services) = Services::of(&server) else { return };
    let mut alice = registered(&server);
    for port in [server.secure, server.port] {
        let refused = bob(port, "wrong").refusal();
        assert!(matches!(refused, Sentence::PasswordRefused { .. }), "{refused:?}");
        let bob = bob(port, "sesame");
        alice.expect(":bob!*@* JOIN #tea");
        let known = alice.ask_all("WHOIS bob");
        assert!(known.iter().any(|m| m.is_like("330 alice bob bob *")), "before the first room: {known:?}");
        bob.act(Action::Disconnect);
        alice.expect(":bob!*@* QUIT **");
    }
    let own = Given { certificate: certified(&server, &files), ..Given::default() };
    let _bob = Client::meeting(server.secure, "bob", "#tea", Trust::Perhaps, own);
    alice.expect(":bob!*@* JOIN #tea");
    let known = alice.ask_all("WHOIS bob");
    assert!(known.iter().any(|m| m.is_like("330 alice bob bob *")), "by a certificate: {known:?}");
    // Services know a certificate on a connection without SASL as well.
    let log = fs::read_to_string(services.1.file("commands")).expect("they write it");
    assert!(log.contains("SaslServ bob/") && log.contains(" LOGIN (EXTERNAL)"), "{log}");
}

#[test]
fn atheme_is_told_the_password_where_there_is_no_sasl() {
    if !needs::have(&[OPENSSL, ATHEME]) {
        return;
    }
    let certificate = certificate();
    let Some(server) = inspircd(&certificate, "", SERVICES) else { return };
    let Some(_services) = Services::of(&server) else { return };
    let mut alice = registered(&server);
    let right = bob(server.secure, "sesame");
    alice.expect(":bob!*@* JOIN #tea");
    is_bob(&mut alice);
    right.act(Action::Disconnect);
    alice.expect(":bob!*@* QUIT **");
    let mut wrong = bob(server.secure, "wrong");
    wrong.shows("that it is wrong", |screen| {
        screen.lines.values().flatten().any(|line| line.text().contains("Invalid password for"))
    });
    let known = alice.ask_all("WHOIS bob");
    assert!(!known.iter().any(|m| m.command == "330"), "{known:?}");
}

/// Its accounts are built in.
#[test]
fn ergo_logs_in_by_sasl() {
    let config = "network: {name: Test}\n\
                  server:\n  name: irc.test.local\n  listeners: {\"127.0.0.1:PORT\": {}}\n  \
                  casemapping: permissive\n  max-sendq: 1M\n  ip-limits: {count: false, throttle: false}\n\
                  accounts: {authentication-enabled: true, registration: {enabled: true, bcrypt-cost: 4}}\n\
                  datastore: {path: FOLDER/ircd.db}\n\
                  limits: {nicklen: 32, identlen: 20, realnamelen: 150, channellen: 64, awaylen: 390, kicklen: 390, \
                  topiclen: 390, monitor-entries: 100, whowas-entries: 100, chan-list-modes: 100, \
                  registration-messages: 1024}\n";
    let lack = Lack::NotInDebian("ergo");
    let Some(server) = Foreign::start("ergo", lack, &["run", "--conf", "CONFIG"], config) else { return };
    let mut alice = registered(&server);
    let refused = bob(server.port, "wrong").refusal();
    assert!(matches!(refused, Sentence::PasswordRefused { .. }), "{refused:?}");
    let _bob = bob(server.port, "sesame");
    alice.expect(":bob!*@* JOIN #tea");
    is_bob(&mut alice);
}
