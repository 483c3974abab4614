//! What a test cannot do without, and what becomes of it where that is missing: it is left out, and says so at the end of
//! the run; under CI (`CI` is set) what could have been installed fails instead.

use std::io::Write;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::{env, thread};

/// A program or the path of a file, and the Debian package that has it.
pub type Installed = (&'static str, &'static str);

/// The `nc` that ends after `-N`.
pub const NC: Installed = ("nc", "netcat-openbsd");
/// A display without a screen, somebody who types on it, and pictures of it.
pub const DISPLAY: &[Installed] = &[("Xvfb", "xvfb"), ("xdotool", "xdotool"), ("import", "imagemagick")];
/// Somebody who gives windows title bars.
pub const MANAGER: &[Installed] = &[("openbox", "openbox")];
/// The fonts that the kept pictures are drawn with.
pub const FONTS: &[Installed] = &[
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "fonts-dejavu-core"),
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "fonts-noto-cjk"),
];
/// A session bus, and what is said on it.
pub const BUS: &[Installed] = &[("dbus-daemon", "dbus-daemon"), ("dbus-monitor", "dbus-bin")];

/// Why a test is left out.
#[derive(Debug, Clone, Copy)]
pub enum Lack<'a> {
    /// Of something that Debian has in this package. Under CI that is a failure.
    Package(&'a str),
    /// Of a program that Debian has not.
    NotInDebian(&'a str),
    /// Of what the kernel, the container or the network forbids.
    Forbidden(&'a str),
}

/// Whether all of these are installed; else the caller's test ends here.
///
/// # Panics
/// If one is missing under CI.
#[must_use]
#[track_caller]
pub fn have(all: &[Installed]) -> bool {
    let missing = all.iter().filter(|(name, _)| find(name).is_none()).map(|(_, package)| *package);
    let missing: Vec<&str> = missing.collect();
    if !missing.is_empty() {
        skip(Lack::Package(&missing.join(" ")));
    }
    missing.is_empty()
}

/// Where a program is: in the path, or where Debian has those of administrators.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    // A path from the root stays what it is.
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Leaves the calling test out: its caller returns.
///
/// # Panics
/// Under CI, if it could have been installed.
#[track_caller]
pub fn skip(lack: Lack<'_>) {
    let why = match lack {
        Lack::Package(package) => format!("apt install {package}"),
        Lack::NotInDebian(program) => format!("{program} is not installed"),
        Lack::Forbidden(why) => why.to_owned(),
    };
    let ci = env::var_os("CI").is_some_and(|ci| !ci.is_empty());
    assert!(!(ci && matches!(lack, Lack::Package(_))), "left out, which CI does not allow: {why}");
    let thread = thread::current();
    say(&format!("skipped: {}: {why}\n", thread.name().unwrap_or("a test")));
}

/// Says a line when this program has ended: libtest shows nothing of a test that passes, and the last line is what is read.
fn say(line: &str) {
    /// `sort` writes when its input ends, and its input ends with this program.
    static LATER: LazyLock<Mutex<Option<ChildStdin>>> = LazyLock::new(|| {
        let sort = Command::new("sort").arg("-u").stdin(Stdio::piped()).spawn();
        Mutex::new(sort.ok().and_then(|mut sort| sort.stdin.take()))
    });
    let mut later = LATER.lock().unwrap_or_else(PoisonError::into_inner);
    let said = later.as_mut().is_some_and(|later| later.write_all(line.as_bytes()).is_ok());
    if !said {
        // Not captured as `eprint` is; where even that fails there is nobody to read it.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}
