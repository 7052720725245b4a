//! What goes in and out of the store of readings: the types, and what is asked of one or all devices.
//! How they are laid out is the business of `append`, `tidy` and `segment`; see the migration for the tables.

use super::{
    Store, StoreError, on_pool,
    segment::{DAY_MS, unpack},
};
use futures_util::TryStreamExt;
use shared::{BufferId, DeviceName, Metric, Outcome, Reading, Seq, UtcMillis, message::Received};
use std::{collections::BTreeMap, collections::BTreeSet};

/// A batch as it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// Whose, by the topic and thereby by the certificate.
    pub device: DeviceName,
    /// What it says.
    pub received: Received,
    /// When it arrived here.
    pub at: UtcMillis,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// The highest sequence that is now kept of its buffer: what may be acknowledged.
    pub through: Seq,
    /// Its readings that had not been seen before.
    pub fresh: Vec<Reading>,
    /// Sequences that the batch jumped over: the device had dropped them.
    pub skipped: u64,
}

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

/// A row that holds a stretch of readings: when it begins, and the readings packed.
type Stretch = (i64, Vec<u8>);
/// First and last instant, readings, measured, low, high, total; and the packed readings if the summary does not do.
type Summarised = (i64, i64, Option<i64>, Option<i64>, Option<f64>, Option<f64>, Option<f64>, Option<Vec<u8>>);

