use parlor_server::testing::Random;

use super::*;
use crate::session::Parts;

fn utc_day(at: UnixMillis) -> i64 {
    (at.0 / 86_400_000) as i64
}

fn line(id: u64, minutes: u64, from: &str, kind: LineKind) -> Line {
    let (text, at) = (format!("line {id}"), UnixMillis(minutes * 60_000));
    Line::new(LineId(id), &Parts { kind, from, text: &text, at, ..Parts::default() })
}

fn shape(timeline: &Timeline) -> String {
    let rows = (0..timeline.len()).filter_map(|i| timeline.row(i));
    rows.map(|row| match row {
        Row::Day(_) => "D".into(),
        Row::New => "N".into(),
        Row::Gap(_) => "G".into(),
        Row::Line { heading, .. } => if heading { "H" } else { "l" }.into(),
        Row::Fold { lines, .. } => format!("{}", lines.len()),
    })
    .collect()
}

fn pushed(timeline: &mut Timeline, line: Line) -> Vec<Change> {
    let mut changes = Vec::new();
    timeline.push(vec![line], &mut changes);
    changes
}

/// An empty one that the person looks at.
fn looked_at(fold: bool) -> Timeline {
    let mut timeline = Timeline::new(utc_day, fold);
    timeline.set_reading(true);
    timeline
}

#[test]
fn lines_of_one_person_share_a_heading_for_five_minutes() {
    let mut timeline = looked_at(true);
    for (id, minutes, from) in [(1, 0, "a"), (2, 4, "a"), (3, 4, "b"), (4, 5, "a"), (5, 11, "a")] {
        pushed(&mut timeline, line(id, minutes, from, LineKind::Said));
    }
    assert_eq!(shape(&timeline), "DHlHHH");
}

#[test]
fn what_another_device_has_shown_is_not_new() {
    let texts = |until: u64| {
        let mut timeline = looked_at(true);
        pushed(&mut timeline, line(1, 0, "a", LineKind::Said));
        timeline.set_reading(false);
        for (id, kind) in
            [(2, LineKind::Said), (3, LineKind::Joined), (4, LineKind::Said), (5, LineKind::Said)]
        {
            pushed(&mut timeline, line(id, id, "b", kind));
        }
        assert_eq!(shape(&timeline), "DHNH1Hl");
        timeline.read_until(UnixMillis(until * 60_000), &mut Vec::new());
        (shape(&timeline), timeline.read())
    };
    assert_eq!(texts(0), ("DHNH1Hl".into(), Some(UnixMillis(0))));
    assert_eq!(texts(2), ("DHH1NHl".into(), Some(UnixMillis(3 * 60_000))));
    assert_eq!(texts(4), ("DHH1HNH".into(), Some(UnixMillis(4 * 60_000))));
    assert_eq!(texts(9), ("DHH1Hl".into(), Some(UnixMillis(5 * 60_000))));
}

#[test]
fn each_day_begins_with_a_separator() {
    let mut timeline = looked_at(true);
    pushed(&mut timeline, line(1, 0, "a", LineKind::Said));
    let changes = pushed(&mut timeline, line(2, 24 * 60, "a", LineKind::Said));
    assert_eq!((shape(&timeline).as_str(), changes), ("DHDH", vec![Change::Added { at: 2, count: 2 }]));
}

#[test]
fn comings_and_goings_fold() {
    let mut timeline = looked_at(true);
    for (id, kind) in [(1, LineKind::Joined), (2, LineKind::Left), (3, LineKind::Said), (4, LineKind::Joined)]
    {
        pushed(&mut timeline, line(id, 0, "a", kind));
    }
    assert_eq!(shape(&timeline), "D2H1");
    assert_eq!(pushed(&mut timeline, line(5, 0, "b", LineKind::Left)), [Change::Updated(3)]);
    assert_eq!(timeline.toggle(3), Some(Change::Updated(3)));
    assert!(matches!(timeline.row(3), Some(Row::Fold { open: true, .. })));

    let mut apart = looked_at(false);
    pushed(&mut apart, line(1, 0, "a", LineKind::Joined));
    pushed(&mut apart, line(2, 0, "b", LineKind::Joined));
    assert_eq!(shape(&apart), "D11");
}

#[test]
fn a_line_in_the_middle_of_a_fold_cuts_it_and_its_removal_joins_it() {
    let mut timeline = looked_at(true);
    for id in 1..=4 {
        pushed(&mut timeline, line(id, 0, "a", LineKind::Joined));
    }
    let mut changes = Vec::new();
    timeline.insert(LineId(3), vec![line(5, 0, "a", LineKind::Said)], false, &mut changes);
    assert_eq!((shape(&timeline).as_str(), timeline.find(LineId(4))), ("D2H2", Some(3)));
    timeline.remove(&[LineId(5)], &mut changes);
    assert_eq!(shape(&timeline), "D4");
}

