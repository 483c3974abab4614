//! A store with a million lines: its size in memory, how soon it is open, and what is read of it.

use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use parlor_tests::Server;

use super::super::clock::now;
use super::super::options::Plan;
use super::super::report::Report;
use super::super::spread::Spread;
use super::super::stamp::Stamp;
use super::folder::Folder;
use super::reader::{Reader, Reply};
use super::senders::{End, Senders};
use super::{column, enter, kept, process, room, start};

/// Lines that are stored.
const LINES: u64 = 1_000_000;
/// Lines of a sender on their way when the store is filled.
const FILL_DEPTH: usize = 200;
/// Bytes of the last file that are to be there: it is as long as it may get (8 MiB), nearly, and
/// a start after a crash reads all of it.
const LAST_FILE: u64 = 7 * 1024 * 1024;
/// Lines that are said at once to get there.
const MORE: u64 = 2_000;
/// Far more often than it takes.
const MOST_STEPS: usize = 100;
/// Starts of each kind.
const STARTS: usize = 5;
/// Pages of each kind.
const PAGES: u32 = 1_000;
/// Lines of a page.
const PAGE: usize = 50;
/// Searches of each kind.
const SEARCHES: usize = 3;
/// How long the server comes to rest.
const REST: Duration = Duration::from_millis(300);

pub(super) const OPEN_CLEAN: &str = "exec to listening after a clean stop, ms";
const OPEN_KILLED: &str = "exec to listening after kill -9, ms";
const GROWTH_FILLED: &str = "RSS growth by taking the lines, MB";
const GROWTH: &str = "RSS growth with the lines, opened, MB";
const GROWTH_READ: &str = "RSS growth with the lines, read and searched, MB";
const PAGES_BY: [&str; 3] = ["LATEST 50", "50 before a msgid", "50 before a timestamp"];

/// What it is held to.
pub(super) const BOUNDS: [(&str, f64); 8] = [
    (OPEN_CLEAN, 50.0),
    (OPEN_KILLED, 300.0),
    ("LATEST 50, ms, p99", 5.0),
    ("50 before a msgid, ms, p99", 5.0),
    ("50 before a timestamp, ms, p99", 5.0),
    (GROWTH_FILLED, 16.0),
    (GROWTH, 16.0),
    (GROWTH_READ, 16.0),
];

pub(super) fn measure(rooms: usize, plan: &Plan, report: &mut Report) -> io::Result<()> {
    let who = column(rooms);
    let folder = Folder::on_a_disk()?;
    let data = folder.path();
    let server = start(data, plan)?;
    let empty = rest(&server)?;
    report.figure(&who, "RSS of an empty server, MB", empty);
    let said = fill(&server, (data, rooms), &who, report)?;
    report.figure(&who, GROWTH_FILLED, rest(&server)? - empty);
    server.crash();

    let mut opened = Vec::new();
    let mut opens = Vec::new();
    for _ in 0..STARTS {
        let (server, open) = Open::of(data, plan)?;
        opens.push(open);
        opened.push(rest(&server)? - empty);
        server.crash();
    }
    Open::enter(&who, OPEN_KILLED, &opens, report);
    opens.clear();
    let mut server = start(data, plan)?;
    for _ in 0..STARTS {
        if server.stop() != 0 {
            return Err(io::Error::other("the server did not stop well"));
        }
        let open;
        (server, open) = Open::of(data, plan)?;
        opens.push(open);
        opened.push(rest(&server)? - empty);
    }
    Open::enter(&who, OPEN_CLEAN, &opens, report);
    // The worst counts: what memory a start leaves free is luck.
    opened.sort_by(f64::total_cmp);
    report.spread(&who, GROWTH, (opened[opened.len() - 1], opened[0], opened[opened.len() - 1]));

    read(&server, rooms, &said, &who, report)?;
    report.figure(&who, GROWTH_READ, rest(&server)? - empty);
    server.crash();
    kept::check(data, rooms, &said)
}

/// A start.
struct Open {
    time: Duration,
    /// What it had used when it listened: on a busy machine the steadier figure.
    cpu: Duration,
}

impl Open {
    fn of(data: &Path, plan: &Plan) -> io::Result<(Server, Open)> {
        let began = now();
        let server = start(data, plan)?;
        let time = began.elapsed();
        let cpu = process::cpu(server.id())?;
        Ok((server, Open { time, cpu }))
    }

    fn enter(who: &str, what: &str, opens: &[Open], report: &mut Report) {
        enter(who, what, opens, false, |open| open.time.as_secs_f64() * 1e3, report);
        enter(who, &format!("{what}, CPU"), opens, false, |open| open.cpu.as_secs_f64() * 1e3, report);
    }
}

/// What is resident when it has come to rest, in MB.
fn rest(server: &Server) -> io::Result<f64> {
    sleep(REST);
    Ok(process::resident(server.id())? as f64 / 1024.0)
}

