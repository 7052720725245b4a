//! The audit log as a chain: its end, its entries in order, the hashes of those that were written before there were any, and
//! the triggers that keep the database from changing it.

use super::audit::{audit, head};
use super::{Pool, Store, StoreError, on_pool};
use crate::audit::{Act, Actor};
use shared::{
    UtcMillis,
    chain::{Broken, Head, Row, Walk},
};

/// Entries that are read or given their hash together.
const TOGETHER: i64 = 500;

/// Up to which number the migration found entries without a hash; no row once all have theirs.
const UNCHAINED: &str = "SELECT value FROM policy WHERE name = 'audit_unchained_through'";

/// A row as it is stored.
type Stored = (i64, i64, String, String, Option<String>, Option<String>, Option<String>, String, Option<String>);

fn row((id, at, who, act, device, serial, address, detail, hash): Stored) -> Row {
    Row { id, at, who, act, device, serial, address, detail, hash }
}

impl Store {
    /// Makes a chain of the log: gives the entries of before their hashes, some at a time so that whoever is stopped goes on
    /// later, notes that as an entry, and has the database refuse changes from then on, and entries without a hash from the
    /// first moment. Says how the log ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chain_audit(&self, now: UtcMillis) -> Result<Head, StoreError> {
        self.keep_audit_from_strangers().await?;
        while self.chain_some(now).await? {}
        self.keep_audit_from_changes().await?;
        self.audit_head().await
    }

    /// `true`: there are more.
    async fn chain_some(&self, now: UtcMillis) -> Result<bool, StoreError> {
        const ROWS: &str = "SELECT id, at, who, act, device, serial, address, detail, hash FROM audit
            WHERE hash IS NULL AND id <= $1 ORDER BY id LIMIT $2";
        const BEFORE: &str = "SELECT id, hash FROM audit WHERE id < $1 ORDER BY id DESC LIMIT 1";
        const CHAIN: &str = "UPDATE audit SET hash = $2 WHERE id = $1";
        const DONE: &str = "DELETE FROM policy WHERE name = 'audit_unchained_through'";
        let due: Option<i64> = on_pool!(&self.pool, |pool| sqlx::query_scalar(UNCHAINED).fetch_optional(pool).await?);
        if due.is_none() {
            return Ok(false);
        }
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            // Another instance may have been faster.
            let due: Option<i64> = sqlx::query_scalar(UNCHAINED).fetch_optional(&mut *tx).await?;
            let Some(through) = due else { return Ok(false) };
            let rows: Vec<Stored> = sqlx::query_as(ROWS).bind(through).bind(TOGETHER).fetch_all(&mut *tx).await?;
            if let Some(first) = rows.first() {
                let last: Option<(i64, Option<String>)> =
                    sqlx::query_as(BEFORE).bind(first.0).fetch_optional(&mut *tx).await?;
                let mut last = last.map_or_else(Head::of_nothing, |(id, hash)| Head::of(id, hash));
                for row in rows.into_iter().map(row) {
                    last = Head { id: row.id, hash: row.hash_after(&last.hash) };
                    sqlx::query(CHAIN).bind(last.id).bind(last.hash.as_str()).execute(&mut *tx).await?;
                }
            } else {
                tracing::info!(through, "the audit log is a chain of hashes from now on");
                sqlx::query(DONE).execute(&mut *tx).await?;
                audit!(tx, Actor::server().did(Act::AuditChained, now).with("through", through));
            }
            tx.commit().await?;
            Ok(due.is_some())
        })
    }

    /// What is written into the log has a hash and a number of its own: a server of before the chain, running beside this one,
    /// is refused and not believed. Whoever has the database can take this away again; a program or a person that errs can't
    /// do harm. The engines have no words for it in common, so it stands in no migration: one that changes the table drops
    /// these first.
    async fn keep_audit_from_strangers(&self) -> Result<(), StoreError> {
        // `INSERT OR REPLACE` deletes without waking the trigger that refuses to.
        const SQLITE: &str = "
            CREATE TRIGGER IF NOT EXISTS audit_has_a_hash BEFORE INSERT ON audit
                WHEN NEW.hash IS NULL OR NEW.hash = ''
                BEGIN SELECT RAISE(ABORT, 'an entry of the audit log has a hash'); END;
            CREATE TRIGGER IF NOT EXISTS audit_is_not_replaced BEFORE INSERT ON audit
                WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
                BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END;";
        const POSTGRES: &str = "
            CREATE OR REPLACE FUNCTION audit_has_a_hash() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'an entry of the audit log has a hash'; END $$;
            CREATE TRIGGER audit_has_a_hash BEFORE INSERT ON audit FOR EACH ROW
                WHEN (NEW.hash IS NULL OR NEW.hash = '') EXECUTE FUNCTION audit_has_a_hash();";
        self.guard_audit(SQLITE, "audit_has_a_hash", POSTGRES).await
    }

    /// What was written stays.
    async fn keep_audit_from_changes(&self) -> Result<(), StoreError> {
        const SQLITE: &str = "
            CREATE TRIGGER IF NOT EXISTS audit_is_not_changed BEFORE UPDATE ON audit
                BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END;
            CREATE TRIGGER IF NOT EXISTS audit_is_not_deleted BEFORE DELETE ON audit
                BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END;";
        const POSTGRES: &str = "
            CREATE OR REPLACE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'the audit log is only ever added to'; END $$;
            CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
                FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();";
        self.guard_audit(SQLITE, "audit_only_grows", POSTGRES).await
    }

    /// Makes triggers that may be there already; PostgreSQL's have this name.
    async fn guard_audit(
        &self,
        sqlite: &'static str,
        name: &'static str,
        postgres: &'static str,
    ) -> Result<(), StoreError> {
        const HAS: &str = "SELECT COUNT(*) FROM pg_trigger WHERE tgname = $1 AND tgrelid = 'audit'::regclass";
        match &self.pool {
            Pool::Sqlite(pool) => {
                sqlx::raw_sql(sqlite).execute(pool).await?;
            }
            Pool::Postgres(pool) => {
                let (begin, alone) = self.one_at_a_time();
                let mut tx = pool.begin_with(begin).await?;
                sqlx::query(alone).execute(&mut *tx).await?;
                let has: i64 = sqlx::query_scalar(HAS).bind(name).fetch_one(&mut *tx).await?;
                if has == 0 {
                    sqlx::raw_sql(postgres).execute(&mut *tx).await?;
                }
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// How the log ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_head(&self) -> Result<Head, StoreError> {
        Ok(on_pool!(&self.pool, |pool| {
            let mut connection = pool.acquire().await?;
            head!(connection)
        }))
    }

    /// The entries behind `after` up to number `through` in order, so many that memory does not matter; none: that was all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_rows(&self, after: i64, through: i64) -> Result<Vec<Row>, StoreError> {
        const ROWS: &str = "SELECT id, at, who, act, device, serial, address, detail, hash FROM audit
            WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3";
        let rows: Vec<Stored> = on_pool!(&self.pool, |pool| {
            sqlx::query_as(ROWS).bind(after).bind(through).bind(TOGETHER).fetch_all(pool).await?
        });
        Ok(rows.into_iter().map(row).collect())
    }

    /// The part of the log that holds every entry from a time until before another: the entry before it and its last. Times
    /// need not rise with the numbers, and a part of a chain has no gaps, so others may be within.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_part(&self, from: Option<i64>, to: Option<i64>) -> Result<(Head, Head), StoreError> {
        const FIRST: &str = "SELECT MIN(id) FROM audit WHERE at >= $1";
        const LAST: &str = "SELECT MAX(id) FROM audit WHERE at < $1";
        const UP_TO: &str = "SELECT id, hash FROM audit WHERE id <= $1 ORDER BY id DESC LIMIT 1";
        type Found = Option<(i64, Option<String>)>;
        let (first, last): (Option<i64>, Option<i64>) = on_pool!(&self.pool, |pool| {
            (
                sqlx::query_scalar(FIRST).bind(from.unwrap_or(i64::MIN)).fetch_one(pool).await?,
                sqlx::query_scalar(LAST).bind(to.unwrap_or(i64::MAX)).fetch_one(pool).await?,
            )
        });
        let before = first.map_or(i64::MAX, |first| first - 1);
        let (after, through): (Found, Found) = on_pool!(&self.pool, |pool| {
            let through = last.unwrap_or(0).max(before);
            (
                sqlx::query_as(UP_TO).bind(before).fetch_optional(pool).await?,
                sqlx::query_as(UP_TO).bind(through).fetch_optional(pool).await?,
            )
        });
        let head = |found: Found| found.map_or_else(Head::of_nothing, |(id, hash)| Head::of(id, hash));
        Ok((head(after), head(through)))
    }

    /// Walks along all of the chain: how many entries there are and how it ends, or where it is broken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify_audit(&self, known: Option<Head>) -> Result<Result<(u64, Head), Broken>, StoreError> {
        let (mut walk, head) = (Walk::after(Head::of_nothing()), self.audit_head().await?);
        if let Some(Err(broken)) = known.map(|known| walk.insist_on(known)) {
            return Ok(Err(broken));
        }
        let mut seen = i64::MIN;
        loop {
            let rows = self.audit_rows(seen, head.id).await?;
            let Some(last) = rows.last() else {
                let entries = walk.entries();
                return Ok(walk.end().map(|head| (entries, head)));
            };
            seen = last.id;
            for row in &rows {
                if let Err(broken) = walk.take(row) {
                    return Ok(Err(broken));
                }
            }
        }
    }
}
