//! What is kept on disk, and when.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use async_channel::Receiver;
use parlor_ui::slint::{ComponentHandle, Timer, TimerMode};
use parlor_ui::{App, Words};

use super::Bridge;
use super::places::Entry;
use super::state::State;
use super::text::shared;
use crate::folder::Trouble;
use crate::keeper::News;
use crate::limits::TYPED;
use crate::place::PlaceId;
use crate::platform::NotPasted;
use crate::session::{Kind, Open};

/// What was typed is on its way to the disk within this.
const SOON: Duration = Duration::from_secs(1);
/// How far was read is, within this.
const KEEP_READ: Duration = Duration::from_secs(20);

impl Bridge {
    /// Says that nothing can be kept, and why; everything else works.
    pub fn keeps_nothing(&self, reason: &io::Error) {
        if let Some(window) = self.window.upgrade() {
            let sentence = window.global::<Words>().invoke_nothing_kept(shared(&reason.to_string()));
            self.notice(&window, sentence);
        }
    }

    pub(super) fn keep_settings(&self) {
        self.keeper.keep_settings(&self.state.borrow().settings);
    }

    /// Says what comes up while things are kept.
    pub(super) fn watch_keeper(self: &Rc<Self>) {
        let (news, weak) = (self.keeper.news.clone(), Rc::downgrade(self));
        let watch = async move {
            while let Ok(news) = news.recv().await {
                let Some(bridge) = weak.upgrade() else { return };
                let Some(window) = bridge.window.upgrade() else { return };
                let words = window.global::<Words>();
                let sentence = match news {
                    News::Shared => words.invoke_folder_shared(),
                    News::NotKept(error) => words.invoke_settings_not_saved(shared(&error.to_string())),
                };
                bridge.notice(&window, sentence);
            }
        };
        self.tasks.spawn(watch).detach();
    }

    pub(super) fn tell_trouble(&self, window: &App, trouble: Trouble) {
        let words = window.global::<Words>();
        let sentence = match trouble {
            Trouble::Broken(broken) => {
                words.invoke_typed_set_aside(shared(&broken.aside.display().to_string()))
            }
            Trouble::Taken => words.invoke_name_used_twice(),
            Trouble::Unwritable(error) => words.invoke_nothing_kept(shared(&error.to_string())),
        };
        self.notice(window, sentence);
    }

    /// Says it when nothing was pasted.
    pub fn watch_clipboard(self: &Rc<Self>, not_pasted: Receiver<NotPasted>) {
        let weak = Rc::downgrade(self);
        let watch = async move {
            while let Ok(why) = not_pasted.recv().await {
                let Some(bridge) = weak.upgrade() else { return };
                let Some(window) = bridge.window.upgrade() else { return };
                let words = window.global::<Words>();
                bridge.notice(
                    &window,
                    match why {
                        NotPasted::Silent => words.invoke_clipboard_silent(),
                        NotPasted::TooLong => words.invoke_paste_too_long(TYPED as i32),
                    },
                );
            }
        };
        self.tasks.spawn(watch).detach();
    }

    /// Keeps what is open everywhere, and what was typed.
    pub(super) fn keep_drafts(&self) {
        self.drafts_due.stop();
        let places: Vec<PlaceId> = self.state.borrow().places.iter().map(|place| place.id.clone()).collect();
        places.iter().for_each(|place| self.keep_place(place));
    }

    /// The same, in a moment: much happens at a time.
    pub(super) fn keep_drafts_soon(self: &Rc<Self>) {
        self.keep_within(&self.drafts_due, SOON);
    }

    /// Lines were read.
    pub(super) fn keep_read(self: &Rc<Self>) {
        self.keep_within(&self.read_due, KEEP_READ);
    }

    fn keep_within(self: &Rc<Self>, timer: &Timer, time: Duration) {
        if timer.running() {
            return;
        }
        let weak = Rc::downgrade(self);
        timer.start(TimerMode::SingleShot, time, move || {
            weak.upgrade().into_iter().for_each(|bridge| {
                bridge.take_draft();
                bridge.keep_drafts();
            });
        });
    }

    /// Keeps what is open at a place, how far it was read, and what was typed there.
    pub(super) fn keep_place(&self, place: &PlaceId) {
        let mut state = self.state.borrow_mut();
        let State { places, conversations, drafts, settings, hosting, .. } = &mut *state;
        let Some(there) = places.get(place) else { return };
        let here = || conversations.iter().filter(|open| open.id.place == *place);
        if let Some(claim) = &there.claim {
            let open = here().filter(|open| open.comes_back()).map(|open| Open {
                name: open.name.clone(),
                kind: open.kind,
                key: open.room_key.clone(),
                read: open.view.read().map_or(0, |read| read.0),
            });
            let open: Vec<Open> = open.chain(there.back.iter().cloned()).collect();
            let current = conversations.looked_at(place).or(there.last.as_ref());
            let current = current.map(|key| key.to_string()).unwrap_or_default();
            let (drafts, notify) = (drafts.of(place), there.notify.clone());
            claim.change(move |kept| {
                (kept.drafts, kept.notify) = (drafts, notify);
                kept.set_open(open, current);
            });
        }
        // What is hosted is gone when the window is.
        let hosted = hosting.as_ref().is_some_and(|hosting| hosting.place == *place);
        if there.entry != Entry::Inside || hosted {
            return;
        }
        let address = there.id.address();
        let Some(bookmark) = settings.bookmarks.get(&address, &there.name) else { return };
        let rooms = || here().filter(|open| open.kind == Kind::Room);
        let shown = rooms().find(|room| conversations.is_current(&room.id));
        // Beside somebody whom one talks to, the last room stays.
        let last = rooms().find(|room| room.name == bookmark.room);
        let room = shown.or(last).or_else(|| rooms().next()).map_or("", |room| &*room.name);
        let looked_at = conversations.current().is_some_and(|current| current.id.place == *place);
        let news = looked_at && settings.look_at(&address, &there.name);
        if settings.follow(&address, &there.name, room) || news {
            self.keeper.keep_settings(settings);
        }
    }

    /// By our own wish we have another name there: what was typed under the old one is still ours.
    pub(super) fn renamed_ourselves(&self, place: &PlaceId, nick: String) {
        {
            let mut state = self.state.borrow_mut();
            let State { places, settings, .. } = &mut *state;
            let Some(there) = places.get_mut(place) else { return };
            there.whose = there.whose.called(&nick);
            if let Some(claim) = &there.claim {
                claim.rename(there.whose.clone());
            }
            settings.rename(&there.id.address(), &there.name, &nick);
            there.name = nick;
        }
        self.keep_settings();
    }
}
