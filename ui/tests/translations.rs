//! Every sentence of the window has its Chinese one, with the same gaps to fill.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Context and sentence.
type Key = (String, String);

#[test]
fn every_sentence_is_translated() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sentences = sentences(root);
    assert!(sentences.len() > 200, "the views hold sentences: {}", sentences.len());
    let chinese = catalogue(&root.join("lang/zh_CN/LC_MESSAGES/parlor-ui.po"));

    let missing: Vec<_> =
        sentences.iter().filter(|key| chinese.get(*key).is_none_or(String::is_empty)).collect();
    assert!(missing.is_empty(), "without Chinese: {missing:#?}");
    let unused: Vec<_> = chinese.keys().filter(|key| !sentences.contains(key)).collect();
    assert!(unused.is_empty(), "Chinese that no view shows: {unused:#?}");
    let uneven: Vec<_> =
        chinese.iter().filter(|((_, english), chinese)| gaps(english) != gaps(chinese)).collect();
    assert!(uneven.is_empty(), "not the same gaps: {uneven:#?}");
}

/// The `{…}` of a sentence, in no order.
fn gaps(text: &str) -> Vec<&str> {
    let mut gaps: Vec<_> =
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(inside, _)| inside).collect();
    gaps.sort_unstable();
    gaps
}

fn sentences(root: &Path) -> Vec<Key> {
    let mut files = Vec::new();
    for folder in [root.to_owned(), root.join("views"), root.join("widgets")] {
        let entries = fs::read_dir(&folder).expect("a folder of views");
        files.extend(entries.map(|entry| entry.expect("an entry").path()).filter(|path| is_slint(path)));
    }
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a readable view");
        for call in text.split("@tr(").skip(1) {
            let (first, rest) = quoted(call).expect("@tr begins with a sentence");
            let key = match rest.trim_start().strip_prefix("=>") {
                Some(rest) => (first, quoted(rest).expect("a sentence after its context").0),
                None => (String::new(), first),
            };
            if !found.contains(&key) {
                found.push(key);
            }
        }
    }
    found
}

fn is_slint(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "slint")
}

/// The first `"…"` of the text, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let (_, rest) = text.split_once('"')?;
    let (inside, rest) = rest.split_once('"')?;
    Some((inside.to_owned(), rest))
}

fn catalogue(path: &Path) -> BTreeMap<Key, String> {
    let text = fs::read_to_string(path).expect("the Chinese catalogue");
    let mut sentences = BTreeMap::new();
    let mut context = String::new();
    let mut english = String::new();
    for line in text.lines() {
        let (Some(keyword), Some((value, _))) = (line.split(' ').next(), quoted(line)) else {
            context.clear();
            continue;
        };
        match keyword {
            "msgctxt" => context = value,
            "msgid" => english = value,
            "msgstr" | "msgstr[0]" if !english.is_empty() => {
                sentences.insert((context.clone(), english.clone()), value);
            }
            _ => {}
        }
    }
    sentences
}
