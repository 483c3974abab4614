//! Places to come back to: kept until they are removed, at most [`BOOKMARKS`], the last one first.

use serde::{Deserialize, Serialize};

use crate::addresses::are_same;
use crate::limits::BOOKMARKS;
use crate::session::Key;
use crate::trust::KeyId;

/// A person at a place that was joined before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bookmark {
    /// Host and port, as typed; of a place with several servers all of them.
    pub address: String,
    /// The name used there.
    pub name: String,
    /// The server's key, if it is known by that: then it is the same place at another address. Of several servers those
    /// that are known, with commas between them; they tell nothing of another address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The room that was looked at last.
    pub room: String,
    /// How text there is read that is not UTF-8: a name as [`Encoding::of_label`](crate::session::Encoding::of_label)
    /// takes it; empty: as is usual in the language of the views.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub encoding: String,
    /// Nobody could read on the way what was said there last.
    pub locked: bool,
    /// When one came in last, in seconds since 1970; 0: an earlier version did not say.
    pub used: u64,
    /// It was open when the window closed: it is to be open again.
    pub open: bool,
}

impl Bookmark {
    /// A person at a place, of whom no more is known.
    pub fn of(address: &str, name: &str) -> Bookmark {
        Bookmark { address: address.into(), name: name.into(), ..Bookmark::default() }
    }

    /// Whether it is the same person at the same place, which is the server's key or else its address; with several
    /// servers their addresses.
    pub fn is_of(&self, other: &Bookmark) -> bool {
        let lists = self.address.contains(',') || other.address.contains(',');
        let same_key = !lists && !self.key.is_empty() && self.key == other.key;
        (same_key || are_same(&self.address, &other.address)) && Key::new(&self.name) == Key::new(&other.name)
    }

    /// Whether a server is known by this key there.
    pub fn knows(&self, key: &KeyId) -> bool {
        let key = key.to_string();
        self.key.split(',').any(|known| known == key)
    }
}

/// See the [module](self).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bookmarks(Vec<Bookmark>);

impl Bookmarks {
    /// The last one first.
    pub fn iter(&self) -> impl Iterator<Item = &Bookmark> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The `i`th from the top.
    pub fn at(&self, i: usize) -> Option<&Bookmark> {
        self.0.get(i)
    }

    /// Remembers a place as the last one.
    pub fn remember(&mut self, mut place: Bookmark) {
        if place.encoding.is_empty() {
            self.encoding(&place.address).clone_into(&mut place.encoding);
        }
        self.0.retain(|other| !other.is_of(&place));
        self.0.insert(0, place);
        self.0.truncate(BOOKMARKS);
    }

    /// Takes one out.
    pub fn remove(&mut self, i: usize) -> Option<Bookmark> {
        (i < self.0.len()).then(|| self.0.remove(i))
    }

    /// Takes out what is known of somebody at a place.
    pub fn forget(&mut self, address: &str, name: &str) {
        let of = Bookmark::of(address, name);
        self.0.retain(|one| !one.is_of(&of));
    }

    /// Puts one back where it was.
    pub fn put_back(&mut self, i: usize, place: Bookmark) {
        self.0.retain(|other| !other.is_of(&place));
        self.0.insert(i.min(self.0.len()), place);
        self.0.truncate(BOOKMARKS);
    }

    /// What is known of somebody at a place.
    pub fn get(&self, address: &str, name: &str) -> Option<&Bookmark> {
        let of = Bookmark::of(address, name);
        self.0.iter().find(|one| one.is_of(&of))
    }

    /// Somebody is in another room now; says whether that is news.
    pub fn follow(&mut self, address: &str, name: &str, room: &str) -> bool {
        self.change(address, name, |one| room.clone_into(&mut one.room))
    }

    /// The place is to be open again at the next start, or not; says whether that is news.
    pub fn set_open(&mut self, address: &str, name: &str, open: bool) -> bool {
        self.change(address, name, |one| one.open = open)
    }

    /// Something else is known of a place now; it stays where it is.
    pub fn update(&mut self, place: Bookmark) {
        if let Some(one) = self.0.iter_mut().find(|one| one.is_of(&place)) {
            *one = place;
        }
    }

    fn change(&mut self, address: &str, name: &str, change: impl FnOnce(&mut Bookmark)) -> bool {
        let of = Bookmark::of(address, name);
        let Some(one) = self.0.iter_mut().find(|one| one.is_of(&of)) else { return false };
        let before = one.clone();
        change(one);
        *one != before
    }

    /// Somebody has another name there from now on.
    pub fn rename(&mut self, address: &str, before: &str, name: &str) {
        let of = Bookmark::of(address, before);
        if let Some(at) = self.0.iter().position(|one| one.is_of(&of)) {
            let renamed = Bookmark { name: name.into(), ..self.0.remove(at) };
            self.remember(renamed);
        }
    }

    /// What is to be open again, from top to bottom.
    pub fn open(&self) -> impl Iterator<Item = &Bookmark> {
        self.0.iter().filter(|one| one.open)
    }

