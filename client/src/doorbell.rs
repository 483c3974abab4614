//! Links that other programs open: they go to a window that runs already.
//!
//! Each window listens on a port of this computer itself, and leaves a word in the folder of the settings, which only
//! its owner can read. Whoever says that word and a link has it opened there.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use futures_lite::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use parlor_server::private;
use smol::Async;

use crate::within::within;

/// The folder of the words, a file a window, called by its port.
const FOLDER: &str = "windows";
/// Bytes of a link; longer ones are cut, and are none then.
pub const MAX_LINK: usize = 2_048;
/// How long a caller may take to say it, and a window to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Windows that are asked at most, the last one first.
const MOST: usize = 16;

/// Where a window waits for links; its word goes with it.
pub struct Doorbell {
    listener: Async<TcpListener>,
    file: PathBuf,
    word: String,
    /// What shows a caller that this is the window, and no stranger who has its port now.
    answer: String,
}

impl Doorbell {
    /// Listens, for whoever can read this folder.
    ///
    /// # Errors
    /// What the system says: no port, no random numbers, no file.
    pub fn hang(folder: &Path) -> io::Result<Doorbell> {
        let chance = || -> io::Result<String> {
            let mut word = [0; 16];
            getrandom::fill(&mut word).map_err(io::Error::other)?;
            Ok(word.iter().map(|byte| format!("{byte:02x}")).collect())
        };
        let (word, answer) = (chance()?, chance()?);
        let listener = Async::<TcpListener>::bind((Ipv4Addr::LOCALHOST, 0))?;
        let folder = folder.join(FOLDER);
        private::make_folder(&folder)?;
        let file = folder.join(listener.get_ref().local_addr()?.port().to_string());
        // One of that name is of a window that is gone.
        private::replace(&file)?.write_all(format!("{word} {answer}").as_bytes())?;
        Ok(Doorbell { listener, file, word, answer })
    }

    /// The next link that somebody brings. One caller at a time, and each for 2 s at most.
    pub async fn next(&self) -> String {
        loop {
            let said = match self.listener.accept().await {
                Ok((stream, _)) => within(PATIENCE, self.hear(stream)).await.and_then(Result::ok).flatten(),
                Err(error) => {
                    log::debug!("links do not come in: {error}");
                    smol::Timer::after(PATIENCE).await;
                    None
                }
            };
            if let Some(link) = said {
                return link;
            }
        }
    }

    /// A link, if the caller knows the word.
    async fn hear(&self, mut stream: Async<TcpStream>) -> io::Result<Option<String>> {
        let mut said = Vec::new();
        let most = (self.word.len() + 1 + MAX_LINK + 1) as u64;
        futures_lite::io::BufReader::new((&mut stream).take(most)).read_until(b'\n', &mut said).await?;
        let link = said
            .strip_prefix(self.word.as_bytes())
            .and_then(|said| said.strip_prefix(b" ")?.strip_suffix(b"\n"))
            .and_then(|link| String::from_utf8(link.to_vec()).ok());
        if link.is_some() {
            stream.write_all(format!("{}\n", self.answer).as_bytes()).await?;
        }
        Ok(link)
    }
}

impl Drop for Doorbell {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

/// Brings a link to the window that was opened last; `false`: there is none that takes it.
pub fn ring(folder: &Path, link: &str) -> bool {
    let link = link.trim();
    if link.len() > MAX_LINK || link.contains(['\n', '\r']) {
        return false;
    }
    let Ok(files) = fs::read_dir(folder.join(FOLDER)) else { return false };
    let age = |file: &fs::DirEntry| file.metadata().and_then(|found| found.modified()).ok();
    let mut files: Vec<(Option<SystemTime>, PathBuf)> =
        files.flatten().map(|file| (age(&file), file.path())).collect();
    files.sort();
    files.iter().rev().take(MOST).any(|(_, file)| match ring_at(file, link) {
        Ok(taken) => taken,
        // Its window did not end as it should, or somebody else answers in its place.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::InvalidData) =>
        {
            let _ = fs::remove_file(file);
            false
        }
        Err(_) => false,
    })
}

fn ring_at(file: &Path, link: &str) -> io::Result<bool> {
    let port = file.file_name().and_then(|name| name.to_str()?.parse().ok());
    let port: u16 = port.ok_or(io::ErrorKind::InvalidInput)?;
    let mut words = String::new();
    private::open(file)?.take(128).read_to_string(&mut words)?;
    let (word, expected) = words.split_once(' ').ok_or(io::ErrorKind::InvalidData)?;
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{word} {link}\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream.take(64)).read_line(&mut answer)?;
    match answer.trim_end() {
        // It was too busy, or did not understand.
        "" => Ok(false),
        said if said == expected => Ok(true),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Whether a text is a link, rather than an address that somebody has typed.
pub fn is_link(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    text.starts_with("irc://") || text.starts_with("ircs://")
}

#[cfg(test)]
mod tests {
    use futures_lite::future;

    use super::*;
    use crate::testing::Scratch;

    /// Rings from another thread, and waits for what the windows hear.
    fn rings(folder: &Path, link: &str) -> std::thread::JoinHandle<bool> {
        let (folder, link) = (folder.to_owned(), link.to_owned());
        std::thread::spawn(move || ring(&folder, &link))
    }

    #[test]
    fn a_link_goes_to_the_last_window_and_to_nobody_who_lacks_the_word() {
        let folder = Scratch::default();
        assert!(!ring(&folder, "irc://a.b/"), "nobody is there");
        let first = Doorbell::hang(&folder).unwrap();
        fs::File::open(&first.file).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let last = Doorbell::hang(&folder).unwrap();
        let ringing = rings(&folder, " ircs://a.b/茶?fp=x ");
        assert_eq!(smol::block_on(last.next()), "ircs://a.b/茶?fp=x");
        assert!(ringing.join().unwrap());

        // A stranger on this computer, and one who says nothing, hold nobody up.
        let at = last.listener.get_ref().local_addr().unwrap();
        let _silent = TcpStream::connect(at).unwrap();
        for wrong in ["irc://evil/\n", &format!("{} irc://evil/\n", "0".repeat(32)), &"x".repeat(9_999)] {
            let mut stranger = TcpStream::connect(at).unwrap();
            let _ = stranger.write_all(wrong.as_bytes());
        }
        let one = last.word.clone();
        let asked = std::thread::spawn(move || {
            let mut late = TcpStream::connect(at).unwrap();
            late.write_all(format!("{one} irc://good/\n").as_bytes()).unwrap();
            late
        });
        assert_eq!(smol::block_on(last.next()), "irc://good/");
        drop(asked.join());

        // One that is gone, and one whose word stayed behind.
        drop(last);
        let folder_of = folder.join(FOLDER);
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let dead = taken.local_addr().unwrap().port();
        drop(taken);
        private::replace(&folder_of.join(dead.to_string())).unwrap().write_all(b"word answer").unwrap();
        let ringing = rings(&folder, "irc://a.b/");
        let both = future::or(async { Some(first.next().await) }, async {
            smol::Timer::after(Duration::from_secs(20)).await;
            None
        });
        assert_eq!(smol::block_on(both).as_deref(), Some("irc://a.b/"));
        assert!(ringing.join().unwrap());
        assert!(!folder_of.join(dead.to_string()).exists(), "what is of nobody is taken away");
        for wrong in ["irc://a\nb/", &format!("irc://{}", "x".repeat(MAX_LINK))] {
            assert!(!ring(&folder, wrong));
        }
    }
}
