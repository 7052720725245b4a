//! One series summed up in stretches of time, for charts: from the summaries of segments where they do, and from the
//! readings themselves where not.

use super::{
    Store, StoreError, on_pool,
    overlay::{Overlay, Revised},
    reading::buffer_id,
    revision::{revision_number, shown_revision},
    segment::{DAY_MS, unpack},
};
use futures_util::TryStreamExt;
use shared::{DeviceName, Metric, Outcome, UtcMillis};
use std::{collections::BTreeMap, ops::Range};

/// One series, parted into stretches of time of equal length. The columns have equal lengths; a
/// stretch without any reading is absent, one with nothing but faults has no values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Buckets {
    /// The length of a stretch.
    pub bucket_ms: i64,
    /// Where each begins: a multiple of `bucket_ms`, so that the same question a little later has the same stretches.
    pub time: Vec<i64>,
    /// Least value.
    pub min: Vec<Option<f64>>,
    /// Mean of the values.
    pub avg: Vec<Option<f64>>,
    /// Greatest value.
    pub max: Vec<Option<f64>>,
    /// How many values.
    pub count: Vec<u32>,
    /// How many faults.
    pub faults: Vec<u32>,
}

/// A stretch of readings: its summary, or the readings packed if that does not do.
#[derive(sqlx::FromRow)]
struct Summarised {
    first_at: i64,
    buffer: String,
    revision: i64,
    readings: Option<i64>,
    measured: Option<i64>,
    low: Option<f64>,
    high: Option<f64>,
    total: Option<f64>,
    packed: Option<Vec<u8>>,
}

impl Store {
    /// The readings of one metric with `from <= time < to` in at most `points` stretches of equal
    /// length, of one device or of every device that has any; `as_of` as in [`Store::readings`].
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn buckets(
        &self,
        device: Option<&DeviceName>,
        metric: Metric,
        (from, to): (UtcMillis, UtcMillis),
        points: usize,
        as_of: Option<u32>,
    ) -> Result<Vec<(DeviceName, Buckets)>, StoreError> {
        let devices = match device {
            Some(device) => vec![device.clone()],
            None => self.heard_devices().await?,
        };
        let width = bucket_width(from.0, to.0, points);
        let mut all = Vec::with_capacity(devices.len());
        for name in devices {
            let buckets = self.device_buckets(&name, metric, from.0..to.0, width, as_of).await?;
            if device.is_some() || !buckets.time.is_empty() {
                all.push((name, buckets));
            }
        }
        Ok(all)
    }

    async fn device_buckets(
        &self,
        device: &DeviceName,
        metric: Metric,
        within: Range<i64>,
        width: i64,
        as_of: Option<u32>,
    ) -> Result<Buckets, StoreError> {
        // The summary of a segment does only where it lies within one bucket and nothing of it was computed again.
        const QUERY: &str = concat!(
            "SELECT first_at, buffer, CAST(0 AS BIGINT) AS revision, readings, measured, low, high, total,
               CASE WHEN first_at >= $4 AND last_at < $5 AND first_at / $6 = last_at / $6
                     AND (measured = 0 OR total IS NOT NULL)
                     AND NOT EXISTS (SELECT 1 FROM revision WHERE revision.device = segment.device
                       AND revision.metric = segment.metric AND digest IS NOT NULL AND number <= $7
                       AND from_at <= segment.last_at AND to_at > segment.first_at)
                 THEN NULL ELSE packed END AS packed
             FROM segment WHERE device = $1 AND metric = $2 AND first_at > $3 AND first_at < $5 AND last_at >= $4
             UNION ALL
             SELECT first_at, buffer, CAST(0 AS BIGINT), NULL, NULL, NULL, NULL, NULL, packed
             FROM recent WHERE device = $1 AND first_at < $5 AND last_at >= $4
             UNION ALL
             SELECT first_at, buffer, revision, NULL, NULL, NULL, NULL, NULL, packed
             FROM revised WHERE device = $1 AND metric = $2 AND first_at > $3 AND first_at < $5 AND last_at >= $4 AND ",
            shown_revision!("$7"),
            " ORDER BY first_at"
        );
        let (mut tally, mut overlay) = (Tally::default(), Overlay::default());
        on_pool!(&self.pool, |pool| {
            let mut rows = sqlx::query_as::<_, Summarised>(QUERY)
                .bind(device.as_str())
                .bind(metric.as_str())
                .bind(within.start.saturating_sub(DAY_MS))
                .bind(within.start)
                .bind(within.end)
                .bind(width)
                .bind(as_of.map_or(i64::MAX, i64::from))
                .fetch(pool);
            while let Some(row) = rows.try_next().await? {
                let Some(packed) = &row.packed else {
                    tally.add_summary(&row, width);
                    continue;
                };
                tally.add(overlay.before(row.first_at), width);
                let readings = unpack(packed, Some(metric))?.into_iter().filter(|r| within.contains(&r.stamp.at.0));
                overlay.push(readings, buffer_id(row.buffer)?, revision_number(row.revision)?);
            }
        });
        tally.add(overlay.rest(), width);
        Ok(tally.into_buckets(width))
    }
}

