//! The operator's console: a line is announced, or is a `/command`.

use std::net::IpAddr;
use std::time::Duration;

use crate::hub::Hub;
use crate::hub::change::{Asker, MAX_ANNOUNCEMENT, Operation, Target};
use crate::hub::delivery::output::Output;
use crate::hub::state::guest::Guest;
use crate::protocol::sorted::sorted;
use crate::protocol::text::{self, first_word, printable};

/// Lines of an answer to an operator who is not at the console.
const MAX_REMOTE_LINES: usize = 100;
/// Seconds that `/stop` waits at most.
const MAX_STOP: u64 = 3600;

const HELP: &[&str] = &[
    "A line without / is announced to everyone. //text announces /text.",
    "/who                        everyone, with addresses",
    "/rooms                      all rooms",
    "/op NICK ROOM               makes somebody operator of a room",
    "/kick NICK [why]            disconnects somebody",
    "/ban IP|NICK [minutes]      disconnects an address and keeps it out",
    "/unban IP                   lets it in again",
    "/bans                       who is kept out",
    "/accounts                   whose names are somebody's",
    "/password NAME              gives an account a new password, or makes it",
    "/forget NAME                ends an account: its name is nobody's",
    "/stats                      how many are here, what was said, what the server takes",
    "/reload                     reads the files again, as SIGHUP does",
    "/stop [seconds]             stops the server",
];

/// What a `/command` has the server do, or what is wrong with it.
fn operation(word: &str, rest: &str) -> Result<Operation, String> {
    let (first, more) = first_word(rest);
    let filled = |text| Some(text).filter(|text: &&str| !text.is_empty());
    Ok(match (word, filled(first), filled(first_word(more).0)) {
        ("op", Some(nick), Some(room)) => Operation::Op { nick: nick.into(), room: room.into() },
        ("kick", Some(nick), _) => Operation::Kick { nick: nick.into(), why: more.into() },
        ("ban", Some(whom), minutes) => {
            let address = whom.parse().map(Target::Address);
            let minutes: Option<Result<u32, _>> = minutes.map(str::parse);
            let minutes = match minutes {
                None => None,
                Some(Ok(minutes)) if minutes > 0 => Some(minutes),
                Some(_) => return Err("The minutes of a ban are a whole number above 0".into()),
            };
            Operation::Ban { whom: address.unwrap_or_else(|_| Target::Nick(whom.into())), minutes }
        }
        ("unban", Some(ip), _) => {
            let address: Result<IpAddr, _> = ip.parse();
            Operation::Unban {
                address: address.map_err(|_| format!("{ip} is not banned; /bans lists who is"))?,
            }
        }
        ("password", Some(name), _) => Operation::Password { name: name.into() },
        ("forget", Some(name), _) => Operation::ForgetAccount { name: name.into() },
        ("stop", seconds, _) => {
            let seconds = seconds.map_or(Some(0), |seconds| seconds.parse().ok());
            let seconds = seconds.filter(|seconds| *seconds <= MAX_STOP);
            let wrong = || format!("/stop takes 0 to {MAX_STOP} seconds");
            Operation::Stop { after: Duration::from_secs(seconds.ok_or_else(wrong)?) }
        }
        (word @ ("op" | "kick" | "ban" | "unban" | "password" | "forget"), ..) => {
            let usage = HELP.iter().find(|line| line[1..].starts_with(word)).copied().unwrap_or_default();
            return Err(format!("/{word} needs more: {usage}"));
        }
        (word, ..) => return Err(format!("There is no command /{word}; /help lists them")),
    })
}

