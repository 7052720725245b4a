//! Silences and maintenance windows: when nobody is to be told. Whoever writes news looks here; this file only keeps them.

use super::{Store, StoreError, audit::audit, on_pool};
use crate::audit::{Act, Actor};
use crate::outage::Window;
use shared::UtcMillis;

/// A silence that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSilence {
    /// `maintenance` or `silence`.
    pub kind: String,
    /// `fleet`, `location` or `device`.
    pub scope: String,
    /// Which location or device; empty for the fleet.
    pub target: String,
    /// From when on.
    pub from: UtcMillis,
    /// Until when.
    pub to: UtcMillis,
    /// Why.
    pub reason: String,
}

/// A silence as it is kept. Times are UTC milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Silence {
    /// Rises with the time at which it was made.
    pub id: i64,
    /// `maintenance` or `silence`.
    pub kind: String,
    /// `fleet`, `location` or `device`.
    pub scope: String,
    /// Which location or device; empty for the fleet.
    pub target: String,
    /// From when on.
    pub from_at: i64,
    /// Until when, as it was wanted.
    pub to_at: i64,
    /// Why.
    pub reason: String,
    /// By whom.
    pub made_by: String,
    /// When.
    pub made_at: i64,
    /// When somebody ended it early.
    pub ended_at: Option<i64>,
    /// Who.
    pub ended_by: Option<String>,
}

impl Store {
    /// Makes a silence.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_silence(&self, new: &NewSilence, actor: &Actor, now: UtcMillis) -> Result<Silence, StoreError> {
        const INSERT: &str = "INSERT INTO silence (id, kind, scope, target, from_at, to_at, reason, made_by, made_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *";
        let id = self.ids.next(now);
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let query = sqlx::query_as(INSERT).bind(id).bind(&new.kind).bind(&new.scope).bind(&new.target);
            let query = query.bind(new.from.0).bind(new.to.0).bind(&new.reason).bind(actor.name()).bind(now.0);
            let made: Silence = query.fetch_one(&mut *tx).await?;
            audit!(tx, entry(Act::SilenceMade, &made, actor, now));
            tx.commit().await?;
            Ok(made)
        })
    }

    /// All silences, the newest first; those that were over by `since` are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn silences(&self, since: UtcMillis) -> Result<Vec<Silence>, StoreError> {
        const QUERY: &str = "SELECT * FROM silence WHERE COALESCE(ended_at, to_at) > $1 ORDER BY id DESC";
        Ok(on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).bind(since.0).fetch_all(pool).await?))
    }

    /// Ends a silence before its time; `None` if there is none of this id. One that is over already stays as it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_silence(&self, id: i64, actor: &Actor, now: UtcMillis) -> Result<Option<Silence>, StoreError> {
        const END: &str = "UPDATE silence SET ended_at = $2, ended_by = $3
            WHERE id = $1 AND ended_at IS NULL AND to_at > $2 RETURNING *";
        const ONE: &str = "SELECT * FROM silence WHERE id = $1";
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let query = sqlx::query_as(END).bind(id).bind(now.0).bind(actor.name());
            let ended: Option<Silence> = query.fetch_optional(&mut *tx).await?;
            let Some(ended) = ended else {
                return Ok(sqlx::query_as(ONE).bind(id).fetch_optional(&mut *tx).await?);
            };
            audit!(tx, entry(Act::SilenceEnded, &ended, actor, now));
            tx.commit().await?;
            Ok(Some(ended))
        })
    }

    /// The maintenance windows that reach into a time, each with its scope and target.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn maintenance(&self, time: Window) -> Result<Vec<(String, String, Window)>, StoreError> {
        const QUERY: &str = "SELECT scope, target, from_at, COALESCE(ended_at, to_at) FROM silence
            WHERE kind = 'maintenance' AND from_at < $2 AND COALESCE(ended_at, to_at) > $1";
        let rows: Vec<(String, String, i64, i64)> =
            on_pool!(&self.pool, |pool| { sqlx::query_as(QUERY).bind(time.from).bind(time.to).fetch_all(pool).await? });
        Ok(rows.into_iter().map(|(scope, target, from, to)| (scope, target, Window { from, to })).collect())
    }
}

fn entry(act: Act, silence: &Silence, actor: &Actor, now: UtcMillis) -> crate::audit::Entry {
    let Silence { id, kind, scope, target, from_at, to_at, reason, .. } = silence;
    let entry = actor.did(act, now).with("silence", *id).with("kind", kind.as_str()).with("scope", scope.as_str());
    let entry = entry.with("target", target.as_str()).with("from", *from_at).with("to", *to_at);
    entry.with("reason", reason.as_str())
}
