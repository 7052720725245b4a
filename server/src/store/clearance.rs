//! Alerts cleared out of the lists together, and restored together. Nothing of them is lost meanwhile.

use super::alert_list::{AlertFilter, alert_filter, bind_filter};
use super::conn::{on_conn, transaction};
use super::{Store, StoreError, audit::audit_on, on_pool};
use crate::audit::{Act, Actor};
use shared::UtcMillis;

/// Alerts that were cleared out of the lists.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Clearance {
    /// Which.
    pub id: i64,
    /// When.
    pub at: i64,
    /// By whom.
    pub who: String,
    /// How many.
    pub alerts: i64,
    /// When they were put back, if they were.
    pub restored_at: Option<i64>,
}

/// Tells of each alert of a clearance what became of it.
const HAPPENED: &str = "INSERT INTO alert_event (alert, seq, at, who, what, detail)
    SELECT id, (SELECT COALESCE(MAX(seq), 0) + 1 FROM alert_event WHERE alert_event.alert = alert.id), $2, $3, $4, '{}'
    FROM alert WHERE cleared = $1";

impl Store {
    /// Clears the alerts of a filter out of the lists; `None` if there are none.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn clear_alerts(
        &self,
        filter: &AlertFilter,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<Option<Clearance>, StoreError> {
        // `$1` is the clearance here: no alert is read.
        const CLEAR: &str = concat!("UPDATE alert SET cleared = $1", alert_filter!());
        const INSERT: &str = "INSERT INTO clearance (id, at, who, alerts) VALUES ($1, $2, $3, $4)";
        let id = self.ids.next(now);
        let filter = AlertFilter { cleared: None, ..filter.clone() };
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            let cleared = on_conn!(conn, |c| {
                let done = bind_filter!(sqlx::query(CLEAR), id, &filter).execute(&mut *c).await?;
                i64::try_from(done.rows_affected()).unwrap_or(i64::MAX)
            });
            if cleared == 0 {
                return Ok(None);
            }
            let who = actor.name();
            on_conn!(conn, |c| sqlx::query(INSERT)
                .bind(id)
                .bind(now.0)
                .bind(who)
                .bind(cleared)
                .execute(&mut *c)
                .await?
                .rows_affected());
            on_conn!(conn, |c| sqlx::query(HAPPENED)
                .bind(id)
                .bind(now.0)
                .bind(who)
                .bind("cleared_away")
                .execute(&mut *c)
                .await?
                .rows_affected());
            audit_on(conn, actor.did(Act::AlertsCleared, now).with("clearance", id).with("alerts", cleared)).await?;
            Some(Clearance { id, at: now.0, who: who.to_owned(), alerts: cleared, restored_at: None })
        }))
    }

    /// What was cleared, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clearances(&self) -> Result<Vec<Clearance>, StoreError> {
        const ALL: &str = "SELECT id, at, who, alerts, restored_at FROM clearance ORDER BY id DESC LIMIT 500";
        Ok(on_pool!(&self.pool, |pool| sqlx::query_as(ALL).fetch_all(pool).await?))
    }

    /// Puts the alerts of a clearance back; `None` if there is none that is not restored. One that began again meanwhile is
    /// resolved then: there is never a second of a key.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn restore_alerts(&self, id: i64, actor: &Actor, now: UtcMillis) -> Result<Option<i64>, StoreError> {
        const RESTORE: &str = "UPDATE clearance SET restored_at = $2 WHERE id = $1 AND restored_at IS NULL";
        const SUPERSEDE: &str = "UPDATE alert SET state = 'resolved', resolved_at = $2, resolved_by = 'server',
            reason = 'superseded', changed_at = $2 WHERE cleared = $1 AND state <> 'resolved'
            AND EXISTS (SELECT 1 FROM alert other WHERE other.dedup_key = alert.dedup_key AND other.state <> 'resolved'
              AND other.cleared IS NULL)";
        const BACK: &str = "UPDATE alert SET cleared = NULL WHERE cleared = $1";
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            let found = on_conn!(conn, |c| {
                sqlx::query(RESTORE).bind(id).bind(now.0).execute(&mut *c).await?.rows_affected()
            });
            if found == 0 {
                return Ok(None);
            }
            on_conn!(conn, |c| sqlx::query(SUPERSEDE).bind(id).bind(now.0).execute(&mut *c).await?.rows_affected());
            let who = actor.name();
            on_conn!(conn, |c| sqlx::query(HAPPENED)
                .bind(id)
                .bind(now.0)
                .bind(who)
                .bind("restored")
                .execute(&mut *c)
                .await?
                .rows_affected());
            let back = on_conn!(conn, |c| {
                let done = sqlx::query(BACK).bind(id).execute(&mut *c).await?;
                i64::try_from(done.rows_affected()).unwrap_or(i64::MAX)
            });
            audit_on(conn, actor.did(Act::AlertsRestored, now).with("clearance", id).with("alerts", back)).await?;
            Some(back)
        }))
    }
}
