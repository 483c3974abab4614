//! Glob masks: `*` any text, `?` any one character, `\` takes the next literally.

/// Bytes of a text that masks are compared with: a longer one matches none. Names, hosts and real names
/// are shorter, with what stands between them.
const MAX_TEXT: usize = 128;

/// A text that is compared with masks; case counts, so fold both first.
///
/// A mask is read once, whatever it is: each of its bytes moves all places of the text at once up to which
/// the mask may have come, the bits of one number (bit-parallel matching after Baeza-Yates and Gonnet,
/// "A new approach to text searching", 1992, with text and pattern exchanged).
pub struct Text {
    /// Where each byte stands.
    places: [u128; 256],
    /// Bytes that go on with a character.
    inside: u128,
    /// All of it.
    all: u128,
    length: usize,
}

impl Text {
    /// Prepares a text.
    pub fn new(text: &str) -> Text {
        let mut places = [0; 256];
        let (mut inside, mut bit) = (0, 1);
        for &byte in text.as_bytes().iter().take(MAX_TEXT) {
            places[usize::from(byte)] |= bit;
            inside |= if byte & 0xC0 == 0x80 { bit } else { 0 };
            bit <<= 1;
        }
        Text { places, inside, all: bit.wrapping_sub(1), length: text.len() }
    }

    /// Whether `mask` matches the whole of it.
    pub fn matches(&self, mask: &str) -> bool {
        // The mask so far matches nothing, and which beginnings of the text: a bit for its last byte.
        let (mut nothing, mut ends) = (true, 0_u128);
        let mut mask = mask.bytes();
        while let Some(byte) = mask.next() {
            let next = ends << 1 | u128::from(nothing);
            ends = match byte {
                b'*' if nothing => self.all,
                b'*' => self.all & !(ends & ends.wrapping_neg()).wrapping_sub(1),
                b'?' => self.end_characters(next & self.all),
                b'\\' => next & self.places[usize::from(mask.next().unwrap_or(byte))],
                _ => next & self.places[usize::from(byte)],
            };
            nothing &= byte == b'*';
            if ends == 0 && !nothing {
                return false;
            }
        }
        match self.length {
            0 => nothing,
            1..=MAX_TEXT => ends >> (self.length - 1) & 1 == 1,
            _ => false,
        }
    }

    /// Goes on from bytes to the ends of their characters.
    fn end_characters(&self, mut ends: u128) -> u128 {
        // At most three follow the first one.
        for _ in 0..3 {
            let on = ends & self.inside >> 1;
            ends = ends & !on | on << 1;
        }
        ends
    }
}

/// Completes what a person wrote as a ban to `nick!user@host`:
/// `bob` is `bob!*@*`, `x@y` is `*!x@y`.
pub fn complete(mask: &str) -> String {
    match (mask.split_once('!'), mask.split_once('@')) {
        (Some((nick, rest)), _) => {
            let (user, host) = rest.split_once('@').unwrap_or((rest, "*"));
            format!("{}!{}@{}", or_any(nick), or_any(user), or_any(host))
        }
        (None, Some((user, host))) => format!("*!{}@{}", or_any(user), or_any(host)),
        (None, None) => format!("{}!*@*", or_any(mask)),
    }
}

fn or_any(part: &str) -> &str {
    if part.is_empty() { "*" } else { part }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_completed() {
        assert_eq!(complete("bob"), "bob!*@*");
        assert_eq!(complete("bob!"), "bob!*@*");
        assert_eq!(complete("*@host"), "*!*@host");
        assert_eq!(complete("a!b"), "a!b@*");
        assert_eq!(complete("a!b@c"), "a!b@c");
        assert_eq!(complete(""), "*!*@*");
    }

    /// What a mask means, step by step.
    fn means(mask: &[char], text: &[char]) -> bool {
        match (mask, text) {
            ([], text) => text.is_empty(),
            (['*', mask @ ..], text) => (0..=text.len()).any(|from| means(mask, &text[from..])),
            (['?', mask @ ..], [_, text @ ..]) => means(mask, text),
            (['\\', c, mask @ ..], [d, text @ ..]) => c == d && means(mask, text),
            ([c, mask @ ..], [d, text @ ..]) => c == d && means(mask, text),
            _ => false,
        }
    }

    #[test]
    fn masks_mean_what_they_say() {
        let mut random = crate::testing::Random::new(7);
        let mut word = |letters: &[char], most: usize| -> Vec<char> {
            (0..random.below(most + 1)).map(|_| letters[random.below(letters.len())]).collect()
        };
        let mut matched = 0;
        for _ in 0..200_000 {
            let (mask, text) =
                (word(&['a', 'é', '*', '?', '\\', '明'], 7), word(&['a', 'é', '明', '*', '\\'], 6));
            let (mask_text, text_text): (String, String) = (mask.iter().collect(), text.iter().collect());
            let meant = means(&mask, &text);
            matched += usize::from(meant);
            assert_eq!(Text::new(&text_text).matches(&mask_text), meant, "{mask_text} {text_text}");
        }
        assert!(matched > 10_000, "{matched}");
    }

    #[test]
    fn a_text_of_128_bytes_is_compared_and_a_longer_one_is_not() {
        let text = "é".repeat(64);
        for mask in ["*", "é*", &text, &"?".repeat(64), &format!("*{}", "?".repeat(64))] {
            assert!(Text::new(&text).matches(mask), "{mask}");
        }
        for mask in ["", &"é".repeat(63), &"?".repeat(63), &"?".repeat(65), &"?".repeat(128)] {
            assert!(!Text::new(&text).matches(mask), "{mask}");
        }
        assert!(!Text::new(&"a".repeat(129)).matches("*") && Text::new("").matches("**"));
    }
}
