//! Times as the person reads them: local, in the chosen format and language.

use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike, Local, TimeZone, Timelike};
use parlor_server::protocol::time::UnixMillis;
use parlor_ui::Words;

use crate::settings::TimeFormat;

fn local(at: UnixMillis) -> DateTime<Local> {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    Local.timestamp_millis_opt(millis).earliest().unwrap_or_default()
}

/// Days since 1970 where the person is.
pub(super) fn day_of(at: UnixMillis) -> i64 {
    i64::from(local(at).num_days_from_ce()) - 719_163
}

/// `09:12` or `9:12 am`.
pub(super) fn time(words: &Words<'_>, format: TimeFormat, at: UnixMillis) -> String {
    clock(words, format, local(at), false)
}

fn clock(words: &Words<'_>, format: TimeFormat, at: DateTime<Local>, seconds: bool) -> String {
    let rest = if seconds {
        format!("{:02}:{:02}", at.minute(), at.second())
    } else {
        format!("{:02}", at.minute())
    };
    let format = match format {
        TimeFormat::System if super::preferences::has_half_days() => TimeFormat::Hours12,
        TimeFormat::System => TimeFormat::Hours24,
        chosen => chosen,
    };
    match format {
        TimeFormat::System | TimeFormat::Hours24 => format!("{:02}:{rest}", at.hour()),
        TimeFormat::Hours12 => {
            let (afternoon, hour) = at.hour12();
            let time = format!("{hour}:{rest}").into();
            if afternoon { words.invoke_afternoon(time) } else { words.invoke_morning(time) }.into()
        }
    }
}

/// `Tuesday 4 March 2025, 09:12:04`.
pub(super) fn full(words: &Words<'_>, format: TimeFormat, at: UnixMillis) -> String {
    let at = local(at);
    let date = words.invoke_day_of_year(weekday(at), at.day() as i32, at.month() as i32, at.year());
    words.invoke_full_date(date, clock(words, format, at, true).into()).into()
}

/// `4 March 09:12`.
pub(super) fn short(words: &Words<'_>, format: TimeFormat, at: UnixMillis) -> String {
    let time = time(words, format, at);
    let at = local(at);
    words.invoke_short_date(at.day() as i32, at.month() as i32, time.into()).into()
}

/// A day without its time: as a separator says it.
pub(super) fn date(words: &Words<'_>, at: UnixMillis) -> String {
    day(words, day_of(at), now())
}

/// A day separator: today, yesterday, or the day, with its year if it is not this one.
pub(super) fn day(words: &Words<'_>, day: i64, now: UnixMillis) -> String {
    let today = day_of(now);
    if day == today {
        return words.invoke_today().into();
    }
    if day == today - 1 {
        return words.invoke_yesterday().into();
    }
    let at = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(day.clamp(0, 100_000_000));
    let (weekday, number, month) =
        (at.weekday().number_from_monday() as i32, at.day() as i32, at.month() as i32);
    if at.year() == local(now).year() {
        words.invoke_day(weekday, number, month).into()
    } else {
        words.invoke_day_of_year(weekday, number, month, at.year()).into()
    }
}

fn weekday(at: DateTime<Local>) -> i32 {
    at.weekday().number_from_monday() as i32
}

/// How long this day lasts where the person is; an hour longer or shorter where clocks are put
/// forward or back.
pub(super) fn left_of_day(at: UnixMillis) -> Duration {
    let day = Duration::from_secs(24 * 60 * 60);
    day.saturating_sub(Duration::from_secs(u64::from(local(at).num_seconds_from_midnight())))
}

/// Now, by the wall's clock.
#[expect(clippy::disallowed_methods, reason = "the window shows real time")]
pub(super) fn now() -> UnixMillis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    UnixMillis(since.as_millis() as u64)
}

/// Now, by a clock that only goes forward.
#[expect(clippy::disallowed_methods, reason = "the window shows real time")]
pub(super) fn monotonic() -> Instant {
    Instant::now()
}
