//! An invitation's link in other IRC programs: it leads them into the room, and what is ours in it does them no harm.

use parlor_client::place::Place;
use parlor_tests::{Scratch, Server, needs};

use crate::files::{HEXCHAT, hexchat_of};
use crate::names::{WEECHAT, WeeChat, display};

/// As the window writes it of several servers, with a key.
fn link(server: &Server) -> String {
    let key = Some("3A".repeat(32).parse().expect("a key"));
    let place = Place::parse(&format!("irc://{},chat.example/#tea", server.address())).expect("a place");
    let link = Place { key, ..place }.link();
    assert!(link.contains("fp=") && link.contains("also="), "{link}");
    link
}

#[test]
fn hexchat_follows_an_invitation() {
    if !needs::have(HEXCHAT) {
        return;
    }
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    let (_display, display) = display();
    let home = Scratch::new();
    let settings =
        "version = 2.16.1\nirc_nick1 = bob\nirc_nick2 = bobby\ngui_slist_skip = 1\ngui_join_dialog = 0\n";
    let _ = home.write("hexchat.conf", settings);
    let _hexchat = hexchat_of(home, &display, &[&format!("--url={}", link(&server))]);
    alice.expect(":bob!*@* JOIN #tea");
}

#[test]
fn weechat_follows_an_invitation() {
    if !needs::have(&[WEECHAT]) {
        return;
    }
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    let weechat =
        WeeChat::start(&server, &["irc.server_default.nicks bobby", "irc.look.temporary_servers on"]);
    weechat.types("core.weechat", &format!("/connect {}", link(&server)));
    alice.expect(":bobby!*@* JOIN #tea");
}
