//! What programs say to each other of a file, inside a CTCP `DCC` (`modern.ircdocs.horse/dcc.html`).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use parlor_server::protocol::text::printable;

use super::commands::is_word;
use super::event::Event;
use super::line::{LineKind, Parts};
use super::stamp::Stamp;
use super::{Key, Kind, Sentence, Session};
use crate::file_name::{MAX_NAME, clean};

/// Digits of a token that is given back.
const MAX_TOKEN: usize = 20;

/// One of them, with the name as its sender wrote it: that is how they know it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dcc {
    /// A file is offered; or, as an answer to an offer with port 0, its sender may call here.
    Send {
        /// The file.
        name: String,
        /// Whom to call.
        ip: IpAddr,
        /// Where; 0: the sender wants to call, and be told where.
        port: u16,
        /// Bytes; none: it does not say, or it is no number.
        size: Option<u64>,
        /// Which offer, where no port tells.
        token: Option<String>,
    },
    /// The receiver has the first bytes already.
    Resume {
        /// The file.
        name: String,
        /// The port of the offer.
        port: u16,
        /// Bytes that it has.
        position: u64,
        /// As in the offer.
        token: Option<String>,
    },
    /// The sender agrees.
    Accept {
        /// The file.
        name: String,
        /// The port of the offer.
        port: u16,
        /// Where it begins.
        position: u64,
        /// As in the offer.
        token: Option<String>,
    },
    /// The receiver does not want it. Said in a NOTICE.
    Reject {
        /// The file.
        name: String,
    },
}

impl Dcc {
    /// Reads what stands behind `DCC `; none: it is about no file, or it makes no sense.
    pub fn parse(text: &str) -> Option<Dcc> {
        let (verb, rest) = text.trim().split_once(' ')?;
        match verb.to_ascii_uppercase().as_str() {
            "SEND" => send(rest),
            "RESUME" => position(rest).map(|(name, port, position, token)| Dcc::Resume {
                name,
                port,
                position,
                token,
            }),
            "ACCEPT" => position(rest).map(|(name, port, position, token)| Dcc::Accept {
                name,
                port,
                position,
                token,
            }),
            "REJECT" => {
                let (what, name) = rest.trim().split_once(' ')?;
                let name = name.trim().trim_matches('"').to_owned();
                what.eq_ignore_ascii_case("SEND").then_some(Dcc::Reject { name })
            }
            _ => None,
        }
    }
}

/// As it stands in the CTCP.
impl fmt::Display for Dcc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |token: &Option<String>| token.as_ref().map(|t| format!(" {t}")).unwrap_or_default();
        match self {
            Dcc::Send { name, ip, port, size, token } => {
                write!(f, "DCC SEND {} ", quoted(name))?;
                match ip {
                    IpAddr::V4(ip) => write!(f, "{}", u32::from(*ip))?,
                    IpAddr::V6(ip) => write!(f, "{ip}")?,
                }
                write!(f, " {port} {}{}", size.unwrap_or_default(), with(token))
            }
            Dcc::Resume { name, port, position, token } => {
                write!(f, "DCC RESUME {} {port} {position}{}", quoted(name), with(token))
            }
            Dcc::Accept { name, port, position, token } => {
                write!(f, "DCC ACCEPT {} {port} {position}{}", quoted(name), with(token))
            }
            Dcc::Reject { name } => write!(f, "DCC REJECT SEND {}", quoted(name)),
        }
    }
}

impl Session {
    /// A program says something of a file. Of offers a line says that they came; all else is the window's business.
    pub(super) fn on_dcc(&mut self, nick: &str, target: &str, text: &str, stamp: &Stamp<'_>) {
        // An offer of yesterday has nobody behind it.
        if stamp.old || !self.is_me(target) || self.dcc_throttle.take(self.now.elapsed).is_err() {
            return;
        }
        let Some(dcc) = Dcc::parse(text) else { return };
        let place = self.private_place(nick);
        // With a port and a token it answers one of ours.
        if let Dcc::Send { name, port, size, token, .. } = &dcc
            && (*port == 0 || token.is_none())
        {
            self.open_private(&place, nick);
            let sentence = Sentence::FileOffered { name: printable(nick), file: clean(name), size: *size };
            let (at, kind) = (self.now.wall, LineKind::Info);
            let parts = Parts { kind, from: nick, at, sentence: Some(&sentence), ..Parts::default() };
            if let Some(line) = self.add(&place, &parts) {
                self.count_unread(&place, &line);
            }
        }
        self.tell(Event::Dcc { key: place, who: self.isupport.key(nick), nick: nick.to_owned(), dcc });
    }

