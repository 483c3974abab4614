//! The name of a file as others give it: made harmless, told apart by kind, numbered where it is taken.

/// Bytes of a name; with a number and `.part` behind it, it still fits every file system (255).
pub const MAX_NAME: usize = 200;
/// Bytes of the ending that a long name keeps.
const MAX_ENDING: usize = 20;

/// What a file is, by the ending of its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A picture.
    Picture,
    /// Something to hear.
    Sound,
    /// Something to watch.
    Film,
    /// Something to read.
    Text,
    /// Files in a file.
    Archive,
    /// What runs when it is opened.
    Program,
    /// Anything else.
    Other,
}

/// The kind of a file of this name.
pub fn kind(name: &str) -> FileKind {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    match ending.as_str() {
        "png" | "jpg" | "jpeg" | "gif" | "webp" | "bmp" | "heic" | "avif" | "tif" | "tiff" => {
            FileKind::Picture
        }
        "mp3" | "ogg" | "opus" | "flac" | "wav" | "m4a" | "aac" | "mid" => FileKind::Sound,
        "mp4" | "mkv" | "webm" | "mov" | "avi" | "m4v" | "mpg" | "mpeg" => FileKind::Film,
        "txt" | "md" | "pdf" | "odt" | "ods" | "odp" | "doc" | "docx" | "xls" | "xlsx" | "ppt" | "pptx"
        | "rtf" | "csv" | "epub" | "log" => FileKind::Text,
        "zip" | "tar" | "gz" | "tgz" | "xz" | "bz2" | "zst" | "7z" | "rar" => FileKind::Archive,
        "exe" | "msi" | "bat" | "cmd" | "com" | "scr" | "pif" | "ps1" | "vbs" | "js" | "jse" | "wsf"
        | "hta" | "lnk" | "url" | "reg" | "cpl" | "dll" | "jar" | "sh" | "bash" | "py" | "pl" | "rb"
        | "run" | "desktop" | "appimage" | "deb" | "rpm" | "apk" | "dmg" | "pkg" | "app" | "command"
        | "docm" | "xlsm" | "html" | "htm" | "svg" | "xhtml" => FileKind::Program,
        _ => FileKind::Other,
    }
}

/// A name that a file here may have, at most [`MAX_NAME`] bytes; empty: nothing of it is left.
///
/// No folders, nothing that is not seen or turns the reading direction, no leading dots, nothing that Windows forbids, no
/// device of DOS.
pub fn clean(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut seen = String::with_capacity(name.len());
    for c in name.chars().filter(|c| !is_unseen(*c)) {
        match c {
            // Many spaces push an ending out of sight.
            c if c.is_whitespace() => {
                if !seen.ends_with(' ') {
                    seen.push(' ');
                }
            }
            '<' | '>' | ':' | '"' | '|' | '?' | '*' => seen.push('_'),
            c => seen.push(c),
        }
    }
    let name = seen.trim_matches(['.', ' ']);
    let name = if is_device(name) { format!("_{name}") } else { name.to_owned() };
    cut(&name)
}

/// The name of the `n`th file that would have this one: `name (2).ext`; the first is called as it is.
pub(crate) fn numbered(name: &str, n: u32) -> String {
    match (n, name.rsplit_once('.')) {
        (..=1, _) => name.to_owned(),
        (_, Some((stem, ending))) if !stem.is_empty() => format!("{stem} ({n}).{ending}"),
        _ => format!("{name} ({n})"),
    }
}

/// A size for people: three digits at least, at most four (`2.35 MB`; decimal, as file managers count).
pub fn size_in_words(bytes: u64) -> String {
    let mut unit = 1_u64;
    let mut names = ["B", "kB", "MB", "GB", "TB"].iter();
    let mut name = names.next().copied().unwrap_or_default();
    for next in names {
        if bytes / unit < 1_000 {
            break;
        }
        unit *= 1_000;
        name = next;
    }
    let (whole, rest) = (bytes / unit, bytes % unit);
    match whole {
        _ if unit == 1 => format!("{bytes} {name}"),
        0..10 => format!("{whole}.{:02} {name}", rest * 100 / unit),
        10..100 => format!("{whole}.{} {name}", rest * 10 / unit),
        _ => format!("{whole} {name}"),
    }
}

