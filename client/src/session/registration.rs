//! From a connection to a welcome: capabilities, our name, and getting it back.

use std::collections::HashSet;
use std::time::Duration;

use parlor_server::protocol::message::Userhost;
use parlor_server::protocol::text::{pieces, printable};
use parlor_server::protocol::{Capability, Message};

use super::event::{Event, Field, Refusal};
use super::login::SigningIn;
use super::opening::{FIRST_LINE, Opener, Opening};
use super::reconnect::{Phase, REGISTER_WITHIN};
use super::{Key, Output, Sentence, Session, Status};
use crate::limits::NAMES_HAD;

/// Between two attempts to get our own name back.
const RECLAIM_EVERY: Duration = Duration::from_secs(15);
/// Silence after the first line of a welcome that ends it: not every server says that it is over.
const WELCOME_QUIET: Duration = Duration::from_secs(2);
/// Names that are tried on a reconnect.
const MAX_VARIANTS: u32 = 20;
/// Bytes of a real name that every server takes.
const MAX_REALNAME: usize = 128;
/// Bytes of rooms in one JOIN.
const MAX_JOIN: usize = 300;
/// Rooms in one JOIN: what servers take that do not say (ISUPPORT TARGMAX).
const MAX_ROOMS: usize = 10;

/// Who we are to the server.
#[derive(Debug, Default)]
pub(super) struct Me {
    /// Our name at the moment.
    pub(super) nick: String,
    /// The name we want; another one only while somebody else has it.
    pub(super) wanted: String,
    /// `user@host` as others see it, once it is known.
    pub(super) userhost: Option<String>,
    /// The name that was just asked for, on the person's wish.
    pub(super) asked: Option<String>,
    /// Every name we had, folded: what we said under one is still ours.
    pub(super) were: HashSet<Key>,
    /// What gets our place back after a loss (`parlor/resume`); good for one time.
    pub(super) token: Option<String>,
    /// It was said where nobody else reads.
    pub(super) token_private: bool,
}

/// How far registration has come.
#[derive(Debug, Default)]
pub(super) struct Registration {
    /// When RPL_WELCOME came.
    welcomed: Option<Duration>,
    /// CAP END has been sent.
    pub(super) negotiated: bool,
    /// Whether we have shown who we are.
    pub(super) signing: SigningIn,
    /// The server knows whose account is ours.
    pub(super) logged_in: bool,
    /// The server gave us our place back: nobody has seen us go.
    pub(super) resumed: bool,
    /// Names that were taken so far.
    variants: u32,
    /// The server's own name: the source of RPL_WELCOME.
    pub(super) server: String,
    /// What it has said first.
    pub(super) opening: Opening,
}

impl Registration {
    pub(super) fn is_welcomed(&self) -> bool {
        self.welcomed.is_some()
    }
}

impl Session {
    /// The first lines of a connection.
    pub(super) fn register(&mut self) {
        self.me.nick = self.me.wanted.clone();
        self.reclaim_at = None;
        let nick = self.me.nick.clone();
        let user: String = nick.chars().filter(char::is_ascii_alphanumeric).take(9).collect();
        let user = if user.is_empty() { "parlor".to_owned() } else { user.to_ascii_lowercase() };
        let realname = if self.profile.realname.trim().is_empty() { &nick } else { &self.profile.realname };
        let realname = pieces(realname, MAX_REALNAME).first().copied().unwrap_or_default().to_owned();
        if !self.pass() {
            return;
        }
        self.caps.logs_in = self.login.logs_in();
        self.send(FIRST_LINE);
        self.send(&format!("NICK {nick}"));
        self.send(&format!("USER {user} 0 * :{realname}"));
    }

    /// Whoever speaks first need not be a server of IRC; then this is the end of the connection.
    pub(super) fn opened_by(&mut self, opener: Opener) {
        match opener {
            Opener::Irc => {}
            Opener::Tutorial if self.turn.has_more() => {
                self.drop_connection(Sentence::TutorialServer { server: self.server() });
            }
            Opener::Tutorial => {
                self.out.push_back(Output::Disconnect);
                let server = self.server();
                self.give_up(Field::Address, Sentence::TutorialServer { server }, None);
            }
            Opener::Other => self.drop_connection(self.not_chat()),
        }
    }

