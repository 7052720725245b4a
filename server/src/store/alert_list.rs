//! Alerts as they are looked at: filtered, searched, counted, and one with all that happened to it. Changes nothing.

use super::alert_row::{AlertRow, alert_columns};
use super::{Store, StoreError, on_pool};
use crate::alert::{Alert, State};
use serde_json::{Map, Value};
use shared::UtcMillis;

/// Most alerts of one answer.
pub const MOST_ALERTS: u32 = 500;

/// Which alerts. Words of one field stand with a comma between: each of them is meant.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// How far they are dealt with.
    pub state: Option<String>,
    /// How bad they are.
    pub severity: Option<String>,
    /// Who found out.
    pub source: Option<String>,
    /// What is wrong.
    pub kind: Option<String>,
    /// At which device.
    pub device: Option<String>,
    /// At which location.
    pub location: Option<String>,
    /// Of which metric.
    pub metric: Option<String>,
    /// Whose they are.
    pub assignee: Option<String>,
    /// Words that stand in them, or in their notes.
    pub q: Option<String>,
    /// Since when they have been so: from.
    pub from: Option<i64>,
    /// Until before.
    pub to: Option<i64>,
    /// Whether they belong to the past.
    pub historical: Option<bool>,
    /// Whether nobody has read them.
    pub unread: Option<bool>,
    /// Those of a clearance instead of those in the lists.
    pub cleared: Option<i64>,
}

/// How many there are, in all lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct AlertCounts {
    /// Nobody takes care of them.
    pub open: i64,
    /// Somebody does.
    pub acknowledged: i64,
    /// Not resolved, and critical.
    pub critical: i64,
    /// Not read.
    pub unread: i64,
}

/// Something that happened to an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertEvent {
    /// 1, 2, 3, ...
    pub seq: i64,
    /// When.
    pub at: UtcMillis,
    /// An account, `rule` or `server`.
    pub who: String,
    /// What.
    pub what: String,
    /// Whatever else belongs to it.
    pub detail: Map<String, Value>,
}

/// How a channel fared with news of an alert.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Delivery {
    /// What it tells.
    pub what: String,
    /// Since when it is to be told.
    pub at: i64,
    /// Why it is not sent.
    pub withheld: Option<String>,
    /// Which channel; none has it yet if absent.
    pub channel: Option<String>,
    /// `pending`, `sent` or `failed`.
    pub state: Option<String>,
    /// How often it was tried.
    pub tries: Option<i64>,
    /// When it was over.
    pub done_at: Option<i64>,
    /// What went wrong last.
    pub problem: Option<String>,
}

/// `$1` is the present time, `$2` to `$15` what [`bind_filter!`] binds.
macro_rules! alert_filter {
    () => {
        " WHERE ($2 IS NULL OR ',' || $2 || ',' LIKE '%,' || state || ',%')
            AND ($3 IS NULL OR ',' || $3 || ',' LIKE '%,' || severity || ',%')
            AND ($4 IS NULL OR ',' || $4 || ',' LIKE '%,' || source || ',%')
            AND ($5 IS NULL OR ',' || $5 || ',' LIKE '%,' || kind || ',%')
            AND ($6 IS NULL OR device = $6) AND ($7 IS NULL OR location = $7) AND ($8 IS NULL OR metric = $8)
            AND ($9 IS NULL OR assignee = $9)
            AND ($10 IS NULL OR LOWER(COALESCE(device, '') || ' ' || COALESCE(location, '') || ' ' || COALESCE(metric, '')
                || ' ' || kind || ' ' || COALESCE(assignee, '') || ' ' || COALESCE(reason, '') || ' ' || detail)
                LIKE $10 ESCAPE '!'
              OR EXISTS (SELECT 1 FROM alert_event WHERE alert_event.alert = alert.id AND what = 'noted'
                AND LOWER(alert_event.detail) LIKE $10 ESCAPE '!'))
            AND ($11 IS NULL OR since >= $11) AND ($12 IS NULL OR since < $12)
            AND ($13 IS NULL OR historical = $13) AND ($14 IS NULL OR (read_at IS NULL) = $14)
            AND (($15 IS NULL AND cleared IS NULL) OR cleared = $15)"
    };
}
pub(super) use alert_filter;

