//! One core for the server, and two.

use std::io;

use super::contestant::Contestant::Ours;
use super::cores;
use super::options::Plan;
use super::report::Report;
use super::rounds::{COST, Round, enter};
use super::talk::Pace;

/// How much dearer a delivery may be with two cores.
const DEARER: f64 = 1.15;

pub(crate) fn measure(plan: &Plan) -> io::Result<Report> {
    let mut report =
        Report::new("cores", "the batch and single lines; the server held to one core, and to two");
    let own = cores::allowed()?;
    let all = plan.pinned.as_ref().map_or(own, |(server, own)| [&server[..], own].concat());
    let [first, second, ..] = all[..] else {
        report.failure(Ours, COST, "this machine has one core");
        return Ok(report);
    };
    let many = Round { members: 100, senders: 10, pace: Pace::InFlight(16) };
    let one = Round { members: 100, senders: 1, pace: Pace::InFlight(1) };
    for (talk, round) in [("batch", many), ("single", one)] {
        let (mut with_one, mut with_two) = (Vec::new(), Vec::new());
        for _ in 0..plan.rounds {
            let on = |server: &[usize], generator: &[usize]| {
                let plan = Plan { pinned: Some((server.to_vec(), generator.to_vec())), ..plan.clone() };
                cores::held(Some(generator), || round.once(Ours, &plan))
            };
            with_one.push(on(&[first], &[second])?);
            with_two.push(on(&[first, second], &[first, second])?);
        }
        let names = [format!("{talk}, one"), format!("{talk}, two")];
        enter(&names[0], &with_one, &mut report);
        enter(&names[1], &with_two, &mut report);
        let limit = report.get(&names[0], COST).map(|cost| cost * DEARER);
        let measured = report.get(&names[1], COST);
        report.at_most(format!("{talk}: {COST} with two cores, {DEARER} × with one"), measured, limit);
    }
    Ok(report)
}
