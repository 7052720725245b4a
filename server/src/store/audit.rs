//! The audit log: rows are added within the transaction of what they tell of, and never changed.

use super::conn::{Conn, on_conn};
use super::{Store, StoreError, on_pool};
use crate::audit::{Act, Entry};
use serde_json::{Map, Value};
use shared::UtcMillis;
use sqlx::QueryBuilder;

/// Most entries of one answer.
pub const MOST_ENTRIES: u32 = 500;

/// An entry as it was written. Names and words are not checked again: what was written is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Rises with each entry.
    pub id: i64,
    /// When.
    pub at: UtcMillis,
    /// Who.
    pub who: String,
    /// What: [`crate::audit::Act::as_str`].
    pub act: String,
    /// To which device.
    pub device: Option<String>,
    /// To which board.
    pub serial: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// Whatever else belongs to it.
    pub detail: Map<String, Value>,
}

/// Numbers are given by whoever holds the lock of [`Store::one_at_a_time`]: every act does.
pub(super) const AUDIT: &str = "INSERT INTO audit (id, at, who, act, device, serial, address, detail)
    SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, $5, $6, $7 FROM audit";

/// Adds an entry within a transaction that holds the lock: `audit!(tx, entry)`.
macro_rules! audit {
    ($tx:expr, $entry:expr) => {{
        let entry: $crate::audit::Entry = $entry;
        let insert = sqlx::query($crate::store::audit::AUDIT).bind(entry.at.0).bind(entry.who).bind(entry.act.as_str());
        let insert = insert.bind(entry.device.map(String::from)).bind(entry.serial.map(String::from));
        let insert = insert.bind(entry.address).bind(serde_json::Value::Object(entry.detail).to_string());
        insert.execute(&mut *$tx).await?;
    }};
}
pub(super) use audit;

/// The same on a connection of either engine.
pub(super) async fn audit_on(conn: &mut Conn<'_>, entry: Entry) -> Result<(), StoreError> {
    on_conn!(conn, |c| audit!(c, entry));
    Ok(())
}

impl Store {
    /// Adds an entry about something that is not in the database.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note(&self, entry: Entry) -> Result<(), StoreError> {
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            audit!(tx, entry);
            tx.commit().await?;
        });
        Ok(())
    }

    /// Entries with a lower number than `before`, newest first: of a device if one is named (its name is text: it may
    /// be that of a device which there is no more), and of these kinds unless none is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(
        &self,
        device: Option<&str>,
        acts: &[Act],
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Written>, StoreError> {
        type Row = (i64, i64, String, String, Option<String>, Option<String>, Option<String>, String);
        let (before, limit) = (before.unwrap_or(i64::MAX), i64::from(limit.min(MOST_ENTRIES)));
        // The newest of each kind, found by an index, and of those the newest: a kind that is rare among many costs
        // no look through all of them.
        let kinds: Vec<Option<Act>> = match acts {
            [] => vec![None],
            acts => acts.iter().copied().map(Some).collect(),
        };
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| {
            let mut query = QueryBuilder::new("SELECT * FROM (");
            for (n, act) in kinds.into_iter().enumerate() {
                query.push(if n == 0 { "" } else { " UNION ALL " });
                query.push("SELECT * FROM (SELECT id, at, who, act, device, serial, address, detail FROM audit ");
                query.push("WHERE id < ").push_bind(before);
                if let Some(act) = act {
                    query.push(" AND act = ").push_bind(act.as_str());
                }
                if let Some(device) = device {
                    query.push(" AND device = ").push_bind(device);
                }
                query.push(" ORDER BY id DESC LIMIT ").push_bind(limit).push(") AS one_kind");
            }
            query.push(") AS found ORDER BY id DESC LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(pool).await?
        });
        let written = |(id, at, who, act, device, serial, address, detail): Row| Written {
            id,
            at: UtcMillis(at),
            who,
            act,
            device,
            serial,
            address,
            detail: serde_json::from_str(&detail).unwrap_or_default(),
        };
        Ok(rows.into_iter().map(written).collect())
    }
}
