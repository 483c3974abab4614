//! A folder on a real disk, and what that disk is.

use std::path::{Path, PathBuf};
use std::{fs, io};

use parlor_tests::Scratch;

/// Bytes of a sector in the counters of a block device (Documentation/block/stat.rst of Linux).
const SECTOR: u64 = 512;
/// File systems that are memory.
const MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// See the [module](self). Removed on drop.
pub(super) struct Folder {
    scratch: Scratch,
    mount: Mount,
}

/// The file system that a path is on.
struct Mount {
    point: PathBuf,
    kind: String,
    /// `major:minor` of its device.
    device: String,
}

impl Folder {
    /// In the system's temporary folder, or beside this program if that one is memory.
    pub(super) fn on_a_disk() -> io::Result<Folder> {
        let beside = std::env::current_exe()?.parent().map(Path::to_owned).unwrap_or_default();
        for parent in [std::env::temp_dir(), beside] {
            let mount = Mount::of(&parent.canonicalize()?)?;
            if !MEMORY.contains(&&*mount.kind) {
                return Ok(Folder { scratch: Scratch::within(&parent), mount });
            }
        }
        Err(io::Error::other("no folder on a disk: set TMPDIR to one"))
    }

    pub(super) fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// Where it is, in words.
    pub(super) fn describe(&self) -> String {
        let parent = self.path().parent().unwrap_or(Path::new("/"));
        format!("{} on {}, device {}", parent.display(), self.mount.kind, self.mount.device)
    }

    /// Bytes that everybody has written to its device; `None` where the system does not say.
    pub(super) fn device_written(&self) -> Option<u64> {
        let stat = fs::read_to_string(format!("/sys/dev/block/{}/stat", self.mount.device)).ok()?;
        let sectors: u64 = stat.split_whitespace().nth(6)?.parse().ok()?;
        Some(sectors * SECTOR)
    }
}

impl Mount {
    /// The last of the longest mount points above `path`: what is mounted later lies on top.
    fn of(path: &Path) -> io::Result<Mount> {
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        let above = mounts.lines().filter_map(Mount::parse).filter(|mount| path.starts_with(&mount.point));
        above.max_by_key(|mount| mount.point.components().count()).ok_or_else(|| {
            io::Error::other(format!("/proc/self/mountinfo does not say what {} is on", path.display()))
        })
    }

    /// A line of mountinfo (proc_pid_mountinfo(5)): `36 35 98:0 /root /mnt options … - ext4 …`.
    fn parse(line: &str) -> Option<Mount> {
        let (head, tail) = line.split_once(" - ")?;
        let mut head = head.split(' ').skip(2);
        let (device, point) = (head.next()?.to_owned(), head.nth(1)?.into());
        Some(Mount { point, kind: tail.split(' ').next()?.to_owned(), device })
    }
}
