//! Presets of people's own making: kept, changed, removed. Those that are built in are not here. Knows no threshold in force: what
//! was set by a preset is a copy.

use super::conn::{Conn, on_conn, transaction};
use super::{Store, StoreError, audit::audit_on, on_pool, token::random_text};
use crate::audit::{Act, Actor, Entry};
use shared::rule::Threshold;
use shared::{Metric, UtcMillis};
use std::collections::BTreeMap;

/// Most presets that are kept at once.
const MOST: i64 = 100;
/// What the ids begin with, so that none is ever that of one that is built in.
const PREFIX: &str = "own-";

/// What a preset says.
#[derive(Debug, Clone, PartialEq)]
pub struct PresetWords {
    /// Its name.
    pub name: String,
    /// Where the values come from.
    pub source: String,
    /// By metric.
    pub metrics: BTreeMap<Metric, Threshold>,
}

/// A preset of people's own making.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnPreset {
    /// Its name for programs.
    pub id: String,
    /// What it says.
    pub words: PresetWords,
    /// Rises with each change.
    pub version: u32,
    /// When it was last changed.
    pub changed_at: UtcMillis,
    /// By whom.
    pub changed_by: String,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum PresetDone {
    /// It is so now.
    Done(OwnPreset),
    /// Another one has this name.
    Taken,
    /// There is none of this id.
    Unknown,
    /// There are too many.
    TooMany,
}

/// Id, name, source, version, metrics, changed_at, changed_by.
type Row = (String, String, String, i64, String, i64, String);

const COLUMNS: &str =
    "SELECT id, name, source, version, metrics, changed_at, changed_by FROM preset WHERE removed_at IS NULL";

impl Store {
    /// All that there are, by name.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn own_presets(&self) -> Result<Vec<OwnPreset>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY name, id"));
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| sqlx::query_as(sql).fetch_all(pool).await?);
        rows.into_iter().map(read).collect()
    }

    /// Whether there ever was one of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn knows_preset(&self, id: &str) -> Result<bool, StoreError> {
        const KNOWN: &str = "SELECT COUNT(*) FROM preset WHERE id = $1";
        let known: i64 = on_pool!(&self.pool, |pool| sqlx::query_scalar(KNOWN).bind(id).fetch_one(pool).await?);
        Ok(known > 0)
    }

    /// Makes one.
    ///
    /// # Errors
    /// When the database fails or there are no random numbers.
    pub async fn add_preset(
        &self,
        words: &PresetWords,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<PresetDone, StoreError> {
        const COUNT: &str = "SELECT COUNT(*) FROM preset WHERE removed_at IS NULL";
        const INSERT: &str = "INSERT INTO preset (id, name, source, version, metrics, changed_at, changed_by)
            VALUES ($1, $2, $3, 1, $4, $5, $6)";
        let (id, text) = (format!("{PREFIX}{}", random_text::<9>()?), written(words)?);
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            let count: i64 = on_conn!(conn, |c| sqlx::query_scalar(COUNT).fetch_one(&mut *c).await?);
            if count >= MOST {
                return Ok(PresetDone::TooMany);
            }
            if is_taken(conn, &id, &words.name).await? {
                return Ok(PresetDone::Taken);
            }
            on_conn!(conn, |c| sqlx::query(INSERT)
                .bind(&id)
                .bind(&words.name)
                .bind(&words.source)
                .bind(&text)
                .bind(now.0)
                .bind(actor.name())
                .execute(&mut *c)
                .await?
                .rows_affected());
            audit_on(conn, entry(actor, Act::PresetMade, &id, &words.name, now)).await?;
            PresetDone::Done(own(&id, words, 1, actor, now))
        }))
    }

    /// Makes one say something else; what was set by it stays as it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_preset(
        &self,
        id: &str,
        words: &PresetWords,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<PresetDone, StoreError> {
        const CHANGE: &str = "UPDATE preset SET name = $2, source = $3, metrics = $4, version = $5, changed_at = $6,
            changed_by = $7 WHERE id = $1";
        let text = written(words)?;
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            let Some(before) = one(conn, id).await? else { return Ok(PresetDone::Unknown) };
            if before.words == *words {
                return Ok(PresetDone::Done(before));
            }
            if is_taken(conn, id, &words.name).await? {
                return Ok(PresetDone::Taken);
            }
            let version = before.version + 1;
            on_conn!(conn, |c| sqlx::query(CHANGE)
                .bind(id)
                .bind(&words.name)
                .bind(&words.source)
                .bind(&text)
                .bind(i64::from(version))
                .bind(now.0)
                .bind(actor.name())
                .execute(&mut *c)
                .await?
                .rows_affected());
            let entry = entry(actor, Act::PresetChanged, id, &words.name, now).with("version", version);
            audit_on(conn, entry.with("before", written(&before.words)?)).await?;
            PresetDone::Done(own(id, words, version, actor, now))
        }))
    }

    /// Removes one; `false` if there is none of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_preset(&self, id: &str, actor: &Actor, now: UtcMillis) -> Result<bool, StoreError> {
        const REMOVE: &str = "UPDATE preset SET removed_at = $2 WHERE id = $1";
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            let Some(before) = one(conn, id).await? else { return Ok(false) };
            on_conn!(conn, |c| sqlx::query(REMOVE).bind(id).bind(now.0).execute(&mut *c).await?.rows_affected());
            audit_on(conn, entry(actor, Act::PresetRemoved, id, &before.words.name, now)).await?;
            true
        }))
    }
}

async fn one(conn: &mut Conn<'_>, id: &str) -> Result<Option<OwnPreset>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} AND id = $1"));
    let row: Option<Row> = on_conn!(conn, |c| sqlx::query_as(sql).bind(id).fetch_optional(&mut *c).await?);
    row.map(read).transpose()
}

/// Whether another one has this name.
async fn is_taken(conn: &mut Conn<'_>, id: &str, name: &str) -> Result<bool, StoreError> {
    const TAKEN: &str = "SELECT COUNT(*) FROM preset WHERE name = $1 AND id <> $2 AND removed_at IS NULL";
    let taken: i64 = on_conn!(conn, |c| sqlx::query_scalar(TAKEN).bind(name).bind(id).fetch_one(&mut *c).await?);
    Ok(taken > 0)
}

fn own(id: &str, words: &PresetWords, version: u32, actor: &Actor, now: UtcMillis) -> OwnPreset {
    let (id, changed_by) = (id.to_owned(), actor.name().to_owned());
    OwnPreset { id, words: words.clone(), version, changed_at: now, changed_by }
}

fn entry(actor: &Actor, act: Act, id: &str, name: &str, now: UtcMillis) -> Entry {
    actor.did(act, now).with("preset", id).with("name", name)
}

fn read((id, name, source, version, metrics, changed_at, changed_by): Row) -> Result<OwnPreset, StoreError> {
    let words = PresetWords { name, source, metrics: serde_json::from_str(&metrics).map_err(|e| corrupt(&e))? };
    let version = u32::try_from(version).map_err(|e| corrupt(&e))?;
    Ok(OwnPreset { id, words, version, changed_at: UtcMillis(changed_at), changed_by })
}

fn written(words: &PresetWords) -> Result<String, StoreError> {
    serde_json::to_string(&words.metrics).map_err(|e| corrupt(&e))
}

fn corrupt(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt { what: "preset", why: why.to_string() }
}
