//! Starting with the computer: the entry that the desktop looks at when somebody logs in.

use std::io;
use std::path::{Path, PathBuf};

#[cfg(not(any(windows, target_os = "macos")))]
pub(crate) use entry::exec;
pub use platform::Autostart;
#[cfg(windows)]
pub(crate) use platform::reg;

/// The option with which it starts then.
pub const OPTION: &str = "--tray";

/// The program, and what it is started with.
pub(crate) fn command(config: Option<&Path>, options: &[&str]) -> io::Result<Vec<String>> {
    let words = [std::env::current_exe()?]
        .into_iter()
        .chain(config.into_iter().flat_map(|folder| {
            ["--config".into(), std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())]
        }))
        .chain(options.iter().map(PathBuf::from));
    words
        .map(|word| {
            let word = word.into_os_string().into_string();
            word.map_err(|word| io::Error::other(format!("{} is not UTF-8", word.display())))
        })
        .collect()
}

/// A file in a folder that the desktop looks through.
#[cfg(not(windows))]
mod platform {
    use std::fs;
    use std::io::{self, ErrorKind};
    use std::path::{Path, PathBuf};

    /// See the [module](super).
    #[derive(Debug)]
    pub struct Autostart {
        file: PathBuf,
    }

    impl Autostart {
        /// The person's own.
        ///
        /// # Errors
        ///
        /// There is no home.
        pub fn find() -> io::Result<Autostart> {
            Ok(Autostart { file: super::entry::file()? })
        }

        /// Whether Parlor starts at the next login, as far as this entry says.
        pub fn is_on(&self) -> bool {
            fs::read_to_string(&self.file).is_ok_and(|text| !super::entry::is_off(&text))
        }

        /// Writes the entry, or removes it; `config`: the folder that this window was told to use.
        ///
        /// # Errors
        ///
        /// What the file system says, or that the program's path cannot be written down.
        pub fn set(&self, on: bool, config: Option<&Path>) -> io::Result<()> {
            if !on {
                return match fs::remove_file(&self.file) {
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                    done => done,
                };
            }
            let text = super::entry::text(&super::command(config, &[super::OPTION])?);
            self.file.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&self.file, text)
        }
    }
}

/// Desktop Application Autostart Specification 0.5; the syntax is that of the Desktop Entry Specification 1.5.
#[cfg(not(any(windows, target_os = "macos")))]
mod entry {
    use std::io;
    use std::path::PathBuf;

    use etcetera::{BaseStrategy, choose_base_strategy};

    pub(super) fn file() -> io::Result<PathBuf> {
        let base = choose_base_strategy().map_err(io::Error::other)?;
        Ok(base.config_dir().join("autostart").join("org.parlor.Parlor.desktop"))
    }

    /// A person, or a tool of the desktop, has turned it off.
    pub(super) fn is_off(text: &str) -> bool {
        text.lines().any(|line| matches!(line.trim(), "Hidden=true" | "X-GNOME-Autostart-enabled=false"))
    }

    pub(super) fn text(command: &[String]) -> String {
        format!(
            "[Desktop Entry]\nType=Application\nName=Parlor\nComment=A chat room\nIcon=org.parlor.Parlor\nExec={}\nTerminal=false\n",
            exec(command)
        )
    }

    /// A value of `Exec`.
    pub(crate) fn exec(command: &[String]) -> String {
        command.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }

    /// A word of `Exec`: quoted as a shell would, in a value with escapes of its own, in which `%` means more.
    fn quoted(word: &str) -> String {
        let mut quoted = String::from("\"");
        for c in word.chars() {
            match c {
                '"' | '`' | '$' => quoted.extend(["\\\\", c.encode_utf8(&mut [0; 4])]),
                '\\' => quoted.push_str("\\\\\\\\"),
                '%' => quoted.push_str("%%"),
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                _ => quoted.push(c),
            }
        }
        quoted.push('"');
        quoted
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn any_path_can_be_started() {
            let text = text(&["/opt/a \"b\" $c\\d 100%/client".into(), "--tray".into()]);
            let exec = text.lines().find(|line| line.starts_with("Exec=")).unwrap();
            assert_eq!(exec, r#"Exec="/opt/a \\"b\\" \\$c\\\\d 100%%/client" "--tray""#);
            assert!(!is_off(&text));
            assert!(is_off(&format!("{text}Hidden=true\n")));
        }
    }
}

/// A launch agent (launchd.plist(5)).
#[cfg(target_os = "macos")]
mod entry {
    use std::io;
    use std::path::PathBuf;

    pub(super) fn file() -> io::Result<PathBuf> {
        let home = etcetera::home_dir().map_err(io::Error::other)?;
        Ok(home.join("Library/LaunchAgents/org.parlor.Parlor.plist"))
    }

    /// Nobody turns it off in the file.
    pub(super) fn is_off(_: &str) -> bool {
        false
    }

    pub(super) fn text(command: &[String]) -> String {
        let escaped = |word: &String| word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let words: String =
            command.iter().map(|word| format!("<string>{}</string>\n", escaped(word))).collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n<key>Label</key>\n<string>org.parlor.Parlor</string>\n<key>ProgramArguments</key>\n<array>\n{words}</array>\n<key>RunAtLoad</key>\n<true/>\n</dict>\n</plist>\n"
        )
    }
}

/// A value of the registry; its own program writes it.
#[cfg(windows)]
mod platform {
    use std::io;
    use std::path::Path;
    use std::process::{Command, Stdio};

    const KEY: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run";

    /// See the [module](super).
    #[derive(Debug)]
    pub struct Autostart;

    impl Autostart {
        /// The person's own.
        ///
        /// # Errors
        ///
        /// None here.
        pub fn find() -> io::Result<Autostart> {
            Ok(Autostart)
        }

        /// Whether Parlor starts at the next login.
        pub fn is_on(&self) -> bool {
            reg(&["query", KEY, "/v", "Parlor"]).is_ok()
        }

        /// Writes the entry, or removes it; `config`: the folder that this window was told to use.
        ///
        /// # Errors
        ///
        /// What the registry's program says.
        pub fn set(&self, on: bool, config: Option<&Path>) -> io::Result<()> {
            if !on {
                return if self.is_on() { reg(&["delete", KEY, "/v", "Parlor", "/f"]) } else { Ok(()) };
            }
            // No path on Windows has a quotation mark in it.
            let words: Vec<String> =
                super::command(config, &[super::OPTION])?.iter().map(|word| format!("\"{word}\"")).collect();
            reg(&["add", KEY, "/v", "Parlor", "/t", "REG_SZ", "/d", &words.join(" "), "/f"])
        }
    }

    pub(crate) fn reg(arguments: &[&str]) -> io::Result<()> {
        use std::os::windows::process::CommandExt;

        /// CREATE_NO_WINDOW: no console flashes up.
        const NO_WINDOW: u32 = 0x0800_0000;
        let ran =
            Command::new("reg").args(arguments).stdin(Stdio::null()).creation_flags(NO_WINDOW).output()?;
        let said = || io::Error::other(String::from_utf8_lossy(&ran.stderr).trim().to_owned());
        if ran.status.success() { Ok(()) } else { Err(said()) }
    }
}
