//! The connection on which other servers hand this one something.

use std::rc::Rc;
use std::time::Duration;

use super::connection::{Connection, PATIENCE};
use super::error::Error;
use super::reply::Reply;
use super::shared::{Event, FIRST_PAUSE, Part, Shared};

/// Listens for ever.
pub(super) async fn hear(shared: &Rc<Shared>) -> String {
    let mut pause = FIRST_PAUSE;
    loop {
        if let Err(error) = listen(shared, &mut pause).await {
            shared.pause(Part::Listener, &mut pause, &error).await;
        }
    }
}

async fn listen(shared: &Shared, pause: &mut Duration) -> Result<(), Error> {
    let mut connection = Connection::open(&shared.me.address, PATIENCE).await?;
    let channel = format!("{}to:{}", shared.me.prefix, shared.me.server);
    connection.say(&[b"SUBSCRIBE", channel.as_bytes()]);
    connection.send().await?;
    let mut asked = true;
    loop {
        match connection.reply(PATIENCE).await {
            // Nobody speaks: is the engine still there?
            Err(Error::Silent { .. }) if !asked => {
                asked = true;
                connection.say(&[b"PING"]);
                connection.send().await?;
            }
            reply => {
                let reply = reply?;
                asked = false;
                *pause = FIRST_PAUSE;
                shared.up(Part::Listener);
                if let [kind, _, Reply::Text(bytes)] = reply.list()
                    && kind.text() == b"message"
                {
                    shared.tell(Event::Private(bytes.as_slice().into())).await;
                }
            }
        }
    }
}
