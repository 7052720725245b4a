//! Loose readings into segments: small batches that lie one by one in `recent` are packed together
//! once there are enough of them, or when they have lain long enough.

use super::{
    Store, StoreError,
    append::{SegmentRow, insert_segments},
    on_pool,
    segment::unpack,
};
use shared::{Reading, UtcMillis};

/// A buffer is tidied when it has this many loose readings: some hundreds for each metric.
pub const ENOUGH: i64 = 1_000;
/// ... or when the oldest has been loose for this long.
pub const LONG_MS: i64 = 6 * 3_600_000;

impl Store {
    /// Packs loose readings into segments, a transaction for each buffer that is due; says how many
    /// buffers that were. No reading changes by it.
    ///
    /// # Errors
    /// When the database fails. A buffer that is unreadable is logged and left as it is.
    pub async fn tidy(&self, now: UtcMillis) -> Result<usize, StoreError> {
        let sql = "SELECT device, buffer FROM buffer WHERE loose >= $1 OR (loose > 0 AND loose_since <= $2)";
        let due: Vec<(String, String)> = on_pool!(&self.pool, |pool| {
            sqlx::query_as(sql).bind(ENOUGH).bind(now.0.saturating_sub(LONG_MS)).fetch_all(pool).await?
        });
        let mut tidied = 0;
        for (device, buffer) in &due {
            match self.tidy_buffer(device, buffer).await {
                Ok(()) => tidied += 1,
                Err(StoreError::Corrupt { what, why }) => {
                    tracing::error!(device, buffer, what, why, "these readings can't be packed together");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(tidied)
    }

    async fn tidy_buffer(&self, device: &str, buffer: &str) -> Result<(), StoreError> {
        let (begin, lock) = self.writing();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            // The same lock that an append takes, so that the count of loose readings stays right.
            let sql = sqlx::AssertSqlSafe(format!("SELECT name FROM device WHERE name = $1{lock}"));
            sqlx::query(sql).bind(device).execute(&mut *tx).await?;
            let sql = "DELETE FROM recent WHERE device = $1 AND buffer = $2 RETURNING packed";
            let rows: Vec<(Vec<u8>,)> = sqlx::query_as(sql).bind(device).bind(buffer).fetch_all(&mut *tx).await?;
            let mut readings: Vec<Reading> = Vec::new();
            for (packed,) in rows {
                readings.extend(unpack(&packed, None)?);
            }
            readings.sort_by_key(|r| r.seq);
            let segments: Vec<_> = SegmentRow::of(device, buffer, &readings).collect();
            insert_segments!(tx, &segments);
            let sql = "UPDATE buffer SET loose = 0, loose_since = NULL WHERE device = $1 AND buffer = $2";
            sqlx::query(sql).bind(device).bind(buffer).execute(&mut *tx).await?;
            tx.commit().await?;
        });
        Ok(())
    }
}
