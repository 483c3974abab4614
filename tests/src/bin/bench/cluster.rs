//! Several servers with one order, beside one that is alone, and beside a client that does no more than the order
//! itself takes: the same script appends a line, a second connection reads the stream.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use parlor_tests::{Deadline, Launch, Scratch, Server};

use crate::memory::read_until;
use crate::process::cpu;

/// What the servers append by.
const SCRIPT: &str = include_str!("../../../../server/src/cluster/log.lua");
/// Who says the lines on the first server, in turn, where each has one on each server who hears it.
const SENDERS: usize = 20;
/// Members of a crowd, on each server; all of them say lines, in turn.
const CROWD: usize = 8;
/// Lines a second.
const RATES: [u64; 2] = [100, 2000];
/// How long each is measured.
const SPELL: Duration = Duration::from_secs(8);
const TEXT: &str =
    "a line of about a hundred and twenty bytes, as people say them to each other in a room of theirs ";

/// A Redis that writes what it is told to disk, each second to the platter.
struct Redis {
    child: Child,
    port: u16,
    _folder: Scratch,
}

impl Redis {
    fn start() -> io::Result<Redis> {
        let folder = Scratch::new();
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"])
            .args(["--appendfsync", "everysec"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()?;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        Ok(Redis { child, port, _folder: folder })
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It has ended, or it ends now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn now() -> Instant {
    Instant::now()
}

/// Times, of which a part is asked for.
#[derive(Default)]
struct Times(Mutex<Vec<Duration>>);

impl Times {
    fn add(&self, time: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(time);
    }

    /// How many, the half and 99 of 100 are at most so long, milliseconds.
    fn figures(&self) -> (usize, f64, f64) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.sort_unstable();
        let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
        (times.len(), at(50).as_secs_f64() * 1000.0, at(99).as_secs_f64() * 1000.0)
    }
}

/// Sends a command, as an array of strings (RESP2).
fn command(stream: &mut TcpStream, words: &[&str]) -> io::Result<()> {
    let mut wire = format!("*{}\r\n", words.len());
    for word in words {
        wire += &format!("${}\r\n{word}\r\n", word.len());
    }
    stream.write_all(wire.as_bytes())
}

/// Reads one reply, as flat words.
fn reply(from: &mut BufReader<TcpStream>) -> io::Result<Vec<String>> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let (kind, rest) = line.trim_end().split_at_checked(1).ok_or(io::ErrorKind::UnexpectedEof)?;
    let count: i64 = rest.parse().unwrap_or_default();
    match kind {
        "*" => {
            let mut words = Vec::new();
            for _ in 0..count.max(0) {
                words.extend(reply(from)?);
            }
            Ok(words)
        }
        "$" if count >= 0 => {
            let mut bytes = vec![0; count as usize + 2];
            from.read_exact(&mut bytes)?;
            bytes.truncate(count as usize);
            Ok(vec![String::from_utf8_lossy(&bytes).into_owned()])
        }
        "-" => Err(io::Error::other(rest.to_owned())),
        _ => Ok(vec![rest.to_owned()]),
    }
}

/// When the line of this number is to be said.
fn due(begun: Instant, number: u64, rate: u64) -> Duration {
    (begun + Duration::from_nanos(number * 1_000_000_000 / rate)).saturating_duration_since(now())
}

/// The place of a bare client in a Redis: two connections, and what it has there.
struct Place<'a> {
    redis: &'a Redis,
    prefix: String,
    begun: Instant,
    /// Lines in all.
    count: u64,
    /// There will be no more.
    failed: AtomicBool,
}

impl Place<'_> {
    fn connect(&self) -> io::Result<(TcpStream, BufReader<TcpStream>)> {
        let stream = TcpStream::connect(("127.0.0.1", self.redis.port))?;
        stream.set_nodelay(true)?;
        Ok((stream.try_clone()?, BufReader::new(stream)))
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Reads all lines, and how long each was on its way.
    fn hear(&self, times: &Times) -> io::Result<()> {
        let (mut ask, mut heard) = self.connect()?;
        let (log, mut last, mut number) = (self.key("log"), "1-1".to_owned(), 0);
        while number < self.count && !self.failed.load(Ordering::Relaxed) {
            command(&mut ask, &["XREAD", "COUNT", "1000", "BLOCK", "2000", "STREAMS", &log, &last])?;
            let words = reply(&mut heard)?;
            let at = now();
            for (place, word) in words.iter().enumerate() {
                if word == "e" {
                    let sent = words.get(place + 1).and_then(|text| text.split(' ').next()?.parse().ok());
                    let sent = Duration::from_nanos(sent.unwrap_or_default());
                    times.add(at.saturating_duration_since(self.begun + sent));
                    number += 1;
                }
                if word == "s" {
                    last = words.get(place - 1).cloned().unwrap_or_default();
                }
            }
        }
        Ok(())
    }

    fn say(&self, rate: u64) -> io::Result<()> {
        let (mut say, mut said) = self.connect()?;
        for words in [
            vec!["HSET", &self.key("meta"), "birth", "b", "next", "1", "founder", "1"],
            vec!["HSET", &self.key("snapshots"), "0-0", "x"],
            // As a server that runs has it.
            vec!["SET", &self.key("lease:1"), "t"],
            vec!["XADD", &self.key("log"), "1-1", "s", "1", "e", "x"],
            vec!["SCRIPT", "LOAD", SCRIPT],
        ] {
            command(&mut say, &words)?;
        }
        for _ in 0..4 {
            reply(&mut said)?;
        }
        let script = reply(&mut said)?.concat();
        let mut next = 0;
        let comes = |number| number < self.count && due(self.begun, number, rate).is_zero();
        while next < self.count {
            thread::sleep(due(self.begun, next, rate));
            let mut entries = Vec::new();
            // What has come due meanwhile goes along, as it does in a server.
            while comes(next + entries.len() as u64) {
                entries.push(format!("{} {TEXT}", now().saturating_duration_since(self.begun).as_nanos()));
            }
            let (sequence, prefix) = ((next + 1).to_string(), &self.prefix);
            let mut words = vec![
                "EVALSHA", &script, "1", prefix, "append", "1", "t", "b", "run", "0-0", "15000", "0",
                &sequence,
            ];
            words.extend(entries.iter().map(String::as_str));
            command(&mut say, &words)?;
            if reply(&mut said)?.first().is_none_or(|word| word != "OK") {
                return Err(io::Error::other("the script refuses"));
            }
            next += entries.len() as u64;
        }
        Ok(())
    }
}

/// The order alone: from the call of the script to the entry on another connection, of which so many read.
fn bare(redis: &Redis, rate: u64, name: &str, readers: usize) -> io::Result<(usize, f64, f64)> {
    let prefix = format!("parlor:{{{name}{rate}}}:");
    let (count, failed) = (rate * SPELL.as_secs(), AtomicBool::new(false));
    let place = Place { redis, prefix, begun: now(), count, failed };
    let all: Vec<Times> = (0..readers).map(|_| Times::default()).collect();
    thread::scope(|scope| {
        let hearing: Vec<_> = all.iter().map(|times| scope.spawn(|| place.hear(times))).collect();
        let said = place.say(rate);
        place.failed.store(said.is_err(), Ordering::Relaxed);
        said?;
        hearing
            .into_iter()
            .try_for_each(|one| one.join().unwrap_or_else(|_| Err(io::Error::other("a reader has failed"))))
    })?;
    Ok(all[0].figures())
}

fn member(at: SocketAddr, nick: &str, room: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(at)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(stream, "NICK {nick}\r\nUSER u 0 * :x\r\nJOIN {room}\r\n")?;
    read_until(&mut stream, " 366 ")?;
    Ok(stream)
}

/// Who is in a room with whom.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rooms {
    /// Everybody with everybody, as many on each server.
    One,
    /// Each sender with one on each server who hears: what is measured is the way, not the crowd.
    Pairs,
}

