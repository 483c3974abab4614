//! Rounds: every contestant in turn, several times, so that what else the machine does meets
//! all alike. The best round of each counts.

use std::io;
use std::time::Duration;

use super::contestant::{Contestant, Running, own_program};
use super::crowd::Crowd;
use super::floor;
use super::measured::Measured;
use super::options::Plan;
use super::report::Report;
use super::talk::{Pace, Talk};

/// Bytes of a text that is said.
pub(crate) const TEXT: usize = 60;
/// How long each run goes on before it is measured.
pub(crate) const WARM: Duration = Duration::from_millis(300);
/// The room of everybody.
pub(crate) const ROOM: &str = "#bench";

/// The names of what a run of talk gives.
pub(crate) const RATE: &str = "deliveries a second";
/// CPU of the server.
pub(crate) const COST: &str = "CPU µs a delivery";
pub(crate) const P50: &str = "p50 ms";
pub(crate) const P99: &str = "p99 ms";
pub(crate) const P999: &str = "p99.9 ms";
const SHARE: &str = "server, % of a core";
const OTHERS: &str = "everybody else, % of a core";
const OWN: &str = "generator, % of a core";

/// One kind of talk among so many members of one room.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) members: usize,
    pub(crate) senders: usize,
    pub(crate) pace: Pace,
}

impl Round {
    pub(crate) fn talk(&self) -> Talk {
        let (senders, hearers) = (self.senders, self.members);
        Talk { senders, hearers, rooms: vec![ROOM.into()], pace: self.pace, text: TEXT }
    }

    /// Runs the rounds of all contestants and enters what they gave.
    pub(crate) fn run(&self, who: &[Contestant], plan: &Plan, report: &mut Report) {
        let mut runs: Vec<Vec<Measured>> = vec![Vec::new(); who.len()];
        let mut failures: Vec<Option<io::Error>> = who.iter().map(|_| None).collect();
        for _ in 0..plan.rounds {
            for ((who, runs), failure) in who.iter().zip(&mut runs).zip(&mut failures) {
                match self.once(*who, plan) {
                    Ok(measured) => runs.push(measured),
                    Err(error) => *failure = Some(error),
                }
            }
        }
        for ((who, runs), failure) in who.iter().zip(runs).zip(failures) {
            // A run in which anything was lost has no figure.
            match failure {
                Some(error) => report.failure(who, RATE, error),
                None => enter(who, &runs, report),
            }
        }
    }

    /// One run of one contestant.
    pub(crate) fn once(&self, who: Contestant, plan: &Plan) -> io::Result<Measured> {
        let spell = (WARM, plan.spell);
        if let Contestant::Floor(lines) = who {
            let in_flight = match self.pace {
                Pace::InFlight(depth) => (self.senders * depth).div_ceil(lines),
                Pace::Every(_) => 1,
            };
            let (sockets, lines_text) = (self.members.to_string(), lines.to_string());
            let args = ["child", "floor", &sockets, &lines_text, &TEXT.to_string()];
            let running = own_program(&args, plan.server_cores())?;
            let writer = (running.id, running.address);
            return floor::measure(writer, self.members, (lines, in_flight), TEXT, spell);
        }
        let running = who.start(plan.server_cores())?;
        self.on(&running, who.abreast(), spell)
    }

    /// One run on a server that runs.
    pub(crate) fn on(
        &self,
        server: &Running,
        abreast: usize,
        spell: (Duration, Duration),
    ) -> io::Result<Measured> {
        let mut crowd = Crowd::new(server.address, server.dialect, "m")?;
        crowd.enter(self.members, abreast, &|_| vec![ROOM.into()])?;
        self.talk().run(&mut crowd, server.id, spell)
    }
}

/// Enters the best of several runs, and their spread.
pub(crate) fn enter(who: impl ToString, runs: &[Measured], report: &mut Report) {
    let who = who.to_string();
    let mut add = |what: &str, higher: bool, value: &dyn Fn(&Measured) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        if let [low, ..] = values[..]
            && let [.., high] = values[..]
        {
            report.spread(&who, what, (if higher { high } else { low }, low, high));
        }
    };
    add(RATE, true, &Measured::rate);
    add(COST, false, &Measured::cost);
    if runs.iter().any(|run| run.latency.quantile(0.5) > 0) {
        add(P50, false, &|run| run.latency.milliseconds(0.5));
        add(P99, false, &|run| run.latency.milliseconds(0.99));
        add(P999, false, &|run| run.latency.milliseconds(0.999));
    }
    add(SHARE, true, &Measured::share);
    add(OWN, true, &Measured::own_share);
    add(OTHERS, false, &Measured::others_share);
}

/// The figures of several contestants; another build of ours is nobody's measure.
fn figures(report: &Report, who: &[Contestant], what: &str) -> impl Iterator<Item = f64> {
    let others = who.iter().filter(|who| !matches!(who, Contestant::Build(_)));
    others.filter_map(move |who| report.get(who, what))
}

/// The lowest figure of several contestants.
pub(crate) fn least(report: &Report, who: &[Contestant], what: &str) -> Option<f64> {
    figures(report, who, what).min_by(f64::total_cmp)
}

/// The highest figure of several contestants.
pub(crate) fn most(report: &Report, who: &[Contestant], what: &str) -> Option<f64> {
    figures(report, who, what).max_by(f64::total_cmp)
}
