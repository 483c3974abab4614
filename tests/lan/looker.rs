//! Somebody who looks for rooms, and the list that they see.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use parlor_tests::Deadline;

/// What a looker sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum List {
    Rooms(Vec<Listed>),
    /// Why nobody can be found.
    Nowhere(String),
}

impl List {
    pub(crate) fn rooms(&self) -> &[Listed] {
        match self {
            List::Rooms(rooms) => rooms,
            List::Nowhere(_) => &[],
        }
    }

    /// The room of that name, if there is one and not two.
    pub(crate) fn one(&self, name: &str) -> Option<&Listed> {
        let mut named = self.rooms().iter().filter(|room| room.name == name);
        named.next().filter(|_| named.next().is_none())
    }
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) room: String,
    pub(crate) people: String,
    pub(crate) key: String,
    pub(crate) addresses: Vec<String>,
}

/// The bin `rooms`; killed on drop.
pub(crate) struct Looker {
    child: Child,
    lists: Receiver<List>,
    last: Option<List>,
}

impl Looker {
    pub(crate) fn start(mut command: Command) -> Looker {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("`rooms` starts");
        let (tell, lists) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("asked for above"));
        thread::spawn(move || {
            let mut lines = stdout.lines().map_while(Result::ok);
            while let Some(line) = lines.next() {
                let list = match line.strip_prefix("nowhere: ") {
                    Some(why) => List::Nowhere(why.to_owned()),
                    None => {
                        let count = line.strip_suffix(" rooms").and_then(|count| count.parse().ok());
                        let rows =
                            lines.by_ref().take(count.unwrap_or_else(|| panic!("rooms said {line:?}")));
                        List::Rooms(rows.map(|row| listed(&row)).collect())
                    }
                };
                if tell.send(list).is_err() {
                    return;
                }
            }
        });
        Looker { child, lists, last: None }
    }

    /// The list as soon as it is like that: what was seen last, or comes within this time.
    #[track_caller]
    pub(crate) fn wait(&mut self, what: &str, within: Duration, fits: impl Fn(&List) -> bool) -> List {
        let deadline = Deadline::after(within);
        loop {
            self.last = self.lists.try_iter().last().or(self.last.take());
            if let Some(list) = self.last.as_ref().filter(|list| fits(list)) {
                return list.clone();
            }
            let next = deadline.left().and_then(|left| self.lists.recv_timeout(left).ok());
            let Some(next) = next else {
                panic!("not seen within {within:?}: {what}; the list was {:#?}", self.last)
            };
            self.last = Some(next);
        }
    }

    /// The only room of that name, as soon as there is one.
    #[track_caller]
    pub(crate) fn finds(&mut self, name: &str) -> Listed {
        let list = self.wait(&format!("{name:?}"), crate::SOON, |list| list.one(name).is_some());
        list.one(name).cloned().expect("waited for")
    }

    /// Waits until no room is listed.
    #[track_caller]
    pub(crate) fn loses(&mut self, name: &str, within: Duration) {
        let gone = |list: &List| list.rooms().iter().all(|room| room.name != name);
        self.wait(&format!("{name:?} gone"), within, gone);
    }

    /// That nothing is listed that does not fit, for as long as this.
    #[track_caller]
    pub(crate) fn always(&mut self, during: Duration, fits: impl Fn(&List) -> bool) {
        let deadline = Deadline::after(during);
        while let Some(left) = deadline.left() {
            if let Ok(list) = self.lists.recv_timeout(left) {
                assert!(fits(&list), "{list:#?}");
                self.last = Some(list);
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Looker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `"name" #room people key address address`
fn listed(row: &str) -> Listed {
    let (name, rest) = row.trim().strip_prefix('"').and_then(|row| row.rsplit_once("\" ")).expect("a row");
    let mut words = rest.split(' ').map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    let (room, people, key) = (word(), word(), word());
    Listed { name: name.to_owned(), room, people, key, addresses: words.collect() }
}

/// The memory that a process has now, in KB.
pub(crate) fn resident(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("of a process that runs");
    line.trim().trim_end_matches(" kB").parse().expect("a number of kilobytes")
}

/// How often each thread of a process has gone to sleep so far: a measure of what it does that does not depend on the
/// machine.
pub(crate) fn waits(id: u32) -> HashMap<OsString, u64> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).expect("it runs").flatten();
    let waits = |thread: fs::DirEntry| {
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        Some((thread.file_name(), line.trim().parse().expect("a number of waits")))
    };
    threads.filter_map(waits).collect()
}
