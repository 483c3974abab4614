//! Rooms: JOIN, PART, KICK, INVITE, TOPIC.

use crate::hub::Hub;
use crate::hub::change::Change;
use crate::hub::command::{Done, first_time, names, need};
use crate::hub::state::ConnectionId;
use crate::hub::state::limits::{MAX_INVITED, MAX_JOINS, MAX_KICK, MAX_TARGETS, MAX_TOPIC};
use crate::hub::state::refusal::{no_such_room, shown, too_long, too_many_targets};
use crate::protocol::Message;
use crate::protocol::Numeric::*;
use crate::protocol::RoomName;

/// Rooms of one JOIN or PART that cost a line of flood control: a program that comes back joins all of its
/// rooms at once.
const JOINS_A_LINE: u32 = 4;

pub(super) fn join(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let rooms = need(message, 0)?;
    if rooms == "0" && message.params.len() == 1 {
        // To leave all rooms (RFC 2812 §3.2.1).
        for room in hub.state.room_names_of(id) {
            hub.propose(id, Change::Part { room: &room, reason: None });
        }
        return Ok(());
    }
    let count = rooms.split(',').count();
    if count > MAX_JOINS {
        return Err(too_many_targets(count));
    }
    hub.delivery.charge(id, count as u32 / JOINS_A_LINE);
    let mut keys = message.params.filled(1).unwrap_or_default().split(',');
    let mut first_time = first_time();
    for name in names(rooms) {
        let key = keys.next().unwrap_or_default();
        if !first_time(name) {
            continue;
        }
        match RoomName::parse(name) {
            Ok(room) => hub.propose(id, Change::Join { room, key }),
            Err(error) => hub.reply(id, ERR_BADCHANMASK, format!("{} :{error}", shown(name))),
        }
    }
    Ok(())
}

pub(super) fn part(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let rooms = need(message, 0)?;
    let count = rooms.split(',').count();
    if count > MAX_JOINS {
        return Err(too_many_targets(count));
    }
    hub.delivery.charge(id, count as u32 / JOINS_A_LINE);
    let reason = message.params.filled(1);
    let mut first_time = first_time();
    let rooms = names(rooms).filter(|room| first_time(room));
    rooms.for_each(|room| hub.propose(id, Change::Part { room, reason }));
    Ok(())
}

/// `KICK room nick`, or as many rooms as nicks, or one room and several nicks (RFC 2812 §3.2.8).
pub(super) fn kick(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let rooms: Vec<&str> = names(need(message, 0)?).collect();
    let nicks: Vec<&str> = names(need(message, 1)?).collect();
    let reason = message.params.filled(2);
    if nicks.len() > MAX_TARGETS {
        return Err(too_many_targets(nicks.len()));
    }
    hub.delivery.charge(id, nicks.len().saturating_sub(1) as u32);
    if rooms.len() != 1 && rooms.len() != nicks.len() {
        return Err((ERR_NEEDMOREPARAMS, "KICK :Name one room, or as many as people".into()));
    }
    if reason.is_some_and(|reason| reason.len() > MAX_KICK) {
        return Err(too_long());
    }
    let mut first_time = first_time();
    for (i, nick) in nicks.iter().enumerate() {
        if let Some(room) = rooms.get(i).or(rooms.first())
            && first_time(&format!("{room} {nick}"))
        {
            hub.propose(id, Change::Kick { room, nick, reason });
        }
    }
    Ok(())
}

pub(super) fn invite(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    if !message.params.is_empty() {
        let (nick, room) = (need(message, 0)?, need(message, 1)?);
        hub.propose(id, Change::Invite { nick, room });
        return Ok(());
    }
    let rooms = hub.state.rooms.from(0).filter(|(_, room)| room.invited.contains(&id));
    let rooms: Vec<String> = rooms.take(MAX_INVITED).map(|(_, room)| room.name.to_string()).collect();
    rooms.into_iter().for_each(|room| hub.reply(id, RPL_INVITELIST, room));
    hub.reply(id, RPL_ENDOFINVITELIST, ":End of invite list");
    Ok(())
}

pub(super) fn topic(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let room = need(message, 0)?;
    match message.params.get(1) {
        None => show_topic(hub, id, room),
        Some(text) if text.len() > MAX_TOPIC => Err(too_long()),
        Some(text) => {
            hub.propose(id, Change::Topic { room, text });
            Ok(())
        }
    }
}

fn show_topic(hub: &mut Hub, id: ConnectionId, name: &str) -> Done {
    let visible = hub.state.room_named(name).filter(|(room, _)| hub.state.sees(id, *room));
    let (room, state) = visible.ok_or_else(|| no_such_room(name))?;
    if state.topic.is_none() {
        return Err((RPL_NOTOPIC, format!("{name} :No topic is set")));
    }
    hub.topic_lines(id, room).into_iter().for_each(|line| hub.send_reply(id, line));
    Ok(())
}
