//! The socket beside the data: what a technician at the device, or a program there, can ask a running agent.
//! One JSON line asks, a stream of JSON lines answers. No network reaches it; who may use it is decided by the
//! permissions of the file (0660) and of its folder.

mod client;
mod server;

pub use client::{Client, ClientError};
pub use server::Local;

use crate::buffer::Measured;
use crate::time::Moment;
use serde::{Deserialize, Serialize};
use shared::message::calibrate::{Order, View};
use shared::reading::{Flags, Outcome, Value};
use shared::{Metric, Stamp};
use std::fmt;

/// The socket's name below `data_dir`.
pub const FILE_NAME: &str = "agent.sock";

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// An order of a calibration. Answered with [`Answer::Taken`], then with the session's views until it is over.
    Calibrate {
        /// The order. Who gives it counts as somebody at the device, whatever it says.
        order: Order,
    },
    /// The last reading of each probe.
    Latest,
    /// Blink, so that somebody in front of many devices finds this one.
    Identify {
        /// For how long; at most ten minutes.
        seconds: u64,
    },
    /// How the agent is.
    State,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It is done, or will be.
    Taken,
    /// How a calibration stands.
    View {
        /// See there.
        view: View,
    },
    /// To [`Request::Latest`].
    Latest {
        /// In the order of the metrics.
        readings: Vec<Row>,
    },
    /// To [`Request::State`].
    State {
        /// See there.
        state: State,
    },
    /// It can't be done.
    Refused {
        /// Why, in words.
        problem: String,
    },
}

/// How the agent is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Its version.
    pub agent: String,
    /// Its name, once it has enrolled.
    pub device: Option<String>,
    /// Whether it is connected with the server.
    pub connected: bool,
    /// Readings that wait for the server.
    pub pending: Option<u64>,
    /// Readings that were dropped because too many waited.
    pub dropped: Option<u64>,
    /// Calibrations that wait for the server.
    pub calibrations: usize,
}

/// A reading as people and programs at the device see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What was measured.
    pub metric: Metric,
    /// In the metric's unit; absent when the read failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The value's unit.
    pub unit: String,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// What the converter saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub millivolts: Option<f64>,
    /// Standard deviation of the samples behind it, in millivolts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<f64>,
    /// What to know before trusting it.
    pub flags: String,
    /// When it was taken.
    pub stamp: Stamp,
    /// How long ago, in milliseconds.
    pub age_ms: i64,
}

impl Row {
    /// A sample as it is seen at an instant.
    pub fn new(measured: &Measured, now: Moment) -> Self {
        let sample = &measured.sample;
        let (value, fault) = match sample.outcome {
            Outcome::Measured(value) => (Some(value.get()), None),
            Outcome::Fault(fault) => (None, Some(fault.as_str().to_owned())),
        };
        Self {
            metric: measured.metric,
            value,
            unit: measured.metric.unit().symbol().to_owned(),
            fault,
            millivolts: sample.millivolts.map(Value::get),
            spread: sample.spread.map(Value::get),
            flags: sample.flags.to_string(),
            stamp: measured.moment.stamp,
            // By the ticks: the clock may have been set in between.
            age_ms: now.ticks.0.saturating_sub(measured.moment.ticks.0).max(0),
        }
    }

    /// What to know before trusting it.
    pub fn flags(&self) -> Flags {
        Flags::from_wire(&self.flags)
    }
}

impl fmt::Display for Row {
    /// Without the age: `ph 7.02 pH`, or `ph no_answer`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.value, &self.fault) {
            (Some(value), _) => write!(f, "{} {value} {}", self.metric, self.unit),
            (None, fault) => write!(f, "{} {}", self.metric, fault.as_deref().unwrap_or("no value")),
        }
    }
}
