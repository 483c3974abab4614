//! The real program: started, watched, typed at and ended.

use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::{env, mem, thread};

use crate::{Deadline, Irc, Lines, Plain, Scratch};

/// How a server is to be started; [`Server::start`] is enough for most scenarios.
#[derive(Debug)]
pub struct Launch {
    args: Vec<OsString>,
    envs: Vec<(String, String)>,
    defaults: bool,
    console: bool,
    shell: Option<String>,
    program: Option<PathBuf>,
}

impl Launch {
    /// A server with these options, and with `--bind 127.0.0.1:0`, `--flood off` and `--no-history` where they name
    /// neither these nor their opposites.
    #[must_use]
    pub fn new(args: &[&str]) -> Self {
        let args = args.iter().map(OsString::from).collect();
        Self { args, envs: Vec::new(), defaults: true, console: true, shell: None, program: None }
    }

    /// Exactly the given options and nothing else.
    #[must_use]
    pub fn without_defaults(mut self) -> Self {
        self.defaults = false;
        self
    }

    /// With standard input closed, like a service.
    #[must_use]
    pub fn without_console(mut self) -> Self {
        self.console = false;
        self
    }

    /// With an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.envs.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Through this script of `sh`, where `"$@"` is the program with its options: `ulimit -n 100; exec "$@"`.
    #[must_use]
    pub fn through_shell(mut self, script: &str) -> Self {
        self.shell = Some(script.to_owned());
        self
    }

    /// Another program than the one under test.
    #[must_use]
    pub fn program(mut self, path: &str) -> Self {
        self.program = Some(path.into());
        self
    }

    /// Starts it and waits until all its listeners are ready; panics with its errors if it ends instead.
    #[track_caller]
    #[must_use]
    pub fn start(self) -> Server {
        let mut running = self.spawn();
        let plain = running.has("--raw-bind");
        let wanted = running.args.iter().filter(|arg| *arg == "--bind").count().max(1) + plain;
        let deadline = Deadline::after(Deadline::DEFAULT);
        let ready = running.stdout.wait_many("Listening on *", wanted, deadline);
        assert!(
            ready.len() == wanted,
            "server {:?} announced {ready:?}, not {wanted} listeners\nstderr:\n{}",
            running.args,
            running.stderr.text()
        );
        for line in &ready {
            let mut words = line.split(' ').skip(2);
            let address = words.next().and_then(|word| word.parse().ok());
            let address = address.unwrap_or_else(|| panic!("no address in {line:?}"));
            match words.next() {
                None => running.addresses.push(address),
                Some(_) => running.raw_addresses.push(address),
            }
        }
        running
    }

    /// Starts it, closes its standard input and waits for its end: for options that are refused, and for `--help`.
    #[track_caller]
    #[must_use]
    pub fn run(self) -> Ended {
        let mut server = self.spawn();
        server.close_console();
        server.wait()
    }

    /// Starts it, or waits for its end if it refuses to.
    ///
    /// # Errors
    /// What it left behind.
    #[track_caller]
    pub fn run_or_start(self) -> Result<Server, Ended> {
        let mut server = self.without_console().spawn();
        let deadline = Deadline::after(Deadline::DEFAULT);
        let ready = server.stdout.wait("Listening on *", deadline);
        let address =
            ready.as_deref().and_then(|line| line.split(' ').nth(2)).and_then(|word| word.parse().ok());
        match address {
            Some(address) => {
                server.addresses.push(address);
                Ok(server)
            }
            None => Err(server.wait()),
        }
    }

    fn spawn(mut self) -> Server {
        let has =
            |args: &[OsString], names: &[&str]| args.iter().any(|arg| names.iter().any(|name| arg == name));
        if self.defaults {
            for (names, default) in [
                (&["--bind"][..], &["--bind", "127.0.0.1:0"][..]),
                (&["--flood"], &["--flood", "off"]),
                (&["--data", "--no-history"], &["--no-history"]),
            ] {
                if !has(&self.args, names) {
                    self.args.extend(default.iter().map(OsString::from));
                }
            }
        }
        let home = Scratch::new();
        let program = self.program.unwrap_or_else(program);
        let mut command = match &self.shell {
            None => Command::new(&program),
            Some(_) => Command::new("sh"),
        };
        if let Some(script) = &self.shell {
            command.args(["-c", script, "sh"]).arg(&program);
        }
        let mut child = command
            .args(&self.args)
            // Nobody's own files are read or written by a test.
            .current_dir(home.path())
            .env("HOME", home.path())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_STATE_HOME")
            .envs(self.envs)
            .stdin(if self.console { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        let stdout = Lines::drain(child.stdout.take().expect("asked for above"));
        let stderr = Lines::drain(child.stderr.take().expect("asked for above"));
        Server {
            stdin: child.stdin.take(),
            child,
            stdout,
            stderr,
            args: self.args,
            addresses: Vec::new(),
            raw_addresses: Vec::new(),
            home,
        }
    }
}

/// What a server left behind.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; -1 where a signal ended it.
    pub code: i32,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

/// A running server; killed on drop.
#[derive(Debug)]
pub struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines,
    stderr: Lines,
    args: Vec<OsString>,
    addresses: Vec<SocketAddr>,
    raw_addresses: Vec<SocketAddr>,
    home: Scratch,
}

impl Server {
    /// Starts the program with these options and [`Launch`]'s defaults, and waits until it listens.
    #[track_caller]
    #[must_use]
    pub fn start(args: &[&str]) -> Self {
        Launch::new(args).start()
    }

