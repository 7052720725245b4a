//! Height of the water surface above the tank's bottom: from a level sensor with a linear voltage, from
//! the hydrostatic pressure at the bottom, or from an ultrasonic distance above the water.

use super::pressure::Pressure;
use super::{Complaint, Estimate, Law, Limits, Signal, within};
use crate::calibration::Calibration;
use crate::reading::{Flag, Flags};
use serde::{Deserialize, Serialize};

/// Standard gravity in metres per second squared (3rd CGPM, 1901).
const GRAVITY: f64 = 9.806_65;

/// A level sensor and where it sits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "sensor", rename_all = "snake_case", deny_unknown_fields)]
pub enum Level {
    /// A voltage that follows the level in a straight line.
    Linear {
        /// Its voltage when the tank is empty.
        empty_mv: f64,
        /// Its voltage when the water stands `full_m` high; it may be lower than `empty_mv`.
        full_mv: f64,
        /// In metres.
        full_m: f64,
    },
    /// A pressure transducer at the bottom: h = (P - P0) / (rho g).
    Hydrostatic {
        /// The transducer's voltage without water.
        zero_mv: f64,
        /// Its voltage at `full_kpa`.
        full_mv: f64,
        /// In kilopascal.
        full_kpa: f64,
        /// The water's density in kilograms per cubic metre; 1025 for the sea.
        #[serde(default = "fresh_water")]
        density: f64,
        /// How far above the tank's bottom the transducer sits, in metres.
        #[serde(default)]
        above_bottom_m: f64,
    },
    /// An ultrasonic sensor above the water that puts out a voltage for the distance.
    Ultrasonic {
        /// Its voltage at no distance.
        #[serde(default)]
        zero_mv: f64,
        /// Millivolts for each metre, as its data sheet says for `assumed_c`.
        mv_per_m: f64,
        /// The air's temperature that the data sheet assumes, in degrees Celsius.
        #[serde(default = "room")]
        assumed_c: f64,
        /// How far above the tank's bottom the sensor sits, in metres.
        mount_m: f64,
        /// Nearer than this it can't measure, in metres.
        #[serde(default = "blind")]
        blind_m: f64,
    },
}

fn fresh_water() -> f64 {
    998.0
}
fn room() -> f64 {
    20.0
}
fn blind() -> f64 {
    0.25
}

impl Default for Level {
    fn default() -> Self {
        Self::Linear { empty_mv: 500.0, full_mv: 2500.0, full_m: 1.0 }
    }
}

/// The speed of sound in air, in metres per second.
fn sound(celsius: f64) -> f64 {
    331.45 + 0.607 * celsius
}

impl Level {
    /// The height that the sensor can tell at most, in metres.
    pub fn highest_m(&self) -> f64 {
        match *self {
            Self::Linear { full_m, .. } => full_m,
            Self::Hydrostatic { full_kpa, density, above_bottom_m, .. } => {
                above_bottom_m + full_kpa * 1000.0 / (density * GRAVITY)
            }
            Self::Ultrasonic { mount_m, .. } => mount_m,
        }
    }
}

impl Law for Level {
    fn check(&self) -> Result<(), Complaint> {
        let metres = |field, metres, fix| within(field, metres, 0.01..=100.0, fix);
        match *self {
            Self::Linear { empty_mv, full_mv, full_m } => {
                within("empty_mv", empty_mv, 0.0..=6000.0, "give a voltage between 0 and 6000 mV")?;
                within("full_mv", full_mv, 0.0..=6000.0, "give a voltage between 0 and 6000 mV")?;
                let apart = (full_mv - empty_mv).abs();
                within("full_mv", apart, 10.0..=6000.0, "it must differ from empty_mv by at least 10 mV")?;
                metres("full_m", full_m, "give the height at full_mv, 0.01 to 100 m")
            }
            Self::Hydrostatic { zero_mv, full_mv, full_kpa, density, above_bottom_m } => {
                Pressure { zero_mv, full_mv, full_kpa }.check()?;
                within("density", density, 500.0..=2000.0, "fresh water has 998, sea water 1025 kg/m³")?;
                within("above_bottom_m", above_bottom_m, 0.0..=100.0, "give a height between 0 and 100 m")
            }
            Self::Ultrasonic { zero_mv, mv_per_m, assumed_c, mount_m, blind_m } => {
                within("zero_mv", zero_mv, 0.0..=6000.0, "give a voltage between 0 and 6000 mV")?;
                within("mv_per_m", mv_per_m, 1.0..=100_000.0, "give the millivolts for each metre, 1 to 100000")?;
                within(
                    "assumed_c",
                    assumed_c,
                    -20.0..=60.0,
                    "give the air's temperature of the data sheet, usually 20",
                )?;
                metres("mount_m", mount_m, "give the sensor's height above the bottom, 0.01 to 100 m")?;
                within("blind_m", blind_m, 0.0..=mount_m, "give a distance that is below mount_m")
            }
        }
    }

