//! A session bus of its own, and somebody who writes down what is told on it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use parlor_tests::{Deadline, Lines, Scratch};

/// How long the bus or a notification may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// No services: nothing of the machine's own desktop is started or asked.
const CONFIGURATION: &str = r#"<busconfig>
<type>session</type>
<listen>unix:tmpdir=/tmp</listen>
<policy context="default">
<allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/>
<allow own="*"/>
</policy>
</busconfig>"#;

/// A session bus.
pub(crate) struct Bus {
    daemon: Child,
    monitor: Child,
    address: String,
    heard: Lines,
    _folder: Scratch,
}

impl Bus {
    pub(crate) fn new() -> Bus {
        let folder = Scratch::new();
        let configuration = folder.write("bus.conf", CONFIGURATION);
        let mut daemon = Command::new("dbus-daemon")
            .args(["--nofork", "--nopidfile", "--print-address", "--config-file", &configuration])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon starts");
        let said = Lines::drain(daemon.stdout.take().expect("piped"));
        let address = said.wait("unix:*", Deadline::after(PATIENCE)).expect("the bus names its address");
        let mut monitor = Command::new("dbus-monitor")
            .args(["--address", &address, "interface='org.freedesktop.Notifications'"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-monitor starts");
        let heard = Lines::drain(monitor.stdout.take().expect("piped"));
        // It loses its own name when it begins to listen to others.
        let listening = heard.wait("*member=NameLost*", Deadline::after(PATIENCE));
        assert!(listening.is_some(), "dbus-monitor does not listen: {}", heard.text());
        Bus { daemon, monitor, address, heard, _folder: folder }
    }

    /// What `DBUS_SESSION_BUS_ADDRESS` is to be.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Waits until a notification has been asked for with this text in it.
    pub(crate) fn wait(&self, text: &str) {
        let called = self.heard.wait("*member=Notify*", Deadline::after(PATIENCE));
        let told = self.heard.wait(&format!("*string \"{text}\"*"), Deadline::after(PATIENCE));
        assert!(called.is_some() && told.is_some(), "no notification {text:?}:\n{}", self.heard.text());
    }

    /// How many have been asked for.
    pub(crate) fn notifications(&self) -> usize {
        self.heard.text().matches("member=Notify").count()
    }

    /// Whether anything at all has been told.
    pub(crate) fn heard(&self, text: &str) -> bool {
        self.heard.text().contains(text)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        for child in [&mut self.monitor, &mut self.daemon] {
            // Gone already is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
