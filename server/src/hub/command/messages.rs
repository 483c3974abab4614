//! Talk: PRIVMSG, NOTICE and TAGMSG to rooms and people.

use crate::hub::Hub;
use crate::hub::change::Change;
use crate::hub::command::accounts::is_service;
use crate::hub::command::{Done, first_time, hands, names};
use crate::hub::delivery::echo::Storage;
use crate::hub::delivery::event::{Event, Talk, What};
use crate::hub::history::record;
use crate::hub::state::ConnectionId;
use crate::hub::state::limits::MAX_TARGETS;
use crate::hub::state::member::Speaker;
use crate::hub::state::refusal::{Refused, nobody, too_long, too_many_targets};
use crate::hub::state::room::Rank;
use crate::protocol::Numeric::*;
use crate::protocol::command::Verb;
use crate::protocol::line::MAX_BODY;
use crate::protocol::{Capability, LineName, Message, MsgId};

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
    if hub.lacks(id, Capability::MessageTags, "TAGMSG") || hands::tagged(hub, id, message) {
        return Ok(());
    }
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

    /// To one person: no change, for nobody else hears of it. Between two accounts it is kept, and told when the
    /// other one comes back.
    fn whisper(&mut self, id: ConnectionId, target: &str, talk: Talk<'_>) -> Done {
        if !self.state.decides() {
            return self.post(id, target, talk);
        }
        self.whisper_now(id, (target, self.state.find(target)), talk, None)
    }

    /// The same, when it has its turn; with other servers, under the id that it got there. `found`: who it is for,
    /// if they can be told.
    pub(crate) fn whisper_now(
        &mut self,
        id: ConnectionId,
        (target, found): (&str, Option<ConnectionId>),
        talk: Talk<'_>,
        given: Option<MsgId>,
    ) -> Done {
        let Talk { verb, text, tags, long, line } = talk;
        let pair = self.state.pair(id, target);
        let nick = match (found, &pair) {
            (Some(other), _) => self.state.nick_of(other).to_owned(),
            (None, Some(pair)) => pair.peer.to_string(),
            (None, None) => return Err(nobody(target)),
        };
        let print = line.zip(pair.as_ref()).map(|(line, pair)| record::fingerprint(&pair.key, line));
        if let (Some(print), Some(pair)) = (print, &pair)
            && self.history.knows_private(print)
        {
            self.say_again(id, (pair.key.clone(), nick), print, talk);
            return Ok(());
        }
        let what = What::Message { verb, target: &nick, text, private: true };
        let mut event = match given {
            Some(given) => Event { id: given, ..self.event_beside(Some(id), what) },
            None => self.event(id, what),
        };
        event.tags = tags;
        if !long && event.body_len() > MAX_BODY {
            // That is said of a notice, too.
            self.refuse(id, too_long());
            return Ok(());
        }
        event.volatile = pair.is_some() && self.delivery.storage != Storage::Disk;
        if let Some(other) = found
            && !self.tell_alone(other, &event, pair.is_some())?
        {
            return Ok(());
        }
        let kept = pair.is_some_and(|pair| self.record_private(&pair, &event, print));
        if !kept && found.is_none() {
            let why = "They are not here, and no more private lines are kept";
            return if verb == Verb::Tagmsg {
                Ok(())
            } else {
                Err((ERR_NOSUCHNICK, format!("{nick} :{why}")))
            };
        }
        if let Some(print) = print.filter(|_| kept) {
            self.history.note_private(print);
        }
        self.delivery.echo(id, &event, kept);
        let away = match found {
            Some(other) => self.state.member(other).and_then(|other| other.away.as_deref()),
            None => Some("Not here; the line is kept until they come back"),
        };
        if let (Verb::Privmsg, Some(away)) = (verb, away) {
            if self.state.member(id).is_some_and(|member| member.speaker == Speaker::Irc) {
                self.reply(id, RPL_AWAY, format!("{nick} :{away}"));
            } else {
                self.explain(id, &format!("{nick} is away: {away}"));
            }
        }
        Ok(())
    }

    /// Tells somebody what is for them alone; false if it is nothing for who is not there. `kept`: it is not lost
    /// whatever becomes of them.
    pub(crate) fn tell_alone(
        &mut self,
        other: ConnectionId,
        event: &Event<'_>,
        kept: bool,
    ) -> Result<bool, Refused> {
        let What::Message { verb, target, .. } = event.what else { return Ok(true) };
        if self.state.member(other).is_some_and(|other| matches!(other.speaker, Speaker::Raw(_)))
            && verb != Verb::Tagmsg
        {
            // Their programs know one room and no private talk: it would look public.
            return Err((ERR_NOSUCHNICK, format!("{target} :Their program cannot show private messages")));
        }
        if other.is_remote() {
            // Its own server has it.
            return Ok(true);
        }
        match self.keep_for_resume(other, event) {
            // It hears it when it is back.
            Some(true) => {}
            Some(false) if verb == Verb::Tagmsg => return Ok(false),
            Some(false) if !kept => {
                let why = "Their connection is gone, and no more lines are kept for their return";
                return Err((ERR_NOSUCHNICK, format!("{target} :{why}")));
            }
            Some(false) => {}
            None => self.tell(other, event),
        }
        Ok(true)
    }
}
