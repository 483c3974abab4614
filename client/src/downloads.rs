//! The folder for what a person receives or saves: the one that the settings name, else the person's own for
//! downloads; and names in it that nothing has yet.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy, choose_base_strategy};
use parlor_server::private;

use crate::file_name::{clean, numbered};
use crate::path::typed;

/// What XDG's file calls it (xdg-user-dirs).
const NAME: &str = "XDG_DOWNLOAD_DIR";
/// Files of one name that are told apart by a number.
pub(crate) const SAME_NAME: u32 = 1_000;

/// Where files go; `named`: as it is typed in the settings, perhaps not at all.
pub fn downloads(named: &str) -> PathBuf {
    let home = etcetera::home_dir().unwrap_or_else(|_| std::env::temp_dir());
    match named.trim() {
        "" => usual(&home),
        named => typed(named, &home),
    }
}

/// Makes a file there that nothing is in the place of, and that only its owner reads: `lobby 2026-11-29.txt`, then
/// `lobby 2026-11-29 (2).txt`.
pub fn make(folder: &Path, called: &str, extension: &str) -> io::Result<(File, PathBuf)> {
    // What rooms are called on other servers is anything.
    let called = clean(&format!("{}.{extension}", called.replace(['/', '\\'], "-")));
    free(folder, &called, private::make)
}

/// Makes a file of this [clean] name, or of the first one with a number, for which `make` does not find that there is one.
pub(crate) fn free(
    folder: &Path,
    name: &str,
    make: impl Fn(&Path) -> io::Result<File>,
) -> io::Result<(File, PathBuf)> {
    if !folder.exists() {
        private::make_folder(folder)?;
    }
    for number in 1..=SAME_NAME {
        let path = folder.join(numbered(name, number));
        match make(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|file| (file, path)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn usual(home: &Path) -> PathBuf {
    let config = choose_base_strategy().ok().map(|strategy| strategy.config_dir());
    let file = config.and_then(|config| std::fs::read_to_string(config.join("user-dirs.dirs")).ok());
    file.and_then(|text| named_in(&text, home)).unwrap_or_else(|| home.join("Downloads"))
}

/// `XDG_DOWNLOAD_DIR="$HOME/…"`, or an absolute path; home itself says that there is none.
fn named_in(text: &str, home: &Path) -> Option<PathBuf> {
    let value =
        text.lines().rev().find_map(|line| line.trim().strip_prefix(NAME)?.trim_start().strip_prefix('='))?;
    let value = value.trim().trim_matches('"');
    let folder = match value.strip_prefix("$HOME") {
        Some(rest) => home.join(rest.trim_start_matches('/')),
        None => PathBuf::from(value),
    };
    (folder.is_absolute() && folder != home).then_some(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_desktop_says_where_downloads_go() {
        let home = Path::new("/home/me");
        let of = |line: &str| named_in(&format!("# x\nXDG_DESKTOP_DIR=\"$HOME/Desktop\"\n{line}\n"), home);
        assert_eq!(of("XDG_DOWNLOAD_DIR=\"$HOME/下载\""), Some("/home/me/下载".into()));
        assert_eq!(of("XDG_DOWNLOAD_DIR=\"/data/in\""), Some("/data/in".into()));
        assert_eq!(of("XDG_DOWNLOAD_DIR=\"$HOME/\""), None);
        assert_eq!(of("#XDG_DOWNLOAD_DIR=\"$HOME/x\""), None);
        assert_eq!(downloads("/srv/in"), Path::new("/srv/in"));
    }
}
