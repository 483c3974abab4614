//! Two windows that send each other files over real sockets, and people who mean harm.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futures_lite::FutureExt;

use super::*;
use crate::conversations::ConversationId;
use crate::place::{Place, PlaceId};
use crate::session::{Dcc, Key};
use crate::testing::Scratch;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The folder for what is received.
#[derive(Default)]
struct Folder(Scratch);

impl Folder {
    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&*self.0).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }
}

fn place() -> PlaceId {
    Place::parse("irc.test:6667").unwrap().id()
}

fn who(nick: &str) -> Who {
    Who { at: ConversationId::new(&place(), Key::new(nick)), key: Key::new(nick), nick: nick.into() }
}

/// One window's files, and its folder.
struct Window {
    files: Files,
    folder: Folder,
}

impl Window {
    fn new() -> Window {
        Window { files: Files::default(), folder: Folder::default() }
    }

    /// What is said in return, and what is offered.
    fn hear(&mut self, from: &str, dcc: Dcc) -> (Option<Dcc>, Option<FileId>) {
        let last = |files: &Files| files.iter().next_back().map(|file| file.id);
        let before = last(&self.files);
        let begun = begun(&self.folder.0, &dcc);
        let say = self.files.heard(who(from), dcc, true, begun);
        (say.map(|say| say.dcc), last(&self.files).filter(|id| Some(*id) > before))
    }

    /// What stands in the window of an offer.
    fn offered(&mut self, from: &str, name: &str, port: u16, size: Option<u64>) -> FileId {
        let (name, token) = (name.to_owned(), None);
        self.hear(from, Dcc::Send { name, ip: HERE, port, size, token }).1.unwrap()
    }

    fn save(&mut self, id: FileId, go_on: bool) -> Option<Dcc> {
        self.files.save(id, &self.folder.0, go_on, HERE).unwrap().map(|say| say.dcc)
    }

    fn send(&mut self, to: &str, path: &Path, own: IpAddr, passive: bool) -> (FileId, Dcc) {
        let source = Source::open(path).unwrap();
        let say = self.files.offer(who(to), source, own, passive).unwrap().unwrap();
        (self.files.iter().next_back().unwrap().id, say.dcc)
    }

    fn state(&self, id: FileId) -> State {
        self.files.get(id).unwrap().state.clone()
    }

    /// Waits until a transfer is over.
    fn end(&mut self, id: FileId) -> State {
        while !self.state(id).is_over() {
            let (id, news) = self.files.news.recv_blocking().unwrap();
            self.files.told(id, news);
        }
        self.state(id)
    }
}

/// Whoever calls there; nobody is waited for without end.
fn called(listener: &TcpListener) -> TcpStream {
    smol::block_on(async {
        let listener = smol::Async::new(listener.try_clone().unwrap()).unwrap();
        let call = listener.accept().or(async {
            smol::Timer::after(Duration::from_secs(30)).await;
            panic!("somebody calls")
        });
        let (stream, _) = call.await.unwrap();
        let stream = stream.into_inner().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream
    })
}

