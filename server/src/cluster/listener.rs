//! The part to which other servers hand something.

use super::connection::{Connection, PATIENCE};
use super::error::Error;
use super::part::{Next, Part};
use super::reply::Reply;
use super::script::sound;
use super::shared::{Event, Role, Shared};
use super::words::Words;

/// See the [module](self).
#[derive(Default)]
pub(super) struct Listener {
    /// It has said what it listens to.
    subscribed: bool,
}

impl Part for Listener {
    fn role(&self) -> Role {
        Role::Listener
    }

    fn begin(&mut self, _: &Shared) {
        self.subscribed = false;
    }

    fn next(&mut self, shared: &Shared, connection: &mut Connection) -> Next {
        if !self.subscribed {
            self.subscribed = true;
            connection.pings = true;
            let [own, all] = [Some(shared.me.server), None].map(|server| shared.channel(server));
            connection.say(Words::default().all(&["SUBSCRIBE", &own, &all]));
        }
        Next::Ask(1, PATIENCE)
    }

    fn take(
        &mut self,
        shared: &Shared,
        replies: &[Reply],
        tell: &mut Vec<Event>,
    ) -> Result<Option<&'static str>, Error> {
        for reply in replies {
            sound(&shared.at(), reply)?;
            if let [kind, _, Reply::Text(bytes)] = reply.list()
                && kind.text() == b"message"
            {
                tell.push(Event::Private(bytes.as_slice().into()));
            }
        }
        shared.up(Role::Listener);
        Ok(None)
    }
}
