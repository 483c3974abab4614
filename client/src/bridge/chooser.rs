//! The desktop's window to choose a file in: on Linux the portal `org.freedesktop.portal.FileChooser`.

#[cfg(target_os = "linux")]
mod platform {
    use std::collections::HashMap;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_lite::StreamExt;
    use zbus::zvariant::{OwnedValue, Value};
    use zbus::{Connection, MatchRule, MessageStream, message};

    use crate::downloads::from_uri;

    const NAME: &str = "org.freedesktop.portal.Desktop";
    const PATH: &str = "/org/freedesktop/portal/desktop";
    const CHOOSER: &str = "org.freedesktop.portal.FileChooser";
    const REQUEST: &str = "org.freedesktop.portal.Request";

    /// The file that the person chose; `None`: none. An error: nobody here offers such a window.
    pub(in crate::bridge) async fn choose(title: &str) -> zbus::Result<Option<PathBuf>> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let connection = Connection::session().await?;
        let token = format!("parlor{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let own = connection.unique_name().map(|name| name.trim_start_matches(':').replace('.', "_"));
        // Listened to before it is asked: the answer may come at once.
        let request = format!("{PATH}/request/{}/{token}", own.unwrap_or_default());
        let rule = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .interface(REQUEST)?
            .member("Response")?
            .path(request)?
            .build();
        let mut answers = MessageStream::for_match_rule(rule, &connection, Some(1)).await?;
        let options: HashMap<&str, Value<'_>> = HashMap::from([("handle_token", token.as_str().into())]);
        connection.call_method(Some(NAME), PATH, Some(CHOOSER), "OpenFile", &("", title, options)).await?;
        let Some(answer) = answers.next().await else { return Ok(None) };
        let body = answer?.body();
        let (_, mut results): (u32, HashMap<String, OwnedValue>) = body.deserialize()?;
        let uris = results.remove("uris").and_then(|uris| Vec::<String>::try_from(uris).ok());
        Ok(uris.unwrap_or_default().first().and_then(|uri| from_uri(uri)))
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::io::{Error, ErrorKind};
    use std::path::PathBuf;

    /// Nobody offers one.
    pub(in crate::bridge) async fn choose(_: &str) -> Result<Option<PathBuf>, Error> {
        Err(ErrorKind::Unsupported.into())
    }
}

pub(super) use platform::choose;
