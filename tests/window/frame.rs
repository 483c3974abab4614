//! Size and place of the window: on small screens everything is on it, and it comes back where it was.

use parlor_tests::{Plain, Server, needs};

use crate::desk::Desk;

/// The composer's foot is this far above the window's lower edge at most, in logical pixels.
const FOOT: i32 = 64;

#[test]
fn the_composer_is_on_every_screen() {
    if !(needs::have(needs::DISPLAY) && needs::have(needs::MANAGER)) {
        return;
    }
    for (width, height, scale, managed) in [
        (800, 480, 1, true),
        (800, 480, 1, false),
        (1024, 600, 1, true),
        (1024, 600, 1, false),
        (1280, 800, 2, true),
        (1366, 768, 1, true),
    ] {
        let server = Server::start(&[]);
        let mut bob = Plain::connect(&server);
        bob.send("bob");
        bob.expect("-!- Welcome *");
        let mut desk = Desk::sized(width, height).variable("SLINT_SCALE_FACTOR", &scale.to_string());
        if managed {
            desk = desk.window_manager();
        }
        let alice = desk.client(&[&server.address().to_string(), "--name", "alice"]);
        bob.expect("* alice joined");
        alice.wait_title("#lobby*");
        let what = format!("all of the window is on {width} × {height} at {scale}, managed: {managed}");
        alice.until(&what, |alice| {
            let [x, y, w, h] = alice.place();
            w > 0 && x >= 0 && y >= 0 && x + w <= i32::from(width) && y + h <= i32::from(height)
        });
        // A click into the composer, and what is typed is said.
        let [x, y, w, h] = alice.place();
        alice.click(((x + w / 2) as i16, (y + h - FOOT * scale / 2) as i16));
        alice.types("all of me is here");
        bob.expect("<alice> all of me is here");
        alice.picture(&format!("frame-{width}x{height}-{scale}-{managed}"));
    }
}

#[test]
fn it_comes_back_where_it_was_and_as_large() {
    if !(needs::have(needs::DISPLAY) && needs::have(needs::MANAGER)) {
        return;
    }
    let mut alice = Desk::sized(1600, 900).window_manager().client(&[]);
    alice.wait_title("Parlor");
    alice.arrange([300, 120, 700, 500]);
    let kept = |desk: &Desk| {
        std::fs::read_to_string(desk.config().join("settings.toml"))
            .is_ok_and(|text| text.contains("width = 700"))
    };
    alice.until("the new size on disk", kept);
    let was = alice.place();
    for _ in 0..2 {
        assert_eq!(alice.end("TERM"), Some(0));
        alice = alice.client_again(&[]);
        alice.wait_title("Parlor");
        alice.until("the same place", |alice| alice.place() == was);
    }

    // A screen that is not there today.
    assert_eq!(alice.end("TERM"), Some(0));
    let settings = std::fs::read_to_string(alice.config().join("settings.toml")).expect("settings");
    let away: String = settings
        .lines()
        .map(|line| match line.starts_with("place = ") {
            true => "place = [5000, 300]\n".to_owned(),
            false => format!("{line}\n"),
        })
        .collect();
    assert_ne!(away, settings);
    std::fs::write(alice.config().join("settings.toml"), away).expect("settings");
    alice = alice.client_again(&[]);
    alice.wait_title("Parlor");
    alice.until("it on the screen, as large as before", |alice| {
        let [x, y, w, h] = alice.place();
        x >= 0 && y >= 0 && x + w <= 1600 && y + h <= 900 && [w, h] == was[2..]
    });
}

#[test]
fn it_fills_the_screen_again_and_then_is_as_it_was() {
    if !(needs::have(needs::DISPLAY) && needs::have(needs::MANAGER)) {
        return;
    }
    let mut alice = Desk::sized(1600, 900).window_manager().client(&[]);
    alice.wait_title("Parlor");
    alice.arrange([300, 120, 700, 500]);
    alice.until("the size", |alice| alice.place()[2..] == [700, 500]);
    let was = alice.place();
    let kept = |text: &'static str| {
        move |desk: &Desk| {
            std::fs::read_to_string(desk.config().join("settings.toml")).is_ok_and(|kept| kept.contains(text))
        }
    };
    alice.until("the size on disk", kept("width = 700"));
    alice.maximise(true);
    alice.until("the whole screen", |alice| alice.place()[2] > 1590);
    alice.until("that on disk", kept("maximised = true"));
    assert_eq!(alice.end("TERM"), Some(0));
    alice = alice.client_again(&[]);
    alice.wait_title("Parlor");
    alice.until("the whole screen again", |alice| alice.place()[2] > 1590);
    // The window asks to fill the screen until the desktop has shown it so: asked once before that, this would be undone.
    alice.until("the size of before", |alice| {
        alice.maximise(false);
        alice.place()[2..] == was[2..]
    });
}
