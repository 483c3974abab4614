//! What a person at a terminal is asked besides a name: passwords, which are not shown where telnet lets us say so.

use crate::hub::Hub;
use crate::hub::change::Change;
use crate::hub::change::secrets::Way;
use crate::hub::state::ConnectionId;
use crate::hub::state::limits::MAX_WRONG;
use crate::hub::state::member::{Asked, Registration};

/// Has a telnet program show nothing of what is typed, for it believes that we do (RFC 857).
const WILL_ECHO: [u8; 3] = [255, 251, 1];
const WONT_ECHO: [u8; 3] = [255, 252, 1];

impl Hub {
    fn registration(&mut self, id: ConnectionId) -> Option<&mut Registration> {
        self.state.member_mut(id)?.registration.as_deref_mut()
    }

    /// What a line answers, if something was asked.
    pub(super) fn take_asked(&mut self, id: ConnectionId) -> Option<Asked> {
        self.registration(id)?.asked.take()
    }

    pub(super) fn ask_in_secret(&mut self, id: ConnectionId, asked: Asked) {
        let Some(member) = self.state.member(id) else { return };
        let (telnet, what) = (
            member.telnet,
            match &asked {
                Asked::Admission(_) => "This server has a password. Type it".into(),
                Asked::Password(nick) => {
                    format!("{nick} is somebody's name; Enter alone asks for another. Type its password")
                }
            },
        );
        self.explain(id, &format!("{what}{}.", if telnet { "" } else { " (it is shown as you type)" }));
        if telnet {
            self.send_reply(id, WILL_ECHO[..].into());
        }
        self.registration(id).into_iter().for_each(|registration| registration.asked = Some(asked.clone()));
    }

    pub(super) fn plain_answer(&mut self, id: ConnectionId, asked: Asked, line: &str, more: bool) {
        let now = self.state.now.elapsed;
        let Some(member) = self.state.member_mut(id) else { return };
        // Whoever tries is given time to try again.
        member.spoke = now;
        if member.telnet {
            self.send_reply(id, WONT_ECHO[..].into());
        }
        let password = typed(line);
        match asked {
            Asked::Admission(name) if self.admit_by(id, &password) => self.plain_name(id, &name, more),
            Asked::Admission(_) => self.plain_wrong(id, asked, "Wrong password"),
            Asked::Password(_) if password.is_empty() => self.refuse_name(id, "Type another name.", false),
            Asked::Password(nick) => {
                let name = nick.to_string();
                self.registration(id)
                    .into_iter()
                    .for_each(|registration| registration.wished = Some(nick.clone()));
                self.try_password(id, &name, &password, Way::Prompt);
            }
        }
    }

    /// The password of a name was right: its owner is here.
    pub(crate) fn plain_proved(&mut self, id: ConnectionId) {
        let wished = self.registration(id).and_then(|registration| registration.wished.take());
        match wished {
            Some(nick) if self.state.standing(id).is_none() => self.register_simply(id, nick, ""),
            _ => self.propose(id, Change::Register),
        }
    }

    /// It was wrong, or cannot be looked at.
    pub(crate) fn plain_not_proved(&mut self, id: ConnectionId, why: &str) {
        if let Some(nick) = self.registration(id).and_then(|registration| registration.wished.take()) {
            self.plain_wrong(id, Asked::Password(nick), why);
        }
    }

    fn plain_wrong(&mut self, id: ConnectionId, asked: Asked, why: &str) {
        let Some(registration) = self.registration(id) else { return };
        registration.wrong += 1;
        if registration.wrong >= MAX_WRONG {
            return self.lost(id, "Three wrong passwords");
        }
        self.explain(id, &format!("{why}."));
        self.ask_in_secret(id, asked);
    }
}

/// What is meant by keys that a terminal sent, Backspace among them.
fn typed(line: &str) -> String {
    let mut text = String::new();
    for c in line.chars() {
        match c {
            '\u{8}' | '\u{7f}' => drop(text.pop()),
            c => text.push(c),
        }
    }
    text
}
