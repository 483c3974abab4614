//! The hub task: arrivals into the hub, its outputs to connections, history and timers.
//!
//! It never waits for a peer, nor for the disk.

mod connections;
mod durability;
mod figures;
mod order;
mod reload;

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpStream};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_channel::{Receiver, Sender};
use futures_lite::{FutureExt, future};
use smol::{Async, LocalExecutor, Timer};

use self::connections::Connections;
use self::durability::Durability;
use self::figures::Counted;
use self::order::{Fate, Shared};
use self::reload::Reload;
use crate::accounts::Accounts;
use crate::archive::Archive;
use crate::cluster::Event;
use crate::hub::history::Answer;
use crate::hub::{ConnectionId, Hub, Input, Kept, News, Output, Token};
use crate::peer::{Arrival, Cloaks, Flood};
use crate::protocol::MsgId;
use crate::protocol::time::{Moment, UnixMillis};
use crate::reload::Reread;
use crate::replica::Replica;
use crate::start::config::Config;
use crate::start::listen::ListenerKind;
use crate::store::{AccountsFile, KeptAccounts, Opened, Report};
use crate::tls::Acceptor;

/// Arrivals that may wait for the hub; then readers wait, and through them their peers.
pub(crate) const QUEUE: usize = 256;
/// Arrivals handled before what came of them is written out.
const TURN: usize = 256;
/// Bytes for connections that are put into their outboxes before the turn ends.
const MUCH: usize = 64 * 1024;
/// The longest time for arrivals in one turn: what came of them is not held back, however much others
/// ask for.
const SLICE: Duration = Duration::from_millis(30);
/// The longest time for long replies between two looks at arrivals.
const PAGES: Duration = Duration::from_millis(2);

/// The beginning of a turn.
enum Woken {
    Arrival(Arrival),
    Report(Report),
    /// What the log of several servers says.
    Shared(Event),
    /// Long replies go on.
    Pages,
    Alarm,
}

/// See the [module](self).
pub(crate) struct Dispatch {
    hub: Hub,
    config: Rc<Config>,
    flood: Option<Rc<Flood>>,
    arrivals: Receiver<Arrival>,
    sender: Sender<Arrival>,
    console: Sender<String>,
    cloaks: Cloaks,
    connections: Connections,
    /// Connections whose long replies go on, in turn.
    more: VecDeque<ConnectionId>,
    started: Instant,
    stop_at: Option<Instant>,
    archive: Archive,
    durability: Durability,
    accounts: Accounts,
    /// Answers from memory that the hub has not heard yet.
    answers: VecDeque<(u64, Answer)>,
    reload: Reload,
    counted: Counted,
    /// The other servers' log; `None`: this one is alone.
    shared: Option<Shared>,
    cloak_key: [u8; 16],
    /// What the hub proposed while it caught up with the others.
    early: Vec<Box<[u8]>>,
    /// The last record that the archive was given: what a log says once more is not kept twice.
    kept_upto: MsgId,
    ended: Ended,
}

/// How a server came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to stop.
    Asked,
    /// It knew something else than the other servers of its cluster, and had to leave them.
    Differs,
}

