//! Windows on a network: a room is hosted in one and found by the other, and nobody types an address.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use parlor_tests::{Deadline, Lines, Scratch, needs, program_named};

use crate::net::{Host, hosts};

/// How long a window may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// A window on a display of its own.
struct Window {
    display: String,
    server: Child,
    client: Child,
    _config: Scratch,
}

impl Window {
    fn open(host: &Host, args: &[&str]) -> Window {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-noreset", "-screen", "0", "1000x700x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it is installed");
        let said = Lines::drain(server.stdout.take().expect("asked for above"));
        let number = said.wait("*", Deadline::after(PATIENCE)).expect("a display");
        let display = format!(":{}", number.trim());
        let config = Scratch::new();
        let _ = config.write("settings.toml", "language = \"en\"\n");
        let client = host
            .command(&program_named("client").display().to_string())
            .args(args)
            .args(["--config", &config.file("")])
            .env("DISPLAY", &display)
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .stdin(Stdio::null())
            .spawn()
            .expect("the client starts");
        let window = Window { display, server, client, _config: config };
        window.until("a window", || {
            !window.xdotool(&["search", "--onlyvisible", "--name", "Parlor"]).is_empty()
        });
        // Nobody manages windows here.
        window.xdotool(&["search", "--onlyvisible", "--name", "Parlor", "windowfocus", "--sync"]);
        window
    }

    fn xdotool(&self, args: &[&str]) -> String {
        let done = Command::new("xdotool").args(args).env("DISPLAY", &self.display).output();
        String::from_utf8_lossy(&done.expect("it is installed").stdout).trim().to_owned()
    }

    fn title(&self) -> String {
        self.xdotool(&["search", "--onlyvisible", "--name", ".", "getwindowname", "%@"])
    }

    #[track_caller]
    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let deadline = Deadline::after(PATIENCE);
        while !holds() {
            assert!(deadline.left().is_some(), "waited for {what}; the window is called {:?}", self.title());
            sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        for child in [&mut self.client, &mut self.server] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn a_hosted_room_is_joined_from_the_next_computer_without_an_address() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let Some([here, there]) = hosts() else { return };
    here.cable("eth0", &there);
    here.sh("ip addr add 10.0.0.1/24 dev eth0");
    there.sh("ip addr add 10.0.0.2/24 dev eth0");
    let anna = Window::open(&here, &["--name", "anna", "--host"]);
    anna.xdotool(&["key", "Return"]);
    anna.until("the hosted room", || anna.title().starts_with("#lobby"));
    let carl = there.joins("10.0.0.1:49806", "carl");

    // It is there to be found: whoever opens the card now has it before they have typed their name.
    there.looker().wait("the room", PATIENCE, |list| list.one("anna").is_some());
    let bert = Window::open(&there, &[]);
    bert.xdotool(&["type", "--delay", "5", "bert"]);
    bert.until("the room that was found", || {
        // While the card still looks Enter is for nothing.
        bert.xdotool(&["key", "Return"]);
        bert.title().starts_with("#lobby")
    });
    carl.expect("*bert*");
}
