//! The readings of one device and metric, one after the other in the order of their times, each as it was last computed.
//! Whoever walks holds no more than overlaps. Knows not what is made of them.

use super::{
    Store, StoreError, on_pool,
    overlay::{Overlay, Revised},
    reading::buffer_id,
    revision::{revision_number, shown_revision},
    segment::{DAY_MS, unpack},
};
use futures_util::TryStreamExt;
use shared::{DeviceName, Metric, UtcMillis};
use std::ops::ControlFlow;

/// A row that holds a stretch of readings: when it begins, its buffer, its revision, and the readings packed.
type Stretch = (i64, String, i64, Vec<u8>);

impl Store {
    /// Calls `each` with the readings with `from <= time < to`, the oldest first, until it breaks off; of each the newest
    /// revision, or the newest up to `as_of` (0: as the device sent it).
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub(super) async fn walk(
        &self,
        device: &DeviceName,
        metric: Metric,
        (from, to): (UtcMillis, UtcMillis),
        as_of: Option<u32>,
        mut each: impl FnMut(Revised) -> ControlFlow<()> + Send,
    ) -> Result<(), StoreError> {
        // One statement sees one state of all tables, whatever the tidier does meanwhile. A segment
        // spans at most a day, which bounds the search from below.
        const QUERY: &str = concat!(
            "SELECT first_at, buffer, CAST(0 AS BIGINT), packed FROM segment
               WHERE device = $1 AND metric = $2 AND first_at > $3 AND first_at < $5 AND last_at >= $4
             UNION ALL
             SELECT first_at, buffer, CAST(0 AS BIGINT), packed FROM recent
               WHERE device = $1 AND first_at < $5 AND last_at >= $4
             UNION ALL
             SELECT first_at, buffer, revision, packed FROM revised
               WHERE device = $1 AND metric = $2 AND first_at > $3 AND first_at < $5 AND last_at >= $4 AND ",
            shown_revision!("$6"),
            " ORDER BY first_at"
        );
        let mut overlay = Overlay::default();
        on_pool!(&self.pool, |pool| {
            let mut rows = sqlx::query_as::<_, Stretch>(QUERY)
                .bind(device.as_str())
                .bind(metric.as_str())
                .bind(from.0.saturating_sub(DAY_MS))
                .bind(from.0)
                .bind(to.0)
                .bind(as_of.map_or(i64::MAX, i64::from))
                .fetch(pool);
            while let Some((first_at, buffer, revision, packed)) = rows.try_next().await? {
                if overlay.before(first_at).into_iter().try_for_each(&mut each).is_break() {
                    return Ok(());
                }
                let readings = unpack(&packed, Some(metric))?.into_iter().filter(|r| (from..to).contains(&r.stamp.at));
                overlay.push(readings, buffer_id(buffer)?, revision_number(revision)?);
            }
        });
        let _ = overlay.rest().into_iter().try_for_each(each);
        Ok(())
    }
}
