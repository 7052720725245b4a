//! What holds for the whole fleet.

use super::{Store, StoreError, audit::audit, on_pool};
use crate::audit::{Act, Actor};
use shared::UtcMillis;

impl Store {
    /// Until when re-flashed boards come back to their names by themselves; `None`: somebody has to approve each.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn returns_until(&self, now: UtcMillis) -> Result<Option<UtcMillis>, StoreError> {
        const QUERY: &str = "SELECT value FROM policy WHERE name = 'returns_until'";
        let until: Option<i64> = on_pool!(&self.pool, |pool| sqlx::query_scalar(QUERY).fetch_optional(pool).await?);
        Ok(until.map(UtcMillis).filter(|until| *until > now))
    }

    /// Opens or closes (`until` in the past) the window in which re-flashed boards come back by themselves.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn let_return_until(&self, until: UtcMillis, actor: &Actor, now: UtcMillis) -> Result<(), StoreError> {
        const BEFORE: &str = "SELECT value FROM policy WHERE name = 'returns_until'";
        const QUERY: &str = "INSERT INTO policy (name, value) VALUES ('returns_until', $1)
            ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value";
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let before: Option<i64> = sqlx::query_scalar(BEFORE).fetch_optional(&mut *tx).await?;
            sqlx::query(QUERY).bind(until.0).execute(&mut *tx).await?;
            let entry = actor.did(Act::PolicyChanged, now).with("returns_until", until.0);
            audit!(tx, entry.with("before", before.map(|until| serde_json::json!({ "returns_until": until }))));
            tx.commit().await?;
        });
        Ok(())
    }
}
