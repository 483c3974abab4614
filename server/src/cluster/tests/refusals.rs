//! Why a server cannot take part, each with a sentence.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use super::engine::{Engine, free_port};
use super::node::{options, scenario, until};
use crate::cluster::{Options, join};

/// The error, as it is shown.
async fn refused(options: Options) -> (i32, String) {
    let Err(error) = join(options).await else { panic!("it joined") };
    (error.exit_code(), error.to_string())
}

/// Something that answers to whatever is said.
fn pretender(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let mut bytes = [0; 4096];
        while let Ok(1..) = stream.read(&mut bytes) {
            let _ = stream.write_all(answer);
        }
    });
    port
}

#[test]
fn what_is_no_engine_is_told_apart() {
    scenario(async |_| {
        let nobody = free_port();
        let (code, why) = refused(options(nobody)).await;
        assert_eq!(code, 69);
        assert!(why.contains(&format!("127.0.0.1:{nobody}")) && why.contains("refused"), "{why}");
        for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"\x15\x03\x01\x00\x02", b"+OK\r\n"] {
            let (code, why) = refused(options(pretender(answer))).await;
            assert!(code == 78 && why.contains("does not speak as Redis"), "{why}");
        }
        let (code, why) = refused(options(pretender(b"$21\r\nredis_version:5.0.7\r\n\r\n"))).await;
        assert!(code == 78 && why.contains("5.0.7") && why.contains("6.2"), "{why}");
        let mut unknown = options(1);
        unknown.address = "redis://nobody.invalid/test".parse().unwrap();
        let (code, why) = refused(unknown).await;
        assert!(code == 69 && why.contains("nobody.invalid:6379"), "{why}");
    });
}

#[test]
fn an_engine_that_never_answers_is_given_up() {
    scenario(async |_| {
        let (code, why) = refused(options(pretender(b""))).await;
        assert!(code == 69 && why.contains("does not answer"), "{why}");
    });
}

#[test]
fn a_password_that_is_missing_or_wrong_is_named() {
    let Some(engine) = Engine::start(&["--requirepass", "right"]) else { return };
    scenario(async |_| {
        let (code, why) = refused(options(engine.port)).await;
        assert!(code == 77 && why.contains("password"), "{why}");
        let with = |password: &str| {
            let mut options = options(engine.port);
            options.address = options.address.with_password(password.to_owned());
            options
        };
        let (code, why) = refused(with("wrong")).await;
        assert!(code == 77 && why.contains("WRONGPASS") && !why.contains("wrong"), "{why}");
        join(with("right")).await.unwrap().abandon().await;
        // A user that may do too little.
        engine.ask(&[
            "--no-auth-warning",
            "-a",
            "right",
            "ACL",
            "SETUSER",
            "weak",
            "on",
            ">pass",
            "~*",
            "+info",
        ]);
        let mut weak = options(engine.port);
        weak.address = format!("redis://weak:pass@127.0.0.1:{}/test", engine.port).parse().unwrap();
        let (code, why) = refused(weak).await;
        assert!(code == 77 && why.contains("NOPERM"), "{why}");
    });
    let Some(open) = Engine::always() else { return };
    scenario(async |_| {
        let mut unwanted = options(open.port);
        unwanted.address = unwanted.address.with_password("any".to_owned());
        let (code, why) = refused(unwanted).await;
        assert!(code == 77 && why.contains("password"), "{why}");
    });
}

#[test]
fn a_replica_is_refused() {
    let Some(primary) = Engine::always() else { return };
    let Some(replica) = Engine::start(&["--replicaof", &format!("127.0.0.1 {}", primary.port)]) else {
        return;
    };
    scenario(async |_| {
        until("replication", || replica.ask(&["INFO", "replication"]).contains("master_link_status:up"))
            .await;
        let (code, why) = refused(options(replica.port)).await;
        assert!(code == 78 && why.contains("replica"), "{why}");
    });
}

