//! From points to a calibration, or to the reason why they are none. No input yields NaN or infinity.

use super::{Buffers, Calibration, Fit, Health, Point};
use crate::reading::Flag;
use crate::sensor::conductivity::{curve, temperature_factor};
use crate::sensor::ph::{ISOPOTENTIAL, Ph};
use crate::sensor::{Sensor, Signal};

/// Slopes of a usable electrode, in per cent of theory.
const SLOPE_PERCENT: std::ops::RangeInclusive<f64> = 85.0..=105.0;
/// Offset of a usable electrode, in millivolts.
const OFFSET_MV: f64 = 30.0;
/// A cell constant's correction that is credible.
const K: std::ops::RangeInclusive<f64> = 0.25..=4.0;
/// A straight line's slope that is credible.
const SLOPE: std::ops::RangeInclusive<f64> = 0.5..=2.0;

/// Why points are no calibration. The texts are for the technician who took them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Not as many points as this probe needs.
    #[error("{have} points are not right: this probe takes {need}")]
    Points {
        /// How many there are.
        have: usize,
        /// How many it takes, in words.
        need: &'static str,
    },
    /// Two points say the same.
    #[error("two points are too close to each other ({0} and {1}): rinse the probe and use another solution")]
    TooClose(f64, f64),
    /// A point was taken without a temperature.
    #[error("no temperature was measured at the point {0}: this probe can't be calibrated without one")]
    NoTemperature(f64),
    /// The temperature is outside the table of the buffers.
    #[error("{0} °C is outside the table of the buffers: bring the solution to between 0 and 50 °C")]
    Temperature(f64),
    /// The set has no such buffer.
    #[error("there is no buffer of pH {0} in the set {1}")]
    UnknownBuffer(f64, Buffers),
    /// A slope that no usable electrode has.
    #[error(
        "the slope is {0:.1} % of theory, 85 to 105 % is usable: the buffer is a wrong or an old one, or the probe is worn"
    )]
    Slope(f64),
    /// An offset that no usable electrode has.
    #[error(
        "the electrode yields {0:.1} mV at pH 7, at most 30 mV is usable: the buffer is a wrong or an old one, or the probe is worn"
    )]
    Offset(f64),
    /// A cell constant that no usable probe has.
    #[error(
        "the cell constant would be corrected by {0:.2}, 0.25 to 4 is credible: the solution is a wrong one, or the probe is dirty"
    )]
    Cell(f64),
    /// The probe is at the end of its range in the solution.
    #[error("the probe is at the end of its range at the point {0}: use a weaker solution")]
    Saturated(f64),
    /// A straight line that no usable sensor needs.
    #[error(
        "the sensor would be corrected by a factor of {0:.2}, 0.5 to 2 is credible: check the sensor's settings and its place"
    )]
    Line(f64),
    /// A shift that no usable sensor needs.
    #[error("the sensor would be shifted by {0:.2}, more than is credible: check the sensor's settings and its place")]
    Shift(f64),
    /// A number that is none.
    #[error("a point has a number that is none")]
    NotFinite,
}

impl FitError {
    /// A word for programs and translations.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Points { .. } => "points",
            Self::TooClose(..) => "too_close",
            Self::NoTemperature(_) => "no_temperature",
            Self::Temperature(_) => "temperature",
            Self::UnknownBuffer(..) => "unknown_buffer",
            Self::Slope(_) => "slope",
            Self::Offset(_) => "offset",
            Self::Cell(_) => "cell",
            Self::Saturated(_) => "saturated",
            Self::Line(_) => "line",
            Self::Shift(_) => "shift",
            Self::NotFinite => "not_finite",
        }
    }
}

/// What the points say of a sensor. Their order does not matter. `buffers` is for pH only.
///
/// # Errors
/// The reason why they are no calibration.
pub fn fit(sensor: &Sensor, points: &[Point], buffers: Buffers) -> Result<Fit, FitError> {
    let finite = |p: &Point| [Some(p.nominal), Some(p.millivolts), p.celsius].iter().flatten().all(|n| n.is_finite());
    if !points.iter().all(finite) {
        return Err(FitError::NotFinite);
    }
    match sensor {
        Sensor::Ph(law) => ph(law, points, buffers),
        Sensor::Tds(_) | Sensor::Ec(_) => cell(sensor, points),
        Sensor::Volume(volume) => line(&Sensor::Level(volume.level), points),
        Sensor::Temperature(_) | Sensor::Level(_) | Sensor::Pressure(_) | Sensor::Flow(_) => line(sensor, points),
    }
}

/// A point as the electrode's equation sees it: mv = zero_mv + slope x below, where `below` is the output
/// of an ideal electrode around its zero.
struct Seen {
    ph: f64,
    mv: f64,
    below: f64,
}

