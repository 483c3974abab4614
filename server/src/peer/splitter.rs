//! The ends of a raw client's messages: newlines, the client's own name in front of the next one,
//! [`MAX_MESSAGE`] bytes. The fourth, silence, is its caller's to notice.

use crate::hub::RawKind;
use crate::protocol::raw::{self, GOOD_BYE, Tagged, behind_name, name_in_front};

/// Bytes of a message.
pub(super) const MAX_MESSAGE: usize = 1024;
/// Bytes of the name and the tag that a message may begin with: no cut is made inside of them.
const MAX_HEAD: usize = 512;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Splitter {
    style: Style,
    /// The name that the client gave itself; empty: none.
    name: String,
    /// The beginning of each of the messages that come together: a name and its colon, or the name in
    /// a tag, as in the first of them.
    head: Option<String>,
    /// The text goes on with a message of which a part was cut off.
    inside: bool,
}

/// The beginning of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    InFront,
    Tagged,
    Nothing,
}

impl Splitter {
    pub(super) fn new(kind: RawKind, name: Option<&str>) -> Splitter {
        let style = match kind {
            RawKind::Html => Style::Tagged,
            RawKind::Prompted | RawKind::Named(_) => Style::InFront,
            RawKind::Bare => Style::Nothing,
        };
        Splitter { style, name: name.unwrap_or_default().into(), head: None, inside: false }
    }

    /// The messages that have ended, and the bytes they took; `whole`: nothing follows for now.
    pub(super) fn split<'t>(&mut self, text: &'t str, whole: bool) -> (Vec<&'t str>, usize) {
        let mut messages = Vec::new();
        let mut rest = text;
        while let Some(end) = self.end(rest, whole) {
            let (message, after) = rest.split_at(end);
            let line = message.trim_end_matches(['\r', '\n']);
            if !line.trim().is_empty() {
                messages.push(line);
            }
            self.inside = !message.ends_with('\n') && self.head_of(after).is_none();
            rest = after;
        }
        if rest.is_empty() {
            (self.head, self.inside) = (None, false);
        }
        (messages, text.len() - rest.len())
    }

    /// The end of the first message of a text.
    fn end(&mut self, text: &str, whole: bool) -> Option<usize> {
        if text.is_empty() {
            return None;
        }
        let mut begins = 0;
        if !self.inside
            && let Some((head, length)) = self.head_of(text)
        {
            (self.head, begins) = (Some(head), length);
        }
        let limit = text.floor_char_boundary(MAX_MESSAGE);
        let newline = memchr::memchr(b'\n', text.as_bytes()).map(|at| at + 1);
        let (line, whole) = (&text[..newline.unwrap_or(text.len())], whole || newline.is_some());
        let next = self.next_head(line, begins, limit);
        // The good-bye of programs that do not part it from their last words.
        let good_bye = line.trim_end().strip_suffix(GOOD_BYE).map(str::len);
        let good_bye =
            good_bye.filter(|at| self.style == Style::InFront && whole && *at > begins && glued(line, *at));
        let end = [next, good_bye, newline].into_iter().flatten().min().filter(|end| *end <= limit + 1);
        match end {
            None if text.len() <= MAX_MESSAGE => whole.then_some(text.len()),
            None if whole || text.len() >= MAX_MESSAGE + MAX_HEAD => {
                // A name that somebody writes about must not stand where one's own does.
                let in_the_way = self.head_of(&text[limit..]).is_some();
                Some(if in_the_way { text.floor_char_boundary(limit - 1) } else { limit })
            }
            end => end,
        }
    }

    /// The beginning of a message, and its bytes.
    fn head_of(&self, text: &str) -> Option<(String, usize)> {
        let (head, rest) = match self.style {
            Style::Nothing => return None,
            Style::Tagged => match raw::tagged(text)? {
                (Tagged::Says(name), rest) => (name, rest),
                // These say all by themselves.
                (Tagged::Joined(name) | Tagged::Left(name), _) => (name, text),
            },
            Style::InFront => {
                let rest = behind_name(text, &self.name);
                let rest = rest.or_else(|| match &self.head {
                    Some(head) => text.strip_prefix(head.as_str()),
                    None => name_in_front(text).map(|(.., rest)| rest),
                })?;
                (text[..text.len() - rest.len()].to_owned(), rest)
            }
        };
        let own = self.style == Style::InFront || head == self.name;
        let known = self.head.as_ref().is_none_or(|before| *before == head);
        (own || known).then_some((head, text.len() - rest.len()))
    }

    /// The beginning of the next message in a text, behind `begins` and up to `most`.
    fn next_head(&self, text: &str, begins: usize, most: usize) -> Option<usize> {
        let head = self.head.as_deref()?;
        let sign = if self.style == Style::Tagged { "<" } else { head };
        let mut from = begins;
        while let Some(at) = text.get(from..)?.find(sign).map(|at| from + at) {
            if at > most {
                break;
            }
            if at > begins && glued(text, at) && self.head_of(&text[at..]).is_some() {
                return Some(at);
            }
            from = at + text[at..].chars().next().map_or(1, char::len_utf8);
        }
        None
    }
}

