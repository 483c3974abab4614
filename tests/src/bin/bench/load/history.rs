//! What history costs: the batch with and without it.

use std::io;
use std::time::Duration;

use parlor_tests::Scratch;

use super::contestant::{Contestant::Ours, ours};
use super::options::Plan;
use super::report::Report;
use super::rounds::{COST, P99, Round, enter};
use super::talk::Pace;

const WARM: Duration = Duration::from_millis(300);
/// How the server says that it cannot keep one.
const NOT_YET: &str = "keeps no history";
/// How far p99 may move before it has.
const UNMOVED: f64 = 1.25;

pub(crate) fn measure(plan: &Plan) -> io::Result<Report> {
    let mut report = Report::new("history", "100 members, 10 senders with 16 lines in flight each");
    let round = Round { members: 100, senders: 10, pace: Pace::InFlight(16) };
    let (mut off, mut on) = (Vec::new(), Vec::new());
    let mut keeps = true;
    for _ in 0..plan.rounds {
        off.push(round.once(Ours, plan)?);
        let folder = Scratch::new();
        let server = ours(&["--data", &folder.file("data"), "--flood", "off"], plan.server_cores(), None)?;
        on.push(round.on(&server, Ours.abreast(), (WARM, plan.spell))?);
        keeps &= !server.log().contains(NOT_YET);
    }
    enter("history off", &off, &mut report);
    let name = if keeps { "history on" } else { "asked for, not kept by this build" };
    enter(name, &on, &mut report);
    for (what, factor) in [(COST, 1.5), (P99, UNMOVED)] {
        let measured = report.get("history on", what);
        let limit = report.get("history off", what).map(|off| off * factor);
        report.at_most(format!("{what} with history, {factor} × without"), measured, limit);
    }
    Ok(report)
}
