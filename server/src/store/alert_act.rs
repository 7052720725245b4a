//! What people do with alerts: each act with its event and its entry in the audit log, and what others should know in the outbox.

use super::alert::happened;
use super::conn::{Conn, on_conn, transaction};
use super::{Store, StoreError, audit::audit_on};
use crate::alert::{State, What};
use crate::audit::{Act, Actor};
use serde_json::{Value, json};
use shared::UtcMillis;
use sqlx::AssertSqlSafe;

/// What somebody does with an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertAct {
    /// He has read it.
    Read,
    /// He takes care of it.
    Acknowledge,
    /// He says that it is over, and why.
    Resolve {
        /// Why.
        reason: String,
    },
    /// It is not over, or nobody takes care of it, after all.
    Reopen,
    /// It is somebody's.
    Assign {
        /// Whose; nobody's if absent.
        assignee: Option<String>,
    },
    /// Nobody is to be told of it for a time.
    Snooze {
        /// Until when; no longer if absent.
        until: Option<UtcMillis>,
    },
    /// He writes something down.
    Note {
        /// What.
        text: String,
    },
}

impl AlertAct {
    /// The word in the interface.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Acknowledge => "acknowledge",
            Self::Resolve { .. } => "resolve",
            Self::Reopen => "reopen",
            Self::Assign { .. } => "assign",
            Self::Snooze { .. } => "snooze",
            Self::Note { .. } => "note",
        }
    }
}

/// What is looked at of an alert.
#[derive(sqlx::FromRow)]
struct Row {
    state: String,
    read_at: Option<i64>,
    dedup_key: String,
    cleared: Option<i64>,
}

impl Store {
    /// Does something with alerts: with all of those for which it means anything, whose ids are returned. Who acts has read
    /// them.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn act_on_alerts(
        &self,
        ids: &[i64],
        act: &AlertAct,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<Vec<i64>, StoreError> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            let mut done = Vec::new();
            for &id in &ids {
                if self.act(conn, id, act, actor, now).await? {
                    done.push(id);
                }
            }
            if !done.is_empty() {
                let mut entry = actor.did(Act::AlertActed, now).with("act", act.as_str()).with("alerts", done.clone());
                for (key, value) in about(act).as_object().into_iter().flatten() {
                    entry = entry.with(key, value.clone());
                }
                audit_on(conn, entry).await?;
            }
            done
        }))
    }

    /// Does something with one alert; says whether that meant anything.
    async fn act(
        &self,
        conn: &mut Conn<'_>,
        id: i64,
        act: &AlertAct,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<bool, StoreError> {
        const READ: &str = "UPDATE alert SET read_at = $2, read_by = $3 WHERE id = $1 AND read_at IS NULL";
        const ACK: &str =
            "UPDATE alert SET state = 'acknowledged', acked_at = $2, acked_by = $3, changed_at = $2 WHERE id = $1";
        const RESOLVE: &str = "UPDATE alert SET state = 'resolved', resolved_at = $2, resolved_by = $3, reason = $4,
            changed_at = $2 WHERE id = $1";
        const REOPEN: &str =
            "UPDATE alert SET state = 'open', reopened = reopened + CASE WHEN state = 'resolved' THEN 1 ELSE 0 END,
            resolved_at = NULL, resolved_by = NULL, reason = NULL, acked_at = NULL, acked_by = NULL, historical = FALSE, announced = TRUE,
            changed_at = $2 WHERE id = $1";
        const ASSIGN: &str = "UPDATE alert SET assignee = $3, changed_at = $2 WHERE id = $1";
        const SNOOZE: &str = "UPDATE alert SET snoozed_until = $3, changed_at = $2 WHERE id = $1";
        const NOTED: &str = "UPDATE alert SET changed_at = $2 WHERE id = $1";
        let sql = format!("SELECT state, read_at, dedup_key, cleared FROM alert WHERE id = $1{}", conn.lock());
        let row: Option<Row> =
            on_conn!(conn, |c| sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_optional(&mut *c).await?);
        let Some(row) = row.filter(|row| row.cleared.is_none()) else { return Ok(false) };
        let is = |state: State| row.state == state.as_str();
        let who = actor.name();
        macro_rules! update {
            ($sql:expr $(, $value:expr)*) => {
                on_conn!(conn, |c| sqlx::query($sql).bind(id).bind(now.0)$(.bind($value))*.execute(&mut *c).await?.rows_affected())
            };
        }
        let (what, told) = match act {
            AlertAct::Read if row.read_at.is_some() => return Ok(false),
            AlertAct::Acknowledge if !is(State::Open) => return Ok(false),
            AlertAct::Resolve { .. } if is(State::Resolved) => return Ok(false),
            AlertAct::Reopen if is(State::Open) => return Ok(false),
            AlertAct::Reopen if is(State::Resolved) && is_active(conn, &row.dedup_key).await? => return Ok(false),
            AlertAct::Read => ("read", None),
            AlertAct::Acknowledge => {
                update!(ACK, who);
                ("acknowledged", Some(What::Acknowledged))
            }
            AlertAct::Resolve { reason } => {
                update!(RESOLVE, who, reason);
                ("resolved", Some(What::Resolved))
            }
            AlertAct::Reopen => {
                update!(REOPEN);
                ("reopened", Some(What::Reopened))
            }
            AlertAct::Assign { assignee } => {
                update!(ASSIGN, assignee.as_deref());
                ("assigned", None)
            }
            AlertAct::Snooze { until } => {
                update!(SNOOZE, until.map(|until| until.0));
                ("snoozed", None)
            }
            AlertAct::Note { .. } => {
                update!(NOTED);
                ("noted", None)
            }
        };
        update!(READ, who);
        let seq = happened(conn, id, what, who, &about(act), now).await?;
        if let Some(what) = told {
            self.tell(conn, id, seq, what, now).await?;
        }
        Ok(true)
    }
}

/// What else belongs to an act.
fn about(act: &AlertAct) -> Value {
    match act {
        AlertAct::Read | AlertAct::Acknowledge | AlertAct::Reopen => json!({}),
        AlertAct::Resolve { reason } => json!({"reason": reason}),
        AlertAct::Assign { assignee } => json!({"assignee": assignee}),
        AlertAct::Snooze { until } => json!({"until": until.map(|until| until.0)}),
        AlertAct::Note { text } => json!({"text": text}),
    }
}

/// Whether another alert of the key is active: there is never a second.
async fn is_active(conn: &mut Conn<'_>, key: &str) -> Result<bool, StoreError> {
    const ACTIVE: &str = "SELECT COUNT(*) FROM alert WHERE dedup_key = $1 AND state <> 'resolved' AND cleared IS NULL";
    let active: i64 = on_conn!(conn, |c| sqlx::query_scalar(ACTIVE).bind(key).fetch_one(&mut *c).await?);
    Ok(active > 0)
}
