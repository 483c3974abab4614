//! Draws every view with its preview data: both themes, both languages, small and large.
//!
//! The pictures go to `$UI_PICTURES` (else the target folder's `tmp/pictures`). Each is compared with the one of the same
//! name in `tests/pictures/`: at most one pixel in fifty may differ visibly, so that another version of a font passes
//! and a moved or missing control does not.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use i_slint_backend_testing::{
    AccessibleRole, ElementHandle, ElementQuery, TestingBackend, TestingBackendOptions,
};
use parlor_tests::needs;
use parlor_ui::slint::platform::{PointerEventButton, WindowEvent};
use parlor_ui::slint::{
    ComponentHandle, Image, LogicalPosition, Model, ModelRc, PhysicalSize, Rgb8Pixel, Rgba8Pixel,
    SharedPixelBuffer, SharedString, StyledText,
};
use parlor_ui::*;

/// Largest difference of one colour channel that nobody sees.
const TOLERANCE: u8 = 48;
/// One pixel in this many may differ by more.
const STRAYS: usize = 400;

type Picture = SharedPixelBuffer<Rgba8Pixel>;

/// How a view is set up, by its name.
struct Scene {
    name: &'static str,
    set: fn(&App),
    /// Also drawn at the large size, not only at the small one.
    large: bool,
}

