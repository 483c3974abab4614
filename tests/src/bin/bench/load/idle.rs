//! Members that say nothing: what each takes, and what all cost.

use std::io;
use std::time::Duration;

use super::clock::now;
use super::contestant::Contestant::Ours;
use super::crowd::Crowd;
use super::options::Plan;
use super::process;
use super::report::Report;

/// Members of one room: large enough to count, too small to cost.
const A_ROOM: usize = 10;
/// How many there are in the two cases.
const SIZES: [usize; 2] = [5_000, 15_000];
/// Kilobytes that one may take.
const MAX_KB: f64 = 2.0;
/// Two ping intervals of the server.
const PINGS: Duration = Duration::from_secs(120);
/// Percent of a core that all may cost.
const MAX_SHARE: f64 = 0.5;

pub(crate) fn measure(plan: &Plan) -> io::Result<Report> {
    let held = plan.hold.as_secs();
    let title = format!("idle members in rooms of {A_ROOM}; CPU of {} held for {held} s", SIZES[1]);
    let mut report = Report::new("idle", title);
    let who: Vec<_> = plan.peers.iter().copied().chain([Ours]).collect();
    for who in who {
        if let Err(error) = one(who, plan, &mut report) {
            report.failure(who, "idle members", error);
        }
    }
    for size in SIZES {
        let what = each(size);
        let measured = report.get(Ours, &what);
        report.at_most(what, measured, Some(MAX_KB));
    }
    // A shorter hold may have seen no PING at all.
    let measured = report.get(Ours, &share()).filter(|_| plan.hold >= PINGS);
    report.at_most(share() + ", over two ping intervals", measured, Some(MAX_SHARE));
    Ok(report)
}

fn each(size: usize) -> String {
    format!("KB a member, {size}")
}

fn share() -> String {
    format!("CPU of {} idle, % of a core", SIZES[1])
}

fn one(who: super::Contestant, plan: &Plan, report: &mut Report) -> io::Result<()> {
    let server = who.start(plan.server_cores())?;
    let empty = process::resident(server.id)?;
    let mut crowd = Crowd::new(server.address, server.dialect, "m")?;
    // Peers that look members up one by one need minutes for the larger size.
    let sizes = if who == Ours || plan.full { &SIZES[..] } else { &SIZES[..1] };
    for size in sizes.iter().copied() {
        let room = |number: usize| vec![format!("#r{}", number / A_ROOM)];
        crowd.enter(size - crowd.len(), who.abreast(), &room)?;
        let taken = process::resident(server.id)?.saturating_sub(empty);
        report.figure(who, each(size), taken as f64 / size as f64);
    }
    if sizes.len() < SIZES.len() {
        return Ok(());
    }
    let (before, began) = (process::cpu(server.id)?, now());
    crowd.idle(began + plan.hold)?;
    let used = process::cpu(server.id)?.saturating_sub(before);
    report.figure(who, share(), 100.0 * used.as_secs_f64() / began.elapsed().as_secs_f64());
    Ok(())
}
