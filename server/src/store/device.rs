//! Devices: who is registered, what they last said of themselves, and what they are told to do.

use super::{Store, StoreError, on_pool};
use crate::ca::PublicKeySha256;
use crate::registry::cell;
use shared::{DeviceName, Metric, Serial, Status, UtcMillis, message::Intervals, message::LinkState};

/// A registered device.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Its name for ever, also after it was revoked.
    pub name: DeviceName,
    /// The serial of its board; `None`: it has no board, programs hand its readings in.
    pub serial: Option<Serial>,
    /// SHA-256 of its public key, hexadecimal.
    pub public_key: String,
    /// When it was given its name.
    pub enrolled_at: UtcMillis,
    /// When it was thrown out, if it was.
    pub revoked_at: Option<UtcMillis>,
    /// When two boards were found to use its key; that key is dead then.
    pub quarantined_at: Option<UtcMillis>,
    /// The model of its board, as it said.
    pub model: Option<String>,
    /// When anything last came from it.
    pub last_seen: Option<UtcMillis>,
    /// What it last said of itself; `None` also when that can't be read any more.
    pub status: Option<Status>,
    /// Version of the settings below; 0: never set.
    pub settings_version: u32,
    /// Its sampling intervals as set here.
    pub intervals: Intervals,
    /// After how long without a reading it counts as offline, in milliseconds; `None` for one with a board.
    pub silent_after_ms: Option<i64>,
    /// Where the registry says that it stands.
    pub location: Option<String>,
    /// Degrees north and east, as the registry says.
    pub position: Option<(f64, f64)>,
    /// What the registry says that it is meant to measure.
    pub metrics: Vec<Metric>,
    /// Whatever else the registry says of it.
    pub notes: String,
}

/// Devices with what is registered of them, as [`Fields`] takes them.
macro_rules! devices {
    () => {
        "SELECT device.name, device.serial, public_key, enrolled_at, revoked_at, quarantined_at, model, last_seen, status,
            settings_version, intervals, silent_after_ms, location, latitude, longitude, metrics, notes
            FROM device LEFT JOIN registration ON registration.name = device.name"
    };
}

/// A row of `devices!`, before it is judged.
#[derive(sqlx::FromRow)]
struct Fields {
    name: String,
    serial: Option<String>,
    public_key: String,
    enrolled_at: i64,
    revoked_at: Option<i64>,
    quarantined_at: Option<i64>,
    model: Option<String>,
    last_seen: Option<i64>,
    status: Option<String>,
    settings_version: i64,
    intervals: String,
    silent_after_ms: Option<i64>,
    location: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    metrics: Option<String>,
    notes: Option<String>,
}

impl TryFrom<Fields> for Device {
    type Error = StoreError;

    fn try_from(row: Fields) -> Result<Self, StoreError> {
        let corrupt = |why: String| StoreError::Corrupt { what: "device", why: format!("{}: {why}", row.name) };
        let status = row.status.as_deref().and_then(|text| match Status::decode(text.as_bytes()) {
            Ok(status) => Some(status),
            // The device sends it again; it is no reason to hide the device.
            Err(error) => {
                tracing::warn!(device = row.name, %error, "a stored status can't be read");
                None
            }
        });
        Ok(Self {
            name: row.name.parse().map_err(|e: shared::id::IdError| corrupt(e.to_string()))?,
            serial: row
                .serial
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(|e: shared::id::IdError| corrupt(e.to_string()))?,
            enrolled_at: UtcMillis(row.enrolled_at),
            revoked_at: row.revoked_at.map(UtcMillis),
            quarantined_at: row.quarantined_at.map(UtcMillis),
            last_seen: row.last_seen.map(UtcMillis),
            status,
            settings_version: u32::try_from(row.settings_version).map_err(|e| corrupt(e.to_string()))?,
            intervals: serde_json::from_str(&row.intervals).map_err(|e| corrupt(e.to_string()))?,
            public_key: row.public_key,
            model: row.model,
            silent_after_ms: row.silent_after_ms,
            location: row.location.filter(|location| !location.is_empty()),
            position: row.latitude.zip(row.longitude),
            metrics: cell::metrics(row.metrics.as_deref().unwrap_or_default()).map_err(|e| corrupt(e.to_string()))?,
            notes: row.notes.unwrap_or_default(),
        })
    }
}

/// A device whose last message is older than this is not online, whatever it said: agents report at least each 30 s,
/// and the broker's last will is lost if the server was down when it was due.
pub const ONLINE_GRACE_MS: i64 = 90_000;

