//! A Redis, and servers that share it.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use parlor_tests::needs::{self, Installed};
use parlor_tests::{Deadline, Launch, Scratch, Server};

/// What is needed.
pub(crate) const REDIS: &[Installed] = &[("redis-server", "redis-server")];

/// A Redis of its own, and a folder for everything; gone on drop.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) folder: Scratch,
    port: u16,
    options: Vec<String>,
    redis: Option<Child>,
}

impl House {
    /// Starts one that has on disk what it has acknowledged; `None`: there is no Redis here, and the test ends.
    pub(crate) fn new() -> Option<House> {
        House::with(&["--appendonly", "yes", "--appendfsync", "always"])
    }

    /// With these options of redis-server.
    pub(crate) fn with(options: &[&str]) -> Option<House> {
        if !needs::have(REDIS) {
            return None;
        }
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut house = House { folder: Scratch::new(), port, options, redis: None };
        house.start_redis();
        Some(house)
    }

    /// One that takes encrypted connections, too, at this address; it vouches for itself.
    pub(crate) fn encrypted() -> Option<(House, String)> {
        if !needs::have(&[("openssl", "openssl")]) {
            return None;
        }
        let mut house = House::with(&["--appendonly", "yes"])?;
        let [certificate, key] = ["own.pem", "key.pem"].map(|name| house.folder.file(name));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-days", "2", "-subj", "/CN=own", "-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", &key, "-out", &certificate])
            .output()
            .expect("it was there just now");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port().to_string();
        house.kill_redis();
        let more = ["--tls-port", &port, "--tls-auth-clients", "no", "--tls-cert-file", &certificate];
        house.options.extend(more.map(str::to_owned));
        house.options.extend(["--tls-key-file".to_owned(), key]);
        house.start_redis();
        Some((house, format!("rediss://127.0.0.1:{port}/house?ca={certificate}")))
    }

    pub(crate) fn start_redis(&mut self) {
        let program = needs::find("redis-server").expect("it is there");
        let folder = self.folder.path().to_owned();
        let mut command = Command::new(program);
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.args(&self.options).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
        self.redis = Some(command.spawn().expect("redis-server starts"));
        let deadline = Deadline::after(Deadline::DEFAULT);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(deadline.left().is_some(), "redis-server listens");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends the Redis without a word.
    pub(crate) fn kill_redis(&mut self) {
        if let Some(mut redis) = self.redis.take() {
            redis.kill().and_then(|()| redis.wait()).expect("it is our child");
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/house", self.port)
    }

    /// The options of the server of this number.
    pub(crate) fn options(&self, number: usize) -> Vec<String> {
        let data = self.folder.file(&format!("data{number}"));
        vec!["--cluster".into(), self.url(), "--data".into(), data]
    }

    /// How the server of this number is started, with further options.
    pub(crate) fn launch(&self, number: usize, more: &[&str]) -> Launch {
        let options = self.options(number);
        let all: Vec<&str> = options.iter().map(String::as_str).chain(more.iter().copied()).collect();
        Launch::new(&all)
    }

    pub(crate) fn server(&self, number: usize) -> Server {
        self.launch(number, &[]).start()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.kill_redis();
    }
}
