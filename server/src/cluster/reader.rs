//! The part that reads the log.

use std::time::Duration;

use super::connection::Connection;
use super::error::Error;
use super::history::{COUNT, entries};
use super::part::{Next, Part};
use super::reply::Reply;
use super::script::sound;
use super::shared::{DIFFERS, Event, FENCED, Role, Shared};
use super::words::Words;

/// The time for which the engine waits for an entry, and the same in milliseconds.
const BLOCK: Duration = Duration::from_millis(1500);
const BLOCK_MILLIS: &str = "1500";

/// See the [module](self).
pub(super) struct Reader;

impl Part for Reader {
    fn role(&self) -> Role {
        Role::Reader
    }

    fn begin(&mut self, _: &Shared) {}

    fn next(&mut self, shared: &Shared, connection: &mut Connection) -> Next {
        let mut words = Words::default();
        words.all(&["XREAD", "COUNT", COUNT, "BLOCK", BLOCK_MILLIS, "STREAMS", &shared.key("log")]);
        connection.say(words.place(shared.state.borrow().history.last));
        Next::Ask(1, BLOCK)
    }

    fn take(
        &mut self,
        shared: &Shared,
        replies: &[Reply],
        tell: &mut Vec<Event>,
    ) -> Result<Option<&'static str>, Error> {
        let reply = replies.first().unwrap_or(&Reply::Nil);
        sound(&shared.at(), reply)?;
        shared.up(Role::Reader);
        let read = entries(reply).ok_or_else(|| Error::Garbled { at: shared.at() })?;
        let mut told = Vec::with_capacity(read.len());
        let state = &mut *shared.state.borrow_mut();
        for kept in read {
            if kept.fences == shared.me.server {
                return Ok(Some(FENCED));
            }
            told.push(kept.entry.clone());
            if state.take(kept, shared.me.server).is_err() {
                return Ok(Some(DIFFERS));
            }
        }
        if !told.is_empty() {
            tell.push(Event::Entries(told));
        }
        Ok(None)
    }
}
