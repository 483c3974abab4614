//! A folder that lives as long as its test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use crate::Server;

/// An empty folder of its own, removed on drop.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes the folder below the system's temporary folder.
    #[must_use]
    pub fn new() -> Self {
        Self::within(&env::temp_dir())
    }

    /// Makes the folder below another one.
    #[must_use]
    pub fn within(parent: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("parlor-test-{}-{number}", process::id()));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&path).expect("the folder above is writable");
        Self(path)
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The full path of a file in it, as an argument for a command line.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Starts a server that keeps its history in this folder, and waits until it listens.
    #[track_caller]
    #[must_use]
    pub fn server(&self, args: &[&str]) -> Server {
        let folder = self.path().display().to_string();
        let mut all = vec!["--data", &folder];
        all.extend(args);
        Server::start(&all)
    }

    /// Writes a file with the usual permissions and returns its full path.
    #[must_use]
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.file(name);
        fs::write(&path, content).expect("the temporary folder is writable");
        path
    }

    /// Writes a file that only its owner can read (mode 0600 on Unix) and returns its full path.
    #[must_use]
    pub fn write_secret(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.write(name, content);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
        }
        path
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A leftover folder is no reason to fail a test that has passed.
        let _ = fs::remove_dir_all(&self.0);
    }
}
