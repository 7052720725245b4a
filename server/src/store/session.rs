//! Sessions: somebody signed in somewhere, until they end. Their tokens are [`super::refresh`]'s; no secret ever comes here.

use super::{Store, StoreError, account::stored_role, audit::audit, on_pool};
use crate::access::Role;
use crate::audit::{Act, Actor, Entry};
use shared::UtcMillis;

/// A session that nobody uses for so long ends, in milliseconds.
pub const IDLE_MS: i64 = 7 * 86_400_000;

/// A pair of tokens that is to be kept: SHA-256 of each.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// Of the one that gives the next pair.
    pub refresh: &'a str,
    /// Of the one that is shown with each request.
    pub access: &'a str,
    /// Until when the latter is good.
    pub access_until: UtcMillis,
}

/// A session that is to be kept.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Random; names it to its owner.
    pub id: &'a str,
    /// Its first tokens.
    pub tokens: Pair<'a>,
    /// Whose.
    pub account: &'a str,
    /// The hash of the password that was right: whoever changed it meanwhile wants nobody in with the old one.
    pub password_hash: &'a str,
    /// When it ends, however much it is used.
    pub expires_at: UtcMillis,
    /// From which address.
    pub address: String,
    /// What the browser calls itself.
    pub agent: Option<String>,
    /// What was shown besides the password: `totp` or `recovery_code`.
    pub second_factor: Option<&'static str>,
}

/// Who calls, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionOwner {
    /// The session.
    pub id: String,
    /// The account's name.
    pub account: String,
    /// What it may do.
    pub role: Role,
    /// It must choose a password before anything else.
    pub must_change: bool,
    /// When the session was last seen in use.
    pub used_at: UtcMillis,
    /// When it ends, however much it is used.
    pub expires_at: UtcMillis,
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
    /// When it ends, however much it is used.
    pub expires_at: UtcMillis,
    /// From which address it was made.
    pub address: String,
    /// What the browser called itself.
    pub agent: Option<String>,
}

/// Ends the sessions of an account but one, within a transaction that holds the lock of the audit log, and writes down that
/// they did and why: `end_sessions!(tx, actor, account, but, reason, now)`. Their ids.
macro_rules! end_sessions {
    ($tx:expr, $actor:expr, $account:expr, $but:expr, $reason:expr, $now:expr) => {{
        const END: &str = "DELETE FROM session WHERE account = $1 AND id <> $2 RETURNING id";
        let ended: Vec<String> = sqlx::query_scalar(END).bind($account).bind($but).fetch_all(&mut *$tx).await?;
        if !ended.is_empty() {
            let entry = $crate::store::session::ended_entry($actor, $account, $reason, $now);
            $crate::store::audit::audit!($tx, entry.with("sessions", ended.len()));
        }
        ended
    }};
}
pub(super) use end_sessions;

/// What the audit log says of a session that ended.
pub(super) fn ended_entry(actor: &Actor, account: &str, reason: &str, now: UtcMillis) -> Entry {
    actor.did(Act::SessionEnded, now).with("user", account).with("reason", reason)
}

/// The row of a [`SessionOwner`].
pub(super) type OwnerRow = (String, String, String, bool, i64, i64);

pub(super) fn owner(
    (id, account, role, must_change, used_at, expires_at): OwnerRow,
) -> Result<SessionOwner, StoreError> {
    let (used_at, expires_at) = (UtcMillis(used_at), UtcMillis(expires_at));
    Ok(SessionOwner { id, account, role: stored_role(&role)?, must_change, used_at, expires_at })
}

/// What was last used at this instant or before is idle.
pub(super) fn idle_since(now: UtcMillis) -> i64 {
    now.0 - IDLE_MS
}