#[test]
fn the_mark_stands_where_an_earlier_run_stopped_reading() {
    for shown in [false, true] {
        let mut timeline = Timeline::new(utc_day, true);
        timeline.resume(UnixMillis(5 * 60_000));
        timeline.set_reading(shown);
        pushed(&mut timeline, line(9, 20, "me", LineKind::Joined));
        assert_eq!(timeline.read(), Some(UnixMillis(5 * 60_000)), "the past is still to come");
        let mut changes = Vec::new();
        let page = (1..=4).map(|id| line(id, 3 + id, "bob", LineKind::Said)).collect();
        timeline.insert(LineId(9), page, false, &mut changes);
        assert_eq!(shape(&timeline), "DHlNHl1");
        let older = (11..=12).map(|id| line(id, id - 10, "bob", LineKind::Said)).collect();
        timeline.insert(LineId(1), older, false, &mut changes);
        assert_eq!(shape(&timeline), "DHlllNHl1");
        if shown {
            assert_eq!(timeline.read(), Some(UnixMillis(20 * 60_000)));
            pushed(&mut timeline, line(10, 21, "bob", LineKind::Said));
            assert_eq!(
                (shape(&timeline).as_str(), timeline.read()),
                ("DHlllNHl1H", Some(UnixMillis(21 * 60_000)))
            );
        }
    }
}

#[test]
fn the_mark_stands_where_reading_stopped() {
    let mut timeline = looked_at(true);
    pushed(&mut timeline, line(1, 0, "a", LineKind::Said));
    timeline.set_reading(false);
    pushed(&mut timeline, line(2, 0, "a", LineKind::Said));
    pushed(&mut timeline, line(3, 0, "a", LineKind::Said));
    assert_eq!(shape(&timeline), "DHNHl");
    assert_eq!(timeline.first_new(), Some(2));
    timeline.set_reading(true);
    pushed(&mut timeline, line(4, 0, "a", LineKind::Said));
    assert_eq!((shape(&timeline).as_str(), timeline.first_new()), ("DHNHll", None));
    assert_eq!(timeline.leave(), Some(Change::Removed { at: 2, count: 1 }));
    assert_eq!(shape(&timeline), "DHlll");
}

#[test]
fn the_mark_moves_when_there_is_something_new() {
    let mut timeline = looked_at(true);
    let said = |id| line(id, 0, "a", LineKind::Said);
    pushed(&mut timeline, said(1));
    timeline.set_reading(false);
    timeline.set_reading(true);
    timeline.set_reading(false);
    pushed(&mut timeline, said(2));
    assert_eq!(shape(&timeline), "DHNH");
    // Read, looked away from, and nothing new: it stays as long as it is on the screen.
    timeline.set_reading(true);
    timeline.set_reading(false);
    assert_eq!((shape(&timeline).as_str(), timeline.first_new()), ("DHNH", None));
    pushed(&mut timeline, said(3));
    assert_eq!((shape(&timeline).as_str(), timeline.first_new()), ("DHlNH", Some(3)));
    // Not read: it stays where it is.
    assert_eq!(timeline.leave(), None);
    pushed(&mut timeline, said(4));
    assert_eq!(shape(&timeline), "DHlNHl");
}

#[test]
fn what_was_missed_is_new_and_what_is_older_is_not() {
    let mut timeline = looked_at(true);
    pushed(&mut timeline, line(1, 10, "a", LineKind::Said));
    timeline.set_reading(false);
    pushed(&mut timeline, line(2, 10, "", LineKind::Gap));
    pushed(&mut timeline, line(3, 13, "a", LineKind::Said));
    assert_eq!(shape(&timeline), "DHGNH");
    let mut changes = Vec::new();
    let missed = vec![line(4, 11, "a", LineKind::Said), line(5, 12, "a", LineKind::Said)];
    timeline.insert(LineId(2), missed, true, &mut changes);
    assert_eq!(shape(&timeline), "DHNHlGH");
    timeline.insert(LineId(1), vec![line(6, 9, "a", LineKind::Said)], true, &mut changes);
    assert_eq!(shape(&timeline), "DHlNHlGH");
}

#[test]
fn an_older_page_is_one_notice() {
    let mut timeline = looked_at(true);
    pushed(&mut timeline, line(1, 0, "", LineKind::Gap));
    pushed(&mut timeline, line(2, 500, "a", LineKind::Said));
    assert!(!timeline.begins_here());
    let mut changes = Vec::new();
    let page = (0..100).map(|i| line(10 + i, i, "a", LineKind::Said)).collect();
    timeline.insert(LineId(2), page, false, &mut changes);
    assert_eq!(timeline.find(LineId(2)), Some(102));
    assert!(changes.len() <= 5, "{changes:?}");
    timeline.remove(&[LineId(1)], &mut changes);
    assert!(timeline.begins_here());
}