const SCENES: &[Scene] = &[
    Scene { name: "connect", set: |app| app.global::<Shell<'_>>().set_screen(Screen::Connect), large: true },
    Scene { name: "connect-one", set: connect_one, large: true },
    Scene { name: "connect-none", set: |app| search(app, Search::None), large: true },
    Scene { name: "connect-nowhere", set: connect_nowhere, large: true },
    Scene { name: "connect-typing", set: connect_typing, large: true },
    Scene { name: "connect-errors", set: connect_errors, large: true },
    Scene { name: "connect-notice", set: connect_notice, large: false },
    Scene { name: "connect-key", set: connect_key, large: true },
    Scene { name: "connect-sign-in", set: connect_sign_in, large: true },
    Scene { name: "connect-another", set: connect_another, large: true },
    Scene { name: "connect-bookmarks", set: connect_bookmarks, large: false },
    Scene { name: "host", set: |app| app.global::<Shell<'_>>().set_screen(Screen::Host), large: true },
    Scene { name: "host-password", set: host_password, large: false },
    Scene { name: "host-errors", set: host_errors, large: false },
    Scene { name: "invite", set: invite, large: true },
    Scene { name: "invite-here", set: invite_here, large: false },
    Scene { name: "room", set: room, large: true },
    Scene { name: "room-compact", set: compact, large: true },
    Scene { name: "room-right-to-left", set: right_to_left, large: true },
    Scene { name: "room-places", set: places, large: true },
    Scene { name: "room-heading", set: heading_menu, large: true },
    Scene { name: "room-notifications", set: notifications, large: true },
    Scene { name: "room-saving", set: saving, large: true },
    Scene { name: "room-menu", set: menu, large: true },
    Scene { name: "room-hosting", set: hosting, large: true },
    Scene { name: "room-hosting-programs", set: hosting_programs, large: true },
    Scene { name: "room-hosting-key", set: hosting_key, large: true },
    Scene { name: "room-encrypted", set: |app| lock(app, Lock::Closed), large: true },
    Scene { name: "room-readable", set: |app| lock(app, Lock::Open), large: true },
    Scene { name: "room-reconnecting", set: reconnecting, large: true },
    Scene { name: "room-composing", set: composing, large: true },
    Scene { name: "room-rooms", set: |app| open(app, Panel::Rooms), large: false },
    Scene { name: "room-people", set: |app| open(app, Panel::People), large: false },
    Scene { name: "room-hands", set: hands, large: true },
    Scene { name: "room-tools", set: tools, large: true },
    Scene { name: "room-host-menu", set: host_menu, large: true },
    Scene { name: "room-browse", set: |app| open(app, Panel::Browse), large: true },
    Scene { name: "room-ignored", set: |app| open(app, Panel::Ignored), large: false },
    Scene { name: "room-guests", set: guests, large: true },
    Scene { name: "room-switcher-places", set: switcher_places, large: true },
    Scene { name: "room-switcher", set: |app| open(app, Panel::Switcher), large: true },
    Scene { name: "room-stop", set: stop, large: true },
    Scene { name: "room-loading-older", set: loading_older, large: true },
    Scene { name: "room-gap", set: gap, large: true },
    Scene { name: "room-failed", set: failed, large: true },
    Scene { name: "files-offered", set: files_offered, large: true },
    Scene { name: "files-running", set: files_running, large: true },
    Scene { name: "files-done", set: files_done, large: true },
    Scene { name: "files-failed", set: files_failed, large: true },
    Scene { name: "files-question", set: files_question, large: false },
    Scene { name: "find", set: |app| open(app, Panel::Find), large: true },
    Scene { name: "find-results", set: find_results, large: true },
    Scene { name: "find-local", set: find_local, large: false },
    Scene { name: "settings", set: |app| open(app, Panel::Settings), large: true },
    Scene { name: "settings-code", set: code, large: true },
    Scene { name: "settings-files", set: settings_files, large: false },
    Scene { name: "keys", set: |app| open(app, Panel::Keys), large: true },
    Scene { name: "about", set: |app| open(app, Panel::About), large: true },
    // With a font that the others do without.
    Scene { name: "room-talk", set: talk, large: true },
    Scene { name: "room-line-menu", set: line_menu, large: true },
    Scene { name: "room-replying", set: replying, large: false },
    Scene { name: "room-emoji", set: emoji, large: false },
    Scene { name: "room-candidates", set: candidates, large: false },
];

#[test]
fn every_view() {
    let options = TestingBackendOptions {
        mock_time: true,
        renderer_name: Some("software".into()),
        ..Default::default()
    };
    parlor_ui::slint::platform::set_platform(Box::new(TestingBackend::new(options)))
        .expect("the first platform");
    let out = std::env::var_os("UI_PICTURES")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures"), PathBuf::from);
    std::fs::create_dir_all(&out).expect("a folder for the pictures");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures");
    let only = std::env::var("UI_ONLY").unwrap_or_default();
    // With other fonts every text looks different.
    let comparable = needs::have(needs::FONTS);

    let mut wrong = Vec::new();
    let mut keep = |name: String, picture: Picture| {
        save(&out.join(&name), &picture);
        let before = kept.join(&name);
        if comparable && (!before.exists() || differs(&load(&before), &picture)) {
            wrong.push(name);
        }
    };
    for scene in SCENES.iter().filter(|scene| scene.name.contains(&only)) {
        for (width, height) in [(360, 480), (1280, 800)] {
            if width > 720 && !scene.large {
                continue;
            }
            for (theme, theme_name) in [(ThemeChoice::Light, "light"), (ThemeChoice::Dark, "dark")] {
                for (language, code) in [(Language::English, "en"), (Language::Chinese, "zh")] {
                    let picture = draw(scene, PhysicalSize::new(width, height), theme, language);
                    keep(format!("{}-{width}x{height}-{theme_name}-{code}.png", scene.name), picture);
                }
            }
        }
    }
    for (name, size, scale) in [
        ("wide", (2560, 1300), 1.0),
        ("full", (1920, 1080), 1.0),
        ("huge", (1280, 800), 1.5),
        ("huge-narrow", (360, 480), 1.5),
        ("between", (760, 560), 1.0),
        ("panel", (800, 480), 1.0),
    ] {
        if !name.contains(&only) {
            continue;
        }
        let app = App::new().expect("a window");
        parlor_ui::slint::select_bundled_translation("").expect("English");
        app.global::<Shell<'_>>().set_theme(ThemeChoice::Light);
        app.global::<Shell<'_>>().set_scale(scale);
        room(&app);
        if name == "panel" {
            app.global::<Shell<'_>>().invoke_open(Panel::Find);
        }
        keep(format!("room-{name}.png"), shot(&app, PhysicalSize::new(size.0, size.1)));
        app.global::<Shell<'_>>().set_screen(Screen::Connect);
        keep(format!("connect-{name}.png"), shot(&app, PhysicalSize::new(size.0, size.1)));
    }
    assert!(
        wrong.is_empty(),
        "these views look different, or have no picture yet (new ones in {}): {wrong:#?}",
        out.display()
    );
}

fn draw(scene: &Scene, size: PhysicalSize, theme: ThemeChoice, language: Language) -> Picture {
    let app = App::new().expect("a window");
    parlor_ui::slint::select_bundled_translation(if language == Language::Chinese { "zh_CN" } else { "" })
        .expect("a bundled language");
    let shell = app.global::<Shell<'_>>();
    shell.set_theme(theme);
    shell.set_language(language);
    app.show().expect("the window shows");
    app.window().set_size(size);
    i_slint_backend_testing::mock_elapsed_time(std::time::Duration::from_millis(100));
    (scene.set)(&app);
    let picture = shot(&app, size);
    let nameless = nameless(&app);
    assert!(nameless.is_empty(), "{}: nobody can tell these apart: {nameless:?}", scene.name);
    picture
}

/// What a screen reader would find, and could not name.
fn nameless(app: &App) -> Vec<String> {
    let silent = |element: &ElementHandle| {
        let named = element.accessible_label().is_some_and(|label| !label.is_empty());
        let valued = element.accessible_value().is_some_and(|value| !value.is_empty());
        element
            .accessible_role()
            .is_some_and(|role| role != AccessibleRole::None && role != AccessibleRole::Text)
            && !named
            && !valued
    };
    let found = ElementQuery::from_root(app).match_descendants().match_predicate(silent).find_all();
    let place = |element: &ElementHandle| {
        let at = element.absolute_position();
        format!("{:?} {:?} at {}, {}", element.accessible_role(), element.id(), at.x, at.y)
    };
    found.iter().map(place).collect()
}

fn shot(app: &App, size: PhysicalSize) -> Picture {
    app.show().expect("the window shows");
    // Another size scrolls to where the keyboard is.
    if app.window().size() != size {
        app.window().set_size(size);
    }
    // Layout, changed-handlers and the list's first guess at its height settle over a few frames.
    for _ in 0..4 {
        app.window().take_snapshot().expect("a picture");
        i_slint_backend_testing::mock_elapsed_time(std::time::Duration::from_millis(200));
    }
    app.window().take_snapshot().expect("a picture")
}

/// Nobody has announced a room, at that state of the search.
fn search(app: &App, search: Search) {
    let view = app.global::<NearbyView<'_>>();
    view.set_rooms(ModelRc::default());
    view.set_search(search);
}

fn connect_one(app: &App) {
    let view = app.global::<NearbyView<'_>>();
    let rooms: Vec<NearbyRoom> = view.get_rooms().iter().take(1).collect();
    view.set_rooms(rooms.as_slice().into());
}

fn connect_nowhere(app: &App) {
    search(app, Search::Nowhere);
    let sentence = app.global::<Words<'_>>().invoke_nearby_no_multicast();
    app.global::<NearbyView<'_>>().set_nowhere(sentence);
}

/// Somebody who was here before.
fn connect_typing(app: &App) {
    app.global::<NearbyView<'_>>().set_typing(true);
}

/// A code of the size that links have.
fn invite(app: &App) {
    room(app);
    let side = 53;
    let mut pixels = SharedPixelBuffer::<Rgb8Pixel>::new(side, side);
    for (i, pixel) in pixels.make_mut_slice().iter_mut().enumerate() {
        let (x, y) = (i as u32 % side, i as u32 / side);
        let dark =
            (4..side - 4).contains(&x) && (4..side - 4).contains(&y) && (x * 7 + y * 3 + x * y) % 5 < 2;
        let shade = if dark { 0 } else { 255 };
        *pixel = Rgb8Pixel { r: shade, g: shade, b: shade };
    }
    app.global::<InviteView<'_>>().set_code(Image::from_rgb8(pixels));
    app.global::<Shell<'_>>().invoke_open(Panel::Invite);
}

fn invite_here(app: &App) {
    invite(app);
    let view = app.global::<InviteView<'_>>();
    view.set_address("127.0.0.1:49806".into());
    view.set_here_only(true);
    view.set_key("".into());
}

fn connect_errors(app: &App) {
    let view = app.global::<ConnectView<'_>>();
    let words = app.global::<Words<'_>>();
    view.set_name_error(words.invoke_name_taken("alice".into()));
    view.set_suggestion("alice2".into());
    view.set_address("192.168.1.7:49806".into());
    view.set_address_error(words.invoke_nobody_answers("192.168.1.7:49806".into()));
}

const KEYS: [&str; 2] = [
    "3A:91:0F:C2:77:5E:D8:14:B6:29:E0:8B:43:FA:6C:05:9D:72:1E:A8:50:CB:37:F4:86:0D:E1:5A:B9:24:7C:63",
    "D4:08:BB:61:2E:97:50:FC:3A:C5:19:8D:E7:42:0B:F6:71:AE:94:2C:5F:D3:88:16:EA:4B:60:C9:35:07:BD:12",
];

fn connect_key(app: &App) {
    let view = app.global::<ConnectView<'_>>();
    let server: SharedString = "chat.example.org:6697".into();
    view.set_address(server.clone());
    let [before, now] = KEYS.map(SharedString::from);
    view.set_address_error(app.global::<Words<'_>>().invoke_key_changed(server, before, now));
    view.set_asks_trust(true);
}

fn connect_sign_in(app: &App) {
    let view = app.global::<ConnectView<'_>>();
    view.set_password("not this one".into());
    view.set_password_error(app.global::<Words<'_>>().invoke_password_wrong());
    view.set_certificate("/home/alice/alice.pem".into());
}

fn connect_notice(app: &App) {
    let words = app.global::<Words<'_>>();
    let sentence = words.invoke_nothing_kept("Permission denied (os error 13)".into());
    app.global::<ConnectView<'_>>().set_notice(sentence);
}

fn connect_another(app: &App) {
    connect_typing(app);
    let view = app.global::<ConnectView<'_>>();
    view.set_elsewhere(true);
    view.set_address("".into());
    let mut rows: Vec<Bookmark> = view.get_bookmarks().iter().collect();
    rows[0].open = true;
    view.set_bookmarks(rows.as_slice().into());
}

/// One was just removed.
fn connect_bookmarks(app: &App) {
    connect_typing(app);
    app.global::<ConnectView<'_>>().set_removed("chat.example.com:6697".into());
    scroll(app, -2000.0);
}

/// Rooms of three servers, of which the second one is called and the third one away.
fn places(app: &App) {
    room(app);
    let words = app.global::<Words<'_>>();
    let heading = |name: &str, status, text| RoomRow {
        place: format!("{name}:6697").into(),
        name: name.into(),
        heading: true,
        status,
        status_text: text,
        ..RoomRow::default()
    };
    let row = |name: &str| RoomRow { key: name.into(), name: name.into(), ..RoomRow::default() };
    let rows = [
        heading("192.168.1.7", StatusKind::Connected, words.invoke_connected()),
        RoomRow { current: true, ..row("lobby") },
        RoomRow { unread: 3, ..row("music") },
        RoomRow { unread: 1, mention: true, person: true, ..row("bob") },
        heading("chat.example.org", StatusKind::Connecting, words.invoke_connecting()),
        row("lobby"),
        RoomRow { unread: 214, notify: RoomNotify::Muted, ..row("rust-and-everything") },
        heading("a-server-with-a-long-name.example.net", StatusKind::Offline, words.invoke_no_connection()),
        row("quiz"),
        RoomRow { person: true, ..row("小明") },
    ];
    app.global::<RoomsView<'_>>().set_rooms(rows.as_slice().into());
    if app.window().size().width < 720 {
        app.global::<Shell<'_>>().invoke_open(Panel::Rooms);
    }
}

fn heading_menu(app: &App) {
    places(app);
    let heading = middle(app, |label| label.contains("chat.example.org"));
    click(app, heading, PointerEventButton::Left);
}

fn notifications(app: &App) {
    room(app);
    app.global::<RoomView<'_>>().set_notify(RoomNotify::Muted);
    let menu = middle(app, |label| label == "Room menu" || label == "房间菜单");
    click(app, menu, PointerEventButton::Left);
    shot(app, app.window().size());
    let entry = ElementQuery::from_root(app).match_descendants().match_predicate(|element| {
        element.accessible_label().is_some_and(|label| label == "Notifications …" || label == "通知…")
    });
    entry.find_first().expect("it is in the menu").invoke_accessible_default_action();
}

fn saving(app: &App) {
    room(app);
    app.global::<RoomView<'_>>().set_saving(app.global::<Words<'_>>().invoke_saving(12_400));
}

fn switcher_places(app: &App) {
    open(app, Panel::Switcher);
    let row =
        |name: &str, at: &str| SwitcherRow { name: name.into(), at: at.into(), ..SwitcherRow::default() };
    let rows = [
        SwitcherRow { unread: 3, ..row("lobby", "192.168.1.7") },
        row("lobby", "chat.example.org"),
        SwitcherRow { person: true, ..row("lotte", "chat.example.org") },
        SwitcherRow { person: true, here: true, ..row("lola", "a-server-with-a-long-name.example.net") },
    ];
    app.global::<SwitcherView<'_>>().set_switcher_filter("lo".into());
    app.global::<SwitcherView<'_>>().set_switcher(rows.as_slice().into());
}

fn room(app: &App) {
    app.global::<Shell<'_>>().set_screen(Screen::Room);
}

fn open(app: &App, panel: Panel) {
    room(app);
    app.global::<Shell<'_>>().invoke_open(panel);
}

/// The last of them.
fn settings_files(app: &App) {
    open(app, Panel::Settings);
    scroll(app, -10_000.0);
}

/// Alone with bob, among these files.
fn files(app: &App, rows: &[FileRow]) {
    room(app);
    let view = app.global::<RoomView<'_>>();
    view.set_person(true);
    view.set_name("bob".into());
    view.set_called("bob".into());
    view.set_topic("".into());
    let numbered = rows.iter().enumerate().map(|(id, row)| FileRow { id: id as i32, ..row.clone() });
    app.global::<FilesView<'_>>().set_files(numbered.collect::<Vec<_>>().as_slice().into());
}

fn file(name: &str, kind: FileKind, state: FileState, detail: SharedString) -> FileRow {
    FileRow { name: name.into(), kind, state, detail, ..FileRow::default() }
}

fn files_offered(app: &App) {
    let words = app.global::<Words<'_>>();
    let (size, bob) = (SharedString::from("2.35 MB"), SharedString::from("bob"));
    let begun = words.invoke_file_begun(size.clone(), bob.clone(), "1.20 MB".into());
    let program = words.invoke_file_program(size.clone(), bob.clone());
    let rows = [
        file("holiday 2.jpg", FileKind::Picture, FileState::Offered, words.invoke_file_from(size, bob)),
        FileRow { begun: true, ..file("talk.ogg", FileKind::Sound, FileState::Offered, begun) },
        file(
            "a game with a very long name that says nothing at all.exe",
            FileKind::Program,
            FileState::Offered,
            program,
        ),
    ];
    files(app, &rows);
}

fn files_running(app: &App) {
    let words = app.global::<Words<'_>>();
    let size = || SharedString::from("2.35 MB");
    let left = words.invoke_seconds(4);
    let moving = words.invoke_file_moving_left("1.41 MB".into(), size(), "235 kB".into(), left);
    let waits = words.invoke_file_waiting(size(), "bob".into());
    let rows = [
        FileRow { progress: 0.6, ..file("film.mp4", FileKind::Film, FileState::Running, moving) },
        FileRow { outgoing: true, ..file("report.pdf", FileKind::Text, FileState::Waiting, waits) },
        file("all.zip", FileKind::Archive, FileState::Waiting, words.invoke_file_connecting(size())),
    ];
    files(app, &rows);
}

fn files_done(app: &App) {
    let words = app.global::<Words<'_>>();
    let size = || SharedString::from("2.35 MB");
    let saved = words.invoke_file_saved(size(), "/home/alice/Downloads".into());
    let arrived = words.invoke_file_arrived(size(), "bob".into());
    let mut drawn = SharedPixelBuffer::<Rgba8Pixel>::new(240, 160);
    for (at, pixel) in drawn.make_mut_slice().iter_mut().enumerate() {
        let (x, y) = (at % 240, at / 240);
        *pixel = Rgba8Pixel { r: x as u8, g: 140, b: 60 + y as u8, a: 255 };
    }
    let drawn = parlor_ui::slint::Image::from_rgba8(drawn);
    let rows = [
        FileRow {
            showable: true,
            shown: true,
            drawn,
            ..file("holiday 2.jpg", FileKind::Picture, FileState::Done, saved)
        },
        FileRow { outgoing: true, ..file("report", FileKind::Other, FileState::Done, arrived) },
    ];
    files(app, &rows);
}

fn files_failed(app: &App) {
    let words = app.global::<Words<'_>>();
    let broken = words.invoke_file_ask_again(words.invoke_file_broken(), "bob".into());
    let rows = [
        file("talk.ogg", FileKind::Sound, FileState::Failed, broken),
        FileRow {
            outgoing: true,
            ..file("report.pdf", FileKind::Text, FileState::Failed, words.invoke_file_nobody_came())
        },
    ];
    files(app, &rows);
}

fn files_question(app: &App) {
    files(app, &[]);
    let (bob, address) = (SharedString::from("bob"), SharedString::from("192.168.1.5"));
    let question = app.global::<Words<'_>>().invoke_file_address_shown(bob, address, "report.pdf".into());
    app.global::<FilesView<'_>>().set_question(question);
}

fn host_errors(app: &App) {
    app.global::<Shell<'_>>().set_screen(Screen::Host);
    let (view, words) = (app.global::<HostView<'_>>(), app.global::<Words<'_>>());
    view.set_port("80".into());
    view.set_port_error(words.invoke_port_not_allowed("80".into()));
}

fn host_password(app: &App) {
    app.global::<Shell<'_>>().set_screen(Screen::Host);
    app.global::<HostView<'_>>().set_password("open sesame".into());
    scroll(app, -160.0);
    let eye = middle(app, |label| label == "Show what is typed" || label == "显示输入的内容");
    click(app, eye, PointerEventButton::Left);
}

fn compact(app: &App) {
    app.global::<Shell<'_>>().set_compact(true);
    room(app);
}

fn right_to_left(app: &App) {
    room(app);
    let said = |name: &str, text: &str, heading, rtl| LineRow {
        kind: LineKind::Message,
        heading,
        rtl,
        name: name.into(),
        hue: 4,
        time: "18:02".into(),
        text: StyledText::from_plain_text(text),
        plain: text.into(),
        ..LineRow::default()
    };
    let own =
        LineRow {
            own: true, state: LineState::Delivered, ..said("me", "כן, עוד חמש דקות", true, true)
        };
    let rows = [
        said("נועה", "שלום לכולם, החידון מתחיל בשמונה", true, true),
        said("נועה", "see you there", false, false),
        said(
            "ليلى",
            "مرحبا bob، هل أنت هنا؟ الرابط https://example.org/a وهذا سطر طويل يلتف إلى السطر التالي حتى ينتهي",
            true,
            true,
        ),
        LineRow { mention: true, ..said("bob", "me: مرحبا", true, false) },
        own,
    ];
    app.global::<TimelineView<'_>>().set_lines(rows.as_slice().into());
}

/// The menu of a line near the edge: it stays in the window.
fn menu(app: &App) {
    room(app);
    shot(app, app.window().size());
    let position = LogicalPosition::new(app.window().size().width as f32 / 2.0, 130.0);
    click(app, position, PointerEventButton::Right);
}

fn click(app: &App, position: LogicalPosition, button: PointerEventButton) {
    app.window().dispatch_event(WindowEvent::PointerPressed { position, button });
    app.window().dispatch_event(WindowEvent::PointerReleased { position, button });
}

fn scroll(app: &App, delta_y: f32) {
    shot(app, app.window().size());
    let position = LogicalPosition::new(100.0, 200.0);
    app.window().dispatch_event(WindowEvent::PointerScrolled { position, delta_x: 0.0, delta_y });
}

/// The middle of what is so called.
fn middle(app: &App, called: impl Fn(&str) -> bool + 'static) -> LogicalPosition {
    shot(app, app.window().size());
    let found = ElementQuery::from_root(app)
        .match_descendants()
        .match_predicate(move |element| element.accessible_label().is_some_and(|label| called(&label)))
        .find_first()
        .expect("it is in the window");
    let (at, size) = (found.absolute_position(), found.size());
    LogicalPosition::new(at.x + size.width / 2.0, at.y + size.height / 2.0)
}

fn hosting_key(app: &App) {
    hosting(app);
    // A narrow bar has no place for it.
    if app.window().size().width < 720 {
        return;
    }
    let key = middle(app, |label| label.starts_with("This server's key") || label.contains("密钥"));
    click(app, key, PointerEventButton::Left);
}

/// The pill under the pointer says what its lock means.
fn lock(app: &App, lock: Lock) {
    room(app);
    app.global::<StatusView<'_>>().set_status_text(app.global::<Words<'_>>().invoke_connected());
    app.global::<StatusView<'_>>().set_lock(lock);
    let position = middle(app, |label| label.contains("192.168.1.7:49806 · "));
    app.window().dispatch_event(WindowEvent::PointerMoved { position });
}

fn hosting(app: &App) {
    room(app);
    app.global::<HostView<'_>>().set_running(true);
    app.global::<StatusView<'_>>().set_status(StatusKind::Hosting);
    app.global::<StatusView<'_>>().set_status_text(app.global::<Words<'_>>().invoke_hosting());
}

fn hosting_programs(app: &App) {
    hosting(app);
    app.global::<HostView<'_>>().set_programs_address("192.168.1.7:49807".into());
}

/// Two want to speak, one may not, and somebody was just sent out.
fn hands(app: &App) {
    if app.window().size().width < 720 {
        open(app, Panel::People)
    } else {
        room(app)
    }
    let view = app.global::<PeopleView<'_>>();
    let mut rows: Vec<PersonRow> = view.get_people().iter().collect();
    for (name, hand) in [("zoë", 1), ("me", 2)] {
        rows.iter_mut().filter(|row| row.name == name).for_each(|row| row.hand = hand);
    }
    rows.iter_mut().filter(|row| row.name == "bob").for_each(|row| row.muted = true);
    rows.sort_by_key(|row| if row.hand > 0 { row.hand } else { i32::MAX });
    view.set_people(rows.as_slice().into());
    view.set_my_hand(true);
    view.set_hands_up(2);
    app.global::<RoomView<'_>>().set_done(app.global::<Words<'_>>().invoke_sent_and_kept_out("eve".into()));
}

