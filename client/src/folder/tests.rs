//! Files that stay whole, and windows that share a folder.

use super::*;
use crate::bookmarks::{Bookmark, Bookmarks};
use crate::frame::Frame;
use crate::place::Place;
use crate::session::{Open, Unsent, UnsentState};
use crate::settings::Theme;
use crate::testing::Scratch;

fn who(address: &str, name: &str) -> Identity {
    Identity::new(&Place::parse(address).unwrap().id(), name)
}

fn folder() -> (Scratch, Folder) {
    let scratch = Scratch::default();
    let folder = Folder::open(Some(scratch.join("folder"))).unwrap();
    (scratch, folder)
}

fn line(text: &str) -> Unsent {
    Unsent {
        to: "#lobby".into(),
        token: text.into(),
        text: text.into(),
        at: 1_700_000_000_123,
        ..Unsent::default()
    }
}

/// Writes settings as the only window does.
fn keep(folder: &Folder, settings: &Settings) {
    folder.keep_settings(&folder.settings().0, settings).unwrap();
}

#[test]
fn what_is_kept_is_read_again() {
    let (_scratch, folder) = folder();
    let mut settings = Settings { name: "小明".into(), theme: Theme::Dark, ..Settings::default() };
    settings.window = Some(Frame { width: 900, height: 600, place: Some((-5, 7)), maximised: true });
    settings.bookmarks.remember(Bookmark {
        address: "a:1".into(),
        name: "x".into(),
        room: "#r".into(),
        ..Bookmark::default()
    });
    keep(&folder, &settings);
    assert_eq!(folder.settings(), (settings.clone(), None));
    settings.bookmarks = Bookmarks::default();
    keep(&folder, &settings);
    assert_eq!(folder.settings(), (settings, None));
}

#[test]
fn the_eight_places_of_an_earlier_version_are_bookmarks() {
    let (_scratch, folder) = folder();
    let entry = |i: usize| {
        format!("[[recent]]\naddress = \"h{i}:1\"\nname = \"me\"\nroom = \"#r{i}\"\nencoding = \"koi8-r\"\n")
    };
    let file = folder.path().unwrap().join("settings.toml");
    fs::write(&file, (0..8).map(entry).collect::<String>()).unwrap();
    let (mut settings, broken) = folder.settings();
    assert_eq!((broken, settings.bookmarks.len()), (None, 8));
    let first = settings.bookmarks.at(0).unwrap();
    assert_eq!(
        (&*first.address, &*first.room, &*first.encoding, first.open),
        ("h0:1", "#r0", "koi8-r", false)
    );
    let before = settings.clone();
    settings.bookmarks.forget("h3:1", "me");
    folder.keep_settings(&before, &settings).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains("recent") && !text.contains("h3:1") && text.contains("[[bookmarks]]"), "{text}");
    assert_eq!(folder.settings(), (settings, None));
}

#[test]
fn what_is_typed_is_its_persons_at_its_place() {
    let (_scratch, folder) = folder();
    let mut slot = folder.claim(&who("a:1", "alice")).0;
    slot.kept.unsent = vec![line("one \"1\""), line("two")];
    slot.kept.drafts.insert("#lobby".into(), "half a \"thought\"\nand more".into());
    let room = Open { name: "#lobby".into(), key: "secret".into(), read: 7, ..Open::default() };
    slot.kept.set_open(vec![room], "#lobby".into());
    slot.write().unwrap();
    let kept = slot.kept.clone();
    drop(slot);
    for (address, name) in [("a:1", "bob"), ("b:1", "alice"), ("[::1]:2", "alice")] {
        let (slot, trouble) = folder.claim(&who(address, name));
        assert!(slot.kept.is_empty() && trouble.is_none(), "{name} at {address}");
    }
    let (mut slot, trouble) = folder.claim(&who("a:1", "ALICE"));
    assert_eq!(slot.kept, kept);
    assert!(trouble.is_none());
    slot.kept = Kept::default();
    slot.write().unwrap();
    drop(slot);
    assert!(folder.claim(&who("a:1", "alice")).0.kept.is_empty());
}

