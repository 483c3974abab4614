//! The network task and servers that speak TLS, do not, or are not whom we know. The keys beside this file are for tests.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use parlor_client::credentials::Credentials;
use parlor_client::net::{self, Connection};
use parlor_client::session::{Event, Field, Profile, Refusal, Sentence, Status};
use parlor_client::trust::{KeyId, Shown, Trust};
use parlor_server::protocol::HostPort;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const PATIENCE: Duration = Duration::from_secs(20);
const ONE: (&[u8], &[u8]) = (include_bytes!("one.pem"), include_bytes!("one.key"));
const OTHER: (&[u8], &[u8]) = (include_bytes!("other.pem"), include_bytes!("other.key"));
/// Signed by `ONE`, for this address; and the same after a renewal, with the key of `OTHER`.
const SIGNED: (&[u8], &[u8]) = (include_bytes!("signed.pem"), include_bytes!("signed.key"));
const RENEWED: (&[u8], &[u8]) = (include_bytes!("renewed.pem"), include_bytes!("other.key"));
/// Set in the process in which `ONE` is an authority.
const AUTHORITY: &str = "SSL_CERT_FILE";
const WELCOME: &str =
    ":s CAP * LS :\r\n:s 001 me :Welcome\r\n:s 005 me NETWORK=Test :are\r\n:s 376 me :End\r\n";
/// As `openssl x509 -pubkey` and `sha256sum` say of them.
const ONE_KEY: &str = "b9c390002ed412d4f9782b883e016470c85cc3ed1e5cc944f5b730ee80dc5710";
const OTHER_KEY: &str = "414d6fa87082c650746c31e24f0fc64e41abe087082c1a66ae51c8145ad7bc1e";

fn key(text: &str) -> KeyId {
    text.parse().unwrap()
}

/// What a server is like.
#[derive(Clone, Copy)]
enum Kind {
    Tls((&'static [u8], &'static [u8]), &'static rustls::SupportedProtocolVersion),
    /// By TLS; asks for an answer, and then says what is no TLS, in one go: the first time, and the second time as well.
    Broken,
    /// By TLS with one key, then with the other: the first time it hangs up behind the welcome.
    Changing,
    /// By TLS with one key the first time, where it hangs up behind the welcome; then it is gone.
    Once((&'static [u8], &'static [u8])),
    /// Readable, and waits for a line end for ever.
    Patient,
    /// Readable, and hangs up at what is no line.
    Strict,
}

/// A server of a few replies; says what it heard first on each connection.
fn server(kind: Kind) -> (HostPort, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, heard) = channel();
    thread::spawn(move || {
        let most = if matches!(kind, Kind::Once(_)) { 1 } else { usize::MAX };
        for (nth, stream) in listener.incoming().take(most).enumerate() {
            let (tell, stream) = (tell.clone(), stream.unwrap());
            thread::spawn(move || {
                let mut first = [0; 1];
                stream.peek(&mut first).unwrap();
                let _ = tell.send(first.to_vec());
                let tls =
                    |(chain, key), version, stream| StreamOwned::new(accept(chain, key, version), stream);
                let newest = &rustls::version::TLS13;
                // Who hangs up is gone.
                let _ = match kind {
                    Kind::Tls(identity, version) => talk(tls(identity, version, stream), false),
                    Kind::Broken => break_off(tls(ONE, newest, stream)),
                    Kind::Once(identity) => talk(tls(identity, newest, stream), true),
                    Kind::Changing if nth == 0 => talk(tls(ONE, newest, stream), true),
                    Kind::Changing => talk(tls(OTHER, newest, stream), false),
                    Kind::Strict if first[0] == 0x16 => Ok(()),
                    Kind::Patient | Kind::Strict => talk(stream, false),
                };
            });
        }
    });
    (HostPort::new("127.0.0.1", address.port()), heard)
}

fn accept(chain: &[u8], key: &[u8], version: &'static rustls::SupportedProtocolVersion) -> ServerConnection {
    let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    ServerConnection::new(Arc::new(config)).unwrap()
}

/// Welcomes whoever says who they are, and breaks off in the middle of what it says next.
fn break_off(mut stream: StreamOwned<ServerConnection, TcpStream>) -> io::Result<()> {
    let mut said = String::new();
    let mut buffer = [0; 4096];
    while !said.contains("USER ") {
        let count = stream.read(&mut buffer)?;
        said += &String::from_utf8_lossy(&buffer[..count]);
    }
    stream.conn.writer().write_all(format!("{WELCOME}PING :secret\r\n").as_bytes())?;
    let mut bytes = Vec::new();
    while stream.conn.wants_write() {
        stream.conn.write_tls(&mut bytes)?;
    }
    bytes.extend_from_slice(&[0x17, 3, 3, 0, 40]);
    bytes.extend_from_slice(&[0; 40]);
    stream.sock.write_all(&bytes)?;
    // Until it is gone.
    stream.sock.read_to_end(&mut Vec::new()).map(drop)
}

