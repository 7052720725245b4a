//! Accounts and sessions. Knows hashes only: no password and no session secret ever comes here.

use super::{Store, StoreError, on_pool};
use shared::UtcMillis;

impl Store {
    /// Whether any account exists.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_account(&self) -> Result<bool, StoreError> {
        let count: i64 =
            on_pool!(&self.pool, |pool| { sqlx::query_scalar("SELECT COUNT(*) FROM account").fetch_one(pool).await? });
        Ok(count > 0)
    }

    /// Adds an account unless one of that name exists; says whether it did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_account(&self, name: &str, password_hash: &str) -> Result<bool, StoreError> {
        let sql = "INSERT INTO account (name, password) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        let added = on_pool!(&self.pool, |pool| {
            sqlx::query(sql).bind(name).bind(password_hash).execute(pool).await?.rows_affected()
        });
        Ok(added > 0)
    }

    /// The password hash of an account (PHC string).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn password_hash(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(on_pool!(&self.pool, |pool| {
            sqlx::query_scalar("SELECT password FROM account WHERE name = $1").bind(name).fetch_optional(pool).await?
        }))
    }

    /// Replaces the password of an account and ends its sessions; `false` if there is no such account.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn change_password(&self, name: &str, password_hash: &str) -> Result<bool, StoreError> {
        let change = "UPDATE account SET password = $2 WHERE name = $1";
        let (begin, _) = self.writing();
        Ok(on_pool!(&self.pool, |pool| {
            let mut transaction = pool.begin_with(begin).await?;
            let changed = sqlx::query(change).bind(name).bind(password_hash).execute(&mut *transaction).await?;
            sqlx::query("DELETE FROM session WHERE account = $1").bind(name).execute(&mut *transaction).await?;
            transaction.commit().await?;
            changed.rows_affected() > 0
        }))
    }

    /// Keeps a session, known by the hash of its secret.
    ///
    /// # Errors
    /// When the database fails or there is no such account.
    pub async fn add_session(&self, hash: &str, account: &str, expires_at: UtcMillis) -> Result<(), StoreError> {
        let sql = "INSERT INTO session (hash, account, expires_at) VALUES ($1, $2, $3)";
        on_pool!(&self.pool, |pool| {
            sqlx::query(sql).bind(hash).bind(account).bind(expires_at.0).execute(pool).await.map(|_| ())?;
        });
        Ok(())
    }

    /// Whose session this is, if it is one and has not expired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_account(&self, hash: &str, now: UtcMillis) -> Result<Option<String>, StoreError> {
        let sql = "SELECT account FROM session WHERE hash = $1 AND expires_at > $2";
        Ok(on_pool!(&self.pool, |pool| { sqlx::query_scalar(sql).bind(hash).bind(now.0).fetch_optional(pool).await? }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(&self, hash: &str) -> Result<(), StoreError> {
        on_pool!(&self.pool, |pool| {
            sqlx::query("DELETE FROM session WHERE hash = $1").bind(hash).execute(pool).await.map(|_| ())?;
        });
        Ok(())
    }

    /// Forgets the sessions that have expired; says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_expired_sessions(&self, now: UtcMillis) -> Result<u64, StoreError> {
        Ok(on_pool!(&self.pool, |pool| {
            sqlx::query("DELETE FROM session WHERE expires_at <= $1").bind(now.0).execute(pool).await?.rows_affected()
        }))
    }
}