#[test]
fn a_second_window_of_the_same_person_keeps_apart_and_is_found_later() {
    let (_scratch, folder) = folder();
    let mut first = folder.claim(&who("a:1", "alice")).0;
    first.kept.unsent = vec![line("one")];
    first.write().unwrap();
    let (mut second, trouble) = folder.claim(&who("a:1", "alice"));
    assert!(matches!(trouble, Some(Trouble::Taken)), "{trouble:?}");
    assert!(second.kept.is_empty(), "nobody sends a line twice");
    second.kept.unsent = vec![line("the second")];
    second.write().unwrap();
    drop(second);
    first.kept.unsent = vec![line("one, still")];
    first.write().unwrap();
    drop(first);
    for _ in 0..2 {
        let (slot, trouble) = folder.claim(&who("a:1", "alice"));
        assert_eq!(slot.kept.unsent, [line("one, still"), line("the second")]);
        assert!(trouble.is_none());
    }
}

#[test]
fn another_name_of_ones_own_takes_all_along() {
    let (_scratch, folder) = folder();
    let mut other = folder.claim(&who("a:1", "anna")).0;
    other.kept.unsent = vec![line("of yesterday")];
    other.write().unwrap();
    drop(other);
    let mut slot = folder.claim(&who("a:1", "alice")).0;
    slot.kept.unsent = vec![line("mine")];
    slot.write().unwrap();
    folder.rename(&mut slot, &who("a:1", "anna")).unwrap();
    assert!(folder.claim(&who("a:1", "alice")).0.kept.is_empty());
    slot.kept.unsent.push(line("mine, too"));
    slot.write().unwrap();
    drop(slot);
    let all = folder.claim(&who("a:1", "anna")).0.kept.unsent;
    assert_eq!(all, [line("of yesterday"), line("mine"), line("mine, too")]);
}

#[test]
fn lines_that_have_no_name_are_nobodys_to_send() {
    let (_scratch, folder) = folder();
    let old = "[unsent]\n[[unsent.\"a:1\"]]\nto = \"#lobby\"\ntoken = \"1\"\ntext = \"whose?\"\naction = false\nat = 5\n\
        [[unsent.\"b:1\"]]\nto = \"#lobby\"\ntoken = \"2\"\ntext = \"elsewhere\"\naction = false\nat = 5\n";
    fs::write(folder.path().unwrap().join("unsent.toml"), old).unwrap();
    fs::write(folder.path().unwrap().join("drafts.toml"), "[texts]\n\"a:1 #lobby\" = \"half\"\n").unwrap();
    let slot = folder.claim(&who("a:1", "bob")).0;
    let [found] = &slot.kept.unsent[..] else { panic!("{:?}", slot.kept) };
    assert_eq!((found.text.as_str(), found.state), ("whose?", UnsentState::Nameless));
    assert_eq!(slot.kept.drafts["#lobby"], "half");
    drop(slot);
    assert!(!folder.path().unwrap().join("drafts.toml").exists(), "all of it is taken");
    assert!(folder.claim(&who("a:1", "alice")).0.kept.is_empty());
    assert_eq!(folder.claim(&who("a:1", "bob")).0.kept.unsent.len(), 1);
    assert_eq!(folder.claim(&who("b:1", "bob")).0.kept.unsent.len(), 1);
    assert!(!folder.path().unwrap().join("unsent.toml").exists());
}

