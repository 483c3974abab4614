//! Talk as people know it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use parlor_client::host::Host;
use parlor_ui::slint::{ComponentHandle, Model};
use parlor_ui::{EmojiView, LineKind, LineRow, LineState, SettingsView};

use crate::person::{PATIENCE, Person, Terminal, server, server_at};

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

    /// Says it, and waits until the server has it.
    fn said(&self, text: &str) {
        self.says(text);
        self.until(text, |this| this.has_delivered(text));
    }

    fn has_delivered(&self, text: &str) -> bool {
        let state = |row: LineRow| row.plain == text && row.state == LineState::Delivered;
        self.rows().into_iter().any(state)
    }

    fn until_row(&self, what: &str, fits: impl Fn(&LineRow) -> bool) -> (i32, LineRow) {
        self.until(what, |this| this.rows().iter().any(&fits));
        let rows = self.rows();
        let at = rows.iter().position(fits).unwrap();
        (at as i32, rows[at].clone())
    }

    fn chips(&self, text: &str) -> Vec<String> {
        let row = self.rows().into_iter().find(|row| row.plain == text);
        let chips = row.into_iter().flat_map(|row| row.reactions.iter().collect::<Vec<_>>());
        chips
            .map(|one| format!("{}{} {} {}", if one.own { "*" } else { "" }, one.emoji, one.count, one.names))
            .collect()
    }

    fn candidates(&self) -> Vec<String> {
        self.composer().get_commands().iter().map(|row| row.name.to_string()).collect()
    }
}

fn people<const N: usize>(host: &Host, test: &str, names: [&str; N]) -> [Person; N] {
    let people = names.map(|name| {
        let person = Person::new(&format!("{test}-{name}"));
        person.joins(host.address(), name);
        person
    });
    people.iter().for_each(|person| {
        person.until("all of them", |person| person.people().get_people_count() == N as i32);
    });
    people
}

#[test]
fn several_lines_are_one_message_for_windows_and_lines_for_everybody_else() {
    let host = server();
    let [alice, bob] = people(&host, "several", ["alice", "bob"]);
    let mut carol = Terminal::joins(host.address(), "carol");
    alice.says("one\n\ntwo *bold*\nthree");
    alice.until("the receipt", |alice| alice.has_delivered("one\n\ntwo bold\nthree"));
    let (_, row) = bob.until_row("one row", |row| row.plain == "one\n\ntwo bold\nthree");
    assert!(row.heading && row.styles.contains('b'), "{}", row.styles);
    for line in ["<alice> one", "<alice> two bold", "<alice> three"] {
        carol.reads(line);
    }
    assert!(!alice.composer().get_paste_question());
    // The same from the history.
    let eve = Person::new("several-eve");
    eve.joins(host.address(), "eve");
    eve.until_row("the history", |row| row.plain == "one\n\ntwo bold\nthree");
    // What is too long for one goes as several, and none is lost or cut.
    let long: String = (0..27).map(|i| format!("line {i:02} {}\n", "x".repeat(390))).collect();
    alice.says(&long);
    alice.until("all of them", |alice| {
        let own = alice.rows().into_iter().filter(|row| row.own && row.plain.contains("line "));
        own.clone().count() == 3 && own.clone().all(|row| row.state == LineState::Delivered)
    });
    bob.until("all of them", |bob| {
        let texts: Vec<String> = bob.rows().iter().map(|row| row.plain.to_string()).collect();
        texts.iter().filter(|text| text.starts_with("line ")).cloned().collect::<Vec<_>>().join("\n")
            == long.trim_end()
    });
    host.stop();
}

#[test]
fn a_message_typed_offline_goes_once_after_a_restart() {
    let host = server();
    let address = host.address();
    let mut alice = Person::new("several-offline");
    alice.joins(address, "alice");
    host.stop();
    alice.until("the loss", |alice| alice.status().get_status() != parlor_ui::StatusKind::Connected);
    alice.says("typed\n\n```\n\tcode\n```");
    alice.until_row("it waits", |row| row.state == LineState::Pending);
    alice.bridge.finish();
    let folder = std::mem::take(&mut alice.folder);
    drop(alice);

    let host = server_at(&address.to_string());
    let bob = Person::new("several-offline-bob");
    bob.joins(address, "bob");
    let again = Person::again(folder);
    again.card().invoke_pick_bookmark(0);
    let code = "typed\n\n\u{A0}\u{A0}\u{A0}\u{A0}code";
    again.until("the receipt", |again| again.has_delivered(code));
    let (_, row) = bob.until_row("it", |row| row.plain == code);
    assert_eq!(row.blocks.row_count(), 1);
    bob.says("heard");
    again.waits_for("heard");
    assert_eq!(bob.rows().iter().filter(|row| row.plain == code).count(), 1);
    host.stop();
}

