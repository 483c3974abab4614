//! Several servers with one order, beside one that is alone, and beside a client that does no more than the order
//! itself takes: the same script appends a line, a second connection reads the stream.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use parlor_tests::{Launch, Scratch, Server};

use crate::memory::read_until;
use crate::process::cpu;

/// What the servers append by.
const SCRIPT: &str = include_str!("../../../../server/src/cluster/log.lua");
/// Who says the lines, in turn: each waits for its line's turn before the next.
const SENDERS: usize = 20;
/// Who hears them, on each server.
const HEARERS: usize = 4;
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

/// The order alone: from the call of the script to the entry on the other connection.
fn bare(redis: &Redis, rate: u64) -> io::Result<(usize, f64, f64)> {
    let connect = || -> io::Result<(TcpStream, BufReader<TcpStream>)> {
        let stream = TcpStream::connect(("127.0.0.1", redis.port))?;
        stream.set_nodelay(true)?;
        Ok((stream.try_clone()?, BufReader::new(stream)))
    };
    let ((mut say, mut said), (mut ask, mut heard)) = (connect()?, connect()?);
    let prefix = format!("parlor:{{bare{rate}}}:");
    let key = |name: &str| format!("{prefix}{name}");
    for words in [
        vec!["HSET", &key("meta"), "birth", "b", "next", "1", "founder", "1"],
        vec!["HSET", &key("snapshots"), "0-0", "x"],
        vec!["SCRIPT", "LOAD", SCRIPT],
    ] {
        command(&mut say, &words)?;
    }
    reply(&mut said)?;
    reply(&mut said)?;
    let script = reply(&mut said)?.concat();
    let (begun, times) = (now(), Arc::new(Times::default()));
    let count = rate * SPELL.as_secs();
    let log = key("log");
    let hears = Arc::clone(&times);
    let reader = thread::spawn(move || -> io::Result<()> {
        let (mut last, mut number) = ("0-0".to_owned(), 0);
        while number < count {
            command(&mut ask, &["XREAD", "COUNT", "1000", "BLOCK", "2000", "STREAMS", &log, &last])?;
            let words = reply(&mut heard)?;
            let at = now();
            for (place, word) in words.iter().enumerate() {
                if word == "e" {
                    let sent = words.get(place + 1).and_then(|text| text.split(' ').next()?.parse().ok());
                    let sent = Duration::from_nanos(sent.unwrap_or_default());
                    hears.add(at.saturating_duration_since(begun + sent));
                    number += 1;
                }
                if word == "s" {
                    last = words.get(place - 1).cloned().unwrap_or_default();
                }
            }
        }
        Ok(())
    });
    let mut next = 0;
    while next < count {
        thread::sleep(due(begun, next, rate));
        let mut entries = Vec::new();
        // What has come due meanwhile goes along, as it does in a server.
        while next + (entries.len() as u64) < count && due(begun, next + entries.len() as u64, rate).is_zero()
        {
            entries.push(format!("{} {TEXT}", now().saturating_duration_since(begun).as_nanos()));
        }
        let sequence = (next + 1).to_string();
        let mut words = vec![
            "EVALSHA", &script, "1", &prefix, "append", "1", "t", "b", "run", "0-0", "15000", "0", &sequence,
        ];
        words.extend(entries.iter().map(String::as_str));
        command(&mut say, &words)?;
        if reply(&mut said)?.first().is_none_or(|word| word != "OK") {
            return Err(io::Error::other("the script refuses"));
        }
        next += entries.len() as u64;
    }
    reader.join().map_err(|_| io::Error::other("the reader has failed"))??;
    Ok(times.figures())
}

fn member(at: SocketAddr, nick: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(at)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(stream, "NICK {nick}\r\nUSER u 0 * :x\r\nJOIN #bench\r\n")?;
    read_until(&mut stream, " 366 ")?;
    Ok(stream)
}

/// What one run took: the times on the server where a line was said, those on the last one, and CPU of the servers for
/// each line that somebody heard.
struct Run {
    near: (usize, f64, f64),
    far: (usize, f64, f64),
    cpu: Duration,
}

