//! Members who encrypt beside the same ones who do not, here and at InspIRCd: what each takes, what a delivery costs, how fast they
//! come, and who waits for them when all come at once.

use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use super::clock::now;
use super::contestant::Contestant::{self, Inspircd, InspircdTls, Ours};
use super::crowd::{Crowd, Dialect};
use super::measured::Measured;
use super::options::Plan;
use super::process;
use super::report::Report;
use super::talk::{Pace, Talk};

/// Who stays, says nothing, and comes again all at once.
const MEMBERS: usize = 2_000;
/// Who talks.
const TALKERS: usize = 100;
/// Kilobytes that one may take.
const MAX_KB: f64 = 10.0;
/// How much longer 99 % of the lines of others may take than in a storm without encryption.
const MAX_DELAY: f64 = 2.0;
const KB: &str = "KB a member";
const RATE: &str = "arrivals a second";
const ARRIVAL: &str = "CPU ms an arrival";
const COST: &str = "CPU \u{b5}s a delivery, 10 senders with 4 in flight";
const SINGLE: &str = "CPU \u{b5}s a delivery, one line at a time";
const P99: &str = "p99 ms of others in a storm";

pub(crate) fn measure(plan: &Plan) -> io::Result<Report> {
    let title =
        format!("{MEMBERS} come, {TALKERS} talk; a storm is all {MEMBERS} at once while 10 others talk");
    let mut report = Report::new("tls", title);
    let mut ways = vec![("readable", Ours, false), ("TLS", Ours, true)];
    if plan.peers.contains(&Inspircd) {
        ways.push(("InspIRCd, readable", Inspircd, false));
        ways.push(("InspIRCd, GnuTLS", InspircdTls, true));
    }
    for (who, server, encrypted) in ways {
        let way = Way { server, encrypted };
        arrive(plan, who, way, &mut report)?;
        let mut storms = Vec::new();
        let (mut costs, mut singles) = (Vec::new(), Vec::new());
        for _ in 0..plan.rounds {
            costs.push(talk(plan, way, room(10, Pace::InFlight(4)))?.cost());
            singles.push(talk(plan, way, room(1, Pace::InFlight(1)))?.cost());
            // The ten who do not encrypt need a port that takes both.
            if server == Ours {
                storms.push(storm(plan, encrypted)?.latency.milliseconds(0.99));
            }
        }
        report.spread(who, COST, spread(costs));
        report.spread(who, SINGLE, spread(singles));
        if !storms.is_empty() {
            report.spread(who, P99, spread(storms));
        }
    }
    report.at_most("KB a member who encrypts", report.get("TLS", KB), Some(MAX_KB));
    let limit = report.get("readable", P99).map(|readable| readable * MAX_DELAY);
    report.at_most(format!("{P99}, 2 \u{d7} those of a readable one"), report.get("TLS", P99), limit);
    Ok(report)
}

/// Least, middle and most.
fn spread(mut of: Vec<f64>) -> (f64, f64, f64) {
    of.sort_by(f64::total_cmp);
    let at = |place: usize| of.get(place).copied().unwrap_or_default();
    (at(0), at(of.len() / 2), at(of.len().saturating_sub(1)))
}

fn crowd(server: SocketAddr, dialect: Dialect, encrypted: bool) -> io::Result<Crowd> {
    let crowd = Crowd::new(server, dialect, "m")?;
    Ok(if encrypted { crowd.encrypted() } else { crowd })
}

/// Whom members come to, and how.
#[derive(Clone, Copy)]
struct Way {
    server: Contestant,
    encrypted: bool,
}

fn arrive(plan: &Plan, who: &str, way: Way, report: &mut Report) -> io::Result<()> {
    let server = way.server.start(plan.server_cores())?;
    let empty = process::resident(server.id)?;
    let mut members = crowd(server.address, server.dialect, way.encrypted)?;
    let (before, began) = (process::cpu(server.id)?, now());
    members.enter(MEMBERS, way.server.abreast(), &|_| Vec::new())?;
    let time = began.elapsed().as_secs_f64();
    let used = process::cpu(server.id)?.saturating_sub(before).as_secs_f64();
    members.idle(now() + Duration::from_secs(2))?;
    let taken = process::resident(server.id)?.saturating_sub(empty);
    report.figure(who, KB, taken as f64 / MEMBERS as f64);
    report.figure(who, RATE, MEMBERS as f64 / time);
    report.figure(who, ARRIVAL, used * 1000.0 / MEMBERS as f64);
    Ok(())
}

fn room(senders: usize, pace: Pace) -> Talk {
    Talk { senders, hearers: usize::MAX, rooms: vec!["#bench".into()], pace, text: 64 }
}

fn talk(plan: &Plan, way: Way, talk: Talk) -> io::Result<Measured> {
    let server = way.server.start(plan.server_cores())?;
    let mut members = crowd(server.address, server.dialect, way.encrypted)?;
    members.enter(TALKERS, TALKERS, &|_| vec!["#bench".into()])?;
    talk.run(&mut members, server.id, (plan.spell / 2, plan.spell))
}

/// Ten who do not encrypt talk while all the others come, and come again.
fn storm(plan: &Plan, encrypted: bool) -> io::Result<Measured> {
    let server = Ours.start(plan.server_cores())?;
    let mut calm = Crowd::new(server.address, server.dialect, "calm")?;
    calm.enter(10, 10, &|_| vec!["#bench".into()])?;
    let (address, dialect) = (server.address, server.dialect);
    let coming =
        thread::spawn(move || crowd(address, dialect, encrypted)?.enter(MEMBERS, MEMBERS, &|_| Vec::new()));
    let talk = room(10, Pace::Every(Duration::from_millis(2)));
    let measured = talk.run(&mut calm, server.id, (Duration::ZERO, plan.spell))?;
    coming.join().map_err(|_| io::Error::other("the storm failed"))??;
    Ok(measured)
}