/// A server that knows nothing of all this.
fn bare() -> (std::net::SocketAddr, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (mut out, mut heard) = (stream.try_clone().unwrap(), Vec::new());
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { break };
            match line.split(' ').next() {
                Some("USER") => out.write_all(b":s.x 001 alice :hi\r\n:s.x 422 alice :none\r\n").unwrap(),
                Some("JOIN") => {
                    out.write_all(b":alice!a@h JOIN #lobby\r\n:s.x 366 alice #lobby :end\r\n").unwrap()
                }
                Some("PING") => out
                    .write_all(line.replacen("PING", ":s.x PONG s.x", 1).as_bytes())
                    .and_then(|()| out.write_all(b"\r\n"))
                    .unwrap(),
                Some("PRIVMSG") => heard.push(line),
                _ => {}
            }
            if heard.len() == 5 {
                break;
            }
        }
        heard
    };
    (address, std::thread::spawn(serve))
}

#[test]
fn where_messages_are_single_lines_a_long_paste_asks() {
    let (address, server) = bare();
    let alice = Person::new("bare");
    alice.joins(address, "alice");
    alice.says("one\ntwo\nthree\nfour\nfive");
    assert!(alice.composer().get_paste_question());
    assert_eq!(alice.composer().get_paste_lines(), 5);
    alice.composer().invoke_confirm_paste();
    for line in ["one", "two", "three", "four", "five"] {
        alice.waits_for(&format!("alice {line}"));
    }
    assert!(!alice.timeline().get_reacts() && !alice.timeline().get_deletes());
    alice.until("all of them sent", |_| server.is_finished());
    let heard = server.join().unwrap();
    assert_eq!(heard, ["one", "two", "three", "four", "five"].map(|line| format!("PRIVMSG #lobby :{line}")));
}

#[test]
fn a_reply_shows_what_it_answers_and_leads_there() {
    let host = server();
    let [alice, bob] = people(&host, "reply", ["alice", "bob"]);
    let mut carol = Terminal::joins(host.address(), "carol");
    bob.said("shall we meet at eight?");
    for i in 0..5 {
        bob.said(&format!("something else {i}"));
    }
    alice.waits_for("something else 4");
    let (row, asked) = alice.row("shall we meet at eight?");
    assert!(asked.named && alice.timeline().get_reacts());
    alice.timeline().invoke_answer(row);
    assert_eq!(alice.composer().get_answering(), "bob");
    assert_eq!(alice.composer().get_answering_text(), "shall we meet at eight?");
    // Another room has another draft, and comes back to this one.
    alice.says("/join #tea");
    alice.until("the other room", |alice| {
        alice.room().get_key() == "#tea" && alice.composer().get_answering().is_empty()
    });
    alice.says("/join #lobby");
    alice.until("the reply", |alice| {
        alice.room().get_key() == "#lobby" && alice.composer().get_answering() == "bob"
    });
    alice.composer().invoke_stop_answering();
    assert_eq!(alice.composer().get_answering(), "");
    alice.timeline().invoke_answer(row);
    alice.says("yes, at eight");
    assert_eq!(alice.composer().get_answering(), "");
    carol.reads("<alice> bob: yes, at eight");
    for person in [&alice, &bob] {
        let (_, row) = person.until_row("the answer", |row| row.plain == "bob: yes, at eight");
        assert!(row.answers && row.quote_name == "bob" && row.quote == "shall we meet at eight?");
    }
    let (answer, row) = bob.row("bob: yes, at eight");
    assert!(row.mention);
    bob.timeline().invoke_go_to_answered(answer);
    bob.until("the line is brought into view", |bob| {
        bob.rows().iter().any(|row| row.found && row.plain == "shall we meet at eight?")
    });
    host.stop();
}

#[test]
fn reactions_are_counted_and_taken_back() {
    let host = server();
    let [alice, bob] = people(&host, "react", ["alice", "bob"]);
    bob.said("cake!");
    alice.waits_for("cake!");
    let react = |person: &Person, emoji: &str, on| {
        let (row, _) = person.row("cake!");
        person.timeline().invoke_react(row, emoji.into(), on);
    };
    react(&alice, "🎂", true);
    bob.until("it", |bob| bob.chips("cake!") == ["🎂 1 alice"]);
    react(&bob, "🎂", true);
    react(&bob, "👍", true);
    alice.until("all of them", |alice| alice.chips("cake!") == ["*🎂 2 alice, bob", "👍 1 bob"]);
    react(&alice, "🎂", false);
    bob.until("the other one", |bob| bob.chips("cake!") == ["*🎂 1 bob", "*👍 1 bob"]);
    // History has them for who comes later.
    let eve = Person::new("react-eve");
    eve.joins(host.address(), "eve");
    eve.until("the history", |eve| eve.chips("cake!") == ["🎂 1 bob", "👍 1 bob"]);
    host.stop();
}

