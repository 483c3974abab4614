//! What goes wrong with a session on its way.

use parlor_server::testing::Random;

use crate::session::Session;

/// Bytes that mean something to somebody.
const TELLING: &[u8] =
    b"\0\x01\x02\x03\x08\t\n\r\x1b !#%&*+,-./:;<=>?@[\\]^`{|}~\x7f\x80\xbf\xc0\xe2\xef\xfe\xff";
/// Bytes of the longest piece that is put in.
const LONG: usize = 20_000;

/// The session with up to so many mutations; often with none.
pub(crate) fn mutated(mut session: Session, random: &mut Random) -> Session {
    for _ in 0..random.below(6) {
        let at = random.below(session.len());
        match random.below(8) {
            0 => {
                let copy = session.get(at).cloned().unwrap_or_default();
                let count = 1 + random.below(50);
                session.splice(at..at, std::iter::repeat_n(copy, count));
            }
            1 if session.len() > 1 => drop(session.remove(at)),
            2 => {
                let other = random.below(session.len());
                session.swap(at, other);
            }
            _ => {
                if let Some(line) = session.get_mut(at) {
                    line_mutated(line, random);
                }
            }
        }
    }
    session
}

fn line_mutated(line: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(line.len() + 1);
    match random.below(7) {
        0 => line.insert(at, random.byte()),
        1 => line.insert(at, *random.pick(TELLING)),
        2 => line.truncate(at),
        3 => {
            let byte = *random.pick(TELLING);
            let count = random.below(LONG);
            line.splice(at..at, std::iter::repeat_n(byte, count));
        }
        4 => {
            let random_bytes: Vec<u8> = (0..random.below(600)).map(|_| random.byte()).collect();
            line.splice(at..at, random_bytes);
        }
        5 => {
            if let Some(byte) = line.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        _ => {
            let part = line.get(at..).unwrap_or_default().to_vec();
            line.extend(part);
        }
    }
}
