//! Glob masks: `*` any text, `?` any one character, `\` takes the next literally.

/// Whether `mask` matches the whole of `text`; case counts, so fold both first.
///
/// What stands between two stars is looked for from left to right, once; what stands behind the last
/// one is compared with the end alone. So no mask costs more steps than a quarter of the square of
/// the text's bytes, and one such as `*???z` no more than it has.
pub fn matches(mask: &str, text: &str) -> bool {
    let Some((mut mask, mut text)) = begins(mask.as_bytes(), text.as_bytes()) else { return false };
    while let Some(after) = mask.strip_prefix(b"*") {
        let (chars, is_last) = measure(after);
        if is_last {
            return last_chars(text, chars).and_then(|end| begins(after, end)) == Some((b"", b""));
        }
        loop {
            if let Some(rest) = begins(after, text) {
                (mask, text) = rest;
                break;
            }
            match text.split_first() {
                Some((_, rest)) if rest.len() >= chars => text = rest,
                _ => return false,
            }
        }
    }
    text.is_empty()
}

/// Compares the mask up to its first star with the beginning of a text; what is left of both.
fn begins<'a>(mut mask: &'a [u8], mut text: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    while let Some((&part, rest)) = mask.split_first() {
        let wanted = match part {
            b'*' => break,
            b'?' => None,
            b'\\' => Some(rest.first().copied().unwrap_or(part)),
            _ => Some(part),
        };
        mask = if part == b'\\' { rest.get(1..).unwrap_or_default() } else { rest };
        let (&first, after) = text.split_first()?;
        text = match wanted {
            Some(byte) if byte != first => return None,
            Some(_) => after,
            None => after.get(after.iter().take_while(|byte| is_inside(**byte)).count()..)?,
        };
    }
    Some((mask, text))
}

/// The characters that a mask wants up to its first star, and whether it has none.
fn measure(mask: &[u8]) -> (usize, bool) {
    let (mut chars, mut literal) = (0, false);
    for &byte in mask {
        match byte {
            b'*' if !literal => return (chars, false),
            b'\\' if !literal => literal = true,
            _ => {
                chars += usize::from(!is_inside(byte));
                literal = false;
            }
        }
    }
    (chars + usize::from(literal), true)
}

/// The end of a text, so many characters long.
fn last_chars(text: &[u8], mut chars: usize) -> Option<&[u8]> {
    let mut at = text.len();
    while chars > 0 {
        at = at.checked_sub(1)?;
        chars -= usize::from(!is_inside(*text.get(at)?));
    }
    text.get(at..)
}

/// Whether a byte of UTF-8 goes on with a character.
fn is_inside(byte: u8) -> bool {
    byte & 0xC0 == 0x80
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
            assert_eq!(matches(&mask_text, &text_text), meant, "{mask_text} {text_text}");
        }
        assert!(matched > 10_000, "{matched}");
    }

    #[test]
    fn a_hostile_mask_ends_in_time() {
        let mask = "*a".repeat(60) + "b";
        assert!(!matches(&mask, &"a".repeat(200)));
    }
}
