//! Copies of the database while the server runs: made, read back, and so many of them kept. Only of SQLite. What is in files is not
//! among it, above all not the authority's key, which has a way of its own (`tirta-server authority backup`). Knows no HTTP.

mod file;

pub use file::Backup;
use file::Keeping;

use crate::audit::{Act, Actor};
use crate::config;
use crate::store::{Store, StoreError};
use crate::system::{judge::room_for_copy, machine};
use serde::Serialize;
use shared::{Clock, UtcMillis};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{io, time::Duration};
use utoipa::ToSchema;

/// Without any copy yet, the first is made so long after the start.
const FIRST_MS: i64 = 3_600_000;
/// After a try that failed, the next one by itself is so far off.
const AGAIN_MS: i64 = 3_600_000;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It is PostgreSQL.
    #[error("the database is PostgreSQL: back it up with pg_dump")]
    Postgres,
    /// One is being made.
    #[error("a back-up is being made already")]
    Busy,
    /// There is no room.
    #[error(
        "there is no room: a copy needs {needed} bytes, and {free} are free: make room, or keep fewer (backups.keep)"
    )]
    NoRoom {
        /// What it needs.
        needed: u64,
        /// What there is.
        free: u64,
    },
    /// A file can't be written, read or moved.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The database failed, or the copy is not whole.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Why the last try failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BackupFailure)]
pub struct Failure {
    /// When (UTC milliseconds).
    pub at: i64,
    /// In the words of whatever failed.
    pub why: String,
}

/// How far one is that is being made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BackupProgress)]
pub struct Progress {
    /// Since when (UTC milliseconds).
    pub started_at: i64,
    /// Bytes that are written.
    pub written: u64,
    /// About so many it will be.
    pub of: u64,
    /// Whether it is written and now read back.
    pub checking: bool,
}

/// What is being made.
#[derive(Debug)]
struct Running {
    started_at: UtcMillis,
    part: PathBuf,
    of: u64,
    checking: bool,
}

/// The folder of copies, and how it is kept.
#[derive(Debug)]
pub struct Backups {
    folder: PathBuf,
    every: Option<Duration>,
    keep: usize,
    started_at: UtcMillis,
    running: Mutex<Option<Running>>,
    /// When one was last tried.
    tried_at: Mutex<Option<UtcMillis>>,
}

/// Whoever has it makes a copy; nobody else does meanwhile.
struct Turn<'a>(&'a Backups);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Backups {
    /// Those of a configuration, of a server that starts now.
    pub fn new(config: &config::Backups, now: UtcMillis) -> Self {
        let config::Backups { folder, every, keep } = config.clone();
        Self { folder, every, keep, started_at: now, running: Mutex::default(), tried_at: Mutex::default() }
    }

    /// How often one is made by itself; `None`: never.
    pub fn every(&self) -> Option<Duration> {
        self.every
    }

    /// How many are kept.
    pub fn keep(&self) -> usize {
        self.keep
    }

    /// How far the one is that is being made.
    pub fn progress(&self) -> Option<Progress> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map(|running| Progress {
            started_at: running.started_at.0,
            written: std::fs::metadata(&running.part).map_or(0, |file| file.len()),
            of: running.of,
            checking: running.checking,
        })
    }

    /// All that there are, the newest first.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub async fn list(&self) -> Result<Vec<Backup>, BackupError> {
        let folder = self.folder.clone();
        beside(move || file::list(&folder)).await
    }

    /// Where a copy lies, if there is one of this name.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        file::made_at(name)?;
        let path = self.folder.join(name);
        path.is_file().then_some(path)
    }

    /// Whether it is time for one that nobody asked for.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub async fn is_due(&self, now: UtcMillis) -> Result<bool, BackupError> {
        let Some(every) = self.every else { return Ok(false) };
        let tried_at = *self.tried_at.lock().unwrap_or_else(PoisonError::into_inner);
        if tried_at.is_some_and(|at| (0..AGAIN_MS).contains(&(now.0 - at.0))) {
            return Ok(false);
        }
        let every_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
        Ok(match newest(&self.list().await?, now) {
            Some(newest) => now.0 - newest.made_at >= every_ms,
            // A clock that was set back stops them no more than one that was set forward.
            None => (now.0 - self.started_at.0).abs() >= FIRST_MS,
        })
    }

    fn keeping(&self) -> Keeping {
        let every_ms = self.every.map_or(0, |every| i64::try_from(every.as_millis()).unwrap_or(i64::MAX));
        Keeping { keep: self.keep, apart_ms: every_ms }
    }

    /// Makes a copy, reads it back, and removes those that are too many. What fails leaves nothing behind.
    async fn make(&self, store: &Store, now: UtcMillis, size: i64) -> Result<Backup, BackupError> {
        let part = self.folder.join(file::part_name(now));
        let (folder, needed, keeping) = (self.folder.clone(), room_for_copy(size), self.keeping());
        let empty = part.clone();
        beside(move || {
            file::prepare(&folder)?;
            // Whoever now keeps fewer does so to make room.
            file::prune(&folder, keeping, now)?;
            match machine::disk(&folder) {
                Some(disk) if disk.free < needed => return Err(BackupError::NoRoom { needed, free: disk.free }),
                _ => {}
            }
            file::make_empty(&empty)
        })
        .await?;
        let made = self.fill(store, &part).await;
        if made.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        made?;
        let folder = self.folder.clone();
        beside(move || {
            let made = file::put_in_place(&part, now)?;
            file::prune(&folder, keeping, now)?;
            Ok(made)
        })
        .await
    }

    async fn fill(&self, store: &Store, part: &Path) -> Result<(), BackupError> {
        let newest = store.audit_head().await?.id;
        store.copy_into(part).await?;
        if let Some(running) = self.running.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            running.checking = true;
        }
        Ok(Store::check_copy(part, newest).await?)
    }

    fn begin(&self, now: UtcMillis, size: i64) -> Result<Turn<'_>, BackupError> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return Err(BackupError::Busy);
        }
        *self.tried_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        *running = Some(Running {
            started_at: now,
            part: self.folder.join(file::part_name(now)),
            of: u64::try_from(size).unwrap_or_default(),
            checking: false,
        });
        drop(running);
        Ok(Turn(self))
    }
}

