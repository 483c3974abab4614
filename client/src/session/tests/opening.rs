//! Servers of other kinds, by what they say first.

use super::*;

const ECHO: &str = "CAP LS 302\r\nNICK me\r\nUSER me 0 * :me\r\n";

fn connected() -> World {
    let mut world = World::new(profile("me"));
    world.give(Input::Connected(Login::default()));
    world.look();
    world
}

fn refusals(world: &mut World) -> Vec<(Field, Sentence)> {
    let refusals = world.events().into_iter().filter_map(|event| match event {
        Event::Refused(Refusal { field, sentence, .. }) => Some((field, sentence)),
        _ => None,
    });
    refusals.collect()
}

fn tutorial() -> (Field, Sentence) {
    (Field::Address, Sentence::TutorialServer { server: HostPort::new("irc.test", 49806) })
}

#[track_caller]
fn assert_tutorial(world: &mut World, what: &str) {
    assert_eq!(world.calls, ["disconnect"], "{what:?}");
    assert_eq!(world.screen.status, Some(Status::Offline { since: None }), "{what:?}");
    assert_eq!(refusals(world), [tutorial()], "{what:?}");
    world.seconds(3600);
    assert_eq!(world.calls, [""; 0], "{what:?}: no second attempt by itself");
}

#[test]
fn a_line_of_a_tutorials_server_is_said_at_once() {
    for chunk in [
        ECHO,
        "CAP LS 302\r\n",
        "\r\nCAP LS 302\n",
        "('127.0.0.1', 50112): CAP LS 302\r\nNICK me\r\n",
        "NICKCAP LS 302\r\nNICK me\r\nUSER me 0 * :me joined the chat!Connected to server!",
        "NICK\n",
        "Welcome to the chat\n",
        "服务器连接成功！\r\n",
        "Note: be kind\n",
        "\u{1b}[32mhello\u{1b}[0m\n",
        "<font color=\"Blue\">CAP LS 302\r\n",
    ] {
        let mut world = connected();
        world.give(Input::Received(chunk.as_bytes()));
        assert_tutorial(&mut world, chunk);
    }
}

#[test]
fn a_text_without_a_line_end_is_waited_for_and_then_said() {
    let gbk = b"\xb7\xfe\xce\xf1\xc6\xf7\xc1\xac\xbd\xd3\xb3\xc9\xb9\xa6\xa3\xa1";
    for chunk in [
        b"NICK".as_slice(),
        "服务器连接成功！".as_bytes(),
        gbk,
        b"Welcome to the chat",
        b"CAP LS 302",
        b"1234",
    ] {
        let what = String::from_utf8_lossy(chunk);
        let mut world = connected();
        world.give(Input::Received(chunk));
        world.pass(Duration::from_millis(149));
        assert_eq!(world.calls, [""; 0], "{what}");
        world.pass(Duration::from_millis(1));
        assert_tutorial(&mut world, &what);
    }
}

#[test]
fn more_of_a_text_is_waited_for_longer() {
    let mut world = connected();
    for _ in 0..5 {
        world.give(Input::Received(b"we"));
        world.pass(Duration::from_millis(100));
    }
    assert_eq!(world.calls, [""; 0]);
    world.pass(Duration::from_millis(50));
    assert_tutorial(&mut world, "we");
}

#[test]
fn servers_of_irc_may_begin_as_they_like() {
    for line in [
        "NOTICE AUTH :*** Looking up your hostname",
        "NOTICE * :*** Processing your connection",
        "PING :x",
        "PING 12345",
        ":s.test 020 * :Please wait while we process your connection.",
        "020 * :Please wait while we process your connection.",
        "ERROR :Trying to reconnect too fast.",
        "ERROR: Trying to reconnect too fast.",
        ":localhost NOTICE AUTH :BitlBee-IRCd initialized, please go on",
        ":localhost 451 * :Register first",
        "@time=2026-01-01T00:00:00.000Z :s.test NOTICE * :hello",
        "CAP * LS :echo-message",
        "FAIL * ACCOUNT_REQUIRED_TO_CONNECT :Log in first",
        "AUTHENTICATE +",
    ] {
        // However the network cuts it.
        for cut in 0..=line.len() {
            let mut world = connected();
            let (first, rest) = line.split_at(cut);
            world.give(Input::Received(first.as_bytes()));
            world.seconds(2);
            world.give(Input::Received(format!("{rest}\r\n").as_bytes()));
            // What stands behind that is theirs.
            world.give(Input::Received(b"NICK"));
            world.seconds(2);
            assert_eq!(world.calls, [""; 0], "{line:?} cut at {cut}");
            world.give(Input::Received(b"\r\n:s.test 001 me :Welcome\r\n:s.test 422 me :No MOTD\r\n"));
            let server = "s.test".into();
            assert_eq!(world.screen.status, Some(Status::Connected { server }), "{line:?} cut at {cut}");
        }
    }
}

#[test]
fn what_is_no_chat_at_all_is_told_from_a_tutorial() {
    let not_chat = (Field::Address, Sentence::NotChat { server: HostPort::new("irc.test", 49806) });
    for chunk in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        "+OK POP3 ready\r\n",
        "-ERR unknown command 'CAP'\r\n",
        "\u{1}\u{2}\r\n",
        "<!DOCTYPE html>",
    ] {
        let mut world = connected();
        world.give(Input::Received(chunk.as_bytes()));
        world.seconds(1);
        assert_eq!(world.calls, ["disconnect"], "{chunk:?}");
        assert_eq!(refusals(&mut world), std::slice::from_ref(&not_chat), "{chunk:?}");
    }
}

#[test]
fn a_room_whose_place_a_tutorials_server_has_taken_is_not_called_for_ever() {
    let mut world = World::ours("me");
    world.give(Input::Lost(GONE));
    while world.calls.last() != Some(&"connect") {
        world.seconds(1);
    }
    world.give(Input::Connected(Login::default()));
    world.look();
    world.give(Input::Received(b"NICK"));
    world.seconds(3600);
    assert_eq!(world.calls, ["disconnect"]);
    assert!(matches!(world.screen.status, Some(Status::Offline { since: Some(_) })));
    assert_eq!(refusals(&mut world), [tutorial()]);
}
