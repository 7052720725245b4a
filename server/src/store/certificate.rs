//! Every certificate that was made for a device, as long as it matters: to show it, to give it again, to withdraw it.

use super::{Store, StoreError, audit::audit, on_pool};
use crate::audit::Entry;
use shared::{DeviceName, UtcMillis};

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Issued {
    /// Hexadecimal.
    pub serial_number: String,
    /// Whose.
    pub device: String,
    /// SHA-256 of its public key, hexadecimal.
    pub public_key: String,
    /// SHA-256 of the authority's certificate, hexadecimal.
    pub ca: String,
    /// UTC milliseconds.
    pub issued_at: i64,
    /// UTC milliseconds.
    pub expires_at: i64,
    /// The certificate itself.
    pub pem: String,
}

const COLUMNS: &str = "SELECT serial_number, device, public_key, ca, issued_at, expires_at, pem FROM certificate";

impl Store {
    /// Writes down a certificate before it is given away, if the device still has this key, and tells the audit log of it.
    /// `false`: somebody else has the name by now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_certificate(&self, issued: &Issued, entry: Option<Entry>) -> Result<bool, StoreError> {
        const HAS: &str = "SELECT COUNT(*) FROM device WHERE name = $1 AND public_key = $2 AND revoked_at IS NULL";
        const KEEP: &str = "INSERT INTO certificate (serial_number, device, public_key, ca, issued_at, expires_at, pem)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let has: i64 =
                sqlx::query_scalar(HAS).bind(&issued.device).bind(&issued.public_key).fetch_one(&mut *tx).await?;
            if has == 0 {
                return Ok(false);
            }
            let keep = sqlx::query(KEEP).bind(&issued.serial_number).bind(&issued.device).bind(&issued.public_key);
            let keep = keep.bind(&issued.ca).bind(issued.issued_at).bind(issued.expires_at).bind(&issued.pem);
            keep.execute(&mut *tx).await?;
            if let Some(entry) = entry {
                audit!(tx, entry);
            }
            tx.commit().await?;
            Ok(true)
        })
    }

    /// A device's newest certificate that was not withdrawn.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn certificate(&self, device: &DeviceName) -> Result<Option<Issued>, StoreError> {
        let query = format!("{COLUMNS} WHERE device = $1 AND revoked_at IS NULL ORDER BY issued_at DESC LIMIT 1");
        let query = sqlx::AssertSqlSafe(query);
        Ok(on_pool!(&self.pool, |pool| sqlx::query_as(query).bind(device.as_str()).fetch_optional(pool).await?))
    }

    /// The newest certificate of each device that was not withdrawn.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn certificates(&self) -> Result<Vec<Issued>, StoreError> {
        let newest = "WHERE revoked_at IS NULL AND issued_at = (SELECT MAX(issued_at) FROM certificate AS other
            WHERE other.device = certificate.device AND other.revoked_at IS NULL)";
        let query = sqlx::AssertSqlSafe(format!("{COLUMNS} {newest}"));
        Ok(on_pool!(&self.pool, |pool| sqlx::query_as(query).fetch_all(pool).await?))
    }

    /// Numbers and times of the certificates that were withdrawn and would still be good: what a revocation list holds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn withdrawn(&self, now: UtcMillis) -> Result<Vec<(String, UtcMillis)>, StoreError> {
        const QUERY: &str = "SELECT serial_number, revoked_at FROM certificate
            WHERE revoked_at IS NOT NULL AND expires_at > $1 ORDER BY revoked_at, serial_number";
        let rows: Vec<(String, i64)> =
            on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).bind(now.0).fetch_all(pool).await?);
        Ok(rows.into_iter().map(|(number, at)| (number, UtcMillis(at))).collect())
    }

    /// Forgets certificates that had expired by then and are not the newest of their device; says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_expired_certificates(&self, then: UtcMillis) -> Result<u64, StoreError> {
        // A key that was withdrawn stays dead for ever: its last certificate is what says so.
        const QUERY: &str = "DELETE FROM certificate WHERE expires_at <= $1 AND issued_at < (SELECT MAX(issued_at)
            FROM certificate AS other WHERE other.public_key = certificate.public_key)";
        Ok(on_pool!(&self.pool, |pool| sqlx::query(QUERY).bind(then.0).execute(pool).await?.rows_affected()))
    }
}
