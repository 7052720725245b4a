//! Boards that wait for somebody's approval: listed, refused, forgotten. How one is let in stands in `takeover`.

use super::{Store, StoreError, audit::audit, on_pool, stored_name, stored_serial};
use crate::audit::{Act, Actor};
use shared::{DeviceName, Serial, UtcMillis, enrol::CopiedFrom, enrol::WaitReason};

/// A board that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingBoard {
    /// Names the request.
    pub id: String,
    /// What the board says to be.
    pub serial: Serial,
    /// SHA-256 of its public key, hexadecimal.
    pub public_key: String,
    /// Why it waits.
    pub reason: WaitReason,
    /// Its model, as it says.
    pub model: Option<String>,
    /// Where it last asked from.
    pub address: String,
    /// Whose identity was on its card.
    pub copied_from: Option<CopiedFrom>,
    /// The device that has its serial.
    pub device: Option<DeviceName>,
    /// The token that it shows.
    pub token: String,
    /// Since when.
    pub since: UtcMillis,
    /// When it last asked.
    pub last_asked: UtcMillis,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    serial: String,
    public_key: String,
    reason: String,
    model: Option<String>,
    address: String,
    copied_name: Option<String>,
    copied_serial: Option<String>,
    device: Option<String>,
    token: String,
    first_at: i64,
    last_at: i64,
}

impl TryFrom<Row> for WaitingBoard {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let reason = match row.reason.as_str() {
            "second_key" => WaitReason::SecondKey,
            "shared_key" => WaitReason::SharedKey,
            _ => WaitReason::NotExpected,
        };
        let copied_from = match (row.copied_name, row.copied_serial) {
            (Some(name), Some(serial)) => {
                Some(CopiedFrom { name: stored_name(&name)?, serial: stored_serial(&serial)? })
            }
            _ => None,
        };
        Ok(Self {
            id: row.id,
            serial: stored_serial(&row.serial)?,
            public_key: row.public_key,
            reason,
            model: row.model,
            address: row.address,
            copied_from,
            device: row.device.as_deref().map(stored_name).transpose()?,
            token: row.token,
            since: UtcMillis(row.first_at),
            last_asked: UtcMillis(row.last_at),
        })
    }
}

impl Store {
    /// All boards that wait, the oldest first.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn waiting(&self) -> Result<Vec<WaitingBoard>, StoreError> {
        const QUERY: &str = "SELECT id, serial, public_key, reason, model, address, copied_name, copied_serial,
            (SELECT name FROM device WHERE device.serial = waiting.serial) AS device, token, first_at, last_at
            FROM waiting WHERE refused_at IS NULL ORDER BY first_at, id";
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).fetch_all(pool).await?);
        rows.into_iter().map(WaitingBoard::try_from).collect()
    }

    /// Says no to a board that waits: it is told so when it asks again with this key. `false` if nobody waits under this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuse(&self, id: &str, actor: &Actor, now: UtcMillis) -> Result<bool, StoreError> {
        const QUERY: &str = "UPDATE waiting SET refused_at = $2 WHERE id = $1 AND refused_at IS NULL RETURNING serial";
        let (begin, alone) = self.one_at_a_time();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let serial: Option<String> =
                sqlx::query_scalar(QUERY).bind(id).bind(now.0).fetch_optional(&mut *tx).await?;
            if let Some(serial) = &serial {
                audit!(tx, actor.did(Act::DeviceRefused, now).board(stored_serial(serial)?));
                tx.commit().await?;
            }
            serial.is_some()
        }))
    }

    /// Forgets boards that have not asked since then; says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_waiting(&self, then: UtcMillis) -> Result<u64, StoreError> {
        const QUERY: &str = "DELETE FROM waiting WHERE last_at <= $1 AND refused_at IS NULL OR refused_at <= $1";
        Ok(on_pool!(&self.pool, |pool| sqlx::query(QUERY).bind(then.0).execute(pool).await?.rows_affected()))
    }
}