impl Hub {
    /// A line at the console.
    pub(crate) fn console(&mut self, line: &str, asker: Asker) {
        let line = line.trim();
        let Some(command) = line.strip_prefix('/').filter(|text| !text.starts_with('/')) else {
            let text = line.strip_prefix('/').unwrap_or(line).to_owned();
            if !text.is_empty() {
                self.operate(&Operation::Announce { text }, asker);
            }
            return;
        };
        let (word, rest) = first_word(command);
        match word {
            "help" => self.answer_all(asker, HELP.iter().map(|line| (*line).into()).collect()),
            "who" => {
                let lines = self.who_is_here();
                let total = format!("{} here", lines.len());
                self.answer_all(asker, lines);
                self.answer(asker, &total);
            }
            "stats" => {
                let asker = if let Asker::Operator(id) = asker { Some(id) } else { None };
                self.delivery.output(Output::Stats { asker });
            }
            "reload" => {
                self.delivery.output(Output::Reload);
                self.answer(asker, "The files are read again; the log says what comes of it");
            }
            "rooms" => self.answer_all(asker, self.rooms_there_are()),
            "bans" => {
                let bans = self.bans();
                self.answer_all(asker, bans);
            }
            "accounts" => {
                let accounts = self.accounts();
                self.answer_all(asker, accounts);
            }
            #[cfg(test)]
            "panic" => panic!("as the test asked"),
            _ => match operation(word, rest) {
                Ok(operation) => self.operate(&operation, asker),
                Err(why) => self.answer(asker, &why),
            },
        }
    }

    /// Does what the operator wants, and says so.
    pub(crate) fn operate_now(&mut self, operation: &Operation, asker: Asker) {
        match (self.perform(operation, asker), asker) {
            (Ok(None), _) | (Ok(_), Asker::Host) => {}
            (Err(why), Asker::Host) => self.log(format!("not done: {why}")),
            (Ok(Some(text)) | Err(text), _) => self.answer(asker, &text),
        }
    }

    pub(crate) fn answer(&mut self, asker: Asker, text: &str) {
        match asker {
            Asker::Console | Asker::Host => self.delivery.output(Output::Console(text.into())),
            Asker::Operator(id) => {
                text::pieces(text, MAX_ANNOUNCEMENT).into_iter().for_each(|piece| self.explain(id, piece));
            }
        }
    }

    /// A long answer: to the terminal whole, to an operator afar as much as its outbox holds
    /// easily.
    pub(super) fn answer_all(&mut self, asker: Asker, mut lines: Vec<String>) {
        if let Asker::Console = asker {
            return self.answer(asker, &lines.join("\n"));
        }
        let more = lines.len().saturating_sub(MAX_REMOTE_LINES);
        lines.truncate(MAX_REMOTE_LINES);
        if more > 0 {
            lines.push(format!("… and {more} more; the console shows all"));
        }
        lines.iter().for_each(|line| self.answer(asker, line.trim_end()));
    }

    fn who_is_here(&self) -> Vec<String> {
        let lines = self.guests().into_iter().map(|Guest { nick, peer, speaker, away, rooms }| {
            let away = if away { ", away" } else { "" };
            let rooms = if rooms.is_empty() { "no room".into() } else { rooms.join(" ") };
            format!("{nick}  {peer}  {rooms}  ({speaker}{away})")
        });
        lines.collect()
    }

    fn rooms_there_are(&self) -> Vec<String> {
        let rooms = self.state.rooms.from(0).map(|(_, room)| {
            let topic = printable(room.topic.as_ref().map_or("", |topic| &topic.text));
            format!("{}  {} people  {}  {topic}", room.name, room.seats().len(), room.modes(true))
        });
        rooms.collect()
    }

    fn accounts(&self) -> Vec<String> {
        let list = self.state.accounts.list();
        let total = format!("{} accounts", list.len());
        let lines = list.into_iter().map(|account| {
            let (name, made, used) = (&account.name, account.made, account.used);
            format!("{name}  since {made}  used {used}  {} certificates", account.prints.len())
        });
        lines.chain([total]).collect()
    }

    fn bans(&mut self) -> Vec<String> {
        let now = self.state.now.elapsed;
        let for_long = self.for_long();
        let bans = &mut self.state.admission.bans;
        bans.retain(|_, ban| ban.until.is_none_or(|until| until > now));
        let left = |until: Duration| until.saturating_sub(now).as_secs().div_ceil(60);
        let bans = bans.iter().map(|(ip, ban)| match ban.until {
            Some(until) => format!("{ip}  {} minutes left", left(until)),
            None => format!("{ip}  {for_long}"),
        });
        let mut lines = sorted(bans);
        if lines.is_empty() {
            lines.push("Nobody is banned".into());
        }
        lines
    }
}
