//! The encryption of a connection to the engine (TLS 1.3, RFC 8446, and 1.2, RFC 5246); only builds with the feature
//! `tls` have it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::address::Address;
use super::error::Error;
use super::wire::Wire;
use crate::private;

/// The certificates that the system trusts, of Debian and most others.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Bytes of such a file at most.
const FILE: usize = 4 << 20;
/// Bytes that are encrypted ahead of what the kernel takes.
const AHEAD: usize = 64 << 10;

/// Encryption that begins; the engine is to show a certificate for the host of its address.
pub(super) fn wire(address: &Address) -> Result<Box<dyn Wire>, Error> {
    let path = address.authorities.as_deref().unwrap_or(Path::new(AUTHORITIES));
    let unfit = |why: String| Error::Authorities { path: path.to_owned(), why };
    let (text, _) = private::read_named(path, FILE).map_err(|error| unfit(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&text).flatten());
    if roots.is_empty() {
        return Err(unfit("there is none in it".to_owned()));
    }
    let host = &address.host.host;
    let refused = |error: &dyn std::fmt::Display| Error::Insecure {
        at: address.host.to_string(),
        why: error.to_string(),
    };
    let name = match host.parse::<IpAddr>() {
        Ok(address) => ServerName::IpAddress(address.into()),
        Err(_) => ServerName::try_from(host.clone()).map_err(|error| refused(&error))?,
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut session = ClientConnection::new(Arc::new(config), name).map_err(|error| refused(&error))?;
    session.set_buffer_limit(Some(AHEAD));
    Ok(Box::new(Encrypted(session)))
}

struct Encrypted(ClientConnection);

impl Wire for Encrypted {
    fn holds(&self) -> bool {
        true
    }

    fn read(&mut self, mut stream: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // An engine that is gone without a word is gone.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
            self.0.read_tls(&mut stream)?;
            let sound = self.0.process_new_packets();
            // The next step of the handshake, or what was wrong: few bytes, which the kernel takes.
            let _ = self.flush(stream);
            sound.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        }
    }

    fn write(&mut self, stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        self.flush(stream)?;
        self.0.writer().write(bytes)
    }

    fn flush(&mut self, mut stream: &TcpStream) -> io::Result<()> {
        while self.0.wants_write() {
            self.0.write_tls(&mut stream)?;
        }
        Ok(())
    }
}
