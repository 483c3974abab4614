//! What shows who a person is, before it is known whether a server may see it.

use std::io;
use std::path::Path;

use crate::secret::Secret;
use crate::secrets::Given;
use crate::session::{HostPort, Login};
use crate::tls::Certificate;
use crate::trust::{KeyId, Shown};

/// See the [module](self).
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// The secrets of one's names, the one in use first.
    pub own: Vec<Secret>,
    /// What the person has given for this server.
    pub given: Given,
    /// The server is our own, with this key, whether it is called by TLS or not.
    pub host: Option<KeyId>,
}

impl Credentials {
    /// The certificate that the person has given; an error has its path.
    pub fn certificate(&self) -> Result<Option<Certificate>, (String, io::Error)> {
        let path = &self.given.certificate;
        if path.is_empty() {
            return Ok(None);
        }
        Certificate::read(Path::new(path)).map(Some).map_err(|error| (path.clone(), error))
    }

    /// What is shown to a server that was called, and has shown this. `here`: it is on this very computer, where nobody
    /// else reads.
    pub fn login(&self, server: &HostPort, shown: Option<Shown>, here: bool) -> Login {
        let mut names: Vec<String> =
            self.host.or(shown.map(|shown| shown.key)).iter().map(KeyId::to_string).collect();
        if here {
            // What was claimed without TLS.
            names.push(format!("here:{}", server.port));
        }
        let own = self.own.iter().flat_map(|secret| names.iter().map(|name| secret.password(name)));
        Login {
            private: here || shown.is_some(),
            server_password: self.given.server_password.clone(),
            password: self.given.password.clone(),
            own: own.collect(),
            certificate: !self.given.certificate.is_empty() && shown.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_to_whom_it_was_made_for() {
        let server = HostPort::new("chat.example", 7);
        let key = "AB".repeat(32).parse().unwrap();
        let credentials = Credentials { own: vec![Secret::new().unwrap()], ..Credentials::default() };
        let readable = credentials.login(&server, None, false);
        assert!(!readable.private && readable.own.is_empty());
        let by_key = credentials.login(&server, Some(Shown { key, vouched: false }), false);
        assert!(by_key.private && by_key.own.len() == 1);
        let here = credentials.login(&server, None, true);
        assert!(here.private && here.own.len() == 1 && here.own != by_key.own);
        let hosted = Credentials { host: Some(key), ..credentials }.login(&server, None, true);
        assert_eq!(hosted.own[0], by_key.own[0], "whatever address it is called at");
    }
}
