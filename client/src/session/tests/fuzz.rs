//! Whatever a server sends and a person does: no panic, whole lines, deadlines that are met.

use parlor_server::testing::Random;

use super::*;

const WORDS: &[&str] = &[
    "001",
    "005",
    "353",
    "366",
    "376",
    "332",
    "301",
    "322",
    "323",
    "404",
    "433",
    "432",
    "474",
    "PRIVMSG",
    "NOTICE",
    "JOIN",
    "PART",
    "KICK",
    "QUIT",
    "NICK",
    "MODE",
    "TOPIC",
    "INVITE",
    "AWAY",
    "BATCH",
    "PING",
    "PONG",
    "CAP",
    "ERROR",
    "FAIL",
    "me",
    "bob",
    "#lobby",
    "#x",
    "@#lobby",
    ":",
    ":me",
    "*",
    "LS",
    "ACK",
    "NEW",
    "+o-v+k",
    "+1",
    "-1",
    "chathistory",
    "PREFIX=(ohv)@%+",
    "CASEMAPPING=rfc1459",
    "CHANTYPES=",
    "NICKLEN=1",
    "LINELEN=99999999999",
    "=",
    "@bob",
    "+me!u@h",
    "\u{1}ACTION x\u{1}",
    "\u{1}VERSION\u{1}",
    "\u{1}",
    "parlor-1",
    "parlor-2",
    "echo-message",
    "message-tags",
    "小明",
    "",
    " ",
    "ERROR :banned",
    "+1 chathistory #lobby",
    "+1 soju.im/search",
    "parlor/MSGID=sorted",
    "RESUME",
    "TOKEN",
    "CHATHISTORY",
    "CHATHISTORY=2",
    "SEARCH",
];

fn word(random: &mut Random) -> &'static str {
    WORDS[random.below(WORDS.len())]
}

fn server_line(random: &mut Random) -> String {
    let history = format!(
        "@batch=1;msgid={:023x};+parlor/id={:032x} ",
        u128::from(random.number(40)) << 60,
        random.number(9)
    );
    let named =
        format!("@msgid={:023x};+parlor/id={:032x} ", u128::from(random.number(40)) << 60, random.number(9));
    let tags = [
        "",
        &named,
        &history,
        "@msgid=1 ",
        "@time=2026-99-99T99:99:99Z;batch=1 ",
        "@+parlor/id=7;msgid=;;= ",
        "@ ",
    ];
    let sources = ["", ":irc.test ", ":bob!u@h ", ":me!u@h ", ":me ", ": ", ":bob "];
    let mut line = tags[random.below(7)].to_owned() + sources[random.below(7)];
    for _ in 0..random.number(7) {
        line.push_str(word(random));
        line.push(' ');
    }
    line + "\r\n"
}

fn action(random: &mut Random) -> Action {
    let (a, b) = (word(random).to_owned(), word(random).to_owned());
    let key = Key::new(word(random));
    match random.number(22) {
        0..=3 => Action::Say { to: key, text: b },
        4 => Action::Me { to: key, text: b },
        5 => Action::Retry { to: key, id: LineId(random.number(50)) },
        6 => Action::Command { at: key, line: format!("/{a} {b}") },
        7 => Action::Join { room: a, key: Some(b) },
        8 => Action::Leave { key },
        9 => Action::Private { nick: a },
        10 => Action::Close { key },
        11 => Action::Rename { nick: a },
        12 => Action::RetryNow,
        13 => Action::Reading { key },
        14 => Action::Ignore { nick: a },
        15 => Action::Older { key },
        16 => Action::Fill { key, gap: LineId(random.number(200)) },
        17 => Action::Find { key, text: a },
        18 => Action::FindMore { key },
        19 => Action::Discard { to: key, id: LineId(random.number(50)) },
        20 => {
            let msgid = format!("{:023x}", u128::from(random.number(40)) << 60);
            let parts = Parts { msgid: Some(&msgid), ..Parts::default() };
            Action::Jump { key, to: Line::new(LineId(random.number(200)), &parts) }
        }
        _ => Action::Kick { room: key, nick: a, why: b },
    }
}

#[test]
fn nothing_from_outside_makes_it_panic() {
    for number in 0..800 {
        let mut random = Random::new(number);
        let history = format!("{OURS} draft/chathistory soju.im/search parlor/resume");
        let mut world = match number % 4 {
            0 => World::ours("me"),
            1 => World::welcomed("me", "", "NICKLEN=9"),
            2 => World::welcomed("me", &history, "CHATHISTORY=3"),
            _ => World::welcomed("me", &history, "parlor/MSGID=sorted"),
        };
        for _ in 0..120 {
            match random.number(12) {
                0..=6 => {
                    let line = server_line(&mut random);
                    world.give(Input::Received(line.as_bytes()));
                }
                7 => world.give(Input::Lost(GONE)),
                8 => world.give(Input::Connected(Login::default())),
                9 => world.pass(Duration::from_millis(random.number(20_000))),
                _ => {
                    let action = action(&mut random);
                    world.act(action);
                }
            }
            if random.number(40) == 0 {
                world.act(Action::Disconnect);
            }
        }
    }
}

#[test]
fn raw_bytes_are_no_harm_either() {
    for number in 0..200 {
        let mut random = Random::new(number);
        let mut world = World::ours("me");
        for _ in 0..20 {
            let bytes: Vec<u8> = (0..random.number(300))
                .map(|_| b":@! #\r\n\0\x01PRIVMSG\xe9\xff"[random.below(18)])
                .collect();
            world.give(Input::Received(&bytes));
        }
    }
}