    /// The name of a server's encoding; empty: none is named.
    pub fn encoding(&self, address: &str) -> &str {
        let of_it = self.0.iter().filter(|place| are_same(&place.address, address));
        of_it.map(|place| &*place.encoding).find(|label| !label.is_empty()).unwrap_or_default()
    }

    /// Takes in those of an earlier version below its own; what is too much goes.
    pub(crate) fn take_over(&mut self, earlier: Bookmarks) {
        for one in earlier.0 {
            if !self.0.iter().any(|known| known.is_of(&one)) {
                self.0.push(one);
            }
        }
        self.0.truncate(BOOKMARKS);
    }

    /// See [`Settings::merged`](crate::settings::Settings::merged).
    pub(crate) fn merged(self, before: &Bookmarks, there: Bookmarks) -> Bookmarks {
        let mut all = crate::settings::merged_list(self.0, &before.0, there.0, Bookmark::is_of);
        all.truncate(BOOKMARKS);
        Bookmarks(all)
    }
}

impl FromIterator<Bookmark> for Bookmarks {
    fn from_iter<I: IntoIterator<Item = Bookmark>>(all: I) -> Bookmarks {
        Bookmarks(all.into_iter().take(BOOKMARKS).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(address: &str, name: &str, room: &str) -> Bookmark {
        Bookmark { room: room.into(), ..Bookmark::of(address, name) }
    }

    #[test]
    fn the_same_person_at_a_place_is_remembered_once() {
        let mut all = Bookmarks::default();
        for i in 0..4 * BOOKMARKS {
            all.remember(entry(&format!("host{}:1", i % (2 * BOOKMARKS)), "me", &format!("#{i}")));
        }
        assert_eq!(all.len(), BOOKMARKS);
        let last = entry(&format!("host{}:1", 2 * BOOKMARKS - 1), "me", &format!("#{}", 4 * BOOKMARKS - 1));
        assert_eq!(all.at(0), Some(&last));
        all.remember(Bookmark { name: "you".into(), ..last.clone() });
        assert_eq!(all.at(1), Some(&last));
        let keyed = |address: &str| Bookmark { key: "AB".into(), ..entry(address, "me", "#tea") };
        all.remember(keyed("old:1"));
        all.remember(keyed("new:2"));
        assert_eq!(all.iter().filter(|one| one.key == "AB").collect::<Vec<_>>(), [&keyed("new:2")]);
    }

    #[test]
    fn several_servers_are_one_place_in_any_order() {
        let mut all = Bookmarks::default();
        let keyed = |address: &str, key: &str| Bookmark { key: key.into(), ..entry(address, "me", "#tea") };
        all.remember(Bookmark { encoding: "koi8-r".into(), ..keyed("b:2,a:1", "AB") });
        assert_eq!(all.get("a:1,b:2", "ME").map(|one| &*one.address), Some("b:2,a:1"), "as it was typed");
        assert_eq!(all.encoding("A:1,b:2"), "koi8-r");
        all.remember(keyed("a:1,b:2", "AB,CD"));
        all.remember(keyed("a:1", "AB"));
        let addresses: Vec<&str> = all.iter().map(|one| &*one.address).collect();
        assert_eq!(addresses, ["a:1", "a:1,b:2"], "one of them alone is another place");
        let key = |byte: &str| byte.repeat(32).parse::<KeyId>().unwrap();
        let both = keyed("a:1,b:2", &format!("{},{}", key("AB"), key("CD")));
        assert!(both.knows(&key("AB")) && both.knows(&key("CD")) && !both.knows(&key("EF")));
    }

    #[test]
    fn what_was_removed_comes_back_where_it_was() {
        let mut all: Bookmarks =
            ["a:1", "b:1", "c:1"].map(|address| entry(address, "me", "#tea")).into_iter().collect();
        let before = all.clone();
        let gone = all.remove(1).unwrap();
        assert_eq!((all.len(), all.remove(7)), (2, None));
        all.put_back(1, gone);
        assert_eq!(all, before);
        assert!(all.set_open("b:1", "ME", true) && !all.set_open("b:1", "me", true));
        assert_eq!(all.open().map(|one| &*one.address).collect::<Vec<_>>(), ["b:1"]);
        all.forget("b:1", "me");
        assert_eq!(all.open().count(), 0);
    }

    #[test]
    fn what_an_earlier_version_remembered_comes_below() {
        let mut all: Bookmarks = [entry("a:1", "me", "#tea")].into_iter().collect();
        let earlier = (0..2 * BOOKMARKS).map(|i| entry(&format!("h{i}:1"), "me", "#old"));
        let earlier = [entry("a:1", "me", "#old")].into_iter().chain(earlier).collect();
        all.take_over(earlier);
        assert_eq!(
            (all.len(), &*all.at(0).unwrap().room, &*all.at(1).unwrap().address),
            (BOOKMARKS, "#tea", "h0:1")
        );
    }
}
