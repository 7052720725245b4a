//! Outages as they are kept: those that are open, those of a time, and when the server itself could not hear.

use super::{Store, StoreError, on_pool, stored_name};
use crate::outage::{Absence, Before, Cause, Gone, Group, Open, Out, Standing, Window};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::UtcMillis;
use std::collections::BTreeMap;

/// Most outages of one answer.
pub const MOST_OUTAGES: u32 = 500;

/// An outage as it is kept. Times are UTC milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Outage {
    /// Rises with the time at which it was noticed.
    pub id: i64,
    /// Whose; `None`: the server itself.
    pub device: Option<String>,
    /// Where that is.
    pub location: Option<String>,
    /// Since when.
    pub started_at: i64,
    /// Until when; `None`: it goes on.
    pub ended_at: Option<i64>,
    /// Why.
    pub cause: Cause,
    /// What that was concluded from.
    pub detail: Map<String, Value>,
    /// The alert that tells of it.
    pub alert: Option<i64>,
}

/// Which outages.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// Only those of this device.
    pub device: Option<String>,
    /// Only those at this location.
    pub location: Option<String>,
    /// Only those that reach into this time.
    pub time: Option<Window>,
    /// Only those with a lower id.
    pub before: Option<i64>,
}

type Row = (i64, Option<String>, Option<String>, i64, Option<i64>, String, String, Option<i64>);

/// Outages that are open, and what is told of each.
#[derive(Debug, Clone, Default)]
pub struct OpenOutages {
    /// For the watcher.
    pub open: Vec<Open>,
    /// For the grouping; in the same order.
    pub outs: Vec<Out>,
    /// Those that an outage is a part of, or that are not resolved.
    pub groups: Vec<Group>,
}

/// What the alert of a group keeps in its `detail`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct GroupDetail {
    /// The most devices of it that were gone at once.
    #[serde(default)]
    pub(super) devices: usize,
    /// Of so many in service then.
    #[serde(default)]
    pub(super) of: usize,
    /// When it was over (UTC ms), also if somebody had resolved its alert before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) over: Option<i64>,
}

/// Where the device is counted now: it may have been moved since.
const OPEN: &str =
    "SELECT o.id, o.device, NULLIF(r.location, '') AS location, o.started_at, o.detail, o.alert, a.parent
    FROM outage o LEFT JOIN registration r ON r.name = o.device LEFT JOIN alert a ON a.id = o.alert
    WHERE o.device IS NOT NULL AND o.ended_at IS NULL ORDER BY o.id";
const ABSENCES: &str = "SELECT device, started_at, COALESCE(ended_at, $3), cause FROM outage
    WHERE started_at < $2 AND (ended_at > $1 OR ended_at IS NULL)";
const GROUPS: &str = "SELECT id, location, state, detail FROM alert WHERE id IN
        (SELECT a.parent FROM outage o JOIN alert a ON a.id = o.alert WHERE o.device IS NOT NULL AND o.ended_at IS NULL)
    UNION
    SELECT id, location, state, detail FROM alert
        WHERE kind IN ('location_offline', 'fleet_offline') AND state <> 'resolved'";

