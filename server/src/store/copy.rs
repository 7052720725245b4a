//! The database as a whole: how large it is, and a copy of it while everything goes on. Only SQLite is copied: PostgreSQL has
//! tools of its own. Knows no table but the one by which a copy is known to be complete.

use super::{Pool, Store, StoreError, on_pool};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::path::Path;

impl Store {
    /// Whether it is an SQLite file.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.pool, Pool::Sqlite(_))
    }

    /// How many bytes it takes, without what has not yet found its place (the log of SQLite, that of PostgreSQL).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn size(&self) -> Result<i64, StoreError> {
        const SQLITE: &str = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
        const POSTGRES: &str = "SELECT pg_database_size(current_database())";
        let sql = if self.is_sqlite() { SQLITE } else { POSTGRES };
        Ok(on_pool!(&self.pool, |pool| sqlx::query_scalar(sql).fetch_one(pool).await?))
    }

    /// Writes all of an SQLite database, as it is at one moment, into a file that is empty or not there. Who reads and who
    /// writes goes on meanwhile. The file is not yet down on the disk then.
    ///
    /// # Errors
    /// When the database fails, the file can't be written, or it is PostgreSQL.
    pub async fn copy_into(&self, path: &Path) -> Result<(), StoreError> {
        let Pool::Sqlite(pool) = &self.pool else {
            return Err(unusable(path, "only SQLite is copied by this server"));
        };
        let Some(text) = path.to_str() else { return Err(unusable(path, "its name is no text")) };
        sqlx::query("VACUUM INTO $1").bind(text).execute(pool).await?;
        Ok(())
    }

    /// Reads a copy from one end to the other: whether it is whole, and has the entry of the audit log that was the last one
    /// before it was made.
    ///
    /// # Errors
    /// When it is not; the message says why.
    pub async fn check_copy(path: &Path, newest: i64) -> Result<(), StoreError> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
        let mut copy = SqliteConnection::connect_with(&options).await?;
        let said: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut copy).await?;
        let last: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) FROM audit").fetch_one(&mut copy).await?;
        copy.close().await?;
        if said != "ok" {
            return Err(unusable(path, &said));
        }
        if last < newest {
            return Err(unusable(path, &format!("its audit log ends with {last}, before {newest}")));
        }
        Ok(())
    }
}

fn unusable(path: &Path, why: &str) -> StoreError {
    StoreError::Corrupt { what: "copy", why: format!("{}: {why}", path.display()) }
}
