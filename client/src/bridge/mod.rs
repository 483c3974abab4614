//! Between the window and everything else, on the UI thread only: events become what the
//! window shows, what a person does becomes actions. No layout here, and nothing that waits.
//!
//! Imports run downwards only:
//!
//! | floor | files |
//! | --- | --- |
//! | one adapter of the window each | `card`, `nearby`, `invite`, `host_page`, `host_bar`, `guests`, `rooms`, `room`, `moderation`, `timeline`, `marking`, `marks`, `menu`, `composer`, `emoji`, `people`, `hands`, `undo`, `browse`, `switcher`, `find`, `status`, `preferences`, `transcript`, `transfers` |
//! | what no view owns | `announce`, `arguments`, `links`, `connect`, `entry`, `events`, `history`, `desktop`, `tray`, `cursor`, `files`, `frame`, `reading`, `end`, `signals` |
//! | the bridge itself | this file |
//! | what it holds | `state`, `places`, `lines`, `tasks` |
//! | tools | `chooser`, `clipboard`, `clock`, `comings`, `drawing`, `layout`, `mode_words`, `notifications`, `phrases`, `picture`, `rows`, `text` |

mod announce;
mod arguments;
mod browse;
mod card;
mod chooser;
mod clipboard;
mod clock;
mod comings;
mod composer;
mod connect;
mod cursor;
mod desktop;
mod drawing;
mod emoji;
mod end;
mod entry;
mod events;
mod files;
mod find;
mod frame;
mod guests;
mod hands;
mod history;
mod host_bar;
mod host_page;
mod invite;
mod layout;
mod lines;
mod links;
mod marking;
mod marks;
mod menu;
mod mode_words;
mod moderation;
mod nearby;
mod notifications;
mod pace;
mod people;
mod phrases;
mod picture;
mod places;
mod preferences;
mod reading;
mod room;
mod rooms;
mod rows;
mod signals;
mod state;
mod status;
mod switcher;
mod tasks;
mod text;
mod timeline;
mod transcript;
mod transfers;
mod tray;
mod undo;

use std::cell::RefCell;
use std::rc::Rc;

use parlor_ui::slint::{self, ComponentHandle, Weak};
use parlor_ui::{App, Words};

use crate::conversations::ConversationId;
use crate::folder::Folder;
use crate::keeper::Keeper;
use crate::place::PlaceId;
use crate::session::{Action, Key};

pub use arguments::Arguments;
pub use frame::Opener;
pub use signals::end;
use state::State;
use tasks::Tasks;
use text::shared;

/// Connects a callback of a view to a method of the bridge, as long as that lives.
macro_rules! on {
    ($bridge:expr, $view:expr, $callback:ident, |$this:ident $(, $arg:ident)*| $body:expr) => {{
        let weak = std::rc::Rc::downgrade($bridge);
        $view.$callback(move |$($arg),*| match weak.upgrade() {
            Some($this) => $body,
            None => Default::default(),
        });
    }};
}
use on;

/// See the [module](self).
pub struct Bridge {
    window: Weak<App>,
    folder: Folder,
    keeper: Keeper,
    tasks: Tasks,
    state: RefCell<State>,
    /// Keeps what was typed, and what is open, soon.
    drafts_due: slint::Timer,
    /// Keeps how far was read, at times.
    read_due: slint::Timer,
    /// Runs while the window is moved or changes its size.
    frame_due: slint::Timer,
    /// Counts down to the next attempt; shows guests while they are looked at.
    tick: slint::Timer,
    /// Waits for another day.
    midnight: slint::Timer,
    /// What a screen reader is to say.
    announcer: announce::Announcer,
    /// Waits until the desktop may be told again.
    notices_due: slint::Timer,
    /// Runs until the text cursor comes to rest.
    rest: slint::Timer,
    /// Runs until the toolkit is told where the pointer is.
    pointing: slint::Timer,
    /// Runs while the line that a search jumped to is highlighted.
    highlight: slint::Timer,
    /// Runs while what was done can be taken back.
    undo_due: slint::Timer,
}

