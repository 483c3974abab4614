//! MARKREAD: up to where somebody has read, on whatever device (IRCv3 draft/read-marker).

use std::sync::Arc;

use crate::hub::Hub;
use crate::hub::change::Change;
use crate::hub::command::Done;
use crate::hub::state::ConnectionId;
use crate::hub::state::refusal::shown;
use crate::hub::state::room::RoomId;
use crate::protocol::time::UnixMillis;
use crate::protocol::{Capability, Folded, Message, MsgId};

/// Lines of flood control that a mark costs besides its own: it is written down.
const COST: u32 = 1;

pub(super) fn markread(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    if hub.lacks(id, Capability::ReadMarker, "MARKREAD") {
        return Ok(());
    }
    let Some(target) = message.params.filled(0) else {
        hub.fail(id, "MARKREAD", "NEED_MORE_PARAMS", "It is MARKREAD TARGET, or MARKREAD TARGET timestamp=…");
        return Ok(());
    };
    let account = hub.state.member(id).and_then(|member| member.account.clone());
    let place = if target.starts_with('#') { hub.kept_at(id, target) } else { hub.person(id, target) };
    let Some((account, place)) = account.zip(place) else {
        let code = format!("INVALID_PARAMS {}", shown(target));
        hub.fail(id, "MARKREAD", &code, "Marks are for accounts: of rooms that they are in, and of people");
        return Ok(());
    };
    if let Some(given) = message.params.filled(1) {
        let Some(time) = given.strip_prefix("timestamp=").and_then(UnixMillis::parse) else {
            let code = format!("INVALID_PARAMS {}", shown(given));
            hub.fail(id, "MARKREAD", &code, "A time is timestamp=2026-11-20T09:12:03.456Z");
            return Ok(());
        };
        let upto = MsgId { boot: 0, millis: time.0.min(hub.state.now.wall.0), count: 0 };
        if hub.state.marked(&account, &place).is_none_or(|before| before < upto) {
            hub.delivery.charge(id, COST);
            hub.propose(id, Change::Read { target, place: &place, upto });
            return Ok(());
        }
    }
    hub.show_mark(id, target, &account, &place);
    Ok(())
}

impl Hub {
    /// The name of somebody else, as a mark is kept under it.
    fn person(&self, id: ConnectionId, target: &str) -> Option<Arc<str>> {
        let known = self.state.pair(id, target).is_some() || self.state.find(target).is_some();
        known.then(|| Folded::new(target).as_str().into())
    }

    fn show_mark(&mut self, id: ConnectionId, target: &str, account: &str, place: &str) {
        let time = match self.state.marked(account, place) {
            Some(mark) => format!("timestamp={}", mark.time()),
            None => "*".into(),
        };
        self.say_as_server(id, format!("MARKREAD {target} {time}"));
    }

    /// An account has read so far.
    pub(crate) fn read(&mut self, id: ConnectionId, target: &str, place: &str, upto: MsgId) {
        let Some(account) = self.state.member(id).and_then(|member| member.account.clone()) else { return };
        self.state.mark_read(&account, place.into(), upto);
        self.show_mark(id, target, &account, place);
    }

    /// Up to where somebody who came into a room has read it.
    pub(crate) fn show_room_mark(&mut self, id: ConnectionId, room: RoomId) {
        let (Some(member), Some(state)) = (self.state.member(id), self.state.rooms.get(room)) else { return };
        if !member.has(Capability::ReadMarker) {
            return;
        }
        let (name, folded) = (state.name.to_string(), state.folded.clone());
        match member.account.clone() {
            Some(account) => self.show_mark(id, &name, &account, &folded),
            None => self.say_as_server(id, format!("MARKREAD {name} *")),
        }
    }
}
