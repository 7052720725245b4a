//! Water temperature from a thermistor (NTC) in a voltage divider: the beta equation or Steinhart-Hart.

use super::{Complaint, Estimate, Law, Limits, Signal, within};
use crate::calibration::Calibration;
use crate::reading::Flags;
use serde::{Deserialize, Serialize};

const ZERO_CELSIUS: f64 = 273.15;

/// Where the thermistor sits in the divider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Between the converter's input and ground: open circuit reads the supply.
    Low,
    /// Between the supply and the converter's input: open circuit reads nothing.
    High,
}

/// A thermistor and its divider.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thermistor {
    /// Resistance at `t0_c`, in ohm.
    pub r0_ohm: f64,
    /// The temperature that `r0_ohm` is given for, in degrees Celsius.
    pub t0_c: f64,
    /// Beta in kelvin, from the thermistor's data sheet.
    pub beta: f64,
    /// The three coefficients of Steinhart and Hart (1968), 1/T = a + b ln R + c (ln R)^3, instead of beta.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steinhart_hart: Option<[f64; 3]>,
    /// The divider's other resistor, in ohm.
    pub series_ohm: f64,
    /// The voltage over the divider.
    pub divider_mv: f64,
    /// Where the thermistor sits.
    pub ntc_side: Side,
}

impl Default for Thermistor {
    /// The usual 10 kilo-ohm thermistor with a resistor of the same value on 3.3 V.
    fn default() -> Self {
        Self {
            r0_ohm: 10_000.0,
            t0_c: 25.0,
            beta: 3950.0,
            steinhart_hart: None,
            series_ohm: 10_000.0,
            divider_mv: 3300.0,
            ntc_side: Side::Low,
        }
    }
}

impl Thermistor {
    fn resistance(&self, millivolts: f64) -> f64 {
        let share = millivolts / self.divider_mv;
        match self.ntc_side {
            Side::Low => self.series_ohm * share / (1.0 - share),
            Side::High => self.series_ohm * (1.0 - share) / share,
        }
    }

    fn celsius(&self, resistance: f64) -> f64 {
        let per_kelvin = match self.steinhart_hart {
            Some([a, b, c]) => a + b * resistance.ln() + c * resistance.ln().powi(3),
            None => 1.0 / (self.t0_c + ZERO_CELSIUS) + (resistance / self.r0_ohm).ln() / self.beta,
        };
        1.0 / per_kelvin - ZERO_CELSIUS
    }
}

impl Law for Thermistor {
    fn check(&self) -> Result<(), Complaint> {
        let resistance = 10.0..=10_000_000.0;
        within(
            "r0_ohm",
            self.r0_ohm,
            resistance.clone(),
            "give the thermistor's resistance at t0_c, 10 to 10000000 ohm",
        )?;
        within("series_ohm", self.series_ohm, resistance, "give the divider's resistor, 10 to 10000000 ohm")?;
        within("t0_c", self.t0_c, -50.0..=150.0, "give the temperature of r0_ohm, usually 25")?;
        within("beta", self.beta, 1000.0..=10_000.0, "1000 to 10000 K, usually 3950 or 3435")?;
        within("divider_mv", self.divider_mv, 500.0..=6000.0, "give the voltage over the divider, 500 to 6000 mV")?;
        if let Some([a, b, c]) = self.steinhart_hart {
            let fix = "give [a, b, c] of 1/T = a + b ln R + c (ln R)^3, such as [1.129e-3, 2.341e-4, 8.775e-8]";
            within("steinhart_hart", a, 1e-5..=1e-2, fix)?;
            within("steinhart_hart", b, 1e-5..=1e-2, fix)?;
            within("steinhart_hart", c, -1e-5..=1e-5, fix)?;
        }
        Ok(())
    }

    fn estimate(&self, signal: &Signal<'_>) -> Estimate {
        let value = signal.corrected(self.celsius(self.resistance(signal.millivolts)));
        Estimate { value, flags: Flags::NONE }
    }

