//! API keys: made, listed, withdrawn, and whose a secret is. A key is never more than the account that made it: it is withdrawn
//! with that account's right to make keys ([`super::withdraw`]), and may no more than its role may now. Secrets are stored as hashes.

use super::account::{ONE, Row as AccountRow, account, may_invite, stored_role};
use super::{Store, StoreError, audit::audit, on_pool, stored_name, token::random_text};
use crate::access::Permission;
use crate::audit::{Act, Actor};
use crate::digest::sha256_hex;
use shared::{DeviceName, UtcMillis};

/// Every key begins with this, so that one that leaks is recognised, and taken for no other secret.
pub const KEY_PREFIX: &str = "tirta_key_";
/// How exactly the last use is kept: a busy program must not write a row for each of its requests.
const USED_MS: i64 = 60_000;

/// What the audit log, and whatever ends the connections of keys, call a key by its name or id: no account's name has a colon.
pub fn key_word(id_or_name: &str) -> String {
    format!("key:{id_or_name}")
}

/// A key that is wanted.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What has it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Permission>,
    /// It hands in readings of these devices only; `None`: of any.
    pub devices: Option<Vec<DeviceName>>,
    /// From when on it is worth nothing; `None`: it does not end by itself.
    pub expires_at: Option<UtcMillis>,
}

/// A key, without its secret.
#[derive(Debug, Clone)]
pub struct Key {
    /// What it is called when it is withdrawn.
    pub id: String,
    /// What it was made as.
    pub made: NewKey,
    /// By whom.
    pub made_by: String,
    /// When.
    pub made_at: UtcMillis,
    /// When it was last used, to the minute.
    pub used_at: Option<UtcMillis>,
    /// When it was withdrawn.
    pub revoked_at: Option<UtcMillis>,
    /// Those of its scopes that its maker's role has now; `None`: nobody may sign in as its maker.
    pub holds: Option<Vec<Permission>>,
}

/// Why a key opens nothing, although its secret is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// It was withdrawn.
    Revoked,
    /// Its time is over.
    Expired,
}

/// What came of making a key.
#[derive(Debug, PartialEq, Eq)]
pub enum MakingKey {
    /// It is there: its id, and its secret, which can be seen only now.
    Done(String, String),
    /// One of this name is in use.
    NameTaken,
    /// Whoever makes it has no account of their own that may (any more).
    MayNot,
}

impl Key {
    /// What it may do at `now`.
    ///
    /// # Errors
    /// When it opens nothing.
    pub fn may(&self, now: UtcMillis) -> Result<&[Permission], Spent> {
        if self.revoked_at.is_some() {
            return Err(Spent::Revoked);
        }
        if self.made.expires_at.is_some_and(|end| end <= now) {
            return Err(Spent::Expired);
        }
        // Whoever disables its maker has withdrawn it.
        self.holds.as_deref().ok_or(Spent::Revoked)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    scopes: String,
    devices: Option<String>,
    made_by: String,
    made_at: i64,
    expires_at: Option<i64>,
    used_at: Option<i64>,
    revoked_at: Option<i64>,
    role: Option<String>,
}

impl TryFrom<Row> for Key {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        // A scope of a newer version is one that this version can't give.
        let scopes: Vec<_> = row.scopes.split(' ').filter_map(Permission::from_word).collect();
        let role = row.role.as_deref().map(stored_role).transpose()?;
        let holds = role.map(|role| scopes.iter().copied().filter(|scope| role.may(*scope)).collect());
        let devices = row.devices.map(|names| names.split(' ').map(stored_name).collect()).transpose()?;
        let made = NewKey { name: row.name, scopes, devices, expires_at: row.expires_at.map(UtcMillis) };
        Ok(Self {
            id: row.id,
            made,
            made_by: row.made_by,
            made_at: UtcMillis(row.made_at),
            used_at: row.used_at.map(UtcMillis),
            revoked_at: row.revoked_at.map(UtcMillis),
            holds,
        })
    }
}

macro_rules! keys {
    ($which:literal) => {
        concat!(
            "SELECT api_key.id, api_key.name, scopes, devices, made_by, made_at, expires_at, used_at, revoked_at, account.role
             FROM api_key LEFT JOIN account ON account.name = made_by AND account.disabled_at IS NULL ",
            $which
        )
    };
}