    pub(super) fn on_cap(&mut self, message: &Message<'_>) {
        let (Some(verb), list) = (message.params.get(1), message.params.last().copied().unwrap_or_default())
        else {
            return;
        };
        match verb.to_ascii_uppercase().as_str() {
            "LS" => {
                self.caps.offer(list);
                // A `*` before the list: more lines follow (CAP LS 302).
                if message.params.len() < 4 {
                    match self.caps.request() {
                        Some(request) => self.send(&format!("CAP REQ :{request}")),
                        None => self.end_negotiation(),
                    }
                }
            }
            "ACK" => {
                self.caps.acknowledge(list);
                // What was said where nobody reads is said nowhere else, whichever server it is.
                let safe = self.login.private || !self.me.token_private;
                if self.caps.has(Capability::Resume)
                    && !self.registration.negotiated
                    && let Some(token) = self.me.token.take_if(|_| safe)
                {
                    self.send(&format!("RESUME {token}"));
                }
                if self.registration.negotiated || !self.sign_in() {
                    self.end_negotiation();
                }
            }
            "NAK" => self.end_negotiation(),
            "NEW" => {
                self.caps.offer(list);
                if let Some(request) = self.caps.request() {
                    self.send(&format!("CAP REQ :{request}"));
                }
            }
            "DEL" => self.caps.withdraw(list),
            _ => {}
        }
    }

    /// `RESUME TOKEN token`, `RESUME ACCEPTED nick`, `RESUME RANKS`.
    pub(super) fn on_resume(&mut self, message: &Message<'_>) {
        match (message.params.first().copied(), message.params.filled(1)) {
            (Some("TOKEN"), Some(token)) if super::commands::is_word(token) => {
                self.me.token = Some(token.to_owned());
                self.me.token_private = self.login.private;
            }
            (Some("ACCEPTED"), Some(nick)) if !self.registration.is_welcomed() => {
                self.registration.resumed = true;
                self.me.nick = nick.to_owned();
            }
            _ => {}
        }
    }

    /// `FAIL RESUME …`: a welcome as everybody's. Says whether it was that.
    pub(super) fn resume_failed(&mut self, verb: &str) -> bool {
        let resume = verb.eq_ignore_ascii_case("RESUME");
        // It takes over at the end of registration; what fails only then has used our name up.
        if resume && std::mem::take(&mut self.registration.resumed) && !self.registration.is_welcomed() {
            self.me.nick = self.me.wanted.clone();
            let nick = self.me.nick.clone();
            self.send(&format!("NICK {nick}"));
        }
        resume
    }

    pub(super) fn end_negotiation(&mut self) {
        if self.registration.negotiated {
            return;
        }
        if self.password_is_unsafe() && !self.welcomed_once {
            self.not_safe(Field::Password);
            return;
        }
        self.registration.negotiated = true;
        self.send("CAP END");
    }

    /// RPL_WELCOME.
    pub(super) fn on_welcome(&mut self, message: &Message<'_>) {
        // With the text alone it does not say our name, nor does a `*`.
        let named = message.params.filled(0).filter(|_| message.params.len() > 1);
        if let Some(nick) = named.filter(|nick| *nick != "*") {
            self.me.nick = nick.to_owned();
        }
        if let Some(source) = message.source {
            self.registration.server = source.to_owned();
        }
        // "Welcome to the network, nick!user@host", where servers keep to RFC 2812 §5.1.
        let last = message.params.last().and_then(|text| text.rsplit(' ').next()).unwrap_or_default();
        let whole = Userhost::split(last);
        if whole.nick == self.me.nick && !whole.user.is_empty() && !whole.host.is_empty() {
            self.me.userhost = Some(format!("{}@{}", whole.user, whole.host));
        }
        self.registration.welcomed = Some(self.now.elapsed);
        self.was(&self.me.nick.clone());
        let nick = self.me.nick.clone();
        self.tell(Event::Me { nick });
        self.tell_line_room();
    }

