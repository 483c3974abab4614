//! Short lists that are on the screen: only what differs is changed, so that a row that has the
//! keyboard, or an open menu, keeps it.

use parlor_ui::slint::{Model, ModelRc, VecModel};

/// Makes a list show these rows; `set` gives it to the view where it has none yet.
pub(super) fn show<T>(shown: &ModelRc<T>, rows: Vec<T>, set: impl FnOnce(ModelRc<T>))
where
    T: Clone + PartialEq + 'static,
{
    let Some(model) = shown.as_any().downcast_ref::<VecModel<T>>() else {
        return set(ModelRc::new(VecModel::from(rows)));
    };
    let count = rows.len();
    for (at, row) in rows.into_iter().enumerate() {
        match model.row_data(at) {
            Some(before) if before == row => {}
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
        for rows in [vec![1, 2, 3], vec![1, 5], vec![], vec![7, 8, 9]] {
            let before = shown.borrow().clone();
            show(&before, rows.clone(), |model| *shown.borrow_mut() = model);
            assert_eq!(shown.borrow().iter().collect::<Vec<_>>(), rows);
            assert!(before.row_count() == 0 || before == *shown.borrow(), "the same list");
        }
    }
}
