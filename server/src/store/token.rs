//! Enrolment tokens, and the one transaction in which a device gets its name for one use of a token.

use super::{Store, StoreError, on_pool, registration::first_of, stored_name};
use crate::{ca::PublicKeySha256, digest::sha256_hex, registry::free_names};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::{DeviceName, Serial, UtcMillis};

/// Every token begins with this, so that one that leaks into a log or a repository is recognised.
const PREFIX: &str = "tirta_";

/// An enrolment token, without its secret: that is shown once and never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is called when it is deleted.
    pub id: String,
    /// What somebody wrote beside it.
    pub note: String,
    /// Devices that can still enrol with it.
    pub uses_left: u32,
    /// When it was made.
    pub created_at: UtcMillis,
    /// From when on it is worth nothing.
    pub expires_at: UtcMillis,
}

/// What a device gets when it asks for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allocation {
    /// A name that nobody had before.
    New(DeviceName),
    /// The name that this very board with this very key already has.
    Again(DeviceName),
    /// There is no such token.
    BadToken,
    /// The token's time is over.
    TokenExpired,
    /// As many devices as allowed have enrolled with the token.
    TokenUsedUp,
    /// Another key has enrolled with this serial.
    SerialInUse,
    /// The board was thrown out.
    Revoked,
}

impl Store {
    /// Makes a token with which `uses` devices can enrol until `valid_until`. Returns its id and its text:
    /// the only time that it can be seen.
    ///
    /// # Errors
    /// When the database fails or there are no random numbers.
    pub async fn create_token(
        &self,
        note: &str,
        uses: u32,
        valid_until: UtcMillis,
        now: UtcMillis,
    ) -> Result<(String, String), StoreError> {
        const QUERY: &str = "INSERT INTO enrolment_token (id, hash, note, uses_left, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6)";
        let (id, text) = (random_text::<9>()?, format!("{PREFIX}{}", random_text::<24>()?));
        let (id_, hash, uses) = (id.clone(), sha256_hex(text.as_bytes()), i64::from(uses));
        on_pool!(&self.pool, |pool| {
            let query = sqlx::query(QUERY).bind(id_).bind(hash).bind(note).bind(uses).bind(now.0).bind(valid_until.0);
            query.execute(pool).await?;
        });
        Ok((id, text))
    }

