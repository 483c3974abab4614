//! A certificate that a key signs for itself (X.509, RFC 5280 §4.1), in DER (ITU-T X.690).

use ring::digest::{SHA256, digest};
use ring::error::Unspecified;
use ring::rand::SystemRandom;
use ring::signature::{EcdsaKeyPair, KeyPair};

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const UTF8_STRING: u8 = 0x0C;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// Of a name that it is one of DNS (RFC 5280 §4.2.1.6).
const DNS: u8 = 0x82;
/// `[0]` in front of the version: 3, which extensions need.
const VERSION: &[u8] = &[0xA0, 3, INTEGER, 1, 2];
/// `[3]` in front of the extensions.
const EXTENSIONS: u8 = 0xA3;
/// `id-ecPublicKey` with `secp256r1` (RFC 5480 §2.1.1).
const P256: &[u8] = b"\x30\x13\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01\x06\x08\x2A\x86\x48\xCE\x3D\x03\x01\x07";
/// `ecdsa-with-SHA256` (RFC 5758 §3.2).
const ECDSA_SHA256: &[u8] = b"\x30\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02";
/// `id-at-commonName`.
const COMMON_NAME: &[u8] = b"\x06\x03\x55\x04\x03";
/// `id-ce-subjectAltName`.
const ALT_NAME: &[u8] = b"\x06\x03\x55\x1D\x11";

/// The certificate of a P-256 key for a server's name, at most 63 bytes of ASCII. It is valid since 2000 and
/// has no end (RFC 5280 §4.1.2.5): the key is what others know, and not every computer has a clock.
pub(super) fn self_signed(pair: &EcdsaKeyPair, name: &str) -> Result<Vec<u8>, Unspecified> {
    let public = pair.public_key().as_ref();
    let mut serial = [0x40; 16];
    serial[1..].copy_from_slice(&digest(&SHA256, public).as_ref()[..15]);
    let common_name = der(SEQUENCE, &[COMMON_NAME, &der(UTF8_STRING, &[name.as_bytes()])]);
    let distinguished = der(SEQUENCE, &[&der(SET, &[&common_name])]);
    let validity = [der(UTC_TIME, &[b"000101000000Z"]), der(GENERALIZED_TIME, &[b"99991231235959Z"])];
    let alt_names = der(SEQUENCE, &[&der(DNS, &[name.as_bytes()])]);
    let extension = der(SEQUENCE, &[ALT_NAME, &der(OCTET_STRING, &[&alt_names])]);
    let parts: [&[u8]; 8] = [
        VERSION,
        &der(INTEGER, &[&serial]),
        ECDSA_SHA256,
        &distinguished,
        &der(SEQUENCE, &[&validity[0], &validity[1]]),
        &distinguished,
        &der(SEQUENCE, &[P256, &der(BIT_STRING, &[&[0], public])]),
        &der(EXTENSIONS, &[&der(SEQUENCE, &[&extension])]),
    ];
    let body = der(SEQUENCE, &parts);
    let signature = pair.sign(&SystemRandom::new(), &body)?;
    Ok(der(SEQUENCE, &[&body, ECDSA_SHA256, &der(BIT_STRING, &[&[0], signature.as_ref()])]))
}

/// A value of less than 64 KiB, behind its tag and its length.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let [.., high, low] = value.len().to_be_bytes();
    let mut out = vec![tag];
    match value.len() {
        0..128 => out.push(low),
        128..256 => out.extend([0x81, low]),
        _ => out.extend([0x82, high, low]),
    }
    out.extend(value);
    out
}
