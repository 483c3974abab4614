//! The log: short lines on standard error, written by a thread of their own so that a
//! terminal or a pipe that is held up does not hold up the room.

use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use log::{LevelFilter, Log, Metadata, Record};

/// Lines that may wait; more are dropped.
const WAITING: usize = 4096;

enum Item {
    Line(String),
    Flush(SyncSender<()>),
}

struct Logger {
    lines: SyncSender<Item>,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("parlor") || metadata.target().starts_with("server")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = match record.level() {
                log::Level::Info => format!("{}\n", record.args()),
                level => format!("{}: {}\n", level.as_str().to_ascii_lowercase(), record.args()),
            };
            // Full: the log is lost, the room goes on.
            let _ = self.lines.try_send(Item::Line(line));
        }
    }

    fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.lines.send(Item::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(Duration::from_secs(1));
        }
    }
}

/// Starts the log; done once, by `main`.
pub fn start(level: LevelFilter) {
    let (lines, waiting) = sync_channel(WAITING);
    let thread = std::thread::Builder::new().name("log".into()).spawn(move || write(&waiting));
    if thread.is_ok() && log::set_logger(Box::leak(Box::new(Logger { lines }))).is_ok() {
        log::set_max_level(level);
    }
}

fn write(items: &Receiver<Item>) {
    while let Ok(item) = items.recv() {
        match item {
            // Standard error is gone: there is nobody to tell.
            Item::Line(line) => drop(std::io::stderr().write_all(line.as_bytes())),
            Item::Flush(done) => drop(done.try_send(())),
        }
    }
}
