//! The second factor of accounts: its secret, which code was the last, and the recovery codes as hashes. What a code is,
//! [`crate::totp`] knows.

use super::{Store, StoreError, audit::audit, on_pool};
use crate::audit::{Act, Actor};
use shared::UtcMillis;

/// How an account's second factor stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totp {
    /// Base32.
    pub secret: String,
    /// Since when it is asked for; `None`: nobody has shown a code of it yet.
    pub confirmed_at: Option<UtcMillis>,
    /// Recovery codes that are left.
    pub recovery_codes: u64,
}

/// Within a transaction: `remove_totp!(tx, account)`; whether there was one in force.
macro_rules! remove_totp {
    ($tx:expr, $account:expr) => {{
        sqlx::query("DELETE FROM recovery_code WHERE account = $1").bind($account).execute(&mut *$tx).await?;
        let query = sqlx::query("DELETE FROM totp WHERE account = $1 AND confirmed_at IS NOT NULL").bind($account);
        query.execute(&mut *$tx).await?.rows_affected() > 0
    }};
}
pub(super) use remove_totp;

impl Store {
    /// The second factor of an account, if it has one or is about to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn totp(&self, account: &str) -> Result<Option<Totp>, StoreError> {
        const QUERY: &str = "SELECT secret, confirmed_at,
            (SELECT COUNT(*) FROM recovery_code WHERE recovery_code.account = totp.account)
            FROM totp WHERE account = $1";
        let row: Option<(String, Option<i64>, i64)> =
            on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).bind(account).fetch_optional(pool).await?);
        Ok(row.map(|(secret, confirmed_at, left)| Totp {
            secret,
            confirmed_at: confirmed_at.map(UtcMillis),
            recovery_codes: u64::try_from(left).unwrap_or_default(),
        }))
    }

    /// Keeps a secret that is to be confirmed; another one that was not is forgotten. `false` if one is in force already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn propose_totp(&self, account: &str, secret: &str) -> Result<bool, StoreError> {
        const QUERY: &str = "INSERT INTO totp (account, secret, last_step) VALUES ($1, $2, 0)
            ON CONFLICT (account) DO UPDATE SET secret = $2, last_step = 0 WHERE totp.confirmed_at IS NULL";
        Ok(on_pool!(&self.pool, |pool| {
            sqlx::query(QUERY).bind(account).bind(secret).execute(pool).await?.rows_affected() > 0
        }))
    }

    /// Puts a secret in force whose code of this step was shown, with these recovery codes; `false` if it is not the one that
    /// is to be confirmed, or was confirmed meanwhile.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn confirm_totp(
        &self,
        (account, secret): (&str, &str),
        step: i64,
        recovery: &[String],
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<bool, StoreError> {
        const QUERY: &str = "UPDATE totp SET confirmed_at = $3, last_step = $4
            WHERE account = $1 AND secret = $2 AND confirmed_at IS NULL";
        const CODE: &str = "INSERT INTO recovery_code (account, hash) VALUES ($1, $2)";
        let (begin, alone) = self.one_at_a_time();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let query = sqlx::query(QUERY).bind(account).bind(secret).bind(now.0).bind(step);
            if query.execute(&mut *tx).await?.rows_affected() == 0 {
                return Ok(false);
            }
            for hash in recovery {
                sqlx::query(CODE).bind(account).bind(hash).execute(&mut *tx).await?;
            }
            audit!(tx, actor.did(Act::UserTotpEnabled, now).with("user", account));
            tx.commit().await?;
            true
        }))
    }

    /// Takes the code of a step, once: `false` if that or a later one was taken before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_totp_step(&self, account: &str, step: i64) -> Result<bool, StoreError> {
        const QUERY: &str = "UPDATE totp SET last_step = $2
            WHERE account = $1 AND last_step < $2 AND confirmed_at IS NOT NULL";
        Ok(on_pool!(&self.pool, |pool| {
            sqlx::query(QUERY).bind(account).bind(step).execute(pool).await?.rows_affected() > 0
        }))
    }

    /// Takes a recovery code, once: `false` if the account has none of this hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_recovery_code(&self, account: &str, hash: &str) -> Result<bool, StoreError> {
        const QUERY: &str = "DELETE FROM recovery_code WHERE account = $1 AND hash = $2";
        Ok(on_pool!(&self.pool, |pool| {
            sqlx::query(QUERY).bind(account).bind(hash).execute(pool).await?.rows_affected() > 0
        }))
    }

    /// Takes the second factor from an account; `false` if it has none in force.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn remove_totp(&self, account: &str, actor: &Actor, now: UtcMillis) -> Result<bool, StoreError> {
        let (begin, alone) = self.one_at_a_time();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let removed = remove_totp!(tx, account);
            if removed {
                audit!(tx, actor.did(Act::UserTotpDisabled, now).with("user", account));
            }
            tx.commit().await?;
            removed
        }))
    }
}
