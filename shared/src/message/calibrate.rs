//! A guided calibration: what the device is told, and what it says meanwhile. The device leads it, because
//! it sees the signal; the same orders come from the dashboard and from a terminal beside the tank.

use super::{Version, json_message};
use crate::calibration::{Buffers, By, CalibrationRecord, Fit, Point};
use crate::id::RecordId;
use crate::{Flags, Metric};
use serde::{Deserialize, Serialize};

/// What the device is told. Unlike settings it is not retained: it is meant now or never.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationDown {
    v: Version,
    /// The order.
    #[serde(flatten)]
    pub order: Order,
}

/// An order. A session that it names and that does not run is answered with [`Step::Ended`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Begin. A session that runs already is ended without a result.
    Begin {
        /// Drawn by whoever begins.
        session: RecordId,
        /// Of which probe.
        metric: Metric,
        /// Who.
        by: By,
        /// The set of buffers, for pH.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        buffers: Option<Buffers>,
        /// Lot or expiry date of the solutions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lot: Option<String>,
    },
    /// The probe is in something of this value: take the point as soon as the signal has settled.
    /// A point of the same value is replaced.
    Take {
        /// Which session.
        session: RecordId,
        /// See [`Point::nominal`].
        nominal: f64,
    },
    /// Forget a point, or stop waiting for it.
    Drop {
        /// Which session.
        session: RecordId,
        /// The point's value.
        nominal: f64,
    },
    /// Put the result into force, if the points yield one.
    Finish {
        /// Which session.
        session: RecordId,
    },
    /// End without a result. The former calibration stays.
    Cancel {
        /// Which session.
        session: RecordId,
    },
    /// Not for a session: the server has stored a record, and settings of this version or a later one
    /// contain what is in force.
    Recorded {
        /// The record.
        id: RecordId,
        /// Version of the settings.
        settings: u32,
    },
}

impl CalibrationDown {
    /// An order as a message.
    pub fn new(order: Order) -> Self {
        Self { v: Version, order }
    }
}
json_message!(CalibrationDown);

/// What the device says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationUp {
    v: Version,
    /// What.
    #[serde(flatten)]
    pub news: News,
}

/// News of a calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum News {
    /// How the session stands: about once a second, and at each change. May get lost.
    View(View),
    /// A calibration was made. Said again until [`Order::Recorded`] answers it.
    Record(CalibrationRecord),
}

impl CalibrationUp {
    /// News as a message.
    pub fn new(news: News) -> Self {
        Self { v: Version, news }
    }
}
json_message!(CalibrationUp);

/// How a session stands: everything that a screen needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Which session.
    pub session: RecordId,
    /// Of which probe.
    pub metric: Metric,
    /// What happens now.
    pub step: Step,
    /// The set of buffers, for pH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffers: Option<Buffers>,
    /// The signal now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveSignal>,
    /// What was taken so far.
    #[serde(default)]
    pub points: Vec<Point>,
    /// What the points yield as they are; absent while they yield nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
    /// Why they yield nothing, or why the last order was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// What happens in a session.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Step {
    /// Shows the live signal and waits for an order.
    Waiting,
    /// Waits until the signal has settled, to take a point.
    Settling {
        /// The point's value.
        nominal: f64,
    },
    /// Done: the record is in force.
    Finished {
        /// Its id.
        record: RecordId,
    },
    /// Ended without a result: cancelled, left alone for too long, or unknown (the agent was restarted).
    Ended,
}

/// The signal now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LiveSignal {
    /// Mean of the last seconds.
    pub millivolts: f64,
    /// Standard deviation of the last seconds, in millivolts.
    pub spread: f64,
    /// Whether it has settled: it neither moves nor drifts.
    pub settled: bool,
    /// The value with the calibration that is in force still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The temperature in degrees Celsius, if it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub celsius: Option<f64>,
    /// What to know before trusting it.
    #[serde(default, with = "crate::reading::flags_as_text")]
    pub flags: Flags,
}

/// Something that the technician has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// For programs and translations: [`crate::calibration::FitError::code`], or `no_signal`, `not_settled`,
    /// `no_such_probe`, `busy`.
    pub code: String,
    /// In words.
    pub text: String,
}