#[test]
fn many_that_go_are_one_notice() {
    let mut timeline = looked_at(true);
    timeline.push((0..100).map(|i| line(i, 0, "a", LineKind::Said)).collect(), &mut Vec::new());
    let ids: Vec<LineId> = (0..50).map(LineId).collect();
    let mut changes = Vec::new();
    timeline.remove(&ids, &mut changes);
    assert_eq!(changes, [Change::Removed { at: 1, count: 50 }, Change::Updated(1)]);
}

#[test]
fn a_line_is_replaced_by_its_id() {
    let mut timeline = looked_at(true);
    pushed(&mut timeline, line(1, 0, "a", LineKind::Said));
    pushed(&mut timeline, line(2, 0, "a", LineKind::Said));
    let other = line(1, 0, "b", LineKind::Said);
    let mut changes = Vec::new();
    timeline.replace(other.clone(), &mut changes);
    assert_eq!(changes, [Change::Updated(1), Change::Updated(2)]);
    assert_eq!(timeline.row(1), Some(Row::Line { line: other, heading: true }));
    timeline.replace(line(2, 24 * 60, "a", LineKind::Said), &mut changes);
    assert_eq!(shape(&timeline), "DHDH");
    changes.clear();
    timeline.replace(line(9, 0, "a", LineKind::Said), &mut changes);
    assert_eq!(changes, []);
}

/// What a list model shows that does as the changes say.
fn follow(shown: &mut Vec<Option<Row>>, changes: &[Change]) {
    for change in changes {
        match *change {
            Change::Added { at, count } => drop(shown.splice(at..at, (0..count).map(|_| None))),
            Change::Updated(at) => shown[at] = None,
            Change::Removed { at, count } => drop(shown.drain(at..at + count)),
        }
    }
}

#[test]
fn whatever_comes_and_goes_it_looks_as_if_it_had_come_in_order() {
    for number in 0..600 {
        let mut random = Random::new(number);
        let mut timeline = looked_at(number % 2 == 0);
        let mut lines: Vec<Line> = Vec::new();
        let mut shown: Vec<Option<Row>> = Vec::new();
        for id in 0..60 {
            let kinds = [LineKind::Said, LineKind::Said, LineKind::Joined, LineKind::Info, LineKind::Gap];
            let kind = kinds[random.below(5)];
            let minutes = random.below(4) as u64 * 60 * 12;
            let new = line(id, minutes, ["a", "b"][random.below(2)], kind);
            let at = random.below(lines.len() + 1);
            let mut changes = Vec::new();
            match (random.below(5), lines.get(at).cloned()) {
                (0, Some(old)) => {
                    timeline.remove(&[old.id()], &mut changes);
                    lines.remove(at);
                }
                (1, Some(old)) if old.kind() != LineKind::Gap && old.kind() != LineKind::Joined => {
                    let new = line(old.id().0, minutes, "c", old.kind());
                    timeline.replace(new.clone(), &mut changes);
                    lines[at] = new;
                }
                (_, Some(before)) => {
                    timeline.insert(before.id(), vec![new.clone()], false, &mut changes);
                    lines.insert(at, new);
                }
                (_, None) => {
                    timeline.push(vec![new.clone()], &mut changes);
                    lines.push(new);
                }
            }
            follow(&mut shown, &changes);
            let rows: Vec<Row> = (0..timeline.len()).filter_map(|i| timeline.row(i)).collect();
            assert_eq!(shown.len(), rows.len(), "seed {number}, step {id}: {changes:?}");
            for (i, (shown, row)) in shown.iter_mut().zip(&rows).enumerate() {
                assert_eq!(shown.get_or_insert_with(|| row.clone()), row, "seed {number}, row {i}");
            }
            let mut fresh = looked_at(number % 2 == 0);
            fresh.push(lines.clone(), &mut Vec::new());
            let (ours, other) = (shape(&timeline), shape(&fresh));
            assert_eq!(ours, other, "seed {number}, step {id}: {changes:?}");
        }
    }
}

#[test]
fn all_that_comes_is_new_where_nobody_has_looked() {
    let mut timeline = Timeline::new(utc_day, true);
    pushed(&mut timeline, line(1, 0, "", LineKind::Gap));
    pushed(&mut timeline, line(2, 60, "a", LineKind::Joined));
    let mut changes = Vec::new();
    timeline.insert(LineId(1), vec![line(3, 1, "a", LineKind::Said)], false, &mut changes);
    assert_eq!((shape(&timeline).as_str(), timeline.first_new()), ("DHG1", None));
    // Played back by a bouncer.
    timeline.insert(LineId(2), vec![line(4, 2, "a", LineKind::Said)], true, &mut changes);
    assert_eq!(shape(&timeline), "DHGNH1");
}
