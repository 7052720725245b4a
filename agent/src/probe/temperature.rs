//! Water temperature from a thermistor (NTC) in a voltage divider: the beta equation.

use super::{Converted, calibration, judge};
use serde::Deserialize;

const ZERO_CELSIUS: f64 = 273.15;

/// Where the thermistor sits in the divider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Between the converter's input and ground: open circuit reads the supply.
    Low,
    /// Between the supply and the converter's input: open circuit reads nothing.
    High,
}

/// A thermistor and its divider.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Resistance at `t0_c`.
    pub r0_ohm: f64,
    /// The temperature that `r0_ohm` is given for.
    pub t0_c: f64,
    /// Beta, from the thermistor's data sheet.
    pub beta: f64,
    /// The divider's other resistor.
    pub series_ohm: f64,
    /// The voltage over the divider.
    pub divider_mv: f64,
    /// Where the thermistor sits.
    pub ntc_side: Side,
    /// Whether it was compared with a thermometer.
    pub calibrated: bool,
}

impl Default for Settings {
    /// The usual 10 kilo-ohm thermistor with a resistor of the same value on 3.3 V.
    fn default() -> Self {
        Self {
            r0_ohm: 10_000.0,
            t0_c: 25.0,
            beta: 3950.0,
            series_ohm: 10_000.0,
            divider_mv: 3300.0,
            ntc_side: Side::Low,
            calibrated: false,
        }
    }
}

impl Settings {
    /// Checks the settings.
    ///
    /// # Errors
    /// The field and what to do about it.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let resistance = 10.0..=10_000_000.0;
        if !resistance.contains(&self.r0_ohm) {
            return Err(("r0_ohm", "give the thermistor's resistance at t0_c, 10 to 10000000 ohm"));
        }
        if !resistance.contains(&self.series_ohm) {
            return Err(("series_ohm", "give the divider's resistor, 10 to 10000000 ohm"));
        }
        if !(-50.0..=150.0).contains(&self.t0_c) {
            return Err(("t0_c", "give the temperature of r0_ohm, usually 25"));
        }
        if !(1000.0..=10_000.0).contains(&self.beta) {
            return Err(("beta", "1000 to 10000 K, usually 3950 or 3435"));
        }
        if !(500.0..=6000.0).contains(&self.divider_mv) {
            return Err(("divider_mv", "give the voltage over the divider, 500 to 6000 mV"));
        }
        Ok(())
    }

    /// The bare formula.
    pub fn formula(&self, millivolts: f64) -> f64 {
        let share = millivolts / self.divider_mv;
        let resistance = match self.ntc_side {
            Side::Low => self.series_ohm * share / (1.0 - share),
            Side::High => self.series_ohm * (1.0 - share) / share,
        };
        let kelvin = 1.0 / (1.0 / (self.t0_c + ZERO_CELSIUS) + (resistance / self.r0_ohm).ln() / self.beta);
        kelvin - ZERO_CELSIUS
    }

    /// The temperature of a voltage.
    pub fn convert(&self, millivolts: f64) -> Converted {
        judge(self.formula(millivolts), -5.0..=60.0, 5.0..=45.0, calibration(self.calibrated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::reading::{Fault, Flag};

    const USUAL: Settings = Settings {
        r0_ohm: 10_000.0,
        t0_c: 25.0,
        beta: 3950.0,
        series_ohm: 10_000.0,
        divider_mv: 3300.0,
        ntc_side: Side::Low,
        calibrated: true,
    };

    #[test]
    fn half_the_voltage_is_the_thermistors_nominal_temperature() {
        assert!((USUAL.convert(1650.0).value.unwrap() - 25.0).abs() < 1e-9);
    }

    #[test]
    fn the_other_side_of_the_divider_mirrors_the_voltage() {
        let high = Settings { ntc_side: Side::High, ..USUAL };
        let (low_side, high_side) = (USUAL.convert(1200.0), high.convert(3300.0 - 1200.0));
        assert!((low_side.value.unwrap() - high_side.value.unwrap()).abs() < 1e-9);
        assert!(low_side.value.unwrap() > 25.0, "a warm thermistor conducts better");
    }

    #[test]
    fn a_table_value_of_the_thermistor_is_met() {
        // 10k, beta 3950: 12.0 kilo-ohm is 20.9 degrees.
        let millivolts = 3300.0 * 12_000.0 / 22_000.0;
        assert!((USUAL.convert(millivolts).value.unwrap() - 20.93).abs() < 0.05);
    }

    #[test]
    fn open_and_short_circuits_are_faults() {
        for mv in [0.0, 1.0, 3299.0, 3300.0, 3400.0, -20.0] {
            assert_eq!(USUAL.convert(mv).value, Err(Fault::OutOfRange), "{mv}");
        }
    }

    #[test]
    fn hot_water_is_measured_and_flagged() {
        let hot = USUAL.convert(700.0);
        assert!(hot.value.unwrap() > 45.0 && hot.flags.has(Flag::OutOfRange));
    }

    #[test]
    fn settings_that_yield_infinities_are_refused() {
        assert_eq!(Settings { beta: 0.0, ..USUAL }.check().unwrap_err().0, "beta");
        assert_eq!(Settings { r0_ohm: 0.0, ..USUAL }.check().unwrap_err().0, "r0_ohm");
        assert_eq!(Settings { divider_mv: f64::INFINITY, ..USUAL }.check().unwrap_err().0, "divider_mv");
        assert_eq!(USUAL.check(), Ok(()));
    }
}
