//! A raw client's text from its bytes. Everybody else writes UTF-8, and the hub sees nothing else.

use crate::charset::{Charset, from_latin1};

/// Makes text of one client's bytes, and finds out its charset.
#[derive(Debug)]
pub(super) struct Decoder {
    /// The charset that clients are said to have.
    given: Option<Charset>,
    /// The charset that this one has shown; nothing but ASCII shows nothing.
    shown: Option<Charset>,
    /// Bytes came that are none of the known charsets, and were left out.
    unreadable: bool,
}

impl Decoder {
    pub(super) fn new(given: Option<Charset>) -> Decoder {
        Decoder { given, shown: None, unreadable: false }
    }

    /// Whether bytes end in the middle of a character, if they are what they seem to be.
    pub(super) fn expects_more(&self, bytes: &[u8]) -> bool {
        self.reads().decode(bytes).is_some_and(|(_, used)| used < bytes.len())
    }

    /// Takes text from bytes: all of it if it is `whole`, or what has come so far. Half a character
    /// is left where its rest may well come, and never at the `end`.
    pub(super) fn take(&mut self, bytes: &mut Vec<u8>, whole: bool, end: bool) -> String {
        let (text, used) = self.read(bytes, whole, end);
        bytes.drain(..used);
        text
    }

    fn read(&mut self, bytes: &[u8], whole: bool, end: bool) -> (String, usize) {
        let decided = self.given.or(self.shown).is_some();
        let complete = |used| used == bytes.len() || (!end && (decided || !whole));
        // Whole characters of several bytes are no chance: what looks like half of one is that.
        let likely = |(text, used): &(String, usize)| complete(*used) || (!end && !text.is_ascii());
        if let Some((text, used)) = self.reads().decode(bytes).filter(likely) {
            if !text.is_ascii() {
                self.shown = self.shown.or(Some(self.reads()));
            }
            return (text, used);
        }
        if decided && (self.given.is_some() || !is_hardly_latin1(bytes)) {
            // Something else for once, or a character that never ended.
            return (from_latin1(bytes), bytes.len());
        }
        #[cfg(feature = "encodings")]
        if let Some((text, used)) = Charset::Gbk.decode(bytes).filter(|(_, used)| complete(*used)) {
            self.shown = Some(Charset::Gbk);
            return (text, used);
        }
        if is_hardly_latin1(bytes) {
            self.unreadable = true;
            return (String::new(), bytes.len());
        }
        self.shown = Some(Charset::Latin1);
        (from_latin1(bytes), bytes.len())
    }

    /// Whether bytes were left out since the last call.
    pub(super) fn take_unreadable(&mut self) -> bool {
        std::mem::take(&mut self.unreadable)
    }

    /// A charset other than UTF-8 that was not said but found out.
    pub(super) fn guessed(&self) -> Option<Charset> {
        self.shown.filter(|shown| self.given.is_none() && *shown != Charset::Utf8)
    }

    /// The charset of what this client is sent; `cautious`: nothing but ASCII until it shows more.
    pub(super) fn writes(&self, cautious: bool) -> Charset {
        let unknown = if cautious { Charset::Ascii } else { Charset::Utf8 };
        self.given.or(self.shown).unwrap_or(unknown)
    }

    fn reads(&self) -> Charset {
        self.given.or(self.shown).unwrap_or_default()
    }
}

