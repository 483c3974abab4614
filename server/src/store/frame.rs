//! The bytes of a log: a header, then batches of frames. All numbers little-endian.
//!
//! | what | bytes |
//! | --- | --- |
//! | header | magic 8, number 4, through 4, generation 4, salt 4, checksum 4 |
//! | batch | mark 4, its number in this file 4, bytes of its frames 4, checksum 4 |
//! | frame | bytes of the payload 4, checksum 4, flags 1, room 4, key (boot 4, ms 6, count 2), fingerprint 8, payload |
//! | payload of an event of several rooms | how many others 2, their numbers 4 each, and the payload itself |
//!
//! A batch is what one sync made durable, so a batch after it proves that it was on disk: damage
//! before the last batch is damage, damage in the last one is a torn write. Checksums start from
//! the salt, which nobody outside knows, so that no payload passes for a batch.

use super::MAX_PAYLOAD;
use super::crc::crc32c;
use crate::protocol::MsgId;

/// Bytes of the header of a file.
pub(super) const HEADER: usize = 28;
/// Bytes before the frames of a batch.
pub(super) const BATCH: usize = 16;
/// Bytes of a frame besides its payload.
pub(super) const FRAME: usize = 33;
/// Starts every log.
const MAGIC: &[u8; 8] = b"ParlorL1";
/// Starts every batch; as a payload's length it would be far too much.
const MARK: [u8; 4] = [0x9d, 0x50, 0x4c, 0xb5];

/// The first bytes of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) number: u32,
    /// Segments from `number` to this one were rewritten into this file.
    pub(super) through: u32,
    /// Rises with each rewriting.
    pub(super) generation: u32,
    /// The start of this file's checksums.
    pub(super) salt: u32,
}

/// The fault of a header.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadHeader {
    Foreign,
    Damaged,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        let numbers = [self.number, self.through, self.generation, self.salt].map(u32::to_le_bytes);
        bytes[8..24].copy_from_slice(numbers.as_flattened());
        let sum = crc32c(0, &bytes[..24]);
        bytes[24..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Header, BadHeader> {
        if !bytes.starts_with(MAGIC) {
            return Err(BadHeader::Foreign);
        }
        let mut fields = Fields(bytes.get(8..HEADER).ok_or(BadHeader::Damaged)?);
        let mut number = || fields.u32().ok_or(BadHeader::Damaged);
        let header = Header { number: number()?, through: number()?, generation: number()?, salt: number()? };
        if header.encode() == bytes[..HEADER] { Ok(header) } else { Err(BadHeader::Damaged) }
    }
}

/// The head of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Batch {
    /// Counts from 1 in each file.
    pub(super) number: u32,
    /// Bytes of its frames.
    pub(super) len: u32,
}

impl Batch {
    /// `offset`: where in the file it stands.
    pub(super) fn encode(self, salt: u32, offset: u64) -> [u8; BATCH] {
        let mut bytes = [0; BATCH];
        bytes[..4].copy_from_slice(&MARK);
        bytes[4..8].copy_from_slice(&self.number.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.len.to_le_bytes());
        let sum = crc32c(crc32c(salt, &offset.to_le_bytes()), &bytes[..12]);
        bytes[12..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8], salt: u32, offset: u64) -> Option<Batch> {
        let bytes = bytes.get(..BATCH)?;
        let mut fields = Fields(bytes.strip_prefix(&MARK)?);
        let batch = Batch { number: fields.u32()?, len: fields.u32()? };
        (batch.encode(salt, offset) == bytes).then_some(batch)
    }

    /// Whether a batch stands anywhere in `bytes`, which start at `offset` of the file.
    pub(super) fn is_in(bytes: &[u8], salt: u32, offset: u64) -> bool {
        memchr::memmem::find_iter(bytes, &MARK)
            .any(|at| Batch::decode(bytes.get(at..).unwrap_or_default(), salt, offset + at as u64).is_some())
    }
}

/// One record, as it stands in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Frame<'a> {
    pub(super) flags: u8,
    pub(super) room: u32,
    /// The other rooms of the event, as [`Frame::set_rooms`] writes them.
    pub(super) also: &'a [u8],
    pub(super) key: MsgId,
    pub(super) fingerprint: u64,
    pub(super) payload: &'a [u8],
}

/// The flag of a join, a part…
pub(super) const EVENT: u8 = 1;
/// The flag of an event of several rooms; the file of the rooms has numbers in place of flags.
const SEVERAL: u8 = 0x80;

impl<'a> Frame<'a> {
    pub(super) fn is_event(&self) -> bool {
        self.flags & EVENT != 0
    }

