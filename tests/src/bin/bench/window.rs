//! The window: how soon it is there, and what it takes of the machine.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use parlor_tests::{Launch, Scratch, Server, program_named};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, ImageFormat};
use x11rb::rust_connection::RustConnection;

use crate::memory::read_until;
use crate::process::{resident, ticks};

/// Starts of which the median counts.
const STARTS: usize = 7;
/// How long each rate is kept up.
const SPELL: Duration = Duration::from_secs(5);
/// How long the text cursor blinks after the last key, and a little more.
const BLINKS_FOR: Duration = Duration::from_secs(11);
/// Steps of the wheel through a long past.
const STEPS: u32 = 300;
/// Lines that are sent at once at most.
const BATCH: u64 = 500;

/// An error that is a sentence.
fn other(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

/// A program that ends with this one.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A display without anything on it.
struct Display {
    server: Running,
    name: String,
    x11: RustConnection,
    root: u32,
}

impl Display {
    fn open() -> io::Result<Display> {
        let args = ["-displayfd", "1", "-noreset", "-screen", "0", "1100x720x24", "-nolisten", "tcp"];
        let spawned = Command::new("Xvfb").args(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut server = Running(spawned.map_err(|error| other(format!("Xvfb: {error}; apt install xvfb")))?);
        let mut number = String::new();
        if let Some(stdout) = server.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut number)?;
        }
        let name = format!(":{}", number.trim());
        let (x11, screen) = x11rb::connect(Some(&name)).map_err(other)?;
        let root =
            x11.setup().roots.get(screen).map(|screen| screen.root).ok_or_else(|| other("no screen"))?;
        Ok(Display { server, name, x11, root })
    }

    /// Whether something is painted in the middle of the display, which begins black.
    fn painted(&self) -> io::Result<bool> {
        let all = !0;
        let pixel =
            self.x11.get_image(ImageFormat::Z_PIXMAP, self.root, 540, 30, 1, 1, all).map_err(other)?;
        Ok(pixel.reply().map_err(other)?.data.iter().take(3).any(|value| *value != 0))
    }

    fn client(&self, config: &Scratch, args: &[&str]) -> io::Result<Running> {
        let mut command = Command::new(program_named("client"));
        command.args(args).arg("--config").arg(config.path()).env("DISPLAY", &self.name);
        command.env_remove("WAYLAND_DISPLAY").env_remove("DBUS_SESSION_BUS_ADDRESS").stderr(Stdio::null());
        command.spawn().map(Running)
    }
}

/// Measures the window, and with `hexchat` that one beside it in the same room.
pub(crate) fn measure(hexchat: bool) -> io::Result<()> {
    println!("| what | measured |\n| --- | --- |");
    println!("| program, bytes | {} |", fs::metadata(program_named("client"))?.len());
    println!("| from exec to the first painted frame, ms, median of {STARTS} | {} |", first_frame()?);

    let server = Launch::new(&["--bind", "127.0.0.1:0", "--flood", "off"]).without_console().start();
    let display = Display::open()?;
    let config = Scratch::new();
    let client = display.client(&config, &[&server.address().to_string(), "--name", "alice"])?;
    server.wait_log("joined: alice from * to #lobby");
    let process = client.0.id();
    let mut feeder = Feeder::join(server.address())?;
    quiet(process)?;
    println!("| resident in an empty room, KB | {} |", resident(process)?);
    // The text cursor blinks until nobody has typed for a while.
    sleep(BLINKS_FOR);
    let before = ticks(process)?;
    sleep(Duration::from_secs(20));
    println!("| CPU while nothing happens, over 20 s, ms | {} |", (ticks(process)? - before) * 10);
    let other = if hexchat { Some(HexChat::start(&server)?) } else { None };
    for rate in [10, 100, 1_000, 10_000] {
        if let Some(hexchat) = &other {
            quiet(hexchat.process)?;
        }
        let both = || Ok::<_, io::Error>([ticks(process)?, ticks(display.server.0.id())?]);
        let before = (both()?, other.as_ref().map(HexChat::ticks).transpose()?);
        feeder.feed(rate, rate * SPELL.as_secs())?;
        let after = (both()?, other.as_ref().map(HexChat::ticks).transpose()?);
        let percent = |before: u64, after: u64| (after - before) as f64 / SPELL.as_secs_f64();
        let told = |name: &str, before: [u64; 2], after: [u64; 2]| {
            let [own, x11] = [0, 1].map(|i| percent(before[i], after[i]));
            println!(
                "| CPU{name} at {rate} lines a second, % of a core | {own:.1}, and its X server {x11:.1} |"
            );
        };
        told("", before.0, after.0);
        if let (Some(before), Some(after)) = (before.1, after.1) {
            told(" of HexChat", before, after);
        }
        quiet(process)?;
    }
    // Each with a window of its own, so that nothing is left of what was measured before.
    for total in [1_000, 10_000, 100_000] {
        let config = Scratch::new();
        let display = Display::open()?;
        let name = format!("reader{total}");
        let client = display.client(&config, &[&server.address().to_string(), "--name", &name])?;
        server.wait_log(&format!("joined: {name} from * to #lobby"));
        feeder.feed(5_000, total)?;
        quiet(client.0.id())?;
        println!("| resident with {total} lines, KB | {} |", resident(client.0.id())?);
        let step = scroll(&display, client.0.id())?;
        println!("| CPU of a step up of the wheel through {total} lines, ms | {step:.2} |");
    }
    Ok(())
}

/// Another program for the same, on a display of its own.
struct HexChat {
    display: Display,
    process: u32,
    _config: Scratch,
    _running: Running,
}

