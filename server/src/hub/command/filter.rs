//! Which rooms a LIST and which people a WHO shows.

use crate::hub::state::refusal::shown;
use crate::protocol::{Folded, mask};

/// Bytes of a WHOX token.
const MAX_TOKEN: usize = 3;

/// Which rooms a LIST shows (ISUPPORT ELIST=MU): masks, `>n` and `<n` people.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) masks: Vec<Folded>,
    more_than: Option<usize>,
    fewer_than: Option<usize>,
}

impl Filter {
    pub(crate) fn new(text: &str) -> Filter {
        let mut filter = Filter::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            if let Some(count) = part.strip_prefix('>') {
                filter.more_than = count.parse().ok();
            } else if let Some(count) = part.strip_prefix('<') {
                filter.fewer_than = count.parse().ok();
            } else {
                filter.masks.push(Folded::new(part));
            }
        }
        filter
    }

    /// Whether it shows a room of this folded name, with so many people.
    pub(crate) fn matches(&self, folded: &str, people: usize) -> bool {
        let fits = || {
            let text = mask::Text::new(folded);
            self.masks.iter().any(|mask| text.matches(mask.as_str()))
        };
        (self.masks.is_empty() || fits())
            && self.more_than.is_none_or(|count| people > count)
            && self.fewer_than.is_none_or(|count| people < count)
    }
}

/// What a WHO asks for.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// As the client wrote it.
    pub(crate) mask: Box<str>,
    /// WHOX fields and token: `%tcuhn,42`.
    pub(crate) fields: Option<(Box<str>, Box<str>)>,
    pub(crate) operators_only: bool,
}

impl Query {
    pub(crate) fn new(mask: &str, options: Option<&str>) -> Query {
        let options = options.unwrap_or_default();
        let (flags, fields) = match options.split_once('%') {
            Some((flags, fields)) => (flags, Some(fields)),
            None => (options, None),
        };
        let fields = fields.map(|fields| {
            let (letters, token) = fields.split_once(',').unwrap_or((fields, ""));
            let sound = token.len() <= MAX_TOKEN && token.bytes().all(|b| b.is_ascii_alphanumeric());
            (letters.into(), if sound && !token.is_empty() { token } else { "0" }.into())
        });
        Query { mask: shown(mask).into(), fields, operators_only: flags.contains('o') }
    }
}
