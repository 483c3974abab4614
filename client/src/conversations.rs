//! The open conversations of all places, in the order of the list: which one is on the screen,
//! which one wants to be read next.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::notify::RoomNotify;
use crate::place::PlaceId;
use crate::sent::Sent;
use crate::session::{Key, Kind, Naming, Person, Rank, RoomSettings, Sentence};

/// A conversation of one place. The same after every start, so files may hold it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConversationId {
    /// The server.
    pub place: PlaceId,
    /// The room, person or the server itself, as it names them.
    pub key: Key,
}

impl ConversationId {
    /// The conversation of this key there.
    pub fn new(place: &PlaceId, key: Key) -> ConversationId {
        ConversationId { place: place.clone(), key }
    }
}

/// `chat.example:6667 #lobby`.
impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place, self.key)
    }
}

/// One conversation, with the front end's own view of its lines.
#[derive(Debug)]
pub struct Conversation<V> {
    /// Which one.
    pub id: ConversationId,
    /// As the server or its owner writes it.
    pub name: String,
    /// With whom.
    pub kind: Kind,
    /// Who is in the room, in the order of the session.
    pub people: Arc<[Person]>,
    /// Empty: none.
    pub topic: String,
    /// Whose hands are up, the first first.
    pub hands: Vec<Key>,
    /// They were told since we came in.
    pub hands_known: bool,
    /// How the room is set, as far as the server has said.
    pub settings: Option<RoomSettings>,
    /// It was asked for that, since we came in.
    pub settings_asked: bool,
    /// What opens the room, a secret; empty: it needs nothing, or nobody has told us.
    pub room_key: String,
    /// Why we are not in the room.
    pub out: Option<Sentence>,
    /// Who is typing, in the order in which they began.
    pub typing: Vec<String>,
    /// It has said something: the server's own messages are not listed before.
    pub spoke: bool,
    /// Lines of others that were not read.
    pub unread: u32,
    /// Those of them with our name.
    pub mentions: u32,
    /// What the desktop is told of it.
    pub notify: RoomNotify,
    /// What was sent in it: a private line does not come back in a room.
    pub sent: Sent,
    /// The lines.
    pub view: V,
}

impl<V> Conversation<V> {
    /// Whether something in it waits that is for us alone, or has our name in it.
    pub fn is_for_me(&self) -> bool {
        self.for_me() > 0
    }

    /// Whether it is to be opened again at the next start: not a room that we were put out of, or
    /// only invited to.
    pub fn comes_back(&self) -> bool {
        matches!(self.out, None | Some(Sentence::NotBackIn { .. }))
    }

    /// Whether nothing in it is of interest before it is looked at.
    pub fn is_muted(&self) -> bool {
        self.notify == RoomNotify::Muted
    }

    /// Lines that were not read, where that is of interest.
    fn news(&self) -> u32 {
        if self.is_muted() { 0 } else { self.unread }
    }

    /// How many lines that is.
    fn for_me(&self) -> u32 {
        if self.is_muted() {
            return 0;
        }
        if matches!(self.kind, Kind::Person | Kind::Others) { self.unread } else { self.mentions }
    }

    /// The name, of a room without the usual prefix, for a list that has icons.
    pub fn short_name(&self, naming: &Naming) -> &str {
        if self.kind == Kind::Room { naming.short(&self.name) } else { &self.name }
    }

    /// Whether somebody is in the room, and away.
    fn has_away(&self, person: &Key) -> bool {
        let operators = self.people.partition_point(|one| one.rank == Rank::Operator);
        let (operators, others) = self.people.split_at(operators);
        let away = |people: &[Person]| {
            let at = people.binary_search_by(|one| one.key.cmp(person)).ok();
            at.and_then(|at| people.get(at)).is_some_and(|one| one.away)
        };
        away(operators) || away(others)
    }

    /// The people whose names have this in them (in lower case).
    pub fn people_named<'a>(&'a self, part: &'a str) -> impl Iterator<Item = &'a Person> {
        self.people.iter().filter(move |person| person.name.to_lowercase().contains(part))
    }
}

