//! How long, how often and against whom is measured.

use std::io;
use std::time::Duration;

use super::contestant::Contestant;
use super::cores;

/// See the [module](self).
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) peers: Vec<Contestant>,
    pub(crate) rounds: usize,
    /// How long one run is measured.
    pub(crate) spell: Duration,
    /// How long idle members are held.
    pub(crate) hold: Duration,
    /// How long the soak takes.
    pub(crate) soak: Duration,
    /// With the sizes that take minutes.
    pub(crate) full: bool,
    /// The server's cores and the generator's, where they are to be kept apart.
    pub(crate) pinned: Option<(Vec<usize>, Vec<usize>)>,
}

impl Plan {
    /// Keeps server and generator apart: the first core for the one, the others for the other.
    pub(crate) fn pin(&mut self) -> io::Result<()> {
        let cores = cores::allowed()?;
        if let [first, others @ ..] = &cores[..]
            && !others.is_empty()
        {
            cores::hold(others)?;
            self.pinned = Some((vec![*first], others.to_vec()));
        }
        Ok(())
    }

    pub(crate) fn server_cores(&self) -> Option<&[usize]> {
        self.pinned.as_ref().map(|(server, _)| &server[..])
    }
}
