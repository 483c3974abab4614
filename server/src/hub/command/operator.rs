//! OPER, and what those who hold the key may do: KILL, WALLOPS, CONSOLE.

use crate::hub::Hub;
use crate::hub::change::{Asker, Change};
use crate::hub::command::{Done, need};
use crate::hub::state::ConnectionId;
use crate::hub::state::modes::ModeChange;
use crate::protocol::Message;
use crate::protocol::Numeric::*;

pub(super) fn oper(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let key = need(message, 0).and(need(message, 1))?;
    let known = hub.state.settings.oper_key.clone();
    let right = known.map_or(Some(false), |known| hub.knows(id, &known, key));
    let Some(member) = hub.state.member(id) else { return Ok(()) };
    let (name, peer) = (member.name().to_owned(), member.peer);
    if right != Some(true) {
        hub.log_about(peer, format!("refused: OPER by {name} from {peer} (wrong key)"));
        let why = right.map_or(":Too many wrong keys; try again in a minute", |_| ":Wrong key");
        return Err((ERR_PASSWDMISMATCH, why.into()));
    }
    hub.log(format!("operator: {name} from {peer}"));
    hub.reply(id, RPL_YOUREOPER, ":You are now a server operator");
    hub.propose(
        id,
        Change::UserModes { changes: vec![ModeChange { on: true, letter: 'o', argument: "" }].into() },
    );
    Ok(())
}

pub(super) fn kill(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let (nick, reason) = (need(message, 0)?, message.params.filled(1));
    holds_the_key(hub, id)?;
    hub.propose(id, Change::Kill { nick, reason });
    Ok(())
}

pub(super) fn wallops(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let text = need(message, 0)?;
    holds_the_key(hub, id)?;
    hub.propose(id, Change::Wallops { text });
    Ok(())
}

pub(super) fn console(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let line = need(message, 0)?;
    holds_the_key(hub, id)?;
    hub.console(line, Asker::Operator(id));
    Ok(())
}

fn holds_the_key(hub: &Hub, id: ConnectionId) -> Done {
    let operator = hub.state.member(id).is_some_and(|member| member.operator);
    let denied = ":Permission denied: server operators only (OPER)";
    if operator { Ok(()) } else { Err((ERR_NOPRIVILEGES, denied.into())) }
}
