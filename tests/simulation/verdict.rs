//! The end of a day: all is quiet, and everybody has the same.

use std::time::Duration;

use parlor_client::session::{Action, Delivery, Input, Key};

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
        self.oracle.finish(self.disk.kept());
        for (i, person) in self.persons.iter().enumerate() {
            assert!(person.is_connected(), "ann{i} is back: {:?}", person.screen.status);
            let waiting: Vec<_> = person.in_state(Delivery::Pending).collect();
            assert!(waiting.is_empty(), "ann{i} still waits for the receipts of {waiting:?}");
            for room in ROOMS {
                self.judge_room(i, room);
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
            assert!(self.oracle.is_kept(word) || failed(), "{word} of ann{i} in {} is lost", said.room);
        }
    }

    fn judge_room(&self, i: usize, room: &str) {
        let (key, person) = (Key::new(room), &self.persons[i]);
        assert!(person.is_in(room), "ann{i} is in {room}");
        assert!(person.gap(&key).is_none(), "ann{i} has all of {room}: {:?}", person.gap(&key));
        let mut shown = person.talk(&key);
        shown.retain(|(word, _)| !self.oracle.volatile.contains(word) && !self.oracle.is_in_doubt(word));
        let history = self.oracle.history(room);
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
