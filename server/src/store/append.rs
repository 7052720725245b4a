//! Batches into the database: one transaction for many of them, each reading once.
//!
//! What is to be written is worked out first, without a database (`Plan`); then it is written with
//! few statements, because a statement costs more than a row.

use super::{
    Store, StoreError,
    conn::{Conn, on_conn, transaction},
    reading::{Committed, Incoming},
    segment::{Summary, pack, split, unpack},
};
use crate::digest::Sha256;
use shared::{Metric, Reading, message::Refused};
use sqlx::AssertSqlSafe;
use std::collections::{HashMap, HashSet};

/// From this many new readings on, a batch is written as segments at once: it is a backlog.
const SEGMENTS_AT_ONCE: usize = 200;
/// Most rows of one statement. Both engines take more, but no longer faster.
const MOST_ROWS: usize = 64;
/// Most names of one question, and so most devices of which one transaction locks the rows in one order.
pub(super) const MOST_NAMES: usize = 512;

/// A statement that inserts any number of rows.
pub(super) struct Insert {
    pub(super) head: &'static str,
    pub(super) columns: usize,
    pub(super) tail: &'static str,
}

pub(super) const SEGMENTS: Insert = Insert {
    head: "INSERT INTO segment (device, metric, first_at, buffer, first_seq, last_at, last_seq,
             readings, measured, low, high, total, packed) VALUES ",
    columns: 13,
    tail: "",
};
const RECENT: Insert = Insert {
    head: "INSERT INTO recent (device, buffer, first_seq, last_seq, first_at, last_at, packed) VALUES ",
    columns: 7,
    tail: "",
};
const REFUSED: Insert = Insert {
    head: "INSERT INTO refused (device, buffer, seq, reason, sent, received_at) VALUES ",
    columns: 6,
    tail: "",
};
const BUFFERS: Insert = Insert {
    head: "INSERT INTO buffer (device, buffer, high_seq, skipped, heard_at, latest, loose, loose_since) VALUES ",
    columns: 8,
    tail: " ON CONFLICT (device, buffer) DO UPDATE SET high_seq = excluded.high_seq, skipped = excluded.skipped,
             heard_at = excluded.heard_at, latest = excluded.latest, loose = excluded.loose,
             loose_since = excluded.loose_since",
};

impl Insert {
    pub(super) fn sql(&self, rows: usize) -> AssertSqlSafe<String> {
        let mut sql = String::with_capacity(self.head.len() + rows * self.columns * 5 + self.tail.len());
        sql.push_str(self.head);
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ",(" });
            sql.push_str(&placeholders(row * self.columns, self.columns));
            sql.push(')');
        }
        sql.push_str(self.tail);
        AssertSqlSafe(sql)
    }
}

pub(super) fn placeholders(after: usize, count: usize) -> String {
    (after + 1..=after + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(",")
}

/// Parts of 1, 2, 4, ... up to [`MOST_ROWS`] rows: few statement texts, which therefore stay prepared.
pub(super) fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let largest = 1 << rows.len().checked_ilog2()?;
        let (chunk, rest) = rows.split_at(largest.min(MOST_ROWS));
        rows = rest;
        Some(chunk)
    })
}

/// Executes an [`Insert`] for all rows.
macro_rules! insert {
    ($tx:expr, $insert:expr, $rows:expr, |$row:ident| $($value:expr),+) => {
        for chunk in $crate::store::append::chunks($rows) {
            let mut query = sqlx::query($insert.sql(chunk.len()));
            for $row in chunk {
                query = query$(.bind($value))+;
            }
            query.execute(&mut *$tx).await?;
        }
    };
}
pub(super) use insert;

/// Inserts [`SegmentRow`]s.
macro_rules! insert_segments {
    ($tx:expr, $rows:expr) => {
        $crate::store::append::insert!(
            $tx,
            $crate::store::append::SEGMENTS,
            $rows,
            |row| row.device.as_str(),
            row.metric.as_str(),
            row.summary.first_at,
            row.buffer.as_str(),
            row.summary.first_seq,
            row.summary.last_at,
            row.summary.last_seq,
            row.summary.readings,
            row.summary.measured,
            row.summary.range.map(|r| r.0),
            row.summary.range.map(|r| r.1),
            // A sum beyond all floats would be NaN in one engine and NULL in the other.
            row.summary.range.map(|r| r.2).filter(|total| total.is_finite()),
            row.packed.as_slice()
        )
    };
}
pub(super) use insert_segments;

/// The rows of a question about devices, however many: `of_names!(conn, &names, |list| format!("... IN ({list})"))`.
macro_rules! of_names {
    ($conn:expr, $names:expr, |$list:ident| $sql:expr) => {{
        let mut rows = Vec::new();
        for names in $names.chunks($crate::store::append::MOST_NAMES) {
            let count = names.len().next_power_of_two();
            let $list = $crate::store::append::placeholders(0, count);
            let sql = sqlx::AssertSqlSafe($sql);
            rows.extend($crate::store::conn::on_conn!($conn, |c| {
                let mut query = sqlx::query_as(sql);
                for i in 0..count {
                    query = query.bind(names[i.min(names.len() - 1)]);
                }
                query.fetch_all(&mut *c).await?
            }));
        }
        rows
    }};
}
pub(super) use of_names;

