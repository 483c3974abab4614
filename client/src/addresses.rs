//! The addresses of one place: servers that share one set of rooms, called in turn.

use std::fmt;
use std::net::IpAddr;

use parlor_server::protocol::HostPort;

/// Addresses of a place at most.
pub const MOST: usize = 8;

/// At least one, at most [`MOST`], none twice; in the order in which they were written, which is that in which they are
/// called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    first: HostPort,
    others: Vec<HostPort>,
}

/// There are more than [`MOST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

impl Addresses {
    /// A list of them; what is there twice counts once, by whatever spelling.
    pub fn new(first: HostPort, others: impl IntoIterator<Item = HostPort>) -> Result<Addresses, TooMany> {
        let mut all = Addresses::from(first);
        for other in others {
            if !all.iter().any(|known| plain(known) == plain(&other)) {
                all.others.push(other);
            }
        }
        if all.len() > MOST { Err(TooMany) } else { Ok(all) }
    }

    /// The one that is called first.
    pub fn first(&self) -> &HostPort {
        &self.first
    }

    /// Those behind it.
    pub fn others(&self) -> &[HostPort] {
        &self.others
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &HostPort> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// How many there are: at least one.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        1 + self.others.len()
    }

    /// Whether there are others than the first.
    pub fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    /// The same, beginning with one of them; as they are, if it is none.
    pub fn beginning_with(&self, first: &HostPort) -> Addresses {
        if !self.iter().any(|one| one == first) {
            return self.clone();
        }
        let others = self.iter().filter(|one| *one != first).cloned().collect();
        Addresses { first: first.clone(), others }
    }

    /// The text by which the place is known again. One address is as it was written; of several the order and the
    /// spelling tell nothing.
    pub fn in_files(&self) -> String {
        if !self.are_several() {
            return self.first.to_string();
        }
        let mut all: Vec<String> = self.iter().map(plain).collect();
        all.sort_unstable();
        all.join(",")
    }

    /// What a person calls them: their hosts, each once.
    pub fn hosts(&self) -> String {
        let mut hosts: Vec<&str> = Vec::new();
        for one in self.iter() {
            if !hosts.contains(&one.host.as_str()) {
                hosts.push(&one.host);
            }
        }
        hosts.join(", ")
    }
}

impl From<HostPort> for Addresses {
    fn from(first: HostPort) -> Addresses {
        Addresses { first, others: Vec::new() }
    }
}

impl Default for Addresses {
    fn default() -> Addresses {
        HostPort::default().into()
    }
}

/// As one types them: `a:49806,b:49806`.
impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        self.others.iter().try_for_each(|other| write!(f, ",{other}"))
    }
}

/// Whether two texts, each written by [`Addresses`], are those of one place.
pub fn are_same(one: &str, other: &str) -> bool {
    let read = |text: &str| {
        let all: Option<Vec<HostPort>> = text.split(',').map(|one| one.parse().ok()).collect();
        let mut all = all?.into_iter();
        Addresses::new(all.next()?, all).ok().map(|all| all.in_files())
    };
    let lists = one.contains(',') && other.contains(',');
    one == other || (lists && read(one).is_some_and(|one| read(other).is_some_and(|other| one == other)))
}

/// An address without what only looks different: upper case, a name's last dot (RFC 1034 §3.1), zeros in IPv6.
fn plain(HostPort { host, port }: &HostPort) -> String {
    let host = match host.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => host.strip_suffix('.').unwrap_or(host).to_lowercase(),
    };
    HostPort::new(host, *port).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Addresses, TooMany> {
        let mut all = text.split(',').map(|one| one.parse::<HostPort>().unwrap());
        Addresses::new(all.next().unwrap(), all)
    }

    #[test]
    fn a_place_is_its_servers_in_whatever_order_and_spelling() {
        let near = of("Near.example:1,[::1]:2,10.0.0.7:3").unwrap();
        let far = of("10.0.0.7:3,near.EXAMPLE.:1,[0:0::1]:2").unwrap();
        assert_eq!(near.in_files(), "10.0.0.7:3,[::1]:2,near.example:1");
        assert_eq!(near.in_files(), far.in_files());
        assert_ne!(near, far, "each is called in its own order");
        assert_eq!(near.to_string(), "Near.example:1,[::1]:2,10.0.0.7:3");
        assert!(are_same(&near.to_string(), &far.to_string()) && are_same("a:1,b:2", "b:2,a:1"));
        for (one, other) in [("a:1", "a:1,b:2"), ("a:1,b:2", "a:1,b:3"), ("a:1", "A:1"), ("a:1,b", "b,a:1")] {
            assert!(!are_same(one, other), "{one} {other}");
        }
        assert_eq!(
            of("Chat.Example.:1").unwrap().in_files(),
            "Chat.Example.:1",
            "one stays as it is kept now"
        );
    }

    #[test]
    fn what_is_there_twice_counts_once() {
        let once = of("a:1,b:1,A:1,b.:1").unwrap();
        assert_eq!((once.to_string().as_str(), once.len()), ("a:1,b:1", 2));
        assert!(!of("a:1,a:1").unwrap().are_several());
        assert_eq!(once.hosts(), "a, b");
        assert_eq!(of("a:1,a:2").unwrap().hosts(), "a");
        let list = |count: usize| (1..=count).map(|i| format!("h:{i}")).collect::<Vec<_>>().join(",");
        assert_eq!(of(&list(MOST)).map(|all| all.len()), Ok(MOST));
        assert_eq!(of(&format!("{},h:1", list(MOST))).map(|all| all.len()), Ok(MOST));
        assert_eq!(of(&list(MOST + 1)), Err(TooMany));
    }

    #[test]
    fn any_of_them_can_be_the_first() {
        let all = of("a:1,b:2,c:3").unwrap();
        let begin = |text: &str| all.beginning_with(&text.parse().unwrap()).to_string();
        assert_eq!((begin("b:2").as_str(), begin("a:1").as_str()), ("b:2,a:1,c:3", "a:1,b:2,c:3"));
        assert_eq!(begin("d:4"), "a:1,b:2,c:3");
    }
}
