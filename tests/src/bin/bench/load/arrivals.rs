//! Thousands who come at once: registered, joined, and each told of all who came after.

use std::io;
use std::time::Duration;

use super::clock::now;
use super::contestant::Contestant::Ours;
use super::crowd::Crowd;
use super::options::Plan;
use super::process;
use super::report::Report;

/// Who comes.
const MEMBERS: usize = 5_000;
/// Members of a room where they come to many.
const A_ROOM: usize = 100;
/// How long they may take.
const WITHIN: Duration = Duration::from_secs(5);
/// How much dearer a told JOIN may be in the largest room than in the smallest.
const LINEAR: f64 = 1.3;

pub(crate) fn measure(plan: &Plan) -> io::Result<Report> {
    let mut report = Report::new("joins", "registered, joined, and all JOINs delivered");
    let mut costs = Vec::new();
    for size in [MEMBERS / 4, MEMBERS / 2, MEMBERS] {
        match one(plan, size, &|_| vec!["#bench".into()]) {
            Ok((time, cost)) => {
                report.figure(Ours, seconds(size), time);
                report.figure(Ours, format!("CPU µs a told JOIN, {size} in one room"), cost);
                costs.push(cost);
            }
            Err(error) => report.failure(Ours, seconds(size), error),
        }
    }
    let many = format!("s, {MEMBERS} in rooms of {A_ROOM}");
    match one(plan, MEMBERS, &|number| vec![format!("#r{}", number % (MEMBERS / A_ROOM))]) {
        Ok((time, _)) => report.figure(Ours, &many, time),
        Err(error) => report.failure(Ours, &many, error),
    }
    let limit = Some(WITHIN.as_secs_f64());
    report.at_most(seconds(MEMBERS), report.get(Ours, &seconds(MEMBERS)), limit);
    report.at_most(many.clone(), report.get(Ours, &many), limit);
    let growth = match costs[..] {
        [small, _, large] => Some(large / small),
        _ => None,
    };
    report.at_most("CPU of a told JOIN in the largest room over the smallest", growth, Some(LINEAR));
    Ok(report)
}

fn seconds(size: usize) -> String {
    format!("s, {size} in one room")
}

/// Seconds until all are in, and CPU of the server for each JOIN that was told.
fn one(plan: &Plan, size: usize, rooms: super::crowd::Rooms<'_>) -> io::Result<(f64, f64)> {
    let server = Ours.start(plan.server_cores())?;
    let mut crowd = Crowd::new(server.address, server.dialect, "m")?;
    let (before, began) = (process::cpu(server.id)?, now());
    let told = crowd.enter(size, Ours.abreast(), rooms)?;
    let time = began.elapsed().as_secs_f64();
    let used = process::cpu(server.id)?.saturating_sub(before);
    Ok((time, used.as_secs_f64() * 1e6 / told as f64))
}
