//! The encryption of a connection to the engine (TLS 1.3, RFC 8446, and 1.2, RFC 5246); only builds with the feature
//! `tls` have it.

use super::address::Address;
use super::error::Error;
use super::wire::Wire;

pub(super) fn wire(_: &Address) -> Result<Box<dyn Wire>, Error> {
    Err(Error::NoTls)
}