impl Dispatch {
    pub(crate) fn new(
        (config, reread, replica): (Rc<Config>, Option<Reread>, Option<Replica>),
        (executor, started): (Weak<LocalExecutor<'static>>, Instant),
        (sender, arrivals): (Sender<Arrival>, Receiver<Arrival>),
        (flood, acceptor): (Option<Rc<Flood>>, Option<Rc<dyn Acceptor>>),
        (console, cloak_key): (Sender<String>, [u8; 16]),
        (archive, opened): (Archive, Opened),
        accounts: (Option<AccountsFile>, KeptAccounts),
    ) -> Box<Dispatch> {
        let mut hub = Hub::new(config.hub.clone(), moment(started));
        let kept = (opened.all_rooms(), opened.fingerprints);
        let replica = match replica {
            Some(replica) => Some((replica, kept, accounts.1)),
            None => {
                restore(&mut hub, kept, accounts.1);
                None
            }
        };
        let accounts = Accounts::start(accounts.0, sender.clone());
        let age = config.history.as_ref().and_then(|history| history.retention.age);
        // It is large, and what holds it is moved.
        let mut dispatch = Box::new(Dispatch {
            hub,
            connections: Connections::new(
                Rc::clone(&config),
                executor,
                sender.clone(),
                flood.clone(),
                acceptor,
            ),
            config,
            flood,
            arrivals,
            sender,
            console,
            cloaks: Cloaks::new(cloak_key),
            more: VecDeque::new(),
            started,
            stop_at: None,
            archive,
            durability: Durability::new(age, started),
            accounts,
            answers: VecDeque::new(),
            reload: Reload::new(reread),
            counted: Counted::default(),
            shared: None,
            cloak_key,
            early: Vec::new(),
            kept_upto: opened.last,
            ended: Ended::Asked,
        });
        if let Some((replica, kept, accounts)) = replica {
            dispatch.catch_up(replica, kept, &accounts);
        }
        dispatch
    }

    /// Runs until the server is asked to stop; then tells everybody, delivers what waits and
    /// returns.
    pub(crate) async fn run(mut self: Box<Self>) -> Ended {
        let mut alarm = Timer::never();
        let mut set_for = None;
        loop {
            let wanted = self.next_alarm();
            if wanted != set_for {
                set_for = wanted;
                alarm = wanted.map_or_else(Timer::never, Timer::at);
            }
            let woken = if self.more.is_empty() && self.answers.is_empty() {
                let rung = async {
                    (&mut alarm).await;
                    Woken::Alarm
                };
                let reported = async { Woken::Report(self.archive.report().await) };
                // What the disk does not take must not pile up here: readers wait, and through
                // them their peers.
                let arrived = async {
                    match self.arrivals.recv().await {
                        Ok(arrival) => Woken::Arrival(arrival),
                        Err(_) => future::pending().await,
                    }
                };
                let said = async {
                    match &self.shared {
                        Some(shared) => Woken::Shared(shared.next().await),
                        None => future::pending().await,
                    }
                };
                if self.archive.is_behind() {
                    reported.or(rung).await
                } else {
                    said.or(arrived).or(reported).or(rung).await
                }
            } else {
                // Long replies go on; everybody else has a turn between two pages.
                future::yield_now().await;
                if self.archive.is_behind() {
                    Woken::Pages
                } else if let Some(event) = self.shared.as_ref().and_then(Shared::try_next) {
                    Woken::Shared(event)
                } else {
                    self.arrivals.try_recv().map_or(Woken::Pages, Woken::Arrival)
                }
            };
            self.counted.turns += 1;
            self.go_on();
            match woken {
                Woken::Arrival(arrival) => {
                    self.take(arrival);
                    match self.shared {
                        None => self.take_all().await,
                        // What they say goes to the log first, which takes together what comes meanwhile.
                        Some(_) => drop(self.take_waiting(TURN, clock() + SLICE)),
                    }
                }
                Woken::Report(report) => self.report(report),
                Woken::Shared(event) => {
                    if let Fate::Anew(why) = self.hear(event) {
                        Box::pin(self.begin_anew(&why)).await;
                    }
                    // Others have their turn, however much the servers say. What they said goes out now.
                    self.take_waiting(TURN, clock() + SLICE);
                }
                Woken::Pages => {}
                Woken::Alarm => set_for = None,
            }
            while let Some(report) = self.archive.next_report() {
                self.report(report);
            }
            self.settle();
            let now = clock();
            self.maintain_archive(now);
            if self.stop_at.is_some_and(|at| at <= now) {
                return Box::pin(self.finish()).await;
            }
            if self.hub.next_timeout().is_some_and(|at| self.started + at <= now) {
                self.give(Input::Tick);
            }
            self.wait_no_more(now);
            self.settle();
            self.flush();
            self.durability.flush(&mut self.archive, now);
        }
    }

    fn next_alarm(&self) -> Option<Instant> {
        let hub = self.hub.next_timeout().map(|at| self.started + at);
        let letter = self.shared.as_ref().and_then(Shared::next_alarm);
        [hub, letter, self.stop_at, self.durability.next_alarm(&self.archive)].into_iter().flatten().min()
    }

    /// Tells the hub what the store says.
    fn report(&mut self, report: Report) {
        match report {
            Report::Committed(upto) => {
                self.give(Input::Stored { upto });
                // The disk has taken something: if it had been given up, it is used again.
                if !self.durability.paused
                    && let Some(lost) = self.archive.resume()
                {
                    self.give(Input::Resumed { lost });
                }
            }
            Report::Paused(why) => {
                self.durability.paused = true;
                self.give(Input::Paused { why });
            }
            Report::Resumed { lost } => {
                self.durability.paused = false;
                let dropped = self.archive.resume().unwrap_or_default();
                self.give(Input::Resumed { lost: lost + dropped });
            }
            Report::Answer { ticket, answer } => {
                let answer = answer.unwrap_or_else(|error| {
                    log::error!("history: {error}");
                    Answer::Failed
                });
                self.give(Input::Answer { ticket, answer });
            }
        }
    }

    /// Tries again what the store did not take, and gives that up where it takes nothing.
    fn maintain_archive(&mut self, now: Instant) {
        self.durability.tell_time(&self.archive, now, || moment(self.started));
        self.durability.flush(&mut self.archive, now);
        if self.durability.suspend_if_too_slow(&mut self.archive, now) {
            self.give(Input::Paused { why: "the disk is too slow".into() });
        }
    }

    fn take(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Opened { stream, peer, listener } => self.open(*stream, peer, listener),
            Arrival::Input(input) => {
                if let Input::News(_, News::Lines(block)) = &input {
                    self.counted.traffic.0 += block.len() as u64;
                }
                self.give(input);
            }
            // Whoever asked may have gone.
            Arrival::Guests(answer) => drop(answer.try_send(self.hub.guests())),
            Arrival::Reload => self.reload(),
            Arrival::Reloaded(renewal) => self.reloaded(*renewal),
            Arrival::Stop => self.stop_at = Some(clock()),
        }
    }

