//! The tokens of sessions: how a pair is changed for the next, and how a session is found by any of its tokens. What may be
//! changed is [`crate::rotation`]'s.

use super::session::{OwnerRow, Pair, SessionOwner, ended_entry, idle_since, owner};
use super::{Store, StoreError, audit::audit, on_pool};
use crate::audit::{Act, Actor};
use crate::rotation::{Shown, Verdict, judge};
use shared::UtcMillis;
use std::net::IpAddr;

/// What came of showing a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// The new pair is in force.
    Done(SessionOwner),
    /// It is none, or that of a session that has ended.
    Unknown,
    /// Two have it: this session, of this account, has ended.
    Reused {
        /// The session.
        id: String,
        /// Whose it was.
        account: String,
    },
}

impl Store {
    /// Changes a refresh token for the next pair.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn refresh_session(
        &self,
        refresh: &str,
        next: Pair<'_>,
        address: IpAddr,
        now: UtcMillis,
    ) -> Result<Refreshed, StoreError> {
        const OWNER: &str =
            "SELECT session.id, account.name, account.role, account.must_change, session.used_at, session.expires_at
            FROM session_token JOIN session ON session.id = session_token.session
            JOIN account ON account.name = session.account
            WHERE session_token.refresh = $1 AND session.expires_at > $2 AND session.used_at > $3
            AND account.disabled_at IS NULL";
        const SHOWN: &str = "SELECT rotated_at,
            (SELECT COUNT(*) FROM session_token AS child
                WHERE child.session = shown.session AND child.parent = shown.refresh AND child.rotated_at IS NOT NULL),
            (SELECT COUNT(*) FROM session_token AS sibling
                WHERE sibling.session = shown.session AND sibling.parent = shown.parent
                AND sibling.refresh <> shown.refresh AND sibling.rotated_at IS NOT NULL)
            FROM session_token AS shown WHERE refresh = $1";
        const USED: &str = "UPDATE session_token SET rotated_at = COALESCE(rotated_at, $2) WHERE refresh = $1";
        const NEXT: &str = "INSERT INTO session_token (refresh, access, session, parent, access_until)
            VALUES ($1, $2, $3, $4, $5)";
        const TOUCH: &str = "UPDATE session SET used_at = $2 WHERE id = $1";
        const END: &str = "DELETE FROM session WHERE id = $1";
        // Anybody may ask this: what was made up waits for nobody's writing, and lets nobody wait.
        if !self.has_token(refresh).await? {
            return Ok(Refreshed::Unknown);
        }
        // All that shows one token waits here, also at another instance: the facts hold until the verdict is carried out.
        let (begin, alone) = self.one_at_a_time();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let query = sqlx::query_as(OWNER).bind(refresh).bind(now.0).bind(idle_since(now));
            let row: Option<OwnerRow> = query.fetch_optional(&mut *tx).await?;
            let Some(found) = row.map(owner).transpose()? else { return Ok(Refreshed::Unknown) };
            let facts: (Option<i64>, i64, i64) = sqlx::query_as(SHOWN).bind(refresh).fetch_one(&mut *tx).await?;
            let (rotated_at, successors, siblings) = (facts.0.map(UtcMillis), facts.1, facts.2);
            let done =
                match judge(Shown { rotated_at, successor_used: successors > 0, sibling_used: siblings > 0 }, now) {
                    Verdict::Rotate => {
                        sqlx::query(USED).bind(refresh).bind(now.0).execute(&mut *tx).await?;
                        let query =
                            sqlx::query(NEXT).bind(next.refresh).bind(next.access).bind(&found.id).bind(refresh);
                        query.bind(next.access_until.0).execute(&mut *tx).await?;
                        sqlx::query(TOUCH).bind(&found.id).bind(now.0).execute(&mut *tx).await?;
                        Refreshed::Done(found)
                    }
                    Verdict::Reused => {
                        sqlx::query(END).bind(&found.id).execute(&mut *tx).await?;
                        let entry = Actor::server().at(address).did(Act::SessionReused, now);
                        audit!(tx, entry.with("user", found.account.as_str()));
                        Refreshed::Reused { id: found.id, account: found.account }
                    }
                };
            tx.commit().await?;
            done
        }))
    }

    /// Ends the session that a token belongs to, be it out of date: its id and whose it was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session_of_token(
        &self,
        token: &str,
        reason: &str,
        address: IpAddr,
        now: UtcMillis,
    ) -> Result<Option<(String, String)>, StoreError> {
        const QUERY: &str = "DELETE FROM session WHERE id IN
            (SELECT session FROM session_token WHERE access = $1 OR refresh = $1) RETURNING id, account";
        if !self.has_token(token).await? {
            return Ok(None);
        }
        let (begin, alone) = self.one_at_a_time();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let ended: Option<(String, String)> = sqlx::query_as(QUERY).bind(token).fetch_optional(&mut *tx).await?;
            if let Some((_, account)) = &ended {
                audit!(tx, ended_entry(&Actor::account(account).at(address), account, reason, now));
            }
            tx.commit().await?;
            ended
        }))
    }

    /// Whether a token is or was one of a session, only read: nothing is locked for it.
    async fn has_token(&self, token: &str) -> Result<bool, StoreError> {
        const QUERY: &str = "SELECT COUNT(*) FROM session_token WHERE access = $1 OR refresh = $1";
        let found: i64 = on_pool!(&self.pool, |pool| sqlx::query_scalar(QUERY).bind(token).fetch_one(pool).await?);
        Ok(found > 0)
    }
}