    /// The end of the welcome (RPL_ENDOFMOTD, ERR_NOMOTD): talk can begin.
    pub(super) fn on_ready(&mut self) {
        if !self.registration.is_welcomed() || !matches!(self.phase, Phase::Registering { .. }) {
            return;
        }
        self.phase = Phase::Ready { since: self.now.elapsed };
        self.turn.let_in();
        let first = !std::mem::replace(&mut self.welcomed_once, true);
        self.liveness.heard(self.now.elapsed);
        self.refold();
        let server =
            self.isupport.network.clone().unwrap_or_else(|| match self.registration.server.as_str() {
                "" => self.server().host,
                name => name.to_owned(),
            });
        self.set_status(Status::Connected { server });
        self.multiline = self.caps.multiline();
        self.tell_line_room();
        self.tell_marking();
        self.tell_tools();
        // Where nobody has refused our name, the server wants us to have this one: it cuts long ones, or is a bouncer.
        let refused = self.registration.variants > 0 || self.registration.resumed;
        if refused && !self.is_called_as_wanted() {
            self.reclaim_at = Some(self.now.elapsed + RECLAIM_EVERY);
        }
        if let Some(away) = self.away.clone() {
            self.send(&format!("AWAY :{away}"));
        }
        self.sign_in_late();
        self.join_wanted();
        if first || self.keeps_private() {
            self.begin_private_history();
        }
        if !self.answers_pings() {
            // Whether it answers has to be known before silence says something.
            self.ping();
        }
    }

    /// Whether our name is the one we want, as far as the server takes it.
    fn is_called_as_wanted(&self) -> bool {
        let (nick, wanted) = (self.isupport.key(&self.me.nick), self.isupport.key(&self.me.wanted));
        wanted.as_str().starts_with(nick.as_str())
    }

    /// When the welcome is over for want of more of it.
    pub(super) fn welcome_ends(&self) -> Option<Duration> {
        let heard = self.liveness.last_heard() + WELCOME_QUIET;
        self.registration.welcomed.map(|at| heard.min(at + REGISTER_WITHIN))
    }

    /// Enters all rooms we want to be in, in as few lines as servers take.
    fn join_wanted(&mut self) {
        // What rooms begin with here is known only now.
        let naming = &self.isupport.naming;
        self.wanted.iter_mut().for_each(|room| room.name = naming.room(&room.name));
        // Those with keys first: keys go to rooms by their place (RFC 2812 §3.2.1).
        let (keyed, open): (Vec<_>, Vec<_>) = self.wanted.iter().partition(|room| room.key.is_some());
        self.to_join = keyed.into_iter().chain(open).map(|room| naming.key(&room.name)).collect();
        self.join_more();
    }

    /// Enters as many of them as the server has patience for now.
    pub(super) fn join_more(&mut self) {
        while !self.to_join.is_empty() {
            if !self.isupport.saferate
                && let Err(at) = self.throttle.take(self.now.elapsed)
            {
                self.blocked_until = Some(at);
                return;
            }
            let line = self.next_join();
            if !line.is_empty() {
                self.send_raw(line.into_bytes());
            }
        }
    }

    /// One line with as many rooms as fit; at least one, unless all were left meanwhile.
    fn next_join(&mut self) -> String {
        let most = self.isupport.joins.unwrap_or(MAX_ROOMS);
        let (mut rooms, mut keys, mut count) = (String::new(), String::new(), 0);
        while let Some(key) = self.to_join.front().filter(|_| count < most) {
            let isupport = &self.isupport;
            let Some(room) = self.wanted.iter().find(|room| isupport.key(&room.name) == *key) else {
                self.to_join.pop_front();
                continue;
            };
            let room_key = room.key.as_deref().unwrap_or_default();
            if count > 0 && rooms.len() + keys.len() + room.name.len() + room_key.len() > MAX_JOIN {
                break;
            }
            let separator = if count == 0 { "" } else { "," };
            rooms.push_str(&format!("{separator}{}", room.name));
            if !room_key.is_empty() {
                keys.push_str(&format!("{separator}{room_key}"));
            }
            count += 1;
            self.to_join.pop_front();
        }
        match (count, keys.is_empty()) {
            (0, _) => String::new(),
            (_, true) => format!("JOIN {rooms}\r\n"),
            (_, false) => format!("JOIN {rooms} {keys}\r\n"),
        }
    }

    /// The server took too long.
    pub(super) fn registration_late(&mut self) {
        if self.registration.is_welcomed() {
            // Some servers have no word about their message of the day.
            return self.on_ready();
        }
        self.drop_connection(self.not_chat());
    }

