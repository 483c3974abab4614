//! Names that belong to people: claiming, logging in, taking an old place over, the operator's side.

use parlor_tests::{Irc, Launch, Scratch, Server};

use crate::plain::person;
use crate::sasl::{asking, claimed, plain};

/// Logs in before the welcome.
#[track_caller]
fn back(server: &Server, nick: &str, password: &str) -> Irc {
    let mut irc = asking(server, nick);
    assert_eq!(plain(&mut irc, nick, password).command, "903");
    irc.send("CAP END");
    irc
}

#[test]
fn a_name_is_nobodys_until_it_is_claimed() {
    let server = Server::start(&[]);
    let bob = server.irc("bob");
    drop(bob);
    server.wait_log("left: bob *");
    let mut bob = server.irc("bob");
    bob.ask("REGISTER alice * sesame", "FAIL REGISTER ACCOUNT_NAME_MUST_BE_NICK alice *");
    bob.ask("REGISTER * * short", "FAIL REGISTER WEAK_PASSWORD bob *");
    bob.ask("REGISTER * *", "461 **");
    bob.send("REGISTER BOB * sesame");
    bob.expect("REGISTER SUCCESS bob *");
    bob.expect("900 bob bob!* bob *");
    bob.ask("REGISTER * * sesame", "FAIL REGISTER ALREADY_AUTHENTICATED bob *");
    bob.ask("VERIFY bob 123", "FAIL VERIFY INVALID_CODE bob *");
    // Its owner is away.
    bob.send("QUIT");
    bob.expect_closed();
    let mut eve = server.irc("eve");
    eve.ask("NICK bob", "433 eve bob :bob is somebody's name*");
    eve.ask("NICK Bob", "433 eve Bob *");
    let mut early = Irc::connect(&server);
    early.send("NICK bob");
    early.expect("433 * bob *");
    early.send("REGISTER * * sesame");
    early.expect("FAIL REGISTER NEED_NICK **");
    early.send("NICK carol");
    early.send("REGISTER carol mail@example.org sesame");
    early.expect("REGISTER SUCCESS carol *");
    early.send("USER u 0 * :r");
    early.expect("001 carol *");
}

#[test]
fn a_claimed_name_waits_for_its_owner() {
    let server = Server::start(&[]);
    let mut bob = server.irc_with("bob", &["parlor/resume"]);
    bob.send("REGISTER * * sesame");
    bob.expect("REGISTER SUCCESS **");
    bob.join("#tea");
    for gone in ["waiting: bob *", "left: bob *"] {
        if gone.starts_with("left") {
            bob.send("QUIT");
        }
        drop(bob);
        server.wait_log(gone);
        let mut eve = server.irc("eve");
        eve.ask("NICK bob", "433 **");
        let mut early = asking(&server, "bob");
        early.ask("REGISTER bob * stolen!", "FAIL REGISTER **");
        assert_eq!(plain(&mut early, "bob", "stolen!").command, "904");
        early.send("CAP END");
        early.expect("433 * bob *");
        early.send("RESUME 00000000000000000000000000000000");
        early.expect("FAIL RESUME **");
        let mut person = server.plain();
        person.send("bob");
        person.expect("-!- bob is somebody's name*");
        bob = back(&server, "bob", "sesame");
        bob.welcomed();
        bob.join("#tea");
        assert!(has_rank(&mut bob, "#tea", "@bob"));
        bob.request(&["parlor/resume"]);
        eve.send("QUIT");
        eve.expect_closed();
    }
}

#[test]
fn raw_clients_and_scripts_get_a_suffix() {
    let server = Server::start(&[]);
    claimed(&server, "bob", "sesame");
    let mut script = server.plain();
    script.send_bytes("bob\nhi from a script\n");
    script.expect("-!- Welcome to parlor.local, bob2. *");
    let mut raw = server.plain();
    raw.send_bytes("bob: hi\n");
    server.wait_log("joined: bob3 from *raw*");
}

#[test]
fn who_logs_in_has_the_place_of_the_old_connection() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    let mut bob = server.irc("bob");
    bob.join("#tea");
    bob.send("REGISTER * * sesame");
    bob.expect("REGISTER SUCCESS **");
    alice.join("#tea");
    let mut again = back(&server, "bob", "sesame");
    again.expect("001 bob *");
    again.expect(":bob!* JOIN #tea");
    again.expect("353 bob = #tea *@bob*");
    let told = bob.expect_closed();
    assert!(told.last().is_some_and(|line| line.is_like("ERROR :*Logged in elsewhere*")), "{told:?}");
    alice.silent();
    // After registration, under another name meanwhile.
    let mut third = server.irc("visitor");
    third.join("#tea");
    third.join("#cake");
    alice.expect(":visitor!* JOIN #tea");
    third.send("PRIVMSG NickServ :IDENTIFY bob sesame");
    third.expect("900 visitor visitor!* bob *");
    third.expect(":visitor!* PART #tea");
    third.expect(":visitor!* PART #cake");
    third.expect(":visitor!* NICK bob");
    third.expect(":bob!* JOIN #tea");
    third.expect("353 bob = #tea *@bob*");
    again.expect_closed();
    alice.expect(":visitor!* QUIT :*Logged in as bob");
    alice.silent();
    third.send("TOPIC #tea :still its operator");
    alice.expect(":bob!* TOPIC #tea :still its operator");
    // What came while nobody was there is told as to whoever resumes.
    third.send("QUIT");
    alice.expect(":bob!* QUIT *");
}

