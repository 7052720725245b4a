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

const RECORDS: &str = "SELECT d.channel,
        COUNT(CASE WHEN d.state = 'pending' THEN 1 END) AS pending,
        (SELECT MIN(o.created_at) FROM outbox o JOIN delivery q ON q.outbox = o.id
            WHERE q.channel = d.channel AND q.state = 'pending') AS oldest_at,
        COUNT(CASE WHEN d.state = 'sent' AND d.done_at >= $1 THEN 1 END) AS sent,
        COUNT(CASE WHEN d.state = 'failed' AND d.done_at >= $1 THEN 1 END) AS failed,
        MAX(CASE WHEN d.state = 'sent' THEN d.done_at END) AS sent_at,
        MAX(CASE WHEN d.state = 'failed' THEN d.done_at END) AS failed_at,
        (SELECT p.problem FROM delivery p WHERE p.channel = d.channel AND p.problem IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM delivery s WHERE s.channel = p.channel AND s.state = 'sent' AND s.outbox > p.outbox)
            ORDER BY p.outbox DESC LIMIT 1) AS problem
    FROM delivery d GROUP BY d.channel ORDER BY d.channel";

impl Store {
    /// How each channel that ever got anything has fared; counts are of what happened since then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn channel_records(&self, since: UtcMillis) -> Result<Vec<ChannelRecord>, StoreError> {
        Ok(on_pool!(&self.pool, |pool| sqlx::query_as(RECORDS).bind(since.0).fetch_all(pool).await?))
    }
}
