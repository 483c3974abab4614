//! How the room on the screen is set, who is kept out of it, and the way into one that we are not
//! in.

use std::rc::Rc;

use parlor_ui::slint::{ComponentHandle, ModelRc, SharedString, VecModel};
use parlor_ui::{App, BanRow, Panel, RoomView, Shell, Words};

use super::mode_words::whom;
use super::phrases::phrase;
use super::text::shared;
use super::{Bridge, clock, on};
use crate::conversations::ConversationId;
use crate::session::{Action, Ban, Kind, Rank, RoomSetting, RoomSettings, Sentence};

impl Bridge {
    pub(super) fn listen_to_moderation(self: &Rc<Self>, window: &App) {
        let view = window.global::<RoomView>();
        on!(self, view, on_come_in, |this, key| this.come_in(&key));
        on!(self, view, on_set_key, |this, key| this.set(RoomSetting::Key(key.into())));
        on!(self, view, on_set_invite_only, |this, on| this.set(RoomSetting::InviteOnly(on)));
        on!(self, view, on_set_moderated, |this, on| this.set(RoomSetting::Moderated(on)));
        on!(self, view, on_set_topic_locked, |this, on| this.set(RoomSetting::TopicLocked(on)));
        on!(self, view, on_set_slow, |this, seconds| {
            this.set(RoomSetting::Slow(u32::try_from(seconds).ok().filter(|seconds| *seconds > 0)));
        });
        on!(self, view, on_unban, |this, index| this.unban(index));
        on!(self, view, on_ban, |this, name| {
            this.act_here(|room| Action::Ban { room, nick: name.trim().into() });
        });
    }

    /// The panel was opened, or shows another room.
    pub(super) fn look_at_room(&self, window: &App) {
        if window.global::<Shell>().get_panel() != Panel::Room {
            return;
        }
        let view = window.global::<RoomView>();
        view.set_bans_coming(true);
        view.set_bans_hidden(false);
        view.set_bans(ModelRc::default());
        let current = self.current();
        {
            let mut state = self.state.borrow_mut();
            state.bans.clear();
            state.bans_of = current;
        }
        self.act_here(|room| Action::LookAtBans { room });
        self.act_here(|room| Action::LookAtSettings { room });
    }

    /// Asks how the room on the screen is set and, as an operator, who may not speak there: once each time that we come
    /// in, or to it.
    pub(super) fn know_room(&self, window: &App) {
        let (settings, bans) = {
            let mut state = self.state.borrow_mut();
            let mutes = state.place().is_some_and(|place| place.tools.mutes);
            let asked = state.bans_of.clone();
            let Some(current) = state.conversations.current_mut().filter(|c| c.kind == Kind::Room) else {
                return;
            };
            let Some(me) = current.people.iter().find(|person| person.me) else { return };
            let bans = mutes && me.rank == Rank::Operator && asked.as_ref() != Some(&current.id);
            let settings = !std::mem::replace(&mut current.settings_asked, true);
            let id = current.id.clone();
            if bans {
                state.bans.clear();
                state.bans_of = Some(id);
            }
            (settings, bans)
        };
        if settings {
            self.act_here(|room| Action::LookAtSettings { room });
        }
        if bans {
            window.global::<RoomView>().set_bans_coming(true);
            self.act_here(|room| Action::LookAtBans { room });
        }
    }

    fn set(&self, setting: RoomSetting) {
        self.act_here(|room| Action::Set { room, setting });
    }

    /// How a room is set.
    pub(super) fn settings_of(&self, window: &App, id: &ConversationId, settings: RoomSettings) {
        let current = {
            let mut state = self.state.borrow_mut();
            if let Some(conversation) = state.conversations.get_mut(id) {
                conversation.settings = Some(settings);
            }
            state.conversations.is_current(id)
        };
        if current {
            self.show_room_settings(window);
        }
    }

    /// The same of the room on the screen; those of the room before are not this one's.
    pub(super) fn show_room_settings(&self, window: &App) {
        let state = self.state.borrow();
        let settings = state.conversations.current().and_then(|current| current.settings.clone());
        let (view, settings) = (window.global::<RoomView>(), settings.unwrap_or_default());
        view.set_slow(settings.slow.map_or(0, |pause| i32::try_from(pause).unwrap_or(i32::MAX)));
        view.set_invite_only(settings.invite_only);
        view.set_moderated(settings.moderated);
        view.set_topic_locked(settings.topic_locked);
        view.set_room_key(shared(settings.key.as_deref().unwrap_or_default()));
    }

    /// Who is kept out of a room; none: the server does not show it.
    pub(super) fn bans_of(&self, window: &App, id: &ConversationId, bans: Option<Vec<Ban>>) {
        if !self.state.borrow().conversations.is_current(id) {
            return;
        }
        let (view, words) = (window.global::<RoomView>(), window.global::<Words>());
        view.set_bans_coming(false);
        view.set_bans_hidden(bans.is_none());
        let bans = bans.unwrap_or_default();
        let format = self.state.borrow().settings.time_format;
        let row = |ban: &Ban| {
            let when = ban.at.map(|at| clock::full(&words, format, at).to_string());
            let by = Some(ban.by.clone()).filter(|by| !by.is_empty());
            let detail: Vec<String> = by.into_iter().chain(when).collect();
            BanRow {
                who: ban.mutes().map_or_else(|| whom(&words, &ban.mask), shared),
                detail: detail.join(" · ").into(),
                exception: ban.exception,
                mute: ban.mutes().is_some(),
            }
        };
        let rows: Vec<BanRow> = bans.iter().map(row).collect();
        view.set_bans(ModelRc::new(VecModel::from(rows)));
        {
            let mut state = self.state.borrow_mut();
            state.bans = bans;
            state.bans_of = Some(id.clone());
        }
        // Who may not speak.
        self.show_people(window);
    }

    fn unban(&self, index: i32) {
        let ban = usize::try_from(index).ok().and_then(|at| self.state.borrow().bans.get(at).cloned());
        if let Some(Ban { mask, exception, .. }) = ban {
            self.act_here(|room| Action::Unban { room, mask, exception });
        }
    }

    /// We are not in a room any more, or are again.
    pub(super) fn out(&self, window: &App, id: &ConversationId, why: Option<Sentence>) {
        let current = {
            let mut state = self.state.borrow_mut();
            if let Some(conversation) = state.conversations.get_mut(id) {
                conversation.out = why;
            }
            state.conversations.is_current(id)
        };
        if current {
            self.show_out(window);
            self.show_invite(window);
        }
    }

    pub(super) fn show_out(&self, window: &App) {
        let state = self.state.borrow();
        let (view, words) = (window.global::<RoomView>(), window.global::<Words>());
        let why = state.conversations.current().and_then(|current| current.out.as_ref());
        view.set_out(why.map_or_else(SharedString::default, |why| phrase(&words, why)));
        view.set_coming(false);
        view.set_invited(matches!(why, Some(Sentence::InvitesYou { .. })));
        let key = match why {
            Some(Sentence::NotBackIn { why }) => matches!(**why, Sentence::RoomKey { .. }),
            why => matches!(why, Some(Sentence::RoomKey { .. })),
        };
        view.set_asks_key(key);
    }

    /// Into the room on the screen, which we are not in.
    fn come_in(&self, key: &str) {
        let named = {
            let state = self.state.borrow();
            let current = state.conversations.current();
            current.map(|current| (current.id.place.clone(), current.name.clone()))
        };
        if let Some((place, room)) = named {
            let key = Some(key.trim().to_owned()).filter(|key| !key.is_empty());
            self.act(&place, Action::Join { room, key });
        }
    }
}
