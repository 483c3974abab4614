//! What the engine answers (RESP2, <https://redis.io/docs/latest/develop/reference/protocol-spec/>).

use memchr::memchr;

/// Bytes of one reply at most.
pub(super) const MAX_REPLY: usize = 64 << 20;
/// Arrays in arrays at most.
const DEEP: usize = 8;
/// Bytes of a line at most: a header, a state or an error.
const LINE: usize = 64 << 10;

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// A simple or a bulk string.
    Text(Vec<u8>),
    /// An error: a code in capitals, then words.
    Error(Vec<u8>),
    /// An integer.
    Number(i64),
    /// An array.
    List(Vec<Reply>),
    /// Nothing: a null string or array.
    Nil,
}

/// It is no reply, or one that is larger or deeper than any that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Garbled;

impl Reply {
    /// The bytes of a string; empty for anything else.
    pub(super) fn text(&self) -> &[u8] {
        if let Reply::Text(text) = self { text } else { &[] }
    }

    /// The items of an array; none for anything else.
    pub(super) fn list(&self) -> &[Reply] {
        if let Reply::List(list) = self { list } else { &[] }
    }

    /// A number, or one in digits; 0 for anything else.
    pub(super) fn number(&self) -> u64 {
        match self {
            Reply::Number(number) => u64::try_from(*number).unwrap_or_default(),
            other => {
                std::str::from_utf8(other.text()).ok().and_then(|text| text.parse().ok()).unwrap_or_default()
            }
        }
    }
}

/// Finds the end of a reply, however its bytes come: no item is looked at twice, and nothing is allocated by a length that
/// was only announced.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The bytes that are whole items.
    at: usize,
    /// The items that are to come, of each array that is open.
    open: Vec<u64>,
}

impl Scan {
    /// The length of the reply at the beginning of `bytes`, which are those of the last call and perhaps more; `None`
    /// until it is there.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Garbled> {
        loop {
            let Some((kind, line, after)) = header(bytes, self.at)? else { return Ok(None) };
            self.at = match (kind, length(kind, line)?) {
                (b'$', Some(length)) => {
                    let end = after.checked_add(length).and_then(|end| end.checked_add(2)).ok_or(Garbled)?;
                    if end > MAX_REPLY {
                        return Err(Garbled);
                    }
                    let Some(item) = bytes.get(after..end) else { return Ok(None) };
                    if !item.ends_with(b"\r\n") {
                        return Err(Garbled);
                    }
                    end
                }
                (b'*', Some(count)) if count > 0 => {
                    if self.open.len() == DEEP {
                        return Err(Garbled);
                    }
                    self.open.push(count as u64);
                    self.at = after;
                    continue;
                }
                _ => after,
            };
            if self.at > MAX_REPLY {
                return Err(Garbled);
            }
            // An item is whole, and so may the arrays be that it is the last of.
            while let Some(left) = self.open.last_mut() {
                *left -= 1;
                if *left > 0 {
                    break;
                }
                self.open.pop();
            }
            if self.open.is_empty() {
                return Ok(Some(std::mem::take(&mut self.at)));
            }
        }
    }
}

/// Reads a whole reply, whose end a [`Scan`] has found.
pub(super) fn read(bytes: &[u8]) -> Result<Reply, Garbled> {
    item(bytes, &mut 0)
}

fn item(bytes: &[u8], at: &mut usize) -> Result<Reply, Garbled> {
    let (kind, line, after) = header(bytes, *at)?.ok_or(Garbled)?;
    *at = after;
    Ok(match (kind, length(kind, line)?) {
        (b'+', _) => Reply::Text(line.to_vec()),
        (b'-', _) => Reply::Error(line.to_vec()),
        (b':', _) => Reply::Number(number(line).ok_or(Garbled)?),
        (b'$', Some(length)) => {
            let text = bytes.get(after..).and_then(|rest| rest.get(..length)).ok_or(Garbled)?;
            *at = after + length + 2;
            Reply::Text(text.to_vec())
        }
        // Each has three bytes at least, and all are there.
        (b'*', Some(count)) if count <= bytes.len() => {
            let mut list = Vec::with_capacity(count);
            for _ in 0..count {
                list.push(item(bytes, at)?);
            }
            Reply::List(list)
        }
        (_, None) => Reply::Nil,
        _ => return Err(Garbled),
    })
}

/// The kind, the rest of the line, and where what is behind it begins.
type Header<'a> = (u8, &'a [u8], usize);

/// Reads a line; `None` if its end is not there yet.
fn header(bytes: &[u8], at: usize) -> Result<Option<Header<'_>>, Garbled> {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some(&kind) = rest.first() else { return Ok(None) };
    // At once, since whoever is no engine may never end its line.
    if !b"+-:$*".contains(&kind) {
        return Err(Garbled);
    }
    let start = rest.get(1..rest.len().min(LINE)).unwrap_or_default();
    match memchr(b'\n', start) {
        Some(end) => {
            let line = start.get(..end).and_then(|line| line.strip_suffix(b"\r")).ok_or(Garbled)?;
            Ok(Some((kind, line, at + 1 + end + 1)))
        }
        None if rest.len() >= LINE => Err(Garbled),
        None => Ok(None),
    }
}

