//! Reading back: every line passes the view. Lines carry their number as a bar code, which is read off the screen.

use std::collections::BTreeSet;

use parlor_tests::{Plain, Scratch, Server, needs};

use crate::desk::Desk;
use crate::scene::terminal;

/// Lines that were said before anybody looks.
const PAST: usize = 5_000;
/// Bits of a number, and of the sum that proves it.
const BITS: usize = 13;
const SUM: usize = 3;
/// How wide a block is (DejaVu Sans, 14 px).
const CELL: f32 = 10.78;
/// Right of the list of rooms, and far enough for a code.
const LEFT: i16 = 224;
const WIDTH: u16 = 500;
/// The list between the header and the composer, on a display 720 high.
const TOP: i16 = 60;
const HEIGHT: u16 = 590;
/// A place in the list.
const INSIDE: (i16, i16) = (700, 300);

/// A number in full and low blocks of one width, between two full ones.
fn code(number: usize) -> String {
    let bits = number << SUM | sum(number);
    let cells = (0..BITS + SUM).map(|bit| if bits >> bit & 1 == 1 { '█' } else { '▁' });
    ['█'].into_iter().chain(cells).chain(['█']).collect()
}

fn sum(number: usize) -> usize {
    (number % 7 + 1) % (1 << SUM)
}

/// The numbers on the screen from top to bottom.
fn read(desk: &Desk) -> Vec<usize> {
    let pixels = desk.pixels((LEFT, TOP), WIDTH, HEIGHT);
    let mut seen = Vec::new();
    let mut same = 0;
    let mut last = None;
    for row in pixels.chunks(usize::from(WIDTH)) {
        let number = decode(row);
        same = if number == last { same + 1 } else { 1 };
        last = number;
        // A block is higher than this.
        if same == 4
            && let Some(number) = number
        {
            seen.push(number);
        }
    }
    seen
}

/// A row of pixels as a number, if it goes through a code.
fn decode(row: &[u32]) -> Option<usize> {
    let ground = *row.first()?;
    let from = row.iter().position(|pixel| *pixel != ground)?;
    let full = |cell: usize| {
        let middle = from + ((cell as f32 + 0.5) * CELL) as usize;
        row.get(middle).is_some_and(|pixel| *pixel != ground)
    };
    let bits = (0..BITS + SUM).filter(|bit| full(bit + 1)).fold(0, |bits, bit| bits | 1 << bit);
    let (number, proof) = (bits >> SUM, bits & ((1 << SUM) - 1));
    (full(0) && full(BITS + SUM + 1) && proof == sum(number)).then_some(number)
}

/// Fills a room with lines of one row and of many, under many names.
fn talk(server: &Server) {
    let [mut bob, mut ear] = ["bob", "ear"].map(|name| terminal(server, name));
    let long = "words that go on and on ".repeat(14);
    for number in 0..PAST {
        let more = match number % 50 {
            3 | 20 | 21 | 22 => format!(" {long}"),
            _ => String::new(),
        };
        bob.send(&format!("{}{more}", code(number)));
        if number % 50 == 10 {
            // Comings and goings, and somebody else's line.
            let mut guest = Plain::connect(server);
            guest.send(&format!("guest{number}"));
            guest.expect("-!- Welcome *");
            guest.send("/quit");
        }
        if number % 50 == 49 {
            ear.expect(&format!("<bob> {}", code(number)));
        }
    }
}

#[test]
fn every_line_passes_the_view() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let data = Scratch::new();
    let folder = data.path().join("data").display().to_string();
    let server = Server::start(&["--data", &folder, "--flood", "off"]);
    talk(&server);
    let mut bob = Plain::connect(&server);
    bob.send("bob2");
    bob.expect("-!- Welcome *");
    let alice =
        Desk::new().setting("theme", "\"light\"").client(&[&server.address().to_string(), "--name", "alice"]);
    bob.expect("-!- alice joined");
    alice.wait_title("#lobby*");
    alice.until("the last line", |alice| read(alice).last() == Some(&(PAST - 1)));
    alice.point_at(INSIDE);

    let mut seen: BTreeSet<usize> = BTreeSet::new();
    let mut view = read(&alice);
    let mut steps = 0;
    while view.first() != Some(&0) {
        seen.extend(&view);
        // By turns: the wheel, turned fast, and pages. Meanwhile lines come in below.
        match steps % 3 {
            // Less than a view: some displays count each notch twice.
            0 => alice.press(INSIDE, "4", "4"),
            _ => alice.key("Prior"),
        }
        if steps % 5 == 0 {
            bob.send("a new line");
        }
        steps += 1;
        let before = view.clone();
        let looks = std::cell::Cell::new(0);
        alice.until("a step up", |alice| {
            // What is above may still have been on its way.
            looks.set(looks.get() + 1);
            if looks.get() % 200 == 0 {
                alice.key("Prior");
            }
            read(alice).first().is_some_and(|first| Some(first) != before.first())
        });
        view = settled(&alice);
        // A machine that was only slow has made both steps: one of them is taken back.
        if looks.get() >= 200
            && view.last().zip(before.first()).is_some_and(|(above, below)| above + 1 < *below)
        {
            alice.key("Next");
            alice.until("a step down", |alice| read(alice).first() != view.first());
            view = settled(&alice);
        }
        assert!(view.windows(2).all(|pair| pair[1] == pair[0] + 1), "in order: {view:?}");
        let (above, below) = (view.last().copied(), before.first().copied());
        assert!(
            above.zip(below).is_some_and(|(above, below)| above + 1 >= below),
            "after step {steps} from {before:?} to {view:?}"
        );
    }
    seen.extend(&view);
    alice.picture("reading-top");
    let unseen: Vec<usize> = (0..PAST).filter(|number| !seen.contains(number)).collect();
    assert_eq!(unseen, [0usize; 0], "never seen, in {steps} steps");
}

/// What is on the screen when nothing moves any more.
fn settled(desk: &Desk) -> Vec<usize> {
    let view = std::cell::RefCell::new((Vec::new(), 0));
    desk.until("the view stands still", |desk| {
        let now = read(desk);
        let mut view = view.borrow_mut();
        let still = !now.is_empty() && view.0 == now;
        *view = (now, if still { view.1 + 1 } else { 0 });
        view.1 == 4
    });
    view.into_inner().0
}
