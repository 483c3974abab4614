//! Paths as people and addresses write them.

use std::path::{Path, PathBuf};

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
}
