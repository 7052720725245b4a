//! How many litres a tank holds at a level: its shape, or a strapping table. Knows no sensor.

use super::{Complaint, within};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Most rows of a strapping table.
const MOST_ROWS: usize = 200;

/// A tank. Lengths are inner ones in metres.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)] // the names of lengths say it
pub enum Tank {
    /// With upright walls and a rectangular bottom.
    Box { length_m: f64, width_m: f64, height_m: f64 },
    /// Standing.
    VerticalCylinder { diameter_m: f64, height_m: f64 },
    /// Lying, with flat ends.
    HorizontalCylinder { diameter_m: f64, length_m: f64 },
    /// Standing on a cone whose tip points down; the level is counted from the tip.
    ConeBottom { diameter_m: f64, cone_m: f64, height_m: f64 },
    /// Measured: rows of level in metres and litres, both rising; straight lines between them.
    Strapping { table: Vec<(f64, f64)> },
}

impl Default for Tank {
    /// A tank of one cubic metre.
    fn default() -> Self {
        Self::Box { length_m: 1.0, width_m: 1.0, height_m: 1.0 }
    }
}

impl Tank {
    /// Checks the lengths or the table.
    ///
    /// # Errors
    /// The field and what to do about it.
    pub fn check(&self) -> Result<(), Complaint> {
        let length = |field, metres| within(field, metres, 0.01..=100.0, "give a length between 0.01 and 100 m");
        match *self {
            Self::Box { length_m, width_m, height_m } => {
                length("length_m", length_m)?;
                length("width_m", width_m)?;
                length("height_m", height_m)
            }
            Self::VerticalCylinder { diameter_m, height_m } => {
                length("diameter_m", diameter_m)?;
                length("height_m", height_m)
            }
            Self::HorizontalCylinder { diameter_m, length_m } => {
                length("diameter_m", diameter_m)?;
                length("length_m", length_m)
            }
            Self::ConeBottom { diameter_m, cone_m, height_m } => {
                length("diameter_m", diameter_m)?;
                length("height_m", height_m)?;
                within("cone_m", cone_m, 0.01..=height_m, "give the cone's height, below height_m")
            }
            Self::Strapping { ref table } => {
                let sound = (2..=MOST_ROWS).contains(&table.len())
                    && table.iter().all(|(m, l)| (0.0..=100.0).contains(m) && (0.0..=1e8).contains(l))
                    && table.windows(2).all(|pair| matches!(pair, [a, b] if b.0 - a.0 >= 0.001 && b.1 > a.1));
                let fix = "give 2 to 200 rows [level_m, litres], both rising from row to row by at least 1 mm";
                if sound { Ok(()) } else { Err(("table", fix)) }
            }
        }
    }

    /// The level of a full tank in metres.
    pub fn height_m(&self) -> f64 {
        match *self {
            Self::Box { height_m, .. }
            | Self::VerticalCylinder { height_m, .. }
            | Self::ConeBottom { height_m, .. } => height_m,
            Self::HorizontalCylinder { diameter_m, .. } => diameter_m,
            Self::Strapping { ref table } => table.last().map_or(0.0, |row| row.0),
        }
    }

    /// Litres of a full tank.
    pub fn capacity(&self) -> f64 {
        self.litres(self.height_m())
    }

    /// Litres at a level. Never less than nothing; above the top as the walls would go on.
    pub fn litres(&self, level_m: f64) -> f64 {
        // `max` would turn NaN into an empty tank.
        if level_m.is_nan() {
            return level_m;
        }
        let h = level_m.max(0.0);
        match *self {
            Self::Box { length_m, width_m, .. } => 1000.0 * length_m * width_m * h,
            Self::VerticalCylinder { diameter_m, .. } => 1000.0 * disc(diameter_m) * h,
            Self::HorizontalCylinder { diameter_m, length_m } => {
                let r = diameter_m / 2.0;
                // Nothing fits above the top of a lying cylinder; what is said to be there counts as in a box.
                let (inside, above) = (h.min(diameter_m), (h - diameter_m).max(0.0));
                let segment = r * r * ((r - inside) / r).acos()
                    - (r - inside) * (2.0 * r * inside - inside * inside).max(0.0).sqrt();
                1000.0 * length_m * (segment + above * diameter_m)
            }
            Self::ConeBottom { diameter_m, cone_m, .. } => {
                let (inside, above) = (h.min(cone_m), (h - cone_m).max(0.0));
                // A cone that is filled to a share s of its height holds s^3 of its volume.
                1000.0 * disc(diameter_m) * (cone_m / 3.0 * (inside / cone_m).powi(3) + above)
            }
            Self::Strapping { ref table } => interpolated(table, h),
        }
    }
}

