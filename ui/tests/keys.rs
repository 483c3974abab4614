//! The window is used with the keyboard alone, and the timeline stays where its reader wants it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use i_slint_backend_testing::{ElementHandle, mock_elapsed_time};
use parlor_ui::slint::platform::{Key, WindowEvent};
use parlor_ui::slint::{
    ComponentHandle, LogicalPosition, Model, ModelRc, PhysicalSize, SharedString, StyledText, VecModel,
};
use parlor_ui::*;

/// What the window told Rust, in order.
type Told = Rc<RefCell<Vec<String>>>;

fn window(screen: Screen) -> App {
    i_slint_backend_testing::init_no_event_loop();
    let app = App::new().expect("a window");
    app.global::<Shell<'_>>().set_screen(screen);
    app.show().expect("the window shows");
    app.window().set_size(PhysicalSize::new(1000, 700));
    settle();
    app
}

fn settle() {
    for _ in 0..10 {
        mock_elapsed_time(Duration::from_millis(100));
    }
}

fn press(app: &App, keys: &[SharedString]) {
    for key in keys {
        app.window().dispatch_event(WindowEvent::KeyPressed { text: key.clone() });
    }
    for key in keys.iter().rev() {
        app.window().dispatch_event(WindowEvent::KeyReleased { text: key.clone() });
    }
    settle();
}

fn write(app: &App, text: &str) {
    for letter in text.chars() {
        press(app, &[letter.into()]);
    }
}

#[test]
fn enter_sends_and_shift_enter_makes_a_line() {
    let app = window(Screen::Room);
    let told = Told::default();
    let (here, weak) = (told.clone(), app.as_weak());
    app.global::<ComposerView<'_>>().on_send(move || {
        let app = weak.unwrap();
        here.borrow_mut().push(app.global::<ComposerView<'_>>().get_draft().into());
        app.global::<ComposerView<'_>>().set_draft("".into());
    });
    write(&app, "hi");
    press(&app, &[Key::Shift.into(), Key::Return.into()]);
    write(&app, "there");
    press(&app, &[Key::Return.into()]);
    write(&app, "again");
    press(&app, &[Key::Return.into()]);
    assert_eq!(*told.borrow(), ["hi\nthere", "again"]);
    assert_eq!(app.global::<ComposerView<'_>>().get_draft(), "");
}

#[test]
fn tab_completes_and_up_takes_back() {
    let app = window(Screen::Room);
    app.global::<ComposerView<'_>>().on_complete(|text, cursor, backward| {
        assert_eq!((text.as_str(), cursor, backward), ("al", 2, false));
        Completion { text: "alice: ".into(), cursor: 7 }
    });
    app.global::<ComposerView<'_>>().on_previous_sent(|| "the last one".into());
    press(&app, &[Key::UpArrow.into()]);
    assert_eq!(app.global::<ComposerView<'_>>().get_draft(), "the last one");
    app.global::<ComposerView<'_>>().set_draft("".into());
    write(&app, "al");
    press(&app, &[Key::Tab.into()]);
    write(&app, "hello");
    assert_eq!(app.global::<ComposerView<'_>>().get_draft(), "alice: hello");
}

#[test]
fn tab_stays_with_a_text() {
    let app = window(Screen::Room);
    let view = app.global::<ComposerView<'_>>();
    view.on_send(|| panic!("half a text is sent"));
    for text in ["xyz", " ", "a b", "小"] {
        write(&app, text);
        for keys in [vec![Key::Tab.into()], vec![Key::Shift.into(), Key::Backtab.into()]] {
            press(&app, &keys);
            press(&app, &[Key::Space.into()]);
            write(&app, ".");
        }
        assert_eq!(view.get_draft(), format!("{text} . ."));
        view.set_draft("".into());
    }
}

#[test]
fn the_chosen_command_is_in_view_and_enter_completes_it() {
    let app = window(Screen::Room);
    let view = app.global::<ComposerView<'_>>();
    let told = Told::default();
    let here = told.clone();
    view.on_pick_command(move |index| here.borrow_mut().push(format!("pick {index}")));
    let here = told.clone();
    view.on_send(move || here.borrow_mut().push("send".into()));
    let rows: Vec<CommandHelp> = (0..20)
        .map(|n| CommandHelp { name: format!("/c{n}").into(), help: "helps".into(), ..Default::default() })
        .collect();
    view.set_commands(rows.as_slice().into());
    write(&app, "/");
    for n in 1..=20 {
        press(&app, &[Key::DownArrow.into()]);
        frame(&app);
        let chosen = format!("/c{}, helps", n % 20);
        let row = ElementHandle::find_by_accessible_label(&app, &chosen).next().expect("it is in the list");
        let y = row.absolute_position().y;
        assert!((400.0..640.0).contains(&y), "{chosen} is at {y}");
    }
    press(&app, &[Key::UpArrow.into()]);
    press(&app, &[Key::Return.into()]);
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Escape.into()]);
    assert_eq!(view.get_draft(), "/", "Escape keeps the text");
    press(&app, &[Key::Return.into()]);
    assert_eq!(*told.borrow(), ["pick 19", "pick 19", "send"]);
}

