//! Sessions as real programs have them: what is mutated.

use parlor_server::testing::Random;

/// One line or message each, with its end.
pub(crate) type Session = Vec<Vec<u8>>;

const ROOMS: &[&str] = &["#calm", "#lobby", "#tea", "#Кухня", "#a"];
const NICKS: &[&str] = &["ann", "Ben", "cat", "Дед", "eve", "小明", "g[]", "Zoë", "i^", "j|", "alice", "bob"];
const CAPS: &[&str] = &[
    "message-tags server-time echo-message batch labeled-response",
    "message-tags batch server-time draft/chathistory draft/event-playback soju.im/search",
    "multi-prefix userhost-in-names extended-join away-notify account-tag setname invite-notify",
    "parlor/resume message-tags echo-message batch",
    "sasl",
];

/// What an IRC program says once it is in.
const TALK: &[&str] = &[
    "JOIN ROOM",
    "JOIN ROOM,OTHER key",
    "PRIVMSG ROOM :hello",
    "@+parlor/id=ID PRIVMSG ROOM :hello",
    "@label=ID;+typing=active;+x=\\s\\: PRIVMSG ROOM,NICK :hello",
    "@+draft/reply=ID TAGMSG ROOM",
    "PRIVMSG NICK :psst",
    "NOTICE @ROOM :hm",
    "TOPIC ROOM :tea",
    "MODE ROOM +bbb a!*@* *!*@x *?*?*?z",
    "MODE ROOM +ikl-n key 3",
    "MODE ROOM b",
    "MODE NICK +i",
    "KICK ROOM NICK :out",
    "INVITE NICK ROOM",
    "PART ROOM :bye",
    "NICK NICK",
    "AWAY :tea",
    "SETNAME :me",
    "MONITOR + NICK,eve",
    "MONITOR L",
    "WHO ROOM %tcuhsnfar,7",
    "WHO *",
    "WHOIS NICK",
    "WHOWAS NICK 3",
    "NAMES ROOM",
    "LIST *?*?*z,>1",
    "CHATHISTORY LATEST ROOM * 100",
    "CHATHISTORY BEFORE ROOM timestamp=2031-01-01T00:00:00.000Z 50",
    "CHATHISTORY AROUND ROOM msgid=ID 50",
    "CHATHISTORY BETWEEN ROOM msgid=ID timestamp=1999-01-01T00:00:00.000Z 50",
    "CHATHISTORY TARGETS timestamp=1999-01-01T00:00:00.000Z timestamp=2099-01-01T00:00:00.000Z 50",
    "SEARCH in=ROOM;text=hello;limit=20",
    "CAP LS 302",
    "CAP REQ :-batch message-tags",
    "OPER NICK key",
    "PING ID",
    "HELP JOIN",
    "USERHOST NICK eve",
    "ISON NICK eve",
];

/// What a person at a terminal types.
const TYPED: &[&str] = &[
    "hello",
    "/me waves",
    "/join ROOM",
    "/msg NICK psst",
    "/who",
    "/nick NICK",
    "/topic tea",
    "/help",
    "/leave",
    "//x",
];

/// What other programs send that have come to the wrong place.
const ELSEWHERE: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"NICK / HTTP/1.1\r\nContent-Length: 20\r\n\r\nPRIVMSG #calm :web\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"\xff\xfb\x1f\xff\xfb\x20\xff\xfd\x03ann\r\nhello\r\n",
    b"\xef\xbb\xbfNICK ann\r\nUSER a 0 * :a\r\n",
    b"<font color=\"red\">ann</font>: <b>hello</b>",
    b"ann: hello",
    b"ann\xef\xbc\x9a\xc4\xe3\xba\xc3",
    b"NICK",
    b"{\"type\":\"join\",\"name\":\"ann\"}\n",
    b"\x00\x00\x00\x05hello",
];

/// A session of some kind.
pub(crate) fn session(random: &mut Random) -> Session {
    match random.below(10) {
        0..6 => irc(random),
        6..8 => typed(random),
        _ => (0..=random.below(4)).map(|_| random.pick(ELSEWHERE).to_vec()).collect(),
    }
}

fn irc(random: &mut Random) -> Session {
    let mut lines = Vec::new();
    if random.below(2) == 0 {
        lines.extend(["CAP LS 302".into(), format!("CAP REQ :{}", one(CAPS, random))]);
    }
    lines.extend([format!("NICK {}", one(NICKS, random)), "USER u 0 * :Real Name".into(), "CAP END".into()]);
    lines.extend((0..random.below(60)).map(|_| filled(TALK, random)));
    lines.push("QUIT :done".into());
    lines.into_iter().map(|line| format!("{line}\r\n").into_bytes()).collect()
}

fn typed(random: &mut Random) -> Session {
    let mut lines = vec![one(NICKS, random).into()];
    lines.extend((0..random.below(30)).map(|_| filled(TYPED, random)));
    lines.into_iter().map(|line| format!("{line}\n").into_bytes()).collect()
}

/// One of several lines, with rooms, names and ids in their places.
fn filled(templates: &[&'static str], random: &mut Random) -> String {
    let template = one(templates, random);
    let line = template.replace("ROOM", one(ROOMS, random)).replace("OTHER", one(ROOMS, random));
    // `NICK NICK` is the command and a name.
    let line = match line.strip_prefix("NICK ") {
        Some(rest) => format!("NICK {}", rest.replace("NICK", one(NICKS, random))),
        None => line.replace("NICK", one(NICKS, random)),
    };
    line.replace("ID", &format!("{:x}", random.number(1000)))
}

fn one(of: &[&'static str], random: &mut Random) -> &'static str {
    of.get(random.below(of.len())).copied().unwrap_or_default()
}