/// All of them: place by place, as those were added; in each the rooms, then the people, then what strangers share and
/// the server, as they came.
/// As many as the sessions have open.
#[derive(Debug)]
pub struct Conversations<V> {
    /// From top to bottom; as many as there are sessions.
    places: Vec<PlaceId>,
    order: Vec<ConversationId>,
    open: HashMap<ConversationId, Conversation<V>>,
    current: Option<ConversationId>,
    /// To be shown as soon as it is open.
    wanted: Option<ConversationId>,
}

impl<V> Default for Conversations<V> {
    fn default() -> Conversations<V> {
        let (places, order) = (Vec::new(), Vec::new());
        Conversations { places, order, open: HashMap::new(), current: None, wanted: None }
    }
}

impl<V> Conversations<V> {
    /// A place comes last in the list, unless it is there already.
    pub fn add_place(&mut self, place: &PlaceId) {
        if !self.places.contains(place) {
            self.places.push(place.clone());
        }
    }

    /// From top to bottom.
    pub fn places(&self) -> &[PlaceId] {
        &self.places
    }

    /// From top to bottom.
    pub fn iter(&self) -> impl Iterator<Item = &Conversation<V>> {
        self.order.iter().filter_map(|id| self.open.get(id))
    }

    /// Those that the list shows, from top to bottom: not a server that has nothing to say.
    pub fn listed(&self) -> impl Iterator<Item = &Conversation<V>> {
        let listed =
            move |one: &&Conversation<V>| one.kind != Kind::Server || one.spoke || self.is_current(&one.id);
        self.iter().filter(listed)
    }

    /// The `i`th of the list from the top.
    pub fn at(&self, i: usize) -> Option<&Conversation<V>> {
        self.listed().nth(i)
    }

    /// The conversation, if it is open.
    pub fn get(&self, id: &ConversationId) -> Option<&Conversation<V>> {
        self.open.get(id)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, id: &ConversationId) -> Option<&mut Conversation<V>> {
        self.open.get_mut(id)
    }

    /// The one on the screen.
    pub fn current(&self) -> Option<&Conversation<V>> {
        self.get(self.current.as_ref()?)
    }

    /// The same, to be changed.
    pub fn current_mut(&mut self) -> Option<&mut Conversation<V>> {
        self.open.get_mut(self.current.as_ref()?)
    }

    /// Whether this one is on the screen.
    pub fn is_current(&self, id: &ConversationId) -> bool {
        self.current.as_ref() == Some(id)
    }

    /// Opens one, or renames it; says whether it is to be shown now: it was [wanted](Self::want),
    /// or there is only its server to look at and nothing is wanted there.
    pub fn open(&mut self, id: &ConversationId, name: String, kind: Kind, view: impl FnOnce() -> V) -> bool {
        if let Some(known) = self.get_mut(id) {
            known.name = name;
            return false;
        }
        let conversation = Conversation {
            id: id.clone(),
            name,
            kind,
            people: Arc::from([]),
            topic: String::new(),
            hands: Vec::new(),
            hands_known: false,
            settings: None,
            settings_asked: false,
            room_key: String::new(),
            out: None,
            typing: Vec::new(),
            spoke: false,
            unread: 0,
            mentions: 0,
            notify: RoomNotify::default(),
            sent: Sent::default(),
            view: view(),
        };
        self.add_place(&id.place);
        let rank = |place: &PlaceId| self.places.iter().position(|other| other == place);
        let here = rank(&id.place);
        let before = |other: &ConversationId| {
            let kind_of = |other| self.open.get(other).map(|other| order(other.kind));
            (rank(&other.place), kind_of(other)) <= (here, Some(order(kind)))
        };
        let at = self.order.iter().rposition(before).map_or(0, |last| last + 1);
        self.order.insert(at, id.clone());
        self.open.insert(id.clone(), conversation);
        if self.wanted.take_if(|wanted| *wanted == *id).is_some() {
            return true;
        }
        let waits = self.wanted.as_ref().is_some_and(|wanted| wanted.place == id.place);
        match &self.current {
            Some(current) => {
                current.place == id.place && current.key.is_server() && kind == Kind::Room && !waits
            }
            None => true,
        }
    }

