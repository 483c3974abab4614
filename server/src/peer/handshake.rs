//! The beginning of an encrypted connection, on a thread of its own: nobody else waits for it.

use super::connection::{Connection, Wire};
use super::feed::{End, Feed};
use crate::hub::News;
use crate::tls::Acceptor;

/// The first byte of a peer that encrypts: a record of the handshake (RFC 8446 §5.1). No line begins so.
pub(super) const FIRST: u8 = 0x16;
/// Times that a handshake may go on when more has come; it takes three or four.
const STEPS: usize = 16;
/// Bytes in front of a record: its kind, its version, its length.
const HEADER: usize = 5;
/// Bytes of a record at most (RFC 5246 §6.2.3).
const MAX_RECORD: usize = (1 << 14) + 2048;

/// Shakes hands with a peer that has begun with these bytes. Until the end nothing is written to it.
pub(super) async fn shake_hands(feed: &Feed, acceptor: &dyn Acceptor, mut read: Vec<u8>) -> Result<(), End> {
    let connection = &*feed.connection;
    connection.change_to(Wire::Closed);
    let mut session = acceptor.accept().ok_or(End::Broken)?;
    for _ in 0..STEPS {
        let records = whole_records(connection, &mut read).await?;
        let turn = acceptor.turns().acquire().await;
        let (taken, sound) = smol::unblock(move || {
            let sound = session.take_in(&records);
            (session, sound)
        })
        .await;
        drop(turn);
        session = taken;
        connection.write_all(|stream| session.flush(stream)).await?;
        if let Err(error) = sound {
            log::debug!("TLS with {}: {error}", connection.peer());
            return Err(End::Refused("The TLS handshake failed"));
        }
        if !session.is_handshaking() {
            session.take_in(&read)?;
            let certfp = session.certfp();
            connection.change_to(Wire::Encrypted(session));
            return feed.tell(News::Encrypted(certfp)).await;
        }
    }
    Err(End::Refused("A TLS handshake in too many pieces"))
}

/// Waits for a record, and takes it with those behind it that are whole as well.
async fn whole_records(connection: &Connection, read: &mut Vec<u8>) -> Result<Vec<u8>, End> {
    loop {
        let mut end = 0;
        while let Some([kind, version, _, high, low]) = read.get(end..end + HEADER) {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if !(0x14..=0x17).contains(kind) || *version != 3 || length > MAX_RECORD {
                return Err(End::Refused("It begins like TLS and is none"));
            }
            if read.len() < end + HEADER + length {
                break;
            }
            end += HEADER + length;
        }
        if end > 0 {
            return Ok(read.drain(..end).collect());
        }
        let mut ended = false;
        let take = |bytes: &[u8]| {
            ended = bytes.is_empty();
            read.extend_from_slice(bytes);
        };
        connection.receive(take).await?;
        if ended {
            return Err(End::Closed);
        }
    }
}
