//! The desktop's notifications: Desktop Notifications Specification 1.2, `org.freedesktop.Notifications`.

/// What is to be shown.
pub(super) struct Telling {
    /// The notification that it replaces; 0: none.
    pub(super) replaces: u32,
    pub(super) summary: String,
    pub(super) body: String,
    pub(super) sound: bool,
}

/// What becomes of a notification.
pub(super) enum Heard {
    /// It was clicked.
    Chosen(u32),
    /// It is not shown any more.
    Gone(u32),
}

#[cfg(target_os = "linux")]
mod platform {
    use std::collections::HashMap;

    use futures_lite::StreamExt;
    use zbus::zvariant::Value;
    use zbus::{Connection, MatchRule, MessageStream, message};

    use super::{Heard, Telling};

    const NAME: &str = "org.freedesktop.Notifications";
    const PATH: &str = "/org/freedesktop/Notifications";
    /// What a click on the notification itself is called.
    const DEFAULT: &str = "default";
    /// Signals that wait to be looked at.
    const HEARD: usize = 64;

    /// Whoever shows notifications. The connection stays open as long as this lives: desktops take
    /// away what a program has told that is gone.
    pub(in crate::bridge) struct Server {
        connection: Connection,
        actions: bool,
        markup: bool,
    }

    impl Server {
        pub(in crate::bridge) async fn find() -> zbus::Result<Server> {
            let connection = Connection::session().await?;
            let asked = connection.call_method(Some(NAME), PATH, Some(NAME), "GetCapabilities", &()).await;
            let can = asked.and_then(|answer| {
                let body = answer.body();
                body.deserialize::<Vec<String>>()
            });
            // One that does not say takes what all of them take.
            let can = can.unwrap_or_else(|_| vec!["body-markup".into()]);
            let has = |capability: &str| can.iter().any(|one| one == capability);
            let (actions, markup) = (has("actions"), has("body-markup"));
            Ok(Server { connection, actions, markup })
        }

        /// Shows it; the number says which it is.
        pub(in crate::bridge) async fn tell(&self, telling: &Telling) -> zbus::Result<u32> {
            let Telling { replaces, summary, body, sound } = telling;
            let body = match self.markup {
                true => body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
                false => body.clone(),
            };
            let mut hints: HashMap<&str, Value<'_>> = HashMap::new();
            hints.insert("desktop-entry", "org.parlor.Parlor".into());
            hints.insert("category", "im.received".into());
            if *sound {
                hints.insert("sound-name", "message-new-instant".into());
            }
            // The words are shown where a click on the notification itself is not a thing.
            let actions: Vec<&str> = if self.actions { vec![DEFAULT, "Parlor"] } else { Vec::new() };
            let summary = summary.as_str();
            let arguments = ("Parlor", *replaces, "org.parlor.Parlor", summary, body, actions, hints, -1_i32);
            let answer =
                self.connection.call_method(Some(NAME), PATH, Some(NAME), "Notify", &arguments).await?;
            let body = answer.body();
            body.deserialize()
        }

        /// Takes it away.
        pub(in crate::bridge) async fn close(&self, id: u32) -> zbus::Result<()> {
            let arguments = (id,);
            self.connection
                .call_method(Some(NAME), PATH, Some(NAME), "CloseNotification", &arguments)
                .await?;
            Ok(())
        }

        /// Says what becomes of notifications, of other programs' too, until the bus is gone.
        pub(in crate::bridge) async fn listen(
            connection: Connection,
            mut each: impl FnMut(Heard),
        ) -> zbus::Result<()> {
            let rule = MatchRule::builder().msg_type(message::Type::Signal).interface(NAME)?.build();
            let mut signals = MessageStream::for_match_rule(rule, &connection, Some(HEARD)).await?;
            while let Some(signal) = signals.next().await {
                let signal = signal?;
                let (header, body) = (signal.header(), signal.body());
                match header.member().map(|member| member.as_str()) {
                    Some("ActionInvoked") => {
                        if let Ok((id, action)) = body.deserialize::<(u32, String)>()
                            && action == DEFAULT
                        {
                            each(Heard::Chosen(id));
                        }
                    }
                    Some("NotificationClosed") => {
                        if let Ok((id, _)) = body.deserialize::<(u32, u32)>() {
                            each(Heard::Gone(id));
                        }
                    }
                    _ => {}
                }
            }
            Ok(())
        }

        /// Another handle of the connection, to listen on.
        pub(in crate::bridge) fn connection(&self) -> Connection {
            self.connection.clone()
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::io::{Error, ErrorKind};

    use super::{Heard, Telling};

    /// Nobody shows notifications.
    pub(in crate::bridge) struct Server;

    impl Server {
        pub(in crate::bridge) async fn find() -> Result<Server, Error> {
            Err(ErrorKind::Unsupported.into())
        }

        pub(in crate::bridge) async fn tell(&self, _: &Telling) -> Result<u32, Error> {
            Err(ErrorKind::Unsupported.into())
        }

        pub(in crate::bridge) async fn close(&self, _: u32) -> Result<(), Error> {
            Err(ErrorKind::Unsupported.into())
        }

        pub(in crate::bridge) async fn listen((): (), _: impl FnMut(Heard)) -> Result<(), Error> {
            Err(ErrorKind::Unsupported.into())
        }

        pub(in crate::bridge) fn connection(&self) {}
    }
}

pub(super) use platform::Server;
