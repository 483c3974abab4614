//! The folder for what a person saves, and names in it that nothing has yet.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use parlor_server::private;

/// Files of one name that are told apart by a number.
const SAME_NAME: u32 = 1_000;
/// Characters of a name.
const NAME: usize = 60;

/// The person's own: what the desktop says (`XDG_DOWNLOAD_DIR` of xdg-user-dirs), else `Downloads` at home.
/// `None`: there is no home.
pub fn folder() -> Option<PathBuf> {
    let home = etcetera::home_dir().ok()?;
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let dirs = config.unwrap_or_else(|| home.join(".config")).join("user-dirs.dirs");
    let said = std::fs::read_to_string(dirs).ok().and_then(|dirs| said(&dirs, &home));
    Some(said.unwrap_or_else(|| home.join("Downloads")))
}

/// What `user-dirs.dirs` says: a path below `$HOME`, or an absolute one. The home itself means none.
fn said(dirs: &str, home: &Path) -> Option<PathBuf> {
    let line = dirs.lines().rev().find_map(|line| line.trim().strip_prefix("XDG_DOWNLOAD_DIR="))?;
    let path = line.trim().trim_matches('"');
    let path = match path.strip_prefix("$HOME") {
        Some(rest) => home.join(rest.trim_start_matches('/')),
        None => PathBuf::from(path),
    };
    (path.is_absolute() && path != home).then_some(path)
}

/// Makes a file there that nothing is in the place of, and that only its owner reads: `lobby 2026-11-29.txt`, then
/// `lobby 2026-11-29 (2).txt`.
pub fn make(folder: &Path, called: &str, extension: &str) -> io::Result<(File, PathBuf)> {
    if !folder.exists() {
        private::make_folder(folder)?;
    }
    let called = sound(called);
    for number in 1..=SAME_NAME {
        let name = match number {
            1 => format!("{called}.{extension}"),
            more => format!("{called} ({more}).{extension}"),
        };
        let path = folder.join(name);
        match private::make(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// A name that every file system takes, whoever made it up.
fn sound(called: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '+');
    let name: String = called.chars().map(|c| if fits(c) { c } else { '-' }).take(NAME).collect();
    let name = name.trim_matches(|c: char| matches!(c, ' ' | '.' | '-'));
    if name.is_empty() { "transcript".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_desktop_says_where() {
        let home = Path::new("/home/alice");
        let of = |dirs: &str| said(dirs, home);
        assert_eq!(
            of("# a\nXDG_DOWNLOAD_DIR=\"$HOME/Téléchargements\"\n"),
            Some(home.join("Téléchargements"))
        );
        assert_eq!(of("XDG_DOWNLOAD_DIR=\"/mnt/big\""), Some("/mnt/big".into()));
        for none in
            ["XDG_DOWNLOAD_DIR=\"$HOME/\"", "XDG_DOWNLOAD_DIR=\"down\"", "XDG_MUSIC_DIR=\"$HOME/m\"", ""]
        {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn names_of_rooms_lead_out_of_no_folder() {
        for (called, name) in [
            ("lobby 2026-11-29", "lobby 2026-11-29"),
            ("../../etc/passwd", "etc-passwd"),
            ("C:\\con|a", "C--con-a"),
            ("音楽 +x", "音楽 +x"),
            ("...", "transcript"),
            ("a\u{202e}b\n", "a-b"),
        ] {
            assert_eq!(sound(called), name);
        }
        assert_eq!(sound(&"x".repeat(500)).len(), NAME);
    }
}
