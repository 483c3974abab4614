//! Bytes of text, as programs write them that know nothing of UTF-8.

use std::fmt;
use std::str::FromStr;

/// A way to write text in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charset {
    /// All of Unicode; the bytes of everything but some raw clients.
    #[default]
    Utf8,
    /// Seven bits; what is read of such a client may be UTF-8 all the same.
    Ascii,
    /// Western Europe's, as Windows has it (windows-1252).
    Latin1,
    /// Chinese as Windows has it; what is read may be all of GB 18030.
    #[cfg(feature = "encodings")]
    Gbk,
}

/// What is recognized where nobody has said it, for the log.
#[cfg(feature = "encodings")]
pub(crate) const READABLE: &str = "utf-8, gbk and latin-1";
#[cfg(not(feature = "encodings"))]
pub(crate) const READABLE: &str = "utf-8 and latin-1 (gbk is in builds with the feature encodings)";

/// The characters of the bytes 0x80 to 0x9F in windows-1252; those that it leaves out are controls.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

impl Charset {
    /// Writes a line; `?` for what does not fit.
    pub(crate) fn encode(self, line: &str) -> Vec<u8> {
        match self {
            Charset::Utf8 => line.into(),
            Charset::Ascii => {
                line.chars().map(|c| u8::try_from(c).ok().filter(u8::is_ascii).unwrap_or(b'?')).collect()
            }
            Charset::Latin1 => line.chars().map(latin1).collect(),
            #[cfg(feature = "encodings")]
            Charset::Gbk => gbk(line),
        }
    }

    /// Reads bytes up to a character that has not ended, and says how many those are; `None` where
    /// they are something else.
    pub(crate) fn decode(self, bytes: &[u8]) -> Option<(String, usize)> {
        match self {
            Charset::Utf8 | Charset::Ascii => {
                let used = match std::str::from_utf8(bytes) {
                    Ok(_) => bytes.len(),
                    Err(error) if error.error_len().is_none() => error.valid_up_to(),
                    Err(_) => return None,
                };
                Some((std::str::from_utf8(&bytes[..used]).ok()?.to_owned(), used))
            }
            Charset::Latin1 => Some((from_latin1(bytes), bytes.len())),
            #[cfg(feature = "encodings")]
            Charset::Gbk => (bytes.len().saturating_sub(3)..=bytes.len()).rev().find_map(|used| {
                let text = encoding_rs::GB18030
                    .decode_without_bom_handling_and_without_replacement(&bytes[..used])?;
                Some((text.into_owned(), used))
            }),
        }
    }
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Charset::Utf8 => "utf-8",
            Charset::Ascii => "ascii",
            Charset::Latin1 => "latin-1",
            #[cfg(feature = "encodings")]
            Charset::Gbk => "gbk",
        })
    }
}

impl FromStr for Charset {
    type Err = String;

    fn from_str(name: &str) -> Result<Charset, String> {
        match name {
            "utf-8" => Ok(Charset::Utf8),
            "ascii" => Ok(Charset::Ascii),
            "latin-1" => Ok(Charset::Latin1),
            #[cfg(feature = "encodings")]
            "gbk" => Ok(Charset::Gbk),
            #[cfg(not(feature = "encodings"))]
            "gbk" => Err("gbk is in builds with the feature encodings only".into()),
            _ => Err("there are auto, utf-8, ascii, latin-1 and gbk".into()),
        }
    }
}

fn latin1(c: char) -> u8 {
    if let Some(at) = WINDOWS.iter().position(|windows| *windows == c) {
        return 0x80 + at as u8;
    }
    u8::try_from(c).ok().filter(|byte| !(0x80..0xA0).contains(byte)).unwrap_or(b'?')
}

pub(crate) fn from_latin1(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| WINDOWS.get(usize::from(*byte).wrapping_sub(0x80)).copied().unwrap_or(char::from(*byte)))
        .collect()
}

#[cfg(feature = "encodings")]
fn gbk(line: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(line.len());
    let mut buffer = [0; 4];
    for c in line.chars() {
        let (encoded, _, lost) = encoding_rs::GBK.encode(c.encode_utf8(&mut buffer));
        bytes.extend_from_slice(if lost { b"?" } else { &encoded });
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_a_question_mark() {
        let line = "naïve “茶” 😀\u{85}\n";
        assert_eq!(Charset::Utf8.encode(line), line.as_bytes());
        assert_eq!(Charset::Ascii.encode(line), b"na?ve ??? ??\n");
        assert_eq!(Charset::Latin1.encode(line), b"na\xEFve \x93?\x94 ??\n");
        #[cfg(feature = "encodings")]
        assert_eq!(Charset::Gbk.encode("é茶😀€\n"), b"\xA8\xA6\xB2\xE8?\x80\n");
    }

    #[test]
    fn latin_1_reads_back() {
        let all: Vec<u8> = (0..=255).collect();
        let back = Charset::Latin1.encode(&from_latin1(&all));
        for (byte, back) in all.iter().zip(back) {
            assert!(back == *byte, "{byte:#x}");
        }
    }
}
