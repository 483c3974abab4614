//! What happened, for whoever looks for the reason of a failure.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Bytes of one line that are shown.
const WIDE: usize = 3000;

/// Lines with their times; nothing is written down unless somebody wants it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace(Option<Rc<RefCell<Vec<String>>>>);

impl Trace {
    pub(crate) fn on() -> Trace {
        Trace(Some(Rc::default()))
    }

    pub(crate) fn say(&self, now: Duration, what: impl FnOnce() -> String) {
        if let Some(lines) = &self.0 {
            let mut what = what();
            what.truncate(what.floor_char_boundary(WIDE));
            lines.borrow_mut().push(format!("{:10.4} {what}", now.as_secs_f64()));
        }
    }

    /// Says bytes of a connection, a line each.
    pub(crate) fn bytes(&self, now: Duration, how: &str, bytes: &[u8]) {
        if self.0.is_some() {
            for line in String::from_utf8_lossy(bytes).split_inclusive('\n') {
                self.say(now, || format!("{how} {}", line.escape_debug()));
            }
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.as_ref().map_or_else(Vec::new, |lines| lines.borrow().clone())
    }
}
