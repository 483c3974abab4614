//! Bytes on their way to connections, shared by all who get them.

use std::fmt;
use std::ops::{Deref, Range};
use std::rc::Rc;

/// A line as it goes out, line end included; encoded once, shared by all who get it.
pub type Line = Rc<[u8]>;

/// One line or several, line ends included: a piece of a block that others get pieces of, too.
#[derive(Clone)]
pub struct Lines {
    block: Rc<[u8]>,
    piece: Range<u32>,
}

impl Lines {
    /// `piece` lies in the block.
    pub(crate) fn new(block: Rc<[u8]>, piece: Range<u32>) -> Lines {
        Lines { block, piece }
    }

    /// The same bytes, without a block around them that is much larger: whoever keeps them for long
    /// keeps no more than twice as many.
    pub fn compact(&mut self) {
        if self.block.len() > 2 * self.len() {
            *self = Line::from(&**self).into();
        }
    }
}

impl Deref for Lines {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let (start, end) = (self.piece.start as usize, self.piece.end as usize);
        self.block.get(start..end).unwrap_or_default()
    }
}

impl From<Line> for Lines {
    fn from(line: Line) -> Lines {
        let piece = 0..line.len() as u32;
        Lines { block: line, piece }
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(self).fmt(f)
    }
}
