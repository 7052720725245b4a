//! What was withheld for a time and still goes on when that is over: it is told then, once.

use super::alert::happened;
use super::conn::{on_conn, transaction};
use super::{Store, StoreError, on_pool};
use crate::alert::What;
use serde_json::json;
use shared::UtcMillis;

/// Open alerts whose last news was withheld for a reason that does not hold any more. One that somebody acknowledged is
/// known, and a part of another is told by that one.
const DUE: &str =
    "SELECT id FROM alert WHERE state = 'open' AND state <> 'resolved' AND cleared IS NULL AND parent IS NULL
    AND announced AND COALESCE(snoozed_until, 0) <= $1
    AND (SELECT o.withheld FROM outbox o WHERE o.alert = alert.id ORDER BY o.id DESC LIMIT 1)
        IN ('silenced', 'maintenance', 'snoozed')
    AND NOT EXISTS (SELECT 1 FROM silence s
        WHERE s.from_at <= $1 AND s.to_at > $1 AND (s.ended_at IS NULL OR s.ended_at > $1)
          AND (s.scope = 'fleet' OR (s.scope = 'device' AND s.target = alert.device)
            OR (s.scope = 'location' AND s.target = alert.location)))
    ORDER BY id";

impl Store {
    /// Tells of alerts whose silence, maintenance or snooze is over and that are not.
    ///
    /// # Errors
    /// When the database fails: then nothing is told.
    pub async fn tell_what_was_silenced(&self, now: UtcMillis) -> Result<(), StoreError> {
        let due: Vec<i64> = on_pool!(&self.pool, |pool| sqlx::query_scalar(DUE).bind(now.0).fetch_all(pool).await?);
        if due.is_empty() {
            return Ok(());
        }
        let (begin, alone) = self.one_at_a_time();
        transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            // Another server may have been faster.
            let due: Vec<i64> = on_conn!(conn, |c| sqlx::query_scalar(DUE).bind(now.0).fetch_all(&mut *c).await?);
            for alert in due {
                let seq = happened(conn, alert, "announced", "server", &json!({"silenced": false}), now).await?;
                self.tell(conn, alert, seq, What::Raised, now).await?;
            }
        });
        Ok(())
    }
}
