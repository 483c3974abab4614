//! What the window shows, besides what stands in the views themselves.

use std::rc::Rc;

use async_channel::Receiver;
use parlor_server::Guest;
use parlor_ui::FoundLine;
use parlor_ui::slint::{SharedString, VecModel};
use smol::Task;

use super::desktop::Shown;
use super::lines::Lines;
use super::nearby::Nearby;
use super::places::{OpenPlace, Places};
use super::transcript::Saving;
use super::transfers::Transfers;
use super::tray::Trayed;
use super::undo::Undo;
use crate::bookmarks::Bookmark;
use crate::completion::Completion;
use crate::conversations::{Conversation, ConversationId, Conversations};
use crate::drafts::Drafts;
use crate::host::{End, Host};
use crate::net::Ended;
use crate::notify::Notices;
use crate::place::PlaceId;
use crate::session::{Ban, Line, Naming};
use crate::settings::Settings;
use crate::trust::KeyId;

#[derive(Default)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) drafts: Drafts,
    /// What stands in the composer, as it last fitted.
    pub(super) draft: SharedString,
    pub(super) places: Places,
    /// Each waits for what was open there before, and for what is kept, and then joins; one a place.
    pub(super) joining: Vec<(PlaceId, Task<()>)>,
    /// The place that the card waits for.
    pub(super) asked: Option<PlaceId>,
    /// What was open at the last start is on its way: its rooms are shown with the first one.
    pub(super) returning: bool,
    /// The bookmark that was removed last, and where it was.
    pub(super) removed: Option<(usize, Bookmark)>,
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
    /// What the switcher offers, in its order.
    pub(super) switching: Vec<Target>,
    pub(super) finding: Finding,
    pub(super) completion: Option<Completion>,
    /// The line that the next text answers, where it stands.
    pub(super) answering: Option<(ConversationId, Line)>,
    pub(super) transfers: Transfers,
    pub(super) notices: Notices,
    /// A server and its key, of which the card asks whether to trust it.
    pub(super) stranger: Option<(String, KeyId)>,
    /// What the desktop shows of them.
    pub(super) told: Shown,
    pub(super) tray: Trayed,
    /// Who is kept out of the room on the screen, or may not speak there, as far as that was asked for.
    pub(super) bans: Vec<Ban>,
    /// The room of which that was asked last.
    pub(super) bans_of: Option<ConversationId>,
    /// What was done last and can be taken back.
    pub(super) undo: Option<Undo>,
    /// Who is to be sent out and kept out; the server confirms the one and then the other.
    pub(super) sending_out: Option<String>,
    /// The sentence above the room says that some room of this place does not let us in.
    pub(super) refused: Option<PlaceId>,
    pub(super) saving: Option<Saving>,
    pub(super) nearby: Nearby,
    pub(super) hosting: Option<Hosting>,
    /// Opens the history and starts a server.
    pub(super) starting: Option<Task<()>>,
    /// Hosted servers that still say good-bye.
    pub(super) stopping: Vec<Receiver<End>>,
}

/// What the switcher goes to.
#[derive(Clone)]
pub(super) enum Target {
    Open(ConversationId),
    /// Somebody with whom there is no conversation yet.
    Person(PlaceId, String),
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

/// A row of the list of rooms.
pub(super) enum ListRow<'a> {
    /// Above what is open at a place, where there are several.
    Place(&'a OpenPlace),
    Conversation(&'a Conversation<Rc<Lines>>),
}

impl State {
    /// The list of rooms, from top to bottom.
    pub(super) fn list(&self) -> Vec<ListRow<'_>> {
        if self.places.len() < 2 {
            return self.conversations.listed().map(ListRow::Conversation).collect();
        }
        let mut rows = Vec::new();
        for place in self.conversations.places() {
            rows.extend(self.places.get(place).map(ListRow::Place));
            let of_it = self.conversations.listed().filter(|one| one.id.place == *place);
            rows.extend(of_it.map(ListRow::Conversation));
        }
        rows
    }

    /// A conversation has another name: what is begun there goes on.
    pub(super) fn rename(&mut self, from: &ConversationId, to: &ConversationId) {
        let named = [
            // Its session reads on by itself.
            self.reading.as_mut(),
            self.answering.as_mut().map(|(of, _)| of),
            self.bans_of.as_mut(),
            self.finding.id.as_mut(),
            self.undo.as_mut().map(|undo| &mut undo.id),
            self.saving.as_mut().map(|saving| &mut saving.of),
        ];
        named.into_iter().flatten().filter(|id| *id == from).for_each(|id| *id = to.clone());
    }

    /// What a place is called among the others: its hosts, where no other one has the same.
    pub(super) fn label(&self, place: &PlaceId) -> String {
        let hosts = place.servers().hosts();
        let alike = self.places.iter().filter(|other| other.id.servers().hosts() == hosts).count();
        if alike > 1 { place.address() } else { hosts }
    }

    /// The same, where there are several.
    pub(super) fn label_among(&self, place: &PlaceId) -> Option<String> {
        (self.places.len() > 1).then(|| self.label(place))
    }

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