/// Welcomes whoever says who they are, and says nothing more; or hangs up behind that.
fn talk(mut stream: impl Read + Write, hangs_up: bool) -> io::Result<()> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    let mut welcome = false;
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => text.extend_from_slice(&buffer[..count]),
        }
        let said = String::from_utf8_lossy(&text).into_owned();
        if said.contains("USER ") && !welcome {
            welcome = true;
            stream.write_all(WELCOME.as_bytes())?;
            if hangs_up {
                return stream.flush();
            }
        }
    }
}

struct Client {
    connection: Connection,
}

impl Client {
    fn meets(server: &HostPort, trust: Trust) -> Client {
        let profile = Profile { server: server.clone(), nick: "me".into(), ..Profile::default() };
        Client { connection: net::start_keeping(profile, trust, Credentials::default(), |_| ()).unwrap() }
    }

    /// Goes to a place with several servers.
    fn goes(servers: &[&HostPort], trusts: &[Trust]) -> Client {
        let (first, others) = servers.split_first().unwrap();
        let others = others.iter().copied().cloned().collect();
        let profile =
            Profile { server: HostPort::clone(first), others, nick: "me".into(), ..Profile::default() };
        let connection = net::start_at(profile, trusts.to_vec(), Credentials::default(), |_| ());
        Client { connection: connection.unwrap() }
    }

    /// Where it is met next, and with what.
    fn next(&self) -> (HostPort, Option<KeyId>) {
        match self.until(|event| matches!(event, Event::Met { .. })).pop() {
            Some(Event::Met { server, shown, .. }) => (server, shown.map(|shown| shown.key)),
            other => panic!("{other:?}"),
        }
    }

    /// The events up to one that fits.
    fn until(&self, fits: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut all = Vec::new();
        let wait = async {
            while let Ok(batch) = self.connection.events.recv().await {
                for event in batch {
                    let done = fits(&event);
                    all.push(event);
                    if done {
                        return true;
                    }
                }
            }
            false
        };
        let late = async {
            smol::Timer::after(PATIENCE).await;
            false
        };
        let done = smol::block_on(futures_lite::future::or(wait, late));
        assert!(done, "{all:#?}");
        all
    }

    /// What it was met with, once it is connected.
    fn met(&self) -> Option<KeyId> {
        let shown = self.shown();
        assert!(shown.is_none_or(|shown| !shown.vouched), "nobody vouches for these");
        shown.map(|shown| shown.key)
    }

    fn shown(&self) -> Option<Shown> {
        let events = self.until(|event| matches!(event, Event::Status(Status::Connected { .. })));
        let met = events
            .iter()
            .filter_map(|event| if let Event::Met { shown, .. } = event { Some(*shown) } else { None });
        let met: Vec<_> = met.collect();
        let [shown] = met[..] else { panic!("{met:?}") };
        shown
    }

    fn refused(&self) -> Sentence {
        let events = self.until(|event| matches!(event, Event::Refused(_)));
        match events.last() {
            Some(Event::Refused(Refusal { field: Field::Address, sentence, .. })) => sentence.clone(),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn whoever_speaks_tls_is_met_by_tls() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for trust in [Trust::Perhaps, Trust::Key(key(ONE_KEY))] {
            let (server, heard) = server(Kind::Tls(ONE, version));
            assert_eq!(Client::meets(&server, trust).met(), Some(key(ONE_KEY)));
            assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), [0x16]);
            assert!(heard.try_recv().is_err(), "it is called once");
        }
    }
}

#[test]
fn whoever_does_not_is_met_readable_and_it_is_said() {
    for kind in [Kind::Patient, Kind::Strict] {
        let (server, heard) = server(kind);
        assert_eq!(Client::meets(&server, Trust::Perhaps).met(), None);
        assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), [0x16]);
        assert_ne!(heard.recv_timeout(PATIENCE).unwrap(), [0x16]);
    }
    let (server, heard) = server(Kind::Patient);
    assert_eq!(Client::meets(&server, Trust::Readable).met(), None);
    assert_ne!(heard.recv_timeout(PATIENCE).unwrap(), [0x16]);
}

#[test]
fn somebody_else_in_its_place_is_told_nothing() {
    let (server, _heard) = self::server(Kind::Tls(OTHER, &rustls::version::TLS13));
    let sentence = Client::meets(&server, Trust::Key(key(ONE_KEY))).refused();
    assert_eq!(
        sentence,
        Sentence::KeyChanged { server: server.clone(), before: key(ONE_KEY), now: key(OTHER_KEY) }
    );
    let sentence = Client::meets(&server, Trust::Authorities).refused();
    assert_eq!(sentence, Sentence::KeyUnknown { server, key: key(OTHER_KEY) });
}

#[test]
fn the_first_key_seen_is_the_only_one_from_then_on() {
    let (server, heard) = self::server(Kind::Changing);
    let client = Client::meets(&server, Trust::Perhaps);
    assert_eq!(client.met(), Some(key(ONE_KEY)));
    let changed = Sentence::KeyChanged { server, before: key(ONE_KEY), now: key(OTHER_KEY) };
    assert_eq!(client.refused(), changed);
    assert_eq!(
        [heard.recv_timeout(PATIENCE).unwrap(), heard.recv_timeout(PATIENCE).unwrap()],
        [[0x16], [0x16]]
    );
}