/// Whether bytes are rather those of a language without Latin letters: four of its own side by side, or
/// nothing but pairs.
fn is_hardly_latin1(bytes: &[u8]) -> bool {
    let mut runs = bytes.split(u8::is_ascii).map(<[u8]>::len).filter(|length| *length > 0).peekable();
    let letters = bytes.iter().any(u8::is_ascii_alphabetic);
    let pairs = runs.peek().is_some() && !letters && runs.clone().all(|length| length % 2 == 0);
    pairs || runs.any(|length| length >= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads pieces, each followed by quiet.
    fn read(decoder: &mut Decoder, pieces: &[&[u8]]) -> Vec<String> {
        let mut bytes = Vec::new();
        let mut read = |piece: &&[u8]| {
            bytes.extend_from_slice(piece);
            decoder.take(&mut bytes, true, false)
        };
        pieces.iter().map(&mut read).collect()
    }

    #[test]
    fn utf_8_however_it_is_cut() {
        let mut decoder = Decoder::new(None);
        assert_eq!(read(&mut decoder, &[b"hi", "小明".as_bytes()]), ["hi", "小明"]);
        let (one, two) = "早上好".as_bytes().split_at(5);
        assert_eq!(read(&mut decoder, &[one, two]), ["早", "上好"]);
        assert_eq!(read(&mut Decoder::new(None), &[one, two]), ["早", "上好"]);
        assert_eq!((decoder.guessed(), decoder.writes(true)), (None, Charset::Utf8));
        // Noise for once changes nothing.
        assert_eq!(read(&mut decoder, &[b"caf\xE9!", "茶".as_bytes()]), ["café!", "茶"]);
        // And what never ended is read all the same.
        let mut half = b"ok \xE6\x97".to_vec();
        assert_eq!(decoder.take(&mut half, true, true), "ok æ—");
    }

    #[test]
    fn what_is_no_known_language_is_not_read() {
        // 你好, 小红：你好 and 好 in GBK, Привет in windows-1251, こんにちは in Shift_JIS.
        for bytes in [
            &b"\xc4\xe3\xba\xc3"[..],
            b"\xd0\xa1\xba\xec\xa3\xba\xc4\xe3\xba\xc3",
            b"\xba\xc3",
            b"\xcf\xf0\xe8\xe2\xe5\xf2!",
            b"\x82\xb1\x82\xf1\x82\xc9\x82\xbf\x82\xcd",
        ] {
            assert!(is_hardly_latin1(bytes), "{}", bytes.escape_ascii());
            let mut decoder = Decoder::new(Some(Charset::Latin1));
            assert!(!read(&mut decoder, &[bytes])[0].is_empty() && !decoder.take_unreadable(), "as told");
        }
        for text in ["café", "créée", "«à» été", "“Ça alors !”", "ß", "É.", "hello", ""] {
            assert!(!is_hardly_latin1(&Charset::Latin1.encode(text)), "{text}");
        }
        let mut decoder = Decoder::new(None);
        assert_eq!(
            read(&mut decoder, &[b"hi", b"\xc8\xf1\xe5\xec \xef\xf0\xe8", "茶".as_bytes()]),
            ["hi", "", "茶"]
        );
        assert!(decoder.take_unreadable() && !decoder.take_unreadable());
    }

    #[test]
    fn what_seems_unfinished_is_waited_for() {
        let decoder = Decoder::new(None);
        assert!(decoder.expects_more(b"caf\xE9") && decoder.expects_more(&"茶".as_bytes()[..2]));
        assert!(!decoder.expects_more(b"caf") && !decoder.expects_more(b"caf\xE9!"));
    }

    #[test]
    fn anything_else_is_guessed_once() {
        let mut decoder = Decoder::new(None);
        assert_eq!(decoder.writes(true), Charset::Ascii);
        assert_eq!(
            read(&mut decoder, &[b"bob: caf\xE9", b"cr\xE8me", "é".as_bytes()]),
            ["bob: café", "crème", "Ã©"]
        );
        assert_eq!((decoder.guessed(), decoder.writes(true)), (Some(Charset::Latin1), Charset::Latin1));
        assert!(!from_latin1(&[0x81; 4]).contains('\u{FFFD}'));
    }

    #[test]
    fn nothing_but_ascii_shows_nothing() {
        let mut decoder = Decoder::new(None);
        read(&mut decoder, &[b"bob", b"bob: hi"]);
        assert_eq!((decoder.writes(true), decoder.writes(false)), (Charset::Ascii, Charset::Utf8));
    }

    #[test]
    fn what_is_said_counts() {
        let mut decoder = Decoder::new(Some(Charset::Latin1));
        assert_eq!(read(&mut decoder, &["é".as_bytes()]), ["Ã©"]);
        assert_eq!((decoder.guessed(), decoder.writes(false)), (None, Charset::Latin1));
        let mut decoder = Decoder::new(Some(Charset::Ascii));
        assert_eq!(read(&mut decoder, &["é".as_bytes(), b"\xE9!"]), ["é", "é!"]);
        assert_eq!(decoder.writes(false), Charset::Ascii);
    }

    #[cfg(feature = "encodings")]
    #[test]
    fn chinese_of_windows() {
        let mut decoder = Decoder::new(None);
        let bytes = b"\xD0\xA1\xBA\xEC\xA3\xBA\xC4\xE3\xBA\xC3";
        assert_eq!(read(&mut decoder, &[bytes, &bytes[..3], &bytes[3..]]), ["小红：你好", "小", "红：你好"]);
        assert_eq!(decoder.writes(false), Charset::Gbk);
    }
}