#[test]
fn a_deleted_line_is_a_quiet_place_for_everybody() {
    let host = server();
    let [alice, bob] = people(&host, "delete", ["alice", "bob"]);
    bob.said("my password is hunter2");
    bob.said("oh no");
    alice.waits_for("oh no");
    let (row, _) = alice.row("my password is hunter2");
    alice.timeline().invoke_answer(row);
    alice.says("really?");
    alice.waits_for("bob: really?");
    let (row, _) = alice.row("my password is hunter2");
    alice.timeline().invoke_react(row, "😱".into(), true);
    bob.until("it", |bob| !bob.chips("my password is hunter2").is_empty());
    let (row, _) = bob.row("my password is hunter2");
    bob.timeline().invoke_delete(row);
    for person in [&alice, &bob] {
        let (row, line) = person.until_row("its place", |row| row.deleted);
        assert_eq!(
            (line.plain.as_str(), line.named, line.reactions.row_count()),
            ("Deleted by bob", false, 0)
        );
        assert!(!person.has("hunter2"));
        person.until_row("the quote", |row| row.answers && row.quote == "a deleted line");
        // It is not copied either.
        person.timeline().invoke_copy_line(row, true);
    }
    // Nor is it in the history.
    let eve = Person::new("delete-eve");
    eve.joins(host.address(), "eve");
    eve.until_row("its place", |row| row.deleted && row.plain == "Deleted by bob");
    assert!(!eve.has("hunter2") && !eve.has("[deleted]"));
    host.stop();
}

#[test]
fn a_menu_stays_with_its_line_whatever_comes() {
    let host = server();
    let [alice] = people(&host, "menu", ["alice"]);
    let mut carol = Terminal::joins(host.address(), "carol");
    let looks = |looks: bool| {
        alice.timeline().set_stick(looks);
        alice.room().invoke_seen_changed();
    };
    looks(false);
    carol.types("first");
    let (mark, _) = alice.until_row("the mark", |row| row.kind == LineKind::New);
    looks(true);
    alice.said("mine");
    looks(false);
    // The mark above moves below it when something new comes.
    let (row, _) = alice.row("mine");
    assert!(mark < row);
    alice.timeline().set_asked(row);
    carol.types("second");
    alice.waits_for("second");
    let (now, _) = alice.row("mine");
    assert_eq!((now, alice.timeline().get_asked()), (row - 1, row - 1));
    alice.timeline().invoke_delete(alice.timeline().get_asked());
    alice.until_row("its place", |row| row.plain == "Deleted by alice");
    assert!(alice.has("second") && !alice.has("mine"));
    // In another conversation it is none.
    alice.says("/query carol");
    alice.until("the conversation", |alice| alice.room().get_key() == "carol");
    assert_eq!(alice.timeline().get_asked(), -1);
    host.stop();
}

#[test]
fn a_draft_that_is_too_long_can_be_made_shorter() {
    let host = server();
    let [alice] = people(&host, "long-draft", ["alice"]);
    let long = "x".repeat(16_000);
    alice.types(&long);
    alice.people().invoke_mention_person("somebody".into());
    let draft = alice.composer().get_draft();
    assert!(draft.len() > 16_000, "{}", draft.len());
    let shorter = &draft[..draft.len() - 1];
    alice.types(shorter);
    assert_eq!(alice.composer().get_draft(), shorter);
    alice.types(&format!("{shorter}yz"));
    assert_eq!(alice.composer().get_draft(), shorter, "not longer");
    host.stop();
}

