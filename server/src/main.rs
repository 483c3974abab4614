//! The program `server`: options, log, signals, exit codes. Everything else is the library.
#![forbid(unsafe_code)]

use std::io::{ErrorKind, Write};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::exit;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use argh::FromArgs;
use futures_lite::StreamExt;
use log::LevelFilter;
use parlor_server::export::{self, ExportError, Format};
use parlor_server::hub::Settings;
use parlor_server::protocol::RoomName;
use parlor_server::protocol::name::{MAX_SERVER_NAME, is_server_name};
use parlor_server::protocol::time::UnixMillis;
use parlor_server::{Config, Keep, Server, addresses_for_others, console, data_folder, logger, quantity};

/// Wrong options (sysexits EX_USAGE).
const USAGE: i32 = 64;
/// The history is damaged (EX_DATAERR).
const DAMAGED: i32 = 65;
/// The room to be exported is not there (EX_NOINPUT).
const NO_INPUT: i32 = 66;
/// The export cannot be written (EX_IOERR).
const OUTPUT: i32 = 74;
/// A failure inside the hub (EX_SOFTWARE).
const SOFTWARE: i32 = 70;

/// Rooms that are named where another one was looked for.
const MAX_NAMED: usize = 20;

/// A chat room that IRC programs, nc and toy clients share.
#[derive(FromArgs)]
#[argh(help_triggers("-h", "--help"))]
struct Options {
    /// address and port to listen on, may be repeated (default 127.0.0.1:49806; port 0 takes
    /// a free one)
    #[argh(option, arg_name = "addr:port")]
    bind: Vec<String>,

    /// address and port for toy clients that know no line ends, may be repeated
    #[argh(option, arg_name = "addr:port")]
    plain_bind: Vec<String>,

    /// what toy clients are asked with (default NICK)
    #[argh(option, arg_name = "word")]
    plain_prompt: Option<String>,

    /// only IRC programs may talk, no people at terminals (nc)
    #[argh(switch)]
    no_plain: bool,

    /// the server's name (default parlor.local)
    #[argh(option)]
    name: Option<String>,

    /// file with the message of the day
    #[argh(option, arg_name = "file")]
    motd: Option<PathBuf>,

    /// the room that always exists (default #lobby)
    #[argh(option, arg_name = "room")]
    default_room: Option<String>,

    /// connections at a time (default 10000, or what the system allows)
    #[argh(option, arg_name = "n")]
    max_clients: Option<usize>,

    /// connections from one address (default 64 from near ones, 16 from others)
    #[argh(option, arg_name = "n")]
    max_clients_per_ip: Option<usize>,

    /// lines a second from one connection after a burst of 20, or off (default 5)
    #[argh(option, arg_name = "rate")]
    flood: Option<String>,

    /// folder for the history (default one for the first address, in the user's folder for state)
    #[argh(option, arg_name = "dir")]
    data: Option<PathBuf>,

    /// remember the last 200 lines of each room, in memory only
    #[argh(switch)]
    no_history: bool,

    /// how long lines are kept: 12h, 30d, 2y (default: as long as there is room)
    #[argh(option, arg_name = "time")]
    keep: Option<String>,

    /// lines that are kept of each room (default: no limit)
    #[argh(option, arg_name = "n")]
    keep_lines: Option<u64>,

    /// bytes that are kept of each room: 512K, 20M, 1G (default 256M)
    #[argh(option, arg_name = "bytes")]
    keep_bytes: Option<String>,

    /// compact the history of a stopped server, and end
    #[argh(switch)]
    compact: bool,

    /// write a room's history to standard output while the server is stopped, and end
    #[argh(option, arg_name = "room")]
    export: Option<String>,

    /// from when on to export: 2026-11-20, 2026-11-20T09:12:00Z, or 30d for the last 30 days
    #[argh(option, arg_name = "time")]
    since: Option<String>,

    /// how to export: text (default) or jsonl
    #[argh(option, arg_name = "format")]
    format: Option<String>,

    /// file with the key for OPER, made if absent
    #[argh(option, arg_name = "file")]
    oper_file: Option<PathBuf>,

    /// log warnings only
    #[argh(switch, short = 'q')]
    quiet: bool,

    /// log more
    #[argh(switch, short = 'v')]
    verbose: bool,

    /// print the version
    #[argh(switch, short = 'V')]
    version: bool,
}

