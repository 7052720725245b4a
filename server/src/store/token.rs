//! Enrolment tokens: made, listed, withdrawn. Their secrets are stored as hashes.

use super::{Store, StoreError, audit::audit, on_pool};
use crate::admission::Admits;
use crate::audit::{Act, Actor};
use crate::digest::sha256_hex;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::{Serial, UtcMillis};

/// Every token begins with this, so that one that leaks into a log or a repository is recognised.
const PREFIX: &str = "tirta_";

/// A token that is wanted.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What somebody writes beside it.
    pub note: String,
    /// How many devices can enrol with it.
    pub uses: u32,
    /// From when on it is worth nothing.
    pub expires_at: UtcMillis,
    /// Whom it lets in without anybody's approval.
    pub admits: Admits,
    /// Only names that are registered at this location.
    pub location: Option<String>,
    /// Only these boards.
    pub serials: Option<Vec<Serial>>,
}

impl NewToken {
    /// One that lets in any board, for simulations and tests.
    pub fn open(uses: u32, expires_at: UtcMillis) -> Self {
        Self { note: String::new(), uses, expires_at, admits: Admits::Any, location: None, serials: None }
    }
}

/// An enrolment token, without its secret: that is shown once and never stored.
#[derive(Debug, Clone)]
pub struct Token {
    /// What it is called when it is withdrawn.
    pub id: String,
    /// What it was made as.
    pub made: NewToken,
    /// Devices that can still enrol with it.
    pub uses_left: u32,
    /// When it was made.
    pub created_at: UtcMillis,
    /// By whom.
    pub made_by: String,
    /// When it was withdrawn.
    pub revoked_at: Option<UtcMillis>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    note: String,
    uses: i64,
    uses_left: i64,
    created_at: i64,
    expires_at: i64,
    admits: String,
    location: Option<String>,
    serials: Option<String>,
    made_by: String,
    revoked_at: Option<i64>,
}

impl TryFrom<Row> for Token {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        // Counts start as a u32 and only fall, never below 0.
        let count = |n| u32::try_from(n).unwrap_or(0);
        let made = NewToken {
            note: row.note,
            uses: count(row.uses),
            expires_at: UtcMillis(row.expires_at),
            admits: stored_admits(&row.admits)?,
            location: row.location,
            serials: row.serials.as_deref().map(stored_serials).transpose()?,
        };
        Ok(Self {
            id: row.id,
            made,
            uses_left: count(row.uses_left),
            created_at: UtcMillis(row.created_at),
            made_by: row.made_by,
            revoked_at: row.revoked_at.map(UtcMillis),
        })
    }
}

pub(super) fn stored_admits(word: &str) -> Result<Admits, StoreError> {
    let corrupt = || StoreError::Corrupt { what: "enrolment_token", why: format!("it admits {word:?}") };
    Admits::from_word(word).ok_or_else(corrupt)
}

pub(super) fn stored_serials(text: &str) -> Result<Vec<Serial>, StoreError> {
    let corrupt = |e: shared::id::IdError| StoreError::Corrupt { what: "enrolment_token", why: e.to_string() };
    text.split_whitespace().map(|serial| serial.parse().map_err(corrupt)).collect()
}

impl Store {
    /// Makes a token. Returns its id and its text: the only time that it can be seen.
    ///
    /// # Errors
    /// When the database fails or there are no random numbers.
    pub async fn create_token(
        &self,
        new: &NewToken,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<(String, String), StoreError> {
        const QUERY: &str = "INSERT INTO enrolment_token
            (id, hash, note, uses, uses_left, created_at, expires_at, admits, location, serials, made_by)
            VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10)";
        let (id, text) = (random_text::<9>()?, format!("{PREFIX}{}", random_text::<24>()?));
        let hash = sha256_hex(text.as_bytes());
        let serials =
            new.serials.as_ref().map(|serials| serials.iter().map(Serial::to_string).collect::<Vec<_>>().join(" "));
        let entry = actor.did(Act::TokenCreated, now).with("token", id.clone()).with("uses", new.uses);
        let entry = entry.with("admits", new.admits.as_str()).with("expires_at", new.expires_at.0);
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let query = sqlx::query(QUERY).bind(&id).bind(hash).bind(&new.note).bind(i64::from(new.uses)).bind(now.0);
            let query = query.bind(new.expires_at.0).bind(new.admits.as_str()).bind(&new.location).bind(serials);
            query.bind(actor.name()).execute(&mut *tx).await?;
            audit!(tx, entry);
            tx.commit().await?;
        });
        Ok((id, text))
    }

    /// All tokens in the order in which they were made.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        const QUERY: &str = "SELECT id, note, uses, uses_left, created_at, expires_at, admits, location, serials,
            made_by, revoked_at FROM enrolment_token ORDER BY created_at, id";
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).fetch_all(pool).await?);
        rows.into_iter().map(Token::try_from).collect()
    }

    /// Whether there is a token of this text, good or not. Costs no lock, so that whoever guesses holds up nobody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn knows_token(&self, text: &str) -> Result<bool, StoreError> {
        const QUERY: &str = "SELECT COUNT(*) FROM enrolment_token WHERE hash = $1";
        let hash = sha256_hex(text.as_bytes());
        let found: i64 = on_pool!(&self.pool, |pool| sqlx::query_scalar(QUERY).bind(hash).fetch_one(pool).await?);
        Ok(found > 0)
    }

    /// Withdraws a token; `false` if there was none of this id. Devices that enrolled with it stay. The first time counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_token(&self, id: &str, actor: &Actor, now: UtcMillis) -> Result<bool, StoreError> {
        const QUERY: &str = "UPDATE enrolment_token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        const THERE: &str = "SELECT COUNT(*) FROM enrolment_token WHERE id = $1";
        const UNASK: &str = "DELETE FROM waiting WHERE token = $1 AND refused_at IS NULL";
        let (begin, alone) = self.one_at_a_time();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            if sqlx::query(QUERY).bind(id).bind(now.0).execute(&mut *tx).await?.rows_affected() > 0 {
                // What came by it is not worth anybody's look any more; an honest board asks again with another.
                sqlx::query(UNASK).bind(id).execute(&mut *tx).await?;
                audit!(tx, actor.did(Act::TokenRevoked, now).with("token", id));
                tx.commit().await?;
                true
            } else {
                let there: i64 = sqlx::query_scalar(THERE).bind(id).fetch_one(&mut *tx).await?;
                there > 0
            }
        }))
    }

    /// Forgets the tokens that had expired or were withdrawn by then; says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_expired_tokens(&self, then: UtcMillis) -> Result<u64, StoreError> {
        const QUERY: &str = "DELETE FROM enrolment_token WHERE expires_at <= $1 OR revoked_at <= $1";
        Ok(on_pool!(&self.pool, |pool| sqlx::query(QUERY).bind(then.0).execute(pool).await?.rows_affected()))
    }
}

pub(super) fn random_text<const BYTES: usize>() -> Result<String, StoreError> {
    let mut bytes = [0; BYTES];
    // A system that has no random numbers is as broken as one without a disk.
    getrandom::fill(&mut bytes).map_err(|e| sqlx::Error::Io(std::io::Error::other(e)))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