#[test]
fn a_key_that_nobody_wants_is_for_the_composer() {
    let app = window(Screen::Room);
    let view = app.global::<ComposerView<'_>>();
    view.on_is_for_text(|key, control, other| !control && !other && key.chars().all(|c| !c.is_control()));
    let weak = app.as_weak();
    view.on_again(move |text| weak.unwrap().window().dispatch_event(WindowEvent::KeyPressed { text }));
    // Wherever Tab leads, a letter leads back.
    for stops in 1..12 {
        for _ in 0..stops {
            press(&app, &[Key::Tab.into()]);
        }
        write(&app, "ok");
        assert_eq!(view.get_draft(), "ok", "after {stops} times Tab");
        view.set_draft("".into());
    }
    press(&app, &[Key::F6.into()]);
    press(&app, &[Key::UpArrow.into()]);
    assert!(app.global::<TimelineView<'_>>().get_marked_from() >= 0);
    press(&app, &[Key::Escape.into()]);
    write(&app, "so");
    assert_eq!(view.get_draft(), "so");
}

#[test]
fn keys_open_and_escape_closes() {
    let app = window(Screen::Room);
    let shell = app.global::<Shell<'_>>();
    let told = Told::default();
    let here = told.clone();
    app.global::<RoomsView<'_>>().on_next_room(move || here.borrow_mut().push("next".into()));
    let here = told.clone();
    app.global::<RoomsView<'_>>().on_next_unread(move || here.borrow_mut().push("unread".into()));
    let here = told.clone();
    shell.on_opened(move |panel| {
        if panel == Panel::Browse {
            here.borrow_mut().push("browse".into());
        }
    });
    for (keys, panel) in [
        (vec![Key::Control.into(), "f".into()], Panel::Find),
        (vec![Key::Control.into(), "k".into()], Panel::Switcher),
        (vec![Key::Control.into(), "j".into()], Panel::Browse),
        (vec![Key::Control.into(), ",".into()], Panel::Settings),
        (vec![Key::F1.into()], Panel::Keys),
    ] {
        press(&app, &keys);
        assert_eq!(shell.get_panel(), panel);
        press(&app, &[Key::Escape.into()]);
        assert_eq!(shell.get_panel(), Panel::None);
    }
    press(&app, &[Key::Alt.into(), Key::DownArrow.into()]);
    press(&app, &[Key::Alt.into(), Key::Shift.into(), Key::DownArrow.into()]);
    assert_eq!(*told.borrow(), ["browse", "next", "unread"]);
    // The keyboard is back where lines are written.
    write(&app, "ok");
    assert_eq!(app.global::<ComposerView<'_>>().get_draft(), "ok");
}

#[test]
fn the_card_is_filled_in_without_a_mouse() {
    let app = window(Screen::Connect);
    app.global::<NearbyView<'_>>().set_search(Search::Off);
    let view = app.global::<ConnectView<'_>>();
    view.set_name("".into());
    view.set_room("#".into());
    let told = Told::default();
    let here = told.clone();
    view.on_join(move || here.borrow_mut().push("join".into()));
    let here = told.clone();
    view.on_open_host(move || here.borrow_mut().push("host".into()));
    write(&app, "anna");
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::End.into()]);
    write(&app, "music");
    press(&app, &[Key::Return.into()]);
    assert_eq!((view.get_name().as_str(), view.get_room().as_str()), ("anna", "#music"));
    // Past what few need.
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Space.into()]);
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Return.into()]);
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Space.into()]);
    assert_eq!(*told.borrow(), ["join", "join", "host"]);
    assert!(view.get_join_at_start());
}

#[test]
fn rooms_on_the_network_are_joined_without_a_mouse_or_an_address() {
    let app = window(Screen::Connect);
    let (card, view) = (app.global::<ConnectView<'_>>(), app.global::<NearbyView<'_>>());
    card.set_name("".into());
    let told = Told::default();
    let here = told.clone();
    view.on_join(move |index| here.borrow_mut().push(format!("room {index}")));
    let here = told.clone();
    card.on_join(move || here.borrow_mut().push("join".into()));
    let here = told.clone();
    card.on_open_host(move || here.borrow_mut().push("host".into()));
    // Of two rooms nobody guesses which; the second one is two steps behind the name.
    write(&app, "anna");
    press(&app, &[Key::Return.into()]);
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Return.into()]);
    assert_eq!(told.take(), ["room 1"]);
    // Back at the name: one room is joined, and where there is none, one is hosted.
    press(&app, &[Key::Shift.into(), Key::Backtab.into()]);
    press(&app, &[Key::Shift.into(), Key::Backtab.into()]);
    let one: Vec<NearbyRoom> = view.get_rooms().iter().take(1).collect();
    view.set_rooms(one.as_slice().into());
    settle();
    press(&app, &[Key::Return.into()]);
    assert_eq!(told.take(), ["room 0"]);
    view.set_rooms(ModelRc::default());
    view.set_search(Search::None);
    settle();
    press(&app, &[Key::Return.into()]);
    assert_eq!(told.take(), ["host"]);
    // The address stays a step away, and then Enter is for that.
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Space.into()]);
    assert!(view.get_typing());
    write(&app, "10.0.0.1");
    press(&app, &[Key::Return.into()]);
    assert_eq!((told.take(), card.get_address().as_str()), (vec!["join".to_owned()], "10.0.0.1"));
}

