//! What the architecture promises and no compiler checks: which part of the crate may name which.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crates that the pure folders may name, and the tool whose lints they name.
const CRATES: &[&str] = &["std", "core", "unicode_normalization", "memchr", "hmac_sha256", "clippy"];
/// Parts of std that would bring I/O or a clock in.
const BANNED: &[&str] = &["fs", "io", "thread", "process", "env", "os"];
const BANNED_TYPES: &[&str] = &["TcpStream", "TcpListener", "UdpSocket", "Instant", "SystemTime"];

/// The floors of the hub, the lowest first: a file names its own floor and those below. The longest
/// path that fits a file counts.
const FLOORS: &[&str] =
    &["state", "history/query", "delivery", "history", "change", "command", "speaker", ""];
/// What the floors above delivery may name of `hub/mod.rs`: they add methods to it.
const HUB: &str = "crate::hub::Hub";
const DELIVERY: usize = 2;

#[test]
fn protocol_and_hub_are_pure_and_the_hub_stands_on_floors() {
    let source = Source::of(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(source.files.len() > 40, "the folders have moved");
    let wrong = source.check();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The check must see each way to name what it forbids.
#[test]
fn the_check_can_fail() {
    let allowed = [
        ("hub/command/who", "use crate::hub::{Hub, state::{ConnectionId, room::{Room, RoomId}}};"),
        ("hub/state/room", "use super::ConnectionId; fn a() { std::mem::take(&mut u32::from(1)); }"),
        (
            "hub/state/room",
            "use crate::protocol::text; fn a() { text::pieces(\"store::Disk\") } // use crate::store;",
        ),
        ("hub/state/room", "#[cfg(test)] mod tests { use super::*; use crate::store::Disk; }"),
        ("protocol/name", "use super::text; pub(crate) use unicode_normalization::UnicodeNormalization;"),
    ];
    for (file, text) in allowed {
        assert_eq!(Source::with(file, text).check(), [] as [String; 0], "{file}: {text}");
    }
    let forbidden = [
        ("hub/state/room", "use crate::store;"),
        ("hub/state/room", "use super::super::super::store::Disk;"),
        ("hub/state/room", "use crate::{protocol::MsgId, store::Disk};"),
        (
            "hub/state/room",
            "pub(crate) use crate::{\n    protocol::MsgId,\n    hub::{\n        delivery::event::Event,\n    },\n};",
        ),
        ("hub/state/room", "fn a() { crate::store::open() }"),
        ("hub/state/room", "fn a() -> super::super::delivery::event::Event { }"),
        ("hub/state/room", "use crate::hub::Hub;"),
        ("hub/state/room", "use crate::hub::*;"),
        ("hub/delivery/event", "use crate::hub::command::page::Page;"),
        ("hub/delivery/event", "use crate::hub::Output;"),
        ("hub/delivery/event", "use crate::hub::Hub;"),
        ("hub/delivery/event", "use crate as all; use all::store::Disk;"),
        ("hub/change/talk", "use crate::hub::command;"),
        ("hub/command/who", "use crate::hub::speaker::plain;"),
        ("hub/state/room", "use std::{fmt, fs};"),
        ("hub/state/room", "use std::time::{Duration, Instant};"),
        ("hub/state/room", "fn a() { smol::block_on(async {}) }"),
        ("hub/state/room", "use smol::Timer;"),
        ("hub/state/room", "use smol;"),
        ("hub/state/room", "extern crate smol;"),
        ("protocol/name", "use crate::hub::Hub;"),
    ];
    for (file, text) in forbidden {
        assert_ne!(Source::with(file, text).check(), [] as [String; 0], "{file}: {text}");
    }
    let mut circle = Source::with("hub/state/room", "use crate::hub::state::member::Member;");
    circle.files.insert("hub/state/member".into(), "use super::modes::Mode;".into());
    circle.files.insert("hub/state/modes".into(), "fn a(of: crate::hub::state::room::Room) {}".into());
    assert_eq!(circle.check().len(), 1, "{:?}", circle.check());
}

/// The text of the pure folders by module: `hub/state/room`, or `hub/state/mod`.
#[derive(Default)]
struct Source {
    files: BTreeMap<String, String>,
}

impl Source {
    fn of(root: &Path) -> Source {
        let source = root.join("src");
        let files = [source.join("protocol"), source.join("hub")].into_iter().flat_map(|path| files(&path));
        let read = |path: PathBuf| {
            let name = path.with_extension("").strip_prefix(&source).ok()?.to_str()?.replace('\\', "/");
            Some((name, fs::read_to_string(path).ok()?))
        };
        Source { files: files.filter_map(read).filter(|(name, _)| !name.contains("/tests/")).collect() }
    }

    /// One file, among empty ones that it may name.
    fn with(file: &str, text: &str) -> Source {
        let names = [
            "protocol/mod",
            "protocol/text",
            "hub/mod",
            "hub/state/mod",
            "hub/state/room",
            "hub/delivery/mod",
            "hub/delivery/event",
            "hub/history/query",
            "hub/change/mod",
            "hub/command/mod",
            "hub/command/page",
            "hub/speaker/mod",
            "hub/speaker/plain",
        ];
        let mut files: BTreeMap<String, String> = names.map(|name| (name.into(), String::new())).into();
        files.insert(file.into(), text.into());
        Source { files }
    }

    /// What is wrong, a sentence each.
    fn check(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (file, text) in &self.files {
            let paths = paths(file, text);
            for path in &paths {
                match self.judge(file, path) {
                    Ok(Some(other)) if other != file => {
                        names.entry(file).or_default().insert(other);
                    }
                    Ok(_) => {}
                    Err(why) => wrong.push(format!("{file}: {} ({why})", path.join("::"))),
                }
            }
        }
        wrong.extend(circles(&names));
        wrong
    }

    /// The file of the pure folders that a path leads into, if any; or why it must not be named.
    fn judge<'a>(&'a self, file: &str, path: &[String]) -> Result<Option<&'a str>, String> {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        match words[..] {
            ["std" | "core", part, ..] if BANNED.contains(&part) => return Err("no I/O here".into()),
            ["std" | "core", .., last] if BANNED_TYPES.contains(&last) => {
                return Err("no I/O and no clock".into());
            }
            [root, ..] if root != "crate" => {
                let known = CRATES.contains(&root);
                return if known { Ok(None) } else { Err(format!("what is {root}?")) };
            }
            _ => {}
        }
        let Some(other) = self.file_of(&words[1..]) else { return Err("outside protocol and hub".into()) };
        let (from, to) = (file.starts_with("hub/"), other.starts_with("hub/"));
        if to && !from {
            return Err("the wire knows no hub".into());
        }
        if to {
            let (own, named) = (floor(file), floor(other));
            let hub = path.join("::") == HUB && own > DELIVERY;
            if named > own && !hub {
                return Err(format!("{other} is above"));
            }
        }
        Ok(Some(other))
    }

    /// The file that a path within the crate leads into.
    fn file_of(&self, path: &[&str]) -> Option<&str> {
        (1..=path.len()).rev().find_map(|end| {
            let module = path[..end].join("/");
            let file = self.files.get_key_value(&module);
            file.or_else(|| self.files.get_key_value(&format!("{module}/mod"))).map(|(name, _)| name.as_str())
        })
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the crate");
    let entries = entries.map(|entry| entry.expect("an entry of it").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn floor(file: &str) -> usize {
    let path = file.strip_prefix("hub/").unwrap_or(file);
    let fits = |floor: &&str| path == *floor || floor.is_empty() || path.starts_with(&format!("{floor}/"));
    let longest = FLOORS.iter().filter(|floor| fits(floor)).max_by_key(|floor| floor.len());
    FLOORS.iter().position(|floor| Some(floor) == longest).unwrap_or_default()
}

/// Files of the hub that name each other, over however many others. What a folder's own `mod.rs` declares
/// belongs to all of it: that is no circle.
fn circles(names: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let own = |file: &str, other: &str| {
        let folder = |file: &str| file.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let module = |file: &str| file.strip_suffix("/mod").map(str::to_owned);
        folder(file) == module(other) || module(file) == folder(other) || other == "hub/mod"
    };
    let next = |file: &str| names.get(file).into_iter().flatten().copied().collect::<Vec<&str>>();
    let reached = |from: &str| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = next(from).into_iter().filter(|other| !own(from, other)).collect();
        while let Some(file) = open.pop() {
            if seen.insert(file) {
                open.extend(next(file).into_iter().filter(|other| !own(file, other)));
            }
        }
        seen
    };
    let hub = names.keys().copied().filter(|file| file.starts_with("hub/"));
    let circle: Vec<&str> = hub.filter(|file| reached(file).contains(file)).collect();
    if circle.is_empty() { Vec::new() } else { vec![format!("a circle: {}", circle.join(", "))] }
}

/// The paths that a file names, in `use` and in code, from the root of their crate. Not those of its
/// tests.
fn paths(file: &str, text: &str) -> Vec<Vec<String>> {
    let tokens = tokens(text);
    let own: Vec<String> = file.trim_end_matches("/mod").split('/').map(Into::into).collect();
    let mut found = Vec::new();
    let mut local: BTreeSet<String> = BTreeSet::new();
    let mut at = 0;
    let mut code = Vec::new();
    while at < tokens.len() {
        let rest = &tokens[at..];
        let is = |words: &[&str]| rest.iter().zip(words).filter(|(a, b)| a == b).count() == words.len();
        if is(&["#", "[", "cfg", "(", "test", ")", "]", "mod"]) {
            at += block(rest);
        } else if is(&["extern", "crate"]) {
            found.push(vec![rest.get(2).cloned().unwrap_or_default()]);
            at += 3;
        } else if is(&["use"]) {
            let end = rest.iter().position(|token| token == ";").unwrap_or(rest.len());
            expand(&rest[1..end], &[], &mut found, &mut local);
            at += end;
        } else {
            if is(&["mod"]) && rest.get(2).is_some_and(|token| token == ";" || token == "{") {
                local.insert(rest[1].clone());
            }
            code.push(at);
            at += 1;
        }
    }
    for at in code {
        let start = at == 0 || tokens[at - 1] != "::" && tokens[at - 1] != ".";
        if start && is_word(&tokens[at]) && tokens.get(at + 1).is_some_and(|token| token == "::") {
            let words = tokens[at..].chunks(2).take_while(|pair| is_word(&pair[0]));
            let mut path = Vec::new();
            for pair in words {
                path.push(pair[0].clone());
                if pair.get(1).is_none_or(|token| token != "::") {
                    break;
                }
            }
            let first = path[0].as_str();
            let primitive = ["u8", "u16", "u32", "u64", "u128", "usize", "i64", "f64", "bool", "char", "str"];
            let known = local.contains(first) || primitive.contains(&first);
            if !known && first.starts_with(|c: char| c.is_ascii_lowercase()) {
                found.push(path);
            }
        }
    }
    let absolute = |mut path: Vec<String>| {
        let mut base = own.clone();
        match path[0].as_str() {
            "super" => {
                while path.first().is_some_and(|word| word == "super") {
                    path.remove(0);
                    base.pop();
                }
            }
            "self" => drop(path.remove(0)),
            first if local_module(file, first, text) => {}
            _ => return path,
        }
        [vec!["crate".to_owned()], base, path].concat()
    };
    found.into_iter().filter(|path| !path.is_empty()).map(absolute).collect()
}

/// Whether a file declares a module of this name.
fn local_module(file: &str, name: &str, text: &str) -> bool {
    file.ends_with("/mod") && tokens(text).windows(3).any(|three| three == ["mod", name, ";"])
}

/// The leaves of a `use` tree; what is left behind it.
fn expand<'a>(
    mut tree: &'a [String],
    stem: &[String],
    found: &mut Vec<Vec<String>>,
    local: &mut BTreeSet<String>,
) -> &'a [String] {
    let mut path = stem.to_vec();
    while let [token, rest @ ..] = tree {
        match token.as_str() {
            "," | "}" => break,
            "{" => {
                tree = rest;
                while !matches!(tree, [] | [_]) && tree[0] != "}" {
                    tree = expand(tree, &path, found, local);
                    tree = tree.strip_prefix(&[",".to_owned()]).unwrap_or(tree);
                }
                return tree.get(1..).unwrap_or_default();
            }
            "as" => local.extend(rest.first().cloned()),
            "::" => {}
            "self" if !path.is_empty() => {}
            word if tree.len() < 2 || path.is_empty() || is_word(word) || word == "*" => {
                path.push(word.into())
            }
            _ => {}
        }
        tree = rest;
    }
    if path.len() > 1 {
        local.extend(path.last().cloned());
    }
    found.push(path);
    tree
}

/// How many tokens an item with a block takes.
fn block(tokens: &[String]) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => depth += 1,
            "}" if depth == 1 => return i + 1,
            "}" => depth -= 1,
            ";" if depth == 0 => return i + 1,
            _ => {}
        }
    }
    tokens.len()
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words, `::` and single signs, without comments, texts and characters.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else if first == '"' {
            quoted(rest)
        } else if first == '\'' {
            // A character, or a lifetime.
            let mut chars = rest.char_indices().skip(1);
            match (chars.next(), chars.next()) {
                (Some((_, '\\')), _) => 2 + rest[2..].find('\'').map_or(0, |end| end.max(1) + 1),
                (_, Some((end, '\''))) => end + 1,
                _ => 1,
            }
        } else if is_word(rest) {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(rest[..end].to_owned());
            end
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[skip.max(1)..];
    }
    tokens
}

/// The bytes of a text in quotes.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return i + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
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
