//! A small machine: a quarter of a core, 32 MB of address space.

use std::hint::spin_loop;
use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::contestant::{Contestant::Ours, Ended, ours};
use super::cores;
use super::options::Plan;
use super::process;
use super::report::Report;
use super::rounds::{P99, Round, enter};
use super::talk::Pace;

/// Neighbours that spin on the server's core: with them it has a quarter.
const NEIGHBOURS: usize = 3;
/// Kilobytes of address space.
const MEMORY: u64 = 32 * 1024;
/// Members in the room.
const MEMBERS: usize = 500;
/// Between two lines.
const STEP: Duration = Duration::from_millis(50);
const WARM: Duration = Duration::from_secs(1);
/// Few lines need longer runs.
const SPELLS: u32 = 4;
/// Milliseconds.
const MAX_P99: f64 = 50.0;

/// Takes all the time it gets.
pub(crate) fn spin() -> ! {
    loop {
        spin_loop();
    }
}

pub(crate) fn measure(plan: &Plan) -> io::Result<Report> {
    let title = format!("{MEMBERS} members, 20 lines a second; a quarter of a core, {} MB", MEMORY / 1024);
    let mut report = Report::new("small", title);
    let own = cores::allowed()?;
    let all = plan.pinned.as_ref().map_or(own, |(server, own)| [&server[..], own].concat());
    let [first, others @ ..] = &all[..] else { return Ok(report) };
    if others.is_empty() {
        report.failure(Ours, P99, "this machine has one core");
        return Ok(report);
    }
    let limit = format!("ulimit -v {MEMORY}; exec \"$@\"");
    let server = ours(&["--no-history", "--flood", "off"], Some(&[*first]), Some(&limit))?;
    let round = Round { members: MEMBERS, senders: MEMBERS, pace: Pace::Every(STEP) };
    let mut neighbours = Vec::new();
    for _ in 0..NEIGHBOURS {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["child", "spin"]).stdin(Stdio::null());
        neighbours.push(Ended(cores::held(Some(&[*first]), || command.spawn())?));
    }
    let ran = cores::held(Some(others), || round.on(&server, Ours.abreast(), (WARM, plan.spell * SPELLS)));
    drop(neighbours);
    match ran {
        Ok(measured) => {
            enter(Ours, &[measured], &mut report);
            report.figure(Ours, "most resident, MB", process::peak(server.id)? as f64 / 1024.0);
        }
        Err(error) => report.failure(Ours, P99, error),
    }
    report.at_most(P99, report.get(Ours, P99), Some(MAX_P99));
    Ok(report)
}