/// How a room is set, with somebody who may not speak, and one line every 30 s.
fn tools(app: &App) {
    let mute = BanRow { who: "bob".into(), detail: "alice".into(), mute: true, ..BanRow::default() };
    let view = app.global::<RoomView<'_>>();
    let rows: Vec<BanRow> = [mute].into_iter().chain(view.get_bans().iter()).collect();
    view.set_bans(rows.as_slice().into());
    view.set_slow(30);
    view.set_moderated(true);
    open(app, Panel::Room);
}

/// The header's menu, for an operator.
fn host_menu(app: &App) {
    room(app);
    let menu = middle(app, |label| label == "Room menu" || label == "房间菜单");
    click(app, menu, PointerEventButton::Left);
}

fn guests(app: &App) {
    hosting(app);
    open(app, Panel::Guests);
}

fn stop(app: &App) {
    hosting(app);
    app.global::<HostView<'_>>().set_stop_asked(true);
}

fn reconnecting(app: &App) {
    room(app);
    app.global::<StatusView<'_>>().set_status(StatusKind::Reconnecting);
    app.global::<StatusView<'_>>().set_status_text(app.global::<Words<'_>>().invoke_reconnecting(4));
    app.global::<StatusView<'_>>()
        .set_notice(app.global::<Words<'_>>().invoke_settings_set_aside("settings.toml.broken".into()));
    app.global::<PeopleView<'_>>().set_people_count(42);
    app.global::<TimelineView<'_>>().set_stick(false);
    app.global::<TimelineView<'_>>().set_below_count(3);
}

