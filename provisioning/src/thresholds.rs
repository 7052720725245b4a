//! What the server's API says of thresholds and of the latest readings. Knows no terminal and no arguments.

use crate::client::{Client, ClientError, plain};
use hyper::Method;
use serde::{Deserialize, Serialize};
use shared::rule::Threshold;
use std::collections::BTreeMap;

/// For what a threshold is meant.
#[derive(Debug, Clone, Serialize)]
pub struct Target {
    /// `fleet`, `location` or `device`.
    pub scope: String,
    /// Which; empty for the fleet.
    pub target: String,
}

/// A threshold to be set.
#[derive(Debug, Clone, Serialize)]
pub struct NewThreshold {
    /// For what.
    pub targets: Vec<Target>,
    /// What is measured.
    pub metric: String,
    /// What is to hold; `None` takes it away.
    pub threshold: Option<Threshold>,
}

/// What holds for a metric of a device.
#[derive(Debug, Clone, Deserialize)]
pub struct InForce {
    /// `device`, `location` or `fleet`.
    pub scope: String,
    /// Whether the device says that it runs it.
    pub applied: bool,
}

/// An alert.
#[derive(Debug, Clone, Deserialize)]
pub struct Alert {
    /// Names it.
    pub id: i64,
    /// `low`, `high`, ...
    pub kind: String,
    /// Where.
    pub device: Option<String>,
    /// Of what.
    pub metric: Option<String>,
    /// `open`, `acknowledged` or `resolved`.
    pub state: String,
    /// Whether what raised it is simulated.
    pub simulated: bool,
}

/// The latest reading of a device and metric.
#[derive(Debug, Clone, Deserialize)]
pub struct Latest {
    /// Whose.
    pub device: String,
    /// What was measured.
    pub metric: String,
    /// UTC milliseconds.
    pub time: i64,
    /// `None` if the probe failed.
    pub value: Option<f64>,
}

impl Client {
    /// Sets a threshold; devices that are connected get it at once.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn set_threshold(&self, new: &NewThreshold) -> Result<(), ClientError> {
        let body = serde_json::to_string(new).unwrap_or_default();
        self.json::<serde_json::Value>(Method::PUT, "/api/v1/thresholds", Some(body)).await.map(drop)
    }

    /// What holds for a device, by metric.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn device_thresholds(&self, device: &str) -> Result<BTreeMap<String, InForce>, ClientError> {
        #[derive(Deserialize)]
        struct All {
            thresholds: BTreeMap<String, InForce>,
        }
        let path = format!("/api/v1/devices/{}/thresholds", plain("device", device)?);
        Ok(self.json::<All>(Method::GET, &path, None).await?.thresholds)
    }

    /// The newest alerts, at most a hundred.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn alerts(&self) -> Result<Vec<Alert>, ClientError> {
        #[derive(Deserialize)]
        struct All {
            alerts: Vec<Alert>,
        }
        Ok(self.json::<All>(Method::GET, "/api/v1/alerts", None).await?.alerts)
    }

    /// How many alerts are open.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn open_alerts(&self) -> Result<usize, ClientError> {
        #[derive(Deserialize)]
        struct All {
            counts: Counts,
        }
        #[derive(Deserialize)]
        struct Counts {
            open: usize,
        }
        Ok(self.json::<All>(Method::GET, "/api/v1/alerts?limit=1", None).await?.counts.open)
    }

    /// The latest reading of each device and metric.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn latest(&self) -> Result<Vec<Latest>, ClientError> {
        #[derive(Deserialize)]
        struct All {
            latest: Vec<Latest>,
        }
        Ok(self.json::<All>(Method::GET, "/api/v1/latest", None).await?.latest)
    }
}
