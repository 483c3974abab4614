//! What the window shows, besides what stands in the views themselves.

use std::rc::Rc;

use async_channel::Receiver;
use parlor_server::Guest;
use parlor_ui::FoundLine;
use parlor_ui::slint::{SharedString, VecModel};
use smol::Task;

use super::desktop::Shown;
use super::lines::Lines;
use super::places::{OpenPlace, Places};
use super::transfers::Transfers;
use crate::completion::Completion;
use crate::conversations::{ConversationId, Conversations};
use crate::drafts::Drafts;
use crate::host::{End, Host};
use crate::net::Ended;
use crate::notify::Notices;
use crate::place::PlaceId;
use crate::session::{Ban, Line, Naming};
use crate::settings::Settings;
use crate::tls::KeyId;

#[derive(Default)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) drafts: Drafts,
    /// What stands in the composer, as it last fitted.
    pub(super) draft: SharedString,
    pub(super) places: Places,
    /// Waits for what was open there before, and then joins.
    pub(super) joining: Option<Task<()>>,
    /// Connections that still say good-bye.
    pub(super) leaving: Vec<(PlaceId, Receiver<Ended>)>,
    pub(super) conversations: Conversations<Rc<Lines>>,
    /// The one that is being read, if it is.
    pub(super) reading: Option<ConversationId>,
    /// What the separators call today.
    pub(super) today: i64,
    /// In lower case.
    pub(super) people_filter: String,
    pub(super) listed_filter: String,
    pub(super) switcher_filter: String,
    pub(super) finding: Finding,
    pub(super) completion: Option<Completion>,
    pub(super) transfers: Transfers,
    pub(super) notices: Notices,
    /// A server and its key, of which the card asks whether to trust it.
    pub(super) stranger: Option<(String, KeyId)>,
    /// What the desktop shows of them.
    pub(super) told: Shown,
    /// Who is kept out of the room on the screen, as far as that was asked for.
    pub(super) bans: Vec<Ban>,
    /// The sentence above the room says that some room does not let us in.
    pub(super) refused: bool,
    pub(super) hosting: Option<Hosting>,
    /// Opens the history and starts a server.
    pub(super) starting: Option<Task<()>>,
    /// Hosted servers that still say good-bye.
    pub(super) stopping: Vec<Receiver<End>>,
}

/// A search, and what it has found.
#[derive(Default)]
pub(super) struct Finding {
    pub(super) id: Option<ConversationId>,
    pub(super) text: String,
    pub(super) lines: Vec<Line>,
    pub(super) rows: Rc<VecModel<FoundLine>>,
}

/// A room hosted by this program.
pub(super) struct Hosting {
    pub(super) host: Host,
    /// Where our own session finds it.
    pub(super) place: PlaceId,
    pub(super) room: String,
    /// Everyone who was there when last asked.
    pub(super) guests: Vec<Guest>,
}

impl State {
    /// The place of the conversation on the screen, or the only one.
    pub(super) fn place(&self) -> Option<&OpenPlace> {
        let shown = self.conversations.current().and_then(|current| self.places.get(&current.id.place));
        shown.or(self.places.first())
    }

    /// Our name there, if we are anywhere.
    pub(super) fn me(&self) -> Option<&str> {
        self.place().map(|place| place.me.as_str()).filter(|me| !me.is_empty())
    }

    /// How that place tells names apart.
    pub(super) fn naming(&self) -> Naming {
        self.place().map(|place| place.naming.clone()).unwrap_or_default()
    }

    /// Whether a place is what this program hosts.
    pub(super) fn hosts(&self, place: &PlaceId) -> bool {
        self.hosting.as_ref().is_some_and(|hosting| hosting.place == *place)
    }

    /// Whether a conversation is the room that this program hosts.
    pub(super) fn is_hosted(&self, id: &ConversationId) -> bool {
        let key = |hosting: &Hosting| Some(self.places.get(&hosting.place)?.naming.key(&hosting.room));
        let hosting = self.hosting.as_ref().filter(|hosting| hosting.place == id.place);
        hosting.and_then(key).is_some_and(|key| key == id.key)
    }
}
