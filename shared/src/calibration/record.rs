//! The record of a calibration: written once, never changed. An undo is a record of its own.

use super::{Buffers, Calibration, Health, Point};
use crate::{Metric, Stamp};
use serde::{Deserialize, Serialize};

pub use crate::id::RecordId;

/// Longest name or lot, in characters.
const LONGEST: usize = 64;

/// Who calibrated, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "via", rename_all = "snake_case")]
pub enum By {
    /// Somebody who was signed in at the dashboard.
    Dashboard {
        /// The account.
        name: String,
    },
    /// Somebody who stood at the device and gave a name, which nobody has checked.
    Device {
        /// As given.
        name: String,
    },
}

/// The record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationRecord {
    /// Drawn by whoever makes the record; a record that comes twice is absorbed by it.
    pub id: RecordId,
    /// Of which probe.
    pub metric: Metric,
    /// When.
    pub stamp: Stamp,
    /// Who.
    pub by: By,
    /// The set of buffers, for pH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffers: Option<Buffers>,
    /// Lot or expiry date of the solutions, as on the bottle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// What was measured; empty for an undo.
    #[serde(default)]
    pub points: Vec<Point>,
    /// In force from here on; `None`: the probe is not calibrated from here on.
    pub calibration: Option<Calibration>,
    /// For a pH electrode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// The record that this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<RecordId>,
}

/// The calibration that is in force for a metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Active {
    /// The record that it comes from.
    pub id: RecordId,
    /// What is in force; `None`: it was undone, and there was none before.
    pub calibration: Option<Calibration>,
}

impl CalibrationRecord {
    /// A record with nothing but what every record has.
    pub fn new(id: RecordId, metric: Metric, stamp: Stamp, by: By, calibration: Option<Calibration>) -> Self {
        Self {
            id,
            metric,
            stamp,
            by,
            buffers: None,
            lot: None,
            points: vec![],
            calibration,
            health: None,
            undoes: None,
        }
    }

    /// What of it is in force.
    pub fn active(&self) -> Active {
        Active { id: self.id, calibration: self.calibration }
    }

    /// Checks what came from outside.
    ///
    /// # Errors
    /// The field and what to do about it.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let (By::Dashboard { name } | By::Device { name }) = &self.by;
        let text = |text: &str| (1..=LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if !text(name) {
            return Err(("by.name", "give a name of 1 to 64 characters"));
        }
        if !self.lot.as_deref().is_none_or(text) {
            return Err(("lot", "give 1 to 64 characters, or leave it out"));
        }
        if self.points.len() > 10 {
            return Err(("points", "at most 10"));
        }
        if self.undoes.is_none() && (self.points.is_empty() || self.calibration.is_none()) {
            return Err(("points", "a calibration has points and a result; only an undo has none"));
        }
        Ok(())
    }
}