fn disc(diameter: f64) -> f64 {
    PI / 4.0 * diameter * diameter
}

/// On the line through the two rows around `level`, or through the last two above them; below the first
/// row on the line from nothing.
fn interpolated(table: &[(f64, f64)], level: f64) -> f64 {
    let after = table.partition_point(|row| row.0 < level).min(table.len().saturating_sub(1));
    let row = |n: usize| table.get(n).copied().unwrap_or((0.0, 0.0));
    let (low, high) = (if after == 0 { (0.0, 0.0) } else { row(after - 1) }, row(after));
    let run = high.0 - low.0;
    if run > 0.0 { low.1 + (level - low.0) / run * (high.1 - low.1) } else { high.1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LYING: Tank = Tank::HorizontalCylinder { diameter_m: 1.0, length_m: 3.0 };

    fn all() -> Vec<Tank> {
        vec![
            Tank::Box { length_m: 3.0, width_m: 0.5, height_m: 2.0 },
            Tank::VerticalCylinder { diameter_m: 1.0, height_m: 2.0 },
            LYING,
            Tank::ConeBottom { diameter_m: 1.0, cone_m: 0.5, height_m: 2.0 },
            Tank::Strapping { table: vec![(0.0, 0.0), (0.5, 100.0), (1.0, 400.0)] },
        ]
    }

    #[test]
    fn a_half_full_tank_of_each_plain_shape_holds_half() {
        for tank in &all()[..3] {
            assert!((tank.litres(tank.height_m() / 2.0) / tank.capacity() - 0.5).abs() < 1e-9, "{tank:?}");
        }
        assert!((all()[0].capacity() - 3000.0).abs() < 1e-9);
        assert!((all()[1].capacity() - 500.0 * PI).abs() < 1e-9);
    }

    #[test]
    fn a_lying_cylinder_is_not_linear_and_never_nan_at_its_ends() {
        assert_eq!(LYING.litres(0.0), 0.0);
        assert!((LYING.litres(1.0) - 750.0 * PI).abs() < 1e-9);
        // A quarter of the height holds 19.55 % of the volume.
        assert!((LYING.litres(0.25) / LYING.capacity() - 0.1955).abs() < 1e-3);
    }

    #[test]
    fn a_cone_holds_a_third_of_its_cylinder() {
        let tank = Tank::ConeBottom { diameter_m: 1.0, cone_m: 0.5, height_m: 2.0 };
        assert!((tank.litres(0.5) - 1000.0 * PI / 4.0 * 0.5 / 3.0).abs() < 1e-9);
        assert!((tank.litres(0.25) - tank.litres(0.5) / 8.0).abs() < 1e-9);
        assert!((tank.capacity() - 1000.0 * PI / 4.0 * (0.5 / 3.0 + 1.5)).abs() < 1e-9);
    }

    #[test]
    fn a_strapping_table_is_read_between_its_rows() {
        let tank = Tank::Strapping { table: vec![(0.1, 10.0), (0.5, 100.0), (1.0, 400.0)] };
        assert_eq!(tank.check(), Ok(()));
        for (level, litres) in
            [(0.0, 0.0), (0.05, 5.0), (0.1, 10.0), (0.3, 55.0), (0.75, 250.0), (1.0, 400.0), (1.1, 460.0)]
        {
            assert!((tank.litres(level) - litres).abs() < 1e-9, "{level}: {}", tank.litres(level));
        }
    }

    #[test]
    fn a_table_that_does_not_rise_is_refused() {
        for table in [
            vec![],
            vec![(0.0, 0.0)],
            vec![(0.0, 0.0), (0.0, 10.0)],
            vec![(0.0, 5.0), (1.0, 5.0)],
            vec![(0.0, 0.0), (f64::NAN, 1.0)],
        ] {
            assert_eq!(Tank::Strapping { table }.check().unwrap_err().0, "table");
        }
        assert_eq!(Tank::Box { length_m: 0.0, width_m: 1.0, height_m: 1.0 }.check().unwrap_err().0, "length_m");
        for tank in all() {
            assert_eq!(tank.check(), Ok(()));
        }
    }

    proptest! {
        #[test]
        fn more_water_is_never_fewer_litres(a in -1.0..3.0_f64, b in -1.0..3.0_f64) {
            let (low, high) = (a.min(b), a.max(b));
            for tank in all() {
                prop_assert!(tank.litres(low) <= tank.litres(high) + 1e-9, "{tank:?} {low} {high}");
                prop_assert!(tank.litres(low) >= 0.0);
            }
        }
    }
}
