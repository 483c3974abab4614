//! The window opens where and as large as it was, and what of that changes is remembered.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use parlor_ui::App;
use parlor_ui::slint::winit_030::winit::event_loop::ActiveEventLoop;
use parlor_ui::slint::winit_030::winit::monitor::MonitorHandle;
use parlor_ui::slint::winit_030::{CustomApplicationHandler, EventResult, WinitWindowAccessor, winit};
use parlor_ui::slint::{self, ComponentHandle, PhysicalPosition, PhysicalSize, TimerMode, Weak};

use super::Bridge;
use crate::frame::{Frame, Opening, Screen, opening};

/// The desktop has said by then whether it made the window fill the screen.
const SETTLES: Duration = Duration::from_millis(300);

/// How long a desktop may take to show a window, at first, and how often it is asked for more.
const SHOWS: Duration = Duration::from_millis(30);
const ASKS: u32 = 20;

/// Knows the screens before the window is on one of them.
#[derive(Clone, Default)]
pub struct Opener(Rc<RefCell<Option<Shown>>>);

/// The window that will open, and where it was.
type Shown = (Weak<App>, Option<Frame>);

impl CustomApplicationHandler for Opener {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) -> EventResult {
        // Only the first time: later it is where the person has put it.
        if let Some((window, remembered)) = self.0.take()
            && let Some(window) = window.upgrade()
        {
            let desktop = desktop(event_loop);
            let main = event_loop.primary_monitor();
            let others = event_loop.available_monitors().filter(|monitor| Some(monitor) != main.as_ref());
            let screens: Vec<Screen> =
                main.iter().cloned().chain(others).map(|monitor| screen(&monitor, &desktop)).collect();
            if let Some(opening) = opening(remembered, &screens) {
                apply(&window, opening);
            }
        }
        EventResult::Propagate
    }
}

impl Bridge {
    /// The window will open as the settings say.
    pub fn open_with(&self, opener: &Opener) {
        *opener.0.borrow_mut() = Some((self.window.clone(), self.state.borrow().settings.window));
    }

    /// The window was moved, made larger or smaller.
    pub(super) fn note_frame_soon(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        self.frame_due.start(TimerMode::SingleShot, SETTLES, move || {
            weak.upgrade().into_iter().for_each(|bridge| bridge.note_frame());
        });
    }

    /// Keeps where the window is, and how large.
    pub(super) fn note_frame(&self) {
        let Some(window) = self.window.upgrade() else { return };
        let before = self.state.borrow().settings.window;
        let scale = f64::from(window.window().scale_factor());
        let now = window.window().with_winit_window(|window| {
            // What is small or not there says nothing of how it should open.
            let shown = window.is_visible() != Some(false) && window.is_minimized() != Some(true);
            match (shown, window.is_maximized()) {
                (false, _) => before,
                // It becomes what it was before when it is no longer maximised.
                (true, true) => {
                    Some(Frame { maximised: true, ..before.unwrap_or_else(|| frame(window, scale)) })
                }
                (true, false) => Some(frame(window, scale)),
            }
        });
        if let Some(now) = now.filter(|now| *now != before) {
            self.state.borrow_mut().settings.window = now;
            self.keep_settings();
        }
    }
}

fn frame(window: &winit::window::Window, scale: f64) -> Frame {
    let size = window.inner_size();
    let place = window.outer_position().ok().map(|place| (place.x, place.y));
    let logical = |pixels: u32| (f64::from(pixels) / scale).round() as u32;
    Frame { width: logical(size.width), height: logical(size.height), place, maximised: false }
}

/// Asks until it is done.
fn maximise(window: Weak<App>, asks: u32) {
    slint::Timer::single_shot(SHOWS, move || {
        let done = window.upgrade().and_then(|app| {
            app.window().with_winit_window(|window| {
                let done = window.is_maximized();
                if !done {
                    window.set_maximized(true);
                }
                done
            })
        });
        if done != Some(true) && asks > 0 {
            maximise(window, asks - 1);
        }
    });
}