    pub(super) fn say_dcc(&mut self, nick: &str, dcc: &Dcc) {
        if !is_word(nick) || !self.is_ready() {
            return self.offline();
        }
        let verb = if matches!(dcc, Dcc::Reject { .. }) { "NOTICE" } else { "PRIVMSG" };
        self.send(&format!("{verb} {nick} :\u{1}{dcc}\u{1}"));
    }

    /// A file is to be sent: to one person.
    pub(super) fn send_file(&mut self, at: &Key, path: &str) {
        if self.conversations.get(at).is_none_or(|conversation| conversation.kind != Kind::Person) {
            return self.complain(Sentence::FilesToPeople);
        }
        self.tell(Event::SendFile { key: at.clone(), path: path.to_owned() });
    }
}

/// With quotes where it has spaces. What would end the line, the CTCP or the name is left out.
fn quoted(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control() && *c != '"').collect();
    if name.contains(' ') { format!("\"{name}\"") } else { name }
}

fn send(rest: &str) -> Option<Dcc> {
    let with = |name: &str, words: &[&str]| {
        let (ip, port, size, token) = match *words {
            // Else what should be a number may as well be part of a name without quotes.
            [ip, port] if !name.contains(' ') => (ip, port, None, None),
            [ip, port, size] if !name.contains(' ') || size.parse::<u64>().is_ok() => {
                (ip, port, Some(size), None)
            }
            [ip, port, size, token] => (ip, port, Some(size), Some(token)),
            _ => return None,
        };
        Some(Dcc::Send {
            name: name_of(name)?,
            ip: address(ip)?,
            port: port.parse().ok()?,
            size: size.and_then(|size| size.parse().ok()),
            token: token_of(token)?,
        })
    };
    arguments(rest, &[4, 3, 2], with)
}

type Position = (String, u16, u64, Option<String>);

fn position(rest: &str) -> Option<Position> {
    let with = |name: &str, words: &[&str]| {
        let (port, position, token) = match *words {
            [port, position] => (port, position, None),
            [port, position, token] => (port, position, Some(token)),
            _ => return None,
        };
        Some((name_of(name)?, port.parse().ok()?, position.parse().ok()?, token_of(token)?))
    };
    arguments(rest, &[3, 2], with)
}

/// Parts the name from the words behind it: by its quotes, or, as some programs send spaces without, from the end.
fn arguments<T>(rest: &str, counts: &[usize], with: impl Fn(&str, &[&str]) -> Option<T>) -> Option<T> {
    let rest = rest.trim();
    if let Some((name, words)) = rest.strip_prefix('"').and_then(|rest| rest.rsplit_once('"')) {
        let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).take(5).collect();
        return with(name, &words);
    }
    counts.iter().find_map(|count| {
        let mut parts: Vec<&str> = rest.rsplitn(count + 1, ' ').collect();
        let name = parts.pop().filter(|_| parts.len() == *count)?;
        parts.reverse();
        with(name, &parts)
    })
}

/// A name that some file may have once it is made harmless.
fn name_of(name: &str) -> Option<String> {
    (!name.trim().is_empty() && name.len() <= 2 * MAX_NAME && !clean(name).is_empty())
        .then(|| name.to_owned())
}

/// `None` where there is one and it is none.
fn token_of(token: Option<&str>) -> Option<Option<String>> {
    match token {
        None => Some(None),
        Some(token) => {
            let plain = token.len() <= MAX_TOKEN && token.bytes().all(|b| b.is_ascii_alphanumeric());
            (plain && !token.is_empty()).then(|| Some(token.to_owned()))
        }
    }
}