fn ph(law: &Ph, points: &[Point], buffers: Buffers) -> Result<Fit, FitError> {
    let mut seen = points
        .iter()
        .map(|point| {
            let celsius = point.celsius.ok_or(FitError::NoTemperature(point.nominal))?;
            if !buffers.labels().iter().any(|label| (label - point.nominal).abs() < 0.005) {
                return Err(FitError::UnknownBuffer(point.nominal, buffers));
            }
            let ph = buffers.ph(point.nominal, celsius).ok_or(FitError::Temperature(celsius))?;
            Ok(Seen { ph, mv: point.millivolts, below: law.slope_mv(celsius) * (ISOPOTENTIAL - ph) })
        })
        .collect::<Result<Vec<_>, _>>()?;
    seen.sort_by(|a, b| a.ph.total_cmp(&b.ph));
    for pair in seen.windows(2) {
        if let [a, b] = pair
            && b.ph - a.ph < 1.0
        {
            return Err(FitError::TooClose(a.ph, b.ph));
        }
    }
    // The electrode's zero, and a slope for each side of it.
    let through = |a: &Seen, b: &Seen| {
        let slope = (b.mv - a.mv) / (b.below - a.below);
        (a.mv - slope * a.below, slope)
    };
    let from_zero = |zero: f64, point: &Seen| (point.mv - zero) / point.below;
    let (zero_mv, acid, base) = match seen.as_slice() {
        [low, high] => {
            let (zero, slope) = through(low, high);
            (zero, slope, slope)
        }
        // The middle buffer is not exactly at pH 7: the side that it lies on gives the zero.
        [low, middle, high] if middle.ph <= ISOPOTENTIAL => {
            let (zero, acid) = through(low, middle);
            (zero, acid, from_zero(zero, high))
        }
        [low, middle, high] => {
            let (zero, base) = through(middle, high);
            (zero, from_zero(zero, low), base)
        }
        _ => return Err(FitError::Points { have: points.len(), need: "two or three" }),
    };
    for slope in [acid, base] {
        // NaN is in no range.
        if !SLOPE_PERCENT.contains(&(slope * 100.0)) {
            return Err(FitError::Slope(slope * 100.0));
        }
    }
    let offset_mv = (zero_mv - law.midpoint_mv) / law.gain;
    if !(-OFFSET_MV..=OFFSET_MV).contains(&offset_mv) {
        return Err(FitError::Offset(offset_mv));
    }
    let calibration = Calibration::Ph { zero_mv, acid_percent: acid * 100.0, base_percent: base * 100.0 };
    Ok(Fit { calibration, health: Some(Health { slope_percent: acid.min(base) * 100.0, offset_mv }) })
}

fn cell(sensor: &Sensor, points: &[Point]) -> Result<Fit, FitError> {
    let [point] = points else {
        return Err(FitError::Points { have: points.len(), need: "one" });
    };
    let celsius = point.celsius.ok_or(FitError::NoTemperature(point.nominal))?;
    let signal = Signal { millivolts: point.millivolts, celsius: Some(celsius), calibration: None };
    let flags = sensor.law().estimate(&signal).flags;
    if flags.has(Flag::Saturated) {
        return Err(FitError::Saturated(point.nominal));
    }
    if flags.has(Flag::NoTemperature) {
        return Err(FitError::Temperature(celsius));
    }
    let k = point.nominal * temperature_factor(celsius) / curve(point.millivolts);
    if !K.contains(&k) {
        return Err(FitError::Cell(k));
    }
    Ok(Fit { calibration: Calibration::Cell { k }, health: None })
}

fn line(sensor: &Sensor, points: &[Point]) -> Result<Fit, FitError> {
    let raw = |p: &Point| {
        sensor.law().estimate(&Signal { millivolts: p.millivolts, celsius: p.celsius, calibration: None }).value
    };
    let limits = sensor.law().limits();
    let span = limits.usual.1 - limits.usual.0;
    let (slope, offset) = match points {
        [point] => (1.0, point.nominal - raw(point)),
        [a, b] => {
            if (a.nominal - b.nominal).abs() < span / 20.0 {
                return Err(FitError::TooClose(a.nominal, b.nominal));
            }
            let slope = (b.nominal - a.nominal) / (raw(b) - raw(a));
            (slope, a.nominal - slope * raw(a))
        }
        _ => return Err(FitError::Points { have: points.len(), need: "one or two" }),
    };
    if !SLOPE.contains(&slope) {
        return Err(FitError::Line(slope));
    }
    if !(-span / 4.0..=span / 4.0).contains(&offset) {
        return Err(FitError::Shift(offset));
    }
    Ok(Fit { calibration: Calibration::Linear { slope, offset }, health: None })
}
