//! Clients that encrypt, and look closely at the server's key.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
    SupportedProtocolVersion,
};

/// How a client encrypts.
#[derive(Debug, Clone)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// With any version.
    #[must_use]
    pub fn new() -> Self {
        Self::with(&[&rustls::version::TLS13, &rustls::version::TLS12], None)
    }

    /// With one version.
    #[must_use]
    pub fn version(version: &'static SupportedProtocolVersion) -> Self {
        Self::with(&[version], None)
    }

    /// Shows this certificate.
    #[must_use]
    pub fn certificate(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Self {
        Self::with(&[&rustls::version::TLS13], Some((certificate, key)))
    }

    fn with(
        versions: &[&'static SupportedProtocolVersion],
        own: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
    ) -> Self {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions that ring has")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody));
        let config = match own {
            Some((certificate, key)) => {
                config.with_client_auth_cert(vec![certificate], key).expect("they belong together")
            }
            None => config.with_no_client_auth(),
        };
        Self(Arc::new(config))
    }

    /// A client that has sent nothing yet.
    #[must_use]
    pub fn client(&self) -> ClientConnection {
        let name = ServerName::try_from("parlor.local").expect("a name");
        ClientConnection::new(Arc::clone(&self.0), name).expect("a configuration that works")
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self::new()
    }
}

/// Readable or encrypted.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    pub(crate) fn tcp(&self) -> &TcpStream {
        match self {
            Stream::Tcp(stream) => stream,
            Stream::Tls(stream) => &stream.sock,
        }
    }

    pub(crate) fn client(&self) -> Option<&ClientConnection> {
        match self {
            Stream::Tcp(_) => None,
            Stream::Tls(stream) => Some(&stream.conn),
        }
    }

    pub(crate) fn close_writing(&mut self) -> io::Result<()> {
        if let Stream::Tls(stream) = self {
            stream.conn.send_close_notify();
            stream.flush()?;
        }
        self.tcp().shutdown(Shutdown::Write)
    }

    pub(crate) fn set_read_timeout(&self, timeout: Duration) {
        self.tcp().set_read_timeout(Some(timeout)).expect("a time above zero");
    }
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(bytes),
            Stream::Tls(stream) => stream.read(bytes),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

/// Takes any server: whose key it is, the test asks.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
