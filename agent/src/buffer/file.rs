//! The buffer's database: its form, what one transaction does, and what a broken file looks like.
//! Knows no thread and no network.
//!
//! Sequences are given at the commit and never reused. Rows leave only from the low end, so those that
//! are there form one unbroken run from `low` to `next - 1`. A row never changes, with one exception: an
//! unsynced time of this boot is *open* until it is repaired or its row is handed over to be sent.

use super::Measured;
use super::row::{SELECT, count, insert, to_reading, whole};
use super::schema::{self, SCHEMA_VERSION};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, ffi, params};
use shared::message::Trouble;
use shared::{BufferId, ClockQuality, Reading, Seq};
use std::path::Path;
use std::time::Duration;

/// Most rows that one transaction removes, so that no commit takes long.
const PRUNE_STEP: u64 = 5_000;

/// A part of the file can't be read, and will not be at the next try either: the card has lost it.
const UNREADABLE: [i32; 3] = [ffi::SQLITE_IOERR_READ, ffi::SQLITE_IOERR_SHORT_READ, ffi::SQLITE_IOERR_CORRUPTFS];

/// Why the buffer's file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is broken: it has to be set aside.
    #[error("it is broken: {0}")]
    Broken(String),
    /// There is no room for it: there may be later.
    #[error("{0}")]
    Full(String),
    /// It can't be used now (no access, in use, the card is read-only): it may be later.
    #[error("{0}")]
    Unavailable(String),
}

impl FileError {
    /// The same in a word, for the status.
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Full(_) => Trouble::DiskFull,
            Self::Broken(_) | Self::Unavailable(_) => Trouble::CardError,
        }
    }
}

impl From<rusqlite::Error> for FileError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        let broken = match &error {
            E::SqliteFailure(code, _) => {
                matches!(
                    code.code,
                    ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation
                ) || UNREADABLE.contains(&code.extended_code)
            }
            // A column that has not the type that this version writes.
            E::FromSqlConversionFailure(..) | E::InvalidColumnType(..) | E::IntegralValueOutOfRange(..) => true,
            E::QueryReturnedNoRows => true,
            _ => false,
        };
        // Tables that are missing are an error of the statement, not of the file, in SQLite's view.
        let text = error.to_string();
        let full = matches!(&error, E::SqliteFailure(code, _)
            if code.code == ErrorCode::DiskFull || code.extended_code == ffi::SQLITE_IOERR_SHMSIZE);
        if full {
            Self::Full(text)
        } else if broken || text.contains("no such table") || text.contains("no such column") {
            Self::Broken(text)
        } else {
            Self::Unavailable(text)
        }
    }
}

/// What is known of the rows without reading them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ledger {
    /// Which buffer.
    pub id: BufferId,
    /// The next sequence to give.
    pub next: Seq,
    /// The lowest sequence that is there; `next` when there is none.
    pub low: Seq,
    /// The server has everything up to here.
    pub acknowledged: Seq,
    /// Readings that were lost because there was no room.
    pub dropped: u64,
}

impl Ledger {
    /// Readings that are there and not acknowledged.
    pub fn pending(&self) -> u64 {
        self.next - self.low.max(self.acknowledged + 1)
    }

    fn rows(&self) -> u64 {
        self.next - self.low
    }

    fn drop_oldest(&mut self, rows: u64) {
        let low = (self.low + rows).min(self.next);
        // Only what the server does not have is lost.
        self.dropped += (low - 1).saturating_sub(self.acknowledged.max(self.low - 1));
        self.low = low;
    }
}

/// What may stay.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most rows.
    pub max_readings: u64,
    /// Whether acknowledged rows stay.
    pub keep_acknowledged: bool,
}

/// An open buffer file.
pub struct File {
    db: Connection,
    ledger: Ledger,
    /// This boot, and its number once a reading of it was committed.
    boot: String,
    boot_id: Option<i64>,
    /// The first row with an open time.
    open: Option<Seq>,
}

