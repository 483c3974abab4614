//! Everything that several servers share, written down as it is after an entry of their log: for a server that starts,
//! and as the proof that all have the same.
//!
//! Words, see [`words`](super::words): what it begins with, then records, each with a letter in front. At most about 300
//! bytes a member and an account, 1 KB a room, with the longest lists 20 KB.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::hub::state::State;
use crate::hub::state::admission::Ban;
use crate::hub::state::cluster::Origin;
use crate::hub::state::member::Member;
use crate::hub::state::member_record::{origin, origin_word, put_member, take_member};
use crate::hub::state::room::{Place, Rank, RoomId};
use crate::hub::state::room_record::{decode, name_of, written};
use crate::hub::state::whowas::Departed;
use crate::hub::state::words::{put, put_bytes, take, take_bytes};
use crate::protocol::sorted::sorted;
use crate::protocol::time::UnixMillis;
use crate::protocol::{Folded, MsgId, Position};

impl State {
    /// See the [module](self).
    pub(crate) fn snapshot(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Some(cluster) = &self.cluster else { return bytes };
        let number = |number: u64| number.to_string();
        let (position, last) = (cluster.position.to_string(), self.stamps.last().to_string());
        let numbers = [cluster.entries, self.stays, self.ran().into()].map(number);
        put(&mut bytes, &[&position, &last, &numbers[0], &numbers[1], &numbers[2]]);
        for account in self.written_accounts() {
            put(&mut bytes, &["a"]);
            put_bytes(&mut bytes, &account);
        }
        self.put_bans(&mut bytes);
        for Departed { nick, user, host, realname, at, .. } in self.whowas.iter().rev() {
            put(&mut bytes, &["w", nick, user, host, realname, &number(at.0)]);
        }
        let everyone = self.all_who(|_, member| member.registered());
        for id in &everyone {
            let Some(member) = self.member(*id) else { continue };
            let token = member.token.filter(|token| self.tokens.contains_key(token));
            put(&mut bytes, &["m", &origin_word(self.origin(*id))]);
            put_member(&mut bytes, member, token, None);
        }
        let rooms = sorted(self.rooms.from(0).map(|(id, room)| (room.folded.clone(), id)));
        rooms.into_iter().for_each(|(_, id)| self.put_room(&mut bytes, id));
        for id in everyone {
            // Who came into which of them first is known by nobody else.
            let names = self.room_names_of(id);
            put(&mut bytes, &["j", &origin_word(self.origin(id)), &number(names.len() as u64)]);
            names.iter().for_each(|name| put(&mut bytes, &[name]));
        }
        bytes
    }

    /// What is not the same everywhere, but good to know: how far accounts have read.
    pub(crate) fn put_marks(&self, bytes: &mut Vec<u8>) {
        for (who, read) in self.written_marks() {
            put(bytes, &["k", &who]);
            put_bytes(bytes, &read);
        }
    }

    fn put_bans(&self, bytes: &mut Vec<u8>) {
        let now = self.clock();
        let lasting = |(_, ban): &(&IpAddr, &Ban)| ban.until.is_none_or(|until| until > now);
        let bans = self.admission.bans.iter().filter(lasting).map(|(ip, Ban { until })| {
            let until = until.map_or(String::new(), |until| until.as_millis().to_string());
            (Arc::from(ip.to_string()), Arc::from(until))
        });
        // As words, which what else is sorted here is, too.
        sorted(bans).iter().for_each(|(ip, until): &(Arc<str>, Arc<str>)| put(bytes, &["b", ip, until]));
    }

    fn put_room(&self, bytes: &mut Vec<u8>, id: RoomId) {
        let Some(room) = self.rooms.get(id) else { return };
        let flag = |on: bool| if on { "1" } else { "" };
        put(bytes, &["r", flag(room.permanent), flag(room.remembered), &room.left.to_string()]);
        put_bytes(bytes, &written(room));
        let put_count = |bytes: &mut Vec<u8>, count: usize| put(bytes, &[&count.to_string()]);
        put_count(bytes, room.seats().len());
        for seat in room.seats() {
            put(bytes, &[&origin_word(self.origin(seat.member)), &seat.rank.number().to_string()]);
        }
        let seat = |number: &u32| room.seats().iter().position(|seat| seat.number == *number);
        let hands: Vec<usize> = room.hands.iter().filter_map(seat).collect();
        put_count(bytes, hands.len());
        hands.iter().for_each(|hand| put(bytes, &[&hand.to_string()]));
        let invited: Vec<_> = room.invited.iter().filter(|id| self.member(**id).is_some()).collect();
        put_count(bytes, invited.len());
        invited.iter().for_each(|id| put(bytes, &[&origin_word(self.origin(**id))]));
        let (now, pause) = (self.clock(), Duration::from_secs(room.slow.unwrap_or_default().into()));
        let spoke = room.spoke.iter().filter(|(_, spoke)| **spoke + pause > now);
        let spoke = sorted(spoke.map(|(who, spoke)| (who.clone(), Arc::from(spoke.as_millis().to_string()))));
        put_count(bytes, spoke.len());
        spoke.iter().for_each(|(who, spoke): &(Arc<str>, Arc<str>)| put(bytes, &[who, spoke]));
    }

