//! History computed again: what was computed, beside the originals. Nobody sees anything of a revision before all of
//! it is there. Knows not how it is computed.

use super::{
    Store, StoreError,
    append::{Insert, SegmentRow, insert},
    audit::audit,
    on_pool,
};
use crate::audit::{Act, Actor};
use shared::calibration::RecordId;
use shared::{DeviceName, Metric, UtcMillis};

/// What a revision was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Whose readings.
    pub device: DeviceName,
    /// What was measured.
    pub metric: Metric,
    /// From when on.
    pub from: UtcMillis,
    /// Until when, exclusive.
    pub to: UtcMillis,
    /// The record to compute all of it with; `None`: the one in force at the time of each reading.
    pub calibration: Option<RecordId>,
    /// Who asks.
    pub by: String,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    /// Readings of the range that have millivolts.
    pub readings: u64,
    /// Those that say something else than the device said.
    pub changed: u64,
    /// SHA-256 of them all, hexadecimal.
    pub digest: String,
}

/// A revision that is under way.
#[derive(Debug, Clone)]
pub struct Draft {
    wanted: Wanted,
    number: u32,
    made_at: UtcMillis,
}

/// A revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Counts up for each device.
    pub number: u32,
    /// What it was asked for.
    pub wanted: Wanted,
    /// When.
    pub made_at: UtcMillis,
    /// What came out.
    pub results: Results,
}

/// Whether a row of `revised` counts, if revisions up to the parameter do: its revision is complete, and no later one
/// covers all of it.
macro_rules! shown_revision {
    ($as_of:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM revision AS own WHERE own.device = revised.device AND own.number = revised.revision
               AND own.digest IS NOT NULL AND own.number <= ",
            $as_of,
            " AND NOT EXISTS (SELECT 1 FROM revision AS later WHERE later.device = own.device
               AND later.metric = own.metric AND later.digest IS NOT NULL AND later.number > own.number
               AND later.number <= ",
            $as_of,
            " AND later.from_at <= own.from_at AND later.to_at >= own.to_at))"
        )
    };
}
pub(super) use shown_revision;

const REVISED: Insert = Insert {
    head: "INSERT INTO revised (device, metric, first_at, revision, buffer, first_seq, last_at, packed) VALUES ",
    columns: 8,
    tail: "",
};

#[derive(sqlx::FromRow)]
struct Fields {
    number: i64,
    metric: String,
    from_at: i64,
    to_at: i64,
    made_at: i64,
    made_by: String,
    calibration: Option<String>,
    readings: i64,
    changed: i64,
    digest: String,
}

