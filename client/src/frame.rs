//! Size and place of the window on the screens that there are.

use serde::{Deserialize, Serialize};

/// Width and height that the views are made for, in logical pixels.
const PREFERRED: (u32, u32) = (1080, 720);
/// On a screen that leaves less than this of its height, or not all of the preferred width, the whole screen is taken.
const TIGHT: f64 = 560.0;
/// So much of the window's upper edge must be on a screen, in physical pixels, that a person can take hold of it.
const HOLD: i64 = 48;

/// What is remembered of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Logical pixels, without the title bar.
    pub width: u32,
    /// The same.
    pub height: u32,
    /// Left and upper edge of the whole window, in physical pixels; `None` where the system does not tell (Wayland).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<(i32, i32)>,
    /// It filled the screen; size and place are those of before.
    #[serde(default)]
    pub maximised: bool,
}

/// What windows may cover of a screen, in physical pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Screen {
    /// Left and upper edge among all screens.
    pub at: (i32, i32),
    /// Width and height.
    pub size: (u32, u32),
    /// What a title bar takes of the height, and panels as far as they are not known; in logical pixels.
    pub besides: f64,
    /// Physical pixels in a logical one.
    pub scale: f64,
}

/// How to open the window, in physical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Without the title bar.
    pub size: (u32, u32),
    /// `None`: where the desktop likes.
    pub place: Option<(i32, i32)>,
    /// Fills the screen.
    pub maximised: bool,
}

/// How to open it: as it was, as far as that fits the screens of today, of which the first is the main one. `None`: nothing
/// is known of the screens, and nothing remembered.
pub fn opening(remembered: Option<Frame>, screens: &[Screen]) -> Option<Opening> {
    let remembered = remembered.filter(Frame::is_sane);
    let place = remembered.and_then(|frame| frame.place);
    let holds = |screen: &&Screen| place.is_some_and(|place| screen.holds(place));
    let held = screens.iter().find(holds);
    let (width, height) = remembered.map_or(PREFERRED, |frame| (frame.width, frame.height));
    let Some(screen) = held.or(screens.first()) else {
        let size = (width, height);
        return remembered.map(|frame| Opening { size, place: None, maximised: frame.maximised });
    };
    let across = f64::from(screen.size.0) / screen.scale;
    let down = f64::from(screen.size.1) / screen.scale - screen.besides;
    let physical = |logical: f64| (logical * screen.scale).round() as u32;
    let tight = remembered.is_none() && (across < f64::from(PREFERRED.0) || down < TIGHT);
    Some(Opening {
        size: (physical(f64::from(width).min(across)), physical(f64::from(height).min(down))),
        place: place.filter(|_| held.is_some()),
        maximised: tight || remembered.is_some_and(|frame| frame.maximised),
    })
}

impl Frame {
    /// A settings file can say anything.
    fn is_sane(&self) -> bool {
        let possible = |length| (100..100_000).contains(&length);
        possible(self.width) && possible(self.height)
    }
}

impl Screen {
    /// Whether a window at that place can be taken hold of.
    fn holds(&self, (x, y): (i32, i32)) -> bool {
        let inside = |at: i32, from: i32, length: u32, before: i64| {
            let at = i64::from(at) - i64::from(from);
            at >= -before && at <= i64::from(length) - HOLD
        };
        // Decorations may stand a little beyond the left edge, never above the upper one.
        inside(x, self.at.0, self.size.0, HOLD) && inside(y, self.at.1, self.size.1, 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(x: i32, width: u32, height: u32, scale: f64) -> Screen {
        Screen { at: (x, 0), size: (width, height), besides: 80.0, scale }
    }

    #[test]
    fn it_opens_at_what_fits() {
        for (screens, size, maximised) in [
            (vec![screen(0, 1920, 1080, 1.0)], (1080, 720), false),
            (vec![screen(0, 1280, 800, 1.0)], (1080, 720), false),
            (vec![screen(0, 1366, 768, 1.0)], (1080, 688), false),
            (vec![screen(0, 1024, 600, 1.0)], (1024, 520), true),
            (vec![screen(0, 800, 480, 1.0)], (800, 400), true),
            (vec![screen(0, 3840, 2160, 2.0)], (2160, 1440), false),
            (vec![screen(0, 1280, 800, 2.0)], (1280, 640), true),
            (vec![screen(0, 800, 480, 1.0), screen(800, 1920, 1080, 1.0)], (800, 400), true),
        ] {
            let found = opening(None, &screens);
            assert_eq!(found, Some(Opening { size, place: None, maximised }), "{screens:?}");
        }
        assert_eq!(opening(None, &[]), None);
        // Nobody gives it a title bar.
        let bare = Screen { besides: 0.0, ..screen(0, 1100, 720, 1.0) };
        let whole = Opening { size: (1080, 720), place: None, maximised: false };
        assert_eq!(opening(None, &[bare]), Some(whole));
    }

    #[test]
    fn it_opens_as_it_was_where_that_is_still_on_a_screen() {
        let was = |place, maximised| Some(Frame { width: 900, height: 600, place, maximised });
        let two = [screen(0, 1280, 800, 1.0), screen(1280, 1920, 1080, 2.0)];
        let left_of_it = [screen(0, 1920, 1080, 1.0), screen(-1920, 1920, 1080, 1.0)];
        for (remembered, screens, size, place) in [
            (was(Some((100, 50)), false), &two[..], (900, 600), Some((100, 50))),
            (was(Some((1400, 50)), false), &two[..], (1800, 920), Some((1400, 50))),
            (was(Some((1400, 50)), false), &two[..1], (900, 600), None),
            (was(Some((-1500, 50)), false), &left_of_it[..], (900, 600), Some((-1500, 50))),
            (was(Some((-1500, 50)), false), &two[..], (900, 600), None),
            (was(Some((-5, 0)), false), &two[..], (900, 600), Some((-5, 0))),
            (was(Some((100, -400)), false), &two[..], (900, 600), None),
            (was(Some((100, 790)), false), &two[..], (900, 600), None),
            (was(None, false), &two[..], (900, 600), None),
            (was(None, false), &[screen(0, 800, 480, 1.0)][..], (800, 400), None),
            (was(None, false), &[][..], (900, 600), None),
        ] {
            let found = opening(remembered, screens);
            assert_eq!(found, Some(Opening { size, place, maximised: false }), "{remembered:?} {screens:?}");
        }
        assert!(opening(was(Some((100, 50)), true), &two).is_some_and(|opening| opening.maximised));
    }

    #[test]
    fn what_no_window_can_be_is_not_believed() {
        for (width, height) in [(0, 600), (900, 99), (u32::MAX, 600)] {
            let frame = Frame { width, height, place: Some((0, 0)), maximised: true };
            let screens = [screen(0, 1920, 1080, 1.0)];
            assert_eq!(opening(Some(frame), &screens), opening(None, &screens));
        }
    }
}
