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
use crate::engine::{Engine, Who};
use crate::link::{Link, Way};
use crate::names::{AccountsFile, Names, OPERATE};
use crate::oracle::Oracle;
use crate::owner::Owner;
use crate::person::Person;
use crate::plan::{Kind, Plan};
use crate::private::Private;
use crate::replica::{Call, Said};
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
    /// A server's own, of its start with this number.
    Of(usize, u32, Task),
    Start(usize),
    /// A server tries to take its part in the order.
    Join(usize, u32),
    /// A call that waits is taken.
    Accept(usize),
    /// Something that a server asks comes to the engine.
    Engine(usize, Who, Call),
    Freeze,
    Thaw(usize, u32),
    EngineFails,
    EngineBack(bool),
    Part,
    Snapshot,
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

/// What goes on within a server.
#[derive(Debug)]
pub(crate) enum Task {
    /// The writer takes what waits, the writer is done, a reader looks, the hub is told.
    Write,
    Written,
    Look(u64, Box<parlor_server::hub::history::Request>),
    Notice(Notice),
    /// The thread for accounts has derived a key, or written what was next.
    Derived(u64, Keys),
    Kept,
    /// With other servers, and all this under the number with which it takes part: it asks the engine what is next, hears
    /// from it, connects to it again, and looks whether it is away.
    Go(u32),
    Said(u32, Said),
    Reconnect(u32),
    Watch(u32),
    /// It looks what is new in the log; another server hands something over.
    LookAtLog(u32),
    Letter(u32, Box<[u8]>),
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
    pub(crate) servers: Vec<Server>,
    /// What a server has beyond its end.
    pub(crate) homes: Vec<Home>,
    pub(crate) persons: Vec<Person>,
    pub(crate) strangers: Vec<Stranger>,
    pub(crate) owners: Vec<Owner>,
    pub(crate) names: Names,
    /// Private lines so far.
    pub(crate) whispers: usize,
    pub(crate) oracle: Oracle,
    pub(crate) engine: Engine,
}

/// What a server has beyond its end.
#[derive(Debug, Default)]
pub(crate) struct Home {
    pub(crate) disk: Disk,
    pub(crate) accounts: AccountsFile,
    pub(crate) private: Private,
    /// Its clock runs ahead by so many milliseconds.
    pub(crate) skew: i64,
    /// The last record that its disk was given.
    pub(crate) kept_upto: MsgId,
    /// Until then it does not reach the engine.
    pub(crate) parted: Duration,
}

impl World {
    /// A world in which everybody is about to come.
    pub(crate) fn new(seed: u64, trace: Trace, kind: Kind) -> World {
        let mut random = Random::new(seed);
        let plan = Plan::new(&mut random, kind);
        trace.say(Duration::ZERO, || format!("{plan:?}"));
        let mut world = World {
            now: Duration::ZERO,
            random,
            plan,
            trace,
            due: BTreeMap::new(),
            number: 0,
            links: Vec::new(),
            servers: vec![Server::default()],
            homes: vec![Home::default()],
            persons: Vec::new(),
            strangers: Vec::new(),
            owners: Vec::new(),
            names: Names::default(),
            whispers: 0,
            oracle: Oracle::default(),
            engine: Engine::default(),
        };
        match world.plan.several.as_ref().map(|several| several.servers) {
            None => world.start_server(0),
            Some(count) => {
                world.servers.resize_with(count, Server::default);
                world.homes.resize_with(count, Home::default);
                world.start_servers();
            }
        }
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

    /// One of the servers, by chance.
    pub(crate) fn some_server(&mut self) -> usize {
        if self.servers.len() > 1 { self.random.below(self.servers.len()) } else { 0 }
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

    /// What a server's clocks say.
    pub(crate) fn server_moment(&self, s: usize) -> Moment {
        let wall = (BEGIN + self.now.as_millis() as u64).saturating_add_signed(self.homes[s].skew);
        Moment { elapsed: self.now.saturating_sub(self.servers[s].started), wall: UnixMillis(wall) }
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
            let of_hub = |(s, server): (usize, &Server)| Some((server.next_timeout()?, s));
            let hub = self.servers.iter().enumerate().filter_map(of_hub).min();
            let of_person =
                |(i, person): (usize, &Person)| Some((person.started + person.session.next_timeout()?, i));
            let person = self.persons.iter().enumerate().filter_map(of_person).min();
            let next = [due, hub.map(|(at, _)| at), person.map(|(at, _)| at)].into_iter().flatten().min();
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
                (_, Some((at, s)), _) if at <= self.now => self.give(s, Input::Tick),
                (_, _, Some((_, i))) => self.give_person(i, session::Input::Tick),
                _ => {}
            }
        }
        self.now = end;
    }

