//! Everything there is, and what happens when.

use std::collections::BTreeMap;
use std::time::Duration;

use parlor_client::session;
use parlor_server::hub::Input;
use parlor_server::protocol::MsgId;
use parlor_server::protocol::scram::Keys;
use parlor_server::protocol::time::{Moment, UnixMillis};
use parlor_server::testing::Random;

use crate::disk::Disk;
use crate::link::{Link, Way};
use crate::names::{Names, OPERATE};
use crate::oracle::Oracle;
use crate::owner::Owner;
use crate::person::Person;
use crate::plan::Plan;
use crate::private::Private;
use crate::server::Server;
use crate::stranger::{HABITS, Stranger};
use crate::trace::Trace;

/// When a simulation begins, in milliseconds since 1970.
pub(crate) const BEGIN: u64 = 1_795_214_096_007;
/// Rooms that people are in.
pub(crate) const ROOMS: [&str; 2] = ["#lobby", "#tea"];
/// Inputs at one moment; more, and somebody never gets done.
const MOST_AT_ONCE: usize = 50_000;

/// What is going to happen.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A call reaches the server.
    Call(usize),
    /// The caller learns whether somebody answered.
    Told(usize, bool),
    /// A piece may have arrived.
    Arrive(usize, Way),
    /// The reader of a long reply may have read it.
    Drained(usize),
    /// What a client has sent was not acknowledged.
    TimeOut(usize),
    /// Of the server's start with this number: the writer takes what waits, the writer is done, a reader looks, the
    /// hub is told.
    Write(u32),
    Written(u32),
    Look(u32, u64, Box<parlor_server::hub::history::Request>),
    Notice(u32, Notice),
    /// Of the same start: the thread for accounts has derived a key, or written what was next.
    Derived(u32, u64, Keys),
    Kept(u32),
    Start,
    Act(usize),
    Own(usize),
    Operate,
    Talk(usize),
    Come(usize),
    Cut,
    Crash,
    Restart,
    Clock,
}

/// What the store says.
#[derive(Debug)]
pub(crate) enum Notice {
    Stored(MsgId),
    Paused,
    Resumed(u64),
    Answer(u64, parlor_server::hub::history::Answer),
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: Duration,
    pub(crate) random: Random,
    pub(crate) plan: Plan,
    pub(crate) trace: Trace,
    due: BTreeMap<(Duration, u64), Happening>,
    number: u64,
    pub(crate) links: Vec<Link>,
    pub(crate) server: Server,
    pub(crate) disk: Disk,
    pub(crate) persons: Vec<Person>,
    pub(crate) strangers: Vec<Stranger>,
    pub(crate) owners: Vec<Owner>,
    pub(crate) names: Names,
    pub(crate) private: Private,
    pub(crate) oracle: Oracle,
    /// The server's clock runs ahead by so many milliseconds.
    pub(crate) skew: i64,
}

impl World {
    /// A world in which everybody is about to come.
    pub(crate) fn new(seed: u64, trace: Trace) -> World {
        let mut random = Random::new(seed);
        let plan = Plan::new(&mut random);
        trace.say(Duration::ZERO, || format!("{plan:?}"));
        let mut world = World {
            now: Duration::ZERO,
            random,
            plan,
            trace,
            due: BTreeMap::new(),
            number: 0,
            links: Vec::new(),
            server: Server::default(),
            disk: Disk::default(),
            persons: Vec::new(),
            strangers: Vec::new(),
            owners: Vec::new(),
            names: Names::default(),
            private: Private::default(),
            oracle: Oracle::default(),
            skew: 0,
        };
        world.start_server();
        for i in 0..world.plan.persons {
            world.add_person(i);
        }
        for i in 0..world.plan.strangers {
            let habit = HABITS[world.random.below(HABITS.len())];
            world.strangers.push(Stranger::new(format!("far{i}"), habit));
            world.call_as_stranger(i);
            world.after((500, 3000), Happening::Talk(i));
        }
        world.add_owners();
        for (every, what) in [
            (Some(world.plan.cut_every), Happening::Cut),
            (world.plan.crash_every, Happening::Crash),
            (world.plan.restart_every, Happening::Restart),
            (world.plan.clock_steps.then_some(Duration::from_secs(8)), Happening::Clock),
        ] {
            if let Some(every) = every {
                world.again(every, what);
            }
        }
        world
    }

    /// Lets something happen at a time.
    pub(crate) fn at(&mut self, at: Duration, what: Happening) {
        self.number += 1;
        self.due.insert((at.max(self.now), self.number), what);
    }

    /// Lets something happen after so many milliseconds.
    pub(crate) fn after(&mut self, millis: (usize, usize), what: Happening) {
        let after = self.random.millis(millis);
        self.at(self.now + after, what);
    }

