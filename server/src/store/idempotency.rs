//! Answers that are kept for whoever asks the same again under the same `Idempotency-Key`: claimed, and written, in the
//! transaction of what they tell of. Knows not what was asked.

use super::conn::{Conn, on_conn};
use super::{Store, StoreError, on_pool};
use shared::UtcMillis;

/// An answer is kept for so long, in milliseconds: a week.
pub(super) const KEPT_MS: i64 = 7 * 86_400_000;
/// Most answers that are kept of one who asks: one each twelve seconds, for a week.
pub(super) const MOST: i64 = 50_000;

/// Under which key something is asked.
#[derive(Debug, Clone)]
pub struct Repeat {
    /// What the caller calls it.
    pub key: String,
    /// SHA-256 of what is asked, hexadecimal.
    pub request: String,
}

/// What is known under a key.
pub(super) enum Claim {
    /// Nothing yet: it is this request's from now on.
    Fresh,
    /// The same was answered so.
    Answered(String),
    /// Something else was asked under it.
    OfAnother,
    /// Too many are kept of this one already.
    TooMany,
}

/// Takes a key for a request. Another request under the same one waits until this transaction has ended.
pub(super) async fn claim(
    conn: &mut Conn<'_>,
    owner: &str,
    repeat: &Repeat,
    now: UtcMillis,
) -> Result<Claim, StoreError> {
    const FORGET: &str = "DELETE FROM answered WHERE owner = $1 AND key = $2 AND at <= $3";
    const CLAIM: &str = "INSERT INTO answered (owner, key, request, answer, at) VALUES ($1, $2, $3, '', $4)
        ON CONFLICT (owner, key) DO NOTHING";
    const KNOWN: &str = "SELECT request, answer FROM answered WHERE owner = $1 AND key = $2";
    const COUNT: &str = "SELECT COUNT(*) FROM answered WHERE owner = $1";
    let Repeat { key, request } = repeat;
    on_conn!(conn, |c| {
        sqlx::query(FORGET).bind(owner).bind(key).bind(now.0 - KEPT_MS).execute(&mut *c).await?;
        let claimed = sqlx::query(CLAIM).bind(owner).bind(key).bind(request).bind(now.0).execute(&mut *c).await?;
        if claimed.rows_affected() > 0 {
            let kept: i64 = sqlx::query_scalar(COUNT).bind(owner).fetch_one(&mut *c).await?;
            return Ok(if kept > MOST { Claim::TooMany } else { Claim::Fresh });
        }
        let (known, answer): (String, String) = sqlx::query_as(KNOWN).bind(owner).bind(key).fetch_one(&mut *c).await?;
        Ok(if known == *request { Claim::Answered(answer) } else { Claim::OfAnother })
    })
}

/// Writes what was answered under a key that was claimed.
pub(super) async fn answer(conn: &mut Conn<'_>, owner: &str, repeat: &Repeat, answer: &str) -> Result<(), StoreError> {
    const ANSWER: &str = "UPDATE answered SET answer = $3 WHERE owner = $1 AND key = $2";
    on_conn!(conn, |c| {
        sqlx::query(ANSWER).bind(owner).bind(&repeat.key).bind(answer).execute(&mut *c).await?.rows_affected()
    });
    Ok(())
}

impl Store {
    /// Forgets the answers that nobody asks for any more; says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_answers(&self, now: UtcMillis) -> Result<u64, StoreError> {
        const FORGET: &str = "DELETE FROM answered WHERE at <= $1";
        let then = now.0 - KEPT_MS;
        Ok(on_pool!(&self.pool, |pool| sqlx::query(FORGET).bind(then).execute(pool).await?.rows_affected()))
    }
}
