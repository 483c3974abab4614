//! CHATHISTORY (IRCv3 draft/chathistory): lines of the past, for members of the room, and for the two
//! people between whom they were said.

use crate::hub::Hub;
use crate::hub::command::Done;
use crate::hub::history::replay::{Replay, Why};
use crate::hub::history::{Edge, Query, Range};
use crate::hub::state::ConnectionId;
use crate::hub::state::limits::MAX_LINES;
use crate::hub::state::refusal::shown;
use crate::protocol::message::Params;
use crate::protocol::time::UnixMillis;
use crate::protocol::{Capability, Message, MsgId};

/// Why a request is none.
enum Refused {
    /// Too few parameters, or one that cannot be read.
    Params,
    /// A position is neither `timestamp=` nor `msgid=`.
    RefType,
    /// Not a room that the reader is in, nor anybody whose lines with the reader are kept.
    Target,
}

pub(super) fn chathistory(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    if hub.lacks(id, Capability::Chathistory, "CHATHISTORY") {
        return Ok(());
    }
    let verb = message.params.first().copied().unwrap_or_default().to_ascii_uppercase();
    let arguments: Params<'_> = message.params.iter().skip(1).copied().collect();
    let asked = if verb == "TARGETS" {
        hub.targets_asked(id, &arguments)
    } else {
        hub.lines_asked(id, &verb, &arguments)
    };
    match asked {
        Ok(replay) => hub.replay(id, replay),
        Err(refused) => {
            let (code, sentence) = match refused {
                Refused::Params => (
                    "INVALID_PARAMS",
                    "It is CHATHISTORY LATEST, BEFORE, AFTER, AROUND #room POSITION COUNT, BETWEEN #room POSITION POSITION COUNT, or TARGETS TIME TIME COUNT",
                ),
                Refused::RefType => ("INVALID_MSGREFTYPE", "Positions are timestamp=… or msgid=…"),
                Refused::Target => (
                    "INVALID_TARGET",
                    "History is for members of the room, and for two people who have accounts",
                ),
            };
            let target = shown(arguments.filled(0).unwrap_or("*"));
            let verb = shown(&verb);
            hub.fail(id, "CHATHISTORY", &format!("{code} {verb} {target}"), sentence);
        }
    }
    Ok(())
}

impl Hub {
    fn lines_asked(
        &self,
        id: ConnectionId,
        verb: &str,
        arguments: &Params<'_>,
    ) -> Result<Box<Replay>, Refused> {
        let wanted = if verb == "BETWEEN" { 4 } else { 3 };
        if !matches!(verb, "LATEST" | "BEFORE" | "AFTER" | "AROUND" | "BETWEEN") || arguments.len() != wanted
        {
            return Err(Refused::Params);
        }
        let target = arguments.filled(0).ok_or(Refused::Params)?;
        let limit = limit(arguments.filled(wanted - 1))?;
        let at = match (verb, arguments.filled(1).ok_or(Refused::Params)?) {
            ("LATEST", "*") => Edge::Open,
            (_, reference) => edge(reference)?,
        };
        let Some(room) = self.kept_at(id, target) else {
            // Who has no account has said nothing that is kept.
            let known = !target.starts_with('#')
                && self.state.settings.private
                && self.state.member(id).is_some_and(|member| member.account.is_some());
            let nothing = Replay::new(Why::Asked(verb.into(), target.into()), []);
            return if known { Ok(nothing) } else { Err(Refused::Target) };
        };
        let lines = |after, before, limit, newest| Query {
            room: room.clone(),
            range: Range { after, before, upto: self.state.stamps.last() },
            limit,
            newest,
            events: self.state.member(id).is_some_and(|member| member.has(Capability::EventPlayback)),
        };
        let queries = match verb {
            "LATEST" => vec![lines(at, Edge::Open, limit, true)],
            "BEFORE" => vec![lines(Edge::Open, at, limit, true)],
            "AFTER" => vec![lines(at, Edge::Open, limit, false)],
            // The line itself is the first of what follows.
            "AROUND" => vec![
                lines(Edge::Open, at, limit / 2, true),
                lines(just_before(at), Edge::Open, limit - limit / 2, false),
            ],
            _ => {
                let other = edge(arguments.filled(2).ok_or(Refused::Params)?)?;
                let (after, before, forwards) = in_order(at, other);
                vec![lines(after, before, limit, !forwards)]
            }
        };
        Ok(Replay::new(Why::Asked(verb.into(), target.into()), queries))
    }

    fn targets_asked(&self, id: ConnectionId, arguments: &Params<'_>) -> Result<Box<Replay>, Refused> {
        let (Some(one), Some(other), 3) = (arguments.filled(0), arguments.filled(1), arguments.len()) else {
            return Err(Refused::Params);
        };
        let (one, other, limit) = (edge(one)?, edge(other)?, limit(arguments.filled(2))?);
        let (after, before, _) = in_order(one, other);
        let member = self.state.member(id).ok_or(Refused::Target)?;
        let rooms = member.rooms.iter().filter_map(|place| self.state.rooms.get(place.room));
        let rooms = rooms.map(|room| room.folded.clone());
        let rooms = rooms.chain(self.state.pairs(id).into_iter().map(|pair| pair.key));
        let range = Range { after, before, upto: self.state.stamps.last() };
        let latest = rooms.map(|room| Query { room, range, limit: 1, newest: true, events: false });
        Ok(Replay::new(Why::Targets(limit), latest))
    }
}

/// A position: `timestamp=2026-11-20T09:12:03.456Z` or `msgid=…`.
fn edge(reference: &str) -> Result<Edge, Refused> {
    let (kind, value) = reference.split_once('=').ok_or(Refused::RefType)?;
    match kind {
        "timestamp" => UnixMillis::parse(value).map(Edge::Time).ok_or(Refused::Params),
        "msgid" => MsgId::parse(value).map(Edge::At).ok_or(Refused::Params),
        _ => Err(Refused::RefType),
    }
}

fn limit(number: Option<&str>) -> Result<usize, Refused> {
    let number: usize = number.and_then(|number| number.parse().ok()).ok_or(Refused::Params)?;
    if number == 0 { Err(Refused::Params) } else { Ok(number.min(MAX_LINES)) }
}

/// An edge that has the line at `at` behind it.
fn just_before(at: Edge) -> Edge {
    match at {
        Edge::Time(time) => time.0.checked_sub(1).map_or(Edge::Open, |millis| Edge::Time(UnixMillis(millis))),
        Edge::At(id) => Edge::At(id.before()),
        Edge::Open => Edge::Open,
    }
}

/// The earlier of two edges, the later one, and whether they came in that order.
fn in_order(one: Edge, other: Edge) -> (Edge, Edge, bool) {
    let place = |edge| match edge {
        Edge::Open => (0, MsgId::default()),
        Edge::Time(time) => (time.0, MsgId::default()),
        Edge::At(id) => (id.millis, id),
    };
    let rises = match (one, other) {
        (Edge::At(one), Edge::At(other)) => one <= other,
        _ => place(one) <= place(other),
    };
    if rises { (one, other, true) } else { (other, one, false) }
}
