//! Files that are read again: what they say now is taken over, all of it or nothing.

use super::{Dispatch, moment};
use crate::hub::Input;
use crate::peer::Arrival;
use crate::reload::{Renewal, Reread};

/// The files that may be read again: one thread does that at a time, however often it is asked for.
pub(super) struct Reload {
    reread: Option<Reread>,
    running: bool,
    /// It was asked for again meanwhile.
    again: bool,
}

impl Reload {
    pub(super) fn new(reread: Option<Reread>) -> Reload {
        Reload { reread, running: false, again: false }
    }
}

impl Dispatch {
    /// Has the files read again, in a thread that may wait for the disk.
    pub(super) fn reload(&mut self) {
        let Some(reread) = self.reload.reread.clone() else {
            return log::warn!("not reloaded: this server has no files to be read again");
        };
        self.reload.again = self.reload.running;
        if !std::mem::replace(&mut self.reload.running, true) {
            let hub = self.sender.clone();
            let read = move || hub.send_blocking(Arrival::Reloaded(Box::new(reread())));
            smol::unblock(read).detach();
        }
    }

    /// Takes over what was read: all of it, or nothing.
    pub(super) fn reloaded(&mut self, renewal: Result<Renewal, String>) {
        match renewal {
            Err(sentence) => log::error!("not reloaded, nothing has changed: {sentence}"),
            Ok(Renewal { config, certify, waiting }) => {
                certify.into_iter().for_each(|certify| certify());
                if let Some((flood, rate)) = self.flood.as_ref().zip(config.flood) {
                    flood.limit(rate, config.hub.max_clients_per_ip);
                }
                if let Some(history) = &config.history {
                    self.durability.age = history.retention.age;
                    self.archive.keep(history.retention);
                    self.archive.tell_time(moment(self.started));
                }
                self.give(Input::Settings(Box::new(config.hub)));
                match waiting.join(", ") {
                    names if names.is_empty() => log::info!("reloaded"),
                    names => log::warn!("reloaded, but for what waits for a restart: {names}"),
                }
            }
        }
        self.reload.running = false;
        if std::mem::take(&mut self.reload.again) {
            self.reload();
        }
    }
}
