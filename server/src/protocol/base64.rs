//! Base64 with padding (RFC 4648 §4), as SASL and SCRAM write bytes.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes as text, four characters for three bytes.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let number = (0..3).fold(0, |number, i| number << 8 | u32::from(three.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            let digit = ALPHABET[(number >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// The bytes of a text; `None` where it is not exactly what [`encode`] writes of some bytes.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in text.as_bytes().chunks(4) {
        let digits = four.iter().take_while(|c| **c != b'=');
        let number = digits.clone().try_fold(0, |number, c| {
            Some(number << 6 | ALPHABET.iter().position(|known| known == c)? as u32)
        })?;
        let count = digits.count();
        let number = number << (6 * (4 - count));
        let three = number.to_be_bytes();
        bytes.extend_from_slice(three.get(1..count.max(1))?);
    }
    (encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10.
    #[test]
    fn the_vectors_of_the_rfc() {
        let vectors = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (length, text) in vectors.into_iter().enumerate() {
            assert_eq!(encode(&b"foobar"[..length]), text);
            assert_eq!(decode(text).as_deref(), Some(&b"foobar"[..length]));
        }
        assert_eq!(decode(&encode(&[0xFF, 0xFB, 0])).as_deref(), Some(&[0xFF, 0xFB, 0][..]));
    }

    #[test]
    fn what_is_not_exactly_base64_is_refused() {
        for text in ["Z", "Zg", "Zg=", "Zh==", "Zg==Zg==", "====", "=", "Zm9v\n", "Zm 9v", "Z===", "Zé=="] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
