//! From a connection to a member, and back: PASS, NICK, USER, QUIT, and the welcome.

use crate::hub::Hub;
use crate::hub::change::Change;
use crate::hub::command::people::no_nickname_given;
use crate::hub::command::queries::VERSION;
use crate::hub::command::{Done, need};
use crate::hub::delivery::lines::Line;
use crate::hub::delivery::output::Output;
use crate::hub::state::admission::turned_away;
use crate::hub::state::limits::{MAX_REALNAME, MAX_USER};
use crate::hub::state::member::{Member, Registration, Speaker};
use crate::hub::state::modes::{ROOM_MODES, ROOM_MODES_ARG, USER_MODES};
use crate::hub::state::refusal::{shown, too_long};
use crate::hub::state::{ConnectionId, Token};
use crate::protocol::Message;
use crate::protocol::Nick;
use crate::protocol::Numeric::*;
use crate::protocol::line::MAX_BODY;

/// Looked at in the end (RFC 2812 §3.1.1).
pub(super) fn pass(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let password = need(message, 0)?;
    hub.admit_by(id, password);
    Ok(())
}

pub(super) fn nick(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let wanted = message.params.filled(0).ok_or_else(no_nickname_given)?;
    if hub.state.resumes(id) {
        return Ok(());
    }
    let wrong = |error| (ERR_ERRONEUSNICKNAME, format!("{} :{error}", shown(wanted)));
    let nick = Nick::parse(wanted).map_err(wrong)?;
    let registration = hub.state.member_mut(id).and_then(|member| member.registration.as_mut());
    registration.into_iter().for_each(|registration| registration.wished = None);
    let others = hub.state.is_others(id, &nick.fold());
    if let Some(member) = hub.state.member_mut(id)
        && let Some(registration) =
            member.registration.as_mut().filter(|registration| registration.negotiating && others)
    {
        // It may be about to log in.
        registration.wished = Some(nick);
        return Ok(());
    }
    hub.propose(id, Change::Nick { nick });
    hub.try_register(id);
    Ok(())
}

pub(super) fn user(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let (username, realname) = (need(message, 0)?, need(message, 3)?);
    if realname.len() > MAX_REALNAME {
        return Err(too_long());
    }
    let letter = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let mut user: String = username.chars().filter(letter).take(MAX_USER).collect();
    if user.is_empty() {
        user.push_str("user");
    }
    if let Some(member) = hub.state.member_mut(id) {
        (member.username, member.realname) = (user.into(), realname.into());
        member.registration.iter_mut().for_each(|registration| registration.user = true);
    }
    hub.try_register(id);
    Ok(())
}

pub(super) fn quit(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    hub.quit(id, message.params.filled(0));
    Ok(())
}

impl Hub {
    pub(crate) fn opened(&mut self, id: ConnectionId, member: Member, raw: bool) {
        if self.state.stopping {
            return self.delivery.output(Output::Close { id });
        }
        let peer = member.peer;
        if let Err(reason) = self.state.open(id, member) {
            self.log_about(peer, format!("refused: {peer} ({reason})"));
            let line = turned_away(raw, &reason);
            self.delivery.output(Output::Lines { to: id, lines: Line::from(line.into_bytes()).into() });
            return self.delivery.output(Output::Close { id });
        }
        self.delivery.open(id);
        // A raw client may well wait for others to begin; TCP keepalive looks after it.
        if !raw {
            self.state.timers.arm(id, self.state.now.elapsed + self.state.settings.registration);
        }
    }

    pub(crate) fn encrypted(&mut self, id: ConnectionId, certfp: Option<Box<[u8; 32]>>) {
        if let Some(member) = self.state.member_mut(id) {
            (member.secure, member.certificate) = (true, certfp);
        }
    }

    pub(crate) fn speaks(&mut self, id: ConnectionId, speaker: Speaker, name: Option<&str>) {
        let Some(member) = self.state.member_mut(id) else { return };
        member.speaker = speaker;
        self.update_form(id);
        if let Speaker::Raw(kind) = speaker {
            self.raw_enters(id, kind, name.unwrap_or_default());
        }
    }

    /// Ends the registration of a connection that has said all that it takes.
    pub(super) fn try_register(&mut self, id: ConnectionId) {
        let registration = self.state.member(id).and_then(|member| member.registration.as_deref());
        if !matches!(registration, Some(Registration { negotiating: false, user: true, .. })) {
            return;
        }
        if !self.is_admitted(id) {
            self.reply(
                id,
                ERR_PASSWDMISMATCH,
                ":This server has a password: your program sends it with PASS",
            );
            return self.lost(id, "Wrong or missing password");
        }
        self.refuse_late_resume(id);
        let wished = self.state.member_mut(id).and_then(|member| member.registration.as_mut()?.wished.take());
        if let Some(nick) = wished.filter(|_| !self.state.resumes(id)) {
            self.propose(id, Change::Nick { nick });
        }
        let named = self.state.member(id).is_some_and(|member| member.nick.is_some());
        if named || self.state.resumes(id) {
            self.propose(id, Change::Register);
        }
    }

    pub(crate) fn welcome(&mut self, id: ConnectionId, brought: Option<Token>) {
        if id.is_remote() {
            return self.hand_out_token(id, brought);
        }
        self.reply(id, RPL_WELCOME, format!(":Welcome to Parlor, {}", self.state.source(id).prefix));
        self.hand_out_token(id, brought);
        let server = &self.state.settings.name;
        let modes = format!("{server} {VERSION} {USER_MODES} {ROOM_MODES} {ROOM_MODES_ARG}");
        self.reply(id, RPL_YOURHOST, format!(":Your host is {server}, running {VERSION}"));
        self.reply(id, RPL_CREATED, format!(":This server was started {}", self.state.started));
        self.reply(id, RPL_MYINFO, modes);
        self.isupport(id);
        self.lusers(id);
        self.motd(id);
    }

    pub(crate) fn quit(&mut self, id: ConnectionId, reason: Option<&str>) {
        let Some(member) = self.state.member(id) else { return };
        let mut text = reason.map_or("Quit".into(), |reason| format!("Quit: {reason}"));
        if member.prefix().len() + text.len() > MAX_BODY - 10 {
            self.refuse(id, too_long());
            text = "Quit".into();
        }
        self.state.reads_on(id);
        self.closing_line(id, "Quit");
        self.leaves(id, &text, "quit");
    }
}
