//! One order for all changes: at once where this server is alone, else that of the log which several servers share.
//!
//! A change that is proposed waits, and with it what its connection says next: then it is decided on all servers
//! alike, in the order of the log, and refused there as any other is. What concerns one connection only (replies,
//! paging, time-outs, PING, CAP, WHO) is no change.

use std::time::Duration;

use crate::hub::Hub;
use crate::hub::change::departure::CLOSED;
use crate::hub::change::entry::{self, Entry, ServerChange};
use crate::hub::change::{Asker, Change, Operation};
use crate::hub::delivery::output::Output;
use crate::hub::state::ConnectionId;
use crate::hub::state::cluster::{Milestone, Origin};
use crate::hub::state::member::{Member, Speaker};
use crate::hub::state::refusal::Refused;
use crate::protocol::{Nick, Position};

/// Something that was proposed here and has not had its turn.
#[derive(Debug)]
pub(crate) struct Proposal {
    by: Option<ConnectionId>,
    /// Who hears what came of it, if that is no connection.
    asker: Asker,
    /// That of the command it came from.
    label: Option<Box<str>>,
    /// When, since the start.
    at: Duration,
}

impl Hub {
    /// Does what a member wants, or tells it why not; now, or when it has its turn.
    pub(crate) fn propose(&mut self, by: ConnectionId, change: Change<'_>) {
        if self.state.decides() || self.is_own(by, &change) {
            if let Err(refused) = self.apply(by, change) {
                self.refuse(by, refused);
            }
            return;
        }
        let origin = self.state.origin(by);
        let entry = match change {
            Change::Register => entry::encode_newcomer(&self.state, origin).unwrap_or_default(),
            change => entry::encode(origin, &change),
        };
        self.hand_in((Some(by), Asker::Host), entry);
    }

    /// Whether a change concerns nobody on another server: of somebody who is no member yet.
    fn is_own(&self, by: ConnectionId, change: &Change<'_>) -> bool {
        match change {
            Change::Register => false,
            _ => self
                .state
                .member(by)
                .is_none_or(|member| !member.registered() && !self.state.is_proposing(by)),
        }
    }

    fn hand_in(&mut self, (by, asker): (Option<ConnectionId>, Asker), entry: Vec<u8>) {
        let label = by.and_then(|id| self.delivery.take_label(id));
        by.into_iter().for_each(|id| self.state.begin_proposal(id));
        self.hand_in_begun((by, asker), label, entry);
    }

    /// The same, of a connection that waits already.
    pub(super) fn hand_in_begun(
        &mut self,
        (by, asker): (Option<ConnectionId>, Asker),
        label: Option<Box<str>>,
        entry: Vec<u8>,
    ) {
        self.proposals.push_back(Proposal { by, asker, label, at: self.state.now.elapsed });
        self.delivery.output(Output::Propose { entry: entry.into() });
    }

    /// Does what an operator wants; now, or when it has its turn.
    pub(crate) fn operate(&mut self, operation: &Operation, asker: Asker) {
        if self.state.decides() || operation.is_own() {
            return self.operate_now(operation, asker);
        }
        let by = if let Asker::Operator(id) = asker { Some(id) } else { None };
        let origin = by.map(|id| self.state.origin(id));
        let entry = entry::encode_server(&ServerChange::Operate(origin, operation.clone()));
        self.hand_in((by, asker), entry);
    }

    /// An account is to be somebody's.
    pub(super) fn propose_account(
        &mut self,
        (by, claimed): (Option<ConnectionId>, bool),
        ticket: u64,
        state: &[u8],
    ) {
        let origin = by.map(|id| self.state.origin(id));
        let change = ServerChange::Account { by: origin, claimed, ticket, state };
        self.hand_in((by, Asker::Host), entry::encode_server(&change));
    }

    /// This server is one of the others now: an entry of no meaning tells it what time it is for all.
    pub(crate) fn joined(&mut self) {
        let entry = entry::encode_server(&ServerChange::Hour(self.state.ran()));
        self.hand_in((None, Asker::Host), entry);
    }

