//! pH from the voltage of an electrode behind an amplifier: the Nernst equation, compensated for temperature.
//!
//! The compensation corrects the electrode, not the sample's own change of pH with temperature.

use super::{Complaint, Estimate, Law, Limits, Signal, within};
use crate::calibration::Calibration;
use serde::{Deserialize, Serialize};

/// Millivolts per pH and kelvin: ln(10) R / F (CODATA 2018). At 25 degrees Celsius it makes 59.16 mV/pH.
pub const NERNST_MV_PER_KELVIN: f64 = 0.198_415_9;
/// 0 degrees Celsius in kelvin.
pub const ZERO_CELSIUS: f64 = 273.15;
/// The pH at which an electrode yields nothing at any temperature.
pub const ISOPOTENTIAL: f64 = 7.0;

/// The front end of a pH electrode.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ph {
    /// The amplifier's output at pH 7 with an ideal electrode, in millivolts.
    pub midpoint_mv: f64,
    /// The amplifier's gain around it; negative if its output rises with the pH.
    pub gain: f64,
}

impl Default for Ph {
    /// The common amplifier board (DFRobot pH V2 class): pH 7 at 1500 mV, pH 4 at 2032.4 mV and 25 °C.
    fn default() -> Self {
        Self { midpoint_mv: 1500.0, gain: 3.0 }
    }
}

impl Ph {
    /// The output per pH, in millivolts, of an ideal electrode.
    pub fn slope_mv(&self, celsius: f64) -> f64 {
        self.gain * NERNST_MV_PER_KELVIN * (celsius + ZERO_CELSIUS)
    }
}

impl Law for Ph {
    fn check(&self) -> Result<(), Complaint> {
        within("midpoint_mv", self.midpoint_mv, 100.0..=5000.0, "give the amplifier's output at pH 7, 100 to 5000 mV")?;
        within("gain", self.gain.abs(), 0.1..=100.0, "give the amplifier's gain, 0.1 to 100 (negative if it inverts)")
    }

    fn estimate(&self, signal: &Signal<'_>) -> Estimate {
        let (celsius, flags) = signal.compensation();
        let (zero_mv, acid, base) = match signal.calibration {
            Some(Calibration::Ph { zero_mv, acid_percent, base_percent }) => (*zero_mv, *acid_percent, *base_percent),
            _ => (self.midpoint_mv, 100.0, 100.0),
        };
        // How many pH below neutral an ideal electrode would say that it is.
        let ideal = (signal.millivolts - zero_mv) / self.slope_mv(celsius);
        let percent = if ideal > 0.0 { acid } else { base };
        Estimate { value: ISOPOTENTIAL - ideal * 100.0 / percent, flags }
    }

    fn takes(&self, calibration: &Calibration) -> bool {
        matches!(calibration, Calibration::Ph { .. })
    }

    fn limits(&self) -> Limits {
        Limits { possible: (0.0, 14.0), usual: (2.0, 12.0) }
    }

    /// Half a millivolt of the electrode: 0.01 pH.
    fn settled_mv(&self) -> f64 {
        0.5 * self.gain.abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Fault, Flag, Flags};
    use crate::sensor::{Converted, Sensor};

    const GOOD: Calibration = Calibration::Ph { zero_mv: 1500.0, acid_percent: 100.0, base_percent: 100.0 };

    fn convert(millivolts: f64, celsius: Option<f64>, calibration: Option<&Calibration>) -> Converted {
        let sensor = Sensor::Ph(Ph::default());
        sensor.measure(&Signal { millivolts, celsius, calibration }, &sensor.law().limits())
    }

    fn ph(millivolts: f64, celsius: f64) -> f64 {
        convert(millivolts, Some(celsius), Some(&GOOD)).value.unwrap()
    }

    #[test]
    fn the_common_board_reads_its_documented_points() {
        assert!((ph(1500.0, 25.0) - 7.0).abs() < 1e-9);
        assert!((ph(2032.4, 25.0) - 4.0).abs() < 0.001);
    }

    #[test]
    fn the_slope_follows_the_temperature() {
        for (celsius, slope) in [(0.0, 54.20), (10.0, 56.18), (25.0, 59.16), (35.0, 61.14), (40.0, 62.14)] {
            let one_ph_up = 1500.0 - 3.0 * slope;
            assert!((ph(one_ph_up, celsius) - 8.0).abs() < 0.001, "{celsius}");
        }
        // Without compensation a true pH 9.00 at 10 degrees would read 8.90: a violation missed.
        let at_ten = 1500.0 - 3.0 * 2.0 * 56.18;
        assert!((ph(at_ten, 10.0) - 9.0).abs() < 0.001);
        assert!((ph(at_ten, 25.0) - 8.90).abs() < 0.005);
    }

    #[test]
    fn a_worn_electrode_is_corrected_on_each_side_by_its_own_slope() {
        let worn = Calibration::Ph { zero_mv: 1530.0, acid_percent: 95.0, base_percent: 90.0 };
        let slope = Ph::default().slope_mv(25.0);
        let value = |mv| convert(mv, Some(25.0), Some(&worn)).value.unwrap();
        assert!((value(1530.0) - 7.0).abs() < 1e-9);
        assert!((value(1530.0 + 3.0 * 0.95 * slope) - 4.0).abs() < 1e-9);
        assert!((value(1530.0 - 3.0 * 0.90 * slope) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn a_missing_temperature_and_a_missing_calibration_are_said() {
        let flags = convert(1500.0, None, None).flags;
        assert_eq!(flags, Flags::NONE.with(Flag::NoTemperature).with(Flag::Uncalibrated));
        assert_eq!(convert(1500.0, Some(20.0), Some(&GOOD)).flags, Flags::NONE);
        assert!(convert(1500.0, Some(85.0), Some(&GOOD)).flags.has(Flag::NoTemperature), "85 degrees is no water");
        let anothers = Calibration::Cell { k: 1.0 };
        assert!(convert(1500.0, Some(20.0), Some(&anothers)).flags.has(Flag::Uncalibrated));
    }

    #[test]
    fn what_no_water_has_is_a_fault_and_what_is_unusual_is_flagged() {
        assert_eq!(convert(3200.0, Some(25.0), None).value, Err(Fault::OutOfRange));
        assert_eq!(convert(100.0, Some(25.0), None).value, Err(Fault::OutOfRange));
        assert!(convert(2500.0, Some(25.0), None).flags.has(Flag::OutOfRange));
    }

    #[test]
    fn settings_that_divide_by_zero_are_refused() {
        assert_eq!(Ph { gain: 0.0, ..Ph::default() }.check().unwrap_err().0, "gain");
        assert_eq!(Ph { midpoint_mv: f64::NAN, ..Ph::default() }.check().unwrap_err().0, "midpoint_mv");
        assert_eq!(Ph::default().check(), Ok(()));
    }
}