impl HexChat {
    /// In the same room. It refuses to run as root, so whoever is root runs it as `nobody`.
    fn start(server: &Server) -> io::Result<HexChat> {
        let (display, config) = (Display::open()?, Scratch::new());
        let settings = "irc_nick1 = hexer\nirc_nick2 = hexer2\nirc_nick3 = hexer3\nirc_user_name = hexer\n\
            irc_real_name = hexer\ngui_slist_skip = 1\ngui_win_width = 1080\ngui_win_height = 720\n";
        fs::write(config.path().join("hexchat.conf"), settings)?;
        fs::set_permissions(config.path(), fs::Permissions::from_mode(0o777))?;
        let url = format!("--url=irc://{}/lobby", server.address());
        let mut args = vec!["dbus-run-session", "--", "hexchat", "--cfgdir"];
        let folder = config.path().to_str().ok_or_else(|| other("a folder of no text"))?;
        args.extend([folder, &url]);
        if fs::metadata("/proc/self")?.uid() == 0 {
            args.splice(0..0, ["runuser", "-u", "nobody", "--"]);
        }
        let mut command = Command::new(args[0]);
        command.args(&args[1..]).env("DISPLAY", &display.name).env("HOME", folder);
        command.env_remove("WAYLAND_DISPLAY").stdout(Stdio::null()).stderr(Stdio::null());
        let running = command.spawn().map(Running);
        let running =
            running.map_err(|error| other(format!("{}: {error}; apt install hexchat dbus", args[0])))?;
        server.wait_log("joined: hexer from * to #lobby");
        let process = named("hexchat").ok_or_else(|| other("hexchat has ended"))?;
        Ok(HexChat { display, process, _config: config, _running: running })
    }

    fn ticks(&self) -> io::Result<[u64; 2]> {
        Ok([ticks(self.process)?, ticks(self.display.server.0.id())?])
    }
}

/// The youngest process of a program.
fn named(program: &str) -> Option<u32> {
    let all = fs::read_dir("/proc").ok()?.flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers
        .filter(|id| fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.trim() == program))
        .max()
}

fn first_frame() -> io::Result<u128> {
    let mut taken = Vec::new();
    for _ in 0..STARTS {
        let display = Display::open()?;
        let config = Scratch::new();
        #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
        let started = Instant::now();
        let _client = display.client(&config, &[])?;
        while !display.painted()? {
            if started.elapsed() > Duration::from_secs(20) {
                return Err(other("no frame within 20 s"));
            }
        }
        taken.push(started.elapsed().as_millis());
    }
    taken.sort_unstable();
    Ok(taken[STARTS / 2])
}

/// Scrolls back and forth, and says what CPU time (ms) one step up of the wheel took the cheapest time.
fn scroll(display: &Display, process: u32) -> io::Result<f64> {
    let repeat = STEPS.to_string();
    let turn = |button: &str| {
        let before = ticks(process)?;
        let args = ["mousemove", "540", "300", "click", "--repeat", &repeat, "--delay", "20", button];
        let done = Command::new("xdotool").args(args).env("DISPLAY", &display.name).status();
        done.map_err(|error| other(format!("xdotool: {error}; apt install xdotool")))?;
        quiet(process)?;
        Ok::<_, io::Error>(ticks(process)? - before)
    };
    let mut least = u64::MAX;
    for _ in 0..3 {
        least = least.min(turn("4")?);
        turn("5")?;
    }
    Ok(least as f64 * 10.0 / f64::from(STEPS))
}

/// Waits until a process has had nothing to do for a second.
fn quiet(process: u32) -> io::Result<()> {
    let mut before = ticks(process)?;
    loop {
        sleep(Duration::from_secs(1));
        let now = ticks(process)?;
        if now - before <= 1 {
            return Ok(());
        }
        before = now;
    }
}

/// Somebody who talks.
struct Feeder {
    stream: TcpStream,
    said: u64,
}

impl Feeder {
    fn join(server: std::net::SocketAddr) -> io::Result<Feeder> {
        let mut stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"CAP REQ no-implicit-names\r\nNICK feeder\r\nUSER f 0 * :f\r\nCAP END\r\n")?;
        read_until(&mut stream, " 422 ")?;
        stream.write_all(b"JOIN #lobby\r\n")?;
        read_until(&mut stream, "JOIN #lobby")?;
        Ok(Feeder { stream, said: 0 })
    }

    /// Says so many lines of 20 to 300 characters, evenly at a rate a second.
    fn feed(&mut self, rate: u64, lines: u64) -> io::Result<()> {
        #[expect(clippy::disallowed_methods, reason = "a bench keeps real time")]
        let started = Instant::now();
        let batch = (rate / 100).clamp(1, BATCH);
        let mut sent = 0;
        while sent < lines {
            let mut block = String::new();
            for _ in 0..batch.min(lines - sent) {
                block += &self.line();
                sent += 1;
            }
            self.stream.write_all(block.as_bytes())?;
            let due = started + Duration::from_micros(1_000_000 * sent / rate);
            #[expect(clippy::disallowed_methods, reason = "a bench keeps real time")]
            sleep(due.saturating_duration_since(Instant::now()));
        }
        Ok(())
    }

    fn line(&mut self) -> String {
        self.said += 1;
        let length = 20 + (self.said * 97 % 281) as usize;
        // A tenth is in Chinese or has emoji.
        let (word, size) = match self.said % 20 {
            0 => ("今天天气很好。", 7),
            10 => ("fine 🎉 ", 7),
            _ => ("several words more ", 19),
        };
        let mut text: String = word.repeat(length / size + 1).chars().take(length).collect();
        text.truncate(text.floor_char_boundary(380));
        format!("PRIVMSG #lobby :{} {text}\r\n", self.said)
    }
}