impl Device {
    /// Whether it is connected: its last word says so, and it was heard lately. Readings count as a sign of life, but only
    /// its own word makes it online; one without a board has no other word than its readings.
    pub fn is_online(&self, now: UtcMillis) -> bool {
        let says_online = self.status.as_ref().is_some_and(|status| status.state == LinkState::Online);
        let is_there = says_online || self.serial.is_none();
        is_there && self.last_seen.is_some_and(|at| now.0.saturating_sub(at.0) <= self.silent_ms())
    }

    /// After how long without a sign of life it is not there, in milliseconds.
    pub fn silent_ms(&self) -> i64 {
        self.silent_after_ms.unwrap_or(ONLINE_GRACE_MS)
    }
}

/// The same of a row whose status is still text.
pub(super) fn is_online(status: Option<&str>, last_seen: Option<i64>, now: UtcMillis) -> bool {
    let says_online = status.and_then(|text| Status::decode(text.as_bytes()).ok());
    let says_online = says_online.is_some_and(|status| status.state == LinkState::Online);
    says_online && last_seen.is_some_and(|at| now.0.saturating_sub(at) <= ONLINE_GRACE_MS)
}

impl Store {
    /// All devices, pi-2 before pi-10.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn devices(&self) -> Result<Vec<Device>, StoreError> {
        const QUERY: &str = devices!();
        let rows: Vec<Fields> = on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).fetch_all(pool).await?);
        let mut devices = rows.into_iter().map(Device::try_from).collect::<Result<Vec<_>, _>>()?;
        devices.sort_by(|a, b| (a.name.number(), &a.name).cmp(&(b.name.number(), &b.name)));
        Ok(devices)
    }

    /// One device.
    ///
    /// # Errors
    /// When the database fails or the row can't be read.
    pub async fn device(&self, name: &DeviceName) -> Result<Option<Device>, StoreError> {
        const QUERY: &str = concat!(devices!(), " WHERE device.name = $1");
        let row: Option<Fields> =
            on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).bind(name.as_str()).fetch_optional(pool).await?);
        row.map(Device::try_from).transpose()
    }

    /// Whether a device may connect with this key: it is the device's, which was not thrown out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn may_connect(&self, name: &DeviceName, key: &PublicKeySha256) -> Result<bool, StoreError> {
        const QUERY: &str = "SELECT COUNT(*) FROM device WHERE name = $1 AND public_key = $2 AND revoked_at IS NULL";
        let found: i64 = on_pool!(&self.pool, |pool| {
            sqlx::query_scalar(QUERY).bind(name.as_str()).bind(key.as_str()).fetch_one(pool).await?
        });
        Ok(found > 0)
    }

    /// Keeps what a device says of itself; `false` if there is no such device, or it is revoked. It counts as a sign of life,
    /// unless it is the last will, which the broker sends: that was written before all that the device said since,
    /// so it takes away nothing of it (settings, buffer, clock) but that the device is there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_status(&self, name: &DeviceName, status: &Status, now: UtcMillis) -> Result<bool, StoreError> {
        const QUERY: &str = "UPDATE device SET status = $2,
            last_seen = CASE WHEN last_seen >= $3 THEN last_seen ELSE $3 END
            WHERE name = $1 AND revoked_at IS NULL AND quarantined_at IS NULL";
        const LOST: &str = "UPDATE device SET status = $2
            WHERE name = $1 AND revoked_at IS NULL AND quarantined_at IS NULL";
        let text = match status.state {
            LinkState::Lost => self.last_words(name).await?.map_or_else(|| status.encode(), |last| last.encode()),
            LinkState::Online | LinkState::Stopped => status.encode(),
        };
        let found = on_pool!(&self.pool, |pool| match status.state {
            LinkState::Lost => sqlx::query(LOST).bind(name.as_str()).bind(text).execute(pool).await?.rows_affected(),
            LinkState::Online | LinkState::Stopped =>
                sqlx::query(QUERY).bind(name.as_str()).bind(text).bind(now.0).execute(pool).await?.rows_affected(),
        });
        Ok(found > 0)
    }

    /// A device was last heard by `now` at the latest: what says otherwise was written before the clock was set back, and would
    /// hide for as long that it is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn was_seen_by(&self, name: &DeviceName, now: UtcMillis) -> Result<(), StoreError> {
        const QUERY: &str = "UPDATE device SET last_seen = $2 WHERE name = $1 AND last_seen > $2";
        on_pool!(&self.pool, |pool| sqlx::query(QUERY)
            .bind(name.as_str())
            .bind(now.0)
            .execute(pool)
            .await
            .map(|_| ())?);
        Ok(())
    }

    /// What a device last said, as the status of one that is gone.
    async fn last_words(&self, name: &DeviceName) -> Result<Option<Status>, StoreError> {
        let mut last = self.device(name).await?.and_then(|device| device.status);
        if let Some(status) = &mut last {
            status.state = LinkState::Lost;
        }
        Ok(last)
    }
}
