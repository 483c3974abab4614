//! Who is kept out of a room, and what its operators have set: MODE and its lists (RFC 2811 §4,
//! modern.ircdocs.horse "Channel Modes").

use std::fmt;

use parlor_server::protocol::Message;
use parlor_server::protocol::message::Userhost;
use parlor_server::protocol::text::{cut, printable};
use parlor_server::protocol::time::UnixMillis;

use super::commands::is_word;
use super::event::{Deed, Event, Tools};
use super::stamp::Stamp;
use super::{Key, Rank, Sentence, Session};
use crate::limits::{BANS, NAME};

/// Who is kept out of a room, or let in all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// `nick!user@host`, with `*` for any part of it.
    pub mask: String,
    /// Who set it, where the server says.
    pub by: String,
    /// When, where the server says.
    pub at: Option<UnixMillis>,
    /// It lets in whom a ban would keep out.
    pub exception: bool,
}

/// What the operators of a room have set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomSettings {
    /// Who comes in needs it.
    pub key: Option<String>,
    /// Only who was invited comes in.
    pub invite_only: bool,
    /// Only operators and those with a voice speak.
    pub moderated: bool,
    /// Only operators change the topic.
    pub topic_locked: bool,
    /// Seconds between two lines of one person.
    pub slow: Option<u32>,
}

/// One of [`RoomSettings`] in another way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomSetting {
    /// Empty: none.
    Key(String),
    /// See [`RoomSettings::invite_only`].
    InviteOnly(bool),
    /// See [`RoomSettings::moderated`].
    Moderated(bool),
    /// See [`RoomSettings::topic_locked`].
    TopicLocked(bool),
    /// See [`RoomSettings::slow`].
    Slow(Option<u32>),
}

/// The list of one room, as it comes; nobody looks at two, but the answers about an earlier one may still come.
#[derive(Debug)]
pub(super) struct Bans {
    room: Key,
    /// At most [`BANS`].
    listed: Vec<Ban>,
    /// Lists that are still to end.
    coming: u8,
}

/// One change of a MODE.
#[derive(Debug, Clone, Copy)]
pub(super) struct ModeChange<'a> {
    pub(super) on: bool,
    pub(super) mode: char,
    pub(super) argument: Option<&'a str>,
}

/// `+o bob`, as a line of the timeline holds it.
impl fmt::Display for ModeChange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.on { '+' } else { '-' }, printable(&self.mode.to_string()))?;
        self.argument.map_or(Ok(()), |argument| write!(f, " {}", printable(argument)))
    }
}

impl Ban {
    /// Whom it only keeps from speaking: a name, or a mask.
    pub fn mutes(&self) -> Option<&str> {
        muted(&self.mask)
    }
}

/// Whom a mask of a list of bans only keeps from speaking: a name, or what is left of the mask.
pub fn muted(mask: &str) -> Option<&str> {
    let whom = mask.strip_prefix("~m:").or_else(|| mask.strip_prefix("m:"))?;
    Some(whom.strip_suffix("!*@*").filter(|nick| !nick.contains(['*', '!', '@'])).unwrap_or(whom))
}

impl RoomSettings {
    /// Of the other modes nothing is noted.
    fn apply(&mut self, change: ModeChange<'_>) {
        match change.mode {
            // On other servers it means something else, and has no number.
            'f' => {
                let pause = change.argument.filter(|_| change.on).and_then(|pause| pause.parse().ok());
                self.slow = pause.filter(|pause| *pause > 0);
            }
            'i' => self.invite_only = change.on,
            'm' => self.moderated = change.on,
            't' => self.topic_locked = change.on,
            'k' => self.key = change.argument.filter(|_| change.on).map(name),
            _ => {}
        }
    }
}