impl Store {
    /// Keeps a session; `false` if the account was disabled or its password changed since it was looked up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_session(&self, new: &NewSession<'_>, actor: &Actor, now: UtcMillis) -> Result<bool, StoreError> {
        const SESSION: &str = "INSERT INTO session (id, account, created_at, used_at, expires_at, address, agent)
            SELECT $1, name, $4, $4, $5, $6, $7 FROM account WHERE name = $2 AND password = $3 AND disabled_at IS NULL";
        const TOKENS: &str =
            "INSERT INTO session_token (refresh, access, session, access_until) VALUES ($1, $2, $3, $4)";
        let NewSession { id, tokens, account, password_hash, expires_at, address, agent, second_factor } = new;
        let mut entry = actor.did(Act::SessionStarted, now).with("user", *account);
        if let Some(factor) = second_factor {
            entry = entry.with("second_factor", *factor);
        }
        // Whoever changes the account meanwhile waits, and ends this session then.
        let (begin, alone) = self.one_at_a_time();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let query = sqlx::query(SESSION).bind(*id).bind(*account).bind(*password_hash);
            let query = query.bind(now.0).bind(expires_at.0).bind(address).bind(agent);
            if query.execute(&mut *tx).await?.rows_affected() == 0 {
                return Ok(false);
            }
            let query = sqlx::query(TOKENS).bind(tokens.refresh).bind(tokens.access).bind(*id);
            query.bind(tokens.access_until.0).execute(&mut *tx).await?;
            audit!(tx, entry);
            tx.commit().await?;
            true
        }))
    }

    /// Whose access token this is, if it is one that is good, and its session and account are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_owner(&self, access: &str, now: UtcMillis) -> Result<Option<SessionOwner>, StoreError> {
        const QUERY: &str =
            "SELECT session.id, account.name, account.role, account.must_change, session.used_at, session.expires_at
            FROM session_token JOIN session ON session.id = session_token.session
            JOIN account ON account.name = session.account
            WHERE session_token.access = $1 AND session_token.access_until > $2 AND session.expires_at > $2
            AND session.used_at > $3 AND account.disabled_at IS NULL";
        let row: Option<OwnerRow> = on_pool!(&self.pool, |pool| {
            sqlx::query_as(QUERY).bind(access).bind(now.0).bind(idle_since(now)).fetch_optional(pool).await?
        });
        row.map(owner).transpose()
    }

    /// When a session was last seen in use, unless it has ended, whatever became of its access token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_used_at(&self, id: &str, now: UtcMillis) -> Result<Option<UtcMillis>, StoreError> {
        const QUERY: &str = "SELECT used_at FROM session JOIN account ON account.name = session.account
            WHERE id = $1 AND expires_at > $2 AND used_at > $3 AND account.disabled_at IS NULL";
        let used_at: Option<i64> = on_pool!(&self.pool, |pool| {
            sqlx::query_scalar(QUERY).bind(id).bind(now.0).bind(idle_since(now)).fetch_optional(pool).await?
        });
        Ok(used_at.map(UtcMillis))
    }

    /// Writes down that a session is in use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_session(&self, id: &str, now: UtcMillis) -> Result<(), StoreError> {
        const QUERY: &str = "UPDATE session SET used_at = $2 WHERE id = $1 AND used_at < $2";
        on_pool!(&self.pool, |pool| sqlx::query(QUERY).bind(id).bind(now.0).execute(pool).await.map(|_| ())?);
        Ok(())
    }

    /// The sessions of an account that have not ended, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions_of(&self, account: &str, now: UtcMillis) -> Result<Vec<OwnSession>, StoreError> {
        const QUERY: &str = "SELECT id, created_at, used_at, expires_at, address, agent FROM session
            WHERE account = $1 AND expires_at > $2 AND used_at > $3 ORDER BY created_at DESC, id";
        type Row = (String, i64, i64, i64, String, Option<String>);
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| {
            sqlx::query_as(QUERY).bind(account).bind(now.0).bind(idle_since(now)).fetch_all(pool).await?
        });
        let own = |(id, created_at, used_at, expires_at, address, agent): Row| {
            let (created_at, used_at, expires_at) = (UtcMillis(created_at), UtcMillis(used_at), UtcMillis(expires_at));
            OwnSession { id, created_at, used_at, expires_at, address, agent }
        };
        Ok(rows.into_iter().map(own).collect())
    }

    /// Ends all sessions of an account, or the one of this id; says which ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_sessions_of(
        &self,
        account: &str,
        id: Option<&str>,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<Vec<String>, StoreError> {
        const ONE: &str = "DELETE FROM session WHERE account = $1 AND id = $2 RETURNING id";
        let (begin, alone) = self.one_at_a_time();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let ended = match id {
                None => end_sessions!(tx, actor, account, "", "everywhere", now),
                Some(id) => {
                    let ended: Vec<String> = sqlx::query_scalar(ONE).bind(account).bind(id).fetch_all(&mut *tx).await?;
                    if !ended.is_empty() {
                        audit!(tx, ended_entry(actor, account, "ended_by_owner", now));
                    }
                    ended
                }
            };
            tx.commit().await?;
            ended
        }))
    }

    /// Forgets what can matter to nobody any more: sessions that have ended by time, and tokens that were changed so long ago
    /// that their session would have ended, had it been left at them. Says how many sessions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_expired_sessions(&self, now: UtcMillis) -> Result<u64, StoreError> {
        const SESSIONS: &str = "DELETE FROM session WHERE expires_at <= $1 OR used_at <= $2";
        const TOKENS: &str = "DELETE FROM session_token WHERE rotated_at <= $1";
        let idle = idle_since(now);
        Ok(on_pool!(&self.pool, |pool| {
            sqlx::query(TOKENS).bind(idle).execute(pool).await?;
            sqlx::query(SESSIONS).bind(now.0).bind(idle).execute(pool).await?.rows_affected()
        }))
    }
}
