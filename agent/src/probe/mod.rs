//! What delivers readings: the trait, its result, and the conversions from millivolts.
//! Knows no network, no storage and no clock.

pub mod ads1115;
pub mod analog;
pub mod ph;
pub mod simulated;
pub mod tds;
pub mod temperature;
pub mod volume;

use shared::reading::{Fault, Flag, Flags, Outcome, Value};
use shared::{Metric, UtcMillis};

/// What a probe may need to know to take a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circumstances {
    /// The instant that the sample will be stamped with.
    pub now: UtcMillis,
    /// The water's temperature, if one was measured lately.
    pub water: Option<Water>,
}

/// The latest water temperature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Water {
    /// Degrees Celsius.
    pub celsius: f64,
    /// Whether a simulation made it up: then whatever is computed from it is made up too.
    pub simulated: bool,
}

/// A source of samples of one metric. It may block for as long as its bus does, never for ever.
pub trait Probe: Send {
    /// Takes one sample. A failure is a fault in the sample, never a number and never a panic.
    fn sample(&mut self, circumstances: &Circumstances) -> Sample;
}

/// What a probe delivered, before it has a time and a sequence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The value, or why there is none.
    pub outcome: Outcome,
    /// What the converter saw.
    pub millivolts: Option<Value>,
    /// What to know before trusting it.
    pub flags: Flags,
    /// How far the samples behind it disagreed: standard deviation in millivolts.
    pub spread: Option<Value>,
}

impl Sample {
    /// A sample of `metric`, rounded to what its sensor can resolve so that rows stay short.
    /// A number that is none becomes a fault.
    pub fn new(metric: Metric, outcome: Result<f64, Fault>, millivolts: Option<f64>, flags: Flags) -> Self {
        let outcome = match outcome.map(|value| Value::new(round(value, decimals(metric)))) {
            Ok(Ok(value)) => Outcome::Measured(value),
            Ok(Err(_)) => Outcome::Fault(Fault::OutOfRange),
            Err(fault) => Outcome::Fault(fault),
        };
        let millivolts = millivolts.and_then(|mv| Value::new(round(mv, 3)).ok());
        Self { outcome, millivolts, flags, spread: None }
    }

    /// A failed read: no value and no voltage.
    pub fn fault(fault: Fault) -> Self {
        Self { outcome: Outcome::Fault(fault), millivolts: None, flags: Flags::NONE, spread: None }
    }
}

/// What a voltage means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Converted {
    /// In the metric's unit.
    pub value: Result<f64, Fault>,
    /// What to know before trusting it.
    pub flags: Flags,
}

/// How the voltage of a metric's sensor becomes a value, with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Conversion {
    /// A pH electrode behind an amplifier.
    Ph(ph::Settings),
    /// A conductivity probe.
    Tds(tds::Settings),
    /// A thermistor in a divider.
    Temperature(temperature::Settings),
    /// A level sensor in a tank.
    Volume(volume::Settings),
}

impl Conversion {
    /// The usual sensor of a metric; `None` where there is no conversion.
    pub fn usual(metric: Metric) -> Option<Self> {
        match metric {
            Metric::Ph => Some(Self::Ph(ph::Settings::default())),
            Metric::Tds => Some(Self::Tds(tds::Settings::default())),
            Metric::Temperature => Some(Self::Temperature(temperature::Settings::default())),
            Metric::Volume => Some(Self::Volume(volume::Settings::default())),
            _ => None,
        }
    }

    /// The metric that it yields.
    pub fn metric(&self) -> Metric {
        match self {
            Self::Ph(_) => Metric::Ph,
            Self::Tds(_) => Metric::Tds,
            Self::Temperature(_) => Metric::Temperature,
            Self::Volume(_) => Metric::Volume,
        }
    }

