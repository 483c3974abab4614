//! What a reaction costs beside a line: the same members, who hear tags, say first these, then those.

use std::io;

use super::contestant::Contestant::Ours;
use super::crowd::{Crowd, Dialect};
use super::options::Plan;
use super::report::Report;
use super::rounds::{COST, ROOM, Round, WARM, enter};
use super::talk::Pace;

pub(crate) fn measure(plan: &Plan) -> io::Result<Report> {
    let mut report =
        Report::new("reactions", "100 members, 10 senders with 16 lines or reactions in flight each");
    let round = Round { members: 100, senders: 10, pace: Pace::InFlight(16) };
    let (mut lines, mut reactions) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        let server = Ours.start(plan.server_cores())?;
        let mut crowd = Crowd::new(server.address, server.dialect, "m")?.tagged();
        crowd.enter(round.members, Ours.abreast(), &|_| vec![ROOM.into()])?;
        for (dialect, runs) in [(Dialect::Irc, &mut lines), (Dialect::Reactions, &mut reactions)] {
            crowd.dialect = dialect;
            runs.push(round.talk().run(&mut crowd, server.id, (WARM, plan.spell))?);
        }
    }
    enter("lines", &lines, &mut report);
    enter("reactions", &reactions, &mut report);
    let [line, reaction] = ["lines", "reactions"].map(|who| report.get(who, COST));
    let ratio = reaction.zip(line).map(|(reaction, line)| reaction / line);
    // The same, as far as a machine that does other things can tell.
    report.at_most("CPU a delivery of a reaction over that of a line", ratio, Some(1.1));
    Ok(report)
}
