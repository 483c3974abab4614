//! This server's part in a cluster: where it begins, and what must be the same on all servers.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use futures_lite::io;

use crate::cluster::{self, Entry, Joined, Options, Start};
use crate::hub::{FORMAT, Hub, Kept, Settings};
use crate::private;
use crate::protocol::time::Moment;
use crate::protocol::{MsgId, Position};
use crate::start::config::Config;
use crate::start::error::StartError;

/// The file in the data folder that says which cluster it belongs to.
const MEMBER_OF: &str = "cluster";
/// Bytes of it at most.
const MOST: usize = 64;

/// A server that knows what the others know, up to a moment ago.
pub(crate) struct Replica {
    pub(crate) joined: Joined,
    /// The state that it begins with, and where in the log that was.
    pub(crate) snapshot: Arc<[u8]>,
    pub(crate) at: Position,
    /// What came behind it until now.
    pub(crate) entries: Vec<Entry>,
    /// The servers that run.
    pub(crate) alive: Vec<u32>,
}

/// What this server remembers by itself.
pub(crate) struct Own<'a> {
    pub(crate) rooms: &'a Kept,
    pub(crate) fingerprints: &'a [u64],
    pub(crate) accounts: &'a Kept,
    /// The last event that its history has.
    pub(crate) last: MsgId,
}

/// What all servers of a cluster decide by, as an operator gives it.
fn common(hub: &Settings) -> Vec<(&'static str, String)> {
    let yes = |on: bool| String::from(if on { "yes" } else { "no" });
    let most = hub.max_clients_per_ip.map_or("not given".into(), |most| most.to_string());
    vec![
        ("--name", hub.name.clone()),
        ("--default-room", hub.default_room.to_string()),
        ("--max-clients-per-ip", most),
        ("--accounts", format!("{:?}", hub.accounts).to_lowercase()),
        ("--accounts-keep", format!("{} h", hub.accounts_keep.as_secs().div_ceil(3600))),
        ("--no-private", yes(!hub.private)),
        ("--no-history", yes(!hub.durable)),
    ]
}

/// Takes part in the cluster of the configuration; `key`: of cloaks, which then is the cluster's.
///
/// # Errors
/// [`StartError::Cluster`], and what is wrong with the data folder.
pub(crate) fn join<'a>(
    config: &'a mut Config,
    key: &'a mut [u8; 16],
    own: Own<'a>,
    now: Moment,
) -> Pin<Box<dyn Future<Output = Result<Option<Replica>, StartError>> + 'a>> {
    // Boxed, so that its code is there once.
    Box::pin(join_now(config, key, own, now))
}

async fn join_now(
    config: &mut Config,
    key: &mut [u8; 16],
    own: Own<'_>,
    now: Moment,
) -> Result<Option<Replica>, StartError> {
    let Some(address) = config.cluster.clone() else { return Ok(None) };
    let folder = config.history.as_ref().map(|history| &history.folder).or(config.accounts.as_ref()).cloned();
    let member_of = folder.as_deref().map_or(Ok(None), member_of)?;
    let known = own.last != MsgId::default();
    let options = Options {
        address: address.clone(),
        format: FORMAT,
        settings: common(&config.hub),
        member_of,
        cloak_key: *key,
        boot: config.hub.boot,
        // The entry itself may have brought more than that event.
        known_upto: known.then(|| Position { millis: own.last.millis.saturating_sub(1), count: u64::MAX }),
    };
    let mut joined = cluster::join(options).await.map_err(StartError::Cluster)?;
    let begun = async {
        let has_own = known || !own.rooms.is_empty() || !own.accounts.is_empty();
        // Ids would not rise any more behind those that it gave out by itself, or in an earlier cluster.
        let other = own.last.start() > joined.boot / MsgId::STARTS || has_own && member_of.is_none();
        if let (Some(folder), Start::From { .. }, true) = (&folder, &joined.start, other) {
            return Err(StartError::OwnHistory { folder: folder.clone(), name: address.name });
        }
        (*key, config.hub.boot, config.hub.cluster) = (joined.cloak_key, joined.boot, Some(joined.server));
        let begun = begin(&mut joined, &config.hub, &own, now).await?;
        if let (Some(folder), None) = (&folder, member_of) {
            let noted = note_member_of(folder, joined.cluster);
            noted.map_err(|error| StartError::KeyNotMade { path: folder.join(MEMBER_OF), error })?;
        }
        Ok(begun)
    };
    match begun.await {
        Ok((snapshot, at, entries, alive)) => Ok(Some(Replica { joined, snapshot, at, entries, alive })),
        Err(error) => {
            joined.abandon().await;
            Err(error)
        }
    }
}

/// State, its place, what came behind it, and which servers run.
type Begun = (Arc<[u8]>, Position, Vec<Entry>, Vec<u32>);

async fn begin(
    joined: &mut Joined,
    settings: &Settings,
    own: &Own<'_>,
    now: Moment,
) -> Result<Begun, StartError> {
    let (at, snapshot) = match joined.start.clone() {
        Start::From { at, snapshot } => (at, snapshot),
        Start::Found => {
            let mut first = Hub::new(settings.clone(), now);
            let mut unreadable = first.restore(own.rooms.clone(), own.fingerprints.to_vec());
            unreadable.extend(first.restore_accounts(own.accounts.clone()));
            if let Some(name) = unreadable.pop() {
                // For all servers it would be gone.
                return Err(StartError::UnreadableRecord { name: name.into() });
            }
            let snapshot: Arc<[u8]> = first.snapshot().into();
            joined.found(Arc::clone(&snapshot)).await.map_err(StartError::Cluster)?;
            (Position::default(), snapshot)
        }
    };
    let mut entries = Vec::new();
    loop {
        let more = joined.catch_up().await.map_err(StartError::Cluster)?;
        if more.is_empty() {
            break;
        }
        entries.extend(more);
    }
    let alive = joined.alive().await.map_err(StartError::Cluster)?;
    Ok((snapshot, at, entries, alive))
}

fn member_of(folder: &Path) -> Result<Option<u64>, StartError> {
    let path = folder.join(MEMBER_OF);
    let unreadable = |error| StartError::Unreadable { path: path.clone(), error };
    match private::read_named(&path, MOST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(error)),
        Ok((bytes, _)) => {
            let id = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
            id.map(Some).ok_or_else(|| unreadable(io::ErrorKind::InvalidData.into()))
        }
    }
}

fn note_member_of(folder: &Path, cluster: u64) -> io::Result<()> {
    use std::io::Write;
    private::make_folder(folder)?;
    let mut file = private::make(&folder.join(MEMBER_OF))?;
    writeln!(file, "{cluster}").and_then(|()| file.sync_all())
}
