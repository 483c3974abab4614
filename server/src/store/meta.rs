//! `meta`: which store this is, and how often it was opened.

use std::io;

use super::StoreError;
use super::crc::crc32c;
use super::disk::Disk;
use super::frame::Fields;
use super::log::UNFINISHED;
use crate::protocol::MsgId;

/// The file's name.
pub(super) const META: &str = "meta";
/// The format that this version writes.
pub(super) const SCHEMA: u32 = 1;
/// Starts the file, whatever the format.
const MAGIC: &[u8; 8] = b"ParlorM1";
/// Bytes of the file.
const SIZE: usize = 36;

/// See the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) schema: u32,
    pub(super) boot: u32,
    pub(super) secret: [u8; 16],
}

impl Meta {
    /// Reads it; `None` = there is none. A newer format is refused.
    pub(super) fn read(disk: &dyn Disk) -> Result<Option<Meta>, StoreError> {
        let failed = |error| StoreError::Io { path: disk.path(META), error };
        let file = match disk.open(META) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut bytes = [0; SIZE];
        let count = file.read_at(&mut bytes, 0).map_err(failed)?;
        let Some(rest) = bytes[..count].strip_prefix(MAGIC) else {
            return Err(StoreError::Foreign { file: disk.path(META) });
        };
        let decode = || {
            let mut fields = Fields(rest);
            let (schema, boot) = (fields.u32()?, fields.u32()?);
            let secret = fields.bytes(16)?.try_into().ok()?;
            (fields.u32()? == crc32c(0, &bytes[..SIZE - 4])).then_some(Meta { schema, boot, secret })
        };
        let meta = decode().ok_or_else(|| StoreError::damaged(disk, META, "it is not what was written"))?;
        if meta.schema > SCHEMA {
            let (found, known) = (meta.schema, SCHEMA);
            return Err(StoreError::Newer { folder: disk.path(""), found, known });
        }
        Ok(Some(meta))
    }

    /// Writes it in place of the old one; durable when it returns, and never half.
    pub(super) fn write(&self, disk: &dyn Disk) -> Result<(), StoreError> {
        let mut bytes = Vec::with_capacity(SIZE);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.schema.to_le_bytes());
        bytes.extend_from_slice(&self.boot.to_le_bytes());
        bytes.extend_from_slice(&self.secret);
        let sum = crc32c(0, &bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        let draft = format!("{META}{UNFINISHED}");
        let write = || {
            let file = disk.create(&draft)?;
            file.write_at(&bytes, 0)?;
            file.sync()?;
            disk.rename(&draft, META)?;
            disk.sync()
        };
        write().map_err(StoreError::io(disk, META))
    }

    /// Counts this start, durably: no id of an earlier one is given out again.
    pub(super) fn boot(&mut self, disk: &dyn Disk, last: MsgId) -> Result<(), StoreError> {
        // A meta file from a backup may be older than the log.
        self.boot = self.boot.max(last.boot).saturating_add(1);
        self.write(disk)
    }
}
