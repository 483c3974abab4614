//! Logging in: a connection shows whose account it is, and has its place.

use crate::hub::Hub;
use crate::hub::change::Change;
use crate::hub::change::tell::Audience;
use crate::hub::delivery::event::What;
use crate::hub::state::ConnectionId;
use crate::hub::state::member::{Member, Missed, Speaker};
use crate::hub::state::modes::ModeChange;
use crate::hub::state::refusal::Refused;
use crate::hub::state::room::{Place, Rank};
use crate::protocol::Numeric::*;
use crate::protocol::scram::Key;
use crate::protocol::{Capability, Folded, Nick};

/// What the old connection of an account is told.
const REPLACED: &str = "Logged in elsewhere, and replaced by that connection";

impl Hub {
    /// Somebody has shown whose account this is, while the account was what `proof` says.
    pub(super) fn log_in_by(&mut self, id: ConnectionId, name: &str, proof: &str) -> Result<(), Refused> {
        if self.state.proof_of(name) != proof {
            return Err((ERR_SASLFAIL, ":The account has changed in this moment; log in again".into()));
        }
        self.log_in(id, name)
    }

    /// Somebody is whose account this is. After registration its old place is its own again, or else its name.
    pub(super) fn log_in(&mut self, id: ConnectionId, name: &str) -> Result<(), Refused> {
        let Some(name) = self.state.accounts.get(name).map(|account| account.name.clone()) else {
            return Ok(());
        };
        self.state.note_used(&name);
        let Some(member) = self.state.member_mut(id) else { return Ok(()) };
        // What was kept for its token is kept for the account from now on.
        let (token, rooms) = (member.token, member.rooms.clone());
        member.account = Some(name.clone());
        let (peer, registered) = (member.peer, member.registered());
        self.log_about(peer, format!("logged in: {name} from {peer}"));
        let prefix = self.state.source(id).prefix;
        self.reply(id, RPL_LOGGEDIN, format!("{prefix} {name} :You are logged in as {name}"));
        if !registered {
            return Ok(());
        }
        if let Some(old) = self.state.standing(id) {
            self.take_old_place(id, old, &name);
            return Ok(());
        }
        self.tell_account(id, Some(&name));
        let owner = self.state.owner(id);
        token.into_iter().for_each(|token| self.state.pass_on(token, owner.clone()));
        self.give_kept_ranks(id, &rooms);
        self.replay_private(id);
        match Nick::parse(&name) {
            // Another spelling is its own choice.
            Ok(nick)
                if self
                    .state
                    .member(id)
                    .is_some_and(|m| m.nick.as_ref().map(Nick::fold) != Some(nick.fold())) =>
            {
                self.rename(id, nick)
            }
            _ => Ok(()),
        }
    }

    /// Somebody who is in rooms already has the ranks there that were kept.
    fn give_kept_ranks(&mut self, id: ConnectionId, places: &[Place]) {
        for place in places {
            let kept = self.state.kept_rank(id, place.room);
            let nick = self.state.nick_of(id).to_owned();
            let name = self.state.rooms.get(place.room).map(|room| room.name.to_string()).unwrap_or_default();
            for (letter, rank) in [('o', Rank::OPERATOR), ('v', Rank::VOICE)] {
                if kept.has(rank) && self.state.change_rank(id, *place, true, rank).is_some() {
                    let change = format!("+{letter} {nick}");
                    let event = self.server_event(What::Mode { target: &name, change: &change });
                    self.tell_room(place.room, &event, Audience::Everyone);
                    self.record(place.room, &event, None);
                }
            }
            self.state.bind_rank(id, place.room);
        }
    }

    /// ACCOUNT for those who share a room (IRCv3 account-notify).
    fn tell_account(&mut self, id: ConnectionId, name: Option<&str>) {
        let event = self.event(id, What::Account { name });
        self.tell_acquaintances(id, &event, Capability::AccountNotify);
        if self.state.member(id).is_some_and(|member| member.has(Capability::AccountNotify)) {
            self.tell(id, &event);
        }
    }

