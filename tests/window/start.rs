//! What keeps a window from opening is a sentence and an exit code, never a panic.

use std::process::{Command, Output};

use parlor_tests::{Plain, Scratch, Server, needs, program_named};

use crate::desk::Desk;

/// Runs the client to its end.
fn run(config: &Scratch, settings: &[(&str, &str)]) -> Output {
    let mut client = Command::new(program_named("client"));
    client.arg("--config").arg(config.path()).env_remove("WAYLAND_DISPLAY").env_remove("DISPLAY");
    client.envs(settings.iter().copied());
    client.output().expect("the client runs")
}

fn sentence(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn no_display() {
    let output = run(&Scratch::new(), &[]);
    assert_eq!(output.status.code(), Some(69), "{}", sentence(&output));
    assert!(sentence(&output).starts_with("client: "), "{}", sentence(&output));
    assert_eq!(sentence(&output).lines().count(), 1);
}

#[test]
fn a_display_that_lacks_what_a_window_needs() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let desk = Desk::with(1100, 720, &["-extension", "RANDR"]);
    let output = run(&Scratch::new(), &[("DISPLAY", desk.display())]);
    assert_eq!(output.status.code(), Some(69), "{}", sentence(&output));
    assert!(sentence(&output).contains("RANDR"), "{}", sentence(&output));
    assert_eq!(sentence(&output).lines().count(), 1);
}

#[test]
fn no_fonts() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let config = Scratch::new();
    let none = config.write("fonts.conf", "<?xml version=\"1.0\"?><fontconfig></fontconfig>");
    let desk = Desk::new();
    let output = run(&config, &[("FONTCONFIG_FILE", none.as_str()), ("DISPLAY", desk.display())]);
    assert_eq!(output.status.code(), Some(69), "{}", sentence(&output));
    assert!(sentence(&output).contains("fonts-dejavu-core"), "{}", sentence(&output));
    assert_eq!(sentence(&output).lines().count(), 1);
}

#[test]
fn no_folder_for_the_settings() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let server = Server::start(&[]);
    let mut bob = Plain::connect(&server);
    bob.send("bob");
    bob.expect("-!- Welcome *");
    let desk = Desk::new().without_folder();
    let alice = desk.client(&[&server.address().to_string(), "--name", "alice"]);
    alice.wait_title("#lobby*");
    alice.types("all the same");
    bob.expect("<alice> all the same");
    alice.picture("nothing-kept");
}