/// What one run took: the times on the server where a line was said, those on the last one, and CPU of the servers for
/// each line that somebody heard.
struct Run {
    near: (usize, f64, f64),
    far: (usize, f64, f64),
    /// From propose to applied, as the first server itself has counted.
    order: (usize, f64, f64),
    cpu: Duration,
}

/// Lines are said at this rate, on the first server where people are in pairs, and heard on all of them.
fn servers(servers: &mut [Server], rate: u64, rooms: Rooms, name: &str) -> io::Result<Run> {
    let (near, far) = (Arc::new(Times::default()), Arc::new(Times::default()));
    let over = Arc::new(AtomicBool::new(false));
    let begun = now();
    let mut readers = Vec::new();
    let (first, last) = (servers[0].address(), servers[servers.len() - 1].address());
    let room = |number: usize| match rooms {
        Rooms::One => "#bench".to_owned(),
        Rooms::Pairs => format!("#bench{number}"),
    };
    let hearers = if rooms == Rooms::One { 0 } else { SENDERS };
    for (place, server) in servers.iter().enumerate() {
        for number in 0..hearers {
            let stream = member(server.address(), &format!("{name}h{place}x{number}"), &room(number))?;
            stream.set_read_timeout(Some(Duration::from_millis(100)))?;
            let (times, is_last) = match server.address() {
                at if at == first => (Arc::clone(&near), at == last),
                _ => (Arc::clone(&far), false),
            };
            let (over, both) = (Arc::clone(&over), Arc::clone(&far));
            readers.push(thread::spawn(move || {
                let mut lines = BufReader::new(stream);
                let mut line = String::new();
                while !over.load(Ordering::Relaxed) {
                    if lines.read_line(&mut line).is_err() {
                        continue;
                    }
                    let sent = line.split(" :").nth(1).and_then(|text| text.split(' ').next()?.parse().ok());
                    if let Some(sent) = sent {
                        let time = now().saturating_duration_since(begun + Duration::from_nanos(sent));
                        times.add(time);
                        if is_last {
                            both.add(time);
                        }
                    }
                    line.clear();
                }
            }));
        }
    }
    let places: Vec<SocketAddr> = match rooms {
        Rooms::One => (0..CROWD).flat_map(|_| servers.iter().map(Server::address)).collect(),
        Rooms::Pairs => vec![first; SENDERS],
    };
    let senders =
        (0..).zip(&places).map(|(number, at)| member(*at, &format!("{name}s{number}"), &room(number)));
    let senders: Vec<TcpStream> = senders.collect::<Result<_, _>>()?;
    for sender in &senders {
        let mut drain = sender.try_clone()?;
        let over = Arc::clone(&over);
        sender.set_read_timeout(Some(Duration::from_millis(100)))?;
        readers.push(thread::spawn(move || {
            let mut bytes = [0; 64 * 1024];
            while !over.load(Ordering::Relaxed) {
                // Time is over, or there is more.
                let _ = drain.read(&mut bytes);
            }
        }));
    }
    // What they took to come in does not count.
    order(&mut servers[0])?;
    let used = || servers.iter().map(|server| cpu(server.id())).sum::<io::Result<Duration>>();
    let before = used()?;
    let (start, count) = (now(), rate * SPELL.as_secs());
    for number in 0..count {
        thread::sleep(due(start, number, rate));
        let sender = number as usize % senders.len();
        let said = now().saturating_duration_since(begun).as_nanos();
        let line = format!("PRIVMSG {} :{said} {TEXT}\r\n", room(sender));
        (&senders[sender]).write_all(line.as_bytes())?;
    }
    thread::sleep(Duration::from_millis(500));
    let used = used()? - before;
    over.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.join().map_err(|_| io::Error::other("a reader has failed"))?;
    }
    let heard = match rooms {
        Rooms::One => senders.len() - 1,
        Rooms::Pairs => servers.len(),
    };
    let cpu = used / (count as usize * heard) as u32;
    Ok(Run { near: near.figures(), far: far.figures(), order: order(&mut servers[0])?, cpu })
}