#[test]
fn what_is_said_to_nickserv_is_answered() {
    let server = Server::start(&[]);
    let mut bob = server.irc("bob");
    bob.ask("PRIVMSG NickServ :help", "NOTICE bob :bob is nobody's: /msg NickServ REGISTER PASSWORD*");
    bob.send("NOTICE NickServ :help");
    bob.silent();
    bob.send("NS REGISTER sesame bob@example.org");
    bob.expect("900 bob bob!* bob *");
    bob.ask("NICKSERV", "NOTICE bob :bob is yours*");
    let mut nick = server.irc("eve");
    nick.ask("NICK NickServ", "432 **");
    nick.ask("PRIVMSG NickServ@services :IDENTIFY bob wrong!", "NOTICE eve :Wrong name or password");
}

#[test]
fn at_a_terminal_the_password_is_asked() {
    let server = Server::start(&[]);
    let mut bob = person(&server, "bob");
    bob.send("/claim sesame");
    bob.expect("-!- You are logged in as bob");
    bob.send("/login bob sesame");
    bob.expect("-!- You are logged in as bob already");
    bob.send("/quit");
    bob.read_to_end();
    let mut bob = server.plain();
    bob.send("bob");
    bob.expect("-!- bob is somebody's name*Type its password (it is shown as you type).");
    bob.send("wrong!");
    bob.expect("-!- Wrong name or password.");
    bob.send("sesame");
    bob.expect("-!- You are logged in as bob");
    bob.expect("-!- Welcome to parlor.local, bob. You are in #lobby*");
    // From another terminal it is taken over.
    let mut alice = person(&server, "alice");
    alice.send("/login bob sesame");
    alice.expect("-!- You are logged in as bob");
    alice.expect("-!- Welcome to parlor.local, bob. You are in #lobby, nobody else*");
    alice.send("It is me");
    let ended = String::from_utf8(bob.read_to_end()).unwrap();
    assert!(ended.contains("Closing link: Logged in elsewhere"), "{ended}");
    // Another name, and three tries.
    let mut eve = server.plain();
    eve.send("bob");
    eve.expect("*Type its password*");
    eve.send("");
    eve.expect("-!- Type another name.");
    eve.send("bob");
    for guess in ["one", "two", "three"] {
        eve.expect("*Type its password*");
        eve.send(guess);
    }
    let ended = String::from_utf8(eve.read_to_end()).unwrap();
    assert!(ended.contains("Three wrong passwords"), "{ended}");
}

#[test]
fn a_telnet_program_is_told_to_show_nothing() {
    let server = Server::start(&[]);
    claimed(&server, "bob", "sesame");
    let mut bob = server.plain();
    // PuTTY: window size, speed, terminal.
    bob.send_bytes(b"\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x18bob\r\n");
    let line = bob.next_line();
    assert!(line.contains("Type its password."), "{line}");
    assert_eq!(bob.chunk(), b"\xff\xfb\x01");
    // It agrees, and sends its keys one by one.
    bob.send_bytes(b"\xff\xfd\x01sesx\x7fame\r\n");
    let mut read = bob.chunk();
    while !read.windows(7).any(|seven| seven == b"Welcome") {
        read.extend(bob.chunk());
    }
    assert!(read.starts_with(b"\xff\xfc\x01"), "{}", read.escape_ascii());
}