/// Lines are said on the first server at this rate, and heard on all of them.
fn servers(servers: &[Server], rate: u64, name: &str) -> io::Result<Run> {
    let (near, far) = (Arc::new(Times::default()), Arc::new(Times::default()));
    let over = Arc::new(AtomicBool::new(false));
    let begun = now();
    let mut readers = Vec::new();
    let (first, last) = (servers[0].address(), servers[servers.len() - 1].address());
    for (place, server) in servers.iter().enumerate() {
        for number in 0..HEARERS {
            let stream = member(server.address(), &format!("{name}h{place}x{number}"))?;
            stream.set_read_timeout(Some(Duration::from_millis(100)))?;
            // One of them looks at the clock, the others are heard by the kernel alone.
            let times = (number == 0).then(|| match server.address() {
                at if at == first => (Arc::clone(&near), at == last),
                _ => (Arc::clone(&far), false),
            });
            let (over, both) = (Arc::clone(&over), Arc::clone(&far));
            readers.push(thread::spawn(move || {
                let mut lines = BufReader::new(stream);
                let mut line = String::new();
                while !over.load(Ordering::Relaxed) {
                    if lines.read_line(&mut line).is_err() {
                        continue;
                    }
                    let sent = line.split(" :").nth(1).and_then(|text| text.split(' ').next()?.parse().ok());
                    if let (Some((times, is_last)), Some(sent)) = (&times, sent) {
                        let time = now().saturating_duration_since(begun + Duration::from_nanos(sent));
                        times.add(time);
                        if *is_last {
                            both.add(time);
                        }
                    }
                    line.clear();
                }
            }));
        }
    }
    let senders: Vec<TcpStream> =
        (0..SENDERS).map(|number| member(first, &format!("{name}s{number}"))).collect::<Result<_, _>>()?;
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
    let used = || servers.iter().map(|server| cpu(server.id())).sum::<io::Result<Duration>>();
    let before = used()?;
    let (start, count) = (now(), rate * SPELL.as_secs());
    for number in 0..count {
        thread::sleep(due(start, number, rate));
        let line =
            format!("PRIVMSG #bench :{} {TEXT}\r\n", now().saturating_duration_since(begun).as_nanos());
        let mut sender = &senders[number as usize % SENDERS];
        sender.write_all(line.as_bytes())?;
    }
    thread::sleep(Duration::from_millis(500));
    let used = used()? - before;
    over.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.join().map_err(|_| io::Error::other("a reader has failed"))?;
    }
    // Senders hear each other.
    let heard = count * (HEARERS * servers.len() + SENDERS - 1) as u64;
    Ok(Run { near: near.figures(), far: far.figures(), cpu: used / heard as u32 })
}

/// Prints what it measures.
pub(crate) fn measure() -> io::Result<()> {
    let redis = Redis::start()?;
    let url = format!("redis://127.0.0.1:{}/bench", redis.port);
    let launch = |more: &[&str], scratch: &Scratch, name: &str| {
        let data = scratch.file(name);
        let mut args = vec!["--data", &data, "--max-clients-per-ip", "2000"];
        args.extend(more);
        Launch::new(&args).without_console().start()
    };
    let scratch = Scratch::new();
    let alone = [launch(&[], &scratch, "alone")];
    let cluster = |count: usize| -> Vec<Server> {
        (0..count).map(|number| launch(&["--cluster", &url], &scratch, &format!("s{number}"))).collect()
    };
    let both = cluster(2);
    println!(
        "| lines a second, over {} s | lines | p50, ms | p99, ms | CPU a delivery, µs |",
        SPELL.as_secs()
    );
    println!("| --- | --- | --- | --- | --- |");
    let row = |what: &str, rate: u64, (count, half, most): (usize, f64, f64), cpu: Option<Duration>| {
        let cpu = cpu.map_or(String::new(), |cpu| format!("{:.2}", cpu.as_secs_f64() * 1e6));
        println!("| {what}, {rate} | {count} | {half:.2} | {most:.2} | {cpu} |");
    };
    for rate in RATES {
        let order = bare(&redis, rate)?;
        row("append and read, a bare client", rate, order, None);
        let one = servers(&alone, rate, &format!("r{rate}"))?;
        row("said to heard, a server alone", rate, one.near, Some(one.cpu));
        let before = cpu(redis.child.id())?;
        let two = servers(&both, rate, &format!("r{rate}"))?;
        let order_cpu = (cpu(redis.child.id())? - before) / (rate * SPELL.as_secs()) as u32;
        row("said to heard, two servers, on the same one", rate, two.near, Some(two.cpu));
        row("said to heard, two servers, on the other one", rate, two.far, None);
        let ratio = |of: f64, alone: f64, bare: f64| (of - alone).max(0.0) / bare;
        println!(
            "| what the order adds, of the bare client's, {rate} | | {:.2} × | {:.2} × | Redis: {:.1} a line |",
            ratio(two.near.1, one.near.1, order.1),
            ratio(two.near.2, one.near.2, order.2),
            order_cpu.as_secs_f64() * 1e6
        );
    }
    drop(both);
    println!("\n| servers, {} lines a second | CPU of Redis a line, µs | CPU a delivery, µs |", RATES[1]);
    println!("| --- | --- | --- |");
    for count in 1..=4 {
        let servers_of = cluster(count);
        let before = cpu(redis.child.id())?;
        let run = servers(&servers_of, RATES[1], &format!("c{count}"))?;
        let order = (cpu(redis.child.id())? - before) / (RATES[1] * SPELL.as_secs()) as u32;
        println!("| {count} | {:.1} | {:.2} |", order.as_secs_f64() * 1e6, run.cpu.as_secs_f64() * 1e6);
        let stopped: i32 = servers_of.into_iter().map(Server::stop).sum();
        if stopped != 0 {
            return Err(io::Error::other("a server did not stop well"));
        }
    }
    Ok(())
}
