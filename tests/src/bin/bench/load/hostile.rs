//! Hostile and slow peers beside a hundred members who talk: what the others notice.

use std::io;
use std::time::Duration;

use super::contestant::Contestant::Ours;
use super::contestant::ours;
use super::crowd::Crowd;
use super::offender::{Kind, Offender};
use super::options::Plan;
use super::process;
use super::report::Report;
use super::rounds::{P50, P99, ROOM};
use super::talk::{Pace, Talk};

/// Members who talk.
const MEMBERS: usize = 100;
const WARM: Duration = Duration::from_millis(500);
/// Bytes of a text: what fills the buffers of somebody who does not read.
const LONG: usize = 400;
/// So fast that a reader who stands still is full within seconds.
const FAST: Duration = Duration::from_micros(500);
/// As slow as flood control lets a hundred members talk.
const SLOW: Duration = Duration::from_millis(10);
/// How much later others may hear, beside a calm run.
const LATER: f64 = 2.0;
/// Kilobytes that may wait for one connection, of which the server tells its users.
const OUTBOX: f64 = 256.0;
/// Kilobytes that a hundred members' memory may move by itself.
const SLACK: f64 = 2048.0;
/// Lines a second that flood control lets through, after a burst.
const RATE: f64 = 5.0;
const BURST: f64 = 20.0;
const CUT: &str = "cut (1 is yes)";
const HEARD: &str = "its lines heard a second";
/// Runs beside an offender last so many spells: it needs time.
const SPELLS: u32 = 6;
/// Calm runs do not.
const CALM_SPELLS: u32 = 3;

pub(crate) fn measure(plan: &Plan) -> io::Result<Report> {
    let mut report =
        Report::new("hostile", format!("{MEMBERS} members talk beside an offender; a calm run before"));
    for kind in Kind::ALL {
        if let Err(error) = one(kind, plan, &mut report) {
            report.failure(kind.name(), P99, error);
        }
        let limit = report.get(kind.name(), "calm p99 ms").map(|calm| calm * LATER);
        report.at_most(format!("{}: p99 ms, 2 × calm", kind.name()), report.get(kind.name(), P99), limit);
        let grown = report.get(kind.name(), "memory grown, KB");
        let limit = SLACK + OUTBOX * kind.connections() as f64;
        report.at_most(format!("{}: memory grown, KB", kind.name()), grown, Some(limit));
        if matches!(kind, Kind::NeverReads | Kind::ReadsSlowly) {
            let cut = report.get(kind.name(), CUT);
            report.at_least(format!("{}: cut", kind.name()), cut, Some(1.0));
        }
    }
    Ok(report)
}

fn one(kind: Kind, plan: &Plan, report: &mut Report) -> io::Result<()> {
    // Only beside a flooder is flood control on.
    let rate = if kind == Kind::Flooder { "5" } else { "off" };
    let server = ours(&["--no-history", "--flood", rate], plan.server_cores(), None)?;
    let (pace, text) = match kind {
        Kind::NeverReads | Kind::ReadsSlowly => (FAST, LONG),
        _ => (SLOW, LONG),
    };
    let mut crowd = Crowd::new(server.address, server.dialect, "m")?;
    crowd.enter(MEMBERS, Ours.abreast(), &|_| vec![ROOM.into()])?;
    let talk =
        Talk { senders: MEMBERS, hearers: MEMBERS, rooms: vec![ROOM.into()], pace: Pace::Every(pace), text };
    let spell = plan.spell * SPELLS;
    let calm = talk.run(&mut crowd, server.id, (WARM, plan.spell * CALM_SPELLS))?;
    let before = process::peak(server.id)?;
    let offender = Offender::start(kind, server.address);
    let beside = talk.run(&mut crowd, server.id, (WARM, spell))?;
    let grown = process::peak(server.id)?.saturating_sub(before);
    let entered = offender.end()?;
    let who = kind.name();
    report.figure(who, "calm p50 ms", calm.latency.milliseconds(0.5));
    report.figure(who, "calm p99 ms", calm.latency.milliseconds(0.99));
    report.figure(who, P50, beside.latency.milliseconds(0.5));
    report.figure(who, P99, beside.latency.milliseconds(0.99));
    report.figure(who, "memory grown, KB", grown as f64);
    if matches!(kind, Kind::NeverReads | Kind::ReadsSlowly) {
        // Every other member was told, while it was still there.
        report.figure(who, CUT, beside.gone as f64 / MEMBERS as f64);
    }
    if kind == Kind::Flooder {
        // What the members heard of it, not what the kernel's buffers took.
        let rate = beside.strange as f64 / MEMBERS as f64 / beside.time.as_secs_f64();
        report.figure(who, HEARD, rate);
        let most = RATE + BURST / beside.time.as_secs_f64();
        report.at_most(format!("{who}: {HEARD}"), Some(rate), Some(most));
    }
    if let Some(time) = entered {
        report.figure(who, "s until all are in", time.as_secs_f64());
    }
    Ok(())
}
