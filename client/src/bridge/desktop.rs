//! Telling the desktop: a notification and an urgent window, when nobody looks.

use parlor_ui::slint::ComponentHandle;
use parlor_ui::slint::winit_030::{WinitWindowAccessor, winit};
use parlor_ui::{App, Words};

use super::Bridge;
use super::text::shared;
use crate::conversations::ConversationId;
use crate::session::{Kind, Line};

/// Characters of a line that a notification shows.
const SHOWN: usize = 200;

impl Bridge {
    /// Somebody mentioned us, or wrote privately, in a conversation that is not on the screen.
    pub(super) fn alert(&self, window: &App, id: &ConversationId, from: &str, text: &str) {
        let kind = self.kind(id);
        if self.state.borrow().settings.notify.tells_alert(kind) {
            self.tell_desktop(window, id, from, text);
        }
    }

    /// Lines of the conversation on the screen are told of too, if the window is not looked at.
    pub(super) fn alert_of_lines(&self, window: &App, id: &ConversationId, lines: &[Line]) {
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

    fn tell_desktop(&self, window: &App, id: &ConversationId, from: &str, text: &str) {
        if has_focus(window) {
            return;
        }
        window.window().with_winit_window(|window| {
            window.request_user_attention(Some(winit::window::UserAttentionType::Informational));
        });
        let words = window.global::<Words>();
        let state = self.state.borrow();
        let room = state.conversations.get(id).filter(|conversation| conversation.kind == Kind::Room);
        let summary = match room {
            Some(room) => words.invoke_mentions_you(shared(from), shared(&room.name)),
            None => words.invoke_writes_to_you(shared(from)),
        };
        let body: String = text.chars().take(SHOWN).collect();
        let sound = state.settings.sounds;
        let tell = async move {
            if let Err(error) = notification(&summary, &body, sound).await {
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
