//! Records of calibrations: added once, never changed. Each addition is a new version of the device's settings,
//! in the same transaction.

use super::{Device, Store, StoreError, audit::audit, on_pool, reading::device_name};
use crate::audit::{Act, Actor};
use serde::{Serialize, de::DeserializeOwned};
use shared::calibration::{Buffers, By, CalibrationRecord, RecordId};
use shared::{ClockQuality, DeviceName, Metric, Settings, Stamp, UtcMillis};
use std::collections::BTreeMap;

/// A record as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptRecord {
    /// Whose.
    pub device: DeviceName,
    /// As it came.
    pub record: CalibrationRecord,
    /// When it came.
    pub received_at: UtcMillis,
    /// Settings of this version are the first that contain it.
    pub settings: u32,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Recording {
    /// It is in force now.
    Stored(KeptRecord),
    /// It came before.
    Known(KeptRecord),
    /// Another device has a record of this id.
    OfAnother,
    /// Only a record that is in force can be taken back.
    NotInForce,
    /// There is no such record to take back.
    Unknown,
    /// The device is not registered, or revoked.
    NoDevice,
}

/// The columns of a record, as [`Fields`] takes them.
macro_rules! record_columns {
    () => {
        "id, device, metric, arrival, made_at, clock, received_at, who, via, buffers, lot, points, calibration,
         health, undoes, settings"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO calibration (",
    record_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
);

/// A row of the table, before it is judged.
#[derive(sqlx::FromRow)]
struct Fields {
    id: String,
    device: String,
    metric: String,
    arrival: i64,
    made_at: i64,
    clock: String,
    received_at: i64,
    who: String,
    via: String,
    buffers: Option<String>,
    lot: Option<String>,
    points: String,
    calibration: Option<String>,
    health: Option<String>,
    undoes: Option<String>,
    settings: i64,
}

impl Store {
    /// Keeps a record and makes it part of the device's settings, as their next version. Idempotent by its id.
    /// The version also exceeds `reported`, which the device says that it runs.
    ///
    /// # Errors
    /// When the database fails; nothing is kept then.
    pub async fn add_calibration(
        &self,
        device: &DeviceName,
        record: &CalibrationRecord,
        reported: u32,
        now: UtcMillis,
    ) -> Result<Recording, StoreError> {
        let decide = |known: &[KeptRecord]| match known.iter().find(|kept| kept.record.id == record.id) {
            Some(kept) => Err(Box::new(Recording::Known(kept.clone()))),
            None => Ok(record.clone()),
        };
        self.add(device, reported, now, None, decide).await
    }

    /// Takes back a record that is in force: adds the record `id` with what was in force before it, and notes who did so.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn undo_calibration(
        &self,
        device: &DeviceName,
        undone: RecordId,
        id: RecordId,
        actor: &Actor,
        reported: u32,
        now: UtcMillis,
    ) -> Result<Recording, StoreError> {
        let decide = |known: &[KeptRecord]| {
            let Some(metric) = known.iter().find(|kept| kept.record.id == undone).map(|kept| kept.record.metric) else {
                return Err(Box::new(Recording::Unknown));
            };
            let mut of_probe = known.iter().map(|kept| &kept.record).filter(|r| r.metric.shares_probe(metric)).rev();
            if of_probe.next().is_none_or(|last| last.id != undone) {
                return Err(Box::new(Recording::NotInForce));
            }
            let before = of_probe.next();
            let stamp = Stamp { at: now, clock: ClockQuality::Synced };
            let by = By::Dashboard { name: actor.name().to_owned() };
            let mut record = CalibrationRecord::new(id, metric, stamp, by, before.and_then(|r| r.calibration));
            record.health = before.and_then(|r| r.health);
            record.undoes = Some(undone);
            Ok(record)
        };
        self.add(device, reported, now, Some(actor), decide).await
    }

    /// Adds what `decide` makes of the records so far, unless it says why not. What an actor takes back is audited.
    async fn add(
        &self,
        device: &DeviceName,
        reported: u32,
        now: UtcMillis,
        actor: Option<&Actor>,
        decide: impl FnOnce(&[KeptRecord]) -> Result<CalibrationRecord, Box<Recording>>,
    ) -> Result<Recording, StoreError> {
        const OWNER: &str = "SELECT device FROM calibration WHERE id = $1";
        const KNOWN: &str =
            concat!("SELECT ", record_columns!(), " FROM calibration WHERE device = $1 ORDER BY arrival");
        const VERSION: &str = "UPDATE device SET settings_version = $2 WHERE name = $1";
        let ((begin, alone), (_, lock)) = (self.one_at_a_time(), self.writing());
        // Locks the device: its records arrive one after the other, also with several servers.
        let device_row = sqlx::AssertSqlSafe(format!(
            "SELECT settings_version FROM device WHERE name = $1 AND revoked_at IS NULL AND quarantined_at IS NULL{lock}"
        ));
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let version: Option<i64> =
                sqlx::query_scalar(device_row).bind(device.as_str()).fetch_optional(&mut *tx).await?;
            let Some(version) = version else { return Ok(Recording::NoDevice) };
            let known: Vec<Fields> = sqlx::query_as(KNOWN).bind(device.as_str()).fetch_all(&mut *tx).await?;
            let arrival = known.last().map_or(1, |last| last.arrival + 1);
            let known = known.into_iter().map(KeptRecord::try_from).collect::<Result<Vec<_>, _>>()?;
            let record = match decide(&known) {
                Ok(record) => record,
                Err(why) => return Ok(*why),
            };
            let owner: Option<String> =
                sqlx::query_scalar(OWNER).bind(record.id.to_string()).fetch_optional(&mut *tx).await?;
            if owner.is_some() {
                return Ok(Recording::OfAnother);
            }
            let version = version.max(i64::from(reported)) + 1;
            let settings = u32::try_from(version).map_err(|e| corrupt(&record.id.to_string(), e.to_string()))?;
            let kept = KeptRecord { device: device.clone(), record, received_at: now, settings };
            let row = Fields::of(&kept, arrival)?;
            sqlx::query(INSERT)
                .bind(row.id)
                .bind(row.device)
                .bind(row.metric)
                .bind(row.arrival)
                .bind(row.made_at)
                .bind(row.clock)
                .bind(row.received_at)
                .bind(row.who)
                .bind(row.via)
                .bind(row.buffers)
                .bind(row.lot)
                .bind(row.points)
                .bind(row.calibration)
                .bind(row.health)
                .bind(row.undoes)
                .bind(row.settings)
                .execute(&mut *tx)
                .await?;
            sqlx::query(VERSION).bind(device.as_str()).bind(version).execute(&mut *tx).await?;
            // The record itself says who: this is where an auditor looks for it.
            if let (Some(actor), Some(undone)) = (actor, kept.record.undoes) {
                let entry = actor.did(Act::CalibrationUndone, now).to(device).with("calibration", undone.to_string());
                audit!(tx, entry.with("metric", kept.record.metric.as_str()));
            }
            tx.commit().await?;
            Ok(Recording::Stored(kept))
        })
    }

    /// The records of a device in the order of their arrival.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn calibrations(&self, device: &DeviceName) -> Result<Vec<KeptRecord>, StoreError> {
        const QUERY: &str =
            concat!("SELECT ", record_columns!(), " FROM calibration WHERE device = $1 ORDER BY arrival");
        let rows: Vec<Fields> =
            on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).bind(device.as_str()).fetch_all(pool).await?);
        rows.into_iter().map(KeptRecord::try_from).collect()
    }

    /// The records in force, of one device or of all: the last of each probe.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn in_force(&self, only: Option<&DeviceName>) -> Result<Vec<KeptRecord>, StoreError> {
        const QUERY: &str = concat!(
            "SELECT ",
            record_columns!(),
            " FROM calibration WHERE (device = $1 OR $1 IS NULL) AND NOT EXISTS (SELECT 1 FROM calibration later
              WHERE later.device = calibration.device AND later.metric = calibration.metric
                AND later.arrival > calibration.arrival)"
        );
        let only = only.map(DeviceName::as_str);
        let rows: Vec<Fields> = on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).bind(only).fetch_all(pool).await?);
        let last = rows.into_iter().map(KeptRecord::try_from).collect::<Result<Vec<_>, _>>()?;
        let is_last = |kept: &&KeptRecord| {
            let replaces = |other: &KeptRecord| {
                let same = other.device == kept.device && other.record.metric.shares_probe(kept.record.metric);
                same && other.settings > kept.settings
            };
            !last.iter().any(replaces)
        };
        Ok(last.iter().filter(is_last).cloned().collect())
    }

    /// What one device or all are to be told: of each that is not revoked and for which anything was ever set.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn settings(&self, only: Option<&DeviceName>) -> Result<Vec<(DeviceName, Settings)>, StoreError> {
        // The version is read before what it stands for: the settings may be newer than it says, never older.
        let devices = match only {
            Some(name) => self.device(name).await?.into_iter().collect(),
            None => self.devices().await?,
        };
        let mut active: BTreeMap<DeviceName, Vec<CalibrationRecord>> = BTreeMap::new();
        for kept in self.in_force(only).await? {
            active.entry(kept.device).or_default().push(kept.record);
        }
        let mut watched = self.watched_thresholds(only).await?;
        let mut told = |device: Device| {
            let mut settings = Settings::new(device.settings_version, device.intervals);
            let records = active.get(&device.name).into_iter().flatten();
            settings.calibrations = records.map(|record| (record.metric, record.active())).collect();
            settings.thresholds = watched.remove(&device.name).unwrap_or_default();
            (device.name, settings)
        };
        // Nobody listens for one without a board.
        let wanted =
            |device: &Device| device.settings_version > 0 && device.revoked_at.is_none() && device.serial.is_some();
        Ok(devices.into_iter().filter(wanted).map(&mut told).collect())
    }
}

