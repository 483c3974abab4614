//! One direction: a module uses those before it in the map of `lib.rs`, and in a folder no two files
//! use each other.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the crate, each below those behind it.
const ORDER: &[&str] = &[
    "private", "protocol", "hub", "store", "charset", "lan", "cluster", "start", "tls", "reload", "peer",
    "archive", "accounts", "replica", "dispatch", "server", "console",
];
/// Folders without a circle of files.
const FOLDERS: &[&str] = &["store", "tls", "lan", "cluster", "start", "peer", "archive", "dispatch"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The files of a module, without those of tests.
fn files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.with_extension("rs")];
    }
    let entries =
        fs::read_dir(path).expect("a folder of the crate").map(|entry| entry.expect("an entry").path());
    let is_code = |path: &PathBuf| path.is_dir() || path.extension().is_some_and(|kind| kind == "rs");
    let code = entries.filter(|path| is_code(path) && !path.ends_with("tests"));
    code.flat_map(|path| files(&path)).collect()
}

/// The names that follow `prefix` in the code of a file, its tests and comments left out.
fn names(file: &Path, prefix: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let name = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    lines.flat_map(|line| line.split(prefix).skip(1).map(name)).collect()
}

#[test]
fn a_module_uses_only_those_before_it() {
    for (place, module) in ORDER.iter().enumerate() {
        for file in files(&source().join(module)) {
            for used in names(&file, "crate::") {
                let known = ORDER.iter().position(|known| *known == used);
                assert!(known.is_some_and(|known| known <= place), "{} uses {used}", file.display());
            }
        }
    }
}

#[test]
fn no_two_files_of_a_folder_use_each_other() {
    for folder in FOLDERS {
        let files = files(&source().join(folder));
        let stem = |file: &PathBuf| file.file_stem().expect("a name").to_string_lossy().into_owned();
        let mut left: BTreeMap<String, BTreeSet<String>> = files
            .iter()
            .filter(|file| !file.ends_with("mod.rs"))
            .map(|file| (stem(file), names(file, "super::")))
            .collect();
        assert!(left.len() > 1, "{folder} has moved");
        // Files that use none of those left go, until none is left or all that are left are a circle.
        while !left.is_empty() {
            let names: BTreeSet<String> = left.keys().cloned().collect();
            left.retain(|_, used| !used.is_disjoint(&names));
            assert!(left.len() < names.len(), "a circle in {folder}: {left:?}");
        }
    }
}