fn main() {
    let options = options();
    if options.version {
        println!("parlor server {}", env!("CARGO_PKG_VERSION"));
        return;
    }
    logger::start(match (options.quiet, options.verbose) {
        (true, _) => LevelFilter::Warn,
        (_, true) => LevelFilter::Debug,
        _ => LevelFilter::Info,
    });
    let work = work(&options).unwrap_or_else(|sentence| fail(USAGE, &sentence));
    let config = config(options).unwrap_or_else(|sentence| fail(USAGE, &sentence));
    if let Some(work) = work {
        return stopped_work(&config, work);
    }
    let server = Server::bind(config).unwrap_or_else(|error| fail(error.exit_code(), &error.to_string()));
    // Before anybody is told that it listens: from then on it must end well.
    let stopped = stopped();
    announce(&server);
    let ran = catch_unwind(AssertUnwindSafe(|| server.run(console::start(), stopped)));
    log::logger().flush();
    // Not `return`: the thread that reads standard input cannot be woken.
    exit(if ran.is_ok() { 0 } else { SOFTWARE });
}

fn options() -> Options {
    let args: Vec<String> = std::env::args_os()
        .map(|arg| arg.into_string().unwrap_or_else(|arg| fail(USAGE, &format!("{arg:?} is not UTF-8."))))
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (name, args) = args.split_first().map_or(("server", &[][..]), |(name, args)| (*name, args));
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    Options::from_args(&[name], args).unwrap_or_else(|early| match early.status {
        Ok(()) => {
            print!("{}", early.output);
            exit(0)
        }
        Err(()) => fail(USAGE, &format!("{}\nserver --help lists the options.", early.output.trim_end())),
    })
}

fn config(options: Options) -> Result<Config, String> {
    let defaults = Config::default();
    let name = options.name.unwrap_or(defaults.hub.name);
    if !is_server_name(&name) {
        return Err(format!(
            "--name {name:?}: a server's name looks like chat.example, letters, digits, hyphens and dots, {MAX_SERVER_NAME} bytes at most."
        ));
    }
    let default_room = match options.default_room {
        Some(room) => RoomName::parse(&room).map_err(|error| format!("--default-room {room:?}: {error}."))?,
        None => defaults.hub.default_room,
    };
    let flood = match options.flood.as_deref() {
        None => defaults.flood,
        Some("off") => None,
        Some(rate) => {
            let rate: Option<NonZeroU32> = rate.parse().ok();
            Some(rate.ok_or("--flood takes a whole number of lines a second above 0, or off.")?)
        }
    };
    if options.max_clients == Some(0) || options.max_clients_per_ip == Some(0) {
        return Err("--max-clients and --max-clients-per-ip take whole numbers above 0.".into());
    }
    let plain_prompt = options.plain_prompt.unwrap_or(defaults.plain_prompt);
    if plain_prompt.is_empty() || plain_prompt.len() > 64 {
        return Err("--plain-prompt takes a word of 1 to 64 bytes.".into());
    }
    let bind = if options.bind.is_empty() { defaults.bind } else { options.bind };
    let history = match (options.no_history, options.data) {
        (true, _) => None,
        (false, Some(folder)) => Some(Keep::new(folder)),
        (false, None) => Some(Keep::new(
            bind.first()
                .and_then(|bind| data_folder(bind))
                .ok_or("This user has no home for the history. Give --data DIR, or --no-history.")?,
        )),
    };
    // What is not limited by the options is all exported, however much the server would keep.
    let history =
        history.map(|keep| if options.export.is_some() { Keep { bytes: None, ..keep } } else { keep });
    let history = history
        .map(|keep| kept(keep, options.keep.as_deref(), options.keep_lines, options.keep_bytes.as_deref()))
        .transpose()?;
    Ok(Config {
        bind,
        history,
        plain_bind: options.plain_bind,
        plain: !options.no_plain,
        plain_prompt,
        motd: options.motd,
        oper_file: options.oper_file,
        max_clients: options.max_clients,
        flood,
        hub: Settings {
            name,
            default_room,
            max_clients_per_ip: options.max_clients_per_ip,
            narrate: console::has_viewer(),
            ..defaults.hub
        },
        ..defaults
    })
}

/// How much is kept.
fn kept(keep: Keep, age: Option<&str>, lines: Option<u64>, bytes: Option<&str>) -> Result<Keep, String> {
    let age = match age {
        Some(age) => Some(quantity::duration(age).ok_or("--keep takes a time: 12h, 30d, 2y.")?),
        None => keep.age,
    };
    let bytes = match bytes {
        Some(bytes) => Some(quantity::bytes(bytes).ok_or("--keep-bytes takes bytes: 512K, 20M, 1G.")?),
        None => keep.bytes,
    };
    if lines == Some(0) {
        return Err("--keep-lines takes a whole number above 0; --no-history keeps nothing on disk.".into());
    }
    Ok(Keep { age, bytes, lines: lines.or(keep.lines), ..keep })
}

