//! One message of the IRC client protocol: tags, source, command, parameters
//! (RFC 1459 §2.3.1, IRCv3 message-tags).

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// Parameters a message may have; the fifteenth takes what is left (RFC 2812 §2.3.1).
pub const MAX_PARAMS: usize = 15;

/// A message, borrowed from the line it was read from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Message<'a> {
    /// What stood behind `@`.
    pub tags: Tags<'a>,
    /// What stood behind the first `:`; a client's own is ignored.
    pub source: Option<&'a str>,
    /// The verb or the numeric, as it was written.
    pub command: &'a str,
    /// The parameters, the trailing one without its `:`.
    pub params: Params<'a>,
}

impl<'a> Message<'a> {
    /// Reads one line without its line end; `None` if it holds no command.
    pub fn parse(line: &'a str) -> Option<Message<'a>> {
        let mut rest = line;
        let mut tags = Tags::default();
        if let Some(tagged) = rest.strip_prefix('@') {
            let (raw, after) = tagged.split_once(' ')?;
            tags = Tags(raw);
            rest = after;
        }
        rest = rest.trim_start_matches(' ');
        let mut source = None;
        if let Some(sourced) = rest.strip_prefix(':') {
            let (name, after) = sourced.split_once(' ')?;
            source = Some(name);
            rest = after.trim_start_matches(' ');
        }
        let (command, mut rest) = rest.split_once(' ').unwrap_or((rest, ""));
        if command.is_empty() {
            return None;
        }
        let mut params = Params::default();
        loop {
            rest = rest.trim_start_matches(' ');
            if rest.is_empty() {
                break;
            }
            if let Some(trailing) = rest.strip_prefix(':') {
                params.push(trailing);
                break;
            }
            if params.len() == MAX_PARAMS - 1 {
                params.push(rest);
                break;
            }
            let (param, after) = rest.split_once(' ').unwrap_or((rest, ""));
            params.push(param);
            rest = after;
        }
        Some(Message { tags, source, command, params })
    }
}

impl fmt::Display for Message<'_> {
    /// Writes the line that parses back to this message, without its line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.tags.0.is_empty() {
            write!(f, "@{} ", self.tags.0)?;
        }
        if let Some(source) = self.source {
            write!(f, ":{source} ")?;
        }
        f.write_str(self.command)?;
        for (i, param) in self.params.iter().enumerate() {
            let last = i + 1 == self.params.len();
            let needs_colon = param.is_empty() || param.starts_with(':') || param.contains(' ');
            f.write_str(if last && needs_colon { " :" } else { " " })?;
            f.write_str(param)?;
        }
        Ok(())
    }
}

/// The parts of a source `nick!user@host`; a part that is not there is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Userhost<'a> {
    /// The name of a person or of a server.
    pub nick: &'a str,
    /// The user name.
    pub user: &'a str,
    /// The host, or what stands for it.
    pub host: &'a str,
}

impl<'a> Userhost<'a> {
    /// Takes a source apart; every text is one.
    pub fn split(source: &'a str) -> Userhost<'a> {
        let (rest, host) = source.split_once('@').unwrap_or((source, ""));
        let (nick, user) = rest.split_once('!').unwrap_or((rest, ""));
        Userhost { nick, user, host }
    }
}

/// At most [`MAX_PARAMS`] parameters, without an allocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Params<'a> {
    list: [&'a str; MAX_PARAMS],
    len: usize,
}

impl<'a> Params<'a> {
    /// The `i`th parameter that is there and not empty.
    pub fn filled(&self, i: usize) -> Option<&'a str> {
        self.list[..self.len].get(i).copied().filter(|param| !param.is_empty())
    }

    fn push(&mut self, param: &'a str) {
        if let Some(place) = self.list.get_mut(self.len) {
            *place = param;
            self.len += 1;
        }
    }
}

impl<'a> FromIterator<&'a str> for Params<'a> {
    fn from_iter<I: IntoIterator<Item = &'a str>>(iter: I) -> Self {
        let mut params = Params::default();
        iter.into_iter().for_each(|param| params.push(param));
        params
    }
}

impl<'a> Deref for Params<'a> {
    type Target = [&'a str];

    fn deref(&self) -> &[&'a str] {
        // `len` never exceeds the array: only `push` raises it.
        &self.list[..self.len]
    }
}

/// The raw tags of a message: `key=value;key;+client/key=value`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tags<'a>(pub &'a str);

impl<'a> Tags<'a> {
    /// Each tag in order, its value still escaped.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.split(';').filter(|tag| !tag.is_empty()).map(|tag| tag.split_once('=').unwrap_or((tag, "")))
    }

    /// The unescaped value of `key`; the last one counts where a key stands twice.
    pub fn get(self, key: &str) -> Option<Cow<'a, str>> {
        self.iter().filter(|(k, _)| *k == key).last().map(|(_, value)| unescape(value))
    }

    /// The client-only tags (`+…`), escaped, as they may be relayed; those whose key is no tag key
    /// are left out.
    pub fn client_only(self) -> impl Iterator<Item = &'a str> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'/');
        self.0.split(';').filter(move |tag| {
            let name = tag.split('=').next().and_then(|key| key.strip_prefix('+'));
            name.is_some_and(|name| !name.is_empty() && name.bytes().all(legal))
        })
    }
}

/// A tag's value as it was meant (IRCv3 message-tags, "Escaping values").
pub fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut plain = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some(':') => plain.push(';'),
            Some('s') => plain.push(' '),
            Some('r') => plain.push('\r'),
            Some('n') => plain.push('\n'),
            Some(other) => plain.push(other),
            None => {}
        }
    }
    Cow::Owned(plain)
}

/// A tag's value as it is written (IRCv3 message-tags, "Escaping values").
pub fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            ';' => escaped.push_str("\\:"),
            ' ' => escaped.push_str("\\s"),
            '\\' => escaped.push_str("\\\\"),
            '\r' => escaped.push_str("\\r"),
            '\n' => escaped.push_str("\\n"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_parses_back() {
        for line in [
            "PING",
            ":a!b@c PRIVMSG #d :e f",
            "@k=v;+c/d=e\\sf :src CMD a b :",
            "CMD a ::b",
            "CMD 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
        ] {
            let message = Message::parse(line).unwrap();
            let written = message.to_string();
            assert_eq!(Message::parse(&written).unwrap(), message, "{line} / {written}");
        }
    }

    #[test]
    fn lines_without_a_command_are_none() {
        for line in ["", " ", "@tag", "@tag ", ":source", ":source ", "@t :s "] {
            assert_eq!(Message::parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn the_last_of_two_equal_tags_counts() {
        let message = Message::parse("@a=1;a=2\\:3;+x;+bad_key=1;+y/z=4 CMD").unwrap();
        assert_eq!(message.tags.get("a").unwrap(), "2;3");
        assert_eq!(message.tags.client_only().collect::<Vec<_>>(), ["+x", "+y/z=4"]);
    }
}
