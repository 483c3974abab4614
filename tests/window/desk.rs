//! A display of its own with one client on it.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use parlor_tests::{Deadline, Scratch, glob, program_named};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt, ImageFormat, InputFocus};

/// How long a window may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A display, and the folder of a person's settings.
pub(crate) struct Desk {
    server: Child,
    display: String,
    config: Scratch,
    settings: String,
    bus: Option<String>,
    no_folder: bool,
    client: Option<Child>,
}

impl Desk {
    /// An empty display of 1100 × 720.
    pub(crate) fn new() -> Desk {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1100x720x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts");
        let mut number = String::new();
        let stdout = server.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut number).expect("Xvfb names its display");
        let display = format!(":{}", number.trim());
        Desk {
            server,
            display,
            config: Scratch::new(),
            settings: String::new(),
            bus: None,
            no_folder: false,
            client: None,
        }
    }

    /// What `DISPLAY` is to be.
    pub(crate) fn display(&self) -> &str {
        &self.display
    }

    /// One line of the settings file.
    pub(crate) fn setting(mut self, key: &str, value: &str) -> Desk {
        self.settings += &format!("{key} = {value}\n");
        self
    }

    /// Gives it a session bus.
    pub(crate) fn bus(mut self, address: &str) -> Desk {
        self.bus = Some(address.into());
        self
    }

    /// There can be no folder for settings.
    pub(crate) fn without_folder(mut self) -> Desk {
        self.no_folder = true;
        self
    }

    /// Where the settings are.
    pub(crate) fn config(&self) -> &Path {
        self.config.path()
    }

    /// Starts the client on it.
    pub(crate) fn client(mut self, args: &[&str]) -> Desk {
        let mut config = self.config.path().to_owned();
        fs::write(config.join("settings.toml"), format!("language = \"en\"\n{}", self.settings))
            .expect("a scratch folder");
        if self.no_folder {
            config.push("settings.toml/in-a-file");
        }
        let mut client = Command::new(program_named("client"));
        match &self.bus {
            Some(address) => client.env("DBUS_SESSION_BUS_ADDRESS", address),
            None => client.env_remove("DBUS_SESSION_BUS_ADDRESS"),
        };
        let child = client
            .args(args)
            .arg("--config")
            .arg(config)
            .env("DISPLAY", &self.display)
            .env_remove("WAYLAND_DISPLAY")
            .spawn()
            .expect("the client starts");
        self.client = Some(child);
        self
    }

    /// Waits until the window has a title like this.
    pub(crate) fn wait_title(&self, pattern: &str) {
        let deadline = Deadline::after(PATIENCE);
        let mut title = String::new();
        while deadline.left().is_some() {
            title = self.title();
            if glob(pattern, &title) {
                return;
            }
            sleep(Duration::from_millis(30));
        }
        self.picture("failed");
        panic!("waited for a window called {pattern}; it is called {title:?}");
    }

    fn title(&self) -> String {
        let names = self.xdotool(&["search", "--onlyvisible", "--name", ".", "getwindowname", "%@"]);
        names.lines().last().unwrap_or_default().to_owned()
    }

    /// Types a line and presses Enter.
    pub(crate) fn types(&self, line: &str) {
        self.focus();
        self.xdotool(&["type", "--delay", "5", line]);
        self.xdotool(&["key", "Return"]);
    }

    /// Types into the field that has the keyboard.
    pub(crate) fn types_without_sending(&self, text: &str) {
        self.focus();
        self.xdotool(&["type", "--delay", "5", text]);
    }

    /// The keyboard goes nowhere, as when another window has it.
    pub(crate) fn look_away(&self) {
        let (x11, _) = x11rb::connect(Some(&self.display)).expect("the display");
        let asked = x11.set_input_focus(InputFocus::NONE, x11rb::NONE, x11rb::CURRENT_TIME);
        asked.expect("the display").check().expect("nothing can have the keyboard");
    }

    /// Waits until the window asks to be looked at.
    pub(crate) fn wait_urgent(&self) {
        let deadline = Deadline::after(PATIENCE);
        while !self.is_urgent() {
            assert!(deadline.left().is_some(), "the window does not ask to be looked at");
            sleep(Duration::from_millis(30));
        }
    }

    /// Whether a window asks to be looked at: ICCCM §4.1.2.4, `WM_HINTS`, `UrgencyHint`.
    pub(crate) fn is_urgent(&self) -> bool {
        const URGENCY_HINT: u32 = 256;
        let (x11, screen) = x11rb::connect(Some(&self.display)).expect("the display");
        let root = x11.setup().roots.get(screen).expect("a screen").root;
        let windows = x11.query_tree(root).expect("the display").reply().expect("the windows").children;
        windows.iter().any(|window| {
            let hints = x11.get_property(false, *window, AtomEnum::WM_HINTS, AtomEnum::WM_HINTS, 0, 9);
            let hints = hints.ok().and_then(|asked| asked.reply().ok());
            let flags = hints.and_then(|hints| hints.value32()?.next());
            flags.is_some_and(|flags| flags & URGENCY_HINT != 0)
        })
    }

    /// Sends the client a signal and waits for its end: the exit code, if it had one.
    pub(crate) fn end(&mut self, signal: &str) -> Option<i32> {
        let client = self.client.as_mut().expect("a client runs");
        // std has no kill(2), and the shell's own is everywhere.
        let kill = format!("kill -{signal} {}", client.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().is_ok_and(|status| status.success()));
        let deadline = Deadline::after(PATIENCE);
        while deadline.left().is_some() {
            if let Some(status) = client.try_wait().expect("a child") {
                return status.code();
            }
            sleep(Duration::from_millis(30));
        }
        panic!("the client does not end");
    }

    /// Presses a key.
    pub(crate) fn key(&self, key: &str) {
        self.focus();
        self.xdotool(&["key", key]);
    }

    /// Presses a key many times.
    pub(crate) fn keys(&self, key: &str, times: usize) {
        self.focus();
        self.xdotool(&["key", "--delay", "8", "--repeat", &times.to_string(), key]);
    }

    /// Presses the mouse.
    pub(crate) fn click(&self, (x, y): (i16, i16)) {
        self.xdotool(&["mousemove", &x.to_string(), &y.to_string(), "click", "1"]);
    }

    /// Copies the marked row of the timeline, and says what was copied.
    pub(crate) fn says_copied(&self) {
        self.key("ctrl+c");
        // The composer.
        self.click((500, 690));
        self.key("ctrl+v");
        self.key("Return");
    }

    /// Does something until a place of the display has a colour (0xRRGGBB).
    pub(crate) fn until_colour(&self, (x, y): (i16, i16), colour: u32, again: impl Fn()) {
        let (x11, screen) = x11rb::connect(Some(&self.display)).expect("the display");
        let root = x11.setup().roots.get(screen).expect("a screen").root;
        let deadline = Deadline::after(PATIENCE);
        let mut seen = Vec::new();
        while deadline.left().is_some() {
            again();
            for _ in 0..20 {
                let image = x11.get_image(ImageFormat::Z_PIXMAP, root, x, y, 1, 1, !0).expect("the display");
                seen = image.reply().expect("a pixel").data;
                // Blue first, on every machine that Xvfb runs on here.
                if seen.iter().take(3).rev().copied().eq(colour.to_be_bytes().into_iter().skip(1)) {
                    return;
                }
                sleep(Duration::from_millis(30));
            }
        }
        self.picture("failed");
        panic!("({x}, {y}) is never {colour:06x}, but {seen:x?}");
    }

    /// Waits until nothing of the composer has changed for 2 s, not even a cursor that blinks; its
    /// colours (0xRRGGBB).
    pub(crate) fn wait_still(&self) -> Vec<u32> {
        let (x11, screen) = x11rb::connect(Some(&self.display)).expect("the display");
        let root = x11.setup().roots.get(screen).expect("a screen").root;
        let deadline = Deadline::after(PATIENCE);
        let (mut seen, mut same) = (Vec::new(), 0);
        while deadline.left().is_some() {
            let image = x11.get_image(ImageFormat::Z_PIXMAP, root, 240, 670, 400, 40, !0);
            let now = image.expect("the display").reply().expect("a picture").data;
            same = if now == seen { same + 1 } else { 0 };
            seen = now;
            if same == 20 {
                let pixel = |bytes: &[u8]| {
                    bytes.iter().take(3).rev().fold(0, |all, byte| all << 8 | u32::from(*byte))
                };
                return seen.chunks(4).map(pixel).collect();
            }
            sleep(Duration::from_millis(100));
        }
        panic!("the composer is never still");
    }

    /// Without a window manager nobody else gives a window the keyboard.
    fn focus(&self) {
        self.xdotool(&["search", "--onlyvisible", "--name", ".", "windowfocus", "--sync"]);
    }

    fn xdotool(&self, args: &[&str]) -> String {
        let output =
            Command::new("xdotool").args(args).env("DISPLAY", &self.display).output().expect("xdotool runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Keeps what the display shows: `PARLOR_ARTIFACTS`, or `target/pictures`.
    pub(crate) fn picture(&self, name: &str) {
        let folder = env::var_os("PARLOR_ARTIFACTS").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/pictures"),
            PathBuf::from,
        );
        fs::create_dir_all(&folder).expect("a folder for pictures");
        let file = folder.join(format!("{name}.png"));
        let taken = Command::new("import")
            .args(["-window", "root"])
            .arg(&file)
            .env("DISPLAY", &self.display)
            .status();
        assert!(taken.is_ok_and(|status| status.success()), "no picture of {}", self.display);
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        for child in self.client.iter_mut().chain([&mut self.server]) {
            // Gone already is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