/// The first lines of the preview after some others, and how far the view is scrolled up.
fn lines(app: &App, first: &[LineRow], stick: bool) {
    room(app);
    let preview: Vec<LineRow> = app.global::<TimelineView<'_>>().get_lines().iter().take(8).collect();
    let all: Vec<LineRow> = first.iter().cloned().chain(preview).collect();
    app.global::<TimelineView<'_>>().set_lines(all.as_slice().into());
    app.global::<TimelineView<'_>>().set_stick(stick);
    app.global::<TimelineView<'_>>().set_below_count(if stick { 0 } else { 2 });
    if !stick {
        app.global::<TimelineView<'_>>().set_reveal(0);
    }
}

fn loading_older(app: &App) {
    let top = LineRow { kind: LineKind::Top, state: LineState::Pending, ..LineRow::default() };
    lines(app, &[top], false);
}

fn gap(app: &App) {
    let begins = LineRow { kind: LineKind::Top, state: LineState::Delivered, ..LineRow::default() };
    let said = |name: &str, text: &str| LineRow {
        kind: LineKind::Message,
        heading: true,
        name: name.into(),
        hue: 4,
        time: "18:02".into(),
        text: StyledText::from_plain_text(text),
        plain: text.into(),
        ..LineRow::default()
    };
    let gap = |state| LineRow { kind: LineKind::Gap, state, ..LineRow::default() };
    let day = LineRow { kind: LineKind::Day, plain: "Friday 28 February".into(), ..LineRow::default() };
    let rows = [
        begins,
        day,
        said("zoë", "the very first line of this room"),
        gap(LineState::Pending),
        said("bob", "one that a search found"),
        gap(LineState::Failed),
    ];
    lines(app, &rows, false);
}