/// Whether what stands there follows without a space, a bracket or a quotation mark, as people put
/// before a name that they write about.
fn glued(text: &str, at: usize) -> bool {
    const OPENING: &[char] =
        &['(', '[', '{', '<', '"', '\'', '`', '«', '“', '„', '‘', '「', '『', '《', '〈', '【', '（', '［'];
    text[..at].chars().next_back().is_some_and(|c| !c.is_whitespace() && !OPENING.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::raw::Colon;

    const HTML: RawKind = RawKind::Html;
    const FRONT: RawKind = RawKind::Named(Colon::FullWidth);

    #[track_caller]
    fn check(kind: RawKind, name: &str, text: &str, messages: &[&str]) {
        let name = Some(name).filter(|name| !name.is_empty());
        assert_eq!(Splitter::new(kind, name).split(text, true), (messages.to_vec(), text.len()), "{text:?}");
    }

    #[test]
    fn at_newlines() {
        for kind in [HTML, FRONT, RawKind::Prompted, RawKind::Bare] {
            check(kind, "bob", "one\r\ntwo\n\n \t\n  three", &["one", "two", "  three"]);
            check(kind, "bob", "\n", &[]);
            check(kind, "bob", "   ", &[]);
        }
        let mut splitter = Splitter::new(RawKind::Prompted, Some("bob"));
        assert_eq!(splitter.split("one\ntwo", false), (vec!["one"], 4));
    }

    #[test]
    fn where_the_own_name_begins_the_next() {
        check(FRONT, "bob", "bob: onebob: two", &["bob: one", "bob: two"]);
        check(FRONT, "bob", "bob:onebob:two", &["bob:one", "bob:two"]);
        check(
            FRONT,
            "小红",
            "小红：一小红：二\n小红：三小红：四",
            &["小红：一", "小红：二", "小红：三", "小红：四"],
        );
        // The name it has here.
        check(FRONT, "bob", "bob2: onebob2: two", &["bob2: one", "bob2: two"]);
        // A line of a paste in between.
        check(FRONT, "bob", "bob: one\nmorebob: two", &["bob: one", "more", "bob: two"]);
        check(FRONT, "bob", "bob: !bob: ?bob: ", &["bob: !", "bob: ?", "bob: "]);
    }

    #[test]
    fn what_is_said_about_oneself_stays_whole() {
        for text in [
            "bob: I told bob: no",
            "bob: (bob: no)",
            "bob: \"bob: no\"",
            "bob: “bob: no”",
            "bob: bob: no",
            "bob:bob:no",
            "bob: bobby: no",
            "bob: onealice: two",
            // It did not begin with a name, so it is no message of such a program.
            "I told themalice: hi bob: no",
        ] {
            check(FRONT, "bob", text, &[text]);
        }
        check(RawKind::Bare, "", "guest1: onguest1: two", &["guest1: onguest1: two"]);
    }

    #[test]
    fn in_html() {
        let says = |text: &str| format!("<font color=\"Blue\">小明</font>: {text}");
        let joined = "<font color=\"Purple\">小明 has joined the chat room.</font>";
        let left = "<font color=\"Orange\">小明 has left the chat room.</font>";
        let (one, two) = (says("一 < 二"), says("two"));
        check(HTML, "小明", &format!("{joined}{one}{two}{left}"), &[joined, &one, &two, left]);
        for text in
            ["I told 小明: no", "(小明: no)", "小明 has left the chat room.", "x <font>alice</font>: y"]
        {
            check(HTML, "小明", &says(text), &[&says(text)]);
        }
        let quoted = says(&format!("she wrote \"{one}"));
        check(HTML, "小明", &quoted, &[&quoted]);
        let open = "<font".repeat(200);
        check(HTML, "小明", &open, &[&open]);
    }

    #[test]
    fn at_a_good_bye_behind_the_last_words() {
        check(FRONT, "小红", "小红：再见@断开连接@", &["小红：再见", GOOD_BYE]);
        check(FRONT, "小红", "@断开连接@", &[GOOD_BYE]);
        for text in ["小红：什么是 @断开连接@", "小红：@断开连接@", "小红：他说@断开连接@了"]
        {
            check(FRONT, "小红", text, &[text]);
        }
        check(HTML, "小明", "a@断开连接@", &["a@断开连接@"]);
    }

    #[test]
    fn at_so_many_bytes_but_in_no_character_and_no_name() {
        for (kind, before) in [(RawKind::Bare, ""), (FRONT, "小红："), (HTML, "<font>小红</font>: ")] {
            let text = format!("{before}x{}", "明".repeat(1666));
            let mut splitter = Splitter::new(kind, Some("小红"));
            let (messages, used) = splitter.split(&text, true);
            assert_eq!((messages.concat(), used), (text.clone(), text.len()));
            assert!(messages.iter().all(|message| message.len() <= MAX_MESSAGE) && messages.len() == 5);
        }
        // Its name is there again wherever the cut would be.
        let name = "n".repeat(64);
        for length in 900..1100 {
            let (one, two) = (format!("{name}: {}", "x".repeat(length)), format!("{name}: two"));
            let text = format!("{one}{two}");
            let mut splitter = Splitter::new(FRONT, Some(&name));
            let (messages, _) = splitter.split(&text, true);
            assert_eq!(messages.concat(), text);
            assert_eq!(messages.last(), Some(&two.as_str()), "{length}");
        }
    }

    #[test]
    fn however_it_comes() {
        let text =
            "小红：一小红：I told 小红：no\n小红：".to_owned() + &"长".repeat(900) + "小红：二@断开连接@";
        let whole = Splitter::new(FRONT, Some("小红")).split(&text, true).0;
        for step in 1..40 {
            let mut splitter = Splitter::new(FRONT, Some("小红"));
            let (mut messages, mut waiting) = (Vec::new(), String::new());
            let chars: Vec<char> = text.chars().collect();
            let count = chars.chunks(step).count();
            for (number, chunk) in chars.chunks(step).enumerate() {
                waiting.extend(chunk);
                let (ended, used) = splitter.split(&waiting, number + 1 == count);
                messages.extend(ended.into_iter().map(str::to_owned));
                waiting.drain(..used);
                assert!(waiting.len() < MAX_MESSAGE + MAX_HEAD + 4 * step);
            }
            assert_eq!(messages.concat(), whole.concat());
            assert!(messages.contains(&"小红：I told 小红：no".to_owned()) && waiting.is_empty());
        }
    }

    #[test]
    fn a_name_many_times_costs_little() {
        let name = "n".repeat(64);
        let text = format!("{name}: x").repeat(240);
        let (messages, used) = Splitter::new(FRONT, Some(&name)).split(&text, true);
        assert_eq!((messages.len(), used), (240, text.len()));
    }
}
