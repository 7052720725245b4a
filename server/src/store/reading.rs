//! What goes in and out of the store of readings: the types, and what is asked of one or all devices.
//! How they are laid out is the business of `append`, `tidy` and `segment`; see the migration for the tables.

use super::{Store, StoreError, on_pool, overlay::Revised, segment::unpack};
use futures_util::TryStreamExt;
use shared::{BufferId, DeviceName, Metric, Reading, Seq, UtcMillis, message::Received};
use std::{collections::BTreeMap, collections::BTreeSet, ops::ControlFlow};

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

/// First sequence, and the readings packed.
type Packed = (i64, Vec<u8>);

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

    /// At most `limit` readings of one metric with `from <= time < to`, the oldest first; of each the newest
    /// revision, or the newest up to `as_of` (0: as the device sent it).
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn readings(
        &self,
        device: &DeviceName,
        metric: Metric,
        (from, to): (UtcMillis, UtcMillis),
        limit: usize,
        as_of: Option<u32>,
    ) -> Result<Vec<Revised>, StoreError> {
        let mut found: Vec<Revised> = Vec::new();
        self.walk(device, metric, (from, to), as_of, |revised| {
            found.push(revised);
            if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .await?;
        found.truncate(limit);
        Ok(found)
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
            let mut rows = sqlx::query_as::<_, Packed>(sql).bind(device.as_str()).bind(buffer.to_string()).fetch(pool);
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

    pub(super) async fn heard_devices(&self) -> Result<Vec<DeviceName>, StoreError> {
        let names: Vec<(String,)> = on_pool!(&self.pool, |pool| {
            sqlx::query_as("SELECT DISTINCT device FROM buffer").fetch_all(pool).await?
        });
        let mut names = names.into_iter().map(|(name,)| device_name(name)).collect::<Result<Vec<_>, _>>()?;
        names.sort();
        Ok(names)
    }
}

pub(super) fn device_name(stored: String) -> Result<DeviceName, StoreError> {
    stored.try_into().map_err(|e: shared::id::IdError| StoreError::Corrupt { what: "device", why: e.to_string() })
}

pub(super) fn buffer_id(stored: String) -> Result<BufferId, StoreError> {
    stored.try_into().map_err(|e: shared::id::IdError| StoreError::Corrupt { what: "buffer", why: e.to_string() })
}