#[test]
fn pages_give_the_keyboard_back() {
    let app = window(Screen::Connect);
    let shell = app.global::<Shell<'_>>();
    for _ in 0..2 {
        press(&app, &[Key::Control.into(), ",".into()]);
        assert_eq!(shell.get_panel(), Panel::Settings);
        // Back, name, join at start.
        press(&app, &[Key::Tab.into()]);
        press(&app, &[Key::Tab.into()]);
        press(&app, &[Key::Space.into()]);
        press(&app, &[Key::Escape.into()]);
        assert_eq!(shell.get_panel(), Panel::None);
    }
    assert!(!app.global::<SettingsView<'_>>().get_join_at_start(), "switched on, and off again");
    press(&app, &[Key::Control.into(), ",".into()]);
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Space.into()]);
    assert!(app.global::<SettingsView<'_>>().get_join_at_start());
}

#[test]
fn everything_is_labelled() {
    for screen in [Screen::Connect, Screen::Host, Screen::Room] {
        let app = window_again(screen);
        for panel in [
            Panel::None,
            Panel::Find,
            Panel::Browse,
            Panel::Ignored,
            Panel::Guests,
            Panel::Switcher,
            Panel::Settings,
        ] {
            app.global::<Shell<'_>>().invoke_open(panel);
            settle();
            let mut nameless = 0;
            for element in controls(&app) {
                if element.accessible_label().unwrap_or_default().is_empty() {
                    nameless += 1;
                }
            }
            assert_eq!(nameless, 0, "on {screen:?} with {panel:?}");
        }
    }
}

fn controls(app: &App) -> Vec<ElementHandle> {
    use i_slint_backend_testing::AccessibleRole as Role;
    let roles =
        [Role::Button, Role::TextInput, Role::Switch, Role::RadioButton, Role::List, Role::RadioGroup];
    let mut found = Vec::new();
    for role in roles {
        found.extend(
            i_slint_backend_testing::ElementQuery::from_root(app).match_accessible_role(role).find_all(),
        );
    }
    assert!(found.len() > 3, "controls are found: {}", found.len());
    found
}

/// A second window of one thread: the backend is there already.
fn window_again(screen: Screen) -> App {
    if screen == Screen::Connect {
        return window(screen);
    }
    let app = App::new().expect("a window");
    app.global::<Shell<'_>>().set_screen(screen);
    app.show().expect("the window shows");
    app.window().set_size(PhysicalSize::new(1000, 700));
    settle();
    app
}

