//! The readings of many devices in the order of their times, part by part: each part is a few short statements, so that
//! whoever takes them slowly holds no connection and keeps nobody waiting. Knows neither files nor what is wanted of them.

use super::{Store, StoreError, on_pool, overlay::Revised, reading::device_name, segment::unpack};
use shared::{DeviceName, Metric, Reading, UtcMillis};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A part holds about so many readings of a metric, if there are as many.
const ENOUGH: i64 = 2_000;
/// The same where only the newest are wanted, at first: each further look back is twice as long.
const ENOUGH_AT_FIRST: i64 = 200;
/// Rows that are looked at to find where a part ends, at most.
const LOOKED_AT: usize = 64;
/// After so many readings whoever looks for the newest of a kind says how far it has looked, and is asked again.
const PATIENCE: usize = 200_000;

/// Where packed rows begin, and about how many readings each holds: those that were computed again stand beside their originals.
macro_rules! beginnings {
    ($order:literal) => {
        concat!(
            "SELECT first_at, readings FROM segment
               WHERE device = $1 AND metric = $2 AND first_at > $3 AND first_at < $4
             UNION ALL SELECT first_at, CAST(250 AS BIGINT) FROM revised
               WHERE device = $1 AND metric = $2 AND first_at > $3 AND first_at < $4
             ORDER BY first_at ",
            $order,
            " LIMIT 64"
        )
    };
}

/// Some readings of one device, of all its metrics.
#[derive(Debug, Default)]
pub struct Part {
    /// Oldest first.
    pub readings: Vec<Revised>,
    /// Where the next part begins; `None`: that was all.
    pub next: Option<UtcMillis>,
}

/// The newest readings of some devices.
#[derive(Debug, Default)]
pub struct Newest {
    /// Newest first.
    pub readings: Vec<(DeviceName, Revised)>,
    /// All that is older than this has not been looked at; `None`: there is no more.
    pub next: Option<UtcMillis>,
}

impl Store {
    /// Every device that has ever sent a reading, and what it has measured.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn measured(&self) -> Result<BTreeMap<DeviceName, BTreeSet<Metric>>, StoreError> {
        let sql = "SELECT device, latest FROM buffer";
        let rows: Vec<(String, Vec<u8>)> = on_pool!(&self.pool, |pool| sqlx::query_as(sql).fetch_all(pool).await?);
        let mut measured: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (device, latest) in rows {
            let metrics = measured.entry(device_name(device)?).or_default();
            match unpack(&latest, None) {
                Ok(latest) => metrics.extend(latest.into_iter().map(|reading| reading.metric)),
                // Only a copy of the newest of each: what lies behind it may be whole.
                Err(_) => metrics.extend(Metric::ALL),
            }
        }
        Ok(measured)
    }

    /// The oldest readings with `from <= time < to`, of the newest revision, so many that memory does not matter.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn part(
        &self,
        device: &DeviceName,
        metrics: &[Metric],
        (from, to): (UtcMillis, UtcMillis),
    ) -> Result<Part, StoreError> {
        const ASCENDING: &str = beginnings!("");
        let mut end = to.0;
        for metric in metrics {
            let rows = self.beginnings(ASCENDING, device, *metric, (from.0, end)).await?;
            end = end_of(&rows).unwrap_or(end);
        }
        let mut readings = vec![];
        for metric in metrics {
            readings.extend(self.readings(device, *metric, (from, UtcMillis(end)), usize::MAX, None).await?);
        }
        readings.sort_by_key(|r| (r.reading.stamp.at, r.reading.metric, r.reading.seq, r.buffer));
        Ok(Part { readings, next: (end < to.0).then_some(UtcMillis(end)) })
    }

    /// The newest readings with `from <= time < to` that are meant, at least `enough` if there are as many and not much has to
    /// be passed over: they end with all of one millisecond.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn newest(
        &self,
        of: &[(DeviceName, Vec<Metric>)],
        (from, to): (UtcMillis, UtcMillis),
        enough: usize,
        is_meant: impl Fn(&Reading) -> bool + Send + Sync,
    ) -> Result<Newest, StoreError> {
        const DESCENDING: &str = beginnings!("DESC");
        let (mut found, mut looked) = (Found { enough, readings: vec![] }, 0);
        let (mut end, mut wanted) = (to, ENOUGH_AT_FIRST);
        loop {
            let mut begin = from.0;
            for (device, metrics) in of {
                for metric in metrics {
                    let rows = self.beginnings(DESCENDING, device, *metric, (begin, end.0)).await?;
                    begin = begin_of(&rows, wanted).unwrap_or(begin);
                }
            }
            for (place, (device, metrics)) in of.iter().enumerate() {
                for metric in metrics {
                    let range = (UtcMillis(begin), end);
                    let readings = self.readings(device, *metric, range, usize::MAX, None).await?;
                    looked += readings.len();
                    found.take(place, readings.into_iter().filter(|revised| is_meant(&revised.reading)));
                }
            }
            let oldest = found.close();
            if oldest.is_some() || begin == from.0 || looked > PATIENCE {
                let next = oldest.or((begin > from.0).then_some(UtcMillis(begin)));
                let named = |(place, revised): (usize, Revised)| Some((of.get(place)?.0.clone(), revised));
                return Ok(Newest { readings: found.readings.into_iter().filter_map(named).collect(), next });
            }
            (end, wanted) = (UtcMillis(begin), (wanted * 2).min(10 * ENOUGH));
        }
    }

    async fn beginnings(
        &self,
        sql: &'static str,
        device: &DeviceName,
        metric: Metric,
        (from, to): (i64, i64),
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        Ok(on_pool!(&self.pool, |pool| {
            let query = sqlx::query_as(sql).bind(device.as_str()).bind(metric.as_str());
            query.bind(from).bind(to).fetch_all(pool).await?
        }))
    }
}

