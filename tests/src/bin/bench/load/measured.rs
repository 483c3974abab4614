//! What one run of talk gave.

use std::io;
use std::time::{Duration, Instant};

use super::clock::now;
use super::process;
use super::spread::Spread;

/// See the [module](self).
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    /// Lines that reached one more member, while it was measured.
    pub(crate) deliveries: u64,
    pub(crate) time: Duration,
    /// CPU of the server's process in that time.
    pub(crate) cpu: Duration,
    /// CPU of the generator in that time.
    pub(crate) own: Duration,
    /// CPU of everybody else on the machine.
    pub(crate) others: Duration,
    /// Lines of others that members heard meanwhile: of a flooder, say.
    pub(crate) strange: u64,
    /// How often a member heard that somebody had gone, drain and warm-up included.
    pub(crate) gone: u64,
    /// From before the `write` of the sender to the `read` of each member, one a delivery.
    pub(crate) latency: Spread,
}

impl Measured {
    /// Deliveries a second.
    pub(crate) fn rate(&self) -> f64 {
        self.deliveries as f64 / self.time.as_secs_f64()
    }

    /// CPU of the server for one delivery, in microseconds.
    pub(crate) fn cost(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.deliveries.max(1) as f64
    }

    /// The server's share of one core, in percent.
    pub(crate) fn share(&self) -> f64 {
        100.0 * self.cpu.as_secs_f64() / self.time.as_secs_f64()
    }

    /// What everybody else on the machine took, in percent of one core.
    pub(crate) fn others_share(&self) -> f64 {
        100.0 * self.others.as_secs_f64() / self.time.as_secs_f64()
    }

    /// The generator's share of one core, in percent.
    pub(crate) fn own_share(&self) -> f64 {
        100.0 * self.own.as_secs_f64() / self.time.as_secs_f64()
    }
}

/// The processes at one moment of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) at: Instant,
    deliveries: u64,
    strange: u64,
    server: Duration,
    own: Duration,
    machine: Duration,
}

impl Sample {
    pub(crate) fn take(server: u32, deliveries: u64, strange: u64) -> io::Result<Sample> {
        Ok(Sample {
            at: now(),
            deliveries,
            strange,
            server: process::cpu(server)?,
            own: process::cpu(std::process::id())?,
            machine: process::machine()?,
        })
    }

    /// What happened from this moment to that.
    pub(crate) fn until(self, end: Sample, latency: Spread) -> Measured {
        let (cpu, own) = (end.server.saturating_sub(self.server), end.own.saturating_sub(self.own));
        Measured {
            deliveries: end.deliveries - self.deliveries,
            time: end.at - self.at,
            cpu,
            own,
            others: end.machine.saturating_sub(self.machine).saturating_sub(cpu + own),
            strange: end.strange - self.strange,
            gone: 0,
            latency,
        }
    }
}