    /// The numbers of its rooms.
    pub(super) fn rooms(&self) -> impl Iterator<Item = u32> + Clone + use<'a> {
        let (also, _) = self.also.as_chunks();
        [self.room].into_iter().chain(also.iter().map(|number| u32::from_le_bytes(*number)))
    }

    /// Makes it one of these rooms, for which `bytes` give the memory.
    pub(super) fn set_rooms(&mut self, rooms: &[u32], bytes: &'a mut Vec<u8>) {
        let (first, also) = rooms.split_first().unwrap_or((&0, &[]));
        bytes.clear();
        bytes.extend(also.iter().flat_map(|number| number.to_le_bytes()));
        (self.room, self.also) = (*first, bytes);
    }

    /// Bytes in the log.
    pub(super) fn size(&self) -> usize {
        FRAME + self.also_size() + self.payload.len()
    }

    /// Bytes of each of its rooms, which together are its size or a little more.
    pub(super) fn share(&self) -> u32 {
        self.size().div_ceil(1 + self.also.len() / 4) as u32
    }

    fn also_size(&self) -> usize {
        if self.also.is_empty() { 0 } else { 2 + self.also.len() }
    }

    pub(super) fn encode(&self, salt: u32, to: &mut Vec<u8>) {
        let start = to.len();
        // Payloads are far shorter than 4 GiB: MAX_PAYLOAD.
        to.extend_from_slice(&((self.also_size() + self.payload.len()) as u32).to_le_bytes());
        to.extend_from_slice(&[0; 4]);
        to.push(if self.also.is_empty() { self.flags & !SEVERAL } else { self.flags | SEVERAL });
        to.extend_from_slice(&self.room.to_le_bytes());
        put_key(self.key, to);
        to.extend_from_slice(&self.fingerprint.to_le_bytes());
        if !self.also.is_empty() {
            to.extend_from_slice(&((self.also.len() / 4) as u16).to_le_bytes());
            to.extend_from_slice(self.also);
        }
        to.extend_from_slice(self.payload);
        let sum = crc32c(crc32c(salt, &to[start..start + 4]), &to[start + 8..]);
        to[start + 4..start + 8].copy_from_slice(&sum.to_le_bytes());
    }

    /// The frame that `bytes` start with, if it is whole.
    pub(super) fn decode(bytes: &'a [u8], salt: u32) -> Option<Frame<'a>> {
        let mut fields = Fields(bytes);
        let len = fields.u32()? as usize;
        let sum = fields.u32()?;
        let body = bytes.get(8..FRAME.checked_add(len)?)?;
        if crc32c(crc32c(salt, &bytes[..4]), body) != sum {
            return None;
        }
        let (flags, room, key, fingerprint) = (fields.u8()?, fields.u32()?, fields.key()?, fields.u64()?);
        let mut payload = Fields(fields.0.get(..len)?);
        let several = if flags & SEVERAL != 0 { 4 * usize::from(payload.u16()?) } else { 0 };
        Some(Frame {
            flags: flags & !SEVERAL,
            room,
            also: payload.bytes(several)?,
            key,
            fingerprint,
            payload: payload.0,
        })
    }
}

/// The frames of a stretch of log that starts at a batch or a frame; batches are stepped over.
pub(super) struct Frames<'a> {
    bytes: &'a [u8],
    salt: u32,
    offset: u64,
}

impl<'a> Frames<'a> {
    pub(super) fn new(bytes: &'a [u8], salt: u32, offset: u64) -> Frames<'a> {
        Frames { bytes, salt, offset }
    }

    /// Goes on at the next frame or batch behind something that is neither. Text is no length that
    /// a payload may have, so nearly every place is refused at a glance.
    fn step_over(&mut self) {
        let sound = |to: &usize| {
            let rest = self.bytes.get(*to..).unwrap_or_default();
            let len = Fields(rest).u32().map_or(usize::MAX, |len| len as usize);
            len <= MAX_PAYLOAD && Frame::decode(rest, self.salt).is_some()
                || Batch::decode(rest, self.salt, self.offset + *to as u64).is_some()
        };
        let next = (1..self.bytes.len()).find(sound).unwrap_or(self.bytes.len());
        self.bytes = self.bytes.get(next..).unwrap_or_default();
        self.offset += next as u64;
    }
}

impl<'a> Iterator for Frames<'a> {
    /// The offset of a frame, and the frame; or only where something else stands. What comes behind
    /// that is found again.
    type Item = Result<(u64, Frame<'a>), u64>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.bytes.is_empty() {
                return None;
            }
            let offset = self.offset;
            let (size, frame) = match Frame::decode(self.bytes, self.salt) {
                Some(frame) => (frame.size(), Some(frame)),
                None if Batch::decode(self.bytes, self.salt, offset).is_some() => (BATCH, None),
                None => {
                    self.step_over();
                    return Some(Err(offset));
                }
            };
            self.bytes = self.bytes.get(size..).unwrap_or_default();
            self.offset += size as u64;
            if let Some(frame) = frame {
                return Some(Ok((offset, frame)));
            }
        }
    }
}

