//! How each channel has fared lately, by what is kept of its deliveries. Knows no channel but by its name.

use super::{Store, StoreError, on_pool};
use shared::UtcMillis;

/// How a channel has fared. Times are UTC milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ChannelRecord {
    /// The name that deliveries are kept under.
    pub channel: String,
    /// News that wait, or are tried again.
    pub pending: i64,
    /// When the oldest of them happened.
    pub oldest_at: Option<i64>,
    /// News that arrived since the time that was asked for.
    pub sent: i64,
    /// News that were given up since then.
    pub failed: i64,
    /// When one last arrived.
    pub sent_at: Option<i64>,
    /// When one was last given up.
    pub failed_at: Option<i64>,
    /// What went wrong last, if that has not come right since.
    pub problem: Option<String>,
}

/// Each delivery is looked at once; what is told of one of them is then fetched by its key.
const RECORDS: &str = "SELECT r.channel, r.pending, r.sent, r.failed, r.sent_at, r.failed_at,
        (SELECT MIN(o.created_at) FROM outbox o JOIN delivery q ON q.outbox = o.id
            WHERE q.channel = r.channel AND q.state = 'pending') AS oldest_at,
        CASE WHEN r.troubled > COALESCE(r.arrived, 0) THEN
            (SELECT p.problem FROM delivery p WHERE p.outbox = r.troubled AND p.channel = r.channel) END AS problem
    FROM (SELECT channel,
            COUNT(CASE WHEN state = 'pending' THEN 1 END) AS pending,
            COUNT(CASE WHEN state = 'sent' AND done_at >= $1 THEN 1 END) AS sent,
            COUNT(CASE WHEN state = 'failed' AND done_at >= $1 THEN 1 END) AS failed,
            MAX(CASE WHEN state = 'sent' THEN done_at END) AS sent_at,
            MAX(CASE WHEN state = 'failed' THEN done_at END) AS failed_at,
            MAX(CASE WHEN state = 'sent' THEN outbox END) AS arrived,
            MAX(CASE WHEN problem IS NOT NULL THEN outbox END) AS troubled
        FROM delivery GROUP BY channel) r
    ORDER BY r.channel";

impl Store {
    /// How each channel that ever got anything has fared; counts are of what happened since then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn channel_records(&self, since: UtcMillis) -> Result<Vec<ChannelRecord>, StoreError> {
        Ok(on_pool!(&self.pool, |pool| sqlx::query_as(RECORDS).bind(since.0).fetch_all(pool).await?))
    }
}
