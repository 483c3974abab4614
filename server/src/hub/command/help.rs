//! HELP.

use crate::hub::Hub;
use crate::hub::command::{Access, Command, Done, FAMILIES, find};
use crate::hub::state::ConnectionId;
use crate::hub::state::refusal::shown;
use crate::protocol::Message;
use crate::protocol::Numeric::*;

pub(super) const HELP: Command = Command { verb: "HELP", access: Access::Members, help: "", run: help };
pub(super) const HELPOP: Command = Command { verb: "HELPOP", ..HELP };

fn help(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let subject = message.params.filled(0).unwrap_or("INDEX").to_ascii_uppercase();
    let lines = lines(&subject);
    let subject = shown(&subject);
    let Some((first, rest)) = lines.split_first() else {
        return Err((ERR_HELPNOTFOUND, format!("{subject} :No help on that; try HELP alone")));
    };
    hub.reply(id, RPL_HELPSTART, format!("{subject} :{first}"));
    for line in rest {
        hub.reply(id, RPL_HELPTXT, format!("{subject} :{line}"));
    }
    hub.reply(id, RPL_ENDOFHELP, format!("{subject} :End of HELP"));
    Ok(())
}

/// What is known of a subject: the index, a family of commands, or one of them.
fn lines(subject: &str) -> Vec<String> {
    let helpful = FAMILIES.iter().filter(|(_, commands)| commands.iter().any(|c| !c.help.is_empty()));
    if subject == "INDEX" {
        let start = "You talk to a Parlor server. HELP and a word tells more of:".to_owned();
        let index = helpful.map(|(family, commands)| {
            let verbs: Vec<&str> = commands.iter().map(|command| command.verb).collect();
            format!("{family:<8}{}", verbs.join(" "))
        });
        return std::iter::once(start).chain(index).collect();
    }
    let commands = match helpful.into_iter().find(|(family, _)| *family == subject) {
        Some((_, commands)) => commands.iter().collect(),
        None => Vec::from_iter(find(subject)),
    };
    commands.iter().flat_map(|command| command.help.lines()).map(Into::into).collect()
}