fn failed(app: &App) {
    lines(app, &[], true);
    let words = app.global::<Words<'_>>();
    let own = |text: &str, state, reason| LineRow {
        kind: LineKind::Message,
        name: "me".into(),
        hue: 5,
        time: "09:16".into(),
        text: StyledText::from_plain_text(text),
        plain: text.into(),
        own: true,
        state,
        reason,
        ..LineRow::default()
    };
    let mut rows: Vec<LineRow> = app.global::<TimelineView<'_>>().get_lines().iter().collect();
    rows.push(own("did that one arrive?", LineState::Failed, words.invoke_never_confirmed()));
    rows.push(own("one of those", LineState::Failed, words.invoke_may_not_speak()));
    rows.push(own("and this waits", LineState::Pending, SharedString::default()));
    app.global::<TimelineView<'_>>().set_lines(rows.as_slice().into());
    app.global::<StatusView<'_>>().set_status(StatusKind::Offline);
    app.global::<StatusView<'_>>().set_status_text(words.invoke_offline("09:20".into()));
}

/// The font that the program brings: systems have emoji in colours alone, which nothing draws.
fn emoji_font() {
    use parlor_ui::slint::fontique_011::{fontique, shared_collection};
    use std::sync::{Arc, Once};

    static ADDED: Once = Once::new();
    ADDED.call_once(|| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/fonts/NotoEmoji-Regular.ttf");
        let font = std::fs::read(file).expect("the font of the client");
        let mut collection = shared_collection();
        let added = collection.register_fonts(fontique::Blob::new(Arc::new(font)), None);
        let (emoji, _) = added.first().expect("a font");
        for generic in [fontique::GenericFamily::SansSerif, fontique::GenericFamily::SystemUi] {
            let mut families: Vec<_> = collection.generic_families(generic).collect();
            families.insert(families.len().min(1), *emoji);
            collection.set_generic_families(generic, families.into_iter());
        }
    });
}

