//! Readings as a file: which, in what form, and how it is made while somebody takes it, so that no size of it needs memory.
//! Knows the store, but no SQL and no HTTP.

mod archive;
mod file;
mod line;
mod logs;
mod make;
mod running;

pub use make::{Broken, Piece, make};
pub use running::{Export, Exports, Running, State, TooMany};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use shared::{ClockQuality, DeviceName, Flag, Flags, Metric, Outcome, Reading, UtcMillis};
use utoipa::ToSchema;

/// Which readings are wanted, by what is to be thought of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ReadingStatus)]
pub enum Status {
    /// All.
    #[default]
    All,
    /// A value without a remark; that it is simulated is none.
    Good,
    /// The probe failed.
    Fault,
    /// A value with a remark, or of a time that can't be trusted.
    Flagged,
}

impl Status {
    /// Whether a reading is meant.
    pub fn takes(self, reading: &Reading) -> bool {
        let remarks = reading.flags.bits() & !Flags::NONE.with(Flag::Simulated).bits();
        let is_flagged = remarks != 0 || reading.stamp.clock == ClockQuality::Unsynced;
        match (self, reading.outcome) {
            (Self::All, _) | (Self::Fault, Outcome::Fault(_)) => true,
            (Self::Good, Outcome::Measured(_)) => !is_flagged,
            (Self::Flagged, Outcome::Measured(_)) => is_flagged,
            (Self::Fault | Self::Good | Self::Flagged, _) => false,
        }
    }
}

/// The form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ExportFormat)]
pub enum Format {
    /// One table of all readings.
    #[default]
    Csv,
    /// A table for each device, with the alerts, outages and calibrations of that time.
    Zip,
}

impl Format {
    /// The word, which is also how the file's name ends.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Zip => "zip",
        }
    }

    /// The type of the file.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Zip => "application/zip",
        }
    }
}

/// A device whose readings are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub device: DeviceName,
    /// Where it stands now.
    pub location: Option<String>,
    /// What is wanted of it, of what it has measured.
    pub metrics: Vec<Metric>,
    /// About how many readings that is.
    pub about: u64,
}

/// What a file is to hold.
#[derive(Debug, Clone)]
pub struct Order {
    /// Of which devices, in the order of the file.
    pub sources: Vec<Source>,
    /// From this time on.
    pub from: UtcMillis,
    /// Until before this time.
    pub to: UtcMillis,
    /// Which readings.
    pub status: Status,
    /// The one location that was asked for, if one was.
    pub location: Option<String>,
    /// Whether the devices were named, or all are meant.
    pub named: bool,
    /// The zone of local times.
    pub zone: TimeZone,
    /// In what form.
    pub format: Format,
    /// When it was ordered.
    pub at: UtcMillis,
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Fault, Stamp, Value};

    #[test]
    fn every_reading_is_good_flagged_or_a_fault_and_only_one_of_them() {
        let good = Reading {
            seq: 1,
            stamp: Stamp { at: UtcMillis(1), clock: ClockQuality::Repaired },
            metric: Metric::Ph,
            outcome: Outcome::Measured(Value::new(7.0).unwrap()),
            millivolts: None,
            flags: Flags::NONE.with(Flag::Simulated),
            spread: None,
        };
        let stuck = Reading { flags: good.flags.with(Flag::Stuck), ..good };
        let unsynced = Reading { stamp: Stamp { clock: ClockQuality::Unsynced, ..good.stamp }, ..good };
        let fault = Reading { outcome: Outcome::Fault(Fault::NoAnswer), ..stuck };
        for (reading, of) in
            [(good, Status::Good), (stuck, Status::Flagged), (unsynced, Status::Flagged), (fault, Status::Fault)]
        {
            for status in [Status::Good, Status::Flagged, Status::Fault] {
                assert_eq!(status.takes(&reading), status == of, "{status:?} {reading:?}");
            }
            assert!(Status::All.takes(&reading));
        }
    }
}