#[test]
fn who_a_server_is_is_kept_by_itself_and_read_each_time() {
    let (_scratch, folder) = folder();
    let key = |byte: &str| Trust::Key(byte.repeat(32).parse().unwrap());
    folder.know("a:1", key("AB"), false).unwrap();
    // Another window has met somebody else there, at the same time.
    folder.know("a:1", key("CD"), false).unwrap();
    folder.know("b:1", Trust::Authorities, false).unwrap();
    assert_eq!((folder.servers().0.trust("A:1"), folder.servers().1), (Some(key("AB")), None));
    // Whatever becomes of the settings.
    fs::write(folder.path().unwrap().join("settings.toml"), "text-size = \"big\"").unwrap();
    assert!(folder.settings().1.is_some());
    assert_eq!(folder.servers().0.trust("b:1"), Some(Trust::Authorities));
    folder.know("a:1", key("CD"), true).unwrap();
    assert_eq!(folder.servers().0.trust("a:1"), Some(key("CD")));
}

#[test]
fn windows_do_not_undo_each_others_settings() {
    let (_scratch, folder) = folder();
    let before = Settings::default();
    keep(&folder, &before);
    let one = Settings { sounds: true, ..before.clone() };
    let other = Settings { theme: Theme::Dark, ..before.clone() };
    folder.keep_settings(&before, &one).unwrap();
    folder.keep_settings(&before, &other).unwrap();
    folder.keep_settings(&one, &Settings { fold_joins: false, ..one.clone() }).unwrap();
    let all = folder.settings().0;
    assert_eq!((all.sounds, all.theme, all.fold_joins), (true, Theme::Dark, false));
    // Whoever stopped while it wrote is not waited for.
    let stopped = lock(&folder.path().unwrap().join("writing.lock")).unwrap().unwrap();
    folder.keep_settings(&all, &Settings { text_size: 150, ..all.clone() }).unwrap();
    assert_eq!(folder.settings().0.text_size, 150);
    drop(stopped);
    let first = folder.first_window();
    assert!(first.is_some() && folder.first_window().is_none());
}

#[test]
fn a_broken_file_is_set_aside_and_said_so() {
    let (_scratch, folder) = folder();
    let path = folder.path().unwrap().to_owned();
    fs::write(path.join("settings.toml"), "name = [").unwrap();
    let (settings, broken) = folder.settings();
    assert_eq!(settings, Settings::default());
    assert_eq!(broken.unwrap().aside, path.join("settings.toml.broken"));
    assert_eq!(fs::read_to_string(path.join("settings.toml.broken")).unwrap(), "name = [");
    assert_eq!(folder.settings().1, None);
    let whose = who("a:1", "alice");
    let file = path.join(PLACES).join(whose.file_name()).with_extension("toml");
    drop(folder.claim(&whose));
    fs::write(&file, "unsent = 7").unwrap();
    let Some(Trouble::Broken(broken)) = folder.claim(&whose).1 else { panic!("it is said") };
    assert_eq!(fs::read_to_string(broken.aside).unwrap(), "unsent = 7");
}

#[test]
fn a_file_of_another_version_is_read_as_far_as_it_is_known() {
    let (_scratch, folder) = folder();
    let text = "name = \"bob\"\nfrom-the-future = 1\n";
    fs::write(folder.path().unwrap().join("settings.toml"), text).unwrap();
    let (settings, broken) = folder.settings();
    assert_eq!((settings.name.as_str(), broken), ("bob", None));
}

#[test]
fn a_folder_that_was_asked_for_has_the_history_too() {
    let (_scratch, folder) = folder();
    let history = folder.history("127.0.0.1:49806").unwrap();
    assert_eq!(history, folder.path().unwrap().join("history").join("127.0.0.1-49806"));
}

