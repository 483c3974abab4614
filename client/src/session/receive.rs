//! What the server sends: bytes to lines, lines to messages, messages to those who know them.

use std::borrow::Cow;

use parlor_server::protocol::Message;
use parlor_server::protocol::line;
use parlor_server::protocol::message::Userhost;
use parlor_server::protocol::text::printable;

use super::line::LineKind;
use super::opening::Opener;
use super::sentence::filled;
use super::stamp::Stamp;
use super::{Key, Sentence, Session};

impl Session {
    pub(super) fn received(&mut self, bytes: &[u8]) {
        self.liveness.heard(self.now.elapsed);
        let (block, framing) = self.framer.push(bytes);
        for line in line::lines(&block.unwrap_or_default()) {
            // A line may have ended the connection.
            if !self.is_listening() {
                return;
            }
            let line = self.profile.encoding.read(line);
            // No line may hold a NUL (RFC 1459 §2.3.1); what is around it is meant all the same.
            let line = if self.registration.opening.is_irc() { without_nul(line) } else { line };
            match self.registration.opening.line(&line) {
                None | Some(Opener::Irc) => self.line(&line),
                Some(opener) => self.opened_by(opener),
            }
        }
        if framing.is_err() && !self.registration.opening.is_irc() && self.is_listening() {
            return self.drop_connection(self.not_chat());
        }
        self.registration.opening.unfinished(self.framer.unfinished(), self.now.elapsed);
    }

    fn is_listening(&self) -> bool {
        use super::reconnect::Phase;
        matches!(self.phase, Phase::Registering { .. } | Phase::Ready { .. })
    }

    fn line(&mut self, line: &str) {
        let Some(message) = Message::parse(line) else { return };
        let stamp = Stamp::of(&message, self.wall(), &self.batches);
        if self.is_part(&message) {
            return;
        }
        if let Some(position) = stamp.position(self.isupport.sorted) {
            self.started_again(position.start());
            if stamp.volatile {
                // No crash takes it back that does not take the whole room.
                self.durable.note(position);
            }
        }
        let code = message.command.parse::<u16>().ok().filter(|_| message.command.len() == 3);
        if let Some(code) = code {
            return self.numeric(code, &message);
        }
        match message.command.to_ascii_uppercase().as_str() {
            "PING" => {
                let token = message.params.last().copied().unwrap_or_default();
                self.send(&format!("PONG :{token}"));
            }
            "PONG" => self.pong(&message),
            "ACK" => self.on_ack(&message),
            "CAP" => self.on_cap(&message),
            "AUTHENTICATE" => self.on_authenticate(&message),
            "REGISTER" => self.on_register(&message),
            "PRIVMSG" => self.on_talk(&message, &stamp, LineKind::Said),
            "NOTICE" => self.on_talk(&message, &stamp, LineKind::Notice),
            "WALLOPS" => self.on_wallops(&message, &stamp),
            "JOIN" => self.on_join(&message, &stamp),
            "PART" => self.on_part(&message, &stamp),
            "KICK" => self.on_kick(&message, &stamp),
            "QUIT" => self.on_quit(&message, &stamp),
            "NICK" => self.on_nick(&message, &stamp),
            "MODE" => self.on_mode(&message, &stamp),
            "TOPIC" => self.on_topic(&message, &stamp),
            "INVITE" => self.on_invite(&message, &stamp),
            "AWAY" => self.on_away(&message),
            "TAGMSG" => self.on_tagmsg(&message, &stamp),
            "BATCH" => self.on_batch(&message),
            "REDACT" => self.on_redact(&message, &stamp),
            "CHATHISTORY" => self.on_target(&message),
            "MARKREAD" => self.on_markread(&message),
            "RESUME" => self.on_resume(&message),
            "ERROR" => self.on_error(&message),
            "FAIL" => self.on_standard_reply(&message, LineKind::Error),
            "WARN" | "NOTE" => self.on_standard_reply(&message, LineKind::Info),
            // SETNAME, ACCOUNT, CHGHOST and what is yet to come.
            _ => {}
        }
    }

    /// The server says why it hangs up.
    fn on_error(&mut self, message: &Message<'_>) {
        let text = message.params.last().copied().unwrap_or_default();
        let text = printable(text);
        let lower = text.to_lowercase();
        let banned =
            ["banned", "k-line", "g-line", "z-line", "d-line"].iter().any(|word| lower.contains(word));
        let why = if banned {
            Sentence::Banned { reason: text }
        } else if !self.is_ready() && lower.contains("bad password") {
            // All that ngIRCd says of it.
            self.password_asked()
        } else {
            Sentence::ServerClosed { reason: filled(text) }
        };
        self.farewell.get_or_insert(why);
    }

    /// `FAIL PRIVMSG CODE context… :sentence` (IRCv3 standard-replies).
    fn on_standard_reply(&mut self, message: &Message<'_>, kind: LineKind) {
        let text = printable(message.params.last().copied().unwrap_or_default());
        let sentence = &Sentence::Server { about: None, text };
        let context = message.params.iter().skip(2).rev().skip(1);
        let place =
            context.map(|name| self.isupport.key(name)).find(|key| self.conversations.contains_key(key));
        let verb = message.params.first().copied().unwrap_or_default();
        if kind == LineKind::Error {
            if message.params.get(1) == Some(&"REPLACED") {
                self.farewell = Some(Sentence::Replaced);
                return;
            }
            if verb.eq_ignore_ascii_case("REDACT") {
                self.deletion_failed(message);
            }
            let failed = self.question_failed(verb, message) || self.resume_failed(verb);
            if failed || self.claim_failed(verb) || self.marker_failed(verb, place.as_ref()) {
                return;
            }
        }
        if kind == LineKind::Error
            && (verb.eq_ignore_ascii_case("PRIVMSG") && self.refused_to(place.as_ref(), message, sentence)
                || verb.eq_ignore_ascii_case("BATCH") && self.message_refused(message, sentence))
        {
            return;
        }
        let place = place.unwrap_or_else(|| self.asked_at());
        self.inform(&place, kind, sentence);
    }

    /// Who sent it; `None`: the server.
    pub(super) fn sender<'a>(&self, message: &Message<'a>) -> Option<Userhost<'a>> {
        let source = Userhost::split(message.source?);
        // No person's name has a dot, and nearly every server's has one.
        let named = source.nick.contains('.') || source.nick == self.registration.server;
        let server = source.user.is_empty() && source.host.is_empty() && named;
        (!server && !source.nick.is_empty()).then_some(source)
    }

    /// Whether a name is ours or was, since this session began.
    pub(super) fn was_me(&self, nick: &str) -> bool {
        self.is_me(nick) || self.me.were.contains(&self.isupport.key(nick))
    }

    pub(super) fn is_me(&self, nick: &str) -> bool {
        self.isupport.key(nick) == self.isupport.key(&self.me.nick)
    }

    /// Where the person asked something last: answers go there.
    pub(super) fn asked_at(&self) -> Key {
        self.asked_at.clone().filter(|key| self.conversations.contains_key(key)).unwrap_or_else(Key::server)
    }
}

fn without_nul(line: Cow<'_, str>) -> Cow<'_, str> {
    if line.contains('\0') { line.replace('\0', "").into() } else { line }
}