/// A row of `segment`.
pub(crate) struct SegmentRow {
    pub(super) device: String,
    pub(super) buffer: String,
    pub(super) metric: Metric,
    pub(super) summary: Summary,
    pub(super) packed: Vec<u8>,
}

impl SegmentRow {
    /// The rows that hold these readings of one buffer.
    pub(crate) fn of(device: &str, buffer: &str, readings: &[Reading]) -> impl Iterator<Item = Self> {
        split(readings).into_iter().filter_map(move |(metric, part)| {
            let (device, buffer) = (device.to_owned(), buffer.to_owned());
            Some(Self { device, buffer, metric, summary: Summary::of(&part)?, packed: pack(&part) })
        })
    }

    /// Adds what it says to a digest.
    pub(crate) fn digest(&self, into: &mut Sha256) {
        into.update(self.buffer.as_bytes());
        into.update(&(self.packed.len() as u64).to_le_bytes());
        into.update(&self.packed);
    }
}

struct RecentRow {
    device: String,
    buffer: String,
    summary: Summary,
    packed: Vec<u8>,
}

struct RefusedRow<'a> {
    device: &'a str,
    buffer: String,
    row: &'a Refused,
    at: i64,
}

/// The row of a buffer, and what becomes of it.
struct Buffer {
    high: u64,
    skipped: u64,
    heard_at: i64,
    latest: [Option<Reading>; Metric::ALL.len()],
    loose: i64,
    loose_since: Option<i64>,
    changed: bool,
}

/// Device, buffer, high_seq, skipped, latest, loose, loose_since.
type BufferRow = (String, String, i64, i64, Vec<u8>, i64, Option<i64>);
type Buffers = HashMap<(String, String), Buffer>;

impl Store {
    /// Commits batches, all or none, in one transaction; each reading once, however often it comes.
    ///
    /// The answers stand in the order of the batches. `None` is for a batch of a device that is not
    /// registered, or no longer: nothing of it is kept and it must not be acknowledged.
    ///
    /// # Errors
    /// When the database fails: then nothing is kept and nothing may be acknowledged.
    pub async fn append(&self, batches: &[Incoming]) -> Result<Vec<Option<Committed>>, StoreError> {
        let (begin, _) = self.writing();
        Ok(transaction!(self, begin, |conn| self.append_on(conn, batches, 0).await?))
    }

    /// The same within a transaction. The first `past` batches are of the past: what was taken since is known already, so they
    /// are kept, but neither judged nor the latest.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn append_on(
        &self,
        conn: &mut Conn<'_>,
        batches: &[Incoming],
        past: usize,
    ) -> Result<Vec<Option<Committed>>, StoreError> {
        let names: Vec<&str> = {
            let mut names: Vec<_> = batches.iter().map(|b| b.device.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        // Locks the devices, in one order, before their buffers are read: another server may be taking in the same batch.
        let lock = conn.lock();
        let seen: Vec<(String, Option<i64>)> = of_names!(conn, &names, |list| format!(
            "SELECT name, last_seen FROM device WHERE name IN ({list}) AND revoked_at IS NULL AND quarantined_at IS NULL ORDER BY name{lock}"
        ));
        let rows: Vec<BufferRow> = of_names!(conn, &names, |list| format!(
            "SELECT device, buffer, high_seq, skipped, latest, loose, loose_since FROM buffer WHERE device IN ({list})"
        ));
        let known: HashSet<&str> = seen.iter().map(|(name, _)| name.as_str()).collect();
        let plan = Plan::of(batches, past, &known, rows);
        plan.write(conn).await?;
        for (name, at) in last_seen(batches, &seen) {
            let sql = "UPDATE device SET last_seen = $2 WHERE name = $1";
            on_conn!(conn, |c| sqlx::query(sql).bind(name).bind(at).execute(&mut *c).await?.rows_affected());
        }
        if let Some(now) = batches.iter().map(|batch| batch.at).max() {
            self.judge(conn, &plan.fresh(batches, past), now).await?;
        }
        Ok(plan.answers)
    }
}

/// The devices whose `last_seen` is worth a write: it is shown in seconds.
fn last_seen<'a>(batches: &'a [Incoming], seen: &[(String, Option<i64>)]) -> HashMap<&'a str, i64> {
    let before: HashMap<&str, Option<i64>> = seen.iter().map(|(name, at)| (name.as_str(), *at)).collect();
    let mut due = HashMap::new();
    for batch in batches {
        let (name, at) = (batch.device.as_str(), batch.at.0);
        if before.get(name).is_some_and(|last| last.is_none_or(|last| last + 1_000 <= at)) {
            let newest = due.entry(name).or_insert(at);
            *newest = at.max(*newest);
        }
    }
    due
}

