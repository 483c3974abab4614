//! The output of a program, collected by a thread so that it never blocks, and waited on.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::{Deadline, glob};

/// Everything a stream has said so far, line by line.
#[derive(Debug, Clone, Default)]
pub struct Lines(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    said: Mutex<Said>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Said {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    /// Starts a thread that collects `stream` until it ends.
    pub fn drain(stream: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let shared = Arc::clone(&lines.0);
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
                shared.said.lock().unwrap_or_else(PoisonError::into_inner).lines.push(text);
                shared.changed.notify_all();
                line.clear();
            }
            shared.said.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
            shared.changed.notify_all();
        });
        lines
    }

    /// The first line that matches the pattern (`*` is any text; without one the line has it anywhere), past or to come;
    /// `None` when the stream ended or the deadline passed without it.
    #[must_use]
    pub fn wait(&self, pattern: &str, deadline: Deadline) -> Option<String> {
        self.wait_many(pattern, 1, deadline).pop()
    }

    /// As many matching lines as came, at most `count`, before the end of the stream or the deadline.
    #[must_use]
    pub fn wait_many(&self, pattern: &str, count: usize, deadline: Deadline) -> Vec<String> {
        let fits = |line: &&String| {
            if pattern.contains('*') { glob(pattern, line) } else { line.contains(pattern) }
        };
        let mut said = self.lock();
        loop {
            let found: Vec<String> = said.lines.iter().filter(fits).take(count).cloned().collect();
            let Some(left) = deadline.left() else {
                return found;
            };
            if found.len() == count || said.ended {
                return found;
            }
            said = self.0.changed.wait_timeout(said, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the stream has ended; false when the deadline passed first.
    #[must_use]
    pub fn wait_end(&self, deadline: Deadline) -> bool {
        let mut said = self.lock();
        while !said.ended {
            let Some(left) = deadline.left() else {
                return false;
            };
            said = self.0.changed.wait_timeout(said, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// All lines up to now.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        self.lock().lines.clone()
    }

    /// All lines up to now as one text.
    #[must_use]
    pub fn text(&self) -> String {
        self.lock().lines.join("\n")
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        self.0.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
