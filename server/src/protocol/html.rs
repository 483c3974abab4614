//! The HTML that a tutorial's Qt client sends as chat: `<font color="Blue">name</font>: text`.

/// The text of the first element, without a colon at its end: the client's name.
pub fn first_tag_text(chunk: &str) -> String {
    let inner = chunk.split_once('>').map_or("", |(_, rest)| rest);
    unescaped(inner.split('<').next().unwrap_or_default()).trim().trim_end_matches(':').to_owned()
}

/// What a person would read: no tags, no entities. A `<` that begins no tag stays.
pub fn text(chunk: &str) -> String {
    let mut kept = String::with_capacity(chunk.len());
    let mut rest = chunk;
    while let Some((before, after)) = rest.split_once('<') {
        kept.push_str(before);
        let tag = after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!'));
        match after.split_once('>').filter(|_| tag) {
            Some((_, after)) => rest = after,
            None => {
                kept.push('<');
                rest = after;
            }
        }
    }
    kept.push_str(rest);
    unescaped(&kept)
}

/// Text that an HTML view shows as it is.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_of_a_qt_client() {
        let chunk = "<font color=\"Blue\">Zoë</font>: 1 &lt; 2 &amp; <b>3</b> < 4";
        assert_eq!(first_tag_text(chunk), "Zoë");
        assert_eq!(text(chunk), "Zoë: 1 < 2 & 3 < 4");
    }
}
