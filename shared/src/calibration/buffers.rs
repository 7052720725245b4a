//! Standard solutions: what a buffer's pH is at its temperature.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The common standard solution for conductivity: 0.01 mol/L potassium chloride, µS/cm at 25 °C.
pub const STANDARD_EC: f64 = 1413.0;

/// A set of pH buffers. Which set was used is part of a calibration's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Buffers {
    /// The technical (American) set: 4.00, 7.00, 10.01.
    Technical,
    /// The NIST (DIN 19266) set: 4.01, 6.86, 9.18.
    Nist,
}

/// pH at 0, 5, 10, ... 50 degrees Celsius.
type Row = [f64; 11];

/// The technical set, as its makers print it.
const TECHNICAL: [(f64, Row); 3] = [
    (4.00, [4.00, 4.00, 4.00, 4.00, 4.00, 4.00, 4.01, 4.02, 4.03, 4.04, 4.06]),
    (7.00, [7.12, 7.09, 7.06, 7.04, 7.02, 7.00, 6.99, 6.99, 6.98, 6.98, 6.97]),
    (10.01, [10.32, 10.25, 10.18, 10.12, 10.06, 10.01, 9.97, 9.93, 9.89, 9.86, 9.83]),
];

/// Potassium hydrogen phthalate, equimolal phosphate, borax: NIST Special Publication 260-53, also DIN 19266.
const NIST: [(f64, Row); 3] = [
    (4.01, [4.00, 4.00, 4.00, 4.00, 4.00, 4.01, 4.02, 4.02, 4.04, 4.05, 4.06]),
    (6.86, [6.98, 6.95, 6.92, 6.90, 6.88, 6.86, 6.85, 6.84, 6.84, 6.83, 6.83]),
    (9.18, [9.46, 9.39, 9.33, 9.28, 9.23, 9.18, 9.14, 9.10, 9.07, 9.04, 9.01]),
];

impl Buffers {
    fn rows(self) -> &'static [(f64, Row); 3] {
        match self {
            Self::Technical => &TECHNICAL,
            Self::Nist => &NIST,
        }
    }

    /// The buffers of the set, as their labels say: pH at 25 °C.
    pub fn labels(self) -> [f64; 3] {
        self.rows().map(|(label, _)| label)
    }

    /// The pH of a buffer at a temperature of 0 to 50 °C, between the table's rows on a straight line;
    /// `None` if the set has no such buffer or the table does not go so far.
    pub fn ph(self, label: f64, celsius: f64) -> Option<f64> {
        let (_, row) = self.rows().iter().find(|(known, _)| (known - label).abs() < 0.005)?;
        if !(0.0..=50.0).contains(&celsius) {
            return None;
        }
        let place = celsius / 5.0;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 9
        let below = place.floor().min(9.0) as usize;
        let (low, high) = (row.get(below)?, row.get(below + 1)?);
        #[allow(clippy::cast_precision_loss)]
        let share = place - below as f64;
        Some(low + (high - low) * share)
    }
}

impl fmt::Display for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Technical => "technical (4.00, 7.00, 10.01)",
            Self::Nist => "NIST (4.01, 6.86, 9.18)",
        })
    }
}
