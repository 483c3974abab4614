//! Talk in rooms, and to everybody.

use crate::hub::Hub;
use crate::hub::change::tell::Audience;
use crate::hub::delivery::event::{Event, Talk, What};
use crate::hub::delivery::form::Form;
use crate::hub::delivery::output::Output;
use crate::hub::history::record;
use crate::hub::state::member::Member;
use crate::hub::state::refusal::{Refused, no_such_room};
use crate::hub::state::room::{Rank, Room, RoomId};
use crate::hub::state::{ConnectionId, SERVER};
use crate::protocol::Numeric::*;
use crate::protocol::command::Verb;
use crate::protocol::sorted::sorted;
use crate::protocol::text;

/// Bytes of one announcement; a longer one goes out as several.
pub(crate) const MAX_ANNOUNCEMENT: usize = 360;

impl Hub {
    pub(super) fn talk(
        &mut self,
        id: ConnectionId,
        room: &str,
        rank: Rank,
        talk: Talk<'_>,
    ) -> Result<(), Refused> {
        let Talk { verb, text, line, tags, long } = talk;
        // A notice is never answered (RFC 2812 §3.3.2).
        let refused = |refused| if verb == Verb::Notice { Ok(()) } else { Err(refused) };
        let Some((found, state)) = self.state.room_named(room) else { return refused(no_such_room(room)) };
        if let Some(sentence) = self.state.silenced(id, found) {
            return refused((ERR_CANNOTSENDTOCHAN, format!("{room} :{sentence}")));
        }
        let (name, folded, room) = (state.name.to_string(), state.folded.clone(), found);
        let prefixed;
        let target = match rank {
            Rank::NONE => &name,
            rank => {
                prefixed = format!("{}{name}", if rank == Rank::VOICE { '+' } else { '@' });
                &prefixed
            }
        };
        let kept = rank == Rank::NONE;
        let fingerprint = line.filter(|_| kept).map(|line| record::fingerprint(&folded, line));
        if let Some(fingerprint) = fingerprint.filter(|print| self.history.seen.contains(print.get())) {
            self.say_again(id, (folded, name), fingerprint, talk);
            return Ok(());
        }
        let what = What::Message { verb, target, text, private: false };
        let mut event = Event { tags, ..self.event(id, what) };
        // What only some may hear is not kept: its echo is no receipt.
        event.volatile |= !kept;
        if !long {
            event.fits()?;
        }
        if let (true, Some(wait)) = (verb != Verb::Tagmsg, self.state.slowed(id, room)) {
            let why = format!("{name} :The room is slow: your next line may come in {wait} s (+f)");
            return refused((ERR_CANNOTSENDTOCHAN, why));
        }
        let hears_itself = matches!(self.delivery.form(id), Form::Raw(kind) if kind.hears_itself());
        let audience = match kept {
            false => Audience::Ranked(id, rank),
            true if hears_itself => Audience::Everyone,
            true => Audience::Others(id),
        };
        self.tell_room(room, &event, audience);
        let recorded = kept && self.record(room, &event, fingerprint);
        if let Some(fingerprint) = fingerprint {
            self.history.seen.insert(fingerprint.get());
        }
        self.delivery.echo(id, &event, recorded);
        if kept && verb != Verb::Tagmsg {
            self.narrate(&name, &event);
        }
        Ok(())
    }

    pub(super) fn wallops(&mut self, id: ConnectionId, text: &str) -> Result<(), Refused> {
        let event = self.event(id, What::Wallops { text });
        event.fits()?;
        let readers = self.state.everyone().filter(|(_, member)| member.wallops).map(|(id, _)| id);
        let readers: Vec<ConnectionId> = readers.collect();
        readers.into_iter().for_each(|reader| self.tell(reader, &event));
        Ok(())
    }

    /// Tells everybody who is on this server something about it.
    pub(crate) fn tell_here(&mut self, text: &str) {
        if self.state.decides() {
            return self.announce(text);
        }
        for id in self.state.connections() {
            if self.state.member(id).is_some_and(Member::registered) {
                self.explain(id, text);
            }
        }
    }

    /// The server speaks once in every room, and to those who are in none.
    pub(crate) fn announce(&mut self, text: &str) {
        let text = text::printable(text);
        let rooms = self.state.rooms.from(0).filter(|(_, room)| room.is_alive());
        // In the same order on all servers.
        let shared = self.state.cluster.is_some();
        let name = |room: &Room| shared.then(|| room.folded.clone());
        let rooms = sorted(rooms.map(|(id, room)| (name(room), id))).into_iter();
        let named = |(_, id)| Some((id, self.state.rooms.get(id)?.name.to_string()));
        let rooms: Vec<(RoomId, String)> = rooms.filter_map(named).collect();
        let roomless = self.state.everyone().filter(|(_, member)| member.rooms.is_empty());
        let roomless: Vec<(ConnectionId, String)> =
            roomless.map(|(id, member)| (id, member.name().to_owned())).collect();
        for text in text::pieces(&text, MAX_ANNOUNCEMENT) {
            for (room, name) in &rooms {
                let event = self.server_event(What::Announcement { target: name, text });
                self.tell_room(*room, &event, Audience::Everyone);
                self.record(*room, &event, None);
            }
            for (id, name) in &roomless {
                let event = self.server_event(What::Announcement { target: name, text });
                self.tell(*id, &event);
            }
            if self.state.settings.narrate {
                self.delivery.output(Output::Console(format!("-!- {SERVER}: {text}")));
            }
        }
        self.log(format!("announced; members: {}", self.state.population.registered));
    }
}