    /// Takes a snapshot in; the state is a new one. What comes behind it. `None` if it makes no sense.
    pub(crate) fn adopt_snapshot<'a>(&mut self, mut rest: &'a [u8]) -> Option<&'a [u8]> {
        let rest = &mut rest;
        let (position, last) = (Position::parse(take(rest)?.as_bytes())?, MsgId::parse(take(rest)?)?);
        let (entries, stays, ran): (u64, u64, u32) = (number(rest)?, number(rest)?, number(rest)?);
        self.now.wall = UnixMillis(position.millis);
        self.stays = stays;
        self.stamps.go_on_from(last);
        self.ran_before(ran);
        if let Some(cluster) = &mut self.cluster {
            (cluster.position, cluster.entries) = (position, entries);
        }
        let mut seats: HashMap<(String, Folded), Place> = HashMap::new();
        while !rest.is_empty() {
            match take(rest)? {
                "a" => self.adopt_account(take_bytes(rest)?)?,
                "b" => {
                    let (ip, until) = (take(rest)?.parse().ok()?, take(rest)?);
                    let until = until.parse().ok().map(Duration::from_millis);
                    self.admission.bans.insert(ip, Ban { until });
                }
                "w" => {
                    let (nick, user, host, realname) = (take(rest)?, take(rest)?, take(rest)?, take(rest)?);
                    self.whowas.push(Departed {
                        folded: Folded::new(nick),
                        nick: nick.into(),
                        user: user.into(),
                        host: host.into(),
                        realname: realname.into(),
                        at: UnixMillis(number(rest)?),
                    });
                }
                "m" => {
                    let origin = origin(take(rest)?)?;
                    let member = take_member(rest)?;
                    self.adopt_member(origin, member)?;
                }
                "r" => self.take_room(rest, &mut seats)?,
                "j" => {
                    let word = take(rest)?;
                    let id = self.at_origin(origin(word)?)?;
                    for _ in 0..count(rest)? {
                        let place = seats.get(&(word.to_owned(), Folded::new(take(rest)?))).copied()?;
                        self.member_mut(id)?.rooms.push(place);
                    }
                }
                "k" => {
                    let (who, read) = (take(rest)?, take_bytes(rest)?);
                    self.restore_absence(who, read);
                }
                // What is not the state's.
                "." => return Some(rest),
                _ => return None,
            }
        }
        None
    }

    fn adopt_member(&mut self, origin: Origin, mut member: Member) -> Option<()> {
        member.registration = None;
        let population = &mut self.population;
        population.registered += 1;
        population.invisible += usize::from(member.invisible);
        population.operators += usize::from(member.operator);
        population.registered_peak = population.registered_peak.max(population.registered);
        let (name, token) = (member.nick.as_ref()?.fold(), member.token);
        let id = self.add_remote(origin, member)?;
        self.nicks.insert(name, id);
        self.tokens.extend(token.map(|token| (token, id)));
        Some(())
    }

    fn take_room(&mut self, rest: &mut &[u8], seats: &mut HashMap<(String, Folded), Place>) -> Option<()> {
        let (permanent, remembered) = (!take(rest)?.is_empty(), !take(rest)?.is_empty());
        let left = number(rest)?;
        let state = take_bytes(rest)?;
        let name = name_of(state)?;
        let folded = name.fold();
        let found = self.rooms.find(name.as_str());
        let id = found.unwrap_or_else(|| self.rooms.create(name, self.now.wall, permanent));
        let ran = self.ran();
        let maker = decode(state, ran, self.rooms.get_mut(id)?)?;
        maker.into_iter().for_each(|maker| self.rooms.made_by(id, maker));
        let mut numbers = Vec::new();
        for _ in 0..count(rest)? {
            let (word, rank) = (take(rest)?, Rank::parse(take(rest)?)?);
            let member = self.at_origin(origin(word)?)?;
            let number = self.rooms.get_mut(id)?.sit(member, rank);
            numbers.push(number);
            seats.insert((word.to_owned(), folded.clone()), Place { room: id, number });
        }
        let mut hands = Vec::new();
        for _ in 0..count(rest)? {
            hands.push(*numbers.get(count(rest)? as usize)?);
        }
        let mut invited = Vec::new();
        for _ in 0..count(rest)? {
            invited.push(self.at_origin(origin(take(rest)?)?)?);
        }
        let mut spoke = HashMap::new();
        for _ in 0..count(rest)? {
            spoke.insert(take(rest)?.into(), Duration::from_millis(number(rest)?));
        }
        let room = self.rooms.get_mut(id)?;
        (room.permanent, room.remembered, room.left) = (permanent, remembered, left);
        (room.hands, room.invited, room.spoke) = (hands, invited, spoke);
        Some(())
    }
}

fn number<N: std::str::FromStr>(rest: &mut &[u8]) -> Option<N> {
    take(rest)?.parse().ok()
}

fn count(rest: &mut &[u8]) -> Option<u32> {
    number(rest)
}