    fn estimate(&self, signal: &Signal<'_>) -> Estimate {
        let mv = signal.millivolts;
        let (metres, flags) = match *self {
            Self::Linear { empty_mv, full_mv, full_m } => {
                ((mv - empty_mv) / (full_mv - empty_mv) * full_m, Flags::NONE)
            }
            Self::Hydrostatic { zero_mv, full_mv, full_kpa, density, above_bottom_m } => {
                let kilopascal = Pressure { zero_mv, full_mv, full_kpa }.kilopascal(mv);
                (above_bottom_m + kilopascal * 1000.0 / (density * GRAVITY), Flags::NONE)
            }
            Self::Ultrasonic { zero_mv, mv_per_m, assumed_c, mount_m, blind_m } => {
                // In a tank the air above the water is about as warm as the water: a guess that is much
                // better than the sensor's own, which is always `assumed_c`.
                let (celsius, flags) = signal.compensation();
                let celsius = if flags == Flags::NONE { celsius } else { assumed_c };
                let metres = (mv - zero_mv) / mv_per_m * sound(celsius) / sound(assumed_c);
                let blind = if metres < blind_m { flags.with(Flag::Saturated) } else { flags };
                (mount_m - metres, blind)
            }
        };
        Estimate { value: signal.corrected(metres), flags }
    }

    fn takes(&self, calibration: &Calibration) -> bool {
        matches!(calibration, Calibration::Linear { .. })
    }

    /// Noise of the sensor at the bottom, and a little more than full, are still levels.
    fn limits(&self) -> Limits {
        let full = self.highest_m();
        Limits { possible: (-0.02 * full, 1.1 * full), usual: (-0.02 * full, full) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(law: Level, millivolts: f64, celsius: Option<f64>) -> Estimate {
        law.check().unwrap();
        law.estimate(&Signal { millivolts, celsius, calibration: None })
    }

    #[test]
    fn ten_metres_of_water_press_with_about_one_hundred_kilopascal() {
        let law = Level::Hydrostatic {
            zero_mv: 500.0,
            full_mv: 4500.0,
            full_kpa: 100.0,
            density: 1000.0,
            above_bottom_m: 0.0,
        };
        assert!((level(law, 4500.0, None).value - 10.197).abs() < 0.001);
        assert_eq!(level(law, 500.0, None).value, 0.0);
        let raised = Level::Hydrostatic {
            zero_mv: 500.0,
            full_mv: 4500.0,
            full_kpa: 100.0,
            density: 1000.0,
            above_bottom_m: 0.1,
        };
        assert!((level(raised, 500.0, None).value - 0.1).abs() < 1e-12);
    }

    #[test]
    fn sound_is_faster_in_warm_air_so_the_distance_is_longer() {
        let law = Level::Ultrasonic { zero_mv: 0.0, mv_per_m: 1000.0, assumed_c: 20.0, mount_m: 2.0, blind_m: 0.25 };
        assert!((level(law, 1000.0, Some(20.0)).value - 1.0).abs() < 1e-12);
        // 349.66 / 343.59 m/s: a metre is 1.0177 m.
        assert!((level(law, 1000.0, Some(30.0)).value - (2.0 - 1.01767)).abs() < 1e-4);
        assert!(level(law, 1000.0, None).flags.has(Flag::NoTemperature));
    }

    #[test]
    fn water_in_the_blind_zone_is_flagged() {
        let law = Level::Ultrasonic { zero_mv: 0.0, mv_per_m: 1000.0, assumed_c: 20.0, mount_m: 2.0, blind_m: 0.25 };
        assert!(level(law, 240.0, Some(20.0)).flags.has(Flag::Saturated));
        assert_eq!(level(law, 260.0, Some(20.0)).flags, Flags::NONE);
    }

    #[test]
    fn a_sensor_that_falls_as_the_water_rises_works_too() {
        let law = Level::Linear { empty_mv: 2500.0, full_mv: 500.0, full_m: 2.0 };
        assert!((level(law, 1000.0, None).value - 1.5).abs() < 1e-12);
    }

    #[test]
    fn settings_that_divide_by_zero_are_refused() {
        let law = Level::Linear { empty_mv: 500.0, full_mv: 500.0, full_m: 2.0 };
        assert_eq!(law.check().unwrap_err().0, "full_mv");
        let law = Level::Ultrasonic { zero_mv: 0.0, mv_per_m: 0.0, assumed_c: 20.0, mount_m: 2.0, blind_m: 0.25 };
        assert_eq!(law.check().unwrap_err().0, "mv_per_m");
    }
}