impl Store {
    /// The newest reading of each device and metric.
    ///
    /// The newest is the last that was taken, which its sequence tells; its time need not, because a
    /// clock may have been wrong. If a device has had several buffers, the one heard last counts.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn latest(&self) -> Result<Vec<(DeviceName, Reading)>, StoreError> {
        let sql = "SELECT device, latest FROM buffer ORDER BY device, heard_at DESC, buffer";
        let rows: Vec<(String, Vec<u8>)> = on_pool!(&self.pool, |pool| sqlx::query_as(sql).fetch_all(pool).await?);
        let mut newest = BTreeMap::new();
        for (device, packed) in rows {
            let device = device_name(device)?;
            for reading in unpack(&packed, None)? {
                newest.entry((device.clone(), reading.metric)).or_insert(reading);
            }
        }
        Ok(newest.into_iter().map(|((device, _), reading)| (device, reading)).collect())
    }

    /// At most `limit` readings of one metric with `from <= time < to`, the oldest first.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn readings(
        &self,
        device: &DeviceName,
        metric: Metric,
        from: UtcMillis,
        to: UtcMillis,
        limit: usize,
    ) -> Result<Vec<Reading>, StoreError> {
        // One statement sees one state of both tables, whatever the tidier does meanwhile. A segment
        // spans at most a day, which bounds the search from below.
        let sql = "SELECT first_at, packed FROM segment
             WHERE device = $1 AND metric = $2 AND first_at > $3 AND first_at < $5 AND last_at >= $4
             UNION ALL
             SELECT first_at, packed FROM recent WHERE device = $1 AND first_at < $5 AND last_at >= $4
             ORDER BY first_at";
        let mut found: Vec<Reading> = Vec::new();
        let by_time = |r: &Reading| (r.stamp.at, r.seq);
        on_pool!(&self.pool, |pool| {
            let mut rows = sqlx::query_as::<_, Stretch>(sql)
                .bind(device.as_str())
                .bind(metric.as_str())
                .bind(from.0.saturating_sub(DAY_MS))
                .bind(from.0)
                .bind(to.0)
                .fetch(pool);
            while let Some((first_at, packed)) = rows.try_next().await? {
                if found.len() >= limit {
                    found.sort_by_key(by_time);
                    // Nothing that is still to come lies before what is wanted.
                    if limit.checked_sub(1).is_none_or(|last| found[last].stamp.at.0 < first_at) {
                        break;
                    }
                }
                found.extend(unpack(&packed, Some(metric))?.into_iter().filter(|r| (from..to).contains(&r.stamp.at)));
            }
        });
        found.sort_by_key(by_time);
        found.truncate(limit);
        Ok(found)
    }

    /// The readings of one metric with `from <= time < to` in at most `points` stretches of equal
    /// length, of one device or of every device that has any.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn buckets(
        &self,
        device: Option<&DeviceName>,
        metric: Metric,
        from: UtcMillis,
        to: UtcMillis,
        points: usize,
    ) -> Result<Vec<(DeviceName, Buckets)>, StoreError> {
        let devices = match device {
            Some(device) => vec![device.clone()],
            None => self.heard_devices().await?,
        };
        let width = bucket_width(from.0, to.0, points);
        let mut all = Vec::with_capacity(devices.len());
        for name in devices {
            let buckets = self.device_buckets(&name, metric, from.0, to.0, width).await?;
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
        from: i64,
        to: i64,
        width: i64,
    ) -> Result<Buckets, StoreError> {
        let sql = "SELECT first_at, last_at, readings, measured, low, high, total,
               CASE WHEN first_at >= $4 AND last_at < $5 AND first_at / $6 = last_at / $6
                     AND (measured = 0 OR total IS NOT NULL) THEN NULL ELSE packed END
             FROM segment WHERE device = $1 AND metric = $2 AND first_at > $3 AND first_at < $5 AND last_at >= $4
             UNION ALL
             SELECT first_at, last_at, NULL, NULL, NULL, NULL, NULL, packed
             FROM recent WHERE device = $1 AND first_at < $5 AND last_at >= $4";
        let mut tally = Tally::default();
        on_pool!(&self.pool, |pool| {
            let mut rows = sqlx::query_as::<_, Summarised>(sql)
                .bind(device.as_str())
                .bind(metric.as_str())
                .bind(from.saturating_sub(DAY_MS))
                .bind(from)
                .bind(to)
                .bind(width)
                .fetch(pool);
            while let Some(row) = rows.try_next().await? {
                tally.add(row, metric, from..to, width)?;
            }
        });
        Ok(tally.into_buckets(width))
    }

    /// Calls `each` with every reading that is kept, ordered by device, buffer and sequence.
    /// Repeats that the database should not hold are not hidden.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable, or `each` fails.
    pub async fn export<E: From<StoreError>>(
        &self,
        device: Option<&DeviceName>,
        mut each: impl FnMut(&DeviceName, BufferId, &Reading) -> Result<(), E>,
    ) -> Result<(), E> {
        let buffers: Vec<(String, String)> = on_pool!(&self.pool, |pool| {
            sqlx::query_as("SELECT device, buffer FROM buffer").fetch_all(pool).await.map_err(StoreError::from)?
        });
        // Sorted here, because engines order text by different rules.
        let buffers: BTreeSet<(DeviceName, BufferId)> = buffers
            .into_iter()
            .map(|(name, buffer)| Ok((device_name(name)?, buffer_id(buffer)?)))
            .collect::<Result<_, StoreError>>()?;
        for (name, buffer) in buffers.iter().filter(|(name, _)| device.is_none_or(|wanted| wanted == name)) {
            self.export_buffer(name, *buffer, &mut each).await?;
        }
        Ok(())
    }

    /// One buffer. The rows come by their first sequence and overlap only as far as the metrics of a
    /// few batches do, so what is held at a time is bounded by that.
    async fn export_buffer<E: From<StoreError>>(
        &self,
        device: &DeviceName,
        buffer: BufferId,
        each: &mut impl FnMut(&DeviceName, BufferId, &Reading) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT first_seq, packed FROM segment WHERE device = $1 AND buffer = $2
             UNION ALL SELECT first_seq, packed FROM recent WHERE device = $1 AND buffer = $2
             ORDER BY first_seq";
        let mut held: Vec<Reading> = Vec::new();
        on_pool!(&self.pool, |pool| {
            let mut rows = sqlx::query_as::<_, Stretch>(sql).bind(device.as_str()).bind(buffer.to_string()).fetch(pool);
            while let Some((first_seq, packed)) = rows.try_next().await.map_err(StoreError::from)? {
                let certain = held.partition_point(|r| r.seq.cast_signed() < first_seq);
                for reading in held.drain(..certain) {
                    each(device, buffer, &reading)?;
                }
                held.extend(unpack(&packed, None)?);
                held.sort_by_key(|r| r.seq);
            }
        });
        held.iter().try_for_each(|reading| each(device, buffer, reading))
    }

    async fn heard_devices(&self) -> Result<Vec<DeviceName>, StoreError> {
        let names: Vec<(String,)> = on_pool!(&self.pool, |pool| {
            sqlx::query_as("SELECT DISTINCT device FROM buffer").fetch_all(pool).await?
        });
        let mut names = names.into_iter().map(|(name,)| device_name(name)).collect::<Result<Vec<_>, _>>()?;
        names.sort();
        Ok(names)
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
    fn add(
        &mut self,
        (first_at, _, readings, measured, low, high, total, packed): Summarised,
        metric: Metric,
        within: std::ops::Range<i64>,
        width: i64,
    ) -> Result<(), StoreError> {
        let Some(packed) = packed else {
            let count = |n: Option<i64>| u32::try_from(n.unwrap_or_default()).unwrap_or(u32::MAX);
            let bucket = self.0.entry(first_at.div_euclid(width)).or_default();
            bucket.measured += count(measured);
            bucket.faults += count(readings) - count(measured);
            if let (Some(low), Some(high), Some(total)) = (low, high, total) {
                bucket.widen(low, high, total);
            }
            return Ok(());
        };
        for reading in unpack(&packed, Some(metric))?.iter().filter(|r| within.contains(&r.stamp.at.0)) {
            let bucket = self.0.entry(reading.stamp.at.0.div_euclid(width)).or_default();
            match reading.outcome {
                Outcome::Measured(value) => {
                    bucket.measured += 1;
                    bucket.widen(value.get(), value.get(), value.get());
                }
                Outcome::Fault(_) => bucket.faults += 1,
            }
        }
        Ok(())
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

pub(super) fn device_name(stored: String) -> Result<DeviceName, StoreError> {
    stored.try_into().map_err(|e: shared::id::IdError| StoreError::Corrupt { what: "device", why: e.to_string() })
}

pub(super) fn buffer_id(stored: String) -> Result<BufferId, StoreError> {
    stored.try_into().map_err(|e: shared::id::IdError| StoreError::Corrupt { what: "buffer", why: e.to_string() })
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
