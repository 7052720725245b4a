//! What the server's API says of calibrations and of history computed again. Knows no terminal and no arguments.

use crate::client::{Client, ClientError, plain, unreadable};
use hyper::Method;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// History of years takes its time.
const PATIENCE: Duration = Duration::from_secs(3600);

/// The record of a calibration.
#[derive(Debug, Clone, Deserialize)]
pub struct Record {
    /// Names it.
    pub id: String,
    /// Of which probe.
    pub metric: String,
    /// UTC milliseconds.
    pub at: i64,
    /// Who.
    pub by: String,
    /// `dashboard` or `device`.
    pub via: String,
    /// What it put into force; its field `kind` says what the others are.
    pub calibration: Option<BTreeMap<String, serde_json::Value>>,
    /// The record that it takes back.
    pub undoes: Option<String>,
    /// The record that takes it back.
    pub undone_by: Option<String>,
}

/// The records of a device.
#[derive(Debug, Clone, Deserialize)]
pub struct Records {
    /// Newest first.
    pub calibrations: Vec<Record>,
    /// The record in force, by metric.
    pub active: BTreeMap<String, String>,
}

/// What shall be computed again.
#[derive(Debug, Clone, Serialize)]
pub struct NewRecomputation {
    /// What was measured.
    pub metric: String,
    /// UTC milliseconds.
    pub from: i64,
    /// UTC milliseconds, exclusive.
    pub to: i64,
    /// The record to compute all of it with.
    pub calibration: Option<String>,
}

/// What was computed.
#[derive(Debug, Clone, Deserialize)]
pub struct Revision {
    /// Its number.
    pub revision: u32,
    /// What was measured.
    pub metric: String,
    /// Readings that were computed again.
    pub readings: u64,
    /// Those that now say something else than the device said.
    pub changed: u64,
    /// SHA-256 of the results.
    pub digest: String,
}

impl Client {
    /// The calibrations of a device.
    ///
    /// # Errors
    /// When there is no such device, the server refuses or does not answer.
    pub async fn calibrations(&self, device: &str) -> Result<Records, ClientError> {
        let path = format!("/api/v1/devices/{}/calibrations", plain("--device", device)?);
        self.json(Method::GET, &path, None).await
    }

    /// Takes back the calibration that is in force; returns the record that does so.
    ///
    /// # Errors
    /// When it is not in force, the server refuses or does not answer.
    pub async fn undo_calibration(&self, device: &str, id: &str) -> Result<Record, ClientError> {
        let (device, id) = (plain("--device", device)?, plain("calibration", id)?);
        self.json(Method::POST, &format!("/api/v1/devices/{device}/calibrations/{id}/undo"), None).await
    }

    /// The metrics of a device that can be computed again: those whose sensor is known.
    ///
    /// # Errors
    /// When there is no such device, the server refuses or does not answer.
    pub async fn computed_metrics(&self, device: &str) -> Result<Vec<String>, ClientError> {
        #[derive(Deserialize)]
        struct Device {
            sensors: BTreeMap<String, Probe>,
        }
        #[derive(Deserialize)]
        struct Probe {
            sensor: Option<serde_json::Value>,
        }
        let path = format!("/api/v1/devices/{}", plain("--device", device)?);
        let known = self.json::<Device>(Method::GET, &path, None).await?.sensors.into_iter();
        Ok(known.filter(|(_, probe)| probe.sensor.is_some()).map(|(metric, _)| metric).collect())
    }

    /// Computes readings of a device again; returns when it is done.
    ///
    /// # Errors
    /// When it can't be done, the server refuses or does not answer.
    pub async fn recompute(&self, device: &str, new: &NewRecomputation) -> Result<Revision, ClientError> {
        let path = format!("/api/v1/devices/{}/recomputations", plain("--device", device)?);
        let body = serde_json::to_string(new).map_err(|e| unreadable(&path, e))?;
        self.json_within(Method::POST, &path, Some(body), PATIENCE).await
    }
}
