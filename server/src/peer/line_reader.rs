//! Lines of IRC programs and of people at terminals, told apart by their first bytes.

use std::convert::Infallible;

use futures_lite::future;

use super::connection::READ;
use super::feed::{End, Feed};
use super::handshake::{self, shake_hands};
use super::raw_reader::{self, Came, LIKELY_HTTP};
use super::request_line::{RequestLine, request_line};
use super::speaker::{self, Verdict};
use super::telnet::Telnet;
use crate::hub::{News, Speaker};
use crate::protocol::line::Framer;
use crate::start::config::Encryption;

/// Reads lines until the peer ends, or has to be ended.
pub(super) async fn read(feed: &Feed) -> Result<Infallible, End> {
    let mut framer = Framer::default();
    let mut telnet = Telnet::default();
    let (speaker, mut framed, mut ended) = match Box::pin(tell_apart(feed, &mut telnet)).await? {
        Peer::Lines { speaker, read, ended } => (speaker, framer.push(&read), ended),
        Peer::Raw { read, came } => return Box::pin(raw_reader::go_on(feed, read, came)).await,
    };
    if telnet.is_seen() {
        feed.tell(News::Telnet).await?;
    }
    feed.tell(News::Speaks(speaker, None)).await?;
    loop {
        let (block, sound) = framed;
        let step = match block {
            Some(block) => feed.forward(block),
            None => feed.tell(News::Alive),
        };
        step.await?;
        sound.map_err(End::Framing)?;
        if ended {
            break;
        }
        let count;
        let take = |bytes: &[u8]| match speaker {
            Speaker::Plain => (bytes.len(), framer.push(&telnet.strip(bytes))),
            _ => (bytes.len(), framer.push(bytes)),
        };
        (count, framed) = feed.connection.receive(take).await?;
        ended = count == 0;
        if count == READ {
            // There is more: let others have their turn first.
            future::yield_now().await;
        }
    }
    // A person's last line counts without a line end too; half a command does not, nor what broke off.
    let rest = framer.take_unfinished();
    if speaker == Speaker::Plain && !rest.is_empty() && !feed.connection.is_broken() {
        feed.forward(rest.into()).await?;
    }
    Err(End::Closed)
}

/// A peer that has been told apart, and what was read for that.
enum Peer {
    Lines { speaker: Speaker, read: Vec<u8>, ended: bool },
    Raw { read: Vec<u8>, came: Came },
}

/// Waits until it is clear what the peer speaks, and asks a silent one for a name.
async fn tell_apart(feed: &Feed, telnet: &mut Telnet) -> Result<Peer, End> {
    let plain = feed.config.plain;
    let mut read = Vec::new();
    let mut ended = false;
    // Whoever is to encrypt begins by themselves.
    let readable = feed.config.tls != Encryption::Only || feed.connection.ip.is_loopback();
    let mut asked = !plain || !readable;
    let mut acceptor = feed.acceptor.as_deref();
    let mut hello = Vec::new();
    // A terminal in character mode sends each key by itself: its silence ends nothing.
    let mut keys = true;
    let mut silent = true;
    loop {
        if silent && !read.is_empty() {
            // From now on it has so long to say who it is.
            feed.tell(News::Alive).await?;
            silent = false;
        }
        if let Some(acceptor) = acceptor.take_if(|_| !hello.is_empty()) {
            feed.tell(News::Alive).await?;
            shake_hands(feed, acceptor, std::mem::take(&mut hello)).await?;
            (asked, ended) = (!plain, false);
            continue;
        }
        let welcome = readable || feed.connection.is_encrypted();
        match speaker::tell(&read, ended) {
            Verdict::Refuse(reason) => return Err(End::Refused(reason)),
            verdict if !welcome && verdict != Verdict::Unclear => {
                return Err(refuse_readable(feed, verdict));
            }
            Verdict::Irc => return Ok(Peer::Lines { speaker: Speaker::Irc, read, ended }),
            Verdict::Plain if plain => return Ok(Peer::Lines { speaker: Speaker::Plain, read, ended }),
            Verdict::Plain => return Err(End::Refused("Only IRC is spoken here")),
            Verdict::Raw => return raw(feed, read, if ended { Came::End } else { Came::Bytes }),
            Verdict::Unclear if ended => return Err(End::Closed),
            Verdict::Unclear => {}
        }
        let raw_if_silent = !keys && speaker::raw_if_silent(&read);
        let silence = match request_line(&read) {
            RequestLine::Likely => LIKELY_HTTP,
            _ => feed.config.prompt_after,
        };
        let mut take = |bytes: &[u8]| {
            ended = bytes.is_empty();
            if acceptor.is_some() && read.is_empty() && bytes.first() == Some(&handshake::FIRST) {
                hello = bytes.to_vec();
                return;
            }
            let text = telnet.strip(bytes);
            keys &= speaker::is_key(&text);
            read.extend_from_slice(&text);
            speaker::strip_mark(&mut read);
        };
        if asked && !raw_if_silent {
            feed.connection.receive(&mut take).await?;
        } else if feed.connection.receive_within(silence, &mut take).await?.is_none() {
            if raw_if_silent && !welcome {
                return Err(refuse_readable(feed, Verdict::Raw));
            }
            if raw_if_silent {
                return raw(feed, read, Came::Quiet);
            }
            if read.is_empty() {
                asked = true;
                let name = &feed.config.hub.name;
                feed.connection.say(format!(":{name} NOTICE * :Type a nickname and press Enter\r\n"));
            }
        }
    }
}

/// Tells somebody from beyond this machine who does not encrypt, in their own form.
fn refuse_readable(feed: &Feed, verdict: Verdict) -> End {
    let sentence = "Only encrypted connections are taken here: use TLS, on this same port";
    match verdict {
        Verdict::Irc => feed.connection.say(format!("ERROR :Closing link: {sentence}\r\n")),
        _ => feed.connection.say(format!("-!- {sentence}\n")),
    }
    End::Refused("Not encrypted, which --tls only asks for")
}

/// A raw client at the listener for everybody.
fn raw(feed: &Feed, read: Vec<u8>, came: Came) -> Result<Peer, End> {
    if feed.config.plain {
        return Ok(Peer::Raw { read, came });
    }
    let sentence = "Only IRC programs are served here; ask for the address for raw clients (--raw-bind).\n";
    feed.connection.say(sentence.into());
    Err(End::Refused("A raw client, and only IRC is spoken here; --raw-bind serves them"))
}
