//! A command on its way to the engine.

use crate::protocol::Position;

/// The words of a command, as they are sent: each with its length before it.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    count: usize,
    bytes: Vec<u8>,
}

impl Words {
    /// Appends a word.
    pub(super) fn add(&mut self, word: &[u8]) -> &mut Words {
        header(&mut self.bytes, b'$', word.len());
        self.bytes.extend_from_slice(word);
        self.bytes.extend_from_slice(b"\r\n");
        self.count += 1;
        self
    }

    /// Appends a number.
    pub(super) fn number(&mut self, number: u64) -> &mut Words {
        self.add(number.to_string().as_bytes())
    }

    /// Appends a place.
    pub(super) fn place(&mut self, place: Position) -> &mut Words {
        self.add(place.to_string().as_bytes())
    }

    /// Appends these.
    pub(super) fn all(&mut self, words: &[&str]) -> &mut Words {
        for word in words {
            self.add(word.as_bytes());
        }
        self
    }

    /// Appends those of another.
    pub(super) fn join(&mut self, other: &Words) -> &mut Words {
        self.count += other.count;
        self.bytes.extend_from_slice(&other.bytes);
        self
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// How many bytes they have.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Appends the command to what is sent.
    pub(super) fn send(&self, output: &mut Vec<u8>) {
        header(output, b'*', self.count);
        output.extend_from_slice(&self.bytes);
    }
}

fn header(output: &mut Vec<u8>, kind: u8, length: usize) {
    output.push(kind);
    output.extend_from_slice(length.to_string().as_bytes());
    output.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_an_array_of_strings() {
        let mut rest = Words::default();
        rest.number(7).add(b"a\r\nb");
        let mut words = Words::default();
        words.all(&["GET", ""]).place(Position { millis: 1, count: 2 }).join(&rest);
        let mut output = Vec::new();
        words.send(&mut output);
        assert_eq!(output, b"*5\r\n$3\r\nGET\r\n$0\r\n\r\n$3\r\n1-2\r\n$1\r\n7\r\n$4\r\na\r\nb\r\n");
        assert_eq!((words.count(), rest.count()), (5, 2));
    }
}