/// Binds `$1` to `$15` of a question with [`alert_filter!`].
macro_rules! bind_filter {
    ($query:expr, $now:expr, $filter:expr) => {{
        let filter: &$crate::store::AlertFilter = $filter;
        let query = $query.bind($now).bind(filter.state.as_deref()).bind(filter.severity.as_deref());
        let query = query.bind(filter.source.as_deref()).bind(filter.kind.as_deref()).bind(filter.device.as_deref());
        let query = query.bind(filter.location.as_deref()).bind(filter.metric.as_deref());
        let query = query.bind(filter.assignee.as_deref()).bind(filter.pattern()).bind(filter.from).bind(filter.to);
        query.bind(filter.historical).bind(filter.unread).bind(filter.cleared)
    }};
}
pub(super) use bind_filter;

const COUNTS: &str = "SELECT COUNT(CASE WHEN state = 'open' THEN 1 END) AS open,
        COUNT(CASE WHEN state = 'acknowledged' THEN 1 END) AS acknowledged,
        COUNT(CASE WHEN severity = 'critical' THEN 1 END) AS critical,
        (SELECT COUNT(*) FROM alert WHERE read_at IS NULL AND cleared IS NULL) AS unread
    FROM alert WHERE state <> 'resolved' AND cleared IS NULL";

/// A list that is narrowed by a condition which its filter implies.
macro_rules! list {
    ($narrowed:literal) => {
        concat!(
            "SELECT ",
            alert_columns!(),
            " FROM alert",
            alert_filter!(),
            $narrowed,
            " AND id < $16 ORDER BY id DESC LIMIT $17"
        )
    };
}

impl AlertFilter {
    /// The question for a list. One that may leave out any condition is planned as if it left out all: the one that makes most
    /// of the rows go away is said outright, so that an index has it.
    fn list(&self) -> &'static str {
        let is_current = |states: &str| states.split(',').all(|state| state != State::Resolved.as_str());
        match self {
            Self { cleared: Some(_), .. } => list!(" AND cleared = $15"),
            Self { state: Some(states), .. } if is_current(states) => {
                list!(" AND state <> 'resolved' AND cleared IS NULL")
            }
            Self { device: Some(_), .. } => list!(" AND device = $6"),
            Self { unread: Some(true), .. } => list!(" AND read_at IS NULL AND cleared IS NULL"),
            _ => list!(""),
        }
    }

    /// What a text that holds the words is LIKE.
    pub(super) fn pattern(&self) -> Option<String> {
        self.q.as_deref().map(super::like)
    }
}

