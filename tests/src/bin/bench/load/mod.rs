//! The load generator: real sockets, thousands of members, a closed loop; beside our server the
//! floor, the ideal hub and peers, in the same run.
//!
//! What is measured how: a delivery is one line that has reached one member; CPU is user and
//! system time of the server's process; latency runs from before the `write` of the sender to
//! the `read` of each member, one for each delivery. Each line is followed: a run in which one
//! was lost, doubled or out of its sender's order has no figure.

mod arrivals;
mod batch;
mod clock;
mod contestant;
mod cores;
mod crowd;
mod empty;
mod floor;
mod history;
mod hostile;
mod hub;
mod idle;
mod measured;
mod member;
mod offender;
mod options;
mod poll;
mod reactions;
mod report;
mod rounds;
mod scale;
mod small;
mod soak;
mod source;
mod spread;
mod stamp;
mod store;
mod stranger;
mod talk;
mod tls;
mod two_cores;

use std::io;

use crate::process;
pub(crate) use contestant::Contestant;
pub(crate) use options::Plan;
pub(crate) use report::Report;

type Scenario = fn(&Plan) -> io::Result<Report>;

/// The scenarios by name, in the order of a whole run; `false`: only when named.
pub(crate) const SCENARIOS: [(&str, bool, Scenario); 18] = [
    ("batch", true, batch::batch),
    ("single", true, batch::single),
    ("thousand", true, batch::thousand),
    ("paced", true, batch::paced),
    ("reactions", true, reactions::measure),
    ("idle", true, idle::measure),
    ("joins", true, arrivals::measure),
    ("empty", true, empty::measure),
    ("history", true, history::measure),
    ("cores", true, two_cores::measure),
    ("scale", true, scale::measure),
    ("small", true, small::measure),
    ("hostile", true, hostile::measure),
    ("tls", true, tls::measure),
    ("store", false, store::measure),
    ("stranger", false, stranger::measure),
    ("siege", false, stranger::siege),
    ("soak", false, soak::measure),
];

/// Raises the limits of this program; before anything else.
pub(crate) fn prepare() {
    cores::raise_descriptors();
}

/// Plays one of the parts that this program starts itself in.
pub(crate) fn child(part: &[&str]) -> io::Result<()> {
    let number = |text: &str| text.parse::<usize>().map_err(io::Error::other);
    match part {
        ["hub"] => hub::run().map(|never| match never {}),
        ["floor", sockets, lines, text] => {
            floor::run(number(sockets)?, number(lines)?, number(text)?).map(|never| match never {})
        }
        ["spin"] => small::spin(),
        _ => Err(io::Error::other(format!("there is no part {part:?}"))),
    }
}
