//! The operator: the console's commands, and OPER, KILL, WALLOPS and CONSOLE for those who
//! hold the key.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::hub::delivery::event::What;
use crate::hub::state::admission::{Ban, party};
use crate::hub::state::room::RoomId;
use crate::hub::{ConnectionId, Hub, Output, Speaker};
use crate::protocol::Numeric::*;
use crate::protocol::line::MAX_BODY;
use crate::protocol::text::{self, first_word, printable};

/// Bytes of one announcement; a longer one goes out as several.
const MAX_ANNOUNCEMENT: usize = 360;
/// Lines of an answer to an operator who is not at the console.
const MAX_REMOTE_LINES: usize = 100;
/// Seconds that `/stop` waits at most.
const MAX_STOP: u64 = 3600;

/// Somebody who is here, as the operator and the host see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// The name.
    pub nick: String,
    /// The real address and port.
    pub peer: SocketAddr,
    /// The program: `irc`, `plain`, `raw, …`.
    pub speaker: Speaker,
    /// Marked as away.
    pub away: bool,
    /// The rooms, in the order of joining.
    pub rooms: Vec<String>,
}

/// Who gave a line to the console, and so who hears the answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asker {
    /// The server's standard input.
    Console,
    /// A server operator, from afar.
    Operator(ConnectionId),
}

/// How long a ban without minutes lasts: bans are not kept.
const FOR_LONG: &str = "until /unban, or the server's end";

const HELP: &[&str] = &[
    "A line without / is announced to everyone. //text announces /text.",
    "/who                        everyone, with addresses",
    "/rooms                      all rooms",
    "/op NICK ROOM               makes somebody operator of a room",
    "/kick NICK [why]            disconnects somebody",
    "/ban IP|NICK [minutes]      disconnects an address and keeps it out",
    "/unban IP                   lets it in again",
    "/bans                       who is kept out",
    "/stop [seconds]             stops the server",
];

impl Hub {
    /// Everyone who is here.
    pub fn guests(&self) -> Vec<Guest> {
        self.everyone()
            .map(|(_, member)| Guest {
                nick: member.name().to_owned(),
                peer: member.peer,
                speaker: member.speaker,
                away: member.away.is_some(),
                rooms: member
                    .rooms
                    .iter()
                    .filter_map(|place| self.rooms.get(place.room).map(|room| room.name.to_string()))
                    .collect(),
            })
            .collect()
    }

