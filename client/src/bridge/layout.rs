//! Where the words of a line stand. The toolkit draws them but does not tell (slint#12354), so they are laid out once more,
//! as its `sharedparley` does: only lines that have a link, are marked, or are under the pointer.

use std::collections::VecDeque;
use std::ops::Range;

use parley::{
    Affinity, Cursor, FontContext, FontFamily, FontFamilyName, GenericFamily, Layout, LayoutContext,
};
use parley::{FontStyle, FontWeight, LineHeight, OverflowWrap, Selection, StyleProperty};
use parlor_ui::Area;
use parlor_ui::slint::SharedString;
use parlor_ui::slint::fontique_011::shared_collection;

use super::text::is_rtl;

/// Layouts that are kept, 7 KB each: twice the rows of a window. The one that was used longest ago goes.
const KEPT: usize = 64;
/// Of the size of a text that of code in it, as the toolkit draws it (`INLINE_CODE_FONT_SCALE`).
const CODE: f32 = 0.85;

/// A text as it stands on the screen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Set {
    pub(super) text: SharedString,
    /// As [`Written::styles`](super::text::Written::styles) says them.
    pub(super) styles: SharedString,
    /// Logical pixels.
    pub(super) width: f32,
    /// Of the font, in logical pixels.
    pub(super) size: f32,
    /// Physical pixels in a logical one.
    pub(super) scale: f32,
}

/// The layouts of the lines on the screen.
pub(super) struct Layouts {
    fonts: FontContext,
    context: LayoutContext<()>,
    /// Height of a line of the first font, in font sizes.
    line_height: Option<f32>,
    kept: VecDeque<(Set, Layout<()>)>,
}

impl Layouts {
    /// With the toolkit's fonts; there is a window already.
    pub(super) fn new() -> Layouts {
        let fonts = FontContext { collection: shared_collection(), source_cache: Default::default() };
        Layouts { fonts, context: LayoutContext::new(), line_height: None, kept: VecDeque::new() }
    }

    /// Where a part of it stands: a rectangle for each row that it is in, or more where the direction changes.
    pub(super) fn areas(&mut self, set: Set, part: Range<usize>) -> Vec<Area> {
        let scale = set.scale;
        let layout = self.layout(set);
        let mut areas = Vec::new();
        selection(layout, part).geometry_with(layout, |at, _| {
            areas.push(area(scale, at.x0, at.y0, at.x1 - at.x0, at.y1 - at.y0));
        });
        areas
    }

    /// What underlines these parts of it, at least a pixel high: the toolkit's own lines get lost between two.
    pub(super) fn underlines(&mut self, set: Set, parts: impl Iterator<Item = Range<usize>>) -> Vec<Area> {
        let scale = set.scale;
        let layout = self.layout(set);
        let mut areas = Vec::new();
        for part in parts {
            selection(layout, part).geometry_with(layout, |at, row| {
                let Some(line) = layout.get(row) else { return };
                let Some(run) = line.runs().next() else { return };
                let metrics = run.metrics();
                let y = f64::from(line.metrics().baseline - metrics.underline_offset).floor();
                let height = f64::from(metrics.underline_size).round().max(1.0);
                areas.push(area(scale, at.x0, y, at.x1 - at.x0, height));
            });
        }
        areas
    }

    /// From where to where lines of this part go: as wide as the text may be.
    pub(super) fn block(&mut self, set: Set, part: Range<usize>) -> Area {
        let (scale, width) = (set.scale, set.width);
        let layout = self.layout(set);
        let (mut top, mut bottom) = (f64::MAX, 0.0_f64);
        // An empty line has no geometry of its own.
        let lines = layout.lines().filter(|line| {
            let range = line.text_range();
            range.start < part.end && part.start < range.end
        });
        lines.for_each(|line| {
            let metrics = line.metrics();
            top = top.min(f64::from(metrics.block_min_coord));
            bottom = bottom.max(f64::from(metrics.block_max_coord));
        });
        Area { width, ..area(scale, 0.0, top.min(bottom), 0.0, bottom - top.min(bottom)) }
    }

    /// The place in the text (bytes, between two characters) that is nearest to a point.
    pub(super) fn place(&mut self, set: Set, x: f32, y: f32) -> usize {
        let scale = set.scale;
        Cursor::from_point(self.layout(set), x * scale, y * scale).index()
    }

