//! The file of options (`--config`): one a line, as on the command line without the hyphens.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use argh::{ArgsInfo, FlagInfo, FlagInfoKind, Optionality};

use super::error::StartError;
use super::limits::MAX_OPTIONS_FILE;
use super::options::{NoOptions, Options};
use crate::private;
use crate::protocol::text::printable;

/// Options that only the command line has.
const NOT_IN_FILE: &[&str] = &["--config", "--export", "--since", "--format", "--help", "--version"];
/// Options of which one is in the place of both.
const LOUDNESS: &[&str] = &["--quiet", "--verbose"];
/// Options whose new values a running server takes; `--flood` from one rate to another.
const LIVE: &[&str] = &[
    "--motd",
    "--tls-cert",
    "--tls-key",
    "--max-clients",
    "--max-clients-per-ip",
    "--flood",
    "--replay",
    "--accounts-keep",
    "--keep",
    "--keep-lines",
    "--keep-bytes",
    "--keep-total",
    "--keep-private",
];

/// The options of a command line and of the file that it names.
#[derive(Debug, Clone)]
pub struct Given {
    /// All of them together.
    pub options: Options,
    program: String,
    args: Vec<String>,
    settings: Vec<Setting>,
    /// The last line of the file has an end, or there is no file.
    ended: bool,
}

/// An option as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    /// As [`FlagInfo::long`] has it.
    name: &'static str,
    /// A switch has none.
    value: Option<String>,
}

impl Given {
    /// Reads the arguments of a command line, and the file of `--config`.
    ///
    /// # Errors
    /// [`NoOptions`], as [`Options::parse`] has it; what is wrong in the file is said with its line.
    pub fn read(program: &str, args: &[&str]) -> Result<Given, NoOptions> {
        Given::all(program, args)
    }

    /// Reads the file anew. Says also which options have changed that wait for a restart.
    ///
    /// # Errors
    /// [`NoOptions`], also where the file is another one and may be half written: its last line has no end.
    pub fn again(&self) -> Result<(Options, Vec<&'static str>), NoOptions> {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let new = Given::all(&self.program, &args)?;
        if let Some(path) =
            new.options.config.as_deref().filter(|_| !new.ended && new.settings != self.settings)
        {
            let half = format!("The last line of {} has no end: it may be half written.", path.display());
            return Err(NoOptions::Wrong(half));
        }
        let of = |given: &Given, name: &str| -> Vec<Setting> {
            given.settings.iter().filter(|setting| setting.name == name).cloned().collect()
        };
        let waits = |name: &&str| !LIVE.contains(name) && of(self, name) != of(&new, name);
        let changed = flags().iter().map(|flag| flag.long).filter(waits).collect();
        Ok((new.options, changed))
    }

    fn all(program: &str, args: &[&str]) -> Result<Given, NoOptions> {
        let own = Options::each(program, args)?;
        let (mut settings, mut ended) = (typed(args), true);
        if let Some(path) = own.config.as_deref().filter(|_| !own.version) {
            let has = |names: &[&str]| settings.iter().any(|setting| names.contains(&setting.name));
            let mut more;
            (more, ended) = read(program, path)?;
            let loudness = has(LOUDNESS);
            let given = |name| has(&[name]) || loudness && LOUDNESS.contains(&name);
            more.retain(|more| !given(more.name));
            settings.extend(more);
        }
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let words = settings.iter().flat_map(|one| [Some(one.name), one.value.as_deref()]);
        let words: Vec<&str> = words.flatten().collect();
        let options = Options::parse(program, &words).map_err(|none| match (none, &own.config) {
            (NoOptions::Wrong(sentence), Some(path)) => {
                NoOptions::Wrong(format!("With the options in {}: {sentence}", path.display()))
            }
            (none, _) => none,
        })?;
        Ok(Given { options, program: program.into(), args, settings, ended })
    }
}

fn flags() -> &'static [FlagInfo<'static>] {
    Options::get_args_info().flags
}

