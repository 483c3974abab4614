//! Talk: PRIVMSG, NOTICE and TAGMSG to rooms and people.

use crate::hub::Hub;
use crate::hub::change::Change;
use crate::hub::command::accounts::is_service;
use crate::hub::command::{Done, first_time, names};
use crate::hub::delivery::event::{Event, Talk, What};
use crate::hub::state::ConnectionId;
use crate::hub::state::limits::MAX_TARGETS;
use crate::hub::state::member::Speaker;
use crate::hub::state::refusal::{nobody, too_long, too_many_targets};
use crate::hub::state::room::Rank;
use crate::protocol::Numeric::*;
use crate::protocol::command::Verb;
use crate::protocol::line::MAX_BODY;
use crate::protocol::{Capability, LineName, Message};

pub(super) fn privmsg(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    send(hub, id, Verb::Privmsg, message)
}

pub(super) fn notice(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    // Nor is one that lacks something (RFC 2812 §3.3.2).
    match send(hub, id, Verb::Notice, message) {
        Err((ERR_NORECIPIENT | ERR_NOTEXTTOSEND, _)) => Ok(()),
        done => done,
    }
}

pub(super) fn tagmsg(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    send(hub, id, Verb::Tagmsg, message)
}

fn send(hub: &mut Hub, id: ConnectionId, verb: Verb, message: &Message<'_>) -> Done {
    let unaddressed = || (ERR_NORECIPIENT, format!(":No recipient given ({})", message.command));
    let targets = message.params.filled(0).ok_or_else(unaddressed)?;
    let text = match verb {
        Verb::Tagmsg => "",
        _ => message.params.filled(1).ok_or((ERR_NOTEXTTOSEND, ":No text to send".into()))?,
    };
    let (line, tags) = LineName::take(message.tags);
    let line = line.filter(|_| verb != Verb::Tagmsg);
    hub.send(id, targets, Talk { verb, text, line, tags: &tags, long: false })
}

impl Hub {
    pub(crate) fn send(&mut self, id: ConnectionId, targets: &str, talk: Talk<'_>) -> Done {
        let verb = talk.verb;
        let count = names(targets).count();
        if count > MAX_TARGETS {
            return Err(too_many_targets(count));
        }
        self.delivery.charge(id, count.saturating_sub(1) as u32);
        if verb == Verb::Tagmsg && self.lacks(id, Capability::MessageTags, "TAGMSG") {
            return Ok(());
        }
        let mut first_time = first_time();
        for target in names(targets).filter(|target| first_time(target)) {
            // STATUSMSG: the rank that is to hear it.
            let room = target.trim_start_matches(['@', '+']);
            if room.starts_with('#') {
                let rank = match &target[..target.len() - room.len()] {
                    "" => Rank::NONE,
                    prefixes if prefixes.contains('+') => Rank::VOICE,
                    _ => Rank::OPERATOR,
                };
                self.propose(id, Change::Talk { room, rank, talk });
            } else if is_service(target) {
                if verb == Verb::Privmsg {
                    self.service(id, talk.text);
                }
            } else {
                match self.whisper(id, target, talk) {
                    Err(refused) if verb != Verb::Notice => self.refuse(id, refused),
                    _ => {}
                }
            }
        }
        let now = self.state.now.elapsed;
        self.state.member_mut(id).into_iter().for_each(|member| member.spoke = now);
        Ok(())
    }

    /// To one person: no change, for nobody else hears of it.
    fn whisper(&mut self, id: ConnectionId, target: &str, talk: Talk<'_>) -> Done {
        let Talk { verb, text, tags, long, .. } = talk;
        let other = self.state.find(target).ok_or_else(|| nobody(target))?;
        let nick = self.state.nick_of(other).to_owned();
        let what = What::Message { verb, target: &nick, text, private: true };
        let event = Event { tags, ..self.event(id, what) };
        if !long && event.body_len() > MAX_BODY {
            // That is said of a notice, too.
            self.refuse(id, too_long());
            return Ok(());
        }
        let Some(reader) = self.state.member(other) else { return Ok(()) };
        let away = reader.away.clone();
        if let Speaker::Raw(_) = reader.speaker
            && verb != Verb::Tagmsg
        {
            // Their programs know one room and no private talk: it would look public.
            return Err((ERR_NOSUCHNICK, format!("{nick} :Their program cannot show private messages")));
        }
        match self.keep_for_resume(other, &event) {
            // It hears it when it is back.
            Some(true) => {}
            Some(false) if verb == Verb::Tagmsg => return Ok(()),
            Some(false) => {
                let why = "Their connection is gone, and no more lines are kept for their return";
                return Err((ERR_NOSUCHNICK, format!("{nick} :{why}")));
            }
            None => self.tell(other, &event),
        }
        self.delivery.echo(id, &event, false);
        if let (Verb::Privmsg, Some(away)) = (verb, away) {
            if self.state.member(id).is_some_and(|member| member.speaker == Speaker::Irc) {
                self.reply(id, RPL_AWAY, format!("{nick} :{away}"));
            } else {
                self.explain(id, &format!("{nick} is away: {away}"));
            }
        }
        Ok(())
    }
}