impl Store {
    /// Begins a revision.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_revision(&self, wanted: Wanted, now: UtcMillis) -> Result<Draft, StoreError> {
        const LAST: &str = "SELECT MAX(number) FROM revision WHERE device = $1";
        const INSERT: &str = "INSERT INTO revision
            (device, number, metric, from_at, to_at, made_at, made_by, calibration, readings, changed)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0)";
        let (begin, lock) = self.writing();
        let device_row = sqlx::AssertSqlSafe(format!("SELECT name FROM device WHERE name = $1{lock}"));
        let number = on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(device_row).bind(wanted.device.as_str()).execute(&mut *tx).await?;
            let last: Option<i64> = sqlx::query_scalar(LAST).bind(wanted.device.as_str()).fetch_one(&mut *tx).await?;
            let number = last.unwrap_or(0) + 1;
            sqlx::query(INSERT)
                .bind(wanted.device.as_str())
                .bind(number)
                .bind(wanted.metric.as_str())
                .bind(wanted.from.0)
                .bind(wanted.to.0)
                .bind(now.0)
                .bind(&wanted.by)
                .bind(wanted.calibration.map(|id| id.to_string()))
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            number
        });
        Ok(Draft { number: revision_number(number)?, wanted, made_at: now })
    }

    /// Adds results to a revision that is under way.
    ///
    /// # Errors
    /// When the database fails, or the revision was given up meanwhile.
    pub(crate) async fn add_to_revision(&self, draft: &Draft, rows: &[SegmentRow]) -> Result<(), StoreError> {
        let number = i64::from(draft.number);
        let (begin, lock) = self.writing();
        let own_row = sqlx::AssertSqlSafe(format!(
            "SELECT number FROM revision WHERE device = $1 AND number = $2 AND made_at = $3 AND digest IS NULL{lock}"
        ));
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            let own = sqlx::query(own_row).bind(draft.wanted.device.as_str()).bind(number).bind(draft.made_at.0);
            if own.fetch_optional(&mut *tx).await?.is_none() {
                return Err(given_up());
            }
            insert!(
                tx,
                REVISED,
                rows,
                |row| row.device.as_str(),
                row.metric.as_str(),
                row.summary.first_at,
                number,
                row.buffer.as_str(),
                row.summary.first_seq,
                row.summary.last_at,
                row.packed.as_slice()
            );
            tx.commit().await?;
        });
        Ok(())
    }

    /// Completes a revision and notes who asked for it: from now on its readings are shown.
    ///
    /// # Errors
    /// When the database fails, or the revision was given up meanwhile.
    pub async fn finish_revision(&self, draft: Draft, results: Results, actor: &Actor) -> Result<Revision, StoreError> {
        const FINISH: &str = "UPDATE revision SET readings = $4, changed = $5, digest = $6
            WHERE device = $1 AND number = $2 AND made_at = $3 AND digest IS NULL";
        let Draft { wanted, number, made_at } = draft;
        let entry = actor.did(Act::ReadingsRecomputed, made_at).to(&wanted.device);
        let entry = entry.with("metric", wanted.metric.as_str()).with("from", wanted.from.0).with("to", wanted.to.0);
        let calibration = wanted.calibration.map(|id| id.to_string());
        let entry = entry.with("calibration", calibration).with("revision", number).with("changed", results.changed);
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let finish = sqlx::query(FINISH).bind(wanted.device.as_str()).bind(i64::from(number)).bind(made_at.0);
            let finish = finish.bind(results.readings.cast_signed()).bind(results.changed.cast_signed());
            if finish.bind(&results.digest).execute(&mut *tx).await?.rows_affected() == 0 {
                return Err(given_up());
            }
            // The revision itself says who: this is where an auditor looks for it.
            audit!(tx, entry);
            tx.commit().await?;
        });
        Ok(Revision { number, wanted, made_at, results })
    }

    /// Forgets revisions that began before then and were never completed: their server was stopped. Says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_unfinished_revisions(&self, then: UtcMillis) -> Result<u64, StoreError> {
        const ROWS: &str = "DELETE FROM revised WHERE EXISTS (SELECT 1 FROM revision
            WHERE revision.device = revised.device AND revision.number = revised.revision
              AND digest IS NULL AND made_at < $1)";
        const REVISIONS: &str = "DELETE FROM revision WHERE digest IS NULL AND made_at < $1";
        let (begin, _) = self.writing();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(ROWS).bind(then.0).execute(&mut *tx).await?;
            let forgotten = sqlx::query(REVISIONS).bind(then.0).execute(&mut *tx).await?.rows_affected();
            tx.commit().await?;
            forgotten
        }))
    }

    /// The revisions of a device, newest first.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn revisions(&self, device: &DeviceName) -> Result<Vec<Revision>, StoreError> {
        const QUERY: &str = "SELECT number, metric, from_at, to_at, made_at, made_by, calibration, readings, changed,
            digest FROM revision WHERE device = $1 AND digest IS NOT NULL ORDER BY number DESC";
        let rows: Vec<Fields> =
            on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).bind(device.as_str()).fetch_all(pool).await?);
        rows.into_iter().map(|row| row.into_revision(device)).collect()
    }
}

impl Fields {
    fn into_revision(self, device: &DeviceName) -> Result<Revision, StoreError> {
        let calibration = self.calibration.map(|id| id.parse()).transpose();
        Ok(Revision {
            number: revision_number(self.number)?,
            wanted: Wanted {
                device: device.clone(),
                metric: Metric::from_wire(&self.metric).ok_or_else(|| corrupt("its metric is unknown"))?,
                from: UtcMillis(self.from_at),
                to: UtcMillis(self.to_at),
                calibration: calibration.map_err(|e: shared::id::IdError| corrupt(&e.to_string()))?,
                by: self.made_by,
            },
            made_at: UtcMillis(self.made_at),
            results: Results {
                readings: self.readings.cast_unsigned(),
                changed: self.changed.cast_unsigned(),
                digest: self.digest,
            },
        })
    }
}

pub(super) fn revision_number(stored: i64) -> Result<u32, StoreError> {
    u32::try_from(stored).map_err(|e| corrupt(&e.to_string()))
}

fn given_up() -> StoreError {
    corrupt("it took too long and was given up: ask again for less of it")
}

fn corrupt(why: &str) -> StoreError {
    StoreError::Corrupt { what: "revision", why: why.to_owned() }
}