/// Somebody who sends these bytes to the first who calls, and hangs up when that one does; where, and how much that one
/// says has come.
fn sender(bytes: Vec<u8>) -> (u16, mpsc::Receiver<u32>) {
    let listener = TcpListener::bind((HERE, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (says, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = called(&listener);
        if stream.write_all(&bytes).is_ok() && !bytes.is_empty() {
            let mut receipt = [0; 4];
            while stream.read_exact(&mut receipt).is_ok() {
                let _ = says.send(u32::from_be_bytes(receipt));
            }
        }
    });
    (port, heard)
}

/// Bytes that are different everywhere.
fn noise(count: usize) -> Vec<u8> {
    let mut number = 0x9E37_79B9_7F4A_7C15_u64;
    (0..count)
        .map(|_| {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (number >> 56) as u8
        })
        .collect()
}

#[test]
fn two_windows_send_each_other_files() {
    let bytes = noise(3_000_001);
    for (own, passive) in [(HERE, false), (HERE, true), (Ipv6Addr::LOCALHOST.into(), false)] {
        let (mut alice, mut bob) = (Window::new(), Window::new());
        let path = alice.folder.write("holiday 1.jpg", &bytes);
        let (sent, offer) = alice.send("bob", &path, own, passive);
        // What goes over the wire comes out of it the same.
        let offer = Dcc::parse(offer.to_string().strip_prefix("DCC ").unwrap()).unwrap();
        let (_, came) = bob.hear("alice", offer);
        let came = came.unwrap();
        assert_eq!(bob.state(came), State::Offered { begun: None });
        assert_eq!(bob.folder.names(), [""; 0], "nothing before the click");
        let answer = bob.save(came, false);
        assert_eq!(answer.is_some(), passive, "{answer:?}");
        if let Some(answer) = answer {
            assert_eq!(alice.hear("mallory", answer.clone()), (None, None), "it is not for her");
            let Dcc::Send { token: Some(token), .. } = &answer else { panic!("{answer}") };
            assert!(token.parse::<u32>().unwrap() > 1000, "nobody guesses it: {token}");
            let guess = Some((token.parse::<u32>().unwrap() ^ 1).to_string());
            let guessed = Dcc::Send { name: "x".into(), ip: HERE, port: 5000, size: Some(9), token: guess };
            assert_eq!(alice.hear("bob", guessed), (None, None), "an answer to nothing is no offer");
            assert_eq!(alice.files.iter().count(), 1);
            assert_eq!(alice.hear("bob", answer), (None, None));
        }
        assert_eq!((bob.end(came), alice.end(sent)), (State::Done, State::Done));
        assert_eq!(bob.folder.read("holiday 1.jpg"), bytes);
        assert_eq!(bob.folder.names(), ["holiday 1.jpg"]);
        let whole = fs::metadata(bob.folder.0.join("holiday 1.jpg")).unwrap();
        assert_eq!(whole.mode() & 0o777, 0o600);
    }
}

#[test]
fn what_broke_is_gone_on_with() {
    let bytes = noise(500_000);
    for passive in [false, true] {
        let (mut alice, mut bob) = (Window::new(), Window::new());
        let (port, heard) = sender(bytes[..200_000].to_vec());
        let broken = bob.offered("alice", "a.bin", port, Some(500_000));
        bob.save(broken, false);
        // It is cut off half way, when the sender was told how much has come.
        while heard.recv_timeout(Duration::from_secs(30)).unwrap() < 200_000 {}
        bob.files.closed(&who("nobody").at);
        let file = bob.files.get(broken).unwrap();
        assert!(!file.state.is_over());
        drop(bob.files);
        bob.files = Files::default();
        assert_eq!(heard.recv_timeout(Duration::from_secs(30)), Err(mpsc::RecvTimeoutError::Disconnected));
        // The connection goes a moment before the file.
        let part = fs::File::open(bob.folder.0.join("a.bin.part")).unwrap();
        while part.try_lock().is_err() {
            thread::yield_now();
        }
        drop(part);

        let path = alice.folder.write("a.bin", &bytes);
        let (sent, offer) = alice.send("bob", &path, HERE, passive);
        let came = bob.hear("alice", offer).1.unwrap();
        assert_eq!(bob.state(came), State::Offered { begun: Some(200_000) });
        let resume = bob.save(came, true).unwrap();
        assert!(matches!(resume, Dcc::Resume { position: 200_000, .. }));
        let accept = alice.hear("bob", resume).0.unwrap();
        let answer = bob.hear("alice", accept).0;
        assert_eq!(answer.is_some(), passive);
        answer.into_iter().for_each(|answer| drop(alice.hear("bob", answer)));
        // The first that is heard of it has what was there.
        let (id, news) = bob.files.news.recv_blocking().unwrap();
        assert!(
            bob.files.told(id, news) && matches!(bob.state(came), State::Running { done: 200_000.., .. })
        );
        assert_eq!((bob.end(came), alice.end(sent)), (State::Done, State::Done));
        assert_eq!(bob.folder.read("a.bin"), bytes);
        assert_eq!(bob.folder.names(), ["a.bin"]);
    }
}

#[test]
fn a_program_that_uses_one_port_for_all_files_goes_on_too() {
    let mut bob = Window::new();
    let bytes = noise(9);
    let listener = TcpListener::bind((HERE, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (first, second) = (bytes[..4].to_vec(), bytes[5..].to_vec());
    thread::spawn(move || {
        for part in [first, second] {
            called(&listener).write_all(&part).unwrap();
        }
    });
    // One that is over, from the same port.
    let before = bob.offered("alice", "a.txt", port, Some(4));
    bob.save(before, false);
    assert_eq!(bob.end(before), State::Done);
    // It is called otherwise here, for there is another one of its name.
    bob.folder.write("b.iso", b"another");
    bob.folder.write("b (2).iso.part", &bytes[..5]);
    let mut go_on = |position| {
        let came = bob.offered("alice", "b.iso", port, Some(9));
        assert_eq!(bob.state(came), State::Offered { begun: Some(5) });
        let Some(Dcc::Resume { name, .. }) = bob.save(came, true) else { panic!("it is not asked for") };
        assert_eq!(bob.hear("alice", Dcc::Accept { name, port, position, token: None }), (None, None));
        bob.end(came)
    };
    // Whoever begins elsewhere has not agreed, and nothing is cut off.
    assert_eq!(go_on(1), State::Failed(Failure::NotAgreed));
    assert_eq!(go_on(5), State::Done);
    assert_eq!(bob.folder.read("b (2).iso"), bytes);
    assert_eq!(bob.folder.names(), ["a.txt", "b (2).iso", "b.iso"]);
}

#[test]
fn sizes_that_lie_are_found_out() {
    let mut bob = Window::new();
    for (size, failure) in [
        (None, Failure::NoSize),
        (Some(u64::MAX), Failure::SizeNotPossible),
        (Some(LARGEST + 1), Failure::SizeNotPossible),
    ] {
        let id = bob.offered("eve", "a", 5000, size);
        assert_eq!(bob.state(id), State::Failed(failure));
        assert_eq!(bob.save(id, false), None, "there is nothing to save");
    }
    // More than was offered, at once or when all was there.
    for (size, bytes) in [(1000, 1001), (1000, 5_000_000), (0, 1)] {
        let (port, _) = sender(noise(bytes));
        let id = bob.offered("eve", "more.txt", port, Some(size));
        bob.save(id, false);
        assert_eq!(bob.end(id), State::Failed(Failure::TooMuch), "{size} {bytes}");
        assert_eq!(bob.folder.names(), [""; 0], "nothing of it stays");
    }
    // Less, or nothing.
    for (bytes, left) in [(400, vec!["less.txt.part"]), (0, vec![])] {
        let listener = TcpListener::bind((HERE, 0)).unwrap();
        let id = bob.offered("eve", "less.txt", listener.local_addr().unwrap().port(), Some(1000));
        bob.save(id, false);
        called(&listener).write_all(&noise(bytes)).unwrap();
        assert_eq!(bob.end(id), State::Failed(Failure::Broken));
        assert_eq!(bob.folder.names(), left);
        assert_eq!(bob.files.get(id).unwrap().can_go_on(), !left.is_empty());
        left.iter().for_each(|name| fs::remove_file(bob.folder.0.join(name)).unwrap());
    }
    // An empty file is one.
    let (port, _) = sender(Vec::new());
    let id = bob.offered("eve", "empty", port, Some(0));
    bob.save(id, false);
    assert_eq!((bob.end(id), bob.folder.read("empty")), (State::Done, vec![]));
}

#[test]
fn names_that_lie_stay_in_the_folder_and_overwrite_nothing() {
    let mut bob = Window::new();
    let secret = Folder::default();
    let target = secret.write("secret", b"mine");
    bob.folder.write("notes.txt", b"mine");
    symlink(&target, bob.folder.0.join("link.txt")).unwrap();
    symlink(&target, bob.folder.0.join("trap.txt.part")).unwrap();
    symlink(secret.0.join("new"), bob.folder.0.join("dangling.txt")).unwrap();
    for (name, kept) in [
        ("../../../notes.txt", "notes (2).txt"),
        ("/tmp/notes.txt", "notes (3).txt"),
        ("link.txt", "link (2).txt"),
        ("trap.txt", "trap.txt"),
        ("dangling.txt", "dangling (2).txt"),
        (".bashrc", "bashrc"),
        ("NUL", "_NUL"),
        ("pic\u{202E}gpj.exe", "picgpj.exe"),
    ] {
        let (port, _) = sender(b"evil".to_vec());
        let id = bob.offered("eve", name, port, Some(4));
        assert_eq!(bob.state(id), State::Offered { begun: None }, "{name}");
        bob.save(id, false);
        assert_eq!(bob.end(id), State::Done, "{name}");
        assert_eq!(bob.files.get(id).unwrap().path, Some(bob.folder.0.join(kept)), "{name}");
        assert_eq!(bob.folder.read(kept), b"evil", "{name}");
    }
    assert_eq!(
        (bob.folder.read("notes.txt"), fs::read(&target).unwrap()),
        (b"mine".to_vec(), b"mine".to_vec())
    );
    assert_eq!(secret.names(), ["secret"]);
}

#[test]
fn nobody_makes_us_call_where_nobody_should_be_called() {
    let mut bob = Window::new();
    let of = |ip: &str, port| Dcc::Send {
        name: "a".into(),
        ip: ip.parse().unwrap(),
        port,
        size: Some(1),
        token: None,
    };
    for (ip, port, server_here) in [
        ("10.0.0.1", 25, true),
        ("10.0.0.1", 0, true),
        ("127.0.0.1", 5000, false),
        ("::1", 5000, false),
        ("0.0.0.0", 5000, true),
        ("224.0.0.1", 5000, true),
        ("255.255.255.255", 5000, true),
    ] {
        assert_eq!(bob.files.heard(who("eve"), of(ip, port), server_here, None), None);
        assert_eq!(
            bob.files.iter().next_back().unwrap().state,
            State::Failed(Failure::AddressNotPossible),
            "{ip} {port}"
        );
    }
}

#[test]
fn whoever_is_silent_is_let_go() {
    let mut bob = Window::new();
    // Listens, and never sends.
    let listener = TcpListener::bind((HERE, 0)).unwrap();
    let stalls = bob.offered("eve", "a", listener.local_addr().unwrap().port(), Some(9));
    bob.save(stalls, false);
    let held = called(&listener);
    assert_eq!(bob.end(stalls), State::Failed(Failure::Stalled));
    drop(held);
    // Nobody is there.
    drop(listener);
    let free = TcpListener::bind((HERE, 0)).unwrap().local_addr().unwrap().port();
    let gone = bob.offered("eve", "b", free, Some(9));
    bob.save(gone, false);
    assert!(matches!(bob.end(gone), State::Failed(Failure::Unreachable { .. })));
    // Nobody fetches what we offer, or it is not read.
    let path = bob.folder.write("mine", &noise(9_000_000));
    let (unfetched, _) = bob.send("eve", &path, HERE, false);
    assert_eq!(bob.end(unfetched), State::Failed(Failure::NobodyCame));
    let (unread, offer) = bob.send("eve", &path, HERE, false);
    let Dcc::Send { port, .. } = offer else { panic!("{offer}") };
    let held = TcpStream::connect((HERE, port)).unwrap();
    assert_eq!(bob.end(unread), State::Failed(Failure::Stalled));
    drop(held);
    // Whoever wanted to call never does.
    let token = Some("7".to_owned());
    let uncalled = bob.hear("eve", Dcc::Send { name: "d".into(), ip: HERE, port: 0, size: Some(9), token });
    bob.save(uncalled.1.unwrap(), false);
    assert_eq!(bob.end(uncalled.1.unwrap()), State::Failed(Failure::SenderNeverCame));
    // Nobody agrees where to go on.
    bob.folder.write("c.part", b"12345");
    let unagreed = bob.offered("eve", "c", free, Some(9));
    assert_eq!(bob.state(unagreed), State::Offered { begun: Some(5) });
    bob.save(unagreed, true);
    assert_eq!(bob.end(unagreed), State::Failed(Failure::NotAgreed));
    assert_eq!(bob.folder.read("c.part"), b"12345");
}

#[test]
fn one_is_let_in_and_gets_no_more_than_it_asked_for() {
    let mut alice = Window::new();
    let bytes = noise(100_000);
    let path = alice.folder.write("mine", &bytes);
    let (id, offer) = alice.send("bob", &path, HERE, false);
    let Dcc::Send { name, port, size, .. } = offer else { panic!("{offer}") };
    assert_eq!((&*name, size), ("mine", Some(100_000)));
    let resume = |position| Dcc::Resume { name: "file.ext".into(), port, position, token: None };
    assert_eq!(alice.hear("eve", resume(7)).0, None, "it is not hers");
    assert_eq!(alice.hear("bob", resume(100_000)).0, None, "there is nothing behind the end");
    assert_eq!(alice.hear("bob", resume(u64::MAX)).0, None);
    assert!(matches!(alice.hear("bob", resume(99_000)).0, Some(Dcc::Accept { position: 99_000, .. })));
    let mut first = TcpStream::connect((HERE, port)).unwrap();
    let mut came = vec![0; 1000];
    first.read_exact(&mut came).unwrap();
    assert_eq!(came, bytes[99_000..]);
    assert!(TcpStream::connect((HERE, port)).is_err(), "nobody listens any more");
    first.write_all(&100_000_u32.to_be_bytes()).unwrap();
    assert_eq!(alice.end(id), State::Done);
    assert_eq!(first.read(&mut came).unwrap(), 0);
}

#[test]
fn what_is_cancelled_ends_and_leaves_nothing() {
    let mut bob = Window::new();
    let listener = TcpListener::bind((HERE, 0)).unwrap();
    let id = bob.offered("eve", "a", listener.local_addr().unwrap().port(), Some(9));
    bob.save(id, false);
    let mut stream = called(&listener);
    stream.write_all(b"1234").unwrap();
    let mut receipt = [0; 4];
    stream.read_exact(&mut receipt).unwrap();
    assert_eq!(receipt, [0, 0, 0, 4]);
    assert_eq!(bob.folder.names(), ["a.part"]);
    assert_eq!(fs::metadata(bob.folder.0.join("a.part")).unwrap().mode() & 0o777, 0o600);
    assert_eq!(bob.files.cancel(id), None);
    assert_eq!(bob.state(id), State::Failed(Failure::Cancelled));
    assert_eq!(stream.read(&mut receipt).unwrap_or(0), 0, "we hung up");
    while !bob.folder.names().is_empty() {
        thread::yield_now();
    }
    assert_eq!(bob.files.cancel(id), None);
    assert!(bob.files.get(id).is_none(), "and is not shown any more");

    // An offer that is declined is answered; one of ours says so.
    let id = bob.offered("eve", "b c", 5000, Some(9));
    let said = bob.files.cancel(id).unwrap();
    assert_eq!((said.to.nick.as_str(), said.dcc), ("eve", Dcc::Reject { name: "b c".into() }));
    let path = bob.folder.write("mine", b"x");
    let (id, _) = bob.send("eve", &path, HERE, false);
    bob.hear("mallory", Dcc::Reject { name: "mine".into() });
    assert_eq!(bob.state(id), State::Waiting);
    bob.hear("eve", Dcc::Reject { name: "mine".into() });
    assert_eq!(bob.state(id), State::Failed(Failure::Declined));
}

#[test]
fn a_flood_of_offers_fills_nothing() {
    let mut bob = Window::new();
    let waits = |bob: &Window, of: &str| {
        let of_them = bob.files.iter().filter(|file| file.who.nick.starts_with(of));
        of_them.filter(|file| matches!(file.state, State::Offered { .. })).count()
    };
    bob.offered("friend", "first", 5000, Some(9));
    for number in 0..1000 {
        bob.offered("eve", &format!("{number}"), 5000, Some(9));
    }
    assert_eq!((waits(&bob, "eve"), waits(&bob, "friend")), (OFFERS_EACH, 1));
    for number in 0..1000 {
        bob.offered("eve", "the same", 5000 + number, Some(9));
    }
    assert_eq!(bob.files.iter().filter(|file| file.name == "the same").count(), 1);
    for number in 0..1000 {
        bob.offered(&format!("eve{number}"), "a", 5000, Some(9));
        bob.offered(&format!("eve{number}"), "b", 5000, None);
    }
    assert_eq!(waits(&bob, ""), OFFERS);
    assert!(bob.files.iter().count() <= REMEMBERED);

    // A few run at a time, and the next one waits as an offer.
    let listener = TcpListener::bind((HERE, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let ids: Vec<FileId> = (0..5).map(|n| bob.offered("zoe", &format!("{n}"), port, Some(9))).collect();
    for id in &ids[..RUNNING] {
        bob.save(*id, false);
    }
    assert_eq!(bob.files.save(ids[RUNNING], &bob.folder.0, false, HERE), Err(Full));
    assert_eq!(bob.state(ids[RUNNING]), State::Offered { begun: None });
}

#[test]
fn a_name_changes_and_the_file_is_still_theirs() {
    let mut alice = Window::new();
    let path = alice.folder.write("mine", b"x");
    let (id, offer) = alice.send("bob", &path, HERE, false);
    let Dcc::Send { port, .. } = offer else { panic!("{offer}") };
    alice.files.renamed(&who("bob").at, &who("bobby").at, "Bobby");
    assert_eq!(alice.files.get(id).unwrap().who.nick, "Bobby");
    let name = "mine".to_owned();
    let (accept, _) = alice.hear("bobby", Dcc::Resume { name, port, position: 0, token: None });
    assert!(accept.is_some());
}

/// Runs itself again where no file may have more than 10 KB.
#[test]
fn a_full_disk_is_said_and_can_be_gone_on_with() {
    const WITHIN: &str = "PARLOR_TEST_FULL";
    if std::env::var_os(WITHIN).is_none() {
        let within = Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 20; exec \"$@\"", "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "dcc::tests::a_full_disk_is_said_and_can_be_gone_on_with"])
            .env(WITHIN, "")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&within.stdout);
        assert!(within.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let mut bob = Window::new();
    let (port, _) = sender(noise(30_000));
    let id = bob.offered("alice", "large", port, Some(30_000));
    bob.save(id, false);
    assert_eq!(bob.end(id), State::Failed(Failure::DiskFull));
    let id = bob.offered("alice", "large", port, Some(30_000));
    assert_eq!(bob.state(id), State::Offered { begun: Some(10_240) });
    // A folder that is none.
    let folder = bob.folder.write("file", b"");
    bob.files.save(id, &folder, false, HERE).unwrap();
    assert!(matches!(bob.end(id), State::Failed(Failure::NotWritable { .. })));
}
