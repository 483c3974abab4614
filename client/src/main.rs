//! The program `client`: options and the window. Everything else is the library.
#![forbid(unsafe_code)]
// No terminal stands behind a window that was opened by a double-click. What --help prints is read through a pipe then
// (`client --help | more`): to print into the terminal that it was started from takes unsafe code.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::exit;

use argh::FromArgs;
use async_channel::Receiver;
use parlor_client::bridge::{Arguments, Bridge, Opener, end};
use parlor_client::folder::Folder;
use parlor_client::platform::{self, NotPasted};
use parlor_client::{doorbell, fonts};
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
    /// where to go: an address, several with commas between them where servers share their rooms, or
    /// irc://host:port/room, which goes to a window that runs already unless a name is given
    #[argh(positional, arg_name = "address")]
    address: Option<String>,

    /// the name to go by
    #[argh(option)]
    name: Option<String>,

    /// open the page for hosting a room
    #[argh(switch)]
    host: bool,

    /// start without a window, in the desktop's tray; where there is none, with one
    #[argh(switch)]
    tray: bool,

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
    let link = options.address.as_deref().filter(|link| doorbell::is_link(link));
    let (folder, no_folder) = match Folder::open(options.config) {
        Ok(folder) => (folder, None),
        Err(error) => (Folder::nowhere(), Some(error)),
    };
    // What a click on a link starts; who wants another window gives a name, or no link.
    let alone = options.name.is_some() || options.host || options.tray;
    if let (Some(link), Some(folder)) = (link.filter(|_| !alone), folder.path())
        && doorbell::ring(folder, link)
    {
        return;
    }
    if !fonts::any() {
        fail(
            NO_WINDOW,
            "There are no fonts on this computer, so a window would be empty. Install some: on Debian, apt install fonts-dejavu-core.",
        );
    }
    let opener = Opener::default();
    let (window, clipboard) = open_window(&opener);
    fonts::add_emoji();
    // Without a desktop there is no such id, and no harm in that.
    let _ = slint::set_xdg_app_id("org.parlor.Parlor");
    let bridge = Bridge::new(&window, folder);
    no_folder.iter().for_each(|error| bridge.keeps_nothing(error));
    bridge.obey(Arguments { address: options.address, name: options.name, host: options.host });
    bridge.look_around();
    bridge.take_links();
    bridge.close_on_signals(&window);
    bridge.open_with(&opener);
    bridge.watch_clipboard(clipboard);
    let ran = if options.tray {
        bridge.start_in_tray();
        slint::run_event_loop()
    } else {
        window.run()
    };
    bridge.finish();
    if let Err(error) = ran {
        no_window(&error.to_string());
    }
    end(0);
}

/// The window, and word of a clipboard that is not to be had. What is below Slint panics where a
/// display lacks something.
fn open_window(opener: &Opener) -> (App, Receiver<NotPasted>) {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let opened = panic::catch_unwind(AssertUnwindSafe(|| {
        let clipboard = platform::install(opener.clone())?;
        Ok::<_, slint::PlatformError>((App::new()?, clipboard))
    }));
    panic::set_hook(hook);
    match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => no_window(&error.to_string()),
        Err(panic) => no_window(panic.downcast_ref::<String>().map_or("", String::as_str)),
    }
}

fn no_window(detail: &str) -> ! {
    if detail.to_lowercase().contains("randr") {
        fail(
            NO_WINDOW,
            "No window can be opened: the display (DISPLAY) lacks the extension RANDR. Start it with that.",
        );
    }
    let detail = detail.replace('\n', " ");
    fail(
        NO_WINDOW,
        &format!("No window can be opened. Is there a display (DISPLAY, WAYLAND_DISPLAY)? {detail}"),
    )
}

fn options() -> Options {
    let args: Vec<String> = std::env::args_os()
        .map(|arg| arg.into_string().unwrap_or_else(|arg| fail(USAGE, &format!("{arg:?} is not UTF-8."))))
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (name, args) = args.split_first().map_or(("client", &[][..]), |(name, args)| (*name, args));
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    Options::from_args(&[name], args).unwrap_or_else(|early| match early.status {
        Ok(()) => {
            print!("{}", early.output);
            exit(0)
        }
        Err(()) => fail(USAGE, &format!("{}\nclient --help lists the options.", early.output.trim_end())),
    })
}

fn fail(code: i32, sentence: &str) -> ! {
    eprintln!("client: {sentence}");
    end(code)
}