impl Session {
    /// The changes of a MODE: the letters, and then what they are about.
    pub(super) fn mode_changes<'a>(&self, modes: &str, arguments: &[&'a str]) -> Vec<ModeChange<'a>> {
        let (mut on, mut arguments, mut changes) = (true, arguments.iter(), Vec::new());
        for mode in modes.chars() {
            match mode {
                '+' | '-' => on = mode == '+',
                mode => {
                    let takes = self.isupport.has_parameter(mode, on);
                    let argument = if takes { arguments.next().copied() } else { None };
                    // Of our servers alone is known that it means an end of haste.
                    let free = mode == 'f' && !on && self.isupport.sorted;
                    let argument = argument.or(free.then_some("0"));
                    changes.push(ModeChange { on, mode, argument });
                }
            }
        }
        changes
    }

    /// Something was changed in a room that somebody may be looking at.
    pub(super) fn settings_changed(
        &mut self,
        room: &Key,
        changes: &[ModeChange<'_>],
        by: &str,
        stamp: &Stamp<'_>,
    ) {
        if let Some(settings) = self.conversations.get_mut(room).and_then(|c| c.settings.as_mut()) {
            let before = settings.clone();
            changes.iter().for_each(|change| settings.apply(*change));
            if *settings != before {
                let settings = settings.clone();
                self.tell(Event::Settings { room: room.clone(), settings });
            }
        }
        if self.is_me(by) {
            for change in changes.iter().filter(|change| change.on && change.mode == 'b') {
                let Some(mask) = change.argument.map(printable) else { continue };
                let ban = Ban { mask, by: printable(by), at: Some(stamp.at), exception: false };
                self.tell(Event::Done { room: room.clone(), deed: Deed::Banned(ban) });
            }
        }
        let Some(bans) = self.bans.last_mut().filter(|bans| bans.room == *room && bans.coming == 0) else {
            return;
        };
        let mut touched = false;
        for change in changes.iter().filter(|change| matches!(change.mode, 'b' | 'e')) {
            let (Some(mask), exception) = (change.argument.map(printable), change.mode == 'e') else {
                continue;
            };
            touched = true;
            bans.listed.retain(|ban| ban.mask != mask || ban.exception != exception);
            if change.on && bans.listed.len() < BANS {
                bans.listed.push(Ban { mask, by: printable(by), at: Some(stamp.at), exception });
            }
        }
        if touched {
            self.tell_bans();
        }
    }

    /// Somebody wants to see who is kept out of a room.
    pub(super) fn look_at_bans(&mut self, room: &Key) {
        let Some(room) = self.known(room).filter(|key| self.is_room(key)) else { return };
        if self.bans.last().is_some_and(|bans| bans.room == room && bans.coming > 0) {
            return;
        }
        // Exceptions are the operators' own business on most servers.
        let both = self.isupport.has_list('e') && self.my_rank(&room) == Rank::Operator;
        let mut coming = 1 + u8::from(both);
        for before in &mut self.bans {
            before.listed = Vec::new();
            if before.room == room {
                coming = coming.saturating_add(std::mem::take(&mut before.coming));
            }
        }
        self.bans.retain(|before| before.coming > 0);
        self.bans.push(Bans { room: room.clone(), listed: Vec::new(), coming });
        self.ask(&room, |name| format!("MODE {name} b"));
        if both {
            self.ask(&room, |name| format!("MODE {name} e"));
        }
    }

    /// Somebody wants to see how a room is set.
    pub(super) fn look_at_settings(&mut self, room: &Key) {
        let Some(room) = self.known(room).filter(|key| self.is_room(key)) else { return };
        let name = self.conversations.get(&room).filter(|c| c.joined).map(|c| c.name.clone());
        let Some(name) = name.filter(|_| self.is_ready() && !self.settings_asked.contains(&room)) else {
            return;
        };
        self.settings_asked.push(room);
        self.send(&format!("MODE {name}"));
    }

    /// RPL_CHANNELMODEIS. Says whether it was asked for by [`look_at_settings`](Self::look_at_settings).
    pub(super) fn on_settings(&mut self, message: &Message<'_>) -> bool {
        let at = message.params.iter().take(2).position(|name| self.room(name).is_some());
        let Some((at, room)) = at.and_then(|at| Some((at, self.room(message.params.get(at)?)?))) else {
            return false;
        };
        let Some(asked) = self.settings_asked.iter().position(|asked| *asked == room) else { return false };
        self.settings_asked.remove(asked);
        let modes = message.params.get(at + 1).copied().unwrap_or_default();
        let changes = self.mode_changes(modes, message.params.get(at + 2..).unwrap_or_default());
        let mut settings = RoomSettings::default();
        for change in changes {
            settings.apply(change);
        }
        if let Some(conversation) = self.conversations.get_mut(&room) {
            conversation.settings = Some(settings.clone());
        }
        self.tell(Event::Settings { room, settings });
        true
    }

    /// RPL_BANLIST, RPL_EXCEPTLIST: `me #room mask`, and on most servers who and when. Says whether
    /// it was asked for.
    pub(super) fn on_ban_listed(&mut self, message: &Message<'_>, exception: bool) -> bool {
        let room = message.params.get(1).map(|name| self.isupport.key(name));
        let last = self.bans.len().saturating_sub(1);
        let asked = |(_, bans): &(usize, &mut Bans)| Some(&bans.room) == room.as_ref() && bans.coming > 0;
        let Some((at, bans)) = self.bans.iter_mut().enumerate().find(asked) else { return false };
        if at < last {
            // Nobody looks at it any more.
            return true;
        }
        let word = |i: usize| message.params.get(i).copied().unwrap_or_default();
        let at = word(4).parse::<u64>().ok().filter(|at| *at > 0);
        let at = at.map(|seconds| UnixMillis(seconds.saturating_mul(1_000)));
        let (mask, by) = (name(word(2)), name(Userhost::split(word(3)).nick));
        // What was asked for twice comes twice.
        let known = bans.listed.iter().any(|ban| ban.mask == mask && ban.exception == exception);
        if bans.listed.len() < BANS && !known {
            bans.listed.push(Ban { mask, by, at, exception });
        }
        true
    }

    /// RPL_ENDOFBANLIST, RPL_ENDOFEXCEPTLIST. Says whether that list was asked for.
    pub(super) fn on_bans_end(&mut self, message: &Message<'_>) -> bool {
        let room = message.params.get(1).map(|name| self.isupport.key(name));
        let asked = |bans: &Bans| Some(&bans.room) == room.as_ref() && bans.coming > 0;
        let Some(at) = self.bans.iter().position(asked) else { return false };
        let last = at + 1 == self.bans.len();
        let Some(bans) = self.bans.get_mut(at) else { return false };
        bans.coming -= 1;
        match (bans.coming, last) {
            (0, true) => self.tell_bans(),
            (0, false) => drop(self.bans.remove(at)),
            _ => {}
        }
        true
    }

    /// The server does not show a list. Says whether one was asked for.
    pub(super) fn bans_refused(&mut self, room: &Key) -> bool {
        let Some(at) = self.bans.iter().position(|bans| bans.room == *room && bans.coming > 0) else {
            return false;
        };
        let last = at + 1 == self.bans.len();
        self.bans.remove(at);
        if last {
            self.tell(Event::Bans { room: room.clone(), bans: None });
        }
        true
    }

    fn tell_bans(&mut self) {
        if let Some(bans) = self.bans.last() {
            let (room, listed) = (bans.room.clone(), bans.listed.clone());
            self.tell(Event::Bans { room, bans: Some(listed) });
        }
    }

    pub(super) fn unban(&mut self, room: &Key, mask: &str, exception: bool) {
        let letter = if exception { 'e' } else { 'b' };
        // A comma may stand in one (extended bans).
        if mask.is_empty() || mask.starts_with(':') || mask.contains(|c: char| c.is_control() || c == ' ') {
            return self.complain(Sentence::NameNeeded);
        }
        self.ask(room, |name| format!("MODE {name} -{letter} {mask}"));
    }

    /// Keeps somebody from speaking, or takes that back.
    pub(super) fn mute(&mut self, room: &Key, nick: &str, on: bool) {
        let sign = if on { '+' } else { '-' };
        if let Some(prefix) = self.isupport.mutes {
            self.ask_about(room, nick, |name, nick| format!("MODE {name} {sign}b {prefix}{nick}!*@*"));
        }
    }

    /// What the host of a room can do here.
    pub(super) fn tell_tools(&mut self) {
        let ours = self.isupport.sorted;
        let hands = self.takes_hands();
        let mutes = self.isupport.mutes.is_some();
        self.tell(Event::Tools(Tools { hands, lowers: hands && ours, mutes, slow: ours }));
    }

    pub(super) fn set(&mut self, room: &Key, setting: &RoomSetting) {
        let letter = |on: &bool, letter: char| format!("{}{letter}", if *on { '+' } else { '-' });
        let change = match setting {
            RoomSetting::InviteOnly(on) => letter(on, 'i'),
            RoomSetting::Moderated(on) => letter(on, 'm'),
            RoomSetting::TopicLocked(on) => letter(on, 't'),
            RoomSetting::Slow(None) => "-f".into(),
            RoomSetting::Slow(Some(seconds)) => format!("+f {seconds}"),
            RoomSetting::Key(key) if key.trim().is_empty() => {
                let settings =
                    self.known(room).and_then(|room| self.conversations.get(&room)?.settings.clone());
                // Some servers want to hear the key that goes, others take any word.
                format!("-k {}", settings.and_then(|settings| settings.key).unwrap_or_else(|| "*".into()))
            }
            RoomSetting::Key(key) if is_word(key.trim()) => format!("+k {}", key.trim()),
            RoomSetting::Key(_) => return self.complain(Sentence::KeyNotPossible),
        };
        self.ask(room, |name| format!("MODE {name} {change}"));
    }

    fn my_rank(&self, room: &Key) -> Rank {
        let me = self.isupport.key(&self.me.nick);
        let ranks = self.conversations.get(room).and_then(|c| c.roster.get(&me)).map(|member| member.ranks);
        self.isupport.rank(ranks.unwrap_or_default())
    }
}

/// As much as a name may have.
fn name(text: &str) -> String {
    printable(cut(text, NAME))
}