fn apply(window: &App, opening: Opening) {
    let (width, height) = opening.size;
    window.window().set_size(PhysicalSize::new(width, height));
    if let Some((x, y)) = opening.place {
        window.window().set_position(PhysicalPosition::new(x, y));
    }
    if opening.maximised {
        window.window().set_maximized(true);
        // X11's window managers know of a window only when it is shown, and take the wish then.
        maximise(window.as_weak(), ASKS);
    }
}

fn screen(monitor: &MonitorHandle, desktop: &Desktop) -> Screen {
    // As the toolkit has it.
    let asked = std::env::var("SLINT_SCALE_FACTOR").ok().and_then(|scale| scale.parse().ok());
    let scale = asked.filter(|scale| *scale > 0.0).unwrap_or_else(|| monitor.scale_factor());
    let (at, size) = (monitor.position(), monitor.size());
    let mut screen =
        Screen { at: (at.x, at.y), size: (size.width, size.height), besides: desktop.besides, scale };
    if let Some([x, y, width, height]) = desktop.work_area {
        let part = |at: i32, length: u32, from: i32, to: i32| {
            let end = at.saturating_add_unsigned(length).min(from.saturating_add(to));
            (at.max(from), u32::try_from(end.saturating_sub(at.max(from))).unwrap_or_default())
        };
        let (x, width) = part(at.x, size.width, x, width);
        let (y, height) = part(at.y, size.height, y, height);
        if width > 0 && height > 0 {
            (screen.at, screen.size) = ((x, y), (width, height));
        }
    }
    screen
}

/// What is known of the space that windows may take.
struct Desktop {
    /// Of all screens together: left, top, width and height, in physical pixels.
    work_area: Option<[i32; 4]>,
    /// As [`Screen::besides`].
    besides: f64,
}

/// Title bar and panels, about, where only the system knows.
const UNKNOWN: Desktop = Desktop { work_area: None, besides: 80.0 };

#[cfg(target_os = "linux")]
fn desktop(event_loop: &ActiveEventLoop) -> Desktop {
    use winit::platform::x11::ActiveEventLoopExtX11;

    if event_loop.is_x11() { x11_desktop().unwrap_or(UNKNOWN) } else { UNKNOWN }
}

#[cfg(not(target_os = "linux"))]
fn desktop(_: &ActiveEventLoop) -> Desktop {
    UNKNOWN
}

/// What the window manager says, if there is one (EWMH 1.5: `_NET_SUPPORTING_WM_CHECK`, `_NET_WORKAREA`).
#[cfg(target_os = "linux")]
fn x11_desktop() -> Option<Desktop> {
    use x11rb::connection::Connection;
    use x11rb::protocol::xproto::{AtomEnum, ConnectionExt};

    /// A title bar, in logical pixels.
    const TITLE: f64 = 40.0;
    let (x11, screen) = x11rb::connect(None).ok()?;
    let root = x11.setup().roots.get(screen)?.root;
    let property = |name: &[u8]| {
        let atom = x11.intern_atom(false, name).ok()?.reply().ok()?.atom;
        let value = x11.get_property(false, root, atom, AtomEnum::ANY, 0, 4).ok()?.reply().ok()?;
        let values: Vec<u32> = value.value32()?.collect();
        Some(values).filter(|values| !values.is_empty())
    };
    if property(b"_NET_SUPPORTING_WM_CHECK").is_none() {
        return Some(Desktop { work_area: None, besides: 0.0 });
    }
    let work_area = property(b"_NET_WORKAREA").and_then(|area| {
        let area: Option<Vec<i32>> = area.into_iter().map(|length| i32::try_from(length).ok()).collect();
        area?.try_into().ok()
    });
    let besides = if work_area.is_some() { TITLE } else { UNKNOWN.besides };
    Some(Desktop { work_area, besides })
}
