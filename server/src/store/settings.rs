//! What a device is told to do, as somebody changes it: a version each, written into the audit log with what was before.

use super::{Store, StoreError, audit::audit, on_pool};
use crate::audit::{Act, Actor};
use serde_json::Value;
use shared::{DeviceName, UtcMillis, message::Intervals};

/// The settings that a device shall have.
#[derive(Debug, Clone)]
pub struct NewSettings {
    /// Its sampling intervals.
    pub intervals: Intervals,
    /// The version that it says it runs. The new one is higher: after the server's restore from a back-up the device would
    /// ignore a lower one as old.
    pub reported: u32,
    /// The version that whoever changes it has seen; `None`: whatever it is.
    pub seen: Option<u32>,
}

impl NewSettings {
    /// These, whatever stands there.
    pub fn of(intervals: Intervals) -> Self {
        Self { intervals, reported: 0, seen: None }
    }
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsDone {
    /// The new version.
    Done(u32),
    /// Somebody else was faster: the version that stands.
    Stale(u32),
    /// There is no such device.
    Unknown,
}

impl Store {
    /// Sets a device's sampling intervals as its next version.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn change_settings(
        &self,
        name: &DeviceName,
        new: &NewSettings,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<SettingsDone, StoreError> {
        const CHANGE: &str = "UPDATE device SET intervals = $2, settings_version = $3 WHERE name = $1";
        let corrupt = |why: String| StoreError::Corrupt { what: "device", why };
        let text = serde_json::to_string(&new.intervals).map_err(|e| corrupt(e.to_string()))?;
        let (begin, alone) = self.one_at_a_time();
        let (_, lock) = self.writing();
        let before = format!("SELECT settings_version, intervals FROM device WHERE name = $1{lock}");
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let row: Option<(i64, String)> =
                sqlx::query_as(sqlx::AssertSqlSafe(before)).bind(name.as_str()).fetch_optional(&mut *tx).await?;
            let Some((stands, before)) = row else { return Ok(SettingsDone::Unknown) };
            let stands = u32::try_from(stands).map_err(|e| corrupt(e.to_string()))?;
            if new.seen.is_some_and(|seen| seen != stands) {
                return Ok(SettingsDone::Stale(stands));
            }
            let version = stands.max(new.reported) + 1;
            let change = sqlx::query(CHANGE).bind(name.as_str()).bind(text.as_str()).bind(i64::from(version));
            change.execute(&mut *tx).await?;
            let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
            let entry = actor.did(Act::DeviceSettingsChanged, now).to(name).with("version", version);
            audit!(tx, entry.with("before", json(&before)).with("after", json(&text)));
            tx.commit().await?;
            SettingsDone::Done(version)
        }))
    }
}