/// The length that a string or an array announces; `None` for one that is null. Other kinds have no length, which is 0.
fn length(kind: u8, line: &[u8]) -> Result<Option<usize>, Garbled> {
    if !matches!(kind, b'$' | b'*') {
        return Ok(Some(0));
    }
    match number(line).ok_or(Garbled)? {
        -1 => Ok(None),
        length => usize::try_from(length).map(Some).map_err(|_| Garbled),
    }
}

fn number(line: &[u8]) -> Option<i64> {
    std::str::from_utf8(line).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    fn whole(bytes: &[u8]) -> Result<Option<(Reply, usize)>, Garbled> {
        let end = Scan::default().end(bytes)?;
        end.map(|end| Ok((read(&bytes[..end])?, end))).transpose()
    }

    fn text(text: &str) -> Reply {
        Reply::Text(text.as_bytes().to_vec())
    }

    #[test]
    fn each_kind_is_read() {
        let reply = |bytes: &str| whole(bytes.as_bytes()).unwrap().unwrap().0;
        assert_eq!(reply("+OK\r\n"), text("OK"));
        assert_eq!(reply("-ERR no\r\n"), Reply::Error(b"ERR no".to_vec()));
        assert_eq!(reply(":-7\r\n"), Reply::Number(-7));
        assert_eq!(reply("$4\r\na\r\nb\r\n"), text("a\r\nb"));
        assert_eq!(reply("$-1\r\n"), Reply::Nil);
        assert_eq!(reply("*-1\r\n"), Reply::Nil);
        assert_eq!(reply("*0\r\n"), Reply::List(vec![]));
        let inner = Reply::List(vec![Reply::Number(1), Reply::Nil]);
        assert_eq!(reply("*2\r\n*2\r\n:1\r\n$-1\r\n$1\r\nx\r\n"), Reply::List(vec![inner, text("x")]));
    }

    #[test]
    fn what_comes_byte_by_byte_is_found_once_it_is_whole() {
        let bytes = b"*3\r\n$3\r\nabc\r\n*1\r\n:5\r\n+x\r\n:9\r\n";
        let whole = bytes.len() - 4;
        let mut scan = Scan::default();
        for end in 0..whole {
            assert_eq!(scan.end(&bytes[..end]), Ok(None), "{end}");
        }
        assert_eq!(scan.end(bytes), Ok(Some(whole)));
        assert_eq!(scan.end(&bytes[whole..]), Ok(Some(4)), "it begins anew");
    }

    #[test]
    fn what_is_no_reply_or_too_large_or_too_deep_is_refused_at_once() {
        for bytes in [
            "HTTP/1.1 400 Bad Request",
            "SSH-2.0-x",
            "$abc\r\n",
            "$-2\r\n",
            "*-5\r\n",
            "$1\r\nabc",
            "$67108864\r\n",
            "$9223372036854775807\r\n",
            "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
        ] {
            assert_eq!(whole(bytes.as_bytes()), Err(Garbled), "{bytes}");
        }
        let mut endless = b"+".to_vec();
        endless.resize(LINE, b'x');
        assert_eq!(whole(&endless), Err(Garbled));
        // Nothing is allocated for these.
        assert_eq!(whole(b"*9223372036854775807\r\n"), Ok(None));
    }

    #[test]
    fn random_bytes_are_a_reply_or_refused_and_a_cut_one_is_never_whole() {
        let mut random = Random::new(7);
        let pieces: &[&[u8]] =
            &[b"*", b"$", b":", b"+", b"-", b"\r\n", b"1", b"2", b"0", b"-1", b"x", b"\r", b"\n", b"\xff"];
        for _ in 0..200_000 {
            let mut bytes = Vec::new();
            for _ in 0..random.below(24) {
                bytes.extend_from_slice(pieces[random.below(pieces.len())]);
            }
            let at_once = whole(&bytes);
            let mut scan = Scan::default();
            let one_by_one =
                (0..=bytes.len()).map(|end| scan.end(&bytes[..end])).find(|end| *end != Ok(None));
            match (at_once, one_by_one) {
                (Ok(None), None) | (Err(Garbled), Some(Err(Garbled))) => {}
                (Ok(Some((_, end))), Some(Ok(Some(same)))) => assert_eq!(end, same),
                // A number that is none is found when it is read.
                (Err(Garbled), Some(Ok(Some(end)))) => assert_eq!(read(&bytes[..end]), Err(Garbled)),
                other => panic!("{other:?} of {bytes:?}"),
            }
        }
    }
}
