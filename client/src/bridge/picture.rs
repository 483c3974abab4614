//! How large a picture is, by its first bytes: a small file may hold one that fills the memory.

/// Width and height in pixels of a PNG, JPEG, GIF or WebP; none: it is none of them, or is cut short.
pub(super) fn picture_size(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        // The first chunk is the header (PNG §11.2.1).
        (bytes.get(12..16)? == b"IHDR").then_some(())?;
        return Some((big(bytes, 16, 4)?, big(bytes, 20, 4)?));
    }
    if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        return Some((little(bytes, 6, 2)?, little(bytes, 8, 2)?));
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12)? == b"WEBP" {
        return webp(bytes);
    }
    if bytes.starts_with(b"\xFF\xD8") {
        return jpeg(bytes);
    }
    None
}

/// RFC 9649 §2.5–2.7.
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8X" => Some((little(bytes, 24, 3)? + 1, little(bytes, 27, 3)? + 1)),
        b"VP8L" => {
            let bits = little(bytes, 21, 4)?;
            Some(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
        }
        b"VP8 " => Some((little(bytes, 26, 2)? & 0x3FFF, little(bytes, 28, 2)? & 0x3FFF)),
        _ => None,
    }
}

/// The first frame header among the segments (ITU T.81 §B.2.2).
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xFF {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        match marker {
            // Filling.
            0xFF => at += 1,
            0x01 | 0xD0..=0xD7 => at += 2,
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                return Some((big(bytes, at + 7, 2)?, big(bytes, at + 5, 2)?));
            }
            0xD9 | 0xDA => return None,
            _ => at += 2 + big(bytes, at + 2, 2)?.max(2) as usize,
        }
    }
}

fn big(bytes: &[u8], at: usize, count: usize) -> Option<u32> {
    Some(bytes.get(at..at + count)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

fn little(bytes: &[u8], at: usize, count: usize) -> Option<u32> {
    Some(bytes.get(at..at + count)?.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_how_large_a_picture_is() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x02\0\0\x03\x04";
        let gif = b"GIF89a\x02\x01\x04\x03";
        let jpeg = b"\xFF\xD8\xFF\xE0\0\x04ab\xFF\xFF\xC2\0\x0B\x08\x03\x04\x01\x02";
        let extended = b"RIFF....WEBPVP8X\x0A\0\0\0\0\0\0\0\x01\x01\0\x03\x03\0";
        let lossless = b"RIFF....WEBPVP8L\0\0\0\0\x2F\x01\xC1\xC0\0";
        let lossy = b"RIFF....WEBPVP8 ..........\x02\x01\x04\x03";
        for (bytes, size) in [
            (&png[..], (0x102, 0x304)),
            (gif, (0x102, 0x304)),
            (jpeg, (0x102, 0x304)),
            (extended, (0x102, 0x304)),
            (lossless, (0x102, 0x304)),
            (lossy, (0x102, 0x304)),
        ] {
            assert_eq!(picture_size(bytes), Some(size), "{bytes:?}");
            for cut in 0..bytes.len() {
                assert_eq!(picture_size(&bytes[..cut]), None, "cut short at {cut}: {bytes:?}");
            }
        }
        for bytes in [&b""[..], b"MZ\x90", b"\xFF\xD8\xFF\xDA", b"\xFF\xD8ab", b"RIFF....WAVEfmt "] {
            assert_eq!(picture_size(bytes), None);
        }
    }
}