#[test]
fn accounts_outlive_the_server_however_it_ends() {
    let home = Scratch::new();
    for (round, history) in [&[][..], &["--no-history"]].into_iter().enumerate() {
        for crashes in [true, false] {
            let server = home.server(history);
            let nick = format!("bob{round}{crashes}");
            claimed(&server, &nick, "sesame");
            if crashes {
                server.crash();
            } else {
                assert_eq!(server.stop(), 0);
            }
            let server = home.server(history);
            let mut eve = server.irc("eve");
            eve.ask(&format!("NICK {nick}"), "433 **");
            back(&server, &nick, "sesame").expect("001 **");
        }
    }
    let file = home.path().join("accounts.log");
    let bytes = std::fs::read(&file).unwrap();
    assert!(!bytes.windows(6).any(|six| six == b"sesame"), "no password is kept");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_damaged_file_is_left_and_said_and_a_torn_end_is_cut_off() {
    let home = Scratch::new();
    let server = home.server(&[]);
    claimed(&server, "alice", "sesame");
    claimed(&server, "bob", "sesame");
    server.crash();
    let file = home.path().join("accounts.log");
    let whole = std::fs::read(&file).unwrap();
    // The crash came in the middle of a write.
    std::fs::write(&file, [&whole[..], &whole[28..60]].concat()).unwrap();
    let server = home.server(&[]);
    server.wait_log("*accounts.log ended in * bytes of an unfinished write*");
    back(&server, "bob", "sesame").expect("001 **");
    server.crash();
    let mut bytes = whole.clone();
    bytes[100] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let data = home.path().to_str().unwrap();
    let ended = Launch::new(&["--data", data]).run();
    assert_eq!(ended.code, 65, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("accounts.log is damaged") && ended.stderr.contains("backup"),
        "{}",
        ended.stderr
    );
    assert_eq!(std::fs::read(&file).unwrap(), bytes, "nothing was changed");
    std::fs::write(&file, &whole).unwrap();
    back(&home.server(&[]), "alice", "sesame").expect("001 **");
}

#[test]
fn a_claim_that_was_acknowledged_survives_a_crash_in_that_moment() {
    let home = Scratch::new();
    let mut sure = Vec::new();
    for round in 0..8 {
        let server = home.server(&[]);
        let mut irc = server.irc(&format!("bob{round}"));
        irc.send("REGISTER * * sesame");
        // Some crash before, some behind the answer.
        if round % 2 == 0 {
            irc.expect("REGISTER SUCCESS **");
            sure.push(format!("bob{round}"));
        } else {
            std::thread::sleep(std::time::Duration::from_millis(11 * round));
        }
        server.crash();
    }
    let server = home.server(&[]);
    for nick in sure {
        back(&server, &nick, "sesame").expect(format!("001 {nick} *").as_str());
    }
}

#[test]
fn one_party_claims_only_so_many_names_a_day() {
    let server = Server::start(&["--max-clients-per-ip", "200"]);
    let mut claimed = 0;
    let mut irc = server.irc("name");
    for number in 0..80 {
        irc.send(&format!("NICK name{number}"));
        irc.expect("NICK **");
        irc.send("REGISTER * * sesame");
        let answer = irc.expect_any(&["REGISTER", "FAIL"]);
        if answer.command == "FAIL" {
            assert!(answer.is_like("FAIL REGISTER TEMPORARILY_UNAVAILABLE **"), "{answer}");
            break;
        }
        claimed += 1;
        irc.send("QUIT");
        irc.expect_closed();
        irc = server.irc("name");
    }
    assert_eq!(claimed, 64);
}

#[test]
fn the_operator_lists_gives_and_forgets_names() {
    let mut server = Server::start(&["--accounts", "closed"]);
    let mut bob = server.irc("bob");
    bob.ask("REGISTER * * sesame", "FAIL REGISTER TEMPORARILY_UNAVAILABLE bob *operator*");
    // A guest who has the name makes place.
    server.console("/password bob");
    let line = server.wait_stdout("The new password of bob: *");
    let password = line.rsplit(' ').next().unwrap().to_owned();
    bob.expect("NICK bob2");
    server.console("/accounts");
    server.wait_stdout("bob  since *");
    server.wait_stdout("1 accounts");
    let mut owner = back(&server, "bob", &password);
    owner.expect("001 bob *");
    owner.welcomed();
    server.console("/password bob");
    server.wait_stdout("bob has that password now");
    server.console("/forget bob");
    owner.expect("901 bob bob!* *");
    server.console("/forget bob");
    server.wait_stdout("There is no account bob*");
    server.console("/password a,b");
    server.wait_stdout("A name must not hold ,");
    owner.send("QUIT");
    owner.expect_closed();
    bob.send("NICK bob");
    bob.expect("NICK bob");
}

/// Whether somebody has this in front of the name in the list of a room.
#[track_caller]
fn has_rank(irc: &mut Irc, room: &str, wanted: &str) -> bool {
    let names = irc.ask_all(&format!("NAMES {room}"));
    let list = names.iter().find(|m| m.command == "353").expect("a list of names");
    list.last().split(' ').any(|name| name == wanted)
}

#[test]
fn ranks_belong_to_accounts() {
    let home = Scratch::new();
    for name in ["bob", "dora"] {
        let server = home.server(&[]);
        claimed(&server, name, "sesame");
        server.crash();
    }
    let server = home.server(&[]);
    let mut bob = back(&server, "bob", "sesame");
    bob.welcomed();
    bob.join("#tea");
    let mut carol = server.irc("carol");
    let mut dora = back(&server, "dora", "sesame");
    dora.welcomed();
    carol.join("#tea");
    dora.join("#tea");
    bob.send("MODE #tea +oo carol dora");
    dora.expect("MODE #tea +oo carol dora");
    // A rank stays when its owner is not in the room; a guest's ends, and so does that of who is put out.
    for irc in [&mut bob, &mut carol, &mut dora] {
        irc.send("PART #tea");
        irc.expect("PART #tea");
        irc.join("#tea");
    }
    assert!(has_rank(&mut bob, "#tea", "@bob") && has_rank(&mut bob, "#tea", "carol"));
    assert!(has_rank(&mut bob, "#tea", "@dora"));
    bob.send("KICK #tea dora");
    dora.expect("KICK #tea dora **");
    dora.join("#tea");
    assert!(has_rank(&mut bob, "#tea", "dora"));
    bob.send("TOPIC #tea :kept");
    bob.expect("TOPIC #tea kept");
    bob.request(&["echo-message"]);
    bob.send("PRIVMSG #tea :on disk");
    bob.expect("PRIVMSG #tea :on disk");
    server.crash();
    let mut server = home.server(&[]);
    let mut carol = server.irc("carol");
    carol.join("#tea");
    assert!(has_rank(&mut carol, "#tea", "carol"), "the room is bob's");
    // Whoever logs in inside is told of the rank.
    let mut visitor = server.irc("visitor");
    visitor.join("#tea");
    visitor.send("NS IDENTIFY bob sesame");
    visitor.expect("MODE #tea +o visitor");
    visitor.expect(":visitor!* NICK bob");
    carol.expect("MODE #tea +o visitor");
    assert!(has_rank(&mut carol, "#tea", "@bob"));
    // A later account of this name is another one's.
    server.console("/forget bob");
    visitor.expect("901 **");
    visitor.send("QUIT");
    visitor.expect_closed();
    let mut other = server.irc("bob");
    other.send("REGISTER * * another");
    other.expect("REGISTER SUCCESS **");
    other.join("#tea");
    assert!(has_rank(&mut carol, "#tea", "bob"));
}

#[test]
fn a_room_for_people_with_accounts_and_bans_of_accounts() {
    let server = Server::start(&[]);
    claimed(&server, "bob", "sesame");
    claimed(&server, "eve", "sesame");
    let mut alice = server.irc("alice");
    alice.join("#tea");
    alice.send("MODE #tea +R");
    alice.expect("MODE #tea +R");
    alice.send("MODE #tea");
    alice.expect("324 alice #tea +Rnt");
    let mut guest = server.irc("guest");
    guest.ask("JOIN #tea", "477 guest #tea *");
    let (mut bob, mut eve) = (back(&server, "bob", "sesame"), back(&server, "eve", "sesame"));
    bob.welcomed();
    eve.welcomed();
    bob.join("#tea");
    alice.send("MODE #tea +b ~a:EVE");
    alice.expect("MODE #tea +b ~a:EVE");
    eve.send("NICK harmless");
    eve.expect("NICK harmless");
    eve.ask("JOIN #tea", "474 harmless #tea *");
    // Of a guest's mask nobody is an account.
    alice.send("MODE #tea +be ~a:* ~a:bob");
    bob.send("PRIVMSG #tea :I may talk");
    alice.expect("PRIVMSG #tea :I may talk");
    alice.send("INVITE guest #tea");
    guest.expect("INVITE guest #tea");
    guest.join("#tea");
}

#[test]
fn bans_of_the_operator_last() {
    let home = Scratch::new();
    let mut server = home.server(&[]);
    server.console("/ban 192.0.2.7");
    server.wait_stdout("192.0.2.7 is banned until /unban; *");
    server.console("/ban 2001:db8::1 30");
    server.wait_stdout("2001:db8:: is banned for 30 min; *");
    server.console("/ban 192.0.2.8");
    server.console("/unban 192.0.2.8");
    server.wait_stdout("192.0.2.8 may come again");
    assert_eq!(server.stop(), 0);
    let mut server = home.server(&[]);
    server.console("/bans");
    server.wait_stdout("192.0.2.7  until /unban");
    server.wait_stdout("2001:db8::  30 minutes left");
    assert!(!server.stdout().text().contains("192.0.2.8"));
    server.console("/unban 192.0.2.7");
    server.console("/unban 2001:db8::2");
    server.wait_stdout("2001:db8::2 may come again");
    assert_eq!(server.stop(), 0);
    let mut server = home.server(&[]);
    server.console("/bans");
    server.wait_stdout("Nobody is banned");
}