/// From propose to applied, as a server has counted since it was asked last: how many, the half and 99 of 100 are at most so
/// long, milliseconds; nothing where it is alone, or has not said anything.
fn order(server: &mut Server) -> io::Result<(usize, f64, f64)> {
    let deadline = Deadline::after(Deadline::DEFAULT);
    // It ends with this.
    let told =
        |server: &Server| server.stdout().text().lines().filter(|line| line.starts_with("memory ")).count();
    let before = told(server);
    server.console("/stats");
    while told(server) == before {
        deadline.left().ok_or_else(|| io::Error::other("the server tells no figures"))?;
        thread::sleep(Duration::from_millis(5));
    }
    let text = server.stdout().text();
    let line = text.lines().rfind(|line| line.starts_with("order ")).unwrap_or_default();
    let numbers: Vec<u32> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    match numbers[..] {
        [] | [0] => Ok((0, 0.0, 0.0)),
        [count, half, _, _, most] => Ok((count as usize, f64::from(half) / 1000.0, f64::from(most) / 1000.0)),
        _ => Err(io::Error::other(format!("{line:?} is not what it used to be"))),
    }
}

/// A table of times, and of what they are to be compared with.
struct Table;

impl Table {
    fn begin() -> Table {
        println!("| lines a second, over {} s | lines | p50, ms | p99, ms |", SPELL.as_secs());
        println!("| --- | --- | --- | --- |");
        Table
    }

