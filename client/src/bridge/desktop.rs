//! Telling the desktop: a notification and an urgent window, when nobody looks. A click on it brings
//! the window up, with the line that it told of.

use std::rc::Rc;

use parlor_ui::slint::winit_030::{WinitWindowAccessor, winit};
use parlor_ui::slint::{ComponentHandle, TimerMode};
use parlor_ui::{App, Shell, Words};

use super::Bridge;
use super::clock::monotonic;
use super::notifications::{Heard, Server, Telling};
use super::reading::is_looked_at;
use super::text::shared;
use crate::conversations::ConversationId;
use crate::limits::{NOTICE_EVERY, NOTICES_SHOWN};
use crate::notify::{Notice, Notify, Told, Why};
use crate::session::{Kind, Line, LineId, Sentence};

/// Characters of a line that a notification shows.
const SHOWN: usize = 200;

/// What the desktop shows of ours: one notification of a conversation, which the next one replaces.
#[derive(Default)]
pub(super) struct Shown {
    server: Option<Rc<Server>>,
    /// The oldest first; at most [`NOTICES_SHOWN`], the oldest of which cannot be clicked any more
    /// when there are more.
    notices: Vec<ShownNotice>,
}

struct ShownNotice {
    id: u32,
    of: ConversationId,
    line: LineId,
}

impl Shown {
    fn of(&self, of: &ConversationId) -> Option<u32> {
        self.notices.iter().find(|notice| notice.of == *of).map(|notice| notice.id)
    }

    fn add(&mut self, notice: ShownNotice) {
        self.notices.retain(|other| other.id != notice.id && other.of != notice.of);
        if self.notices.len() >= NOTICES_SHOWN {
            self.notices.remove(0);
        }
        self.notices.push(notice);
    }

    fn take(&mut self, id: u32) -> Option<ShownNotice> {
        let at = self.notices.iter().position(|notice| notice.id == id)?;
        Some(self.notices.remove(at))
    }
}

impl Bridge {
    /// Somebody mentioned us, invited us or wrote privately, in a conversation that is not being read.
    pub(super) fn alert(self: &Rc<Self>, window: &App, id: &ConversationId, line: &Line, text: &str) {
        let kind = self.kind(id);
        if self.notify(id).tells_alert(kind) {
            let why = match line.sentence() {
                Some(Sentence::InvitesYou { .. }) => Why::Invitation,
                _ if kind == Kind::Room => Why::Mention,
                _ => Why::Private,
            };
            self.tell_desktop(window, id, line, text, why);
        }
    }

    /// Where every line is to be told of.
    pub(super) fn alert_of_lines(self: &Rc<Self>, window: &App, id: &ConversationId, lines: &[Line]) {
        let line = self.notify(id).line_to_tell(self.kind(id), lines);
        if let Some(line) = line {
            self.tell_desktop(window, id, line, line.text(), Why::Line);
        }
    }

    /// What the person wants to be told of there.
    fn notify(&self, id: &ConversationId) -> Notify {
        let state = self.state.borrow();
        let of_it = state.conversations.get(id).map(|conversation| conversation.notify).unwrap_or_default();
        of_it.over(state.settings.notify)
    }

    fn kind(&self, id: &ConversationId) -> Kind {
        self.state.borrow().conversations.get(id).map_or(Kind::Server, |conversation| conversation.kind)
    }

    fn tell_desktop(self: &Rc<Self>, window: &App, id: &ConversationId, line: &Line, text: &str, why: Why) {
        let told = {
            let mut state = self.state.borrow_mut();
            if is_looked_at(window) && !state.tray.is_hidden() {
                return state.notices.seen();
            }
            let room = state.conversations.get(id).filter(|conversation| conversation.kind == Kind::Room);
            let room = room.map(|room| room.name.clone());
            let (from, text) = (line.from().to_owned(), text.chars().take(SHOWN).collect());
            state.notices.add(Notice { of: id.clone(), line: line.id(), room, from, text, why }, monotonic())
        };
        match told {
            Some(told) => self.tell(window, told),
            None if !self.notices_due.running() => self.tell_later(),
            None => {}
        }
    }

    /// Several lines are told of at once, as soon as the last notification is long enough ago.
    fn tell_later(self: &Rc<Self>) {
        let Some(due) = self.state.borrow().notices.due() else { return };
        let weak = Rc::downgrade(self);
        let wait = due.saturating_duration_since(monotonic());
        self.notices_due.start(TimerMode::SingleShot, wait, move || {
            let Some(bridge) = weak.upgrade() else { return };
            let Some(window) = bridge.window.upgrade() else { return };
            let told = {
                let mut state = bridge.state.borrow_mut();
                if is_looked_at(&window) && !state.tray.is_hidden() {
                    state.notices.seen();
                }
                state.notices.take(monotonic())
            };
            match told {
                Some(told) => bridge.tell(&window, told),
                // A timer may be a little early.
                None => bridge.tell_later(),
            }
        });
    }

