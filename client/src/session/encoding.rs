//! Text that is not UTF-8, as old programs send it.

use std::borrow::Cow;

use encoding_rs::{GB18030, WINDOWS_1252};
use memchr::memmem;

/// How text is read that is not UTF-8.
///
/// ```
/// use parlor_client::session::Encoding;
///
/// assert_eq!(Encoding::default().read(b":bob!b@h PRIVMSG #tea :caf\xe9"), ":bob!b@h PRIVMSG #tea :caf\u{e9}");
/// assert_eq!(Encoding::of_label("cp1251").map(|one| one.read(b"\xef\xf0").into_owned()).as_deref(), Some("\u{43f}\u{440}"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Default for Encoding {
    /// What most of those who do not write UTF-8 write: Windows-1252, with Latin-1 in it.
    fn default() -> Encoding {
        Encoding(WINDOWS_1252)
    }
}

impl Encoding {
    /// By a name of the WHATWG Encoding Standard (§4.2), in any case: `windows-1251`, `gbk`, `koi8-r`.
    pub fn of_label(label: &str) -> Option<Encoding> {
        encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()).map(Encoding)
    }

    /// What is likely where people speak a language (`zh_CN`, `de`).
    pub fn of_language(code: &str) -> Encoding {
        if code.starts_with("zh") { Encoding(GB18030) } else { Encoding::default() }
    }

    /// Reads a line: UTF-8 where it is that; names and text apart, because two programs wrote them.
    pub fn read(self, line: &[u8]) -> Cow<'_, str> {
        if let Ok(text) = str::from_utf8(line) {
            return text.into();
        }
        let text = memmem::find(line.get(behind_source(line)..).unwrap_or_default(), b" :");
        let (head, text) = line.split_at(text.map_or(line.len(), |at| behind_source(line) + at));
        let words: Vec<Cow<'_, str>> = head.split(|b| *b == b' ').map(|word| self.word(word)).collect();
        (words.join(" ") + &self.word(text)).into()
    }

    fn word(self, bytes: &[u8]) -> Cow<'_, str> {
        match str::from_utf8(bytes) {
            Ok(text) => text.into(),
            // Cut by a server that counts bytes.
            Err(error) if error.error_len().is_none() && !is_ascii_up_to(bytes, error.valid_up_to()) => {
                String::from_utf8_lossy(bytes)
            }
            Err(_) => self.0.decode_without_bom_handling(bytes).0,
        }
    }
}

/// Where the command of a line begins: behind tags and source.
fn behind_source(line: &[u8]) -> usize {
    let mut at = 0;
    for start in [b'@', b':'] {
        if line.get(at) == Some(&start) {
            let word = line.iter().skip(at).position(|b| *b == b' ').unwrap_or(line.len() - at);
            at += word;
            at += line.iter().skip(at).take_while(|b| **b == b' ').count();
        }
    }
    at
}

fn is_ascii_up_to(bytes: &[u8], end: usize) -> bool {
    bytes.get(..end).is_some_and(<[u8]>::is_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_8_comes_first_and_then_the_servers_own() {
        let of = |label: &str| Encoding::of_label(label).unwrap();
        assert_eq!(Encoding::of_language("zh_CN").read(b"PRIVMSG #a :\xc4\xe3\xba\xc3"), "PRIVMSG #a :你好");
        assert_eq!(
            Encoding::of_language("en").read(b"PRIVMSG #a :na\xefve caf\xe9"),
            "PRIVMSG #a :naïve café"
        );
        assert_eq!(of("windows-1251").read(b"PRIVMSG #a :\xcf\xf0\xe8\xe2\xe5\xf2"), "PRIVMSG #a :Привет");
        assert_eq!(of("koi8-r").read("PRIVMSG #a :Привет".as_bytes()), "PRIVMSG #a :Привет");
        assert_eq!(Encoding::of_label("utf-19"), None);
        assert_eq!(Encoding::of_label("replacement"), None);
    }

    #[test]
    fn names_in_utf_8_stay_though_the_text_is_not() {
        let line = ["@time=x;+a=明 :小明!u@h PRIVMSG #茶 ".as_bytes(), b":\xc4\xe3: \xba\xc3"].concat();
        assert_eq!(Encoding::of_language("zh").read(&line), "@time=x;+a=明 :小明!u@h PRIVMSG #茶 :你: 好");
        let line = [":b\u{f6}b!u@h NICK ".as_bytes(), b"\xd6tzi"].concat();
        assert_eq!(Encoding::default().read(&line), ":böb!u@h NICK Ötzi");
    }

    #[test]
    fn what_a_server_cut_amid_a_character_is_still_utf_8() {
        let mut line = "PRIVMSG #a :明明".as_bytes().to_vec();
        line.pop();
        for encoding in [Encoding::default(), Encoding::of_language("zh")] {
            assert_eq!(encoding.read(&line), "PRIVMSG #a :明\u{FFFD}");
        }
    }

    #[test]
    fn any_bytes_are_read() {
        for line in [&b"\xff"[..], b"@\xff", b":\xff", b"@\xff :\xff", b" :\xff", b"@a  :b  \xff", b""] {
            Encoding::default().read(line);
            Encoding::of_language("zh").read(line);
        }
    }
}
