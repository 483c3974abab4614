//! Measures the programs that were built beside it:
//! `cargo build --release --workspace && cargo run --release -p parlor-tests --bin bench -- memory`
//! for the server at rest, `… -- window` for the window (needs Xvfb).
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod window;

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::exit;
use std::time::{Duration, Instant};

use parlor_tests::{Launch, Server, program};

/// Members of the crowded room.
const MEMBERS: usize = 1_000;

fn main() {
    let scenario = std::env::args().nth(1);
    let measured = match scenario.as_deref() {
        Some("memory") => memory(),
        #[cfg(target_os = "linux")]
        Some("window") => window::measure(),
        _ => {
            eprintln!("bench: name a scenario. There are: memory, window");
            exit(64);
        }
    };
    if let Err(error) = measured {
        eprintln!("bench: {error}");
        exit(1);
    }
}

/// What the server takes of the machine while it has little to do.
fn memory() -> io::Result<()> {
    println!("| what | measured |\n| --- | --- |");
    println!("| program, bytes | {} |", fs::metadata(program())?.len());
    let args = ["--bind", "127.0.0.1:0", "--flood", "off", "--max-clients-per-ip", "2000"];
    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    let started = Instant::now();
    let server = Launch::new(&args).without_console().start();
    println!("| from exec to listening, ms | {:.1} |", started.elapsed().as_secs_f64() * 1000.0);
    settle();
    println!("| resident, nobody connected, KB | {} |", resident(server.id())?);

    let mut members = vec![member(&server, 0)?];
    settle();
    println!("| resident, 1 member, KB | {} |", resident(server.id())?);
    for number in 1..MEMBERS {
        members.push(member(&server, number)?);
    }
    settle();
    println!("| resident, {MEMBERS} members, KB | {} |", resident(server.id())?);

    for member in &mut members {
        member.write_all(b"JOIN #lobby\r\n")?;
        read_until(member, " 366 ")?;
    }
    settle();
    println!("| resident, {MEMBERS} members in one room, KB | {} |", resident(server.id())?);
    println!("| threads | {} |", fs::read_dir(format!("/proc/{}/task", server.id()))?.count());
    let before = ticks(server.id())?;
    std::thread::sleep(Duration::from_secs(10));
    println!("| CPU of {MEMBERS} idle members over 10 s, ms | {} |", (ticks(server.id())? - before) * 10);
    Ok(())
}

/// Lets the server come to rest: what is measured is its rest.
fn settle() {
    std::thread::sleep(Duration::from_millis(300));
}

fn member(server: &Server, number: usize) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(server.address())?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "NICK member{number}\r\nUSER m 0 * :member\r\n")?;
    read_until(&mut stream, " 422 ")?;
    Ok(stream)
}

fn read_until(stream: &mut TcpStream, mark: &str) -> io::Result<()> {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&read).contains(mark) {
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => read.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(())
}

/// Kilobytes in memory.
fn resident(process: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace()
        .next()
        .and_then(|kb| kb.parse().ok())
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Hundredths of a second of CPU, user and system.
fn ticks(process: u32) -> io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    Ok(after_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum())
}
