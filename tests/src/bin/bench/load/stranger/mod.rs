//! One stranger who wants to harm, under the server's own limits, and what others notice of it.
//!
//! Everybody has an address of their own on loopback: ten calm members who talk, one who asks, and
//! the stranger with as many connections as are let in. `stranger` gives each attack a server of its
//! own; `siege` is all of them in turn against one, for as long as it is told.

mod attack;
mod probe;
mod swarm;

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use parlor_tests::{Launch, Scratch, Server};

use self::attack::{ATTACKS, Attack};
use self::probe::{Asked, Probe};
use self::swarm::{Swarm, Tally};
use super::clock::now;
use super::cores::held;
use super::crowd::{Crowd, Dialect};
use super::measured::Measured;
use super::options::Plan;
use super::process;
use super::report::Report;
use super::rounds::{P99, ROOM};
use super::talk::{Pace, Talk};

/// Who suffers.
const CALM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const ASKS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
const MEMBERS: usize = 10;
/// Between two lines: two a second from each member.
const STEP: Duration = Duration::from_millis(50);
const TEXT: usize = 80;
const WARM: Duration = Duration::from_millis(500);
/// Spells of the calm run, and of the one beside the stranger.
const CALM_SPELLS: u32 = 3;
const SPELLS: u32 = 10;
/// One attack of a siege.
const SIEGE_TURN: Duration = Duration::from_secs(20);
/// Lines that were said before, and can be asked for.
const PAST: usize = 100_000;

/// How much later others may hear.
const LATER: f64 = 2.0;
/// Milliseconds that are late for nobody, whatever twice the calm run is.
const SOON: f64 = 20.0;
/// Milliseconds that somebody may wait for a PONG, and for a page of history.
const PONG: f64 = 100.0;
const PAGE: f64 = 1_000.0;
/// Kilobytes of memory that one address may take.
const MEMORY: f64 = 32.0 * 1024.0;
/// Megabytes a minute that it may have written.
const WEAR: f64 = 20.0;
/// Kilobytes a minute of log.
const LOG: f64 = 100.0;
/// Seconds until the server listens again.
const START: f64 = 1.0;

const CALM_P99: &str = "calm p99 ms";
const PONG_MOST: &str = "PONG, longest ms";
const PAGE_MOST: &str = "page of history, longest ms";
const GROWN: &str = "memory grown, KB";
const WRITTEN: &str = "written beyond calm, MB a minute";
const LOGGED: &str = "log, KB a minute";
const RESTART: &str = "s until it listens again";
const CAME: &str = "connections a second";
const SAID: &str = "lines a second that it tried";

pub(crate) fn measure(plan: &Plan) -> io::Result<Report> {
    let title = format!("{MEMBERS} members talk beside one address that wants to harm");
    let mut report = Report::new("stranger", title);
    let past = past(plan)?;
    for attack in ATTACKS {
        if let Err(error) = one(attack, past.path(), plan, &mut report) {
            report.failure(P99, attack.name, error);
        }
        bounds(attack.name, &mut report);
    }
    Ok(report)
}

fn one(attack: &'static Attack, past: &Path, plan: &Plan, report: &mut Report) -> io::Result<()> {
    let folder = Scratch::new();
    copy(past, folder.path())?;
    let mut stage = Stage::set(folder.path(), plan)?;
    let (beside, asked, tally) = stage.beside(attack, WARM, plan.spell * SPELLS)?;
    let who = attack.name;
    let seconds = stage.calm.at.elapsed().as_secs_f64();
    stage.end(who, (&beside, &asked), plan, report)?;
    report.figure(CAME, who, tally.connections as f64 / seconds);
    report.figure(SAID, who, tally.lines as f64 / seconds);
    Ok(())
}

fn bounds(who: &str, report: &mut Report) {
    let limit = report.get(CALM_P99, who).map(|calm| (calm * LATER).max(SOON));
    report.at_most(format!("{who}: {P99}, {LATER} × calm or {SOON}"), report.get(P99, who), limit);
    for (what, limit) in [
        (PONG_MOST, PONG),
        (PAGE_MOST, PAGE),
        (GROWN, MEMORY),
        (WRITTEN, WEAR),
        (LOGGED, LOG),
        (RESTART, START),
    ] {
        report.at_most(format!("{who}: {what}"), report.get(what, who), Some(limit));
    }
}

/// All attacks in turn against one server.
pub(crate) fn siege(plan: &Plan) -> io::Result<Report> {
    let title = format!("all attacks in turn against one server, for {} s", plan.soak.as_secs());
    let mut report = Report::new("siege", title);
    let folder = past(plan)?;
    let mut stage = Stage::set(folder.path(), plan)?;
    let (began, mut worst) = (now(), None::<(Measured, Asked)>);
    for attack in ATTACKS.iter().cycle() {
        if began.elapsed() >= plan.soak {
            break;
        }
        let turn = SIEGE_TURN.min(plan.soak / ATTACKS.len() as u32);
        let (beside, asked, _) = stage.beside(attack, Duration::ZERO, turn)?;
        // As it goes: half an hour is long to wait.
        eprintln!(
            "{:>5} s  {:<30} p99 {:>7.2} ms  PONG {:>7.1} ms  {} KB",
            began.elapsed().as_secs(),
            attack.name,
            beside.latency.milliseconds(0.99),
            asked.pong.as_secs_f64() * 1e3,
            process::resident(stage.server.id())?,
        );
        worst = Some(match worst {
            None => (beside, asked),
            Some((worst, longest)) => {
                let p99 = |one: &Measured| one.latency.quantile(0.99);
                let later = if p99(&worst) >= p99(&beside) { worst } else { beside };
                (later, Asked { pong: asked.pong.max(longest.pong), page: asked.page.max(longest.page) })
            }
        });
    }
    let who = "siege";
    if let Some((beside, asked)) = worst {
        report.figure("on disk, MB", who, folder_bytes(folder.path())? as f64 / 1e6);
        stage.end(who, (&beside, &asked), plan, &mut report)?;
    }
    bounds(who, &mut report);
    Ok(report)
}