impl File {
    /// Opens a buffer in this boot, or creates an empty one with the id `fresh`.
    ///
    /// # Errors
    /// [`FileError::Broken`] when what is there is no buffer, else [`FileError::Unavailable`].
    pub fn open(path: &Path, fresh: BufferId, boot: &str) -> Result<Self, FileError> {
        let mut db = Connection::open(path)?;
        db.busy_timeout(Duration::from_secs(5))?;
        let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        // For a new file. A commit writes whole pages, of which few bytes are new: the smallest that there are.
        db.pragma_update(None, "page_size", 512)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        // In KiB: a small device, and rows are read once.
        db.pragma_update(None, "cache_size", -512)?;
        match (version, tables) {
            (0, 0) => schema::create(&mut db, fresh)?,
            (1, _) => schema::from_version_1(&mut db)?,
            (SCHEMA_VERSION, _) => {}
            _ => return Err(FileError::Broken(format!("it has version {version} and {tables} tables"))),
        }
        // Damage that is not found now could spread: a page that is wrongly taken for free is written over.
        let found: String = db.pragma_query_value(None, "quick_check", |row| row.get(0))?;
        if found != "ok" {
            return Err(FileError::Broken(found));
        }
        let ledger = read_ledger(&db)?;
        let known: Option<(i64, Seq)> = db
            .query_row("SELECT id, first FROM boot WHERE name = ?1", [boot], |row| Ok((row.get(0)?, count(row, 1)?)))
            .optional()?;
        let closed = db.query_row("SELECT closed FROM meta", [], |row| count(row, 0))?;
        let open = match known {
            Some((id, first)) => open_from(&db, id, first.max(closed + 1))?,
            None => None,
        };
        Ok(Self { db, ledger, boot: boot.to_owned(), boot_id: known.map(|(id, _)| id), open })
    }

    /// The state after the last commit.
    pub fn ledger(&self) -> Ledger {
        self.ledger
    }

    /// The first row whose time may yet be repaired.
    pub fn first_open(&self) -> Option<Seq> {
        self.open
    }

    /// One transaction: gives sequences to `fresh` and writes them, notes the acknowledgement and what
    /// was `lost` before it had a sequence, removes what is acknowledged (in steps) or too much. With a
    /// `reference`, which added to the ticks of this boot gives the time, all open times are repaired.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub fn commit(
        &mut self,
        fresh: &[Measured],
        acknowledged: Seq,
        lost: u64,
        limits: Limits,
        reference: Option<i64>,
    ) -> Result<Ledger, FileError> {
        let repair = reference.is_some() && self.open.is_some();
        let nothing = fresh.is_empty() && lost == 0 && acknowledged <= self.ledger.acknowledged && !repair;
        if nothing && !self.is_to_be_pruned(limits) {
            return Ok(self.ledger);
        }
        let (mut ledger, mut boot_id, mut open) = (self.ledger, self.boot_id, self.open);
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for measured in fresh {
            let boot = match boot_id {
                Some(id) => id,
                None => *boot_id.insert(add_boot(&transaction, &self.boot, ledger.next)?),
            };
            insert(&transaction, ledger.next, boot, measured)?;
            if measured.moment.stamp.clock == ClockQuality::Unsynced {
                open = open.or(Some(ledger.next));
            }
            ledger.next += 1;
        }
        if let (Some(reference), Some(first), Some(boot)) = (reference, open, boot_id) {
            repair_from(&transaction, first, boot, reference)?;
            open = None;
        }
        ledger.acknowledged = ledger.acknowledged.max(acknowledged);
        ledger.dropped += lost;
        if !limits.keep_acknowledged {
            ledger.low = ledger.low.max((ledger.acknowledged + 1).min(ledger.low + PRUNE_STEP));
        }
        let excess = ledger.rows().saturating_sub(limits.max_readings);
        ledger.drop_oldest(excess.min(PRUNE_STEP.max(fresh.len() as u64)));
        if ledger.low != self.ledger.low {
            transaction.prepare_cached("DELETE FROM reading WHERE seq < ?1")?.execute([whole(ledger.low)])?;
            if let (Some(_), Some(boot)) = (open.filter(|open| *open < ledger.low), boot_id) {
                open = open_from(&transaction, boot, ledger.low)?;
            }
        }
        write_ledger(&transaction, &ledger)?;
        transaction.commit()?;
        (self.ledger, self.boot_id, self.open) = (ledger, boot_id, open);
        Ok(ledger)
    }

    /// Rows up to `last` are about to be sent: from now on their times stay as they are.
    ///
    /// # Errors
    /// When that can't be written; then they must not be sent.
    pub fn close_times(&mut self, last: Seq) -> Result<(), FileError> {
        let (Some(open), Some(boot)) = (self.open, self.boot_id) else { return Ok(()) };
        if open <= last {
            self.db.prepare_cached("UPDATE meta SET closed = ?1")?.execute([whole(last)])?;
            self.open = open_from(&self.db, boot, last + 1)?;
        }
        Ok(())
    }

    fn is_to_be_pruned(&self, limits: Limits) -> bool {
        let acknowledged = !limits.keep_acknowledged && self.ledger.low <= self.ledger.acknowledged;
        acknowledged || self.ledger.rows() > limits.max_readings
    }

    /// Continues under another id: the server has seen sequences of this one that were never given here,
    /// because the card went back in time.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub fn rename(&mut self, id: BufferId, acknowledged: Seq) -> Result<Ledger, FileError> {
        let ledger = Ledger { id, acknowledged: self.ledger.acknowledged.max(acknowledged), ..self.ledger };
        write_ledger(&self.db, &ledger)?;
        self.ledger = ledger;
        Ok(ledger)
    }

    /// The oldest readings after `after`.
    ///
    /// # Errors
    /// When a row can't be read.
    pub fn read(&self, after: Seq, limit: usize) -> Result<Vec<Reading>, FileError> {
        let mut rows = self.db.prepare_cached(&format!("{SELECT} WHERE seq > ?1 ORDER BY seq LIMIT ?2"))?;
        let readings = rows
            .query_map(params![whole(after), i64::try_from(limit).unwrap_or(i64::MAX)], to_reading)?
            .collect::<Result<Vec<_>, _>>()?;
        // Rows form one unbroken run: what the server would take for a gap is a page that was lost.
        for (expected, reading) in (self.ledger.low.max(after + 1)..).zip(&readings) {
            if reading.seq != expected {
                return Err(FileError::Broken(format!("row {expected} is missing: {} follows", reading.seq)));
            }
        }
        Ok(readings)
    }

    #[cfg(test)]
    pub(super) fn database(&self) -> &Connection {
        &self.db
    }
}

