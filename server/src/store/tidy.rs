//! Loose readings into segments: small batches that lie one by one in `recent` are packed together
//! once there are enough of them, or when they have lain long enough.

use super::{
    Store, StoreError,
    append::{SegmentRow, insert_segments},
    on_pool,
    segment::unpack,
};
use shared::{Reading, UtcMillis};

/// A buffer is tidied when it has this many loose readings: about a hundred for each of four metrics.
/// More would make smaller files, fewer make quicker charts of the last hour.
pub const ENOUGH: i64 = 400;
/// ... or when the oldest has been loose for this long.
pub const LONG_MS: i64 = 6 * 3_600_000;
/// Buffers of one transaction: appends wait as long as it takes.
const TOGETHER: usize = 16;

/// Device and id of a buffer.
type Buffer = (String, String);

impl Store {
    /// Packs loose readings into segments; says how many buffers were due. No reading changes by it.
    ///
    /// # Errors
    /// When the database fails. A buffer that is unreadable is logged and left as it is.
    pub async fn tidy(&self, now: UtcMillis) -> Result<usize, StoreError> {
        // In the order in which an append locks devices.
        let sql = "SELECT device, buffer FROM buffer WHERE loose >= $1 OR (loose > 0 AND loose_since <= $2)
             ORDER BY device, buffer";
        let due: Vec<Buffer> = on_pool!(&self.pool, |pool| {
            sqlx::query_as(sql).bind(ENOUGH).bind(now.0.saturating_sub(LONG_MS)).fetch_all(pool).await?
        });
        let mut tidied = 0;
        for together in due.chunks(TOGETHER) {
            tidied += self.tidy_together(together).await?;
        }
        Ok(tidied)
    }

    async fn tidy_together(&self, buffers: &[Buffer]) -> Result<usize, StoreError> {
        let (begin, lock) = self.writing();
        let mut tidied = 0;
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            for (device, buffer) in buffers {
                // The same lock that an append takes: nothing becomes loose meanwhile.
                let sql = sqlx::AssertSqlSafe(format!("SELECT name FROM device WHERE name = $1{lock}"));
                sqlx::query(sql).bind(device).execute(&mut *tx).await?;
                let sql = "SELECT packed FROM recent WHERE device = $1 AND buffer = $2";
                let rows: Vec<(Vec<u8>,)> = sqlx::query_as(sql).bind(device).bind(buffer).fetch_all(&mut *tx).await?;
                let segments: Vec<_> = match unpack_all(&rows) {
                    Ok(readings) => SegmentRow::of(device, buffer, &readings).collect(),
                    Err(error) => {
                        tracing::error!(device, buffer, %error, "these readings can't be packed together");
                        continue;
                    }
                };
                insert_segments!(tx, &segments);
                let sql = "DELETE FROM recent WHERE device = $1 AND buffer = $2";
                sqlx::query(sql).bind(device).bind(buffer).execute(&mut *tx).await?;
                let sql = "UPDATE buffer SET loose = 0, loose_since = NULL WHERE device = $1 AND buffer = $2";
                sqlx::query(sql).bind(device).bind(buffer).execute(&mut *tx).await?;
                tidied += 1;
            }
            tx.commit().await?;
        });
        Ok(tidied)
    }
}

fn unpack_all(rows: &[(Vec<u8>,)]) -> Result<Vec<Reading>, StoreError> {
    let mut readings = Vec::new();
    for (packed,) in rows {
        readings.extend(unpack(packed, None)?);
    }
    readings.sort_by_key(|r| r.seq);
    Ok(readings)
}
