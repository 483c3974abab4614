//! Where to go: what a person types, or a link, as hosts, ports and room.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use parlor_server::DEFAULT_PORT;
use parlor_server::protocol::{HostPort, HostPortError};
use siphasher::sip128::{Hasher128, SipHasher24};

use crate::addresses::{Addresses, MOST, TooMany};
use crate::session::{Key, Naming};
use crate::trust::KeyId;

/// The port of IRC links that name none.
const IRC_PORT: u16 = 6667;
/// The same where TLS is spoken (RFC 7194 §2).
const IRCS_PORT: u16 = 6697;

/// Behind the `?` of a link, also of one without its scheme: the server's key, in 64 hexadecimal digits. Ours alone; others leave it unread.
const FINGERPRINT: &str = "fp=";
/// Beside it: the other addresses of the place, as [`Addresses`] writes them, without a character that parts anything. The
/// authority of a link can hold one host only (RFC 3986 §3.2), and with that one the link is every program's.
const ALSO: &str = "also=";
/// In a link: the target is a person.
const IS_NICK: &str = "isnick";
/// What a link may say of its target.
const FLAGS: &[&str] = &[IS_NICK, "isserver", "needkey", "needpass"];

/// A server, or several that share their rooms, and, perhaps, where to go there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Where the servers are; no port is 0.
    pub servers: Addresses,
    /// The room, with its prefix; several are parted by commas.
    pub room: Option<String>,
    /// Whom to write to (`isnick`).
    pub person: Option<String>,
    /// It was asked for by TLS: by `ircs://`, or by the port that is for it.
    pub secure: bool,
    /// Whoever made the link knows the server by this key; of several, one of them.
    pub key: Option<KeyId>,
}

/// Which place: its addresses. Of several the order tells nothing ([`Addresses::in_files`]), though they are called in it.
/// As text the same after every start, so files may hold it; cheap to clone.
#[derive(Debug, Clone)]
pub struct PlaceId(Arc<(Addresses, String)>);

impl PlaceId {
    /// Its servers, wherever one goes there.
    pub fn servers(&self) -> &Addresses {
        &self.0.0
    }

    /// Its addresses as they were typed.
    pub fn address(&self) -> String {
        self.0.0.to_string()
    }

    /// Whether it is this computer.
    pub fn is_here(&self) -> bool {
        self.servers().iter().all(is_here)
    }
}

impl PartialEq for PlaceId {
    fn eq(&self, other: &PlaceId) -> bool {
        self.0.1 == other.0.1
    }
}

impl Eq for PlaceId {}

impl Hash for PlaceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.1.hash(state);
    }
}

impl PartialOrd for PlaceId {
    fn partial_cmp(&self, other: &PlaceId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PlaceId {
    fn cmp(&self, other: &PlaceId) -> Ordering {
        self.0.1.cmp(&other.0.1)
    }
}

impl fmt::Display for PlaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.1)
    }
}

/// Whether an address is this computer itself.
pub fn is_here(server: &HostPort) -> bool {
    let host = &*server.host;
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether it is TLS that is spoken there, by the number of the port.
pub fn is_for_tls(server: &HostPort) -> bool {
    server.port == IRCS_PORT
}

/// Whose something is: a person at a place. What waits to be sent, drafts and open rooms are kept by this and by nothing
/// else. A place of one address is its key, once that is known, and as long as it is not its address; one of several is
/// its addresses, because each of its servers may have another key. The person is the name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    place: PlaceId,
    key: Option<KeyId>,
    name: Key,
}

impl Identity {
    /// Who goes by this name there.
    pub fn new(place: &PlaceId, name: &str) -> Identity {
        Identity { place: place.clone(), key: None, name: Key::new(name) }
    }

    /// The same where the server is known by its key; with several nothing changes.
    pub fn with(self, key: Option<KeyId>) -> Identity {
        let key = key.filter(|_| !self.place.servers().are_several());
        Identity { key, ..self }
    }

    /// The same place under another name.
    pub fn called(&self, name: &str) -> Identity {
        Identity { name: Key::new(name), ..self.clone() }
    }

    /// The server's key, if it is known by that.
    pub fn key(&self) -> Option<KeyId> {
        self.key
    }

    /// The address.
    pub fn place(&self) -> &PlaceId {
        &self.place
    }

    /// Who it was before the key was known; `None`: it is not.
    pub fn by_address(&self) -> Option<Identity> {
        self.key.map(|_| Identity { key: None, ..self.clone() })
    }