impl Bridge {
    /// Reads what is remembered, fills the views, and listens to what the person does.
    pub fn new(window: &App, folder: Folder) -> Rc<Bridge> {
        let (settings, settings_broken) = folder.settings();
        let bridge = Rc::new(Bridge {
            window: window.as_weak(),
            keeper: Keeper::start(folder.clone(), settings.clone()),
            folder,
            tasks: Tasks::new(),
            state: RefCell::new(State { settings, ..State::default() }),
            drafts_due: slint::Timer::default(),
            read_due: slint::Timer::default(),
            frame_due: slint::Timer::default(),
            tick: slint::Timer::default(),
            midnight: slint::Timer::default(),
            announcer: announce::Announcer::default(),
            notices_due: slint::Timer::default(),
            rest: slint::Timer::default(),
            pointing: slint::Timer::default(),
            highlight: slint::Timer::default(),
            undo_due: slint::Timer::default(),
        });
        bridge.clear_previews(window);
        bridge.listen_to_shell(window);
        bridge.listen_to_card(window);
        bridge.listen_to_nearby(window);
        bridge.listen_to_invite(window);
        bridge.listen_to_host_page(window);
        bridge.listen_to_host_bar(window);
        bridge.listen_to_guests(window);
        bridge.listen_to_rooms(window);
        bridge.listen_to_room(window);
        bridge.listen_to_transcript(window);
        bridge.listen_to_reading(window);
        bridge.listen_to_moderation(window);
        bridge.listen_to_undo(window);
        bridge.listen_to_hands(window);
        bridge.listen_to_status(window);
        bridge.listen_to_timeline(window);
        bridge.listen_to_marking(window);
        bridge.listen_to_marks(window);
        bridge.listen_to_emoji(window);
        menu::listen_to_menus(window);
        bridge.listen_to_composer(window);
        bridge.listen_to_files(window);
        bridge.listen_to_people(window);
        bridge.listen_to_browse(window);
        bridge.listen_to_switcher(window);
        bridge.listen_to_find(window);
        bridge.listen_to_preferences(window);
        bridge.apply_settings(window);
        bridge.show_tray();
        bridge.fill_card(window);
        bridge.show_ignored(window);
        let words = window.global::<Words>();
        if let Some(broken) = settings_broken {
            let aside = shared(&broken.aside.display().to_string());
            bridge.notice(window, words.invoke_settings_set_aside(aside));
        }
        bridge.watch_keeper();
        bridge.watch_activity(window);
        bridge.look_at_date();
        bridge
    }

    /// Examples are for the previewer.
    fn clear_previews(&self, window: &App) {
        use parlor_ui::slint::{ModelRc, SharedString};
        use parlor_ui::*;

        window.global::<RoomsView>().set_rooms(ModelRc::default());
        window.global::<ConnectView>().set_bookmarks(ModelRc::default());
        window.global::<NearbyView>().set_rooms(ModelRc::default());
        window.global::<PeopleView>().set_people(ModelRc::default());
        window.global::<TimelineView>().set_lines(ModelRc::default());
        window.global::<BrowseView>().set_listed(ModelRc::default());
        window.global::<SwitcherView>().set_switcher(ModelRc::default());
        window.global::<RoomView>().set_topic(SharedString::default());
        window.global::<RoomView>().set_bans(ModelRc::default());
        window.global::<RoomView>().set_out(SharedString::default());
        window.global::<RoomView>().set_topic_locked(false);
        window.global::<RoomView>().set_slows(false);
        window.global::<PeopleView>().set_hands(false);
        window.global::<StatusView>().set_me(SharedString::default());
        window.global::<HostView>().set_guests(ModelRc::default());
        window.global::<HostView>().set_name(SharedString::default());
        window.global::<FindView>().set_query(SharedString::default());
        self.forget_found(window);
        window.global::<AboutView>().set_version(env!("CARGO_PKG_VERSION").into());
    }

    /// The conversation on the screen.
    fn current(&self) -> Option<ConversationId> {
        self.state.borrow().conversations.current().map(|current| current.id.clone())
    }

    /// Gives the session of a place something to do; `false` if it cannot take it: the network thread is far behind,
    /// and a person hardly outruns it.
    fn act(&self, place: &PlaceId, action: Action) -> bool {
        let state = self.state.borrow();
        let Some(place) = state.places.get(place) else { return false };
        // Full: it hurries already.
        let _ = place.hurry.try_send(());
        place.connection.actions.try_send(action).is_ok()
    }

    /// The same, in the conversation on the screen.
    fn act_here(&self, action: impl FnOnce(Key) -> Action) {
        if let Some(ConversationId { place, key }) = self.current() {
            self.act(&place, action(key));
        }
    }

    /// The place of that conversation, or the only one.
    fn place_id(&self) -> Option<PlaceId> {
        self.state.borrow().place().map(|place| place.id.clone())
    }

    /// The same as [`act`](Self::act), there.
    fn act_at_place(&self, action: Action) {
        if let Some(place) = self.place_id() {
            self.act(&place, action);
        }
    }
}