    /// Lets long replies go on, one step each.
    fn go_on(&mut self) {
        let until = clock() + PAGES;
        for _ in 0..self.answers.len() {
            let Some((ticket, answer)) = self.answers.pop_front() else { break };
            self.give(Input::Answer { ticket, answer });
        }
        for _ in 0..self.more.len() {
            let Some(id) = self.more.pop_front() else { break };
            // A long reply goes on when its reader has taken what came before.
            if self.connections.await_drained(id) {
                self.give(Input::News(id, News::Drained));
            }
            if clock() >= until {
                break;
            }
        }
    }

    /// Takes what has come, and what comes while the hub is at it: lines that go out together cost
    /// their readers one system call.
    async fn take_all(&mut self) {
        let (mut left, until) = (TURN, clock() + SLICE);
        loop {
            let before = left;
            left = self.take_waiting(left, until);
            // The first time sockets are looked at, the second time their readers read.
            future::yield_now().await;
            if left == 0 || left == before && self.arrivals.is_empty() {
                return;
            }
        }
    }

    /// Takes what has come, so many at most; how many more may follow.
    fn take_waiting(&mut self, mut left: usize, until: Instant) -> usize {
        while left > 0
            && let Ok(arrival) = self.arrivals.try_recv()
        {
            self.take(arrival);
            left = if clock() < until { left - 1 } else { 0 };
        }
        left
    }

    /// Gives the hub one input. What comes of it is carried out when the turn [ends](Self::settle),
    /// or is much.
    fn give(&mut self, input: Input) {
        self.hub.handle(input, moment(self.started));
        if self.hub.bytes() > MUCH {
            self.settle();
        }
    }

    /// Carries out what the hub wants done, but for writing to sockets.
    fn settle(&mut self) {
        self.carry_out();
        self.tell_figures();
        self.report_failed();
    }

    /// Tells the hub of connections that failed while its outputs were carried out.
    fn report_failed(&mut self) {
        while let Some((id, reason)) = self.connections.next_failed() {
            self.hub.handle(Input::News(id, News::Lost(reason.into())), moment(self.started));
            self.carry_out();
        }
    }