/// Answers, reactions, a block of code, a deleted line.
fn talk(app: &App) {
    emoji_font();
    room(app);
    let said = |name: &str, hue, text: &str, markup: &str| LineRow {
        kind: LineKind::Message,
        heading: true,
        name: name.into(),
        hue,
        time: "18:02".into(),
        text: StyledText::from_markdown(markup).expect("markup"),
        plain: text.into(),
        named: true,
        ..LineRow::default()
    };
    let chip =
        |emoji: &str, count, own| ReactionChip { emoji: emoji.into(), count, own, names: "bob, zoë".into() };
    let chips = [chip("👍", 3, true), chip("🎉", 2, false), chip("❤️", 1, false)];
    let deleted = app.global::<Words<'_>>().invoke_deleted("alice".into());
    let code = "like this:\nfn main() {\n\u{A0}\u{A0}\u{A0}\u{A0}println!(\"hello\");\n}";
    let part = Part { from: 11, to: code.len() as i32 };
    app.global::<TimelineView<'_>>().on_block(|_, _, width, size, part| {
        let line = size * 1.17;
        Area { x: 0.0, y: if part.from > 0 { line } else { 0.0 }, width, height: line * 0.85 * 3.0 }
    });
    app.global::<TimelineView<'_>>().on_piece(|text, part| text[part.from as usize..part.to as usize].into());
    let rows = [
        LineRow {
            reactions: chips.as_slice().into(),
            ..said("alice", 0, "cake at four", "cake at **four**")
        },
        LineRow {
            answers: true,
            quote_name: "alice".into(),
            quote: "cake at four, for all who helped with the quiz yesterday and the day before".into(),
            ..said("bob", 7, "alice: I bring tea", "alice: I bring *tea*")
        },
        LineRow {
            blocks: [part].as_slice().into(),
            ..said(
                "zoë",
                2,
                code,
                "like this:\\\n`fn main() {`\\\n`\u{A0}\u{A0}\u{A0}\u{A0}println!(\"hello\");`\\\n`}`",
            )
        },
        LineRow { deleted: true, named: false, ..said("eve", 4, &deleted, &deleted) },
        LineRow {
            answers: true,
            quote: app.global::<Words<'_>>().invoke_answers_deleted(),
            ..said("bob", 7, "eve: never mind", "eve: ~~never~~ mind, see [#tea](x)")
        },
        LineRow { large: true, ..said("me", 5, "🎂 🎂", "🎂 🎂") },
    ];
    app.global::<TimelineView<'_>>().set_lines(rows.as_slice().into());
}