/// What one transaction writes, and what it answers.
#[derive(Default)]
struct Plan<'a> {
    recent: Vec<RecentRow>,
    segments: Vec<SegmentRow>,
    refused: Vec<RefusedRow<'a>>,
    buffers: Buffers,
    answers: Vec<Option<Committed>>,
}

impl<'a> Plan<'a> {
    fn of(batches: &'a [Incoming], past: usize, known: &HashSet<&str>, rows: Vec<BufferRow>) -> Self {
        let mut plan = Plan { buffers: rows.into_iter().map(Buffer::read).collect(), ..Plan::default() };
        for (n, batch) in batches.iter().enumerate() {
            let answer = known.contains(batch.device.as_str()).then(|| plan.take(batch, n < past));
            plan.answers.push(answer);
        }
        plan
    }

    /// The readings that had not been seen before and are to be judged, and whose.
    fn fresh<'b>(&'b self, batches: &'b [Incoming], past: usize) -> Vec<(&'b str, &'b [Reading])> {
        let whose = batches.iter().map(|batch| batch.device.as_str());
        let fresh = self.answers.iter().map(|answer| answer.as_ref().map_or(&[][..], |kept| &kept.fresh[..]));
        whose.zip(fresh).skip(past).filter(|(_, fresh)| !fresh.is_empty()).collect()
    }

    async fn write(&self, conn: &mut Conn<'_>) -> Result<(), StoreError> {
        let changed: Vec<_> = self.buffers.iter().filter(|(_, b)| b.changed).collect();
        on_conn!(conn, |c| {
            insert!(
                c,
                RECENT,
                &self.recent,
                |row| row.device.as_str(),
                row.buffer.as_str(),
                row.summary.first_seq,
                row.summary.last_seq,
                row.summary.first_at,
                row.summary.last_at,
                row.packed.as_slice()
            );
            insert_segments!(c, &self.segments);
            insert!(
                c,
                REFUSED,
                &self.refused,
                |row| row.device,
                row.buffer.as_str(),
                row.row.seq.cast_signed(),
                row.row.reason.as_str(),
                row.row.row.as_str(),
                row.at
            );
            insert!(
                c,
                BUFFERS,
                &changed,
                |row| row.0.0.as_str(),
                row.0.1.as_str(),
                row.1.high.cast_signed(),
                row.1.skipped.cast_signed(),
                row.1.heard_at,
                pack(&row.1.latest.iter().flatten().copied().collect::<Vec<_>>()),
                row.1.loose,
                row.1.loose_since
            );
        });
        Ok(())
    }

    fn take(&mut self, batch: &'a Incoming, past: bool) -> Committed {
        let Incoming { device, received, at } = batch;
        let key = (device.to_string(), received.buffer.to_string());
        let buffer = self.buffers.entry(key.clone()).or_default();
        let before = buffer.high;
        // Rows stand in the order of their sequence: everything after the highest committed is new.
        let fresh = &received.readings[received.readings.partition_point(|r| r.seq <= before)..];
        let refused = &received.refused[received.refused.partition_point(|r| r.seq <= before)..];
        if received.last <= before {
            return Committed { through: before, fresh: vec![], skipped: 0 };
        }
        let skipped = (received.last - before).saturating_sub((fresh.len() + refused.len()) as u64);
        buffer.high = received.last;
        buffer.skipped += skipped;
        buffer.heard_at = at.0;
        buffer.changed = true;
        for reading in fresh.iter().filter(|_| !past) {
            buffer.latest[reading.metric as usize] = Some(*reading);
        }
        let (device, buffer_id) = key;
        if fresh.len() >= SEGMENTS_AT_ONCE {
            self.segments.extend(SegmentRow::of(&device, &buffer_id, fresh));
        } else if let Some(summary) = Summary::of(fresh) {
            buffer.loose += summary.readings;
            buffer.loose_since.get_or_insert(at.0);
            self.recent.push(RecentRow { device, buffer: buffer_id, summary, packed: pack(fresh) });
        }
        self.refused.extend(refused.iter().map(|row| RefusedRow {
            device: batch.device.as_str(),
            buffer: received.buffer.to_string(),
            row,
            at: at.0,
        }));
        Committed { through: received.last, fresh: fresh.to_vec(), skipped }
    }
}

impl Default for Buffer {
    fn default() -> Self {
        let latest = [None; Metric::ALL.len()];
        Self { high: 0, skipped: 0, heard_at: 0, latest, loose: 0, loose_since: None, changed: false }
    }
}

impl Buffer {
    fn read((device, id, high, skipped, packed, loose, loose_since): BufferRow) -> ((String, String), Self) {
        let (high, skipped) = (high.cast_unsigned(), skipped.cast_unsigned());
        let mut buffer = Self { high, skipped, loose, loose_since, ..Self::default() };
        match unpack(&packed, None) {
            Ok(latest) => latest.into_iter().for_each(|r| buffer.latest[r.metric as usize] = Some(r)),
            // Only a copy: the next reading of each metric mends it, and refusing batches would not.
            Err(error) => tracing::error!(device, buffer = id, %error, "the latest readings are unreadable"),
        }
        ((device, id), buffer)
    }
}
