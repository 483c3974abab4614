//! The program `client`: options and the window. Everything else is the library.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::exit;

use argh::FromArgs;
use parlor_client::bridge::{Arguments, Bridge, Opener};
use parlor_client::fonts;
use parlor_client::settings::Folder;
use parlor_ui::App;
use parlor_ui::slint::{self, ComponentHandle};

/// Wrong options (sysexits EX_USAGE).
const USAGE: i32 = 64;
/// No window can be opened: no display, or no fonts (sysexits EX_UNAVAILABLE).
const NO_WINDOW: i32 = 69;

/// A chat window. Without options it is what a double-click opens.
#[derive(FromArgs)]
#[argh(help_triggers("-h", "--help"))]
struct Options {
    /// where to go: an address, or irc://host:port/room
    #[argh(positional, arg_name = "address")]
    address: Option<String>,

    /// the name to go by
    #[argh(option)]
    name: Option<String>,

    /// open the page for hosting a room
    #[argh(switch)]
    host: bool,

    /// folder for settings and drafts (default: the platform's)
    #[argh(option, arg_name = "dir")]
    config: Option<PathBuf>,

    /// print the version
    #[argh(switch, short = 'V')]
    version: bool,
}

fn main() {
    let options = options();
    if options.version {
        println!("parlor client {}", env!("CARGO_PKG_VERSION"));
        return;
    }
    let (folder, no_folder) = match Folder::open(options.config) {
        Ok(folder) => (folder, None),
        Err(error) => (Folder::nowhere(), Some(error)),
    };
    if !fonts::any() {
        fail(
            NO_WINDOW,
            "There are no fonts on this computer, so a window would be empty. Install some: on Debian, apt install fonts-dejavu-core.",
        );
    }
    let opener = Opener::select().unwrap_or_else(|error| no_window(&error));
    let window = App::new().unwrap_or_else(|error| no_window(&error));
    fonts::add_emoji();
    // Without a desktop there is no such id, and no harm in that.
    let _ = slint::set_xdg_app_id("org.parlor.Parlor");
    let bridge = Bridge::new(&window, folder);
    no_folder.iter().for_each(|error| bridge.keeps_nothing(error));
    bridge.obey(Arguments { address: options.address, name: options.name, host: options.host });
    bridge.close_on_signals(&window);
    bridge.open_with(&opener);
    let ran = window.run();
    bridge.finish();
    if let Err(error) = ran {
        no_window(&error);
    }
}

fn no_window(error: &slint::PlatformError) -> ! {
    let detail = error.to_string().replace('\n', " ");
    fail(
        NO_WINDOW,
        &format!("No window can be opened. Is there a display (DISPLAY, WAYLAND_DISPLAY)? {detail}"),
    )
}

fn options() -> Options {
    let args: Vec<String> = std::env::args_os()
        .map(|arg| arg.into_string().unwrap_or_else(|arg| fail(USAGE, &format!("{arg:?} is not UTF-8."))))
        .collect();
    let args: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    Options::from_args(&["client"], &args).unwrap_or_else(|early| match early.status {
        Ok(()) => {
            print!("{}", early.output);
            exit(0)
        }
        Err(()) => fail(USAGE, &format!("{}\nclient --help lists the options.", early.output.trim_end())),
    })
}

fn fail(code: i32, sentence: &str) -> ! {
    eprintln!("client: {sentence}");
    exit(code)
}
