//! The folder for what a person receives or saves: the one that the settings name, else the person's own for
//! downloads; and names in it that nothing has yet.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy, choose_base_strategy};
use parlor_server::private;

use crate::file_name::{clean, numbered};

/// What XDG's file calls it (xdg-user-dirs).
const NAME: &str = "XDG_DOWNLOAD_DIR";
/// Files of one name that are told apart by a number.
const SAME_NAME: u32 = 1_000;

/// Where files go; `named`: as it is typed in the settings, perhaps not at all.
pub fn downloads(named: &str) -> PathBuf {
    let home = etcetera::home_dir().unwrap_or_else(|_| std::env::temp_dir());
    match named.trim() {
        "" => usual(&home),
        named => typed(named, &home),
    }
}

/// A file or folder as people type it: `~/x`, `"x y"`, `file:///x`; what begins nowhere else begins at home.
pub fn typed(path: &str, home: &Path) -> PathBuf {
    let path = path.trim();
    let bare = path.strip_prefix('"').and_then(|path| path.strip_suffix('"')).unwrap_or(path);
    if let Some(path) = from_uri(bare) {
        return path;
    }
    match bare.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with(['/', '\\']) => {
            home.join(rest.trim_start_matches(['/', '\\']))
        }
        _ => home.join(bare),
    }
}

/// The file that a `file:` address names (RFC 8089), on this computer.
pub fn from_uri(uri: &str) -> Option<PathBuf> {
    let path = uri.strip_prefix("file://")?;
    let path = path.strip_prefix("localhost").unwrap_or(path);
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = if *first == b'%' { after.split_at_checked(2) } else { None };
        let code = escaped.and_then(|(digits, _)| {
            let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
            u8::from_str_radix(digits, 16).ok()
        });
        match (code, escaped) {
            (Some(byte), Some((_, behind))) => {
                bytes.push(byte);
                rest = behind;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    let path = path_of(bytes)?;
    path.is_absolute().then_some(path)
}

#[cfg(unix)]
fn path_of(bytes: Vec<u8>) -> Option<PathBuf> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes)).map(|path: std::ffi::OsString| path.into())
}

#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> Option<PathBuf> {
    // Before a drive there is a slash more.
    String::from_utf8(bytes).ok().map(|path| path.trim_start_matches('/').into())
}

/// Makes a file there that nothing is in the place of, and that only its owner reads: `lobby 2026-11-29.txt`, then
/// `lobby 2026-11-29 (2).txt`.
pub fn make(folder: &Path, called: &str, extension: &str) -> io::Result<(File, PathBuf)> {
    if !folder.exists() {
        private::make_folder(folder)?;
    }
    // What rooms are called on other servers is anything.
    let called = clean(&format!("{}.{extension}", called.replace(['/', '\\'], "-")));
    for number in 1..=SAME_NAME {
        let path = folder.join(numbered(&called, number));
        match private::make(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
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
    fn paths_are_typed_in_many_ways() {
        let home = Path::new("/home/me");
        for (text, path) in [
            ("/a/b c.jpg", "/a/b c.jpg"),
            (" \"/a/b c.jpg\" ", "/a/b c.jpg"),
            ("~/a", "/home/me/a"),
            ("~", "/home/me/"),
            ("~a", "/home/me/~a"),
            ("a.jpg", "/home/me/a.jpg"),
            ("file:///a/b%20c%C3%A9.jpg", "/a/b cé.jpg"),
            ("file://localhost/a%2", "/a%2"),
            ("file:///a%+5", "/a%+5"),
        ] {
            assert_eq!(typed(text, home), Path::new(path), "{text}");
        }
        assert_eq!(from_uri("file://elsewhere/a"), None);
        assert_eq!(from_uri("https://a.org"), None);
    }

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