    /// The hour is over, says this server first.
    pub(crate) fn propose_hour(&mut self) {
        self.state.begin_hour();
        let entry = entry::encode_server(&ServerChange::Hour(self.state.ran().saturating_add(1)));
        self.hand_in((None, Asker::Host), entry);
    }

    /// An entry of the log has its turn.
    pub(crate) fn ordered(&mut self, server: u32, at: Position, entry: &[u8]) {
        self.state.begin_turn(server, at);
        let decoded = entry::decode(entry);
        // Whoever fences another server does not wait for that.
        let unasked = matches!(decoded, Some(Entry::Server(ServerChange::Gone { .. })));
        let proposal = if self.state.is_foreign() || unasked { None } else { self.proposals.pop_front() };
        if let Some(proposal) = &proposal {
            self.times.add(self.state.now.elapsed.saturating_sub(proposal.at));
        }
        if let Some(Proposal { by: Some(id), label: Some(label), .. }) = &proposal {
            self.delivery.begin_label(*id, label);
        }
        let asker = proposal.as_ref().map_or(Asker::Host, |proposal| proposal.asker);
        let mut failed = None;
        match decoded {
            None => self
                .delivery
                .output(Output::Warn(format!("cluster: entry {at} makes no sense and was left out"))),
            Some(Entry::Newcomer(origin, member, proof)) => {
                failed = self.newcomer(origin, *member, proof);
            }
            Some(Entry::Member(origin, change)) => {
                match self.state.at_origin(origin) {
                    Some(by) => {
                        if let Err(refused) = self.apply(by, change) {
                            self.refuse(by, refused);
                        }
                    }
                    // It is gone, put out by somebody else meanwhile.
                    None => self.forget_letter_of(&change, origin),
                }
            }
            Some(Entry::Server(change)) => self.server_change(change, asker),
        }
        self.write_rooms();
        if self.state.end_turn(entry.len()) {
            self.milestone(at);
        }
        for id in self.state.take_displaced() {
            // Who has asked to be a member with it is refused when that has its turn.
            if !self.state.is_proposing(id) {
                self.name_lost(id, None);
            }
        }
        for (ticket, kept) in std::mem::take(&mut self.settled) {
            self.account_settled(ticket, kept);
        }
        if let Some(Proposal { by: Some(id), .. }) = proposal {
            if let Some(refused) = failed {
                self.name_lost(id, Some(refused));
            }
            self.had_its_turn(id);
        }
    }

    /// All servers write down what they know, and compare it.
    fn milestone(&mut self, at: Position) {
        let (state, digest) = (self.snapshot(), self.digest());
        self.delivery.output(Output::Snapshot { at, state });
        let milestone = Milestone { at, digest };
        self.state.note_milestone(milestone);
        self.hand_in((None, Asker::Host), entry::encode_server(&ServerChange::Milestone(milestone)));
    }

    /// Makes a member of somebody on one of the servers; why not.
    fn newcomer(&mut self, origin: Origin, mut member: Member, proof: &str) -> Option<Refused> {
        // The account may have ended since, be another one of that name, or have another password.
        member.account.take_if(|name| self.state.proof_of(name) != proof);
        let (nick, token, account) = (member.nick.clone(), member.token, member.account.clone());
        let here = self.state.at_origin(origin);
        let id = match here {
            Some(id) => id,
            None => self.state.add_remote(origin, member)?,
        };
        // What all know of it counts, whatever has become of it here meanwhile.
        if let Some(member) = self.state.member_mut(id).filter(|member| !member.registered()) {
            (member.nick, member.token, member.account) = (nick, token, account);
        }
        let refused = self.apply(id, Change::Register).err();
        let out = self.state.member(id).is_some_and(|member| !member.registered());
        if out && here.is_none() {
            self.state.close(id);
        }
        // Into a room, or not at all.
        if !out && let Some(refused) = refused {
            self.refuse(id, refused);
            return None;
        }
        refused
    }