    /// The value of a voltage, judged: within what is physically possible, or a fault.
    pub fn convert(&self, millivolts: f64, celsius: Option<f64>) -> Converted {
        match self {
            Self::Ph(settings) => settings.convert(millivolts, celsius),
            Self::Tds(settings) => settings.convert(millivolts, celsius),
            Self::Temperature(settings) => settings.convert(millivolts),
            Self::Volume(settings) => settings.convert(millivolts),
        }
    }

    /// The bare formula, not judged: it may be impossible or no number at all.
    pub fn formula(&self, millivolts: f64, celsius: f64) -> f64 {
        match self {
            Self::Ph(settings) => settings.formula(millivolts, celsius),
            Self::Tds(settings) => settings.formula(millivolts, celsius),
            Self::Temperature(settings) => settings.formula(millivolts),
            Self::Volume(settings) => settings.formula(millivolts),
        }
    }
}

/// The temperature to compute with, and the flag that says when it was not measured.
/// It is never silently 25 degrees; one that no water has counts as none.
fn compensation(celsius: Option<f64>) -> (f64, Flags) {
    match celsius {
        Some(t) if (-5.0..=60.0).contains(&t) => (t, Flags::NONE),
        _ => (25.0, Flags::NONE.with(Flag::NoTemperature)),
    }
}

/// `possible`: else a fault; `usual`: else a flag.
fn judge(
    value: f64,
    possible: std::ops::RangeInclusive<f64>,
    usual: std::ops::RangeInclusive<f64>,
    flags: Flags,
) -> Converted {
    // NaN is in no range.
    if !possible.contains(&value) {
        return Converted { value: Err(Fault::OutOfRange), flags };
    }
    let flags = if usual.contains(&value) { flags } else { flags.with(Flag::OutOfRange) };
    Converted { value: Ok(value), flags }
}

/// Sets [`Flag::Uncalibrated`] unless somebody calibrated the probe.
fn calibration(calibrated: bool) -> Flags {
    if calibrated { Flags::NONE } else { Flags::NONE.with(Flag::Uncalibrated) }
}

fn decimals(metric: Metric) -> i32 {
    match metric {
        Metric::Ph | Metric::Level | Metric::Speed => 3,
        Metric::Temperature | Metric::Pressure | Metric::Flow => 2,
        Metric::Tds | Metric::Volume | Metric::Ec => 1,
    }
}

fn round(number: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    // Adding zero turns -0.0 into 0.0, which is shorter and reads better.
    (number * scale).round() / scale + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_value_is_rounded_to_what_its_sensor_resolves() {
        let sample = Sample::new(Metric::Ph, Ok(7.012_345), Some(1497.25012), Flags::NONE);
        assert_eq!(sample.outcome, Outcome::Measured(Value::new(7.012).unwrap()));
        assert_eq!(sample.millivolts.unwrap().get(), 1497.25);
    }

    #[test]
    fn a_number_that_is_none_becomes_a_fault() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let sample = Sample::new(Metric::Tds, Ok(bad), Some(bad), Flags::NONE);
            assert_eq!(sample.outcome, Outcome::Fault(Fault::OutOfRange));
            assert_eq!(sample.millivolts, None);
        }
    }

    proptest! {
        #[test]
        fn no_voltage_and_no_temperature_ever_yields_nan_or_an_impossible_value(
            millivolts in prop_oneof![-7000.0..7000.0, any::<f64>()],
            celsius in proptest::option::of(prop_oneof![-50.0..150.0, any::<f64>()]),
        ) {
            let possible = [(Metric::Ph, 0.0..=14.0), (Metric::Tds, 0.0..=f64::MAX),
                (Metric::Temperature, -5.0..=60.0), (Metric::Volume, 0.0..=1100.0)];
            for (metric, range) in possible {
                let converted = Conversion::usual(metric).unwrap().convert(millivolts, celsius);
                if let Ok(value) = converted.value {
                    prop_assert!(value.is_finite() && range.contains(&value), "{metric} {value}");
                }
            }
        }
    }
}