    fn carry_out(&mut self) {
        let mut reload = false;
        let shared = self.hub.server() > 0;
        for output in self.hub.drain() {
            match output {
                Output::Lines { to, lines } => {
                    self.counted.traffic.1 += lines.len() as u64;
                    self.connections.push(to, lines);
                }
                Output::Close { id } => self.connections.close(id),
                Output::Detach { id } => self.connections.detach(id),
                Output::Hold { id } => self.connections.hold(id),
                Output::Release { id } => self.connections.release(id),
                Output::Charge { id, lines } => self.connections.charge(id, lines, clock()),
                Output::Derive { ticket, password } => self.accounts.derive(ticket, password),
                Output::Account { ticket, name, state } => self.accounts.keep(ticket, name, state),
                // What a log says once more is kept already.
                Output::Store(record) if shared && record.id <= self.kept_upto => {}
                Output::Store(record) => {
                    self.kept_upto = record.id;
                    self.archive.append(*record);
                }
                Output::Room { room, state } => self.archive.set_room(room, state),
                Output::Forget { room } => self.archive.forget_room(room),
                Output::Read { ticket, request } => {
                    let answer = self.archive.read(ticket, request, moment(self.started));
                    self.answers.extend(answer.map(|answer| (ticket, answer)));
                }
                Output::More { id } => self.more.push_back(id),
                Output::Log { about, text } => {
                    let flood = self.flood.as_ref().zip(about);
                    if flood.is_none_or(|(flood, ip)| flood.may_log(ip, clock())) {
                        log::info!("{text}");
                    }
                }
                Output::Warn(text) => log::warn!("{text}"),
                // A terminal that is held up must not hold up the room.
                Output::Console(text) => drop(self.console.try_send(text)),
                Output::Stats { asker } => self.counted.asked.push(asker),
                Output::Propose { entry } => match &self.shared {
                    Some(shared) => shared.propose(entry),
                    None => self.early.push(entry),
                },
                Output::Post { server, ticket, letter } => {
                    self.shared.iter().for_each(|shared| shared.post(server, ticket, &letter));
                }
                Output::Snapshot { at, state } => {
                    self.shared.iter().for_each(|shared| shared.keep_snapshot(at, &state));
                }
                Output::Differs { at } => {
                    log::error!(
                        "cluster: at {at} this server knew something else than another one; it leaves them"
                    );
                    self.ended = Ended::Differs;
                    self.stop_at = Some(clock());
                }
                Output::Reload => reload = true,
                Output::Stop(after) => self.stop_at = Some(clock() + after),
            }
        }
        if reload {
            self.reload();
        }
    }

    /// Writes out what this turn brought.
    fn flush(&mut self) {
        self.connections.flush();
    }

    fn open(&mut self, stream: Async<TcpStream>, peer: SocketAddr, listener: ListenerKind) {
        let Some(id) = self.connections.open(peer.ip(), stream, listener, clock()) else { return };
        let mut token = [0; 16];
        // Without randomness there is nothing to come back with.
        let token = getrandom::fill(&mut token).ok().and_then(|()| Token::new(u128::from_le_bytes(token)));
        let raw = listener == ListenerKind::Raw;
        self.give(Input::Opened { id, peer, cloak: self.cloaks.of(peer.ip()), token, raw });
    }

    async fn finish(mut self: Box<Self>) -> Ended {
        self.leave().await;
        self.connections.stop();
        self.give(Input::Stop);
        self.settle();
        self.connections.closed(self.config.shutdown).await;
        self.archive.close();
        drop(self.arrivals);
        self.accounts.close();
        self.ended
    }
}

/// Takes in what is kept; what cannot be read is said.
fn restore(hub: &mut Hub, (rooms, fingerprints): (Kept, Vec<u64>), accounts: Kept) {
    for room in hub.restore(rooms, fingerprints) {
        log::warn!(
            "history: the topic and modes of {room} cannot be read; it is for invited people, and /op lets in"
        );
    }
    for name in hub.restore_accounts(accounts) {
        log::warn!("accounts: that of {name} cannot be read, and the name is nobody's to have");
    }
}

#[expect(clippy::disallowed_methods, reason = "here time comes in")]
pub(crate) fn clock() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "here time comes in")]
pub(crate) fn moment(started: Instant) -> Moment {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment { elapsed: started.elapsed(), wall: UnixMillis(wall.as_millis() as u64) }
}
