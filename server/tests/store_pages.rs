//! The store as its callers see it.
#![forbid(unsafe_code)]

use std::sync::mpsc;
use std::time::Duration;

use parlor_server::hub::history::{Answer, Query, Range, Record, Request};
use parlor_server::protocol::MsgId;
use parlor_server::store::{Job, Options, Report, Store};

#[test]
fn a_page_of_no_lines_is_answered() {
    let folder = std::env::temp_dir().join(format!("parlor-store-{}", std::process::id()));
    let (tell, reports) = mpsc::channel();
    let notify = move |report| drop(tell.send(report));
    let (store, opened) = Store::open(&folder, Options::default(), notify).unwrap();
    let id = MsgId { boot: opened.boot, millis: 1, count: 0 };
    let record = Record {
        room: "#a".into(),
        also: Box::default(),
        id,
        event: false,
        fingerprint: None,
        erases: None,
        payload: [1].into(),
    };
    store.submit(Job::Append(vec![record])).unwrap();
    let query = Query { room: "#a".into(), range: Range::ALL, limit: 0, newest: true, events: false };
    store.submit(Job::Read { ticket: 1, request: Request::Lines(query) }).unwrap();
    let answer = loop {
        match reports.recv_timeout(Duration::from_secs(5)) {
            Ok(Report::Answer { answer, .. }) => break answer.ok(),
            Ok(_) => {}
            Err(_) => break None,
        }
    };
    drop(store);
    let _ = std::fs::remove_dir_all(&folder);
    assert_eq!(answer, Some(Answer::Lines { found: Vec::new(), more: None }));
}
