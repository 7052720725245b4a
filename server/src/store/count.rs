//! About how many readings there are, without unpacking what is packed away. Knows nothing of what they say.

use super::{Store, StoreError, on_pool, segment::DAY_MS, segment::unpack};
use shared::{DeviceName, Metric, Outcome, UtcMillis};

/// A row that reaches beyond: its first and last time, its readings, and those of them that have a value.
type Beyond = (i64, i64, i64, i64);

/// About how many readings there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// All.
    pub readings: u64,
    /// Of them those that have a value.
    pub measured: u64,
}

impl Store {
    /// About how many readings of a device have `from <= time < to`: exactly, but for packed rows that reach beyond, of which
    /// a share is counted, and for what came twice by different buffers.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn count(
        &self,
        device: &DeviceName,
        metrics: &[Metric],
        (from, to): (UtcMillis, UtcMillis),
    ) -> Result<Count, StoreError> {
        const WHOLE: &str =
            "SELECT CAST(COALESCE(SUM(readings), 0) AS BIGINT), CAST(COALESCE(SUM(measured), 0) AS BIGINT)
            FROM segment WHERE device = $1 AND metric = $2 AND first_at >= $3 AND first_at < $4 AND last_at < $4";
        // A segment spans at most a day, which bounds the search at both ends.
        const BEYOND: &str = "SELECT first_at, last_at, readings, measured FROM segment
            WHERE device = $1 AND metric = $2 AND first_at > $5 AND first_at < $4 AND last_at >= $3
              AND (first_at < $3 OR (first_at > $6 AND last_at >= $4))";
        const RECENT: &str = "SELECT packed FROM recent WHERE device = $1 AND first_at < $3 AND last_at >= $2";
        let mut count = Count::default();
        for metric in metrics {
            let ((readings, measured), beyond): ((i64, i64), Vec<Beyond>) = on_pool!(&self.pool, |pool| {
                let whole = sqlx::query_as(WHOLE).bind(device.as_str()).bind(metric.as_str());
                let whole = whole.bind(from.0).bind(to.0).fetch_one(pool).await?;
                let beyond = sqlx::query_as(BEYOND).bind(device.as_str()).bind(metric.as_str()).bind(from.0);
                let beyond = beyond.bind(to.0).bind(from.0.saturating_sub(DAY_MS)).bind(to.0.saturating_sub(DAY_MS));
                (whole, beyond.fetch_all(pool).await?)
            });
            count.add(readings, measured, 1.0);
            for (first, last, readings, measured) in beyond {
                let inside = last.min(to.0 - 1) - first.max(from.0) + 1;
                count.add(readings, measured, inside as f64 / (last - first + 1) as f64);
            }
        }
        let recent: Vec<(Vec<u8>,)> = on_pool!(&self.pool, |pool| {
            sqlx::query_as(RECENT).bind(device.as_str()).bind(from.0).bind(to.0).fetch_all(pool).await?
        });
        for (packed,) in recent {
            for reading in unpack(&packed, None)? {
                if metrics.contains(&reading.metric) && (from..to).contains(&reading.stamp.at) {
                    count.readings += 1;
                    count.measured += u64::from(matches!(reading.outcome, Outcome::Measured(_)));
                }
            }
        }
        Ok(count)
    }
}

impl Count {
    fn add(&mut self, readings: i64, measured: i64, share: f64) {
        let part = |count: i64| (count as f64 * share).round() as u64;
        self.readings += part(readings);
        self.measured += part(measured);
    }
}
