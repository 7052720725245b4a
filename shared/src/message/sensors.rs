//! What a device measures with: retained, sent at each connection. With it the server can compute history
//! again from the raw millivolts.

use super::{Version, json_message, known};
use crate::Metric;
use crate::sensor::{Complaint, Limits, Sensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The probes of a device.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sensors {
    v: Version,
    /// By metric.
    #[serde(deserialize_with = "known")]
    pub probes: BTreeMap<Metric, ProbeReport>,
}

/// A probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// Where its signal comes from, such as `ads1115 0x48 A0`, `w1 28-0316a2798b2f` or `simulated`.
    pub source: String,
    /// What its voltage means; absent for a probe without a voltage, and so without a calibration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor: Option<Sensor>,
    /// Which values are believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}

/// Longest source, in characters.
const LONGEST: usize = 128;

impl ProbeReport {
    /// Checks what came from outside.
    ///
    /// # Errors
    /// The field and what to do about it.
    pub fn check(&self) -> Result<(), Complaint> {
        if self.source.chars().count() > LONGEST || self.source.chars().any(char::is_control) {
            return Err(("source", "give at most 128 characters"));
        }
        if let Some(sensor) = &self.sensor {
            sensor.law().check()?;
        }
        self.limits.as_ref().map_or(Ok(()), Limits::check)
    }
}

impl Sensors {
    /// These probes.
    pub fn new(probes: BTreeMap<Metric, ProbeReport>) -> Self {
        Self { v: Version, probes }
    }
}
json_message!(Sensors);
