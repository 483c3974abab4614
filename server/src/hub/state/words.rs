//! Words in what is written down: each two bytes of length (little-endian) and its text.

/// Bytes of a word.
const MOST: usize = u16::MAX as usize;

/// Adds words. Longer ones than 64 KiB do not come from a socket.
pub(crate) fn put(bytes: &mut Vec<u8>, words: &[&str]) {
    words.iter().for_each(|word| put_bytes(bytes, &word.as_bytes()[..word.floor_char_boundary(MOST)]));
}

/// Adds a word that is no text, at most 64 KiB of it.
pub(crate) fn put_bytes(bytes: &mut Vec<u8>, word: &[u8]) {
    let word = word.get(..MOST).unwrap_or(word);
    bytes.extend_from_slice(&(word.len() as u16).to_le_bytes());
    bytes.extend_from_slice(word);
}

/// Takes a word from the front.
pub(crate) fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(take_bytes(bytes)?).ok()
}

/// Takes a word that is no text from the front.
pub(crate) fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (word, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    *bytes = rest;
    Some(word)
}