    fn row(&self, rate: u64, what: &str, (count, half, most): (usize, f64, f64)) {
        println!("| {rate}, {what} | {count} | {half:.2} | {most:.2} |");
    }

    fn ratio(&self, rate: u64, of: (usize, f64, f64), bare: (usize, f64, f64)) {
        assert!(of.0 > 0, "the server has counted nothing");
        let (half, most) = (of.1 / bare.1, of.2 / bare.2);
        println!("| {rate}, **propose to applied, of the bare client's** | | {half:.2} × | {most:.2} × |");
    }
}

/// Prints what it measures.
pub(crate) fn measure() -> io::Result<()> {
    let redis = Redis::start()?;
    let scratch = Scratch::new();
    let launch = |more: &[&str], name: &str| {
        let data = scratch.file(name);
        let mut args = vec!["--data", &data, "--max-clients-per-ip", "2000"];
        args.extend(more);
        Launch::new(&args).start()
    };
    let mut alone = [launch(&[], "alone")];
    let cluster = |name: &str, count: usize| -> Vec<Server> {
        let url = format!("redis://127.0.0.1:{}/{name}", redis.port);
        (0..count).map(|number| launch(&["--cluster", &url], &format!("{name}{number}"))).collect()
    };
    let table = Table::begin();
    for rate in RATES {
        let own = || cpu(std::process::id());
        let before = own()?;
        let quiet = bare(&redis, rate, "quiet", 1)?;
        let of_bare = (own()? - before) / (rate * SPELL.as_secs()) as u32;
        println!("| {rate}, CPU of a bare client a line, µs | | {:.1} | |", of_bare.as_secs_f64() * 1e6);
        table.row(rate, "append and read, a bare client", quiet);
        let name = &format!("r{rate}");
        let one = servers(&mut alone, rate, Rooms::Pairs, name)?;
        table.row(rate, "said to heard, a server alone", one.near);
        let mut two = cluster(name, 2);
        let run = servers(&mut two, rate, Rooms::Pairs, name)?;
        table.row(rate, "said to heard, two servers, on the same one", run.near);
        table.row(rate, "said to heard, two servers, on the other one", run.far);
        table.row(rate, "propose to applied, two servers", run.order);
        table.ratio(rate, run.order, quiet);
        stop(two)?;
        // What else there is to do for the machine slows both down.
        let (name, mut two) = (&format!("b{rate}"), cluster(&format!("b{rate}"), 2));
        let (beside, run) = thread::scope(|scope| {
            let beside = scope.spawn(|| bare(&redis, rate, "beside", 1));
            let run = servers(&mut two, rate, Rooms::Pairs, name);
            (beside.join(), run)
        });
        let beside = beside.map_err(|_| io::Error::other("the bare client has failed"))??;
        let run = run?;
        table.row(rate, "a bare client beside two servers", beside);
        table.row(rate, "propose to applied beside it", run.order);
        table.ratio(rate, run.order, beside);
        stop(two)?;
    }
    crowds(&redis, &launch, &cluster)
}

