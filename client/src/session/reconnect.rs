//! Losing the connection and getting it back, from the same server or another one of the same place.

use std::time::Duration;

use super::conversation::Conversation;
use super::event::{Event, Field, Refusal};
use super::liveness::Liveness;
use super::login::Login;
use super::opening;
use super::{HostPort, Key, Output, Sentence, Session, Status, UnixMillis};
use parlor_server::protocol::Leniency;
use parlor_server::protocol::line::Framer;

/// A connection that stood as long as this was a good one: the next attempt is made at once.
const GOOD: Duration = Duration::from_secs(10);
/// How long an address may take to answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);
/// The same while others of the place were not called yet.
const CONNECT_SOON: Duration = Duration::from_secs(5);
/// How long a server may take from the first byte to the welcome.
pub(super) const REGISTER_WITHIN: Duration = Duration::from_secs(30);
/// The same while others of the place were not called yet.
const REGISTER_SOON: Duration = Duration::from_secs(10);
/// The clock ran ahead of us by so many milliseconds: the computer was asleep.
const SLEPT: u64 = 15_000;

/// Where the connection is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing until somebody asks.
    Offline,
    /// The next attempt is due at this time.
    Waiting { at: Duration },
    /// Called; given up at this time.
    Connecting { until: Duration },
    /// Connected; given up at this time.
    Registering { until: Duration },
    /// Welcome, since then.
    Ready { since: Duration },
}

