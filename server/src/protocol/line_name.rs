//! What a sender calls a line of its own, and what others see of that.

use std::fmt;
use std::hash::Hasher;
#[expect(deprecated, reason = "the one keyed hash of std, SipHash-2-4; nothing replaces it there")]
use std::hash::SipHasher;

use super::message::Tags;
use super::tag::LINE_ID;

/// The name of a line, the same however often it is sent: 128 random bits.
///
/// It is a secret between a sender and the server, which knows a line by it that comes again. What
/// the server tells everybody, the sender too, is its [`public`](Self::public) form: so nobody can send
/// a line that is taken for another one's.
///
/// ```
/// use parlor_server::protocol::LineName;
///
/// let name = LineName::parse("0123456789abcdef0123456789abcdef").unwrap();
/// assert_eq!(name.public().to_string(), "d338baa78a0f613b508dff450bef276e");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineName(pub u128);

impl LineName {
    /// Reads 32 hexadecimal digits; `None` for anything else.
    pub fn parse(digits: &str) -> Option<LineName> {
        let sound = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        u128::from_str_radix(digits, 16).ok().filter(|_| sound).map(LineName)
    }

    /// What others see: the id is the key of a hash, so that nobody finds it from this.
    pub fn public(self) -> LineName {
        let half = |number: u8| {
            #[expect(deprecated, reason = "as above")]
            let mut hasher = SipHasher::new_with_keys(self.0 as u64, (self.0 >> 64) as u64);
            hasher.write(&[number]);
            u128::from(hasher.finish())
        };
        LineName(half(1) << 64 | half(0))
    }

    /// Takes it out of tags, the last one where there are several; and the client-only ones as others get
    /// them.
    pub fn take(tags: Tags<'_>) -> (Option<LineName>, String) {
        let (mut found, mut shown) = (None, String::with_capacity(tags.0.len()));
        for tag in tags.client_only() {
            match tag.split_once('=').unwrap_or((tag, "")) {
                (LINE_ID, value) => found = LineName::parse(value),
                _ => push(&mut shown, tag),
            }
        }
        if let Some(name) = found {
            push(&mut shown, &format!("{LINE_ID}={}", name.public()));
        }
        (found, shown)
    }
}

fn push(tags: &mut String, tag: &str) {
    tags.extend([if tags.is_empty() { "" } else { ";" }, tag]);
}

impl fmt::Display for LineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Stands for bytes that come in pieces. Not for secrets: anybody can make others that look like it.
pub fn hash<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> u64 {
    #[expect(deprecated, reason = "the same in all versions of the standard library")]
    let mut hasher = SipHasher::new();
    pieces.for_each(|piece| hasher.write(piece));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "+parlor/id=0123456789abcdef0123456789abcdef";

    #[test]
    fn others_get_the_public_form_alone() {
        let public = LineName(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef).public();
        let shown = format!("+x=1;{LINE_ID}={public}");
        for tags in [format!("+x=1;{ID}"), format!("{ID};+x=1"), format!("+parlor/id=7;+x=1;{ID}")] {
            let (id, told) = LineName::take(Tags(&tags));
            assert_eq!((id.map(LineName::public), told), (Some(public), shown.clone()), "{tags}");
        }
        // What a reader might take for an id of somebody else's goes to nobody.
        for id in ["", "12", r"\0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcde!"] {
            assert_eq!(
                LineName::take(Tags(&format!("+x;+parlor/id={id};+y"))),
                (None, "+x;+y".into()),
                "{id}"
            );
        }
        assert_eq!(LineName::take(Tags("")), (None, String::new()));
    }

    #[test]
    fn nearly_equal_ids_have_nothing_in_common() {
        let all: Vec<u128> = (0..128).map(|bit| LineName(1 << bit).public().0).collect();
        for (i, one) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|other| (one ^ other).count_ones() > 20));
        }
    }
}
