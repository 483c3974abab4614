//! The client without its window: what it knows, says and remembers.
//!
//! | module | noun |
//! | --- | --- |
//! | [`session`] | one connection to one server: a plain state machine |
//! | [`net`], `call` | the task that drives it, and how it calls a server |
//! | [`trust`], [`known`] | how a server is met, and those that are known again |
//! | [`tls`] | what nobody else reads on the way, and whose key a server has |
//! | [`conversations`] | the list of rooms and people of all places |
//! | [`timeline`] | what a conversation looks like from top to bottom |
//! | [`completion`], [`sent`], [`drafts`], [`emoji`] | what helps with typing |
//! | [`dcc`] | files between people |
//! | [`file_name`] | the name of a file of somebody else's |
//! | [`notify`] | when the desktop is to tell of a line |
//! | [`host`] | a room hosted by this program |
//! | [`frame`] | size and place of the window |
//! | [`limits`] | how much of what others send is kept |
//! | [`bookmarks`] | places to come back to |
//! | [`settings`], [`kept`] | what is remembered: of all places, of one person at one place |
//! | [`transcript`], [`downloads`], [`path`] | a conversation as a file for the person, where those are, and how people write that |
//! | [`doorbell`], `scheme` | links that other programs open, and that they do |
//! | [`folder`], [`keeper`] | its files, and who writes them |
//! | [`place`], [`addresses`] | where to go, and by which addresses |
//! | `within` | how long something may take |
//! | `bridge`, `platform`, `fonts` | the window's side, with the feature `window` |
//!
//! Without the feature `window` nothing of Slint is built.
#![forbid(unsafe_code)]

pub mod addresses;
#[cfg(feature = "window")]
pub mod autostart;
pub mod bookmarks;
#[cfg(feature = "window")]
pub mod bridge;
mod call;
pub mod completion;
pub mod conversations;
pub mod credentials;
pub mod dcc;
pub mod doorbell;
pub mod downloads;
pub mod drafts;
pub mod emoji;
pub mod file_name;
pub mod folder;
#[cfg(feature = "window")]
pub mod fonts;
pub mod frame;
pub mod host;
pub mod keeper;
pub mod kept;
pub mod known;
pub mod limits;
pub mod net;
pub mod notify;
pub mod path;
pub mod place;
#[cfg(feature = "window")]
pub mod platform;
#[cfg(feature = "window")]
pub mod scheme;
pub mod secret;
pub mod secrets;
pub mod sent;
pub mod session;
pub mod settings;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod timeline;
pub mod tls;
pub mod transcript;
pub mod trust;
mod within;