/// Control characters; format characters, which turn the direction, join, hide; private ones and no characters.
fn is_unseen(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{E000}'..='\u{F8FF}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFF}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{10FFFF}')
}

/// What Windows takes for a device, whatever ends it.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim().to_ascii_uppercase();
    let numbered = |device: &str| {
        let number = stem.strip_prefix(device).map(|rest| rest.chars().collect::<Vec<_>>());
        matches!(number.as_deref(), Some(['0'..='9' | '¹' | '²' | '³']))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$")
        || numbered("COM")
        || numbered("LPT")
}

/// Cuts the middle out of a long name.
fn cut(name: &str) -> String {
    if name.len() <= MAX_NAME {
        return name.to_owned();
    }
    let ending = name.rfind('.').filter(|dot| name.len() - dot <= MAX_ENDING).unwrap_or(name.len());
    let (stem, ending) = name.split_at(ending);
    let mut end = MAX_NAME - ending.len();
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", stem.get(..end).unwrap_or_default().trim_end_matches(['.', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lie_become_harmless() {
        for (given, harmless) in [
            ("photo.jpg", "photo.jpg"),
            ("报告 2.pdf", "报告 2.pdf"),
            ("../../.bashrc", "bashrc"),
            ("/etc/passwd", "passwd"),
            ("..\\..\\evil.txt", "evil.txt"),
            ("C:\\Windows\\x.dll", "x.dll"),
            ("C:x", "C_x"),
            ("...", ""),
            ("..", ""),
            ("a/", ""),
            (" . .a. . ", "a"),
            ("invoice\u{202E}fdp.exe", "invoicefdp.exe"),
            ("a\u{200B}\u{FEFF}\u{0}\u{1B}[2Jb\r\n.txt", "a[2Jb.txt"),
            ("photo.jpg                              .exe", "photo.jpg .exe"),
            ("photo.jpg\u{3000}\u{A0}\t\u{2003}.exe", "photo.jpg .exe"),
            ("a?b*c|d<e>f\"g:h", "a_b_c_d_e_f_g_h"),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("com1.tar.gz", "_com1.tar.gz"),
            ("LPT².log", "_LPT².log"),
            ("COM10", "COM10"),
            ("console.txt", "console.txt"),
            ("aux .txt", "_aux .txt"),
            ("x.txt.", "x.txt"),
            ("file.txt::$DATA", "file.txt__$DATA"),
        ] {
            assert_eq!(clean(given), harmless, "{given:?}");
            assert_eq!(clean(harmless), harmless, "{harmless:?} is harmless");
        }
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        for long in ["a".repeat(999) + ".jpg", "报".repeat(300) + ".jpg", "a.".repeat(400) + "jpg"] {
            let short = clean(&long);
            assert!(
                short.len() <= MAX_NAME && short.len() > MAX_NAME - 8 && short.ends_with(".jpg"),
                "{short}"
            );
        }
        let short = clean(&("x.".to_owned() + &"y".repeat(500)));
        assert!(short.len() <= MAX_NAME && short.starts_with("x.y"), "{short}");
    }

    #[test]
    fn the_second_of_a_name_has_a_number() {
        assert_eq!(numbered("a.txt", 1), "a.txt");
        assert_eq!(numbered("a.txt", 2), "a (2).txt");
        assert_eq!(numbered("a", 3), "a (3)");
        assert_eq!(numbered("a.tar.gz", 2), "a.tar (2).gz");
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.00 kB"),
            (2_359_000, "2.35 MB"),
            (45_600_000, "45.6 MB"),
            (999_999_999, "999 MB"),
            (1 << 40, "1.09 TB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(size_in_words(bytes), words);
        }
    }

    #[test]
    fn a_program_does_not_pass_as_a_picture() {
        assert_eq!(kind("photo.JPG"), FileKind::Picture);
        assert_eq!(kind("photo.jpg.exe"), FileKind::Program);
        assert_eq!(kind("photo.jpg .scr"), FileKind::Program);
        assert_eq!(kind("jpg"), FileKind::Other);
    }
}
