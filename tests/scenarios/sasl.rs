//! AUTHENTICATE: a person shows whose name it is (IRCv3 sasl, RFC 4616, RFC 7677).

use std::net::SocketAddr;
use std::time::Duration;

use parlor_server::protocol::base64;
use parlor_server::protocol::scram::Client;
use parlor_tests::{Deadline, Irc, Message, Server};

/// Makes a name somebody's; nobody has it afterwards.
pub(crate) fn claimed(server: &Server, nick: &str, password: &str) {
    let mut irc = server.irc_with(nick, &["draft/account-registration"]);
    irc.send(&format!("REGISTER * * {password}"));
    irc.expect(format!("REGISTER SUCCESS {nick} *").as_str());
    irc.send("QUIT");
    irc.expect_closed();
}

/// A connection that negotiates, has sent its name, and may authenticate.
pub(crate) fn asking(server: &Server, nick: &str) -> Irc {
    asking_at(server.address(), nick)
}

fn asking_at(address: SocketAddr, nick: &str) -> Irc {
    let mut irc = Irc::connect_to(address);
    irc.send("CAP LS 302");
    irc.send(&format!("NICK {nick}"));
    irc.send("USER user 0 * :Real Name");
    irc.request(&["sasl"]);
    irc
}

/// Sends a message of an exchange, in chunks.
pub(crate) fn authenticate(irc: &mut Irc, message: &str) {
    let text = base64::encode(message.as_bytes());
    let mut rest = text.as_str();
    while rest.len() >= 400 {
        irc.send(&format!("AUTHENTICATE {}", &rest[..400]));
        rest = &rest[400..];
    }
    irc.send(&format!("AUTHENTICATE {}", if rest.is_empty() { "+" } else { rest }));
}

/// PLAIN, up to what it brings.
pub(crate) fn plain(irc: &mut Irc, name: &str, password: &str) -> Message {
    irc.send("AUTHENTICATE PLAIN");
    irc.expect("AUTHENTICATE +");
    authenticate(irc, &format!("\0{name}\0{password}"));
    irc.expect_any(&["903", "904"])
}

/// What the server asks in SCRAM, as text.
fn challenge(irc: &mut Irc) -> String {
    text(&irc.expect("AUTHENTICATE *"))
}

fn text(message: &Message) -> String {
    let bytes = base64::decode(message.last()).expect("base64");
    String::from_utf8(bytes).expect("UTF-8")
}

/// SCRAM-SHA-256, up to what it brings; what the client sent last.
fn scram(irc: &mut Irc, name: &str, password: &str) -> (Message, String) {
    let (answer, last) = prove(irc, name, password);
    if answer.command == "904" {
        return (answer, last);
    }
    irc.send("AUTHENTICATE +");
    (irc.expect_any(&["903", "904"]), last)
}

/// The same, but for its end.
fn prove(irc: &mut Irc, name: &str, password: &str) -> (Message, String) {
    let client = Client::new(name, "a-nonce-of-the-client");
    irc.send("AUTHENTICATE SCRAM-SHA-256");
    irc.expect("AUTHENTICATE +");
    authenticate(irc, &client.first());
    let (last, proof) = client.finish(&challenge(irc), password).expect("a challenge");
    authenticate(irc, &last);
    let answer = irc.expect_any(&["AUTHENTICATE", "904"]);
    if answer.command == "AUTHENTICATE" {
        assert_eq!(text(&answer), proof, "the server knows the password, too");
    }
    (answer, last)
}

#[test]
fn plain_and_scram_log_in_before_the_welcome() {
    let server = Server::start(&[]);
    claimed(&server, "Zoë", "pa ss,wörd=".replace(' ', "").as_str());
    for mechanism in ["PLAIN", "SCRAM-SHA-256"] {
        let mut irc = asking(&server, "zoë");
        let done = match mechanism {
            "PLAIN" => plain(&mut irc, "zoë", "pass,wörd="),
            _ => scram(&mut irc, "Zoë", "pass,wörd=").0,
        };
        assert_eq!(done.command, "903", "{mechanism}");
        irc.send("CAP END");
        irc.expect("001 zoë *");
        irc.welcomed();
        irc.ask_all("WHOIS zoë").iter().find(|m| m.is_like("330 zoë zoë Zoë *")).expect("an account");
        irc.send("QUIT");
        irc.expect_closed();
    }
}

