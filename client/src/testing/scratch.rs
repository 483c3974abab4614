//! A folder that lives as long as its test.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// An empty folder of its own, removed on drop.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Default for Scratch {
    /// # Panics
    /// If the system's folder for such files cannot be written to.
    fn default() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("parlor-client-{}-{number}", process::id()));
        // One of an earlier process with the same number may be left.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the folder for temporary files can be written to");
        Scratch(path)
    }
}

impl Deref for Scratch {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder that is left is no reason to fail a test that has passed.
        let _ = fs::remove_dir_all(&self.0);
    }
}