    /// Closes one; if it was on the screen, the one to be shown instead.
    pub fn close(&mut self, id: &ConversationId) -> Option<ConversationId> {
        self.order.retain(|other| other != id);
        self.open.remove(id);
        if !self.is_current(id) {
            return None;
        }
        let near = self.order.iter().find(|other| other.place == id.place);
        near.or(self.order.first()).cloned()
    }

    /// Closes all of a place; the one on the screen is gone if it was there.
    pub fn close_place(&mut self, place: &PlaceId) {
        self.places.retain(|other| other != place);
        self.order.retain(|id| id.place != *place);
        self.open.retain(|id, _| id.place != *place);
        self.current.take_if(|current| current.place == *place);
        self.wanted.take_if(|wanted| wanted.place == *place);
    }

    /// The person of a private conversation has another name.
    pub fn rename(&mut self, id: &ConversationId, to: &ConversationId, name: String) {
        if let Some(mut conversation) = self.open.remove(id) {
            conversation.id = to.clone();
            conversation.name = name;
            self.open.insert(to.clone(), conversation);
            self.order.iter_mut().filter(|other| *other == id).for_each(|other| *other = to.clone());
        }
        if let Some(current) = self.current.as_mut().filter(|current| *current == id) {
            *current = to.clone();
        }
    }

    /// Puts one on the screen; says whether it is open.
    pub fn show(&mut self, id: &ConversationId) -> bool {
        let known = self.get(id).is_some();
        if known {
            self.current = Some(id.clone());
        }
        known
    }

    /// The person wants to see this one: says whether it is open; if not, [`open`](Self::open) will
    /// say that it is to be shown.
    pub fn want(&mut self, id: ConversationId) -> bool {
        let known = self.get(&id).is_some();
        self.wanted = (!known).then_some(id);
        known
    }

    /// What was wanted of a place will not come: gives the room to be shown instead, if nothing is shown but the server.
    pub fn do_without(&mut self, place: &PlaceId) -> Option<ConversationId> {
        self.wanted.take_if(|wanted| wanted.place == *place)?;
        let nothing = self.current.as_ref().is_none_or(|current| current.key.is_server());
        let room = self.iter().find(|one| nothing && one.id.place == *place && one.kind == Kind::Room)?;
        Some(room.id.clone())
    }

    /// The key of what is on the screen of a place, or soon will be.
    pub fn looked_at(&self, place: &PlaceId) -> Option<&Key> {
        let both = self.wanted.iter().chain(&self.current);
        both.map(|id| (&id.place, &id.key)).find(|(of, _)| *of == place).map(|(_, key)| key)
    }

    /// What is to be shown of a place where nothing is wanted: its first room, or what else there is of it.
    pub fn first_of(&self, place: &PlaceId) -> Option<&ConversationId> {
        self.order.iter().find(|id| id.place == *place)
    }

    /// The one so many places further down, round and round.
    pub fn step(&self, by: isize) -> Option<&ConversationId> {
        let listed: Vec<&ConversationId> = self.listed().map(|one| &one.id).collect();
        let count = isize::try_from(listed.len()).ok().filter(|count| *count > 0)?;
        let at = listed.iter().position(|id| self.is_current(id))?;
        let at = isize::try_from(at).ok()?.checked_add(by)?.rem_euclid(count);
        listed.get(usize::try_from(at).ok()?).copied()
    }

    /// The first one with something for us, else with something unread.
    pub fn next_unread(&self) -> Option<&ConversationId> {
        let mine = self.iter().find(|conversation| conversation.is_for_me());
        let any = || self.iter().find(|conversation| conversation.news() > 0);
        mine.or_else(any).map(|conversation| &conversation.id)
    }

    /// Lines that wait, for a window's title: all of the one on the screen, and of the others those
    /// that are for us.
    pub fn waiting(&self) -> u32 {
        self.iter().fold(0, |sum, one| {
            let shown = self.is_current(&one.id);
            sum.saturating_add(if shown { one.news() } else { one.for_me() })
        })
    }

