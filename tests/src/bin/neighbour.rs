//! A stranger on the network who says by multicast DNS what no room of ours does:
//! `neighbour FROM (flood rooms|texts|addresses|queries)|odd|(claim NAME)|(bye NAME) SECONDS`. FROM is its own IPv4
//! address, which chooses the network. Prints how many packets it has sent.
#![forbid(unsafe_code)]

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;
use std::{env, process, thread};

use parlor_tests::Deadline;

const SERVICE: [&[u8]; 3] = [b"_irc", b"_tcp", b"local"];
/// Types of records (RFC 1035 §3.2.2, RFC 2782).
const A: u16 = 1;
const PTR: u16 = 12;
const TXT: u16 = 16;
const SRV: u16 = 33;
/// A day, or for ever.
const TTL: u32 = 86_400;
const EVER: u32 = u32::MAX >> 1;

fn main() -> io::Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let [from, what @ .., seconds] = &args[..] else { process::exit(64) };
    let (Ok(from), Ok(seconds)) = (from.parse::<Ipv4Addr>(), seconds.parse()) else { process::exit(64) };
    let socket = UdpSocket::bind((from, 0))?;
    // Those of one packet each, slowly; the others as fast as it goes.
    let slowly = what.first() != Some(&"flood");
    let deadline = Deadline::after(Duration::from_secs(seconds));
    let mut sent = 0_u64;
    while deadline.left().is_some() {
        let packets = match what {
            ["flood", "rooms"] => vec![room(&hostile(sent), from, EVER)],
            ["flood", "texts"] => vec![texts(sent)],
            ["flood", "addresses"] => vec![addresses(sent)],
            ["flood", "queries"] => vec![Packet::queries()],
            ["odd"] => odd(from),
            ["claim", name] => claims(name, from),
            ["bye", name] => vec![goodbye(name)],
            _ => process::exit(64),
        };
        for packet in packets {
            // A full queue is no end.
            if socket.send_to(&packet.bytes, (Ipv4Addr::new(224, 0, 0, 251), 5353)).is_ok() {
                sent += 1;
            }
        }
        if slowly {
            thread::sleep(Duration::from_millis(50));
        }
    }
    println!("sent {sent}");
    Ok(())
}

/// A DNS message (RFC 1035 §4): an answer, or a question.
struct Packet {
    bytes: Vec<u8>,
}

impl Packet {
    fn answer() -> Packet {
        Packet { bytes: vec![0, 0, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0] }
    }

    /// A question for rooms, fifty times.
    fn queries() -> Packet {
        let mut packet = Packet { bytes: vec![0, 0, 0, 0, 0, 50, 0, 0, 0, 0, 0, 0] };
        for _ in 0..50 {
            packet.bytes.extend(name(&SERVICE));
            packet.bytes.extend([0, PTR as u8, 0, 1]);
        }
        packet
    }

    fn record(mut self, name: Vec<u8>, kind: u16, ttl: u32, data: &[u8]) -> Packet {
        let count = u16::from_be_bytes([self.bytes[6], self.bytes[7]]) + 1;
        self.bytes[6..8].copy_from_slice(&count.to_be_bytes());
        // Of a pointer to many; of the others there is one (RFC 6762 §10.2).
        let class: u16 = if kind == PTR { 1 } else { 0x8001 };
        self.bytes.extend(name);
        self.bytes.extend(kind.to_be_bytes());
        self.bytes.extend(class.to_be_bytes());
        self.bytes.extend(ttl.to_be_bytes());
        self.bytes.extend((data.len() as u16).to_be_bytes());
        self.bytes.extend(data);
        self
    }

    fn pointer(self, instance: &[u8], ttl: u32) -> Packet {
        self.record(name(&SERVICE), PTR, ttl, &of_service(instance))
    }

    fn service(self, instance: &[u8], host: &[u8], port: u16, ttl: u32) -> Packet {
        let mut data = vec![0, 0, 0, 0];
        data.extend(port.to_be_bytes());
        data.extend(name(&[host, b"local"]));
        self.record(of_service(instance), SRV, ttl, &data)
    }

    fn text(self, instance: &[u8], ttl: u32, words: &[&[u8]]) -> Packet {
        let data: Vec<u8> = words.iter().flat_map(|word| [&[word.len() as u8], *word].concat()).collect();
        self.record(of_service(instance), TXT, ttl, &data)
    }

    fn address(self, host: &[u8], at: Ipv4Addr, ttl: u32) -> Packet {
        self.record(name(&[host, b"local"]), A, ttl, &at.octets())
    }
}

