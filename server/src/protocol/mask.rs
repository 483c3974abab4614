//! Glob masks: `*` any text, `?` any one character, `\` takes the next literally.

/// Whether `mask` matches the whole of `text`; case counts, so fold both first.
///
/// Runs in at most `mask × text` steps and without recursion, whatever the mask.
pub fn matches(mask: &str, text: &str) -> bool {
    let mask: Vec<Part> = parts(mask);
    let text: Vec<char> = text.chars().collect();
    let (mut m, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match mask.get(m) {
            Some(Part::Any) => {
                star = Some((m, t));
                m += 1;
            }
            Some(Part::One) => {
                m += 1;
                t += 1;
            }
            Some(Part::Literal(c)) if *c == text[t] => {
                m += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    m = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    mask[m..].iter().all(|part| matches!(part, Part::Any))
}

enum Part {
    Any,
    One,
    Literal(char),
}

fn parts(mask: &str) -> Vec<Part> {
    let mut parts = Vec::with_capacity(mask.len());
    let mut chars = mask.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '*' => Part::Any,
            '?' => Part::One,
            '\\' => Part::Literal(chars.next().unwrap_or('\\')),
            other => Part::Literal(other),
        });
    }
    parts
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
