//! Glob masks: `*` any text, `?` any one character, `\` takes the next literally.

use std::str::Chars;

/// Whether `mask` matches the whole of `text`; case counts, so fold both first.
///
/// Runs in at most `mask × text` steps and without recursion, whatever the mask.
pub fn matches(mask: &str, text: &str) -> bool {
    let (mut mask, mut text) = (mask.chars(), text.chars());
    // Where to go on if what follows the last star does not fit: there, one character later.
    let mut star: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        let (mut rest_of_mask, mut rest_of_text) = (mask.clone(), text.clone());
        let Some(c) = rest_of_text.next() else { return mask.all(|part| part == '*') };
        let fits = match rest_of_mask.next() {
            Some('*') => {
                star = Some((rest_of_mask.clone(), text.clone()));
                mask = rest_of_mask;
                continue;
            }
            Some('?') => true,
            Some('\\') => rest_of_mask.next().unwrap_or('\\') == c,
            Some(literal) => literal == c,
            None => false,
        };
        if fits {
            (mask, text) = (rest_of_mask, rest_of_text);
        } else if let Some((after, from)) = &mut star {
            from.next();
            (mask, text) = (after.clone(), from.clone());
        } else {
            return false;
        }
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

    #[test]
    fn a_hostile_mask_ends_in_time() {
        let mask = "*a".repeat(60) + "b";
        assert!(!matches(&mask, &"a".repeat(200)));
    }
}
