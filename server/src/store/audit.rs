//! Writing into the audit log: rows are added within the transaction of what they tell of, each with a hash over itself and
//! the one before, and never changed.

use super::conn::{Conn, on_conn};
use super::{Store, StoreError, on_pool};
use crate::audit::Entry;

/// The end of the log. Whoever writes holds the lock of [`Store::one_at_a_time`]: every act does.
pub(super) const HEAD: &str = "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1";
/// One entry.
pub(super) const INSERT: &str = "INSERT INTO audit (id, at, who, act, device, serial, address, detail, hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// The end of the log within a transaction: `head!(tx)`.
macro_rules! head {
    ($tx:expr) => {{
        let last: Option<(i64, Option<String>)> =
            sqlx::query_as($crate::store::audit::HEAD).fetch_optional(&mut *$tx).await?;
        last.map_or_else(shared::chain::Head::of_nothing, |(id, hash)| shared::chain::Head::of(id, hash))
    }};
}
pub(super) use head;

/// Adds entries within a transaction that holds the lock, oldest first: `audit_all!(tx, entries)`.
macro_rules! audit_all {
    ($tx:expr, $entries:expr) => {{
        let mut head = $crate::store::audit::head!($tx);
        for entry in $entries {
            let entry: $crate::audit::Entry = entry;
            let row = entry.behind(&mut head);
            let insert = sqlx::query($crate::store::audit::INSERT).bind(row.id).bind(row.at).bind(row.who);
            let insert = insert.bind(row.act).bind(row.device).bind(row.serial).bind(row.address);
            insert.bind(row.detail).bind(row.hash).execute(&mut *$tx).await?;
        }
    }};
}
pub(super) use audit_all;

/// Adds an entry within a transaction that holds the lock: `audit!(tx, entry)`.
macro_rules! audit {
    ($tx:expr, $entry:expr) => {
        $crate::store::audit::audit_all!($tx, [$entry])
    };
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
}
