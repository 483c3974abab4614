//! What is remembered between starts: settings, drafts and what waits to be sent, in the
//! platform's folder.
//!
//! Written atomically; a file that cannot be understood is set aside, never lost. Nobody else on the
//! computer can read the files or the folder; links in it are not followed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use etcetera::{AppStrategy, AppStrategyArgs, choose_app_strategy};
use parlor_server::{data_folder, private};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::drafts::Drafts;
use crate::frame::Frame;
use crate::limits::FILE;
use crate::notify::Notify;
use crate::place::PlaceId;
use crate::session::{Encoding, Unsent};

/// The files, without what stands behind the dot.
const FILES: &[&str] = &["settings", "drafts", "unsent"];
/// Places that are offered again at the next start.
const MAX_RECENT: usize = 8;

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// As the desktop is.
    #[default]
    System,
    /// Dark text on a light ground.
    Light,
    /// Light text on a dark ground.
    Dark,
}

/// How a time of day is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeFormat {
    /// As the system's language has it.
    #[default]
    System,
    /// 21:05.
    Hours24,
    /// 9:05 pm.
    Hours12,
}

/// A place that was joined before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recent {
    /// Host and port, as typed.
    pub address: String,
    /// The name used there.
    pub name: String,
    /// The room.
    pub room: String,
    /// How text there is read that is not UTF-8: a name as [`Encoding::of_label`] takes it; empty: as
    /// is usual in the language of the views.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub encoding: String,
}

/// Everything that the settings view shows, and what was used last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Settings {
    /// The name to go by.
    pub name: String,
    /// The address to fill in.
    pub address: String,
    /// The room to fill in.
    pub room: String,
    /// Join at the start without asking.
    pub join_at_start: bool,
    /// Light or dark.
    pub theme: Theme,
    /// Text size in percent, 75 to 200.
    pub text_size: u32,
    /// A language's code (`en`, `zh_CN`); empty: the system's.
    pub language: String,
    /// How times are written.
    pub time_format: TimeFormat,
    /// A sound with each notification.
    pub sounds: bool,
    /// What the desktop is told of.
    pub notify: Notify,
    /// Comings and goings in one quiet line.
    pub fold_joins: bool,
    /// The address that a hosted room listened on last; empty: the first one of a network.
    pub host_address: String,
    /// The port that a hosted room listens on.
    pub host_port: u16,
    /// A hosted room has an address for programs of one's own, too.
    pub host_programs: bool,
    /// Whose lines are not shown.
    pub ignored: Vec<String>,
    /// Where one was before, the last one first.
    pub recent: Vec<Recent>,
    /// Where the window was, and how large. A table: in the file those come last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Frame>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            name: String::new(),
            address: format!("127.0.0.1:{}", parlor_server::DEFAULT_PORT),
            room: "#lobby".into(),
            join_at_start: false,
            theme: Theme::default(),
            text_size: 100,
            language: String::new(),
            time_format: TimeFormat::default(),
            sounds: false,
            notify: Notify::default(),
            fold_joins: true,
            host_address: String::new(),
            host_port: parlor_server::DEFAULT_PORT,
            host_programs: false,
            window: None,
            ignored: Vec::new(),
            recent: Vec::new(),
        }
    }
}

impl Settings {
    /// Remembers a place as the last one.
    pub fn remember(&mut self, mut place: Recent) {
        if place.encoding.is_empty() {
            place.encoding = self.encoding_label(&place.address).to_owned();
        }
        self.recent.retain(|other| (&other.address, &other.room) != (&place.address, &place.room));
        self.recent.insert(0, place);
        self.recent.truncate(MAX_RECENT);
    }

    /// How text of a server is read that is not UTF-8: as its entry says, else as is usual in a language.
    pub fn encoding(&self, address: &str, language: &str) -> Encoding {
        let label = self.encoding_label(address);
        let named = Encoding::of_label(label);
        if named.is_none() && !label.is_empty() {
            log::warn!("{address}: there is no encoding called {label}");
        }
        named.unwrap_or_else(|| Encoding::of_language(language))
    }

    fn encoding_label(&self, address: &str) -> &str {
        let of_it = self.recent.iter().filter(|place| place.address == address);
        of_it.map(|place| &*place.encoding).find(|label| !label.is_empty()).unwrap_or_default()
    }
}

/// Lines that no server has confirmed yet, by place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Queues {
    /// A [`PlaceId`] as text to lines, in the order in which they were typed.
    unsent: BTreeMap<String, Vec<Unsent>>,
}

/// A file that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Where it is now; still its own place, if it could not be moved.
    pub aside: PathBuf,
}

