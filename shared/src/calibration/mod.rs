//! What a calibration is, how it comes from points that somebody measured, and the record that auditors
//! read. Knows no probe, no screen and no storage.

mod buffers;
mod fit;
mod record;

pub use buffers::{Buffers, STANDARD_EC};
pub use fit::{FitError, fit};
pub use record::{Active, By, CalibrationRecord, RecordId};

use serde::{Deserialize, Serialize};

/// How a sensor departs from its law.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Calibration {
    /// A pH electrode with its amplifier.
    Ph {
        /// The amplifier's output at pH 7, in millivolts.
        zero_mv: f64,
        /// Slope below pH 7 in per cent of theory.
        acid_percent: f64,
        /// Slope above pH 7 in per cent of theory.
        base_percent: f64,
    },
    /// A conductivity cell.
    Cell {
        /// Correction of the cell constant.
        k: f64,
    },
    /// Everything whose value is off by a straight line: corrected = slope x value + offset.
    Linear {
        /// Without unit.
        slope: f64,
        /// In the unit in which the points were given.
        offset: f64,
    },
}

/// One point of a calibration: what the probe said in something whose value is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// What is known: the buffer's pH at 25 °C as on its label, the standard solution's µS/cm at 25 °C,
    /// degrees Celsius, metres of water (for a level or a volume), kilopascal, litres per minute.
    pub nominal: f64,
    /// What the converter saw.
    pub millivolts: f64,
    /// The temperature at which it was measured, in degrees Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub celsius: Option<f64>,
    /// Standard deviation of the signal in millivolts while the point was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<f64>,
}

/// How a pH electrode is. It wears, and these two numbers say how much.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// The lower of its slopes in per cent of theory: new 98 to 102, to be replaced below about 90.
    pub slope_percent: f64,
    /// What it yields at pH 7, in millivolts of the electrode: new within 15, to be replaced beyond 30.
    pub offset_mv: f64,
}

/// What points yield.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// To be put into force.
    pub calibration: Calibration,
    /// For a pH electrode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
}

#[cfg(test)]
mod tests;
