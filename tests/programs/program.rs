//! A program of somebody else, with a person at it.

use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;

use parlor_tests::needs::{self, Lack};
use parlor_tests::{Deadline, Lines};

/// Runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    what: String,
    child: Child,
    keyboard: Option<ChildStdin>,
    screen: Lines,
    errors: Lines,
}

impl Program {
    /// Starts a program; `None`, and a line that says so, where it is not installed.
    pub(crate) fn run(program: &str, args: &[&str]) -> Option<Self> {
        let started = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONIOENCODING", "utf-8")
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(_) => {
                let package = Path::new(program).file_name().and_then(|name| name.to_str());
                let package = package.map_or(program, |name| if name == "nc" { needs::NC.1 } else { name });
                needs::skip(Lack::Package(package));
                return None;
            }
        };
        let screen = Lines::drain(child.stdout.take().expect("asked for above"));
        let errors = Lines::drain(child.stderr.take().expect("asked for above"));
        let what = [&[program], args].concat().join(" ");
        Some(Self { what, keyboard: child.stdin.take(), child, screen, errors })
    }

    /// Starts one of the programs beside this file.
    pub(crate) fn python(file: &str, args: &[&str]) -> Option<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs").join(file);
        let path = path.display().to_string();
        // Debian's own, which has Debian's Qt.
        let python = if cfg!(target_os = "linux") { "/usr/bin/python3" } else { "python3" };
        Self::run(python, &[&[path.as_str()], args].concat())
    }

    /// Types a line.
    #[track_caller]
    pub(crate) fn types(&mut self, line: &str) {
        let keyboard = self.keyboard.as_mut().expect("it has not been closed");
        if let Err(error) = writeln!(keyboard, "{line}").and_then(|()| keyboard.flush()) {
            panic!("{} does not read its keyboard ({error}):\n{}", self.what, self.errors.text());
        }
    }

    /// Says something with a program of ours: one message, one write.
    #[track_caller]
    pub(crate) fn says(&mut self, text: &str) {
        self.types(&format!("say {}", text.replace('\n', "\\n")));
    }

    /// Ends what it reads from its keyboard, as Ctrl-D does.
    pub(crate) fn closes(&mut self) {
        self.keyboard = None;
    }

    /// All that it has shown up to now, its appends one after the other.
    pub(crate) fn screen(&self) -> String {
        self.screen.all().concat().replace("\\n", "\n")
    }

    /// What it has appended up to now, one entry an append.
    pub(crate) fn appends(&self) -> Vec<String> {
        self.screen.all().iter().map(|append| append.replace("\\n", "\n")).collect()
    }

    /// Waits until a text is on the screen, whichever appends brought it.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        self.wait(|screen| screen.contains(text), &format!("{text:?}"));
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub(crate) fn wait(&self, wanted: impl Fn(&str) -> bool, what: &str) {
        let deadline = Deadline::after(Deadline::DEFAULT);
        let mut appends = 0;
        while !wanted(&self.screen()) {
            appends += 1;
            // The next append, or the end of the program or of patience.
            let came = self.screen.wait_many("*", appends, deadline).len();
            assert!(came == appends || wanted(&self.screen()), "{what} is not on its screen");
        }
    }

    /// Waits until it has ended by itself; returns whether it meant to.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> bool {
        let ended = self.screen.wait_end(Deadline::after(Deadline::DEFAULT));
        assert!(ended, "{} has not ended", self.what);
        self.child.wait().expect("it is our child").success()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let _ = self.errors.wait_end(Deadline::after(Deadline::DEFAULT));
            eprintln!("--- screen of {}\n{}\n{}---", self.what, self.screen.text(), self.errors.text());
        }
    }
}
