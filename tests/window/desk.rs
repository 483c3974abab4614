//! A display of its own with one client on it.

use std::cell::RefCell;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use parlor_tests::{Deadline, Scratch, glob, program_named};
use x11rb::connection::Connection;
use x11rb::properties::{WmSizeHints, WmSizeHintsSpecification};
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt, CreateWindowAux, EventMask, ImageFormat, InputFocus,
    WindowClass,
};
use x11rb::rust_connection::RustConnection;

/// How long a window may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A display, and the folder of a person's settings.
pub(crate) struct Desk {
    server: Child,
    display: String,
    config: Scratch,
    /// Another desk's folder, in the place of its own.
    shared: Option<PathBuf>,
    settings: String,
    bus: Option<String>,
    no_folder: bool,
    variables: Vec<(String, String)>,
    manager: Option<Child>,
    client: Option<Child>,
    /// Programs with other windows.
    others: RefCell<Vec<RustConnection>>,
}

impl Desk {
    /// An empty display of 1100 × 720.
    pub(crate) fn new() -> Desk {
        Desk::sized(1100, 720)
    }

    /// An empty display.
    pub(crate) fn sized(width: u16, height: u16) -> Desk {
        Desk::with(width, height, &[])
    }

    /// The same, with these options.
    pub(crate) fn with(width: u16, height: u16, options: &[&str]) -> Desk {
        let screen = format!("{width}x{height}x24");
        // Without `-noreset` it begins anew when its last program ends, and lets nobody in meanwhile.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-noreset", "-screen", "0", &screen, "-nolisten", "tcp"])
            .args(options)
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
            shared: None,
            settings: String::new(),
            bus: None,
            no_folder: false,
            variables: Vec::new(),
            manager: None,
            client: None,
            others: RefCell::default(),
        }
    }

    /// The folder is another desk's, which must outlive it.
    pub(crate) fn sharing(mut self, other: &Desk) -> Desk {
        self.shared = Some(other.config().to_owned());
        self
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

    /// A variable of the client's environment.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Desk {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Somebody who gives windows title bars, and a place.
    pub(crate) fn window_manager(mut self) -> Desk {
        let mut manager = Command::new("openbox");
        let manager = manager.env("DISPLAY", &self.display).stderr(Stdio::null()).spawn();
        self.manager = Some(manager.expect("openbox starts"));
        let (x11, screen) = x11rb::connect(Some(&self.display)).expect("the display");
        let root = x11.setup().roots.get(screen).expect("a screen").root;
        let deadline = Deadline::after(PATIENCE);
        let sign = x11.intern_atom(false, b"_NET_SUPPORTING_WM_CHECK").expect("the display");
        let sign = sign.reply().expect("an atom").atom;
        while deadline.left().is_some() {
            let sign = x11.get_property(false, root, sign, AtomEnum::WINDOW, 0, 1).expect("the display");
            if sign.reply().is_ok_and(|sign| sign.value_len > 0) {
                return self;
            }
            sleep(Duration::from_millis(30));
        }
        panic!("openbox manages nothing");
    }

    /// The client's process.
    pub(crate) fn process(&self) -> u32 {
        self.client.as_ref().expect("a client runs").id()
    }

    /// Where the settings are.
    pub(crate) fn config(&self) -> &Path {
        self.shared.as_deref().unwrap_or(self.config.path())
    }

    /// Starts the client on it.
    pub(crate) fn client(self, args: &[&str]) -> Desk {
        // Rooms of other tests are none of its business.
        let nearby = if self.settings.contains("nearby") { "" } else { "nearby = false\n" };
        let settings = format!("language = \"en\"\n{nearby}{}", self.settings);
        fs::write(self.config().join("settings.toml"), settings).expect("a scratch folder");
        self.client_again(args)
    }

    /// Starts the client with the settings that are there.
    pub(crate) fn client_again(mut self, args: &[&str]) -> Desk {
        let mut config = self.config().to_owned();
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
            .envs(self.variables.iter().cloned())
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
        panic!(
            "waited for a window called {pattern}; it is called {title:?}; its threads: {}",
            self.threads()
        );
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

    /// The keyboard goes nowhere, as when another window has it; the window knows when this returns.
    pub(crate) fn look_away(&self) {
        let (x11, screen) = x11rb::connect(Some(&self.display)).expect("the display");
        if self.manager.is_none() {
            let asked = x11.set_input_focus(InputFocus::NONE, x11rb::NONE, x11rb::CURRENT_TIME);
            asked.expect("the display").check().expect("nothing can have the keyboard");
        } else {
            // Who manages windows gives the keyboard to one of them, and to a new one.
            let root = x11.setup().roots.get(screen).expect("a screen").root;
            let other = x11.generate_id().expect("an id");
            let (class, more) = (WindowClass::INPUT_OUTPUT, CreateWindowAux::new());
            x11.create_window(0, other, root, 0, 0, 50, 50, 0, class, 0, &more).expect("the display");
            let at = Some((WmSizeHintsSpecification::UserSpecified, 950, 200));
            let hints = WmSizeHints { position: at, ..WmSizeHints::new() };
            hints.set_normal_hints(&x11, other).expect("the display");
            x11.map_window(other).expect("the display").check().expect("a window");
        }
        self.until("a window that nobody looks at", |desk| !desk.has_keyboard());
        self.others.borrow_mut().push(x11);
    }

    /// Whether the composer shows that it has the keyboard: its frame is thicker then.
    fn has_keyboard(&self) -> bool {
        let [x, y, _, height] = self.place();
        // Right of the rooms; the list is as wide in every window that has one.
        let (inside, middle) = (x + 234, y + height - 36);
        let at = |place: i32| i16::try_from(place).unwrap_or_default();
        let pixels = self.pixels((at(inside), at(middle)), 4, 1);
        pixels.iter().any(|pixel| Some(pixel) != pixels.last())
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
        // std has no kill(2), and the shell's own is everywhere.
        let kill = format!("kill -{signal} {}", self.process());
        assert!(Command::new("sh").args(["-c", &kill]).status().is_ok_and(|status| status.success()));
        self.ended()
    }

    /// Waits for the client's end: the exit code, if it had one.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let client = self.client.as_mut().expect("a client runs");
        let deadline = Deadline::after(PATIENCE);
        while deadline.left().is_some() {
            if let Some(status) = client.try_wait().expect("a child") {
                return status.code();
            }
            sleep(Duration::from_millis(30));
        }
        panic!("the client does not end: {}", self.threads());
    }

    /// What each thread of the client waits for, as Linux tells it.
    fn threads(&self) -> String {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process())).into_iter().flatten().flatten();
        let read =
            |task: &Path, name| fs::read_to_string(task.join(name)).unwrap_or_default().trim().to_owned();
        tasks.map(|task| task.path()).fold(String::new(), |all, task| {
            all + &["comm", "wchan", "syscall"].map(|name| read(&task, name)).join(" ") + "; "
        })
    }

    /// Presses a key, or several with spaces between them.
    pub(crate) fn key(&self, key: &str) {
        self.focus();
        let keys: Vec<&str> = key.split(' ').collect();
        self.xdotool(&[&["key"], &keys[..]].concat());
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

    /// Moves the mouse there without pressing it.
    pub(crate) fn point_at(&self, (x, y): (i16, i16)) {
        self.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
    }

    /// Presses the mouse with a button: 1 is left, 3 is right.
    pub(crate) fn press(&self, at: (i16, i16), button: &str, times: &str) {
        self.point_at(at);
        self.xdotool(&["click", "--repeat", times, "--delay", "60", button]);
    }

    /// Clicks with Shift held.
    pub(crate) fn with_shift(&self, at: (i16, i16)) {
        self.point_at(at);
        self.xdotool(&["keydown", "shift", "click", "1", "keyup", "shift"]);
    }

    /// Drags with the left button, and keeps it down.
    pub(crate) fn hold(&self, from: (i16, i16), to: (i16, i16)) {
        let text = |(x, y): (i16, i16)| [x.to_string(), y.to_string()];
        let between = ((from.0 + to.0) / 2, (from.1 + to.1) / 2);
        let ([x, y], [mid_x, mid_y], [to_x, to_y]) = (text(from), text(between), text(to));
        let press = ["mousemove", &x, &y, "mousedown", "1", "mousemove", &mid_x, &mid_y];
        self.xdotool(&[&press[..], &["sleep", "0.05", "mousemove", &to_x, &to_y, "sleep", "0.1"]].concat());
    }

    /// The left button comes up.
    pub(crate) fn let_go(&self) {
        self.xdotool(&["mouseup", "1"]);
    }

    /// Drags with the left button, as slowly as a hand.
    pub(crate) fn drag(&self, from: (i16, i16), to: (i16, i16)) {
        self.hold(from, to);
        self.let_go();
    }

    /// Where the window is without its title bar, in pixels of the display: left, top, width and height.
    pub(crate) fn place(&self) -> [i32; 4] {
        let found = self.xdotool(&["search", "--onlyvisible", "--name", "."]);
        let Some(window) = found.lines().last().and_then(|id| id.parse().ok()) else { return [0; 4] };
        let (x11, screen) = x11rb::connect(Some(&self.display)).expect("the display");
        let root = x11.setup().roots.get(screen).expect("a screen").root;
        let size = x11.get_geometry(window).expect("the display").reply();
        let at = x11.translate_coordinates(window, root, 0, 0).expect("the display").reply();
        // It may be gone meanwhile.
        let (Ok(size), Ok(at)) = (size, at) else { return [0; 4] };
        [at.dst_x.into(), at.dst_y.into(), size.width.into(), size.height.into()]
    }

    /// Moves the window, and makes it larger or smaller.
    pub(crate) fn arrange(&self, [x, y, width, height]: [i32; 4]) {
        let text = |number: i32| number.to_string();
        let window = ["search", "--onlyvisible", "--name", "."];
        self.xdotool(&[&window[..], &["windowsize", "--sync", &text(width), &text(height)]].concat());
        self.xdotool(&[&window[..], &["windowmove", "--sync", &text(x), &text(y)]].concat());
    }

    /// Asks the window manager to let the window fill the screen, or not (EWMH: 1 adds, 0 removes).
    pub(crate) fn maximise(&self, fills: bool) {
        self.ask_manager("_NET_WM_STATE", |atom| {
            let (across, down) = (atom("_NET_WM_STATE_MAXIMIZED_HORZ"), atom("_NET_WM_STATE_MAXIMIZED_VERT"));
            [u32::from(fills), across, down, 1, 0]
        });
    }

    /// Asks it to close the window, as the button in its title bar does.
    pub(crate) fn close(&self) {
        self.ask_manager("_NET_CLOSE_WINDOW", |_| [0; 5]);
    }

    /// Whether the window is there to be seen.
    pub(crate) fn is_shown(&self) -> bool {
        self.place() != [0; 4]
    }

    /// A client message about the window (EWMH).
    fn ask_manager(&self, message: &str, data: impl FnOnce(&dyn Fn(&str) -> u32) -> [u32; 5]) {
        let found = self.xdotool(&["search", "--onlyvisible", "--name", "."]);
        let window = found.lines().last().and_then(|id| id.parse().ok()).expect("a window");
        let (x11, screen) = x11rb::connect(Some(&self.display)).expect("the display");
        let root = x11.setup().roots.get(screen).expect("a screen").root;
        let atom = |name: &str| {
            x11.intern_atom(false, name.as_bytes()).expect("the display").reply().expect("an atom").atom
        };
        let event = ClientMessageEvent::new(32, window, atom(message), data(&atom));
        let to = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        x11.send_event(false, root, to, event).expect("the display").check().expect("it is sent");
    }

    /// Waits until something holds.
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Desk) -> bool) {
        let deadline = Deadline::after(PATIENCE);
        while !holds(self) {
            if deadline.left().is_none() {
                self.picture("failed");
                panic!("waited for {what}; the window is at {:?}", self.place());
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// The pixels of a part of the display (0xRRGGBB).
    pub(crate) fn pixels(&self, (x, y): (i16, i16), width: u16, height: u16) -> Vec<u32> {
        let (x11, screen) = x11rb::connect(Some(&self.display)).expect("the display");
        let root = x11.setup().roots.get(screen).expect("a screen").root;
        let image = x11.get_image(ImageFormat::Z_PIXMAP, root, x, y, width, height, !0);
        let data = image.expect("the display").reply().expect("a picture").data;
        let pixel =
            |bytes: &[u8]| bytes.iter().take(3).rev().fold(0, |all, byte| all << 8 | u32::from(*byte));
        data.chunks(4).map(pixel).collect()
    }

    /// Presses a key, or several, until the clipboard has a text like this.
    pub(crate) fn copies(&self, key: &str, pattern: &str) -> String {
        let deadline = Deadline::after(PATIENCE);
        let mut text = String::new();
        while deadline.left().is_some() {
            self.key(key);
            text = self.clipboard();
            if glob(pattern, &text) {
                return text;
            }
            sleep(Duration::from_millis(50));
        }
        self.picture("failed");
        panic!("{key} copies {text:?}, not {pattern:?}");
    }

    /// The text of the clipboard (ICCCM §2.4); empty if there is none.
    fn clipboard(&self) -> String {
        let (x11, screen) = x11rb::connect(Some(&self.display)).expect("the display");
        let own = window_of_ones_own(&x11, screen);
        let atom =
            |name: &[u8]| x11.intern_atom(false, name).expect("the display").reply().expect("an atom").atom;
        let (clipboard, text) = (atom(b"CLIPBOARD"), atom(b"UTF8_STRING"));
        x11.convert_selection(own, clipboard, text, text, x11rb::CURRENT_TIME).expect("the display");
        x11.flush().expect("the display");
        let deadline = Deadline::after(PATIENCE);
        while deadline.left().is_some() {
            if let Some(Event::SelectionNotify(told)) = x11.poll_for_event().expect("the display") {
                if told.property == x11rb::NONE {
                    return String::new();
                }
                let value = x11.get_property(true, own, text, AtomEnum::ANY, 0, u32::MAX / 4);
                let value = value.expect("the display").reply().expect("a text").value;
                return String::from_utf8(value).expect("UTF-8");
            }
            sleep(Duration::from_millis(10));
        }
        panic!("the clipboard does not answer");
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

    /// Gives the window the keyboard, which without a window manager nobody else does. One that gets it asks the display
    /// which keys are down, and that must be over before the next ones are: it has painted that it has the keyboard then.
    fn focus(&self) {
        let found = self.xdotool(&["search", "--onlyvisible", "--name", "."]);
        if found.lines().last() == self.xdotool(&["getwindowfocus"]).lines().last() {
            return;
        }
        let (x11, screen) = x11rb::connect(Some(&self.display)).expect("the display");
        let screen = x11.setup().roots.get(screen).expect("a screen");
        let all = || self.pixels((0, 0), screen.width_in_pixels, screen.height_in_pixels);
        let (before, deadline) = (all(), Deadline::after(Duration::from_secs(3)));
        self.xdotool(&["search", "--onlyvisible", "--name", ".", "windowfocus", "--sync"]);
        let (mut last, mut same) = (before.clone(), 0);
        while deadline.left().is_some() && (last == before || same < 3) {
            sleep(Duration::from_millis(50));
            let now = all();
            same = if now == last { same + 1 } else { 0 };
            last = now;
        }
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
        for child in self.client.iter_mut().chain(&mut self.manager).chain([&mut self.server]) {
            // Gone already is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A window that nobody sees, to own a selection or to ask for one.
pub(crate) fn window_of_ones_own(x11: &RustConnection, screen: usize) -> u32 {
    let root = x11.setup().roots.get(screen).expect("a screen").root;
    let own = x11.generate_id().expect("an id");
    let (class, more) = (WindowClass::INPUT_ONLY, CreateWindowAux::new());
    let made = x11.create_window(0, own, root, 0, 0, 1, 1, 0, class, 0, &more);
    made.expect("the display").check().expect("a window");
    own
}
