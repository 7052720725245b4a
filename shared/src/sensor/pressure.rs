//! Gauge pressure from a transducer with a linear voltage, such as the common 0.5 to 4.5 V kind.

use super::{Complaint, Estimate, Law, Limits, Signal, within};
use crate::calibration::Calibration;
use crate::reading::Flags;
use serde::{Deserialize, Serialize};

/// A pressure transducer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pressure {
    /// Its voltage at no pressure.
    pub zero_mv: f64,
    /// Its voltage at `full_kpa`. Behind a divider (a 4.5 V sensor on a 3.3 V converter) the divided one.
    pub full_mv: f64,
    /// The pressure at `full_mv`, in kilopascal.
    pub full_kpa: f64,
}

impl Default for Pressure {
    /// 0 to 100 kPa at 0.5 to 4.5 V, behind a divider of two thirds.
    fn default() -> Self {
        Self { zero_mv: 333.3, full_mv: 3000.0, full_kpa: 100.0 }
    }
}

impl Pressure {
    /// The pressure in kilopascal, not calibrated.
    pub fn kilopascal(&self, millivolts: f64) -> f64 {
        (millivolts - self.zero_mv) / (self.full_mv - self.zero_mv) * self.full_kpa
    }
}

impl Law for Pressure {
    fn check(&self) -> Result<(), Complaint> {
        within("zero_mv", self.zero_mv, 0.0..=6000.0, "give the voltage at no pressure, 0 to 6000 mV")?;
        let fix = "it must be above zero_mv by 100 mV at least, and at most 6000 mV";
        within("full_mv", self.full_mv, self.zero_mv + 100.0..=6000.0, fix)?;
        within("full_kpa", self.full_kpa, 0.1..=100_000.0, "give the pressure at full_mv, 0.1 to 100000 kPa")
    }

    fn estimate(&self, signal: &Signal<'_>) -> Estimate {
        Estimate { value: signal.corrected(self.kilopascal(signal.millivolts)), flags: Flags::NONE }
    }

    fn takes(&self, calibration: &Calibration) -> bool {
        matches!(calibration, Calibration::Linear { .. })
    }

    /// A transducer that is a little off its zero or over its end still measures.
    fn limits(&self) -> Limits {
        Limits { possible: (-0.05 * self.full_kpa, 1.1 * self.full_kpa), usual: (-0.02 * self.full_kpa, self.full_kpa) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::Sensor;

    #[test]
    fn the_ends_and_the_middle_are_on_one_line_and_a_broken_wire_is_a_fault() {
        let law = Pressure { zero_mv: 500.0, full_mv: 4500.0, full_kpa: 200.0 };
        let sensor = Sensor::Pressure(law);
        let value = |millivolts| {
            sensor.measure(&Signal { millivolts, celsius: None, calibration: None }, &law.limits()).value.ok()
        };
        assert_eq!((value(500.0), value(2500.0), value(4500.0)), (Some(0.0), Some(100.0), Some(200.0)));
        assert_eq!((value(0.0), value(5000.0)), (None, None));
    }

    #[test]
    fn a_span_of_nothing_is_refused() {
        assert_eq!(Pressure { full_mv: 340.0, ..Pressure::default() }.check().unwrap_err().0, "full_mv");
        assert_eq!(Pressure { full_kpa: f64::NAN, ..Pressure::default() }.check().unwrap_err().0, "full_kpa");
        assert_eq!(Pressure::default().check(), Ok(()));
    }
}
