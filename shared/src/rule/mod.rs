//! The rules by which readings become alerts: one pure state machine for the server, which decides, and for the agent, which
//! drives the alarm beside the tank. Same readings, same transitions, on both. Knows no clock: a reading's own time counts.

mod rate;
mod threshold;
mod track;
mod watch;
mod watches;

pub use threshold::{Change, Lasting, Side, Threshold, Thresholds};
pub use watch::Watch;
pub use watches::{Seen, Watches};

use crate::reading::Fault;
use crate::{Metric, UtcMillis, Value};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody should look.
    #[default]
    Warning,
    /// Somebody must act.
    Critical,
}

impl Severity {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What is wrong. Each kind of a metric is watched on its own: a value can be too high and rise too fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The value is below a limit.
    Low,
    /// The value is above a limit.
    High,
    /// The value changes too fast.
    Rate,
    /// No reading comes although the device measures.
    Missing,
    /// The probe fails.
    Fault,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 5] = [Kind::Low, Kind::High, Kind::Rate, Kind::Missing, Kind::Fault];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::High => "high",
            Self::Rate => "rate",
            Self::Missing => "missing",
            Self::Fault => "fault",
        }
    }

    /// Reads the word on the wire.
    pub fn from_wire(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing begins, gets worse or better, or ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition {
    /// Of which metric.
    pub metric: Metric,
    /// What.
    pub kind: Kind,
    /// How bad it was; `None`: it begins.
    pub before: Option<Severity>,
    /// How bad it is now; `None`: it is over.
    pub after: Option<Severity>,
    /// The time of the reading that decided it.
    pub at: UtcMillis,
    /// Since when it has been so: `at` less the hold or clear time, or earlier.
    pub since: UtcMillis,
    /// The value that decided it.
    pub value: Option<Value>,
    /// The limit that is passed, or was; of a rate the greatest change that is allowed.
    pub limit: Option<Value>,
    /// Why the probe fails, when a fault begins.
    pub fault: Option<Fault>,
    /// Whether what decided it is simulated.
    pub simulated: bool,
}
