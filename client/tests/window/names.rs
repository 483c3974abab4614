//! Names that belong to people, servers that have a password, and places that are their keys.

use std::net::{SocketAddr, TcpListener};

use parlor_client::secret::Secret;
use parlor_ui::slint::ComponentHandle;
use parlor_ui::{HostView, InviteView, Lock, Panel, Screen, SettingsView, Shell, StatusKind};

use crate::person::{Person, server};

impl Person {
    /// Presses Join on the card, and waits until it has answered.
    fn tries(&self, server: SocketAddr, name: &str) {
        let card = self.card();
        card.set_name(name.into());
        card.set_address(server.to_string().into());
        card.set_room("#lobby".into());
        self.tries_again();
    }

    fn tries_again(&self) {
        self.card().invoke_join();
        self.until("an answer", |this| !this.card().get_busy());
    }

    fn is_inside(&self) -> bool {
        self.app.global::<Shell>().get_screen() == Screen::Room
    }

    /// The recovery code, as the settings show it.
    fn code(&self) -> String {
        let settings = self.app.global::<SettingsView>();
        self.app.global::<Shell>().invoke_opened(Panel::Settings);
        assert_eq!(settings.get_code(), "", "hidden until it is asked for");
        settings.invoke_show_code();
        self.until("the code", |_| !settings.get_code().is_empty());
        let code = settings.get_code().to_string();
        settings.invoke_hide_code();
        assert_eq!(settings.get_code(), "");
        code
    }
}

#[test]
fn a_name_is_its_owners_from_any_computer_that_has_the_code() {
    let host = server();
    let anna = Person::new("owner");
    anna.joins(host.address(), "anna");
    // The claim goes out behind the welcome, in front of what is said.
    anna.says("it is me");
    anna.until("the receipt", |anna| {
        anna.has("it is me") && anna.row("it is me").1.state == parlor_ui::LineState::Delivered
    });

    let eve = Person::new("eve");
    eve.tries(host.address(), "anna");
    let card = eve.card();
    assert!(card.get_name_error().contains("belongs to somebody here"), "{}", card.get_name_error());
    assert!(card.get_signs_in() && !eve.is_inside());
    card.set_password("sesame".into());
    eve.tries_again();
    assert!(
        card.get_password_error().contains("does not take this password"),
        "{}",
        card.get_password_error()
    );
    // Half a code is no code, and so it is a password, and a wrong one.
    let code = anna.code();
    card.set_password(code[..20].into());
    eve.tries_again();
    assert!(!card.get_password_error().is_empty() && !eve.is_inside());

    // Her other computer: it takes her place, and the first one does not take it back.
    card.set_password(code.to_lowercase().into());
    eve.tries_again();
    eve.until("the room", Person::is_inside);
    assert_eq!(card.get_password(), "", "nobody reads it there later");
    anna.until("that she is elsewhere", |anna| {
        anna.status().get_notice().contains("another device")
            && anna.status().get_status() == StatusKind::Offline
    });
    eve.says("from the other one");
    eve.until("the receipt", |eve| {
        eve.has("from the other one")
            && eve.row("from the other one").1.state == parlor_ui::LineState::Delivered
    });
    assert_eq!(anna.status().get_status(), StatusKind::Offline);
    // That computer has the secret from now on.
    assert_eq!(eve.code(), code);
    host.stop();
}

#[test]
fn a_code_is_taken_in_the_settings_and_a_slip_is_said() {
    let person = Person::new("settings-code");
    let (first, other) = (person.code(), Secret::new().unwrap().to_string());
    assert_eq!(person.code(), first, "made once");
    let settings = person.app.global::<SettingsView>();
    settings.set_other_code(other[1..].into());
    settings.invoke_use_code();
    assert!(settings.get_other_code_error().contains("seven groups"));
    settings.set_other_code(other.clone().into());
    settings.invoke_use_code();
    assert!(settings.get_other_code_error().is_empty() && !settings.get_other_code_done().is_empty());
    person.until("the other code", |_| settings.get_code() == other.as_str());
}