/// Reads a buffer without changing it, also while an agent uses it: every reading, then the ledger.
///
/// # Errors
/// When it is not there or can't be read.
pub fn inspect(path: &Path, mut each: impl FnMut(BufferId, Reading)) -> Result<Ledger, FileError> {
    let mut db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(Duration::from_secs(5))?;
    // One transaction, so that the readings and the ledger belong together.
    let transaction = db.transaction()?;
    let ledger = read_ledger(&transaction)?;
    let mut rows = transaction.prepare(&format!("{SELECT} ORDER BY seq"))?;
    for reading in rows.query_map([], to_reading)? {
        each(ledger.id, reading?);
    }
    Ok(ledger)
}

fn read_ledger(db: &Connection) -> Result<Ledger, FileError> {
    let meta = "SELECT buffer, next_seq, acknowledged, dropped FROM meta WHERE only = 1";
    let (id, next, acknowledged, dropped): (String, Seq, Seq, u64) =
        db.query_row(meta, [], |row| Ok((row.get(0)?, count(row, 1)?, count(row, 2)?, count(row, 3)?)))?;
    let id = id.parse().map_err(|error: shared::id::IdError| FileError::Broken(error.to_string()))?;
    let end = |text| db.query_row(text, [], |row| count(row, 0)).optional();
    let low = end("SELECT seq FROM reading ORDER BY seq LIMIT 1")?;
    let high = end("SELECT seq FROM reading ORDER BY seq DESC LIMIT 1")?;
    let ledger = Ledger { id, next, low: low.unwrap_or(next), acknowledged, dropped };
    let sound = next >= 1 && acknowledged < next && high.is_none_or(|high| high + 1 == next);
    if sound { Ok(ledger) } else { Err(FileError::Broken(format!("its ledger contradicts its rows: {ledger:?}"))) }
}

fn write_ledger(db: &Connection, ledger: &Ledger) -> Result<(), FileError> {
    let update = "UPDATE meta SET buffer = ?1, next_seq = ?2, acknowledged = ?3, dropped = ?4";
    let values = params![ledger.id.to_string(), whole(ledger.next), whole(ledger.acknowledged), whole(ledger.dropped)];
    db.prepare_cached(update)?.execute(values)?;
    Ok(())
}

fn add_boot(transaction: &Transaction<'_>, name: &str, first: Seq) -> Result<i64, FileError> {
    transaction.execute("INSERT INTO boot (name, first) VALUES (?1, ?2)", params![name, whole(first)])?;
    Ok(transaction.last_insert_rowid())
}

/// The first row from `first` on whose time is open.
fn open_from(db: &Connection, boot: i64, first: Seq) -> Result<Option<Seq>, FileError> {
    let select = "SELECT seq FROM reading WHERE seq >= ?1 AND boot = ?2 AND clock = 'unsynced' ORDER BY seq LIMIT 1";
    Ok(db.prepare_cached(select)?.query_row(params![whole(first), boot], |row| count(row, 0)).optional()?)
}

fn repair_from(transaction: &Transaction<'_>, first: Seq, boot: i64, reference: i64) -> Result<(), FileError> {
    let update = "UPDATE reading SET at = ticks + ?3, clock = 'repaired'
                  WHERE seq >= ?1 AND boot = ?2 AND clock = 'unsynced'";
    let repaired = transaction.prepare_cached(update)?.execute(params![whole(first), boot, reference])?;
    tracing::info!(repaired, "the times of readings are repaired");
    Ok(())
}
