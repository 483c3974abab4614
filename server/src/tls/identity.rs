//! The key and the certificate by which others know this server.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::certificate::self_signed;
use crate::private;
use crate::protocol::base64;
use crate::start::config::Identity;
use crate::start::error::StartError;

/// The file in a folder.
const FILE: &str = "tls.pem";
/// The same while it is written.
const DRAFT: &str = "tls.pem.new";
/// Bytes of a file at most: some certificates and a key.
const MAX_FILE: usize = 256 * 1024;

/// Reads the key and the certificate, or makes them for a server of this name where there are none.
pub(super) fn load(
    identity: &Identity,
    name: &str,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, StartError> {
    let (path, pem, key) = match identity {
        Identity::Memory => ("memory".into(), make(name)?.into_bytes(), None),
        Identity::Folder(folder) => (folder.join(FILE), kept(folder, name)?, None),
        Identity::Files { certificate, key } => {
            let (pem, found) = named(key)?;
            // Whoever shares it with a web server may well give it a group.
            if private::is_open_to_others(&found) {
                log::warn!("TLS: others than its owner can read the key in {} (chmod 600)", key.display());
            }
            (certificate.clone(), named(certificate)?.0, Some(pem))
        }
    };
    let unusable = |why: String| StartError::KeyUnusable { path: path.clone(), why };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|error| unusable(error.to_string()))?;
    if chain.is_empty() {
        return Err(unusable("there is no certificate in it".into()));
    }
    let key = PrivateKeyDer::from_pem_slice(key.as_ref().unwrap_or(&pem))
        .map_err(|error| unusable(format!("its key cannot be read ({error})")))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| unusable(error.to_string()))
}

/// The SHA-256 of a certificate, or of a key as it stands in one (SubjectPublicKeyInfo).
pub(super) fn fingerprint(der: &[u8]) -> Vec<u8> {
    digest(&SHA256, der).as_ref().to_vec()
}

fn named(path: &Path) -> Result<(Vec<u8>, Metadata), StartError> {
    private::read_named(path, MAX_FILE).map_err(|error| StartError::Unreadable { path: path.into(), error })
}

/// The file of a folder, made if absent.
fn kept(folder: &Path, name: &str) -> Result<Vec<u8>, StartError> {
    let path = folder.join(FILE);
    match read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let pem = make(name)?.into_bytes();
            write(folder, &pem).map_err(|error| StartError::KeyNotMade { path, error })?;
            Ok(pem)
        }
        read => read.map_err(|error| StartError::Unreadable { path, error }),
    }
}

/// A new P-256 key and its certificate, in PEM.
fn make(name: &str) -> Result<String, StartError> {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let make = || {
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random)?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random)
            .map_err(|_| ring::error::Unspecified)?;
        Ok((self_signed(&pair, name)?, key))
    };
    let (certificate, key) = make()
        .map_err(|error: ring::error::Unspecified| StartError::NoRandomness { error: error.to_string() })?;
    Ok(pem("PRIVATE KEY", key.as_ref()) + &pem("CERTIFICATE", &certificate))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    private::open(path)?.take(MAX_FILE as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Durable when it returns, and never half.
fn write(folder: &Path, pem: &[u8]) -> io::Result<()> {
    private::make_folder(folder)?;
    let draft = folder.join(DRAFT);
    let mut file = private::replace(&draft)?;
    file.write_all(pem)?;
    file.sync_all()?;
    fs::rename(draft, folder.join(FILE))?;
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Text of bytes (RFC 7468 §2).
fn pem(label: &str, bytes: &[u8]) -> String {
    let lines: String = bytes.chunks(48).map(|line| base64::encode(line) + "\n").collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}