/// The first row after which there are enough: a part ends before it.
fn end_of(rows: &[(i64, i64)]) -> Option<i64> {
    let mut held = 0;
    for (at, readings) in rows {
        if held >= ENOUGH {
            return Some(*at);
        }
        held += readings;
    }
    rows.last().filter(|_| rows.len() == LOOKED_AT).map(|(at, _)| *at)
}

/// The row with which there are enough, going back: a part begins with it.
fn begin_of(rows: &[(i64, i64)], enough: i64) -> Option<i64> {
    let mut held = 0;
    for (at, readings) in rows {
        held += readings;
        if held >= enough {
            return Some(*at);
        }
    }
    rows.last().filter(|_| rows.len() == LOOKED_AT).map(|(at, _)| *at)
}

/// The newest readings that were found so far, by the place of their device.
struct Found {
    enough: usize,
    readings: Vec<(usize, Revised)>,
}

impl Found {
    /// Takes more, and holds little beyond what is wanted.
    fn take(&mut self, place: usize, readings: impl Iterator<Item = Revised>) {
        self.readings.extend(readings.map(|revised| (place, revised)));
        if self.readings.len() > 8 * self.enough.max(1_000) {
            self.close();
        }
    }

    /// Puts them in order and drops what is too old to be wanted; says how old the last is, once there are enough.
    fn close(&mut self) -> Option<UtcMillis> {
        self.readings.sort_by_key(|(place, revised)| {
            let reading = &revised.reading;
            (Reverse(reading.stamp.at), *place, reading.metric, Reverse(reading.seq), revised.buffer)
        });
        let oldest = self.readings.get(self.enough.saturating_sub(1))?.1.reading.stamp.at;
        self.readings.retain(|(_, revised)| revised.reading.stamp.at >= oldest);
        Some(oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_ends_where_there_are_enough_and_never_where_it_begins() {
        assert_eq!(end_of(&[]), None);
        assert_eq!(end_of(&[(5, 1999), (9, 1), (12, 7)]), Some(12));
        assert_eq!(end_of(&[(5, 5000)]), None, "that was all");
        assert_eq!(end_of(&[(5, 5000), (6, 1)]), Some(6));
        let many: Vec<_> = (1..=LOOKED_AT as i64).map(|n| (n, 1)).collect();
        assert_eq!(end_of(&many), Some(LOOKED_AT as i64), "more may follow");
        assert_eq!(begin_of(&[(12, 150), (9, 50), (5, 1)], 200), Some(9));
        assert_eq!(begin_of(&[(12, 150)], 200), None);
    }
}