/// What a line that somebody hears costs servers of one order, each with as many members, beside what it costs as many
/// servers that are alone, at the same time, and what the stream takes.
fn crowds(
    redis: &Redis,
    launch: &impl Fn(&[&str], &str) -> Server,
    cluster: &impl Fn(&str, usize) -> Vec<Server>,
) -> io::Result<()> {
    let (rate, micros) = (RATES[1], |time: Duration| time.as_secs_f64() * 1e6);
    println!("\n| servers, {CROWD} members on each, {rate} lines a second | 1 | 2 | 4 |");
    println!("| --- | --- | --- | --- |");
    let mut rows = [const { Vec::new() }; 5];
    for count in [1, 2, 4] {
        let mut lone: Vec<Server> =
            (0..count).map(|number| launch(&[], &format!("l{count}x{number}"))).collect();
        let alone = thread::scope(|scope| {
            let run = |server| servers(std::slice::from_mut(server), rate, Rooms::One, "l");
            let runs: Vec<_> = lone.iter_mut().map(|server| scope.spawn(move || run(server))).collect();
            let cpu = runs
                .into_iter()
                .map(|run| Ok(run.join().map_err(|_| io::Error::other("a run has failed"))??.cpu));
            Ok::<_, io::Error>(cpu.sum::<io::Result<Duration>>()? / count as u32)
        })?;
        stop(lone)?;
        let before = cpu(std::process::id())?;
        bare(redis, rate, &format!("stream{count}x"), count)?;
        let stream = (cpu(std::process::id())? - before) / (rate * SPELL.as_secs()) as u32;
        let (name, before) = (&format!("c{count}"), cpu(redis.child.id())?);
        let mut together = cluster(name, count);
        let run = servers(&mut together, rate, Rooms::One, name)?;
        let order = (cpu(redis.child.id())? - before) / (rate * SPELL.as_secs()) as u32;
        stop(together)?;
        let bound = micros(alone) * 1.15 + micros(stream) / (count * CROWD - 1) as f64;
        let figures = [micros(order), micros(stream), micros(alone), micros(run.cpu), bound];
        rows.iter_mut().zip(figures).for_each(|(row, figure)| row.push(format!("{figure:.2}")));
    }
    for (what, row) in [
        "CPU of Redis a line, µs",
        "the stream: CPU of a bare client that appends, and as many that read, a line, µs",
        "as many servers that are alone: CPU a delivery, µs",
        "**CPU a delivery, µs**",
        "1.15 × alone, and the stream: µs",
    ]
    .iter()
    .zip(rows)
    {
        println!("| {what} | {} |", row.join(" | "));
    }
    Ok(())
}

fn stop(servers: Vec<Server>) -> io::Result<()> {
    let failed: i32 = servers.into_iter().map(Server::stop).sum();
    if failed == 0 { Ok(()) } else { Err(io::Error::other("a server did not stop well")) }
}
