//! What the settings view shows, and what was used last. All windows share it.

use serde::{Deserialize, Serialize};

use crate::bookmarks::Bookmarks;
use crate::frame::Frame;
use crate::notify::Notify;
use crate::session::{Encoding, Key};

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
    /// Rooms on the network are looked for, and a hosted one can be found.
    pub nearby: bool,
    /// Join at the start without asking.
    pub join_at_start: bool,
    /// Closing the window leaves the program in the desktop's tray.
    pub stay: bool,
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
    /// Others are told that something is being typed.
    pub tell_typing: bool,
    /// Where files from others go, as typed; empty: where downloads go.
    pub file_folder: String,
    /// It was said, and agreed to, that whoever gets a file sees this computer's address.
    pub address_shown: bool,
    /// Nobody can call this computer: for files that it sends it calls theirs.
    pub calls_out: bool,
    /// Each line is one row, with its name in front of it.
    pub compact: bool,
    /// The address that a hosted room listened on last; empty: the first one of a network.
    pub host_address: String,
    /// The port that a hosted room listens on.
    pub host_port: u16,
    /// A hosted room has an address for programs of one's own, too.
    pub host_programs: bool,
    /// Whose lines are not shown.
    pub ignored: Vec<String>,
    /// Where one was before.
    pub bookmarks: Bookmarks,
    /// What an earlier version, which kept eight of them, has left; see [`settled`](Self::settled).
    #[serde(skip_serializing)]
    pub(crate) recent: Bookmarks,
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
            nearby: true,
            join_at_start: false,
            stay: false,
            theme: Theme::default(),
            text_size: 100,
            language: String::new(),
            time_format: TimeFormat::default(),
            sounds: false,
            notify: Notify::default(),
            fold_joins: true,
            tell_typing: false,
            file_folder: String::new(),
            address_shown: false,
            calls_out: false,
            compact: false,
            host_address: String::new(),
            host_port: parlor_server::DEFAULT_PORT,
            host_programs: false,
            window: None,
            ignored: Vec::new(),
            bookmarks: Bookmarks::default(),
            recent: Bookmarks::default(),
        }
    }
}

impl Settings {
    /// As they are in a file, with what an earlier version has left in its place.
    pub fn settled(mut self) -> Settings {
        let recent = std::mem::take(&mut self.recent);
        self.bookmarks.take_over(recent);
        self
    }

    /// Somebody is in another room now; says whether that is news.
    pub fn follow(&mut self, address: &str, name: &str, room: &str) -> bool {
        let shown = (&*self.address, &*self.name) == (address, name) && self.room != room;
        if shown {
            room.clone_into(&mut self.room);
        }
        self.bookmarks.follow(address, name, room) || shown
    }

    /// This is the place that the card is to name; says whether that is news.
    pub fn look_at(&mut self, address: &str, name: &str) -> bool {
        let news = (&*self.address, &*self.name) != (address, name);
        if news {
            address.clone_into(&mut self.address);
            name.clone_into(&mut self.name);
        }
        news
    }

    /// Somebody has another name there from now on.
    pub fn rename(&mut self, address: &str, before: &str, name: &str) {
        if (&*self.address, &*self.name) == (address, before) {
            name.clone_into(&mut self.name);
        }
        self.bookmarks.rename(address, before, name);
    }

    /// How text of a server is read that is not UTF-8: as its entry says, else as is usual in a language.
    pub fn encoding(&self, address: &str, language: &str) -> Encoding {
        let label = self.bookmarks.encoding(address);
        let named = Encoding::of_label(label);
        if named.is_none() && !label.is_empty() {
            log::warn!("{address}: there is no encoding called {label}");
        }
        named.unwrap_or_else(|| Encoding::of_language(language))
    }