#[test]
fn the_numerics_of_the_specification() {
    let server = Server::start(&[]);
    claimed(&server, "bob", "sesame");
    let mut irc = Irc::connect(&server);
    irc.send("CAP LS 302");
    let list = irc.expect(|m: &Message| m.command == "CAP");
    let offered: Vec<&str> = list.last().split(' ').collect();
    assert!(offered.contains(&"sasl=SCRAM-SHA-256,PLAIN"), "{offered:?}");
    assert!(offered.contains(&"draft/account-registration=before-connect"), "{offered:?}");
    irc.send("AUTHENTICATE PLAIN");
    irc.expect("904 * *");
    irc.request(&["sasl"]);
    irc.send("NICK bob");
    irc.send("AUTHENTICATE NONE");
    irc.expect("908 * SCRAM-SHA-256,PLAIN *");
    irc.expect("904 * *");
    irc.send("AUTHENTICATE EXTERNAL");
    irc.expect("908 **");
    irc.expect("904 **");
    // Aborted by the client, and by the end of negotiation.
    irc.send("AUTHENTICATE plain");
    irc.expect("AUTHENTICATE +");
    irc.send("AUTHENTICATE *");
    irc.expect("906 * *");
    irc.send("AUTHENTICATE *");
    irc.expect("906 * *");
    assert_eq!(plain(&mut irc, "bob", "wrong").command, "904");
    assert_eq!(plain(&mut irc, "nobody", "sesame").command, "904");
    irc.send("AUTHENTICATE PLAIN");
    irc.expect("AUTHENTICATE +");
    irc.send("USER user 0 * :Real Name");
    irc.send("CAP END");
    irc.expect("906 * *");
    irc.expect("433 * bob *");
    irc.send("NICK bobby");
    irc.welcomed();
    // And after registration.
    irc.join("#tea");
    let mut alice = server.irc_with("alice", &["account-notify", "extended-join", "account-tag"]);
    alice.join("#tea");
    irc.send("AUTHENTICATE PLAIN");
    irc.expect("AUTHENTICATE +");
    authenticate(&mut irc, "bob\0bob\0sesame");
    irc.expect("900 bobby bobby!user@* bob *");
    irc.expect(":bobby!* NICK bob");
    irc.expect("903 bob *");
    irc.send("AUTHENTICATE PLAIN");
    irc.expect("907 bob *");
    alice.expect(":bobby!* ACCOUNT bob");
    alice.expect(":bobby!* NICK bob");
    irc.send("PRIVMSG #tea :hi");
    let said = alice.expect("PRIVMSG #tea hi");
    assert_eq!(said.tag("account"), Some("bob"));
    irc.send("PART #tea");
    irc.send("JOIN #tea");
    alice.expect(":bob!* JOIN #tea bob *");
    irc.ask_all("WHO #tea %na").iter().find(|m| m.is_like("354 bob bob bob")).expect("WHOX with accounts");
    irc.ask_all("WHO alice %na").iter().find(|m| m.is_like("354 bob alice 0")).expect("and without");
}

