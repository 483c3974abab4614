//! News for the hub task, from readers, listeners and the operator.

use std::borrow::Cow;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use async_channel::Sender;
use smol::Async;

use crate::hub::{ConnectionId, Guest, Operation, Speaker};
use crate::start::listen::ListenerKind;

/// See the [module](self).
pub(crate) enum Arrival {
    Opened { stream: Box<Async<TcpStream>>, peer: SocketAddr, listener: ListenerKind },
    Speaks { id: ConnectionId, speaker: Speaker, name: Option<Box<str>> },
    Lines { id: ConnectionId, block: Box<[u8]> },
    Alive { id: ConnectionId },
    Delayed { id: ConnectionId, by: Duration },
    Drained { id: ConnectionId },
    // The peer closed its side.
    HungUp { id: ConnectionId },
    // It broke, or the server has to close it.
    Lost { id: ConnectionId, reason: Cow<'static, str> },
    // Close without a word.
    Refused { id: ConnectionId, reason: &'static str },
    Console(String),
    Operate(Operation),
    // The host wants to know who is here.
    Guests(Sender<Vec<Guest>>),
    Stop,
}
