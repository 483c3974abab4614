//! Quantities as people type them: `30d`, `256M`, `2026-11-20`.

use std::time::Duration;

use crate::protocol::time::UnixMillis;

/// A time span: a whole number above 0 and `s`, `m`, `h`, `d` or `y` (365 days).
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "y" => 365 * 24 * 3600,
        _ => return None,
    };
    // A thousand years, in milliseconds, fit everywhere.
    number.checked_mul(seconds).filter(|s| *s <= 1000 * 365 * 24 * 3600).map(Duration::from_secs)
}

/// Bytes: a whole number above 0 and nothing, `K`, `M` or `G` (times 1024).
pub fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "" => 1,
        "K" | "k" => 1 << 10,
        "M" | "m" => 1 << 20,
        "G" | "g" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// The beginning of a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// A moment: `2026-11-20`, `2026-11-20T09:12:03Z`.
    At(UnixMillis),
    /// A span before now: `30d`.
    Ago(Duration),
}

impl Since {
    /// Reads it as a person types it.
    pub fn parse(text: &str) -> Option<Since> {
        let at = UnixMillis::parse(text).or_else(|| UnixMillis::parse(&format!("{text}T00:00:00Z")));
        at.map(Since::At).or_else(|| duration(text).map(Since::Ago))
    }

    /// The moment, as seen from `now`.
    pub fn from(self, now: UnixMillis) -> UnixMillis {
        match self {
            Since::At(moment) => moment,
            Since::Ago(ago) => UnixMillis(now.0.saturating_sub(ago.as_millis() as u64)),
        }
    }
}

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    number.parse().ok().filter(|number| *number > 0).map(|number| (number, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_people_type_them() {
        assert_eq!(duration("30d"), Some(Duration::from_secs(30 * 86_400)));
        assert_eq!(duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(bytes("256M"), Some(256 << 20));
        assert_eq!(bytes("512"), Some(512));
        let now = UnixMillis(1_795_214_096_007);
        let moment = |text| Since::parse(text).map(|since| since.from(now));
        assert_eq!(moment("2026-11-20"), UnixMillis::parse("2026-11-20T00:00:00Z"));
        assert_eq!(moment("2026-11-20T01:02:03Z"), UnixMillis::parse("2026-11-20T01:02:03Z"));
        assert_eq!(moment("1h"), Some(UnixMillis(now.0 - 3_600_000)));
        for nonsense in ["", "d", "0d", "-1d", "30", "30w", "99999999999999999999d", "9999999y", "1é"] {
            assert_eq!(duration(nonsense), None, "{nonsense}");
        }
        assert_eq!((bytes("0"), bytes("1T"), bytes("99999999999G")), (None, None, None));
    }
}
