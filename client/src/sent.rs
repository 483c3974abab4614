//! What was sent before, for the arrow keys.

use std::collections::VecDeque;

/// Texts that come back; the oldest goes first.
const MAX_TEXTS: usize = 50;

/// The last texts that were sent, and the one that the arrows have reached.
#[derive(Debug, Default)]
pub struct Sent {
    texts: VecDeque<String>,
    /// `texts.len()`: none of them.
    at: usize,
}

impl Sent {
    /// A text that was just sent; the arrows begin behind it again.
    pub fn push(&mut self, text: String) {
        self.texts.push_back(text);
        if self.texts.len() > MAX_TEXTS {
            self.texts.pop_front();
        }
        self.at = self.texts.len();
    }

    /// The text before; the first one stays. Empty without any.
    pub fn earlier(&mut self) -> &str {
        self.at = self.at.saturating_sub(1);
        self.text()
    }

    /// The text after; empty behind the last one.
    pub fn later(&mut self) -> &str {
        self.at = (self.at + 1).min(self.texts.len());
        self.text()
    }

    fn text(&self) -> &str {
        self.texts.get(self.at).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrows_go_through_what_was_sent() {
        let mut sent = Sent::default();
        assert_eq!((sent.earlier(), Sent::default().later()), ("", ""));
        sent.push("first".into());
        sent.push("second".into());
        assert_eq!(sent.earlier(), "second");
        assert_eq!(sent.earlier(), "first");
        assert_eq!(sent.earlier(), "first");
        assert_eq!(sent.later(), "second");
        assert_eq!(sent.later(), "");
        assert_eq!(sent.later(), "");
        assert_eq!(sent.earlier(), "second");
    }

    #[test]
    fn the_oldest_goes_first() {
        let mut sent = Sent::default();
        (0..=MAX_TEXTS).for_each(|i| sent.push(i.to_string()));
        (0..MAX_TEXTS).for_each(|_| drop(sent.earlier().to_owned()));
        assert_eq!(sent.earlier(), "1");
    }
}
