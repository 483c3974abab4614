//! A real bouncer, before a real server.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;

use super::*;

const NGIRCD: &str = "[Global]\nName = irc.test.local\nInfo = Test\nListen = 127.0.0.1\nPorts = PORT\n\
                      [Limits]\nMaxConnectionsIP = 0\n[Options]\nDNS = no\nIdent = no\nPAM = no\n";

/// Keeps what it has played back, so that it plays it back again.
const ZNC: &str = "Version = 1.8.2\n<Listener l>\nHost = 127.0.0.1\nIPv6 = false\nPort = PORT\nSSL = false\n</Listener>\n\
                   <User alice>\nAdmin = true\nAutoClearChanBuffer = false\nChanBufferSize = 50\nNick = alice\nIdent = alice\n\
                   <Network test>\nServer = 127.0.0.1 UPSTREAM\n<Chan #tea>\n</Chan>\n</Network>\n\
                   <Pass password>\nMethod = plain\nHash = secret\n</Pass>\n</User>\n";

/// Can hang up.
struct Porter {
    port: u16,
    calls: Arc<Mutex<Vec<TcpStream>>>,
}

impl Porter {
    fn before(port: u16) -> Porter {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
        let porter =
            Porter { port: listener.local_addr().expect("it is bound").port(), calls: Arc::default() };
        let calls = Arc::clone(&porter.calls);
        thread::spawn(move || {
            for call in listener.incoming().flatten() {
                let Ok(znc) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { continue };
                let ends = [(call.try_clone(), znc.try_clone()), (znc.try_clone(), call.try_clone())];
                calls.lock().expect("nobody panics").push(call);
                for (from, to) in ends {
                    let (Ok(from), Ok(to)) = (from, to) else { continue };
                    thread::spawn(move || carry(from, to));
                }
            }
        });
        porter
    }

    fn hang_up(&self) {
        let calls = self.calls.lock().expect("nobody panics");
        calls.iter().for_each(|call| drop(call.shutdown(Shutdown::Both)));
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

fn start() -> Option<(Foreign, Foreign)> {
    let server = Foreign::start("ngircd", Lack::Package("ngircd"), &["-n", "-f", "CONFIG"], NGIRCD)?;
    let config = ZNC.replace("UPSTREAM", &server.port.to_string());
    let znc = Foreign::start("znc", Lack::Package("znc"), &["-f", "-n", "-d", "FOLDER"], &config)?;
    Some((server, znc))
}

#[test]
fn playback_is_shown_once_and_in_its_place() {
    let Some((server, znc)) = start() else { return };
    let porter = Porter::before(znc.port);
    let mut bob = Client::within(server.port, "bob", "#tea");
    // ZNC comes in with the first who asks for it, or by itself.
    bob.shows("the bouncer", |screen| screen.names("#tea").contains(&"alice".into()));
    let mut alice = Client::meeting(porter.port, "alice", "#tea", Trust::Readable, password("secret"));
    let tea = Key::new("#tea");
    let say = |who: &Client, text: &str| who.act(Action::Say { to: tea.clone(), text: text.into() });
    say(&bob, "one");
    alice.shows("one", |screen| talk(screen, "#tea").len() == 1);
    say(&alice, "two");
    alice.shows("the receipt", |screen| all_delivered(screen, "#tea", 1));
    bob.shows("two", |screen| talk(screen, "#tea").len() == 2);
    say(&bob, "three");
    alice.shows("three", |screen| talk(screen, "#tea").len() == 3);
    for missed in ["four", "five"] {
        porter.hang_up();
        say(&bob, missed);
        alice.shows(missed, |screen| talk(screen, "#tea").iter().any(|line| line.ends_with(missed)));
    }
    say(&bob, "six");
    alice.shows("six", |screen| talk(screen, "#tea").iter().any(|line| line.ends_with("six")));
    assert_eq!(
        alice.talk("#tea"),
        ["bob: one", "alice: two", "bob: three", "bob: four", "bob: five", "bob: six"]
    );
}

fn password(text: &str) -> Given {
    Given { server_password: format!("alice/test:{text}"), ..Given::default() }
}

#[test]
fn that_it_wants_a_password_is_said_at_once_and_that_it_wants_another_one() {
    let Some((_server, znc)) = start() else { return };
    for (given, why) in
        [(Given::default(), Sentence::PasswordNeeded), (password("wrong"), Sentence::PasswordWrong)]
    {
        let mut alice = Client::meeting(znc.port, "alice", "#tea", Trust::Readable, given);
        assert_eq!(alice.refusal(), why);
    }
}
