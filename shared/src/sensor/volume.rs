//! Volume of water in a tank: a level sensor and the tank's shape.

use super::level::Level;
use super::tank::Tank;
use super::{Complaint, Estimate, Law, Limits, Signal};
use crate::calibration::Calibration;
use serde::{Deserialize, Serialize};

/// A tank with its level sensor. It is calibrated as the level sensor is: by heights in metres.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Volume {
    /// The sensor.
    pub level: Level,
    /// The tank.
    pub tank: Tank,
}

impl Law for Volume {
    fn check(&self) -> Result<(), Complaint> {
        self.level.check()?;
        self.tank.check()
    }

    fn estimate(&self, signal: &Signal<'_>) -> Estimate {
        let Estimate { value, flags } = self.level.estimate(signal);
        // Below empty by a little is noise of the sensor; by more it is an impossible level, which has no litres.
        let litres = if value < self.level.limits().possible.0 { f64::NAN } else { self.tank.litres(value) };
        Estimate { value: litres, flags }
    }

    fn takes(&self, calibration: &Calibration) -> bool {
        self.level.takes(calibration)
    }

    fn limits(&self) -> Limits {
        let full = self.tank.capacity();
        Limits { possible: (0.0, 1.1 * full), usual: (0.0, full) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Fault, Flag};
    use crate::sensor::{Converted, Sensor};

    fn convert(millivolts: f64) -> Converted {
        let level = Level::Linear { empty_mv: 500.0, full_mv: 2500.0, full_m: 2.0 };
        let tank = Tank::Box { length_m: 3.0, width_m: 0.5, height_m: 2.0 };
        let sensor = Sensor::Volume(Volume { level, tank });
        sensor.measure(&Signal { millivolts, celsius: None, calibration: None }, &sensor.law().limits())
    }

    #[test]
    fn the_level_fills_the_tank() {
        assert!((convert(1500.0).value.unwrap() - 1500.0).abs() < 1e-9);
    }

    #[test]
    fn noise_at_the_bottom_is_empty_and_less_is_a_fault() {
        assert_eq!(convert(480.0).value, Ok(0.0));
        assert_eq!(convert(400.0).value, Err(Fault::OutOfRange));
    }

    #[test]
    fn a_little_more_than_full_is_flagged_and_much_more_is_a_fault() {
        assert!(convert(2600.0).flags.has(Flag::OutOfRange));
        assert_eq!(convert(2750.0).value, Err(Fault::OutOfRange));
    }
}
