//! What is marked of the lines: where it stands on the screen, and what of it is copied.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use parlor_ui::slint::{ComponentHandle, ModelRc, SharedString, VecModel};
use parlor_ui::{App, Area, Part, TimelineView};

use super::clipboard::copy;
use super::layout::{Layouts, Set};
use super::text::{link_at, links};
use super::{Bridge, on};
use crate::fonts;

impl Bridge {
    pub(super) fn listen_to_marking(self: &Rc<Self>, window: &App) {
        let view = window.global::<TimelineView>();
        let layouts = Rc::new(RefCell::new(Layouts::new()));
        // The toolkit asks while it lays out and draws: nothing but the layouts is touched.
        let set = {
            let window = window.as_weak();
            move |text: SharedString, styles: SharedString, width, size| {
                let scale = window.upgrade().map_or(1.0, |window| window.window().scale_factor());
                Set { text, styles, width, size, scale }
            }
        };
        let (here, of) = (Rc::clone(&layouts), set.clone());
        view.on_areas(move |text, styles, width, size, part| {
            let to = bytes(&part).end.min(text.len());
            model(here.borrow_mut().areas(of(text, styles, width, size), bytes(&part).start.min(to)..to))
        });
        let (here, of) = (Rc::clone(&layouts), set.clone());
        view.on_underlines(move |text, styles, width, size| {
            let parts: Vec<_> = links(&text).collect();
            model(here.borrow_mut().underlines(of(text, styles, width, size), parts.into_iter()))
        });
        let (here, of) = (Rc::clone(&layouts), set.clone());
        view.on_place(move |text, styles, width, size, x, y| {
            here.borrow_mut().place(of(text, styles, width, size), x, y) as i32
        });
        let (here, of) = (Rc::clone(&layouts), set.clone());
        view.on_word(move |text, styles, width, size, x, y| {
            let word = here.borrow_mut().word(of(text, styles, width, size), x, y);
            Part { from: word.start as i32, to: word.end as i32 }
        });
        let (here, of) = (Rc::clone(&layouts), set.clone());
        view.on_link(move |text, styles, width, size, x, y| {
            let at = here.borrow_mut().on(of(text.clone(), styles, width, size), x, y);
            at.and_then(|at| link_at(&text, at)).unwrap_or_default().into()
        });
        let (here, of) = (layouts, set);
        view.on_block(move |text, styles, width, size, part| {
            here.borrow_mut().block(of(text, styles, width, size), bytes(&part))
        });
        view.on_piece(|text, part| text.get(bytes(&part)).unwrap_or_default().into());
        if let Some(mono) = fonts::mono() {
            view.set_mono(mono.into());
        }
        on!(self, view, on_copy_line, |this, row, bare| this.copy_row(row, bare));
        on!(self, view, on_copy_marked, |this, bare| this.copy_marked(bare));
        on!(self, view, on_copy_text, |_this, text| {
            copy(text.into());
        });
    }

    /// No button is down any more.
    pub(super) fn end_drag(&self) {
        if let Some(window) = self.window.upgrade() {
            window.global::<TimelineView>().set_dragging(false);
        }
    }

    fn copy_row(&self, row: i32, bare: bool) {
        let text = self.current_lines().zip(usize::try_from(row).ok());
        let text = text.and_then(|(lines, row)| lines.as_text(row, 0..usize::MAX, bare));
        text.into_iter().for_each(|text| {
            copy(text);
        });
    }

    /// A part of one line is copied as it is; lines of which the first or the last is marked in part come with that part.
    fn copy_marked(&self, bare: bool) {
        let (Some(window), Some(lines)) = (self.window.upgrade(), self.current_lines()) else { return };
        let view = window.global::<TimelineView>();
        let row = |row: i32| usize::try_from(row).unwrap_or_default();
        let (first, last) = (row(view.get_first()), row(view.get_last()));
        let (from, to) = match view.get_marked_whole() {
            true => (0, usize::MAX),
            false => (row(view.get_first_at()), row(view.get_last_at())),
        };
        let bare = bare || (first == last && !view.get_marked_whole());
        let part = |row| if row == first { from } else { 0 }..if row == last { to } else { usize::MAX };
        let texts = (first..=last).filter_map(|row| lines.as_text(row, part(row), bare));
        copy(texts.collect::<Vec<_>>().join("\n"));
    }
}

fn bytes(part: &Part) -> Range<usize> {
    usize::try_from(part.from).unwrap_or_default()..usize::try_from(part.to).unwrap_or_default()
}

fn model(areas: Vec<Area>) -> ModelRc<Area> {
    ModelRc::new(VecModel::from(areas))
}
