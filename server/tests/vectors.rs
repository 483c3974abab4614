//! The cases of the public IRC parser tests (ircdocs/parser-tests, dedicated to the public
//! domain), as data of our own.
#![forbid(unsafe_code)]

use parlor_server::protocol::mask;
use parlor_server::protocol::message::{Message, Tags, Userhost, escape, unescape};
use parlor_server::protocol::name::is_server_name;

/// A line, and what it is made of: tags, source, verb, parameters.
type Split = (
    &'static str,
    &'static [(&'static str, &'static str)],
    Option<&'static str>,
    &'static str,
    &'static [&'static str],
);

const VENDOR: &[(&str, &str)] =
    &[("tag1", "value1"), ("tag2", ""), ("vendor1/tag3", "value2"), ("vendor2/tag4", "")];

const SPLIT: &[Split] = &[
    ("foo bar baz asdf", &[], None, "foo", &["bar", "baz", "asdf"]),
    (":coolguy foo bar baz asdf", &[], Some("coolguy"), "foo", &["bar", "baz", "asdf"]),
    ("foo bar baz :asdf quux", &[], None, "foo", &["bar", "baz", "asdf quux"]),
    ("foo bar baz :", &[], None, "foo", &["bar", "baz", ""]),
    ("foo bar baz ::asdf", &[], None, "foo", &["bar", "baz", ":asdf"]),
    (":coolguy foo bar baz :asdf quux", &[], Some("coolguy"), "foo", &["bar", "baz", "asdf quux"]),
    (":coolguy foo bar baz :  asdf quux ", &[], Some("coolguy"), "foo", &["bar", "baz", "  asdf quux "]),
    (":coolguy PRIVMSG bar :lol :) ", &[], Some("coolguy"), "PRIVMSG", &["bar", "lol :) "]),
    (":coolguy foo bar baz :", &[], Some("coolguy"), "foo", &["bar", "baz", ""]),
    (":coolguy foo bar baz :  ", &[], Some("coolguy"), "foo", &["bar", "baz", "  "]),
    ("@a=b;c=32;k;rt=ql7 foo", &[("a", "b"), ("c", "32"), ("k", ""), ("rt", "ql7")], None, "foo", &[]),
    (
        "@a=b\\\\and\\nk;c=72\\s45;d=gh\\:764 foo",
        &[("a", "b\\and\nk"), ("c", "72 45"), ("d", "gh;764")],
        None,
        "foo",
        &[],
    ),
    ("@c;h=;a=b :quux ab cd", &[("c", ""), ("h", ""), ("a", "b")], Some("quux"), "ab", &["cd"]),
    (":src JOIN #chan", &[], Some("src"), "JOIN", &["#chan"]),
    (":src JOIN :#chan", &[], Some("src"), "JOIN", &["#chan"]),
    (":src AWAY", &[], Some("src"), "AWAY", &[]),
    (":src AWAY ", &[], Some("src"), "AWAY", &[]),
    (":cool\tguy foo bar baz", &[], Some("cool\tguy"), "foo", &["bar", "baz"]),
    (
        ":coolguy!ag@net\x035w\x03ork.admin PRIVMSG foo :bar baz",
        &[],
        Some("coolguy!ag@net\x035w\x03ork.admin"),
        "PRIVMSG",
        &["foo", "bar baz"],
    ),
    (
        ":coolguy!~ag@n\x02et\x0305w\x0fork.admin PRIVMSG foo :bar baz",
        &[],
        Some("coolguy!~ag@n\x02et\x0305w\x0fork.admin"),
        "PRIVMSG",
        &["foo", "bar baz"],
    ),
    (
        "@tag1=value1;tag2;vendor1/tag3=value2;vendor2/tag4= :irc.example.com COMMAND param1 param2 :param3 param3",
        VENDOR,
        Some("irc.example.com"),
        "COMMAND",
        &["param1", "param2", "param3 param3"],
    ),
    (
        ":irc.example.com COMMAND param1 param2 :param3 param3",
        &[],
        Some("irc.example.com"),
        "COMMAND",
        &["param1", "param2", "param3 param3"],
    ),
    (
        "@tag1=value1;tag2;vendor1/tag3=value2;vendor2/tag4 COMMAND param1 param2 :param3 param3",
        VENDOR,
        None,
        "COMMAND",
        &["param1", "param2", "param3 param3"],
    ),
    ("COMMAND", &[], None, "COMMAND", &[]),
    ("@foo=\\\\\\\\\\:\\\\s\\s\\r\\n COMMAND", &[("foo", "\\\\;\\s \r\n")], None, "COMMAND", &[]),
    (
        ":gravel.mozilla.org 432  #momo :Erroneous Nickname: Illegal characters",
        &[],
        Some("gravel.mozilla.org"),
        "432",
        &["#momo", "Erroneous Nickname: Illegal characters"],
    ),
    (":gravel.mozilla.org MODE #tckk +n ", &[], Some("gravel.mozilla.org"), "MODE", &["#tckk", "+n"]),
    (
        ":services.esper.net MODE #foo-bar +o foobar  ",
        &[],
        Some("services.esper.net"),
        "MODE",
        &["#foo-bar", "+o", "foobar"],
    ),
    ("@tag1=value\\\\ntest COMMAND", &[("tag1", "value\\ntest")], None, "COMMAND", &[]),
    ("@tag1=value\\1 COMMAND", &[("tag1", "value1")], None, "COMMAND", &[]),
    ("@tag1=value1\\ COMMAND", &[("tag1", "value1")], None, "COMMAND", &[]),
    (
        "@tag1=1;tag2=3;tag3=4;tag1=5 COMMAND",
        &[("tag1", "5"), ("tag2", "3"), ("tag3", "4")],
        None,
        "COMMAND",
        &[],
    ),
    (
        "@tag1=1;tag2=3;tag3=4;tag1=5;vendor/tag2=8 COMMAND",
        &[("tag1", "5"), ("tag2", "3"), ("tag3", "4"), ("vendor/tag2", "8")],
        None,
        "COMMAND",
        &[],
    ),
    (":SomeOp MODE #channel :+i", &[], Some("SomeOp"), "MODE", &["#channel", "+i"]),
    (
        ":SomeOp MODE #channel +oo SomeUser :AnotherUser",
        &[],
        Some("SomeOp"),
        "MODE",
        &["#channel", "+oo", "SomeUser", "AnotherUser"],
    ),
];

