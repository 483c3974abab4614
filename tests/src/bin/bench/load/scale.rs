//! From few to many: members against the floor at that size, and rooms.

use std::io;
use std::time::Duration;

use super::contestant::Contestant::{Floor, Ours};
use super::crowd::Crowd;
use super::options::Plan;
use super::report::Report;
use super::rounds::{COST, Round, TEXT, enter};
use super::talk::{Pace, Talk};

const WARM: Duration = Duration::from_millis(300);
/// How far a ratio may lie from the middle of all.
const STEADY: f64 = 0.15;
/// Members of each room of the talkers.
const TALKERS: usize = 10;
/// Rooms that one member may be in.
const ROOMS_EACH: usize = 40;

pub(crate) fn measure(plan: &Plan) -> io::Result<Report> {
    let mut report = Report::new("scale", "one line at a time, against the floor at that size; and by rooms");
    let mut ratios = Vec::new();
    let sizes: &[usize] = if plan.full { &[10, 100, 1_000, 10_000] } else { &[10, 100, 1_000, 2_000] };
    for size in sizes {
        let round = Round { members: *size, senders: 1, pace: Pace::InFlight(1) };
        let (mut floors, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..plan.rounds {
            floors.push(round.once(Floor(1), plan)?.cost());
            match round.once(Ours, plan) {
                Ok(measured) => ours.push(measured.cost()),
                Err(error) => report.failure(size, "ours", error),
            }
        }
        let (Some(floor), Some(own)) = (best(&floors), best(&ours)) else { continue };
        report.figure(size, "floor, CPU µs a delivery", floor);
        report.figure(size, "ours, CPU µs a delivery", own);
        report.figure(size, "ratio", own / floor);
        ratios.push(own / floor);
    }
    within(&mut report, "ratio to the floor, farthest from the middle of all sizes", &ratios, sizes.len());

    let mut costs = Vec::new();
    let counts = [1, 100, 1_000, 10_000];
    for rooms in counts {
        match by_rooms(rooms, plan, &mut report) {
            Ok(cost) => costs.push(cost),
            Err(error) => report.failure(format!("{rooms} rooms"), COST, error),
        }
    }
    within(
        &mut report,
        "CPU of a line, farthest from the middle of all counts of rooms",
        &costs,
        counts.len(),
    );
    Ok(report)
}

fn best(values: &[f64]) -> Option<f64> {
    values.iter().copied().min_by(f64::total_cmp)
}

/// Ten talkers sit together in some rooms, others hold the rest open.
fn by_rooms(rooms: usize, plan: &Plan, report: &mut Report) -> io::Result<f64> {
    let theirs = rooms.min(ROOMS_EACH);
    let others = (rooms - theirs).div_ceil(ROOMS_EACH);
    let name = |number: usize| format!("#r{number}");
    let seats = |member: usize| -> Vec<String> {
        if member < TALKERS {
            return (0..theirs).map(name).collect();
        }
        let first = theirs + (member - TALKERS) * ROOMS_EACH;
        (first..rooms.min(first + ROOMS_EACH)).map(name).collect()
    };
    let mut runs = Vec::new();
    for _ in 0..plan.rounds {
        let server = Ours.start(plan.server_cores())?;
        let mut crowd = Crowd::new(server.address, server.dialect, "m")?;
        crowd.enter(TALKERS + others, Ours.abreast(), &seats)?;
        let rooms = (0..theirs).map(name).collect();
        let talk = Talk { senders: 1, hearers: TALKERS, rooms, pace: Pace::InFlight(1), text: TEXT };
        runs.push(talk.run(&mut crowd, server.id, (WARM, plan.spell))?);
    }
    let who = format!("{rooms} rooms");
    enter(&who, &runs, report);
    report.get(&who, COST).ok_or_else(|| io::Error::other("nothing was measured"))
}

/// Enters how far the farthest of some values lies from their middle.
fn within(report: &mut Report, what: &str, values: &[f64], wanted: usize) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    let middle = (low + high) / 2.0;
    let measured = (values.len() == wanted).then(|| (high - middle) / middle);
    report.at_most(what, measured, Some(STEADY));
}
