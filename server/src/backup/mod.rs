//! Copies of the database while the server runs: made, read back, and so many of them kept. Only of SQLite. What is in files is not
//! among it, above all not the authority's key, which has a way of its own (`tirta-server authority backup`). Knows no HTTP.

mod file;

pub use file::Backup;

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
        Ok(match self.list().await?.first() {
            // A clock that was set back stops them no more than one that was set forward.
            Some(newest) => (now.0 - newest.made_at).abs() >= every_ms,
            None => now.0 - self.started_at.0 >= FIRST_MS,
        })
    }

    /// Makes a copy, reads it back, and removes the oldest if there are too many. What fails leaves nothing behind.
    ///
    /// # Errors
    /// When there is none in the end.
    pub async fn make(&self, store: &Store, now: UtcMillis) -> Result<Backup, BackupError> {
        if !store.is_sqlite() {
            return Err(BackupError::Postgres);
        }
        let size = store.size().await?;
        let part = self.folder.join(file::part_name(now));
        let _turn = self.begin(Running {
            started_at: now,
            part: part.clone(),
            of: u64::try_from(size).unwrap_or_default(),
            checking: false,
        })?;
        let (folder, needed) = (self.folder.clone(), room_for_copy(size));
        let empty = part.clone();
        beside(move || {
            file::prepare(&folder)?;
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
        let (folder, keep) = (self.folder.clone(), self.keep);
        beside(move || {
            let made = file::put_in_place(&part, now)?;
            file::remove_oldest(&folder, keep)?;
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

    fn begin(&self, new: Running) -> Result<Turn<'_>, BackupError> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return Err(BackupError::Busy);
        }
        *self.tried_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(new.started_at);
        *running = Some(new);
        drop(running);
        Ok(Turn(self))
    }
}

/// Makes a copy in somebody's name and writes into the audit log how it went.
///
/// # Errors
/// When there is none in the end.
pub async fn run(backups: &Backups, store: &Store, clock: &dyn Clock, actor: &Actor) -> Result<Backup, BackupError> {
    let made = backups.make(store, clock.now()).await;
    let entry = match &made {
        Ok(Backup { name, bytes, .. }) => {
            tracing::info!(name, bytes, user = actor.name(), "the database was backed up");
            actor.did(Act::BackupMade, clock.now()).with("name", name.as_str()).with("bytes", *bytes)
        }
        // Nothing was tried.
        Err(BackupError::Busy | BackupError::Postgres) => return made,
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