#[test]
fn odd_messages_end_the_exchange_and_nothing_else() {
    let server = Server::start(&[]);
    claimed(&server, "bob", "sesame");
    let mut irc = asking(&server, "bob");
    let long = "A".repeat(401);
    let full = "A".repeat(400);
    for (mechanism, lines, numeric) in [
        ("PLAIN", vec![long.as_str()], "905"),
        ("PLAIN", vec![&full, &full, &full, "AAAA"], "905"),
        ("PLAIN", vec![&full, "+"], "904"),
        ("PLAIN", vec![&full, &full, &full, "+"], "904"),
        ("PLAIN", vec!["+"], "904"),
        ("PLAIN", vec!["!!!!"], "904"),
        ("PLAIN", vec!["/////w=="], "904"),
        ("PLAIN", vec![&base64::encode(b"\0bob")], "904"),
        ("PLAIN", vec![&base64::encode(b"alice\0bob\0sesame")], "904"),
        ("PLAIN", vec![&base64::encode(b"\0bob\0sesame\0")], "904"),
        ("PLAIN", vec![&base64::encode(b"\0\0sesame")], "904"),
        ("PLAIN", vec![&base64::encode(&[b"\0bob\0".as_slice(), &[b'x'; 295]].concat()), "AAAA"], "904"),
        ("SCRAM-SHA-256", vec!["+"], "904"),
        ("SCRAM-SHA-256", vec![&base64::encode(b"p=tls-unique,,n=bob,r=x")], "904"),
        ("SCRAM-SHA-256", vec![&base64::encode(b"n,,n=nobody,r=x")], "904"),
    ] {
        irc.send(&format!("AUTHENTICATE {mechanism}"));
        irc.expect("AUTHENTICATE +");
        lines.iter().for_each(|line| irc.send(&format!("AUTHENTICATE {line}")));
        let answer = irc.expect_any(&["904", "905", "903"]);
        assert_eq!(answer.command, numeric, "{mechanism} {lines:?}");
    }
    irc.send("AUTHENTICATE");
    irc.expect_any(&["461"]);
    // What stands where a name should is not for the log.
    assert_eq!(plain(&mut irc, "se\nsame", "bob").command, "904");
    server.wait_log("refused: no account from * (INVALID_CREDENTIALS)");
    assert!(!server.log().text().contains("se\nsame"));
    assert_eq!(plain(&mut irc, "bob", "sesame").command, "903");
    irc.send("CAP END");
    irc.expect("001 bob *");
}

#[test]
fn a_recorded_exchange_is_of_no_use_again() {
    let server = Server::start(&[]);
    claimed(&server, "bob", "sesame");
    let mut bob = asking(&server, "bob");
    let (done, last) = scram(&mut bob, "bob", "sesame");
    assert_eq!(done.command, "903");
    // The very same bytes, on another connection and again on one that was refused.
    let mut eve = asking(&server, "eve");
    for _ in 0..2 {
        eve.send("AUTHENTICATE SCRAM-SHA-256");
        eve.expect("AUTHENTICATE +");
        authenticate(&mut eve, &Client::new("bob", "a-nonce-of-the-client").first());
        let asked = challenge(&mut eve);
        assert!(!last.contains(asked.split(',').next().unwrap()), "a nonce came twice: {asked}");
        authenticate(&mut eve, &last);
        eve.expect("904 **");
    }
    let (wrong, _) = scram(&mut eve, "bob", "guess");
    assert_eq!(wrong.command, "904");
    // Nor is an end without a beginning.
    eve.send("AUTHENTICATE SCRAM-SHA-256");
    eve.expect("AUTHENTICATE +");
    authenticate(&mut eve, &last);
    eve.expect("904 **");
}

#[test]
fn a_new_password_shuts_out_whoever_has_the_old_one() {
    let mut server = Server::start(&[]);
    claimed(&server, "bob", "sesame");
    let mut alice = server.irc("alice");
    let mut thief = asking(&server, "bob");
    assert_eq!(plain(&mut thief, "bob", "sesame").command, "903");
    thief.send("CAP END");
    thief.welcomed();
    for line in [&mut alice, &mut thief] {
        line.join("#tea");
    }
    let mut early = asking(&server, "bob");
    assert_eq!(plain(&mut early, "bob", "sesame").command, "903");
    // Proved, and not told so yet.
    let mut waits = [(); 2].map(|()| {
        let mut irc = asking(&server, "eve");
        assert_eq!(prove(&mut irc, "bob", "sesame").0.command, "AUTHENTICATE");
        irc
    });
    server.console("/password bob");
    let password = server.wait_stdout("The new password of bob: *");
    let password = password.rsplit(' ').next().expect("it was told");
    for irc in [&mut thief, &mut early] {
        let told = irc.expect_closed();
        assert!(told.last().is_some_and(|line| line.is_like("ERROR :*a new password*")), "{told:?}");
    }
    alice.expect(":bob!* QUIT :This account has a new password");
    let [first, second] = &mut waits;
    first.send("AUTHENTICATE +");
    first.expect("904 **");
    assert_eq!(plain(first, "bob", password).command, "903");
    // And when the name is another one's.
    server.console("/forget bob");
    first.expect("901 **");
    first.send("QUIT");
    first.expect_closed();
    claimed(&server, "bob", "another");
    second.send("AUTHENTICATE +");
    second.expect("904 **");
}

