//! Who is there when a test begins.

use parlor_tests::{Plain, Server};

use crate::desk::Desk;

/// Somebody at a terminal.
pub(crate) fn terminal(server: &Server, name: &str) -> Plain {
    let mut terminal = Plain::connect(server);
    terminal.send(name);
    terminal.expect("-!- Welcome *");
    terminal
}

/// `bob` at a terminal and a window called alice in #lobby. She has spoken, so that what comes is read, and not new.
pub(crate) fn lobby(desk: Desk) -> (Server, Plain, Desk) {
    let server = Server::start(&[]);
    let mut bob = terminal(&server, "bob");
    let alice =
        desk.setting("theme", "\"light\"").client(&[&server.address().to_string(), "--name", "alice"]);
    bob.expect("-!- alice joined");
    alice.wait_title("#lobby*");
    alice.types("here I am");
    bob.expect("<alice> here I am");
    (server, bob, alice)
}