    /// All tokens in the order in which they were made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        const QUERY: &str = "SELECT id, note, uses_left, created_at, expires_at FROM enrolment_token
            ORDER BY created_at, id";
        type Row = (String, String, i64, i64, i64);
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).fetch_all(pool).await?);
        let token = |(id, note, uses_left, created_at, expires_at): Row| {
            // It starts as a u32 and only falls, never below 0.
            let uses_left = u32::try_from(uses_left).unwrap_or(0);
            Token { id, note, uses_left, created_at: UtcMillis(created_at), expires_at: UtcMillis(expires_at) }
        };
        Ok(rows.into_iter().map(token).collect())
    }

    /// Deletes a token; `false` if there was none of this id. Devices that enrolled with it stay.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_token(&self, id: &str) -> Result<bool, StoreError> {
        const QUERY: &str = "DELETE FROM enrolment_token WHERE id = $1";
        let deleted = on_pool!(&self.pool, |pool| sqlx::query(QUERY).bind(id).execute(pool).await?.rows_affected());
        Ok(deleted > 0)
    }

    /// Forgets the tokens that had expired by then; says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_expired_tokens(&self, then: UtcMillis) -> Result<u64, StoreError> {
        const QUERY: &str = "DELETE FROM enrolment_token WHERE expires_at <= $1";
        Ok(on_pool!(&self.pool, |pool| sqlx::query(QUERY).bind(then.0).execute(pool).await?.rows_affected()))
    }

    /// Gives the board `serial` with `key` its name for one use of the token: the one that it has; else the one that is
    /// registered for it; else the first that is reserved for whoever comes, which is its own from then on; else the next
    /// free `pi-N`. One transaction, and only one at a time: two boards never get one name, nor one use of a token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn allocate_device(
        &self,
        token: &str,
        serial: Serial,
        key: &PublicKeySha256,
        now: UtcMillis,
    ) -> Result<Allocation, StoreError> {
        const TOKEN: &str = "SELECT uses_left, expires_at FROM enrolment_token WHERE hash = $1";
        const KNOWN: &str = "SELECT name, public_key, revoked_at FROM device WHERE serial = $1";
        const REGISTERED: &str = "SELECT name FROM registration WHERE serial = $1";
        const RESERVED: &str = "SELECT name FROM registration WHERE serial IS NULL
            AND name NOT IN (SELECT name FROM device)";
        const HAND_OUT: &str = "UPDATE registration SET serial = $2, changed_at = $3 WHERE name = $1";
        const ENROLLED: &str = "SELECT name FROM device";
        const EXPECTED: &str = "SELECT name FROM registration";
        const USE: &str = "UPDATE enrolment_token SET uses_left = uses_left - 1 WHERE hash = $1";
        const ENROL: &str = "INSERT INTO device (name, serial, public_key, enrolled_at) VALUES ($1, $2, $3, $4)";
        let (begin, alone) = self.one_at_a_time();
        let hash = sha256_hex(token.as_bytes());
        let serial = serial.to_string();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let token: Option<(i64, i64)> = sqlx::query_as(TOKEN).bind(&hash).fetch_optional(&mut *tx).await?;
            let Some((uses_left, expires_at)) = token else { return Ok(Allocation::BadToken) };
            if expires_at <= now.0 {
                return Ok(Allocation::TokenExpired);
            }
            let known: Option<(String, String, Option<i64>)> =
                sqlx::query_as(KNOWN).bind(&serial).fetch_optional(&mut *tx).await?;
            match known {
                Some((_, _, Some(_))) => return Ok(Allocation::Revoked),
                Some((_, other, None)) if other != key.as_str() => return Ok(Allocation::SerialInUse),
                Some((name, _, None)) => return Ok(Allocation::Again(stored_name(&name)?)),
                None if uses_left < 1 => return Ok(Allocation::TokenUsedUp),
                None => {}
            }
            let registered: Option<String> =
                sqlx::query_scalar(REGISTERED).bind(&serial).fetch_optional(&mut *tx).await?;
            let reserved = match registered {
                Some(_) => None,
                None => first_of(&sqlx::query_scalar(RESERVED).fetch_all(&mut *tx).await?)?,
            };
            let name = match (registered, reserved) {
                (Some(name), _) => stored_name(&name)?,
                (None, Some(name)) => {
                    let hand_out = sqlx::query(HAND_OUT).bind(name.as_str()).bind(&serial).bind(now.0);
                    hand_out.execute(&mut *tx).await?;
                    name
                }
                (None, None) => {
                    let enrolled: Vec<String> = sqlx::query_scalar(ENROLLED).fetch_all(&mut *tx).await?;
                    next_name(&enrolled, &sqlx::query_scalar(EXPECTED).fetch_all(&mut *tx).await?)?
                }
            };
            sqlx::query(USE).bind(&hash).execute(&mut *tx).await?;
            let enrol = sqlx::query(ENROL).bind(name.as_str()).bind(&serial).bind(key.as_str()).bind(now.0);
            enrol.execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(Allocation::New(name))
        })
    }
}

/// The first of the series that nobody has or is meant to have.
fn next_name(enrolled: &[String], expected: &[String]) -> Result<DeviceName, StoreError> {
    let names = |texts: &[String]| texts.iter().filter_map(|name| name.parse().ok()).collect::<Vec<DeviceName>>();
    let (enrolled, expected) = (names(enrolled), names(expected));
    let used_up = || StoreError::Corrupt { what: "name", why: "the series pi-1, pi-2, ... is used up".to_owned() };
    free_names(enrolled.iter(), &expected.iter().collect()).next().ok_or_else(used_up)
}

fn random_text<const BYTES: usize>() -> Result<String, StoreError> {
    let mut bytes = [0; BYTES];
    // A system that has no random numbers is as broken as one without a disk.
    getrandom::fill(&mut bytes).map_err(|e| sqlx::Error::Io(std::io::Error::other(e)))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
