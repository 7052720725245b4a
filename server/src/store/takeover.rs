//! A name goes to another key, another board, or to nobody: by approval, by replacement, by quarantine and by revocation.
//! What the device measured stays with the name.

use super::{Store, StoreError, admit::next_name, audit::audit, conn::again, on_pool, stored_name};
use crate::audit::{Act, Actor};
use shared::{DeviceName, Serial, UtcMillis, enrol::WaitReason};

/// From now on no certificate of this device is good.
pub(super) const WITHDRAW: &str = "UPDATE certificate SET revoked_at = $2 WHERE device = $1 AND revoked_at IS NULL";
/// From now on this board with this key is the device.
pub(super) const TAKE_OVER: &str = "UPDATE device SET serial = $2, public_key = $3, model = $4, revoked_at = NULL,
    quarantined_at = NULL, successor = NULL, silent_after_ms = NULL, enrolled_at = $5 WHERE name = $1";
/// How long the device was in service until now.
pub(super) const SERVED: &str = "INSERT INTO service (device, from_at, to_at)
    SELECT name, enrolled_at, COALESCE(quarantined_at, revoked_at, $2) FROM device WHERE name = $1 ON CONFLICT DO NOTHING";
/// A registration follows its device, and a board has one registration. A name that was meant for it and nobody else must not
/// become one that is reserved for whoever comes.
pub(super) const FORGET: &str = "DELETE FROM registration WHERE serial = $2 AND name <> $1
    AND name NOT IN (SELECT name FROM device)";
pub(super) const MOVE_AWAY: &str =
    "UPDATE registration SET serial = NULL, changed_at = $3 WHERE serial = $2 AND name <> $1";
pub(super) const MOVE_IN: &str = "UPDATE registration SET serial = $2, changed_at = $3 WHERE name = $1";
/// A board has one place to take at most.
pub(super) const UNEXPECT: &str = "UPDATE device SET successor = NULL WHERE successor = $1";
/// Nobody waits any more for this serial: one board has it.
pub(super) const WAITED: &str = "DELETE FROM waiting WHERE serial = $1";

/// Gives a name to a board with a key, within a transaction that holds the lock.
macro_rules! take_over {
    ($tx:expr, $name:expr, $serial:expr, $key:expr, $model:expr, $now:expr) => {{
        use $crate::store::takeover::{FORGET, MOVE_AWAY, MOVE_IN, SERVED, TAKE_OVER, WAITED, WITHDRAW};
        let (name, serial): (&shared::DeviceName, String) = ($name, $serial.to_string());
        sqlx::query(WITHDRAW).bind(name.as_str()).bind($now.0).execute(&mut *$tx).await?;
        sqlx::query(SERVED).bind(name.as_str()).bind($now.0).execute(&mut *$tx).await?;
        let take = sqlx::query(TAKE_OVER).bind(name.as_str()).bind(&serial).bind($key).bind($model).bind($now.0);
        take.execute(&mut *$tx).await?;
        sqlx::query(FORGET).bind(name.as_str()).bind(&serial).execute(&mut *$tx).await?;
        sqlx::query(MOVE_AWAY).bind(name.as_str()).bind(&serial).bind($now.0).execute(&mut *$tx).await?;
        sqlx::query(MOVE_IN).bind(name.as_str()).bind(&serial).bind($now.0).execute(&mut *$tx).await?;
        sqlx::query(WAITED).bind(&serial).execute(&mut *$tx).await?;
    }};
}
pub(super) use take_over;

/// How a request that waits is approved.
#[derive(Debug, Clone, Default)]
pub struct Approval {
    /// The name to give to a new board; the next free one if absent.
    pub name: Option<DeviceName>,
    /// The device whose place it takes.
    pub replaces: Option<DeviceName>,
    /// Where it stands; as registered if absent.
    pub location: Option<String>,
}

/// What came of an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approved {
    /// The board has this name; it gets its certificate when it asks again.
    As(DeviceName),
    /// The same, and whoever had the name before has lost it.
    Instead(DeviceName),
    /// Nobody waits under this id.
    Unknown,
    /// The name belongs to another device, or is meant for another board.
    NameTaken(DeviceName),
    /// There is no such device to replace.
    NoDevice(DeviceName),
    /// The board is a device itself, under this name.
    InService(DeviceName),
}

/// What came of a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// The board that waits has the place now.
    Now,
    /// It gets the place when it first asks.
    Expected,
    /// Boards with different keys wait under this serial: one of them has to be approved.
    SecondKey,
    /// There is no such device.
    NoDevice,
    /// The board is the device itself and not decommissioned, or another device.
    InService(DeviceName),
}

