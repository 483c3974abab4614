//! What a running server takes over from its files: all of it, or nothing.

use std::sync::Arc;

use crate::start::config::{Config, Identity};
use crate::start::error::StartError;
use crate::start::options_file::Given;
use crate::start::{descriptors, motd};
use crate::tls::Acceptor;

/// Reads the files of a server anew, in a thread that may wait for the disk; or says what is wrong with one.
pub(crate) type Reread = Arc<dyn Fn() -> Result<Renewal, String> + Send + Sync>;

/// New files of a running server, all of them read and found right.
pub(crate) struct Renewal {
    /// Of the options that are as they were at the start this has new values, too.
    pub(crate) config: Config,
    /// Puts the key and the certificate in the place of those before.
    pub(crate) certify: Option<Box<dyn FnOnce() + Send>>,
    /// Options that have changed, and wait for a restart.
    pub(crate) waiting: Vec<&'static str>,
}

/// What rereads the files of a server that was started so; `None` where it has none.
pub(crate) fn reread(given: Given, config: &Config, acceptor: Option<&dyn Acceptor>) -> Option<Reread> {
    let own_files = |config: &Config| matches!(config.identity, Identity::Files { .. });
    let had_files = own_files(config);
    if given.options.config.is_none() && config.motd.is_none() && !had_files {
        return None;
    }
    let sentence = |error: StartError| error.to_string();
    let flood = config.flood.is_some();
    let renew = acceptor.filter(|_| had_files).map(|acceptor| acceptor.renews());
    Some(Arc::new(move || {
        let (options, mut waiting) = given.again().map_err(|none| none.to_string())?;
        let mut config = options.config().map_err(sentence)?;
        config.hub.max_clients = descriptors::max_clients(config.max_clients).map_err(sentence)?;
        config.hub.motd = config.motd.as_deref().map(motd::load).transpose().map_err(sentence)?;
        if config.flood.is_some() != flood {
            waiting.push("--flood");
        }
        if own_files(&config) != had_files {
            waiting.push("--tls-cert");
        }
        let renew = renew.as_ref().filter(|_| own_files(&config));
        let certify = renew.map(|renew| renew(&config.identity)).transpose().map_err(sentence)?;
        Ok(Renewal { config, certify, waiting })
    }))
}
