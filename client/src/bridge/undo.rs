//! What was just done to somebody, and the way back: a notice above the room, for a while or until the next deed.

use std::rc::Rc;
use std::time::Duration;

use parlor_ui::slint::{ComponentHandle, SharedString, TimerMode};
use parlor_ui::{App, RoomView, Words};

use super::mode_words::whom;
use super::text::shared;
use super::{Bridge, on};
use crate::conversations::ConversationId;
use crate::session::{Action, Deed, muted};

/// How long it is offered.
const OFFERED: Duration = Duration::from_secs(10);

/// What can be taken back; one at a time.
pub(super) struct Undo {
    pub(super) id: ConversationId,
    /// Who was sent out.
    kicked: Option<String>,
    /// What was put on the list of bans.
    mask: Option<String>,
}

impl Bridge {
    pub(super) fn listen_to_undo(self: &Rc<Self>, window: &App) {
        let view = window.global::<RoomView>();
        on!(self, view, on_undo, |this| this.undo());
        on!(self, view, on_keep_done, |this| this.forget_done());
    }

    /// The server has confirmed it.
    pub(super) fn done(self: &Rc<Self>, window: &App, id: &ConversationId, deed: Deed) {
        {
            let mut state = self.state.borrow_mut();
            let sending_out = state.sending_out.take();
            if !state.conversations.is_current(id) {
                return;
            }
            let undo = match deed {
                Deed::Banned(ban) => {
                    // The second half of it follows.
                    state.sending_out = sending_out;
                    Undo { id: id.clone(), kicked: None, mask: Some(ban.mask) }
                }
                Deed::Kicked { nick } => {
                    let before = state.undo.take().filter(|undo| undo.id == *id && undo.kicked.is_none());
                    let both = sending_out.is_some_and(|name| name == nick);
                    let mask = before.filter(|_| both).and_then(|undo| undo.mask);
                    Undo { id: id.clone(), kicked: Some(nick), mask }
                }
            };
            let words = window.global::<Words>();
            let sentence = match (&undo.kicked, &undo.mask) {
                (Some(name), Some(_)) => words.invoke_sent_and_kept_out(shared(name)),
                (Some(name), None) => words.invoke_sent_out(shared(name)),
                (None, Some(mask)) => match muted(mask) {
                    Some(name) => words.invoke_may_speak_no_more(shared(name)),
                    None => words.invoke_kept_out(whom(&words, mask)),
                },
                (None, None) => SharedString::default(),
            };
            window.global::<RoomView>().set_done(sentence);
            state.undo = Some(undo);
        }
        let weak = Rc::downgrade(self);
        self.undo_due.start(TimerMode::SingleShot, OFFERED, move || {
            weak.upgrade().into_iter().for_each(|bridge| bridge.forget_done());
        });
    }

    /// Nothing is offered any more.
    pub(super) fn forget_done(&self) {
        self.undo_due.stop();
        self.state.borrow_mut().undo = None;
        if let Some(window) = self.window.upgrade() {
            window.global::<RoomView>().set_done(SharedString::default());
        }
    }

    fn undo(&self) {
        let undo = self.state.borrow_mut().undo.take();
        self.forget_done();
        let Some(Undo { id: ConversationId { place, key: room }, kicked, mask }) = undo else { return };
        if let Some(mask) = mask {
            self.act(&place, Action::Unban { room: room.clone(), mask, exception: false });
        }
        if let Some(nick) = kicked {
            self.act(&place, Action::Invite { room, nick });
        }
    }
}
