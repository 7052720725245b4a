//! Volume of water in a tank from a level sensor with a linear voltage (a pressure sensor at the
//! bottom, or an ultrasonic one that puts out a voltage) and the tank's shape.

use super::{Converted, calibration, judge};
use serde::Deserialize;
use std::f64::consts::PI;

/// Below empty by up to this share of the height is noise of the sensor, not an impossible level.
const NOISE: f64 = 0.02;

/// The shape of a tank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `length_m` x `width_m`, `height_m` high.
    Box,
    /// `diameter_m` wide, `height_m` high.
    VerticalCylinder,
    /// `diameter_m` high, `length_m` long.
    HorizontalCylinder,
}

/// A tank with its level sensor.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The sensor's voltage when the tank is empty.
    pub empty_mv: f64,
    /// Its voltage when the tank is full.
    pub full_mv: f64,
    /// The tank's shape.
    pub shape: Shape,
    /// Height of a full tank (box, vertical cylinder).
    pub height_m: f64,
    /// Length (box, horizontal cylinder).
    pub length_m: f64,
    /// Width (box).
    pub width_m: f64,
    /// Diameter (cylinders).
    pub diameter_m: f64,
    /// Whether the two voltages were measured on this tank.
    pub calibrated: bool,
}

impl Default for Settings {
    /// A tank of one cubic metre.
    fn default() -> Self {
        Self {
            empty_mv: 500.0,
            full_mv: 2500.0,
            shape: Shape::Box,
            height_m: 1.0,
            length_m: 1.0,
            width_m: 1.0,
            diameter_m: 1.0,
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
        for (name, mv) in [("empty_mv", self.empty_mv), ("full_mv", self.full_mv)] {
            if !(0.0..=6000.0).contains(&mv) {
                return Err((name, "give a voltage between 0 and 6000 mV"));
            }
        }
        if (self.full_mv - self.empty_mv).abs() < 10.0 {
            return Err(("full_mv", "it must differ from empty_mv by at least 10 mV"));
        }
        let lengths = [
            ("height_m", self.height_m),
            ("length_m", self.length_m),
            ("width_m", self.width_m),
            ("diameter_m", self.diameter_m),
        ];
        for (name, metres) in lengths {
            if !(0.01..=100.0).contains(&metres) {
                return Err((name, "give a length between 0.01 and 100 m"));
            }
        }
        Ok(())
    }

    /// Share of the height that is under water: 0 empty, 1 full.
    fn fill(&self, millivolts: f64) -> f64 {
        (millivolts - self.empty_mv) / (self.full_mv - self.empty_mv)
    }

    /// Litres at a fill of 0 to 1, and beyond by what the shape allows.
    fn litres(&self, fill: f64) -> f64 {
        let cubic_metres = match self.shape {
            Shape::Box => self.length_m * self.width_m * self.height_m * fill,
            Shape::VerticalCylinder => PI / 4.0 * self.diameter_m.powi(2) * self.height_m * fill,
            Shape::HorizontalCylinder => {
                let r = self.diameter_m / 2.0;
                // Nothing fits above the top of a lying cylinder.
                let h = self.diameter_m * fill.clamp(0.0, 1.0);
                let segment = r * r * ((r - h) / r).acos() - (r - h) * (2.0 * r * h - h * h).max(0.0).sqrt();
                self.length_m * segment
            }
        };
        cubic_metres * 1000.0
    }

    /// The bare formula.
    pub fn formula(&self, millivolts: f64) -> f64 {
        self.litres(self.fill(millivolts))
    }

    /// The volume of a voltage.
    pub fn convert(&self, millivolts: f64) -> Converted {
        let judged = judge(self.fill(millivolts), -NOISE..=1.1, -NOISE..=1.0, calibration(self.calibrated));
        Converted { value: judged.value.map(|fill| self.litres(fill.max(0.0))), flags: judged.flags }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::reading::{Fault, Flag};

    fn tank(shape: Shape) -> Settings {
        Settings { shape, height_m: 2.0, length_m: 3.0, width_m: 0.5, diameter_m: 1.0, ..Settings::default() }
    }

    fn litres(settings: Settings, millivolts: f64) -> f64 {
        settings.convert(millivolts).value.unwrap()
    }

    #[test]
    fn a_half_full_tank_of_each_shape_holds_half() {
        let half = 1500.0;
        assert!((litres(tank(Shape::Box), half) - 1500.0).abs() < 1e-9);
        assert!((litres(tank(Shape::VerticalCylinder), half) - 250.0 * PI).abs() < 1e-9);
        assert!((litres(tank(Shape::HorizontalCylinder), half) - 375.0 * PI).abs() < 1e-9);
    }

    #[test]
    fn a_lying_cylinder_is_not_linear_and_never_nan_at_its_ends() {
        let lying = tank(Shape::HorizontalCylinder);
        assert_eq!(litres(lying, 500.0), 0.0);
        assert!((litres(lying, 2500.0) - 750.0 * PI).abs() < 1e-9);
        // A quarter of the height holds 19.55 % of the volume.
        assert!((litres(lying, 1000.0) / (750.0 * PI) - 0.1955).abs() < 1e-3);
        assert!((litres(lying, 2600.0) - 750.0 * PI).abs() < 1e-9);
    }

    #[test]
    fn noise_at_the_bottom_is_empty_and_less_is_a_fault() {
        assert_eq!(litres(tank(Shape::Box), 480.0), 0.0);
        assert_eq!(tank(Shape::Box).convert(400.0).value, Err(Fault::OutOfRange));
    }

    #[test]
    fn a_little_more_than_full_is_flagged_and_much_more_is_a_fault() {
        assert!(tank(Shape::Box).convert(2600.0).flags.has(Flag::OutOfRange));
        assert_eq!(tank(Shape::Box).convert(2750.0).value, Err(Fault::OutOfRange));
    }

    #[test]
    fn a_sensor_that_falls_as_the_water_rises_works_too() {
        let ultrasonic = Settings { empty_mv: 2500.0, full_mv: 500.0, ..tank(Shape::Box) };
        assert!((litres(ultrasonic, 1000.0) - 2250.0).abs() < 1e-9);
    }

    #[test]
    fn two_equal_points_are_refused() {
        let error = Settings { full_mv: 500.0, ..tank(Shape::Box) }.check().unwrap_err();
        assert_eq!(error.0, "full_mv");
        assert_eq!(Settings { height_m: 0.0, ..tank(Shape::Box) }.check().unwrap_err().0, "height_m");
        assert_eq!(tank(Shape::Box).check(), Ok(()));
    }
}