impl Session {
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready { .. })
    }

    /// Whether there is a connection or a call that the driver knows of.
    fn is_up(&self) -> bool {
        !matches!(self.phase, Phase::Offline | Phase::Waiting { .. })
    }

    pub(super) fn set_status(&mut self, status: Status) {
        if self.status.as_ref() != Some(&status) {
            self.status = Some(status.clone());
            self.tell(Event::Status(status));
        }
    }

    /// Calls the address whose turn it is.
    pub(super) fn connect(&mut self) {
        self.turn.call();
        let within = if self.turn.has_more() { CONNECT_SOON } else { CONNECT_WITHIN };
        self.phase = Phase::Connecting { until: self.now.elapsed + within };
        if self.turn.are_several() {
            self.tell(Event::Calling { server: self.turn.server().clone() });
        }
        self.out.push_back(Output::Connect);
        self.set_status(Status::Connecting);
    }

    pub(super) fn connected(&mut self, login: Login) {
        if !matches!(self.phase, Phase::Connecting { .. }) {
            return;
        }
        let within = if self.turn.has_more() { REGISTER_SOON } else { REGISTER_WITHIN };
        self.phase = Phase::Registering { until: self.now.elapsed + within };
        self.liveness = Liveness::new(self.now.elapsed);
        self.login = login;
        self.set_status(Status::Registering);
        self.register();
    }

    /// The connection is gone; with a reason of the server's own, if it gave one.
    pub(super) fn lost(&mut self, why: Sentence) {
        let now = self.now;
        let farewell = self.farewell.take();
        let why = match self.phase {
            Phase::Offline | Phase::Waiting { .. } => return,
            Phase::Ready { since } => {
                self.last_online = Some(now.wall);
                if now.elapsed >= since + GOOD {
                    self.turn.lost()
                } else {
                    self.turn.lost_soon()
                }
                farewell.unwrap_or(why)
            }
            Phase::Connecting { .. } | Phase::Registering { .. } => {
                // Whoever hangs up before the first welcome, and without a word, is no chat server.
                let silent = matches!(self.phase, Phase::Registering { .. }) && !self.welcomed_once;
                let why = farewell.unwrap_or_else(|| if silent { self.not_chat() } else { why });
                self.turn.failed(&why);
                why
            }
        };
        self.forget_connection();
        let (field, final_word) = match why {
            Sentence::Banned { .. } => (Field::Address, true),
            Sentence::PasswordNeeded | Sentence::PasswordWrong => (Field::ServerPassword, true),
            Sentence::CertificateUnusable { .. } => (Field::Certificate, true),
            Sentence::Replaced => {
                // Whoever comes back replaces the other one in its turn.
                self.me.token = None;
                (Field::Name, true)
            }
            _ => (Field::Address, false),
        };
        if final_word {
            return self.give_up(field, why, None);
        }
        let (more, known) = (self.turn.has_more(), self.welcomed_once || self.profile.known);
        if !more && let Some(stranger) = self.turn.stranger() {
            return self.give_up(Field::Address, stranger, None);
        }
        if !more && !known {
            let why = self.turn.verdict(why);
            return self.give_up(Field::Address, why, None);
        }
        let (attempt, wait) = self.turn.next(&mut self.seed);
        let at = now.elapsed + wait;
        self.phase = Phase::Waiting { at };
        if known {
            self.set_status(Status::Reconnecting { at, attempt, why });
        }
        if wait.is_zero() {
            self.connect();
        }
    }

    /// Closes the connection ourselves, as lost.
    pub(super) fn drop_connection(&mut self, why: Sentence) {
        if self.is_up() {
            self.out.push_back(Output::Disconnect);
            self.lost(why);
        }
    }

    /// Refuses, and stays offline until somebody asks again.
    pub(super) fn give_up(&mut self, field: Field, sentence: Sentence, suggestion: Option<String>) {
        if self.is_up() {
            self.forget_connection();
        }
        self.phase = Phase::Offline;
        self.tell(Event::Refused(Refusal { field, sentence, suggestion }));
        self.set_status(Status::Offline { since: self.last_online });
    }

    /// Says goodbye, for good.
    pub(super) fn disconnect(&mut self) {
        if self.is_ready() {
            self.last_online = Some(self.now.wall);
            self.send("QUIT");
            self.me.token = None;
        }
        if self.is_up() {
            self.out.push_back(Output::Disconnect);
            self.forget_connection();
        }
        self.phase = Phase::Offline;
        self.turn.renew();
        self.set_status(Status::Offline { since: self.last_online });
    }

    /// Now rather than later; on a connection that stands, asks whether it still does.
    pub(super) fn retry_now(&mut self) {
        match self.phase {
            Phase::Offline | Phase::Waiting { .. } => self.connect(),
            Phase::Ready { .. } => {
                self.liveness.asked(self.now.elapsed);
                self.ping();
            }
            Phase::Connecting { .. } | Phase::Registering { .. } => {}
        }
    }

    /// Something happened to this computer that a connection may not survive: at once, where there
    /// is none; else the server has little time to answer.
    pub(super) fn doubt(&mut self) {
        match self.phase {
            Phase::Waiting { .. } => {
                self.turn.renew();
                self.connect();
            }
            Phase::Connecting { .. } => {
                self.turn.renew();
                self.drop_connection(Sentence::NetworkChanged);
            }
            Phase::Ready { .. } => {
                self.liveness.doubt(self.now.elapsed);
                self.ping();
            }
            Phase::Offline | Phase::Registering { .. } => {}
        }
    }

    /// Notices that the computer was asleep since the last input: the wall clock went on without us.
    pub(super) fn notice_sleep(&mut self, before: super::Moment) {
        let wall = self.now.wall.0.saturating_sub(before.wall.0);
        let elapsed = self.now.elapsed.saturating_sub(before.elapsed).as_millis() as u64;
        if wall > elapsed.saturating_add(SLEPT) {
            self.doubt();
        }
    }

    /// What belonged to the connection that ended.
    fn forget_connection(&mut self) {
        self.framer = Framer::new(Leniency::Lenient);
        self.caps = Default::default();
        self.registration = Default::default();
        self.farewell = None;
        self.listing = None;
        self.to_join.clear();
        self.bans.clear();
        self.settings_asked.clear();
        self.forget_questions();
        self.forget_typing();
        self.forget_markers();
        for (key, conversation) in self.conversations.iter_mut().filter(|(_, c)| c.joined) {
            conversation.incomplete.take_if(|_| !self.outgoing.has_given_up(key));
        }
        // What was under way to a room that we are out of is not sent again by itself.
        let out = |(key, c): (&Key, &mut Conversation)| {
            let why = c.out.clone()?;
            let behind = self.outgoing.iter().filter(|w| w.to == *key).filter_map(|w| w.behind);
            c.incomplete = c.incomplete.into_iter().chain(behind).min();
            Some((key.clone(), why))
        };
        let out: Vec<(Key, Sentence)> = self.conversations.iter_mut().filter_map(out).collect();
        self.outgoing.lost();
        out.iter().for_each(|(key, why)| self.fail_unsent(key, why));
        self.pings.lost();
        // The answer to a PART will not come.
        let left = |(key, conversation): (&Key, &Conversation)| {
            let wanted = self.wanted.iter().any(|wanted| self.isupport.key(&wanted.name) == *key);
            (conversation.kind == super::Kind::Room && conversation.joined && !wanted).then(|| key.clone())
        };
        let left: Vec<Key> = self.conversations.iter().filter_map(left).collect();
        left.iter().for_each(|key| self.close(key));
        for conversation in self.conversations.values_mut() {
            if conversation.kind != super::Kind::Others {
                conversation.roster.clear();
            }
            conversation.joined = conversation.kind != super::Kind::Room;
            conversation.away_told = None;
        }
    }

    /// Looks at every deadline that may have come.
    pub(super) fn deadlines(&mut self) {
        let now = self.now.elapsed;
        match self.phase {
            Phase::Waiting { at } if now >= at => self.connect(),
            Phase::Connecting { until } if now >= until => {
                let server = self.server();
                self.drop_connection(Sentence::NobodyAnswers { server });
            }
            Phase::Registering { until } if now >= self.welcome_ends().unwrap_or(until) => {
                self.registration_late()
            }
            Phase::Registering { .. } if self.registration.opening.ends().is_some_and(|at| now >= at) => {
                let opener = opening::opener(&String::from_utf8_lossy(self.framer.unfinished()));
                self.opened_by(opener);
            }
            Phase::Ready { .. } => {
                let proven = self.answers_pings();
                if self.liveness.is_gone(now, proven) {
                    return self.drop_connection(Sentence::ServerSilent);
                }
                self.questions_late();
                if self.liveness.ask(now, proven) || self.receipt_due().is_some_and(|at| now >= at) {
                    self.ping();
                }
                self.decide_overdue();
                self.typing_over();
                if self.reclaim_at.is_some_and(|at| now >= at) {
                    self.reclaim();
                }
            }
            _ => {}
        }
    }

    /// Whether the silence of this server says something: it has answered a PING, or is of our own kind.
    pub(super) fn answers_pings(&self) -> bool {
        self.pings.proven() || self.isupport.sorted
    }

    /// When something is due, though nothing happens until then.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        match self.phase {
            Phase::Offline => None,
            Phase::Waiting { at } => Some(at),
            Phase::Connecting { until } => Some(until),
            Phase::Registering { until } => {
                let until = self.welcome_ends().unwrap_or(until);
                Some(self.registration.opening.ends().unwrap_or(until).min(until))
            }
            Phase::Ready { .. } => {
                let begun = self.batches.iter().filter_map(|batch| batch.page.as_ref());
                let asked = self.questions.front().into_iter().chain(begun.map(|(question, _)| question));
                let question = asked.map(|question| question.until).min();
                [
                    Some(self.liveness.next(self.answers_pings())),
                    self.receipt_due(),
                    self.overdue(),
                    self.reclaim_at,
                    self.blocked_until,
                    self.typing_ends(),
                    self.marker_due(),
                    question,
                ]
                .into_iter()
                .flatten()
                .min()
            }
        }
    }

    /// Whom we call, or are connected to.
    pub(super) fn server(&self) -> HostPort {
        self.turn.server().clone()
    }

    /// Somebody answers, but not as a chat server does.
    pub(super) fn not_chat(&self) -> Sentence {
        Sentence::NotChat { server: self.server() }
    }

    /// The time of a line that has none of its own.
    pub(super) fn wall(&self) -> UnixMillis {
        self.now.wall
    }
}