#[test]
fn what_a_draft_may_become_is_listed() {
    let host = server();
    let [alice, _bob] = people(&host, "candidates", ["alice", "bobby"]);
    alice.types("come to #lo");
    assert_eq!(alice.candidates(), ["#lobby"]);
    alice.composer().invoke_pick_command(0);
    assert_eq!(alice.composer().get_draft(), "come to #lobby ");
    assert!(alice.candidates().is_empty());
    alice.types("@b");
    assert_eq!(alice.candidates(), ["@bobby"]);
    alice.composer().invoke_pick_command(0);
    assert_eq!(alice.composer().get_draft(), "bobby: ");
    alice.types("nice :tad");
    alice.composer().invoke_pick_command(0);
    assert_eq!(alice.composer().get_draft(), "nice 🎉");
    // In the middle of a text nothing is offered.
    alice.composer().set_cursor(2);
    alice.types("come to #lo");
    assert!(alice.candidates().is_empty());
    alice.composer().set_cursor(14);
    alice.types("well :thumbsup");
    assert!(!alice.candidates().is_empty());
    alice.composer().set_cursor(15);
    alice.types("well :thumbsup:");
    assert_eq!(alice.composer().get_draft(), "well 👍");
    alice.app.global::<EmojiView>().invoke_insert("🎂".into());
    assert_eq!(alice.composer().get_draft(), "well 👍🎂");
    alice.said("🎂 🎂");
    assert!(alice.row("🎂 🎂").1.large);
    host.stop();
}

#[test]
fn rooms_and_people_in_texts_are_links() {
    let host = server();
    let [alice, bob] = people(&host, "links", ["alice", "bob"]);
    bob.said("ask @alice in #tea");
    alice.waits_for("ask @alice in #tea");
    assert!(alice.row("ask @alice in #tea").1.linked);
    alice.timeline().invoke_open_link("@bob".into());
    assert_eq!(alice.timeline().get_person(), "bob");
    alice.timeline().invoke_open_link("#tea".into());
    alice.until("the room", |alice| alice.room().get_key() == "#tea");
    host.stop();
}

/// A server that knows us: what it hears, and the connection.
fn scripted() -> (std::net::SocketAddr, mpsc::Receiver<TcpStream>, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let ((give, stream), (hear, heard)) = (mpsc::channel(), mpsc::channel());
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut out = stream.try_clone().unwrap();
        give.send(stream.try_clone().unwrap()).unwrap();
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let answer = match word {
                "CAP" if rest.starts_with("LS") => {
                    ":s.x CAP * LS :message-tags server-time draft/read-marker".to_owned()
                }
                "CAP" if rest.starts_with("REQ") => format!(":s.x CAP * ACK {}", &rest["REQ ".len()..]),
                "CAP" => ":s.x 001 alice :hi\r\n:s.x 422 alice :none".to_owned(),
                "JOIN" => {
                    format!(":alice!a@h JOIN {rest}\r\n:s.x MARKREAD {rest} *\r\n:s.x 366 alice {rest} :end")
                }
                "PING" => format!(":s.x PONG s.x {rest}"),
                _ => String::new(),
            };
            // The test may have seen enough.
            let _ = hear.send(line);
            if !answer.is_empty() && out.write_all(format!("{answer}\r\n").as_bytes()).is_err() {
                return;
            }
        }
    });
    (address, stream, heard)
}

#[test]
fn what_another_device_has_shown_is_read_here_too() {
    let (address, stream, heard) = scripted();
    let alice = Person::new("marker");
    alice.joins(address, "alice");
    let mut stream = stream.recv().unwrap();
    alice.says("/join #tea");
    alice.until("the other room", |alice| alice.room().get_key() == "#tea");
    for second in 1..4 {
        let line =
            format!("@time=2026-03-04T09:00:0{second}.000Z :bob!b@h PRIVMSG #lobby :line {second}\r\n");
        stream.write_all(line.as_bytes()).unwrap();
    }
    let unread = |alice: &Person| {
        let rooms = alice.rooms().get_rooms();
        rooms.iter().find(|row| row.key == "#lobby").map_or(0, |row| row.unread)
    };
    alice.until("the lines", |alice| unread(alice) == 3);
    stream.write_all(b":s.x MARKREAD #lobby timestamp=2026-03-04T09:00:02.000Z\r\n").unwrap();
    alice.until("what is left", |alice| unread(alice) == 1);
    alice.says("/join #lobby");
    alice.until("the room", |alice| alice.room().get_key() == "#lobby");
    let texts = alice.texts();
    let new = texts.iter().position(|text| text.starts_with("New")).expect("where reading stopped");
    assert!(texts[new - 1].ends_with("line 2") && texts[new + 1].ends_with("line 3"), "{texts:?}");
    // Without msgids there is nothing to name the last line by but its time, and no mark is sent for it.
    drop(stream);
    assert!(heard.try_iter().any(|line| line.starts_with("JOIN #tea")));
}

#[test]
fn who_types_is_seen_where_they_want_that() {
    let host = server();
    let [alice, bob, eve] = people(&host, "typing", ["alice", "bob", "eve"]);
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
