//! Talk: PRIVMSG, NOTICE and TAGMSG to rooms and people.

use crate::hub::delivery::event::{Event, What};
use crate::hub::history::record;
use crate::hub::state::limits::MAX_TARGETS;
use crate::hub::state::room::{OPERATOR, RoomId, VOICE};
use crate::hub::{ConnectionId, Hub, Speaker};
use crate::protocol::Numeric::*;
use crate::protocol::command::Verb;
use crate::protocol::line::MAX_BODY;
use crate::protocol::{Capability, Folded};

impl Hub {
    /// `tags` are the client-only tags to relay.
    pub(crate) fn send(&mut self, id: ConnectionId, verb: Verb, targets: &str, text: &str, tags: &str) {
        let count = targets.split(',').filter(|target| !target.is_empty()).count();
        if count > MAX_TARGETS {
            return self.too_many_targets(id, count);
        }
        if verb == Verb::Tagmsg && self.lacks(id, Capability::MessageTags, "TAGMSG") {
            return;
        }
        for target in targets.split(',').filter(|target| !target.is_empty()) {
            let name = target.trim_start_matches(['@', '+']);
            if name.starts_with('#') {
                self.say(id, verb, target, name, text, tags);
            } else {
                self.whisper(id, verb, target, text, tags);
            }
        }
        let now = self.now.elapsed;
        if let Some(member) = self.member_mut(id) {
            member.spoke = now;
        }
    }

    /// To a room; `target` may carry the rank that is to hear it (STATUSMSG).
    fn say(&mut self, id: ConnectionId, verb: Verb, target: &str, name: &str, text: &str, tags: &str) {
        let Some(room) = self.rooms.find(name) else {
            return self.refuse_message(verb, |hub| hub.no_such_room(id, name));
        };
        let rank = match &target[..target.len() - name.len()] {
            "" => 0,
            prefixes if prefixes.contains('+') => VOICE,
            _ => OPERATOR,
        };
        if let Some(sentence) = self.silenced(id, room) {
            return self.refuse_message(verb, |hub| {
                hub.reply(id, ERR_CANNOTSENDTOCHAN, format!("{name} :{sentence}"));
            });
        }
        let Some(name) = self.rooms.get(room).map(|room| room.name.to_string()) else { return };
        let shown = match rank {
            0 => name.clone(),
            VOICE => format!("+{name}"),
            _ => format!("@{name}"),
        };
        let kept = rank == 0;
        let folded = self.rooms.get(room).map(|room| room.folded.clone()).unwrap_or_default();
        let fingerprint = if kept { record::fingerprint(&folded, tags) } else { 0 };
        if fingerprint != 0 && self.seen.contains(fingerprint) {
            return self.say_again(id, room, fingerprint, (verb, text, tags));
        }
        let what = What::Message { verb, target: &shown, text, private: false };
        let mut event = Event { tags, ..self.event(id, what) };
        // What only some may hear is not kept: its echo is no receipt.
        event.volatile |= rank > 0;
        if event.body_len() > MAX_BODY {
            return self.too_long(id);
        }
        self.tell_room(room, &event, Some(id), rank);
        let kept = kept && self.record(room, &event, fingerprint);
        if fingerprint != 0 {
            self.seen.insert(fingerprint);
        }
        self.delivery.echo(id, &event, kept);
        if rank == 0 && verb != Verb::Tagmsg {
            self.narrate(&name, &event);
        }
    }

    /// Why this member may not talk in a room; `None` if it may.
    fn silenced(&self, id: ConnectionId, room: RoomId) -> Option<&'static str> {
        let member = self.member(id)?;
        let state = self.rooms.get(room)?;
        let rank = self.seat(id, room).map(|seat| seat.rank);
        if member.operator || rank.is_some_and(|rank| rank > 0) {
            return None;
        }
        if rank.is_none() && state.flags.no_outside {
            return Some("Join the room to talk in it (+n)");
        }
        if state.flags.moderated {
            return Some("Only people with voice may talk here (+m)");
        }
        let banned = !state.bans.is_empty() && state.banned(&Folded::new(&member.prefix()));
        banned.then_some("You are banned from this room (+b)")
    }

    /// To one person.
    pub(crate) fn whisper(&mut self, id: ConnectionId, verb: Verb, target: &str, text: &str, tags: &str) {
        let Some(other) = self.find(target) else {
            return self.refuse_message(verb, |hub| hub.no_such_nick(id, target));
        };
        let nick = self.nick_of(other).to_owned();
        let what = What::Message { verb, target: &nick, text, private: true };
        let event = Event { tags, ..self.event(id, what) };
        if event.body_len() > MAX_BODY {
            return self.too_long(id);
        }
        let Some(reader) = self.member(other) else { return };
        let away = reader.away.clone();
        if let Speaker::Raw(_) = reader.speaker
            && verb != Verb::Tagmsg
        {
            // Their programs know one room and no private talk: it would look public.
            return self.refuse_message(verb, |hub| {
                let why = "Their program cannot show private messages";
                hub.reply(id, ERR_NOSUCHNICK, format!("{nick} :{why}"));
            });
        }
        match self.keep_for_return(other, &event) {
            // It hears it when it is back.
            Some(true) => {}
            Some(false) if verb == Verb::Tagmsg => return,
            Some(false) => {
                return self.refuse_message(verb, |hub| {
                    let why = "Their connection is gone, and no more lines are kept for their return";
                    hub.reply(id, ERR_NOSUCHNICK, format!("{nick} :{why}"));
                });
            }
            None => self.tell(other, &event),
        }
        self.delivery.echo(id, &event, false);
        if let (Verb::Privmsg, Some(away)) = (verb, away) {
            if self.member(id).is_some_and(|member| member.speaker == Speaker::Irc) {
                self.reply(id, RPL_AWAY, format!("{nick} :{away}"));
            } else {
                self.explain(id, &format!("{nick} is away: {away}"));
            }
        }
    }

    /// A notice is never answered (RFC 2812 §3.3.2).
    fn refuse_message(&mut self, verb: Verb, refuse: impl FnOnce(&mut Hub)) {
        if verb != Verb::Notice {
            refuse(self);
        }
    }
}
