//! HELP.

use crate::hub::Hub;
use crate::hub::command::{Command, Done, FAMILIES, find};
use crate::hub::state::ConnectionId;
use crate::hub::state::refusal::shown;
use crate::protocol::Message;
use crate::protocol::Numeric::*;

/// What people type: each line begins with the command that it is about.
pub(super) const TEXT: &str = "\
PRIVMSG target :text talks to #room or nick; @#room reaches its operators only.
NOTICE is the same for programs: it is never answered.
TAGMSG has tags and no text.
AWAY [text] marks you as away, AWAY alone as back.
JOIN #room [key] goes into a room, or makes it.
PART #room [reason] leaves a room.
TOPIC #room [text] shows or sets what a room is about.
NAMES #room tells who is there.
LIST [mask,>n,<n] lists rooms.
INVITE nick #room asks somebody in, past its modes if you are its operator; INVITE alone tells where you are invited to.
KICK #room nick [reason] puts somebody out; for operators of the room.
HAND #room lists who wants to speak; UP raises your hand, DOWN lowers it, DOWN nick that of somebody.
MODE #room +b-e+I mask or ~a:account, +b ~m:mask to silence, +f seconds, +k key, +l n, +o nick, +v nick, +Rimnst
MODE nick +i hides you from strangers, +B marks a bot, +w hears WALLOPS.
NICK name renames you.
SETNAME :name changes your real name.
WHO #room or mask lists people.
WHOIS nick tells about somebody.
WHOWAS nick [count] tells about somebody who was here.
ISON nick … tells who of them is here.
USERHOST nick … tells their hosts.
NICKSERV REGISTER password makes your name yours; IDENTIFY name password logs in.
NS is the same.
MONITOR + nick tells when somebody comes and goes; - nick, C, L and S as usual.
MOTD shows the message of the day.
LUSERS tells how many are here.
VERSION tells what runs here, and its limits.
TIME tells the time of the server.
INFO tells what this program is.
ADMIN tells whom to ask.
LINKS lists the servers: this one.
STATS u tells how long the server runs.
OPER name key makes you a server operator; the key stands in the server's oper file.
KILL nick :reason disconnects.
WALLOPS :text reaches everybody with mode +w.
CONSOLE :line is a line at the operator's console: an announcement, or /help.
";

impl Command {
    /// Whether a line of the text tells about it.
    pub(super) fn is_about(&self, line: &str) -> bool {
        line.split(' ').next() == Some(self.verb)
    }

    fn help(&self) -> impl Iterator<Item = &'static str> {
        TEXT.lines().filter(|line| self.is_about(line))
    }
}

pub(super) fn help(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
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
    let mut helpful =
        FAMILIES.iter().filter(|(_, commands)| commands.iter().any(|c| c.help().next().is_some()));
    if subject == "INDEX" {
        let start = "You talk to a Parlor server. HELP and a word tells more of:".to_owned();
        let index = helpful.map(|(family, commands)| {
            let verbs: Vec<&str> = commands.iter().map(|command| command.verb).collect();
            format!("{family:<8}{}", verbs.join(" "))
        });
        return std::iter::once(start).chain(index).collect();
    }
    let commands = match helpful.find(|(family, _)| *family == subject) {
        Some((_, commands)) => commands.iter().collect(),
        None => Vec::from_iter(find(subject)),
    };
    commands.into_iter().flat_map(Command::help).map(Into::into).collect()
}
