//! The server with nobody there: size, start, memory.

use std::fs;
use std::io;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use super::clock::now;
use super::contestant::Contestant::Ours;
use super::options::Plan;
use super::process;
use super::report::Report;

/// Starts of which the best counts.
const STARTS: usize = 5;
/// How long the server comes to rest.
const REST: Duration = Duration::from_millis(300);

pub(crate) fn measure(plan: &Plan) -> io::Result<Report> {
    let mut report = Report::new("empty", "nobody connected");
    let size = fs::metadata(parlor_tests::program())?.len() as f64 / (1024.0 * 1024.0);
    report.figure(Ours, "program, MB", size);
    let mut starts = Vec::new();
    let mut resident = Vec::new();
    for _ in 0..STARTS {
        let began = now();
        let server = Ours.start(plan.server_cores())?;
        starts.push(began.elapsed().as_secs_f64() * 1e3);
        sleep(REST);
        resident.push(process::resident(server.id)? as f64 / 1024.0);
    }
    for (what, mut values) in [("exec to listening, ms", starts), ("resident, MB", resident)] {
        values.sort_by(f64::total_cmp);
        report.spread(Ours, what, (values[0], values[0], values[STARTS - 1]));
    }
    for peer in &plan.peers {
        let server = peer.start(plan.server_cores())?;
        sleep(REST);
        report.figure(peer, "resident, MB", process::resident(server.id)? as f64 / 1024.0);
    }
    let (program, memory) = if has_tls()? { (3.25, 5.0) } else { (2.0, 4.0) };
    for (what, limit) in [("program, MB", program), ("exec to listening, ms", 10.0), ("resident, MB", memory)]
    {
        report.at_most(what, report.get(Ours, what), Some(limit));
    }
    Ok(report)
}

/// Whether the program under test can encrypt, which takes it a megabyte.
fn has_tls() -> io::Result<bool> {
    let version = Command::new(parlor_tests::program()).arg("--version").output()?.stdout;
    Ok(version.ends_with(b" with TLS\n"))
}
