//! How each channel fares with each news: what is due is taken by a lease, so that it is nobody else's for a while; what is long
//! done is forgotten.

use super::append::{chunks, placeholders};
use super::conn::{Conn, on_conn, transaction};
use super::{Pool, Store, StoreError, alert_id, on_pool};
use shared::UtcMillis;
use sqlx::AssertSqlSafe;

/// Some news that is to be delivered now, by whoever took it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Due {
    /// The row of the outbox.
    pub outbox: i64,
    /// By which channel.
    pub channel: String,
    /// How often it has been tried, this time included.
    pub tries: i64,
    /// The news as JSON.
    pub payload: String,
}

/// Of one alert the news go out in order: a later one waits until the earlier one is sent or given up. What is due is chosen
/// once (what is due in more than a minute was written before the clock was set back): within the UPDATE PostgreSQL may choose again for each row, and then takes more than it was asked to.
macro_rules! take {
    ($lock:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (
                SELECT d.outbox FROM delivery d JOIN outbox o ON o.id = d.outbox
                WHERE d.channel = $1 AND d.state = 'pending'
                  AND (d.next_at <= $2 OR d.next_at > $2 + 60000) AND NOT EXISTS (
                    SELECT 1 FROM outbox p JOIN delivery q ON q.outbox = p.id AND q.channel = d.channel
                    WHERE p.alert = o.alert AND p.id < o.id AND q.state = 'pending')
                ORDER BY d.outbox LIMIT $3",
            $lock,
            ") UPDATE delivery SET tries = tries + 1, next_at = $4
             WHERE channel = $1 AND state = 'pending' AND outbox IN (SELECT outbox FROM due)
             RETURNING outbox, channel, tries, (SELECT o.payload FROM outbox o WHERE o.id = delivery.outbox) AS payload"
        )
    };
}

/// News that are forgotten in one transaction, and so many transactions in a row: appends wait for each.
const PORTION: i64 = 256;
const PORTIONS: usize = 40;
/// What of an alert is not over decides yet what is told of it: whether anybody knows that it began.
const DONE: &str = "SELECT o.id FROM outbox o WHERE o.id < $1 AND o.spread
    AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.outbox = o.id AND d.state = 'pending')
    AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.id = o.alert AND (a.state <> 'resolved' OR a.changed_at >= $2))
    ORDER BY o.id LIMIT $3";

impl Store {
    /// Takes at most `most` of what is due on a channel, for `lease_ms`: nobody else gets it meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_due(
        &self,
        channel: &str,
        most: usize,
        now: UtcMillis,
        lease_ms: i64,
    ) -> Result<Vec<Due>, StoreError> {
        let sql = match self.pool {
            Pool::Sqlite(_) => take!(""),
            Pool::Postgres(_) => take!(" FOR UPDATE OF d SKIP LOCKED"),
        };
        let (most, until) = (i64::try_from(most).unwrap_or(i64::MAX), now.0 + lease_ms);
        let mut due: Vec<Due> = on_pool!(&self.pool, |pool| {
            sqlx::query_as(sql).bind(channel).bind(now.0).bind(most).bind(until).fetch_all(pool).await?
        });
        due.sort_by_key(|due| due.outbox);
        Ok(due)
    }

    /// The receiver said that it has it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivered(&self, due: &Due, now: UtcMillis) -> Result<(), StoreError> {
        const QUERY: &str = "UPDATE delivery SET state = 'sent', done_at = $3, problem = NULL
            WHERE outbox = $1 AND channel = $2 AND state <> 'sent'";
        on_pool!(&self.pool, |pool| {
            sqlx::query(QUERY).bind(due.outbox).bind(&due.channel).bind(now.0).execute(pool).await?;
        });
        Ok(())
    }

    /// A try failed: it is due `again`, or given up. If its lease had run out and somebody else tries, that one counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn not_delivered(
        &self,
        due: &Due,
        problem: &str,
        again: Option<UtcMillis>,
        now: UtcMillis,
    ) -> Result<(), StoreError> {
        const QUERY: &str = "UPDATE delivery SET state = $3, next_at = $4, done_at = $5, problem = $6
            WHERE outbox = $1 AND channel = $2 AND state = 'pending' AND tries = $7";
        let (state, next, done) = match again {
            Some(again) => ("pending", again.0, None),
            None => ("failed", now.0, Some(now.0)),
        };
        on_pool!(&self.pool, |pool| {
            let query = sqlx::query(QUERY).bind(due.outbox).bind(&due.channel).bind(state).bind(next).bind(done);
            query.bind(problem).bind(due.tries).execute(pool).await?;
        });
        Ok(())
    }

    /// Forgets news of before a time that is done with: every channel has it or was given up, or it was withheld, and its alert
    /// was over by then. The alert and its events stay. Returns how many; what is left is forgotten next time.
    ///
    /// # Errors
    /// When the database fails; what was forgotten before that is gone.
    pub async fn forget_news(&self, before: UtcMillis) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        for _ in 0..PORTIONS {
            let first = alert_id::first_of(before);
            let done: Vec<i64> = on_pool!(&self.pool, |pool| {
                sqlx::query_scalar(DONE).bind(first).bind(before.0).bind(PORTION).fetch_all(pool).await?
            });
            if done.is_empty() {
                break;
            }
            let (begin, _) = self.writing();
            forgotten += transaction!(self, begin, |conn| {
                forget(conn, "DELETE FROM delivery WHERE outbox", &done).await?;
                forget(conn, "DELETE FROM outbox WHERE id", &done).await?
            });
        }
        Ok(forgotten)
    }
}

async fn forget(conn: &mut Conn<'_>, which: &'static str, ids: &[i64]) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    for some in chunks(ids) {
        let sql = AssertSqlSafe(format!("{which} IN ({})", placeholders(0, some.len())));
        forgotten += on_conn!(conn, |c| {
            let mut query = sqlx::query(sql);
            for id in some {
                query = query.bind(id);
            }
            query.execute(&mut *c).await?.rows_affected()
        });
    }
    Ok(forgotten)
}