impl Store {
    /// Lets a board in that waits.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn approve(
        &self,
        id: &str,
        approval: &Approval,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<Approved, StoreError> {
        const REQUEST: &str =
            "SELECT serial, public_key, model, reason FROM waiting WHERE id = $1 AND refused_at IS NULL";
        const HOLDER: &str = "SELECT name FROM device WHERE serial = $1";
        const REGISTERED: &str = "SELECT name FROM registration WHERE serial = $1";
        const MEANT: &str = "SELECT serial FROM registration WHERE name = $1";
        const NAMES: &str = "SELECT name FROM device";
        const EXPECTED: &str = "SELECT name FROM registration";
        const ENROL: &str = "INSERT INTO device (name, serial, public_key, enrolled_at, model)
            VALUES ($1, $2, $3, $4, $5)";
        const REGISTER: &str = "INSERT INTO registration
            (name, serial, location, latitude, longitude, metrics, notes, created_at, changed_at)
            VALUES ($1, $2, $3, NULL, NULL, '', '', $4, $4)
            ON CONFLICT (name) DO UPDATE SET location = EXCLUDED.location, changed_at = EXCLUDED.changed_at";
        let (begin, alone) = self.one_at_a_time();
        again!(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let request: Option<(String, String, Option<String>, String)> =
                sqlx::query_as(REQUEST).bind(id).fetch_optional(&mut *tx).await?;
            let Some((serial, key, model, reason)) = request else { return Ok(Approved::Unknown) };
            let serial: Serial = super::stored_serial(&serial)?;
            let holder: Option<String> =
                sqlx::query_scalar(HOLDER).bind(serial.to_string()).fetch_optional(&mut *tx).await?;
            let holder = holder.as_deref().map(stored_name).transpose()?;
            let names: Vec<String> = sqlx::query_scalar(NAMES).fetch_all(&mut *tx).await?;
            let has = |name: &DeviceName| names.iter().any(|known| known == name.as_str());
            let (name, instead) = match (&approval.replaces, &holder) {
                (Some(place), _) if !has(place) => return Ok(Approved::NoDevice(place.clone())),
                (Some(place), Some(own)) if own != place => return Ok(Approved::InService(own.clone())),
                (Some(place), _) => (place.clone(), true),
                // It was nobody's when it asked; by now another key has its serial. That is for a second look.
                (None, Some(own)) if reason == WaitReason::NotExpected.as_str() => {
                    return Ok(Approved::NameTaken(own.clone()));
                }
                (None, Some(own)) => (own.clone(), true),
                (None, None) => {
                    let registered: Option<String> =
                        sqlx::query_scalar(REGISTERED).bind(serial.to_string()).fetch_optional(&mut *tx).await?;
                    let wanted = match (&approval.name, registered) {
                        (Some(name), _) => name.clone(),
                        (None, Some(name)) => stored_name(&name)?,
                        (None, None) => next_name(&names, &sqlx::query_scalar(EXPECTED).fetch_all(&mut *tx).await?)?,
                    };
                    let meant: Option<Option<String>> =
                        sqlx::query_scalar(MEANT).bind(wanted.as_str()).fetch_optional(&mut *tx).await?;
                    let for_another = meant.flatten().is_some_and(|meant| meant != serial.to_string());
                    if has(&wanted) || for_another {
                        return Ok(Approved::NameTaken(wanted));
                    }
                    (wanted, false)
                }
            };
            sqlx::query(UNEXPECT).bind(serial.to_string()).execute(&mut *tx).await?;
            if instead {
                take_over!(tx, &name, serial, &key, &model, now);
            } else {
                let enrol = sqlx::query(ENROL).bind(name.as_str()).bind(serial.to_string()).bind(&key).bind(now.0);
                enrol.bind(&model).execute(&mut *tx).await?;
                sqlx::query(FORGET).bind(name.as_str()).bind(serial.to_string()).execute(&mut *tx).await?;
                sqlx::query(MOVE_AWAY)
                    .bind(name.as_str())
                    .bind(serial.to_string())
                    .bind(now.0)
                    .execute(&mut *tx)
                    .await?;
                sqlx::query(MOVE_IN).bind(name.as_str()).bind(serial.to_string()).bind(now.0).execute(&mut *tx).await?;
                sqlx::query(WAITED).bind(serial.to_string()).execute(&mut *tx).await?;
            }
            if let Some(location) = &approval.location {
                let place =
                    sqlx::query(REGISTER).bind(name.as_str()).bind(serial.to_string()).bind(location).bind(now.0);
                place.execute(&mut *tx).await?;
            }
            let act = if approval.replaces.is_some() { Act::DeviceReplaced } else { Act::DeviceApproved };
            audit!(tx, actor.did(act, now).to(&name).board(serial).with("key", key).with("reason", reason));
            tx.commit().await?;
            Ok(if instead { Approved::Instead(name) } else { Approved::As(name) })
        }))
    }

    /// Says that a board, which may not have come yet, takes the place of a device.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn replace(
        &self,
        name: &DeviceName,
        serial: Serial,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<Replaced, StoreError> {
        const THERE: &str = "SELECT COUNT(*) FROM device WHERE name = $1";
        const HOLDER: &str = "SELECT name, revoked_at FROM device WHERE serial = $1";
        const WAITS: &str = "SELECT public_key, model FROM waiting WHERE serial = $1 AND refused_at IS NULL";
        const EXPECT: &str = "UPDATE device SET successor = $2 WHERE name = $1";
        let (begin, alone) = self.one_at_a_time();
        again!(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let there: i64 = sqlx::query_scalar(THERE).bind(name.as_str()).fetch_one(&mut *tx).await?;
            if there == 0 {
                return Ok(Replaced::NoDevice);
            }
            let holder: Option<(String, Option<i64>)> =
                sqlx::query_as(HOLDER).bind(serial.to_string()).fetch_optional(&mut *tx).await?;
            match holder {
                // Its own board: a decommissioned device is taken back.
                Some((own, Some(_))) if own == name.as_str() => {}
                Some((own, _)) => return Ok(Replaced::InService(stored_name(&own)?)),
                None => {}
            }
            let waits: Vec<(String, Option<String>)> =
                sqlx::query_as(WAITS).bind(serial.to_string()).fetch_all(&mut *tx).await?;
            sqlx::query(UNEXPECT).bind(serial.to_string()).execute(&mut *tx).await?;
            let entry = actor.did(Act::DeviceReplaced, now).to(name).board(serial);
            // Two keys for one serial: whichever asks next must not decide that.
            if waits.len() > 1 {
                return Ok(Replaced::SecondKey);
            }
            let done = if let [(key, model)] = waits.as_slice() {
                take_over!(tx, name, serial, key, model, now);
                audit!(tx, entry.with("key", key.as_str()));
                Replaced::Now
            } else {
                sqlx::query(EXPECT).bind(name.as_str()).bind(serial.to_string()).execute(&mut *tx).await?;
                audit!(tx, entry.with("expected", true));
                Replaced::Expected
            };
            tx.commit().await?;
            Ok(done)
        }))
    }

    /// Marks a device as thrown out; `false` if there is no such device. The first time counts. Its name and history stay.
    /// It can't connect any more once the broker is told too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_device(&self, name: &DeviceName, actor: &Actor, now: UtcMillis) -> Result<bool, StoreError> {
        const REVOKE: &str =
            "UPDATE device SET revoked_at = $2, successor = NULL WHERE name = $1 AND revoked_at IS NULL";
        const THERE: &str = "SELECT COUNT(*) FROM device WHERE name = $1";
        let (begin, alone) = self.one_at_a_time();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            if sqlx::query(REVOKE).bind(name.as_str()).bind(now.0).execute(&mut *tx).await?.rows_affected() > 0 {
                sqlx::query(WITHDRAW).bind(name.as_str()).bind(now.0).execute(&mut *tx).await?;
                audit!(tx, actor.did(Act::DeviceRevoked, now).to(name));
                tx.commit().await?;
                true
            } else {
                let there: i64 = sqlx::query_scalar(THERE).bind(name.as_str()).fetch_one(&mut *tx).await?;
                there > 0
            }
        }))
    }

    /// Two boards use a device's key: the key is worth nothing from now on. `false` if that is known already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn quarantine(&self, name: &DeviceName, now: UtcMillis) -> Result<bool, StoreError> {
        const QUARANTINE: &str = "UPDATE device SET quarantined_at = $2, public_key = ''
            WHERE name = $1 AND quarantined_at IS NULL AND revoked_at IS NULL";
        let (begin, alone) = self.one_at_a_time();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let done = sqlx::query(QUARANTINE).bind(name.as_str()).bind(now.0).execute(&mut *tx).await?;
            if done.rows_affected() > 0 {
                sqlx::query(WITHDRAW).bind(name.as_str()).bind(now.0).execute(&mut *tx).await?;
                audit!(tx, Actor::server().did(Act::DeviceQuarantined, now).to(name).with("reason", "shared_key"));
                tx.commit().await?;
                true
            } else {
                false
            }
        }))
    }
}