#[test]
fn a_hosted_room_with_a_password_asks_for_it_once() {
    let alice = Person::new("host-password");
    alice.card().set_name("alice".into());
    alice.card().invoke_open_host();
    let view = alice.app.global::<HostView>();
    view.set_selected(0);
    view.set_port("0".into());
    view.set_password("open".into());
    view.invoke_start();
    alice.until("the own room", Person::is_inside);
    assert_eq!(parlor_ui::slint::Model::row_count(&view.get_keys()), 3);
    let address: SocketAddr = view.get_address_to_tell().parse().unwrap();

    let mut bob = Person::new("guest-password");
    bob.tries(address, "bob");
    let card = bob.card();
    assert!(
        card.get_server_password_error().contains("asks for a password"),
        "{}",
        card.get_server_password_error()
    );
    assert!(card.get_signs_in());
    card.set_server_password("shut".into());
    bob.tries_again();
    assert!(card.get_server_password_error().contains("this is not it"));
    assert_eq!(card.get_server_password(), "shut", "to be put right");
    card.set_server_password("open".into());
    bob.tries_again();
    bob.until("the room", Person::is_inside);
    assert_eq!(card.get_server_password(), "");
    // What is typed for one place goes to no other.
    card.set_signs_in(true);
    card.set_server_password("secret of another server".into());
    card.invoke_pick_bookmark(0);
    assert_eq!((card.get_server_password(), card.get_signs_in()), ("".into(), false));
    bob.until("the room", Person::is_inside);
    bob.bridge.finish();
    drop(card);
    // It is known at the next start.
    let folder = std::mem::take(&mut bob.folder);
    drop(bob);
    Person::again(folder).joins(address, "bob");
}

#[test]
fn a_host_and_its_guests_are_the_same_the_next_time_at_another_port() {
    let alice = Person::new("host-again");
    let mut bob = Person::new("guest-again");
    let (mut code, mut port) = (String::new(), String::new());
    for round in 0..2 {
        alice.card().set_name("alice".into());
        alice.card().invoke_open_host();
        let view = alice.app.global::<HostView>();
        view.set_selected(0);
        view.set_port("0".into());
        view.invoke_start();
        alice.until("the own room", Person::is_inside);
        let keys = view.get_keys();
        let shown = parlor_ui::slint::Model::row_data(&keys, 0).unwrap().text;
        if round == 0 {
            code = shown.to_string();
            port = view.get_address_to_tell().to_string();
            // By its key, as from another computer.
            bob.trusts(&port);
            bob.composer().set_draft("half a thought".into());
            bob.bridge.finish();
            alice.composer().set_draft("half a plan".into());
            view.invoke_stop();
            if view.get_stop_asked() {
                view.invoke_confirm_stop();
            }
            alice.until("the card", |alice| !alice.is_inside());
            let folder = std::mem::take(&mut bob.folder);
            bob = Person::again(folder);
        } else {
            assert_eq!(shown, code.as_str(), "one key, whatever the port");
            let address = view.get_address_to_tell().to_string();
            assert_ne!(address, port);
            alice.until("the own draft", |alice| alice.composer().get_draft() == "half a plan");
            // Under his name, which is his: the account has lasted.
            bob.trusts(&address);
            bob.until("the draft", |bob| bob.composer().get_draft() == "half a thought");
            assert_eq!(parlor_ui::slint::Model::row_count(&bob.card().get_bookmarks()), 1, "one place");
        }
    }
    alice.bridge.finish();
}

