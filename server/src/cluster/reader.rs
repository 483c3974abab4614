//! The connection that reads the log.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use super::connection::{Connection, PATIENCE};
use super::error::Error;
use super::history::{COUNT, entries};
use super::shared::{DIFFERS, Event, FENCED, FIRST_PAUSE, Part, Shared};

/// The time for which the engine waits for an entry.
const BLOCK: Duration = Duration::from_millis(1500);

/// Reads for ever, or says why this server has to begin anew.
pub(super) async fn read(shared: &Rc<Shared>) -> String {
    let mut pause = FIRST_PAUSE;
    loop {
        match follow(shared, &mut pause).await {
            Ok(why) => return why.to_owned(),
            Err(error) => shared.pause(Part::Reader, &mut pause, &error).await,
        }
    }
}

async fn follow(shared: &Shared, pause: &mut Duration) -> Result<&'static str, Error> {
    let mut connection = Connection::open(&shared.me.address, PATIENCE).await?;
    let log = format!("{}log", shared.me.prefix);
    let block = BLOCK.as_millis().to_string();
    loop {
        let last = shared.state.borrow().history.last.to_string();
        let mut words: Vec<&[u8]> = vec![b"XREAD", b"COUNT", COUNT.as_bytes(), b"BLOCK", block.as_bytes()];
        words.extend([b"STREAMS".as_slice(), log.as_bytes(), last.as_bytes()]);
        connection.say(&words);
        let answer = connection.answer(BLOCK + PATIENCE);
        let reply = shared.watched(Part::Reader, BLOCK, pin!(answer)).await?;
        shared.up(Part::Reader);
        *pause = FIRST_PAUSE;
        let read = entries(&reply).ok_or_else(|| Error::Garbled { at: connection.at.clone() })?;
        if read.is_empty() {
            continue;
        }
        let mut told = Vec::with_capacity(read.len());
        for kept in read {
            if kept.fences == shared.me.server {
                return Ok(FENCED);
            }
            told.push(kept.entry.clone());
            if shared.state.borrow_mut().take(kept, shared.me.server).is_err() {
                return Ok(DIFFERS);
            }
        }
        shared.tell(Event::Entries(told)).await;
    }
}
