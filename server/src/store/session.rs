//! Sessions: kept by the hash of their secret, which itself never comes here.

use super::{Store, StoreError, account::stored_role, on_pool};
use crate::access::Role;
use shared::UtcMillis;

/// Letters of a hash that name a session to its owner: they open nothing.
const ID: usize = 16;

/// A session that is to be kept.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// SHA-256 of its secret.
    pub hash: &'a str,
    /// Whose.
    pub account: &'a str,
    /// The hash of the password that was right: whoever changed it meanwhile wants nobody in with the old one.
    pub password_hash: &'a str,
    /// When it ends.
    pub expires_at: UtcMillis,
    /// From which address.
    pub address: String,
    /// What the browser calls itself.
    pub agent: Option<String>,
}

/// Who calls, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionOwner {
    /// The account's name.
    pub account: String,
    /// What it may do.
    pub role: Role,
    /// It must choose a password before anything else.
    pub must_change: bool,
    /// When the session was last seen in use.
    pub used_at: UtcMillis,
}

/// A session, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// Names it; no secret.
    pub id: String,
    /// When it was made.
    pub created_at: UtcMillis,
    /// When it was last seen in use.
    pub used_at: UtcMillis,
    /// When it ends.
    pub expires_at: UtcMillis,
    /// From which address it was made.
    pub address: Option<String>,
    /// What the browser called itself.
    pub agent: Option<String>,
}

/// What names the session of a hash to its owner.
pub fn session_id(hash: &str) -> &str {
    hash.get(..ID).unwrap_or(hash)
}

impl Store {
    /// Keeps a session; `false` if the account was disabled or its password changed since it was looked up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_session(&self, new: &NewSession<'_>, now: UtcMillis) -> Result<bool, StoreError> {
        const QUERY: &str = "INSERT INTO session (hash, account, expires_at, created_at, used_at, address, agent)
            SELECT $1, name, $4, $5, $5, $6, $7 FROM account WHERE name = $2 AND password = $3 AND disabled_at IS NULL";
        let NewSession { hash, account, password_hash, expires_at, address, agent } = new;
        let (begin, lock) = self.writing();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            // Whoever changes the account meanwhile waits, and ends this session then.
            let held = sqlx::AssertSqlSafe(format!("SELECT name FROM account WHERE name = $1{lock}"));
            sqlx::query(held).bind(*account).execute(&mut *tx).await?;
            let query = sqlx::query(QUERY).bind(*hash).bind(*account).bind(*password_hash).bind(expires_at.0);
            let query = query.bind(now.0).bind(address).bind(agent);
            let added = query.execute(&mut *tx).await?.rows_affected() > 0;
            tx.commit().await?;
            added
        }))
    }

    /// Whose session this is, if it is one, has not expired and its account may sign in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_owner(&self, hash: &str, now: UtcMillis) -> Result<Option<SessionOwner>, StoreError> {
        const QUERY: &str = "SELECT account.name, account.role, account.must_change, session.used_at
            FROM session JOIN account ON account.name = session.account
            WHERE session.hash = $1 AND session.expires_at > $2 AND account.disabled_at IS NULL";
        type Row = (String, String, bool, i64);
        let row: Option<Row> =
            on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).bind(hash).bind(now.0).fetch_optional(pool).await?);
        let owner = |(account, role, must_change, used_at): Row| {
            Ok(SessionOwner { account, role: stored_role(&role)?, must_change, used_at: UtcMillis(used_at) })
        };
        row.map(owner).transpose()
    }

    /// Writes down that a session is in use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_session(&self, hash: &str, now: UtcMillis) -> Result<(), StoreError> {
        const QUERY: &str = "UPDATE session SET used_at = $2 WHERE hash = $1";
        on_pool!(&self.pool, |pool| sqlx::query(QUERY).bind(hash).bind(now.0).execute(pool).await.map(|_| ())?);
        Ok(())
    }

    /// The sessions of an account that have not expired, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions_of(&self, account: &str, now: UtcMillis) -> Result<Vec<OwnSession>, StoreError> {
        const QUERY: &str = "SELECT hash, created_at, used_at, expires_at, address, agent FROM session
            WHERE account = $1 AND expires_at > $2 ORDER BY created_at DESC, hash";
        type Row = (String, i64, i64, i64, Option<String>, Option<String>);
        let rows: Vec<Row> =
            on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).bind(account).bind(now.0).fetch_all(pool).await?);
        let own = |(hash, created_at, used_at, expires_at, address, agent): Row| OwnSession {
            id: session_id(&hash).to_owned(),
            created_at: UtcMillis(created_at),
            used_at: UtcMillis(used_at),
            expires_at: UtcMillis(expires_at),
            address,
            agent,
        };
        Ok(rows.into_iter().map(own).collect())
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

    /// Ends sessions of an account: the one of this id, or all of them. Returns the hashes of those that ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_sessions_of(&self, account: &str, id: Option<&str>) -> Result<Vec<String>, StoreError> {
        const ALL: &str = "DELETE FROM session WHERE account = $1 RETURNING hash";
        const ONE: &str = "DELETE FROM session WHERE account = $1 AND substr(hash, 1, 16) = $2 RETURNING hash";
        Ok(on_pool!(&self.pool, |pool| match id {
            None => sqlx::query_scalar(ALL).bind(account).fetch_all(pool).await?,
            Some(id) => sqlx::query_scalar(ONE).bind(account).bind(id).fetch_all(pool).await?,
        }))
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