/// What a command line, which is right, gives.
fn typed(args: &[&str]) -> Vec<Setting> {
    let mut args = args.iter();
    let mut settings = Vec::new();
    while let Some(arg) = args.next() {
        let short = |flag: &FlagInfo<'_>| flag.short.is_some_and(|short| **arg == format!("-{short}"));
        let Some(flag) = flags().iter().find(|flag| flag.long == *arg || short(flag)) else { continue };
        let has_value = matches!(flag.kind, FlagInfoKind::Option { .. });
        let value = if has_value { args.next() } else { None };
        settings.push(Setting { name: flag.long, value: value.map(|value| (*value).into()) });
    }
    settings
}

/// What a file gives, and whether its last line has an end.
fn read(program: &str, path: &Path) -> Result<(Vec<Setting>, bool), NoOptions> {
    let unreadable = |error| NoOptions::File(StartError::Unreadable { path: path.into(), error });
    let (bytes, _) = private::read_named(path, MAX_OPTIONS_FILE).map_err(unreadable)?;
    if bytes.len() > MAX_OPTIONS_FILE {
        return Err(unreadable(io::Error::other(format!("it has more than {MAX_OPTIONS_FILE} bytes"))));
    }
    let text = str::from_utf8(&bytes).map_err(|error| {
        let before = bytes.iter().take(error.valid_up_to());
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        unreadable(io::Error::other(format!("line {line} is not UTF-8")))
    })?;
    let ended = text.ends_with('\n');
    // What editors of Windows put there.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let folder = path.parent().unwrap_or(path);
    let mut settings = Vec::new();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // The file may be anything, and its words go to a terminal.
        let wrong = |what: String| {
            NoOptions::Wrong(format!("{}, line {number}: {}", path.display(), printable(&what)))
        };
        let (flag, value) = setting(program, folder, line).map_err(wrong)?;
        let before = seen.insert(flag.long, number).filter(|_| flag.optionality != Optionality::Repeating);
        if let Some(before) = before {
            return Err(wrong(format!("{} stands in line {before} already.", plain(flag.long))));
        }
        settings.push(Setting { name: flag.long, value });
    }
    Ok((settings, ended))
}

/// The option of a line and its value, or what is wrong with it.
fn setting(
    program: &str,
    folder: &Path,
    line: &str,
) -> Result<(&'static FlagInfo<'static>, Option<String>), String> {
    let (word, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    if word.starts_with('-') {
        return Err(format!("options have no hyphens here: {}.", word.trim_start_matches('-')));
    }
    let name = format!("--{word}");
    let each = |args: &[&str]| match Options::each(program, args) {
        Err(NoOptions::Wrong(sentence)) => Err(sentence),
        _ => Ok(()),
    };
    let Some(flag) = flags().iter().find(|flag| flag.long == name) else {
        return Err(each(&[&name]).err().unwrap_or_else(|| format!("there is no option {word}.")));
    };
    if NOT_IN_FILE.contains(&flag.long) {
        return Err(format!("{word} is for the command line only."));
    }
    let value = match (&flag.kind, Some(value.trim()).filter(|value| !value.is_empty())) {
        (FlagInfoKind::Switch, None) => None,
        (FlagInfoKind::Switch, Some(_)) => return Err(format!("{word} is a switch, and takes no value.")),
        (FlagInfoKind::Option { .. }, None) => return Err(format!("{word} needs a value.")),
        // A service is started in a folder that nobody thinks of.
        (FlagInfoKind::Option { arg_name: "file" | "dir" }, Some(value)) => {
            Some(folder.join(value).display().to_string())
        }
        (FlagInfoKind::Option { .. }, value) => value.map(str::to_owned),
    };
    let args = [Some(flag.long), value.as_deref()];
    each(&args.into_iter().flatten().collect::<Vec<_>>())?;
    Ok((flag, value))
}

/// The name of an option without hyphens.
fn plain(name: &str) -> &str {
    name.trim_start_matches('-')
}