    /// The same for the same one at every start, of characters that every file system takes: SipHash-2-4 over the text.
    pub fn file_name(&self) -> String {
        let mut hasher = SipHasher24::new();
        hasher.write(self.to_string().as_bytes());
        format!("{:032x}", u128::from(hasher.finish128()))
    }
}

/// `chat.example:6667 bob`, or the key in the place of the address.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            Some(key) => write!(f, "{key} {}", self.name),
            None => write!(f, "{} {}", self.place, self.name),
        }
    }
}

/// Why a text is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceError {
    /// There is nothing.
    Empty,
    /// The port is no number from 1 to 65535.
    Port,
    /// The host has a character that no host has.
    Host,
    /// The key in a link is none.
    Key,
    /// There are more than [`MOST`] addresses.
    TooMany,
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PlaceError::Empty => "Type the address of a room, for example 192.168.1.7:49806.",
            PlaceError::Port => "The port behind the colon is a number from 1 to 65535.",
            PlaceError::Key => "The key at the end of the link is damaged. Copy the whole link again.",
            PlaceError::Host => "An address looks like 192.168.1.7:49806 or chat.example.",
            PlaceError::TooMany => {
                return write!(f, "A place has at most {MOST} addresses, with commas between them.");
            }
        })
    }
}

impl std::error::Error for PlaceError {}

impl Place {
    /// Reads `host`, `host:port`, `[v6]:port`, also with the wide forms that Chinese and Japanese keyboards
    /// write, or a link: `irc://host[:port][/room[,room…]][?fp=key]`, `irc://host/person,isnick`, `ircs://…`
    /// (draft-butcher-irc-url; the key is ours). In the place of a host and port may be several, with commas between
    /// them, and in a link `?also=host:port,…` behind the path; empty ones are left out.
    pub fn parse(text: &str) -> Result<Place, PlaceError> {
        let text = text.trim();
        let plain: String = text.chars().map(narrow).collect();
        let scheme = |scheme: &str| {
            let (head, rest) = plain.split_at_checked(scheme.len())?;
            head.eq_ignore_ascii_case(scheme).then_some(rest)
        };
        let link = scheme("irc://").map(|rest| (rest, IRC_PORT));
        let secure = scheme("ircs://").map(|rest| (rest, IRCS_PORT));
        let (rest, default) = secure.or(link).unwrap_or((&*plain, DEFAULT_PORT));
        let authority = rest.split('/').next().unwrap_or_default();
        // Whoever made the link was called so there.
        let authority = authority.rsplit('@').next().unwrap_or_default();
        // Rooms are called as they are written, but for the first character.
        let before = plain.chars().count() - rest.chars().count();
        let mut path =
            text.chars().skip(before).skip_while(|c| narrow(*c) != '/').skip(1).collect::<String>();
        let query = path.find('?').map(|at| path.split_off(at));
        let part = |name: &str| query.as_deref().and_then(|query| part_of(query, name));
        let key = part(FINGERPRINT).map(|key| key.parse().map_err(|_| PlaceError::Key)).transpose()?;
        let also = part(ALSO).unwrap_or_default();
        let written = authority.split(',').map(unescaped).chain(also.split(',').map(str::to_owned));
        let servers = servers(written, default)?;
        let secure = secure.is_some() || servers.iter().all(is_for_tls);
        let (flags, targets): (Vec<&str>, Vec<&str>) =
            path.split(',').filter(|target| !target.is_empty()).partition(|target| FLAGS.contains(target));
        let mut targets = targets.into_iter().map(decoded).peekable();
        if flags.contains(&IS_NICK) {
            let person = targets.next().map(|who| who.split('!').next().unwrap_or_default().to_owned());
            return Ok(Place { servers, room: None, person, secure, key });
        }
        let rooms: Vec<String> = targets.map(|room| Naming::default().room(&room)).collect();
        let room = (!rooms.is_empty()).then(|| rooms.join(","));
        Ok(Place { servers, room, person: None, secure, key })
    }

    /// Its servers, whatever the room.
    pub fn id(&self) -> PlaceId {
        PlaceId(Arc::new((self.servers.clone(), self.servers.in_files())))
    }

