//! The store as its callers see it.
#![forbid(unsafe_code)]

use std::sync::mpsc;
use std::time::Duration;

use parlor_server::store::{Answer, Bound, Key, Notice, Options, Query, Record, Request, Store};

#[test]
fn a_page_of_no_lines_is_answered() {
    let folder = std::env::temp_dir().join(format!("parlor-store-{}", std::process::id()));
    let (tell, notices) = mpsc::channel();
    let notify = move |notice| drop(tell.send(notice));
    let (store, opened) = Store::open(&folder, Options::default(), notify).unwrap();
    let key = Key { boot: opened.boot, millis: 1, count: 0 };
    let record = Record { room: "#a".into(), key, event: false, fingerprint: 0, payload: [1].into() };
    store.append(vec![record]).unwrap();
    let query = Query {
        room: "#a".into(),
        after: Bound::Open,
        before: Bound::Open,
        limit: 0,
        newest_first: true,
        events: false,
        upto: key,
    };
    store.read(1, Request::Page(query)).unwrap();
    let answer = loop {
        match notices.recv_timeout(Duration::from_secs(5)) {
            Ok(Notice::Answer { answer, .. }) => break answer.ok(),
            Ok(_) => {}
            Err(_) => break None,
        }
    };
    let found = answer.map(|answer| match answer {
        Answer::Found(found) => found.records.len(),
        Answer::Targets(targets) => targets.len(),
    });
    drop(store);
    let _ = std::fs::remove_dir_all(&folder);
    assert_eq!(found, Some(0));
}