/// What can be done with the history of a stopped server.
enum Work {
    Compact,
    Export { room: String, since: UnixMillis, format: Format },
}

fn work(options: &Options) -> Result<Option<Work>, String> {
    let history = !options.no_history;
    match (&options.export, options.compact) {
        (Some(_), true) => Err("--export and --compact are done one after the other.".into()),
        (Some(_), _) | (_, true) if !history => Err("There is no history with --no-history.".into()),
        (None, _) if options.since.is_some() || options.format.is_some() => {
            Err("--since and --format belong to --export ROOM.".into())
        }
        (None, true) => Ok(Some(Work::Compact)),
        (None, false) => Ok(None),
        (Some(room), false) => {
            let since = match &options.since {
                Some(text) => quantity::moment(text, now())
                    .ok_or("--since takes 2026-11-20, 2026-11-20T09:12:00Z or a span like 30d.")?,
                None => UnixMillis(0),
            };
            let format = match options.format.as_deref() {
                None | Some("text") => Format::Text,
                Some("jsonl") => Format::Jsonl,
                Some(other) => return Err(format!("--format {other:?}: there are text and jsonl.")),
            };
            Ok(Some(Work::Export { room: room.clone(), since, format }))
        }
    }
}

/// Exports or compacts, and says how it went.
fn stopped_work(config: &Config, work: Work) {
    let Some(keep) = &config.history else { return };
    match work {
        Work::Compact => match export::compact(keep, now()) {
            Ok((before, after)) => eprintln!("server: the history had {before} bytes and has {after} now."),
            Err(error) => fail(error.exit_code(), &error.to_string()),
        },
        Work::Export { room, since, format } => {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            let progress = |sentence| eprintln!("server: {sentence}");
            match export::export(keep, &room, (since, now()), format, &mut out, progress) {
                Ok(0) => eprintln!("server: nothing is kept of {room} in {}.", keep.folder.display()),
                Ok(records) => eprintln!("server: {records} records of {room}."),
                Err(ExportError::History(error)) => fail(error.exit_code(), &error.to_string()),
                Err(ExportError::NoSuchRoom(rooms)) => {
                    let folder = keep.folder.display();
                    fail(NO_INPUT, &format!("There is no room {room} in {folder}; there {}.", are(&rooms)))
                }
                Err(ExportError::Damaged(records)) => fail(
                    DAMAGED,
                    &format!(
                        "{records} records of {room} can be read; those that are damaged were left out."
                    ),
                ),
                // Whoever read it has read enough.
                Err(ExportError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => {}
                Err(ExportError::Output(error)) => {
                    fail(OUTPUT, &format!("Cannot write the export: {error}."))
                }
            }
        }
    }
}

/// Names of rooms, as the end of a sentence.
fn are(rooms: &[Arc<str>]) -> String {
    let named = rooms.get(..MAX_NAMED).unwrap_or(rooms);
    let rest = match rooms.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match named {
        [] => "are none".into(),
        [room] => format!("is {room}"),
        rooms => format!("are {}{rest}", rooms.join(", ")),
    }
}

#[expect(clippy::disallowed_methods, reason = "options may count back from now")]
fn now() -> UnixMillis {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(since_1970.as_millis() as u64)
}

/// One line a listener with the exact address, and what others can type.
fn announce(server: &Server) {
    let mut out = std::io::stdout().lock();
    for (address, toy) in server.addresses() {
        let purpose = if toy { " for plain chunks" } else { "" };
        // Nobody may be reading: that is no reason not to run.
        let _ = writeln!(out, "Listening on {address}{purpose}");
        for (address, interface) in addresses_for_others(address) {
            let _ = writeln!(out, "  others can type {address} ({interface})");
        }
    }
    let _ = out.flush();
}

/// Until the system or the terminal asks the server to stop; listens for that from the call on.
fn stopped() -> impl Future<Output = ()> {
    use async_signal::{Signal, Signals};
    // A limit on the size of files ends a program that does not listen for it; the history pauses.
    let always = [Signal::Int, Signal::Term, Signal::Xfsz].into_iter();
    let signals = Signals::new(always.chain((!survives_hangup()).then_some(Signal::Hup)));
    async move {
        match signals {
            Ok(mut signals) => while matches!(signals.next().await, Some(Ok(Signal::Xfsz))) {},
            Err(error) => {
                log::warn!("signals are not available ({error}); use /stop");
                std::future::pending().await
            }
        }
    }
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