impl Store {
    /// How many there are that are not resolved, by severity and state.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unresolved_alerts(&self) -> Result<Vec<((String, String), i64)>, StoreError> {
        const QUERY: &str = "SELECT severity, state, COUNT(*) FROM alert
            WHERE state <> 'resolved' AND cleared IS NULL GROUP BY severity, state";
        let rows: Vec<(String, String, i64)> =
            on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).fetch_all(pool).await?);
        Ok(rows.into_iter().map(|(severity, state, count)| ((severity, state), count)).collect())
    }

    /// Those with a lower id than `before`, the newest first.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn alerts(
        &self,
        filter: &AlertFilter,
        before: Option<i64>,
        limit: u32,
        now: UtcMillis,
    ) -> Result<Vec<Alert>, StoreError> {
        let (before, limit) = (before.unwrap_or(i64::MAX), i64::from(limit.min(MOST_ALERTS)));
        let rows: Vec<AlertRow> = on_pool!(&self.pool, |pool| {
            bind_filter!(sqlx::query_as(filter.list()), now.0, filter).bind(before).bind(limit).fetch_all(pool).await?
        });
        rows.into_iter().map(|row| row.alert(now, &self.zone)).collect()
    }

    /// One alert, also one that was cleared out of the lists.
    ///
    /// # Errors
    /// When the database fails or the row can't be read.
    pub async fn alert(&self, id: i64, now: UtcMillis) -> Result<Option<Alert>, StoreError> {
        const ONE: &str = concat!("SELECT ", alert_columns!(), " FROM alert WHERE id = $2");
        let row: Option<AlertRow> =
            on_pool!(&self.pool, |pool| sqlx::query_as(ONE).bind(now.0).bind(id).fetch_optional(pool).await?);
        row.map(|row| row.alert(now, &self.zone)).transpose()
    }

    /// The alerts that belong to one.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn alert_children(&self, id: i64, now: UtcMillis) -> Result<Vec<Alert>, StoreError> {
        const ALL: &str = concat!("SELECT ", alert_columns!(), " FROM alert WHERE parent = $2 ORDER BY id LIMIT 500");
        let rows: Vec<AlertRow> =
            on_pool!(&self.pool, |pool| sqlx::query_as(ALL).bind(now.0).bind(id).fetch_all(pool).await?);
        rows.into_iter().map(|row| row.alert(now, &self.zone)).collect()
    }

    /// How many there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_counts(&self) -> Result<AlertCounts, StoreError> {
        Ok(on_pool!(&self.pool, |pool| sqlx::query_as(COUNTS).fetch_one(pool).await?))
    }

    /// What happened to an alert, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_events(&self, id: i64) -> Result<Vec<AlertEvent>, StoreError> {
        const QUERY: &str = "SELECT seq, at, who, what, detail FROM alert_event WHERE alert = $1 ORDER BY seq";
        let rows: Vec<(i64, i64, String, String, String)> =
            on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).bind(id).fetch_all(pool).await?);
        let event = |(seq, at, who, what, detail): (i64, i64, String, String, String)| AlertEvent {
            seq,
            at: UtcMillis(at),
            who,
            what,
            detail: serde_json::from_str(&detail).unwrap_or_default(),
        };
        Ok(rows.into_iter().map(event).collect())
    }

    /// What was to be told of an alert, and how each channel fares with it; oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_deliveries(&self, id: i64) -> Result<Vec<Delivery>, StoreError> {
        const QUERY: &str = "SELECT outbox.what AS what, outbox.created_at AS at, outbox.withheld AS withheld,
            delivery.channel AS channel, delivery.state AS state, delivery.tries AS tries, delivery.done_at AS done_at,
            delivery.problem AS problem
            FROM outbox LEFT JOIN delivery ON delivery.outbox = outbox.id WHERE outbox.alert = $1
            ORDER BY outbox.id, delivery.channel";
        Ok(on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).bind(id).fetch_all(pool).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Pool;
    use sqlx::{AssertSqlSafe, Row};

    #[test]
    fn what_is_searched_for_is_no_pattern() {
        let filter = AlertFilter { q: Some("100%_A!".to_owned()), ..AlertFilter::default() };
        assert_eq!(filter.pattern().as_deref(), Some("%100!%!_a!!%"));
    }

    /// How SQLite goes about a question: a line for each table.
    async fn plan(store: &Store, sql: &str) -> Vec<String> {
        let Pool::Sqlite(pool) = &store.pool else { panic!("SQLite") };
        let sql = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        sqlx::query(sql).fetch_all(pool).await.unwrap().iter().map(|row| row.get("detail")).collect()
    }

    #[tokio::test]
    async fn lists_and_numbers_look_at_no_alert_that_is_not_meant() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}/a.db", folder.path().display())).await.unwrap();
        let some = |word: &str| Some(word.to_owned());
        let none = AlertFilter::default;
        for (filter, index) in [
            (AlertFilter { state: some("open,acknowledged"), ..none() }, "alert_current (id<?)"),
            (AlertFilter { device: some("pi-1"), ..none() }, "alert_of_device (device=? AND id<?)"),
            (AlertFilter { unread: Some(true), ..none() }, "alert_unread (id<?)"),
            (AlertFilter { cleared: Some(1), ..none() }, "alert_of_clearance (cleared=? AND id<?)"),
            (AlertFilter { state: some("resolved"), ..none() }, "sqlite_autoindex_alert_1 (id<?)"),
        ] {
            let plan = plan(&store, filter.list()).await;
            assert!(
                plan.iter().any(|line| line.starts_with("SEARCH alert USING") && line.ends_with(index)),
                "{plan:?}"
            );
            assert!(plan.iter().all(|line| !line.contains("ORDER BY")), "{plan:?}");
        }
        let plan = plan(&store, COUNTS).await;
        let scans: Vec<_> = plan.iter().filter(|line| line.starts_with("SCAN")).collect();
        assert!(scans.iter().all(|line| line.contains(" USING ")) && scans.len() == 2, "{plan:?}");
    }
}