fn talk() -> Talk {
    let rooms = vec![ROOM.into()];
    Talk { senders: MEMBERS, hearers: MEMBERS, rooms, pace: Pace::Every(STEP), text: TEXT }
}

/// The server that suffers, with its history and its calm members.
struct Stage<'a> {
    folder: &'a Path,
    server: Server,
    crowd: Crowd,
    /// The run before anybody harms, and what the server had taken at its end.
    before: Measured,
    calm: Moment,
    /// Megabytes a minute that calm talk has written.
    calm_wear: f64,
}

impl Stage<'_> {
    fn set<'a>(folder: &'a Path, plan: &Plan) -> io::Result<Stage<'a>> {
        let server = launch(folder, &[], plan)?;
        let mut crowd = Crowd::of(CALM, server.address(), Dialect::Irc, "m")?;
        crowd.enter(MEMBERS, MEMBERS, &|_| vec![ROOM.into()])?;
        let start = Moment::now(&server)?;
        let before = talk().run(&mut crowd, server.id(), (WARM, plan.spell * CALM_SPELLS))?;
        let calm = Moment::now(&server)?;
        let calm_wear = calm.wear(&start);
        Ok(Stage { folder, server, crowd, before, calm, calm_wear })
    }

    /// Talk beside an attack, and what came of it for somebody who asks.
    fn beside(
        &mut self,
        attack: &'static Attack,
        warm: Duration,
        spell: Duration,
    ) -> io::Result<(Measured, Asked, Tally)> {
        let swarm = Swarm::start(attack, STRANGER, self.server.address());
        let probe = Probe::start(ASKS, self.server.address());
        let beside = talk().run(&mut self.crowd, self.server.id(), (warm, spell));
        let (tally, asked) = (swarm.end()?, probe.end()?);
        Ok((beside?, asked, tally))
    }

    /// Enters what others noticed and what was taken beside what calm talk takes, and how long the next
    /// start takes.
    fn end(
        self,
        who: &str,
        (beside, asked): (&Measured, &Asked),
        plan: &Plan,
        report: &mut Report,
    ) -> io::Result<()> {
        let after = Moment::now(&self.server)?;
        report.figure(CALM_P99, who, self.before.latency.milliseconds(0.99));
        report.figure(P99, who, beside.latency.milliseconds(0.99));
        report.figure(PONG_MOST, who, asked.pong.as_secs_f64() * 1e3);
        report.figure(PAGE_MOST, who, asked.page.as_secs_f64() * 1e3);
        report.figure(GROWN, who, after.memory.saturating_sub(self.calm.memory) as f64);
        report.figure(WRITTEN, who, (after.wear(&self.calm) - self.calm_wear).max(0.0));
        let logged = (after.logged - self.calm.logged) as f64 / 1e3;
        report.figure(LOGGED, who, logged / after.minutes_since(&self.calm));
        drop(self.crowd);
        if self.server.stop() != 0 {
            return Err(io::Error::other("the server did not end well"));
        }
        let began = now();
        let again = launch(self.folder, &[], plan)?;
        report.figure(RESTART, who, began.elapsed().as_secs_f64());
        drop(again);
        Ok(())
    }
}

/// A history that can be asked for.
fn past(plan: &Plan) -> io::Result<Scratch> {
    let folder = Scratch::new();
    let server = launch(folder.path(), &["--flood", "off"], plan)?;
    probe::talk_before(server.address(), PAST)?;
    if server.stop() != 0 {
        return Err(io::Error::other("the server did not end well"));
    }
    Ok(folder)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Our server with its own limits.
fn launch(folder: &Path, more: &[&str], plan: &Plan) -> io::Result<Server> {
    let folder = folder.display().to_string();
    let mut args = vec!["--bind", "127.0.0.1:0", "--data", &folder];
    args.extend(more);
    held(plan.server_cores(), || Ok(Launch::new(&args).without_defaults().without_console().start()))
}

/// What the server has taken of the machine up to a moment.
struct Moment {
    at: Instant,
    memory: u64,
    written: u64,
    logged: usize,
}

impl Moment {
    fn now(server: &Server) -> io::Result<Moment> {
        Ok(Moment {
            at: now(),
            memory: process::peak(server.id())?,
            written: process::written(server.id())?,
            logged: server.log().text().len(),
        })
    }

    /// Megabytes a minute that were written.
    fn wear(&self, before: &Moment) -> f64 {
        (self.written - before.written) as f64 / 1e6 / self.minutes_since(before)
    }

    fn minutes_since(&self, before: &Moment) -> f64 {
        (self.at - before.at).as_secs_f64() / 60.0
    }
}

fn folder_bytes(folder: &Path) -> io::Result<u64> {
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}
