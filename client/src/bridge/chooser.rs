//! The desktop's window to choose a file in: on Linux the portal `org.freedesktop.portal.FileChooser`.

#[cfg(target_os = "linux")]
mod platform {
    use std::collections::HashMap;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_lite::StreamExt;
    use zbus::zvariant::{OwnedValue, Value};
    use zbus::{Connection, MatchRule, MessageStream, message};

    use crate::path::from_uri;

    const NAME: &str = "org.freedesktop.portal.Desktop";
    const PATH: &str = "/org/freedesktop/portal/desktop";
    const CHOOSER: &str = "org.freedesktop.portal.FileChooser";
    const REQUEST: &str = "org.freedesktop.portal.Request";

    /// The file that the person chose; `None`: none. An error: nobody here offers such a window.
    pub(in crate::bridge) async fn choose(title: &str) -> zbus::Result<Option<PathBuf>> {
        ask(&Connection::session().await?, title).await
    }

    async fn ask(connection: &Connection, title: &str) -> zbus::Result<Option<PathBuf>> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
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
        let mut answers = MessageStream::for_match_rule(rule, connection, Some(1)).await?;
        let options: HashMap<&str, Value<'_>> = HashMap::from([("handle_token", token.as_str().into())]);
        connection.call_method(Some(NAME), PATH, Some(CHOOSER), "OpenFile", &("", title, options)).await?;
        let Some(answer) = answers.next().await else { return Ok(None) };
        let body = answer?.body();
        let (_, mut results): (u32, HashMap<String, OwnedValue>) = body.deserialize()?;
        let uris = results.remove("uris").and_then(|uris| Vec::<String>::try_from(uris).ok());
        Ok(uris.unwrap_or_default().first().and_then(|uri| from_uri(uri)))
    }

    #[cfg(test)]
    mod tests {
        use std::io::{BufRead, BufReader};
        use std::path::Path;
        use std::process::{Command, Stdio};
        use std::time::Duration;

        use futures_lite::FutureExt;
        use zbus::connection::Builder;
        use zbus::zvariant::ObjectPath;

        use super::*;

        /// Answers each question with these files.
        async fn portal(connection: Connection, chosen: &[&str]) -> zbus::Result<()> {
            // Listened to before anybody can know that it is there.
            let mut calls = MessageStream::from(&connection);
            connection.request_name(NAME).await?;
            while let Some(call) = calls.next().await {
                let call = call?;
                let header = call.header();
                if header.member().is_none_or(|member| member.as_str() != "OpenFile") {
                    continue;
                }
                let body = call.body();
                let (_, title, options): (String, String, HashMap<String, OwnedValue>) =
                    body.deserialize()?;
                assert_eq!(title, "Send a file…");
                let token = <&str>::try_from(&options["handle_token"]).unwrap();
                let asks = header.sender().unwrap();
                let own = asks.trim_start_matches(':').replace('.', "_");
                let request = ObjectPath::try_from(format!("{PATH}/request/{own}/{token}")).unwrap();
                connection.reply(&header, &request).await?;
                let code = u32::from(chosen.is_empty());
                let results: HashMap<&str, Value<'_>> = match chosen {
                    [] => HashMap::new(),
                    _ => HashMap::from([("uris", chosen.to_vec().into())]),
                };
                connection
                    .emit_signal(Some(asks.as_str()), &request, REQUEST, "Response", &(code, results))
                    .await?;
            }
            Ok(())
        }

        #[test]
        fn the_desktop_is_asked_for_a_file() {
            let bus = Command::new("dbus-daemon")
                .args(["--session", "--nofork", "--print-address=1"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn();
            let Ok(mut bus) = bus else { return eprintln!("skipped: apt install dbus-daemon") };
            let mut address = String::new();
            BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
            let connect = || async { Builder::address(address.trim()).unwrap().build().await.unwrap() };
            for (chosen, path) in [
                (&["file:///home/me/a%20b.jpg", "file:///c"][..], Some(Path::new("/home/me/a b.jpg"))),
                (&["https://a.org"], None),
                (&[], None),
            ] {
                smol::block_on(async {
                    let (there, here) = (connect().await, connect().await);
                    // Nobody is there yet.
                    assert!(ask(&here, "Send a file…").await.is_err());
                    let asked = async {
                        let bus = ("org.freedesktop.DBus", "/org/freedesktop/DBus");
                        loop {
                            let owned =
                                here.call_method(Some(bus.0), bus.1, Some(bus.0), "NameHasOwner", &(NAME,));
                            if owned.await.unwrap().body().deserialize().unwrap() {
                                break;
                            }
                        }
                        ask(&here, "Send a file…").await.unwrap()
                    };
                    let portal = async {
                        portal(there.clone(), chosen).await.unwrap();
                        None
                    };
                    let late = async {
                        smol::Timer::after(Duration::from_secs(30)).await;
                        panic!("the portal answers {chosen:?} in time");
                    };
                    let found = asked.or(portal).or(late).await;
                    assert_eq!(found.as_deref(), path, "{chosen:?}");
                    there.release_name(NAME).await.unwrap();
                });
            }
            let _ = bus.kill();
            let _ = bus.wait();
        }
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
