//! Moving in a menu by keys.

use parlor_ui::slint::{ComponentHandle, Model, ModelRc, SharedString};
use parlor_ui::{App, MenuEntry, MenuView};

/// Every menu of the window moves alike.
pub(super) fn listen_to_menus(window: &App) {
    let view = window.global::<MenuView>();
    view.on_next(|entries, from, by| next(&entries, from, by, |_| true).unwrap_or(-1));
    view.on_seek(|entries, from, letter: SharedString| {
        let letter = letter.to_lowercase();
        let begins =
            |entry: &MenuEntry| !letter.is_empty() && entry.title.to_lowercase().starts_with(&letter);
        next(&entries, from, 1, begins).unwrap_or(from)
    });
}

/// The next entry that can be chosen and that is meant, around the ends.
fn next(entries: &ModelRc<MenuEntry>, from: i32, by: i32, meant: impl Fn(&MenuEntry) -> bool) -> Option<i32> {
    let count = entries.row_count() as i32;
    let start = if from < 0 && by < 0 { count } else { from };
    (1..=count).map(|step| (start + step * by).rem_euclid(count)).find(|at| {
        let entry = entries.row_data(*at as usize); // from 0 to the count
        entry.is_some_and(|entry| !entry.hidden && !entry.off && meant(&entry))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_chosen_is_passed_over() {
        let entry =
            |title: &str, hidden, off| MenuEntry { title: title.into(), hidden, off, ..MenuEntry::default() };
        let menu = ModelRc::from([
            entry("Copy", false, false),
            entry("Copy the link", true, false),
            entry("Paste", false, true),
            entry("Mention bob", false, false),
        ]);
        let step = |from, by| next(&menu, from, by, |_| true);
        assert_eq!([step(-1, 1), step(0, 1), step(3, 1)], [Some(0), Some(3), Some(0)]);
        assert_eq!([step(-1, -1), step(3, -1), step(0, -1)], [Some(3), Some(0), Some(3)]);
        assert_eq!(next(&menu, 0, 1, |entry| entry.title.starts_with('P')), None);
        assert_eq!(next(&ModelRc::default(), -1, 1, |_| true), None);
    }
}