    /// ERR_NICKNAMEINUSE and what else means that a name is not to be had now.
    pub(super) fn on_name_taken(&mut self, name: &str) {
        if self.registration.is_welcomed() {
            // Our own name is still the ghost's: tried again later, without a word.
            if let Some(asked) = self.me.asked.take() {
                let suggestion = Some(self.isupport.variant(&asked, 0));
                let sentence = Sentence::NameTaken { name: asked };
                self.tell(Event::Refused(Refusal { field: Field::Name, sentence, suggestion }));
            }
            return;
        }
        let turn = self.registration.variants;
        if !self.welcomed_once || turn >= MAX_VARIANTS {
            // `bob_` is taken too: then `bob2` rather than `bob__`.
            let wanted = if name.is_empty() { self.me.wanted.clone() } else { name.to_owned() };
            let suggestion = match wanted.strip_suffix('_') {
                Some(stem) if !stem.is_empty() => self.isupport.variant(stem, 1),
                _ => self.isupport.variant(&wanted, 0),
            };
            self.out.push_back(Output::Disconnect);
            let sentence = match self.registration.signing.is_others() {
                true => Sentence::NameOwned { name: wanted },
                false => Sentence::NameTaken { name: wanted },
            };
            return self.give_up(Field::Name, sentence, Some(suggestion));
        }
        self.registration.variants += 1;
        self.me.nick = self.isupport.variant(&self.me.wanted, turn);
        let nick = self.me.nick.clone();
        self.send(&format!("NICK {nick}"));
    }

    /// ERR_ERRONEUSNICKNAME: the server has no such names.
    pub(super) fn on_name_bad(&mut self, name: &str) {
        let name = if name.is_empty() { &self.me.wanted } else { name };
        let sentence = Sentence::NameNotPossible { name: printable(name) };
        if self.registration.is_welcomed() {
            self.me.asked = None;
            self.reclaim_at = None;
            return self.refuse(Field::Name, sentence);
        }
        self.out.push_back(Output::Disconnect);
        self.give_up(Field::Name, sentence, None);
    }

    /// Another name for us.
    pub(super) fn rename(&mut self, nick: &str) {
        let nick = nick.trim();
        if nick.is_empty() {
            return self.refuse(Field::Name, Sentence::NameMissing);
        }
        if !super::commands::is_word(nick) {
            return self.refuse(Field::Name, Sentence::NameNotPossible { name: printable(nick) });
        }
        if self.is_ready() || self.registration.is_welcomed() {
            self.me.asked = Some(nick.to_owned());
            self.send(&format!("NICK {nick}"));
        } else {
            self.me.wanted = nick.to_owned();
            self.me.nick = nick.to_owned();
            self.tell(Event::Me { nick: nick.to_owned() });
            self.tell(Event::Renamed { nick: nick.to_owned() });
            self.tell_line_room();
        }
    }

    /// Our name changed: by our wish, or by the server's will.
    pub(super) fn own_name_is(&mut self, nick: &str) {
        let by_wish = self.me.asked.take().is_some();
        self.me.nick = nick.to_owned();
        self.was(nick);
        if by_wish {
            self.me.wanted = nick.to_owned();
        }
        if by_wish || self.is_called_as_wanted() {
            self.reclaim_at = None;
        }
        self.tell(Event::Me { nick: nick.to_owned() });
        if by_wish {
            self.tell(Event::Renamed { nick: nick.to_owned() });
        }
        self.tell_line_room();
    }

    /// A name of ours, for later. Of too many only the last one and the one we want are kept.
    fn was(&mut self, nick: &str) {
        if self.me.were.len() >= NAMES_HAD {
            self.me.were.clear();
            self.me.were.insert(self.isupport.key(&self.me.wanted));
        }
        self.me.were.insert(self.isupport.key(nick));
    }

    /// Asks for our own name again.
    pub(super) fn reclaim(&mut self) {
        self.reclaim_at = Some(self.now.elapsed + RECLAIM_EVERY);
        let wanted = self.me.wanted.clone();
        self.send(&format!("NICK {wanted}"));
    }

    /// Somebody gave up a name; perhaps it is ours.
    pub(super) fn name_is_free(&mut self, name: &str) {
        if self.reclaim_at.is_some() && self.isupport.key(name) == self.isupport.key(&self.me.wanted) {
            self.reclaim();
        }
    }

    /// A name was asked for by us rather than by the person: nothing to tell of a refusal.
    pub(super) fn is_reclaiming(&self) -> bool {
        self.registration.is_welcomed() && self.reclaim_at.is_some() && self.me.asked.is_none()
    }
}
