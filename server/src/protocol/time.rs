//! The moment of an event, and how it is written.

use std::fmt;
use std::time::Duration;

/// Milliseconds since 1970-01-01 UTC, as `server-time` writes them: `2026-11-20T09:12:03.456Z`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// Whole seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// Reads `2026-11-20T09:12:03.456Z` (IRCv3 server-time); the fraction may be missing.
    /// `None` for anything else.
    pub fn parse(text: &str) -> Option<UnixMillis> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        parse(date, time)
    }

    /// Reads every form of RFC 3339 §5.6: also `t` or a space, `z`, and an offset such as `+01:00`.
    /// `None` for anything else, and for what was before 1970.
    pub fn parse_rfc3339(text: &str) -> Option<UnixMillis> {
        let (date, time) = text.split_once(['T', 't', ' '])?;
        let (time, zone) = time.split_at(time.find(['Z', 'z', '+', '-'])?);
        let UnixMillis(local) = parse(date, time)?;
        if matches!(zone, "Z" | "z") {
            return Some(UnixMillis(local));
        }
        let (hours, minutes) = zone.get(1..)?.split_once(':')?;
        let offset = number(hours).filter(|hours| *hours < 24)? * 60 + number(minutes).filter(|m| *m < 60)?;
        let offset = offset * 60_000;
        let utc = if zone.starts_with('+') { local.checked_sub(offset) } else { local.checked_add(offset) };
        utc.map(UnixMillis)
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0 / 86_400_000);
        let ms = self.0 % 86_400_000;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
            ms / 3_600_000,
            ms / 60_000 % 60,
            ms / 1000 % 60,
            ms % 1000
        )
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar
/// (H. Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let of_era = z % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// A date and a time of day.
fn parse(date: &str, time: &str) -> Option<UnixMillis> {
    let mut date = date.splitn(3, '-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.splitn(3, ':').map(number);
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let plausible = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        // A leap second is the 60th.
        && hour < 24 && minute < 60 && second <= 60;
    let digits: String = fraction.chars().chain("00".chars()).take(3).collect();
    let millis = number(&digits).filter(|_| plausible)?;
    // A day that a month does not have would be one of the next month.
    let days = Some(days(year, month, day)).filter(|days| civil(*days) == (year, month, day))?;
    Some(UnixMillis((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis))
}

fn number(digits: &str) -> Option<u64> {
    let sound = !digits.is_empty() && digits.len() <= 4 && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| sound)
}

/// Days since 1970-01-01 of a date not before it (H. Hinnant, `days_from_civil`).
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let of_era = year % 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The time that comes with an input: the pure parts have no clock of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment {
    /// Since the program started; never goes back.
    pub elapsed: Duration,
    /// What the wall's clock says; may jump.
    pub wall: UnixMillis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_server_time() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_795_214_096_007, "2026-11-20T22:34:56.007Z"),
        ] {
            assert_eq!(UnixMillis(ms).to_string(), text);
            assert_eq!(UnixMillis::parse(text), Some(UnixMillis(ms)));
        }
        assert_eq!(UnixMillis::parse("1970-01-01T00:00:01Z"), Some(UnixMillis(1000)));
        assert_eq!(UnixMillis::parse("1970-01-01T00:00:01.5Z"), Some(UnixMillis(1500)));
        for text in ["", "Z", "T", "1970-00-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-1x-01T00:00:00Z"] {
            assert_eq!(UnixMillis::parse(text), None, "{text}");
        }
        for text in ["2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-04-31T00:00:00Z"] {
            assert_eq!(UnixMillis::parse(text), None, "{text}");
        }
    }
}
