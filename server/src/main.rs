//! The program `server`: options, log, signals, exit codes. Everything else is the library.
#![forbid(unsafe_code)]

use std::io::{BufWriter, stdout};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::exit;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_lite::StreamExt;
use log::LevelFilter;
use parlor_server::export::export;
use parlor_server::protocol::time::UnixMillis;
use parlor_server::{Ended, Given, HAS_TLS, Handle, NoOptions, Options, Server, console, logger};

/// Wrong options (sysexits EX_USAGE).
const USAGE: i32 = 64;
/// A failure inside the hub (EX_SOFTWARE).
const SOFTWARE: i32 = 70;

fn main() {
    let given = given();
    let options = &given.options;
    if options.version {
        let tls = if HAS_TLS { "with" } else { "without" };
        println!("parlor server {} {tls} TLS", env!("CARGO_PKG_VERSION"));
        return;
    }
    logger::start(match (options.quiet, options.verbose) {
        (true, _) => LevelFilter::Warn,
        (_, true) => LevelFilter::Debug,
        _ => LevelFilter::Info,
    });
    if options.export.is_some() { write_export(given.options) } else { serve(given) }
}

fn given() -> Given {
    let args: Vec<String> = std::env::args_os()
        .map(|arg| arg.into_string().unwrap_or_else(|arg| fail(USAGE, &format!("{arg:?} is not UTF-8."))))
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (name, args) = args.split_first().map_or(("server", &[][..]), |(name, args)| (*name, args));
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    Given::read(name, args).unwrap_or_else(|none| match none {
        NoOptions::Help(text) => {
            print!("{text}");
            exit(0)
        }
        NoOptions::Wrong(sentence) => fail(USAGE, &format!("{sentence}\nserver --help lists the options.")),
        NoOptions::File(error) => fail(error.exit_code(), &error.to_string()),
    })
}

fn serve(given: Given) {
    let mut config =
        given.options.clone().config().unwrap_or_else(|error| fail(error.exit_code(), &error.to_string()));
    config.hub.narrate = console::has_viewer();
    let mut server = Server::bind(config).unwrap_or_else(|error| fail(error.exit_code(), &error.to_string()));
    // Before anybody is told that it listens: from then on it must end well.
    let reloads = server.reload_from(given);
    let stopped = stopped(reloads.then(|| server.handle()));
    console::announce(&server.addresses());
    let ran = catch_unwind(AssertUnwindSafe(|| server.run(console::start(), stopped)));
    log::logger().flush();
    // Not `return`: the thread that reads standard input cannot be woken.
    exit(if let Ok(Ended::Asked) = ran { 0 } else { SOFTWARE });
}

/// Writes the history of a stopped server to standard output.
fn write_export(mut options: Options) {
    let (since, format) = (options.since.take(), options.format.take().unwrap_or_default());
    let room = options.export.clone().unwrap_or_default();
    let config = options.config().unwrap_or_else(|error| fail(error.exit_code(), &error.to_string()));
    let Some(history) = config.history else { return };
    let now = now();
    let since = since.map_or(UnixMillis(0), |since| since.from(now));
    let mut out = BufWriter::new(stdout().lock());
    let progress = |sentence| eprintln!("server: {sentence}");
    match export(&history, &room, (since, now), format, &mut out, progress) {
        Ok(0) => eprintln!("server: nothing is kept of {room} in {}.", history.folder.display()),
        Ok(records) => eprintln!("server: {records} records of {room}."),
        Err(error) => fail(error.exit_code(), &error.to_string()),
    }
}

#[expect(clippy::disallowed_methods, reason = "an export may begin at a time before now")]
fn now() -> UnixMillis {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(since_1970.as_millis() as u64)
}

/// Until the system or the terminal asks the server to stop; listens for that from the call on. SIGHUP has files
/// read again instead, by this server, if there are some, and no terminal that may have hung up.
fn stopped(reloads: Option<Handle>) -> impl Future<Output = ()> {
    use async_signal::{Signal, Signals};
    // A limit on the size of files ends a program that does not listen for it; the history pauses.
    let always = [Signal::Int, Signal::Term, Signal::Xfsz].into_iter();
    let reloads = reloads.filter(|_| !has_terminal());
    let hangup = reloads.is_some() || !survives_hangup();
    // Windows has only Ctrl-C, and asked for more it gives none.
    let known = |signal: &Signal| cfg!(unix) || matches!(signal, Signal::Int);
    let signals = Signals::new(always.chain(hangup.then_some(Signal::Hup)).filter(known));
    async move {
        match signals {
            Ok(mut signals) => loop {
                match (signals.next().await, &reloads) {
                    (Some(Ok(Signal::Xfsz)), _) => {}
                    (Some(Ok(Signal::Hup)), Some(server)) => server.reload().await,
                    _ => return,
                }
            },
            Err(error) => {
                log::warn!("signals are not available ({error}); use /stop");
                std::future::pending().await
            }
        }
    }
}

/// Whether the process has a controlling terminal (tty(4)).
fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

/// Whether whoever started the server wants it to outlive its terminal, as `nohup` does: then SIGHUP
/// is ignored already (proc(5), `SigIgn`; where there is no such file: no).
fn survives_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 != 0)
}

fn fail(code: i32, sentence: &str) -> ! {
    log::logger().flush();
    eprintln!("server: {sentence}");
    exit(code)
}