/// A number for IPv4, or text.
fn address(text: &str) -> Option<IpAddr> {
    match text.parse::<u32>() {
        Ok(number) => Some(IpAddr::V4(Ipv4Addr::from(number))),
        Err(_) => text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(name: &str, ip: &str, port: u16, size: Option<u64>, token: Option<&str>) -> Option<Dcc> {
        let (name, ip, token) = (name.into(), ip.parse().unwrap(), token.map(Into::into));
        Some(Dcc::Send { name, ip, port, size, token })
    }

    #[test]
    fn what_other_programs_write_is_read() {
        let here = "127.0.0.1";
        for (text, expected) in [
            ("SEND a.txt 2130706433 5000 12", offer("a.txt", here, 5000, Some(12), None)),
            ("send \"a b.txt\" 2130706433 5000 12", offer("a b.txt", here, 5000, Some(12), None)),
            ("SEND a b.txt 2130706433 5000 12", offer("a b.txt", here, 5000, Some(12), None)),
            ("SEND photo 2 2130706433 5000 12", offer("photo 2", here, 5000, Some(12), None)),
            ("SEND a.txt 127.0.0.1 5000 12", offer("a.txt", here, 5000, Some(12), None)),
            ("SEND a.txt ::ffff:127.0.0.1 5000 12", offer("a.txt", here, 5000, Some(12), None)),
            ("SEND a.txt 2001:db8::1 5000 12", offer("a.txt", "2001:db8::1", 5000, Some(12), None)),
            ("SEND a.txt 16843009 0 12 77", offer("a.txt", "1.1.1.1", 0, Some(12), Some("77"))),
            ("SEND \"a \"b\" c\" 1 5000 12", offer("a \"b\" c", "0.0.0.1", 5000, Some(12), None)),
            ("SEND a.txt 2130706433 5000", offer("a.txt", here, 5000, None, None)),
            ("SEND a.txt 2130706433 5000 -12", offer("a.txt", here, 5000, None, None)),
            ("SEND a.txt 2130706433 5000 lots", offer("a.txt", here, 5000, None, None)),
        ] {
            assert_eq!(Dcc::parse(text), expected, "{text}");
        }
        for text in [
            "",
            "SEND",
            "SEND ",
            "SEND a",
            "SEND a 1",
            "SEND a b c d",
            "SEND a 1 99999 5",
            "SEND a 1 -1 5",
            "SEND \"\" 1 5000 5",
            "SEND .. 1 5000 5",
            "SEND / 1 5000 5",
            "CHAT chat 1 5000",
            "RESUME a 1",
            "RESUME a x 5",
            "SEND a 1 0 5 to:ken",
            "ACCEPT a 5000 -1",
            "REJECT CHAT a",
        ] {
            assert_eq!(Dcc::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back_to_itself() {
        for name in ["a.txt", "a b.txt", "5 6 7.txt", "报告 2.pdf"] {
            for ip in ["127.0.0.1", "2001:db8::1"] {
                let sent = offer(name, ip, 5000, Some(u64::MAX), None).unwrap();
                assert_eq!(sent.to_string().strip_prefix("DCC ").and_then(Dcc::parse), Some(sent));
                let passive = offer(name, ip, 0, Some(0), Some("12")).unwrap();
                assert_eq!(passive.to_string().strip_prefix("DCC ").and_then(Dcc::parse), Some(passive));
            }
            let (name, token) = (name.to_owned(), Some("3".to_owned()));
            for said in [
                Dcc::Resume { name: name.clone(), port: 5000, position: 9, token: None },
                Dcc::Accept { name: name.clone(), port: 0, position: 9, token },
                Dcc::Reject { name },
            ] {
                assert_eq!(said.to_string().strip_prefix("DCC ").and_then(Dcc::parse), Some(said));
            }
        }
        let evil = Dcc::Reject { name: "a\u{1}\r\nQUIT \"x".into() };
        assert_eq!(evil.to_string(), "DCC REJECT SEND \"aQUIT x\"");
    }
}