    /// A line at the console.
    pub(crate) fn console<'a>(&mut self, line: &'a str, asker: Asker) {
        let line = line.trim();
        if let Some(text) = line.strip_prefix('/').filter(|text| text.starts_with('/')) {
            return self.announce(text);
        }
        let Some(command) = line.strip_prefix('/') else {
            if !line.is_empty() {
                self.announce(line);
            }
            return;
        };
        let (word, rest) = first_word(command);
        let (first, more) = first_word(rest);
        let filled = |text: &'a str| Some(text).filter(|text| !text.is_empty());
        let answer = match (word, filled(first), filled(first_word(more).0)) {
            ("help", ..) => return self.answer_all(asker, HELP.iter().map(|line| (*line).into()).collect()),
            ("rooms", ..) => return self.answer_all(asker, self.console_rooms()),
            ("bans", ..) => {
                let bans = self.console_bans();
                return self.answer_all(asker, bans);
            }
            ("who", ..) => Ok(self.console_who(asker)),
            ("op", Some(nick), Some(room)) => self.console_op(nick, room),
            ("kick", Some(nick), _) => self.console_kick(nick, more),
            ("ban", Some(whom), minutes) => self.console_ban(asker, whom, minutes),
            ("unban", Some(ip), _) => self.console_unban(ip),
            ("stop", seconds, _) => match self.console_stop(seconds) {
                Ok(()) => return,
                Err(why) => Err(why),
            },
            #[cfg(test)]
            ("panic", ..) => panic!("as the test asked"),
            (word @ ("op" | "kick" | "ban" | "unban"), ..) => {
                let usage = HELP.iter().find(|line| line[1..].starts_with(word)).copied().unwrap_or_default();
                Err(format!("/{word} needs more: {usage}"))
            }
            (word, ..) => Err(format!("/{word} is no command; /help lists them")),
        };
        let (Ok(text) | Err(text)) = answer;
        self.answer(asker, text);
    }

    fn answer(&mut self, asker: Asker, text: String) {
        match asker {
            Asker::Console => self.delivery.output(Output::Console(text)),
            Asker::Operator(id) => {
                for piece in text::pieces(&text, MAX_ANNOUNCEMENT) {
                    self.explain(id, piece);
                }
            }
        }
    }

    /// A long answer: to the terminal whole, to an operator afar as much as its outbox holds
    /// easily.
    fn answer_all(&mut self, asker: Asker, mut lines: Vec<String>) {
        if let Asker::Console = asker {
            return self.answer(asker, lines.join("\n"));
        }
        let more = lines.len().saturating_sub(MAX_REMOTE_LINES);
        lines.truncate(MAX_REMOTE_LINES);
        if more > 0 {
            lines.push(format!("… and {more} more; the console shows all"));
        }
        lines.iter().for_each(|line| self.answer(asker, line.trim_end().into()));
    }

    /// The server speaks once in every room, and to those who are in none.
    pub(crate) fn announce(&mut self, text: &str) {
        let text = printable(text);
        let rooms = self.rooms.from(0).filter(|(_, room)| room.is_alive());
        let rooms: Vec<(RoomId, String)> = rooms.map(|(id, room)| (id, room.name.to_string())).collect();
        let roomless: Vec<(ConnectionId, String)> = self
            .everyone()
            .filter(|(_, member)| member.rooms.is_empty())
            .map(|(id, member)| (id, member.name().to_owned()))
            .collect();
        for text in text::pieces(&text, MAX_ANNOUNCEMENT) {
            for (room, name) in &rooms {
                let event = self.server_event(What::Announcement { target: name, text });
                self.tell_room(*room, &event, None, 0);
                self.record(*room, &event, 0);
            }
            for (id, name) in &roomless {
                let event = self.server_event(What::Announcement { target: name, text });
                self.tell(*id, &event);
            }
            if self.settings.narrate {
                self.delivery.output(Output::Console(format!("-!- server: {text}")));
            }
        }
        self.log(format!("announced; members: {}", self.population.registered));
    }

    fn console_who(&mut self, asker: Asker) -> String {
        let lines: Vec<String> = self
            .guests()
            .into_iter()
            .map(|Guest { nick, peer, speaker, away, rooms }| {
                let away = if away { ", away" } else { "" };
                let rooms = if rooms.is_empty() { "no room".into() } else { rooms.join(" ") };
                format!("{nick}  {peer}  {rooms}  ({speaker}{away})")
            })
            .collect();
        let total = format!("{} here", lines.len());
        self.answer_all(asker, lines);
        total
    }

    fn console_rooms(&self) -> Vec<String> {
        let rooms = self.rooms.from(0).map(|(_, room)| {
            let topic = printable(room.topic.as_ref().map_or("", |topic| &topic.text));
            format!("{}  {} people  {}  {topic}", room.name, room.seats().len(), room.modes(true))
        });
        rooms.collect()
    }

    /// Who has this name.
    fn known(&self, nick: &str) -> Result<ConnectionId, String> {
        self.find(nick).ok_or_else(|| format!("Nobody here is called {nick}; /who lists everyone"))
    }

    pub(super) fn console_op(&mut self, nick: &str, room: &str) -> Result<String, String> {
        let id = self.known(nick)?;
        let found = self.room_named(room).map(|(room, state)| (room, state.name.to_string()));
        let (room, name) = found.ok_or_else(|| format!("There is no room {room}; /rooms lists them"))?;
        let nick = self.nick_of(id).to_owned();
        let Some(place) = self.place(id, room) else {
            // A room whose operators are gone may let nobody in.
            self.note_invited(room, id);
            let event = self.server_event(What::Invite { nick: &nick, room: &name });
            self.tell(id, &event);
            return Ok(format!("{nick} is not in {name}, but may come in now; then /op {nick} {name} again"));
        };
        self.change_rank(id, place, true, 'o');
        let change = format!("+o {nick}");
        let event = self.server_event(What::Mode { target: &name, change: &change });
        self.tell_room(room, &event, None, 0);
        self.record(room, &event, 0);
        self.log(format!("operator of {name}: {nick}"));
        Ok(format!("{nick} is operator of {name} now"))
    }

    pub(super) fn console_kick(&mut self, nick: &str, why: &str) -> Result<String, String> {
        let id = self.known(nick)?;
        let nick = self.nick_of(id).to_owned();
        let reason = if why.is_empty() { "Kicked".into() } else { format!("Kicked: {}", printable(why)) };
        self.expel(id, &reason);
        Ok(format!("{nick} is disconnected"))
    }

    /// Disconnects somebody for a reason from the operator.
    fn expel(&mut self, id: ConnectionId, reason: &str) {
        let reason = text::pieces(reason, 300).first().copied().unwrap_or_default();
        self.closing_line(id, reason);
        // The words are a person's: not for the log.
        self.depart(id, reason, "by the operator");
    }

    pub(super) fn console_ban(
        &mut self,
        asker: Asker,
        whom: &str,
        minutes: Option<&str>,
    ) -> Result<String, String> {
        let named = self.find(whom).and_then(|id| self.member(id)).map(|member| member.peer.ip());
        let ip = whom.parse::<IpAddr>().ok().or(named).map(party);
        let ip = ip.ok_or_else(|| format!("{whom} is neither an address nor a name that is here"))?;
        let minutes: Option<u32> = match minutes {
            None => None,
            Some(minutes) => {
                let minutes = minutes.parse().ok().filter(|minutes| *minutes > 0);
                Some(minutes.ok_or("The minutes of a ban are a whole number above 0")?)
            }
        };
        let until = minutes.map(|minutes| self.now.elapsed + Duration::from_secs(60 * u64::from(minutes)));
        self.admission.bans.insert(ip, Ban { until });
        let gone: Vec<ConnectionId> = (0..self.slots.len())
            .map(|slot| ConnectionId { slot: slot as u32, generation: self.slots[slot].generation })
            .filter(|id| self.member(*id).is_some_and(|member| party(member.peer.ip()) == ip))
            .filter(|id| !matches!(asker, Asker::Operator(own) if own == *id))
            .collect();
        let count = gone.len();
        gone.into_iter().for_each(|id| self.expel(id, "Banned"));
        let time = minutes.map_or(FOR_LONG.into(), |minutes| format!("for {minutes} min"));
        self.log(format!("banned: {ip} {time}"));
        Ok(format!("{ip} is banned {time}; {count} disconnected"))
    }

    fn console_unban(&mut self, ip: &str) -> Result<String, String> {
        let lifted = ip.parse().ok().and_then(|ip| self.admission.bans.remove(&party(ip)));
        lifted.ok_or_else(|| format!("{ip} is not banned; /bans lists who is"))?;
        self.log(format!("unbanned: {ip}"));
        Ok(format!("{ip} may come again"))
    }

    fn console_bans(&mut self) -> Vec<String> {
        let now = self.now.elapsed;
        self.admission.bans.retain(|_, ban| ban.until.is_none_or(|until| until > now));
        let left = |until: Duration| until.saturating_sub(now).as_secs().div_ceil(60);
        let bans = self.admission.bans.iter().map(|(ip, ban)| match ban.until {
            Some(until) => format!("{ip}  {} minutes left", left(until)),
            None => format!("{ip}  {FOR_LONG}"),
        });
        let mut lines: Vec<String> = bans.collect();
        lines.sort();
        if lines.is_empty() {
            lines.push("Nobody is banned".into());
        }
        lines
    }

    /// Asks for a stop. Says nothing if all is well: those who are here are told.
    fn console_stop(&mut self, seconds: Option<&str>) -> Result<(), String> {
        let seconds = seconds.map_or(Some(0), |seconds| seconds.parse().ok()).filter(|s| *s <= MAX_STOP);
        let seconds = seconds.ok_or_else(|| format!("/stop takes 0 to {MAX_STOP} seconds"))?;
        if seconds > 0 {
            self.announce(&format!("The server stops in {seconds} seconds"));
        }
        self.delivery.output(Output::Stop(Duration::from_secs(seconds)));
        Ok(())
    }

    pub(crate) fn oper(&mut self, id: ConnectionId, key: &str) {
        let right = self.settings.oper_key.as_deref().is_some_and(|known| same_secret(known, key));
        let Some(member) = self.member_mut(id) else { return };
        let (name, peer) = (member.name().to_owned(), member.peer);
        if !right {
            self.log(format!("refused: OPER by {name} from {peer} (wrong key)"));
            return self.reply(id, ERR_PASSWDMISMATCH, ":Wrong key");
        }
        if !std::mem::replace(&mut member.operator, true) {
            self.population.operators += 1;
        }
        self.log(format!("operator: {name} from {peer}"));
        self.reply(id, RPL_YOUREOPER, ":You are now a server operator");
        let line = format!(":{name} MODE {name} :+o\r\n");
        self.send_reply(id, line.into_bytes().into());
    }

    /// Whether a member is a server operator; if not, it is told.
    fn holds_the_key(&mut self, id: ConnectionId) -> bool {
        let operator = self.member(id).is_some_and(|member| member.operator);
        if !operator {
            self.reply(id, ERR_NOPRIVILEGES, ":Permission denied: server operators only (OPER)");
        }
        operator
    }

    pub(crate) fn kill(&mut self, id: ConnectionId, nick: &str, reason: Option<&str>) {
        if !self.holds_the_key(id) {
            return;
        }
        let Some(victim) = self.find(nick) else { return self.no_such_nick(id, nick) };
        let by = self.nick_of(id).to_owned();
        let reason = format!("Killed by {by}: {}", reason.unwrap_or("no reason given"));
        self.expel(victim, &reason);
    }

    pub(crate) fn wallops(&mut self, id: ConnectionId, text: &str) {
        if !self.holds_the_key(id) {
            return;
        }
        let event = self.event(id, What::Wallops { text });
        if event.body_len() > MAX_BODY {
            return self.too_long(id);
        }
        let readers: Vec<ConnectionId> =
            self.everyone().filter(|(_, member)| member.wallops).map(|(id, _)| id).collect();
        readers.into_iter().for_each(|reader| self.tell(reader, &event));
    }

    pub(crate) fn remote_console(&mut self, id: ConnectionId, line: &str) {
        if self.holds_the_key(id) {
            self.console(line, Asker::Operator(id));
        }
    }
}

/// Compares two secrets in a time that tells only their lengths.
fn same_secret(a: &str, b: &str) -> bool {
    let differ = a.bytes().zip(b.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    std::hint::black_box(differ) == 0 && a.len() == b.len()
}