/// One sender a room says all lines. Returns how many each has said.
fn fill(
    server: &Server,
    (data, rooms): (&Path, usize),
    who: &str,
    report: &mut Report,
) -> io::Result<Vec<u32>> {
    let mut senders = Senders::enter(server, rooms, rooms)?;
    let told = senders.talk(FILL_DEPTH, End::Lines(LINES))?;
    report.figure(who, "lines a second, one sender a room", told.rate());
    let mut size = bytes(data)?;
    for _ in 0..MOST_STEPS {
        if size.1 >= LAST_FILE {
            break;
        }
        senders.talk(FILL_DEPTH, End::Lines(MORE))?;
        size = bytes(data)?;
    }
    report.figure(who, "bytes of the last file", size.1 as f64);
    let said = senders.said();
    let lines: u64 = said.iter().map(|lines| u64::from(*lines)).sum();
    report.figure(who, "lines stored", lines as f64);
    report.figure(who, "bytes on disk a line", size.0 as f64 / lines as f64);
    Ok(said)
}

/// Bytes of all files, and of the log that is written to.
fn bytes(data: &Path) -> io::Result<(u64, u64)> {
    let (mut all, mut last) = (0, (String::new(), 0));
    for file in data.read_dir()? {
        let file = file?;
        let (name, size) = (file.file_name().to_string_lossy().into_owned(), file.metadata()?.len());
        all += size;
        // `00000007-0.log`: the seventh, never rewritten. The rooms have a log, too.
        let segment = name.ends_with(".log") && name.starts_with(|c: char| c.is_ascii_hexdigit());
        if segment && name > last.0 {
            last = (name, size);
        }
    }
    Ok((all, last.1))
}

fn read(server: &Server, rooms: usize, said: &[u32], who: &str, report: &mut Report) -> io::Result<()> {
    let mut reader = Reader::enter(server, rooms)?;
    let newest = reader.ask(&format!("CHATHISTORY LATEST {} * 1", room(0)))?;
    let oldest =
        reader.ask(&format!("CHATHISTORY AFTER {} timestamp=2000-01-01T00:00:00.000Z 1", room(0)))?;
    let ((boot, oldest), (_, newest)) = (millis(&oldest)?, millis(&newest)?);
    let mut spreads = PAGES_BY.map(|_| Spread::default());
    let mut pings = Spread::default();
    for page in 0..PAGES {
        let room = room(page as usize % rooms);
        let at = place(page, &boot, (oldest, newest));
        let latest = reader.ask(&format!("CHATHISTORY LATEST {room} * {PAGE}"))?;
        let by_id = reader.ask(&format!("CHATHISTORY BEFORE {room} msgid={at} {PAGE}"))?;
        // The last line of that page lies somewhere in the middle, too.
        let by_time = reader.ask(&format!("CHATHISTORY BEFORE {room} timestamp={} {PAGE}", by_id.time))?;
        for (spread, reply) in spreads.iter_mut().zip([latest, by_id, by_time]) {
            if reply.lines != PAGE {
                return Err(io::Error::other(format!("a page has {} lines, not {PAGE}", reply.lines)));
            }
            spread.add(reply.whole);
        }
        pings.add(reader.ping()?);
    }
    // Asks nothing of the store: so late are answers on this machine anyway.
    report.figure(who, "PING, ms, p50", pings.milliseconds(0.5));
    report.figure(who, "PING, ms, p99", pings.milliseconds(0.99));
    for (name, spread) in PAGES_BY.iter().zip(&spreads) {
        report.figure(who, format!("{name}, ms, p50"), spread.milliseconds(0.5));
        report.figure(who, format!("{name}, ms, p99"), spread.milliseconds(0.99));
    }
    // The mark of a line is a word that nothing else has.
    let middle = Stamp { sender: 0, number: said.first().map_or(0, |lines| lines / 2) };
    let mut rare = Vec::new();
    let mut nothing = Vec::new();
    for _ in 0..SEARCHES {
        rare.push(search(&mut reader, &middle.to_string(), 1)?);
        nothing.push(search(&mut reader, "absent", 0)?);
    }
    let ms = |nanoseconds: u64| nanoseconds as f64 / 1e6;
    enter(who, "search, one line in the middle, to the hit, ms", &rare, false, |r| ms(r.first), report);
    enter(who, "search, one line in the middle, to the end, ms", &rare, false, |r| ms(r.whole), report);
    enter(who, "search, nothing found, to the end, ms", &nothing, false, |r| ms(r.whole), report);
    Ok(())
}

/// Searches all rooms.
fn search(reader: &mut Reader, text: &str, hits: usize) -> io::Result<Reply> {
    let reply = reader.ask(&format!("SEARCH text={text};limit={PAGE}"))?;
    if reply.lines != hits {
        return Err(io::Error::other(format!("{text} was found {} times, not {hits}", reply.lines)));
    }
    Ok(reply)
}

/// The digits of an id that say when: eight of the boot number come before them, four of a
/// count behind.
fn millis(reply: &Reply) -> io::Result<(String, u64)> {
    let (boot, rest) = reply.id.split_at_checked(8).ok_or_else(|| io::Error::other("a line has no id"))?;
    let millis = rest.get(..11).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    Ok((boot.to_owned(), millis.ok_or_else(|| io::Error::other("an id is not of 23 digits"))?))
}

/// A position between two ids of one start, but not among the first lines: the answer is a whole
/// page. Positions jump about, and are the same in each run.
fn place(page: u32, boot: &str, (oldest, newest): (u64, u64)) -> String {
    let share = u64::from(page.wrapping_mul(0x9e37_79b9)) * 98 / 100;
    let span = newest - oldest;
    let millis = oldest + span / 50 + ((u128::from(span) * u128::from(share)) >> 32) as u64;
    format!("{boot}{millis:011x}0000")
}
