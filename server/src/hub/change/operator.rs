//! What the operator has the server do, and what server operators do to others.

use std::time::Duration;

use crate::hub::Hub;
use crate::hub::change::tell::Audience;
use crate::hub::change::{Asker, Operation, Target};
use crate::hub::delivery::event::What;
use crate::hub::delivery::output::Output;
use crate::hub::state::ConnectionId;
use crate::hub::state::admission::{Ban, party};
use crate::hub::state::refusal::{Refused, nobody};
use crate::hub::state::room::Rank;
use crate::protocol::text::{self, printable};

/// Bytes of the reason of a KILL, kick or ban.
const MAX_REASON: usize = 300;
impl Hub {
    /// Does what the operator wants. The answer; none where what everybody is told says enough.
    pub(crate) fn perform(&mut self, operation: &Operation, asker: Asker) -> Result<Option<String>, String> {
        match operation {
            Operation::Announce { text } => {
                self.announce(text);
                Ok(None)
            }
            Operation::Op { nick, room } => self.make_operator(nick, room).map(Some),
            Operation::Kick { nick, why } => {
                let id = self.called(nick)?;
                let nick = self.state.nick_of(id).to_owned();
                let why = printable(why);
                self.expel(id, &if why.is_empty() { "Kicked".into() } else { format!("Kicked: {why}") });
                Ok(Some(format!("{nick} is disconnected")))
            }
            Operation::Ban { whom, minutes } => self.ban(whom, *minutes, asker).map(Some),
            Operation::Unban { address } => {
                let lifted = self.state.admission.bans.remove(&party(*address));
                lifted.ok_or_else(|| format!("{address} is not banned; /bans lists who is"))?;
                self.state.note_bans();
                self.log(format!("unbanned: {address}"));
                Ok(Some(format!("{address} may come again")))
            }
            Operation::Password { name } => {
                let password = self.set_password(name, asker)?;
                Ok(Some(format!("The new password of {name}: {password}")))
            }
            Operation::ForgetAccount { name } => {
                let there = self.forget_account(name).then(|| format!("{name} is nobody's name now"));
                there.map(Some).ok_or_else(|| format!("There is no account {name}; /accounts lists them"))
            }
            Operation::Stop { after } => {
                if *after > Duration::ZERO {
                    self.tell_here(&format!("The server stops in {} seconds", after.as_secs()));
                }
                self.delivery.output(Output::Stop(*after));
                Ok(None)
            }
        }
    }

    fn called(&self, nick: &str) -> Result<ConnectionId, String> {
        self.state.find(nick).ok_or_else(|| format!("Nobody here is called {nick}; /who lists everyone"))
    }

    fn make_operator(&mut self, nick: &str, room: &str) -> Result<String, String> {
        let id = self.called(nick)?;
        let found = self.state.room_named(room).map(|(room, state)| (room, state.name.to_string()));
        let (room, name) = found.ok_or_else(|| format!("There is no room {room}; /rooms lists them"))?;
        let nick = self.state.nick_of(id).to_owned();
        let Some(place) = self.state.place(id, room) else {
            // A room whose operators are gone may let nobody in.
            self.state.invite(room, id);
            let event = self.server_event(What::Invite { nick: &nick, room: &name });
            self.tell(id, &event);
            return Ok(format!("{nick} is not in {name}, but may come in now; then /op {nick} {name} again"));
        };
        self.state.change_rank(id, place, true, Rank::OPERATOR);
        let change = format!("+o {nick}");
        let event = self.server_event(What::Mode { target: &name, change: &change });
        self.tell_room(room, &event, Audience::Everyone);
        self.record(room, &event, None);
        self.log(format!("operator of {name}: {nick}"));
        Ok(format!("{nick} is operator of {name} now"))
    }

    fn ban(&mut self, whom: &Target, minutes: Option<u32>, asker: Asker) -> Result<String, String> {
        let ip = match whom {
            Target::Address(ip) => *ip,
            Target::Nick(nick) => {
                let found = self.state.find(nick).and_then(|id| self.state.member(id));
                let unknown = || format!("{nick} is neither an address nor a name that is here");
                found.ok_or_else(unknown)?.peer.ip()
            }
        };
        let ip = party(ip);
        let until = minutes.map(|minutes| self.state.clock() + Duration::from_secs(60 * u64::from(minutes)));
        self.state.admission.bans.insert(ip, Ban { until });
        self.state.note_bans();
        let mut gone = self.state.all_who(|_, member| party(member.peer.ip()) == ip);
        gone.retain(|id| !matches!(asker, Asker::Operator(own) if own == *id));
        let count = gone.len();
        gone.into_iter().for_each(|id| self.expel(id, "Banned"));
        let time = minutes.map_or(self.for_long().into(), |minutes| format!("for {minutes} min"));
        self.log(format!("banned: {ip} {time}"));
        Ok(format!("{ip} is banned {time}; {count} disconnected"))
    }

    /// How long a ban without minutes lasts.
    pub(crate) fn for_long(&self) -> &'static str {
        if self.state.settings.durable { "until /unban" } else { "until /unban, or the server's end" }
    }

    /// Disconnects somebody for a reason from an operator.
    pub(super) fn expel(&mut self, id: ConnectionId, reason: &str) {
        let reason = text::pieces(reason, MAX_REASON).first().copied().unwrap_or_default();
        self.closing_line(id, reason);
        // The words are a person's: not for the log.
        self.depart(id, reason, "by the operator");
    }

    pub(super) fn kill(&mut self, id: ConnectionId, nick: &str, reason: Option<&str>) -> Result<(), Refused> {
        let victim = self.state.find(nick).ok_or_else(|| nobody(nick))?;
        let by = self.state.nick_of(id);
        let reason = format!("Killed by {by}: {}", reason.unwrap_or("no reason given"));
        self.expel(victim, &reason);
        Ok(())
    }
}
