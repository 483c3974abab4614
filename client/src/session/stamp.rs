//! What the server says about a message itself: its time, its name, our token.

use std::borrow::Cow;

use parlor_server::protocol::Message;
use parlor_server::protocol::time::UnixMillis;

use super::delivery::TOKEN;
use super::page::Batch;
use super::position::Position;

/// The tag of a line that is not on disk.
const VOLATILE: &str = "parlor/volatile";
/// Bytes of a msgid or token that are worth remembering.
const MOST: usize = 128;

/// What the tags of a message say about it.
#[derive(Debug, Clone)]
pub(super) struct Stamp<'a> {
    /// By the server's clock where it tells (`server-time`), else ours.
    pub(super) at: UnixMillis,
    pub(super) msgid: Option<Cow<'a, str>>,
    /// The sender's own name for the line.
    pub(super) token: Option<Cow<'a, str>>,
    /// It comes from the history, not from now.
    pub(super) old: bool,
    /// It belongs to an answer that we asked for: the place of that among the open batches.
    pub(super) page: Option<usize>,
    /// The server does not keep it (`parlor/volatile`).
    pub(super) volatile: bool,
}

impl<'a> Stamp<'a> {
    pub(super) fn of(message: &Message<'a>, now: UnixMillis, batches: &[Batch]) -> Stamp<'a> {
        let tag = |name| message.tags.get(name).filter(|value| !value.is_empty() && value.len() <= MOST);
        let batch =
            tag("batch").and_then(|reference| batches.iter().position(|batch| batch.reference == *reference));
        Stamp {
            at: tag("time").and_then(|time| parse_time(&time)).unwrap_or(now),
            msgid: tag("msgid"),
            token: tag(TOKEN),
            old: batch.is_some(),
            page: batch.filter(|at| batches.get(*at).is_some_and(|batch| batch.page.is_some())),
            volatile: message.tags.get(VOLATILE).is_some(),
        }
    }
}

impl Stamp<'_> {
    /// The same, for later.
    pub(super) fn to_owned(&self) -> Stamp<'static> {
        let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(|text| text.to_owned().into());
        let Stamp { at, old, page, volatile, .. } = *self;
        Stamp { at, msgid: owned(&self.msgid), token: owned(&self.token), old, page, volatile }
    }

    /// Its place on a server whose msgids are sorted.
    pub(super) fn position(&self, sorted: bool) -> Option<Position> {
        self.msgid.as_deref().filter(|_| sorted).and_then(Position::parse)
    }
}

/// Reads `2026-11-20T09:12:03.456Z` (IRCv3 server-time); the fraction may be missing.
fn parse_time(text: &str) -> Option<UnixMillis> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
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
    let days = days(year, month, day);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for ms in [0, 951_782_400_000, 1_709_251_199_999, 1_795_214_096_007, 68_169_600_000] {
            assert_eq!(parse_time(&UnixMillis(ms).to_string()), Some(UnixMillis(ms)));
        }
        assert_eq!(parse_time("1970-01-01T00:00:01Z"), Some(UnixMillis(1000)));
        assert_eq!(parse_time("1970-01-01T00:00:01.5Z"), Some(UnixMillis(1500)));
        for nonsense in ["", "Z", "T", "1970-00-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-1x-01T00:00:00Z"]
        {
            assert_eq!(parse_time(nonsense), None, "{nonsense}");
        }
    }
}
