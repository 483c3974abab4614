//! A real engine on a free port, with a scratch folder.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::cluster::clock::now;

const DEADLINE: Duration = Duration::from_secs(30);

pub(super) struct Engine {
    pub(super) port: u16,
    pub(super) folder: PathBuf,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Engine {
    /// Starts one with these options; `None` where none is installed, which the continuous integration forbids.
    pub(super) fn start(arguments: &[&str]) -> Option<Engine> {
        if Command::new("redis-server").arg("--version").output().is_err() {
            assert!(std::env::var_os("CI").is_none(), "redis-server is not installed");
            eprintln!("skipped: redis-server is not installed");
            return None;
        }
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("parlor-cluster-{}-{count}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut engine = Engine { port: free_port(), folder, arguments, child: None };
        engine.run();
        Some(engine)
    }

    /// One that also speaks TLS, on this port, with a certificate for 127.0.0.1 that `own.pem` in its folder vouches for.
    #[cfg(feature = "tls")]
    pub(super) fn encrypted() -> Option<(Engine, u16)> {
        let mut engine = Engine::always()?;
        engine.kill();
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ])
            .args(["-subj", "/CN=own", "-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key.pem", "-out", "own.pem"])
            .current_dir(&engine.folder)
            .stderr(Stdio::null())
            .status();
        if !made.is_ok_and(|status| status.success()) {
            assert!(std::env::var_os("CI").is_none(), "openssl is not installed");
            eprintln!("skipped: openssl is not installed");
            return None;
        }
        let port = free_port();
        let options = ["--tls-port", &port.to_string(), "--tls-auth-clients", "no"].map(str::to_owned);
        engine.arguments.extend(options);
        engine
            .arguments
            .extend(["--tls-cert-file", "own.pem", "--tls-key-file", "key.pem"].map(str::to_owned));
        engine.run();
        Some((engine, port))
    }

    /// One that flushes before it answers.
    pub(super) fn always() -> Option<Engine> {
        Engine::start(&["--appendfsync", "always"])
    }

    /// Runs it again with a pause of so many microseconds a key that it loads; it answers, but is not ready.
    pub(super) fn slow_start(&mut self, pause: &str) {
        self.arguments.extend(["--key-load-delay", pause].map(str::to_owned));
        self.run();
    }

    /// Runs it (again), and waits until it answers.
    pub(super) fn run(&mut self) {
        let deadline = now() + DEADLINE;
        let slow = self.arguments.iter().any(|argument| argument == "--key-load-delay");
        loop {
            let mut command = Command::new("redis-server");
            command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
            command.args(["--appendonly", "yes", "--loglevel", "warning", "--dir"]).arg(&self.folder);
            command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let child = self.child.insert(command.spawn().unwrap());
            while now() < deadline {
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                if answers(self.port, slow) {
                    return;
                }
                thread::sleep(Duration::from_millis(20));
            }
            assert!(now() < deadline, "redis-server does not start");
        }
    }

    /// kill -9
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops it for a while (SIGSTOP), and lets it go on (SIGCONT).
    pub(super) fn freeze(&self, frozen: bool) {
        let child = self.child.as_ref().unwrap();
        let signal = if frozen { "-STOP" } else { "-CONT" };
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    }

    /// Copies what it has on disk.
    pub(super) fn save(&self, name: &str) -> PathBuf {
        let copy = self.folder.join(name);
        copy_folder(&self.folder.join("appendonlydir"), &copy);
        copy
    }

    /// Replaces what it has on disk; it must not run.
    pub(super) fn replace(&self, copy: &Path) {
        let folder = self.folder.join("appendonlydir");
        fs::remove_dir_all(&folder).unwrap();
        copy_folder(copy, &folder);
    }

    /// What `redis-cli` would print.
    pub(super) fn ask(&self, words: &[&str]) -> String {
        let output =
            Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whether it answers; that it loads its data is an answer where it is to be slow.
fn answers(port: u16, slow: bool) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
    let mut answer = [0; 7];
    stream.write_all(b"PING\r\n").is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && (answer.starts_with(b"+PONG") || answer.starts_with(b"-NOAUTH") || slow && answer == *b"-LOADIN")
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