impl Store {
    /// Makes a key. Its maker is looked at once more: whoever takes their right away meanwhile withdraws what is there.
    ///
    /// # Errors
    /// When the database fails or there are no random numbers.
    pub async fn create_key(&self, new: &NewKey, actor: &Actor, now: UtcMillis) -> Result<MakingKey, StoreError> {
        const TAKEN: &str = "SELECT COUNT(*) FROM api_key
            WHERE name = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)";
        const INSERT: &str = "INSERT INTO api_key (id, name, hash, scopes, devices, made_by, made_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let (id, secret) = (random_text::<9>()?, format!("{KEY_PREFIX}{}", random_text::<32>()?));
        let words: Vec<_> = new.scopes.iter().map(|scope| scope.as_str()).collect();
        let names = |names: &Vec<DeviceName>| names.iter().map(DeviceName::as_str).collect::<Vec<_>>().join(" ");
        let entry = actor.did(Act::KeyCreated, now).with("key", id.as_str()).with("name", new.name.as_str());
        let entry = entry.with("scopes", words.join(" "));
        let entry = new.expires_at.iter().fold(entry, |entry, end| entry.with("expires_at", end.0));
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let row: Option<AccountRow> = sqlx::query_as(ONE).bind(actor.name()).fetch_optional(&mut *tx).await?;
            if !row.map(account).transpose()?.is_some_and(|account| may_invite(&account)) {
                return Ok(MakingKey::MayNot);
            }
            let taken: i64 = sqlx::query_scalar(TAKEN).bind(&new.name).bind(now.0).fetch_one(&mut *tx).await?;
            if taken > 0 {
                return Ok(MakingKey::NameTaken);
            }
            let query = sqlx::query(INSERT).bind(&id).bind(&new.name).bind(sha256_hex(secret.as_bytes()));
            let query = query.bind(words.join(" ")).bind(new.devices.as_ref().map(names)).bind(actor.name());
            query.bind(now.0).bind(new.expires_at.map(|at| at.0)).execute(&mut *tx).await?;
            audit!(tx, entry);
            tx.commit().await?;
        });
        Ok(MakingKey::Done(id, secret))
    }

    /// All keys, the oldest first.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn keys(&self) -> Result<Vec<Key>, StoreError> {
        const QUERY: &str = keys!("ORDER BY made_at, api_key.id");
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).fetch_all(pool).await?);
        rows.into_iter().map(Key::try_from).collect()
    }

    /// The key of this id.
    ///
    /// # Errors
    /// When the database fails or the row can't be read.
    pub async fn key(&self, id: &str) -> Result<Option<Key>, StoreError> {
        const QUERY: &str = keys!("WHERE api_key.id = $1");
        let row: Option<Row> = on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).bind(id).fetch_optional(pool).await?);
        row.map(Key::try_from).transpose()
    }

    /// The key with this secret, good or not.
    ///
    /// # Errors
    /// When the database fails or the row can't be read.
    pub async fn key_of(&self, secret: &str) -> Result<Option<Key>, StoreError> {
        const QUERY: &str = keys!("WHERE hash = $1");
        let hash = sha256_hex(secret.as_bytes());
        let row: Option<Row> =
            on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).bind(hash).fetch_optional(pool).await?);
        row.map(Key::try_from).transpose()
    }

    /// Writes down that a key is in use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_key(&self, key: &Key, now: UtcMillis) -> Result<(), StoreError> {
        const USED: &str = "UPDATE api_key SET used_at = $2 WHERE id = $1";
        // A time that is still to come was written before the clock was set back.
        if key.used_at.is_some_and(|at| (0..USED_MS).contains(&(now.0 - at.0))) {
            return Ok(());
        }
        on_pool!(&self.pool, |pool| sqlx::query(USED).bind(&key.id).bind(now.0).execute(pool).await.map(|_| ())?);
        Ok(())
    }

    /// Withdraws a key; `false` if there is none of this id. The first time counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_key(&self, id: &str, actor: &Actor, now: UtcMillis) -> Result<bool, StoreError> {
        const REVOKE: &str = "UPDATE api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING name";
        const THERE: &str = "SELECT COUNT(*) FROM api_key WHERE id = $1";
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let name: Option<String> = sqlx::query_scalar(REVOKE).bind(id).bind(now.0).fetch_optional(&mut *tx).await?;
            if let Some(name) = name {
                audit!(tx, actor.did(Act::KeyRevoked, now).with("key", id).with("name", name));
                tx.commit().await?;
                return Ok(true);
            }
            let there: i64 = sqlx::query_scalar(THERE).bind(id).fetch_one(&mut *tx).await?;
            Ok(there > 0)
        })
    }
}