#[test]
fn lines_are_split() {
    for (line, tags, source, verb, params) in SPLIT {
        let message = Message::parse(line).unwrap_or_else(|| panic!("{line:?} is a message"));
        assert_eq!(message.source, *source, "{line:?}");
        assert_eq!(message.command, *verb, "{line:?}");
        assert_eq!(&message.params[..], *params, "{line:?}");
        for (key, value) in *tags {
            assert_eq!(message.tags.get(key).as_deref(), Some(*value), "{line:?} {key}");
        }
        let mut keys: Vec<&str> = message.tags.iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), tags.len(), "{line:?}");
    }
}

/// Tags, source, verb, parameters, and the lines that say this.
type Join = (
    &'static [(&'static str, &'static str)],
    Option<&'static str>,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const JOIN: &[Join] = &[
    (&[], None, "foo", &["bar", "baz", "asdf"], &["foo bar baz asdf", "foo bar baz :asdf"]),
    (&[], Some("src"), "AWAY", &[], &[":src AWAY"]),
    (&[], Some("src"), "AWAY", &[""], &[":src AWAY :"]),
    (&[], Some("coolguy"), "foo", &["bar", "baz", "asdf"], &[":coolguy foo bar baz asdf"]),
    (&[], None, "foo", &["bar", "baz", "asdf quux"], &["foo bar baz :asdf quux"]),
    (&[], None, "foo", &["bar", "baz", ""], &["foo bar baz :"]),
    (&[], None, "foo", &["bar", "baz", ":asdf"], &["foo bar baz ::asdf"]),
    (&[], Some("coolguy"), "foo", &["bar", "  asdf quux "], &[":coolguy foo bar :  asdf quux "]),
    (&[], Some("coolguy"), "PRIVMSG", &["bar", "lol :) "], &[":coolguy PRIVMSG bar :lol :) "]),
    (&[], Some("coolguy"), "foo", &["bar", "baz", "  "], &[":coolguy foo bar baz :  "]),
    (&[], Some("coolguy"), "foo", &["b\tar", "baz"], &[":coolguy foo b\tar baz", ":coolguy foo b\tar :baz"]),
    (&[("asd", "")], Some("coolguy"), "foo", &["bar", "  "], &["@asd :coolguy foo bar :  "]),
    (&[("a", "b\\and\nk"), ("d", "gh;764")], None, "foo", &[], &["@a=b\\\\and\\nk;d=gh\\:764 foo"]),
    (
        &[("a", "b\\and\nk"), ("d", "gh;764")],
        None,
        "foo",
        &["par1", "par2"],
        &["@a=b\\\\and\\nk;d=gh\\:764 foo par1 par2", "@a=b\\\\and\\nk;d=gh\\:764 foo par1 :par2"],
    ),
    (&[("foo", "\\\\;\\s \r\n")], None, "COMMAND", &[], &["@foo=\\\\\\\\\\:\\\\s\\s\\r\\n COMMAND"]),
];

