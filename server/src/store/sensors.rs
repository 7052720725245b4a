//! What devices measure with: kept as history, because what a voltage meant then is needed to compute it again.

use super::{Store, StoreError, on_pool, reading::device_name};
use shared::message::{ProbeReport, Sensors};
use shared::{DeviceName, Metric, UtcMillis};
use std::collections::BTreeMap;

/// Device, metric, since, report.
type Row = (String, String, i64, Option<String>);
/// The probes of devices.
pub type Probes = BTreeMap<DeviceName, BTreeMap<Metric, ProbeReport>>;

/// The newest row of each probe.
const NEWEST: &str = "SELECT device, metric, since, report FROM sensors WHERE (device = $1 OR $1 IS NULL)
    AND NOT EXISTS (SELECT 1 FROM sensors later WHERE later.device = sensors.device
      AND later.metric = sensors.metric AND later.since > sensors.since)";

impl Store {
    /// Keeps what has changed of a device's probes; says whether anything has. Nothing is kept of a device that is
    /// not registered, or revoked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_sensors(
        &self,
        device: &DeviceName,
        sensors: &Sensors,
        now: UtcMillis,
    ) -> Result<bool, StoreError> {
        const INSERT: &str = "INSERT INTO sensors (device, metric, since, report) VALUES ($1, $2, $3, $4)";
        let (begin, lock) = self.writing();
        let device_row = sqlx::AssertSqlSafe(format!(
            "SELECT name FROM device WHERE name = $1 AND revoked_at IS NULL AND quarantined_at IS NULL{lock}"
        ));
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            let known: Option<String> =
                sqlx::query_scalar(device_row).bind(device.as_str()).fetch_optional(&mut *tx).await?;
            if known.is_none() {
                return Ok(false);
            }
            let newest: Vec<Row> = sqlx::query_as(NEWEST).bind(device.as_str()).fetch_all(&mut *tx).await?;
            let changes = changes(&newest, sensors)?;
            for (metric, last, report) in &changes {
                // A row of its own for each change, also when the clock stands or was set back.
                let since = last.map_or(now.0, |last| now.0.max(last + 1));
                let row = sqlx::query(INSERT).bind(device.as_str()).bind(metric.as_str()).bind(since);
                row.bind(report.as_deref()).execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok(!changes.is_empty())
        })
    }

    /// What one device or all last said that they measure with.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn probes(&self, only: Option<&DeviceName>) -> Result<Probes, StoreError> {
        let only = only.map(DeviceName::as_str);
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| sqlx::query_as(NEWEST).bind(only).fetch_all(pool).await?);
        let mut probes = Probes::new();
        for (device, metric, _, report) in rows {
            if let (Some(metric), Some(report)) = (Metric::from_wire(&metric), report) {
                probes.entry(device_name(device)?).or_default().insert(metric, read(&report)?);
            }
        }
        Ok(probes)
    }

    /// With what a device measured a metric, and since when; oldest first.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn probe_history(
        &self,
        device: &DeviceName,
        metric: Metric,
    ) -> Result<Vec<(UtcMillis, ProbeReport)>, StoreError> {
        const QUERY: &str = "SELECT since, report FROM sensors WHERE device = $1 AND metric = $2 AND report IS NOT NULL
            ORDER BY since";
        let rows: Vec<(i64, String)> = on_pool!(&self.pool, |pool| {
            sqlx::query_as(QUERY).bind(device.as_str()).bind(metric.as_str()).fetch_all(pool).await?
        });
        rows.into_iter().map(|(since, report)| Ok((UtcMillis(since), read(&report)?))).collect()
    }
}

/// Metric, since when the last row of it stands, and the new report.
type Change = (Metric, Option<i64>, Option<String>);

fn changes(newest: &[Row], sensors: &Sensors) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::new();
    for &metric in Metric::ALL {
        let last = newest.iter().find(|row| row.1 == metric.as_str());
        let now = sensors.probes.get(&metric).map(serde_json::to_string).transpose().map_err(corrupt)?;
        if last.and_then(|row| row.3.as_ref()) != now.as_ref() {
            changes.push((metric, last.map(|row| row.2), now));
        }
    }
    Ok(changes)
}

fn read(report: &str) -> Result<ProbeReport, StoreError> {
    serde_json::from_str(report).map_err(corrupt)
}

fn corrupt(error: serde_json::Error) -> StoreError {
    StoreError::Corrupt { what: "sensor", why: error.to_string() }
}
