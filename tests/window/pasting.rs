//! A program that holds the clipboard, for what is pasted into a window.

use std::thread::spawn;

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, EventMask, PropMode, SELECTION_NOTIFY_EVENT, SelectionNotifyEvent,
};
use x11rb::wrapper::ConnectionExt as _;

use crate::desk::{Desk, window_of_ones_own};

impl Desk {
    /// Puts a text on the clipboard, as another program would (ICCCM §2.2), until the display is gone.
    pub(crate) fn offers(&self, text: &str) {
        let (x11, screen) = x11rb::connect(Some(self.display())).expect("the display");
        let own = window_of_ones_own(&x11, screen);
        let atom =
            |name: &[u8]| x11.intern_atom(false, name).expect("the display").reply().expect("an atom").atom;
        let (clipboard, targets, utf8) = (atom(b"CLIPBOARD"), atom(b"TARGETS"), atom(b"UTF8_STRING"));
        x11.set_selection_owner(own, clipboard, x11rb::CURRENT_TIME)
            .expect("the display")
            .check()
            .expect("an owner");
        let text = text.to_owned();
        spawn(move || {
            // The display goes with the test.
            while let Ok(event) = x11.wait_for_event() {
                let Event::SelectionRequest(asked) = event else { continue };
                let (to, at) = (asked.requestor, asked.property);
                let put = if asked.target == targets {
                    x11.change_property32(PropMode::REPLACE, to, at, AtomEnum::ATOM, &[targets, utf8])
                } else {
                    x11.change_property8(PropMode::REPLACE, to, at, utf8, text.as_bytes())
                };
                put.expect("the display").check().expect("a property");
                let answer = SelectionNotifyEvent {
                    response_type: SELECTION_NOTIFY_EVENT,
                    sequence: 0,
                    time: asked.time,
                    requestor: to,
                    selection: asked.selection,
                    target: asked.target,
                    property: at,
                };
                x11.send_event(false, to, EventMask::NO_EVENT, answer)
                    .expect("the display")
                    .check()
                    .expect("sent");
            }
        });
    }
}
