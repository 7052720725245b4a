//! The form of the buffer's tables, and how the file of an older agent gets it. Knows nothing of what is in them.

use super::file::FileError;
use rusqlite::{Connection, TransactionBehavior};
use shared::BufferId;

/// Form of the tables; another one is no database of this version.
pub(super) const SCHEMA_VERSION: i64 = 2;
/// Marks the file as a buffer of Tirta ("Trta").
const APPLICATION_ID: i64 = 0x5472_7461;
const BOOT: &str = "
    -- A few bytes for each boot; none is worth a search through all readings to remove it.
    CREATE TABLE boot (
        id    INTEGER NOT NULL PRIMARY KEY,
        name  TEXT    NOT NULL UNIQUE,
        first INTEGER NOT NULL
    );";

const SCHEMA: &str = "
    CREATE TABLE meta (
        only         INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
        buffer       TEXT    NOT NULL,
        next_seq     INTEGER NOT NULL,
        acknowledged INTEGER NOT NULL,
        dropped      INTEGER NOT NULL,
        -- Rows up to here may have been sent with the times that they have.
        closed       INTEGER NOT NULL DEFAULT 0
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
        -- NULL in rows of the first version.
        boot       INTEGER,
        ticks      INTEGER,
        CHECK ((value IS NULL) <> (fault IS NULL))
    );";

/// An empty buffer.
pub(super) fn create(db: &mut Connection, id: BufferId) -> Result<(), FileError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(BOOT)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.execute("INSERT INTO meta VALUES (1, ?1, 1, 0, 0, 0)", [id.to_string()])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    Ok(transaction.commit()?)
}

/// Brings the file of an older agent to the present form, in one transaction: all of it or nothing.
pub(super) fn from_version_1(db: &mut Connection) -> Result<(), FileError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(BOOT)?;
    // Columns go to the end, where the statement that writes rows expects them.
    transaction.execute_batch(
        "ALTER TABLE meta ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE reading ADD COLUMN spread REAL;
         ALTER TABLE reading ADD COLUMN boot INTEGER;
         ALTER TABLE reading ADD COLUMN ticks INTEGER;",
    )?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    Ok(transaction.commit()?)
}
