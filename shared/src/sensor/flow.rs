//! Volume flow from a meter with a current loop of 4 to 20 mA over a resistor.
//!
//! Below 3.6 mA the wire is broken, above 21 mA the meter itself reports a failure (NAMUR NE 43): neither
//! is a flow, and both are outside what is possible here.

use super::{Complaint, Estimate, Law, Limits, Signal, within};
use crate::calibration::Calibration;
use crate::reading::Flags;
use serde::{Deserialize, Serialize};

/// A flow meter on a current loop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Flow {
    /// The resistor that the loop's current flows through, in ohm.
    pub shunt_ohm: f64,
    /// The flow at 20 mA, in litres per minute.
    pub full_lpm: f64,
}

impl Default for Flow {
    /// 150 ohm: 20 mA make 3 V.
    fn default() -> Self {
        Self { shunt_ohm: 150.0, full_lpm: 100.0 }
    }
}

impl Law for Flow {
    fn check(&self) -> Result<(), Complaint> {
        within("shunt_ohm", self.shunt_ohm, 10.0..=300.0, "give the loop's resistor, 10 to 300 ohm; 150 suits 3.3 V")?;
        within("full_lpm", self.full_lpm, 0.01..=1e6, "give the meter's flow at 20 mA, 0.01 to 1000000 L/min")
    }

    fn estimate(&self, signal: &Signal<'_>) -> Estimate {
        let milliampere = signal.millivolts / self.shunt_ohm;
        Estimate { value: signal.corrected((milliampere - 4.0) / 16.0 * self.full_lpm), flags: Flags::NONE }
    }

    fn takes(&self, calibration: &Calibration) -> bool {
        matches!(calibration, Calibration::Linear { .. })
    }

    fn limits(&self) -> Limits {
        let at = |milliampere: f64| (milliampere - 4.0) / 16.0 * self.full_lpm;
        Limits { possible: (at(3.6), at(21.0)), usual: (at(3.8), at(20.5)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::Sensor;

    #[test]
    fn four_to_twenty_milliampere_are_the_span_and_a_broken_loop_is_a_fault() {
        let sensor = Sensor::Flow(Flow::default());
        let value = |milliampere: f64| {
            let signal = Signal { millivolts: milliampere * 150.0, celsius: None, calibration: None };
            sensor.measure(&signal, &sensor.law().limits()).value.ok()
        };
        assert_eq!((value(4.0), value(12.0), value(20.0)), (Some(0.0), Some(50.0), Some(100.0)));
        assert_eq!((value(0.0), value(3.5), value(21.5)), (None, None, None));
    }

    #[test]
    fn a_resistor_of_nothing_is_refused() {
        assert_eq!(Flow { shunt_ohm: 0.0, ..Flow::default() }.check().unwrap_err().0, "shunt_ohm");
        assert_eq!(Flow { full_lpm: f64::INFINITY, ..Flow::default() }.check().unwrap_err().0, "full_lpm");
        assert_eq!(Flow::default().check(), Ok(()));
    }
}
