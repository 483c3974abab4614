//! Words in what is written down: each two bytes of length (little-endian) and its text.

/// Adds words. Longer ones than 64 KiB do not come from a socket.
pub(crate) fn put(bytes: &mut Vec<u8>, words: &[&str]) {
    for word in words {
        let word = &word[..word.floor_char_boundary(usize::from(u16::MAX))];
        bytes.extend_from_slice(&(word.len() as u16).to_le_bytes());
        bytes.extend_from_slice(word.as_bytes());
    }
}

/// Takes a word from the front.
pub(crate) fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (word, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    *bytes = rest;
    std::str::from_utf8(word).ok()
}