    /// Where it listens (the first `--bind`).
    #[track_caller]
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        *self.addresses.first().expect("a server listens")
    }

    /// Where it listens, one address a `--bind`.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where it listens for raw clients (`--raw-bind`).
    #[track_caller]
    #[must_use]
    pub fn raw_address(&self) -> SocketAddr {
        *self.raw_addresses.first().expect("started with --raw-bind")
    }

    /// The folder it was started in, which is also its `HOME`.
    #[must_use]
    pub fn home(&self) -> &Scratch {
        &self.home
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Someone registered over IRC, past the message of the day.
    #[track_caller]
    #[must_use]
    pub fn irc(&self, nick: &str) -> Irc {
        Irc::connect(self).register(nick)
    }

    /// The same with capabilities.
    #[track_caller]
    #[must_use]
    pub fn irc_with(&self, nick: &str, capabilities: &[&str]) -> Irc {
        Irc::connect(self).register_with(nick, capabilities)
    }

    /// A connection that has sent nothing yet.
    #[track_caller]
    #[must_use]
    pub fn plain(&self) -> Plain {
        Plain::connect(self)
    }

    /// Types a line at the console.
    #[track_caller]
    pub fn console(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("the console is open");
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).expect("the server reads its console");
    }

    /// Ends its standard input, as Ctrl-D does.
    pub fn close_console(&mut self) {
        self.stdin = None;
    }

    /// The first line of the log (standard error) that matches, past or to come; see [`Lines::wait`].
    #[track_caller]
    pub fn wait_log(&self, pattern: &str) -> String {
        match self.stderr.wait(pattern, Deadline::after(Deadline::DEFAULT)) {
            Some(line) => line,
            None => panic!("the log never said {pattern:?}"),
        }
    }

    /// The first line of standard output that matches, past or to come; see [`Lines::wait`].
    #[track_caller]
    pub fn wait_stdout(&self, pattern: &str) -> String {
        match self.stdout.wait(pattern, Deadline::after(Deadline::DEFAULT)) {
            Some(line) => line,
            None => panic!("standard output never said {pattern:?}, only:\n{}", self.stdout.text()),
        }
    }

    /// The log up to now.
    #[must_use]
    pub fn log(&self) -> &Lines {
        &self.stderr
    }

    /// Standard output up to now.
    #[must_use]
    pub fn stdout(&self) -> &Lines {
        &self.stdout
    }

    /// Sends it a signal by its name without SIG: `TERM`, `INT`, `STOP`, `CONT`, `KILL`.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        // std has no kill(2), and the shell's own is everywhere.
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.id())).status();
        assert!(sent.is_ok_and(|status| status.success()), "cannot send SIG{name}");
    }

    /// Asks it to end (SIGTERM) and returns its exit code.
    #[track_caller]
    #[must_use]
    pub fn stop(self) -> i32 {
        self.signal("TERM");
        self.wait().code
    }

    /// Ends it as a power cut does (SIGKILL): nothing of it runs any more.
    #[track_caller]
    pub fn crash(self) {
        self.signal("KILL");
        let _ = self.wait();
    }

    /// Waits until it has ended.
    #[track_caller]
    #[must_use]
    pub fn wait(mut self) -> Ended {
        let deadline = Deadline::after(Deadline::DEFAULT);
        // Its outputs end with the process, which is a wait with a deadline that `Child` doesn't have.
        let ended = self.stdout.wait_end(deadline) && self.stderr.wait_end(deadline);
        assert!(ended, "server {:?} has not ended\nstderr:\n{}", self.args, self.stderr.text());
        let status = self.child.wait().expect("it is our child");
        Ended { code: status.code().unwrap_or(-1), stdout: self.stdout.text(), stderr: self.stderr.text() }
    }

    fn has(&self, option: &str) -> usize {
        self.args.iter().filter(|arg| *arg == option).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        mem::take(&mut self.stdin);
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let _ = self.stderr.wait_end(Deadline::after(Deadline::DEFAULT));
            eprintln!("--- log of the server\n{}\n---", self.stderr.text());
        }
    }
}

/// The server under test: `PARLOR_SERVER`, or the program that was built beside this one.
pub fn program() -> PathBuf {
    env::var_os("PARLOR_SERVER").map_or_else(|| program_named("server"), PathBuf::from)
}

/// A program of the workspace that was built beside this one.
pub fn program_named(name: &str) -> PathBuf {
    let own = env::current_exe().expect("a running program has a path");
    // A test is <target dir>/<profile>/deps/scenarios-…, a bench <target dir>/<profile>/bench.
    let beside = own.ancestors().skip(1).take(2);
    let mut found = beside.map(|folder| folder.join(name).with_extension(env::consts::EXE_EXTENSION));
    found.find(|path| path.is_file()).unwrap_or_else(|| {
        panic!("no {name} beside {}: build it with `cargo build --workspace`", own.display())
    })
}
