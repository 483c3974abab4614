//! Where the words of a line stand.

use parlor_ui::Part;
use parlor_ui::slint::Model;

use crate::person::Person;

const WIDTH: f32 = 200.0;
const SIZE: f32 = 14.0;

#[test]
fn every_place_of_a_text_is_found() {
    let alice = Person::new("places");
    let view = alice.timeline();
    let place = |text: &str, x, y| view.invoke_place(text.into(), "".into(), WIDTH, SIZE, x, y);
    let areas = |text: &str, from: usize, to: usize| {
        let part = Part { from: from as i32, to: to as i32 };
        view.invoke_areas(text.into(), "".into(), WIDTH, SIZE, part).iter().collect::<Vec<_>>()
    };
    for text in ["alpha beta", "大家早上好", "שלום עולם", "مرحبا", "🎉 party", "zoë\u{301}", "x"]
    {
        let ends = [place(text, -50.0, 5.0), place(text, 1000.0, 5.0)];
        assert!(ends.contains(&0) && ends.contains(&(text.len() as i32)), "{text}: {ends:?}");
        for (at, c) in text.char_indices().filter(|(_, c)| !c.is_whitespace() && *c != '\u{301}') {
            let Some(area) = areas(text, at, at + c.len_utf8()).first().cloned() else {
                panic!("{text} {at}")
            };
            let middle = area.y + area.height / 2.0;
            let near = [0.25, 0.75].map(|part| place(text, area.x + area.width * part, middle) as usize);
            assert!(near.iter().all(|near| text.is_char_boundary(*near)), "{text} {at}: {near:?}");
            assert!(near.contains(&at), "{text}, {c:?} at {at}: {near:?}");
        }
    }
    assert_eq!(place("", 5.0, 5.0), 0);
    assert!(areas("", 0, 9).is_empty() && areas("abc", 2, 2).is_empty() && areas("abc", 7, 9).is_empty());
}

#[test]
fn long_words_wrap_and_their_links_are_underlined_to_the_end() {
    let alice = Person::new("wraps");
    let view = alice.timeline();
    let url = format!("https://example.org/{}", "a1b2c3d4".repeat(20));
    let text = format!("see {url}，很好");
    let part = Part { from: 4, to: 4 + url.len() as i32 };
    let rows: Vec<_> = view.invoke_areas(text.as_str().into(), "".into(), WIDTH, SIZE, part).iter().collect();
    let lines: Vec<_> = view.invoke_underlines(text.as_str().into(), "".into(), WIDTH, SIZE).iter().collect();
    assert!(rows.len() > 5 && rows.len() == lines.len(), "{rows:?} {lines:?}");
    for (row, line) in rows.iter().zip(&lines) {
        assert!(row.x >= 0.0 && row.x + row.width <= WIDTH + 0.5, "{row:?}");
        assert_eq!((row.x, row.width), (line.x, line.width));
        assert!(
            line.height >= 1.0 && line.y > row.y && line.y + line.height <= row.y + row.height,
            "{row:?} {line:?}"
        );
    }
    let link = |x: f32, y: f32| view.invoke_link(text.as_str().into(), "".into(), WIDTH, SIZE, x, y);
    for row in &rows {
        assert_eq!(link(row.x + 1.0, row.y + row.height / 2.0), url.as_str());
    }
    assert_eq!(link(1.0, 5.0), "", "in front of it");
    assert_eq!(link(WIDTH - 1.0, rows[rows.len() - 1].y + 5.0), "", "behind it");
    assert_eq!(link(1.0, 1000.0), "", "below it");
}

#[test]
fn lines_stand_at_the_side_where_one_begins_to_read_them() {
    let alice = Person::new("sides");
    let view = alice.timeline();
    for (text, right) in
        [("שלום", true), ("مرحبا bob", true), ("12: سلام https://example.org", true), ("bob: مرحبا", false)]
    {
        let part = Part { from: 0, to: text.len() as i32 };
        let areas: Vec<_> = view.invoke_areas(text.into(), "".into(), 400.0, SIZE, part).iter().collect();
        let left = areas.iter().map(|area| area.x).fold(f32::MAX, f32::min);
        let end = areas.iter().map(|area| area.x + area.width).fold(0.0, f32::max);
        assert!(
            if right { end > 399.0 && left > 100.0 } else { left < 1.0 && end < 300.0 },
            "{text}: {areas:?}"
        );
    }
}

#[test]
fn a_double_click_takes_a_word() {
    let alice = Person::new("words");
    let view = alice.timeline();
    for (text, word) in
        [("alpha beta gamma", "beta"), ("it is over", "is"), ("one, two", "two"), ("café au lait", "café")]
    {
        let from = text.find(word).unwrap();
        let part = Part { from: from as i32, to: (from + word.len()) as i32 };
        let area = view.invoke_areas(text.into(), "".into(), WIDTH, SIZE, part.clone()).row_data(0).unwrap();
        let found =
            view.invoke_word(text.into(), "".into(), WIDTH, SIZE, area.x + area.width / 2.0, area.y + 5.0);
        assert_eq!(found, part, "{text}");
    }
}
