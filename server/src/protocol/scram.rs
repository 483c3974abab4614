//! SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677): a password is proved, and never sent.

use std::borrow::Cow;

use hmac_sha256::Hash;
use unicode_normalization::UnicodeNormalization;

use super::base64;

/// Rounds of PBKDF2 for a new password: 24 ms of a desktop's core, five times that of a Raspberry Pi 4.
pub const ROUNDS: u32 = 100_000;
/// Rounds that a server may ask of a client: more would keep it busy for seconds.
pub const MAX_ROUNDS: u32 = 2_000_000;
/// Bytes of a password, at most.
pub const MAX_PASSWORD: usize = 300;

/// A key, a signature or a proof.
pub type Key = [u8; 32];

/// What a server keeps of a password: neither that, nor what stands for it, can be had from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    /// The hash of what a client proves to have.
    pub stored: Key,
    /// What the server proves to have.
    pub server: Key,
}

impl Keys {
    /// Derives them; takes long, see [`ROUNDS`].
    pub fn derive(password: &str, salt: &[u8], rounds: u32) -> Keys {
        let salted = salted(password, salt, rounds);
        Keys { stored: hash(&mac(&salted, b"Client Key")), server: mac(&salted, b"Server Key") }
    }
}

/// Compares two secrets in a time that tells only their lengths.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let differ = a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b));
    std::hint::black_box(differ) == 0 && a.len() == b.len()
}

/// A server's side of one exchange, after the client's first message.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Who the client says it is.
    pub user: String,
    /// As the client wrote it: it is signed with the rest.
    header: String,
    bare: String,
    /// The client's part of the nonce, then ours.
    nonce: String,
    first: String,
}

impl Exchange {
    /// Reads a client-first-message. `None`: it is none, asks for channel binding or for an extension, or to act
    /// for somebody else.
    pub fn begin(message: &str) -> Option<Exchange> {
        let (binding, rest) = message.split_once(',')?;
        let (acting, bare) = rest.split_once(',')?;
        let mut attributes = bare.split(',');
        let user = unescape(attributes.next()?.strip_prefix("n=")?)?;
        let nonce = attributes.next()?.strip_prefix("r=").filter(|nonce| !nonce.is_empty())?;
        // "y": the client could bind, and rightly thinks that we cannot.
        let sound = matches!(binding, "n" | "y")
            && (acting.is_empty() || acting.strip_prefix("a=").and_then(unescape).as_ref() == Some(&user));
        sound.then(|| Exchange {
            user,
            header: format!("{binding},{acting},"),
            bare: bare.into(),
            nonce: nonce.into(),
            first: String::new(),
        })
    }

    /// The server-first-message. `nonce` must never have been used before.
    pub fn challenge(&mut self, nonce: &str, salt: &[u8], rounds: u32) -> &str {
        self.nonce.push_str(nonce);
        self.first = format!("r={},s={},i={rounds}", self.nonce, base64::encode(salt));
        &self.first
    }

    /// Checks a client-final-message; the server-final-message, if it proves the password.
    pub fn finish(&self, message: &str, keys: &Keys) -> Option<String> {
        let (signed, proof) = message.rsplit_once(",p=")?;
        let mut attributes = signed.split(',');
        let binding = base64::decode(attributes.next()?.strip_prefix("c=")?)?;
        let nonce = attributes.next()?.strip_prefix("r=")?;
        if binding != self.header.as_bytes() || nonce != self.nonce || self.first.is_empty() {
            return None;
        }
        let proof: Key = base64::decode(proof)?.try_into().ok()?;
        let signed = format!("{},{},{signed}", self.bare, self.first);
        let client_key = xor(proof, mac(&keys.stored, signed.as_bytes()));
        same(&hash(&client_key), &keys.stored)
            .then(|| format!("v={}", base64::encode(&mac(&keys.server, signed.as_bytes()))))
    }
}

/// A client's side of one exchange.
#[derive(Debug, Clone)]
pub struct Client {
    bare: String,
    nonce: String,
}

impl Client {
    /// For this user, with a nonce of printable characters without comma that was never used before.
    pub fn new(user: &str, nonce: &str) -> Client {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Client { bare: format!("n={user},r={nonce}"), nonce: nonce.into() }
    }

    /// The client-first-message.
    pub fn first(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// The client-final-message, and the server-final-message that a server sends which knows the password. Takes as
    /// long as [`Keys::derive`]. `None`: the server's message is none, or asks for too much.
    pub fn finish(&self, challenge: &str, password: &str) -> Option<(String, String)> {
        let mut attributes = challenge.split(',');
        let nonce = attributes.next()?.strip_prefix("r=")?;
        let salt = base64::decode(attributes.next()?.strip_prefix("s=")?)?;
        let rounds: u32 = attributes.next()?.strip_prefix("i=")?.parse().ok()?;
        let fresh = nonce.strip_prefix(&self.nonce).is_some_and(|own| !own.is_empty());
        if !fresh || !(1..=MAX_ROUNDS).contains(&rounds) {
            return None;
        }
        let salted = salted(password, &salt, rounds);
        let (client, server) = (mac(&salted, b"Client Key"), mac(&salted, b"Server Key"));
        let last = format!("c=biws,r={nonce}");
        let signed = format!("{},{challenge},{last}", self.bare);
        let proof = xor(client, mac(&hash(&client), signed.as_bytes()));
        let expected = base64::encode(&mac(&server, signed.as_bytes()));
        Some((format!("{last},p={}", base64::encode(&proof)), format!("v={expected}")))
    }
}

/// A name without the two characters that mean something (RFC 5802 §5.1).
fn unescape(text: &str) -> Option<String> {
    let mut name = String::new();
    let mut pieces = text.split('=');
    name.push_str(pieces.next()?);
    for piece in pieces {
        let (c, rest) = match piece.split_at_checked(2)? {
            ("2C", rest) => (',', rest),
            ("3D", rest) => ('=', rest),
            _ => return None,
        };
        name.push(c);
        name.push_str(rest);
    }
    (!name.is_empty()).then_some(name)
}

/// A password in the one form in which it is typed everywhere: of SASLprep (RFC 4013) what matters, its NFKC.
fn prepared(password: &str) -> Cow<'_, str> {
    if password.is_ascii() { password.into() } else { password.nfkc().collect::<String>().into() }
}

