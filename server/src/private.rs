//! Files and folders that are one user's alone, and plain files that the operator names.
//!
//! On systems without Unix's owners and modes their folders' own rules count.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

#[cfg(unix)]
use rustix::fs::OFlags;
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};

/// Makes a folder with those above it, and closes it to others, whatever the umask; says whether it
/// was there and open to them.
pub fn make_folder(path: &Path) -> io::Result<bool> {
    let is_new = !path.exists();
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    builder.mode(0o700);
    builder.recursive(true).create(path)?;
    let found = fs::metadata(path)?;
    Ok(!is_foreign(&found) && close(path, &found, 0o700)? && !is_new)
}

/// Opens a plain file of a folder that is ours, in which no link is followed, and closes it to others.
pub fn open(path: &Path) -> io::Result<File> {
    // What the system says of a link tells nobody what is wrong.
    if fs::symlink_metadata(path)?.is_symlink() {
        return Err(io::Error::other("it is a link, and none is followed here"));
    }
    let found = opened(path, OpenOptions::new().read(true).write(true));
    found.or_else(|error| match error.kind() {
        // It can still be read.
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            opened(path, OpenOptions::new().read(true))
        }
        _ => Err(error),
    })
}

/// Opens a file in such a folder, or makes an empty one.
pub fn open_or_make(path: &Path) -> io::Result<File> {
    opened(path, OpenOptions::new().read(true).write(true).create(true))
}

/// Makes an empty file in such a folder, in place of whatever has its name.
pub fn replace(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => make(path),
    }
}

/// Makes a file that only its owner can read, whatever the umask; nothing may have its name.
pub fn make(path: &Path) -> io::Result<File> {
    opened(path, OpenOptions::new().read(true).write(true).create_new(true))
}

fn opened(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    options.mode(0o600).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    let file = options.open(path)?;
    let found = plain(&file)?;
    if is_foreign(&found) {
        return Err(io::Error::other("it belongs to another user"));
    }
    // Where modes cannot be changed there are none: the folder's own rules count.
    let _ = close(path, &found, 0o600);
    Ok(file)
}

/// Reads a file that the operator names, `most` bytes and, to tell a longer one, one more; its path may
/// lead through links. Never waits for a writer of a pipe or for a device: they are refused.
pub(crate) fn read_named(path: &Path, most: usize) -> io::Result<(Vec<u8>, Metadata)> {
    // Opened to be looked at, some devices would do something.
    if !fs::metadata(path)?.is_file() {
        return Err(no_plain_file());
    }
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let file = options.open(path)?;
    let found = plain(&file)?;
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes, found))
}

fn plain(file: &File) -> io::Result<Metadata> {
    let found = file.metadata()?;
    if found.is_file() { Ok(found) } else { Err(no_plain_file()) }
}

fn no_plain_file() -> io::Error {
    io::Error::other("it is a folder, a pipe or a device, no plain file")
}

/// Whether somebody else owns it than the user who runs this.
pub fn is_foreign(found: &Metadata) -> bool {
    #[cfg(unix)]
    return found.uid() != rustix::process::geteuid().as_raw();
    #[cfg(not(unix))]
    return found.file_type().is_symlink();
}

/// Whether others than its owner may read, write or enter it.
pub(crate) fn is_open_to_others(found: &Metadata) -> bool {
    #[cfg(unix)]
    return found.mode() & 0o077 != 0;
    #[cfg(not(unix))]
    return found.file_type().is_symlink();
}

/// Sets the mode, if it is another one; says whether others could do anything.
fn close(path: &Path, found: &Metadata, mode: u32) -> io::Result<bool> {
    #[cfg(unix)]
    if found.mode() & 0o777 != mode {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    }
    let _ = (path, mode);
    Ok(is_open_to_others(found))
}
