//! What a screen reader hears, on an accessibility bus as a desktop has one.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use parlor_tests::{Deadline, Lines, Plain, Server, needs};

use crate::bus::Bus;
use crate::desk::Desk;

/// How long what is heard may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// What starts that bus.
const LAUNCHER: &str = "/usr/libexec/at-spi-bus-launcher";
/// What a person can do something with has one of these roles (AT-SPI's numbers; names are the reader's matter), and
/// needs a name of its own.
const CONTROLS: &[(u32, &str)] = &[
    (7, "check box"),
    (11, "combo box"),
    (29, "label"),
    (32, "list item"),
    (40, "password"),
    (43, "button"),
    (44, "radio button"),
    (51, "slider"),
    (52, "spin button"),
    (61, "text"),
    (62, "toggle button"),
    (79, "entry"),
    (88, "link"),
    (98, "list box"),
];

/// A screen reader: it asked for the bus, and listens on it.
struct Reader {
    launcher: Child,
    monitor: Child,
    address: String,
    heard: Lines,
}

impl Reader {
    fn new(bus: &Bus) -> Reader {
        let launcher = Command::new(LAUNCHER)
            .args(["--launch-immediately", "--a11y=1", "--screen-reader=1"])
            .env("DBUS_SESSION_BUS_ADDRESS", bus.address())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the launcher starts");
        let ask = || ask(bus.address(), ["org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus.GetAddress"], &[]);
        let address =
            until("the accessibility bus", || Some(ask()).filter(|address| address.contains("unix:")));
        let mut monitor = Command::new("dbus-monitor")
            .args(["--address", &address, "interface='org.a11y.atspi.Event.Object'"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-monitor starts");
        let heard = Lines::drain(monitor.stdout.take().expect("piped"));
        let listening = heard.wait("*member=NameLost*", Deadline::after(PATIENCE));
        assert!(listening.is_some(), "dbus-monitor does not listen: {}", heard.text());
        Reader { launcher, monitor, address, heard }
    }

    /// Who has the focus: its bus name, and its path there.
    fn focused(&self) -> Option<(String, String)> {
        let text = self.heard.text();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let last = lines.windows(3).rev().find(|three| {
            three[0].contains("member=StateChanged")
                && three[1] == "string \"focused\""
                && three[2] == "int32 1"
        })?;
        let part = |name: &str| {
            let from = last[0].split(name).nth(1)?;
            from.split([' ', ';']).next().map(str::to_owned)
        };
        part("sender=").zip(part("path="))
    }

    /// What is said of what has the focus, once it is about this.
    fn wait_focus(&self, about: &str) -> String {
        until(about, || {
            let (peer, path) = self.focused()?;
            Some(self.name(&peer, &path)).filter(|name| name.contains(about))
        })
    }

    fn name(&self, peer: &str, path: &str) -> String {
        let get = "org.freedesktop.DBus.Properties.Get";
        let name = ["string:org.a11y.atspi.Accessible", "string:Name"];
        let said = ask(&self.address, [peer, path, get], &name);
        said.trim_start_matches("variant").trim().to_owned()
    }

    /// How often something was said without being asked.
    fn announcements(&self) -> usize {
        self.heard.text().matches("member=Announcement").count()
    }

    fn wait_announced(&self, text: &str) {
        until(text, || {
            let heard = self.heard.text();
            heard.split("member=Announcement").skip(1).any(|said| said.contains(text)).then_some(())
        });
    }

    /// The controls below this one that nobody could tell from another, and how many there are in all.
    fn nameless(&self, peer: &str, path: &str, found: &mut Vec<String>) -> usize {
        let accessible = |what: &str| format!("org.a11y.atspi.Accessible.{what}");
        let role = ask(&self.address, [peer, path, &accessible("GetRole")], &[]);
        let role = role.split_whitespace().last().and_then(|number| number.parse::<u32>().ok());
        let name = self.name(peer, path);
        let control = CONTROLS.iter().find(|(number, _)| Some(*number) == role);
        if let Some((_, role)) = control
            && name.is_empty()
        {
            found.push(format!("{role} {path}"));
        }
        let children = ask(&self.address, [peer, path, &accessible("GetChildren")], &[]);
        let paths = children.split_whitespace().filter(|part| part.starts_with("/org/a11y/"));
        usize::from(control.is_some()) + paths.map(|path| self.nameless(peer, path, found)).sum::<usize>()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Gone already is as good. Killed, the launcher would leave its bus behind.
        let _ = self.monitor.kill();
        let _ = Command::new("sh").args(["-c", &format!("kill {}", self.launcher.id())]).status();
        for child in [&mut self.monitor, &mut self.launcher] {
            let _ = child.wait();
        }
    }
}

/// Calls a method on a bus; what it answers, as one text.
fn ask(bus: &str, [peer, path, method]: [&str; 3], arguments: &[&str]) -> String {
    let mut call = Command::new("dbus-send");
    call.args([&format!("--bus={bus}"), "--print-reply=literal", &format!("--dest={peer}"), path, method]);
    let answer = call.args(arguments).stderr(Stdio::null()).output().expect("dbus-send runs");
    String::from_utf8_lossy(&answer.stdout).trim().to_owned()
}

/// Waits until there is something.
fn until<T>(what: &str, found: impl Fn() -> Option<T>) -> T {
    let deadline = Deadline::after(PATIENCE);
    while deadline.left().is_some() {
        if let Some(found) = found() {
            return found;
        }
        sleep(Duration::from_millis(30));
    }
    panic!("waited for {what}")
}

#[test]
fn a_screen_reader_hears_lines_and_what_the_keyboard_is_on() {
    let all = [needs::DISPLAY, needs::BUS, &[(LAUNCHER, "at-spi2-core")]];
    if !all.into_iter().all(needs::have) {
        return;
    }
    let server = Server::start(&[]);
    let bus = Bus::new();
    let reader = Reader::new(&bus);
    let mut bob = Plain::connect(&server);
    bob.send("bob");
    bob.expect("-!- Welcome *");
    let desk = Desk::new().bus(bus.address());
    let alice = desk.client(&[&server.address().to_string(), "--name", "alice"]);
    bob.expect("-!- alice joined");
    alice.wait_title("#lobby*");
    alice.types("here I am");
    bob.expect("<alice> here I am");
    reader.wait_focus("Message #lobby");

    // What others say is said, what one says oneself is not.
    bob.send("can you hear me?");
    reader.wait_announced("bob: can you hear me?");
    let before = reader.announcements();
    for ten in 0..6 {
        (ten * 10..ten * 10 + 10).for_each(|n| bob.send(&format!("line {n}")));
        reader.wait_announced(&format!("bob: line {}", ten * 10 + 9));
    }
    let said = reader.announcements() - before;
    assert!(said <= 30, "{said} times for 60 lines");
    alice.types("quietly");
    bob.expect("<alice> quietly");

    // Line by line, each an object of its own with a sentence.
    alice.key("shift+Tab");
    alice.key("Up");
    let own = reader.wait_focus("quietly");
    assert!(own.starts_with("alice, "), "{own}");
    assert!(!reader.heard.text().contains("alice: quietly"), "one's own lines are not told");
    for n in (20..60).rev() {
        alice.key("Up");
        let said = reader.wait_focus(&format!(": line {n}"));
        assert!(said.starts_with("bob, "), "{said}");
    }
    alice.key("Down");
    reader.wait_focus(": line 21");
    // Its menu, entry by entry.
    alice.key("shift+F10");
    alice.key("Down");
    reader.wait_focus("Reply");
    alice.key("m");
    reader.wait_focus("Mention bob");
    alice.key("Escape");
    reader.wait_focus(": line 21");

    // Every control has a name, in the room and on the pages over it.
    let (peer, _) = reader.focused().expect("something has the focus");
    for page in ["", "ctrl+f", "Escape", "ctrl+comma", "F1", "F1"] {
        if !page.is_empty() {
            alice.key(page);
            alice.wait_still();
        }
        let mut nameless = Vec::new();
        let count = reader.nameless(&peer, "/org/a11y/atspi/accessible/root", &mut nameless);
        assert!(count > 5 && nameless.is_empty(), "{page}: {count}, nameless: {nameless:?}");
    }

    // Where we stand is said, too.
    server.signal("KILL");
    reader.wait_announced("reconnecting in");
}
