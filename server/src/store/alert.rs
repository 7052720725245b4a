//! The life of an alert in the database: raised, graded, resolved; each step with its event and, unless it is late, its news
//! in the outbox, all in the transaction of what brought it about. Knows no rule and no channel.

use super::alert_row::{AlertRow, LINKED, alert_columns};
use super::conn::{Conn, on_conn};
use super::{Store, StoreError};
use crate::alert::{Kind, News, Source, State, What, words};
use serde_json::{Map, Value, json};
use shared::rule::Severity;
use shared::{Metric, UtcMillis};
use sqlx::AssertSqlSafe;

/// An alert that begins.
#[derive(Debug, Clone)]
pub(super) struct Raise {
    pub(super) source: Source,
    pub(super) kind: Kind,
    pub(super) device: Option<String>,
    /// The registered one of the device if absent.
    pub(super) location: Option<String>,
    pub(super) metric: Option<Metric>,
    /// What makes it one: while an alert of a key is not resolved there is no second.
    pub(super) key: String,
    pub(super) severity: Severity,
    /// Since when it has been so.
    pub(super) since: UtcMillis,
    /// When that was decided.
    pub(super) at: UtcMillis,
    pub(super) value: Option<f64>,
    pub(super) limit: Option<f64>,
    pub(super) detail: Map<String, Value>,
    pub(super) simulated: bool,
    /// Whether it is told now; if not, [`Store::settle`] decides.
    pub(super) announced: bool,
    pub(super) parent: Option<i64>,
}

/// An alert that gets worse or better.
#[derive(Debug, Clone)]
pub(super) struct Grade<'a> {
    pub(super) key: &'a str,
    pub(super) severity: Severity,
    pub(super) worse: bool,
    pub(super) value: Option<f64>,
    pub(super) limit: Option<f64>,
    pub(super) extreme: Option<f64>,
    /// Since when it has been so.
    pub(super) since: UtcMillis,
    /// Whether it is told now.
    pub(super) announced: bool,
}

/// An alert that is over.
#[derive(Debug, Clone)]
pub(super) struct Resolve<'a> {
    pub(super) key: &'a str,
    /// Since when.
    pub(super) at: UtcMillis,
    /// `rule`, `server` or an account.
    pub(super) by: &'a str,
    pub(super) reason: Option<&'a str>,
    pub(super) extreme: Option<f64>,
}

/// What is looked at of an alert that is not resolved.
#[derive(sqlx::FromRow)]
struct Active {
    id: i64,
    severity: String,
    announced: bool,
}

