//! The outbox: what is to be told, written by whatever changes an alert, read here. Knows no channel but by its name.

use super::append::{chunks, placeholders};
use super::{Store, StoreError, alert_id, audit::audit_all, conn::again, on_pool};
use crate::alert::{News, What};
use crate::audit::{Act, Actor};
use shared::UtcMillis;
use sqlx::AssertSqlSafe;

/// News that are spread in one transaction.
const TOGETHER: i64 = 256;

/// Some news as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Of the row.
    pub id: i64,
    /// What is told.
    pub news: News,
    /// Why nobody outside is told.
    pub withheld: Option<String>,
}

/// A row that nobody has looked at yet, with what is known of its alert.
#[derive(sqlx::FromRow)]
struct New {
    id: i64,
    alert: Option<i64>,
    what: String,
    created_at: i64,
    payload: String,
    withheld: Option<String>,
    device: Option<String>,
    who: Option<String>,
    untold: bool,
}

/// With who did it last, and whether there was earlier news of the alert, all of it withheld.
const NEW: &str = "SELECT o.id, o.alert, o.what, o.created_at, o.payload, o.withheld,
        (SELECT a.device FROM alert a WHERE a.id = o.alert) AS device,
        (SELECT e.who FROM alert_event e WHERE e.alert = o.alert AND e.what = o.what ORDER BY e.seq DESC LIMIT 1) AS who,
        (EXISTS (SELECT 1 FROM outbox p WHERE p.alert = o.alert AND p.id < o.id)
            AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.alert = o.alert AND p.id < o.id AND p.withheld IS NULL)) AS untold
    FROM outbox o WHERE NOT o.spread ORDER BY o.id LIMIT $1";
const SPREAD: &str = "UPDATE outbox SET spread = TRUE, withheld = $2 WHERE id = $1";
const GIVE: &str = "INSERT INTO delivery (outbox, channel, state, tries, next_at) VALUES ($1, $2, 'pending', 0, $3)";

impl New {
    /// Why nobody outside is told, if so. That something is over which nobody was told of helps nobody.
    fn withheld(&self) -> Option<&str> {
        self.withheld.as_deref().or_else(|| (self.untold && self.ends()).then_some("untold"))
    }

    fn ends(&self) -> bool {
        matches!(What::from_word(&self.what), Some(What::Cleared | What::Resolved | What::Eased))
    }

    /// What people do is audited where they do it.
    fn by_nobody(&self) -> bool {
        self.who.as_deref().is_none_or(|who| matches!(who, "rule" | "server") || who.starts_with("intake/"))
    }
}

impl Store {
    /// Gives what nobody has looked at yet to the channels that `wanted` names for it, and to the audit log; withholds that something
    /// is over of which nobody was told. One transaction: each news is given to each channel once. `true`: there may be more.
    ///
    /// # Errors
    /// When the database fails: then nothing has been given.
    pub async fn spread_news(&self, wanted: impl Fn(What) -> Vec<String>, now: UtcMillis) -> Result<bool, StoreError> {
        const ANY: &str = "SELECT COUNT(*) FROM outbox WHERE NOT spread";
        // Most turns find nothing, and must not wait for a lock to see that.
        let new: i64 = on_pool!(&self.pool, |pool| sqlx::query_scalar(ANY).fetch_one(pool).await?);
        if new == 0 {
            return Ok(false);
        }
        let (begin, alone) = self.one_at_a_time();
        again!(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let rows: Vec<New> = sqlx::query_as(NEW).bind(TOGETHER).fetch_all(&mut *tx).await?;
            let mut entries = vec![];
            for row in &rows {
                let withheld = row.withheld();
                sqlx::query(SPREAD).bind(row.id).bind(withheld).execute(&mut *tx).await?;
                if let Some(what) = What::from_word(&row.what).filter(|_| withheld.is_none()) {
                    for channel in wanted(what) {
                        sqlx::query(GIVE).bind(row.id).bind(channel).bind(now.0).execute(&mut *tx).await?;
                    }
                }
                if let Some(act) = act(&row.what).filter(|_| row.by_nobody()) {
                    entries.push(row.entry(act));
                }
            }
            audit_all!(tx, entries);
            tx.commit().await?;
            Ok(rows.len() as i64 == TOGETHER)
        }))
    }

    /// The ids of what was written since then and has been spread, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn told_since(&self, since: UtcMillis) -> Result<Vec<i64>, StoreError> {
        const QUERY: &str = "SELECT id FROM outbox WHERE id >= $1 AND spread ORDER BY id";
        let first = alert_id::first_of(since);
        Ok(on_pool!(&self.pool, |pool| sqlx::query_scalar(QUERY).bind(first).fetch_all(pool).await?))
    }

    /// Some news as it was written, oldest first. What is unreadable is logged and left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn told(&self, ids: &[i64]) -> Result<Vec<Told>, StoreError> {
        let mut told = Vec::with_capacity(ids.len());
        for some in chunks(ids) {
            let list = placeholders(0, some.len());
            let sql = format!("SELECT id, payload, withheld FROM outbox WHERE id IN ({list}) ORDER BY id");
            let rows: Vec<(i64, String, Option<String>)> = on_pool!(&self.pool, |pool| {
                let mut query = sqlx::query_as(AssertSqlSafe(sql));
                for id in some {
                    query = query.bind(id);
                }
                query.fetch_all(pool).await?
            });
            for (id, payload, withheld) in rows {
                match serde_json::from_str(&payload) {
                    Ok(news) => told.push(Told { id, news, withheld }),
                    Err(error) => tracing::error!(id, %error, "news in the outbox is unreadable"),
                }
            }
        }
        Ok(told)
    }
}

/// The act in the audit log; none for what only people do.
fn act(what: &str) -> Option<Act> {
    Some(match What::from_word(what)? {
        What::Raised => Act::AlertRaised,
        What::Escalated => Act::AlertEscalated,
        What::Eased => Act::AlertEased,
        What::Cleared | What::Resolved => Act::AlertCleared,
        What::Reopened => Act::AlertReopened,
        What::Digest => Act::AlertDigest,
        What::Acknowledged | What::Test => return None,
    })
}

impl New {
    fn entry(&self, act: Act) -> crate::audit::Entry {
        let entry = Actor::server().did(act, UtcMillis(self.created_at)).with("alert", self.alert);
        let entry = match self.device.as_deref().and_then(|device| device.parse().ok()) {
            Some(device) => entry.to(&device),
            None => entry,
        };
        let Ok(news) = serde_json::from_str::<News>(&self.payload) else { return entry };
        let entry = entry.with("text", news.text.en);
        if news.alerts.is_empty() {
            return entry;
        }
        entry.with("alerts", news.alerts.iter().map(|alert| alert.id).collect::<Vec<_>>())
    }
}
