//! What the architecture promises and no compiler checks.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders that stay without socket, clock and executor, and what they may use.
const PURE: &[&str] = &["src/protocol", "src/hub"];
const ALLOWED: &[&str] = &["std", "crate", "super", "self", "unicode_normalization", "memchr"];
/// Parts of std that would bring I/O or a clock in.
const BANNED: &[&str] =
    &["std::fs", "std::io", "std::thread", "std::process", "std::env", "TcpStream", "Instant", "SystemTime"];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the crate");
    let entries = entries.map(|entry| entry.expect("an entry of it").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn protocol_and_hub_are_pure() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<PathBuf> = PURE.iter().flat_map(|folder| files(&root.join(folder))).collect();
    assert!(files.len() > 20, "the folders have moved");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let used = line.strip_prefix("pub use ").or(line.strip_prefix("use "));
            if let Some(path) = used
                && path.contains("::")
                && path.chars().next().is_some_and(char::is_lowercase)
            {
                let root = path.split("::").next().unwrap_or_default();
                let own =
                    file.with_file_name(format!("{root}.rs")).exists() || file.with_file_name(root).is_dir();
                assert!(own || ALLOWED.contains(&root), "{}: {line}", file.display());
            }
            let banned = BANNED.iter().find(|banned| line.contains(**banned));
            assert!(banned.is_none(), "{}: {line}", file.display());
        }
    }
}

#[test]
fn the_server_stays_small_to_build() {
    let args = ["tree", "-p", "parlor-server", "-e", "normal", "--prefix", "none", "--locked"];
    let output = Command::new(env!("CARGO"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let mut crates: Vec<&str> = text.lines().filter_map(|line| line.split(" (*)").next()).collect();
    crates.sort_unstable();
    crates.dedup();
    assert!(crates.len() <= 50, "{} crates:\n{}", crates.len(), crates.join("\n"));
    for unwanted in ["tokio", "mio", "slint", "openssl-sys", "aws-lc-sys"] {
        assert!(!crates.iter().any(|name| name.starts_with(&format!("{unwanted} "))), "{unwanted} came in");
    }
}
