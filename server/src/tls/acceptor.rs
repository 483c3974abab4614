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

use super::session::Session;
use super::{Identity, TlsError, identity};

/// See the [module](self).
pub(crate) struct Acceptor {
    config: Arc<ServerConfig>,
    current: Arc<Current>,
    /// One handshake is computed at a time: a core at most is busy with those who come.
    turns: Semaphore,
}

impl Acceptor {
    /// With the key and the certificate there, made for a server of this name if there are none.
    pub(crate) fn new(identity: &Identity, name: &str) -> Result<Acceptor, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let key = identity::load(identity, name, &provider)?;
        let current = Arc::new(Current(RwLock::new(Arc::new(key))));
        let guests = Arc::new(AnyCertificate(provider.signature_verification_algorithms));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| TlsError::NoKey)?
            .with_client_cert_verifier(guests)
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        // A session is nothing that a server remembers for each who was there.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Acceptor { config: Arc::new(config), current, turns: Semaphore::new(1) })
    }

    /// A session of a connection that begins. `None`: it cannot be made.
    pub(crate) fn accept(&self) -> Option<Session> {
        ServerConnection::new(Arc::clone(&self.config)).ok().map(Session::new)
    }

    /// Whose turn it is to compute a handshake.
    pub(crate) fn turns(&self) -> &Semaphore {
        &self.turns
    }

    /// What reads the operator's files anew, for the handshakes to come; what is wrong with them is said in the
    /// log, and nothing changes.
    pub(crate) fn rereads(&self, identity: &Identity) -> Option<impl Fn() + Send + Sync + 'static> {
        let Identity::Files { certificate, .. } = identity else { return None };
        let (path, identity) = (certificate.clone(), identity.clone());
        let (current, provider) = (Arc::clone(&self.current), Arc::clone(self.config.crypto_provider()));
        Some(move || match identity::load(&identity, "", &provider) {
            Ok(key) => {
                *current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                log::info!("TLS: read {} again", path.display());
            }
            Err(error) => log::error!("TLS: {error} The one before is still used."),
        })
    }

    /// The SHA-256 of the key and of the certificate.
    pub(crate) fn fingerprints(&self) -> (Vec<u8>, Vec<u8>) {
        let current = self.current.get();
        let key = current.key.public_key();
        let certificate = current.cert.first().map_or(&[][..], |certificate| certificate);
        (identity::fingerprint(key.as_ref().map_or(&[], |key| key)), identity::fingerprint(certificate))
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
