//! `meta`: which store this is, how often it was opened, and when it was open last.

use std::io;

use super::StoreError;
use super::crc::crc32c;
use super::disk::Disk;
use super::frame::Fields;
use super::log::UNFINISHED;
use crate::protocol::MsgId;

/// The file's name.
pub(super) const META: &str = "meta";
/// The format that this version writes; 1 had no events of several rooms, and no time here.
const SCHEMA: u32 = 2;
/// Starts the file, whatever the format.
const MAGIC: &[u8; 8] = b"ParlorM1";
/// Bytes of the file at most, in any format.
const MOST: usize = 256;

/// See the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) boot: u32,
    pub(super) secret: [u8; 16],
    /// The time that was believed when the store was open last, milliseconds since 1970.
    pub(super) time: Option<u64>,
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
        let mut bytes = [0; MOST];
        let count = file.read_at(&mut bytes, 0).map_err(failed)?;
        let bytes = bytes.get(..count).unwrap_or_default();
        if !bytes.starts_with(MAGIC) {
            return Err(StoreError::Foreign { file: disk.path(META) });
        }
        let whole = bytes.split_last_chunk().filter(|(body, sum)| crc32c(0, body).to_le_bytes() == **sum);
        let mut fields = Fields(whole.and_then(|(body, _)| body.strip_prefix(MAGIC)).unwrap_or_default());
        let mut decode = || {
            let schema = fields.u32()?;
            let meta = Meta { boot: fields.u32()?, secret: fields.bytes(16)?.try_into().ok()?, time: None };
            Some((schema, Meta { time: if schema > 1 { Some(fields.u64()?) } else { None }, ..meta }))
        };
        match decode() {
            Some((found, _)) if found > SCHEMA => {
                Err(StoreError::Newer { folder: disk.path(""), found, known: SCHEMA })
            }
            Some((_, meta)) => Ok(Some(meta)),
            None => Err(StoreError::damaged(disk, META, "it is not what was written")),
        }
    }

    /// Writes it in place of the old one; durable when it returns, and never half.
    pub(super) fn write(&self, disk: &dyn Disk) -> Result<(), StoreError> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&SCHEMA.to_le_bytes());
        bytes.extend_from_slice(&self.boot.to_le_bytes());
        bytes.extend_from_slice(&self.secret);
        bytes.extend_from_slice(&self.time.unwrap_or_default().to_le_bytes());
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

    /// Counts this start, durably: no id of an earlier one is given out again. Says its number.
    pub(super) fn boot(&mut self, disk: &dyn Disk, last: MsgId) -> Result<u32, StoreError> {
        // A meta file from a backup may be older than the log.
        self.boot = last.next_boot().max(MsgId { boot: self.boot, ..last }.next_boot());
        self.write(disk)?;
        Ok(self.boot)
    }
}