/// The menu of a line that the server knows.
fn line_menu(app: &App) {
    talk(app);
    shot(app, app.window().size());
    let position = LogicalPosition::new(app.window().size().width as f32 / 2.0, 90.0);
    click(app, position, PointerEventButton::Right);
}

fn replying(app: &App) {
    talk(app);
    let view = app.global::<ComposerView<'_>>();
    view.set_answering("alice".into());
    view.set_answering_text("cake at four, for all who helped with the quiz yesterday".into());
    view.set_draft("I bring tea".into());
    view.set_sending(app.global::<Words<'_>>().invoke_sending(12));
}

fn emoji(app: &App) {
    emoji_font();
    room(app);
    let view = app.global::<EmojiView<'_>>();
    let few: Vec<EmojiRow> = view.get_found().iter().collect();
    let many: Vec<EmojiRow> = few.iter().cycle().take(90).cloned().collect();
    view.set_found(many.as_slice().into());
    let place = middle(app, |label| label == "Emoji" || label == "表情");
    click(app, place, PointerEventButton::Left);
}

fn candidates(app: &App) {
    room(app);
    let names = ["@alice", "@anna", "@zoë"];
    let rows: Vec<_> =
        names.into_iter().map(|name| CommandHelp { name: name.into(), ..Default::default() }).collect();
    app.global::<ComposerView<'_>>().set_commands(rows.as_slice().into());
    app.global::<ComposerView<'_>>().set_draft("so says @".into());
}

fn code(app: &App) {
    open(app, Panel::Settings);
    shot(app, app.window().size());
    let view = app.global::<SettingsView<'_>>();
    view.set_code("7G3K-Q0ZD-41MB-XW8N-5TFA-9HRC-2VYE".into());
    view.set_other_code("7G3K-Q0ZD".into());
    view.set_other_code_error(app.global::<Words<'_>>().invoke_code_wrong());
    if app.window().size().height < 600 {
        scroll(app, -245.0);
    }
}

fn find_results(app: &App) {
    open(app, Panel::Find);
    let view = app.global::<FindView<'_>>();
    let few: Vec<FoundLine> = view.get_results().iter().collect();
    let many: Vec<FoundLine> = few.iter().cycle().take(50).cloned().collect();
    view.set_results(many.as_slice().into());
    view.set_more(true);
    view.set_chosen(1);
}

fn find_local(app: &App) {
    open(app, Panel::Find);
    app.global::<FindView<'_>>().set_local(true);
}

fn composing(app: &App) {
    app.global::<ComposerView>().set_typing("bob is typing …".into());
    room(app);
    let words = app.global::<Words<'_>>();
    let commands = [
        ("/join", words.invoke_help_join()),
        ("/me", words.invoke_help_me()),
        ("/message", words.invoke_help_message()),
        ("/topic", words.invoke_help_topic()),
    ];
    let commands: Vec<_> = commands
        .into_iter()
        .map(|(name, help)| CommandHelp { name: name.into(), help, ..Default::default() })
        .collect();
    app.global::<ComposerView<'_>>().set_commands(commands.as_slice().into());
    app.global::<ComposerView<'_>>()
        .set_draft("/me writes a text\nof several lines,\nso that the field grows".into());
    app.global::<ComposerView<'_>>().set_paste_question(true);
}

fn save(path: &Path, picture: &Picture) {
    let file = BufWriter::new(File::create(path).expect("a new picture"));
    let mut encoder = png::Encoder::new(file, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().expect("the picture's header");
    writer.write_image_data(picture.as_bytes()).expect("the picture's data");
}

fn load(path: &Path) -> Picture {
    let mut decoder = png::Decoder::new(BufReader::new(File::open(path).expect("a kept picture")));
    // Kept pictures have a palette of 96 colours, to stay small.
    decoder.set_transformations(png::Transformations::ALPHA | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().expect("the picture's header");
    let mut bytes = vec![0; reader.output_buffer_size().expect("a picture that fits")];
    let info = reader.next_frame(&mut bytes).expect("the picture's data");
    Picture::clone_from_slice(&bytes, info.width, info.height)
}

fn differs(before: &Picture, after: &Picture) -> bool {
    if (before.width(), before.height()) != (after.width(), after.height()) {
        return true;
    }
    let strays = before
        .as_bytes()
        .chunks(4)
        .zip(after.as_bytes().chunks(4))
        .filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > TOLERANCE))
        .count();
    strays > before.as_bytes().len() / 4 / STRAYS
}
