//! What shows who a person is: the secret of their names, and the passwords and certificates of single servers.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::secret::Secret;
use crate::session::Key;

/// Secrets of before that are still tried, the newest first.
const MAX_EARLIER: usize = 4;
/// Servers with passwords at most; whoever was given last goes last.
const MAX_SERVERS: usize = 200;

/// The file of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Secrets {
    /// Recovery codes, the one in use first.
    codes: Vec<String>,
    /// The last one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    servers: Vec<OfServer>,
}

/// What one server is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct OfServer {
    /// Host and port.
    address: String,
    /// Who it is for.
    name: String,
    #[serde(flatten)]
    given: Given,
}

/// What a person has given for a server; empty: nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Given {
    /// Password of the name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// Password of the server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server_password: String,
    /// The path of a file with a certificate and its key, in PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub certificate: String,
}

/// Without the secrets.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Secrets {
    /// The secret in use, then those of before.
    pub fn own(&self) -> Vec<Secret> {
        self.codes.iter().filter_map(|code| code.parse().ok()).collect()
    }

    /// Another secret is in use from now on; that of before is still tried.
    pub fn adopt(&mut self, secret: Secret) {
        self.codes.retain(|code| code.parse() != Ok(secret));
        self.codes.insert(0, secret.to_string());
        self.codes.truncate(1 + MAX_EARLIER);
    }

    /// What was given for somebody at an address. The server's own password is everybody's there.
    pub fn given(&self, address: &str, name: &str) -> Given {
        let mut there = self.servers.iter().filter(|of| of.address.eq_ignore_ascii_case(address));
        let server_password = there.clone().map(|of| &of.given.server_password).find(|text| !text.is_empty());
        let own = there.find(|of| of.is_for(name)).map(|of| of.given.clone()).unwrap_or_default();
        Given { server_password: server_password.cloned().unwrap_or_default(), ..own }
    }

    /// Keeps what was given for somebody at an address, in place of what was before.
    pub fn give(&mut self, address: &str, name: &str, given: Given) {
        self.servers.retain(|of| !(of.address.eq_ignore_ascii_case(address) && of.is_for(name)));
        if given != Given::default() {
            self.servers.insert(0, OfServer { address: address.into(), name: name.into(), given });
            self.servers.truncate(MAX_SERVERS);
        }
    }
}

impl OfServer {
    fn is_for(&self, name: &str) -> bool {
        Key::new(&self.name) == Key::new(name)
    }
}

impl Given {
    /// What is given now, and for the rest what was before.
    pub fn or(self, before: Given) -> Given {
        let or = |now: String, before: String| if now.is_empty() { before } else { now };
        Given {
            password: or(self.password, before.password),
            server_password: or(self.server_password, before.server_password),
            certificate: or(self.certificate, before.certificate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_adopted_and_the_one_before_is_not_lost() {
        let (one, two) = (Secret::new().unwrap(), Secret::new().unwrap());
        let mut secrets = Secrets::default();
        assert_eq!(secrets.own(), []);
        secrets.adopt(one);
        secrets.adopt(two);
        assert_eq!(secrets.own(), [two, one]);
        secrets.adopt(one);
        assert_eq!(secrets.own(), [one, two]);
        (0..9).for_each(|_| secrets.adopt(Secret::new().unwrap()));
        assert_eq!(secrets.own().len(), 1 + MAX_EARLIER);
    }

    #[test]
    fn passwords_are_a_names_and_a_servers() {
        let given = |password: &str, server: &str| Given {
            password: password.into(),
            server_password: server.into(),
            ..Given::default()
        };
        let mut secrets = Secrets::default();
        secrets.give("a:1", "bob", given("sesame", "door"));
        secrets.give("a:1", "carol", given("poppy", ""));
        assert_eq!(secrets.given("A:1", "BOB"), given("sesame", "door"));
        assert_eq!(secrets.given("a:1", "carol"), given("poppy", "door"));
        assert_eq!(secrets.given("a:1", "dave"), given("", "door"));
        assert_eq!(secrets.given("b:1", "bob"), Given::default());
        let text = basic_toml::to_string(&secrets).unwrap();
        assert_eq!(basic_toml::from_str::<Secrets>(&text).unwrap(), secrets, "{text}");
        secrets.give("a:1", "bob", given("", "").or(given("new", "")));
        assert_eq!(secrets.given("a:1", "bob"), given("new", ""));
        (0..300).for_each(|i| secrets.give(&format!("host:{i}"), "bob", given("x", "")));
        assert_eq!(secrets.servers.len(), MAX_SERVERS);
        assert!(!format!("{secrets:?}").contains("poppy"));
    }
}
