//! Talk as people know it.

use parlor_ui::SettingsView;
use parlor_ui::slint::ComponentHandle;

use crate::person::{Person, server};

impl Person {
    fn types(&self, text: &str) {
        self.composer().set_draft(text.into());
        self.composer().invoke_draft_edited();
    }

    fn tells_typing(&self, tells: bool) {
        let settings = self.app.global::<SettingsView>();
        settings.set_tell_typing(tells);
        settings.invoke_changed_now();
    }
}

#[test]
fn who_types_is_seen_where_they_want_that() {
    let host = server();
    let [alice, bob, eve] = ["alice", "bob", "eve"].map(|name| {
        let person = Person::new(&format!("typing-{name}"));
        person.joins(host.address(), name);
        person
    });
    eve.until("all of them", |eve| eve.people().get_people_count() == 3);
    // Not unless they say so.
    alice.types("a secret thought");
    bob.tells_typing(true);
    bob.types("hel");
    eve.until("who types", |eve| eve.composer().get_typing() == "bob is typing …");
    alice.tells_typing(true);
    alice.types("an open thought");
    eve.until("both", |eve| eve.composer().get_typing() == "bob and alice are typing …");
    bob.types("");
    eve.until("that he thought better of it", |eve| eve.composer().get_typing() == "alice is typing …");
    // A command is nobody's business.
    bob.types("/msg eve a secret");
    alice.says("an open thought");
    eve.waits_for("an open thought");
    eve.until("nobody", |eve| eve.composer().get_typing().is_empty());
    // It belongs to its room.
    alice.types("more");
    eve.until("who types", |eve| !eve.composer().get_typing().is_empty());
    eve.says("/join #tea");
    eve.until("another room", |eve| eve.room().get_key() == "#tea" && eve.composer().get_typing().is_empty());
    host.stop();
}
