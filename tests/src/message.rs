//! An IRC message, parsed independently of the server's own parser so that both would have to be wrong.

use std::fmt;

/// A received line: `[@tags ][:source ]COMMAND params`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// Tags in order, values unescaped; a tag without a value has an empty one.
    pub tags: Vec<(String, String)>,
    /// The source without its colon, empty where there is none.
    pub source: String,
    /// The command or the three digits of a numeric.
    pub command: String,
    /// All parameters, the trailing one among them, without colons.
    pub params: Vec<String>,
    /// The line as it came, without its end.
    pub raw: String,
}

impl Message {
    /// Parses a line without its end.
    ///
    /// # Errors
    /// A sentence, where the line is not a message.
    pub fn parse(line: &str) -> Result<Self, String> {
        let mut message = Self { raw: line.to_owned(), ..Self::default() };
        let mut rest = line;
        if let Some(tagged) = rest.strip_prefix('@') {
            let (tags, after) = tagged.split_once(' ').ok_or("nothing follows the tags")?;
            for tag in tags.split(';').filter(|tag| !tag.is_empty()) {
                let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
                message.tags.push((key.to_owned(), unescape(value)));
            }
            rest = after.trim_start_matches(' ');
        }
        if let Some(sourced) = rest.strip_prefix(':') {
            let (source, after) = sourced.split_once(' ').ok_or("nothing follows the source")?;
            source.clone_into(&mut message.source);
            rest = after.trim_start_matches(' ');
        }
        let (command, mut rest) = rest.split_once(' ').unwrap_or((rest, ""));
        if command.is_empty() || !command.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("{command:?} is not a command"));
        }
        command.clone_into(&mut message.command);
        loop {
            rest = rest.trim_start_matches(' ');
            if let Some(trailing) = rest.strip_prefix(':') {
                message.params.push(trailing.to_owned());
                return Ok(message);
            }
            if rest.is_empty() {
                return Ok(message);
            }
            let (param, after) = rest.split_once(' ').unwrap_or((rest, ""));
            message.params.push(param.to_owned());
            rest = after;
        }
    }

    /// The value of a tag, unescaped.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// A parameter by its place from 0, empty where there is none.
    #[must_use]
    pub fn param(&self, place: usize) -> &str {
        self.params.get(place).map_or("", String::as_str)
    }

    /// The last parameter, empty where there is none.
    #[must_use]
    pub fn last(&self) -> &str {
        self.params.last().map_or("", String::as_str)
    }

    /// The nick in the source.
    #[must_use]
    pub fn nick(&self) -> &str {
        self.source.split_once('!').map_or(self.source.as_str(), |(nick, _)| nick)
    }

    /// The host in the source, empty where there is none.
    #[must_use]
    pub fn host(&self) -> &str {
        self.source.rsplit_once('@').map_or("", |(_, host)| host)
    }

    /// Whether this message is like `pattern`, which is written as a message is: `:alice!*@* PRIVMSG #tea :hi *`.
    ///
    /// `*` is any text in the source, in a parameter or in a tag's value; `**` as the last parameter is any number of
    /// parameters. A source or tags that the pattern doesn't name may be anything; parameters have to be as many.
    ///
    /// # Panics
    /// Where the pattern is not a message.
    #[must_use]
    #[track_caller]
    pub fn is_like(&self, pattern: &str) -> bool {
        let wanted = Self::parse(pattern).unwrap_or_else(|why| panic!("the pattern {pattern:?}: {why}"));
        let tags = wanted.tags.iter().all(|(key, value)| self.tag(key).is_some_and(|own| glob(value, own)));
        let source = wanted.source.is_empty() || glob(&wanted.source, &self.source);
        let open = wanted.params.last().is_some_and(|last| last == "**");
        let count = wanted.params.len() - usize::from(open);
        let counted = if open { self.params.len() >= count } else { self.params.len() == count };
        let params = wanted.params.iter().take(count).zip(&self.params).all(|(want, own)| glob(want, own));
        self.command == wanted.command && tags && source && counted && params
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

/// Whether `text` is `pattern`, where each `*` of the pattern stands for any text.
#[must_use]
pub fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(head) else {
        return false;
    };
    let Some((middle, last)) = rest.rsplit_once('*') else {
        return text.ends_with(rest);
    };
    let Some(mut text) = text.strip_suffix(last) else {
        return false;
    };
    // The earliest place for each part leaves the most to those behind it.
    for part in middle.split('*') {
        let Some(at) = text.find(part) else {
            return false;
        };
        text = text.get(at + part.len()..).expect("a match ends on a character");
    }
    true
}

/// <https://ircv3.net/specs/extensions/message-tags#escaping-values>
fn unescape(value: &str) -> String {
    let mut chars = value.chars();
    let mut plain = String::new();
    while let Some(c) = chars.next() {
        match if c == '\\' { chars.next().map(|escaped| (true, escaped)) } else { Some((false, c)) } {
            Some((true, ':')) => plain.push(';'),
            Some((true, 's')) => plain.push(' '),
            Some((true, 'r')) => plain.push('\r'),
            Some((true, 'n')) => plain.push('\n'),
            Some((_, c)) => plain.push(c),
            None => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_tags_source_command_and_params() {
        let message = Message::parse(r"@a=1;+b=x\sy\:;c :alice!u@h PRIVMSG  #tea  :hi : there ").unwrap();
        assert_eq!(message.tag("a"), Some("1"));
        assert_eq!(message.tag("+b"), Some("x y;"));
        assert_eq!(message.tag("c"), Some(""));
        assert_eq!(message.tag("d"), None);
        assert_eq!((message.nick(), message.host()), ("alice", "h"));
        assert_eq!(message.params, ["#tea", "hi : there "]);
        assert_eq!(Message::parse("LIST :").unwrap().params, [""]);
        assert_eq!(Message::parse("LIST ").unwrap().params, [""; 0]);
        for bad in ["", ":source", "@tag", "@tag :source", "NO\u{e9}"] {
            assert!(Message::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_pattern_matches_what_it_says_and_no_more() {
        let message = Message::parse("@label=7 :alice!u@h.cloak KICK #tea bob :out you go").unwrap();
        for like in [
            "KICK #tea bob :out you go",
            "KICK #tea * *",
            "KICK **",
            ":alice!*@*.cloak KICK #tea **",
            "@label=7 KICK #* b*b *you*",
        ] {
            assert!(message.is_like(like), "{like}");
        }
        for unlike in [
            "KICK #tea bob",
            "KICK #tea bob * *",
            "KICK #tea b :out you go",
            "@label=8 KICK **",
            "@time=* KICK **",
            ":bob!* KICK **",
            "KICK #tea bob *me*",
            "JOIN **",
        ] {
            assert!(!message.is_like(unlike), "{unlike}");
        }
    }

    #[test]
    fn a_star_never_counts_a_character_twice() {
        for (pattern, text, is) in [
            ("ab*ba", "aba", false),
            ("ab*ba", "abba", true),
            ("*a*a*", "a", false),
            ("*a*a*", "xaxax", true),
            ("a*bc*c", "abc", false),
            ("a*bc*c", "abcc", true),
            ("*", "", true),
            ("", "a", false),
        ] {
            assert_eq!(glob(pattern, text), is, "{pattern} {text}");
        }
    }
}
