//! What the server says about itself in RPL_ISUPPORT (modern.ircdocs.horse, "RPL_ISUPPORT").

use parlor_server::protocol::Leniency;
use parlor_server::protocol::line::MAX_BODY;

use super::{Key, Naming, Rank};

/// What the server says about itself; the defaults of the RFCs where it does not.
#[derive(Debug, Clone)]
pub(super) struct Isupport {
    pub(super) naming: Naming,
    /// Mode letters and their prefixes, the highest first.
    prefixes: Vec<(char, char)>,
    statusmsg: String,
    /// CHANMODES: lists, always with, with when set, without parameter.
    chanmodes: [String; 4],
    /// Bytes or characters of a name, as the server counts.
    pub(super) nicklen: Option<usize>,
    pub(super) network: Option<String>,
    /// Bytes of a line with CR LF, without tags.
    pub(super) linelen: usize,
    /// Nobody is cut for sending fast: the server delays instead.
    pub(super) saferate: bool,
    /// It passes on nothing about who is typing.
    pub(super) denies_typing: bool,
    /// Nor about reactions.
    pub(super) denies_reactions: bool,
    /// Nor about hands.
    pub(super) denies_hands: bool,
    /// What stands in a ban before the mask of whom it only keeps from speaking, where that is known (`EXTBAN`).
    pub(super) mutes: Option<&'static str>,
    /// Rooms in one JOIN (`TARGMAX`); without: it does not say.
    pub(super) joins: Option<usize>,
    /// Lines in one answer of CHATHISTORY; 0: as many as one likes (IRCv3 chathistory).
    pub(super) chathistory: usize,
    /// History can be asked for by msgid (`MSGREFTYPES`).
    pub(super) by_msgid: bool,
    /// Msgids are in the order of events (`parlor/MSGID`).
    pub(super) sorted: bool,
    /// Others see only the public form of a line's id.
    pub(super) secret_ids: bool,
    /// What accounts say to each other is kept (our server).
    pub(super) private: bool,
}

impl Default for Isupport {
    fn default() -> Isupport {
        Isupport {
            naming: Naming::default(),
            prefixes: vec![('o', '@'), ('v', '+')],
            statusmsg: String::new(),
            chanmodes: ["beI".into(), "k".into(), "l".into(), "imnst".into()],
            nicklen: None,
            network: None,
            linelen: MAX_BODY,
            saferate: false,
            denies_typing: false,
            denies_reactions: false,
            denies_hands: false,
            mutes: None,
            joins: None,
            chathistory: 100,
            by_msgid: true,
            sorted: false,
            secret_ids: false,
            private: false,
        }
    }
}

impl Isupport {
    /// Takes one `KEY=value`, `KEY` or `-KEY`.
    pub(super) fn token(&mut self, token: &str) {
        let (key, value) = token.split_once('=').unwrap_or((token, ""));
        match key {
            "CASEMAPPING" => self.naming.set_casemapping(value),
            "parlor/CASEMAPPING" if value == "unicode" => self.naming.fold_all_of_unicode(),
            "PREFIX" => {
                // `(ov)@+`, or nothing at all: no ranks.
                if let Some((modes, symbols)) = value.strip_prefix('(').and_then(|v| v.split_once(')')) {
                    // Sixteen fit the bits of a member; there are five in use anywhere.
                    self.prefixes = modes.chars().zip(symbols.chars()).take(16).collect();
                }
            }
            "CHANTYPES" => self.naming.set_chantypes(value),
            "STATUSMSG" => self.statusmsg = value.into(),
            "CHANMODES" => {
                for (kind, letters) in self.chanmodes.iter_mut().zip(value.split(',')) {
                    *kind = letters.into();
                }
            }
            "NICKLEN" => self.nicklen = value.parse().ok().filter(|len| *len > 0),
            "NETWORK" => self.network = Some(unescape(value)).filter(|name| !name.is_empty()),
            // Shorter than the RFC's 512 is no server's business.
            "LINELEN" => {
                self.linelen = value.parse().unwrap_or(MAX_BODY).clamp(MAX_BODY, Leniency::MAX_LINELEN)
            }
            // `*` is all of them, and a `-` before a tag excepts it (IRCv3 message-tags).
            "CLIENTTAGDENY" => {
                let has = |tag: &str| value.split(',').any(|denied| denied == tag);
                let denies = |tag: &str| (has("*") && !has(&format!("-{tag}"))) || has(tag);
                self.denies_typing = denies("typing");
                self.denies_reactions = denies("draft/react");
                self.denies_hands = denies("parlor/hand");
            }
            "-CLIENTTAGDENY" => {
                (self.denies_typing, self.denies_reactions, self.denies_hands) = (false, false, false);
            }
            // `~,am` here, no prefix on InspIRCd; on UnrealIRCd the letter means something else.
            "EXTBAN" => {
                self.mutes = match value.split_once(',') {
                    Some(("", letters)) if letters.contains('m') => Some("m:"),
                    Some(("~", letters)) if letters.contains('m') && letters.len() < 4 => Some("~m:"),
                    _ => None,
                };
            }
            "-EXTBAN" => self.mutes = None,
            "SAFERATE" => self.saferate = true,
            "-SAFERATE" => self.saferate = false,
            "CHATHISTORY" => self.chathistory = value.parse().unwrap_or(100),
            "TARGMAX" => {
                let join = value.split(',').find_map(|entry| entry.strip_prefix("JOIN:"));
                // Without a number there is no bound but the line's.
                self.joins = join.map(|most| most.parse().unwrap_or(usize::MAX).max(1));
            }
            "-TARGMAX" => self.joins = None,
            "MSGREFTYPES" => self.by_msgid = value.split(',').any(|kind| kind == "msgid"),
            "parlor/MSGID" => self.sorted = value == "sorted",
            "-parlor/MSGID" => self.sorted = false,
            "parlor/ID" => self.secret_ids = value == "secret",
            "-parlor/ID" => self.secret_ids = false,
            "parlor/PRIVATE" => self.private = true,
            "-parlor/PRIVATE" => self.private = false,
            _ => {}
        }
    }

