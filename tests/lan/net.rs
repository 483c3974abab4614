//! Computers on networks of their own: namespaces of the kernel, gone when their test ends, however it ends.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use parlor_tests::needs::{self, Installed, Lack};
use parlor_tests::{Launch, Lines, Server, program_named};

use crate::looker::Looker;

const NEEDED: &[Installed] =
    &[("ip", "iproute2"), ("unshare", "util-linux"), ("nsenter", "util-linux"), needs::NC];

/// Some computers without a cable between them.
pub(crate) fn hosts<const N: usize>() -> Option<[Host; N]> {
    if !needs::have(NEEDED) {
        return None;
    }
    // Root needs no namespace of users, and is allowed networks where it may be forbidden those.
    let first = Host::held(Command::new("unshare").arg("--net"), None).or_else(|| {
        Host::held(Command::new("unshare").args(["--user", "--map-root-user", "--net"]), Some(0))
    });
    let Some(first) = first else {
        needs::skip(Lack::Forbidden("the kernel forbids namespaces"));
        return None;
    };
    let users = first.users;
    let mut hosts = vec![first];
    while hosts.len() < N {
        let host = match users {
            None => Host::held(Command::new("unshare").arg("--net"), None),
            Some(users) => {
                let user = ["--user", "--preserve-credentials", "unshare", "--net"];
                Host::held(Command::new("nsenter").arg(format!("--target={users}")).args(user), Some(users))
            }
        };
        hosts.push(host.expect("where one network is, another can be"));
    }
    hosts.try_into().ok()
}

/// Two with a cable between them, `eth0` on both: 10.1.0.1 and 10.1.0.2.
pub(crate) fn two() -> Option<[Host; 2]> {
    let [here, there] = hosts()?;
    here.cable("eth0", &there);
    here.sh("ip addr add 10.1.0.1/24 dev eth0");
    there.sh("ip addr add 10.1.0.2/24 dev eth0");
    Some([here, there])
}

/// A computer: a network namespace, held by a process that ends with this test.
pub(crate) struct Host {
    holder: Child,
    /// A process in the namespace of users that owns the network; the first host's holder.
    users: Option<u32>,
}

impl Host {
    /// `users`: 0 stands for the new process itself.
    fn held(command: &mut Command, users: Option<u32>) -> Option<Host> {
        // Killed with the test or without: what it reads ends with the test, too.
        let held = command.args(["sh", "-c", "ip link set lo up && echo held && exec cat"]);
        let mut holder =
            held.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut said = String::new();
        let _ = BufReader::new(holder.stdout.take()?).read_line(&mut said);
        let users = users.map(|users| if users == 0 { holder.id() } else { users });
        let host = Host { holder, users };
        (said == "held\n").then_some(host)
    }

    fn entrance(&self) -> String {
        let users = match self.users {
            Some(users) => format!("--user=/proc/{users}/ns/user --preserve-credentials "),
            None => String::new(),
        };
        format!("nsenter {users}--net=/proc/{}/ns/net", self.holder.id())
    }

    /// A program on it.
    pub(crate) fn command(&self, program: &str) -> Command {
        let entrance = self.entrance();
        let mut words = entrance.split(' ');
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).arg(program);
        command
    }

    /// What a script says; it must succeed.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> String {
        let done = self.command("sh").args(["-ec", script]).output().expect("a shell runs");
        assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// A cable to another host, whose ends are called so on both; both ends are up.
    #[track_caller]
    pub(crate) fn cable(&self, name: &str, other: &Host) {
        let end = other.holder.id();
        self.sh(&format!(
            "ip link add name {name} type veth peer name {name} netns {end}; ip link set {name} up"
        ));
        other.sh(&format!("ip link set {name} up"));
    }

    /// A server on it, announced under that name, with these options.
    #[track_caller]
    pub(crate) fn announced(&self, name: &str, args: &[&str]) -> Server {
        let mut all = vec!["--announce", name];
        all.extend(args);
        self.server(&all)
    }

    /// A server on it.
    #[track_caller]
    pub(crate) fn server(&self, args: &[&str]) -> Server {
        let mut all = vec!["--tls", "off"];
        if !args.contains(&"--bind") {
            all.extend(["--bind", "0.0.0.0:49806"]);
        }
        if args.contains(&"--tls") {
            all.drain(..2);
        }
        all.extend(args);
        Launch::new(&all).through_shell(&format!("exec {} \"$@\"", self.entrance())).without_console().start()
    }

    /// Somebody on it who looks for rooms.
    #[track_caller]
    pub(crate) fn looker(&self) -> Looker {
        Looker::start(self.command(&program_named("rooms").display().to_string()))
    }

    /// A stranger on it who says what no room of ours does; see `tests/src/bin/neighbour.rs`.
    #[track_caller]
    pub(crate) fn neighbour(&self, args: &[&str]) -> Guest {
        let mut command = self.command(&program_named("neighbour").display().to_string());
        Guest::start(command.args(args))
    }

    /// Somebody with `nc` on it, who has come in at an address as `rooms` prints it.
    #[track_caller]
    pub(crate) fn joins(&self, address: &str, nick: &str) -> Guest {
        let (host, port) = address.rsplit_once(':').expect("an address has a port");
        let host = host.trim_matches(['[', ']']);
        let mut command = self.command("nc");
        let mut guest = Guest::start(command.args([host, port]));
        guest.types(nick);
        guest.expect(&format!("Welcome to parlor.local, {nick}"));
        guest
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// A program on a host that is typed at and read; killed on drop.
pub(crate) struct Guest {
    child: Child,
    said: Lines,
}

impl Guest {
    #[track_caller]
    fn start(command: &mut Command) -> Guest {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
        let said = Lines::drain(child.stdout.take().expect("asked for above"));
        Guest { child, said }
    }

    #[track_caller]
    pub(crate) fn types(&mut self, line: &str) {
        use std::io::Write as _;
        let stdin = self.child.stdin.as_mut().expect("it is piped");
        writeln!(stdin, "{line}").expect("the program reads");
    }

    #[track_caller]
    pub(crate) fn expect(&self, pattern: &str) -> String {
        let line = self.said.wait(pattern, parlor_tests::Deadline::after(crate::SOON));
        line.unwrap_or_else(|| panic!("never said {pattern:?}, only:\n{}", self.said.text()))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