    /// These settings of a window, which had those of `before` when it last wrote, for a file that says `there` by now: what
    /// the window has not changed stays as it is there, and of lists what came and what went.
    pub fn merged(self, before: &Settings, there: Settings) -> Settings {
        let Settings {
            name,
            address,
            room,
            nearby,
            join_at_start,
            stay,
            theme,
            text_size,
            language,
            time_format,
            compact,
            sounds,
            notify,
            fold_joins,
            tell_typing,
            file_folder,
            address_shown,
            calls_out,
            host_address,
            host_port,
            host_programs,
            ignored,
            bookmarks,
            recent: _,
            window,
        } = self;
        Settings {
            name: merged(name, &before.name, there.name),
            address: merged(address, &before.address, there.address),
            room: merged(room, &before.room, there.room),
            nearby: merged(nearby, &before.nearby, there.nearby),
            join_at_start: merged(join_at_start, &before.join_at_start, there.join_at_start),
            stay: merged(stay, &before.stay, there.stay),
            theme: merged(theme, &before.theme, there.theme),
            text_size: merged(text_size, &before.text_size, there.text_size),
            language: merged(language, &before.language, there.language),
            time_format: merged(time_format, &before.time_format, there.time_format),
            compact: merged(compact, &before.compact, there.compact),
            sounds: merged(sounds, &before.sounds, there.sounds),
            notify: merged(notify, &before.notify, there.notify),
            tell_typing: merged(tell_typing, &before.tell_typing, there.tell_typing),
            file_folder: merged(file_folder, &before.file_folder, there.file_folder),
            address_shown: merged(address_shown, &before.address_shown, there.address_shown),
            calls_out: merged(calls_out, &before.calls_out, there.calls_out),
            fold_joins: merged(fold_joins, &before.fold_joins, there.fold_joins),
            host_address: merged(host_address, &before.host_address, there.host_address),
            host_port: merged(host_port, &before.host_port, there.host_port),
            host_programs: merged(host_programs, &before.host_programs, there.host_programs),
            ignored: merged_list(ignored, &before.ignored, there.ignored, |one, other| {
                Key::new(one) == Key::new(other)
            }),
            bookmarks: bookmarks.merged(&before.bookmarks, there.bookmarks),
            recent: Bookmarks::default(),
            window: merged(window, &before.window, there.window),
        }
    }
}

fn merged<T: PartialEq>(now: T, before: &T, there: T) -> T {
    if now == *before { there } else { now }
}

/// What is new or different goes first.
pub(crate) fn merged_list<T: PartialEq>(
    now: Vec<T>,
    before: &[T],
    there: Vec<T>,
    is_same: impl Fn(&T, &T) -> bool,
) -> Vec<T> {
    let gone =
        |one: &T| before.iter().any(|old| is_same(old, one)) && !now.iter().any(|new| is_same(new, one));
    let stay: Vec<T> = there.into_iter().filter(|one| !gone(one)).collect();
    let mut all: Vec<T> = now.into_iter().filter(|one| !before.contains(one)).collect();
    let stay: Vec<T> = stay.into_iter().filter(|one| !all.iter().any(|new| is_same(new, one))).collect();
    all.extend(stay);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bookmarks::Bookmark;

    fn entry(address: &str, name: &str, room: &str) -> Bookmark {
        Bookmark { room: room.into(), ..Bookmark::of(address, name) }
    }

    #[test]
    fn neither_of_two_windows_undoes_what_the_other_did() {
        let before = Settings {
            ignored: vec!["eve".into(), "mallory".into()],
            bookmarks: [entry("a:1", "alice", "#lobby"), entry("b:1", "alice", "#lobby")]
                .into_iter()
                .collect(),
            ..Settings::default()
        };
        let mut one = before.clone();
        (one.theme, one.ignored) = (Theme::Dark, vec!["eve".into(), "trent".into()]);
        one.bookmarks.remember(entry("c:1", "alice", "#tea"));
        let mut other = before.clone();
        (other.sounds, other.text_size) = (true, 150);
        other.bookmarks.remember(entry("a:1", "ALICE", "#music"));
        other.bookmarks.forget("b:1", "alice");
        other.ignored.push("oscar".into());

        let there = one.merged(&before, before.clone());
        let both = other.clone().merged(&before, there);
        assert_eq!((both.theme, both.sounds, both.text_size), (Theme::Dark, true, 150));
        assert_eq!(both.ignored, ["oscar", "trent", "eve"]);
        let kept: Vec<_> = both.bookmarks.iter().map(|one| (&*one.address, &*one.room)).collect();
        assert_eq!(kept, [("a:1", "#music"), ("c:1", "#tea")]);
        assert_eq!(other.clone().merged(&other, both.clone()), both, "nothing has changed since");
    }

    #[test]
    fn a_servers_encoding_stays_its_own() {
        let entry = |address: &str, room: &str, encoding: &str| Bookmark {
            encoding: encoding.into(),
            ..entry(address, "", room)
        };
        let bookmarks = [entry("a:1", "#r", "windows-1251"), entry("b:1", "#r", "nonsense")];
        let mut settings = Settings { bookmarks: bookmarks.into_iter().collect(), ..Settings::default() };
        settings.bookmarks.remember(entry("a:1", "#other", ""));
        settings.bookmarks.remember(entry("a:1", "#r", ""));
        assert_eq!(settings.bookmarks.at(0).unwrap().encoding, "windows-1251");
        assert_eq!(Some(settings.encoding("a:1", "zh_CN")), Encoding::of_label("cp1251"));
        assert_eq!(settings.encoding("b:1", "zh_CN"), Encoding::of_language("zh"));
        assert_eq!(settings.encoding("c:1", "de_DE.UTF-8"), Encoding::default());
    }
}