impl Store {
    /// Raises an alert, if none of its key is active; else the active one takes on its severity. Returns its id.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn raise(&self, conn: &mut Conn<'_>, raise: &Raise, now: UtcMillis) -> Result<i64, StoreError> {
        const INSERT: &str = "INSERT INTO alert (id, source, kind, device, location, metric, dedup_key, severity, worst,
            state, since, raised_at, known_at, changed_at, value, limit_value, extreme, detail, simulated, announced, parent)
            VALUES ($1, $2, $3, $4, COALESCE($5, (SELECT location FROM registration WHERE name = $4)), $6, $7, $8, $8,
            'open', $9, $10, $11, $11, $12, $13, $12, $14, $15, $16, $17)";
        if let Some(active) = active(conn, &raise.key).await? {
            if active.severity != raise.severity.as_str() {
                let grade = Grade {
                    key: &raise.key,
                    severity: raise.severity,
                    worse: raise.severity == Severity::Critical,
                    value: raise.value,
                    limit: raise.limit,
                    extreme: None,
                    since: raise.since,
                    announced: raise.announced,
                };
                self.grade(conn, &grade, now).await?;
            } else if raise.source == Source::Rule {
                // Somebody reopened it, and now it is so again.
                let detail = json!({"severity": raise.severity, "value": raise.value, "at": raise.at.0});
                let seq = happened(conn, active.id, "raised", by(raise.source), &detail, now).await?;
                if raise.announced && active.announced {
                    self.tell(conn, active.id, seq, What::Raised, now).await?;
                }
            }
            return Ok(active.id);
        }
        let id = self.ids.next(now);
        on_conn!(conn, |c| sqlx::query(INSERT)
            .bind(id)
            .bind(raise.source.as_str())
            .bind(raise.kind.as_str())
            .bind(&raise.device)
            .bind(&raise.location)
            .bind(raise.metric.map(Metric::as_str))
            .bind(&raise.key)
            .bind(raise.severity.as_str())
            .bind(raise.since.0)
            .bind(raise.at.0)
            .bind(now.0)
            .bind(raise.value)
            .bind(raise.limit)
            .bind(Value::Object(raise.detail.clone()).to_string())
            .bind(raise.simulated)
            .bind(raise.announced)
            .bind(raise.parent)
            .execute(&mut *c)
            .await?
            .rows_affected());
        let detail = json!({"severity": raise.severity, "value": raise.value, "at": raise.at.0});
        let seq = happened(conn, id, "raised", by(raise.source), &detail, now).await?;
        if raise.announced {
            self.tell(conn, id, seq, What::Raised, now).await?;
        }
        Ok(id)
    }

    /// Grades the active alert of a key. One that somebody resolved by hand although it goes on is reopened when it gets worse.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn grade(&self, conn: &mut Conn<'_>, grade: &Grade<'_>, now: UtcMillis) -> Result<(), StoreError> {
        const LAST: &str = "SELECT id, severity, announced FROM
            (SELECT id, severity, announced, cleared FROM alert WHERE dedup_key = $1 ORDER BY id DESC LIMIT 1) AS last
            WHERE cleared IS NULL";
        const UPDATE: &str = "UPDATE alert SET severity = $2, worst = CASE WHEN $2 = 'critical' THEN $2 ELSE worst END,
            value = COALESCE($3, value), limit_value = COALESCE($4, limit_value), extreme = COALESCE($5, extreme),
            announced = announced AND $6, changed_at = $7 WHERE id = $1";
        const REOPEN: &str = "UPDATE alert SET state = 'open', reopened = reopened + 1, resolved_at = NULL,
            resolved_by = NULL, reason = NULL, acked_at = NULL, acked_by = NULL, historical = FALSE, announced = TRUE
            WHERE id = $1";
        let (alert, what) = match active(conn, grade.key).await? {
            Some(active) => (active, if grade.worse { What::Escalated } else { What::Eased }),
            None if !grade.worse => return Ok(()),
            None => {
                let last: Option<Active> =
                    on_conn!(conn, |c| sqlx::query_as(LAST).bind(grade.key).fetch_optional(&mut *c).await?);
                // It was cleared out of the lists: there it stays.
                let Some(last) = last else { return Ok(()) };
                on_conn!(conn, |c| sqlx::query(REOPEN).bind(last.id).execute(&mut *c).await?.rows_affected());
                (Active { announced: true, ..last }, What::Reopened)
            }
        };
        on_conn!(conn, |c| sqlx::query(UPDATE)
            .bind(alert.id)
            .bind(grade.severity.as_str())
            .bind(grade.value)
            .bind(grade.limit)
            .bind(grade.extreme)
            .bind(grade.announced)
            .bind(now.0)
            .execute(&mut *c)
            .await?
            .rows_affected());
        let detail = json!({"severity": grade.severity, "value": grade.value, "at": grade.since.0});
        let seq = happened(conn, alert.id, what.as_str(), "rule", &detail, now).await?;
        if grade.announced && alert.announced {
            self.tell(conn, alert.id, seq, what, now).await?;
        }
        Ok(())
    }

    /// Ends the active alert of a key, also one that was cleared out of the lists; returns its id if there was one. What was
    /// never told is not told now either.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn resolve(
        &self,
        conn: &mut Conn<'_>,
        resolve: &Resolve<'_>,
        now: UtcMillis,
    ) -> Result<Option<i64>, StoreError> {
        const UPDATE: &str =
            "UPDATE alert SET state = 'resolved', resolved_at = CASE WHEN since > $2 THEN since ELSE $2 END,
            resolved_by = $3, reason = $4, extreme = COALESCE($5, extreme), changed_at = $6
            WHERE dedup_key = $1 AND state <> 'resolved' AND cleared IS NOT NULL";
        const ONE: &str =
            "UPDATE alert SET state = 'resolved', resolved_at = CASE WHEN since > $2 THEN since ELSE $2 END,
            resolved_by = $3, reason = $4, extreme = COALESCE($5, extreme), changed_at = $6 WHERE id = $1";
        let active = active(conn, resolve.key).await?;
        macro_rules! update {
            ($sql:expr, $which:expr) => {
                on_conn!(conn, |c| sqlx::query($sql)
                    .bind($which)
                    .bind(resolve.at.0)
                    .bind(resolve.by)
                    .bind(resolve.reason)
                    .bind(resolve.extreme)
                    .bind(now.0)
                    .execute(&mut *c)
                    .await?
                    .rows_affected())
            };
        }
        update!(UPDATE, resolve.key);
        let Some(Active { id, announced, .. }) = active else { return Ok(None) };
        update!(ONE, id);
        let detail = json!({"at": resolve.at.0, "reason": resolve.reason});
        let seq = happened(conn, id, "cleared", resolve.by, &detail, now).await?;
        if announced {
            self.tell(conn, id, seq, What::Cleared, now).await?;
        }
        Ok(Some(id))
    }

    /// Writes the news of an alert's event into the outbox: withheld if the alert is silenced, snoozed or part of another.
    ///
    /// # Errors
    /// When the database fails or the alert can't be read.
    pub(super) async fn tell(
        &self,
        conn: &mut Conn<'_>,
        alert: i64,
        seq: i64,
        what: What,
        now: UtcMillis,
    ) -> Result<(), StoreError> {
        const ONE: &str = concat!("SELECT ", alert_columns!(), " FROM alert WHERE id = $2");
        let row: AlertRow = on_conn!(conn, |c| sqlx::query_as(ONE).bind(now.0).bind(alert).fetch_one(&mut *c).await?);
        // The end of what somebody was told is told whatever was silenced since: it may be a siren that sounds.
        let is_end = matches!(what, What::Cleared | What::Resolved);
        let withheld = row.withheld(now).filter(|why| !is_end || *why == LINKED);
        let alert = row.alert(now, &self.zone)?;
        let news = News {
            v: 1,
            key: format!("alert-{}-{seq}", alert.id),
            what,
            at: now.0,
            text: words::news(what, &alert),
            alert: Some(alert),
            alerts: vec![],
        };
        self.post(conn, &news, withheld, now).await
    }

    /// Writes news into the outbox.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn post(
        &self,
        conn: &mut Conn<'_>,
        news: &News,
        withheld: Option<&str>,
        now: UtcMillis,
    ) -> Result<(), StoreError> {
        const INSERT: &str = "INSERT INTO outbox (id, idem_key, alert, what, created_at, payload, withheld)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let payload = serde_json::to_string(news)
            .map_err(|error| StoreError::Corrupt { what: "alert", why: error.to_string() })?;
        on_conn!(conn, |c| sqlx::query(INSERT)
            .bind(self.ids.next(now))
            .bind(&news.key)
            .bind(news.alert.as_ref().map(|alert| alert.id))
            .bind(news.what.as_str())
            .bind(now.0)
            .bind(payload)
            .bind(withheld)
            .execute(&mut *c)
            .await?
            .rows_affected());
        conn.news = true;
        Ok(())
    }
}

