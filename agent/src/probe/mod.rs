//! What delivers readings: the trait and its result. What a voltage means is `shared::sensor`'s.
//! Knows no network, no storage and no clock.

pub mod ads1115;
pub mod analog;
mod burst;
pub mod bus;
pub mod recovery;
pub mod simulated;
mod steady;
pub mod w1;

use shared::calibration::Calibration;
use shared::reading::{Fault, Flags, Outcome, Value};
use shared::sensor::Signal;
use shared::{Metric, UtcMillis};

/// A microvolt is finer than any converter here.
const DECIMALS_MV: i32 = 3;

/// What a probe may need to know to take a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circumstances {
    /// The instant that the sample will be stamped with.
    pub now: UtcMillis,
    /// The water's temperature, if one was measured lately.
    pub water: Option<Water>,
    /// The probe's calibration, if it has one.
    pub calibration: Option<Calibration>,
}

impl Circumstances {
    /// What a law is given for a voltage.
    fn signal(&self, millivolts: f64) -> Signal<'_> {
        let celsius = self.water.map(|water| water.celsius);
        Signal { millivolts, celsius, calibration: self.calibration.as_ref() }
    }
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

    /// Somebody says what the probe is in: a solution of this value (see `shared::calibration::Point::nominal`),
    /// or the water again. A real probe knows that by itself.
    fn immerse(&mut self, _nominal: Option<f64>) {}
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
        let outcome = Outcome::rounded(metric, outcome);
        let millivolts = millivolts.and_then(|mv| Value::rounded(mv, DECIMALS_MV).ok());
        Self { outcome, millivolts, flags, spread: None }
    }

    /// The sample with the standard deviation of the conversions behind it, in millivolts.
    #[must_use]
    fn with_spread(mut self, millivolts: Option<f64>) -> Self {
        self.spread = millivolts.and_then(|mv| Value::rounded(mv, DECIMALS_MV).ok());
        self
    }

    /// A failed read: no value and no voltage.
    pub fn fault(fault: Fault) -> Self {
        Self { outcome: Outcome::Fault(fault), millivolts: None, flags: Flags::NONE, spread: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
