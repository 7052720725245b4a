//! Tokens of third-party systems that may hand in alerts: made, listed, withdrawn. Their secrets are stored as hashes.

use super::{Store, StoreError, audit::audit, on_pool, token::random_text};
use crate::audit::{Act, Actor};
use crate::digest::sha256_hex;
use shared::UtcMillis;

/// Every intake token begins with this, so that one that leaks is recognised, and not taken for one that enrols devices.
const PREFIX: &str = "tirta_in_";
/// How exactly the last use is kept: a busy system must not write a row for each of its alerts.
const USED_MS: i64 = 60_000;

/// An intake token, without its secret. Times are UTC milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct IntakeToken {
    /// What it is called when it is withdrawn.
    pub id: String,
    /// Which system has it; part of the keys of its alerts.
    pub name: String,
    /// By whom it was made.
    pub made_by: String,
    /// When.
    pub made_at: i64,
    /// When it was last used, to the minute.
    pub used_at: Option<i64>,
    /// When it was withdrawn.
    pub revoked_at: Option<i64>,
}

const COLUMNS: &str = "id, name, made_by, made_at, used_at, revoked_at";

impl Store {
    /// Makes a token; with its text, which is never seen again. `None` if a token of this name is in use.
    ///
    /// # Errors
    /// When the database fails or there are no random numbers.
    pub async fn create_intake_token(
        &self,
        name: &str,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<Option<(IntakeToken, String)>, StoreError> {
        const TAKEN: &str = "SELECT COUNT(*) FROM intake_token WHERE name = $1 AND revoked_at IS NULL";
        const INSERT: &str = "INSERT INTO intake_token (id, name, hash, made_by, made_at) VALUES ($1, $2, $3, $4, $5)";
        let (id, text) = (random_text::<9>()?, format!("{PREFIX}{}", random_text::<24>()?));
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let taken: i64 = sqlx::query_scalar(TAKEN).bind(name).fetch_one(&mut *tx).await?;
            if taken > 0 {
                return Ok(None);
            }
            let query = sqlx::query(INSERT).bind(&id).bind(name).bind(sha256_hex(text.as_bytes()));
            query.bind(actor.name()).bind(now.0).execute(&mut *tx).await?;
            audit!(tx, actor.did(Act::IntakeTokenCreated, now).with("token", id.as_str()).with("name", name));
            tx.commit().await?;
        });
        let made_by = actor.name().to_owned();
        let token = IntakeToken { id, name: name.to_owned(), made_by, made_at: now.0, used_at: None, revoked_at: None };
        Ok(Some((token, text)))
    }

    /// All intake tokens, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn intake_tokens(&self) -> Result<Vec<IntakeToken>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM intake_token ORDER BY made_at, id");
        Ok(on_pool!(&self.pool, |pool| sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(pool).await?))
    }

    /// Withdraws a token; `false` if there is none of this id. The first time counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_intake_token(&self, id: &str, actor: &Actor, now: UtcMillis) -> Result<bool, StoreError> {
        const REVOKE: &str = "UPDATE intake_token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        const THERE: &str = "SELECT COUNT(*) FROM intake_token WHERE id = $1";
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            if sqlx::query(REVOKE).bind(id).bind(now.0).execute(&mut *tx).await?.rows_affected() > 0 {
                audit!(tx, actor.did(Act::IntakeTokenRevoked, now).with("token", id));
                tx.commit().await?;
                return Ok(true);
            }
            let there: i64 = sqlx::query_scalar(THERE).bind(id).fetch_one(&mut *tx).await?;
            Ok(there > 0)
        })
    }

    /// Whose token this is, if it is one that counts; notes that it was used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn intake_of(&self, token: &str, now: UtcMillis) -> Result<Option<IntakeToken>, StoreError> {
        const USED: &str = "UPDATE intake_token SET used_at = $2 WHERE id = $1 AND COALESCE(used_at, 0) <= $3";
        let sql = format!("SELECT {COLUMNS} FROM intake_token WHERE hash = $1 AND revoked_at IS NULL");
        let hash = sha256_hex(token.as_bytes());
        on_pool!(&self.pool, |pool| {
            let found: Option<IntakeToken> =
                sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(hash).fetch_optional(pool).await?;
            if let Some(token) = &found {
                sqlx::query(USED).bind(&token.id).bind(now.0).bind(now.0 - USED_MS).execute(pool).await?;
            }
            Ok(found)
        })
    }
}