/// The newest of all, which stand newest first; those of a time to come were made while the clock was ahead, and say nothing of now.
pub fn newest(all: &[Backup], now: UtcMillis) -> Option<&Backup> {
    all.iter().find(|backup| backup.made_at <= now.0)
}

/// Makes a copy in somebody's name and writes into the audit log how it went.
///
/// # Errors
/// When there is none in the end.
pub async fn run(backups: &Backups, store: &Store, clock: &dyn Clock, actor: &Actor) -> Result<Backup, BackupError> {
    if !store.is_sqlite() {
        return Err(BackupError::Postgres);
    }
    let (now, size) = (clock.now(), store.size().await?);
    // Until it is written down how it went: whoever looks before that would see the copy, and that the last one failed.
    let _turn = backups.begin(now, size)?;
    let made = backups.make(store, now, size).await;
    let entry = match &made {
        Ok(Backup { name, bytes, .. }) => {
            tracing::info!(name, bytes, user = actor.name(), "the database was backed up");
            actor.did(Act::BackupMade, clock.now()).with("name", name.as_str()).with("bytes", *bytes)
        }
        Err(error) => {
            tracing::error!(%error, "the database could not be backed up");
            actor.did(Act::BackupFailed, clock.now()).with("reason", error.to_string())
        }
    };
    store.note(entry).await?;
    made
}

/// Why the last try failed, if it did: the audit log knows that after a restart, too.
///
/// # Errors
/// When the database fails.
pub async fn last_failure(store: &Store) -> Result<Option<Failure>, StoreError> {
    let last = store.audit(None, &[Act::BackupMade, Act::BackupFailed], None, 1).await?;
    let failed = last.into_iter().next().filter(|entry| entry.act == Act::BackupFailed.as_str());
    Ok(failed.map(|entry| Failure {
        at: entry.at.0,
        why: entry.detail.get("reason").and_then(|why| why.as_str()).unwrap_or_default().to_owned(),
    }))
}

/// Work on files, where it keeps nobody waiting.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| BackupError::File { path: PathBuf::new(), error: io::Error::other(error) })?
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;
    const NOW: UtcMillis = UtcMillis(1_763_690_400_000);

    /// A database, and a folder of copies of these days, counted from now, of which two are kept.
    async fn with(days: &[i64]) -> (tempfile::TempDir, Store, Backups) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", dir.path().join("tirta.db").display())).await.unwrap();
        let folder = dir.path().join("backups");
        file::prepare(&folder).unwrap();
        for day in days {
            let at = UtcMillis(NOW.0 + day * DAY_MS);
            let part = folder.join(file::part_name(at));
            file::make_empty(&part).unwrap();
            file::put_in_place(&part, at).unwrap();
        }
        let config = config::Backups { folder, every: Some(Duration::from_secs(86_400)), keep: 2 };
        (dir, store, Backups::new(&config, NOW))
    }

    #[tokio::test]
    async fn after_a_clock_was_ahead_copies_are_made_again_and_kept() {
        let (_dir, store, backups) = with(&[30, 20, 10]).await;
        let later = UtcMillis(NOW.0 + FIRST_MS);
        assert!(backups.is_due(later).await.unwrap(), "what is of a time to come is no copy of today");
        let made = backups.make(&store, later, 4096).await.unwrap();
        let all = backups.list().await.unwrap();
        assert_eq!((all.len(), newest(&all, later)), (2, Some(&made)));
        assert!(!backups.is_due(UtcMillis(later.0 + DAY_MS - 1)).await.unwrap());
        assert!(backups.is_due(UtcMillis(later.0 + DAY_MS)).await.unwrap());
    }

    #[tokio::test]
    async fn whoever_keeps_fewer_has_their_room_before_the_next_one_is_made() {
        let (_dir, store, backups) = with(&[-1, -2, -3, -4]).await;
        let failed = backups.make(&store, NOW, i64::MAX / 2).await;
        assert!(matches!(failed, Err(BackupError::NoRoom { .. })), "{failed:?}");
        let left: Vec<i64> = backups.list().await.unwrap().iter().map(|one| (one.made_at - NOW.0) / DAY_MS).collect();
        assert_eq!(left, [-1, -2]);
    }
}
