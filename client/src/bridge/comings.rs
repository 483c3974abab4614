//! What a folded row says: who came, who left, who did both; names while they are few.

use std::collections::BTreeMap;

use parlor_ui::Words;
use parlor_ui::slint::SharedString;

use super::text::shared;
use crate::session::{Line, LineKind};

/// Names that are said rather than counted.
const NAMED: usize = 3;

/// The first and the last thing that somebody did.
#[derive(Clone, Copy)]
struct Seen {
    first: LineKind,
    last: LineKind,
    order: usize,
}

/// Comings, goings and new names in one sentence.
pub(super) fn summary(words: &Words<'_>, lines: &[Line]) -> SharedString {
    let (mut people, mut renamed) = (BTreeMap::<&str, Seen>::new(), Vec::new());
    for (order, line) in lines.iter().enumerate() {
        let kind = line.kind();
        if kind == LineKind::Renamed {
            renamed.push(line);
            continue;
        }
        let seen = people.entry(line.from()).or_insert(Seen { first: kind, last: kind, order });
        seen.last = kind;
    }
    let mut seen: Vec<(&str, Seen)> = people.into_iter().collect();
    seen.sort_by_key(|(_, seen)| seen.order);
    let those = |first: LineKind, last: LineKind| {
        let fit = seen.iter().filter(|(_, seen)| (seen.first, seen.last) == (first, last));
        let names: Vec<&str> = fit.map(|(name, _)| *name).collect();
        (!names.is_empty()).then(|| list(words, &names))
    };
    let (came, left) = (LineKind::Joined, LineKind::Left);
    let new_names = match &renamed[..] {
        [] => None,
        [one] => Some(words.invoke_renamed(shared(one.from()), shared(one.text()))),
        more => Some(words.invoke_renamed_several(i32::try_from(more.len()).unwrap_or(i32::MAX))),
    };
    let parts = [
        those(came, came).map(|who| words.invoke_joined(who)),
        those(left, left).map(|who| words.invoke_left(who, SharedString::default())),
        those(came, left).map(|who| words.invoke_came_and_went(who)),
        those(left, came).map(|who| words.invoke_came_back(who)),
        new_names,
    ];
    parts.into_iter().flatten().reduce(|all, next| words.invoke_and_then(all, next)).unwrap_or_default()
}

fn list(words: &Words<'_>, names: &[&str]) -> SharedString {
    match names {
        [] => SharedString::default(),
        [one] => shared(one),
        [first @ .., last] if names.len() <= NAMED => {
            let first = first.iter().map(|name| shared(name));
            let first = first.reduce(|all, next| words.invoke_one_more(all, next)).unwrap_or_default();
            words.invoke_several(first, shared(last))
        }
        _ => words.invoke_people(i32::try_from(names.len()).unwrap_or(i32::MAX)),
    }
}
