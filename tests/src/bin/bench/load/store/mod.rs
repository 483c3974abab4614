//! The history on disk: what a line costs, how soon it is safe, and what a million of them cost
//! at a start, in memory and when they are read.
//!
//! The real server over real sockets. A line carries its sender's name for it (`+parlor/id`), as
//! those of the window do, so that the memory for resends is in every figure. Files are in the
//! cache of the system: nothing here is about a disk that has to be read first.

mod folder;
mod kept;
mod million;
mod reader;
mod senders;

use std::io;
use std::path::Path;
use std::time::Duration;

use parlor_tests::{Launch, Server};

use self::folder::Folder;
use self::senders::{End, Senders, Told};
use super::clock::now;
use super::cores::held;
use super::options::Plan;
use super::process;
use super::report::Report;

/// Senders at full speed.
const SENDERS: usize = 50;
/// Lines of a sender that wait for their echo at most: as many as the window's.
const UNECHOED: usize = 16;
/// Lines at one a second.
const SLOW_LINES: u64 = 25;
/// Lines of somebody who is alone and waits for each echo.
const ALONE_LINES: u64 = 1_000;
/// How long it goes on before it is measured.
const WARM: Duration = Duration::from_millis(300);

const SLOW_BYTES: &str = "bytes written a line, 1 a second";
const ALONE_BYTES: &str = "bytes written a line, one sender without pause";
const FULL_BYTES: &str = "bytes written a line, 50 senders";
const FULL_RATE: &str = "lines a second, 50 senders";

/// Bytes that a line may cost at one a second.
const MOST_SLOW: f64 = 8192.0;
/// Bytes that a line may cost at full speed.
const MOST_FULL: f64 = 1023.0;
/// Lines a second of 50 senders.
const LEAST_RATE: f64 = 20_000.0;

pub(crate) fn measure(plan: &Plan) -> io::Result<Report> {
    let folder = Folder::on_a_disk()?;
    let title = format!("lines of {} bytes of text; {}", super::rounds::TEXT, folder.describe());
    let mut report = Report::new("store", title);
    one_a_second(plan, &mut report)?;
    alone(plan, &mut report)?;
    for rooms in [1, 10] {
        let who = column(rooms);
        if let Err(error) = full_speed(rooms, plan, &mut report) {
            report.failure(&who, FULL_RATE, error);
        }
        if let Err(error) = million::measure(rooms, plan, &mut report) {
            report.failure(&who, million::OPEN_CLEAN, error);
        }
    }
    bounds(&mut report);
    Ok(report)
}

fn bounds(report: &mut Report) {
    let one = column(1);
    for what in [SLOW_BYTES, ALONE_BYTES] {
        report.at_most(what, report.get(&one, what), Some(MOST_SLOW));
    }
    for rooms in [1, 10] {
        let who = column(rooms);
        report.at_most(format!("{FULL_BYTES}, {who}"), report.get(&who, FULL_BYTES), Some(MOST_FULL));
        report.at_least(format!("{FULL_RATE}, {who}"), report.get(&who, FULL_RATE), Some(LEAST_RATE));
    }
    for rooms in [1, 10] {
        let who = column(rooms);
        for (what, limit) in million::BOUNDS {
            report.at_most(format!("{what}, {who}"), report.get(&who, what), Some(limit));
        }
    }
}

fn column(rooms: usize) -> String {
    format!("{rooms} room{}", if rooms == 1 { "" } else { "s" })
}

/// The names of the rooms.
fn room(number: usize) -> String {
    format!("#store{number}")
}

/// A server that keeps its history in `data`, all of it.
fn start(data: &Path, plan: &Plan) -> io::Result<Server> {
    let data = data.display().to_string();
    let most = (2 * SENDERS).to_string();
    let args = ["-q", "--data", &data, "--keep-bytes", "1G", "--max-clients-per-ip", &most];
    held(plan.server_cores(), || Ok(Launch::new(&args).without_console().start()))
}

fn one_a_second(plan: &Plan, report: &mut Report) -> io::Result<()> {
    let folder = Folder::on_a_disk()?;
    let server = start(folder.path(), plan)?;
    let mut senders = Senders::enter(&server, 1, 1)?;
    // A new file is longer at once: that is a matter of its first line.
    senders.talk(1, End::Lines(1))?;
    let (process, device) = (process::written(server.id())?, folder.device_written());
    let began = now();
    for second in 1..=SLOW_LINES {
        senders.talk(1, End::Lines(1))?;
        senders.idle(began + Duration::from_secs(second))?;
    }
    let lines = SLOW_LINES as f64;
    let who = column(1);
    report.figure(&who, SLOW_BYTES, (process::written(server.id())? - process) as f64 / lines);
    if let (Some(before), Some(after)) = (device, folder.device_written()) {
        let what = "the same on the device, everybody's";
        report.figure(&who, what, (after - before) as f64 / lines);
    }
    Ok(())
}

fn alone(plan: &Plan, report: &mut Report) -> io::Result<()> {
    let mut runs = Vec::new();
    for _ in 0..plan.rounds {
        let folder = Folder::on_a_disk()?;
        let server = start(folder.path(), plan)?;
        let mut senders = Senders::enter(&server, 1, 1)?;
        senders.talk(1, End::After(WARM))?;
        runs.push(senders.talk(1, End::Lines(ALONE_LINES))?);
    }
    let who = column(1);
    enter(&who, ALONE_BYTES, &runs, false, Told::bytes, report);
    enter(&who, "echo after ms, p50, one sender", &runs, false, |run| run.latency.milliseconds(0.5), report);
    enter(&who, "echo after ms, p99, one sender", &runs, false, |run| run.latency.milliseconds(0.99), report);
    Ok(())
}

fn full_speed(rooms: usize, plan: &Plan, report: &mut Report) -> io::Result<()> {
    let mut runs = Vec::new();
    for _ in 0..plan.rounds {
        let folder = Folder::on_a_disk()?;
        let server = start(folder.path(), plan)?;
        let mut senders = Senders::enter(&server, SENDERS, rooms)?;
        senders.talk(UNECHOED, End::After(WARM))?;
        runs.push(senders.talk(UNECHOED, End::After(plan.spell))?);
        let said = senders.said();
        drop(senders);
        server.crash();
        kept::check(folder.path(), rooms, &said)?;
    }
    let who = column(rooms);
    enter(&who, FULL_RATE, &runs, true, Told::rate, report);
    enter(&who, FULL_BYTES, &runs, false, Told::bytes, report);
    enter(&who, "echo after ms, p50, 50 senders", &runs, false, |run| run.latency.milliseconds(0.5), report);
    enter(&who, "echo after ms, p99, 50 senders", &runs, false, |run| run.latency.milliseconds(0.99), report);
    enter(&who, "server, % of a core, 50 senders", &runs, true, Told::share, report);
    enter(&who, "generator, % of a core, 50 senders", &runs, true, Told::own_share, report);
    Ok(())
}

/// Enters the best of several runs, and their spread.
fn enter<T>(who: &str, what: &str, runs: &[T], higher: bool, value: impl Fn(&T) -> f64, report: &mut Report) {
    let mut values: Vec<f64> = runs.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    if let (Some(&low), Some(&high)) = (values.first(), values.last()) {
        report.spread(who, what, (if higher { high } else { low }, low, high));
    }
}
