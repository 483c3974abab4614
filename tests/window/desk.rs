//! A display of its own with one client on it.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use parlor_tests::{Deadline, Scratch, glob, program_named};

/// How long a window may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What to install, if something is missing.
pub(crate) fn missing() -> Option<&'static str> {
    let there = |name: &str| {
        env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|dir| dir.join(name).is_file())
    };
    let all = ["Xvfb", "xdotool", "import"].into_iter().all(there);
    (!all).then_some("apt install xvfb xdotool imagemagick fonts-dejavu-core fonts-noto-cjk")
}

/// A display, and the folder of a person's settings.
pub(crate) struct Desk {
    server: Child,
    display: String,
    config: Scratch,
    settings: String,
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
        Desk { server, display, config: Scratch::new(), settings: String::new(), client: None }
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

    /// Starts the client on it.
    pub(crate) fn client(mut self, args: &[&str]) -> Desk {
        let config = self.config.path().to_owned();
        fs::write(config.join("settings.toml"), format!("language = \"en\"\n{}", self.settings))
            .expect("a scratch folder");
        let child = Command::new(program_named("client"))
            .args(args)
            .arg("--config")
            .arg(config)
            .env("DISPLAY", &self.display)
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
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

    /// Presses a key.
    pub(crate) fn key(&self, key: &str) {
        self.focus();
        self.xdotool(&["key", key]);
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
