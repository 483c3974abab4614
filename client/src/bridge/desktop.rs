//! Telling the desktop: a notification and an urgent window, when nobody looks.

use std::rc::Rc;

use parlor_ui::slint::winit_030::{WinitWindowAccessor, winit};
use parlor_ui::slint::{ComponentHandle, TimerMode};
use parlor_ui::{App, Words};

use super::Bridge;
use super::clock::monotonic;
use super::text::shared;
use crate::conversations::ConversationId;
use crate::limits::NOTICE_EVERY;
use crate::notify::{Notice, Told};
use crate::session::{Kind, Line};

/// Characters of a line that a notification shows.
const SHOWN: usize = 200;

impl Bridge {
    /// Somebody mentioned us, or wrote privately, in a conversation that is not on the screen.
    pub(super) fn alert(self: &Rc<Self>, window: &App, id: &ConversationId, from: &str, text: &str) {
        let kind = self.kind(id);
        if self.state.borrow().settings.notify.tells_alert(kind) {
            self.tell_desktop(window, id, from, text);
        }
    }

    /// Lines of the conversation on the screen are told of too, if the window is not looked at.
    pub(super) fn alert_of_lines(self: &Rc<Self>, window: &App, id: &ConversationId, lines: &[Line]) {
        if has_focus(window) {
            return;
        }
        let line = {
            let state = self.state.borrow();
            let shown = state.conversations.is_current(id);
            state.settings.notify.line_to_tell(self.kind(id), shown, lines)
        };
        if let Some(line) = line {
            self.tell_desktop(window, id, line.from(), line.text());
        }
    }

    fn kind(&self, id: &ConversationId) -> Kind {
        self.state.borrow().conversations.get(id).map_or(Kind::Server, |conversation| conversation.kind)
    }

    fn tell_desktop(self: &Rc<Self>, window: &App, id: &ConversationId, from: &str, text: &str) {
        let told = {
            let mut state = self.state.borrow_mut();
            if has_focus(window) {
                return state.notices.seen();
            }
            let room = state.conversations.get(id).filter(|conversation| conversation.kind == Kind::Room);
            let room = room.map(|room| room.name.clone());
            let text = text.chars().take(SHOWN).collect();
            state.notices.add(Notice { room, from: from.into(), text }, monotonic())
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
                let notices = &mut bridge.state.borrow_mut().notices;
                if has_focus(&window) {
                    notices.seen();
                }
                notices.take(monotonic())
            };
            match told {
                Some(told) => bridge.tell(&window, told),
                // A timer may be a little early.
                None => bridge.tell_later(),
            }
        });
    }

    fn tell(&self, window: &App, told: Told) {
        window.window().with_winit_window(|window| {
            window.request_user_attention(Some(winit::window::UserAttentionType::Informational));
        });
        let words = window.global::<Words>();
        let (summary, body) = match told {
            Told::One(Notice { room: Some(room), from, text }) => {
                (words.invoke_mentions_you(shared(&from), shared(&room)), text)
            }
            Told::One(Notice { room: None, from, text }) => (words.invoke_writes_to_you(shared(&from)), text),
            Told::Many { lines, people, last } => {
                let lines = i32::try_from(lines).unwrap_or(i32::MAX);
                (words.invoke_new_from(lines, people as i32), format!("{}: {}", last.from, last.text))
            }
        };
        let sound = self.state.borrow().settings.sounds;
        let tell = async move {
            let told = notification(&summary, &body, sound);
            let late = async {
                smol::Timer::after(NOTICE_EVERY).await;
                Ok(())
            };
            if let Err(error) = futures_lite::future::or(told, late).await {
                log::debug!("the desktop takes no notifications: {error}");
            }
        };
        self.tasks.spawn(tell).detach();
    }
}

/// Whether the person looks at the window; a window without a desktop is looked at.
fn has_focus(window: &App) -> bool {
    window.window().with_winit_window(|window| window.has_focus()).unwrap_or(true)
}

/// Desktop Notifications Specification 1.2, `org.freedesktop.Notifications.Notify`.
#[cfg(target_os = "linux")]
async fn notification(summary: &str, body: &str, sound: bool) -> zbus::Result<()> {
    use std::collections::HashMap;

    use zbus::zvariant::Value;

    let connection = zbus::Connection::session().await?;
    // Servers may read the body as markup.
    let body = body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut hints: HashMap<&str, Value<'_>> = HashMap::new();
    hints.insert("desktop-entry", "org.parlor.Parlor".into());
    if sound {
        hints.insert("sound-name", "message-new-instant".into());
    }
    let actions: Vec<&str> = Vec::new();
    let arguments = ("Parlor", 0_u32, "org.parlor.Parlor", summary, body, actions, hints, -1_i32);
    let name = "org.freedesktop.Notifications";
    connection
        .call_method(Some(name), "/org/freedesktop/Notifications", Some(name), "Notify", &arguments)
        .await?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
async fn notification(_: &str, _: &str, _: bool) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