    /// See [`Naming::key`].
    pub(super) fn key(&self, name: &str) -> Key {
        self.naming.key(name)
    }

    /// See [`Naming::is_room`].
    pub(super) fn is_room(&self, name: &str) -> bool {
        self.naming.is_room(name)
    }

    /// A target without the rank that is to hear it (`@#room`), which not every server announces.
    pub(super) fn behind_rank<'a>(&self, target: &'a str) -> Option<&'a str> {
        let rank = |c| self.statusmsg.contains(c) || self.prefixes.iter().any(|(_, symbol)| *symbol == c);
        target.strip_prefix(rank)
    }

    /// The place of a rank's mode letter, the highest first.
    pub(super) fn rank_of_mode(&self, mode: char) -> Option<usize> {
        self.prefixes.iter().position(|(letter, _)| *letter == mode)
    }

    /// The ranks before a name in NAMES, as bits, and the name.
    pub(super) fn split_ranks<'a>(&self, entry: &'a str) -> (u16, &'a str) {
        let mut ranks = 0;
        let mut name = entry;
        while let Some(c) = name.chars().next()
            && let Some(place) = self.prefixes.iter().position(|(_, symbol)| *symbol == c)
        {
            ranks |= 1 << place;
            name = &name[c.len_utf8()..];
        }
        (ranks, name)
    }

    /// What somebody with these ranks may do.
    pub(super) fn rank(&self, ranks: u16) -> Rank {
        let has = |wanted: fn(char) -> bool| {
            self.prefixes.iter().enumerate().any(|(i, (mode, _))| ranks & (1 << i) != 0 && wanted(*mode))
        };
        if has(|mode| matches!(mode, 'Y' | 'y' | 'q' | 'a' | 'o' | 'h')) {
            Rank::Operator
        } else if has(|mode| mode == 'v') {
            Rank::Voice
        } else {
            Rank::Member
        }
    }

    /// Whether a change of this mode takes a parameter.
    pub(super) fn has_parameter(&self, mode: char, set: bool) -> bool {
        let [lists, always, when_set, _] = &self.chanmodes;
        self.rank_of_mode(mode).is_some()
            || lists.contains(mode)
            || always.contains(mode)
            || (set && when_set.contains(mode))
    }

    /// Whether rooms have such a list.
    pub(super) fn has_list(&self, mode: char) -> bool {
        let [lists, ..] = &self.chanmodes;
        lists.contains(mode)
    }

    /// A name like `name` that is probably free, `turn` counting from 0: `bob_`, then `bob2`, `bob3` …
    pub(super) fn variant(&self, name: &str, turn: u32) -> String {
        let suffix = if turn == 0 { "_".to_owned() } else { (turn + 1).to_string() };
        let most = self.nicklen.unwrap_or(parlor_server::protocol::name::MAX_CHARS);
        let bytes = parlor_server::protocol::name::MAX_BYTES.saturating_sub(suffix.len());
        let mut stem: String = name.chars().take(most.saturating_sub(suffix.len()).max(1)).collect();
        stem.truncate(stem.floor_char_boundary(bytes));
        stem + &suffix
    }
}

/// `\x20` stands for a space in ISUPPORT values.
fn unescape(value: &str) -> String {
    value.replace("\\x20", " ").replace("\\x3D", "=").replace("\\x5C", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_of_a_big_network() {
        let mut isupport = Isupport::default();
        isupport.token("PREFIX=(qaohv)~&@%+");
        let (ranks, name) = isupport.split_ranks("&@+alice");
        assert_eq!((isupport.rank(ranks), name), (Rank::Operator, "alice"));
        assert_eq!(isupport.rank(isupport.split_ranks("+bob").0), Rank::Voice);
        assert_eq!(isupport.rank(isupport.split_ranks("carol").0), Rank::Member);
        assert_eq!(isupport.behind_rank("@#ops"), Some("#ops"), "whether it announces STATUSMSG or not");
    }

    #[test]
    fn nonsense_changes_nothing_that_matters() {
        let mut isupport = Isupport::default();
        for token in ["", "=", "PREFIX", "PREFIX=(", "PREFIX=)(", "LINELEN=x", "NICKLEN=0", "NICKLEN=-1"] {
            isupport.token(token);
        }
        assert_eq!((isupport.linelen, isupport.nicklen), (512, None));
        assert_eq!(isupport.rank_of_mode('o'), Some(0));
    }

    #[test]
    fn variants_keep_the_limits() {
        let mut isupport = Isupport::default();
        assert_eq!(isupport.variant("bob", 0), "bob_");
        assert_eq!(isupport.variant("bob", 1), "bob2");
        isupport.token("NICKLEN=9");
        assert_eq!(isupport.variant("abcdefghi", 0), "abcdefgh_");
        assert_eq!(isupport.variant("abcdefghi", 11), "abcdefg12");
        let long = Isupport::default().variant(&"明".repeat(21), 0);
        assert!(parlor_server::protocol::Nick::parse(&long).is_ok());
    }
}
