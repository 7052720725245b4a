//! Devices without a board: made for programs that hand their readings in. What holds of all devices holds of them too.

use super::conn::{Conn, on_conn, transaction};
use super::takeover::SERVED;
use super::{Store, StoreError, audit::audit_on};
use crate::audit::{Act, Actor};
use crate::registry::{Entry, cell};
use shared::UtcMillis;

/// A device without a board.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Its name, where it stands, and what else the registry is to say; without a serial.
    pub entry: Entry,
    /// After how long without a reading it counts as offline, in milliseconds.
    pub silent_after_ms: i64,
}

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
    /// Makes a device without a board, or takes one back that was decommissioned.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn make_machine(&self, machine: &Machine, actor: &Actor, now: UtcMillis) -> Result<Made, StoreError> {
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            let made = make(conn, machine, now).await?;
            if matches!(made, Made::Taken | Made::ForBoard) {
                return Ok(made);
            }
            register(conn, &machine.entry, now).await?;
            audit_on(conn, actor.did(Act::DeviceRegistered, now).to(&machine.entry.name)).await?;
            made
        }))
    }

    /// Changes after how long without a reading a device without a board counts as offline.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_silence(&self, name: &shared::DeviceName, silent_after_ms: i64) -> Result<(), StoreError> {
        const SET: &str = "UPDATE device SET silent_after_ms = $2 WHERE name = $1 AND serial IS NULL";
        super::on_pool!(&self.pool, |pool| {
            sqlx::query(SET).bind(name.as_str()).bind(silent_after_ms).execute(pool).await.map(|_| ())?;
        });
        Ok(())
    }
}

async fn make(conn: &mut Conn<'_>, machine: &Machine, now: UtcMillis) -> Result<Made, StoreError> {
    const DEVICE: &str = "SELECT serial, revoked_at FROM device WHERE name = $1";
    const MEANT: &str = "SELECT serial FROM registration WHERE name = $1";
    const MAKE: &str = "INSERT INTO device (name, public_key, enrolled_at, silent_after_ms) VALUES ($1, '', $2, $3)";
    const AGAIN: &str = "UPDATE device SET revoked_at = NULL, successor = NULL, enrolled_at = $2, silent_after_ms = $3
        WHERE name = $1";
    let (name, silent) = (machine.entry.name.as_str(), machine.silent_after_ms);
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

/// What the registry says of it from now on.
async fn register(conn: &mut Conn<'_>, entry: &Entry, now: UtcMillis) -> Result<(), StoreError> {
    const REGISTER: &str = "INSERT INTO registration
        (name, serial, location, latitude, longitude, metrics, notes, created_at, changed_at)
        VALUES ($1, NULL, $2, $3, $4, $5, $6, $7, $7)
        ON CONFLICT (name) DO UPDATE SET location = EXCLUDED.location, latitude = EXCLUDED.latitude,
            longitude = EXCLUDED.longitude, metrics = EXCLUDED.metrics, notes = EXCLUDED.notes,
            changed_at = EXCLUDED.changed_at";
    on_conn!(conn, |c| {
        let query = sqlx::query(REGISTER).bind(entry.name.as_str()).bind(&entry.location).bind(entry.latitude);
        let query = query.bind(entry.longitude).bind(cell::joined(&entry.metrics)).bind(&entry.notes).bind(now.0);
        query.execute(&mut *c).await?.rows_affected()
    });
    Ok(())
}