fn name(labels: &[&[u8]]) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        labels.iter().flat_map(|label| [&[label.len() as u8], *label].concat()).collect();
    bytes.push(0);
    bytes
}

fn of_service(instance: &[u8]) -> Vec<u8> {
    name(&[&[instance], &SERVICE[..]].concat())
}

/// 63 bytes of colours, line ends and writing from right to left.
fn hostile(number: u64) -> Vec<u8> {
    let mut name = format!("{number:08}\u{1b}[31m\u{202e}\r\n\u{7}. \\").into_bytes();
    name.resize(63, 0x1b);
    name
}

/// A whole room.
fn room(instance: &[u8], at: Ipv4Addr, ttl: u32) -> Packet {
    let host = &instance[..8.min(instance.len())];
    Packet::answer()
        .pointer(instance, ttl)
        .service(instance, host, 49806, ttl)
        .text(instance, ttl, &[b"room=#evil\x1b[2J", b"people=4294967295", &[b'x'; 255], &[b'y'; 255]])
        .address(host, at, ttl)
}

/// Nine records of the longest text, of nine services that nobody asked for.
fn texts(number: u64) -> Packet {
    let word = [b'z'; 255];
    (0..4).fold(Packet::answer(), |packet, i| {
        packet.text(format!("{number}-{i}").as_bytes(), EVER, &[&word[..]; 8])
    })
}

/// As many addresses as a packet takes, each of another computer.
fn addresses(number: u64) -> Packet {
    (0..300).fold(Packet::answer(), |packet, i| {
        packet.address(format!("{number}-{i}").as_bytes(), Ipv4Addr::from_bits(number as u32), EVER)
    })
}

/// What each must not become: a row that leads nowhere, or a row that is not what it looks like.
fn odd(from: Ipv4Addr) -> Vec<Packet> {
    let at = |instance: &[u8], at: Ipv4Addr| {
        Packet::answer()
            .pointer(instance, TTL)
            .service(instance, instance, 49806, TTL)
            .text(instance, TTL, &[b"txtvers=1"])
            .address(instance, at, TTL)
    };
    let long = [b'w'; 255];
    vec![
        at(b"nowhere", Ipv4Addr::UNSPECIFIED),
        at(b"myself", Ipv4Addr::LOCALHOST),
        at(b"everyone", Ipv4Addr::new(224, 0, 0, 251)),
        at(b"broadcast", Ipv4Addr::BROADCAST),
        at(b"elsewhere", Ipv4Addr::new(192, 0, 2, 7)),
        Packet::answer()
            .pointer(b"portless", TTL)
            .service(b"portless", b"portless", 0, TTL)
            .text(b"portless", TTL, &[b"txtvers=1"])
            .address(b"portless", from, TTL),
        // As long as a packet can be: 60 KB, which goes in pieces.
        Packet::answer()
            .pointer(b"long", TTL)
            .service(b"long", b"long", 49806, TTL)
            .text(b"long", TTL, &[&long[..]; 230])
            .address(b"long", from, TTL),
        // Escapes, and nothing besides.
        room(&[0x1b; 63], from, TTL),
        room(&[0xff; 63], from, TTL),
        // A pointer to itself (RFC 1035 §4.1.4), and a record that ends too early.
        Packet { bytes: [&Packet::answer().bytes[..6], &[0, 1, 0, 0, 0, 0, 0xc0, 12, 0, 1]].concat() },
        Packet { bytes: Packet::answer().pointer(b"cut", TTL).bytes[..30].to_vec() },
        // The last one: whoever lists it has read the others.
        at(b"last", from),
    ]
}

/// The names that a server of that name would have, one after the other, for another computer.
fn claims(instance: &str, at: Ipv4Addr) -> Vec<Packet> {
    let others = (2..30).map(|number| format!("{instance} ({number})"));
    let all = [instance.to_owned()].into_iter().chain(others);
    all.map(|one| {
        let one = one.as_bytes();
        Packet::answer()
            .service(one, b"thief", 1, TTL)
            .text(one, TTL, &[b"room=#theft"])
            .address(b"thief", at, TTL)
    })
    .collect()
}

/// The good-bye of somebody else's room (RFC 6762 §10.1).
fn goodbye(instance: &str) -> Packet {
    let instance = instance.as_bytes();
    Packet::answer().pointer(instance, 0).service(instance, b"x", 0, 0).text(instance, 0, &[b""])
}
