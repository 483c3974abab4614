//! Files between two windows, from the button to the disk.

use std::fs;
use std::path::PathBuf;

use parlor_ui::slint::{ComponentHandle, Model};
use parlor_ui::{FileRow, FileState, FilesView, Screen, SettingsView, Shell};

use crate::person::{Person, Terminal, server};

impl Person {
    fn files(&self) -> FilesView<'_> {
        self.app.global()
    }

    fn file(&self, name: &str) -> Option<FileRow> {
        self.files().get_files().iter().find(|row| row.name == name)
    }

    fn waits_for_file(&self, name: &str, state: FileState) -> FileRow {
        self.until(name, |person| person.file(name).is_some_and(|row| row.state == state));
        self.file(name).unwrap()
    }

    /// What this person has been sent is in a folder of this test's.
    fn receives_in(&self, name: &str) -> PathBuf {
        let folder = self.folder.join(name);
        let settings = self.app.global::<SettingsView>();
        settings.set_file_folder(folder.display().to_string().as_str().into());
        settings.invoke_changed_now();
        folder
    }

    fn talks_to(&self, nick: &str) {
        self.says(&format!("/query {nick}"));
        self.until("the conversation", |person| person.room().get_key() == nick);
    }
}

#[test]
fn a_file_goes_from_window_to_window() {
    let host = server();
    let [alice, bob] = ["alice", "bob"].map(|name| {
        let person = Person::new(&format!("files-{name}"));
        person.joins(host.address(), name);
        person
    });
    let folder = bob.receives_in("received");
    let sign = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../ui/icons/parlor.png");
    let send = format!("/send {}", sign.display());

    // Not to a whole room.
    alice.says(&send);
    alice.waits_for_complaint("from person to person");
    alice.composer().set_draft("".into());

    // The first time, it is said who sees what; only then.
    alice.talks_to("bob");
    alice.says(&send);
    alice.until("the question", |alice| alice.files().get_question().contains("parlor.png"));
    assert!(alice.files().get_question().contains("bob will see the address of this computer"));
    alice.files().invoke_answer(false);
    assert!(alice.files().get_question().is_empty() && alice.files().get_files().row_count() == 0);
    alice.says(&send);
    alice.until("the question", |alice| !alice.files().get_question().is_empty());
    alice.files().invoke_answer(true);
    alice.waits_for_file("parlor.png", FileState::Waiting);

    // Nothing comes before bob says so, and he is told in a line.
    bob.until("the conversation", |bob| {
        bob.rooms().get_rooms().iter().any(|row| row.key == "alice" && row.unread == 1)
    });
    bob.talks_to("alice");
    bob.waits_for("alice wants to send you parlor.png");
    let offer = bob.waits_for_file("parlor.png", FileState::Offered);
    assert!(offer.detail.contains("from alice") && !offer.outgoing, "{offer:?}");
    assert!(!folder.exists());
    bob.files().invoke_save(offer.id, false);
    let row = bob.waits_for_file("parlor.png", FileState::Done);
    let (came, whole) = (fs::read(folder.join("parlor.png")).unwrap(), fs::read(&sign).unwrap());
    assert!(came == whole);
    let sent = alice.waits_for_file("parlor.png", FileState::Done);
    assert_eq!(sent.detail.split(" · ").last(), Some("bob has it"));

    // A picture is drawn when it is asked for, and not before.
    assert!(row.showable && !row.shown);
    bob.files().invoke_draw(row.id, true);
    bob.until("the picture", |bob| bob.file("parlor.png").is_some_and(|row| row.shown));
    bob.files().invoke_draw(row.id, false);
    assert!(!bob.file("parlor.png").unwrap().shown);

    // The second time nothing is asked; bob declines, and alice learns it.
    alice.files().invoke_cancel(sent.id);
    assert!(alice.file("parlor.png").is_none());
    alice.says(&send);
    alice.waits_for_file("parlor.png", FileState::Waiting);
    bob.until("another offer", |bob| {
        bob.files().get_files().iter().any(|row| row.state == FileState::Offered)
    });
    let again = bob.files().get_files().iter().find(|row| row.state == FileState::Offered).unwrap();
    bob.files().invoke_cancel(again.id);
    let failed = alice.waits_for_file("parlor.png", FileState::Failed);
    assert_eq!(failed.detail, "It was declined.");

    // They belong to the conversation, not to the room.
    alice.says("/query nobody-else");
    alice.until("another one", |alice| alice.room().get_key() == "nobody-else");
    assert_eq!(alice.files().get_files().row_count(), 0);
    alice.says("/send /no/such/file");
    alice.until("the sentence", |alice| {
        alice.status().get_notice().contains("file is not sent. It can't be read")
    });
    host.stop();
}

#[test]
fn a_file_that_waits_for_a_yes_follows_its_person_and_ends_with_the_place() {
    let host = server();
    let alice = Person::new("files-asked");
    alice.joins(host.address(), "alice");
    let mut bob = Terminal::joins(host.address(), "bob");
    let sign = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../ui/icons/parlor.png");
    let send = format!("/send {}", sign.display());
    let asks = |name: &str| {
        alice.until("the question", |alice| alice.files().get_question().starts_with(name));
    };
    alice.talks_to("bob");
    alice.says(&send);
    asks("bob");
    bob.types("/nick bobby");
    alice.until("the name", |alice| alice.room().get_key() == "bobby");
    asks("bobby");
    // What waits is bounded, and what is too much is said.
    for _ in 1..4 {
        alice.says(&send);
    }
    alice.says(&send);
    alice.until("the sentence", |alice| alice.status().get_notice().contains("files are under way"));
    // A yes is one for all of them.
    alice.says("/query carol");
    alice.until("another one", |alice| alice.room().get_key() == "carol");
    alice.files().invoke_answer(true);
    alice.talks_to("bobby");
    alice.until("all of them", |alice| {
        let rows = alice.files().get_files();
        rows.row_count() == 4 && rows.iter().all(|row| row.state == FileState::Waiting)
    });
    // They listen no more when the place is left.
    alice.status().invoke_disconnect();
    alice.until("the card", |alice| alice.app.global::<Shell>().get_screen() == Screen::Connect);
    alice.card().invoke_join();
    alice.until("the rooms", |alice| alice.app.global::<Shell>().get_screen() == Screen::Room);
    alice.talks_to("bobby");
    assert_eq!(alice.files().get_files().row_count(), 0);
    host.stop();
}
