//! What kind of day it is: each seed has another one.

use std::time::Duration;

use parlor_server::testing::Random;

/// What kind of day it is.
#[derive(Debug)]
pub(crate) struct Plan {
    /// People with our window.
    pub(crate) persons: usize,
    /// People with other IRC programs.
    pub(crate) strangers: usize,
    /// Names that somebody claims, and others want.
    pub(crate) names: usize,
    /// How long things go wrong; then all is quiet.
    pub(crate) chaos: Duration,
    /// Milliseconds that bytes are on their way.
    pub(crate) delay: (usize, usize),
    /// How many pieces of a thousand are held up for seconds.
    pub(crate) stalls: usize,
    /// Milliseconds that a commit takes.
    pub(crate) commit: (usize, usize),
    /// Between two acts of one person.
    pub(crate) act_every: Duration,
    /// Between two connections that break.
    pub(crate) cut_every: Duration,
    /// Between two crashes of the server.
    pub(crate) crash_every: Option<Duration>,
    /// Between two ends of a client program.
    pub(crate) restart_every: Option<Duration>,
    /// The clock of the server is set now and then.
    pub(crate) clock_steps: bool,
    /// The disk takes nothing now and then.
    pub(crate) pauses: bool,
}

impl Plan {
    pub(crate) fn new(random: &mut Random) -> Plan {
        let seconds = |from: usize, to: usize, random: &mut Random| random.millis((from * 1000, to * 1000));
        Plan {
            persons: 2 + random.below(4),
            strangers: random.below(3),
            names: *random.pick(&[0, 0, 1, 2]),
            chaos: seconds(15, 60, random),
            delay: *random.pick(&[(0, 3), (1, 30), (20, 120), (50, 900)]),
            stalls: *random.pick(&[0, 0, 5, 30]),
            commit: *random.pick(&[(0, 4), (5, 60), (20, 400), (0, 3000)]),
            act_every: *random.pick(&[200, 600, 1500].map(Duration::from_millis)),
            cut_every: seconds(1, 25, random),
            crash_every: (!random.permille(250)).then(|| seconds(4, 30, random)),
            restart_every: random.permille(400).then(|| seconds(5, 30, random)),
            clock_steps: random.permille(300),
            pauses: random.permille(200),
        }
    }
}
