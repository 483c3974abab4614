//! The real irssi, in a terminal of tmux.

use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use parlor_tests::{Deadline, Scratch, Server, needs};

/// Runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Irssi {
    home: Scratch,
}

impl Irssi {
    /// Starts it in the default room; `None`, and a line that says so, where it or tmux is not installed.
    #[track_caller]
    pub(crate) fn run(server: &Server, nick: &str) -> Option<Self> {
        let address = server.address();
        let irssi = Self::start(&format!("-n {nick} -c {} -p {}", address.ip(), address.port()))?;
        irssi.shows("message of the day");
        irssi.types("/join #lobby");
        irssi.shows("Irssi: #lobby: Total of");
        Some(irssi)
    }

    /// Starts it with these options, connected nowhere unless they say so.
    #[track_caller]
    pub(crate) fn start(options: &str) -> Option<Self> {
        if !needs::have(&[("tmux", "tmux"), ("irssi", "irssi")]) {
            return None;
        }
        let irssi = Self { home: Scratch::new() };
        let folder = irssi.home.path().display().to_string();
        let run = format!("exec irssi --home={folder} {options} 2>{folder}/errors");
        let started = irssi.tmux(&["new-session", "-d", "-x", "200", "-y", "100", &run]);
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        Some(irssi)
    }

    /// Types a line.
    #[track_caller]
    pub(crate) fn types(&self, line: &str) {
        for keys in [&["send-keys", "-l", line][..], &["send-keys", "Enter"]] {
            assert!(self.tmux(keys).status.success(), "irssi is gone");
        }
    }

    /// What a person sees.
    pub(crate) fn screen(&self) -> String {
        String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p", "-J"]).stdout).into_owned()
    }

    /// Waits until a text is on the screen.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        let deadline = Deadline::after(Deadline::DEFAULT);
        while !self.screen().contains(text) {
            assert!(deadline.left().is_some(), "{text:?} is not on irssi's screen:\n{}", self.screen());
            // A terminal tells nobody that it changed.
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// A tmux of its own, whatever else this machine's people have open.
    fn tmux(&self, args: &[&str]) -> Output {
        Command::new("tmux")
            .args(["-f", "/dev/null", "-S", &self.home.file("tmux")])
            .args(args)
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "screen-256color")
            .output()
            .expect("it was there at the start")
    }
}

impl Drop for Irssi {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

#[test]
fn irssi_takes_the_pinned_key_and_no_other() {
    let server = Server::start(&[]);
    let line = server.wait_log("*irssi: /connect *");
    let connect = line.split("irssi: ").nth(1).and_then(|line| line.strip_suffix(" ..."));
    let connect = connect.expect("a line to paste");
    let (ip, port) = (server.address().ip(), server.address().port());
    let Some(irssi) = Irssi::start("-n alice") else { return };
    irssi.types(&format!("{connect} {ip} {port}"));
    irssi.shows("message of the day");
    irssi.types("/whois alice");
    irssi.shows("is using a secure connection");
    let (other, last) = connect.rsplit_once(':').expect("hexadecimal digits");
    let wrong = if last == "00" { "11" } else { "00" };
    irssi.types("/disconnect");
    server.wait_log("left: alice *");
    irssi.types(&format!("{other}:{wrong} {ip} {port}"));
    irssi.shows("Pinned public key mismatch");
}