impl Store {
    /// Outages, the newest first.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn outages(&self, which: &Which, limit: u32) -> Result<Vec<Outage>, StoreError> {
        const QUERY: &str = "SELECT id, device, location, started_at, ended_at, cause, detail, alert FROM outage
            WHERE id < $1 AND ($2 = '' OR device = $2) AND ($3 = '' OR location = $3)
              AND started_at < $4 AND COALESCE(ended_at, $4) > $5 ORDER BY id DESC LIMIT $6";
        let all = Window { from: i64::MIN, to: i64::MAX };
        let (before, time) = (which.before.unwrap_or(i64::MAX), which.time.unwrap_or(all));
        let device = which.device.as_deref().unwrap_or_default();
        let location = which.location.as_deref().unwrap_or_default();
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| {
            let query = sqlx::query_as(QUERY).bind(before).bind(device).bind(location).bind(time.to).bind(time.from);
            query.bind(i64::from(limit.min(MOST_OUTAGES))).fetch_all(pool).await?
        });
        let read = |(id, device, location, started_at, ended_at, cause, detail, alert): Row| {
            let (cause, detail) = (stored_cause(&cause)?, serde_json::from_str(&detail).unwrap_or_default());
            Ok(Outage { id, device, location, started_at, ended_at, cause, detail, alert })
        };
        rows.into_iter().map(read).collect()
    }

    /// Who was gone when in a time, by device; what has not ended lasts until `now`. Under `None`: the server itself.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn absences(
        &self,
        time: Window,
        now: UtcMillis,
    ) -> Result<BTreeMap<Option<String>, Vec<Absence>>, StoreError> {
        let rows: Vec<(Option<String>, i64, i64, String)> = on_pool!(&self.pool, |pool| {
            sqlx::query_as(ABSENCES).bind(time.from).bind(time.to).bind(now.0).fetch_all(pool).await?
        });
        let mut absences: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (device, from, to, cause) in rows {
            let absence = Absence { time: Window { from, to }, cause: stored_cause(&cause)? };
            absences.entry(device).or_default().push(absence);
        }
        Ok(absences)
    }

    /// When devices were in service before another key or board got their name, by device.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn earlier_service(&self) -> Result<BTreeMap<String, Vec<Window>>, StoreError> {
        const QUERY: &str = "SELECT device, from_at, to_at FROM service ORDER BY from_at";
        let rows: Vec<(String, i64, i64)> = on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).fetch_all(pool).await?);
        let mut service: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (device, from, to) in rows {
            service.entry(device).or_default().push(Window { from, to });
        }
        Ok(service)
    }

    /// When the server heard nothing, as far as it reaches into a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deaf_times(&self, time: Window) -> Result<Vec<Window>, StoreError> {
        const QUERY: &str = "SELECT started_at, ended_at FROM outage
            WHERE device IS NULL AND started_at < $2 AND ended_at > $1 ORDER BY started_at";
        let rows: Vec<(i64, i64)> =
            on_pool!(&self.pool, |pool| { sqlx::query_as(QUERY).bind(time.from).bind(time.to).fetch_all(pool).await? });
        Ok(rows.into_iter().map(|(from, to)| Window { from, to }).collect())
    }

    /// All outages of devices that have not ended.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn open_outages(&self) -> Result<OpenOutages, StoreError> {
        type Row = (i64, String, Option<String>, i64, String, Option<i64>, Option<i64>);
        // The groups first: one that another server makes meanwhile must not look as if nobody of it were gone.
        let groups: Vec<(i64, Option<String>, String, String)> =
            on_pool!(&self.pool, |pool| sqlx::query_as(GROUPS).fetch_all(pool).await?);
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| sqlx::query_as(OPEN).fetch_all(pool).await?);
        let mut all = OpenOutages::default();
        for (id, location, state, detail) in groups {
            let GroupDetail { devices, over, .. } = serde_json::from_str(&detail).unwrap_or_default();
            all.groups.push(Group { id, location, devices, over_since: over, resolved: state == "resolved" });
        }
        for (id, device, location, started_at, detail, alert, parent) in rows {
            let unknown = Before { gone: Gone::Silent, boot: String::new(), run: None };
            let before = serde_json::from_str(&detail).unwrap_or(unknown);
            all.open.push(Open { id, device: stored_name(&device)?, started_at, before });
            let standing = match (alert, parent) {
                (None, _) => Standing::Untold,
                (Some(_), None) => Standing::Own,
                (Some(_), Some(group)) => Standing::Part(group),
            };
            let noticed_at = super::alert_id::made_at(id);
            all.outs.push(Out { id, location, started_at, noticed_at, standing });
        }
        Ok(all)
    }

    /// Notes that the server hears devices now. If it did not for more than `longest_ms`, that was an outage of its own,
    /// which is kept and returned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hears(&self, now: UtcMillis, longest_ms: i64) -> Result<Option<Window>, StoreError> {
        const LAST: &str = "SELECT value FROM policy WHERE name = 'heard_at'";
        const NOW: &str = "INSERT INTO policy (name, value) VALUES ('heard_at', $1)
            ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value";
        const OUTAGE: &str =
            "INSERT INTO outage (id, started_at, ended_at, cause, detail) VALUES ($1, $2, $3, 'server', '{}')";
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let last: Option<i64> = sqlx::query_scalar(LAST).fetch_optional(&mut *tx).await?;
            let deaf = last.map(|last| Window { from: last, to: now.0 }).filter(|time| time.ms() > longest_ms);
            if let Some(deaf) = deaf {
                let query = sqlx::query(OUTAGE).bind(self.ids.next(now)).bind(deaf.from).bind(deaf.to);
                query.execute(&mut *tx).await?;
            }
            sqlx::query(NOW).bind(now.0).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(deaf)
        })
    }
}

fn stored_cause(word: &str) -> Result<Cause, StoreError> {
    let corrupt = || StoreError::Corrupt { what: "outage", why: format!("its cause is {word:?}") };
    Cause::from_word(word).ok_or_else(corrupt)
}

#[cfg(test)]
mod tests {
    use super::super::{Pool, outage_keep};
    use super::*;

    #[tokio::test]
    async fn what_is_asked_all_the_time_reads_neither_all_outages_nor_all_alerts() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("tirta.db").display())).await.unwrap();
        let Pool::Sqlite(pool) = &store.pool else { panic!("this is SQLite") };
        for sql in [OPEN, GROUPS, ABSENCES, outage_keep::QUIET, outage_keep::FAULTS] {
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(pool).await.unwrap();
            assert!(!steps.is_empty());
            for (.., step) in steps {
                // The silences are few.
                assert!(!step.starts_with("SCAN") || step == "SCAN s", "{step} of {sql}");
            }
        }
    }
}