/// Takes numbers off the front of bytes.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u48(&mut self) -> Option<u64> {
        self.array().map(|[a, b, c, d, e, f]| u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn key(&mut self) -> Option<MsgId> {
        Some(MsgId { boot: self.u32()?, millis: self.u48()?, count: self.u16()? })
    }
}

/// Appends a key as [`Fields::key`] reads it.
pub(super) fn put_key(key: MsgId, to: &mut Vec<u8>) {
    to.extend_from_slice(&key.boot.to_le_bytes());
    to.extend_from_slice(&key.millis.to_le_bytes()[..6]);
    to.extend_from_slice(&key.count.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: MsgId = MsgId { boot: 3, millis: 0xffff_ffff_ffff, count: 9 };

    #[test]
    fn what_is_written_is_read_back_and_any_other_bit_is_not() {
        let header = Header { number: 1, through: 4, generation: 2, salt: 77 };
        assert_eq!(Header::decode(&header.encode()), Ok(header));
        assert_eq!(Header::decode(b"Dear diary"), Err(BadHeader::Foreign));
        assert_eq!(Header::decode(&header.encode()[..20]), Err(BadHeader::Damaged));
        let mut bytes = Vec::new();
        for payload in [&b""[..], b"hello", &[0; 300]] {
            bytes.clear();
            let mut numbers = Vec::new();
            let mut frame = Frame { flags: EVENT, key: KEY, fingerprint: 5, payload, ..Frame::default() };
            frame.set_rooms(&[8, 9, u32::MAX][..1 + payload.len() % 3], &mut numbers);
            frame.encode(77, &mut bytes);
            assert_eq!(bytes.len(), frame.size());
            assert_eq!(Frame::decode(&bytes, 77), Some(frame));
            assert_eq!(Frame::decode(&bytes, 78), None);
            for bit in 0..bytes.len() * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(Frame::decode(&bytes, 77), None, "bit {bit}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            for len in 0..bytes.len() {
                assert_eq!(Frame::decode(&bytes[..len], 77), None);
            }
        }
    }

    #[test]
    fn damage_costs_one_record() {
        let mut whole = Vec::new();
        let mut starts = Vec::new();
        for batch in 0..3 {
            starts.push(whole.len());
            let mut frames = Vec::new();
            let head = whole.len() + BATCH;
            for number in 0..4 {
                starts.push(head + frames.len());
                let payload = [b'x'; 20];
                let fingerprint = batch * 4 + number;
                Frame { room: 1, key: KEY, fingerprint, payload: &payload, ..Frame::default() }
                    .encode(77, &mut frames);
            }
            let offset = whole.len() as u64;
            let batch = Batch { number: batch as u32 + 1, len: frames.len() as u32 };
            whole.extend(batch.encode(77, offset));
            whole.extend(frames);
        }
        let read = |bytes: &[u8]| -> Vec<u64> {
            Frames::new(bytes, 77, 0).flatten().map(|(_, frame)| frame.fingerprint).collect()
        };
        assert_eq!(read(&whole).len(), 12);
        for place in 0..whole.len() {
            whole[place] ^= 0x10;
            let start = starts.iter().rev().find(|start| **start <= place).unwrap();
            let is_batch = start % ((FRAME + 20) * 4 + BATCH) == 0;
            assert_eq!(read(&whole).len(), if is_batch { 12 } else { 11 }, "{place}");
            assert_eq!(Frames::new(&whole, 77, 0).filter(Result::is_err).count(), 1, "{place}");
            whole[place] ^= 0x10;
        }
    }

    #[test]
    fn a_payload_does_not_pass_for_a_batch() {
        let batch = Batch { number: 3, len: 40 };
        let bytes = batch.encode(77, 500);
        assert_eq!(Batch::decode(&bytes, 77, 500), Some(batch));
        // Somebody else's salt, another place.
        assert_eq!(Batch::decode(&bytes, 78, 500), None);
        assert!(!Batch::is_in(&[&[0; 9][..], &bytes].concat(), 77, 500));
        assert!(Batch::is_in(&[&[0; 9][..], &bytes].concat(), 77, 491));
    }
}
