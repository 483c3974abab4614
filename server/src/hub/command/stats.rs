//! What the operator is told about the server at work.

use crate::hub::Hub;
use crate::hub::change::Asker;
use crate::hub::state::ConnectionId;

/// What only the shell of the hub knows, since the start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// Turns of the hub.
    pub turns: u64,
    /// Bytes of lines from members, and to them.
    pub traffic: (u64, u64),
    /// Bytes of the history on disk; `None`: it is in memory.
    pub history: Option<u64>,
    /// Bytes of memory that the process takes; `None`: the system does not tell.
    pub memory: Option<u64>,
}

impl Hub {
    /// Tells the one who asked, or the console.
    pub(crate) fn stats(&mut self, asker: Option<ConnectionId>, figures: &Figures) {
        let (state, up) = (&self.state, self.state.now.elapsed.as_secs());
        let (days, h, m, s) = (up / 86_400, up / 3600 % 24, up / 60 % 60, up % 60);
        let (here, peak) = (state.population.registered, state.population.registered_peak);
        let (connected, most) = state.admission.connected();
        let rooms = state.rooms.from(0).filter(|(_, room)| room.is_alive()).count();
        let (read, sent) = figures.traffic;
        let mut lines = vec![
            format!("up           {days} days {h}:{m:02}:{s:02}"),
            format!("members      {here}, {peak} at a time"),
            format!("connections  {connected} of {most}"),
            format!("rooms        {rooms}"),
            format!("messages     {}", self.delivery.said),
            format!("traffic      {} in, {} out", size(read), size(sent)),
            format!("turns        {}", figures.turns),
        ];
        if self.server() > 0 {
            // What is asked often tells how it is now.
            let (count, within) = std::mem::take(&mut self.times).figures();
            let within =
                within.map(|[half, most]| format!(", half within {half} µs, 99 of 100 within {most} µs"));
            lines.push(format!(
                "order        {count} changes since the last time{}",
                within.unwrap_or_default()
            ));
        }
        lines.extend([
            format!("history      {}", figures.history.map_or("in memory".into(), size)),
            format!("memory       {}", figures.memory.map_or("unknown".into(), size)),
        ]);
        self.answer_all(asker.map_or(Asker::Console, Asker::Operator), lines);
    }
}

/// Bytes as people read them, in units of 1024.
fn size(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // In tenths: what prints fractions of a float takes 14 KB of code.
    let mut tenths = (bytes.saturating_mul(10) + 512) / 1024;
    for unit in ["KB", "MB", "GB"] {
        match tenths {
            0..1000 => return format!("{}.{} {unit}", tenths / 10, tenths % 10),
            1000..10_000 => return format!("{} {unit}", tenths / 10),
            _ => tenths = (tenths + 512) / 1024,
        }
    }
    format!("{}.{} TB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_at_a_glance() {
        let sizes = [0, 999, 1000, 5 << 20, 1_200_000_000_000].map(size);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 KB", "5.0 MB", "1.1 TB"]);
    }
}
