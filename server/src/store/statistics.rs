//! Statistics of readings by periods, and what else reports ask of the past: which intervals were set when, which thresholds.
//! Readings pass by stretch after stretch, so that a year of them needs no more memory than a day, and no connection for long.

use super::{Store, StoreError, on_pool, segment::DAY_MS, threshold};
use crate::audit::Act;
use crate::outage::Window;
use crate::report::{Pace, Statistics, Tallies};
use crate::threshold::Kept;
use serde_json::Value;
use shared::{DeviceName, Metric, UtcMillis, message::Intervals};
use std::ops::ControlFlow;

/// So much time is read at once. It ends with a UTC day, as segments do: hardly anything is unpacked twice.
const STRIDE_MS: i64 = 8 * DAY_MS;

impl Store {
    /// What each of some periods holds of one metric of a device, of each reading its newest revision; and how far apart readings
    /// usually are, in milliseconds. The periods stand in order and don't overlap.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn statistics(
        &self,
        device: &DeviceName,
        metric: Metric,
        periods: &[Window],
    ) -> Result<(Vec<Statistics>, Option<f64>), StoreError> {
        let mut tallies = Tallies::new(metric, periods.to_vec());
        let all = Window {
            from: periods.first().map_or(0, |first| first.from),
            to: periods.last().map_or(0, |last| last.to),
        };
        let mut from = all.from;
        while from < all.to {
            let to = ((from.div_euclid(STRIDE_MS) + 1) * STRIDE_MS).min(all.to);
            let take = |revised| {
                tallies.take(&revised);
                ControlFlow::Continue(())
            };
            self.walk(device, metric, (UtcMillis(from), UtcMillis(to)), None, take).await?;
            // Others want to be served between.
            tokio::task::yield_now().await;
            from = to;
        }
        Ok(tallies.finish())
    }

    /// The intervals that a device was set to, by when they were set; the first stand for all the time before, too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn paces(&self, device: &DeviceName) -> Result<Vec<Pace>, StoreError> {
        const CHANGES: &str = "SELECT at, detail FROM audit WHERE device = $1 AND act = $2 ORDER BY id";
        const PRESENT: &str = "SELECT intervals FROM device WHERE name = $1";
        let rows: Vec<(i64, String)> = on_pool!(&self.pool, |pool| {
            let query = sqlx::query_as(CHANGES).bind(device.as_str()).bind(Act::DeviceSettingsChanged.as_str());
            query.fetch_all(pool).await?
        });
        let mut paces: Vec<Pace> = vec![];
        for (from, detail) in rows {
            let detail: Value = serde_json::from_str(&detail).unwrap_or_default();
            let intervals = |part: &str| serde_json::from_value::<Intervals>(detail[part].clone()).ok();
            if paces.is_empty() {
                paces.extend(intervals("before").map(|intervals| Pace { from: i64::MIN, intervals }));
            }
            paces.extend(intervals("after").map(|intervals| Pace { from, intervals }));
        }
        if paces.is_empty() {
            let present: Option<String> = on_pool!(&self.pool, |pool| sqlx::query_scalar(PRESENT)
                .bind(device.as_str())
                .fetch_optional(pool)
                .await?);
            let intervals = present.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            paces.push(Pace { from: i64::MIN, intervals });
        }
        Ok(paces)
    }

    /// All thresholds of one metric that were set before a time for a device, its location or the fleet, in the order in which
    /// they were set.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn thresholds_before(
        &self,
        device: &DeviceName,
        location: Option<&str>,
        metric: Metric,
        to: i64,
    ) -> Result<Vec<Kept>, StoreError> {
        const QUERY: &str =
            "SELECT scope, target, metric, version, threshold, preset, changed_at, changed_by FROM threshold
            WHERE metric = $1 AND changed_at < $2 AND (scope = 'fleet' OR (scope = 'location' AND target = $3)
              OR (scope = 'device' AND target = $4)) ORDER BY changed_at, version";
        let rows: Vec<threshold::Row> = on_pool!(&self.pool, |pool| {
            let query = sqlx::query_as(QUERY).bind(metric.as_str()).bind(to).bind(location.unwrap_or_default());
            query.bind(device.as_str()).fetch_all(pool).await?
        });
        rows.into_iter().map(threshold::kept).collect()
    }
}