    /// The character under a point, if the point is on one.
    pub(super) fn on(&mut self, set: Set, x: f32, y: f32) -> Option<usize> {
        let (scale, text) = (set.scale, set.text.clone());
        let at = self.place(set.clone(), x, y);
        // The nearest place is in front of it or behind it.
        let before = text.get(..at)?.chars().next_back().map(|c| at - c.len_utf8()..at);
        let after = text.get(at..)?.chars().next().map(|c| at..at + c.len_utf8());
        let layout = self.layout(set);
        [before, after].into_iter().flatten().find_map(|one| {
            let mut hit = false;
            selection(layout, one.clone()).geometry_with(layout, |at, _| {
                let (x, y) = (f64::from(x * scale), f64::from(y * scale));
                hit |= (at.x0..at.x1).contains(&x) && (at.y0..at.y1).contains(&y);
            });
            hit.then_some(one.start)
        })
    }

    /// The word under a point, or the space between two.
    pub(super) fn word(&mut self, set: Set, x: f32, y: f32) -> Range<usize> {
        let (scale, text) = (set.scale, set.text.clone());
        let word = Selection::word_from_point(self.layout(set), x * scale, y * scale).text_range();
        let length = text.get(word.clone()).map_or(0, |word| word.trim_end().len());
        if length == 0 { word } else { word.start..word.start + length }
    }

    fn layout(&mut self, set: Set) -> &Layout<()> {
        let known = match self.kept.iter().position(|(kept, _)| *kept == set) {
            Some(at) => self.kept.remove(at),
            None => None,
        };
        let known = known.unwrap_or_else(|| {
            let layout = self.lay_out(&set);
            (set, layout)
        });
        self.kept.truncate(KEPT - 1);
        self.kept.push_front(known);
        &self.kept[0].1 // just put there
    }

    fn lay_out(&mut self, set: &Set) -> Layout<()> {
        let ratio = match self.line_height {
            Some(ratio) => ratio,
            None => {
                let x = self.build(("x", ""), 100.0, 1.0, LineHeight::MetricsRelative(1.0), None);
                *self.line_height.insert(x.height() / 100.0)
            }
        };
        let height = LineHeight::FontSizeRelative(ratio);
        self.build((&set.text, &set.styles), set.size, set.scale, height, Some(set.width * set.scale))
    }

    fn build(
        &mut self,
        (text, styles): (&str, &str),
        size: f32,
        scale: f32,
        height: LineHeight,
        width: Option<f32>,
    ) -> Layout<()> {
        let families = [GenericFamily::SansSerif, GenericFamily::SystemUi].map(FontFamilyName::Generic);
        let mut builder = self.context.ranged_builder(&mut self.fonts, text, scale, false);
        builder.push_default(StyleProperty::LineHeight(height));
        builder.push_default(FontFamily::List(families.as_slice().into()));
        builder.push_default(StyleProperty::FontSize(size));
        builder.push_default(StyleProperty::OverflowWrap(OverflowWrap::Anywhere));
        for (part, letters) in styles.split_terminator(';').filter_map(|style| styled_part(style, text)) {
            if letters.contains('b') {
                builder.push(StyleProperty::FontWeight(FontWeight::BOLD), part.clone());
            }
            if letters.contains('i') {
                builder.push(StyleProperty::FontStyle(FontStyle::Italic), part.clone());
            }
            if letters.contains('m') {
                let mono = FontFamilyName::Generic(GenericFamily::Monospace);
                builder.push(StyleProperty::FontFamily(FontFamily::Single(mono)), part.clone());
                builder.push(StyleProperty::FontSize(size * CODE), part);
            }
        }
        let mut layout = builder.build(text);
        layout.break_all_lines(width);
        let side = if is_rtl(text) { parley::Alignment::Right } else { parley::Alignment::Left };
        layout.align(side, Default::default());
        layout
    }
}

/// A part that is written in some way, and the letters that say it.
fn styled_part<'a>(style: &'a str, text: &str) -> Option<(Range<usize>, &'a str)> {
    let mut words = style.split(' ');
    let (from, to) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let part: Range<usize> = from..to;
    text.get(part.clone()).filter(|part| !part.is_empty())?;
    Some((part, words.next()?))
}

fn selection(layout: &Layout<()>, part: Range<usize>) -> Selection {
    let at = |index| Cursor::from_byte_index(layout, index, Affinity::Downstream);
    Selection::new(at(part.start), at(part.end))
}

/// Physical to logical pixels.
fn area(scale: f32, x: f64, y: f64, width: f64, height: f64) -> Area {
    let logical = |pixels: f64| pixels as f32 / scale;
    Area { x: logical(x), y: logical(y), width: logical(width), height: logical(height) }
}
