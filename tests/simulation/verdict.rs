//! The end of a day: all is quiet, and everybody has the same.

use std::time::Duration;

use parlor_client::session::{Action, Delivery, Input, Key};

use crate::order::{Lines, difference};
use crate::world::{ROOMS, World};

/// How long it takes at most until everybody is back: the longest wait of a client (60 s), a ghost that is given up
/// (60 s of silence, 30 s after a PING, 30 s of lingering), and an own name that is asked for again.
const QUIET: Duration = Duration::from_secs(400);
/// Pages that somebody scrolls back at most.
const PAGES: usize = 40;

impl World {
    /// Lets everything come to rest, and everybody scroll back to the beginning.
    pub(crate) fn settle(&mut self) {
        self.trace.say(self.now, || "== from now on all is quiet".into());
        for _ in 0..2 {
            self.run_until(self.now + QUIET);
            (0..self.persons.len()).for_each(|i| self.come_in(i));
        }
        for i in 0..self.persons.len() {
            for room in ROOMS {
                if !self.persons[i].is_in(room) {
                    self.give_person(i, Input::Act(Action::Join { room: room.into(), key: None }));
                }
            }
        }
        self.run_until(self.now + Duration::from_secs(60));
        for _ in 0..PAGES {
            let mut gaps = 0;
            for i in 0..self.persons.len() {
                for key in ROOMS.map(Key::new) {
                    let Some(gap) = self.persons[i].gap(&key).map(|gap| gap.id()) else { continue };
                    gaps += 1;
                    self.give_person(i, Input::Act(Action::Fill { key, gap }));
                }
            }
            if gaps == 0 {
                break;
            }
            self.run_until(self.now + Duration::from_secs(40));
        }
    }

    /// Looks whether all is as promised.
    pub(crate) fn judge(&self) {
        for (s, home) in self.homes.iter().enumerate() {
            self.oracle.finish(s, home.disk.kept());
        }
        let of_log = self.plan.several.as_ref().map(|_| self.judge_servers());
        let lines = of_log.as_ref().unwrap_or(self.oracle.kept_by(0));
        for (i, person) in self.persons.iter().enumerate() {
            assert!(person.is_connected(), "ann{i} is back: {:?}", person.screen.status);
            let waiting: Vec<_> = person.in_state(Delivery::Pending).collect();
            assert!(waiting.is_empty(), "ann{i} still waits for the receipts of {waiting:?}");
            for room in ROOMS {
                self.judge_room(i, lines, room);
            }
        }
        for (word, said) in &self.oracle.said {
            let Some(i) = said.by.filter(|_| !said.excused && !self.oracle.volatile.contains(word)) else {
                continue;
            };
            let failed = || {
                let mut failed = self.persons[i].in_state(Delivery::Failed);
                failed.any(|(_, line)| crate::oracle::word(line.text()) == Some(word))
            };
            // Whoever deletes a line has read it.
            let kept = match &of_log {
                Some(lines) => lines.contains_key(word) || self.oracle.order.has_lost(word),
                None => self.oracle.is_kept(word),
            };
            assert!(kept || failed(), "{word} of ann{i} in {} is lost", said.room);
        }
    }

    /// All servers have the same, and all that the log says, which is returned.
    fn judge_servers(&self) -> Lines {
        let lines = self.oracle.order.lines(self.engine.entries());
        let mut first = None;
        for (s, server) in self.servers.iter().enumerate() {
            let (Some(hub), Some(replica)) = (&server.hub, &server.replica) else {
                panic!("server {s} is there: {server:?}")
            };
            let waits = replica.first_waiting();
            assert!(waits.is_none(), "what server {s} has proposed has its place in the log: {waits:?}");
            assert_eq!(replica.last, self.engine.last(), "server {s} has read the log");
            assert_eq!(hub.position().0, self.engine.last(), "server {s} has applied the log");
            let now = (hub.shared(), hub.digest());
            let (shared, digest) = first.get_or_insert_with(|| now.clone());
            if let Some(difference) = difference(shared, &now.0) {
                panic!("server {s} knows something else than server 0 in the end: {difference}");
            }
            assert_eq!(*digest, now.1, "server {s} knows other lines than server 0 in the end");
            let kept = self.oracle.kept_by(s);
            for (word, (room, id)) in &lines {
                let lost = self.oracle.order.has_lost(word);
                let there = kept.get(word);
                let may_lack = lost || self.oracle.order.may_lack(s, *id);
                // It was said again, and this server knew it from what the engine had lost.
                let as_lost = there.filter(|(_, id)| lost && self.oracle.order.has_lost_id(*id));
                assert!(
                    may_lack && there.is_none()
                        || there == Some(&(room.clone(), *id))
                        || as_lost.is_some_and(|(there, _)| there == room),
                    "server {s} has {there:?} of {word}, which is {id} in {room}"
                );
            }
            for (word, there) in kept {
                let known = lines.contains_key(word) || self.oracle.order.has_lost(word);
                assert!(known, "server {s} keeps {word}, which is not in the log: {there:?}");
            }
        }
        lines
    }

    fn judge_room(&self, i: usize, lines: &Lines, room: &str) {
        let (key, person) = (Key::new(room), &self.persons[i]);
        assert!(person.is_in(room), "ann{i} is in {room}");
        assert!(person.gap(&key).is_none(), "ann{i} has all of {room}: {:?}", person.gap(&key));
        let mut shown = person.talk(&key);
        shown.retain(|(word, msgid)| !self.oracle.need_not_be_kept(word, msgid));
        let history = self.oracle.history(lines, room);
        if shown != history {
            let lacks: Vec<_> = history.iter().filter(|line| !shown.contains(line)).collect();
            let more: Vec<_> = shown.iter().filter(|line| !history.contains(line)).collect();
            panic!(
                "ann{i} shows of {room} what the history is not: lacks {lacks:?}, has besides {more:?}, or another order"
            );
        }
        let people = |i: usize| {
            let mut people = self.persons[i].screen.names(room);
            people.sort();
            people
        };
        assert_eq!(people(i), people(0), "ann{i} and ann0 see the same people in {room}");
    }
}
