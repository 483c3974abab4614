//! News for the hub task, from readers, listeners and the operator.

use std::net::{SocketAddr, TcpStream};

use async_channel::Sender;
use smol::Async;

use crate::hub::{Guest, Input};
use crate::reload::Renewal;
use crate::start::listen::ListenerKind;

/// See the [module](self).
pub(crate) enum Arrival {
    Opened { stream: Box<Async<TcpStream>>, peer: SocketAddr, listener: ListenerKind },
    // For the hub as it is.
    Input(Input),
    // The host wants to know who is here.
    Guests(Sender<Vec<Guest>>),
    // Its files may have changed.
    Reload,
    Reloaded(Box<Result<Renewal, String>>),
    Stop,
}
