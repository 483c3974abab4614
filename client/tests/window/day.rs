//! Another day begins while the window is open.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use parlor_ui::slint::{FilterModel, Model};

use crate::person::{Person, Terminal, server};

/// What tells this program that it is the one whose midnight is near.
const NEAR: &str = "PARLOR_TEST_MIDNIGHT_IS_NEAR";

/// The time zone is the process's: the test runs itself again in one where midnight is near.
#[test]
fn what_was_today_is_yesterday_after_midnight() {
    if std::env::var_os(NEAR).is_some() {
        return across_midnight();
    }
    #[expect(clippy::disallowed_methods, reason = "a midnight near to now")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    // In 6 s it is midnight there; POSIX counts time zones to the west.
    let west = (now + 6 + 43_200).rem_euclid(86_400) - 43_200;
    let (sign, west) = if west < 0 { ("-", -west) } else { ("", west) };
    let zone = format!("XXX{sign}{:02}:{:02}:{:02}", west / 3_600, west / 60 % 60, west % 60);
    let name = "day::what_was_today_is_yesterday_after_midnight";
    let mut again = Command::new(std::env::current_exe().unwrap());
    let output =
        again.args(["--exact", name, "--nocapture"]).env("TZ", zone).env(NEAR, "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

fn across_midnight() {
    let host = server();
    let mut bob = Terminal::joins(host.address(), "bob");
    let alice = Person::new("midnight");
    alice.joins(host.address(), "alice");
    bob.types("before");
    alice.waits_for("before");
    // As a list on the screen knows its rows: those that it was told have changed.
    let today = FilterModel::new(alice.timeline().get_lines(), |row| row.plain == "Today");
    assert_eq!(today.row_count(), 1, "{:?}", alice.texts());
    alice.until("midnight", |_| today.row_count() == 0);
    assert!(alice.has("Yesterday"));
    bob.types("after");
    alice.waits_for("after");
    assert_eq!((today.row_count(), alice.texts().iter().filter(|row| row.contains("Today")).count()), (1, 1));
    host.stop();
}
