//! The HTML that programs of tutorials send and show: a name in colour, and text.

use std::fmt::Write;

/// What a person would read: no tags, no entities. What only looks like a tag stays.
pub fn text(html: &str) -> String {
    let mut kept = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        kept.push_str(before);
        match tag(after) {
            Some((name, after)) => {
                if name.eq_ignore_ascii_case("br") {
                    kept.push(' ');
                }
                rest = after;
            }
            None => {
                kept.push('<');
                rest = after;
            }
        }
    }
    kept.push_str(rest);
    unescaped(&kept)
}

/// Text that a view of HTML shows as it is, runs of spaces too.
pub fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    let mut space = false;
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            ' ' if space => html.push_str("&nbsp;"),
            c => html.push(c),
        }
        space = c == ' ' && !space;
    }
    html
}

/// A paragraph of its own, which begins with a tag, so that Qt takes it for HTML, and holds no newline:
/// a view to which several are appended at once still shows one under the other.
pub fn paragraph(colour: &str, coloured: &str, behind: &str) -> String {
    let mut html = String::with_capacity(64 + coloured.len() + behind.len());
    // Writing to a String cannot fail.
    let _ =
        write!(html, "<div><font color=\"{colour}\">{}</font>{}</div>", escaped(coloured), escaped(behind));
    html
}

/// The name of the tag behind a `<`, and what is behind the tag.
fn tag(text: &str) -> Option<(&str, &str)> {
    const NAMES: [&str; 17] = [
        "a", "b", "big", "body", "br", "code", "div", "em", "font", "head", "html", "i", "p", "small",
        "span", "strong", "u",
    ];
    let body = text.strip_prefix('/').unwrap_or(text);
    let (name, rest) = body.split_at(body.find(|c: char| !c.is_ascii_alphanumeric())?);
    if !NAMES.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return None;
    }
    let (attributes, after) = rest.split_once('>')?;
    let attributes = attributes.trim_end_matches('/').trim();
    // People write `a <b and b> c`; programs give an attribute a value.
    (attributes.is_empty() || (rest.starts_with(' ') && attributes.contains('='))).then_some((name, after))
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_and_what_looks_like_one_stays() {
        for (html, read) in [
            ("<font color=\"Blue\">Zoë</font>: 1 &lt; 2 &amp; <b>3</b> < 4", "Zoë: 1 < 2 & 3 < 4"),
            ("R&D", "R&D"),
            ("x<y and y>z, x<b and b>c", "x<y and y>z, x<b and b>c"),
            ("a <- b -> c <3 <", "a <- b -> c <3 <"),
            ("one<br/>two<BR>three", "one two three"),
            ("<b", "<b"),
            ("<p>小明</p>", "小明"),
        ] {
            assert_eq!(text(html), read);
        }
    }

    #[test]
    fn what_is_escaped_reads_as_before() {
        for read in ["R&D", "a < b > c", "&lt; &amp;lt;", "<b>小明</b>", "a  b   c    d ", " x"] {
            let html = escaped(read);
            assert_eq!(text(&html), read);
            assert!(!html.contains("  ") && !html.contains('<'), "{html}");
        }
    }

    #[test]
    fn a_paragraph_keeps_spaces_where_its_parts_meet() {
        let html = paragraph("Blue", "R&D", ": a  b");
        assert_eq!(html, "<div><font color=\"Blue\">R&amp;D</font>: a &nbsp;b</div>");
    }
}
