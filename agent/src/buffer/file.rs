//! The buffer's database: its form, what one transaction does, and what a broken file looks like.
//! Knows no thread and no network.
//!
//! Sequences are given at the commit and never reused. Rows leave only from the low end, so those that
//! are there form one unbroken run from `low` to `next - 1`.

use super::Measured;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};
use shared::reading::{Fault, Flags, Outcome, Value};
use shared::{BufferId, ClockQuality, Metric, Reading, Seq, Stamp, UtcMillis};
use std::path::Path;
use std::time::Duration;

/// Form of the tables; another one is no database of this version.
const SCHEMA_VERSION: i64 = 2;
/// Marks the file as a buffer of Tirta ("Trta").
const APPLICATION_ID: i64 = 0x5472_7461;
/// Most rows that one transaction removes, so that no commit takes long.
const PRUNE_STEP: u64 = 5_000;

const SCHEMA: &str = "
    CREATE TABLE meta (
        only         INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
        buffer       TEXT    NOT NULL,
        next_seq     INTEGER NOT NULL,
        acknowledged INTEGER NOT NULL,
        dropped      INTEGER NOT NULL
    );
    -- A row has a value or a fault, never both, never none.
    CREATE TABLE reading (
        seq        INTEGER NOT NULL PRIMARY KEY,
        at         INTEGER NOT NULL,
        clock      TEXT    NOT NULL,
        metric     TEXT    NOT NULL,
        value      REAL,
        fault      TEXT,
        millivolts REAL,
        flags      INTEGER NOT NULL,
        spread     REAL,
        CHECK ((value IS NULL) <> (fault IS NULL))
    );";

/// Why the buffer's file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is broken: it has to be set aside.
    #[error("it is broken: {0}")]
    Broken(String),
    /// It can't be used now (disk full, no access, in use): it may be later.
    #[error("{0}")]
    Unavailable(String),
}

impl From<rusqlite::Error> for FileError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        let broken = match &error {
            E::SqliteFailure(code, _) => matches!(
                code.code,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation
            ),
            // A column that has not the type that this version writes.
            E::FromSqlConversionFailure(..) | E::InvalidColumnType(..) | E::IntegralValueOutOfRange(..) => true,
            E::QueryReturnedNoRows => true,
            _ => false,
        };
        // Tables that are missing are an error of the statement, not of the file, in SQLite's view.
        let text = error.to_string();
        if broken || text.contains("no such table") || text.contains("no such column") {
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
}

impl File {
    /// Opens a buffer, or creates an empty one with the id `fresh`.
    ///
    /// # Errors
    /// [`FileError::Broken`] when what is there is no buffer, else [`FileError::Unavailable`].
    pub fn open(path: &Path, fresh: BufferId) -> Result<Self, FileError> {
        let mut db = Connection::open(path)?;
        db.busy_timeout(Duration::from_secs(5))?;
        let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        // For a new file. A commit writes whole pages, and few of their bytes are new.
        db.pragma_update(None, "page_size", 1024)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        // In KiB: a small device, and rows are read once.
        db.pragma_update(None, "cache_size", -512)?;
        match (version, tables) {
            (0, 0) => create(&mut db, fresh)?,
            (1, _) => from_version_1(&mut db)?,
            (SCHEMA_VERSION, _) => {}
            _ => return Err(FileError::Broken(format!("it has version {version} and {tables} tables"))),
        }
        let ledger = read_ledger(&db)?;
        Ok(Self { db, ledger })
    }

    /// The state after the last commit.
    pub fn ledger(&self) -> Ledger {
        self.ledger
    }

    /// One transaction: gives sequences to `fresh` and writes them, notes the acknowledgement and what
    /// was `lost` before it had a sequence, removes what is acknowledged (in steps) or too much.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub fn commit(
        &mut self,
        fresh: &[Measured],
        acknowledged: Seq,
        lost: u64,
        limits: Limits,
    ) -> Result<Ledger, FileError> {
        if fresh.is_empty() && lost == 0 && acknowledged <= self.ledger.acknowledged && !self.is_to_be_pruned(limits) {
            return Ok(self.ledger);
        }
        let mut ledger = self.ledger;
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for measured in fresh {
            insert(&transaction, ledger.next, measured)?;
            ledger.next += 1;
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
        }
        write_ledger(&transaction, &ledger)?;
        transaction.commit()?;
        self.ledger = ledger;
        Ok(ledger)
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
            .collect::<Result<_, _>>()?;
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

const SELECT: &str = "SELECT seq, at, clock, metric, value, fault, millivolts, flags, spread FROM reading";

fn create(db: &mut Connection, id: BufferId) -> Result<(), FileError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.execute("INSERT INTO meta VALUES (1, ?1, 1, 0, 0)", [id.to_string()])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    Ok(transaction.commit()?)
}

/// Brings the file of an older agent to the present form, in one transaction: all of it or nothing.
fn from_version_1(db: &mut Connection) -> Result<(), FileError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // The column goes to the end, where the statements that write and read rows expect it.
    transaction.execute_batch("ALTER TABLE reading ADD COLUMN spread REAL")?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    Ok(transaction.commit()?)
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

fn insert(transaction: &Transaction<'_>, seq: Seq, measured: &Measured) -> Result<(), FileError> {
    let Measured { stamp, metric, sample } = measured;
    let (value, fault) = match sample.outcome {
        Outcome::Measured(value) => (Some(value.get()), None),
        Outcome::Fault(fault) => (None, Some(fault.as_str())),
    };
    let row = params![
        whole(seq),
        stamp.at.0,
        stamp.clock.as_str(),
        metric.as_str(),
        value,
        fault,
        sample.millivolts.map(Value::get),
        sample.flags.bits(),
        sample.spread.map(Value::get)
    ];
    transaction.prepare_cached("INSERT INTO reading VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?.execute(row)?;
    Ok(())
}

fn to_reading(row: &rusqlite::Row<'_>) -> rusqlite::Result<Reading> {
    let clock = row.get_ref(2)?.as_str()?;
    let metric = row.get_ref(3)?.as_str()?;
    let unknown =
        |column| rusqlite::Error::InvalidColumnType(column, "unknown word".to_owned(), rusqlite::types::Type::Text);
    let not_finite = |column| {
        move |_| rusqlite::Error::InvalidColumnType(column, "not finite".to_owned(), rusqlite::types::Type::Real)
    };
    let outcome = match row.get::<_, Option<f64>>(4)? {
        Some(value) => Outcome::Measured(Value::new(value).map_err(not_finite(4))?),
        None => Outcome::Fault(Fault::from_wire(row.get_ref(5)?.as_str()?)),
    };
    let volts = |column| row.get::<_, Option<f64>>(column)?.map(Value::new).transpose().map_err(not_finite(column));
    Ok(Reading {
        seq: count(row, 0)?,
        stamp: Stamp { at: UtcMillis(row.get(1)?), clock: ClockQuality::from_wire(clock).ok_or_else(|| unknown(2))? },
        metric: Metric::from_wire(metric).ok_or_else(|| unknown(3))?,
        outcome,
        millivolts: volts(6)?,
        flags: Flags::from_bits(row.get(7)?),
        spread: volts(8)?,
    })
}

/// SQLite's integers have a sign; no count of readings comes near the end of them.
fn whole(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let n: i64 = row.get(column)?;
    u64::try_from(n).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, n))
}