#[test]
fn lines_are_joined() {
    for (tags, source, verb, params, lines) in JOIN {
        let written: Vec<String> = tags
            .iter()
            .map(
                |(key, value)| {
                    if value.is_empty() { (*key).into() } else { format!("{key}={}", escape(value)) }
                },
            )
            .collect();
        let written = written.join(";");
        let params = params.iter().copied().collect();
        let line = Message { tags: Tags(&written), source: *source, command: verb, params }.to_string();
        assert!(lines.contains(&line.as_str()), "{line:?} is none of {lines:?}");
        for (_, value) in *tags {
            assert_eq!(unescape(&escape(value)), *value);
        }
    }
}

/// A mask, what it matches, and what not.
const MASKS: &[(&str, &[&str], &[&str])] = &[
    (
        "*@127.0.0.1",
        &["coolguy!ab@127.0.0.1", "cooldud3!~bc@127.0.0.1"],
        &["coolguy!ab@127.0.0.5", "cooldud3!~d@124.0.0.1"],
    ),
    (
        "cool*@*",
        &["coolguy!ab@127.0.0.1", "cooldud3!~bc@127.0.0.1", "cool132!ab@example.com"],
        &["koolguy!ab@127.0.0.5", "cooodud3!~d@124.0.0.1"],
    ),
    (
        "cool!*@*",
        &["cool!guyab@127.0.0.1", "cool!~dudebc@127.0.0.1", "cool!312ab@example.com"],
        &["coolguy!ab@127.0.0.1", "cooldud3!~bc@127.0.0.1", "koolguy!ab@127.0.0.5", "cooodud3!~d@124.0.0.1"],
    ),
    (
        "cool!?username@*",
        &["cool!ausername@127.0.0.1", "cool!~username@127.0.0.1"],
        &["cool!username@127.0.0.1"],
    ),
    ("cool!a?*@*", &["cool!ab@127.0.0.1", "cool!abc@127.0.0.1"], &["cool!a@127.0.0.1"]),
    (
        "cool[guy]!*@*",
        &["cool[guy]!guy@127.0.0.1", "cool[guy]!a@example.com"],
        &["coolg!ab@127.0.0.1", "cool[!ac@127.0.1.1"],
    ),
];

#[test]
fn masks_match() {
    for (mask, matches, fails) in MASKS {
        for text in *matches {
            assert!(mask::Text::new(text).matches(mask), "{mask} {text}");
        }
        for text in *fails {
            assert!(!mask::Text::new(text).matches(mask), "{mask} {text}");
        }
    }
}

const USERHOSTS: &[(&str, &str, &str, &str)] = &[
    ("coolguy", "coolguy", "", ""),
    ("coolguy!ag@127.0.0.1", "coolguy", "ag", "127.0.0.1"),
    ("coolguy!~ag@localhost", "coolguy", "~ag", "localhost"),
    ("coolguy@127.0.0.1", "coolguy", "", "127.0.0.1"),
    ("coolguy!ag", "coolguy", "ag", ""),
    ("coolguy!ag@net\x035w\x03ork.admin", "coolguy", "ag", "net\x035w\x03ork.admin"),
    ("coolguy!~ag@n\x02et\x0305w\x0fork.admin", "coolguy", "~ag", "n\x02et\x0305w\x0fork.admin"),
];

#[test]
fn userhosts_are_split() {
    for (source, nick, user, host) in USERHOSTS {
        assert_eq!(Userhost::split(source), Userhost { nick, user, host });
    }
}

#[test]
fn server_names_are_checked() {
    for name in [
        "irc.example.com",
        "i.coolguy.net",
        "irc-srv.net.uk",
        "iRC.CooLguY.NeT",
        "gsf.ds342.co.uk",
        "324.net.uk",
        "xn--bcher-kva.ch",
        "services.",
    ] {
        assert!(is_server_name(name), "{name}");
    }
    for name in [
        "-lol-.net.uk",
        "-lol.net.uk",
        "_irc._sctp.lol.net.uk",
        "irc",
        "com",
        "",
        " ",
        "example. net",
        "ex ample.org",
        " example.org",
        "example.org ",
    ] {
        assert!(!is_server_name(name), "{name:?}");
    }
}