#[test]
fn the_timeline_stays_at_the_bottom_only_when_it_was_there() {
    let app = window(Screen::Room);
    let lines = Rc::new(VecModel::<LineRow>::default());
    app.global::<TimelineView<'_>>().set_lines(ModelRc::from(lines.clone()));
    for n in 0..500 {
        lines.push(line(n));
        if n % 25 == 0 {
            frame(&app);
        }
    }
    frame(&app);
    settle();
    assert!(app.global::<TimelineView<'_>>().get_stick());
    assert!(shown(&app, 499), "the newest line is in view");

    for _ in 0..3 {
        press(&app, &[Key::PageUp.into()]);
        frame(&app);
    }
    assert!(!app.global::<TimelineView<'_>>().get_stick(), "reading back lets go");
    let place = first_shown(&app);
    for n in 500..700 {
        lines.push(line(n));
    }
    frame(&app);
    settle();
    assert!(!app.global::<TimelineView<'_>>().get_stick());
    assert_eq!(first_shown(&app), place, "new lines below move nothing");

    app.global::<TimelineView<'_>>().set_stick(true);
    frame(&app);
    settle();
    frame(&app);
    assert!(shown(&app, lines.row_count() - 1), "the jump button leads to the newest line");
}

/// Opens other lines where reading stopped, as the window does.
fn open_at(app: &App, lines: ModelRc<LineRow>, row: i32) {
    let view = app.global::<TimelineView<'_>>();
    view.set_lines(lines);
    view.set_eye(-1);
    view.set_hold(-1);
    view.set_reveal(-1);
    view.set_stick(false);
    view.set_reveal(row);
    frame(app);
    settle();
    frame(app);
}

#[test]
fn what_opens_where_reading_stopped_is_at_its_end_if_that_is_in_view() {
    let app = window(Screen::Room);
    let few = |first: usize| ModelRc::new(VecModel::from_iter((first..first + 3).map(line)));
    let many = ModelRc::new(VecModel::from_iter((0..300).map(line)));
    for (row, before) in
        [(0, None), (1, None), (2, Some(few(10))), (0, Some(many.clone())), (1, Some(many.clone()))]
    {
        if let Some(before) = before {
            app.global::<TimelineView<'_>>().set_lines(before);
            app.global::<TimelineView<'_>>().set_stick(true);
            frame(&app);
            settle();
            frame(&app);
        }
        open_at(&app, few(20), row);
        assert!(app.global::<TimelineView<'_>>().get_stick(), "row {row} of three");
        assert!(shown(&app, 20) && shown(&app, 22));
    }
    open_at(&app, many, 100);
    assert!(!app.global::<TimelineView<'_>>().get_stick());
    assert!(shown(&app, 100));
}

#[test]
fn every_line_passes_the_view_however_fast_pages_are_turned() {
    let app = window(Screen::Room);
    let lines: Vec<LineRow> = (0..600)
        .map(|n| {
            let long = if n % 17 == 3 { " and on".repeat(200) } else { String::new() };
            LineRow {
                plain: format!("line {n}{long}").into(),
                text: StyledText::from_plain_text(&format!("line {n}{long}")),
                ..line(n)
            }
        })
        .collect();
    app.global::<TimelineView<'_>>().set_lines(lines.as_slice().into());
    frame(&app);
    let mut seen: std::collections::BTreeSet<usize> = labels(&app).into_iter().collect();
    assert!(seen.contains(&599), "{seen:?}");
    for _ in 0..45 {
        // Three pages between two frames, which are 20 ms apart.
        for _ in 0..3 {
            let key: SharedString = Key::PageUp.into();
            app.window().dispatch_event(WindowEvent::KeyPressed { text: key.clone() });
            app.window().dispatch_event(WindowEvent::KeyReleased { text: key });
        }
        for _ in 0..4 {
            seen.extend(labels(&app));
            mock_elapsed_time(Duration::from_millis(20));
        }
        seen.extend(labels(&app));
    }
    let unseen: Vec<usize> = (0..600).filter(|n| !seen.contains(n)).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
    assert_eq!(first_shown(&app), Some(0));
}

/// Where a row stands on the screen.
fn place(app: &App, n: usize) -> Option<i32> {
    let named = format!(": line {n}");
    let is =
        |label: &str| label.split_once(&named).is_some_and(|(_, rest)| !rest.starts_with(char::is_numeric));
    i_slint_backend_testing::ElementQuery::from_root(app)
        .match_accessible_role(i_slint_backend_testing::AccessibleRole::ListItem)
        .find_all()
        .into_iter()
        .find(|row| row.accessible_label().is_some_and(|label| is(&label)))
        .map(|row| row.absolute_position().y.round() as i32)
}

/// The number of the line in the middle of the screen.
fn under_eye(app: &App, lines: &VecModel<LineRow>) -> usize {
    let row = lines.row_data(app.global::<TimelineView<'_>>().get_eye() as usize).expect("a row");
    row.plain.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a line")
}

/// A page goes in, and Rust says which row the eye was on, as the bridge does.
fn insert(app: &App, lines: &VecModel<LineRow>, at: usize, page: &[usize]) {
    let (eye, eye_at) =
        (app.global::<TimelineView<'_>>().get_eye(), app.global::<TimelineView<'_>>().get_eye_at());
    for (i, n) in page.iter().enumerate() {
        lines.insert(at + i, line(*n));
    }
    if eye < at as i32 {
        return;
    }
    app.global::<TimelineView<'_>>().set_eye(eye + page.len() as i32);
    if !app.global::<TimelineView<'_>>().get_stick() {
        app.global::<TimelineView<'_>>().set_hold_at(eye_at);
        app.global::<TimelineView<'_>>().set_hold(eye + page.len() as i32);
    }
}

#[test]
fn what_is_read_stays_where_it_is_while_pages_come_in_above() {
    let app = window(Screen::Room);
    let lines = Rc::new(VecModel::<LineRow>::default());
    lines.push(LineRow { kind: LineKind::Top, state: LineState::Pending, ..LineRow::default() });
    (1000..1050).for_each(|n| lines.push(line(n)));
    app.global::<TimelineView<'_>>().set_lines(ModelRc::from(lines.clone()));
    frame(&app);
    settle();
    // Pinned to the bottom, a page above moves nothing.
    insert(&app, &lines, 1, &(950..1000).collect::<Vec<_>>());
    frame(&app);
    assert!(app.global::<TimelineView<'_>>().get_stick() && shown(&app, 1049));

    // With the very top in view, and in the middle.
    app.global::<TimelineView<'_>>().set_marked_from(0);
    for (up, first) in [(20, 900), (2, 850), (5, 800), (20, 750)] {
        for _ in 0..up {
            press(&app, &[Key::PageUp.into()]);
            frame(&app);
        }
        assert!(!app.global::<TimelineView<'_>>().get_stick());
        let (eye, n) = (app.global::<TimelineView<'_>>().get_eye(), under_eye(&app, &lines));
        let before = place(&app, n).expect("it is on the screen");
        insert(&app, &lines, 1, &(first..first + 50).collect::<Vec<_>>());
        frame(&app);
        assert_eq!(place(&app, n), Some(before), "line {n} after {up} pages up");
        settle();
        frame(&app);
        assert_eq!(place(&app, n), Some(before), "line {n} later");
        assert_eq!(app.global::<TimelineView<'_>>().get_eye(), eye + 50);
    }
    assert!(!shown(&app, 750));

    // A gap in the view is filled below itself: who reads below it sees nothing move.
    let n = under_eye(&app, &lines);
    let before = place(&app, n);
    insert(&app, &lines, app.global::<TimelineView<'_>>().get_eye() as usize - 2, &[5000, 5001, 5002]);
    frame(&app);
    assert_eq!((place(&app, n), before.is_some()), (before, true));
}

#[test]
fn a_step_up_and_a_page_that_comes_in_above_at_once_are_both_made() {
    let app = window(Screen::Room);
    let lines = Rc::new(VecModel::<LineRow>::default());
    lines.push(LineRow { kind: LineKind::Top, state: LineState::Pending, ..LineRow::default() });
    (10_000..10_100).for_each(|n| lines.push(line(n)));
    app.global::<TimelineView<'_>>().set_lines(ModelRc::from(lines.clone()));
    frame(&app);
    let page_up = || {
        let text: SharedString = Key::PageUp.into();
        app.window().dispatch_event(WindowEvent::KeyPressed { text: text.clone() });
        app.window().dispatch_event(WindowEvent::KeyReleased { text });
    };
    let notch = || {
        let position = LogicalPosition::new(500.0, 300.0);
        app.window().dispatch_event(WindowEvent::PointerScrolled { position, delta_x: 0.0, delta_y: 60.0 });
    };
    let mut oldest = 10_000;
    let mut stride = None;
    for round in 0..40 {
        let n = first_shown(&app).expect("a line");
        let before = place(&app, n).expect("it is on the screen");
        let step: &dyn Fn() = if round % 2 == 0 { &notch } else { &page_up };
        step();
        // Near the top and far from it; before the step is laid out.
        if round > 3 && round % 4 != 3 {
            oldest -= 20;
            insert(&app, &lines, 1, &(oldest..oldest + 20).collect::<Vec<_>>());
        }
        frame(&app);
        let Some(after) = place(&app, n) else {
            let stride = stride.expect("measured before");
            assert!(round % 2 == 1 && before + stride > 630, "line {n} left {before}, round {round}");
            continue;
        };
        let expected = if round % 2 == 0 { 60 } else { *stride.get_or_insert(after - before) };
        assert_eq!(after - before, expected, "line {n}, round {round}");
    }
    // The end is left and found again, and what comes meanwhile moves nothing.
    press(&app, &[Key::F6.into()]);
    press(&app, &[Key::End.into()]);
    frame(&app);
    assert!(app.global::<TimelineView<'_>>().get_stick() && shown(&app, 10_099));
    let before = place(&app, 10_090).expect("near the end");
    insert(&app, &lines, 1, &(0..50).collect::<Vec<_>>());
    frame(&app);
    assert_eq!(place(&app, 10_090), Some(before));
    notch();
    insert(&app, &lines, 1, &(50..100).collect::<Vec<_>>());
    frame(&app);
    assert_eq!(place(&app, 10_090), Some(before + 60));
    press(&app, &[Key::Home.into()]);
    frame(&app);
    assert_eq!(place(&app, 50).map(|y| y < 120), Some(true), "the first line is at the top");
}

#[test]
fn what_is_missing_near_the_screen_is_asked_for() {
    let app = window(Screen::Room);
    let lines: Vec<LineRow> = (0..400).map(line).collect();
    app.global::<TimelineView<'_>>().set_lines(lines.as_slice().into());
    let asked = Rc::new(RefCell::new((0, 0)));
    let here = asked.clone();
    app.global::<TimelineView<'_>>().on_looked_at(move |first, count| *here.borrow_mut() = (first, count));
    frame(&app);
    press(&app, &[Key::PageUp.into()]);
    frame(&app);
    assert_eq!(*asked.borrow(), (0, 0), "nothing is missing");
    app.global::<TimelineView<'_>>().set_has_gaps(true);
    press(&app, &[Key::PageUp.into()]);
    frame(&app);
    let (first, count) = *asked.borrow();
    let seen = labels(&app);
    let (top, bottom) = (seen[0] as i32, seen[seen.len() - 1] as i32);
    assert!((first - top).abs() <= 2 && (first + count - bottom).abs() <= 4, "{first} {count} {seen:?}");
}

#[test]
fn a_rows_menu_opens_by_key() {
    let app = window(Screen::Room);
    let lines: Vec<LineRow> = (0..12).map(line).collect();
    app.global::<TimelineView<'_>>().set_lines(lines.as_slice().into());
    frame(&app);
    // As the program answers it.
    app.global::<MenuView<'_>>().on_next(|entries, from, _| {
        let shown = |at: &i32| entries.row_data(*at as usize).is_some_and(|entry| !entry.hidden);
        (from + 1..entries.row_count() as i32).find(shown).unwrap_or(-1)
    });
    let told = Told::default();
    let here = told.clone();
    app.global::<TimelineView<'_>>()
        .on_copy_line(move |row, _| here.borrow_mut().push(format!("copy {row}")));
    let here = told.clone();
    app.global::<PeopleView<'_>>()
        .on_mention_person(move |name| here.borrow_mut().push(format!("mention {name}")));
    let here = told.clone();
    app.global::<RoomsView<'_>>().on_close_room(move |row| here.borrow_mut().push(format!("close {row}")));
    let here = told.clone();
    app.global::<RoomsView<'_>>().on_notify_room(move |row, notify| {
        assert_eq!(notify, RoomNotify::Muted);
        here.borrow_mut().push(format!("mute {row}"));
    });
    // From the composer to the timeline, and up to its last row but one.
    press(&app, &[Key::Shift.into(), Key::Backtab.into()]);
    press(&app, &[Key::UpArrow.into()]);
    press(&app, &[Key::UpArrow.into()]);
    assert_eq!(app.global::<TimelineView<'_>>().get_marked_from(), 10);
    for (keys, down) in [(vec![Key::Menu.into()], 1), (vec![Key::Shift.into(), Key::F10.into()], 3)] {
        press(&app, &keys);
        for _ in 0..down {
            press(&app, &[Key::DownArrow.into()]);
        }
        press(&app, &[Key::Return.into()]);
    }
    assert_eq!(*told.borrow(), ["copy 10", "mention bob"]);
    // Escape closes it without a choice, and the keys are the timeline's again.
    press(&app, &[Key::Menu.into()]);
    press(&app, &[Key::Escape.into()]);
    press(&app, &[Key::UpArrow.into()]);
    assert_eq!((app.global::<TimelineView<'_>>().get_marked_from(), told.borrow().len()), (9, 2));

    // A room of the list: backwards past the header's buttons and what is at the list's foot.
    app.global::<RoomView<'_>>().set_can_edit(false);
    for _ in 0..7 {
        press(&app, &[Key::Shift.into(), Key::Backtab.into()]);
    }
    for down in [1, 2] {
        press(&app, &[Key::Menu.into()]);
        for _ in 0..down {
            press(&app, &[Key::DownArrow.into()]);
        }
        press(&app, &[Key::Return.into()]);
    }
    assert_eq!(told.borrow()[2..], ["mute 4", "close 4"]);
}

#[test]
fn escape_leads_from_the_card_back_to_the_rooms() {
    let app = window(Screen::Connect);
    let view = app.global::<ConnectView<'_>>();
    let told = Told::default();
    let here = told.clone();
    view.on_return_to_rooms(move || here.borrow_mut().push("back".into()));
    press(&app, &[Key::Escape.into()]);
    assert!(told.borrow().is_empty(), "there are none");
    view.set_elsewhere(true);
    app.global::<Shell<'_>>().invoke_open(Panel::Keys);
    press(&app, &[Key::Escape.into()]);
    assert!(told.borrow().is_empty(), "what lies over it first");
    press(&app, &[Key::Escape.into()]);
    assert_eq!(*told.borrow(), ["back"]);
}

#[test]
fn what_a_room_tells_of_is_chosen_in_its_menu_and_so_is_a_transcript() {
    let app = window(Screen::Room);
    let view = app.global::<RoomView<'_>>();
    let told = Told::default();
    let here = told.clone();
    view.on_notify_here(move |notify| here.borrow_mut().push(format!("{notify:?}")));
    let here = told.clone();
    view.on_save_transcript(move |json| here.borrow_mut().push(format!("json: {json}")));
    app.global::<SettingsView<'_>>().set_notify(NotifyChoice::Private);
    for (entry, choices) in [
        ("Notifications …", ["Every line", "Mentions and private lines, ✓", "Nothing: mute"].as_slice()),
        ("Save the transcript …", ["As text", "As JSON, one line each"].as_slice()),
    ] {
        for choice in choices {
            for label in ["Room menu", entry, *choice] {
                let found = ElementHandle::find_by_accessible_label(&app, label).next();
                found.unwrap_or_else(|| panic!("{label}")).invoke_accessible_default_action();
                frame(&app);
            }
        }
    }
    assert_eq!(*told.borrow(), ["All", "Usual", "Muted", "json: false", "json: true"]);
}

#[test]
fn the_heading_of_a_server_has_a_menu() {
    let app = window(Screen::Room);
    let view = app.global::<RoomsView<'_>>();
    let heading = |place: &str, status, hosted| RoomRow {
        place: place.into(),
        name: place.into(),
        heading: true,
        status,
        hosted,
        ..RoomRow::default()
    };
    let rows = [
        heading("one", StatusKind::Connected, false),
        heading("two", StatusKind::Offline, false),
        heading("three", StatusKind::Hosting, true),
    ];
    view.set_rooms(rows.as_slice().into());
    app.global::<MenuView<'_>>().on_next(|entries, from, _| {
        let shown = |at: &i32| entries.row_data(*at as usize).is_some_and(|entry| !entry.hidden);
        (from + 1..entries.row_count() as i32).find(shown).unwrap_or(-1)
    });
    let told = Told::default();
    macro_rules! tells {
        ($($callback:ident $what:literal),*) => {$(
            let here = told.clone();
            view.$callback(move |row| here.borrow_mut().push(format!("{} {row}", $what)));
        )*};
    }
    tells!(on_reconnect "reconnect", on_disconnect "disconnect", on_show_server "show", on_close_place "close", on_forget_place "forget");
    settle();
    for (row, downs) in [("one", vec![1, 2, 3, 4]), ("two", vec![1, 2, 3, 4]), ("three", vec![1, 2])] {
        for down in downs {
            let label = format!("Server {row}, ");
            let heading = ElementHandle::find_by_accessible_label(&app, &label).next().expect("the heading");
            heading.invoke_accessible_default_action();
            settle();
            for _ in 0..down {
                press(&app, &[Key::DownArrow.into()]);
            }
            press(&app, &[Key::Return.into()]);
        }
    }
    assert_eq!(
        *told.borrow(),
        [
            "disconnect 0",
            "show 0",
            "close 0",
            "forget 0",
            "reconnect 1",
            "show 1",
            "close 1",
            "forget 1",
            "disconnect 2",
            "show 2",
        ],
        "what is hosted is stopped, not closed"
    );
}

#[test]
fn a_cursor_that_rests_keeps_the_keyboard() {
    let app = window(Screen::Room);
    let shell = app.global::<Shell<'_>>();
    write(&app, "one");
    for text in ["two", "three"] {
        shell.set_resting(true);
        app.window().dispatch_event(WindowEvent::WindowActiveChanged(false));
        settle();
        app.window().dispatch_event(WindowEvent::WindowActiveChanged(true));
        shell.set_resting(false);
        write(&app, text);
    }
    assert_eq!(app.global::<ComposerView<'_>>().get_draft(), "onetwothree");
}

#[test]
fn found_lines_are_chosen_and_gone_to_by_keys() {
    let app = window(Screen::Room);
    let find = app.global::<FindView<'_>>();
    let told = Told::default();
    let here = told.clone();
    find.on_search(move || here.borrow_mut().push("search".into()));
    let here = told.clone();
    find.on_go(move |index| here.borrow_mut().push(format!("go {index}")));
    let here = told.clone();
    find.on_older(move || here.borrow_mut().push("older".into()));
    let few: Vec<FoundLine> = find.get_results().iter().collect();
    find.set_results(ModelRc::default());
    find.set_done(false);
    press(&app, &[Key::Control.into(), "f".into()]);
    write(&app, "tea");
    press(&app, &[Key::Return.into()]);
    assert_eq!(*told.borrow(), ["search"]);
    let rows = Rc::new(VecModel::from(few.iter().cycle().take(50).cloned().collect::<Vec<_>>()));
    find.set_results(ModelRc::from(rows.clone()));
    find.set_done(true);
    frame(&app);
    press(&app, &[Key::Return.into()]);
    press(&app, &[Key::DownArrow.into()]);
    press(&app, &[Key::DownArrow.into()]);
    press(&app, &[Key::Return.into()]);
    assert_eq!(*told.borrow(), ["search", "go 0", "go 1"]);
    // The end of the list is reached: the next page is wanted.
    for _ in 0..60 {
        press(&app, &[Key::DownArrow.into()]);
        frame(&app);
    }
    assert_eq!(find.get_chosen(), 49);
    assert_eq!(told.borrow().last().map(String::as_str), Some("older"));
    write(&app, "pot");
    press(&app, &[Key::Return.into()]);
    assert_eq!(told.borrow().last().map(String::as_str), Some("search"), "another text is looked for anew");
}

/// Lays out once, as a frame on the screen does.
fn frame(app: &App) {
    let _size = labels(app);
    settle();
}

fn line(n: usize) -> LineRow {
    let text = format!("line {n}{}", " and some more words".repeat(n % 7));
    LineRow {
        kind: LineKind::Message,
        heading: n.is_multiple_of(5),
        name: "bob".into(),
        time: "09:12".into(),
        text: StyledText::from_plain_text(&text),
        plain: text.into(),
        ..Default::default()
    }
}

/// Rows whose top is inside the timeline, by number.
fn labels(app: &App) -> Vec<usize> {
    let mut rows: Vec<_> = i_slint_backend_testing::ElementQuery::from_root(app)
        .match_accessible_role(i_slint_backend_testing::AccessibleRole::ListItem)
        .find_all()
        .into_iter()
        .filter(|row| (48.0..640.0).contains(&row.absolute_position().y))
        .filter_map(|row| row.accessible_label())
        .filter_map(|label| label.split_once(": line ")?.1.split(' ').next()?.parse().ok())
        .collect();
    rows.sort_unstable();
    rows
}

fn shown(app: &App, n: usize) -> bool {
    labels(app).contains(&n)
}

fn first_shown(app: &App) -> Option<usize> {
    labels(app).first().copied()
}

#[test]
fn a_password_is_hidden_and_takes_the_keyboard_when_it_is_wrong() {
    let app = window(Screen::Connect);
    app.global::<NearbyView<'_>>().set_search(Search::Off);
    let view = app.global::<ConnectView<'_>>();
    view.set_bookmarks(ModelRc::default());
    let told = Told::default();
    let (here, weak) = (told.clone(), app.as_weak());
    view.on_join(move || {
        let app = weak.unwrap();
        let view = app.global::<ConnectView<'_>>();
        here.borrow_mut().push(view.get_password().into());
        view.set_busy(true);
    });
    // Name, address, room, and the link: what it shows has the keyboard.
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Space.into()]);
    frame(&app);
    assert!(view.get_signs_in());
    write(&app, "wrong");
    let label = "Password or recovery code of this name";
    let value = |app: &App| {
        let mut found = ElementHandle::find_by_accessible_label(app, label);
        found.find_map(|field| field.accessible_value()).expect("a field")
    };
    assert_eq!(view.get_password(), "wrong");
    assert_eq!(value(&app), "", "nobody reads it aloud");
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Space.into()]);
    assert_eq!(value(&app), "wrong", "its eye is open");
    press(&app, &[Key::Shift.into(), Key::Backtab.into()]);
    press(&app, &[Key::Return.into()]);
    // The answer: what was typed is selected, so the next word replaces it.
    view.set_password_error("no".into());
    view.set_busy(false);
    settle();
    frame(&app);
    write(&app, "right");
    assert_eq!(view.get_password_error(), "", "editing takes the complaint away");
    press(&app, &[Key::Return.into()]);
    assert_eq!(*told.borrow(), ["wrong", "right"]);
}

#[test]
fn an_error_shows_its_field() {
    let app = window(Screen::Connect);
    let view = app.global::<ConnectView<'_>>();
    app.window().set_size(PhysicalSize::new(360, 480));
    frame(&app);
    view.set_certificate_error("no".into());
    settle();
    frame(&app);
    assert!(view.get_signs_in());
    let mut shown = ElementHandle::find_by_accessible_label(&app, "Certificate file (PEM)");
    let y = shown.next().expect("the field").absolute_position().y;
    assert!((0.0..440.0).contains(&y), "it is at {y}");
    view.set_server_password_error("no".into());
    settle();
    write(&app, "hidden");
    assert_eq!((view.get_server_password().as_str(), view.get_name().as_str()), ("hidden", "alice"));
}

#[test]
fn the_key_is_copied_by_key() {
    let app = window(Screen::Room);
    app.global::<HostView<'_>>().set_running(true);
    frame(&app);
    app.global::<MenuView<'_>>().on_next(|entries, from, _| {
        let free = |at: &i32| entries.row_data(*at as usize).is_some_and(|entry| !entry.hidden && !entry.off);
        (from + 1..entries.row_count() as i32).find(free).unwrap_or(-1)
    });
    let told = Told::default();
    let (here, weak) = (told.clone(), app.as_weak());
    app.global::<HostView<'_>>().on_copy_address(move |text| {
        weak.unwrap().global::<HostView<'_>>().set_copied(text.clone());
        here.borrow_mut().push(text.into());
    });
    let key = ElementHandle::find_by_accessible_label(&app, "This server's key, for other programs");
    key.into_iter().next().expect("the bar has it").invoke_accessible_default_action();
    settle();
    press(&app, &[Key::DownArrow.into()]);
    press(&app, &[Key::DownArrow.into()]);
    press(&app, &[Key::Return.into()]);
    frame(&app);
    let second = app.global::<HostView<'_>>().get_keys().row_data(1).expect("a second program").text;
    assert_eq!(*told.borrow(), [second.as_str()]);
    assert!(ElementHandle::find_by_accessible_label(&app, "Copied").next().is_some());
}

#[test]
fn the_recovery_code_is_shown_when_asked_for() {
    let app = window(Screen::Room);
    let view = app.global::<SettingsView<'_>>();
    let told = Told::default();
    let here = told.clone();
    let weak = app.as_weak();
    view.on_show_code(move || weak.unwrap().global::<SettingsView<'_>>().set_code("7G3K-AAAA".into()));
    let weak = app.as_weak();
    view.on_hide_code(move || weak.unwrap().global::<SettingsView<'_>>().set_code("".into()));
    view.on_copy_code(move || here.borrow_mut().push("copy".into()));
    let here = told.clone();
    view.on_use_code(move || here.borrow_mut().push("use".into()));
    view.set_code("from before".into());
    app.global::<Shell<'_>>().invoke_open(Panel::Settings);
    settle();
    frame(&app);
    assert_eq!(view.get_code(), "", "the page opens without it");
    let show = ElementHandle::find_by_accessible_label(&app, "Show recovery code").next().expect("a button");
    show.invoke_accessible_default_action();
    settle();
    frame(&app);
    // The keyboard is on Copy, then on Hide, then on the button again.
    press(&app, &[Key::Space.into()]);
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Space.into()]);
    frame(&app);
    assert_eq!(view.get_code(), "");
    press(&app, &[Key::Space.into()]);
    assert_eq!(view.get_code(), "7G3K-AAAA");
    press(&app, &[Key::Tab.into()]);
    press(&app, &[Key::Tab.into()]);
    write(&app, "x");
    press(&app, &[Key::Return.into()]);
    assert_eq!((*told.borrow()).as_slice(), ["copy", "use"]);
}
