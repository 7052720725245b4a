//! What the voltage of a sensor means: the physics, its settings, its limits. Knows no bus, no clock and
//! no storage, so that the agent measures and the server recomputes with the very same code.
//!
//! A further sensor is one small file with a [`Law`] and one line in the table below.

pub mod conductivity;
pub mod flow;
pub mod level;
pub mod ph;
pub mod pressure;
pub mod tank;
pub mod thermistor;
pub mod volume;

use crate::Metric;
use crate::calibration::Calibration;
use crate::reading::{Fault, Flag, Flags};
use serde::{Deserialize, Deserializer, Serialize};

/// A setting that makes no sense: the field, and what to do about it.
pub type Complaint = (&'static str, &'static str);

/// What a law is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signal<'a> {
    /// What the converter saw.
    pub millivolts: f64,
    /// The water's temperature in degrees Celsius, if it was measured.
    pub celsius: Option<f64>,
    /// The calibration in force.
    pub calibration: Option<&'a Calibration>,
}

/// What a law makes of it, not yet judged: it may be impossible or no number at all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// In the metric's unit.
    pub value: f64,
    /// What to know before trusting it.
    pub flags: Flags,
}

/// A judged value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Converted {
    /// In the metric's unit; finite and within what is possible.
    pub value: Result<f64, Fault>,
    /// What to know before trusting it.
    pub flags: Flags,
}

/// From voltage to value.
pub trait Law {
    /// Checks the settings.
    ///
    /// # Errors
    /// The field and what to do about it.
    fn check(&self) -> Result<(), Complaint>;

    /// The bare formula, with the calibration that the signal carries if it is one of this law.
    fn estimate(&self, signal: &Signal<'_>) -> Estimate;

    /// Whether a calibration is one of this law.
    fn takes(&self, calibration: &Calibration) -> bool;

    /// What is possible and what is usual.
    fn limits(&self) -> Limits;

    /// Standard deviation in millivolts below which the signal counts as settled.
    fn settled_mv(&self) -> f64 {
        2.0
    }
}

/// Which values are believed. Both ends belong to the range; units are the metric's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Outside, the reading is a fault.
    pub possible: (f64, f64),
    /// Outside, it is flagged.
    pub usual: (f64, f64),
}

impl Limits {
    /// Checks them.
    ///
    /// # Errors
    /// The field and what to do about it.
    pub fn check(&self) -> Result<(), Complaint> {
        let ordered = |(low, high): (f64, f64)| low.is_finite() && high.is_finite() && low < high;
        if !ordered(self.possible) {
            return Err(("possible", "give two finite numbers, the lower one first"));
        }
        if !ordered(self.usual) || self.usual.0 < self.possible.0 || self.usual.1 > self.possible.1 {
            return Err(("usual", "give two numbers within `possible`, the lower one first"));
        }
        Ok(())
    }

    /// Judges the value of a probe that has no law, because it yields its value without a voltage.
    pub fn judge(&self, value: f64) -> Converted {
        self.judge_estimate(Estimate { value, flags: Flags::NONE })
    }

    fn judge_estimate(&self, Estimate { value, flags }: Estimate) -> Converted {
        // NaN is in no range.
        if !(self.possible.0..=self.possible.1).contains(&value) {
            return Converted { value: Err(Fault::OutOfRange), flags };
        }
        let usual = (self.usual.0..=self.usual.1).contains(&value);
        Converted { value: Ok(value), flags: if usual { flags } else { flags.with(Flag::OutOfRange) } }
    }
}

macro_rules! sensors {
    ($( $variant:ident: $law:ty, )*) => {
        /// The law of each metric that has one, with its settings.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs)] // the metric's name says it
        pub enum Sensor {
            $( $variant($law), )*
        }

        impl Sensor {
            /// The usual sensor of a metric; `None` where no law is known.
            pub fn usual(metric: Metric) -> Option<Self> {
                match metric {
                    $( Metric::$variant => Some(Self::$variant(<$law>::default())), )*
                    _ => None,
                }
            }

            /// Reads the settings of a metric's sensor; what is absent is as usual.
            ///
            /// # Errors
            /// When a field is unknown or has a wrong type, or there is no law for the metric.
            pub fn read<'de, D: Deserializer<'de>>(metric: Metric, from: D) -> Result<Self, D::Error> {
                match metric {
                    $( Metric::$variant => <$law>::deserialize(from).map(Self::$variant), )*
                    _ => Err(serde::de::Error::custom(format_args!("there is no sensor for {metric}"))),
                }
            }

            /// What it yields.
            pub fn metric(&self) -> Metric {
                match self { $( Self::$variant(_) => Metric::$variant, )* }
            }

            /// Its law.
            pub fn law(&self) -> &dyn Law {
                match self { $( Self::$variant(law) => law, )* }
            }
        }
    };
}

sensors! {
    Ph: ph::Ph,
    Tds: conductivity::Tds,
    Ec: conductivity::Ec,
    Temperature: thermistor::Thermistor,
    Volume: volume::Volume,
    Level: level::Level,
    Pressure: pressure::Pressure,
    Flow: flow::Flow,
}

impl Sensor {
    /// The value of a signal, judged; flagged if no calibration of this sensor was used.
    pub fn measure(&self, signal: &Signal<'_>, limits: &Limits) -> Converted {
        let calibration = signal.calibration.filter(|calibration| self.law().takes(calibration));
        let mut estimate = self.law().estimate(&Signal { calibration, ..*signal });
        if calibration.is_none() {
            estimate.flags = estimate.flags.with(Flag::Uncalibrated);
        }
        limits.judge_estimate(estimate)
    }
}

impl Signal<'_> {
    /// The temperature to compute with, and the flag that says when it was not measured.
    /// It is never silently 25 degrees; one that no water has counts as none.
    fn compensation(&self) -> (f64, Flags) {
        match self.celsius {
            Some(t) if (-5.0..=60.0).contains(&t) => (t, Flags::NONE),
            _ => (25.0, Flags::NONE.with(Flag::NoTemperature)),
        }
    }

    /// A value after the straight line of its calibration.
    fn corrected(&self, value: f64) -> f64 {
        match self.calibration {
            Some(Calibration::Linear { slope, offset }) => slope * value + offset,
            _ => value,
        }
    }
}

/// Checks that a number lies in a range.
fn within(
    field: &'static str,
    number: f64,
    range: std::ops::RangeInclusive<f64>,
    fix: &'static str,
) -> Result<(), Complaint> {
    if range.contains(&number) { Ok(()) } else { Err((field, fix)) }
}

#[cfg(test)]
mod tests;
