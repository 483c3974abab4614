//! Lines that are for one person alone, and wait until that one comes back.

use parlor_ui::slint::Model;
use parlor_ui::{LineState, RoomRow};

use crate::person::{Person, server};

fn entry(person: &Person, name: &str) -> Option<RoomRow> {
    person.rooms().get_rooms().iter().find(|room| room.name == name)
}

impl Person {
    /// Says something that is on disk, so that the name is claimed.
    fn says_for_sure(&self, text: &str) {
        self.says(text);
        self.until("the receipt", |this| this.has(text) && this.row(text).1.state == LineState::Delivered);
    }
}

#[test]
fn what_is_said_to_somebody_who_is_not_here_is_unread_there_later() {
    let host = server();
    let anna = Person::new("anna");
    anna.joins(host.address(), "anna");
    anna.says_for_sure("it is me");
    let mut ben = Person::new("ben");
    ben.joins(host.address(), "ben");
    ben.says_for_sure("and me");
    ben.bridge.finish();
    let folder = std::mem::take(&mut ben.folder);
    anna.until("ben is gone", |anna| anna.people().get_people().iter().all(|person| person.name != "ben"));
    anna.says("/query ben");
    anna.until("his conversation", |anna| anna.room().get_key() == "ben");
    anna.says("see you at nine");
    anna.says_for_sure("bring tea");
    anna.until("that he is not here", |anna| anna.texts().iter().any(|text| text.contains("Not here")));

    let ben = Person::again(folder);
    ben.joins(host.address(), "ben");
    ben.until("her lines", |ben| entry(ben, "anna").is_some_and(|entry| entry.unread == 2));
    let place = ben.rooms().get_rooms().iter().position(|room| room.name == "anna").unwrap();
    ben.rooms().invoke_select_room(place as i32);
    ben.waits_for("see you at nine");
    ben.waits_for("bring tea");
    ben.says_for_sure("nine it is");
    anna.waits_for("nine it is");
    host.stop();
}