/// Lengths of time that a person would choose; each divides a day or is a multiple of one.
const NICE_MS: [i64; 26] = {
    const S: i64 = 1_000;
    const M: i64 = 60 * S;
    const H: i64 = 60 * M;
    [
        100,
        200,
        500,
        S,
        2 * S,
        5 * S,
        10 * S,
        15 * S,
        20 * S,
        30 * S,
        M,
        2 * M,
        3 * M,
        5 * M,
        10 * M,
        15 * M,
        20 * M,
        30 * M,
        45 * M,
        H,
        2 * H,
        3 * H,
        4 * H,
        6 * H,
        12 * H,
        24 * H,
    ]
};

/// The shortest length with which `from..to` touches at most `points` stretches.
fn bucket_width(from: i64, to: i64, points: usize) -> i64 {
    let points = i64::try_from(points.max(1)).unwrap_or(i64::MAX);
    let touched = |width: i64| (to - 1).div_euclid(width).saturating_sub(from.div_euclid(width)).saturating_add(1);
    let days = (1..).map(|n: u32| DAY_MS.saturating_mul(1_i64.checked_shl(n).unwrap_or(i64::MAX)));
    let fits = |width: &i64| touched(*width) <= points || *width == i64::MAX;
    NICE_MS.into_iter().chain(days).find(fits).unwrap_or(i64::MAX)
}

#[derive(Default)]
struct Bucket {
    measured: u32,
    faults: u32,
    range: Option<(f64, f64, f64)>,
}

impl Bucket {
    fn widen(&mut self, low: f64, high: f64, total: f64) {
        let (l, h, t) = self.range.unwrap_or((low, high, 0.0));
        self.range = Some((l.min(low), h.max(high), t + total));
    }
}

/// Buckets in the making, by their number.
#[derive(Default)]
struct Tally(BTreeMap<i64, Bucket>);

impl Tally {
    fn add_summary(&mut self, row: &Summarised, width: i64) {
        let count = |n: Option<i64>| u32::try_from(n.unwrap_or_default()).unwrap_or(u32::MAX);
        let bucket = self.0.entry(row.first_at.div_euclid(width)).or_default();
        bucket.measured += count(row.measured);
        bucket.faults += count(row.readings) - count(row.measured);
        if let (Some(low), Some(high), Some(total)) = (row.low, row.high, row.total) {
            bucket.widen(low, high, total);
        }
    }

    fn add(&mut self, readings: Vec<Revised>, width: i64) {
        for Revised { reading, .. } in readings {
            let bucket = self.0.entry(reading.stamp.at.0.div_euclid(width)).or_default();
            match reading.outcome {
                Outcome::Measured(value) => {
                    bucket.measured += 1;
                    bucket.widen(value.get(), value.get(), value.get());
                }
                Outcome::Fault(_) => bucket.faults += 1,
            }
        }
    }

    fn into_buckets(self, width: i64) -> Buckets {
        let mut columns = Buckets { bucket_ms: width, ..Buckets::default() };
        for (number, bucket) in self.0 {
            columns.time.push(number * width);
            columns.min.push(bucket.range.map(|(low, ..)| low));
            columns.max.push(bucket.range.map(|(_, high, _)| high));
            columns.avg.push(bucket.range.map(|(low, high, total)| {
                // Rounding may carry a mean beyond what it is the mean of.
                (total / f64::from(bucket.measured)).clamp(low, high)
            }));
            columns.count.push(bucket.measured);
            columns.faults.push(bucket.faults);
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_into_as_many_stretches_as_asked_or_fewer_and_not_far_fewer() {
        let from = 1_763_690_412_345;
        for span in [1_000, 60_000, 3_600_000, DAY_MS, 30 * DAY_MS, 3_650 * DAY_MS] {
            for points in [1, 60, 500] {
                let width = bucket_width(from, from + span, points);
                let touched = (from + span - 1) / width - from / width + 1;
                assert!(touched <= points as i64, "{span} in {points}: {width}");
                assert!(width == NICE_MS[0] || touched * 4 >= points as i64, "{span} in {points}: {width}");
            }
        }
        bucket_width(i64::MIN, i64::MAX, 500);
        bucket_width(0, 0, 0);
    }

    #[test]
    fn every_nice_length_divides_a_day() {
        assert!(NICE_MS.iter().all(|ms| DAY_MS % ms == 0));
        assert!(NICE_MS.is_sorted());
    }
}
