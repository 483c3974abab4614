//! OPER, and what those who hold the key may do: KILL, WALLOPS, CONSOLE.

use crate::hub::Hub;
use crate::hub::change::{Asker, Change};
use crate::hub::command::{Access, Command, Done, need};
use crate::hub::state::ConnectionId;
use crate::hub::state::modes::ModeChange;
use crate::protocol::Numeric::*;

pub(super) const OPER: Command = Command {
    verb: "OPER",
    access: Access::Members,
    help: "OPER name key makes you a server operator; the key stands in the server's oper file.",
    run: |hub, id, message| {
        let key = need(message, 0).and(need(message, 1))?;
        let right = hub.state.settings.oper_key.as_deref().is_some_and(|known| same_secret(known, key));
        let Some(member) = hub.state.member(id) else { return Ok(()) };
        let (name, peer) = (member.name().to_owned(), member.peer);
        if !right {
            hub.log_about(peer, format!("refused: OPER by {name} from {peer} (wrong key)"));
            return Err((ERR_PASSWDMISMATCH, ":Wrong key".into()));
        }
        hub.log(format!("operator: {name} from {peer}"));
        hub.reply(id, RPL_YOUREOPER, ":You are now a server operator");
        hub.propose(id, Change::UserModes { changes: &[ModeChange { on: true, letter: 'o', argument: "" }] });
        Ok(())
    },
};

pub(super) const KILL: Command = Command {
    verb: "KILL",
    access: Access::Members,
    help: "KILL nick :reason disconnects.",
    run: |hub, id, message| {
        let (nick, reason) = (need(message, 0)?, message.params.filled(1));
        holds_the_key(hub, id)?;
        hub.propose(id, Change::Kill { nick, reason });
        Ok(())
    },
};

pub(super) const WALLOPS: Command = Command {
    verb: "WALLOPS",
    access: Access::Members,
    help: "WALLOPS :text reaches everybody with mode +w.",
    run: |hub, id, message| {
        let text = need(message, 0)?;
        holds_the_key(hub, id)?;
        hub.propose(id, Change::Wallops { text });
        Ok(())
    },
};

pub(super) const CONSOLE: Command = Command {
    verb: "CONSOLE",
    access: Access::Members,
    help: "CONSOLE :line is a line at the operator's console: an announcement, or /help.",
    run: |hub, id, message| {
        let line = need(message, 0)?;
        holds_the_key(hub, id)?;
        hub.console(line, Asker::Operator(id));
        Ok(())
    },
};

fn holds_the_key(hub: &Hub, id: ConnectionId) -> Done {
    let operator = hub.state.member(id).is_some_and(|member| member.operator);
    let denied = ":Permission denied: server operators only (OPER)";
    if operator { Ok(()) } else { Err((ERR_NOPRIVILEGES, denied.into())) }
}

/// Compares two secrets in a time that tells only their lengths.
fn same_secret(a: &str, b: &str) -> bool {
    let differ = a.bytes().zip(b.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    std::hint::black_box(differ) == 0 && a.len() == b.len()
}
