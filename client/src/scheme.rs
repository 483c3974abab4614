//! Links to rooms on this computer: that a click on one, in a browser or anywhere, opens Parlor. On macOS the bundle says so.

use std::io;
use std::path::Path;

/// What such links begin with.
pub const SCHEMES: [&str; 2] = ["irc", "ircs"];

/// Has them opened by this very program, for this person; `config`: the folder that this window was told to use.
///
/// # Errors
///
/// What the file system or the desktop's own tool says.
#[cfg(not(any(windows, target_os = "macos")))]
pub fn register(config: Option<&Path>) -> io::Result<()> {
    use std::fs;
    use std::process::{Command, Stdio};

    use etcetera::{BaseStrategy, choose_base_strategy};

    use crate::autostart::{command, exec};

    /// Not the package's, which another program may be of.
    const ENTRY: &str = "org.parlor.Parlor.links.desktop";

    let folder = choose_base_strategy().map_err(io::Error::other)?.data_dir().join("applications");
    let mime: String = SCHEMES.iter().map(|scheme| format!("x-scheme-handler/{scheme};")).collect();
    let text = format!(
        "[Desktop Entry]\nType=Application\nName=Parlor\nComment=A chat room\nIcon=org.parlor.Parlor\nExec={} %u\nTerminal=false\nNoDisplay=true\nMimeType={mime}\n",
        exec(&command(config, &[])?)
    );
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(ENTRY), text)?;
    // It knows each desktop's own way.
    let mut tool = Command::new("xdg-mime");
    tool.args(["default", ENTRY]).args(SCHEMES.map(|scheme| format!("x-scheme-handler/{scheme}")));
    let missing =
        |error: io::Error| io::Error::other(format!("xdg-mime (of xdg-utils) does not start: {error}"));
    let ran = tool.stdin(Stdio::null()).output().map_err(missing)?;
    let said = || io::Error::other(String::from_utf8_lossy(&ran.stderr).trim().to_owned());
    if ran.status.success() { Ok(()) } else { Err(said()) }
}

/// As above, in the registry.
///
/// # Errors
///
/// What its program says.
#[cfg(windows)]
pub fn register(config: Option<&Path>) -> io::Result<()> {
    use crate::autostart::{command, reg};

    // No path on Windows has a quotation mark in it.
    let words: Vec<String> = command(config, &[])?.iter().map(|word| format!("\"{word}\"")).collect();
    let open = format!("{} -- \"%1\"", words.join(" "));
    for scheme in SCHEMES {
        let key = format!(r"HKCU\Software\Classes\{scheme}");
        reg(&["add", &key, "/ve", "/d", "URL:IRC", "/f"])?;
        reg(&["add", &key, "/v", "URL Protocol", "/d", "", "/f"])?;
        reg(&["add", &format!(r"{key}\shell\open\command"), "/ve", "/d", &open, "/f"])?;
    }
    Ok(())
}

/// Only the bundle can.
///
/// # Errors
///
/// Always.
#[cfg(target_os = "macos")]
pub fn register(_: Option<&Path>) -> io::Result<()> {
    Err(io::Error::other("on macOS the app in the disk image does that when it is opened once"))
}
