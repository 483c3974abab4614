//! Who is measured, and how each is started: without flood limits, for thousands from one
//! address, on a free port of loopback.

use std::fmt;
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use parlor_tests::{Launch, Scratch, Server};

use super::clock::now;
use super::cores::{self, held};
use super::crowd::Dialect;

/// How long a program may take until it listens.
const START: Duration = Duration::from_secs(10);

/// Starts InspIRCd in the foreground.
const INSPIRCD: &[&str] = &["--nofork", "--nolog", "--runasroot", "--config=CONFIG"];
/// A key of P-256, as ours, and its certificate.
const KEY: &str = include_str!("../../../../../client/tests/tls/one.key");
const CERTIFICATE: &str = include_str!("../../../../../client/tests/tls/one.pem");

/// What others do without, too.
const WITHOUT: &[&str] = &["--no-history", "--flood", "off"];

/// See the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contestant {
    /// So many lines in one `write`.
    Floor(usize),
    IdealHub,
    Ngircd,
    Inspircd,
    /// The same, encrypting by GnuTLS.
    InspircdTls,
    Ergo,
    Ours,
    /// Another build of our server.
    Build(&'static str),
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Contestant::Floor(lines) => write!(f, "floor {lines}"),
            Contestant::IdealHub => f.write_str("ideal hub"),
            Contestant::Ngircd => f.write_str("ngIRCd"),
            Contestant::Inspircd => f.write_str("InspIRCd"),
            Contestant::InspircdTls => f.write_str("InspIRCd, GnuTLS"),
            Contestant::Ergo => f.write_str("Ergo"),
            Contestant::Ours => f.write_str("ours"),
            Contestant::Build(program) => f.write_str(program),
        }
    }
}

impl Contestant {
    /// The peers that are installed, of a list of names with commas.
    pub(crate) fn peers(names: &str) -> Result<Vec<Contestant>, String> {
        let mut peers = Vec::new();
        for name in names.split(',').filter(|name| !name.is_empty()) {
            let peer = match name {
                "ngircd" => Contestant::Ngircd,
                "inspircd" => Contestant::Inspircd,
                "ergo" => Contestant::Ergo,
                // For as long as the bench runs.
                path if path.contains('/') => Contestant::Build(String::from(path).leak()),
                _ => {
                    return Err(format!(
                        "--vs {name}: there are ngircd, inspircd, ergo, and the path of another build of our server"
                    ));
                }
            };
            if peer.program().exists() {
                peers.push(peer);
            } else {
                eprintln!("bench: without {name}: there is no {}", peer.program().display());
            }
        }
        Ok(peers)
    }

    /// How many may enter at a time: those with a short queue for new connections lose more.
    pub(crate) fn abreast(self) -> usize {
        match self {
            Contestant::Ngircd => 8,
            _ => 256,
        }
    }

    /// Where Debian puts it; Ergo, which Debian has not, is looked for in the path.
    fn program(self) -> PathBuf {
        match self {
            Contestant::Ngircd => "/usr/sbin/ngircd".into(),
            Contestant::Inspircd | Contestant::InspircdTls => "/usr/sbin/inspircd".into(),
            Contestant::Ergo => {
                let folders = std::env::var_os("PATH").unwrap_or_default();
                let places = std::env::split_paths(&folders).map(|folder| folder.join("ergo"));
                places.into_iter().find(|place| place.exists()).unwrap_or_else(|| "ergo".into())
            }
            Contestant::Build(program) => program.into(),
            _ => PathBuf::new(),
        }
    }

