//! Conductivity and dissolved solids from the voltage of a conductivity probe (DFRobot Gravity class).
//!
//! The probe measures conductivity; dissolved solids are that times a factor which depends on the ions.
//! A device can deliver both from one channel.

use super::{Complaint, Estimate, Law, Limits, Signal, within};
use crate::calibration::Calibration;
use crate::reading::Flag;
use serde::{Deserialize, Serialize};

/// Water conducts two per cent better with each degree.
const PER_DEGREE: f64 = 0.02;
/// The common probe ends here.
const SATURATION_MV: f64 = 2200.0;

/// A conductivity probe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ec {
    /// From this voltage on the probe is at its end: the water may conduct better than the value says.
    pub saturation_mv: f64,
}

/// The same probe, read as dissolved solids.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tds {
    /// Milligrams per litre for each microsiemens per centimetre: depends on the ions.
    pub factor: f64,
    /// As in [`Ec`].
    pub saturation_mv: f64,
}

impl Default for Ec {
    fn default() -> Self {
        Self { saturation_mv: SATURATION_MV }
    }
}

impl Default for Tds {
    fn default() -> Self {
        Self { factor: 0.5, saturation_mv: SATURATION_MV }
    }
}

/// Conductivity at the water's own temperature in microsiemens per centimetre, for a cell constant of 1
/// (the probe's published curve).
pub fn curve(millivolts: f64) -> f64 {
    let v = millivolts / 1000.0;
    133.42 * v.powi(3) - 255.86 * v.powi(2) + 857.39 * v
}

/// How much better water conducts than at 25 degrees Celsius.
pub fn temperature_factor(celsius: f64) -> f64 {
    1.0 + PER_DEGREE * (celsius - 25.0)
}

impl Law for Ec {
    fn check(&self) -> Result<(), Complaint> {
        let fix = "100 to 5000 mV; the usual probe ends at about 2200";
        within("saturation_mv", self.saturation_mv, 100.0..=5000.0, fix)
    }

    fn estimate(&self, signal: &Signal<'_>) -> Estimate {
        let (celsius, flags) = signal.compensation();
        let k = match signal.calibration {
            Some(Calibration::Cell { k }) => *k,
            _ => 1.0,
        };
        let flags = if signal.millivolts >= self.saturation_mv { flags.with(Flag::Saturated) } else { flags };
        Estimate { value: k * curve(signal.millivolts) / temperature_factor(celsius), flags }
    }

    fn takes(&self, calibration: &Calibration) -> bool {
        matches!(calibration, Calibration::Cell { .. })
    }

    fn limits(&self) -> Limits {
        Limits { possible: (0.0, 100_000.0), usual: (0.0, 20_000.0) }
    }
}

impl Tds {
    fn probe(&self) -> Ec {
        Ec { saturation_mv: self.saturation_mv }
    }
}

impl Law for Tds {
    fn check(&self) -> Result<(), Complaint> {
        within("factor", self.factor, 0.5..=0.7, "0.5 to 0.7 mg/L per µS/cm")?;
        self.probe().check()
    }

    fn estimate(&self, signal: &Signal<'_>) -> Estimate {
        let Estimate { value, flags } = self.probe().estimate(signal);
        Estimate { value: self.factor * value, flags }
    }

    fn takes(&self, calibration: &Calibration) -> bool {
        self.probe().takes(calibration)
    }

    fn limits(&self) -> Limits {
        Limits { possible: (0.0, 50_000.0), usual: (0.0, 10_000.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Fault, Flags};
    use crate::sensor::{Converted, Sensor};

    const CELL: Calibration = Calibration::Cell { k: 1.0 };

    fn convert(millivolts: f64, celsius: Option<f64>) -> Converted {
        let sensor = Sensor::Tds(Tds::default());
        sensor.measure(&Signal { millivolts, celsius, calibration: Some(&CELL) }, &sensor.law().limits())
    }

    fn tds(millivolts: f64, celsius: f64) -> f64 {
        convert(millivolts, Some(celsius)).value.unwrap()
    }

    #[test]
    fn the_published_curve_is_followed() {
        // 133.42 - 255.86 + 857.39 = 734.95 µS/cm at one volt.
        assert!((tds(1000.0, 25.0) - 367.475).abs() < 1e-9);
        assert_eq!(tds(0.0, 25.0), 0.0);
        let ec = Ec::default().estimate(&Signal { millivolts: 1000.0, celsius: Some(25.0), calibration: Some(&CELL) });
        assert!((ec.value - 734.95).abs() < 1e-9);
    }

    #[test]
    fn the_same_water_reads_the_same_when_it_is_warmer() {
        assert!((tds(1000.0, 35.0) - 367.475 / 1.2).abs() < 1e-9);
    }

    #[test]
    fn at_the_end_of_its_range_the_probe_says_so() {
        assert_eq!(convert(2199.0, Some(25.0)).flags, Flags::NONE);
        assert_eq!(convert(2250.0, Some(25.0)).flags, Flags::NONE.with(Flag::Saturated));
    }

    #[test]
    fn less_than_nothing_is_a_fault() {
        assert_eq!(convert(-3.0, Some(25.0)).value, Err(Fault::OutOfRange));
    }

    #[test]
    fn without_a_temperature_it_says_that_25_degrees_was_a_guess() {
        assert!(convert(1000.0, None).flags.has(Flag::NoTemperature));
    }

    #[test]
    fn a_factor_that_no_water_has_is_refused() {
        assert_eq!(Tds { factor: 0.9, ..Tds::default() }.check().unwrap_err().0, "factor");
        assert_eq!(Tds { saturation_mv: f64::NAN, ..Tds::default() }.check().unwrap_err().0, "saturation_mv");
        assert_eq!(Tds::default().check(), Ok(()));
    }
}