#[test]
fn what_was_meant_for_a_connection_that_broke_never_goes_readable_over_the_next_one() {
    for trust in [Trust::Perhaps, Trust::Key(key(ONE_KEY))] {
        let (server, heard) = server(Kind::Broken);
        let client = Client::meets(&server, trust);
        assert_eq!(client.met(), Some(key(ONE_KEY)));
        for _ in 0..2 {
            assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), [0x16]);
        }
    }
}

#[test]
fn a_known_server_is_never_met_readable() {
    for kind in [Kind::Patient, Kind::Strict] {
        for trust in [Trust::Key(key(ONE_KEY)), Trust::Authorities] {
            let (server, heard) = server(kind);
            let client = Client::meets(&server, trust);
            assert_eq!(client.refused(), Sentence::NotSecure { server });
            assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), [0x16]);
            assert!(heard.try_recv().is_err(), "it is called once");
        }
    }
}

/// The system's authorities are read from the environment, which is a process's own.
#[test]
fn whom_an_authority_vouches_for_may_have_another_key() {
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/one.pem");
    if std::env::var_os(AUTHORITY).is_none_or(|path| path != authority) {
        let name = "whom_an_authority_vouches_for_may_have_another_key";
        let mut again = Command::new(std::env::current_exe().unwrap());
        let status = again.args([name, "--exact"]).env(AUTHORITY, authority).status().unwrap();
        assert!(status.success());
        return;
    }
    for identity in [SIGNED, RENEWED] {
        let (server, _heard) = server(Kind::Tls(identity, &rustls::version::TLS13));
        assert!(Client::meets(&server, Trust::Authorities).shown().is_some_and(|shown| shown.vouched));
        // By its key it is known as everybody is.
        let sentence = Client::meets(&server, Trust::Key(key(ONE_KEY))).refused();
        assert!(matches!(sentence, Sentence::KeyChanged { .. }), "{sentence}");
    }
    let (server, _heard) = server(Kind::Tls(ONE, &rustls::version::TLS13));
    let sentence = Client::meets(&server, Trust::Authorities).refused();
    assert_eq!(sentence, Sentence::KeyUnknown { server, key: key(ONE_KEY) }, "an authority is no server");
}

#[test]
fn each_server_of_a_place_has_its_own_key_from_the_first_meeting_on() {
    let newest = &rustls::version::TLS13;
    for trusts in [[Trust::Perhaps; 2], [ONE_KEY, OTHER_KEY].map(|text| Trust::Key(key(text)))] {
        let ((one, _), (other, _)) = (server(Kind::Once(ONE)), server(Kind::Tls(OTHER, newest)));
        let client = Client::goes(&[&one, &other], &trusts);
        assert_eq!(client.next(), (one, Some(key(ONE_KEY))));
        assert_eq!(client.next(), (other, Some(key(OTHER_KEY))));
    }
    // What the first one has is no proof of the second.
    let ((one, _), (other, _)) = (server(Kind::Once(ONE)), server(Kind::Once(OTHER)));
    let client = Client::goes(&[&one, &other], &[key(ONE_KEY), key(ONE_KEY)].map(Trust::Key));
    assert_eq!(client.next(), (one, Some(key(ONE_KEY))));
    let changed = Sentence::KeyChanged { server: other, before: key(ONE_KEY), now: key(OTHER_KEY) };
    assert_eq!(client.refused(), changed);
    // Where nothing is said of how it is met, somebody must vouch for it.
    let ((one, _), (other, _)) = (server(Kind::Once(ONE)), server(Kind::Tls(OTHER, newest)));
    let client = Client::goes(&[&one, &other], &[Trust::Perhaps]);
    assert_eq!(client.next(), (one, Some(key(ONE_KEY))));
    assert_eq!(client.refused(), Sentence::KeyUnknown { server: other, key: key(OTHER_KEY) });
}

#[test]
fn a_place_that_was_met_by_tls_is_met_readable_at_none_of_its_addresses() {
    for kind in [Kind::Patient, Kind::Strict] {
        let ((one, _), (readable, heard)) = (server(Kind::Once(ONE)), server(kind));
        let client = Client::goes(&[&one, &readable], &[Trust::Perhaps; 2]);
        assert_eq!(client.next(), (one, Some(key(ONE_KEY))));
        let not_secure = |event: &Event| match event {
            Event::Status(Status::Reconnecting { why: Sentence::NotSecure { server }, .. }) => {
                *server == readable
            }
            _ => false,
        };
        let events = client.until(not_secure);
        assert!(!events.iter().any(|event| matches!(event, Event::Met { .. })), "{events:?}");
        assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), [0x16]);
        assert!(heard.try_recv().is_err(), "and is told nothing");
    }
    // Of a place that nobody has met by TLS each is asked whether it speaks that.
    let ((strict, _), (one, _)) = (server(Kind::Strict), server(Kind::Tls(ONE, &rustls::version::TLS13)));
    let client = Client::goes(&[&strict, &one], &[Trust::Perhaps; 2]);
    assert_eq!(client.next(), (strict, None));
}
