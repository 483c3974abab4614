//! The server at rest.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use parlor_tests::{Launch, Server, program};

use crate::process::{resident, threads, ticks};

/// Members of the crowded room.
const MEMBERS: usize = 1_000;

/// What the server takes of the machine while it has little to do.
pub(crate) fn measure() -> io::Result<()> {
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
    println!("| threads | {} |", threads(server.id())?);
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

pub(crate) fn read_until(stream: &mut TcpStream, mark: &str) -> io::Result<()> {
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