    /// Those whose names have this in them (in lower case): what waits for us first, then what is
    /// unread, then the rest.
    pub fn named(&self, part: &str) -> Vec<&Conversation<V>> {
        let mut found: Vec<&Conversation<V>> =
            self.iter().filter(|one| one.name.to_lowercase().contains(part)).collect();
        found.sort_by_key(|one| (!one.is_for_me(), one.news() == 0));
        found
    }

    /// Whether the person of a private conversation is away, as a room that we share with them says.
    pub fn is_away(&self, conversation: &Conversation<V>) -> bool {
        let rooms = self.open.values().filter(|room| room.id.place == conversation.id.place);
        conversation.kind == Kind::Person && { rooms }.any(|room| room.has_away(&conversation.id.key))
    }
}

fn order(kind: Kind) -> u8 {
    match kind {
        Kind::Room => 0,
        Kind::Person => 1,
        Kind::Others => 2,
        Kind::Server => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;

    fn id(place: &str, name: &str) -> ConversationId {
        let key = if name == "*" { Key::server() } else { Key::new(name) };
        ConversationId::new(&Place::parse(place).unwrap().id(), key)
    }

    impl Conversations<()> {
        fn opens(&mut self, place: &str, name: &str) -> bool {
            let kind = match name {
                "*" => Kind::Server,
                name if name.starts_with('#') => Kind::Room,
                _ => Kind::Person,
            };
            let id = id(place, name);
            let shown = self.open(&id, name.to_uppercase(), kind, || ());
            assert!(!shown || self.show(&id));
            shown
        }

        fn list(&self) -> Vec<String> {
            self.iter().map(|conversation| conversation.id.to_string()).collect()
        }
    }

    fn two_places() -> Conversations<()> {
        let mut open = Conversations::default();
        for (place, name) in [("a:1", "*"), ("a:1", "bob"), ("a:1", "#lobby"), ("b:2", "*")] {
            open.opens(place, name);
        }
        for (place, name) in [("b:2", "#lobby"), ("a:1", "#tea"), ("b:2", "bob")] {
            assert!(!open.opens(place, name), "{name} pushes itself forward");
        }
        open
    }

    #[test]
    fn rooms_people_server_place_by_place() {
        let list = two_places().list();
        let expected = ["a:1 #lobby", "a:1 #tea", "a:1 bob", "a:1 *", "b:2 #lobby", "b:2 bob", "b:2 *"];
        assert_eq!(list, expected);
    }

    #[test]
    fn the_first_room_is_shown_and_then_what_is_wanted() {
        let mut open = Conversations::default();
        assert!(open.opens("a:1", "*"));
        assert!(!open.opens("a:1", "bob"));
        assert!(open.opens("a:1", "#lobby"));
        assert!(!open.opens("a:1", "#tea"));
        assert!(!open.want(id("a:1", "#quiz")));
        assert!(!open.opens("b:2", "#quiz"), "a room of the same name elsewhere");
        assert!(open.opens("a:1", "#quiz"));
        assert!(open.want(id("a:1", "#lobby")), "it is open");
        assert!(!open.opens("a:1", "#LOBBY"), "known already");
        assert_eq!(open.current().unwrap().id, id("a:1", "#quiz"));
    }

    #[test]
    fn a_second_server_does_not_push_itself_before_the_first_ones_own_words() {
        let mut open = Conversations::default();
        assert!(open.opens("a:1", "*") && !open.opens("b:2", "*"));
        assert!(!open.opens("b:2", "#lobby"), "somebody reads at the first one");
        assert_eq!(open.first_of(&id("b:2", "*").place), Some(&id("b:2", "#lobby")));
        assert!(open.opens("a:1", "#lobby"));
    }

    #[test]
    fn others_do_not_push_themselves_before_what_is_wanted() {
        let (mut open, place) = (Conversations::default(), id("a:1", "*").place);
        assert!(!open.want(id("a:1", "#quiz")));
        assert!(open.opens("a:1", "*"));
        assert!(!open.opens("a:1", "#tea") && !open.opens("a:1", "bob"));
        assert_eq!(open.looked_at(&place), Some(&Key::new("#quiz")));
        assert!(open.opens("a:1", "#quiz"));
        assert_eq!(open.do_without(&place), None, "it has come");
        assert!(!open.want(id("a:1", "#more")));
        assert_eq!(open.do_without(&place), None, "something is shown");
        assert!(open.show(&id("a:1", "*")) && !open.want(id("a:1", "#more")));
        assert_eq!(open.do_without(&place), Some(id("a:1", "#tea")));
        assert_eq!(open.looked_at(&place), Some(&Key::server()));
    }

    #[test]
    fn what_closes_gives_way_to_its_neighbour() {
        let mut open = two_places();
        assert!(open.show(&id("b:2", "bob")));
        assert_eq!(open.close(&id("b:2", "*")), None);
        assert_eq!(open.close(&id("b:2", "bob")), Some(id("b:2", "#lobby")));
        assert!(open.show(&id("b:2", "#lobby")));
        assert_eq!(open.close(&id("b:2", "#lobby")), Some(id("a:1", "#lobby")));
        open.show(&id("a:1", "bob"));
        open.rename(&id("a:1", "bob"), &id("a:1", "rob"), "rob".into());
        assert_eq!(
            (open.current().unwrap().name.as_str(), open.is_current(&id("a:1", "rob"))),
            ("rob", true)
        );
        open.close_place(&id("a:1", "*").place);
        assert_eq!((open.current().is_none(), open.list().len()), (true, 0));
        assert!(!open.show(&id("a:1", "rob")));
    }

    #[test]
    fn steps_go_round_and_unread_ones_come_first() {
        let mut open = two_places();
        open.show(&id("a:1", "#lobby"));
        assert_eq!(open.step(1), Some(&id("a:1", "#tea")));
        assert_eq!(open.step(-1), Some(&id("b:2", "bob")), "a silent server is not listed");
        open.get_mut(&id("b:2", "*")).unwrap().spoke = true;
        assert_eq!(open.step(-1), Some(&id("b:2", "*")));
        assert_eq!((open.next_unread(), open.waiting()), (None, 0));
        open.get_mut(&id("a:1", "#tea")).unwrap().unread = 9;
        assert_eq!(open.next_unread(), Some(&id("a:1", "#tea")));
        open.get_mut(&id("b:2", "bob")).unwrap().unread = 2;
        let lobby = open.get_mut(&id("b:2", "#lobby")).unwrap();
        (lobby.unread, lobby.mentions) = (7, 3);
        assert_eq!((open.next_unread(), open.waiting()), (Some(&id("b:2", "#lobby")), 5));
        open.get_mut(&id("b:2", "#lobby")).unwrap().notify = RoomNotify::Muted;
        assert_eq!(
            (open.next_unread(), open.waiting()),
            (Some(&id("b:2", "bob")), 2),
            "nobody wants to know"
        );
        open.get_mut(&id("b:2", "#lobby")).unwrap().notify = RoomNotify::Usual;
        // Nobody looks at the window: what is on the screen is not read either.
        open.get_mut(&id("a:1", "#lobby")).unwrap().unread = 4;
        assert_eq!(open.waiting(), 9);
        open.get_mut(&id("a:1", "#lobby")).unwrap().unread = 0;
        let found: Vec<String> = open.named("b").into_iter().map(|one| one.id.to_string()).collect();
        assert_eq!(found, ["b:2 #lobby", "b:2 bob", "a:1 #lobby", "a:1 bob"]);
        assert_eq!(open.named("")[2].id, id("a:1", "#tea"));
    }

    #[test]
    fn somebody_is_away_where_we_talk_to_them() {
        let mut open = two_places();
        let person = |name: &str, away| {
            let (key, name, rank) = (Key::new(name), name.into(), Rank::Member);
            Person { key, name, rank, away, me: false }
        };
        open.get_mut(&id("a:1", "#lobby")).unwrap().people =
            [person("alice", false), person("BOB", true)].into();
        let away = |place: &str| open.is_away(open.get(&id(place, "bob")).unwrap());
        assert_eq!((away("a:1"), away("b:2")), (true, false));
        let lobby = open.get(&id("a:1", "#lobby")).unwrap();
        assert!(!open.is_away(lobby));
        assert_eq!(lobby.people_named("li").count(), 1);
        assert_eq!(lobby.short_name(&Naming::default()), "LOBBY");
    }
}
