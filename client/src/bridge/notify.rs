//! Telling the desktop: a notification and an urgent window, when nobody looks.

use parlor_ui::slint::winit_030::{WinitWindowAccessor, winit};
use parlor_ui::slint::{self, ComponentHandle};
use parlor_ui::{App, Words};

use super::Bridge;
use super::text::shared;
use crate::session::{Key, Line, LineKind};
use crate::settings::Notify;

/// Characters of a line that a notification shows.
const SHOWN: usize = 200;

impl Bridge {
    /// Somebody mentioned us, or wrote privately, in a conversation that is not on the screen.
    pub(super) fn alert(&self, window: &App, key: &Key, from: &str, text: &str) {
        let notify = self.state.borrow().settings.notify;
        let private = !key.as_str().starts_with('#');
        if notify != Notify::Off && !(private && notify == Notify::Mentions) {
            self.tell_desktop(window, key, from, text);
        }
    }

    /// Lines of the conversation on the screen are told of too, if the window is not looked at.
    pub(super) fn alert_of_lines(&self, window: &App, key: &Key, lines: &[Line]) {
        let (notify, current) = {
            let state = self.state.borrow();
            (state.settings.notify, state.current.as_ref() == Some(key))
        };
        if notify == Notify::Off || has_focus(window) {
            return;
        }
        let talk = |line: &&Line| !line.own() && matches!(line.kind(), LineKind::Said | LineKind::Action);
        let private = !key.as_str().starts_with('#') && notify == Notify::Private;
        let wanted = |line: &&Line| notify == Notify::All || (current && (line.mention() || private));
        if let Some(line) = lines.iter().filter(talk).rfind(wanted) {
            self.tell_desktop(window, key, line.from(), line.text());
        }
    }

    fn tell_desktop(&self, window: &App, key: &Key, from: &str, text: &str) {
        if has_focus(window) {
            return;
        }
        window.window().with_winit_window(|window| {
            window.request_user_attention(Some(winit::window::UserAttentionType::Informational));
        });
        let words = window.global::<Words>();
        let room = self.state.borrow().conversation(key).map(|conversation| conversation.name.clone());
        let summary = match room.filter(|room| room.starts_with('#')) {
            Some(room) => words.invoke_mentions_you(shared(from), shared(&room)),
            None => words.invoke_writes_to_you(shared(from)),
        };
        let body: String = text.chars().take(SHOWN).collect();
        let sound = self.state.borrow().settings.sounds;
        let tell = async move {
            if let Err(error) = notification(&summary, &body, sound).await {
                log::debug!("the desktop takes no notifications: {error}");
            }
        };
        // Without an event loop (a test) there is no desktop either.
        let _ = slint::spawn_local(tell);
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