#[test]
fn servers_that_do_not_fit_are_told_what_differs() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let one = super::node::Node::start(&executor, options(engine.port)).await;
        let (code, why) = refused(Options { format: 2, ..options(engine.port) }).await;
        assert!(code == 78 && why.contains("format 1") && why.contains("format 2"), "{why}");
        let settings = vec![("--default-room", "#hall".to_owned()), ("--motd", "x".to_owned())];
        let (code, why) = refused(Options { settings, ..options(engine.port) }).await;
        assert!(code == 78 && why.contains("--default-room is #lobby there and #hall here"), "{why}");
        assert!(why.contains("--motd is not set there and x here"), "{why}");
        let (_, why) = refused(Options { settings: Vec::new(), ..options(engine.port) }).await;
        assert!(why.contains("--default-room is #lobby there and not set here"), "{why}");
        let (code, why) = refused(Options { member_of: Some(one.cluster ^ 1), ..options(engine.port) }).await;
        assert!(code == 78 && why.contains("another cluster") && why.contains("test"), "{why}");
        assert_eq!(engine.ask(&["HLEN", "parlor:{test}:servers"]), "1", "nothing is left of them");
        join(Options { member_of: Some(one.cluster), ..options(engine.port) }).await.unwrap().abandon().await;
    });
}

#[test]
fn keys_of_somebody_else_are_left_alone() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |_| {
        engine.ask(&["SET", "parlor:{test}:log", "text"]);
        let (code, why) = refused(options(engine.port)).await;
        assert!(code == 78 && why.contains("the key log"), "{why}");
        engine.ask(&["DEL", "parlor:{test}:log"]);
        engine.ask(&["XADD", "parlor:{test}:log", "*", "a", "b"]);
        let (code, why) = refused(options(engine.port)).await;
        assert!(code == 78 && why.contains("the key log"), "{why}");
        assert_eq!(engine.ask(&["XLEN", "parlor:{test}:log"]), "1");
        assert_eq!(engine.ask(&["KEYS", "*"]), "parlor:{test}:log");
    });
}

#[test]
fn an_engine_that_loads_its_data_is_waited_for() {
    let Some(mut engine) =
        Engine::start(&["--appendfsync", "no", "--loading-process-events-interval-bytes", "1024"])
    else {
        return;
    };
    engine.ask(&["EVAL", "for i = 1, 3000 do redis.call('SET', 'key' .. i, i) end", "0"]);
    engine.kill();
    engine.slow_start("1000");
    scenario(async |_| {
        assert!(engine.ask(&["PING"]).contains("LOADING"));
        join(options(engine.port)).await.unwrap().abandon().await;
    });
}

#[cfg(not(feature = "tls"))]
#[test]
fn encryption_needs_a_build_that_has_it() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |_| {
        let mut encrypted = options(engine.port);
        encrypted.address = format!("rediss://127.0.0.1:{}/test", engine.port).parse().unwrap();
        let Err(error) = join(encrypted).await else { panic!("it joined") };
        assert!(matches!(error, crate::cluster::Error::NoTls) && error.exit_code() == 78);
    });
}

#[cfg(feature = "tls")]
#[test]
fn an_engine_is_believed_by_its_certificate() {
    let Some((engine, port)) = Engine::encrypted() else { return };
    let at = |port: u16, query: &str| {
        let mut options = options(port);
        options.address = format!("rediss://127.0.0.1:{port}/test{query}").parse().unwrap();
        options
    };
    let own = format!("?ca={}", engine.folder.join("own.pem").display());
    scenario(async |executor| {
        let one = super::node::Node::start(&executor, at(port, &own)).await;
        let two = super::node::Node::start(&executor, options(engine.port)).await;
        let wanted: Vec<_> = (0..200).map(|n| "x".repeat(n * 1000)).collect();
        wanted.iter().for_each(|text| one.say(text));
        one.hears(200).await;
        two.hears(200).await;
        super::node::agree(&[&one, &two], &wanted);
        one.keep_snapshot();
        until("a snapshot", || engine.ask(&["HLEN", "parlor:{test}:snapshots"]) == "2").await;
        // Nobody of those whom the system trusts vouches for it.
        let (code, why) = refused(at(port, "")).await;
        assert!(code == 78 && (why.contains("UnknownIssuer") || why.contains("certificates")), "{why}");
        // It is not who it should be.
        let mut other = at(port, &own);
        other.address = format!("rediss://localhost:{port}/test{own}").parse().unwrap();
        let (code, why) = refused(other).await;
        assert!(code == 78 && why.contains("No secure connection"), "{why}");
        // No TLS where there should be, and the other way round.
        let (code, why) = refused(at(engine.port, &own)).await;
        assert!(code == 69 && why.contains("rediss://"), "{why}");
        let (code, why) = refused(options(port)).await;
        assert!(matches!(code, 69 | 78), "{why}");
        let (code, why) = refused(at(port, "?ca=/nowhere/own.pem")).await;
        assert!(code == 78 && why.contains("/nowhere/own.pem"), "{why}");
    });
}
