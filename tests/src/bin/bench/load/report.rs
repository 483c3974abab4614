//! What was measured, as tables for people or as JSON, and which bounds are met.

use std::fmt::Write;

/// One figure of one contestant: the best of its rounds, and how far they lie apart.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) who: String,
    pub(crate) what: String,
    /// The best one, the lowest and the highest; or why there is none.
    pub(crate) value: Result<(f64, f64, f64), String>,
}

/// What the server is held to.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) what: String,
    /// `None`: it could not be measured.
    pub(crate) measured: Option<f64>,
    pub(crate) at_most: bool,
    pub(crate) limit: Option<f64>,
}

impl Bound {
    fn verdict(&self) -> &'static str {
        match (self.measured, self.limit) {
            (Some(measured), Some(limit)) if self.at_most && measured <= limit => "met",
            (Some(measured), Some(limit)) if !self.at_most && measured >= limit => "met",
            (Some(_), Some(_)) => "missed",
            _ => "not measured",
        }
    }
}

/// One scenario.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) scenario: &'static str,
    pub(crate) title: String,
    pub(crate) figures: Vec<Figure>,
    pub(crate) bounds: Vec<Bound>,
}

impl Report {
    pub(crate) fn new(scenario: &'static str, title: impl Into<String>) -> Report {
        Report { scenario, title: title.into(), ..Report::default() }
    }

    /// Adds a figure of one round.
    pub(crate) fn figure(&mut self, who: impl ToString, what: impl ToString, value: f64) {
        self.spread(who, what, (value, value, value));
    }

    /// Adds the best figure of several rounds with the lowest and highest.
    pub(crate) fn spread(&mut self, who: impl ToString, what: impl ToString, value: (f64, f64, f64)) {
        self.figures.push(Figure { who: who.to_string(), what: what.to_string(), value: Ok(value) });
    }

    /// Adds why there is no figure.
    pub(crate) fn failure(&mut self, who: impl ToString, what: impl ToString, why: impl ToString) {
        self.figures.push(Figure {
            who: who.to_string(),
            what: what.to_string(),
            value: Err(why.to_string()),
        });
    }

    /// The figure of one contestant, if it was measured.
    pub(crate) fn get(&self, who: impl ToString, what: &str) -> Option<f64> {
        let who = who.to_string();
        let figure = self.figures.iter().find(|figure| figure.who == who && figure.what == what)?;
        figure.value.as_ref().ok().map(|(best, ..)| *best)
    }

    pub(crate) fn at_most(&mut self, what: impl Into<String>, measured: Option<f64>, limit: Option<f64>) {
        self.bounds.push(Bound { what: what.into(), measured, at_most: true, limit });
    }

    pub(crate) fn at_least(&mut self, what: impl Into<String>, measured: Option<f64>, limit: Option<f64>) {
        self.bounds.push(Bound { what: what.into(), measured, at_most: false, limit });
    }

    /// Whether anything has failed.
    pub(crate) fn failed(&self) -> bool {
        self.figures.iter().any(|figure| figure.value.is_err())
    }

    /// For people: a column for each contestant, and the bounds below.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("\n{}: {}\n\n", self.scenario, self.title);
        let mut columns: Vec<&str> = Vec::new();
        let mut rows: Vec<&str> = Vec::new();
        for figure in &self.figures {
            if !columns.contains(&&*figure.who) {
                columns.push(&figure.who);
            }
            if !rows.contains(&&*figure.what) {
                rows.push(&figure.what);
            }
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| what | {} |", columns.join(" | "));
        let _ = writeln!(text, "|{}", " --- |".repeat(columns.len() + 1));
        let mut failures = String::new();
        for row in rows {
            let _ = write!(text, "| {row} |");
            for column in &columns {
                let figure = self.figures.iter().find(|figure| figure.who == *column && figure.what == row);
                match figure.map(|figure| &figure.value) {
                    None => text.push_str(" |"),
                    Some(Ok((best, low, high))) if low == high => {
                        let _ = write!(text, " {} |", number(*best));
                    }
                    Some(Ok((best, low, high))) => {
                        let _ = write!(text, " {} ({}–{}) |", number(*best), number(*low), number(*high));
                    }
                    Some(Err(why)) => {
                        text.push_str(" none |");
                        let _ = writeln!(failures, "{column}, {row}: {why}");
                    }
                }
            }
            text.push('\n');
        }
        if !self.bounds.is_empty() {
            text.push_str("\n| bound | measured | limit | |\n| --- | --- | --- | --- |\n");
        }
        for bound in &self.bounds {
            let show = |value: Option<f64>| value.map_or("–".into(), number);
            let sign = if bound.at_most { "≤" } else { "≥" };
            let _ = writeln!(
                text,
                "| {} | {} | {sign} {} | {} |",
                bound.what,
                show(bound.measured),
                show(bound.limit),
                bound.verdict()
            );
        }
        if !failures.is_empty() {
            let _ = write!(text, "\n{failures}");
        }
        text
    }

    /// For machines.
    pub(crate) fn json(&self) -> String {
        let figures: Vec<String> = self
            .figures
            .iter()
            .map(|figure| {
                let head = format!("{{\"who\":{},\"what\":{},", quoted(&figure.who), quoted(&figure.what));
                match &figure.value {
                    Ok((best, low, high)) => {
                        let (best, low, high) = (plain(Some(*best)), plain(Some(*low)), plain(Some(*high)));
                        format!("{head}\"best\":{best},\"low\":{low},\"high\":{high}}}")
                    }
                    Err(why) => format!("{head}\"error\":{}}}", quoted(why)),
                }
            })
            .collect();
        let bounds: Vec<String> = self
            .bounds
            .iter()
            .map(|bound| {
                format!(
                    "{{\"what\":{},\"measured\":{},\"{}\":{},\"verdict\":{}}}",
                    quoted(&bound.what),
                    plain(bound.measured),
                    if bound.at_most { "at_most" } else { "at_least" },
                    plain(bound.limit),
                    quoted(bound.verdict())
                )
            })
            .collect();
        format!(
            "{{\"scenario\":{},\"title\":{},\"figures\":[{}],\"bounds\":[{}]}}",
            quoted(self.scenario),
            quoted(&self.title),
            figures.join(","),
            bounds.join(",")
        )
    }
}

/// Three digits that say something.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// JSON knows no infinity.
fn plain(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or("null".into(), |value| value.to_string())
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