/// PBKDF2 (RFC 8018 §5.2), one block.
fn salted(password: &str, salt: &[u8], rounds: u32) -> Key {
    let mac = Mac::new(prepared(password).as_bytes());
    let mut last = mac.of(&[salt, &1_u32.to_be_bytes()]);
    let mut sum = last;
    for _ in 1..rounds {
        last = mac.of(&[&last]);
        sum = xor(sum, last);
    }
    sum
}

/// HMAC-SHA-256 (RFC 2104) of a key.
pub fn mac(key: &[u8], text: &[u8]) -> Key {
    Mac::new(key).of(&[text])
}

fn hash(bytes: &[u8]) -> Key {
    Hash::hash(bytes)
}

fn xor(mut a: Key, b: Key) -> Key {
    a.iter_mut().zip(b).for_each(|(a, b)| *a ^= b);
    a
}

/// HMAC with a key that is hashed once, however many texts follow.
struct Mac {
    inner: Hash,
    outer: Hash,
}

impl Mac {
    fn new(key: &[u8]) -> Mac {
        let mut block = [0; 64];
        let short = if key.len() > block.len() { &hash(key)[..] } else { key };
        block.iter_mut().zip(short).for_each(|(to, byte)| *to = *byte);
        let keyed = |pad| {
            let mut hash = Hash::new();
            hash.update(block.map(|byte| byte ^ pad));
            hash
        };
        Mac { inner: keyed(0x36), outer: keyed(0x5c) }
    }

    fn of(&self, texts: &[&[u8]]) -> Key {
        let (mut inner, mut outer) = (self.inner, self.outer);
        texts.iter().for_each(|text| inner.update(text));
        outer.update(inner.finalize());
        outer.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677 §3.
    const SALT: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";
    const CLIENT_NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    const FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    const VERIFIED: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    #[test]
    fn the_exchange_of_the_rfc() {
        let salt = base64::decode(SALT).unwrap();
        let keys = Keys::derive("pencil", &salt, 4096);
        let mut exchange = Exchange::begin("n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
        assert_eq!(exchange.user, "user");
        assert_eq!(exchange.challenge(SERVER_NONCE, &salt, 4096), FIRST);
        assert_eq!(exchange.finish(FINAL, &keys).as_deref(), Some(VERIFIED));
        let client = Client::new("user", CLIENT_NONCE);
        assert_eq!(client.finish(FIRST, "pencil"), Some((FINAL.into(), VERIFIED.into())));
    }

    #[test]
    fn anything_that_is_changed_is_refused() {
        let keys = Keys::derive("pencil", b"salt", 2);
        let client = Client::new("a=b,c", "abc");
        let exchange = |nonce: &str| {
            let mut exchange = Exchange::begin(&client.first()).unwrap();
            let first = exchange.challenge(nonce, b"salt", 2).to_owned();
            (exchange, first)
        };
        let (one, first) = exchange("1");
        assert_eq!(one.user, "a=b,c");
        let (last, verified) = client.finish(&first, "pencil").unwrap();
        assert_eq!(one.finish(&last, &keys), Some(verified));
        let (wrong, _) = client.finish(&first, "pencils").unwrap();
        assert_eq!(one.finish(&wrong, &keys), None);
        // Replayed to an exchange with another nonce.
        assert_eq!(exchange("2").0.finish(&last, &keys), None);
        assert_eq!(one.finish(&last.replace("biws", "eSws"), &keys), None);
        for changed in
            ["", "c=biws", "c=biws,r=abc1", ",p=", &last.replace(",p=", ",x=1,p="), &last[..last.len() - 4]]
        {
            assert_eq!(one.finish(changed, &keys), None, "{changed}");
        }
        for first in [
            "",
            "n,,",
            "n,,n=a",
            "n,,n=a,r=",
            "p=tls-unique,,n=a,r=b",
            "n,a=other,n=a,r=b",
            "n,,m=x,n=a,r=b",
            "n,,n=a=zz,r=b",
            "n,,n=,r=b",
            "n,,n=a=,r=b",
        ] {
            assert!(Exchange::begin(first).is_none(), "{first}");
        }
        assert!(client.finish("r=abc,s=c2FsdA==,i=2", "x").is_none(), "no nonce of the server's own");
        assert!(client.finish("r=abc1,s=c2FsdA==,i=99999999", "x").is_none());
    }

    #[test]
    fn a_password_is_the_same_however_its_letters_are_composed() {
        assert_eq!(Keys::derive("Zoe\u{308}", b"s", 1), Keys::derive("Zoë", b"s", 1));
        assert_eq!(mac(&[b'k'; 100], b"t"), hmac_sha256::HMAC::mac(b"t", [b'k'; 100]));
    }
}
