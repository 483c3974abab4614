//! The first chunk of a raw client: the kind of program, its name, and its first words.

use crate::hub::RawKind;
use crate::protocol::raw::{self, GOOD_BYE, Tagged, name_in_front, possible_name};

/// The meaning of a first chunk.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum First<'a> {
    /// Nothing but white space has come.
    Nothing,
    /// A program of this kind, its own name for itself, and what is left to be said.
    Speaks { kind: RawKind, name: Option<String>, said: &'a str },
    /// A good-bye.
    Leaves,
}

/// Judges a first chunk. `answers`: it came so soon after the prompt that nobody has typed it.
pub(super) fn judge(chunk: &str, answers: bool) -> First<'_> {
    let chunk = chunk.trim_start();
    let line = chunk.lines().next().unwrap_or_default().trim_end();
    let speaks = |kind, name: Option<&str>, said| First::Speaks { kind, name: name.map(str::to_owned), said };
    if line.is_empty() {
        return First::Nothing;
    }
    if chunk.trim_end() == GOOD_BYE {
        return First::Leaves;
    }
    if raw::is_html(line) {
        return match raw::tagged(chunk) {
            Some((Tagged::Left(_), rest)) if rest.trim().is_empty() => First::Leaves,
            Some((tagged, _)) => speaks(RawKind::Html, possible_name(tagged.name()), chunk),
            None => speaks(RawKind::Html, None, chunk),
        };
    }
    if answers {
        if let Some(name) = possible_name(line) {
            return speaks(RawKind::Prompted, Some(name), &chunk[line.len()..]);
        }
        // The answer and a first message, read as one: the name stands there twice.
        if let Some((twice, ..)) = name_in_front(line)
            && let Some((name, again)) = twice.split_at_checked(twice.len() / 2)
            && name == again
        {
            return speaks(RawKind::Prompted, Some(name), &chunk[name.len()..]);
        }
    }
    // A name, and no word behind it.
    if chunk.trim_end() == line && line.strip_suffix([':', '：']).and_then(possible_name).is_some() {
        return First::Nothing;
    }
    match name_in_front(line) {
        Some((name, colon, _)) => speaks(RawKind::Named(colon), Some(name), chunk),
        None => speaks(RawKind::Bare, None, chunk),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::raw::Colon::{Ascii, FullWidth};

    const JOIN: &str = "<font color=\"Purple\">小明 has joined the chat room.</font>";
    const LEAVE: &str = "<font color=\"Orange\">小明 has left the chat room.</font>";

    #[track_caller]
    fn check(chunk: &str, answers: bool, kind: RawKind, name: &str, said: &str) {
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        assert_eq!(judge(chunk, answers), First::Speaks { kind, name, said }, "{chunk:?}");
    }

    #[test]
    fn html() {
        for answers in [false, true] {
            for (chunk, name) in [
                (JOIN, "小明"),
                ("<font color=\"Blue\">小明</font>: 你好", "小明"),
                ("<FONT COLOR='Red'><b>zoe</b>:</FONT> late", "zoe"),
                ("<font color=\"Blue\">two words</font>: hi", ""),
                ("<font color=\"Blue\">\u{202e}bob</font>: hi", ""),
                ("<font color=\"Blue\">hi</font>", ""),
                ("see <font>this</font>: hi", ""),
                ("<font color", ""),
                ("<font></font>: x", ""),
            ] {
                check(chunk, answers, RawKind::Html, name, chunk);
            }
        }
    }

    #[test]
    fn an_answer_is_a_name_and_a_sentence_is_none() {
        for (chunk, name, said) in [
            ("bob", "bob", ""),
            ("小刚\r\n", "小刚", "\r\n"),
            (" bob \nbob: hi\n", "bob", " \nbob: hi\n"),
            ("bobbob: hi", "bob", "bob: hi"),
            ("小红小红：早", "小红", "小红：早"),
            ("bobobobo: hi", "bobo", "bobo: hi"),
        ] {
            check(chunk, true, RawKind::Prompted, name, said);
        }
        for chunk in ["what is this?", "what?", "#a b*", "bob\u{200b}", "好的，谢谢", "see: http: x: y y"]
        {
            let named = name_in_front(chunk).map_or("", |(name, ..)| name);
            let kind = if named.is_empty() { RawKind::Bare } else { RawKind::Named(Ascii) };
            check(chunk, true, kind, named, chunk);
        }
        let long = "x".repeat(33);
        check(&long, true, RawKind::Bare, "", &long);
    }

    #[test]
    fn what_comes_unasked_or_late() {
        for (chunk, kind, name) in [
            ("小红：你好", RawKind::Named(FullWidth), "小红"),
            ("小红： 你好", RawKind::Named(FullWidth), "小红"),
            ("bob: hello", RawKind::Named(Ascii), "bob"),
            ("bob: hello\nbob: again\n", RawKind::Named(Ascii), "bob"),
            ("bob:hello", RawKind::Bare, ""),
            ("bob", RawKind::Bare, ""),
            ("12:30 is fine", RawKind::Bare, ""),
            ("see http://tea.example/", RawKind::Bare, ""),
            ("two words: hi", RawKind::Bare, ""),
            ("你好，大家：早", RawKind::Bare, ""),
            (": hi", RawKind::Bare, ""),
            ("Hello, server!", RawKind::Bare, ""),
            ("a\u{202e}b: hi", RawKind::Bare, ""),
        ] {
            check(chunk, false, kind, name, chunk);
        }
        check("\r\n bob: hi", false, RawKind::Named(Ascii), "bob", "bob: hi");
    }

    #[test]
    fn a_good_bye_is_nobody() {
        for answers in [false, true] {
            for chunk in [GOOD_BYE, "@断开连接@\r\n", LEAVE, "<font>alice has left the chat room.</font>\n"]
            {
                assert_eq!(judge(chunk, answers), First::Leaves, "{chunk}");
            }
            for chunk in ["", " \r\n", "\n\n", "bob: ", "小红：", "bob:\r\n"] {
                assert_eq!(judge(chunk, answers), First::Nothing);
            }
        }
        let again = format!("{LEAVE}{JOIN}");
        check(&again, false, RawKind::Html, "小明", &again);
    }
}