    /// Starts it on these cores (all without), and waits until it listens.
    pub(crate) fn start(self, cores: Option<&[usize]>) -> io::Result<Running> {
        match self {
            Contestant::Ours => ours(WITHOUT, cores, None),
            Contestant::Build(program) => launched(unlimited(WITHOUT).program(program), cores),
            Contestant::IdealHub => own_program(&["child", "hub"], cores),
            Contestant::Floor(_) => Err(io::Error::other("a floor is started with its sockets")),
            Contestant::Ngircd => {
                let args = ["-n", "-f", "CONFIG"];
                foreign(&self.program(), &args, include_str!("ngircd.conf"), cores)
            }
            Contestant::Inspircd => foreign(&self.program(), INSPIRCD, include_str!("inspircd.conf"), cores),
            Contestant::InspircdTls => {
                let config = include_str!("inspircd.conf").replace("<bind ", "<bind sslprofile=\"tls\" ");
                let config = config + include_str!("inspircd-tls.conf");
                foreign(&self.program(), INSPIRCD, &config, cores)
            }
            Contestant::Ergo => {
                let args = ["run", "--conf", "CONFIG"];
                foreign(&self.program(), &args, include_str!("ergo.yaml"), cores)
            }
        }
    }
}

/// Our server with these options beside the limits, and through a script of `sh` if there is one.
pub(crate) fn ours(args: &[&str], cores: Option<&[usize]>, shell: Option<&str>) -> io::Result<Running> {
    let mut launch = unlimited(args);
    if let Some(script) = shell {
        launch = launch.through_shell(script);
    }
    launched(launch, cores)
}

fn unlimited(args: &[&str]) -> Launch {
    let most = cores::members().to_string();
    let mut all = vec!["-q", "--max-clients", &most, "--max-clients-per-ip", &most];
    all.extend_from_slice(args);
    Launch::new(&all).without_console()
}

fn launched(launch: Launch, cores: Option<&[usize]>) -> io::Result<Running> {
    let server = held(cores, || Ok(launch.start()))?;
    Ok(Running {
        id: server.id(),
        address: server.address(),
        dialect: Dialect::Irc,
        program: Program::Ours(server),
    })
}

/// This program in another part.
pub(crate) fn own_program(args: &[&str], cores: Option<&[usize]>) -> io::Result<Running> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = Ended(held(cores, || command.spawn())?);
    let mut line = String::new();
    if let Some(stdout) = child.0.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    let address = line.trim().strip_prefix("Listening on ").and_then(|address| address.parse().ok());
    let address = address.ok_or_else(|| io::Error::other(format!("no address in {line:?}")))?;
    Ok(Running { id: child.0.id(), address, dialect: Dialect::Raw, program: Program::Child(child, None) })
}

fn foreign(program: &Path, args: &[&str], config: &str, cores: Option<&[usize]>) -> io::Result<Running> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let scratch = Scratch::new();
    let config = config.replace("PORT", &address.port().to_string());
    let config = config.replace("FOLDER", &scratch.path().display().to_string());
    let path = scratch.write("server.conf", config);
    for (name, text) in [("key.pem", KEY), ("cert.pem", CERTIFICATE)] {
        let _path = scratch.write(name, text);
    }
    let mut command = Command::new(program);
    command.args(args.iter().map(|arg| arg.replace("CONFIG", &path)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = Ended(held(cores, || command.spawn())?);
    let began = now();
    while TcpStream::connect(address).is_err() {
        if began.elapsed() > START {
            return Err(io::Error::other(format!("{} does not listen", program.display())));
        }
        sleep(Duration::from_millis(20));
    }
    let id = child.0.id();
    Ok(Running { id, address, dialect: Dialect::Irc, program: Program::Child(child, Some(scratch)) })
}

/// A started contestant; killed on drop.
pub(crate) struct Running {
    /// Its process id.
    pub(crate) id: u32,
    pub(crate) address: SocketAddr,
    pub(crate) dialect: Dialect,
    program: Program,
}

enum Program {
    Ours(Server),
    #[expect(dead_code, reason = "kept for as long as the program runs")]
    Child(Ended, Option<Scratch>),
}

impl Running {
    /// What our server has logged; nothing of others.
    pub(crate) fn log(&self) -> String {
        match &self.program {
            Program::Ours(server) => server.log().text(),
            Program::Child(..) => String::new(),
        }
    }
}

/// A program that ends with this one.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