#[test]
fn what_is_said_before_the_answer_waits_for_it() {
    let server = Server::start(&[]);
    claimed(&server, "bob", "sesame");
    let mut irc = Irc::connect(&server);
    let text = base64::encode(b"\0bob\0sesame");
    irc.send_bytes(format!(
        "CAP LS 302\r\nNICK bob\r\nUSER u 0 * :r\r\nCAP REQ :sasl\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE {text}\r\nCAP END\r\nJOIN #tea\r\nPRIVMSG bob :to myself\r\n"
    ));
    irc.expect("903 **");
    irc.expect("001 bob *");
    irc.expect("JOIN #tea");
    irc.expect("PRIVMSG bob :to myself");
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn guesses_lock_out_who_guesses_and_not_the_owner_at_home() {
    let server = Server::start(&["--bind", "127.0.0.1:0", "--bind", "[::1]:0"]);
    let (home, afar) = (server.addresses()[0], server.addresses()[1]);
    ["bob", "amy", "dora"].into_iter().for_each(|nick| claimed(&server, nick, "sesame"));
    let is_let_in = |address: SocketAddr, nick: &str| {
        let mut irc = asking_at(address, nick);
        let answer = plain(&mut irc, nick, "sesame");
        assert!(answer.command == "903" || answer.last().contains("Too many wrong passwords"), "{answer}");
        answer.command == "903"
    };
    let clock = Deadline::after(HOUR);
    // One of them is had again after so many seconds.
    let again = |each: u64| (HOUR - clock.left().unwrap_or_default()).as_secs() / each + 1;
    let mut eve = asking_at(afar, "eve");
    let mut guesses = |name: &str| -> u64 {
        let wrong = |_: &u64| plain(&mut eve, name, "guess").last().contains("Wrong name or password");
        (0..100).take_while(wrong).count() as u64
    };
    let mut locked_out = |name: &str| {
        let mut count = guesses(name);
        // One more may have come back just now.
        while is_let_in(afar, name) {
            count += guesses(name);
        }
        count
    };
    // A name takes 30, wherever they come from.
    let of_bob = locked_out("bob");
    assert!((30..=30 + again(30)).contains(&of_bob), "{of_bob}");
    assert!(is_let_in(home, "bob"));
    let (answer, _) = scram(&mut asking_at(afar, "visitor"), "bob", "sesame");
    assert!(answer.command == "904" && answer.last().contains("Too many"), "{answer}");
    // An address has 64 for all names.
    assert!(is_let_in(afar, "amy"));
    let of_dora = locked_out("dora");
    assert!((30..=30 + again(30)).contains(&of_dora), "{of_dora}");
    let all = of_bob + of_dora + locked_out("amy");
    assert!((64..=64 + again(15)).contains(&all), "{all}");
    assert!(is_let_in(home, "amy") && is_let_in(home, "dora"));
    // Those who are here, and guests who come, notice nothing.
    drop(Irc::connect_to(afar).register("guest"));
}

#[test]
fn without_accounts_nothing_of_them_is_offered() {
    let server = Server::start(&["--accounts", "off"]);
    let mut irc = Irc::connect(&server);
    irc.send("CAP LS 302");
    let list = irc.expect(|m: &Message| m.command == "CAP");
    assert!(!list.last().contains("sasl") && !list.last().contains("registration"), "{list}");
    irc.send("CAP REQ :sasl");
    irc.expect("CAP * NAK sasl");
}