/// The folder with these files.
#[derive(Debug, Clone)]
pub struct Folder {
    /// `None`: nothing is kept.
    path: Option<PathBuf>,
    /// It was asked for: then everything is in it.
    asked: bool,
}

impl Folder {
    /// The folder that was asked for, or the platform's; an error where there is no home, or where it
    /// is another user's. What an earlier version left open to others is closed, but not a folder
    /// that was asked for and has something else in it.
    pub fn open(asked: Option<PathBuf>) -> io::Result<Folder> {
        let (path, asked) = match asked {
            Some(folder) => (folder, true),
            None => {
                let app = AppStrategyArgs {
                    top_level_domain: "org".into(),
                    author: "Parlor".into(),
                    app_name: "parlor".into(),
                };
                let strategy =
                    choose_app_strategy(app).map_err(|error| io::Error::new(ErrorKind::NotFound, error))?;
                (strategy.config_dir(), false)
            }
        };
        if !asked || has_nothing_else(&path) {
            private::make_folder(&path)?;
        }
        if private::is_foreign(&fs::metadata(&path)?) {
            return Err(io::Error::other(format!("{} belongs to another user", path.display())));
        }
        for name in FILES {
            for form in ["toml", "toml.new", "toml.broken"] {
                // Opening it closes it to others; what is none of ours stays as it is.
                let _ = private::open(&path.join(name).with_extension(form));
            }
        }
        Ok(Folder { path: Some(path), asked })
    }

    /// No folder: all is as at the first start, and nothing is kept.
    pub fn nowhere() -> Folder {
        Folder { path: None, asked: false }
    }

    /// Where it is.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Where the history of what is hosted at an address (`host:port`) is kept: where a server of
    /// its own keeps it, or inside a folder that was asked for. `None`: there is no home.
    pub fn history(&self, bind: &str) -> Option<PathBuf> {
        let usual = data_folder(bind)?;
        match &self.path {
            Some(path) if self.asked => Some(path.join("history").join(usual.file_name()?)),
            _ => Some(usual),
        }
    }

    /// Reads the settings. A file that cannot be understood is set aside; then the settings are
    /// the defaults.
    pub fn settings(&self) -> (Settings, Option<Broken>) {
        self.read("settings.toml")
    }

    /// Reads the drafts, as [`settings`](Self::settings).
    pub fn drafts(&self) -> (Drafts, Option<Broken>) {
        self.read("drafts.toml")
    }

    /// Writes the settings.
    pub fn keep_settings(&self, settings: &Settings) -> io::Result<()> {
        self.write("settings.toml", settings)
    }

    /// Writes the drafts.
    pub fn keep_drafts(&self, drafts: &Drafts) -> io::Result<()> {
        self.write("drafts.toml", drafts)
    }

    /// Reads what was not sent to this place, as [`settings`](Self::settings).
    pub fn unsent(&self, place: &PlaceId) -> (Vec<Unsent>, Option<Broken>) {
        let (mut queues, broken) = self.read::<Queues>("unsent.toml");
        (queues.unsent.remove(&place.to_string()).unwrap_or_default(), broken)
    }

    /// Writes what is not sent to this place yet.
    pub fn keep_unsent(&self, place: &PlaceId, unsent: Vec<Unsent>) -> io::Result<()> {
        let (mut queues, _) = self.read::<Queues>("unsent.toml");
        let before = if unsent.is_empty() {
            queues.unsent.remove(&place.to_string()).unwrap_or_default()
        } else {
            queues.unsent.insert(place.to_string(), unsent.clone()).unwrap_or_default()
        };
        if before == unsent { Ok(()) } else { self.write("unsent.toml", &queues) }
    }

