//! TLS of one connection (RFC 8446, RFC 5246): bytes of the socket go in and out, and what it says of the server's key.
//! It has no socket.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use ring::digest;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};

use crate::trust::{KeyId, Shown, Trust};

/// Bytes of a file with a certificate at most.
const FILE: u64 = 256 * 1024;
/// A name that no server has, where the host is none that a certificate could be made for.
const NOBODY: &str = "host.invalid";

/// A certificate by which a server may know us, and its key.
pub struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Certificate {
    /// Reads both from a file in PEM (RFC 7468).
    pub fn read(path: &Path) -> io::Result<Certificate> {
        let mut text = Vec::new();
        File::open(path)?.take(FILE).read_to_end(&mut text)?;
        let unfit = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        Ok(Certificate {
            chain: chain.ok_or_else(|| unfit("there is no certificate in it (PEM)"))?,
            key: PrivateKeyDer::from_pem_slice(&text)
                .map_err(|_| unfit("there is no key in it that can be read (PEM, without a passphrase)"))?,
        })
    }
}

/// One side of a connection.
pub struct Tls {
    connection: ClientConnection,
    verifier: Arc<Verifier>,
}

impl Tls {
    /// Greets a host, with a certificate of our own if it asks for one. The system's authorities are asked only where their
    /// word counts: reading them takes some time.
    pub fn new(host: &str, trust: Trust, own: Option<Certificate>) -> io::Result<Tls> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let authorities = (trust == Trust::Authorities).then(|| authorities(&provider)).flatten();
        let verifier =
            Arc::new(Verifier { provider: Arc::clone(&provider), authorities, shown: OnceLock::new() });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Verifier>::clone(&verifier));
        let config = match own {
            Some(Certificate { chain, key }) => {
                config.with_client_auth_cert(chain, key).map_err(io::Error::other)?
            }
            None => config.with_no_client_auth(),
        };
        let name = match host.parse::<IpAddr>() {
            Ok(address) => ServerName::IpAddress(address.into()),
            Err(_) => ServerName::try_from(host.to_owned())
                .or_else(|_| ServerName::try_from(NOBODY))
                .map_err(io::Error::other)?,
        };
        let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        // What is to be sent has a bound where it comes from.
        connection.set_buffer_limit(None);
        Ok(Tls { connection, verifier })
    }

    /// Takes bytes of the socket; what they say is appended to `said`. An error ends the connection.
    pub fn receive(&mut self, mut bytes: &[u8], said: &mut Vec<u8>) -> Result<(), Error> {
        while !bytes.is_empty() {
            // A slice can be read.
            if self.connection.read_tls(&mut bytes).is_ok_and(|count| count == 0) {
                break;
            }
            let done = self.connection.process_new_packets();
            // What was said before something went wrong counts; that nothing more is there yet is no error.
            let _ = self.connection.reader().read_to_end(said);
            done?;
        }
        Ok(())
    }

    /// Says something, once the handshake is over.
    pub fn say(&mut self, bytes: &[u8]) {
        // It goes into a buffer without a bound.
        let _ = self.connection.writer().write_all(bytes);
    }

    /// Says that nothing more comes.
    pub fn close(&mut self) {
        self.connection.send_close_notify();
    }

    /// Moves what is to go out behind `to_write`.
    pub fn drain(&mut self, to_write: &mut Vec<u8>) {
        while self.connection.wants_write() {
            if self.connection.write_tls(to_write).is_err() {
                return;
            }
        }
    }

    /// Who is there, once the handshake is over.
    pub fn shown(&self) -> Option<Shown> {
        self.verifier.shown.get().copied().filter(|_| !self.connection.is_handshaking())
    }
}

fn authorities(provider: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    found.errors.iter().for_each(|error| log::warn!("certificates of authorities: {error}"));
    roots.add_parsable_certificates(found.certs);
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build().ok()
}

/// Takes every key whose owner proves that it is theirs, and writes down which it is.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    shown: OnceLock<Shown>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(own)?;
        let key = digest::digest(&digest::SHA256, parsed.subject_public_key_info().as_ref());
        let key = KeyId::of(key.as_ref()).ok_or(CertificateError::BadEncoding)?;
        let by = |authorities: &Arc<WebPkiServerVerifier>| {
            authorities.verify_server_cert(own, others, name, ocsp, now).is_ok()
        };
        let _ = self.shown.set(Shown { key, vouched: self.authorities.as_ref().is_some_and(by) });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