    fn server_change(&mut self, change: ServerChange<'_>, asker: Asker) {
        match change {
            ServerChange::Operate(by, operation) => {
                let by = by.and_then(|origin| self.state.at_origin(origin));
                self.operate_now(&operation, by.map_or(asker, Asker::Operator));
            }
            ServerChange::Account { by, claimed, ticket, state } => {
                let by = by.and_then(|origin| self.state.at_origin(origin));
                let own = !self.state.is_foreign();
                let kept = self.account_changes(by, claimed, state);
                if own {
                    self.settled.push((ticket, kept));
                }
            }
            ServerChange::Gone { server } => self.split(server),
            ServerChange::Hour(hours) => self.state.hour_is_over(hours),
            ServerChange::Milestone(milestone) => {
                if self.state.differs(milestone) {
                    self.delivery.output(Output::Differs { at: milestone.at });
                }
            }
        }
    }

    /// What a connection proposed has had its turn, and what it said meanwhile goes on.
    pub(super) fn had_its_turn(&mut self, id: ConnectionId) {
        if !self.state.end_proposal(id) {
            return;
        }
        if let Some(member) = self.state.member_mut(id).filter(|member| member.leaving) {
            // Its connection broke before it was a member; now it is one, who may come back, or nobody.
            member.leaving = false;
            self.state.go_on_from(id);
            if !self.linger(id, CLOSED) {
                self.leaves(id, CLOSED, CLOSED);
            }
            return;
        }
        self.delivery.end_label(id);
        self.go_on(id);
        self.delivery.park(id, false);
        self.go_on_waiting(id);
    }

    /// Somebody who is no member yet cannot have the name that it chose: another server's member has it.
    fn name_lost(&mut self, id: ConnectionId, why: Option<Refused>) {
        let Some(member) = self.state.member(id).filter(|member| !member.registered() && !member.leaving)
        else {
            return;
        };
        let speaker = member.speaker;
        let nick = member.nick.clone();
        self.state.unname(id);
        let name = nick.as_ref().map_or("*", Nick::as_str);
        let (numeric, why) = why.unwrap_or_else(|| crate::hub::state::nicks::taken(name));
        match speaker {
            Speaker::Irc => self.refuse(id, (numeric, format!("{name} :{why}"))),
            Speaker::Plain => self.refuse_name(id, &format!("{why}. Type another one."), false),
            Speaker::Raw(_) | Speaker::Unknown => {
                let realname =
                    self.state.member(id).map(|member| member.realname.clone()).unwrap_or_default();
                let nick = self.state.free_name(name);
                self.register_simply(id, nick, &realname);
            }
        }
    }

    /// Somebody goes for good; its connection at once, the member when that has its turn.
    pub(crate) fn leaves(&mut self, id: ConnectionId, reason: &str, logged: &str) {
        let read = self.state.member(id).and_then(|member| member.read);
        let change = Change::Quit { reason, logged, read };
        if self.state.decides() || self.is_own(id, &change) {
            return self.depart(id, reason, logged);
        }
        if self.state.member(id).is_some_and(Member::registered) {
            self.propose(id, change);
        }
        self.detach_for_good(id);
    }

    /// Closes the connection of a member who goes when that has its turn.
    pub(super) fn detach_for_good(&mut self, id: ConnectionId) {
        let Some(member) = self.state.member_mut(id) else { return };
        if let Some(waiting) = &mut member.waiting {
            waiting.lines.clear();
        }
        if !std::mem::replace(&mut member.leaving, true) && member.lingering.is_none() {
            let ip = member.peer.ip();
            self.history.forget(ip, id);
            self.delivery.close(id);
            self.delivery.output(Output::Detach { id });
        }
    }
}

/// The entry that says that a server is gone.
pub(crate) fn gone(server: u32) -> Vec<u8> {
    entry::encode_server(&ServerChange::Gone { server })
}

impl Operation {
    /// Whether it concerns one server alone.
    fn is_own(&self) -> bool {
        matches!(self, Operation::Password { .. } | Operation::Stop { .. })
    }
}
