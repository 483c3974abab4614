//! Lists that are on the screen: only what differs is changed, so that a row that has the
//! keyboard, or an open menu, keeps it.

use std::collections::HashSet;
use std::hash::Hash;

use parlor_ui::slint::{Model, ModelRc, VecModel};

/// Rows that come or go one by one; more of them are another list.
const ONE_BY_ONE: usize = 256;

/// Makes a list show these rows, each known by its `name`; `set` gives it to the view where it has
/// none yet.
pub(super) fn show<T, N>(
    shown: &ModelRc<T>,
    rows: Vec<T>,
    name: impl Fn(&T) -> N,
    set: impl FnOnce(ModelRc<T>),
) where
    T: Clone + PartialEq + 'static,
    N: Hash + Eq,
{
    let Some(model) = shown.as_any().downcast_ref::<VecModel<T>>() else {
        return set(ModelRc::new(VecModel::from(rows)));
    };
    let before: HashSet<N> = model.iter().map(|row| name(&row)).collect();
    let after: HashSet<N> = rows.iter().map(&name).collect();
    if before.symmetric_difference(&after).count() > ONE_BY_ONE {
        return model.set_vec(rows);
    }
    for at in (0..model.row_count()).rev() {
        if model.row_data(at).is_some_and(|row| !after.contains(&name(&row))) {
            model.remove(at);
        }
    }
    let count = rows.len();
    for (at, row) in rows.into_iter().enumerate() {
        match model.row_data(at) {
            Some(before) if before == row => {}
            Some(_) if !before.contains(&name(&row)) => model.insert(at, row),
            Some(_) => model.set_row_data(at, row),
            None => model.push(row),
        }
    }
    while let Some(last) = model.row_count().checked_sub(1).filter(|last| *last >= count) {
        model.remove(last);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn a_list_stays_and_its_rows_change() {
        let shown = RefCell::new(ModelRc::<i32>::default());
        let many: Vec<i32> = (0..1_000).collect();
        for rows in [
            vec![1, 2, 3],
            vec![1, 5],
            vec![],
            vec![7, 8, 9],
            vec![6, 7, 10, 9],
            vec![9, 6, 7],
            many.clone(),
            [vec![-1], many, vec![1_000]].concat(),
            vec![2],
        ] {
            let before = shown.borrow().clone();
            show(&before, rows.clone(), |row| *row, |model| *shown.borrow_mut() = model);
            assert_eq!(shown.borrow().iter().collect::<Vec<_>>(), rows);
            assert!(before.row_count() == 0 || before == *shown.borrow(), "the same list");
        }
    }
}
