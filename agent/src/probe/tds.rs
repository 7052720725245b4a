//! Dissolved solids from the voltage of a conductivity probe (DFRobot Gravity class).

use super::{Converted, calibration, compensation, judge};
use serde::Deserialize;
use shared::reading::Flag;

/// Water conducts two per cent better with each degree.
const PER_DEGREE: f64 = 0.02;

/// A conductivity probe.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Correction of the cell constant, from a standard solution.
    pub k: f64,
    /// Milligrams per litre for each microsiemens per centimetre: depends on the ions.
    pub factor: f64,
    /// From this voltage on the probe is at its end: the water may hold more than the value says.
    pub saturation_mv: f64,
    /// Whether `k` was measured in a standard solution.
    pub calibrated: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { k: 1.0, factor: 0.5, saturation_mv: 2200.0, calibrated: false }
    }
}

impl Settings {
    /// Checks the settings.
    ///
    /// # Errors
    /// The field and what to do about it.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !(0.25..=4.0).contains(&self.k) {
            return Err(("k", "0.25 to 4; outside, the probe or the standard solution is bad"));
        }
        if !(0.5..=0.7).contains(&self.factor) {
            return Err(("factor", "0.5 to 0.7 mg/L per µS/cm"));
        }
        if !(100.0..=5000.0).contains(&self.saturation_mv) {
            return Err(("saturation_mv", "100 to 5000 mV; the usual probe ends at about 2200"));
        }
        Ok(())
    }

    /// Conductivity at 25 degrees in microsiemens per centimetre.
    fn ec25(&self, millivolts: f64, celsius: f64) -> f64 {
        let v = millivolts / 1000.0;
        let ec = (133.42 * v.powi(3) - 255.86 * v.powi(2) + 857.39 * v) * self.k;
        ec / (1.0 + PER_DEGREE * (celsius - 25.0))
    }

    /// The bare formula.
    pub fn formula(&self, millivolts: f64, celsius: f64) -> f64 {
        self.factor * self.ec25(millivolts, celsius)
    }

    /// The dissolved solids of a voltage.
    pub fn convert(&self, millivolts: f64, celsius: Option<f64>) -> Converted {
        let (celsius, flags) = compensation(celsius);
        let flags = flags.union(calibration(self.calibrated));
        let flags = if millivolts >= self.saturation_mv { flags.with(Flag::Saturated) } else { flags };
        judge(self.formula(millivolts, celsius), 0.0..=50_000.0, 0.0..=50_000.0, flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::reading::{Fault, Flags};

    const CALIBRATED: Settings = Settings { k: 1.0, factor: 0.5, saturation_mv: 2200.0, calibrated: true };

    fn tds(millivolts: f64, celsius: f64) -> f64 {
        CALIBRATED.convert(millivolts, Some(celsius)).value.unwrap()
    }

    #[test]
    fn the_published_curve_is_followed() {
        // 133.42 - 255.86 + 857.39 = 734.95 µS/cm at one volt.
        assert!((tds(1000.0, 25.0) - 367.475).abs() < 1e-9);
        assert_eq!(tds(0.0, 25.0), 0.0);
    }

    #[test]
    fn the_same_water_reads_the_same_when_it_is_warmer() {
        let warm = tds(1000.0, 35.0);
        assert!((warm - 367.475 / 1.2).abs() < 1e-9);
    }

    #[test]
    fn at_the_end_of_its_range_the_probe_says_so() {
        assert_eq!(CALIBRATED.convert(2199.0, Some(25.0)).flags, Flags::NONE);
        assert_eq!(CALIBRATED.convert(2250.0, Some(25.0)).flags, Flags::NONE.with(Flag::Saturated));
    }

    #[test]
    fn less_than_nothing_is_a_fault() {
        assert_eq!(CALIBRATED.convert(-3.0, Some(25.0)).value, Err(Fault::OutOfRange));
    }

    #[test]
    fn without_a_temperature_it_says_that_25_degrees_was_a_guess() {
        assert!(CALIBRATED.convert(1000.0, None).flags.has(Flag::NoTemperature));
    }

    #[test]
    fn a_cell_constant_outside_what_is_credible_is_refused() {
        for k in [0.0, 0.2, 4.1, f64::NAN] {
            assert_eq!(Settings { k, ..CALIBRATED }.check().unwrap_err().0, "k");
        }
        assert_eq!(Settings { factor: 0.9, ..CALIBRATED }.check().unwrap_err().0, "factor");
        assert_eq!(CALIBRATED.check(), Ok(()));
    }
}