    /// The link that [`parse`](Self::parse) reads, in the form that most IRC programs read, too: without the `#` of a
    /// usual room, and with the first of several addresses in the place of the host; they leave unread what is ours.
    pub fn link(&self) -> String {
        let HostPort { host, port } = self.servers.first();
        // A zone is escaped (RFC 6874 §2).
        let host = if host.contains(':') { format!("[{}]", host.replace('%', "%25")) } else { encoded(host) };
        let scheme = if self.secure { "ircs" } else { "irc" };
        let room = |room: &str| {
            let is_usual = |bare: &&str| Naming::default().room(bare) == room && !FLAGS.contains(bare);
            let bare = room.strip_prefix('#').filter(is_usual);
            encoded(bare.unwrap_or(room))
        };
        let rooms = self.room.iter().flat_map(|rooms| rooms.split(',')).map(room).collect::<Vec<_>>();
        let person = self.person.iter().map(|who| format!("{},{IS_NICK}", encoded(who)));
        let path = person.chain((!rooms.is_empty()).then(|| rooms.join(","))).next().unwrap_or_default();
        let key = self.key.map(|key| key.to_string().replace(':', "").to_lowercase());
        let key = key.map(|key| format!("{FINGERPRINT}{key}"));
        let others: Vec<String> = self.servers.others().iter().map(HostPort::to_string).collect();
        let also = self.servers.are_several().then(|| format!("{ALSO}{}", encoded(&others.join(","))));
        let ours = key.into_iter().chain(also).collect::<Vec<_>>().join("&");
        // WeeChat knows no `?`: behind the comma it is another room for it, that the server refuses.
        let part = match (ours.is_empty(), path.is_empty()) {
            (true, _) => "",
            (false, true) => "?",
            (false, false) => ",?",
        };
        format!("{scheme}://{host}:{port}/{path}{part}{ours}")
    }

    /// Hosts and ports, as one types them.
    pub fn address(&self) -> String {
        self.servers.to_string()
    }
}

/// What stands in the place of a host in a link, as one types it. A zone stands behind an escaped `%` (RFC 6874 §2).
fn unescaped(written: &str) -> String {
    let written = written.trim();
    if written.starts_with('[') { written.replace("%25", "%") } else { decoded(written) }
}

/// Reads addresses; without any there is nothing.
fn servers(written: impl Iterator<Item = String>, port: u16) -> Result<Addresses, PlaceError> {
    let read = |one: String| {
        let server = HostPort::parse_or(one.trim(), port).map_err(|error| match error {
            HostPortError::NoHost => PlaceError::Empty,
            HostPortError::Host => PlaceError::Host,
            HostPortError::Port => PlaceError::Port,
        })?;
        if server.port == 0 { Err(PlaceError::Port) } else { Ok(server) }
    };
    let mut all = written.filter(|one| !one.trim().is_empty()).map(read);
    let first = all.next().ok_or(PlaceError::Empty)??;
    Addresses::new(first, all.collect::<Result<Vec<_>, _>>()?).map_err(|TooMany| PlaceError::TooMany)
}

/// The usual form of a character that keyboards for Chinese and Japanese write wide.
fn narrow(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '。' | '｡' => '.',
        '、' | '､' => ',',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => c,
    }
}

/// What has this name in what follows the path of a link, from its `?` on.
fn part_of(query: &str, name: &str) -> Option<String> {
    let query = query.trim_start_matches('?');
    let query = query.split('#').next().unwrap_or_default();
    query.split('&').find_map(|one| one.strip_prefix(name)).map(decoded)
}

