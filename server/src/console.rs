//! The operator's terminal: standard input to the hub, what the hub shows to standard output.

use std::io::{BufRead, IsTerminal, Write};
use std::net::SocketAddr;
use std::thread;

use crate::server::Operator;
use crate::start::listen::ListenerKind;
use crate::start::reach::addresses_for_others;

/// Lines that may wait to be shown.
const WAITING: usize = 1024;
/// Bytes of a typed line; a longer one is refused.
const MAX_LINE: usize = 4096;

/// Whether somebody looks at standard output: then it also shows what happens in rooms.
pub fn has_viewer() -> bool {
    std::io::stdout().is_terminal()
}

/// One line a listener on standard output, with its exact address and what others can type.
pub fn announce(addresses: &[(SocketAddr, ListenerKind)]) {
    let mut out = std::io::stdout().lock();
    for (address, kind) in addresses {
        let purpose = match kind {
            ListenerKind::Main => "",
            ListenerKind::Raw => " for raw clients",
        };
        // Nobody may be reading: that is no reason not to run.
        let _ = writeln!(out, "Listening on {address}{purpose}");
        for other in addresses_for_others(*address) {
            let _ = writeln!(out, "  others can type {} ({})", other.address, other.interface);
        }
    }
    let _ = out.flush();
}

/// Connects standard input and output. Closed or absent standard input is a service's normal
/// case and costs a thread that ends at once.
pub fn start() -> Operator {
    let (typed, lines) = async_channel::bounded(16);
    let (shown, show) = async_channel::bounded::<String>(WAITING);
    if may_read() {
        let read = move || {
            for line in std::io::stdin().lock().split(b'\n') {
                let Ok(line) = line else { return };
                let line = String::from_utf8_lossy(&line).trim().to_owned();
                if line.len() > MAX_LINE {
                    log::warn!("a line of more than {MAX_LINE} bytes at the console was refused");
                } else if typed.send_blocking(line).is_err() {
                    return;
                }
            }
        };
        spawn("stdin", read);
    }
    spawn("stdout", move || {
        while let Ok(line) = show.recv_blocking() {
            let mut out = std::io::stdout().lock();
            // Standard output is gone: nobody looks any more.
            if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
                return;
            }
        }
    });
    Operator { lines, shown }
}

fn spawn(name: &str, task: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().name(name.into()).spawn(task) {
        log::warn!("the console's {name} is not available: {error}");
    }
}

/// A program in the background of a terminal is stopped by the system when it reads there.
#[cfg(unix)]
fn may_read() -> bool {
    let stdin = std::io::stdin();
    !stdin.is_terminal()
        || rustix::termios::tcgetpgrp(&stdin).is_ok_and(|group| group == rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn may_read() -> bool {
    true
}
