//! What a server is told that cannot take part: a sentence, an exit code, and nothing half started.

use std::io::Write;
use std::net::TcpListener;
use std::thread;

use parlor_tests::{Launch, Server};

use crate::house::House;

/// It ends with this code, and says this.
#[track_caller]
fn refused(launch: Launch, code: i32, says: &[&str]) {
    let ended = launch.run();
    assert_eq!(ended.code, code, "{}", ended.stderr);
    for word in says {
        assert!(ended.stderr.contains(word), "{word:?} is not in {}", ended.stderr);
    }
    assert!(!ended.stdout.contains("Listening"), "{}", ended.stdout);
}

#[test]
fn wrong_addresses_are_named() {
    for (url, says) in [
        ("http://127.0.0.1/house", "redis://"),
        ("redis://127.0.0.1:1", "NAME"),
        ("redis:///house", ""),
        ("redis://127.0.0.1:99999/house", ""),
        ("redis://127.0.0.1/ho use", "NAME"),
        ("", "redis://"),
    ] {
        refused(Launch::new(&["--cluster", url]), 64, &["--cluster", says]);
    }
    refused(
        Launch::new(&["--cluster-password-file", "x"]),
        64,
        &["--cluster-password-file belongs to --cluster"],
    );
}

#[test]
fn a_redis_that_is_not_there_or_is_none_is_named() {
    refused(
        Launch::new(&["--cluster", "redis://127.0.0.1:1/house"]),
        69,
        &["127.0.0.1:1", "Check that it runs"],
    );
    let web = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = web.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in web.incoming() {
            let _ = stream.and_then(|mut stream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        }
    });
    refused(Launch::new(&["--cluster", &format!("redis://{at}/house")]), 78, &[&at.to_string()]);
}

#[test]
fn passwords_are_checked_and_may_stand_in_a_file() {
    let Some(house) = House::with(&["--requirepass", "sesame"]) else { return };
    refused(house.launch(1, &[]), 77, &["does not let this server in"]);
    let wrong = house.url().replace("//", "//:wrong@");
    refused(Launch::new(&["--cluster", &wrong]), 77, &["does not let this server in"]);
    let file = house.folder.file("password");
    std::fs::write(&file, "sesame\n").expect("it is written");
    #[cfg(unix)]
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("ours");
    let server = house.launch(1, &["--cluster-password-file", &file]).start();
    drop(server.irc("amy"));
    refused(
        Launch::new(&["--cluster", &wrong, "--cluster-password-file", &file]),
        64,
        &["--cluster has a password already"],
    );
}

#[test]
fn settings_that_decide_about_others_must_be_the_same() {
    let Some(house) = House::new() else { return };
    let _one = house.server(1);
    refused(
        house.launch(2, &["--default-room", "#hall"]),
        78,
        &["--default-room is #lobby there and #hall here"],
    );
    refused(
        house.launch(2, &["--name", "b.example"]),
        78,
        &["--name is parlor.local there and b.example here"],
    );
}

#[test]
fn a_folder_with_a_history_of_its_own_is_not_mixed_with_another() {
    let Some(house) = House::new() else { return };
    let data = house.folder.file("data2");
    let alone = Server::start(&["--data", &data]);
    let mut amy = alone.irc("amy");
    amy.join("#tea");
    amy.send("PRIVMSG #tea :before");
    amy.silent_until_pong("FAIL **");
    assert_eq!(alone.stop(), 0);
    let _one = house.server(1);
    refused(house.launch(2, &[]), 78, &["has a history from before"]);
    // Another cluster under the same name.
    let Some(another) = House::new() else { return };
    let first = another.server(1);
    assert_eq!(first.stop(), 0);
    let data = another.folder.file("data1");
    refused(Launch::new(&["--cluster", &house.url(), "--data", &data]), 78, &["another cluster"]);
}
