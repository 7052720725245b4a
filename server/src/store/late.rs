//! What is told of the past: alerts of late data wait until their device is up to date, and those that are over by then come in
//! one digest of all devices. Knows no rule.

use super::alert::happened;
use super::alert_row::{AlertRow, alert_columns};
use super::append::{chunks, placeholders};
use super::conn::{Conn, on_conn, transaction};
use super::watched::{WatchRow, save, watched};
use super::{Store, StoreError, on_pool};
use crate::alert::{Alert, News, State, What, words};
use serde_json::json;
use shared::UtcMillis;
use shared::rule::Severity;
use sqlx::AssertSqlSafe;

/// A digest waits until so long nothing late has come.
const QUIET_MS: i64 = 60_000;
/// ... but not longer than this: of many devices one may always have something late.
const LONGEST_MS: i64 = 30 * 60_000;
/// Most alerts that a digest lists; the others are counted.
const MOST_LISTED: usize = 100;

/// An alert of late data.
#[derive(sqlx::FromRow)]
struct Unannounced {
    id: i64,
    state: String,
    severity: String,
    resolved_by: Option<String>,
    cleared: Option<i64>,
    /// Whether anybody was told that it began.
    told: bool,
}

impl Unannounced {
    fn is_over(&self) -> bool {
        self.state == State::Resolved.as_str()
    }

    /// Whoever resolved it by hand has told so then.
    fn is_resolved_by_hand(&self) -> bool {
        self.is_over() && self.resolved_by.as_deref().is_some_and(|who| !matches!(who, "rule" | "server"))
    }

    /// What is told of it now; nothing of what was cleared out of the lists.
    fn news(&self) -> Option<What> {
        if self.cleared.is_some() || self.is_resolved_by_hand() {
            return None;
        }
        Some(match (self.is_over(), self.told) {
            (true, _) => What::Cleared,
            (false, false) => What::Raised,
            // Whoever was told that it is critical, and reads that it is not any more, has lost nothing.
            (false, true) if self.severity == Severity::Critical.as_str() => What::Escalated,
            (false, true) => What::Eased,
        })
    }
}

/// An alert of the past, and whether anybody is to read of it.
#[derive(sqlx::FromRow)]
struct Past {
    #[sqlx(flatten)]
    alert: AlertRow,
    listed: bool,
}

/// Locked: who else would tell of the same waits. It is not listed if it was cleared out of the lists, nor if nobody would have been
/// told of it in its time, because it began and ended within one silence.
const PAST: &str = concat!(
    "SELECT ",
    alert_columns!(),
    ", (cleared IS NULL AND NOT EXISTS (SELECT 1 FROM silence s
        WHERE s.from_at <= alert.raised_at AND COALESCE(s.ended_at, s.to_at) > alert.resolved_at
          AND (s.scope = 'fleet' OR (s.scope = 'device' AND s.target = alert.device)
            OR (s.scope = 'location' AND s.target = alert.location)))) AS listed
     FROM alert WHERE NOT announced AND historical ORDER BY id"
);