    /// A member who logged in leaves the place that it had meanwhile, and has that of its old connection.
    fn take_old_place(&mut self, id: ConnectionId, old: ConnectionId, name: &str) {
        let reason = format!("Logged in as {name}");
        let event = self.event(id, What::Quit { reason: &reason });
        self.tell_neighbours(id, &event, |_| true);
        self.record_everywhere(id, &event);
        self.narrate("", &event);
        let irc = self.state.member(id).is_some_and(|member| member.speaker == Speaker::Irc);
        for room in self.state.room_names_of(id).into_iter().filter(|_| irc) {
            let event = self.event(id, What::Part { room: &room, reason: None });
            self.tell(id, &event);
        }
        for room in self.state.rooms_of(id) {
            self.delivery.forget_pages(id, |page| page.shows(room));
        }
        let nick = self.state.nick_of(old).to_owned();
        let event = self.event(id, What::Nick { new: &nick });
        self.tell(id, &event);
        self.state.remember(id);
        self.state.note_read(id);
        self.state.leave_everything(id);
        if let Some(nick) = self.state.free_names(id) {
            self.watched_left(&nick.fold(), nick.as_str());
        }
        let token = self.state.member(old).and_then(|member| member.token);
        if let Some(missed) = self.replace(id, old) {
            self.hand_out_token(id, token);
            self.show_place(id, missed);
        }
    }

    /// A certificate logs in to a member's account from now on.
    pub(super) fn add_print(&mut self, id: ConnectionId, print: Key) {
        if let Some(account) = self.state.member(id).and_then(|member| member.account.clone()) {
            self.state.add_print(&account, print);
        }
    }

    /// Gives a connection the place of an old one, whose account's password it knows. The old one is told in a form
    /// that a program understands: if it came back by itself it would replace this one in its turn.
    pub(super) fn replace(&mut self, id: ConnectionId, old: ConnectionId) -> Option<Vec<Missed>> {
        // That is not the server's key (OPER).
        let on = self.state.member(id)?.operator;
        self.state.change_user_modes(old, &[ModeChange { on, letter: 'o', argument: "" }]);
        let told = |member: &Member| member.speaker == Speaker::Irc && member.lingering.is_none();
        if self.state.member(old).is_some_and(told) {
            self.fail(old, "*", "REPLACED", REPLACED);
        }
        self.take_place(id, old, REPLACED)
    }

    /// Whoever has a name that belongs to somebody else from now on gets another one.
    pub(super) fn displace(&mut self, name: &str) {
        let folded = Folded::new(name);
        let Some(&id) = self.state.nicks.get(&folded) else { return };
        let member = self.state.member(id).is_some_and(Member::registered);
        if !self.state.is_others(id, &folded) || self.state.cluster.is_some() && !member {
            // Who is no member yet is refused when it would be one.
            return;
        }
        let nick = self.state.free_name(name);
        self.explain(id, &format!("{name} is somebody's name now; yours is {nick}"));
        self.propose(id, Change::Nick { nick });
    }

    /// An account is nobody's any more; whether there was one.
    pub(super) fn forget_account(&mut self, name: &str) -> bool {
        let there = self.state.accounts.forget(name);
        let folded = Folded::new(name);
        self.forget_owner(&folded);
        self.state.forget_pairs(&folded);
        self.state.forget_marks(name);
        for id in self.state.of_account(&folded) {
            let registered = self.state.member(id).is_some_and(Member::registered);
            self.state.member_mut(id).into_iter().for_each(|member| member.account = None);
            let prefix = self.state.source(id).prefix;
            self.reply(
                id,
                RPL_LOGGEDOUT,
                format!("{prefix} :You are logged out: the operator forgot this account"),
            );
            if registered || self.state.cluster.is_none() {
                self.tell_account(id, None);
            }
        }
        there
    }

    /// After the welcome of somebody who has its old place again.
    pub(super) fn show_place(&mut self, id: ConnectionId, missed: Vec<Missed>) {
        self.show_resumed(id, missed);
        if self.state.member(id).is_some_and(|member| member.speaker == Speaker::Plain) {
            self.plain_welcome(id);
            // One room at a time.
            if let Some(room) = self.state.rooms_of(id).first() {
                self.plain_leaves_others(id, *room);
            }
        }
    }
}
