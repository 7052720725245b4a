//! What is told of the past: alerts of late data wait until their device is up to date, and those that are over by then come in
//! one digest of all devices. Knows no rule.

use super::alert::happened;
use super::alert_row::{AlertRow, alert_columns};
use super::conn::{Conn, on_conn, transaction};
use super::watched::{WatchRow, save, watched};
use super::{Store, StoreError, on_pool};
use crate::alert::{News, State, What, words};
use serde_json::json;
use shared::UtcMillis;
use shared::rule::Severity;
use sqlx::AssertSqlSafe;

/// A digest waits until so long nothing late has come.
const QUIET_MS: i64 = 60_000;
/// Most alerts that a digest lists; the others are counted.
const MOST_LISTED: usize = 100;

/// An alert of late data.
#[derive(sqlx::FromRow)]
struct Unannounced {
    id: i64,
    state: String,
    severity: String,
    told: i64,
}

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
            "SELECT id, state, severity,
                (SELECT COUNT(*) FROM outbox WHERE outbox.alert = alert.id) AS told
             FROM alert WHERE NOT announced AND NOT historical AND device = $1 ORDER BY id{}",
            conn.lock()
        );
        let alerts: Vec<Unannounced> =
            on_conn!(conn, |c| sqlx::query_as(AssertSqlSafe(sql)).bind(device).fetch_all(&mut *c).await?);
        for alert in alerts {
            let over = alert.state == State::Resolved.as_str();
            if over && alert.told == 0 {
                on_conn!(conn, |c| sqlx::query(HISTORICAL)
                    .bind(alert.id)
                    .bind(now.0)
                    .execute(&mut *c)
                    .await?
                    .rows_affected());
                continue;
            }
            on_conn!(conn, |c| sqlx::query(ANNOUNCED).bind(alert.id).execute(&mut *c).await?.rows_affected());
            let what = match (over, alert.told) {
                (true, _) => What::Cleared,
                (false, 0) => What::Raised,
                // Whoever was told that it is critical, and reads that it is not any more, has lost nothing.
                (false, _) if alert.severity == Severity::Critical.as_str() => What::Escalated,
                (false, _) => What::Eased,
            };
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
        const SILENT: &str = "SELECT device, thresholds, state, late_at FROM watch WHERE late_at <= $1";
        const ANY: &str = "SELECT COUNT(*) FROM alert WHERE NOT announced AND historical";
        const LATE: &str = "SELECT COUNT(*) FROM watch WHERE late_at IS NOT NULL";
        const PAST: &str =
            concat!("SELECT ", alert_columns!(), " FROM alert WHERE NOT announced AND historical ORDER BY id");
        const TOLD: &str = "UPDATE alert SET announced = TRUE WHERE NOT announced AND historical AND id <= $1";
        let quiet_since = now.0 - QUIET_MS;
        let silent: Vec<WatchRow> =
            on_pool!(&self.pool, |pool| sqlx::query_as(SILENT).bind(quiet_since).fetch_all(pool).await?);
        for (device, ..) in silent {
            let (begin, _) = self.writing();
            transaction!(self, begin, |conn| {
                for mut watch in watched(conn, &[&device]).await? {
                    if watch.late_at.is_some_and(|at| at <= quiet_since) {
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
            let past: Vec<AlertRow> = on_conn!(conn, |c| sqlx::query_as(PAST).bind(now.0).fetch_all(&mut *c).await?);
            let mut alerts = Vec::with_capacity(past.len());
            for row in past {
                alerts.push(row.alert(now, &self.zone)?);
            }
            let newest = alerts.iter().map(|alert| alert.changed_at).max();
            let (Some(last), Some(newest)) = (alerts.last().map(|alert| alert.id), newest) else { return Ok(()) };
            if late > 0 || newest > quiet_since {
                return Ok(());
            }
            on_conn!(conn, |c| sqlx::query(TOLD).bind(last).execute(&mut *c).await?.rows_affected());
            let text = words::digest(alerts.len());
            alerts.truncate(MOST_LISTED);
            let key = format!("digest-{last}");
            let news = News { v: 1, key, what: What::Digest, at: now.0, text, alert: None, alerts };
            self.post(conn, &news, None, now).await?;
        });
        Ok(())
    }
}