#[test]
fn without_a_folder_all_is_as_at_the_first_start() {
    let nowhere = Folder::nowhere();
    keep(&nowhere, &Settings { name: "bob".into(), ..Settings::default() });
    assert_eq!(nowhere.settings(), (Settings::default(), None));
    let mut slot = nowhere.claim(&who("a:1", "bob")).0;
    slot.kept.unsent = vec![line("one")];
    slot.write().unwrap();
    assert!(nowhere.claim(&who("a:1", "bob")).0.kept.is_empty());
    assert!(Folder::open(Some("/dev/null/parlor".into())).is_err());
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_what_is_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let (_scratch, folder) = folder();
    let path = folder.path().unwrap().to_owned();
    keep(&folder, &Settings::default());
    assert_eq!((mode(&path), mode(&path.join("settings.toml"))), (0o700, 0o600));
    // A room's key is a secret.
    let mut slot = folder.claim(&who("a:1", "bob")).0;
    slot.kept
        .set_open(vec![Open { name: "#r".into(), key: "secret".into(), ..Open::default() }], "#r".into());
    slot.write().unwrap();
    let file = slot.file.clone().unwrap();
    assert_eq!((mode(&path.join(PLACES)), mode(&file)), (0o700, 0o600));
    drop(slot);
    // As yesterday's version left them.
    set(&path, 0o755);
    fs::write(path.join("drafts.toml"), "").unwrap();
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
    for file in [path.join("settings.toml"), path.join("settings.toml.new"), path.join("writing.lock"), file]
    {
        let _ = fs::remove_file(&file);
        symlink(&other, &file).unwrap();
    }
    assert!(folder.settings().1.is_some());
    keep(&folder, &Settings::default());
    assert!(folder.claim(&who("a:1", "bob")).0.kept.is_empty());
    assert_eq!((fs::read_to_string(&other).unwrap().as_str(), mode(&other)), ("not ours", 0o644));
    assert_eq!(mode(&path.join("settings.toml")), 0o600);
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_folder_in_the_place_of_a_file_is_set_aside() {
    let (_scratch, folder) = folder();
    let path = folder.path().unwrap().to_owned();
    let whose = who("a:1", "bob");
    let file = path.join(PLACES).join(whose.file_name()).with_extension("toml");
    drop(folder.claim(&whose));
    for pipe in [path.join("settings.toml"), file.with_extension("toml.new"), file.with_extension("lock")] {
        let _ = fs::remove_file(&pipe);
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()));
    }
    fs::create_dir(&file).unwrap();
    Folder::open(Some(path.clone())).unwrap();
    assert_eq!(folder.settings().1.unwrap().aside, path.join("settings.toml.broken"));
    let (mut slot, trouble) = folder.claim(&whose);
    assert!(matches!(trouble, Some(Trouble::Broken(_))), "{trouble:?}");
    slot.kept.unsent = vec![line("one")];
    slot.write().unwrap();
    keep(&folder, &Settings { name: "bob".into(), ..Settings::default() });
    assert_eq!(folder.settings().0.name, "bob");
    // Too long to be ours.
    drop(slot);
    File::create(&file).unwrap().set_len(FILE + 1).unwrap();
    assert!(matches!(folder.claim(&whose).1, Some(Trouble::Broken(_))));
}

/// Many windows of as many people, each of which writes as fast as it can, while others come and go.
#[test]
fn many_windows_at_a_time_keep_all() {
    let (_scratch, folder) = folder();
    let before = Settings::default();
    keep(&folder, &before);
    let window = |i: usize| {
        let (folder, before) = (folder.clone(), before.clone());
        move || {
            let mut mine = before.clone();
            for round in 0..5 {
                let mut next = mine.clone();
                next.ignored.push(format!("{i}-{round}"));
                folder.keep_settings(&mine, &next).unwrap();
                mine = next;
                let mut slot = folder.claim(&who("a:1", "alice")).0;
                slot.kept.unsent.push(line(&"x".repeat(5 * i + round + 1)));
                slot.write().unwrap();
            }
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|i| drop(scope.spawn(window(i)))));
    assert_eq!(folder.settings().0.ignored.len(), 20);
    assert_eq!(folder.claim(&who("a:1", "alice")).0.kept.unsent.len(), 20);
}
