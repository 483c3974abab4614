//! Where we stand with the place on the screen: the pill, our own name, and what is to be said.

use std::rc::Rc;
use std::time::Duration;

use parlor_ui::slint::{ComponentHandle, SharedString, TimerMode};
use parlor_ui::{App, ConnectView, Lock, Panel, Shell, StatusKind, StatusView, Words};

use super::clock::monotonic;
use super::phrases::phrase;
use super::text::{hue, shared};
use super::{Bridge, clock, on};
use crate::place::PlaceId;
use crate::session::{Action, Status};

impl Bridge {
    pub(super) fn listen_to_status(self: &Rc<Self>, window: &App) {
        let view = window.global::<StatusView>();
        on!(self, view, on_toggle_away, |this| this.toggle_away());
        on!(self, view, on_disconnect, |this| this.disconnect());
        on!(self, view, on_retry_now, |this| {
            this.place_id().iter().for_each(|place| this.call_again(place));
        });
        on!(self, view, on_dismiss_notice, |this| this.dismiss_notice());
        let weak = Rc::downgrade(self);
        let each_second = move || weak.upgrade().into_iter().for_each(|bridge| bridge.each_second());
        self.tick.start(TimerMode::Repeated, Duration::from_secs(1), each_second);
        self.tick.stop();
    }

    pub(super) fn status(self: &Rc<Self>, window: &App, place: &PlaceId, status: Status) {
        if matches!(status, Status::Offline { .. }) && self.is_asked(place) {
            window.global::<ConnectView>().set_busy(false);
        }
        let counting = matches!(status, Status::Reconnecting { .. });
        let settled = !matches!(status, Status::Connecting | Status::Registering);
        if let Some(place) = self.state.borrow_mut().places.get_mut(place) {
            if matches!(status, Status::Connected { .. }) {
                place.refusal = None;
            }
            place.status = Some(status);
        }
        self.show_status(window);
        self.show_headings(window);
        if settled && self.place_id().as_ref() == Some(place) {
            self.announce(window.global::<StatusView>().get_status_text().into());
        }
        if counting {
            self.tick.restart();
        }
    }

    pub(super) fn own_name(&self, window: &App, place: &PlaceId, nick: String) {
        if let Some(place) = self.state.borrow_mut().places.get_mut(place) {
            place.me = nick;
        }
        self.show_status(window);
    }

    /// The pill beside the room: it never lies.
    pub(super) fn show_status(&self, window: &App) {
        let state = self.state.borrow();
        let (view, words) = (window.global::<StatusView>(), window.global::<Words>());
        let Some(place) = state.place() else {
            view.set_status(StatusKind::Offline);
            view.set_status_text(SharedString::default());
            return view.set_status_detail(SharedString::default());
        };
        let hosted = state.hosts(&place.id);
        let (kind, text) = match &place.status {
            Some(Status::Connected { .. }) if hosted => (StatusKind::Hosting, words.invoke_hosting()),
            Some(Status::Connected { .. }) => (StatusKind::Connected, words.invoke_connected()),
            Some(Status::Connecting | Status::Registering) => {
                (StatusKind::Connecting, words.invoke_connecting())
            }
            Some(Status::Reconnecting { at, .. }) => {
                let left = (place.connection.started + *at).saturating_duration_since(monotonic());
                (StatusKind::Reconnecting, words.invoke_reconnecting(left.as_secs_f32().ceil() as i32))
            }
            Some(Status::Offline { since }) => {
                let text = match since {
                    Some(since) => {
                        let since = clock::time(&words, state.settings.time_format, *since);
                        words.invoke_offline(since.into())
                    }
                    None => words.invoke_no_connection(),
                };
                (StatusKind::Offline, text)
            }
            None => (StatusKind::Offline, SharedString::default()),
        };
        view.set_me(shared(&place.me));
        view.set_my_hue(hue(&place.me));
        view.set_away(place.away);
        let lock =
            if matches!(place.status, Some(Status::Connected { .. })) { place.lock } else { Lock::None };
        view.set_lock(lock);
        view.set_key(place.key.or(place.whose.key()).map(|key| shared(&key.short())).unwrap_or_default());
        view.set_status(kind);
        view.set_status_text(text);
        let mut detail = place.address();
        if let Some(refusal) = place.refusal.as_ref().filter(|_| kind == StatusKind::Offline) {
            detail = phrase(&words, &refusal.sentence).into();
        }
        if let Some(Status::Reconnecting { why, .. }) = &place.status {
            let why = phrase(&words, why);
            detail = if why.contains(&detail) { why.into() } else { format!("{detail} · {why}") };
        }
        view.set_status_detail(detail.into());
    }

    /// While something counts down, or guests are looked at.
    fn each_second(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        self.show_status(&window);
        let reconnecting = |status: &Option<Status>| matches!(status, Some(Status::Reconnecting { .. }));
        let counting = self.state.borrow().places.iter().any(|place| reconnecting(&place.status));
        let looking = window.global::<Shell>().get_panel() == Panel::Guests;
        if looking {
            self.look_at_guests();
        }
        if !counting && !looking {
            self.tick.stop();
        }
    }

    fn toggle_away(&self) {
        let (Some(window), Some(id)) = (self.window.upgrade(), self.place_id()) else { return };
        let away = !window.global::<StatusView>().get_away();
        if let Some(place) = self.state.borrow_mut().places.get_mut(&id) {
            place.away = away;
        }
        self.show_status(&window);
        self.act(&id, Action::Away { text: away.then(|| "away".into()) });
    }

    /// A sentence that belongs to no field: on the card, and in the room.
    pub(super) fn notice(&self, window: &App, sentence: SharedString) {
        window.global::<ConnectView>().set_notice(sentence.clone());
        window.global::<StatusView>().set_notice(sentence);
    }

    fn dismiss_notice(&self) {
        if let Some(window) = self.window.upgrade() {
            window.global::<StatusView>().set_notice(SharedString::default());
        }
    }
}