    fn read<T: DeserializeOwned + Default>(&self, name: &str) -> (T, Option<Broken>) {
        let Some(path) = self.path.as_ref().map(|path| path.join(name)) else { return (T::default(), None) };
        let error = match read(&path) {
            Ok(text) => match basic_toml::from_str(&text) {
                Ok(value) => return (value, None),
                Err(error) => error.to_string(),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => return (T::default(), None),
            Err(error) => error.to_string(),
        };
        log::warn!("{} cannot be read: {error}", path.display());
        let aside = path.with_extension("toml.broken");
        let aside = if fs::rename(&path, &aside).is_ok() { aside } else { path };
        (T::default(), Some(Broken { aside }))
    }

    /// Either the old file is there or the new one, whole, whenever the power goes.
    fn write<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        let text =
            basic_toml::to_string(value).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        let Some(path) = self.path.as_ref().map(|path| path.join(name)) else { return Ok(()) };
        let fresh = path.with_extension("toml.new");
        let mut file = private::replace(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(fresh, path)
    }
}

/// Whether nothing is in a folder that we would not put there; one that is not there has nothing.
fn has_nothing_else(path: &Path) -> bool {
    let is_ours = |entry: io::Result<fs::DirEntry>| {
        let name = entry.ok().and_then(|entry| entry.file_name().into_string().ok());
        let name = name.as_deref().and_then(|name| name.split('.').next());
        name.is_some_and(|name| FILES.contains(&name) || name == "history")
    };
    fs::read_dir(path).map_or(true, |mut entries| entries.all(is_ours))
}

/// The text of a plain file of ours; waits for nobody.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let count = private::open(path)?.take(FILE + 1).read_to_string(&mut text)?;
    if count as u64 > FILE {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversations::ConversationId;
    use crate::place::Place;
    use crate::session::Key;

    fn place(address: &str) -> PlaceId {
        Place::parse(address).unwrap().id()
    }

    fn folder(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("parlor-settings-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Folder::open(Some(path)).unwrap()
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let folder = folder("kept");
        let mut settings = Settings { name: "小明".into(), theme: Theme::Dark, ..Settings::default() };
        settings.window = Some(Frame { width: 900, height: 600, place: Some((-5, 7)), maximised: true });
        settings.remember(Recent {
            address: "a:1".into(),
            name: "x".into(),
            room: "#r".into(),
            ..Recent::default()
        });
        folder.keep_settings(&settings).unwrap();
        assert_eq!(folder.settings(), (settings.clone(), None));
        settings.recent.clear();
        folder.keep_settings(&settings).unwrap();
        assert_eq!(folder.settings(), (settings, None));
        let mut drafts = Drafts::default();
        drafts.set(&ConversationId::new(&place("a:1"), Key::new("#lobby")), "half a \"thought\"\nand more");
        folder.keep_drafts(&drafts).unwrap();
        assert_eq!(folder.drafts(), (drafts, None));
        fs::remove_dir_all(folder.path().unwrap()).unwrap();
    }

    #[test]
    fn what_was_not_sent_is_kept_for_its_address() {
        let folder = folder("unsent");
        let line = |text: &str| Unsent {
            to: "#lobby".into(),
            token: "0123456789abcdef0123456789abcdef".into(),
            text: text.into(),
            action: false,
            at: 1_700_000_000_123,
        };
        folder.keep_unsent(&place("a:1"), vec![line("one \"1\""), line("two")]).unwrap();
        folder.keep_unsent(&place("[::1]:2"), vec![line("three")]).unwrap();
        folder.keep_unsent(&place("a:1"), vec![line("two")]).unwrap();
        assert_eq!(folder.unsent(&place("a:1")), (vec![line("two")], None));
        assert_eq!(folder.unsent(&place("[::1]:2")).0, [line("three")]);
        folder.keep_unsent(&place("a:1"), Vec::new()).unwrap();
        assert_eq!(folder.unsent(&place("a:1")), (Vec::new(), None));
        fs::remove_dir_all(folder.path().unwrap()).unwrap();
    }

    #[test]
    fn a_broken_file_is_set_aside_and_said_so() {
        let folder = folder("broken");
        fs::write(folder.path().unwrap().join("settings.toml"), "name = [").unwrap();
        let (settings, broken) = folder.settings();
        assert_eq!(settings, Settings::default());
        assert_eq!(broken.unwrap().aside, folder.path().unwrap().join("settings.toml.broken"));
        assert_eq!(
            fs::read_to_string(folder.path().unwrap().join("settings.toml.broken")).unwrap(),
            "name = ["
        );
        assert_eq!(folder.settings().1, None);
        fs::remove_dir_all(folder.path().unwrap()).unwrap();
    }

    #[test]
    fn a_file_of_another_version_is_read_as_far_as_it_is_known() {
        let folder = folder("other");
        fs::write(folder.path().unwrap().join("settings.toml"), "name = \"bob\"\nfrom-the-future = 1\n")
            .unwrap();
        let (settings, broken) = folder.settings();
        assert_eq!((settings.name.as_str(), broken), ("bob", None));
        fs::remove_dir_all(folder.path().unwrap()).unwrap();
    }

    #[test]
    fn a_folder_that_was_asked_for_has_the_history_too() {
        let folder = folder("history");
        let history = folder.history("127.0.0.1:49806").unwrap();
        assert_eq!(history, folder.path().unwrap().join("history").join("127.0.0.1-49806"));
        fs::remove_dir_all(folder.path().unwrap()).unwrap();
    }

    #[test]
    fn without_a_folder_all_is_as_at_the_first_start() {
        let nowhere = Folder::nowhere();
        nowhere.keep_settings(&Settings { name: "bob".into(), ..Settings::default() }).unwrap();
        assert_eq!(nowhere.settings(), (Settings::default(), None));
        assert!(Folder::open(Some("/dev/null/parlor".into())).is_err());
    }

    #[test]
    fn a_servers_encoding_stays_its_own() {
        let entry = |address: &str, room: &str, encoding: &str| Recent {
            address: address.into(),
            room: room.into(),
            encoding: encoding.into(),
            ..Recent::default()
        };
        let recent = vec![entry("a:1", "#r", "windows-1251"), entry("b:1", "#r", "nonsense")];
        let mut settings = Settings { recent, ..Settings::default() };
        settings.remember(entry("a:1", "#other", ""));
        settings.remember(entry("a:1", "#r", ""));
        assert_eq!(settings.recent[0].encoding, "windows-1251");
        assert_eq!(Some(settings.encoding("a:1", "zh_CN")), Encoding::of_label("cp1251"));
        assert_eq!(settings.encoding("b:1", "zh_CN"), Encoding::of_language("zh"));
        assert_eq!(settings.encoding("c:1", "de_DE.UTF-8"), Encoding::default());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_what_is_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let folder = folder("modes");
        let path = folder.path().unwrap().to_owned();
        folder.keep_settings(&Settings::default()).unwrap();
        folder.keep_drafts(&Drafts::default()).unwrap();
        assert_eq!((mode(&path), mode(&path.join("settings.toml"))), (0o700, 0o600));
        // As yesterday's version left them.
        set(&path, 0o755);
        set(&path.join("drafts.toml"), 0o644);
        fs::write(path.join("settings.toml.broken"), "x").unwrap();
        set(&path.join("settings.toml.broken"), 0o666);
        Folder::open(Some(path.clone())).unwrap();
        assert_eq!((mode(&path), mode(&path.join("drafts.toml"))), (0o700, 0o600));
        assert_eq!(mode(&path.join("settings.toml.broken")), 0o600);

        // A folder with something else in it is somebody's: its own mode stays.
        set(&path, 0o755);
        let other = path.join("other.txt");
        fs::write(&other, "not ours").unwrap();
        set(&other, 0o644);
        Folder::open(Some(path.clone())).unwrap();
        assert_eq!((mode(&path), mode(&other)), (0o755, 0o644));

        // Links are neither read nor written through.
        for name in ["settings.toml", "settings.toml.new", "drafts.toml"] {
            let _ = fs::remove_file(path.join(name));
            symlink(&other, path.join(name)).unwrap();
        }
        assert!(folder.settings().1.is_some());
        folder.keep_settings(&Settings::default()).unwrap();
        folder.keep_drafts(&Drafts::default()).unwrap();
        assert_eq!((fs::read_to_string(&other).unwrap().as_str(), mode(&other)), ("not ours", 0o644));
        assert_eq!((mode(&path.join("settings.toml")), mode(&path.join("drafts.toml"))), (0o600, 0o600));
        fs::remove_dir_all(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_or_a_folder_in_the_place_of_a_file_is_set_aside() {
        let folder = folder("pipe");
        let path = folder.path().unwrap().to_owned();
        for name in ["settings.toml", "drafts.toml.new"] {
            let made = std::process::Command::new("mkfifo").arg(path.join(name)).status();
            assert!(made.is_ok_and(|status| status.success()));
        }
        fs::create_dir(path.join("unsent.toml")).unwrap();
        Folder::open(Some(path.clone())).unwrap();
        assert_eq!(folder.settings().1.unwrap().aside, path.join("settings.toml.broken"));
        assert!(folder.unsent(&place("a:1")).1.is_some());
        folder.keep_settings(&Settings { name: "bob".into(), ..Settings::default() }).unwrap();
        folder.keep_drafts(&Drafts::default()).unwrap();
        assert_eq!(folder.settings().0.name, "bob");
        // Too long to be ours.
        fs::File::create(path.join("drafts.toml")).unwrap().set_len(FILE + 1).unwrap();
        assert!(folder.drafts().1.is_some());
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn the_same_place_is_remembered_once() {
        let mut settings = Settings::default();
        for i in 0..20 {
            let address = format!("host{}:1", i % 10);
            settings.remember(Recent {
                address,
                name: format!("n{i}"),
                room: "#r".into(),
                ..Recent::default()
            });
        }
        assert_eq!(settings.recent.len(), MAX_RECENT);
        assert_eq!(settings.recent[0].name, "n19");
    }
}