    fn takes(&self, calibration: &Calibration) -> bool {
        matches!(calibration, Calibration::Linear { .. })
    }

    fn limits(&self) -> Limits {
        Limits { possible: (-5.0, 60.0), usual: (5.0, 45.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Fault, Flag};
    use crate::sensor::{Converted, Sensor};

    fn convert(law: Thermistor, millivolts: f64) -> Converted {
        let sensor = Sensor::Temperature(law);
        let calibration = Calibration::Linear { slope: 1.0, offset: 0.0 };
        sensor.measure(&Signal { millivolts, celsius: None, calibration: Some(&calibration) }, &sensor.law().limits())
    }

    fn celsius(law: Thermistor, millivolts: f64) -> f64 {
        convert(law, millivolts).value.unwrap()
    }

    #[test]
    fn half_the_voltage_is_the_thermistors_nominal_temperature() {
        assert!((celsius(Thermistor::default(), 1650.0) - 25.0).abs() < 1e-9);
    }

    #[test]
    fn the_other_side_of_the_divider_mirrors_the_voltage() {
        let high = Thermistor { ntc_side: Side::High, ..Thermistor::default() };
        let low_side = celsius(Thermistor::default(), 1200.0);
        assert!((low_side - celsius(high, 3300.0 - 1200.0)).abs() < 1e-9);
        assert!(low_side > 25.0, "a warm thermistor conducts better");
    }

    #[test]
    fn a_table_value_of_the_thermistor_is_met() {
        // 10k, beta 3950: 12.0 kilo-ohm is 20.9 degrees.
        let millivolts = 3300.0 * 12_000.0 / 22_000.0;
        assert!((celsius(Thermistor::default(), millivolts) - 20.93).abs() < 0.05);
    }

    #[test]
    fn the_coefficients_of_a_common_thermistor_give_its_published_resistances() {
        // Coefficients that are widely published for a 10k thermistor: 25 °C at 10.0 kΩ, 0 °C at 32.65 kΩ, 50 °C at 3.6 kΩ.
        let law =
            Thermistor { steinhart_hart: Some([1.129_148e-3, 2.341_25e-4, 8.767_41e-8]), ..Thermistor::default() };
        for (ohm, expected) in [(10_000.0, 25.0), (32_650.0, 0.0), (3_602.0, 50.0)] {
            let millivolts = 3300.0 * ohm / (ohm + 10_000.0);
            assert!((celsius(law, millivolts) - expected).abs() < 0.1, "{ohm}: {}", celsius(law, millivolts));
        }
    }

    #[test]
    fn open_and_short_circuits_are_faults() {
        for mv in [0.0, 1.0, 3299.0, 3300.0, 3400.0, -20.0] {
            assert_eq!(convert(Thermistor::default(), mv).value, Err(Fault::OutOfRange), "{mv}");
        }
    }

    #[test]
    fn hot_water_is_measured_and_flagged() {
        let hot = convert(Thermistor::default(), 700.0);
        assert!(hot.value.unwrap() > 45.0 && hot.flags.has(Flag::OutOfRange));
    }

    #[test]
    fn settings_that_yield_infinities_are_refused() {
        let usual = Thermistor::default();
        assert_eq!(Thermistor { beta: 0.0, ..usual }.check().unwrap_err().0, "beta");
        assert_eq!(Thermistor { r0_ohm: 0.0, ..usual }.check().unwrap_err().0, "r0_ohm");
        assert_eq!(Thermistor { divider_mv: f64::INFINITY, ..usual }.check().unwrap_err().0, "divider_mv");
        assert_eq!(Thermistor { steinhart_hart: Some([0.0; 3]), ..usual }.check().unwrap_err().0, "steinhart_hart");
        assert_eq!(usual.check(), Ok(()));
    }
}