/// Who brings about what a source finds out.
fn by(source: Source) -> &'static str {
    match source {
        Source::Rule => "rule",
        Source::Outage | Source::Intake => "server",
    }
}

/// The alert of a key that is not resolved, locked.
async fn active(conn: &mut Conn<'_>, key: &str) -> Result<Option<Active>, StoreError> {
    let sql = format!(
        "SELECT id, severity, announced FROM alert WHERE dedup_key = $1 AND state <> '{}' AND cleared IS NULL{}",
        State::Resolved.as_str(),
        conn.lock()
    );
    Ok(on_conn!(conn, |c| sqlx::query_as(AssertSqlSafe(sql)).bind(key).fetch_optional(&mut *c).await?))
}

/// Adds an event to an alert that is locked; returns its number.
pub(super) async fn happened(
    conn: &mut Conn<'_>,
    alert: i64,
    what: &str,
    who: &str,
    detail: &Value,
    now: UtcMillis,
) -> Result<i64, StoreError> {
    const INSERT: &str = "INSERT INTO alert_event (alert, seq, at, who, what, detail)
        SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4, $5 FROM alert_event WHERE alert = $1 RETURNING seq";
    Ok(on_conn!(conn, |c| sqlx::query_scalar(INSERT)
        .bind(alert)
        .bind(now.0)
        .bind(who)
        .bind(what)
        .bind(detail.to_string())
        .fetch_one(&mut *c)
        .await?))
}