impl Fields {
    fn of(kept: &KeptRecord, arrival: i64) -> Result<Self, StoreError> {
        let KeptRecord { device, record, received_at, settings } = kept;
        let id = record.id.to_string();
        let (who, via) = match &record.by {
            By::Dashboard { name } => (name.clone(), "dashboard"),
            By::Device { name } => (name.clone(), "device"),
        };
        Ok(Self {
            device: device.to_string(),
            metric: record.metric.as_str().to_owned(),
            arrival,
            made_at: record.stamp.at.0,
            clock: record.stamp.clock.as_str().to_owned(),
            received_at: received_at.0,
            who,
            via: via.to_owned(),
            buffers: record.buffers.map(|buffers| word(buffers).to_owned()),
            lot: record.lot.clone(),
            points: json(&id, &record.points)?,
            calibration: record.calibration.map(|calibration| json(&id, &calibration)).transpose()?,
            health: record.health.map(|health| json(&id, &health)).transpose()?,
            undoes: record.undoes.map(|undone| undone.to_string()),
            settings: i64::from(*settings),
            id,
        })
    }
}

impl TryFrom<Fields> for KeptRecord {
    type Error = StoreError;

    fn try_from(row: Fields) -> Result<Self, StoreError> {
        let bad = |why: &str| corrupt(&row.id, why.to_owned());
        let bad_id = |e: shared::id::IdError| corrupt(&row.id, e.to_string());
        let metric = Metric::from_wire(&row.metric).ok_or_else(|| bad("its metric is unknown"))?;
        let clock = ClockQuality::from_wire(&row.clock).ok_or_else(|| bad("its clock is unknown"))?;
        let by = match row.via.as_str() {
            "dashboard" => By::Dashboard { name: row.who },
            "device" => By::Device { name: row.who },
            _ => return Err(bad("where it was made is unknown")),
        };
        let stamp = Stamp { at: UtcMillis(row.made_at), clock };
        let calibration = row.calibration.as_deref().map(|text| from_json(&row.id, text)).transpose()?;
        let mut record = CalibrationRecord::new(row.id.parse().map_err(bad_id)?, metric, stamp, by, calibration);
        record.buffers = row.buffers.map(|word| from_json(&row.id, &format!("{word:?}"))).transpose()?;
        record.lot = row.lot;
        record.points = from_json(&row.id, &row.points)?;
        record.health = row.health.as_deref().map(|text| from_json(&row.id, text)).transpose()?;
        record.undoes = row.undoes.map(|undone| undone.parse()).transpose().map_err(bad_id)?;
        Ok(Self {
            device: device_name(row.device)?,
            record,
            received_at: UtcMillis(row.received_at),
            settings: u32::try_from(row.settings).map_err(|e| bad(&e.to_string()))?,
        })
    }
}

fn word(buffers: Buffers) -> &'static str {
    match buffers {
        Buffers::Technical => "technical",
        Buffers::Nist => "nist",
    }
}

fn json(id: &str, part: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(part).map_err(|e| corrupt(id, e.to_string()))
}

fn from_json<T: DeserializeOwned>(id: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| corrupt(id, e.to_string()))
}

fn corrupt(id: &str, why: String) -> StoreError {
    StoreError::Corrupt { what: "calibration", why: format!("{id}: {why}") }
}
