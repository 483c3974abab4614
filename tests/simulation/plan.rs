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
    /// Several servers have one order.
    pub(crate) several: Option<Several>,
}

/// How many servers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    One,
    Several,
}

/// What becomes of several servers and of the log that they share.
#[derive(Debug)]
pub(crate) struct Several {
    pub(crate) servers: usize,
    /// The last of them comes later than the others.
    pub(crate) joiner: bool,
    /// Milliseconds between a server and the engine.
    pub(crate) delay: (usize, usize),
    /// How many answers of the engine are lost, of a thousand.
    pub(crate) lossy: usize,
    /// Between two servers that stand still, two failures of the engine, two servers that do not reach it.
    pub(crate) freeze_every: Option<Duration>,
    pub(crate) engine_every: Option<Duration>,
    pub(crate) part_every: Option<Duration>,
    /// Between two snapshots.
    pub(crate) snapshot_every: Duration,
}

impl Plan {
    pub(crate) fn new(random: &mut Random, kind: Kind) -> Plan {
        let seconds = |from: usize, to: usize, random: &mut Random| random.millis((from * 1000, to * 1000));
        let plan = Plan {
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
            several: None,
        };
        match kind {
            Kind::One => plan,
            Kind::Several => plan.with_others(random),
        }
    }

    fn with_others(self, random: &mut Random) -> Plan {
        let often = |chance: usize, random: &mut Random| {
            random.permille(chance).then(|| random.millis((2000, 20_000)))
        };
        let several = Several {
            servers: *random.pick(&[1, 2, 2, 2, 3, 3]),
            joiner: random.permille(400),
            delay: *random.pick(&[(0, 1), (0, 3), (1, 30), (20, 200)]),
            lossy: *random.pick(&[0, 0, 10, 100]),
            freeze_every: often(500, random),
            engine_every: often(600, random),
            part_every: often(400, random),
            snapshot_every: {
                let about = *random.pick(&[(200, 800), (1000, 15_000)]);
                random.millis(about)
            },
        };
        // A disk that takes nothing is a matter of one server.
        Plan { pauses: false, several: Some(several), ..self }
    }
}
