//! What all sessions have in common.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::{WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, ServerConfig, ServerConnection, SignatureScheme,
};
use smol::lock::Semaphore;

use super::identity::{self, fingerprint};
use super::session::Tls;
use super::{Acceptor, Renews, Session};
use crate::start::config::Identity;
use crate::start::error::StartError;

/// See the [module](self).
struct Shared {
    config: Arc<ServerConfig>,
    current: Arc<Current>,
    turns: Semaphore,
}

/// With the key and the certificate there, made for a server of this name if there are none.
pub(crate) fn acceptor(identity: &Identity, name: &str) -> Result<Box<dyn Acceptor>, StartError> {
    let provider = Arc::new(ring::default_provider());
    let key = identity::load(identity, name, &provider)?;
    let current = Arc::new(Current(RwLock::new(Arc::new(key))));
    let guests = Arc::new(AnyCertificate(provider.signature_verification_algorithms));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| StartError::NoTls)?
        .with_client_cert_verifier(guests)
        .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
    // Nothing is remembered of who was there.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Box::new(Shared { config: Arc::new(config), current, turns: Semaphore::new(1) }))
}

impl Acceptor for Shared {
    fn accept(&self) -> Option<Box<dyn Session>> {
        let session = ServerConnection::new(Arc::clone(&self.config)).ok()?;
        Some(Box::new(Tls::new(session)))
    }

    fn turns(&self) -> &Semaphore {
        &self.turns
    }

    fn fingerprints(&self) -> [Vec<u8>; 2] {
        let current = self.current.get();
        let key = current.key.public_key();
        let certificate = current.cert.first().map_or(&[][..], |certificate| certificate);
        [key.as_ref().map_or(&[][..], |key| key), certificate].map(fingerprint)
    }

    fn renews(&self) -> Renews {
        let (current, provider) = (Arc::clone(&self.current), Arc::clone(self.config.crypto_provider()));
        Box::new(move |identity| {
            let (key, current) = (identity::load(identity, "", &provider)?, Arc::clone(&current));
            Ok(Box::new(move || {
                *current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
            }))
        })
    }
}

/// The key and the certificate of the next handshake.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl Current {
    fn get(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}

/// Asks for a certificate and takes none or any: who signs with its key is whom its fingerprint says, and
/// nobody else has to vouch for that.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
