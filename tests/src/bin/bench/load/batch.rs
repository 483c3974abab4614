//! Talk in one room: many lines in flight, one at a time, a thousand members, and at a pace.

use std::io;
use std::time::Duration;

use super::contestant::Contestant::{self, Floor, IdealHub, Ours};
use super::options::Plan;
use super::report::Report;
use super::rounds::{COST, P99, P999, RATE, Round, least, most};
use super::talk::Pace;

/// Between two lines at the pace of a busy room.
const STEP: Duration = Duration::from_millis(10);
/// A pace gives few deliveries: these are measured for so many spells.
const PACED_SPELLS: u32 = 2;

fn all(floors: &[usize], plan: &Plan) -> Vec<Contestant> {
    let floors = floors.iter().map(|lines| Floor(*lines));
    floors.chain([IdealHub]).chain(plan.peers.iter().copied()).chain([Ours]).collect()
}

fn times(value: Option<f64>, factor: f64) -> Option<f64> {
    value.map(|value| value * factor)
}

pub(crate) fn batch(plan: &Plan) -> io::Result<Report> {
    let mut report = Report::new("batch", "100 members, 10 senders with 16 lines in flight each");
    let round = Round { members: 100, senders: 10, pace: Pace::InFlight(16) };
    round.run(&all(&[1, 4, 16, 64], plan), plan, &mut report);
    let rate = most(&report, &plan.peers, RATE);
    let (cost, p99) = (least(&report, &plan.peers, COST), least(&report, &plan.peers, P99));
    let (our_rate, our_cost) = (report.get(Ours, RATE), report.get(Ours, COST));
    report.at_least("deliveries a second, 4 × the best peer's", our_rate, times(rate, 4.0));
    report.at_most("CPU µs a delivery, 0.6 × the best peer's", our_cost, times(cost, 0.6));
    report.at_most("p99 ms, a fifth of the best peer's", report.get(Ours, P99), times(p99, 0.2));
    let limit = times(report.get(IdealHub, COST), 1.5);
    report.at_most("CPU µs a delivery, 1.5 × the ideal hub's", our_cost, limit);
    Ok(report)
}

pub(crate) fn single(plan: &Plan) -> io::Result<Report> {
    let mut report = Report::new("single", "100 members, one line at a time");
    let round = Round { members: 100, senders: 1, pace: Pace::InFlight(1) };
    round.run(&all(&[1], plan), plan, &mut report);
    let limit = times(report.get(IdealHub, COST), 1.15);
    report.at_most("CPU µs a delivery, 1.15 × the ideal hub's", report.get(Ours, COST), limit);
    Ok(report)
}

pub(crate) fn thousand(plan: &Plan) -> io::Result<Report> {
    let mut report = Report::new("thousand", "1,000 members, 10 senders with 4 lines in flight each");
    let round = Round { members: 1_000, senders: 10, pace: Pace::InFlight(4) };
    round.run(&all(&[4], plan), plan, &mut report);
    let (rate, cost) = (most(&report, &plan.peers, RATE), least(&report, &plan.peers, COST));
    let (our_rate, our_cost) = (report.get(Ours, RATE), report.get(Ours, COST));
    report.at_least("deliveries a second, 2 × the best peer's", our_rate, times(rate, 2.0));
    report.at_most("CPU µs a delivery, 0.8 × the best peer's", our_cost, times(cost, 0.8));
    Ok(report)
}

pub(crate) fn paced(plan: &Plan) -> io::Result<Report> {
    let mut report = Report::new("paced", "100 members, 100 lines a second, by all in turn");
    let round = Round { members: 100, senders: 100, pace: Pace::Every(STEP) };
    let plan = Plan { spell: plan.spell * PACED_SPELLS, ..plan.clone() };
    round.run(&all(&[], &plan), &plan, &mut report);
    for what in [P99, P999] {
        let limit = times(report.get(IdealHub, what), 1.5);
        report.at_most(format!("{what}, 1.5 × the ideal hub's"), report.get(Ours, what), limit);
    }
    Ok(report)
}
