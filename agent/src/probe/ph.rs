//! pH from the voltage of an electrode behind an amplifier: the Nernst equation, compensated for temperature.

use super::{Converted, calibration, compensation, judge};
use serde::Deserialize;

/// Millivolts per pH and kelvin: ln(10) R / F. At 25 degrees Celsius it makes 59.16 mV/pH.
const NERNST_MV_PER_KELVIN: f64 = 0.198_415_9;
const ZERO_CELSIUS: f64 = 273.15;

/// The front end of a pH electrode.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The amplifier's output at pH 7, in millivolts.
    pub midpoint_mv: f64,
    /// The amplifier's gain around it.
    pub gain: f64,
    /// The electrode's slope in per cent of theory: it wears.
    pub slope_percent: f64,
    /// Whether `midpoint_mv` and `slope_percent` were measured in buffer solutions.
    pub calibrated: bool,
}

impl Default for Settings {
    /// The common amplifier board (DFRobot pH V2 class) with a new electrode.
    fn default() -> Self {
        Self { midpoint_mv: 1500.0, gain: 3.0, slope_percent: 100.0, calibrated: false }
    }
}

impl Settings {
    /// Checks the settings.
    ///
    /// # Errors
    /// The field and what to do about it.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !(100.0..=5000.0).contains(&self.midpoint_mv) {
            return Err(("midpoint_mv", "give the amplifier's output at pH 7, 100 to 5000 mV"));
        }
        if !(0.1..=100.0).contains(&self.gain) {
            return Err(("gain", "give the amplifier's gain, 0.1 to 100"));
        }
        if !(85.0..=105.0).contains(&self.slope_percent) {
            return Err(("slope_percent", "a usable electrode has 85 to 105 per cent of the theoretical slope"));
        }
        Ok(())
    }

    /// The bare formula.
    pub fn formula(&self, millivolts: f64, celsius: f64) -> f64 {
        let electrode = (millivolts - self.midpoint_mv) / self.gain;
        let slope = NERNST_MV_PER_KELVIN * (celsius + ZERO_CELSIUS) * self.slope_percent / 100.0;
        7.0 - electrode / slope
    }

    /// The pH of a voltage.
    pub fn convert(&self, millivolts: f64, celsius: Option<f64>) -> Converted {
        let (celsius, flags) = compensation(celsius);
        judge(self.formula(millivolts, celsius), 0.0..=14.0, 2.0..=12.0, flags.union(calibration(self.calibrated)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::reading::{Fault, Flag, Flags};

    fn ph(millivolts: f64, celsius: f64) -> f64 {
        Settings::default().convert(millivolts, Some(celsius)).value.unwrap()
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
    fn a_missing_temperature_and_a_missing_calibration_are_said() {
        let flags = Settings::default().convert(1500.0, None).flags;
        assert_eq!(flags, Flags::NONE.with(Flag::NoTemperature).with(Flag::Uncalibrated));
        let calibrated = Settings { calibrated: true, ..Settings::default() };
        assert_eq!(calibrated.convert(1500.0, Some(20.0)).flags, Flags::NONE);
        assert!(calibrated.convert(1500.0, Some(85.0)).flags.has(Flag::NoTemperature), "85 degrees is no water");
    }

    #[test]
    fn what_no_water_has_is_a_fault_and_what_is_unusual_is_flagged() {
        let convert = |mv| Settings::default().convert(mv, Some(25.0));
        assert_eq!(convert(3200.0).value, Err(Fault::OutOfRange));
        assert_eq!(convert(100.0).value, Err(Fault::OutOfRange));
        assert!(convert(2500.0).flags.has(Flag::OutOfRange));
    }

    #[test]
    fn settings_that_divide_by_zero_are_refused() {
        assert_eq!(Settings { gain: 0.0, ..Settings::default() }.check().unwrap_err().0, "gain");
        assert_eq!(Settings { slope_percent: 0.0, ..Settings::default() }.check().unwrap_err().0, "slope_percent");
        assert_eq!(Settings { midpoint_mv: f64::NAN, ..Settings::default() }.check().unwrap_err().0, "midpoint_mv");
        assert_eq!(Settings::default().check(), Ok(()));
    }
}