impl Store {
    /// A device is up to date: of its alerts that nobody was told of, those that go on are told now, and those that are over
    /// belong to the past.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn settle(&self, conn: &mut Conn<'_>, device: &str, now: UtcMillis) -> Result<(), StoreError> {
        const ANNOUNCED: &str = "UPDATE alert SET announced = TRUE WHERE id = $1";
        const HISTORICAL: &str = "UPDATE alert SET historical = TRUE, changed_at = $2 WHERE id = $1";
        let sql = format!(
            "SELECT id, state, severity, resolved_by, cleared, EXISTS (SELECT 1 FROM outbox
                WHERE outbox.alert = alert.id AND outbox.withheld IS NULL
                    AND outbox.what NOT IN ('acknowledged', 'resolved')) AS told
             FROM alert WHERE NOT announced AND NOT historical AND device = $1 ORDER BY id{}",
            conn.lock()
        );
        let alerts: Vec<Unannounced> =
            on_conn!(conn, |c| sqlx::query_as(AssertSqlSafe(sql)).bind(device).fetch_all(&mut *c).await?);
        for alert in alerts {
            if alert.is_over() && !alert.told && !alert.is_resolved_by_hand() {
                on_conn!(conn, |c| sqlx::query(HISTORICAL)
                    .bind(alert.id)
                    .bind(now.0)
                    .execute(&mut *c)
                    .await?
                    .rows_affected());
                continue;
            }
            on_conn!(conn, |c| sqlx::query(ANNOUNCED).bind(alert.id).execute(&mut *c).await?.rows_affected());
            let Some(what) = alert.news() else { continue };
            let seq = happened(conn, alert.id, "announced", "server", &json!({}), now).await?;
            self.tell(conn, alert.id, seq, what, now).await?;
        }
        Ok(())
    }

    /// Decides about devices that fell silent again while they told of the past, and sends the digest when no more comes.
    /// To be called now and then.
    ///
    /// # Errors
    /// When the database fails; nothing is told twice then.
    pub async fn tell_of_the_past(&self, now: UtcMillis) -> Result<(), StoreError> {
        const SILENT: &str = "SELECT device, thresholds, state, late_at FROM watch WHERE late_at <= $1 OR late_at > $2";
        const ANY: &str = "SELECT COUNT(*) FROM alert WHERE NOT announced AND historical";
        const LATE: &str = "SELECT COUNT(*) FROM watch WHERE late_at IS NOT NULL";
        let quiet_since = now.0 - QUIET_MS;
        // A time that is still to come was written before the clock was set back: it is past.
        let past = |at: i64| if at > now.0 { i64::MIN } else { at };
        let silent: Vec<WatchRow> =
            on_pool!(&self.pool, |pool| sqlx::query_as(SILENT).bind(quiet_since).bind(now.0).fetch_all(pool).await?);
        for (device, ..) in silent {
            let (begin, _) = self.writing();
            transaction!(self, begin, |conn| {
                for mut watch in watched(conn, &[&device]).await? {
                    if watch.late_at.is_some_and(|at| past(at) <= quiet_since) {
                        watch.late_at = None;
                        self.settle(conn, &device, now).await?;
                        save(conn, &[watch]).await?;
                    }
                }
            });
        }
        if on_pool!(&self.pool, |pool| sqlx::query_scalar::<_, i64>(ANY).fetch_one(pool).await?) == 0 {
            return Ok(());
        }
        let (begin, alone) = self.one_at_a_time();
        transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            let late: i64 = on_conn!(conn, |c| sqlx::query_scalar(LATE).fetch_one(&mut *c).await?);
            let sql = format!("{PAST}{}", conn.lock());
            let all: Vec<Past> =
                on_conn!(conn, |c| sqlx::query_as(AssertSqlSafe(sql)).bind(now.0).fetch_all(&mut *c).await?);
            let newest = all.iter().map(|one| past(one.alert.changed_at)).max();
            let oldest = all.iter().map(|one| past(one.alert.known_at)).min();
            let (Some(newest), Some(oldest)) = (newest, oldest) else { return Ok(()) };
            if (late > 0 || newest > quiet_since) && oldest > now.0 - LONGEST_MS {
                return Ok(());
            }
            let ids: Vec<i64> = all.iter().map(|one| one.alert.id).collect();
            set_announced(conn, &ids).await?;
            let mut alerts = Vec::with_capacity(all.len());
            for one in all {
                if one.listed && one.alert.withheld(now).is_none() {
                    alerts.push(one.alert.alert(now, &self.zone)?);
                }
            }
            // What nobody is to be told of is settled all the same.
            if let Some(last) = alerts.last().map(|alert| alert.id) {
                self.post(conn, &digest(last, alerts, now), None, now).await?;
            }
        });
        Ok(())
    }
}

fn digest(last: i64, mut alerts: Vec<Alert>, now: UtcMillis) -> News {
    let text = words::digest(alerts.len());
    alerts.truncate(MOST_LISTED);
    News { v: 1, key: format!("digest-{last}"), what: What::Digest, at: now.0, text, alert: None, alerts }
}

/// Just these: others may have become historical meanwhile.
async fn set_announced(conn: &mut Conn<'_>, ids: &[i64]) -> Result<(), StoreError> {
    for some in chunks(ids) {
        let sql = format!("UPDATE alert SET announced = TRUE WHERE id IN ({})", placeholders(0, some.len()));
        on_conn!(conn, |c| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for id in some {
                query = query.bind(id);
            }
            query.execute(&mut *c).await?.rows_affected()
        });
    }
    Ok(())
}
