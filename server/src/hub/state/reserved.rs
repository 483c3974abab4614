//! Names that read like the server's own, or like a service's or an operator's: nobody has them.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::hub::state::SERVER;

/// What is nobody's name, however it is spelt.
const NAMES: &[&str] = &[SERVER, "system", "services", "operator", "host"];
/// The end of a service's name: NickServ, ChanServ.
const SERVICE: &str = "serv";
/// Letters that look like one of these names; what Unicode itself calls a form of a letter (NFKD) is
/// not listed.
const ALIKE: &[(char, &str)] = &[
    ('a', "аɑαᴀ@4"),
    ('b', "ЬьƄ8"),
    ('c', "сϲᴄ"),
    ('e', "еҽєεᴇ3ё"),
    ('h', "һհʜн"),
    ('i', "іıιɩɪӏl1|!"),
    ('k', "кκᴋ"),
    ('m', "мᴍ"),
    ('n', "пηոɴ"),
    ('o', "оοօσᴏ0"),
    ('p', "рρᴘ"),
    ('r', "гʀᴦ"),
    ('s', "ѕꜱƽ5$"),
    ('t', "тτᴛ7"),
    ('v', "ѵνᴠ"),
    ('y', "уүγʏ"),
];

/// Whether a name reads like one of those, or like `server`, the server's name.
pub(crate) fn is_reserved(name: &str, server: &str) -> bool {
    let name = skeleton(name);
    NAMES.iter().any(|reserved| skeleton(reserved) == name)
        || name.strip_suffix(SERVICE).is_some_and(|of| !of.is_empty())
        || skeleton(server) == name
}

/// The letters that a reader sees, without what stands between them.
fn skeleton(name: &str) -> String {
    let letters = name.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    let seen = letters.map(|c| {
        let like = ALIKE.iter().find(|(_, alike)| alike.contains(c));
        like.map_or(c, |(letter, _)| *letter)
    });
    seen.filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_like_the_server_is_nobodys_name() {
        for name in [
            "server",
            "Server",
            "SERVER",
            "sеrver",
            "ſerver",
            "ｓｅｒｖｅｒ",
            "sérver",
            "serv3r",
            "_server_",
            "ser-ver",
            "NickServ",
            "ChanServ",
            "NіckServ",
            "MemoServ",
            "parlor․local",
            "parlor_local",
            "host",
            "hоst",
            "operator",
            "0perator",
            "οperator",
            "system",
            "Ѕystem",
            "𝓼𝓮𝓻𝓿𝓮𝓻",
            "serνer",
            "server`",
        ] {
            assert!(is_reserved(name, "parlor.local"), "{name}");
        }
        for name in [
            "bob",
            "服务器",
            "serve",
            "serv",
            "observer",
            "server2",
            "hosts",
            "ghost",
            "Сергей",
            "Οδυσσέας",
            "parlor",
            "local",
            "josé",
            "小明",
            "Serverus",
            "cooperator",
        ] {
            assert!(!is_reserved(name, "parlor.local"), "{name}");
        }
    }
}
