//! Devices without a board: made for programs that hand their readings in. What holds of all devices holds of them too.

use super::conn::{Conn, on_conn, transaction};
use super::registration::registered;
use super::takeover::SERVED;
use super::{Store, StoreError, audit::audit_on};
use crate::audit::{Act, Actor};
use crate::registry::{Entry, cell};
use shared::{DeviceName, UtcMillis};

/// What came of making one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is there.
    New,
    /// It had been decommissioned, and is in service again, with its history.
    Again,
    /// A device has this name.
    Taken,
    /// The name is meant for a board.
    ForBoard,
}

impl Store {
    /// Makes a device without a board, or takes one back that was decommissioned. `change` makes what the registry is to say of
    /// what it says, or says why not; without a reading for `silent_after_ms` the device counts as offline.
    ///
    /// # Errors
    /// When the database fails or a row can't be read; nothing has changed then.
    pub async fn make_machine<E>(
        &self,
        name: &DeviceName,
        change: impl Fn(Entry) -> Result<Entry, E>,
        silent_after_ms: i64,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<Result<Made, E>, StoreError> {
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            let known = registered(conn, name).await?.map(|known| known.entry);
            let entry = match change(known.unwrap_or_else(|| Entry::named(name.clone()))) {
                Ok(entry) => entry,
                Err(why) => return Ok(Err(why)),
            };
            let made = make(conn, name.as_str(), silent_after_ms, now).await?;
            if matches!(made, Made::Taken | Made::ForBoard) {
                return Ok(Ok(made));
            }
            register(conn, &entry, now).await?;
            audit_on(conn, actor.did(Act::DeviceRegistered, now).to(name)).await?;
            Ok(made)
        }))
    }
}

async fn make(conn: &mut Conn<'_>, name: &str, silent: i64, now: UtcMillis) -> Result<Made, StoreError> {
    const DEVICE: &str = "SELECT serial, revoked_at FROM device WHERE name = $1";
    const MEANT: &str = "SELECT serial FROM registration WHERE name = $1";
    const MAKE: &str = "INSERT INTO device (name, public_key, enrolled_at, silent_after_ms) VALUES ($1, '', $2, $3)";
    const AGAIN: &str = "UPDATE device SET revoked_at = NULL, successor = NULL, enrolled_at = $2, silent_after_ms = $3
        WHERE name = $1";
    on_conn!(conn, |c| {
        let device: Option<(Option<String>, Option<i64>)> =
            sqlx::query_as(DEVICE).bind(name).fetch_optional(&mut *c).await?;
        let meant: Option<Option<String>> = sqlx::query_scalar(MEANT).bind(name).fetch_optional(&mut *c).await?;
        match device {
            Some((None, Some(_))) => {
                sqlx::query(SERVED).bind(name).bind(now.0).execute(&mut *c).await?;
                sqlx::query(AGAIN).bind(name).bind(now.0).bind(silent).execute(&mut *c).await?;
                Ok(Made::Again)
            }
            Some(_) => Ok(Made::Taken),
            None if meant.flatten().is_some() => Ok(Made::ForBoard),
            None => {
                sqlx::query(MAKE).bind(name).bind(now.0).bind(silent).execute(&mut *c).await?;
                Ok(Made::New)
            }
        }
    })
}

/// What the registry says of a device from now on. A name that it knows keeps its board.
pub(super) async fn register(conn: &mut Conn<'_>, entry: &Entry, now: UtcMillis) -> Result<(), StoreError> {
    const REGISTER: &str = "INSERT INTO registration
        (name, serial, location, latitude, longitude, metrics, notes, created_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        ON CONFLICT (name) DO UPDATE SET location = EXCLUDED.location, latitude = EXCLUDED.latitude,
            longitude = EXCLUDED.longitude, metrics = EXCLUDED.metrics, notes = EXCLUDED.notes,
            changed_at = EXCLUDED.changed_at";
    on_conn!(conn, |c| {
        let serial = entry.serial.map(String::from);
        let query = sqlx::query(REGISTER).bind(entry.name.as_str()).bind(serial).bind(&entry.location);
        let query = query.bind(entry.latitude).bind(entry.longitude).bind(cell::joined(&entry.metrics));
        let query = query.bind(&entry.notes).bind(now.0);
        query.execute(&mut *c).await?.rows_affected()
    });
    Ok(())
}
