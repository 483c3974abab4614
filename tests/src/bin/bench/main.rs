//! Measures the programs that were built beside it:
//! `cargo build --profile dist --workspace && cargo run --profile dist -p parlor-tests --bin bench -- [scenario]…`
//!
//! Without a scenario: every short one of the load generator (Linux). `memory` is the server at
//! rest, `cluster` two servers with one order (needs redis-server), `window` the window (needs Xvfb), `store` the history on disk (two minutes), `soak` takes as
//! long as it is told.
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod cluster;
#[cfg(target_os = "linux")]
mod load;
mod memory;
mod process;
#[cfg(target_os = "linux")]
mod window;

use std::io;
use std::process::exit;
use std::time::Duration;

use argh::FromArgs;

/// Wrong options (sysexits EX_USAGE).
const USAGE: i32 = 64;

/// Measures server and window. Scenarios: batch, single, thousand, paced, reactions, idle, joins,
/// empty, history, cores, scale, small, hostile, tls, store, soak; memory, cluster, window.
#[derive(FromArgs)]
struct Options {
    /// what to measure; without a name all short ones under load
    #[argh(positional, arg_name = "scenario")]
    scenarios: Vec<String>,

    /// others to measure in the same run, with commas: ngircd, inspircd, ergo, or the path of another build of ours (default ngircd,inspircd); beside the window: hexchat
    #[argh(option, arg_name = "names", default = "String::from(\"ngircd,inspircd\")")]
    vs: String,

    /// print JSON
    #[argh(switch)]
    json: bool,

    /// how often each server has its turn (default 3)
    #[argh(option, arg_name = "n", default = "3")]
    rounds: usize,

    /// how long one run is measured, in milliseconds (default 1000)
    #[argh(option, arg_name = "ms", default = "1000")]
    spell: u64,

    /// how long idle members are held, in seconds (default 10; two ping intervals are 120)
    #[argh(option, arg_name = "s", default = "10")]
    hold: u64,

    /// how long the soak takes, in seconds (default 3600)
    #[argh(option, arg_name = "s", default = "3600")]
    soak: u64,

    /// with the sizes that take minutes
    #[argh(switch)]
    full: bool,

    /// let the scheduler move server and generator: where it puts both on one core a delivery
    /// costs a fraction, so such figures do not compare
    #[argh(switch)]
    unpinned: bool,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    #[cfg(target_os = "linux")]
    if let ["child", part @ ..] = &args[..] {
        let Err(error) = load::child(part) else { return };
        // Whoever started it has gone: nobody to tell.
        let gone = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
        if !gone.contains(&error.kind()) {
            eprintln!("bench: {error}");
        }
        exit(1);
    }
    let options = Options::from_args(&["bench"], &args).unwrap_or_else(|early| {
        println!("{}", early.output);
        exit(if early.status.is_ok() { 0 } else { USAGE })
    });
    match run(&options) {
        Ok(true) => {}
        Ok(false) => exit(1),
        Err(error) => {
            eprintln!("bench: {error}");
            exit(1);
        }
    }
}

/// False where a scenario has no figure.
fn run(options: &Options) -> io::Result<bool> {
    // Beside the figures: they may be JSON.
    eprintln!("profile {}: {}", profile(), parlor_tests::program().display());
    let mut loads: Vec<&str> = Vec::new();
    for scenario in &options.scenarios {
        match &**scenario {
            "memory" => memory::measure()?,
            #[cfg(target_os = "linux")]
            "cluster" => cluster::measure()?,
            #[cfg(target_os = "linux")]
            "window" => window::measure(options.vs.split(',').any(|name| name == "hexchat"))?,
            name => loads.push(name),
        }
    }
    if loads.is_empty() && !options.scenarios.is_empty() {
        return Ok(true);
    }
    under_load(&loads, options)
}

/// What the programs were built with: `dist`, which is shipped; `release`, which is quick to build; or `debug`.
fn profile() -> String {
    let program = parlor_tests::program();
    let folder = program.parent().and_then(|folder| folder.file_name());
    folder.map_or_else(|| "unknown".into(), |name| name.to_string_lossy().into_owned())
}

#[cfg(not(target_os = "linux"))]
fn under_load(_: &[&str], _: &Options) -> io::Result<bool> {
    Err(io::Error::other("the load generator needs Linux; there is: memory"))
}

#[cfg(target_os = "linux")]
fn under_load(names: &[&str], options: &Options) -> io::Result<bool> {
    use load::{Contestant, Plan, SCENARIOS};

    load::prepare();
    let known = SCENARIOS.map(|(name, ..)| name);
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        return Err(io::Error::other(format!(
            "there is no scenario {name}. There are: {}, memory, cluster, window",
            known.join(", ")
        )));
    }
    let mut plan = Plan {
        peers: Contestant::peers(&options.vs).map_err(io::Error::other)?,
        rounds: options.rounds.max(1),
        spell: Duration::from_millis(options.spell.max(1)),
        hold: Duration::from_secs(options.hold),
        soak: Duration::from_secs(options.soak),
        full: options.full,
        pinned: None,
    };
    if !options.unpinned {
        plan.pin()?;
    }
    let mut whole = true;
    let mut reports = Vec::new();
    for (name, short, measure) in SCENARIOS {
        if names.contains(&name) || (names.is_empty() && short) {
            let report = measure(&plan).unwrap_or_else(|error| {
                let mut report = load::Report::new(name, "failed");
                report.failure("bench", "scenario", error);
                report
            });
            whole &= !report.failed();
            if options.json {
                reports.push(report.json());
            } else {
                println!("{}", report.table());
            }
        }
    }
    if options.json {
        println!("[{}]", reports.join(","));
    }
    Ok(whole)
}
