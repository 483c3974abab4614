//! Cloaks, which others see instead of addresses: a keyed hash, the same for the same address as long
//! as the key lives, and of no use to anybody without it.

use std::hash::Hasher;
use std::net::IpAddr;

use siphasher::sip::SipHasher24;

use crate::hub::party;

/// Makes cloaks with one key.
pub(crate) struct Cloaks(SipHasher24);

impl Cloaks {
    pub(crate) fn new(key: [u8; 16]) -> Cloaks {
        Cloaks(SipHasher24::new_with_key(&key))
    }

    /// The cloak of an address.
    pub(crate) fn of(&self, ip: IpAddr) -> u64 {
        let mut hasher = self.0;
        match party(ip) {
            IpAddr::V4(ip) => hasher.write(&ip.octets()),
            IpAddr::V6(ip) => hasher.write(&ip.octets()),
        }
        hasher.finish()
    }
}
