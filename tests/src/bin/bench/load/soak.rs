//! An hour of mixed load: talk, people who come and go. Memory and descriptors stay.

use std::io;
use std::time::Duration;

use super::clock::now;
use super::contestant::Contestant::Ours;
use super::crowd::Crowd;
use super::options::Plan;
use super::process;
use super::report::Report;
use super::rounds::{ROOM, TEXT};
use super::talk::{Pace, Talk};

/// Members who talk all the time.
const MEMBERS: usize = 200;
/// Between two lines.
const STEP: Duration = Duration::from_millis(10);
/// Who comes and goes in each turn, in rooms of their own.
const VISITORS: usize = 200;
/// Members of a room of visitors.
const A_ROOM: usize = 20;
/// How long each turn talks.
const TURN: Duration = Duration::from_secs(5);
/// After so long memory must stay.
const SETTLED: Duration = Duration::from_secs(60);
/// How much it may grow after that, as a factor.
const FLAT: f64 = 1.05;

pub(crate) fn measure(plan: &Plan) -> io::Result<Report> {
    let title = format!("{MEMBERS} members talk, {VISITORS} come and go, for {} s", plan.soak.as_secs());
    let mut report = Report::new("soak", title);
    let server = Ours.start(plan.server_cores())?;
    let empty = process::descriptors(server.id)?;
    let mut crowd = Crowd::new(server.address, server.dialect, "m")?;
    crowd.enter(MEMBERS, Ours.abreast(), &|_| vec![ROOM.into()])?;
    let talk = Talk {
        senders: MEMBERS,
        hearers: MEMBERS,
        rooms: vec![ROOM.into()],
        pace: Pace::Every(STEP),
        text: TEXT,
    };
    let began = now();
    // A short soak is judged from its first fifth on.
    let settled = SETTLED.min(plan.soak / 5);
    let (mut first, mut most, mut lines) = (None, 0, 0_u64);
    while began.elapsed() < plan.soak {
        let mut visitors = Crowd::new(server.address, server.dialect, "v")?;
        visitors.enter(VISITORS, Ours.abreast(), &|number| vec![format!("#v{}", number / A_ROOM)])?;
        let turn = TURN.min(plan.soak / 5);
        lines += talk.run(&mut crowd, server.id, (Duration::ZERO, turn))?.deliveries;
        drop(visitors);
        let resident = process::resident(server.id)?;
        if began.elapsed() >= settled {
            first.get_or_insert(resident);
            most = most.max(resident);
        }
    }
    drop(crowd);
    std::thread::sleep(Duration::from_secs(1));
    let left = process::descriptors(server.id)?;
    report.figure(Ours, "deliveries", lines as f64);
    report.figure(Ours, "resident when settled, KB", first.unwrap_or(0) as f64);
    report.figure(Ours, "most resident after that, KB", most as f64);
    report.figure(Ours, "descriptors, empty", empty as f64);
    report.figure(Ours, "descriptors, empty again", left as f64);
    let limit = first.map(|first| first as f64 * FLAT);
    report.at_most("resident after the first minute, KB", Some(most as f64), limit);
    report.at_most("descriptors when all have left", Some(left as f64), Some(empty as f64));
    Ok(report)
}
