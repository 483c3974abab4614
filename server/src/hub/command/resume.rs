//! Coming back to what a lost connection had: the vendor capability `parlor/resume`.
//!
//! For authors of other clients, the whole grammar:
//!
//! - Ask for the capability `parlor/resume` (CAP REQ). Right after RPL_WELCOME (001) comes
//!   `:server RESUME TOKEN <token>`: 32 hexadecimal digits, good for one use. Each welcome brings
//!   a new one, and the old one is worth nothing then.
//! - Who has the capability and vanishes without QUIT stays in its rooms for 30 s; nobody is told.
//! - Come back: connect, negotiate, and when `parlor/resume` is acknowledged and before CAP END
//!   send `RESUME <token>`. The answer is one of
//!   - `:server RESUME ACCEPTED <nick>`: go on with USER and CAP END. A NICK, sent before or
//!     after, does not count. The welcome is for `<nick>`; after it come JOIN, topic and names of
//!     each room, and private messages that came meanwhile. The old connection, if it still
//!     stands, is closed with ERROR. Nobody else sees anything.
//!   - `:server RESUME RANKS`: nobody is there to come back to, but the token's holder had ranks
//!     in rooms. Register as usual, with NICK; they come back with each JOIN. So it is after a
//!     restart of the server, and for 30 days.
//!   - `:server FAIL RESUME INVALID_TOKEN :sentence`: it is unknown or was used. Register as usual.
//!   - `:server FAIL RESUME TOO_MANY :sentence`: three wrong ones on one connection.
//! - Whoever was accepted may still lose: should two connections bring one token, the one that
//!   registers first has it; and the 30 s may be over before CAP END. Then FAIL RESUME
//!   INVALID_TOKEN comes at the end of registration, which goes on with the NICK that was sent
//!   before RESUME, if any, or else waits for one.
//!
//! A PART gives the rank in that room up; QUIT does not.

use crate::hub::Hub;
use crate::hub::command::{Done, need};
use crate::hub::state::limits::MAX_WRONG;
use crate::hub::state::{ConnectionId, Token};
use crate::protocol::Capability;
use crate::protocol::Message;

pub(super) fn resume(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let token = need(message, 0)?;
    if !hub.state.member(id).is_some_and(|member| member.has(Capability::Resume)) {
        hub.fail(id, "RESUME", "INVALID_TOKEN", "Ask for the capability parlor/resume first");
        return Ok(());
    }
    let token = if token.len() == 32 { u128::from_str_radix(token, 16).ok() } else { None };
    let known = token.and_then(Token::new);
    if let Some((token, nick)) = known.and_then(|token| Some((token, hub.state.holder_of(token)?))) {
        let nick = hub.state.nick_of(nick).to_owned();
        hub.state.bring(id, token, true);
        hub.say_as_server(id, format!("RESUME ACCEPTED {nick}"));
        return Ok(());
    }
    if let Some(token) = known.filter(|token| hub.state.holds_ranks(*token)) {
        hub.state.bring(id, token, false);
        hub.say_as_server(id, "RESUME RANKS");
        return Ok(());
    }
    let Some(registration) = hub.state.member_mut(id).and_then(|member| member.registration.as_mut()) else {
        return Ok(());
    };
    registration.wrong += 1;
    if registration.wrong >= MAX_WRONG {
        hub.fail(id, "RESUME", "TOO_MANY", "Too many wrong tokens");
        hub.lost(id, "Too many wrong tokens");
        return Ok(());
    }
    hub.fail(id, "RESUME", "INVALID_TOKEN", "The token is unknown or was used; register as usual");
    Ok(())
}

impl Hub {
    /// Registration would be done: tells those who were to have a place that is not there any
    /// more, for somebody else came first or it was waited for too long. Ranks that the token
    /// still stands for come back all the same.
    pub(crate) fn refuse_late_resume(&mut self, id: ConnectionId) {
        let gone = !self.state.resumes(id);
        let registration = self.state.member_mut(id).and_then(|member| member.registration.as_mut());
        if registration.is_some_and(|registration| gone && std::mem::take(&mut registration.accepted)) {
            self.fail(id, "RESUME", "INVALID_TOKEN", "The place is gone by now; send a NICK");
        }
    }
}