#[test]
fn an_invitation_leads_to_the_very_server_that_it_is_of() {
    let alice = Person::new("inviting");
    alice.card().set_name("alice".into());
    alice.card().set_room("#tea party".into());
    alice.card().invoke_open_host();
    let view = alice.app.global::<HostView>();
    view.set_selected(0);
    view.set_port("0".into());
    view.set_room("#tea,party".into());
    view.invoke_start();
    assert!(!view.get_room_error().is_empty(), "what parts two rooms in a link is in no name");
    view.set_room("#茶".into());
    view.invoke_start();
    alice.until("the own room", Person::is_inside);
    alice.until("its name", |alice| alice.room().get_key() == "#茶");
    alice.app.global::<Shell>().invoke_open(Panel::Invite);
    let invitation = alice.app.global::<InviteView>();
    let (link, address) = (invitation.get_link(), invitation.get_address());
    assert_eq!((address.clone(), invitation.get_room()), (view.get_address_to_tell(), "#茶".into()));
    assert!(link.starts_with(&format!("irc://{address}/%E8%8C%B6,?fp=")), "{link}");
    assert!(invitation.get_here_only(), "it is of this computer alone");
    let side = invitation.get_code().size().width;
    assert!((45..100).contains(&side), "a code with its quiet zone: {side}");

    // By TLS at once, although it is on this computer, and into that room: the link has said the key.
    let bob = Person::new("invited");
    bob.card().set_name("bob".into());
    bob.card().set_address(link.clone());
    bob.tries_again();
    bob.until("the room", |bob| bob.is_inside() && bob.room().get_key() == "#茶");
    assert_eq!(bob.status().get_lock(), Lock::Closed);
    assert_eq!(bob.status().get_key(), invitation.get_key(), "two people compare them");

    // Whoever answers in its place is not talked to.
    let eve = Person::new("not-invited");
    eve.card().set_name("eve".into());
    let (first, last) = link.split_at(link.len() - 1);
    eve.card().set_address(format!("{first}{}", if last == "0" { "1" } else { "0" }).into());
    eve.tries_again();
    assert!(eve.card().get_asks_trust(), "{}", eve.card().get_address_error());
    assert!(!eve.is_inside());
    // Where one was before another key is no less a question, and the place that is open stays.
    bob.card().set_address(eve.card().get_address());
    bob.card().invoke_join();
    assert!(bob.card().get_asks_trust(), "{}", bob.card().get_address_error());
    assert!(bob.is_inside());
    // Half a link is none.
    eve.card().set_address(first.into());
    eve.tries_again();
    assert!(eve.card().get_address_error().contains("damaged"), "{}", eve.card().get_address_error());
    alice.bridge.finish();
}

#[test]
fn two_windows_of_one_person_host_a_room_each() {
    let alice = Person::new("host-twice");
    let again = Person::again(alice.folder.clone());
    let hosts = |person: &Person, name: &str| {
        person.card().set_name(name.into());
        person.card().invoke_open_host();
        let view = person.app.global::<HostView>();
        view.set_selected(0);
        // A history is an address's.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap();
        view.set_port(free.port().to_string().into());
        view.invoke_start();
        person.until("the server", |_| !view.get_busy());
        assert!(view.get_running(), "{}", view.get_error());
        person.until("the own room", Person::is_inside);
        person.says("here I am");
        person.until("the receipt", |person| {
            person.has("here I am") && person.row("here I am").1.state == parlor_ui::LineState::Delivered
        });
        parlor_ui::slint::Model::row_data(&view.get_keys(), 0).unwrap().text
    };
    assert_ne!(hosts(&alice, "alice"), hosts(&again, "alice"), "two places");
    alice.bridge.finish();
    again.bridge.finish();
}

impl Person {
    /// Joins by TLS, and says on the card that the key is the right one.
    fn trusts(&self, address: &str) {
        let card = self.card();
        card.set_name("bob".into());
        card.set_address(format!("ircs://{address}").into());
        card.set_room("#lobby".into());
        self.tries_again();
        assert!(card.get_asks_trust(), "{}", card.get_address_error());
        card.invoke_trust();
        self.until("the room", Person::is_inside);
        assert_eq!(self.status().get_lock(), Lock::Closed);
    }
}
