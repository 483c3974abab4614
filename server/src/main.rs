//! The program `server`: options, log, signals, exit codes. Everything else is the library.
#![forbid(unsafe_code)]

use std::io::Write;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::exit;

use argh::FromArgs;
use futures_lite::StreamExt;
use log::LevelFilter;
use parlor_server::hub::Settings;
use parlor_server::protocol::RoomName;
use parlor_server::protocol::name::{MAX_SERVER_NAME, is_server_name};
use parlor_server::{Config, Server, addresses_for_others, console, logger};

/// Wrong options (sysexits EX_USAGE).
const USAGE: i32 = 64;
/// A failure inside the hub (EX_SOFTWARE).
const SOFTWARE: i32 = 70;

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

    /// folder for the history (kept in a later version)
    #[argh(option, arg_name = "dir")]
    data: Option<PathBuf>,

    /// keep no history
    #[argh(switch)]
    no_history: bool,

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
    if options.data.is_some() && !options.no_history {
        log::warn!("--data is accepted, but this version keeps no history yet");
    }
    let config = config(options).unwrap_or_else(|sentence| fail(USAGE, &sentence));
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
    Ok(Config {
        bind: if options.bind.is_empty() { defaults.bind } else { options.bind },
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
    let signals = Signals::new([Signal::Int, Signal::Term]);
    async move {
        match signals {
            Ok(mut signals) => drop(signals.next().await),
            Err(error) => {
                log::warn!("signals are not available ({error}); use /stop");
                std::future::pending().await
            }
        }
    }
}

fn fail(code: i32, sentence: &str) -> ! {
    log::logger().flush();
    eprintln!("server: {sentence}");
    exit(code)
}