    /// Lets something happen in about this time, while things go wrong.
    pub(crate) fn again(&mut self, every: Duration, what: Happening) {
        let at = self.now + self.random.about(every);
        if at < self.plan.chaos {
            self.at(at, what);
        }
    }

    /// How long the next piece is on its way.
    pub(crate) fn delay(&mut self) -> Duration {
        let stall = if self.random.permille(self.plan.stalls) {
            self.random.millis((500, 5000))
        } else {
            Duration::ZERO
        };
        self.random.millis(self.plan.delay) + stall
    }

    pub(crate) fn server_moment(&self) -> Moment {
        let wall = (BEGIN + self.now.as_millis() as u64).saturating_add_signed(self.skew);
        Moment { elapsed: self.now.saturating_sub(self.server.started), wall: UnixMillis(wall) }
    }

    pub(crate) fn moment_of(&self, started: Duration) -> Moment {
        let wall = BEGIN + self.now.as_millis() as u64;
        Moment { elapsed: self.now.saturating_sub(started), wall: UnixMillis(wall) }
    }

    /// Lets everything happen up to this time.
    pub(crate) fn run_until(&mut self, end: Duration) {
        let mut at_once = 0;
        loop {
            let due = self.due.first_key_value().map(|((at, _), _)| *at);
            let hub = self.server.next_timeout();
            let of_person =
                |(i, person): (usize, &Person)| Some((person.started + person.session.next_timeout()?, i));
            let person = self.persons.iter().enumerate().filter_map(of_person).min();
            let next = [due, hub, person.map(|(at, _)| at)].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            at_once = if next > self.now { 0 } else { at_once + 1 };
            assert!(at_once < MOST_AT_ONCE, "time stands still: {person:?}, {hub:?}");
            self.now = self.now.max(next);
            match (due, hub, person) {
                (Some(due), ..) if due <= self.now => {
                    if let Some((_, what)) = self.due.pop_first() {
                        self.happen(what);
                    }
                }
                (_, Some(hub), _) if hub <= self.now => self.give(Input::Tick),
                (_, _, Some((_, i))) => self.give_person(i, session::Input::Tick),
                _ => {}
            }
        }
        self.now = end;
    }

    /// Whether the server's start with this number is the one that runs.
    fn is_of_now(&self, boot: u32) -> bool {
        self.server.is_up() && boot == self.disk.boot
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Call(link) => self.call_arrives(link),
            Happening::Told(link, answered) => self.call_is_answered(link, answered),
            Happening::Arrive(link, Way::Up) => self.arrive_at_server(link),
            Happening::Arrive(link, Way::Down) => self.arrive_at_client(link),
            Happening::Drained(link) => self.drained(link),
            Happening::TimeOut(link) => self.time_out(link),
            Happening::Write(boot) if self.is_of_now(boot) => self.write(),
            Happening::Written(boot) if self.is_of_now(boot) => self.written(),
            Happening::Look(boot, ticket, request) if self.is_of_now(boot) => self.look(ticket, &request),
            Happening::Notice(boot, notice) if self.is_of_now(boot) => self.notice(notice),
            Happening::Derived(boot, ticket, keys) if self.is_of_now(boot) => {
                self.give(Input::Derived { ticket, keys });
            }
            Happening::Kept(boot) if self.is_of_now(boot) => self.account_is_kept(),
            // The server that wanted to know has crashed.
            Happening::Write(_) | Happening::Written(_) | Happening::Look(..) | Happening::Notice(..) => {}
            Happening::Derived(..) | Happening::Kept(_) => {}
            Happening::Own(i) => {
                self.act_as_owner(i);
                self.again(self.plan.act_every * 2, Happening::Own(i));
            }
            Happening::Operate => {
                self.operate();
                self.again(OPERATE, Happening::Operate);
            }
            Happening::Start => self.start_server(),
            Happening::Act(i) => {
                self.act(i);
                self.again(self.plan.act_every, Happening::Act(i));
            }
            Happening::Talk(i) => {
                self.talk_as_stranger(i);
                self.again(self.plan.act_every * 2, Happening::Talk(i));
            }
            Happening::Come(i) => self.call_as_stranger(i),
            Happening::Cut => {
                self.cut();
                self.again(self.plan.cut_every, Happening::Cut);
            }
            Happening::Crash => {
                self.crash();
                self.again(self.plan.crash_every.unwrap_or(self.plan.chaos), Happening::Crash);
            }
            Happening::Restart => {
                self.restart_a_client();
                self.again(self.plan.restart_every.unwrap_or(self.plan.chaos), Happening::Restart);
            }
            Happening::Clock => {
                self.skew = self.random.below(1_200_000) as i64 - 600_000;
                self.trace.say(self.now, || format!("the server's clock is set: {} ms", self.skew));
                self.again(Duration::from_secs(8), Happening::Clock);
            }
        }
    }
}
