//! The secret of a person's names: made once, and written as a recovery code.

use std::fmt;
use std::io;
use std::str::FromStr;

use parlor_server::protocol::scram::mac;

/// Digits and letters that nobody mistakes for others (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Of five bits each: those of the secret, two that are 0, and ten that tell a slip of the pen.
const CHARACTERS: usize = 28;
/// Between two dashes.
const GROUP: usize = 4;

/// 128 bits that nobody guesses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; 16]);

impl Secret {
    /// A new one.
    pub fn new() -> io::Result<Secret> {
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Secret(secret))
    }

    /// What it is to one server, told apart by its key or its address: 128 bits in hexadecimal, of which no other server
    /// learns anything (HMAC, RFC 2104).
    pub fn password(&self, server: &str) -> String {
        let password = mac(&self.0, format!("parlor account {server}").as_bytes());
        password.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    fn check(&self) -> u16 {
        let sum = mac(&self.0, b"parlor recovery code");
        (u16::from(sum[0]) << 8 | u16::from(sum[1])) & 0x3ff
    }
}

/// Without the secret.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// `7G3K-…`, seven groups.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u128::from_be_bytes(self.0);
        // The first of 26 has three bits.
        let of_secret = (0..26).rev().map(|at| (number >> (5 * at)) as u16);
        let of_check = [self.check() >> 5, self.check()];
        for (i, five) in of_secret.chain(of_check).enumerate() {
            let dash = if i > 0 && i % GROUP == 0 { "-" } else { "" };
            write!(f, "{dash}{}", char::from(LETTERS[usize::from(five & 31)]))?;
        }
        Ok(())
    }
}

/// What is no recovery code, or has a slip in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoCode;

/// In upper or lower case, with or without dashes and blanks; `O` is a zero, `I` and `L` are a one.
impl FromStr for Secret {
    type Err = NoCode;

    fn from_str(text: &str) -> Result<Secret, NoCode> {
        let digit = |c: char| {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            };
            LETTERS.iter().position(|letter| char::from(*letter) == c).ok_or(NoCode)
        };
        let typed = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–'));
        let digits: Vec<usize> = typed.map(digit).collect::<Result<_, _>>()?;
        let (secret, check) = digits.split_at_checked(CHARACTERS - 2).ok_or(NoCode)?;
        let &[high, low] = check else { return Err(NoCode) };
        if secret.first().is_some_and(|first| *first > 7) {
            return Err(NoCode);
        }
        let number = secret.iter().fold(0, |number: u128, digit| number << 5 | *digit as u128);
        let secret = Secret(number.to_be_bytes());
        (usize::from(secret.check()) == high << 5 | low).then_some(secret).ok_or(NoCode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_write_it() {
        for secret in [Secret([0; 16]), Secret([0xff; 16]), Secret(std::array::from_fn(|i| i as u8 * 17))] {
            let code = secret.to_string();
            assert_eq!((code.len(), code.split('-').count()), (34, 7), "{code}");
            for form in [code.clone(), code.to_lowercase(), code.replace('-', " "), code.replace('0', "o")] {
                assert_eq!(form.parse(), Ok(secret), "{form}");
            }
        }
        let one = Secret::new().unwrap();
        assert!(one != Secret::new().unwrap() && one.to_string().parse() == Ok(one));
    }

    #[test]
    fn a_slip_is_noticed() {
        let code = Secret(*b"sixteen bytes ..").to_string();
        for (at, c) in code.char_indices().filter(|(_, c)| *c != '-') {
            let other = if c == 'Z' { 'Y' } else { 'Z' };
            let mut slip = code.clone();
            slip.replace_range(at..=at, &other.to_string());
            assert_eq!(slip.parse::<Secret>(), Err(NoCode), "{slip}");
        }
        for wrong in ["", "7G3K", "sesame", &code[1..], &format!("{code}0"), &code.replace('-', "ü")] {
            assert_eq!(wrong.parse::<Secret>(), Err(NoCode), "{wrong}");
        }
    }

    #[test]
    fn what_one_server_knows_is_of_no_use_to_another() {
        let secret = Secret([7; 16]);
        let (a, b) = (secret.password("AB:CD"), secret.password("AB:CE"));
        assert!(a != b && a.len() == 32 && a == Secret([7; 16]).password("AB:CD"));
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
