//! The text cursor comes to rest when nobody is there.
//!
//! A blink is a frame twice a second, for ever: the only thing that an idle window would do.
//! The toolkit blinks as long as the field has the keyboard, and offers no switch; but a field
//! in an inactive window does not blink. So the window is told that it is inactive; the views
//! draw a cursor that stands still instead (`Shell.resting`). Before the next event is handled it
//! is told that it is active again. The field keeps the keyboard and its input method throughout.

use std::rc::Rc;
use std::time::Duration;

use parlor_ui::slint::platform::WindowEvent as SlintEvent;
use parlor_ui::slint::winit_030::winit::event::{ElementState, WindowEvent};
use parlor_ui::slint::winit_030::{EventResult, WinitWindowAccessor};
use parlor_ui::slint::{ComponentHandle, TimerMode};
use parlor_ui::{App, Shell};

use super::Bridge;

/// How long the cursor blinks after a key or a movement of the mouse, as with GTK.
const BLINKS_FOR: Duration = Duration::from_secs(10);

impl Bridge {
    pub(super) fn watch_activity(self: &Rc<Self>, window: &App) {
        let weak = Rc::downgrade(self);
        window.window().on_winit_window_event(move |_, event| {
            let Some(bridge) = weak.upgrade() else { return EventResult::Propagate };
            if is_activity(event) {
                bridge.wake_cursor();
                bridge.look_at_date();
                bridge.look_soon();
            }
            match event {
                WindowEvent::DroppedFile(path) => bridge.dropped(path.clone()),
                WindowEvent::Moved(_) | WindowEvent::Resized(_) => bridge.note_frame_soon(),
                // Wherever the button comes up, and whatever has become of the line that it was pressed on.
                WindowEvent::MouseInput { state: ElementState::Released, .. } => bridge.end_drag(),
                _ => {}
            }
            EventResult::Propagate
        });
        let weak = Rc::downgrade(self);
        self.rest.start(TimerMode::SingleShot, BLINKS_FOR, move || {
            weak.upgrade().into_iter().for_each(|bridge| bridge.rest_cursor());
        });
    }

    /// Somebody is there, or the keyboard goes to another field: the cursor blinks.
    pub(super) fn wake_cursor(&self) {
        let Some(window) = self.window.upgrade() else { return };
        let shell = window.global::<Shell>();
        if shell.get_resting() {
            set_active(&window, true);
            shell.set_resting(false);
        }
        self.rest.restart();
    }

    fn rest_cursor(&self) {
        let Some(window) = self.window.upgrade() else { return };
        let looked_at = window.window().with_winit_window(|window| window.has_focus());
        match looked_at {
            // A window on no display: nothing blinks for anybody.
            None => {}
            Some(looked_at) => {
                // Elsewhere the cursor of an inactive window is not seen at all.
                window.global::<Shell>().set_resting(looked_at);
                set_active(&window, false);
            }
        }
    }
}

fn set_active(window: &App, active: bool) {
    window.window().dispatch_event(SlintEvent::WindowActiveChanged(active));
}

fn is_activity(event: &WindowEvent) -> bool {
    matches!(
        event,
        WindowEvent::KeyboardInput { .. }
            | WindowEvent::Ime(_)
            | WindowEvent::CursorMoved { .. }
            | WindowEvent::MouseInput { .. }
            | WindowEvent::MouseWheel { .. }
            | WindowEvent::Touch(_)
            | WindowEvent::Focused(_)
    )
}