    fn tell(self: &Rc<Self>, window: &App, told: Told) {
        window.window().with_winit_window(|window| {
            window.request_user_attention(Some(winit::window::UserAttentionType::Informational));
        });
        let words = window.global::<Words>();
        let (summary, body, last) = match told {
            Told::One(notice) => {
                let (from, room) = (shared(&notice.from), shared(notice.room.as_deref().unwrap_or_default()));
                let summary = match notice.why {
                    Why::Mention => words.invoke_mentions_you(from, room),
                    Why::Invitation => shared(&notice.text),
                    Why::Line if notice.room.is_some() => words.invoke_says_in(from, room),
                    Why::Private | Why::Line => words.invoke_writes_to_you(from),
                };
                let body = if notice.why == Why::Invitation { String::new() } else { notice.text.clone() };
                (summary, body, notice)
            }
            Told::Many { lines, people, one_room, last } => {
                let lines = i32::try_from(lines).unwrap_or(i32::MAX);
                let summary = match last.room.as_deref().filter(|_| one_room) {
                    Some(room) => words.invoke_new_in(lines, shared(room)),
                    None => words.invoke_new_from(lines, i32::try_from(people).unwrap_or(i32::MAX)),
                };
                let from = match last.room.as_deref().filter(|_| !one_room) {
                    Some(room) => words.invoke_says_in(shared(&last.from), shared(room)).into(),
                    None => last.from.clone(),
                };
                (summary, format!("{from}: {}", last.text), last)
            }
        };
        let sound = self.state.borrow().settings.sounds;
        let bridge = Rc::clone(self);
        let tell = async move {
            let late = async {
                smol::Timer::after(NOTICE_EVERY).await;
            };
            let told = bridge.tell_now(summary.into(), body, sound, &last);
            futures_lite::future::or(told, late).await;
        };
        self.tasks.spawn(tell).detach();
    }

    async fn tell_now(self: &Rc<Self>, summary: String, body: String, sound: bool, last: &Notice) {
        let Some(server) = self.notification_server().await else { return };
        let replaces = self.state.borrow().told.of(&last.of).unwrap_or_default();
        match server.tell(&Telling { replaces, summary, body, sound }).await {
            Ok(id) => {
                let (of, line) = (last.of.clone(), last.line);
                self.state.borrow_mut().told.add(ShownNotice { id, of: of.clone(), line });
                // It may have been read meanwhile.
                if self.state.borrow().reading.as_ref() == Some(&of) {
                    self.untell(&of);
                }
            }
            Err(error) => {
                log::debug!("the desktop takes no notifications: {error}");
                self.state.borrow_mut().told = Shown::default();
            }
        }
    }

    /// Whoever shows notifications, found once.
    pub(super) async fn notification_server(self: &Rc<Self>) -> Option<Rc<Server>> {
        if let Some(server) = &self.state.borrow().told.server {
            return Some(Rc::clone(server));
        }
        let server = match Server::find().await {
            Ok(server) => Rc::new(server),
            Err(error) => {
                log::debug!("the desktop takes no notifications: {error}");
                return None;
            }
        };
        let (weak, connection) = (Rc::downgrade(self), server.connection());
        let listen = async move {
            let heard = |heard| {
                if let Some(bridge) = weak.upgrade() {
                    bridge.heard(heard);
                }
            };
            if let Err(error) = Server::listen(connection, heard).await {
                log::debug!("the desktop tells no more of notifications: {error}");
            }
        };
        self.tasks.spawn(listen).detach();
        self.state.borrow_mut().told.server = Some(Rc::clone(&server));
        Some(server)
    }

    fn heard(self: &Rc<Self>, heard: Heard) {
        let taken = match heard {
            Heard::Chosen(id) => self.state.borrow_mut().told.take(id),
            Heard::Gone(id) => return drop(self.state.borrow_mut().told.take(id)),
        };
        if let (Some(notice), Some(window)) = (taken, self.window.upgrade()) {
            self.bring_up(&window, &notice.of, notice.line);
        }
    }

    /// Shows the window, the conversation, and in it the line.
    fn bring_up(self: &Rc<Self>, window: &App, of: &ConversationId, line: LineId) {
        self.unhide();
        if self.state.borrow().conversations.get(of).is_none() {
            return;
        }
        window.global::<Shell>().invoke_close();
        if !self.state.borrow().conversations.is_current(of) {
            self.show(window, of);
        }
        self.jumped(window, of, Some(line));
    }

    /// A conversation is being read: nothing more is to be told of it.
    pub(super) fn untell(&self, of: &ConversationId) {
        let (server, id) = {
            let mut state = self.state.borrow_mut();
            let id = state.told.of(of).and_then(|id| state.told.take(id)).map(|notice| notice.id);
            (state.told.server.clone(), id)
        };
        if let (Some(server), Some(id)) = (server, id) {
            let close = async move {
                if let Err(error) = server.close(id).await {
                    log::debug!("a notification stays: {error}");
                }
            };
            self.tasks.spawn(close).detach();
        }
    }
}