/// A text with percent-encoding, but for letters, digits and what parts nothing (RFC 3986 §2.3).
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A text without percent-encoding (RFC 3986 §2.1); what is none stays, and so does all of it where the
/// bytes are no text.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let digits =
            more.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let byte = digits.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { more.get(2..).unwrap_or_default() } else { more };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: &str, port: u16, room: Option<&str>) -> Result<Place, PlaceError> {
        let secure = port == IRCS_PORT;
        Ok(Place {
            servers: HostPort::new(host, port).into(),
            room: room.map(Into::into),
            person: None,
            secure,
            key: None,
        })
    }

    #[test]
    fn addresses_and_links() {
        assert_eq!(Place::parse("127.0.0.1:49806"), place("127.0.0.1", 49806, None));
        assert_eq!(Place::parse(" chat.example "), place("chat.example", 49806, None));
        assert_eq!(Place::parse("[::1]:7"), place("::1", 7, None));
        assert_eq!(Place::parse("::1"), place("::1", 49806, None));
        assert_eq!(Place::parse("irc://a.b/tea"), place("a.b", 6667, Some("#tea")));
        assert_eq!(Place::parse("irc://a.b:1/%23tea?x"), place("a.b", 1, Some("#tea")));
        assert_eq!(Place::parse("ircs://a.b/tea"), place("a.b", 6697, Some("#tea")));
        assert_eq!(Place::parse("a.b:6697"), place("a.b", 6697, None));
        assert!(
            Place::parse("IRCS://a.b:7000").unwrap().secure
                && !Place::parse("irc://a.b:7000").unwrap().secure
        );
        assert_eq!(Place::parse("[::1]:7").unwrap().address(), "[::1]:7");
    }

    #[test]
    fn links_as_other_programs_write_them() {
        assert_eq!(Place::parse("IRC://a.b/#Tea"), place("a.b", 6667, Some("#Tea")));
        assert_eq!(Place::parse("irc://a.b/%23%E9%9F%B3%E6%A5%BD"), place("a.b", 6667, Some("#音楽")));
        assert_eq!(Place::parse("irc://a.b/%26caf%c3%a9,b,needkey"), place("a.b", 6667, Some("&café,#b")));
        assert_eq!(Place::parse("irc://a.b/100%/x%zz"), place("a.b", 6667, Some("#100%/x%zz")));
        assert_eq!(Place::parse("irc://a.b/%FF"), place("a.b", 6667, Some("#%FF")), "no text");
        assert_eq!(Place::parse("irc://a.b:7/#a,#b,#c"), place("a.b", 7, Some("#a,#b,#c")));
        assert_eq!(Place::parse("irc://a.b/!room"), place("a.b", 6667, Some("!room")));
        assert_eq!(Place::parse("irc://a.b/"), place("a.b", 6667, None));
        assert_eq!(Place::parse("irc://me@a.b/x"), place("a.b", 6667, Some("#x")));
        assert_eq!(Place::parse("irc://b%C3%BCcher.example"), place("bücher.example", 6667, None));
        for link in ["irc://a.b/bob,isnick", "irc://a.b/bob!b@h,isnick?x", "IRC://a.b/b%6Fb,isnick"] {
            let read = Place::parse(link).unwrap();
            assert_eq!((read.room, read.person.as_deref()), (None, Some("bob")), "{link}");
        }
    }

    #[test]
    fn a_link_is_read_as_it_is_written() {
        let key: KeyId = "3A".repeat(32).parse().unwrap();
        for (text, written) in [
            ("192.168.1.7:49806", "irc://192.168.1.7:49806/"),
            ("irc://a.b/#tea", "irc://a.b:6667/tea"),
            ("irc://a.b/%23isnick,b", "irc://a.b:6667/%23isnick,b"),
            (
                "irc://a.b/#tea,##wide,&old,#é x,100%",
                "irc://a.b:6667/tea,%23%23wide,%26old,%C3%A9%20x,100%25",
            ),
            ("ircs://a.b:7000/bob,isnick", "ircs://a.b:7000/bob,isnick"),
            ("irc://[fe80::1%25eth0]:7/", "irc://[fe80::1%25eth0]:7/"),
        ] {
            let place = Place::parse(text).unwrap();
            assert_eq!(place.link(), written);
            assert_eq!(Place::parse(written), Ok(place.clone()));
            let keyed = Place { key: Some(key), ..place };
            let part = if written.ends_with('/') { "" } else { "," };
            assert_eq!(keyed.link(), format!("{written}{part}?fp={}", "3a".repeat(32)));
            assert_eq!(Place::parse(&keyed.link()), Ok(keyed));
        }
        assert_eq!(Place::parse(&format!("a.b:6667/tea,?fp={key}")).unwrap().key, Some(key));
        assert_eq!(Place::parse("irc://a.b/?x=1&fp=3A3a").unwrap_err(), PlaceError::Key);
        assert_eq!(Place::parse("irc://a.b/tea?secret"), place("a.b", 6667, Some("#tea")));
    }

    #[test]
    fn zones_are_escaped_in_links_alone() {
        for text in ["irc://[fe80::1%25eth0]:7", "irc://[fe80::1%eth0]:7", "[fe80::1%eth0]:7"] {
            assert_eq!(Place::parse(text), place("fe80::1%eth0", 7, None), "{text}");
        }
    }

    #[test]
    fn addresses_from_a_chinese_keyboard() {
        assert_eq!(Place::parse("192.168.1.7：49806"), place("192.168.1.7", 49806, None));
        assert_eq!(Place::parse("１９２。１６８．１。７：７"), place("192.168.1.7", 7, None));
        assert_eq!(Place::parse("ｉｒｃ：／／a.b／＃茶！"), place("a.b", 6667, Some("#茶！")));
        assert_eq!(Place::parse("［::1］：7"), place("::1", 7, None));
    }

    #[test]
    fn one_place_has_several_addresses() {
        for (text, address, room) in [
            ("a:1,b:2", "a:1,b:2", None),
            (" a , b:2,[::1]:7 ,::2,", "a:49806,b:2,[::1]:7,[::2]:49806", None),
            ("a:49806,,b", "a:49806,b:49806", None),
            ("a:1,b:2,A:1,a.:1", "a:1,b:2", None),
            ("a:1,a:1", "a:1", None),
            ("ａ：１，b、c", "a:1,b:49806,c:49806", None),
            ("a:1,b/tea,two", "a:1,b:49806", Some("#tea,#two")),
            ("irc://a,b:1/tea", "a:6667,b:1", Some("#tea")),
            ("irc://me@a:1,[fe80::1%25eth0]:2/", "a:1,[fe80::1%eth0]:2", None),
            ("irc://a:1/tea,?x=1&also=b%3A2%2C[::1]:7", "a:1,b:2,[::1]:7", Some("#tea")),
            ("irc://a:1/?also=", "a:1", None),
        ] {
            let place = Place::parse(text).unwrap();
            assert_eq!((&*place.address(), place.room.as_deref()), (address, room), "{text}");
            let key = Some("3A".repeat(32).parse().unwrap());
            for place in [place.clone(), Place { key, ..place }] {
                assert_eq!(Place::parse(&place.link()), Ok(place.clone()), "{}", place.link());
            }
        }
        // Any program reads the first one, and the room.
        let place = Place::parse("a:1,b:2,[::1]:7/tea").unwrap();
        assert_eq!(place.link(), "irc://a:1/tea,?also=b%3A2%2C%5B%3A%3A1%5D%3A7");
        let secure = |text: &str| Place::parse(text).unwrap().secure;
        assert!(secure("ircs://a,b:1/") && secure("a:6697,b:6697") && !secure("a:6697,b"));
    }

    #[test]
    fn a_place_is_the_same_in_whatever_order() {
        let id = |text: &str| Place::parse(text).unwrap().id();
        let (one, other) = (id("b:2,a:1"), id("irc://A:1/tea?also=b.:2"));
        assert_eq!((&one, one.to_string().as_str()), (&other, "a:1,b:2"));
        assert_eq!((one.address().as_str(), other.address().as_str()), ("b:2,a:1", "A:1,b.:2"));
        assert_eq!(one.cmp(&other), Ordering::Equal);
        assert_eq!(std::collections::HashSet::from([one.clone(), other.clone()]).len(), 1);
        assert_ne!(one, id("a:1"));
        // What is kept does not move when another server with another key answers, nor with the order.
        let key = |byte: &str| byte.repeat(32).parse().ok();
        let whose = |id: &PlaceId, byte: &str| Identity::new(id, "bob").with(key(byte));
        assert_eq!(whose(&one, "AB").file_name(), whose(&other, "CD").file_name());
        assert_eq!(whose(&one, "AB").to_string(), "a:1,b:2 bob");
        let alone = id("a:1");
        assert_ne!(whose(&alone, "AB").file_name(), whose(&alone, "CD").file_name());
        assert!(id("localhost:1,[::1]:2").is_here() && !id("localhost:1,a:1").is_here());
    }

    #[test]
    fn what_is_no_address_is_said_why() {
        let many = (1..=MOST + 1).map(|port| format!("a:{port}")).collect::<Vec<_>>().join(",");
        for (text, error) in [
            ("", PlaceError::Empty),
            (":80", PlaceError::Empty),
            ("host:", PlaceError::Port),
            ("host:0", PlaceError::Port),
            ("host:99999", PlaceError::Port),
            ("a b", PlaceError::Host),
            ("http://x", PlaceError::Port),
            ("irc:///tea", PlaceError::Empty),
            (",", PlaceError::Empty),
            ("a:1,:2", PlaceError::Empty),
            ("a:1,b:0", PlaceError::Port),
            ("a:1,b c", PlaceError::Host),
            ("a;b", PlaceError::Host),
            (&many, PlaceError::TooMany),
            ("irc://a/?also=b:0", PlaceError::Port),
        ] {
            assert_eq!(Place::parse(text), Err(error), "{text}");
        }
    }
}
