//! Asks the linker to pack the shipped program's relocations, where it can.
//!
//! A program that may be loaded anywhere has a list of the 30,000 addresses in it: 0.7 MB, all of
//! it read at each start and counted as resident from then on. Packed it is 9 KB. Older linkers
//! and C libraries (before glibc 2.36) refuse, so a program of one line is tried first.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

const PACKED: &str = "-Clink-arg=-Wl,-z,pack-relative-relocs";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|is| is == value);
    let own = env::var("HOST") == env::var("TARGET");
    if own && is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") && links_and_runs() {
        println!("cargo::rustc-link-arg-bins={}", PACKED.trim_start_matches("-Clink-arg="));
    }
}

/// Whether a program linked like this is made, and starts here.
fn links_and_runs() -> bool {
    let (Ok(folder), Ok(rustc)) = (env::var("OUT_DIR"), env::var("RUSTC")) else { return false };
    let (source, program) = (Path::new(&folder).join("probe.rs"), Path::new(&folder).join("probe"));
    if std::fs::write(&source, "fn main() {}\n").is_err() {
        return false;
    }
    let mut compile = Command::new(rustc);
    compile.arg(&source).arg("-o").arg(&program).arg(PACKED);
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        compile.arg(format!("-Clinker={linker}"));
    }
    if let Ok(flags) = env::var("CARGO_ENCODED_RUSTFLAGS") {
        compile.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    }
    let quiet = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    quiet(&mut compile) && quiet(&mut Command::new(program))
}