    /// Lets something happen within a server, if it still runs then.
    pub(crate) fn at_server(&mut self, s: usize, at: Duration, task: Task) {
        self.at(at, Happening::Of(s, self.homes[s].disk.boot, task));
    }

    /// The same after so many milliseconds.
    pub(crate) fn after_at_server(&mut self, s: usize, millis: (usize, usize), task: Task) {
        self.after(millis, Happening::Of(s, self.homes[s].disk.boot, task));
    }

    fn work_within(&mut self, s: usize, task: Task) {
        match task {
            Task::Write => self.write(s),
            Task::Written => self.written(s),
            Task::Look(ticket, request) => self.look(s, ticket, &request),
            Task::Notice(notice) => self.notice(s, notice),
            Task::Derived(ticket, keys) => self.give(s, Input::Derived { ticket, keys }),
            Task::Kept => self.account_is_kept(s),
            Task::Go(number) => self.wakes(s, number),
            Task::Said(number, said) => self.engine_says(s, number, said),
            Task::Reconnect(number) => self.reconnect(s, number),
            Task::Watch(number) => self.watch(s, number),
            Task::LookAtLog(number) => self.look_at_log(s, number),
            Task::Letter(number, letter) => self.letter_comes(s, number, letter),
        }
    }

    /// The server that something happens to, if that is one.
    fn server_of(&self, what: &Happening) -> Option<usize> {
        match what {
            Happening::Of(s, ..) => Some(*s),
            Happening::Arrive(link, Way::Up) | Happening::Drained(link) | Happening::Accept(link) => {
                Some(self.links[*link].to)
            }
            _ => None,
        }
    }

    pub(crate) fn happen(&mut self, what: Happening) {
        if let Some(server) = self.server_of(&what).map(|s| &mut self.servers[s])
            && server.is_blocked()
        {
            return server.backlog.push(what);
        }
        match what {
            Happening::Join(s, boot) => self.join(s, boot),
            Happening::Accept(link) => self.open(link),
            Happening::Engine(s, who, call) => self.engine_hears(s, who, call),
            Happening::Freeze => self.freeze(),
            Happening::Thaw(s, boot) => self.thaw(s, boot),
            Happening::EngineFails => self.engine_fails(),
            Happening::EngineBack(anew) => self.engine_is_back(anew),
            Happening::Part => self.part(),
            Happening::Snapshot => self.take_snapshot(),
            Happening::Call(link) => self.call_arrives(link),
            Happening::Told(link, answered) => self.call_is_answered(link, answered),
            Happening::Arrive(link, Way::Up) => self.arrive_at_server(link),
            Happening::Arrive(link, Way::Down) => self.arrive_at_client(link),
            Happening::Drained(link) => self.drained(link),
            Happening::TimeOut(link) => self.time_out(link),
            Happening::Of(s, boot, task) => {
                // The server that wanted to know may have crashed.
                if self.servers[s].is_up() && boot == self.homes[s].disk.boot {
                    self.work_within(s, task);
                }
            }
            Happening::Own(i) => {
                self.act_as_owner(i);
                self.again(self.plan.act_every * 2, Happening::Own(i));
            }
            Happening::Operate => {
                self.operate();
                self.again(OPERATE, Happening::Operate);
            }
            Happening::Start(s) => self.start_server(s),
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
                let s = self.some_server();
                self.crash(s);
                self.again(self.plan.crash_every.unwrap_or(self.plan.chaos), Happening::Crash);
            }
            Happening::Restart => {
                self.restart_a_client();
                self.again(self.plan.restart_every.unwrap_or(self.plan.chaos), Happening::Restart);
            }
            Happening::Clock => {
                let s = self.some_server();
                let skew = self.random.below(1_200_000) as i64 - 600_000;
                self.homes[s].skew = skew;
                self.trace.say(self.now, || format!("the clock of server {s} is set: {skew} ms"));
                self.again(Duration::from_secs(8), Happening::Clock);
            }
        }
    }
}
